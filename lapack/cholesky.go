package lapack

import "fmt"

// CholeskyInPlace replaces the upper triangle of the symmetric or Hermitian
// positive definite matrix a by U, A = UᴴU; the strict lower triangle is neither
// read nor written, nor are imaginary parts of the diagonal read. On error a
// holds a part of the factor.
// Cost: n³/3 flops, four times that for complex T. Backward error: O(n·ε·‖A‖).
// The error wraps ErrNotFinite or ErrNotPositiveDefinite.
func CholeskyInPlace[T Scalar](a Matrix[T]) error { return cholesky(inUse[T](nil), a) }

func cholesky[T Scalar](b *backend[T], a Matrix[T]) error {
	a.check()
	if a.Rows != a.Cols {
		panic(errBadShape)
	}
	if a.IsEmpty() {
		return nil
	}
	if err := checkFiniteUpper("POTRF", a); err != nil {
		return err
	}
	dropImaginary(a)
	if !b.potrf(a) {
		return fmt.Errorf("lapack: POTRF of order %d: %w", a.Rows, ErrNotPositiveDefinite)
	}
	return nil
}
