package lapack

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
)

// singular is the portable SVD: QR to a square, reflections to a real
// bidiagonal matrix, gonum's Dbdsqr. Vectors stand in rows throughout: Dbdsqr
// turns rows of C, which makes Qᵀ of the identity, several times as fast as
// columns of U.
func (f arithmetic[F]) singular(a Matrix[F], s []float64, u, vt Matrix[F], w *workspace[F]) (info int) {
	largest := 0.0
	for i := range a.Rows {
		largest = max(largest, largestPart(a.Row(i)))
	}
	factor, exponent := normalizing[F](largest)
	if exponent != 0 {
		scale(factor, a)
	}
	// B is A where that is tall, else Aᵀ; the rows of at are its columns.
	tall := a.Rows >= a.Cols
	at := a
	if tall {
		at = New[F](a.Cols, a.Rows)
		at.TransposeFrom(a)
	}
	n := at.Rows
	tau := make([]F, n)
	f.factor(at, tau, &w.scalars)
	r, left, right := New[F](n, n), New[F](n, n), New[F](n, n)
	for i := range n {
		for j := i; j < n; j++ {
			r.Data[i*n+j] = at.Data[j*at.Stride+i]
		}
	}
	e, tauLeft, tauRight := make([]float64, n), make([]F, n), make([]F, n)
	f.bidiagonal(r, s, e, left, right, tauLeft, tauRight)

	memory := make([]float64, 4*n)
	if u.IsEmpty() {
		info = infoOf(routines.Dbdsqr(blas.Upper, n, 0, 0, 0, s, e, nil, 1, nil, 1, nil, 1, memory))
		// Of two equal values Dlasq1 may return the smaller first, by a rounding.
		slices.SortFunc(s, func(a, b float64) int { return cmp.Compare(b, a) })
	} else {
		pt, qt := identity(n), identity(n)
		info = infoOf(routines.Dbdsqr(blas.Upper, n, n, 0, n, s, e, pt.Data, n, nil, 1, qt.Data, n, memory))
		x, y := New[F](n, at.Cols), New[F](n, n) // B = X S Yᴴ, by rows
		for i := range n {
			fromReals(y.Row(i), pt.Row(i))
			fromReals(x.Row(i), qt.Row(i))
		}
		f.apply(right.View(0, 1, n, n-1), tauRight[:n-1], y.View(0, 1, n, n-1), &w.scalars)
		f.apply(left, tauLeft, x.View(0, 0, n, n), &w.scalars)
		f.apply(at, tau, x, &w.scalars)
		for i := range n {
			conjugate(y.Row(i))
		}
		if tall {
			u.TransposeFrom(x)
			vt.CopyFrom(y)
		} else { // A = Bᵀ = Ȳ S Xᵀ
			u.TransposeFrom(y)
			vt.CopyFrom(x)
		}
	}
	for i, v := range s {
		s[i] = math.Ldexp(v, exponent)
	}
	return info
}

func identity(n int) Matrix[float64] {
	m := New[float64](n, n)
	for i := range n {
		m.Data[i*n+i] = 1
	}
	return m
}

// fromReals sets the first elements of dst to src.
func fromReals[F Scalar](dst []F, src []float64) {
	switch dst := any(dst).(type) {
	case []float64:
		copy(dst, src)
	case []complex128:
		for i, v := range src {
			dst[i] = complex(v, 0)
		}
	}
}
