package conv_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reduced(t require.TestingT, m conv.Maps, translations [2]int, o conv.Options) *conv.Reduced {
	r, err := conv.Reduce(context.Background(), m, translations, o)
	require.NoError(t, err)
	return r
}

// compared is between, with each layer reduced by itself.
func compared(t require.TestingT, x, y conv.Maps, o conv.Options) *conv.Result {
	under := o.Translations(x, y)
	r, err := conv.Compare(context.Background(), reduced(t, x, under, o), reduced(t, y, under, o))
	require.NoError(t, err)
	finite(t, r)
	return r
}

// alike holds b to what a says.
func alike(t *testing.T, what string, a, b *conv.Result) {
	t.Helper()
	bound := a.ErrorBound + b.ErrorBound + 16*ulp // several roundings of sums beside
	require.Equal(t, [4]int{a.X.Rank, a.X.K, a.Y.Rank, a.Y.K}, [4]int{b.X.Rank, b.X.K, b.Y.Rank, b.Y.K}, what)
	assert.InDeltaSlice(t, a.Rho, b.Rho, bound, what)
	assert.InDelta(t, a.Mean, b.Mean, bound, what)
	assert.InDelta(t, a.MeanSquare, b.MeanSquare, bound, what)
	for _, w := range [][2]float64{{a.WeightedX, b.WeightedX}, {a.WeightedY, b.WeightedY}} {
		assert.InDelta(t, w[0], w[1], a.WeightedErrorBound+b.WeightedErrorBound+16*ulp, what)
	}
	if a.PWCCAUnique {
		assert.InDelta(t, a.PWCCAX, b.PWCCAX, a.PWCCAErrorBound+b.PWCCAErrorBound+16*ulp, what)
		assert.InDelta(t, a.PWCCAY, b.PWCCAY, a.PWCCAErrorBound+b.PWCCAErrorBound+16*ulp, what)
	}
	assert.InDelta(t, a.Chance, b.Chance, 0x1p-50, what)
	assert.Equal(t, a.ForcedOnes, b.ForcedOnes, what)
	assert.Equal(t, a.Translations, b.Translations, what)
	assert.Equal(t, a.Approximate, b.Approximate, what)
	share := 1e-12
	if a.Options.Precision == svcca.Mixed {
		share = 1e-7 // of float32, in s
	}
	assert.InDelta(t, a.Thrown[0], b.Thrown[0], share, what)
	assert.InDelta(t, a.Thrown[1], b.Thrown[1], share, what)
	assert.Equal(t, a.Blocks, b.Blocks, what)
	assert.Equal(t, a.OffBlockX, b.OffBlockX, what)
	assert.Equal(t, a.OffBlockY, b.OffBlockY, what)
	assert.Equal(t, a.Options, b.Options, what)
}

// TestCompare: layers that were reduced one by one compare as Between has it, on every path:
// more images than columns or fewer, in one layer or both; strides; vectors on either side;
// a low pass; weights, and whatever the options say of both.
func TestCompare(t *testing.T) {
	methods := map[svcca.Method]bool{}
	for _, test := range []struct {
		n    int
		x, y [3]int
	}{
		{40, [3]int{4, 4, 3}, [3]int{4, 4, 2}}, {40, [3]int{8, 4, 2}, [3]int{4, 4, 3}}, {9, [3]int{4, 4, 12}, [3]int{4, 4, 3}},
		{9, [3]int{4, 4, 3}, [3]int{4, 4, 12}}, {9, [3]int{4, 4, 12}, [3]int{4, 4, 10}}, {9, [3]int{8, 8, 4}, [3]int{4, 4, 3}},
		{40, [3]int{6, 5, 3}, [3]int{1, 1, 6}}, {9, [3]int{5, 6, 3}, [3]int{1, 1, 12}}, {9, [3]int{5, 6, 12}, [3]int{1, 1, 4}},
		{40, [3]int{1, 1, 6}, [3]int{4, 4, 3}}, {40, [3]int{1, 1, 6}, [3]int{1, 1, 3}}, {40, [3]int{6, 5, 3}, [3]int{4, 5, 2}},
	} {
		x, y := ordinary(test.n, test.x, test.y)
		x.vector, y.vector = test.x[0] == 1, test.y[0] == 1
		var weights []float64
		for i := range test.n {
			weights = append(weights, 0.5+float64(i%3))
		}
		for _, o := range []conv.Options{
			{}, {LowPass: true}, only(svcca.Options{Accuracy: 1e-300}), only(svcca.Options{Keep: svcca.FullRank(), Weights: weights}),
			{Options: svcca.Options{Precision: svcca.Mixed}}, only(svcca.Options{Precision: svcca.Mixed, Weights: weights}),
			{Options: svcca.Options{Centering: svcca.CenterTranslated, Keep: svcca.Sum(0.9)}}, only(svcca.Options{Centering: svcca.CenterNone, Keep: svcca.Count(5)}),
			{LowPass: true, Options: svcca.Options{Centering: svcca.CenterTranslated, Precision: svcca.Mixed}},
		} {
			a, b := between(t, x.all("x"), y.all("y"), o), compared(t, x.all("x"), y.all("y"), o)
			what := fmt.Sprintf("%+v %+v", test, o)
			alike(t, what, a, b)
			if methods[b.Method] = true; o.Precision == svcca.Double { // else one layer may fall back alone
				assert.Equal(t, codes(a), codes(b), what)
			}
		}
	}
	for _, m := range []svcca.Method{svcca.MethodMoments, svcca.MethodRows, svcca.MethodTriangle, svcca.MethodMoments + "/" + svcca.MethodRows} {
		assert.True(t, methods[m], "no comparison by %s", m)
	}
}

func codes(r *conv.Result) (all []string) {
	for _, w := range r.Warnings {
		all = append(all, w.Code)
	}
	return all
}

// TestPrepared: prepared layers have the scores of Between, at any sizes, and no directions.
func TestPrepared(t *testing.T) {
	ctx := context.Background()
	const n = 40
	x, y := ordinary(n, [3]int{8, 4, 2}, [3]int{4, 4, 3})
	logits, _ := ordinary(n, [3]int{1, 1, 4}, [3]int{1, 1, 1})
	logits.vector = true
	layers := []sumsOf{x, y, logits}
	for _, o := range []conv.Options{{}, {LowPass: true}, {Options: svcca.Options{Precision: svcca.Mixed}}} {
		var ready []*conv.Prepared
		for i, l := range layers {
			ready = append(ready, conv.Prepare(l.all(fmt.Sprint(i)), o))
		}
		for i, a := range layers {
			for j, b := range layers {
				got, err := ready[i].Compare(ctx, ready[j])
				require.NoError(t, err)
				alike(t, fmt.Sprint(i, j, o), between(t, a.all("x"), b.all("y"), o), got)
				assert.Nil(t, got.DirectionsX)
				assert.Nil(t, got.DirectionsY)
			}
		}
	}
}

// TestPreparedTooLarge: what reductions of many large maps would take is no reason not to
// compare them, nor of how much memory there is to say something else.
func TestPreparedTooLarge(t *testing.T) {
	none := func(n, size, channels int) conv.Maps {
		shape := []int{n, size, size, channels}
		m, err := conv.Of(sized{told{shape: shape}, n, size * size * channels}, conv.NHWC)
		require.NoError(t, err)
		return m
	}
	ctx := context.Background()
	x, y := ordinary(40, [3]int{8, 4, 2}, [3]int{4, 4, 3})
	flat := x.times(0)
	defer conv.MostHeldForTest(8*40*48 - 1)() // y's
	o := conv.Options{}
	require.False(t, conv.Held(x.all("x"), y.all("y"), o))
	got, err := conv.Prepare(x.all("x"), o).Compare(ctx, conv.Prepare(y.all("y"), o))
	require.NoError(t, err)
	want := between(t, x.all("x"), y.all("y"), o)
	want.DirectionsX, want.DirectionsY = nil, nil
	assert.Equal(t, want, got)
	_, err = conv.Prepare(x.all("x"), o).Compare(ctx, conv.Prepare(flat.all("flat"), o))
	fault := (*conv.Fault)(nil)
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, 1, fault.Layer)
	assert.ErrorIs(t, err, svcca.ErrConstant)
	conv.MostHeldForTest(1 << 29)

	vector := conv.Vector(sized{told{}, 1 << 20, 1000})
	assert.True(t, conv.Held(none(512, 16, 64), none(512, 8, 128), conv.Options{}))
	assert.True(t, conv.Held(none(4096, 16, 64), none(4096, 16, 64), conv.Options{}), "512 MiB")
	assert.False(t, conv.Held(none(4097, 16, 64), none(4097, 16, 64), conv.Options{}))
	assert.False(t, conv.Held(none(512, 16, 64), vector, conv.Options{}))
	assert.True(t, conv.Held(none(16, 112, 512), none(16, 7, 512), conv.Options{}), "few images have few directions")
}

// sized is a layer of which there is no more than its size.
type sized struct {
	told
	n, d int
}

func (s sized) Dims() (n, d int) { return s.n, s.d }

// TestCompareDirections: the aligned directions of reduced layers have the correlations
// that are said of them, on the maps themselves.
func TestCompareDirections(t *testing.T) {
	const n = 40
	x, y := ordinary(n, [3]int{8, 4, 2}, [3]int{4, 4, 3})
	r := compared(t, x.all("x"), y.all("y"), conv.Options{})
	tolerance := directionsTolerance(n, r.X, r.Y)
	for at, b := range r.DirectionsX.Blocks {
		alongX, _ := coordinates(columnsAt(x.maps, 4, 4, b.U, b.V), b, nil)
		alongY, _ := coordinates(columnsAt(y.maps, 4, 4, b.U, b.V), r.DirectionsY.Blocks[at], nil)
		require.Len(t, alongX[0], len(alongY[0]))
		for i, rho := range b.Rho {
			p := product(alongX, alongY, i, i)
			assert.InDelta(t, rho, real(p), tolerance)
			assert.InDelta(t, 0, imag(p), tolerance)
		}
	}
}

// TestCompareOrthonormal: the coordinates of a layer are orthonormal also where those
// that the SV step leaves are not, so that a layer is itself to rounding.
func TestCompareOrthonormal(t *testing.T) {
	const n = 60
	x, _ := ordinary(n, [3]int{4, 4, 6}, [3]int{4, 4, 6})
	for _, image := range x.maps { // neurons of 1% of the others
		for _, row := range image {
			for _, position := range row {
				for k := 3; k < 6; k++ {
					position[k] *= 0.01
				}
			}
		}
	}
	x = x.mixed(orthogonal(6)) // else solvers see which they are
	r := compared(t, x.all("x"), x.all("x"), only(svcca.Options{Keep: svcca.Variance(1 - 1e-6), Accuracy: 0.1}))
	require.Equal(t, svcca.MethodMoments, r.Method)
	require.Greater(t, r.ErrorBound, 1e-10, "the SV step must lose something")
	assert.GreaterOrEqual(t, r.Rho[len(r.Rho)-1], 1-100*ulp)
}

// TestReducedIsReused: one reduction serves all comparisons, in any order and at once, and
// none of them changes it; bits do not depend on how many work.
func TestReducedIsReused(t *testing.T) {
	const n = 30
	ctx := context.Background()
	var layers []*conv.Reduced
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 7))
		layers = append(layers, reduced(t, randomMaps(rng, n, 4, 4, 3).slice(fmt.Sprint(seed), conv.Layout(seed%2), false), [2]int{}, conv.Options{}))
	}
	logits := make([]float64, n*4)
	for i := range logits {
		logits[i] = float64(i * i % 17)
	}
	layers = append(layers, reduced(t, conv.Vector(svcca.FromSlice("logits", logits, n, 4)), [2]int{4, 4}, conv.Options{}))
	all := func() (results []*conv.Result) {
		results = make([]*conv.Result, len(layers)*len(layers))
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() {
				r, err := conv.Compare(ctx, layers[i/len(layers)], layers[i%len(layers)])
				if assert.NoError(t, err) {
					results[i] = r
				}
			})
		}
		group.Wait()
		return results
	}
	defer native.LimitThreads(1)()
	first := all()
	assert.Equal(t, first, all())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	assert.Equal(t, first, all())
	again := reduced(t, randomMaps(rand.New(rand.NewPCG(0, 7)), n, 4, 4, 3).slice("0", conv.NHWC, false), [2]int{}, conv.Options{})
	r, err := conv.Compare(ctx, again, layers[1])
	require.NoError(t, err)
	assert.Equal(t, first[1], r, "one worker reduces as several do")
}

// TestReduceIsMoments: what is said of one layer is what its sums say.
func TestReduceIsMoments(t *testing.T) {
	x, _ := ordinary(40, [3]int{8, 4, 2}, [3]int{4, 4, 2})
	for _, under := range [][2]int{{}, {4, 2}, {1, 1}} {
		got := reduced(t, x.all("x"), under, conv.Options{})
		m := conv.Moments{Translations: under}
		require.NoError(t, m.Add(context.Background(), x.all("x"), nil))
		want, err := m.Reduce(conv.Options{})
		require.NoError(t, err)
		assert.Equal(t, want.Translations, got.Translations)
		assert.Equal(t, [3]int{want.Rank, want.K, want.Neurons}, [3]int{got.Rank, got.K, got.Neurons})
		require.Len(t, got.Blocks, len(want.Blocks))
		for i, b := range want.Blocks {
			assert.InDeltaSlice(t, b.SingularValues, got.Blocks[i].SingularValues, 1e-12*want.SingularValues[0])
			assert.Equal(t, b.K, got.Blocks[i].K)
		}
		assert.NotNil(t, got.OffBlock)
		assert.Nil(t, want.OffBlock)
		_, err = conv.Compare(context.Background(), got, want)
		assert.ErrorIs(t, err, svcca.ErrNoRows)
		assert.ErrorContains(t, err, `layer "x" was reduced from sums alone: a Pair can compare it`)
	}
}

// TestReduceRefused: what does not go together says why.
func TestReduceRefused(t *testing.T) {
	ctx := context.Background()
	const n = 20
	x, y := ordinary(n, [3]int{6, 4, 3}, [3]int{6, 4, 2})
	few, _ := ordinary(n-1, [3]int{6, 4, 3}, [3]int{4, 4, 2})
	failed := errors.New("the disk is gone")
	read := told{Layer: x.flat(), shape: []int{n, 6, 4, 3}, err: failed, after: n - 1}
	low := conv.Options{LowPass: true}
	for name, test := range map[string]struct {
		m     conv.Maps
		under [2]int
		o     conv.Options
		is    error
		says  string
	}{
		"translations":      {m: x.all("x"), under: [2]int{4, 4}, is: svcca.ErrShape, says: "4 × 4 translations of maps of 6 × 4"},
		"negative":          {m: x.all("x"), under: [2]int{-1, 4}, is: svcca.ErrShape},
		"even frequencies":  {m: x.all("x"), under: [2]int{4, 3}, o: low, is: svcca.ErrShape, says: "6 × 4 to 4 × 3 frequencies"},
		"more frequencies":  {m: x.all("x"), under: [2]int{7, 0}, o: low, is: svcca.ErrShape},
		"fewer frequencies": {m: x.all("x"), under: [2]int{-3, 0}, o: low, is: svcca.ErrShape},
		"constant":          {m: x.times(0).all("flat"), is: svcca.ErrConstant, says: `"flat"`},
		"weights":           {m: x.all("x"), o: only(svcca.Options{Weights: []float64{1}}), is: svcca.ErrMismatch},
		"keep":              {m: x.all("x"), o: only(svcca.Options{Keep: svcca.Count(0)}), is: svcca.ErrOptions},
		"no images":         {m: conv.FromSlice("none", []float64{}, 0, 4, 4, 3, conv.NHWC), is: svcca.ErrShape},
		"NaN":               {m: x.plus(math.NaN()).all("x"), is: svcca.ErrNotFinite},
		"read":              {m: read.maps(t), is: failed, says: `layer "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := conv.Reduce(ctx, test.m, test.under, test.o)
			require.ErrorIs(t, err, test.is)
			assert.ErrorContains(t, err, test.says)
			assert.Nil(t, r)
		})
	}
	weighted := only(svcca.Options{Weights: make([]float64, n)})
	for i := range weighted.Weights {
		weighted.Weights[i] = 2
	}
	a, v := reduced(t, x.all("x"), [2]int{}, conv.Options{}), y
	v.vector = true
	for name, test := range map[string]struct {
		b    *conv.Reduced
		says string
	}{
		"images":       {reduced(t, few.all("y"), [2]int{}, conv.Options{}), `layers "x" and "y": 20 and 19 images`},
		"translations": {reduced(t, y.all("y"), [2]int{2, 4}, conv.Options{}), `6 × 4 and 2 × 4 translations`},
		"centring":     {reduced(t, y.all("y"), [2]int{}, only(svcca.Options{Centering: svcca.CenterNone})), "different centring or weights"},
		"weights":      {reduced(t, y.all("y"), [2]int{}, weighted), "different centring or weights"},
		"of a vector":  {reduced(t, v.all("v"), [2]int{}, weighted), "different centring or weights"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pair := range [][2]*conv.Reduced{{a, test.b}, {test.b, a}} {
				_, err := conv.Compare(ctx, pair[0], pair[1])
				require.ErrorIs(t, err, svcca.ErrMismatch)
			}
			_, err := conv.Compare(ctx, a, test.b)
			assert.ErrorContains(t, err, test.says)
		})
	}
	// Three frequencies of an axis are not three translations along it.
	wide, _ := ordinary(n, [3]int{9, 4, 1}, [3]int{1, 1, 1})
	_, err := conv.Compare(ctx, reduced(t, wide.all("wide"), [2]int{3, 4}, conv.Options{}), reduced(t, wide.all("wide"), [2]int{3, 4}, low))
	require.ErrorIs(t, err, svcca.ErrMismatch)
	assert.ErrorContains(t, err, "one reduced by a low pass, one by strides")
	// Weights are a copy: what becomes of the caller's does not matter.
	b := reduced(t, y.all("y"), [2]int{}, weighted)
	weighted.Weights[3] = 5
	assert.Equal(t, 2.0, b.Options.Weights[3])
}

// TestReduceEnds: either step ends with its context.
func TestReduceEnds(t *testing.T) {
	x, y := ordinary(40, [3]int{4, 4, 3}, [3]int{4, 4, 2})
	a, b := reduced(t, x.all("x"), [2]int{}, conv.Options{}), reduced(t, y.all("y"), [2]int{}, conv.Options{})
	ended, end := context.WithCancel(context.Background())
	end()
	_, err := conv.Reduce(ended, x.all("x"), [2]int{}, conv.Options{})
	assert.ErrorIs(t, err, context.Canceled)
	_, err = conv.Compare(ended, a, b)
	assert.ErrorIs(t, err, context.Canceled)
	// In the pass for coordinates, which is the second over all images.
	ctx, end := context.WithCancel(context.Background())
	defer end()
	var mu sync.Mutex
	reads := 0
	read := told{Layer: x.flat(), shape: []int{40, 4, 4, 3}, read: func() {
		mu.Lock()
		defer mu.Unlock()
		if reads++; reads == 32+32+40+1 { // looked at, for provisional means, for products
			end()
		}
	}}
	_, err = conv.Reduce(ctx, read.maps(t), [2]int{}, only(svcca.Options{}))
	assert.ErrorIs(t, err, context.Canceled)
}

// BenchmarkCompare is BenchmarkBetween for layers that are reduced.
func BenchmarkCompare(b *testing.B) {
	x, y := benchmarkMaps()
	o := only(svcca.Options{})
	b.Run("Reduce", func(b *testing.B) {
		for b.Loop() {
			reduced(b, x, [2]int{}, o)
		}
	})
	first, second := reduced(b, x, [2]int{}, o), reduced(b, y, [2]int{}, o)
	b.Run("Compare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := conv.Compare(context.Background(), first, second)
			require.NoError(b, err)
		}
	})
}
