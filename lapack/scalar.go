package lapack

import (
	"math"
	"math/cmplx"
)

// This file holds what differs between real and complex elements. All else in
// the package is written once for the four types.

func isComplex[T Scalar]() bool {
	var zero T
	switch any(zero).(type) {
	case complex64, complex128:
		return true
	}
	return false
}

// named returns LAPACK's name of a routine, which for some is another where
// matrices are complex: Hermitian and unitary are not symmetric and orthogonal.
func named[T Scalar](real, complex string) string {
	if isComplex[T]() {
		return complex
	}
	return real
}

// fromReal returns the T nearest to x.
func fromReal[T Scalar](x float64) (v T) {
	switch v := any(&v).(type) {
	case *float32:
		*v = float32(x)
	case *float64:
		*v = x
	case *complex64:
		*v = complex(float32(x), 0)
	case *complex128:
		*v = complex(x, 0)
	}
	return v
}

// realPart returns Re v.
func realPart[T Scalar](v T) float64 {
	switch v := any(v).(type) {
	case float32:
		return float64(v)
	case float64:
		return v
	case complex64:
		return float64(real(v))
	case complex128:
		return real(v)
	}
	panic("unreachable")
}

// conjugate replaces the elements of s by their conjugates.
func conjugate[T Scalar](s []T) {
	switch s := any(s).(type) {
	case []complex64:
		for i, v := range s {
			s[i] = complex(real(v), -imag(v))
		}
	case []complex128:
		for i, v := range s {
			s[i] = cmplx.Conj(v)
		}
	}
}

// dropImaginary sets the imaginary parts of the diagonal of a to 0, which those
// of a Hermitian matrix are, whatever rounding made of them.
func dropImaginary[T Scalar](a Matrix[T]) {
	if !isComplex[T]() {
		return
	}
	for i := range a.Rows {
		a.Data[i*a.Stride+i] = fromReal[T](realPart(a.Data[i*a.Stride+i]))
	}
}

// largestPart returns the largest modulus of a real or an imaginary part in s.
func largestPart[T Scalar](s []T) (largest float64) {
	switch s := any(s).(type) {
	case []float32:
		return largestOf(s)
	case []float64:
		return largestOf(s)
	case []complex64:
		for _, v := range s {
			largest = max(largest, math.Abs(float64(real(v))), math.Abs(float64(imag(v))))
		}
	case []complex128:
		for _, v := range s {
			largest = max(largest, math.Abs(real(v)), math.Abs(imag(v)))
		}
	}
	return largest
}

func largestOf[R Real](s []R) (largest float64) {
	for _, v := range s {
		if v := math.Abs(float64(v)); v > largest {
			largest = v
		}
	}
	return largest
}
