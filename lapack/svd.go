package lapack

import (
	"errors"
	"fmt"
)

// SVD is the thin singular value decomposition A = U S Vᴴ of an m × n matrix.
// The zero SVD is ready for Factorize and keeps its memory from call to call.
// It may not be used from several goroutines at once.
type SVD[T Scalar] struct {
	backend  *backend[T]
	s        []float64
	u, vt    Matrix[T]
	a        Matrix[T]
	memory   [3][]T // behind a, u, vt
	work     workspace[T]
	ok, vecs bool
}

// Factorize decomposes a, which it leaves as it is; without vectors only
// Values is there afterwards, at a third of the cost.
// Cost: about 4mn² + 22n³ flops for m ≥ n with vectors, up to four times that
// for complex T. Error: every singular value within O(ε·s₁), ‖A − USVᴴ‖ = O(ε·s₁).
// The error wraps ErrNotFinite or ErrNoConvergence.
func (f *SVD[T]) Factorize(a Matrix[T], vectors bool) error {
	a.check()
	f.ok, f.vecs = false, vectors
	if err := checkFinite("SVD", "", a); err != nil {
		return err
	}
	m, n := a.Rows, a.Cols
	k := min(m, n)
	s := grow(&f.s, k)
	f.u, f.vt = Matrix[T]{}, Matrix[T]{}
	if vectors {
		f.u = Of(m, k, grow(&f.memory[1], m*k))
		f.vt = Of(k, n, grow(&f.memory[2], k*n))
	}
	if k == 0 {
		f.ok = true
		return nil
	}
	var failed error
	for _, routine := range inUse(f.backend).svd {
		f.a = Of(m, n, grow(&f.memory[0], m*n))
		f.a.CopyFrom(a)
		info := routine.compute(f.a, s, f.u, f.vt, &f.work)
		if info == 0 {
			f.ok = true
			return f.finite(routine.name)
		}
		failed = errors.Join(failed, fmt.Errorf("lapack: %s of a %d × %d matrix, info %d: %w", routine.name, m, n, info, ErrNoConvergence))
	}
	return failed
}

// finite guards against a routine that reports success and returns NaN.
func (f *SVD[T]) finite(routine string) error {
	err := checkFinite(routine, ", singular values", Of(1, len(f.s), f.s))
	if err == nil {
		err = checkFinite(routine, ", left singular vectors", f.u)
	}
	if err == nil {
		err = checkFinite(routine, ", right singular vectors", f.vt)
	}
	f.ok = err == nil
	return err
}

// Values returns the min(m, n) singular values, decreasing: a view that the
// next Factorize overwrites.
func (f *SVD[T]) Values() []float64 {
	if !f.ok {
		panic(errUnfactorized)
	}
	return f.s
}

// U returns the left singular vectors, m × min(m, n): a view that the next
// Factorize overwrites.
func (f *SVD[T]) U() Matrix[T] {
	f.mustHaveVectors()
	return f.u
}

// VT returns Vᴴ, Vᵀ for real T, min(m, n) × n: its rows are the right singular
// vectors, conjugated for complex T. It is a view that the next Factorize
// overwrites.
func (f *SVD[T]) VT() Matrix[T] {
	f.mustHaveVectors()
	return f.vt
}

func (f *SVD[T]) mustHaveVectors() {
	if !f.ok || !f.vecs {
		panic(errUnfactorized)
	}
}
