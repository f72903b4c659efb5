package lapack

import (
	"fmt"
	"slices"
)

// Eigen is the decomposition A = V Λ Vᴴ of a symmetric or Hermitian n × n
// matrix. The zero Eigen is ready for Factorize and keeps its memory from call
// to call. It may not be used from several goroutines at once.
type Eigen[T Scalar] struct {
	backend  *backend[T]
	values   []float64
	rows     Matrix[T] // eigenvectors in rows, values ascending
	memory   []T
	work     workspace[T]
	ok, vecs bool
}

// Factorize decomposes the symmetric or Hermitian matrix a, of which the upper
// triangle is read, but for imaginary parts of the diagonal, and nothing
// written; without vectors only Values is there afterwards.
// Cost: about 9n³ flops with vectors, 4n³/3 without, up to four times that for
// complex T. Error: every eigenvalue within O(n·ε·‖A‖), ‖A − VΛVᴴ‖ = O(n·ε·‖A‖).
// The error wraps ErrNotFinite or ErrNoConvergence.
func (f *Eigen[T]) Factorize(a Matrix[T], vectors bool) error {
	a.check()
	if a.Rows != a.Cols {
		panic(errBadShape)
	}
	f.rows = Of(a.Rows, a.Rows, grow(&f.memory, a.Rows*a.Rows))
	f.rows.CopyFrom(a)
	return f.decompose(vectors)
}

// FactorizeInPlace is Factorize in the memory of a: its elements, of both
// triangles, become those of the result and must be left alone until the next
// Factorize.
func (f *Eigen[T]) FactorizeInPlace(a Matrix[T], vectors bool) error {
	a.check()
	if a.Rows != a.Cols {
		panic(errBadShape)
	}
	f.rows = a
	return f.decompose(vectors)
}

func (f *Eigen[T]) decompose(vectors bool) error {
	f.ok, f.vecs = false, vectors
	name := named[T]("SYEVD", "HEEVD")
	if err := checkFiniteUpper(name, f.rows); err != nil {
		return err
	}
	n := f.rows.Rows
	dropImaginary(f.rows)
	values := grow(&f.values, n)
	if n > 0 {
		if info := inUse(f.backend).syevd(f.rows, values, vectors, &f.work); info != 0 {
			return fmt.Errorf("lapack: %s of order %d, info %d: %w", name, n, info, ErrNoConvergence)
		}
	}
	slices.Reverse(values)
	if err := checkFinite(name, ", eigenvalues", Of(1, n, values)); err != nil {
		return err
	}
	if vectors {
		if err := checkFinite(name, ", eigenvectors", f.rows); err != nil {
			return err
		}
	}
	f.ok = true
	return nil
}

// Values returns the eigenvalues, decreasing: a view that the next Factorize
// overwrites.
func (f *Eigen[T]) Values() []float64 {
	if !f.ok {
		panic(errUnfactorized)
	}
	return f.values
}

// Vector returns the eigenvector of the i-th of Values: a view that the next
// Factorize overwrites.
func (f *Eigen[T]) Vector(i int) []T {
	if !f.ok || !f.vecs {
		panic(errUnfactorized)
	}
	return f.rows.Row(f.rows.Rows - 1 - i)
}

// VectorsTo returns the eigenvectors of the k largest eigenvalues as columns,
// n × k and in the order of Values, in dst where that has memory.
func (f *Eigen[T]) VectorsTo(dst Matrix[T], k int) Matrix[T] {
	if !f.ok || !f.vecs {
		panic(errUnfactorized)
	}
	if k < 0 || k > f.rows.Rows {
		panic(errOutOfRange)
	}
	dst = destination(dst, f.rows.Rows, k)
	lastRowsTo(dst, f.rows)
	return dst
}

// lastRowsTo sets the columns of dst to the last rows of src, from the last.
func lastRowsTo[T Scalar](dst, src Matrix[T]) {
	for i0 := 0; i0 < dst.Rows; i0 += transposeTile {
		for j0 := 0; j0 < dst.Cols; j0 += transposeTile {
			for j := j0; j < min(j0+transposeTile, dst.Cols); j++ {
				vector := src.Row(src.Rows - 1 - j)
				for i := i0; i < min(i0+transposeTile, dst.Rows); i++ {
					dst.Data[i*dst.Stride+j] = vector[i]
				}
			}
		}
	}
}
