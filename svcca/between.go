package svcca

import (
	"context"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Between compares two layers of the same datapoints in the same order: SVCCA,
// whole (DEFINITIONS §1–4).
//
// Cost, for d and e neurons: n(d+e)² flops, two eigen-solves and an SVD, in one
// pass over the rows; three times that where the data ask for the triangle.
// Memory: (d+e)² values and blocks of 8 MiB beside the layers. With fewer
// datapoints than neurons, or where Options.Solver is or asks for Krylov, it is
// Reduce of each and Compare.
//
// Same layers, options and one BLAS thread give the same bits. The error of
// every ρ is at most the result's ErrorBound. The error returned names the layer
// and wraps what Reduce's may, or ErrMismatch.
func Between(x, y Layer, o Options) (*Comparison, error) {
	return BetweenContext(context.Background(), x, y, o)
}

// BetweenContext is Between until ctx ends, which it notices within a block of
// rows.
func BetweenContext(ctx context.Context, x, y Layer, o Options) (*Comparison, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	dx, err := describe(x, "x")
	if err != nil {
		return nil, err
	}
	dy, err := describe(y, "y")
	if err != nil {
		return nil, err
	}
	if dx.n != dy.n {
		return nil, mismatch(dx, dy)
	}
	w, err := newWeights(o.Weights, dx.n)
	if err != nil {
		return nil, err
	}
	sx, sy := newSide(dx, w, o), newSide(dy, w, o)
	c := crew.New(ctx)
	for _, l := range []described{dx, dy} {
		if err := o.solvable(l); err != nil {
			return nil, err
		}
	}
	if dx.n >= max(dx.d, dy.d) && !o.krylov(dx.n, dx.d) && !o.krylov(dy.n, dy.d) {
		return joint(c, sx, sy, o)
	}
	rx, err := reduce(c, sx, o)
	if err != nil {
		return nil, err
	}
	ry, err := reduce(c, sy, o)
	if err != nil {
		return nil, err
	}
	return Compare(rx, ry)
}

// joint compares two layers, each with no more neurons than datapoints.
func joint(c crew.Crew, x, y *side, o Options) (*Comparison, error) {
	w := [2]*workspace{borrow(), borrow()}
	defer w[0].back()
	defer w[1].back()
	r, err := byMoments(c, w, x, y, o, o.Precision)
	if r == nil && err == nil && (x.sparse != nil || y.sparse != nil) {
		x.sparse, y.sparse = nil, nil // what is not certain now is decided as of any layers
		r, err = byMoments(c, w, x, y, o, o.Precision)
	}
	if r == nil && err == nil && o.Precision == Mixed {
		r, err = byMoments(c, w, x, y, o, Double)
	}
	if r != nil || err != nil {
		return r, err
	}
	t, err := newTriangle(newPanel(c, w[0], Double, x, y), x.n)
	if err != nil {
		return nil, err
	}
	bx, ux, err := t.reduce(0, o)
	if err != nil {
		return nil, err
	}
	by, uy, err := t.reduce(1, o)
	if err != nil {
		return nil, err
	}
	if err := usable(bx, by); err != nil {
		return nil, err
	}
	bx.fallback, by.fallback = o.Precision != Double, o.Precision != Double
	return compare(c, w[0], bx, by, t.cross(ux, uy), Double, o)
}

// byMoments compares two layers by their moments, or returns nothing where these leave
// open what is to be kept or, in float64, are less accurate than asked for.
func byMoments(c crew.Crew, w [2]*workspace, x, y *side, o Options, precision Precision) (*Comparison, error) {
	bx, by, cross, err := jointMoments(c, w, x, y, o, precision)
	if err != nil {
		return nil, err
	}
	bx.fallback, by.fallback = bx.precision != o.Precision, by.precision != o.Precision
	precision = max(bx.precision, by.precision) // Mixed, where either is
	if precision == Mixed && !(bx.KSure && by.KSure) || precision == Double && !(bx.certain(1) && by.certain(1)) {
		return nil, nil
	}
	if err := usable(bx, by); err != nil {
		return nil, err
	}
	if precision == Double && errorBound(bx, by, precision) > o.Accuracy {
		return nil, nil
	}
	M, err := cross()
	if err != nil {
		return nil, err
	}
	return compare(c, w[0], bx, by, M, precision, o)
}

// jointMoments finds both bases, and what gives M, from moments: of both layers
// at once in one pass, or, where reading them again costs next to nothing or one is
// sparse, of each and then their product in a second pass, in which few coordinates
// take the place of many neurons.
func jointMoments(c crew.Crew, w [2]*workspace, x, y *side, o Options, precision Precision) (bx, by *basis, cross func() (lapack.Matrix[float64], error), err error) {
	var sums [2]*moments
	again := x.inMemory() && y.inMemory() || x.sparse != nil || y.sparse != nil
	if again {
		for i, s := range []*side{x, y} {
			if sums[i], err = newMoments(newPanel(c, w[i], precision, s), s.n); err != nil {
				return nil, nil, nil, err
			}
		}
	} else {
		if sums[0], err = newMoments(newPanel(c, w[0], precision, x, y), x.n); err != nil {
			return nil, nil, nil, err
		}
	}
	var bases [2]*basis
	err = c.Multiply(2, func(i, _ int) (err error) {
		if again {
			bases[i], err = sums[i].reduce(0, o)
		} else {
			bases[i], err = sums[0].reduce(i, o)
		}
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	bx, by = bases[0], bases[1]
	return bx, by, func() (lapack.Matrix[float64], error) {
		if again {
			return secondPass(c, w[0], bx, by, max(bx.precision, by.precision))
		}
		return w[0].cross(sums[0].of(0, 1), bx, by, true, true), nil
	}, nil
}

// secondPass returns M from another pass over the rows of two layers, multiplying
// whichever are fewer, coordinates or neurons.
func secondPass(c crew.Crew, w *workspace, x, y *basis, precision Precision) (lapack.Matrix[float64], error) {
	plain, byX, byY := x.d*y.d, x.K*(x.d+y.d), y.K*(x.d+y.d)
	rawX, rawY := byX > min(plain, byY), byX <= min(plain, byY) || plain < byY
	switch { // coordinates of a sparse layer cost next to nothing
	case x.side.sparse != nil && y.side.sparse != nil:
		rawX, rawY = false, false
	case x.side.sparse != nil:
		rawX, rawY = false, x.K*y.d < y.K*(x.K+y.d)
	case y.side.sparse != nil:
		rawX, rawY = y.K*x.d < x.K*(y.K+x.d), false
	}
	left, right := source(centredRows{x.side}), source(centredRows{y.side})
	if !rawX {
		left = newCoordinates(x, precision, &w.scaled[0], &w.scaled32)
	}
	if !rawY {
		right = newCoordinates(y, precision, &w.scaled[1], &w.scaled32)
	}
	sum := take(&w.gram, left.width(), right.width())
	sum.Zero()
	pass := crossing{Crew: c, workspace: w, precision: precision, left: []source{left}, right: []source{right},
		blockRows: panelRows(left.width() + right.width())}
	if err := pass.run(x.n, sum); err != nil {
		return sum, err
	}
	if rawX && rawY {
		for i := range sum.Rows {
			row := sum.Row(i)
			for j, rest := range y.rest {
				row[j] -= x.weights.total * x.rest[i] * rest
			}
		}
	}
	return w.cross(sum, x, y, rawX, rawY), nil
}

// cross returns M = U_xᵀU_y in memory of w (DEFINITIONS §3), from products of the
// layers' neurons, or of coordinates of either.
func (w *workspace) cross(sum lapack.Matrix[float64], x, y *basis, rawX, rawY bool) lapack.Matrix[float64] {
	if rawX {
		left := take(&w.left, x.K, sum.Cols)
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, x.v, sum, 0, left)
		for i := range left.Rows {
			row := left.Row(i)
			for j := range row {
				row[j] /= x.S[i]
			}
		}
		sum = left
	}
	if rawY {
		M := take(&w.m, x.K, y.K)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, sum, y.v, 0, M)
		for i := range M.Rows {
			row := M.Row(i)
			for j := range row {
				row[j] /= y.S[j]
			}
		}
		sum = M
	}
	return sum
}

func usable(x, y *basis) error {
	if err := x.usable(); err != nil {
		return err
	}
	return y.usable()
}
