package lapack

import (
	"math"

	"gonum.org/v1/gonum/blas"
	gonumblas "gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/lapack"
	gonumlapack "gonum.org/v1/gonum/lapack/gonum"
)

// This file is the portable backend: gonum's BLAS, reflections of our own, and
// gonum's LAPACK for what is left once a matrix is bidiagonal or tridiagonal,
// and so real. It is compiled into every build, where tests hold the two
// backends side by side.

var routines gonumlapack.Implementation

func portable64() *backend[float64] {
	b := portable(products64("gonum", gonumblas.Implementation{}), realArithmetic())
	b.potrf = func(a Matrix[float64]) bool {
		return routines.Dpotrf(blas.Upper, a.Rows, a.Data, a.Stride)
	}
	return b
}

func portableComplex128() *backend[complex128] {
	b := portable(productsComplex128("gonum", gonumblas.Implementation{}), complexArithmetic())
	b.gemm = zgemm()
	return b
}

func portable32() *backend[float32] {
	return inDouble(products32("gonum", gonumblas.Implementation{}), portable64())
}

func portableComplex64() *backend[complex64] {
	b := inDouble(productsComplex64("gonum", gonumblas.Implementation{}), portableComplex128())
	b.gemm = cgemm()
	return b
}

func portable[F double](b *backend[F], f arithmetic[F]) *backend[F] {
	b.potrf = f.cholesky
	b.geqrf = func(at Matrix[F], tau []F, w *workspace[F]) { f.factor(at, tau, &w.scalars) }
	b.orgqr = func(at Matrix[F], tau []F, w *workspace[F]) { f.generate(at, tau, &w.scalars) }
	b.svd = []svdRoutine[F]{{"DBDSQR", f.singular}}
	b.sytrd = func(a Matrix[F], d, e []float64, tau []F, _ *workspace[F]) { f.tridiagonal(a, d, e, tau) }
	steqr := func(d, e []float64, z Matrix[F], w *workspace[F]) (info int) {
		vectors := Of(len(d), len(d), growReals[float64](&w.results, len(d)*len(d)))
		memory := growReals[float64](&w.reals, max(1, 2*len(d)-2))
		info = infoOf(routines.Dsteqr(lapack.EVTridiag, len(d), d, e, vectors.Data, vectors.Stride, memory))
		// gonum's eigenvectors are columns.
		for i := range z.Rows {
			column := memory[:0]
			for j := range z.Cols {
				column = append(column, vectors.Data[j*vectors.Stride+i])
			}
			fromReals(z.Row(i), column)
		}
		return info
	}
	b.tridiagonal = []tridiagonalRoutine[F]{{"DSTEQR", steqr}}
	b.ormtr = func(a Matrix[F], tau []F, c Matrix[F], w *workspace[F]) {
		ct := New[F](c.Cols, c.Rows)
		ct.TransposeFrom(c)
		f.rotate(a, tau, ct, w)
		c.TransposeFrom(ct)
	}
	b.syevd = func(a Matrix[F], values []float64, vectors bool, w *workspace[F]) (info int) {
		n := a.Rows
		exponent := normalizeUpper(a)
		e, tau := make([]float64, n), make([]F, n)
		f.tridiagonal(a, values, e, tau)
		if vectors {
			z := New[F](n, n)
			info = steqr(values, e, z, w)
			f.rotate(a, tau, z, w)
			a.CopyFrom(z)
		} else {
			// Dsterf would be the routine, but that of gonum 0.17 panics where the
			// matrix, or a block that splits off, is below 1e-122, as it hands Dlascl
			// a vector with the stride of a matrix.
			info = infoOf(routines.Dsteqr(lapack.EVCompNone, n, values, e, nil, 1, nil))
		}
		for i, v := range values {
			values[i] = math.Ldexp(v, exponent)
		}
		return info
	}
	return b
}

// rotate replaces the rows x of X by Qx with Q as tridiagonal left it in a.
func (f arithmetic[F]) rotate(a Matrix[F], tau []F, x Matrix[F], w *workspace[F]) {
	if n := a.Rows - 1; n > 0 {
		f.apply(a.View(0, 1, n, n), tau[:n], x.View(0, 1, x.Rows, n), &w.scalars)
	}
}

// cholesky replaces a's upper triangle by U, A = UᴴU, row by row.
func (f arithmetic[F]) cholesky(a Matrix[F]) (ok bool) {
	for i := range a.Rows {
		row := a.Row(i)[i:]
		pivot := realPart(row[0])
		if !(pivot > 0) {
			return false
		}
		factor := fromReal[F](1 / math.Sqrt(pivot))
		for j := range row {
			row[j] *= factor
		}
		row[0] = fromReal[F](math.Sqrt(pivot))
		for j := 1; j < len(row); j++ {
			f.axpy(len(row)-j, -conjugateOf(row[j]), row[j:], 1, a.Row(i + j)[i+j:], 1)
		}
	}
	return true
}

// infoOf turns gonum's report into LAPACK's, whose number gonum keeps to itself.
func infoOf(ok bool) int {
	if ok {
		return 0
	}
	return 1
}

// inDouble gives b factorisations that compute in double precision and round at
// the end: slower than single precision would be, and at least as accurate.
func inDouble[T Scalar, F double](b *backend[T], d *backend[F]) *backend[T] {
	b.potrf = func(a Matrix[T]) bool {
		x := widen[F](a)
		ok := d.potrf(x)
		for i := range a.Rows {
			narrow(a.View(i, i, 1, a.Cols-i), x.View(i, i, 1, a.Cols-i))
		}
		return ok
	}
	b.geqrf = func(at Matrix[T], tau []T, _ *workspace[T]) {
		x, t := widen[F](at), New[F](1, len(tau))
		d.geqrf(x, t.Data, new(workspace[F]))
		narrow(at, x)
		narrow(Of(1, len(tau), tau), t)
	}
	b.orgqr = func(at Matrix[T], tau []T, _ *workspace[T]) {
		x := widen[F](at)
		d.orgqr(x, widen[F](Of(1, len(tau), tau)).Data, new(workspace[F]))
		narrow(at, x)
	}
	for _, routine := range d.svd {
		b.svd = append(b.svd, svdRoutine[T]{routine.name, func(a Matrix[T], s []float64, u, vt Matrix[T], _ *workspace[T]) int {
			xu, xvt := New[F](u.Rows, u.Cols), New[F](vt.Rows, vt.Cols)
			info := routine.compute(widen[F](a), s, xu, xvt, new(workspace[F]))
			narrow(u, xu)
			narrow(vt, xvt)
			return info
		}})
	}
	b.syevd = func(a Matrix[T], values []float64, vectors bool, _ *workspace[T]) int {
		x := widen[F](a)
		info := d.syevd(x, values, vectors, new(workspace[F]))
		narrow(a, x)
		return info
	}
	b.sytrd = func(a Matrix[T], diagonal, e []float64, tau []T, _ *workspace[T]) {
		x, t := widen[F](a), New[F](1, len(tau))
		d.sytrd(x, diagonal, e, t.Data, new(workspace[F]))
		narrow(a, x)
		narrow(Of(1, len(tau), tau), t)
	}
	for _, routine := range d.tridiagonal {
		b.tridiagonal = append(b.tridiagonal, tridiagonalRoutine[T]{routine.name, func(diagonal, e []float64, z Matrix[T], _ *workspace[T]) int {
			x := New[F](z.Rows, z.Cols)
			info := routine.compute(diagonal, e, x, new(workspace[F]))
			narrow(z, x)
			return info
		}})
	}
	b.ormtr = func(a Matrix[T], tau []T, c Matrix[T], _ *workspace[T]) {
		x := widen[F](c)
		d.ormtr(widen[F](a), widen[F](Of(1, len(tau), tau)).Data, x, new(workspace[F]))
		narrow(c, x)
	}
	return b
}

func widen[F double, T Scalar](a Matrix[T]) Matrix[F] {
	x := New[F](a.Rows, a.Cols)
	for i := range a.Rows {
		switch src := any(a.Row(i)).(type) {
		case []float32:
			convert(any(x.Row(i)).([]float64), src)
		case []complex64:
			dst := any(x.Row(i)).([]complex128)
			for j, v := range src {
				dst[j] = complex128(v)
			}
		}
	}
	return x
}

func narrow[T Scalar, F double](dst Matrix[T], src Matrix[F]) {
	for i := range dst.Rows {
		switch dst := any(dst.Row(i)).(type) {
		case []float32:
			convert(dst, any(src.Row(i)).([]float64))
		case []complex64:
			for j, v := range any(src.Row(i)).([]complex128) {
				dst[j] = complex64(v)
			}
		}
	}
}
