package svcca_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/svcca"
)

// inSteps is a layer as int8 stores it.
type inSteps struct {
	svcca.Layer
	steps []float64
}

func (inSteps) Storage() string      { return "int8" }
func (l inSteps) Steps() []float64   { return l.steps }
func (l inSteps) Shape() (all []int) { n, d := l.Dims(); return []int{n, d} }

// quantised returns signal of the given rank in n × d, beside an offset, rounded to
// steps, of which the neurons have different ones.
func quantised(seed uint64, n, d, rank int) inSteps {
	r := rand.New(rand.NewPCG(seed, 8))
	left, right := make([]float64, n*rank), make([]float64, rank*d)
	for i := range left {
		left[i] = r.NormFloat64()
	}
	for i := range right {
		right[i] = r.NormFloat64()
	}
	steps, values := make([]float64, d), make([]float64, n*d)
	for j := range steps {
		steps[j] = math.Ldexp(1+r.Float64(), -3-j%3)
	}
	for i := range n {
		for j := range d {
			v := 20 * steps[j]
			for k := range rank {
				v += left[i*rank+k] * right[k*d+j]
			}
			values[i*d+j] = steps[j] * math.Round(v/steps[j])
		}
	}
	return inSteps{svcca.FromSlice("quantised", values, n, d), steps}
}

// TestRankInSteps: rounding to steps is no direction, by any method, and would be
// many if the values passed for float64.
func TestRankInSteps(t *testing.T) {
	for _, c := range []struct {
		name    string
		n, d    int
		rank    int
		options svcca.Options
	}{
		{"moments", 400, 60, 7, svcca.Options{}},
		{"triangle", 400, 60, 7, svcca.Options{Accuracy: 1e-15}},
		{"rows", 60, 200, 7, svcca.Options{}},
		{"one direction", 300, 20, 1, svcca.Options{}},
		{"mixed", 400, 60, 7, svcca.Options{Precision: svcca.Mixed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := quantised(1, c.n, c.d, c.rank)
			o := c.options
			o.Keep = svcca.FullRank()
			r, err := svcca.Reduce(x, o)
			require.NoError(t, err)
			assert.Equal(t, c.rank, r.Rank)
			assert.Equal(t, c.rank, r.K)
			plain, err := svcca.Reduce(x.Layer, o)
			require.NoError(t, err)
			assert.Greater(t, plain.Rank, c.rank)

			// Noise by another type is in units of the values themselves.
			o.RankTol = svcca.TypeTol(svcca.Float32)
			typed, err := svcca.Reduce(x, o)
			require.NoError(t, err)
			other, err := svcca.Reduce(x.Layer, o)
			require.NoError(t, err)
			assert.Equal(t, other.Rank-typed.Constant, typed.Rank, "neurons that rounding silenced stay so")
		})
	}
}

// TestConstantInSteps: a neuron that takes one value, or moves between two neighbours
// as rounding may make it, is constant; one that moves by several steps is not.
func TestConstantInSteps(t *testing.T) {
	const n, d = 100, 4
	values, steps := make([]float64, n*d), []float64{0.5, 0.5, 0.5, 0.25}
	for i := range n {
		values[i*d] = 3
		values[i*d+1] = 0.5 * float64(i%2)
		values[i*d+2] = 0.5 * float64(i%9)
		values[i*d+3] = 0.25 * float64(i%7)
	}
	r, err := svcca.Reduce(inSteps{svcca.FromSlice("x", values, n, d), steps}, svcca.Options{Keep: svcca.FullRank()})
	require.NoError(t, err)
	assert.Equal(t, 2, r.Constant)
	assert.Equal(t, 2, r.Rank)
}

// TestSumsInSteps: sums keep the steps, on disk too, and merge only where these agree.
func TestSumsInSteps(t *testing.T) {
	ctx := context.Background()
	x := quantised(2, 300, 40, 5)
	var m svcca.Moments
	require.NoError(t, m.Add(ctx, x, nil))
	data, err := m.MarshalBinary()
	require.NoError(t, err)
	var read svcca.Moments
	require.NoError(t, read.UnmarshalBinary(data))
	for _, of := range []*svcca.Moments{&m, &read} {
		require.NoError(t, of.Add(ctx, x, nil))
		r, err := of.Reduce(svcca.Options{Keep: svcca.FullRank()})
		require.NoError(t, err)
		assert.Equal(t, 5, r.Rank)
	}
	other := quantised(3, 300, 40, 5)
	err = m.Add(ctx, other, nil)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	assert.ErrorContains(t, err, "different steps")
}

func TestStepsRefused(t *testing.T) {
	x := quantised(4, 10, 3, 1)
	for _, steps := range [][]float64{nil, {1, 1}, {1, 0, 1}, {1, math.NaN(), 1}, {1, math.Inf(1), 1}} {
		_, err := svcca.Reduce(inSteps{x.Layer, steps}, svcca.Options{})
		assert.ErrorIs(t, err, svcca.ErrStorage)
	}
	_, err := svcca.ParseRankTol("int8")
	assert.ErrorIs(t, err, svcca.ErrOptions)
	_, err = svcca.Reduce(x, svcca.Options{RankTol: svcca.TypeTol(svcca.Int8)})
	assert.ErrorIs(t, err, svcca.ErrOptions)
}
