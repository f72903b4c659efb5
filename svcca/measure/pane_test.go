package measure_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScore(t *testing.T) {
	c, err := svcca.Between(noise("x", 40, 6, 6), noise("y", 40, 5, 5), svcca.Options{})
	require.NoError(t, err)
	l, err := measure.PrepareAll(context.Background(), vectors(noise("x", 40, 6, 6), noise("y", 40, 5, 5)), conv.Options{})
	require.NoError(t, err)
	p, err := l[0].Compare(context.Background(), l[1])
	require.NoError(t, err)
	for score, want := range map[measure.Score]float64{
		"mean": c.Mean, "mean_square": c.MeanSquare, "weighted": c.Weighted, "weighted_x": c.WeightedX, "weighted_y": c.WeightedY,
		"pwcca_x": c.PWCCAX, "pwcca_y": c.PWCCAY, "adjusted": *c.Adjusted,
	} {
		parsed, err := measure.ParseScore(string(score))
		require.NoError(t, err)
		got, err := parsed.Of(p.PairScores)
		require.NoError(t, err)
		assert.InDelta(t, want, got, 1e-10, score)
	}
	_, err = measure.ParseScore("Mean")
	assert.ErrorIs(t, err, svcca.ErrOptions)
	for _, score := range []measure.Score{measure.Mean, measure.PWCCAY, measure.Adjusted, "", "rho"} {
		_, err := score.Of(svcca.PairScores{Chance: 2})
		assert.ErrorIs(t, err, svcca.ErrOptions, score)
	}
	_, err = measure.Scores([][]*measure.Pair{{p, nil}}, measure.Mean)
	assert.ErrorContains(t, err, "layers 1 and 2")
	_, err = measure.Scores([][]*measure.Pair{{p}, {{}}}, measure.Mean)
	assert.ErrorIs(t, err, svcca.ErrOptions)
}

func vectors(layers ...svcca.Layer) (all []conv.Maps) {
	for _, l := range layers {
		all = append(all, conv.Vector(l))
	}
	return all
}

// shaped is a layer with a shape, as files have one.
type shaped struct {
	svcca.Layer
	name  string
	shape []int
}

func (s shaped) Name() string { return s.name }
func (s shaped) Shape() []int { return s.shape }

func TestLayers(t *testing.T) {
	x := noise("x", 40, 12, 3)
	all, err := measure.Layers(conv.NCHW, x, shaped{x, "two", []int{40, 12}}, shaped{x, "four", []int{40, 3, 2, 2}})
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.True(t, all[0].IsVector())
	assert.True(t, all[1].IsVector())
	assert.False(t, all[2].IsVector())
	n, h, w, c := all[2].Dims()
	assert.Equal(t, [4]int{40, 2, 2, 3}, [4]int{n, h, w, c})
	_, err = measure.Layers(conv.NHWC, x, shaped{x, "three", []int{40, 3, 4}})
	assert.ErrorIs(t, err, svcca.ErrShape)
	assert.ErrorContains(t, err, `layer 2 of 2 ("three") has shape [40 3 4]`)
	_, err = measure.Layers(conv.NHWC, shaped{x, "wrong", []int{40, 3, 2, 3}})
	assert.ErrorIs(t, err, svcca.ErrShape)
}

// Neighbours that are the same but for scale and order of neurons, as batch norm is, are
// one; those of noise are at chance.
func TestAdjacent(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(2, 2))
	x := lapack.New[float64](400, 6)
	for i := range x.Data {
		x.Data[i] = rng.NormFloat64()
	}
	normed := lines(400, 6, func(i, j int) float64 { return 3*x.At(i, 5-j) + float64(j) })
	other := lines(400, 4, func(i, j int) float64 { return rng.NormFloat64() })
	pairs, err := measure.Adjacent(ctx, vectors(svcca.FromSlice("x", x.Data, 400, 6), normed, other), conv.Options{})
	require.NoError(t, err)
	require.Len(t, pairs, 2)
	assert.InDelta(t, 1, *pairs[0].Mean, 1e-9)
	assert.Less(t, *pairs[1].Mean, 0.25)
	assert.Equal(t, [2]int{6, 4}, [2]int{pairs[1].KX, pairs[1].KY}, "the layer before is X")

	pairs, err = measure.Adjacent(ctx, vectors(other), conv.Options{})
	require.NoError(t, err)
	assert.Empty(t, pairs)
	_, err = measure.Adjacent(ctx, vectors(other, lines(400, 3, func(i, j int) float64 { return 7 })), conv.Options{})
	assert.ErrorIs(t, err, svcca.ErrConstant)
	assert.ErrorContains(t, err, "layer 2 of 2")
	_, err = measure.Adjacent(ctx, vectors(other, noise("short", 9, 3, 3)), conv.Options{})
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	assert.ErrorContains(t, err, "layer 1 of 2: with the next")
}

// CenterTranslated takes the mean out of block (0, 0) alone, which is all that vectors have.
func TestCentering(t *testing.T) {
	ctx := context.Background()
	x, y := noise("x", 40, 6, 6), noise("y", 40, 5, 5)
	at := func(c svcca.Centering) *measure.Pair {
		l, err := measure.PrepareAll(ctx, vectors(x, y), conv.Options{Options: svcca.Options{Centering: c}})
		require.NoError(t, err)
		p, err := l[0].Compare(ctx, l[1])
		require.NoError(t, err)
		return p
	}
	assert.Equal(t, at(svcca.CenterNeurons), at(svcca.CenterTranslated))
	assert.NotEqual(t, at(svcca.CenterNeurons), at(svcca.CenterNone))
}

// A pane of two networks has the means of the reference, for the pairs that are in it.
func TestReferencePane(t *testing.T) {
	ctx := context.Background()
	var own, other []conv.Maps
	for _, l := range []string{"fc1", "fc2", "fc3", "logits"} {
		own = append(own, conv.Vector(reference.Layer(t, "digits/a/"+l, nil)))
		other = append(other, conv.Vector(reference.Layer(t, "digits/b/"+l, nil)))
	}
	against, err := measure.PrepareAll(ctx, other, conv.Options{})
	require.NoError(t, err)
	done := 0
	pairs, err := measure.Pane(ctx, own, against, func(d, of int) {
		done++
		assert.Equal(t, [2]int{done, 16}, [2]int{d, of})
	})
	require.NoError(t, err)
	scores, err := measure.Scores(pairs, measure.Mean)
	require.NoError(t, err)
	var expected []struct {
		X, Y  string
		Rules map[string]struct{ Mean float64 }
	}
	reference.Expected(t, "pairs", &expected)
	compared := 0
	for _, e := range expected {
		for i, x := range own {
			for j, y := range other {
				if e.X == x.Name() && e.Y == y.Name() {
					assert.InDelta(t, e.Rules["variance(0.99)"].Mean, scores[i][j], pairs[i][j].ErrorBound+1e-14)
					compared++
				}
			}
		}
	}
	assert.Equal(t, 6, compared)
}

// The last two layers of one network against those of another.
func ExamplePane() {
	ctx := context.Background()
	open := func(network string) []conv.Maps {
		var files []svcca.Layer
		for _, layer := range []string{"fc3", "logits"} {
			f, err := digits.Open(network + "/" + layer)
			if err != nil {
				panic(err)
			}
			files = append(files, f)
		}
		layers, err := measure.Layers(conv.NHWC, files...)
		if err != nil {
			panic(err)
		}
		return layers
	}
	a := open("a")
	against, err := measure.PrepareAll(ctx, open("b"), conv.Options{})
	if err != nil {
		panic(err)
	}
	pairs, err := measure.Pane(ctx, a, against, nil)
	if err != nil {
		panic(err)
	}
	scores, err := measure.Scores(pairs, measure.Mean)
	if err != nil {
		panic(err)
	}
	for i, m := range a {
		fmt.Printf("%s: %.3f\n", m.Name(), scores[i])
	}
	// Output:
	// digits/a/fc3: [0.897 0.976]
	// digits/a/logits: [0.982 0.957]
}
