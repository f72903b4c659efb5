package svcca_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// family returns count layers of the same datapoints that have parts in common, of
// 3 to 5 neurons.
func family(seed uint64, count, n int) (layers []data) {
	for i := range count {
		x, y := related(newRand(seed+uint64(i/2)), n, graded(3+i%3, 0.2), graded(3+i%3, 0.3), 3+i%3, 3+i%3)
		if i%2 == 1 {
			x = y
		}
		x.name = fmt.Sprintf("layer%d", i)
		layers = append(layers, x)
	}
	return layers
}

func layersOf(all []data) (layers []svcca.Layer) {
	for _, l := range all {
		layers = append(layers, l.layer())
	}
	return layers
}

func picks(all []data, rows []int) (layers []svcca.Layer) {
	for _, l := range all {
		layers = append(layers, l.rows(rows).layer())
	}
	return layers
}

func reducedAll(t require.TestingT, all []data, o svcca.Options) (reduced []*svcca.Reduced) {
	for _, l := range all {
		r, err := svcca.Reduce(l.layer(), o)
		require.NoError(t, err)
		reduced = append(reduced, r)
	}
	return reduced
}

// TestCross: products of coordinates, of any blocks, in any order, from goroutines
// and merged, compare layers as Between does, and layers reduced from sums as well.
func TestCross(t *testing.T) {
	const n = 120
	all := family(90, 5, n)
	all[1] = all[1].plus(1e4).narrowed()
	all[3] = all[3].times(1e-280)
	all[4] = all[4].times(1e160)
	rng := newRand(91)
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Exp2(float64(rng.IntN(40) - 80)) // none near 1: blocks must keep the layers' units
	}
	full := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(1e-3)}
	for at, o := range []svcca.Options{
		full, {RankTol: svcca.ShareTol(1e-3), Centering: svcca.CenterNone}, {Keep: svcca.Count(2), RankTol: svcca.ShareTol(1e-3), Weights: weights},
		{Keep: full.Keep, RankTol: full.RankTol, Precision: svcca.Mixed},
	} {
		if o.Precision == svcca.Mixed {
			all[1] = family(90, 2, n)[1].narrowed() // an offset of 10⁴ is beyond it
		}
		reduced := reducedAll(t, all, o)
		sums := make([]*svcca.Reduced, len(all)) // by way of Moments
		for i, l := range all {
			m := svcca.Moments{Precision: o.Precision}
			for _, block := range batches(rng, n, 50) {
				require.NoError(t, m.Add(context.Background(), l.rows(block).layer(), picked(o.Weights, block)))
			}
			plain := o
			plain.Weights = nil
			var err error
			sums[i], err = m.Reduce(plain)
			require.NoError(t, err)
		}
		for source, reduced := range map[string][]*svcca.Reduced{"reduced": reduced, "moments": sums} {
			for _, shape := range []struct{ rows, columns []int }{{[]int{0, 1, 2, 3, 4}, nil}, {[]int{0, 1, 2}, []int{3, 4, 0}}, {[]int{2}, nil}} {
				pick := func(indices []int) (r []*svcca.Reduced, l []data) {
					for _, i := range indices {
						r, l = append(r, reduced[i]), append(l, all[i])
					}
					return r, l
				}
				rows, left := pick(shape.rows)
				columns, right := pick(shape.columns)
				cross := make([]*svcca.Cross, 2)
				for i := range cross {
					var err error
					cross[i], err = svcca.NewCross(rows, columns)
					require.NoError(t, err)
				}
				blocks := batches(rng, n, []int{1, 50, n}[at%3])
				release := native.LimitThreads(1)
				var group sync.WaitGroup
				errs := make([]error, 3)
				for g := range errs {
					group.Go(func() {
						for b := g; b < len(blocks) && errs[g] == nil; b += len(errs) {
							errs[g] = cross[b%2].Add(context.Background(), picks(left, blocks[b]), picks(right, blocks[b]), picked(o.Weights, blocks[b]))
						}
					})
				}
				group.Wait()
				release()
				require.NoError(t, errors.Join(errs...))
				if len(blocks) > 1 {
					_, err := cross[0].Compare(0, 0)
					require.ErrorIs(t, err, svcca.ErrMismatch, "half of the rows")
				}
				require.NoError(t, cross[0].Merge(cross[1]))
				others := shape.columns
				if others == nil {
					others = shape.rows
				}
				for i, x := range shape.rows {
					for j, y := range others {
						what := fmt.Sprintf("%s, %v %v %v: %d, %d", source, o.Keep, o.Centering, o.Precision, x, y)
						got, err := cross[0].Compare(i, j)
						require.NoError(t, err, what)
						exact := o
						exact.Precision = svcca.Double
						checkMixed(t, what, got, between(t, all[x].layer(), all[y].layer(), exact), worstRatio{})
						require.Equal(t, [2]string{all[x].name, all[y].name}, [2]string{got.X.Name, got.Y.Name})
						if o.Precision == svcca.Double {
							require.Less(t, got.ErrorBound, 1e-4, what)
						}
					}
				}
				// Once more is too often.
				require.NoError(t, cross[0].Merge(cross[1]))
				_, err := cross[0].Compare(0, 0)
				if len(blocks) > 1 {
					require.ErrorIs(t, err, svcca.ErrMismatch, "some rows twice")
				}
			}
		}
	}
}

// TestCrossMixedWide: with Mixed the products of coordinates are float32's also
// where the layers, being wide or hard to cut, were reduced in float64.
func TestCrossMixedWide(t *testing.T) {
	const n = 30
	o := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(1e-3), Precision: svcca.Mixed}
	x, y := related(newRand(92), n, graded(8, 0.2), graded(7, 0.3), 40, 35)
	cross, err := svcca.NewCross(reducedAll(t, []data{x, y}, o), nil)
	require.NoError(t, err)
	require.NoError(t, cross.Add(context.Background(), layersOf([]data{x, y}), nil, nil))
	for i, x := range []data{x, y} {
		got, err := cross.Compare(i, 1)
		require.NoError(t, err)
		exact := o
		exact.Precision = svcca.Double
		checkMixed(t, fmt.Sprint("layer ", i), got, between(t, x.layer(), y.layer(), exact), worstRatio{})
	}
}

// TestCrossRefused: wrong layers are errors that say why and add nothing.
func TestCrossRefused(t *testing.T) {
	const n = 50
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	all := family(93, 4, n)
	o := svcca.Options{Keep: svcca.FullRank()}
	reduced := reducedAll(t, all, o)
	_, err := svcca.NewCross(nil, nil)
	require.ErrorIs(t, err, svcca.ErrShape)
	_, err = svcca.NewCross(reduced, []*svcca.Reduced{})
	require.ErrorIs(t, err, svcca.ErrShape)
	for name, other := range map[string]*svcca.Reduced{
		"datapoints": reducedAll(t, family(94, 1, n-1), o)[0],
		"centring":   reducedAll(t, all[:1], svcca.Options{Centering: svcca.CenterNone})[0],
		"weights":    reducedAll(t, all[:1], svcca.Options{Weights: slices.Repeat([]float64{2}, n)})[0],
	} {
		_, err = svcca.NewCross([]*svcca.Reduced{reduced[0], other}, nil)
		require.ErrorIs(t, err, svcca.ErrMismatch, name)
		_, err = svcca.NewCross(reduced, []*svcca.Reduced{other})
		require.ErrorIs(t, err, svcca.ErrMismatch, name)
	}

	layers := layersOf(all)
	cross, err := svcca.NewCross(reduced[:2], reduced[2:])
	require.NoError(t, err)
	symmetric, err := svcca.NewCross(reduced, nil)
	require.NoError(t, err)
	failed := errors.New("the disk is gone")
	bad := all[1]
	bad.values = slices.Clone(bad.values)
	bad.values[17*bad.d+1] = math.NaN()
	for name, test := range map[string]struct {
		cross           *svcca.Cross
		layers, against []svcca.Layer
		weights         []float64
		ctx             context.Context
		is              error
	}{
		"too few":           {cross: cross, layers: layers[:1], against: layers[2:], is: svcca.ErrMismatch},
		"too many":          {cross: cross, layers: layers[:2], against: layers[1:], is: svcca.ErrMismatch},
		"no against":        {cross: cross, layers: layers[:2], is: svcca.ErrMismatch},
		"against":           {cross: symmetric, layers: layers, against: layers, is: svcca.ErrMismatch},
		"against of none":   {cross: symmetric, layers: layers, against: []svcca.Layer{}, is: svcca.ErrMismatch},
		"neurons":           {cross: cross, layers: layers[:2], against: []svcca.Layer{layers[3], layers[2]}, is: svcca.ErrMismatch},
		"datapoints":        {cross: cross, layers: layers[:2], against: []svcca.Layer{layers[2], all[3].rows([]int{1, 2}).layer()}, is: svcca.ErrMismatch},
		"weights":           {cross: symmetric, layers: layers, weights: make20(1), is: svcca.ErrMismatch},
		"weights of 0":      {cross: symmetric, layers: layers, weights: make([]float64, n), is: svcca.ErrOptions},
		"cancelled":         {cross: cross, layers: layers[:2], against: layers[2:], ctx: cancelled, is: context.Canceled},
		"read":              {cross: cross, layers: layers[:2], against: []svcca.Layer{layers[2], odd{Layer: layers[3], storage: "float64", err: failed, after: 49}}, is: failed},
		"value":             {cross: cross, layers: []svcca.Layer{layers[0], bad.layer()}, against: layers[2:], is: svcca.ErrNotFinite},
		"value, symmetric":  {cross: symmetric, layers: []svcca.Layer{layers[0], bad.layer(), layers[2], layers[3]}, is: svcca.ErrNotFinite},
		"storage not known": {cross: cross, layers: []svcca.Layer{layers[0], odd{Layer: layers[1], storage: "int8"}}, against: layers[2:], is: svcca.ErrStorage},
	} {
		if test.ctx == nil {
			test.ctx = ctx
		}
		assert.ErrorIs(t, test.cross.Add(test.ctx, test.layers, test.against, test.weights), test.is, name)
	}
	assert.ErrorIs(t, cross.Merge(symmetric), svcca.ErrMismatch)
	assert.ErrorIs(t, symmetric.Merge(cross), svcca.ErrMismatch)
	// Nothing was added, so that all rows are still to come, and then are all there.
	for _, x := range []*svcca.Cross{cross, symmetric} {
		_, err = x.Compare(0, 0)
		require.ErrorIs(t, err, svcca.ErrMismatch)
	}
	require.NoError(t, cross.Add(ctx, layers[:2], layers[2:], nil))
	c, err := cross.Compare(1, 0)
	if assert.NoError(t, err) {
		requireSame(t, between(t, layers[1], layers[2], o), c, 0)
	}
	require.NoError(t, symmetric.Add(ctx, layers, nil, nil))
	c, err = symmetric.Compare(3, 1)
	if assert.NoError(t, err) {
		requireSame(t, between(t, layers[3], layers[1], o), c, 0)
	}
}
