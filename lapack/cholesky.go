package lapack

import "fmt"

// CholeskyInPlace replaces the upper triangle of the symmetric positive
// definite matrix a by U, A = UᵀU; the strict lower triangle is neither read
// nor written. On error a holds a part of the factor.
// Cost: n³/3 flops. Backward error: O(n·ε·‖A‖).
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
	if !b.potrf(a) {
		return fmt.Errorf("lapack: POTRF of order %d: %w", a.Rows, ErrNotPositiveDefinite)
	}
	return nil
}
