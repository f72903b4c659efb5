package lapack

import (
	"errors"
	"fmt"
)

// Errors that a factorisation may wrap.
var (
	// ErrNotFinite: a matrix to factor, or what came of it, holds NaN or Inf.
	ErrNotFinite = errors.New("not finite")
	// ErrNoConvergence: every routine for the job gave up iterating.
	ErrNoConvergence = errors.New("no convergence")
	// ErrNotPositiveDefinite: a Cholesky factorisation met a pivot ≤ 0.
	ErrNotPositiveDefinite = errors.New("not positive definite")
)

const errUnfactorized = "lapack: use before a successful Factorize"

// checkFinite returns an error that names the first element of a that is NaN
// or Inf; part says what a is where it is not the argument of routine. No
// routine reports one reliably: an eigen-solve of order 200 with one NaN inside
// returns NaN and success.
func checkFinite[T Scalar](routine, part string, a Matrix[T]) error {
	for i := range a.Rows {
		for j, v := range a.Row(i) {
			if !isFinite(v) {
				return fmt.Errorf("lapack: %s%s of a %d × %d matrix: element (%d, %d) is %v: %w",
					routine, part, a.Rows, a.Cols, i, j, v, ErrNotFinite)
			}
		}
	}
	return nil
}

// checkFiniteUpper is checkFinite of the upper triangle of a.
func checkFiniteUpper[T Scalar](routine string, a Matrix[T]) error {
	for i := range a.Rows {
		for j, v := range a.Row(i)[i:] {
			if !isFinite(v) {
				return fmt.Errorf("lapack: %s of a %d × %d matrix: element (%d, %d) is %v: %w",
					routine, a.Rows, a.Cols, i, i+j, v, ErrNotFinite)
			}
		}
	}
	return nil
}

// isFinite reports whether v is neither NaN nor Inf, nor has such a part:
// either makes NaN of the difference.
func isFinite[T Scalar](v T) bool { return v-v == 0 }
