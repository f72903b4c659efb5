package measure_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One reduction gives what one for each rule and share does.
func TestKept(t *testing.T) {
	x, err := digits.Open("a/fc3")
	require.NoError(t, err)
	defer x.Close()
	ties := lines(64, 24, func(i, j int) float64 { // 8 singular values of 2, and 16 of 1
		if i%24 != j || i >= 48 {
			return 0
		}
		return float64(1-i/24*2) * float64(1+(j%3+2)/4)
	})
	for _, layer := range []svcca.Layer{x, ties, noise("low rank", 50, 30, 4)} {
		for _, any := range []svcca.Keep{svcca.Variance(0.5), svcca.FullRank()} {
			r, err := svcca.Reduce(layer, svcca.Options{Keep: any})
			require.NoError(t, err)
			d, err := measure.Dimensionality(r.Side)
			require.NoError(t, err)
			require.Len(t, d.Kept, 4)
			for i, share := range []float64{0.9, 0.95, 0.99, 0.999} {
				byVariance, err := svcca.Reduce(layer, svcca.Options{Keep: svcca.Variance(share)})
				require.NoError(t, err)
				bySum, err := svcca.Reduce(layer, svcca.Options{Keep: svcca.Sum(share)})
				require.NoError(t, err)
				assert.Equal(t, measure.Kept{Share: share, Variance: byVariance.K, Sum: bySum.K}, d.Kept[i], r.Name)
			}
			assert.Equal(t, r.Rank, d.Rank)
		}
	}
}

// The reference counted k with its own code.
func TestKeptReference(t *testing.T) {
	var layers map[string]struct {
		K map[string]int
	}
	reference.Expected(t, "layers", &layers)
	for _, name := range []string{"digits/a/fc1", "digits/b/fc2", "toy/a/fc4", "rank/ties", "dynamics/step00030/bn2"} {
		r, err := svcca.Reduce(reference.Layer(t, name, nil), svcca.Options{})
		require.NoError(t, err)
		d, err := measure.Dimensionality(r.Side)
		require.NoError(t, err)
		require.Contains(t, layers, name)
		assert.Equal(t, layers[name].K["variance(0.9)"], d.Kept[0].Variance, name)
		assert.Equal(t, layers[name].K["variance(0.99)"], d.Kept[2].Variance, name)
		assert.Equal(t, layers[name].K["sum(0.99)"], d.Kept[2].Sum, name)
	}
}

func TestDimensionality(t *testing.T) {
	side := func(s ...float64) svcca.Side {
		return svcca.Side{Name: "x", Datapoints: 100, Neurons: len(s), Rank: len(s), SingularValues: s}
	}
	of := func(s ...float64) *measure.Dimensions {
		d, err := measure.Dimensionality(side(s...))
		require.NoError(t, err)
		return d
	}
	for _, scale := range []float64{1, 1e-300, 1e300} {
		d := of(3*scale, 3*scale, 3*scale, 3*scale)
		assert.InDelta(t, 4, d.ParticipationRatio, 1e-14, "n equal ones count n")
		assert.InDelta(t, 4, d.EffectiveRank, 1e-14)
		assert.Equal(t, []float64{0.25, 0.5, 0.75, 1}, d.VarianceShare)

		d = of(2*scale, 1*scale)
		assert.InDelta(t, 25./17, d.ParticipationRatio, 1e-14)    // (4 + 1)²/(16 + 1)
		assert.InDelta(t, 3/math.Cbrt(4), d.EffectiveRank, 1e-14) // exp(log 3 − ⅔ log 2)
		assert.InDeltaSlice(t, []float64{0.8, 1}, d.VarianceShare, 1e-15)
		assert.InDeltaSlice(t, []float64{2. / 3, 1}, d.SumShare, 1e-15)
	}
	d := of(5, 0, 0)
	assert.Equal(t, 1.0, d.ParticipationRatio)
	assert.Equal(t, 1.0, d.EffectiveRank)

	// No more than the rank, whatever the share: the rest is noise.
	s := side(1, 0.5, 0.5)
	s.Rank = 2
	d, err := measure.Dimensionality(s)
	require.NoError(t, err)
	assert.Equal(t, measure.Kept{Share: 0.999, Variance: 2, Sum: 2}, d.Kept[3])

	for _, bad := range []svcca.Side{side(), side(0, 0)} {
		_, err := measure.Dimensionality(bad)
		assert.ErrorIs(t, err, svcca.ErrConstant)
	}
	s = side(2, 1)
	s.Norm = 3
	_, err = measure.Dimensionality(s)
	assert.ErrorIs(t, err, svcca.ErrOptions)
	assert.ErrorContains(t, err, "Solver Exact")
}

// Of maps the singular values of all frequencies are pooled.
func TestDimensionalityOfMaps(t *testing.T) {
	m := maps("maps", 3, 80, 4, 2)
	sums := &conv.Moments{}
	require.NoError(t, sums.Add(context.Background(), m, nil))
	for i, share := range []float64{0.9, 0.95, 0.99, 0.999} {
		r, err := sums.Reduce(conv.Options{Options: svcca.Options{Keep: svcca.Sum(share)}})
		require.NoError(t, err)
		d, err := measure.Dimensionality(r.Side)
		require.NoError(t, err)
		assert.Equal(t, r.K, d.Kept[i].Sum)
	}
}

// lines returns the layer of a function.
func lines(n, d int, value func(i, j int) float64) svcca.Layer {
	values := make([]float64, 0, n*d)
	for i := range n {
		for j := range d {
			values = append(values, value(i, j))
		}
	}
	return svcca.FromSlice("lines", values, n, d)
}

// noise returns a layer of some rank whose directions fall off.
func noise(name string, n, d, rank int) svcca.Layer {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(d)))
	values := make([]float64, n*d)
	for r := range rank {
		u, v := make([]float64, n), make([]float64, d)
		for i := range u {
			u[i] = rng.NormFloat64() / float64(r+1)
		}
		for j := range v {
			v[j] = rng.NormFloat64()
			for i := range u {
				values[i*d+j] += u[i] * v[j]
			}
		}
	}
	return svcca.FromSlice(name, values, n, d)
}

// maps returns feature maps of noise whose channels differ.
func maps(name string, seed uint64, images, size, channels int) conv.Maps {
	rng := rand.New(rand.NewPCG(seed, 7))
	values := make([]float64, images*size*size*channels)
	for i := range values {
		values[i] = rng.NormFloat64() * float64(1+i%channels)
	}
	return conv.FromSlice(name, values, images, size, size, channels, conv.NHWC)
}

func ExampleDimensionality() {
	x, err := digits.Open("a/fc3")
	if err != nil {
		panic(err)
	}
	defer x.Close()
	r, err := svcca.Reduce(x, svcca.Options{})
	if err != nil {
		panic(err)
	}
	d, err := measure.Dimensionality(r.Side)
	if err != nil {
		panic(err)
	}
	for _, k := range d.Kept {
		fmt.Printf("%4.1f%%: %d of %d directions hold it of the variance, %d of the sum\n", 100*k.Share, k.Variance, d.Neurons, k.Sum)
	}
	fmt.Printf("participation ratio %.2f, effective rank %.2f\n", d.ParticipationRatio, d.EffectiveRank)
	// Output:
	// 90.0%: 5 of 64 directions hold it of the variance, 18 of the sum
	// 95.0%: 6 of 64 directions hold it of the variance, 30 of the sum
	// 99.0%: 9 of 64 directions hold it of the variance, 47 of the sum
	// 99.9%: 29 of 64 directions hold it of the variance, 54 of the sum
	// participation ratio 4.05, effective rank 15.00
}
