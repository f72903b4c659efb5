package lapack

import gonumblas "gonum.org/v1/gonum/blas/gonum"

func portableComplex64() *backend[complex64] {
	return productsComplex64("gonum", gonumblas.Implementation{})
}

func portableComplex128() *backend[complex128] {
	return productsComplex128("gonum", gonumblas.Implementation{})
}
