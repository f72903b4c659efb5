//go:build !cgo || purego

package lapack

func chosen32() *backend[float32]            { return portable32() }
func chosen64() *backend[float64]            { return portable64() }
func chosenComplex64() *backend[complex64]   { return portableComplex64() }
func chosenComplex128() *backend[complex128] { return portableComplex128() }
