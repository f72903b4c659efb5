package svcca

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
)

// Moments are the sums that reduce a layer: mean and products of its neurons,
// d × d, of rows that come block by block and need not be kept. Sums of different
// rows merge, also from other machines (MarshalBinary): the order of rows, their
// blocks and shards change nothing beyond rounding, 1e-12 in norm.
//
// The zero Moments hold no rows; the first block sets number of neurons, name and
// storage. They may be used from many goroutines and must not be copied.
type Moments struct {
	// Precision is that of products of the blocks to come. Zero: Double.
	Precision Precision
	shared    shared
}

// Add adds rows, with a weight > 0 for each, or nil for weights of 1. Of a block
// with an error nothing is added. Cost: nd² flops, and d² for each block: blocks
// of d rows or more run at full speed. Goroutines sum their blocks side by side,
// which with one BLAS thread (native.LimitThreads) is the fastest way.
// The error names the layer and wraps what Reduce's may.
func (m *Moments) Add(ctx context.Context, rows Layer, weights []float64) error {
	return m.shared.add(ctx, MethodMoments, m.Precision, []Layer{rows}, weights)
}

// Merge adds the rows of other, which is left as it is.
func (m *Moments) Merge(other *Moments) error { return m.shared.MergeShared(&other.shared.Shared) }

// Dims returns how many datapoints were added, and the number of neurons.
func (m *Moments) Dims() (datapoints, neurons int) { return m.shared.dims(0) }

// Reduce takes the SV step on the rows added so far: Reduce's result but for U,
// which needs the rows again (see Cross). Options.Weights must be nil, as weights
// came with the rows, and Accuracy is not looked at: there is no finer method to
// fall back on. A Comparison warns where rank or k hang on rounding.
func (m *Moments) Reduce(o Options) (*Reduced, error) {
	return m.shared.reduce(o)
}

// Triangle is Moments with the error of an SVD of the rows, by QR factorisation
// (TSQR) at two to three times the cost: for layers whose singular values span
// more than 1e6, and where duplicated or faint neurons make the rank hang on
// rounding. The zero Triangle holds no rows.
type Triangle struct{ shared shared }

// Add adds rows as Moments.Add does. Cost: 2nd² flops, and 4d³/3 for each block.
func (t *Triangle) Add(ctx context.Context, rows Layer, weights []float64) error {
	return t.shared.add(ctx, MethodTriangle, Double, []Layer{rows}, weights)
}

// Merge adds the rows of other, which is left as it is.
func (t *Triangle) Merge(other *Triangle) error { return t.shared.MergeShared(&other.shared.Shared) }

// Dims returns how many datapoints were added, and the number of neurons.
func (t *Triangle) Dims() (datapoints, neurons int) { return t.shared.dims(0) }

// Reduce is that of Moments.
func (t *Triangle) Reduce(o Options) (*Reduced, error) { return t.shared.reduce(o) }

// Pair are the sums of two layers of the same datapoints, of which a Comparison
// can be had at any time: for batches while a network trains, for shards, for
// files that end up on different machines. The zero Pair holds no rows; it may be
// used from many goroutines and must not be copied.
type Pair struct {
	// Method is MethodMoments (also where empty) or MethodTriangle, for which see
	// Triangle. It must not change once rows were added.
	Method Method
	// Precision is that of products of the blocks to come. Zero: Double.
	// MethodTriangle has but one.
	Precision Precision
	shared    shared
}

// Add adds rows of both layers, the same datapoints in the same order. The rest is
// as Moments.Add has it. Cost: n(d+e)² flops.
func (p *Pair) Add(ctx context.Context, x, y Layer, weights []float64) error {
	switch p.Method {
	case "", MethodMoments:
		return p.shared.add(ctx, MethodMoments, p.Precision, []Layer{x, y}, weights)
	case MethodTriangle:
		return p.shared.add(ctx, MethodTriangle, Double, []Layer{x, y}, weights)
	}
	return fmt.Errorf("svcca: method %q is neither %s nor %s: %w", p.Method, MethodMoments, MethodTriangle, ErrOptions)
}

// Merge adds the rows of other, which is left as it is.
func (p *Pair) Merge(other *Pair) error { return p.shared.MergeShared(&other.shared.Shared) }

// Dims returns how many datapoints were added, and the layers' numbers of neurons.
func (p *Pair) Dims() (datapoints, neuronsX, neuronsY int) {
	datapoints, neuronsX = p.shared.dims(0)
	_, neuronsY = p.shared.dims(1)
	return datapoints, neuronsX, neuronsY
}

// Compare compares the layers over the rows added so far: what Between would say
// of them, with a bound that may exceed Options.Accuracy, as there are no rows to
// fall back on; a warning then tells. Options.Weights must be nil.
func (p *Pair) Compare(o Options) (*Comparison, error) {
	o, err := o.checkSummed()
	if err != nil {
		return nil, err
	}
	z, err := p.shared.current()
	if err != nil {
		return nil, err
	}
	o.Precision = z.precision
	c, w := crew.New(context.Background()), borrow()
	defer w.back()
	bases, M, err := z.bases(c, w, o)
	if err != nil {
		return nil, err
	}
	return compare(c, w, bases[0], bases[1], M, z.precision, o)
}

// checkSummed is check for options that come after the rows.
func (o Options) checkSummed() (Options, error) {
	if o.Weights != nil {
		return o, fmt.Errorf("svcca: weights come with the rows that are added: %w", ErrOptions)
	}
	return o.check()
}

func (s *shared) reduce(o Options) (*Reduced, error) {
	o, err := o.checkSummed()
	if err != nil {
		return nil, err
	}
	z, err := s.current()
	if err != nil {
		return nil, err
	}
	o.Precision = z.precision
	w := borrow()
	defer w.back()
	bases, _, err := z.bases(crew.New(context.Background()), w, o)
	if err != nil {
		return nil, err
	}
	return bases[0].reduced(o), nil
}

// bases decomposes each layer and, where there are two, returns M.
func (z *summary) bases(c crew.Crew, w *workspace, o Options) (bases []*basis, M lapack.Matrix[float64], err error) {
	var u [2]lapack.Matrix[float64]
	var m *moments
	var t *triangle
	if z.method == MethodTriangle {
		t = z.triangle(c, w, o)
	} else {
		m = z.moments(c, w, o)
	}
	for i := range z.layers {
		var b *basis
		if t != nil {
			b, u[i], err = t.reduce(i, o)
		} else {
			b, err = m.reduce(i, o)
		}
		if err != nil {
			return nil, M, err
		}
		if err := b.usable(); err != nil {
			return nil, M, err
		}
		bases = append(bases, b)
	}
	switch {
	case len(bases) < 2:
		return bases, M, nil
	case t != nil:
		return bases, t.cross(u[0], u[1]), nil
	}
	return bases, w.cross(m.of(0, 1), bases[0], bases[1], true, true), nil
}
