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

// lapacke holds LAPACKE's _work forms for column-major matrices of T.
// The letter that each name has in LAPACK stands before them in errors.
type lapacke[T Scalar] struct {
	letter string
	potrf  func(uplo byte, n int32, a []T, lda int32) (info int32)
	geqrf  func(m, n int32, a []T, lda int32, tau, work []T, lwork int32) (info int32)
	orgqr  func(m, n, k int32, a []T, lda int32, tau, work []T, lwork int32) (info int32)
	gesdd  func(job byte, m, n int32, a []T, lda int32, s, u []T, ldu int32, vt []T, ldvt int32, work []T, lwork int32, iwork []int32) (info int32)
	gesvd  func(jobU, jobVT byte, m, n int32, a []T, lda int32, s, u []T, ldu int32, vt []T, ldvt int32, work []T, lwork int32) (info int32)
	syevd  func(job, uplo byte, n int32, a []T, lda int32, values, work []T, lwork int32, iwork []int32, liwork int32) (info int32)
	sytrd  func(uplo byte, n int32, a []T, lda int32, d, e, tau, work []T, lwork int32) (info int32)
	stedc  func(job byte, n int32, d, e, z []T, ldz int32, work []T, lwork int32, iwork []int32, liwork int32) (info int32)
	steqr  func(job byte, n int32, d, e, z []T, ldz int32, work []T) (info int32)
	ormtr  func(side, uplo, trans byte, m, n int32, a []T, lda int32, tau, c []T, ldc int32, work []T, lwork int32) (info int32)
}

func openblas[T Scalar](b *backend[T], l lapacke[T]) *backend[T] {
	b.potrf = func(a Matrix[T]) bool {
		return l.checked("POTRF", l.potrf('L', integer(a.Rows), a.Data, integer(a.Stride))) == 0
	}
	b.geqrf = func(at Matrix[T], tau []T, w *workspace[T]) {
		l.withWork("GEQRF", w, func(work []T, lwork int32) int32 {
			return l.geqrf(integer(at.Cols), integer(at.Rows), at.Data, integer(at.Stride), tau, work, lwork)
		})
	}
	b.orgqr = func(at Matrix[T], tau []T, w *workspace[T]) {
		l.withWork("ORGQR", w, func(work []T, lwork int32) int32 {
			return l.orgqr(integer(at.Cols), integer(at.Rows), integer(len(tau)), at.Data, integer(at.Stride), tau, work, lwork)
		})
	}
	gesdd := func(a Matrix[T], s []T, u, vt Matrix[T], w *workspace[T]) int {
		iwork := grow(&w.integers, 8*len(s))
		return l.withWork("GESDD", w, func(work []T, lwork int32) int32 {
			return l.gesdd(svdJob(u), integer(a.Cols), integer(a.Rows), a.Data, integer(a.Stride), s,
				vt.Data, leading(vt), u.Data, leading(u), work, lwork, iwork)
		})
	}
	gesvd := func(a Matrix[T], s []T, u, vt Matrix[T], w *workspace[T]) int {
		return l.withWork("GESVD", w, func(work []T, lwork int32) int32 {
			return l.gesvd(svdJob(u), svdJob(u), integer(a.Cols), integer(a.Rows), a.Data, integer(a.Stride), s,
				vt.Data, leading(vt), u.Data, leading(u), work, lwork)
		})
	}
	b.svd = []svdRoutine[T]{{l.letter + "GESDD", gesdd}, {l.letter + "GESVD", gesvd}}
	b.syevd = func(a Matrix[T], values []T, vectors bool, w *workspace[T]) int {
		job := byte('N')
		if vectors {
			job = 'V'
		}
		return l.withWorks("SYEVD", w, func(work []T, lwork int32, iwork []int32, liwork int32) int32 {
			return l.syevd(job, 'L', integer(a.Rows), a.Data, integer(a.Stride), values, work, lwork, iwork, liwork)
		})
	}
	b.sytrd = func(a Matrix[T], d, e, tau []T, w *workspace[T]) {
		l.withWork("SYTRD", w, func(work []T, lwork int32) int32 {
			return l.sytrd('L', integer(a.Rows), a.Data, integer(a.Stride), d, e, tau, work, lwork)
		})
	}
	stedc := func(d, e []T, z Matrix[T], w *workspace[T]) int {
		return l.withWorks("STEDC", w, func(work []T, lwork int32, iwork []int32, liwork int32) int32 {
			return l.stedc('I', integer(len(d)), d, e, z.Data, integer(z.Stride), work, lwork, iwork, liwork)
		})
	}
	steqr := func(d, e []T, z Matrix[T], w *workspace[T]) int {
		work := grow(&w.scalars, max(1, 2*len(d)-2))
		return l.checked("STEQR", l.steqr('I', integer(len(d)), d, e, z.Data, integer(z.Stride), work))
	}
	b.tridiagonal = []tridiagonalRoutine[T]{{l.letter + "STEDC", stedc}, {l.letter + "STEQR", steqr}}
	// Read by columns, c is its transpose, and (Q c)ᵀ = cᵀQᵀ. The length that
	// ORMTR wants leaves out the 65 · 64 elements in which ORMQR keeps the factor
	// of a block, and with that little it takes blocks of a few reflections or of
	// one, at up to five times the cost. No block has more than 64.
	b.ormtr = func(a Matrix[T], tau []T, c Matrix[T], w *workspace[T]) {
		work := grow(&w.scalars, 64*c.Cols+65*64)
		l.checked("ORMTR", l.ormtr('R', 'L', 'T', integer(c.Cols), integer(c.Rows), a.Data, integer(a.Stride), tau,
			c.Data, integer(c.Stride), work, integer(len(work))))
	}
	return b
}

// withWork calls routine twice: with lwork −1, when it only writes the length
// that it wants to work[0], and with that much memory.
func (l lapacke[T]) withWork(name string, w *workspace[T], routine func(work []T, lwork int32) (info int32)) int {
	work := grow(&w.scalars, 1)
	l.checked(name, routine(work, -1))
	// A float32 cannot hold every length: it may have been rounded down.
	length := int(math.Ceil(float64(work[0]) * (1 + 0x1p-23)))
	work = grow(&w.scalars, length)
	return l.checked(name, routine(work, integer(length)))
}

// withWorks is withWork for a routine that takes integers as well, and writes
// how many to iwork[0].
func (l lapacke[T]) withWorks(name string, w *workspace[T], routine func(work []T, lwork int32, iwork []int32, liwork int32) (info int32)) int {
	iwork := grow(&w.integers, 1)
	l.checked(name, routine(grow(&w.scalars, 1), -1, iwork, -1))
	iwork = grow(&w.integers, int(iwork[0]))
	return l.withWork(name, w, func(work []T, lwork int32) int32 {
		return routine(work, lwork, iwork, integer(len(iwork)))
	})
}

// checked panics where LAPACK refused an argument, which the checks in Go
// exclude, and passes on how an iteration ended.
func (l lapacke[T]) checked(name string, info int32) int {
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
