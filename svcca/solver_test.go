package svcca_test

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vast is a layer that is too large for anything but its size.
type vast struct{ n, d int }

func (v vast) Dims() (n, d int)                            { return v.n, v.d }
func (v vast) Read(lapack.Matrix[float64], int, int) error { panic("read") }

// TestSolver: which solver is taken, and what is refused with which words.
func TestSolver(t *testing.T) {
	x, y := spectral(1, 0, 60, 30, 20)
	defer svcca.SmallKrylov(4, 1000, 25)()
	c := between(t, x.layer(), y.layer(), svcca.Options{})
	assert.Equal(t, svcca.Method("krylov/moments"), c.Method, "30 neurons are above a limit of 25, 20 are not")
	assert.Zero(t, c.Y.Norm)
	assert.Len(t, c.Y.SingularValues, 20)
	c = between(t, y.layer(), x.layer(), svcca.Options{Solver: svcca.Exact})
	assert.Equal(t, svcca.MethodMoments, c.Method)
	c = between(t, x.layer(), y.layer(), svcca.Options{Precision: svcca.Mixed})
	assert.Contains(t, codes(c), svcca.WarnDouble)

	keep, err := json.Marshal(svcca.Options{Solver: svcca.Krylov})
	require.NoError(t, err)
	assert.Contains(t, string(keep), `"solver":"krylov"`)
	automatic, err := json.Marshal(svcca.Options{})
	require.NoError(t, err)
	assert.NotContains(t, string(automatic), "solver")

	for name, test := range map[string]struct {
		l    svcca.Layer
		o    svcca.Options
		says string
	}{
		"sum":         {l: x.layer(), o: svcca.Options{Keep: svcca.Sum(0.99)}, says: "keep sum(0.99) asks for all 30 singular values"},
		"rank":        {l: x.layer(), o: svcca.Options{Keep: svcca.FullRank()}, says: "all 30 singular values"},
		"variance 1":  {l: x.layer(), o: svcca.Options{Keep: svcca.Variance(1)}, says: "the exact solver"},
		"exact, vast": {l: vast{40000, 50000}, o: svcca.Options{Solver: svcca.Exact}, says: "of order 40000, which takes 59.6 GiB"},
		"unknown":     {l: x.layer(), o: svcca.Options{Solver: 7}, says: "solver 7"},
	} {
		_, err := svcca.Reduce(test.l, test.o)
		require.ErrorIs(t, err, svcca.ErrOptions, name)
		assert.ErrorContains(t, err, test.says, name)
		_, err = svcca.Between(test.l, test.l, test.o)
		require.ErrorIs(t, err, svcca.ErrOptions, name)
	}
	constant := x.times(0)
	_, err = svcca.Reduce(constant.layer(), svcca.Options{})
	assert.ErrorIs(t, err, svcca.ErrConstant)

	for _, s := range []svcca.Solver{svcca.Automatic, svcca.Exact, svcca.Krylov} {
		parsed, err := svcca.ParseSolver(" " + s.String())
		require.NoError(t, err)
		assert.Equal(t, s, parsed)
	}
	_, err = svcca.ParseSolver("fast")
	assert.ErrorIs(t, err, svcca.ErrOptions)
}

// TestKrylovLimit: a flat spectrum needs a larger space than there may be: where the
// rule counts variance that is an error, else a bound that says so.
func TestKrylovLimit(t *testing.T) {
	defer svcca.SmallKrylov(4, 16, 1000)()
	for _, shape := range [][3]int{{90, 60, 1}, {60, 90, 1}} {
		x, _ := spectral(1, 7, shape[0], shape[1], shape[2])
		_, err := svcca.Reduce(x.layer(), svcca.Options{Solver: svcca.Krylov})
		require.ErrorIs(t, err, svcca.ErrOptions)
		assert.ErrorContains(t, err, "16 directions")
		r, err := svcca.Reduce(x.layer(), svcca.Options{Solver: svcca.Krylov, Keep: svcca.Count(5)})
		require.NoError(t, err)
		assert.Equal(t, 1.0, r.ErrorBound)
		c, err := svcca.Compare(r, r)
		require.NoError(t, err)
		assert.Contains(t, codes(c), svcca.WarnAccuracy)
	}
}

// TestKrylovWorkers: bits depend neither on how many work nor on when; and the layer
// is read so often and no more.
func TestKrylovWorkers(t *testing.T) {
	defer native.LimitThreads(1)()
	defer svcca.SmallKrylov(8, 1000, 1000)()
	for _, shape := range [][3]int{{700, 90, 80}, {90, 700, 600}} {
		x, y := spectral(2, 2, shape[0], shape[1], shape[2])
		o := svcca.Options{Solver: svcca.Krylov}
		var first *svcca.Comparison
		for _, workers := range []int{2, 3, 4, 2} {
			restore := processors(workers)
			c := between(t, x.layer(), y.layer(), o)
			restore()
			if first == nil {
				first = c
			}
			require.True(t, sameBits(t, first, c), "%d workers", workers)
		}
		l := count(x)
		r, err := svcca.Reduce(l, o)
		require.NoError(t, err)
		t.Logf("%v: %d kept in %.1f passes", shape, r.K, l.passes())
		assert.Less(t, l.passes(), 11.0)
	}
}

// TestKrylovCancelled: a context that ends is noticed within a block of rows.
func TestKrylovCancelled(t *testing.T) {
	defer svcca.SmallKrylov(4, 1000, 1000)()
	for _, shape := range [][2]int{{6000, 10}, {60, 9000}} {
		x, _ := correlated(1, shape[0], shape[1], 1)
		var mu sync.Mutex // nobody reads while the context is being ended
		reads, stop := 0, 0
		ctx, cancel := context.WithCancel(context.Background())
		l := odd{Layer: x.layer(), storage: "float64", read: func(int) {
			mu.Lock()
			defer mu.Unlock()
			if reads++; reads == stop {
				cancel()
			}
		}}
		o := svcca.Options{Solver: svcca.Krylov, Keep: svcca.Count(3)}
		_, err := svcca.ReduceContext(ctx, l, o)
		require.NoError(t, err)
		all := reads
		for _, share := range []float64{0.01, 0.3, 0.6, 0.9} {
			reads, stop = 0, int(share*float64(all))+1
			ctx, cancel = context.WithCancel(context.Background())
			_, err = svcca.ReduceContext(ctx, l, o)
			require.ErrorIs(t, err, context.Canceled)
			assert.LessOrEqual(t, reads, stop+1024/32+runtime.GOMAXPROCS(0))
		}
		cancel()
	}
}

// TestKrylovPairwise: a pane has the scores that Between has, also by way of a cache.
func TestKrylovPairwise(t *testing.T) {
	defer svcca.SmallKrylov(6, 1000, 1000)()
	x, y := spectral(1, 0, 120, 50, 40)
	z, _ := spectral(2, 2, 120, 160, 20)
	z.name = "z"
	all := []data{x, y, z}
	o := svcca.PaneOptions{Options: svcca.Options{Solver: svcca.Krylov}}
	cache := newCache()
	first, _ := cachedPane(t, cache, all, nil, o)
	again, hashes := cachedPane(t, cache, all, nil, o)
	assert.Zero(t, read(hashes))
	a, err := json.Marshal(first)
	require.NoError(t, err)
	b, err := json.Marshal(again)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(a, b))
	for i := range all {
		assert.Positive(t, first.Rows[i].Norm)
		for j := range all {
			c := between(t, all[i].layer(), all[j].layer(), o.Options)
			assert.InDelta(t, c.Mean, *first.Pairs[i][j].Mean, c.ErrorBound)
			assert.InDelta(t, c.MeanSquare, first.Pairs[i][j].MeanSquare, c.ErrorBound)
			assert.InDelta(t, c.ErrorBound, first.Pairs[i][j].ErrorBound, 1e-12)
		}
	}
	exact, hashes := cachedPane(t, cache, all, nil, svcca.PaneOptions{})
	assert.Positive(t, read(hashes), "what another solver found is not taken from the cache")
	assert.Zero(t, exact.Rows[0].Norm)
}

// TestKrylovCost: where exact takes the square of the order in memory and its cube in
// time, Krylov takes neither.
func TestKrylovCost(t *testing.T) {
	n := 100_000
	c := svcca.BetweenCost(n, n, n, svcca.Options{})
	assert.Less(t, c.Memory, int64(20<<30))
	assert.Less(t, c.Factors, 1e14)
	assert.Positive(t, c.Products)
	exact := svcca.BetweenCost(n, n, n, svcca.Options{Solver: svcca.Exact})
	assert.Greater(t, exact.Memory, 40*c.Memory)
	assert.Greater(t, exact.Factors, 100*c.Factors)
	more := svcca.BetweenCost(n, n, n, svcca.Options{Keep: svcca.Count(1000)})
	assert.Greater(t, more.Products, c.Products)
}
