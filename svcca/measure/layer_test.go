package measure_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read counts how many values are read of a layer.
type read struct {
	shaped
	values *atomic.Int64
}

func (r read) Read(dst lapack.Matrix[float64], row, col int) error {
	r.values.Add(int64(dst.Rows * dst.Cols))
	return r.shaped.Read(dst, row, col)
}

// network is two sizes of maps and a vector that hold much the same.
func network(t *testing.T, seed uint64) (layers []conv.Maps, reads []*atomic.Int64) {
	const n = 200
	for i, shape := range [][]int{{n, 4, 4, 3}, {n, 4, 4, 2}, {n, 2, 2, 4}, {n, 5}} {
		d := 1
		for _, size := range shape[1:] {
			d *= size
		}
		values := make([]float64, n*d)
		rng, common := rand.New(rand.NewPCG(seed, uint64(i))), rand.New(rand.NewPCG(0, uint64(i)))
		for j := range values {
			values[j] = rng.NormFloat64() + common.NormFloat64()
		}
		name, counted := string(rune('a'+i)), new(atomic.Int64)
		all, err := measure.Layers(conv.NHWC, read{shaped{svcca.FromSlice(name, values, n, d), name, shape}, counted})
		require.NoError(t, err)
		layers, reads = append(layers, all...), append(reads, counted)
	}
	return layers, reads
}

// A pane of maps has the scores of conv.Between, whether or not there is room for their
// reductions: with it each layer is reduced once for each size.
func TestHold(t *testing.T) {
	ctx := context.Background()
	rows, _ := network(t, 3)
	columns, reads := network(t, 7)
	pane := func(bytes int64) [][]*measure.Pair {
		against, err := measure.PrepareAll(ctx, columns, conv.Options{})
		require.NoError(t, err)
		measure.Hold(bytes, against...)
		for _, r := range reads {
			r.Store(0)
		}
		pairs, err := measure.Pane(ctx, rows, against, nil)
		require.NoError(t, err)
		return pairs
	}
	held := pane(conv.DefaultHold)
	passes := func(i int) float64 {
		n, h, w, c := columns[i].Dims()
		return float64(reads[i].Load()) / float64(n*h*w*c)
	}
	// Twice, and 64 of 200 images beforehand to choose units and provisional means.
	const each = 2 + 64./200
	assert.InDelta(t, 2*each, passes(0), 1e-12, "by itself, and by steps of two")
	assert.InDelta(t, 2*each, passes(1), 1e-12)
	assert.InDelta(t, each, passes(2), 1e-12)
	assert.InDelta(t, each, passes(3), 1e-12, "a vector is moved by nothing")
	assert.Equal(t, held, pane(1), "the same without room")
	assert.InDelta(t, 4*each, passes(0), 1e-12, "once for each comparison")
	assert.InDelta(t, 3*each, passes(3), 1e-12)
	for i, x := range rows {
		for j, y := range columns {
			if x.IsVector() && y.IsVector() {
				continue
			}
			want, err := conv.Between(ctx, x, y, conv.Options{OffBlock: -1})
			require.NoError(t, err)
			assert.InDelta(t, want.Mean, *held[i][j].Mean, want.ErrorBound+held[i][j].ErrorBound+1e-14)
			assert.InDelta(t, want.Weighted, held[i][j].Weighted, want.WeightedErrorBound+held[i][j].WeightedErrorBound+1e-14)
			assert.InDelta(t, want.PWCCAX, *held[i][j].PWCCAX, want.PWCCAErrorBound+*held[i][j].PWCCAErrorBound+1e-14)
			assert.Equal(t, [2]int{want.X.K, want.Y.K}, [2]int{held[i][j].KX, held[i][j].KY})
		}
	}
}

// Layers share what they hold: room for one of two reductions is of the first that is made.
func TestHoldIsShared(t *testing.T) {
	ctx := context.Background()
	layers, reads := network(t, 3)
	one, err := conv.Reduce(ctx, layers[0], [2]int{}, conv.Options{OffBlock: -1})
	require.NoError(t, err)
	other, err := conv.Reduce(ctx, layers[1], [2]int{}, conv.Options{OffBlock: -1})
	require.NoError(t, err)
	all, err := measure.PrepareAll(ctx, layers[:2], conv.Options{})
	require.NoError(t, err)
	measure.Hold(one.Memory()+other.Memory()-1, all...)
	for range 3 {
		_, err := all[0].Compare(ctx, all[1])
		require.NoError(t, err)
	}
	first, second := reads[0].Load(), reads[1].Load()
	_, err = all[0].Compare(ctx, all[1])
	require.NoError(t, err)
	assert.Equal(t, first, reads[0].Load())
	assert.Greater(t, reads[1].Load(), second)
}

// A layer may be compared from many goroutines, and is reduced by one of them.
func TestLayerAtOnce(t *testing.T) {
	ctx := context.Background()
	layers, reads := network(t, 3)
	all, err := measure.PrepareAll(ctx, layers, conv.Options{})
	require.NoError(t, err)
	pairs := make([]*measure.Pair, 8)
	var group sync.WaitGroup
	for i := range pairs {
		group.Go(func() {
			p, err := all[i%2].Compare(ctx, all[1-i%2])
			if assert.NoError(t, err) {
				pairs[i] = p
			}
		})
	}
	group.Wait()
	for i, p := range pairs {
		assert.Equal(t, pairs[i%2], p)
	}
	assert.Equal(t, int64((2*200+64)*4*4*3), reads[0].Load())
}

// Errors say which of two layers is at fault; a context that has ended is no layer's fault.
func TestLayerErrors(t *testing.T) {
	ctx := context.Background()
	layers, _ := network(t, 3)
	flat, err := measure.Layers(conv.NHWC, shaped{svcca.FromSlice("flat", make([]float64, 200*16), 200, 16), "flat", []int{200, 4, 4, 1}})
	require.NoError(t, err)
	all, err := measure.PrepareAll(ctx, append(flat, layers...), conv.Options{})
	require.NoError(t, err)
	for _, c := range []struct {
		x, y int
		says string
	}{{0, 1, `of the two layers the first: conv: layer "flat"`}, {1, 0, `of the two layers the second: conv: layer "flat"`}} {
		_, err := all[c.x].Compare(ctx, all[c.y])
		assert.ErrorIs(t, err, svcca.ErrConstant)
		assert.ErrorContains(t, err, c.says)
	}
	ended, end := context.WithCancel(ctx)
	end()
	_, err = all[1].Compare(ended, all[2])
	assert.Equal(t, context.Canceled, err)
}
