package svcca

import (
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// krylovSpace is an orthonormal basis Q of the space that block Lanczos has built for a
// Gram matrix G, and T = QᵀGQ. Every block is kept, and new ones are made orthogonal
// to all of them (Golub and Underwood 1977; Musco and Musco 2015): then
//
//	G·Q = Q·T + N·B·Eᵀ
//
// with N the next block, which GQ has and Q has not, B its coupling to the last
// block of Q, and Eᵀ the last rows. So residuals of Ritz pairs are known without
// another product.
type krylovSpace struct {
	crew.Crew
	*side
	gram   gramOperator
	unit   float64 // what products with G are multiplied by: its trace is then near 1
	rng    *rand.Rand
	blocks []lapack.Matrix[float64]
	t      lapack.Matrix[float64]
	next   lapack.Matrix[float64] // N
	// coupling is B: as many rows as N has columns.
	coupling lapack.Matrix[float64]
}

// order returns the number of columns of Q.
func (z *krylovSpace) order() int { return z.t.Rows }

// random returns a block of as many independent normal columns.
func (z *krylovSpace) random(dim, columns int) lapack.Matrix[float64] {
	m := lapack.New[float64](dim, columns)
	for i := range dim {
		row := m.Row(i)
		for j := range row {
			row[j] = z.rng.NormFloat64()
		}
	}
	return m
}

// apply returns G·q in units of its trace.
func (z *krylovSpace) apply(q lapack.Matrix[float64]) (lapack.Matrix[float64], error) {
	y := lapack.New[float64](q.Rows, q.Cols)
	if err := z.gram.apply(q, y); err != nil {
		return y, err
	}
	scaleAll(y, z.unit)
	return y, nil
}

// extend takes the next block into Q.
func (z *krylovSpace) extend() error {
	w, err := z.apply(z.next)
	if err != nil {
		return err
	}
	old := z.t
	z.blocks = append(z.blocks, z.next)
	z.t = lapack.New[float64](old.Rows+w.Cols, old.Rows+w.Cols)
	z.t.View(0, 0, old.Rows, old.Rows).CopyFrom(old)
	last := z.t.View(0, old.Rows, z.t.Rows, w.Cols)
	part, err := z.remove(w)
	if err != nil {
		return err
	}
	last.CopyFrom(part)
	lapack.Mirror(z.t)
	return z.follow(w, w.Cols)
}

// remove takes from w what lies in Q, which it returns: QᵀW.
func (z *krylovSpace) remove(w lapack.Matrix[float64]) (lapack.Matrix[float64], error) {
	h := lapack.New[float64](z.order(), w.Cols)
	begins := make([]int, len(z.blocks))
	for i, b := range z.blocks[:max(0, len(z.blocks)-1)] {
		begins[i+1] = begins[i] + b.Cols
	}
	err := z.Multiply(len(z.blocks), func(i, _ int) error {
		b := z.blocks[i]
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, b, w, 0, h.View(begins[i], 0, b.Cols, w.Cols))
		return nil
	})
	if err != nil {
		return h, err
	}
	return h, z.combine(-1, h, w)
}

// combine adds alpha·Q·y to x.
func (z *krylovSpace) combine(alpha float64, y, x lapack.Matrix[float64]) error {
	strips := strips(x.Rows, neuronStrip)
	return z.Multiply(len(strips), func(i, _ int) error {
		lo, count := strips[i][0], strips[i][1]-strips[i][0]
		at := 0
		for _, b := range z.blocks {
			lapack.Gemm(blas.NoTrans, blas.NoTrans, alpha, b.View(lo, 0, count, b.Cols), y.View(at, 0, b.Cols, y.Cols), 1, x.View(lo, 0, count, x.Cols))
			at += b.Cols
		}
		return nil
	})
}

// follow sets the next block, of width columns or what is left of the space, to an
// orthonormal basis of w, which is orthogonal to Q. Directions of w that are rounding
// alone, as all are where Q is invariant, make room for random ones.
func (z *krylovSpace) follow(w lapack.Matrix[float64], width int) error {
	width = min(width, z.gram.free()-z.order())
	z.next, z.coupling = lapack.Matrix[float64]{}, lapack.Matrix[float64]{}
	if width <= 0 {
		return nil
	}
	var qr lapack.QR[float64]
	if err := qr.Factorize(w); err != nil {
		return z.wrap(err)
	}
	var svd lapack.SVD[float64]
	if err := svd.Factorize(qr.RTo(lapack.Matrix[float64]{}), true); err != nil {
		return z.wrap(err)
	}
	// Products lose of a trace near 1 what is in its place.
	found := 0
	for found < min(width, len(svd.Values())) && svd.Values()[found] > krylovRounding {
		found++
	}
	next := z.random(w.Rows, width)
	z.gram.mask(next)
	if found > 0 {
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, qr.QTo(lapack.Matrix[float64]{}), svd.U().View(0, 0, svd.U().Rows, found), 0, next.View(0, 0, w.Rows, found))
	}
	// Twice is enough (Kahan; Parlett 1998, §6.9).
	for range 2 {
		if _, err := z.remove(next); err != nil {
			return err
		}
		if err := qr.Factorize(next); err != nil {
			return z.wrap(err)
		}
		qr.QTo(next)
	}
	z.next = next
	z.coupling = lapack.New[float64](width, w.Cols)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, next, w, 0, z.coupling)
	return nil
}

// ritz are the Rayleigh–Ritz approximations from Q: values θ, decreasing, vectors
// Q·y, and residuals G·Q·y − θ·Q·y = N·c, all by columns.
type ritz struct {
	theta []float64
	y, c  lapack.Matrix[float64]
}

func (z *krylovSpace) ritz() (r ritz, err error) {
	var eigen lapack.Eigen[float64]
	if err := eigen.Factorize(z.t, true); err != nil {
		return r, z.wrap(err)
	}
	m := z.order()
	r.theta = append(r.theta, eigen.Values()...)
	r.y = eigen.VectorsTo(lapack.Matrix[float64]{}, m)
	r.c = lapack.New[float64](z.coupling.Rows, m)
	if z.coupling.Rows > 0 {
		last := z.coupling.Cols
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, z.coupling, r.y.View(m-last, 0, last, m), 0, r.c)
	}
	return r, nil
}
