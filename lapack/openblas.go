//go:build cgo && !purego

package lapack

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/native"
)

// This file makes the backend of an element type from LAPACKE's routines for it.
// A matrix by rows is, read by columns, its transpose with the same stride: every
// call reads it so, and exchanges U with Vᵀ and upper with lower, rather than
// have LAPACKE transpose.

func chosen32() *backend[float32] {
	return openblas(products32("openblas", native.Implementation()), lapacke32)
}

func chosen64() *backend[float64] {
	return openblas(products64("openblas", native.Implementation()), lapacke64)
}

func chosenComplex64() *backend[complex64] {
	return openblas(productsComplex64("openblas", native.Implementation()), lapackeComplex64)
}

func chosenComplex128() *backend[complex128] {
	return openblas(productsComplex128("openblas", native.Implementation()), lapackeComplex128)
}

// lapacke holds LAPACKE's _work forms for column-major matrices of T, whose
// real and imaginary parts are of R. The letter that each name has in LAPACK
// stands before them in errors. Only routines for complex T look at rwork.
type lapacke[T Scalar, R Real] struct {
	letter string
	potrf  func(uplo byte, n int32, a []T, lda int32) (info int32)
	geqrf  func(m, n int32, a []T, lda int32, tau, work []T, lwork int32) (info int32)
	orgqr  func(m, n, k int32, a []T, lda int32, tau, work []T, lwork int32) (info int32)
	gesdd  func(job byte, m, n int32, a []T, lda int32, s []R, u []T, ldu int32, vt []T, ldvt int32, work []T, lwork int32, rwork []R, iwork []int32) (info int32)
	gesvd  func(jobU, jobVT byte, m, n int32, a []T, lda int32, s []R, u []T, ldu int32, vt []T, ldvt int32, work []T, lwork int32, rwork []R) (info int32)
	syevd  func(job, uplo byte, n int32, a []T, lda int32, values []R, work []T, lwork int32, rwork []R, lrwork int32, iwork []int32, liwork int32) (info int32)
	sytrd  func(uplo byte, n int32, a []T, lda int32, d, e []R, tau, work []T, lwork int32) (info int32)
	stedc  func(job byte, n int32, d, e []R, z []T, ldz int32, work []T, lwork int32, rwork []R, lrwork int32, iwork []int32, liwork int32) (info int32)
	steqr  func(job byte, n int32, d, e []R, z []T, ldz int32, rwork []R) (info int32)
	ormtr  func(side, uplo, trans byte, m, n int32, a []T, lda int32, tau, c []T, ldc int32, work []T, lwork int32) (info int32)
}

func openblas[T Scalar, R Real](b *backend[T], l lapacke[T, R]) *backend[T] {
	b.potrf = func(a Matrix[T]) bool {
		// Of the conjugate, which columns show, L is Uᵀ: U stands where it belongs.
		return l.checked("POTRF", l.potrf('L', integer(a.Rows), a.Data, integer(a.Stride))) == 0
	}
	b.geqrf = func(at Matrix[T], tau []T, w *workspace[T]) {
		l.withWork("GEQRF", w, func(work []T, lwork int32) int32 {
			return l.geqrf(integer(at.Cols), integer(at.Rows), at.Data, integer(at.Stride), tau, work, lwork)
		})
	}
	b.orgqr = func(at Matrix[T], tau []T, w *workspace[T]) {
		l.withWork(named[T]("ORGQR", "UNGQR"), w, func(work []T, lwork int32) int32 {
			return l.orgqr(integer(at.Cols), integer(at.Rows), integer(len(tau)), at.Data, integer(at.Stride), tau, work, lwork)
		})
	}
	// Aᵀ = U S Vᴴ read by columns is A = (Vᴴ)ᵀ S Uᵀ by rows.
	gesdd := func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) int {
		values := growReals[R](&w.results, len(s))
		rwork := growReals[R](&w.reals, gesddReals[T](a.Rows, a.Cols))
		iwork := grow(&w.integers, 8*len(s))
		info := l.withWork("GESDD", w, func(work []T, lwork int32) int32 {
			return l.gesdd(svdJob(u), integer(a.Cols), integer(a.Rows), a.Data, integer(a.Stride), values,
				vt.Data, leading(vt), u.Data, leading(u), work, lwork, rwork, iwork)
		})
		convert(s, values)
		return info
	}
	gesvd := func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) int {
		values := growReals[R](&w.results, len(s))
		rwork := growReals[R](&w.reals, 5*len(s))
		info := l.withWork("GESVD", w, func(work []T, lwork int32) int32 {
			return l.gesvd(svdJob(u), svdJob(u), integer(a.Cols), integer(a.Rows), a.Data, integer(a.Stride), values,
				vt.Data, leading(vt), u.Data, leading(u), work, lwork, rwork)
		})
		convert(s, values)
		return info
	}
	b.svd = []svdRoutine[T]{{l.letter + "GESDD", gesdd}, {l.letter + "GESVD", gesvd}}
	b.syevd = func(a Matrix[T], values []float64, vectors bool, w *workspace[T]) int {
		job := byte('N')
		if vectors {
			job = 'V'
		}
		results := growReals[R](&w.results, len(values))
		info := l.withWorks(named[T]("SYEVD", "HEEVD"), w, func(work []T, lwork int32, rwork []R, lrwork int32, iwork []int32, liwork int32) int32 {
			return l.syevd(job, 'L', integer(a.Rows), a.Data, integer(a.Stride), results, work, lwork, rwork, lrwork, iwork, liwork)
		})
		convert(values, results)
		// Read by columns, a Hermitian matrix is its conjugate, and its
		// eigenvectors are ours conjugated. No other routine here needs undoing:
		// potrf and ormtr say why.
		if vectors {
			for i := range a.Rows {
				conjugate(a.Row(i))
			}
		}
		return info
	}
	b.sytrd = func(a Matrix[T], d, e []float64, tau []T, w *workspace[T]) {
		results := growReals[R](&w.results, 2*len(d))
		diagonal, beside := results[:len(d)], results[len(d):]
		l.withWork(named[T]("SYTRD", "HETRD"), w, func(work []T, lwork int32) int32 {
			return l.sytrd('L', integer(a.Rows), a.Data, integer(a.Stride), diagonal, beside, tau, work, lwork)
		})
		convert(d, diagonal)
		convert(e[:len(d)-1], beside)
	}
	stedc := func(d, e []float64, z Matrix[T], w *workspace[T]) int {
		diagonal, beside := tridiagonalIn[R](w, d, e)
		info := l.withWorks("STEDC", w, func(work []T, lwork int32, rwork []R, lrwork int32, iwork []int32, liwork int32) int32 {
			return l.stedc('I', integer(len(d)), diagonal, beside, z.Data, integer(z.Stride), work, lwork, rwork, lrwork, iwork, liwork)
		})
		convert(d, diagonal)
		return info
	}
	steqr := func(d, e []float64, z Matrix[T], w *workspace[T]) int {
		diagonal, beside := tridiagonalIn[R](w, d, e)
		rwork := growReals[R](&w.reals, max(1, 2*len(d)-2))
		info := l.checked("STEQR", l.steqr('I', integer(len(d)), diagonal, beside, z.Data, integer(z.Stride), rwork))
		convert(d, diagonal)
		return info
	}
	b.tridiagonal = []tridiagonalRoutine[T]{{l.letter + "STEDC", stedc}, {l.letter + "STEQR", steqr}}
	// Read by columns, c is its transpose, and a gave conj(A) = P B Pᴴ, so that
	// Q is conj(P) and (Q c)ᵀ = cᵀPᴴ. The length that ORMTR wants leaves out the
	// 65 · 64 elements in which ORMQR keeps the factor of a block, and with that
	// little it takes blocks of a few reflections or of one, at up to five times
	// the cost. No block has more than 64.
	b.ormtr = func(a Matrix[T], tau []T, c Matrix[T], w *workspace[T]) {
		trans := byte('T')
		if isComplex[T]() {
			trans = 'C'
		}
		work := grow(&w.scalars, 64*c.Cols+65*64)
		l.checked(named[T]("ORMTR", "UNMTR"), l.ormtr('R', 'L', trans, integer(c.Cols), integer(c.Rows), a.Data, integer(a.Stride), tau,
			c.Data, integer(c.Stride), work, integer(len(work))))
	}
	return b
}

// gesddReals returns how many real numbers GESDD needs for a complex m × n
// matrix, with or without vectors. It reduces one more than 17/9 times as long
// as wide to a square first; else a product with real factors is as large as A.
func gesddReals[T Scalar](m, n int) int {
	least, most := min(m, n), max(m, n)
	switch {
	case !isComplex[T]():
		return 0
	case 9*most >= 17*least:
		return 5*least*least + 7*least
	}
	return max(5*least*least+7*least, 2*most*least+2*least*least+least)
}

// tridiagonalIn returns d and e in T's precision.
func tridiagonalIn[R Real, T Scalar](w *workspace[T], d, e []float64) (diagonal, beside []R) {
	s := growReals[R](&w.results, len(d)+len(e))
	diagonal, beside = s[:len(d)], s[len(d):]
	convert(diagonal, d)
	convert(beside, e)
	return diagonal, beside
}

// withWork calls routine twice: with lwork −1, when it only writes the length
// that it wants to work[0], and with that much memory.
func (l lapacke[T, R]) withWork(name string, w *workspace[T], routine func(work []T, lwork int32) (info int32)) int {
	work := grow(&w.scalars, 1)
	l.checked(name, routine(work, -1))
	work = grow(&w.scalars, length(realPart(work[0])))
	return l.checked(name, routine(work, integer(len(work))))
}

// withWorks is withWork for a routine that takes integers as well, and writes
// how many to iwork[0], and, for complex T, real numbers.
func (l lapacke[T, R]) withWorks(name string, w *workspace[T], routine func(work []T, lwork int32, rwork []R, lrwork int32, iwork []int32, liwork int32) (info int32)) int {
	work, rwork, iwork := grow(&w.scalars, 1), growReals[R](&w.reals, 1), grow(&w.integers, 1)
	rwork[0] = 0
	l.checked(name, routine(work, -1, rwork, -1, iwork, -1))
	work, iwork = grow(&w.scalars, length(realPart(work[0]))), grow(&w.integers, int(iwork[0]))
	rwork = growReals[R](&w.reals, length(float64(rwork[0])))
	return l.checked(name, routine(work, integer(len(work)), rwork, integer(len(rwork)), iwork, integer(len(iwork))))
}

// length returns the length of memory that a routine asked for. A float32 cannot
// hold every one: it may have been rounded down.
func length(wanted float64) int { return int(math.Ceil(wanted * (1 + 0x1p-23))) }

// checked panics where LAPACK refused an argument, which the checks in Go
// exclude, and passes on how an iteration ended.
func (l lapacke[T, R]) checked(name string, info int32) int {
	if info < 0 {
		panic(fmt.Sprintf("lapack: %s%s refused argument %d", l.letter, name, -info))
	}
	return int(info)
}

// integer returns n in LAPACK's integer type, which is 32 bits wide.
func integer(n int) int32 {
	if n > math.MaxInt32 {
		panic("lapack: size beyond LAPACK's 32-bit integers")
	}
	return int32(n)
}

// leading returns m's stride, and 1 where m is empty: LAPACK refuses 0.
func leading[T Scalar](m Matrix[T]) int32 { return integer(max(1, m.Stride)) }

func svdJob[T Scalar](u Matrix[T]) byte {
	if u.IsEmpty() {
		return 'N'
	}
	return 'S'
}
