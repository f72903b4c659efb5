package compress_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func random(seed uint64, n, d int) lapack.Matrix[float64] {
	rng := rand.New(rand.NewPCG(seed, 11))
	m := lapack.New[float64](n, d)
	for i := range m.Data {
		m.Data[i] = rng.NormFloat64()
	}
	return m
}

func layer(name string, m lapack.Matrix[float64]) svcca.Layer {
	return svcca.FromMat(name, lapack.ToDense(m))
}

// pair returns a layer and a comparison with another that shares part of it.
func pair(t *testing.T, n, d int, keep svcca.Keep) (lapack.Matrix[float64], *svcca.Comparison) {
	x, y := random(1, n, d), random(2, n, d)
	for i := range n {
		for j := range d {
			x.Set(i, j, x.At(i, j)*float64(d-j)+float64(3*j)) // means that are not 0, and no ties
			y.Set(i, j, y.At(i, j)*float64(j)+x.At(i, j))
		}
	}
	c, err := svcca.Between(layer("x", x), layer("y", y), svcca.Options{Keep: keep})
	require.NoError(t, err)
	return x, c
}

func applied(t *testing.T, p *compress.Projection, m lapack.Matrix[float64]) lapack.Matrix[float64] {
	t.Helper()
	var all []float64
	require.NoError(t, p.Apply(layer("x", m), func(rows lapack.Matrix[float64]) error {
		for i := range rows.Rows {
			all = append(all, rows.Row(i)...)
		}
		return nil
	}))
	return lapack.Of(m.Rows, m.Cols, all)
}

// projected is μ + (x − μ) W[:, :k] D[:k, :], then the mean in all neurons but those kept,
// by loops.
func projected(d *svcca.Directions, x lapack.Matrix[float64], k int, kept []int) lapack.Matrix[float64] {
	z := lapack.New[float64](x.Rows, x.Cols)
	for i := range x.Rows {
		for j := range x.Cols {
			v := d.Mean[j]
			if kept == nil || slices.Contains(kept, j) {
				for a := range k {
					for b := range x.Cols {
						v += (x.At(i, b) - d.Mean[b]) * d.Map.At(b, a) * d.Decoder.At(a, j)
					}
				}
			}
			z.Set(i, j, v)
		}
	}
	return z
}

func TestProjection(t *testing.T) {
	x, c := pair(t, 30, 5, svcca.FullRank())
	fresh := random(9, 7, 5)
	d := c.X.Directions
	for k := range 6 {
		for _, rows := range []lapack.Matrix[float64]{x, fresh} {
			p := &compress.Projection{Directions: d, K: k}
			assert.InDeltaSlice(t, projected(d, rows, k, nil).Data, applied(t, p, rows).Data, 1e-10)
			p.Neurons = compress.Largest(compress.Importance(d, k), 2)
			assert.InDeltaSlice(t, projected(d, rows, k, p.Neurons).Data, applied(t, p, rows).Data, 1e-10)
			p.Neurons = []int{}
			for i, z := 0, applied(t, p, rows); i < z.Rows; i++ {
				assert.Equal(t, d.Mean, z.Row(i), "no neuron keeps its value")
			}
		}
	}
	// All directions of a layer of full rank leave it as it was, also for new rows.
	assert.InDeltaSlice(t, fresh.Data, applied(t, &compress.Projection{Directions: d, K: 5}, fresh).Data, 1e-10)
	// Projecting twice is projecting once.
	p := &compress.Projection{Directions: d, K: 2}
	assert.InDeltaSlice(t, applied(t, p, fresh).Data, applied(t, p, applied(t, p, fresh)).Data, 1e-10)

	// Without directions neurons keep what they have.
	mean := []float64{10, 11, 12, 13, 14}
	z := applied(t, &compress.Projection{Neurons: []int{3, 0}, Mean: mean}, fresh)
	for i := range z.Rows {
		assert.Equal(t, []float64{fresh.At(i, 0), 11, 12, fresh.At(i, 3), 14}, z.Row(i))
	}
	assert.Equal(t, fresh, applied(t, &compress.Projection{}, fresh))
	// Other means than those of the directions.
	z = applied(t, &compress.Projection{Directions: d, K: 1, Neurons: []int{2}, Mean: mean}, fresh)
	assert.Equal(t, 14.0, z.At(0, 4))
}

// Blocks of rows are those of the layer, in order.
func TestBlocks(t *testing.T) {
	const n, d = 3000, 400 // more than one block of 8 MiB
	values := make([]float64, n*d)
	for i := range values {
		values[i] = float64(i)
	}
	next, calls := 0.0, 0
	require.NoError(t, (&compress.Projection{}).Apply(svcca.FromSlice("x", values, n, d), func(rows lapack.Matrix[float64]) error {
		calls++
		for i := range rows.Rows {
			for _, v := range rows.Row(i) {
				if v != next {
					return errors.New("out of order")
				}
				next++
			}
		}
		return nil
	}))
	assert.Equal(t, float64(n*d), next)
	assert.Greater(t, calls, 1)
}

// Other neuron orders and rotations of the other layer leave the projection alone.
func TestProjectionInvariance(t *testing.T) {
	x, c := pair(t, 40, 5, svcca.FullRank())
	order := []int{3, 1, 4, 0, 2}
	permuted := lapack.New[float64](40, 5)
	for i := range 40 {
		for j, from := range order {
			permuted.Set(i, j, x.At(i, from))
		}
	}
	_, other := pair(t, 40, 5, svcca.FullRank())
	y := random(2, 40, 5)
	for i := range 40 {
		for j := range 5 {
			y.Set(i, j, y.At(i, j)*float64(j)+x.At(i, j))
		}
		for j := range 4 { // rotate the other layer in each plane (j, j + 1)
			a, b := y.At(i, j), y.At(i, j+1)
			y.Set(i, j, 0.6*a-0.8*b)
			y.Set(i, j+1, 0.8*a+0.6*b)
		}
	}
	other, err := svcca.Between(layer("x", permuted), layer("y", y), svcca.Options{Keep: svcca.FullRank()})
	require.NoError(t, err)
	for k := range 6 {
		want := applied(t, &compress.Projection{Directions: c.X.Directions, K: k}, x)
		got := applied(t, &compress.Projection{Directions: other.X.Directions, K: k}, permuted)
		importance, turned := compress.Importance(c.X.Directions, k), compress.Importance(other.X.Directions, k)
		for j, from := range order {
			assert.InDelta(t, importance[from], turned[j], 1e-9)
			for i := range 40 {
				assert.InDelta(t, want.At(i, from), got.At(i, j), 1e-9)
			}
		}
	}
}

func TestProjectionErrors(t *testing.T) {
	x, c := pair(t, 30, 5, svcca.FullRank())
	d := c.X.Directions
	none := func(lapack.Matrix[float64]) error { return nil }
	for _, test := range []struct {
		p    compress.Projection
		is   error
		says string
	}{
		{compress.Projection{Directions: d, K: 6}, svcca.ErrOptions, "6 of 5 directions"},
		{compress.Projection{Directions: d, K: -1}, svcca.ErrOptions, "-1 of 5 directions"},
		{compress.Projection{Neurons: []int{0}}, svcca.ErrMismatch, `layer "x" has 5 neurons, there are means of 0`},
		{compress.Projection{Neurons: []int{0}, Mean: []float64{1}}, svcca.ErrMismatch, "means of 1"},
		{compress.Projection{Directions: d, K: 1, Neurons: []int{5}}, svcca.ErrOptions, "neuron 5 of a layer of 5"},
		{compress.Projection{Directions: d, K: 1, Neurons: []int{-1}}, svcca.ErrOptions, "neuron -1"},
		{compress.Projection{Directions: d, K: 1, Neurons: []int{2, 2}}, svcca.ErrOptions, "each once"},
	} {
		err := test.p.Apply(layer("x", x), none)
		assert.ErrorIs(t, err, test.is)
		assert.ErrorContains(t, err, test.says)
	}
	p := &compress.Projection{Directions: d, K: 1}
	assert.ErrorIs(t, p.Apply(layer("x", random(1, 30, 4)), none), svcca.ErrMismatch)
	assert.ErrorIs(t, p.Apply(svcca.FromSlice("x", []float64{}, 0, 5), none), svcca.ErrShape)
	bad := random(3, 4, 5)
	bad.Set(2, 3, math.NaN())
	for _, p := range []*compress.Projection{p, {}} {
		var at *svcca.NotFiniteError
		require.ErrorAs(t, p.Apply(layer("x", bad), none), &at)
		assert.Equal(t, [2]int{2, 3}, [2]int{at.Datapoint, at.Neuron})
		stop := errors.New("enough")
		assert.ErrorIs(t, p.Apply(layer("x", x), func(lapack.Matrix[float64]) error { return stop }), stop)
	}
}

func TestImportance(t *testing.T) {
	d := &svcca.Directions{Mean: make([]float64, 3), Map: lapack.New[float64](3, 2), Decoder: lapack.Of(2, 3, []float64{3, 0, -1, 4, 2, 1})}
	assert.Equal(t, []float64{0, 0, 0}, compress.Importance(d, 0))
	assert.Equal(t, []float64{3, 0, 1}, compress.Importance(d, 1))
	assert.InDeltaSlice(t, []float64{5, 2, math.Sqrt2}, compress.Importance(d, 2), 1e-15)
	assert.Panics(t, func() { compress.Importance(d, 3) })
}

func TestLargest(t *testing.T) {
	values := []float64{1, 5, -2, 5, 1}
	assert.Equal(t, []int{1, 3, 0, 4, 2}, compress.Largest(values, 5), "the lower number first at a tie")
	assert.Equal(t, []int{1}, compress.Largest(values, 1))
	assert.Empty(t, compress.Largest(values, 0))
	assert.Equal(t, []float64{1, 5, -2, 5, 1}, values)
}

func TestRandom(t *testing.T) {
	for _, q := range []int{0, 1, 7, 20} {
		chosen := compress.Random(20, q, 4)
		require.Len(t, chosen, q)
		assert.Equal(t, compress.Random(20, 20, 4)[:q], chosen, "the same ones first")
		slices.Sort(chosen)
		assert.Len(t, slices.Compact(chosen), q, "each once")
	}
	assert.NotEqual(t, compress.Random(20, 20, 4), compress.Random(20, 20, 5))
	// Of 2000 seeds each neuron is among 5 of 20 in 500, give or take √375 ≈ 19.
	counts := make([]int, 20)
	for seed := range uint64(2000) {
		for _, j := range compress.Random(20, 5, seed) {
			counts[j]++
		}
	}
	for j, c := range counts {
		assert.InDelta(t, 500, c, 5*math.Sqrt(375), "neuron %d", j)
	}
}

// What is left of a layer that is projected on the two directions that it shares best with
// another network's, and of that when four neurons alone keep their values.
func ExampleProjection() {
	x, err := digits.Open("a/fc3")
	if err != nil {
		panic(err)
	}
	y, err := digits.Open("b/fc3")
	if err != nil {
		panic(err)
	}
	c, err := svcca.Between(x, y, svcca.Options{})
	if err != nil {
		panic(err)
	}
	variance := func(p compress.Projection) (sum float64) {
		mean, n := c.X.Directions.Mean, float64(c.X.Datapoints)
		err := p.Apply(x, func(rows lapack.Matrix[float64]) error {
			for i := range rows.Rows {
				for j, v := range rows.Row(i) {
					sum += (v - mean[j]) * (v - mean[j]) / n
				}
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
		return sum
	}
	all := variance(compress.Projection{})
	two := compress.Projection{Directions: c.X.Directions, K: 2}
	fmt.Printf("%.1f%% of the variance\n", 100*variance(two)/all)
	two.Neurons = compress.Largest(compress.Importance(c.X.Directions, 2), 4)
	fmt.Printf("%.1f%% in neurons %v\n", 100*variance(two)/all, two.Neurons)
	// Output:
	// 57.2% of the variance
	// 10.5% in neurons [57 31 4 25]
}
