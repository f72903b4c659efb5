package lapack

import (
	"gonum.org/v1/gonum/blas"
	gonumblas "gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
)

// This file is the portable backend: gonum's BLAS and LAPACK, compiled into
// every build, where tests hold the two backends side by side.

func portable64() *backend[float64] {
	b := products64("gonum", gonumblas.Implementation{})
	b.potrf = portablePotrf
	b.geqrf = portableGeqrf
	b.orgqr = portableOrgqr
	b.svd = []svdRoutine[float64]{{"DGESVD", portableGesvd}}
	b.syevd = portableSyev
	b.sytrd = portableSytrd
	b.tridiagonal = []tridiagonalRoutine[float64]{{"DSTEQR", portableSteqr}}
	b.ormtr = portableOrmtr
	return b
}

var routines gonumlapack.Implementation

func portablePotrf(a Matrix[float64]) bool {
	return routines.Dpotrf(blas.Upper, a.Rows, a.Data, a.Stride)
}

// portableGeqrf factors by rows what its caller holds by columns: the LQ
// factorisation of the transpose, with L = Rᵀ and the same reflections.
func portableGeqrf(at Matrix[float64], tau []float64, w *workspace[float64]) {
	query(w, func(work []float64, lwork int) {
		routines.Dgelqf(at.Rows, at.Cols, at.Data, at.Stride, tau, work, lwork)
	})
}

func portableOrgqr(at Matrix[float64], tau []float64, w *workspace[float64]) {
	query(w, func(work []float64, lwork int) {
		routines.Dorglq(at.Rows, at.Cols, len(tau), at.Data, at.Stride, tau, work, lwork)
	})
}

func portableGesvd(a Matrix[float64], s []float64, u, vt Matrix[float64], w *workspace[float64]) (info int) {
	job := lapack.SVDNone
	if !u.IsEmpty() {
		job = lapack.SVDStore
	}
	ok := true
	query(w, func(work []float64, lwork int) {
		ok = routines.Dgesvd(job, job, a.Rows, a.Cols, a.Data, a.Stride, s,
			u.Data, max(1, u.Stride), vt.Data, max(1, vt.Stride), work, lwork)
	})
	return infoOf(ok)
}

func portableSyev(a Matrix[float64], values []float64, vectors bool, w *workspace[float64]) (info int) {
	if !vectors {
		return portableEigenvalues(a, values, w)
	}
	ok := true
	query(w, func(work []float64, lwork int) {
		ok = routines.Dsyev(lapack.EVCompute, blas.Upper, a.Rows, a.Data, a.Stride, values, work, lwork)
	})
	transposeInPlace(a)
	return infoOf(ok)
}

// transposeInPlace makes rows of the columns that gonum's eigenvectors are.
func transposeInPlace(a Matrix[float64]) {
	for i := range a.Rows {
		for j := range i {
			a.Data[i*a.Stride+j], a.Data[j*a.Stride+i] = a.Data[j*a.Stride+i], a.Data[i*a.Stride+j]
		}
	}
}

// portableEigenvalues takes the steps of Dsyev without vectors, but for one:
// gonum 0.17's Dsterf panics where the matrix, or a block that splits off, is
// below 1e-122, as it hands Dlascl a vector with the stride of a matrix.
// Dsteqr without vectors does the same work. It scales what it is given, and
// the reduction is linear in a, so that Dsyev's scaling is not needed.
func portableEigenvalues(a Matrix[float64], values []float64, w *workspace[float64]) (info int) {
	n := a.Rows
	var wanted [1]float64
	routines.Dsytrd(blas.Upper, n, a.Data, a.Stride, values, nil, nil, wanted[:], -1)
	memory := grow(&w.scalars, int(wanted[0])+2*n)
	e, tau, work := memory[:n-1], memory[n:2*n-1], memory[2*n:]
	routines.Dsytrd(blas.Upper, n, a.Data, a.Stride, values, e, tau, work, len(work))
	return infoOf(routines.Dsteqr(lapack.EVCompNone, n, values, e, nil, 1, nil))
}

// portableSytrd reduces the lower triangle, whose Q is of the form that
// portableOrmtr can apply: gonum has no Dormtr, nor a Dorm2l for the upper one.
func portableSytrd(a Matrix[float64], d, e, tau []float64, w *workspace[float64]) {
	Mirror(a)
	query(w, func(work []float64, lwork int) {
		routines.Dsytrd(blas.Lower, a.Rows, a.Data, a.Stride, d, e, tau, work, lwork)
	})
}

func portableSteqr(d, e []float64, z Matrix[float64], w *workspace[float64]) (info int) {
	work := grow(&w.scalars, max(1, 2*len(d)-2))
	ok := routines.Dsteqr(lapack.EVTridiag, len(d), d, e, z.Data, z.Stride, work)
	transposeInPlace(z)
	return infoOf(ok)
}

// portableOrmtr: Q leaves the first row alone, and its reflections stand below
// the subdiagonal. They are applied one by one, since gonum 0.17's Dlarft, with
// which Dormqr makes blocks of them, is wrong where the second reflection of a
// block ends in zeros and the first does not: it loses sight of how long the
// first is. That happens whenever a part of B decouples.
func portableOrmtr(a Matrix[float64], tau []float64, c Matrix[float64], w *workspace[float64]) {
	n := a.Rows - 1
	if n == 0 {
		return
	}
	below, rest := a.View(1, 0, n, n), c.View(1, 0, n, c.Cols)
	routines.Dorm2r(blas.Left, blas.NoTrans, n, c.Cols, n, below.Data, below.Stride, tau[:n], rest.Data, rest.Stride, grow(&w.scalars, c.Cols))
}

// infoOf turns gonum's report into LAPACK's, whose number gonum keeps to itself.
func infoOf(ok bool) int {
	if ok {
		return 0
	}
	return 1
}

// query calls routine twice: with lwork −1, when it only writes the length that
// it wants to work[0], and with that much memory.
func query(w *workspace[float64], routine func(work []float64, lwork int)) {
	var wanted [1]float64
	routine(wanted[:], -1)
	work := grow(&w.scalars, int(wanted[0]))
	routine(work, len(work))
}

// portable32 computes in float64 and rounds at the end, since gonum has LAPACK
// for float64 alone: slower than float32 would be, and at least as accurate.
func portable32() *backend[float32] {
	b := products32("gonum", gonumblas.Implementation{})
	b.potrf = func(a Matrix[float32]) bool {
		x := widen(a)
		ok := portablePotrf(x)
		for i := range a.Rows {
			narrow(a.View(i, i, 1, a.Cols-i), x.View(i, i, 1, a.Cols-i))
		}
		return ok
	}
	b.geqrf = func(at Matrix[float32], tau []float32, _ *workspace[float32]) {
		x, t := widen(at), New[float64](1, len(tau))
		portableGeqrf(x, t.Data, new(workspace[float64]))
		narrow(at, x)
		narrow(Of(1, len(tau), tau), t)
	}
	b.orgqr = func(at Matrix[float32], tau []float32, _ *workspace[float32]) {
		x, t := widen(at), widen(Of(1, len(tau), tau))
		portableOrgqr(x, t.Data, new(workspace[float64]))
		narrow(at, x)
	}
	b.svd = []svdRoutine[float32]{{"DGESVD", func(a Matrix[float32], s []float64, u, vt Matrix[float32], _ *workspace[float32]) int {
		xu, xvt := New[float64](u.Rows, u.Cols), New[float64](vt.Rows, vt.Cols)
		info := portableGesvd(widen(a), s, xu, xvt, new(workspace[float64]))
		narrow(u, xu)
		narrow(vt, xvt)
		return info
	}}}
	b.syevd = func(a Matrix[float32], values []float64, vectors bool, _ *workspace[float32]) int {
		x := widen(a)
		info := portableSyev(x, values, vectors, new(workspace[float64]))
		narrow(a, x)
		return info
	}
	b.sytrd = func(a Matrix[float32], d, e []float64, tau []float32, _ *workspace[float32]) {
		x, t := widen(a), New[float64](1, len(tau))
		portableSytrd(x, d, e, t.Data, new(workspace[float64]))
		narrow(a, x)
		narrow(Of(1, len(tau), tau), t)
	}
	b.tridiagonal = []tridiagonalRoutine[float32]{{"DSTEQR", func(d, e []float64, z Matrix[float32], _ *workspace[float32]) int {
		x := New[float64](z.Rows, z.Cols)
		info := portableSteqr(d, e, x, new(workspace[float64]))
		narrow(z, x)
		return info
	}}}
	b.ormtr = func(a Matrix[float32], tau []float32, c Matrix[float32], _ *workspace[float32]) {
		x := widen(c)
		portableOrmtr(widen(a), widen(Of(1, len(tau), tau)).Data, x, new(workspace[float64]))
		narrow(c, x)
	}
	return b
}

func widen(a Matrix[float32]) Matrix[float64] {
	x := New[float64](a.Rows, a.Cols)
	for i := range a.Rows {
		row := x.Row(i)
		for j, v := range a.Row(i) {
			row[j] = float64(v)
		}
	}
	return x
}

func narrow(dst Matrix[float32], src Matrix[float64]) {
	for i := range dst.Rows {
		row := dst.Row(i)
		for j, v := range src.Row(i) {
			row[j] = float32(v)
		}
	}
}
