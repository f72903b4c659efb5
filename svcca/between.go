package svcca

import (
	"context"

	"github.com/gosvcca/gosvcca/lapack"
)

// Between compares two layers of the same datapoints in the same order: SVCCA,
// whole (DEFINITIONS §1–4).
//
// Cost, for d and e neurons: n(d+e)² flops, two eigen-solves and an SVD, in one
// pass over the rows; three times that where the data ask for the triangle.
// Memory: (d+e)² values and blocks of 8 MiB beside the layers. With fewer
// datapoints than neurons it is Reduce of each and Compare.
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
	if dx.n >= max(dx.d, dy.d) {
		return joint(ctx, sx, sy, o)
	}
	rx, err := reduce(ctx, sx, o)
	if err != nil {
		return nil, err
	}
	ry, err := reduce(ctx, sy, o)
	if err != nil {
		return nil, err
	}
	return Compare(rx, ry)
}

// joint compares two layers, each with no more neurons than datapoints, from
// one summary of both.
func joint(ctx context.Context, x, y *side, o Options) (*Comparison, error) {
	p := panel{ctx: ctx, sides: []*side{x, y}}
	m, err := newMoments(p)
	if err != nil {
		return nil, err
	}
	bx, sureX, err := m.reduce(0, o)
	if err != nil {
		return nil, err
	}
	by, sureY, err := m.reduce(1, o)
	if err != nil {
		return nil, err
	}
	if err := usable(bx, by); sureX && sureY && err != nil {
		return nil, err
	}
	if sureX && sureY && errorBound(bx, by) <= o.Accuracy {
		return compare(bx, by, m.cross(bx, by), o)
	}
	m = nil // the triangle needs its memory
	t, err := newTriangle(p)
	if err != nil {
		return nil, err
	}
	var ux, uy lapack.Matrix[float64]
	if bx, ux, err = t.reduce(0, o); err != nil {
		return nil, err
	}
	if by, uy, err = t.reduce(1, o); err != nil {
		return nil, err
	}
	if err := usable(bx, by); err != nil {
		return nil, err
	}
	return compare(bx, by, t.cross(ux, uy), o)
}

func usable(x, y *basis) error {
	if err := x.usable(); err != nil {
		return err
	}
	return y.usable()
}
