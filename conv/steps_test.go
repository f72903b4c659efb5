package conv_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// inSteps is a layer of maps as int8 stores it.
type inSteps struct {
	svcca.Layer
	steps []float64
	shape []int
}

func (inSteps) Storage() string    { return "int8" }
func (l inSteps) Steps() []float64 { return l.steps }
func (l inSteps) Shape() []int     { return l.shape }

// quantisedMaps returns n maps of h × w × c, whose channels are mixtures of rank
// images, rounded to steps.
func quantisedMaps(n, h, w, c, rank int) inSteps {
	r := rand.New(rand.NewPCG(5, 9))
	right := make([]float64, rank*c)
	for i := range right {
		right[i] = r.NormFloat64()
	}
	values, steps := make([]float64, n*h*w*c), make([]float64, h*w*c)
	for i := range steps {
		steps[i] = math.Ldexp(1, -3-i%c%3)
	}
	left := make([]float64, rank)
	for p := range n * h * w {
		for k := range left {
			left[k] = r.NormFloat64()
		}
		for j := range c {
			v := 20.0
			for k, l := range left {
				v += l * right[k*c+j]
			}
			step := steps[j]
			values[p*c+j] = step * math.Round(v/step)
		}
	}
	return inSteps{svcca.FromSlice("quantised", values, n, h*w*c), steps, []int{n, h, w, c}}
}

// TestRankInSteps: rounding to steps is no direction of any block.
func TestRankInSteps(t *testing.T) {
	const h, w, c, rank = 3, 4, 20, 4
	for _, images := range []int{12, 100} { // fewer than columns, and more
		x := quantisedMaps(images, h, w, c, rank)
		m, err := conv.Of(x, conv.NHWC)
		require.NoError(t, err)
		plain, err := conv.Of(svcca.Layer(shaped{x.Layer, x.shape}), conv.NHWC)
		require.NoError(t, err)
		o := conv.Options{OffBlock: -1}
		o.Keep = svcca.FullRank()
		r, err := conv.Between(context.Background(), m, m, o)
		require.NoError(t, err)
		assert.Equal(t, rank*h*w, r.X.Rank, images)
		p, err := conv.Between(context.Background(), plain, plain, o)
		require.NoError(t, err)
		assert.Greater(t, p.X.Rank, rank*h*w)

		pixels, err := svcca.Reduce(m.Pixels(), o.Options)
		require.NoError(t, err)
		assert.Equal(t, rank, pixels.Rank)
		if images > 50 {
			flat, err := svcca.Reduce(m.Flatten(), o.Options)
			require.NoError(t, err)
			assert.Equal(t, rank*h*w, flat.Rank)
		}
	}
}

// shaped is a layer with a shape.
type shaped struct {
	svcca.Layer
	shape []int
}

func (s shaped) Shape() []int { return s.shape }

func TestSumsInSteps(t *testing.T) {
	ctx := context.Background()
	x := quantisedMaps(60, 2, 3, 10, 3)
	m, err := conv.Of(x, conv.NHWC)
	require.NoError(t, err)
	var p conv.Pair
	require.NoError(t, p.Add(ctx, m, m, nil))
	data, err := p.MarshalBinary()
	require.NoError(t, err)
	var read conv.Pair
	require.NoError(t, read.UnmarshalBinary(data))
	require.NoError(t, read.Add(ctx, m, m, nil))
	o := conv.Options{}
	o.Keep = svcca.FullRank()
	r, err := read.Compare(o)
	require.NoError(t, err)
	assert.Equal(t, 3*2*3, r.X.Rank)

	for i := range x.steps {
		x.steps[i] *= 2
	}
	other, err := conv.Of(x, conv.NHWC)
	require.NoError(t, err)
	assert.ErrorContains(t, read.Add(ctx, other, other, nil), "different steps")
}

func TestStepsRefused(t *testing.T) {
	x := quantisedMaps(10, 2, 2, 3, 1)
	x.steps = x.steps[1:]
	m, err := conv.Of(x, conv.NHWC)
	if err == nil {
		_, err = conv.Between(context.Background(), m, m, conv.Options{})
	}
	assert.ErrorIs(t, err, svcca.ErrStorage)
}
