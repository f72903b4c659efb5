package lapack

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// LeadingEigen is the decomposition A = V Λ Vᴴ of a symmetric or Hermitian n × n
// matrix where only the first columns of V are wanted, and how many is known
// once there are eigenvalues. The zero LeadingEigen is ready for FactorizeInPlace
// and keeps its memory from call to call. It may not be used from several
// goroutines at once.
//
// It takes the steps of Eigen: A = Q B Qᴴ with B real and tridiagonal, B = Z Λ Zᵀ
// by divide and conquer, V = QZ. Only the last, a third of the time for all of
// V, waits for k. On B too little is gained by asking for less than Z: STERF for
// the values and STEMR for some vectors take longer than STEDC from k = n/8 on,
// with float32 and a falling spectrum from n/16 on (n = 512), and the vectors
// are ten to a hundred times further from orthogonal.
type LeadingEigen[T Scalar] struct {
	backend     *backend[T]
	values      []float64
	reflections Matrix[T] // Q, in memory of the caller
	tau         []T
	d, e        []float64 // B
	destroyed   []float64 // memory for e
	rows        Matrix[T] // Zᵀ, values ascending
	memory      []T       // behind rows
	work        workspace[T]
	ok          bool
}

// FactorizeInPlace finds the eigenvalues of the symmetric or Hermitian matrix a,
// of which the upper triangle is read, but for imaginary parts of the diagonal,
// and prepares for VectorsTo. The elements of a, of both triangles, are used as
// memory and must be left alone until the next FactorizeInPlace.
// Cost: 4n³/3 flops, four times that for complex T, and 4n³/3 or less for what
// VectorsTo needs, depending on the spectrum. Error: every eigenvalue within
// O(n·ε·‖A‖).
// The error wraps ErrNotFinite or ErrNoConvergence.
func (f *LeadingEigen[T]) FactorizeInPlace(a Matrix[T]) error {
	a.check()
	if a.Rows != a.Cols {
		panic(errBadShape)
	}
	f.ok, f.reflections = false, a
	if err := checkFiniteUpper(named[T]("SYTRD", "HETRD"), a); err != nil {
		return err
	}
	n := a.Rows
	values := grow(&f.values, n)
	f.rows = Of(n, n, grow(&f.memory, n*n))
	if n == 0 {
		f.ok = true
		return nil
	}
	dropImaginary(a)
	exponent := normalizeUpper(a)
	inUse(f.backend).sytrd(a, grow(&f.d, n), grow(&f.e, n), grow(&f.tau, n), &f.work)
	routine, err := f.solve()
	if err != nil {
		return err
	}
	for i, v := range values {
		values[i] = math.Ldexp(v, exponent)
	}
	slices.Reverse(values)
	err = checkFinite(routine, ", eigenvalues", Of(1, n, values))
	f.ok = err == nil
	return err
}

// normalizeUpper multiplies the upper triangle of a by a power of two where the
// largest element, or part of one, is not within 2^±64: that is far from the
// ends of T's range, and so is what it becomes. It returns the exponent that
// undoes it. SYEVD scales too: the products of a reduction overflow where A
// itself, and its eigenvalues, do not.
func normalizeUpper[T Scalar](a Matrix[T]) (exponent int) {
	largest := 0.0
	for i := range a.Rows {
		largest = max(largest, largestPart(a.Row(i)[i:]))
	}
	factor, exponent := normalizing[T](largest)
	if exponent != 0 {
		for i := range a.Rows {
			scale(factor, a.View(i, i, 1, a.Rows-i))
		}
	}
	return exponent
}

// normalizing returns the power of two that brings largest near 1, and the
// exponent that undoes it: 0 where largest is within 2^±64.
func normalizing[T Scalar](largest float64) (factor T, exponent int) {
	_, exponent = math.Frexp(largest)
	if -64 <= exponent && exponent <= 64 {
		return 1, 0
	}
	factor = fromReal[T](math.Ldexp(1, -exponent))
	if !isFinite(factor) { // all is denormal
		exponent += 64
		factor = fromReal[T](math.Ldexp(1, -exponent))
	}
	return factor, exponent
}

// solve sets values, ascending, and rows by the first routine that converges.
func (f *LeadingEigen[T]) solve() (name string, failed error) {
	for _, routine := range inUse(f.backend).tridiagonal {
		e := grow(&f.destroyed, len(f.e))
		copy(f.values, f.d)
		copy(e, f.e)
		info := routine.compute(f.values, e, f.rows, &f.work)
		if info == 0 {
			return routine.name, nil
		}
		failed = errors.Join(failed, fmt.Errorf("lapack: %s of order %d, info %d: %w", routine.name, len(f.d), info, ErrNoConvergence))
	}
	return "", failed
}

// Values returns the eigenvalues, decreasing: a view that the next
// FactorizeInPlace overwrites.
func (f *LeadingEigen[T]) Values() []float64 {
	if !f.ok {
		panic(errUnfactorized)
	}
	return f.values
}

// VectorsTo returns the eigenvectors of the k largest eigenvalues as columns,
// n × k and in the order of Values, in dst where that has memory. It may be
// called again, with any k.
// Cost: 2n²k flops, four times that for complex T. Error: ‖AV − VΛ‖ = O(n·ε·‖A‖), ‖I − VᴴV‖ = O(n·ε).
// The error wraps ErrNotFinite.
func (f *LeadingEigen[T]) VectorsTo(dst Matrix[T], k int) (Matrix[T], error) {
	if !f.ok {
		panic(errUnfactorized)
	}
	n := f.rows.Rows
	if k < 0 || k > n {
		panic(errOutOfRange)
	}
	dst = destination(dst, n, k)
	if overlaps(dst, f.reflections) {
		panic(errOverlap)
	}
	if dst.IsEmpty() {
		return dst, nil
	}
	lastRowsTo(dst, f.rows)
	inUse(f.backend).ormtr(f.reflections, f.tau, dst, &f.work)
	if err := checkFinite(named[T]("ORMTR", "UNMTR"), ", eigenvectors", dst); err != nil {
		return Matrix[T]{}, err
	}
	return dst, nil
}
