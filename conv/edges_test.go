package conv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// told is a layer that answers as it is told.
type told struct {
	svcca.Layer
	storage string
	shape   []int
	err     error
	after   int    // images from here on fail
	read    func() // called on each Read
}

func (o told) Name() string { return "x" }
func (o told) Shape() []int { return o.shape }
func (o told) Storage() string {
	if o.storage == "" {
		return "float64"
	}
	return o.storage
}

func (o told) Read(dst lapack.Matrix[float64], row, col int) error {
	if o.read != nil {
		o.read()
	}
	if o.err != nil && row+dst.Rows > o.after {
		return o.err
	}
	return o.Layer.Read(dst, row, col)
}

// maps returns them as such, in NHWC; of what Of refuses too where t is nil.
func (o told) maps(t *testing.T) conv.Maps {
	m, err := conv.Of(o, conv.NHWC)
	if t != nil {
		require.NoError(t, err)
	}
	return m
}

// flat returns the images as rows, in NHWC.
func (m maps) flat() svcca.Layer { return m.slice("x", conv.NHWC, false).Flatten() }

// ordinary returns a pair of layers with nothing wrong about it.
func ordinary(n int, x, y [3]int) (sumsOf, sumsOf) {
	rng := rand.New(rand.NewPCG(30, 13))
	a, b := sumsOf{maps: randomMaps(rng, n, x[0], x[1], x[2])}, sumsOf{maps: randomMaps(rng, n, y[0], y[1], y[2])}
	b.share(a.maps, 0.8)
	return a, b
}

func (l sumsOf) all(name string) conv.Maps { return l.layer(name, conv.NHWC, upTo(len(l.maps))) }

// only is without the estimate of off-block energy.
func only(o svcca.Options) conv.Options { return conv.Options{Options: o, OffBlock: -1} }

func between(t require.TestingT, x, y conv.Maps, o conv.Options) *conv.Result {
	r, err := conv.Between(context.Background(), x, y, o)
	require.NoError(t, err)
	finite(t, r)
	return r
}

// finite fails where a number of a result is no number.
func finite(t require.TestingT, r *conv.Result) {
	values := []float64{r.Mean, r.MeanSquare, r.WeightedX, r.WeightedY, r.Weighted, r.PWCCAX, r.PWCCAY}
	for _, v := range append(values, r.Rho...) {
		require.True(t, v >= 0 && v <= 1+16*0x1p-52, "score %v", v)
	}
	require.True(t, slices.IsSortedFunc(r.Rho, func(a, b float64) int { return -cmpFloat(a, b) }), "ρ not sorted")
	for _, v := range []float64{r.ErrorBound, r.WeightedErrorBound, r.PWCCAErrorBound, r.Thrown[0], r.Thrown[1]} {
		require.True(t, v >= 0 && v <= 1, "bound %v", v)
	}
	for _, s := range append(append([]float64{r.Chance}, r.X.SingularValues...), r.Y.SingularValues...) {
		require.True(t, s >= 0 && s <= math.MaxFloat64, "%v", s)
	}
	require.Len(t, r.Rho, min(r.X.K, r.Y.K))
	kx, ky := 0, 0
	for _, b := range r.Blocks {
		kx, ky = kx+b.Multiplicity*b.KX, ky+b.Multiplicity*b.KY
	}
	require.Equal(t, [2]int{r.X.K, r.Y.K}, [2]int{kx, ky})
	for _, d := range []*conv.Directions{r.DirectionsX, r.DirectionsY} {
		for _, b := range d.Blocks {
			for _, m := range [][]complex128{b.Map.Data, b.Decoder.Data, b.Mean} {
				for _, v := range m {
					require.False(t, cmplx.IsNaN(v) || cmplx.IsInf(v), "direction %v", v)
				}
			}
		}
	}
	_, err := json.Marshal(r)
	require.NoError(t, err)
}

func cmpFloat(a, b float64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// TestNotFinite: NaN and infinities are an error that names the first by images, wherever
// the values are summed: in sums of columns, of images, by strides, in vectors.
func TestNotFinite(t *testing.T) {
	for name, layers := range map[string][2]sumsOf{
		"columns": pairOfSizes(50, [3]int{4, 4, 3}, [3]int{4, 4, 2}), "images": pairOfSizes(9, [3]int{4, 4, 12}, [3]int{4, 4, 10}),
		"strides": pairOfSizes(40, [3]int{8, 8, 2}, [3]int{4, 4, 3}), "one of images": pairOfSizes(9, [3]int{4, 4, 12}, [3]int{4, 4, 3}),
	} {
		x, y := layers[0], layers[1]
		n := len(x.maps)
		h, w, c := x.sizes()
		for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				for _, image := range []int{0, n / 2, n - 1} {
					broken := x.mapped(func(_ int, v float64) float64 { return v })
					broken.maps[image][h-1][w/2][c/2] = bad
					if image+1 < n { // a later one, before it in its image
						broken.maps[image+1][0][0][0] = math.Inf(1)
					}
					check := func(a, b conv.Maps, where string) {
						_, err := conv.Between(context.Background(), a, b, conv.Options{Options: svcca.Options{Precision: precision}})
						require.ErrorIs(t, err, svcca.ErrNotFinite, "%s, %s", name, where)
						var at *svcca.NotFiniteError
						require.ErrorAs(t, err, &at, where)
						require.Equal(t, []any{"broken", image, ((h-1)*w+w/2)*c + c/2, fmt.Sprint(bad)}, []any{at.Layer, at.Datapoint, at.Neuron, fmt.Sprint(at.Value)}, "%s, %s", name, where)
					}
					check(broken.all("broken"), y.all("y"), "left")
					check(y.all("y"), broken.all("broken"), "right")
				}
			}
		}
	}
	x, _ := ordinary(40, [3]int{4, 4, 3}, [3]int{4, 4, 2})
	logits := make([]float64, 40*5)
	for i := range logits {
		logits[i] = float64(i * i % 17)
	}
	logits[38*5+2] = math.NaN()
	_, err := conv.Between(context.Background(), x.all("x"), conv.Vector(svcca.FromSlice("logits", logits, 40, 5)), conv.Options{})
	var at *svcca.NotFiniteError
	require.ErrorAs(t, err, &at)
	assert.Equal(t, []any{"logits", 38, 2}, []any{at.Layer, at.Datapoint, at.Neuron})
}

func pairOfSizes(n int, x, y [3]int) [2]sumsOf {
	a, b := ordinary(n, x, y)
	return [2]sumsOf{a, b}
}

// TestRefused: what cannot be compared says why, by type.
func TestRefused(t *testing.T) {
	const n = 20
	x, y := ordinary(n, [3]int{4, 4, 3}, [3]int{4, 4, 2})
	few, _ := ordinary(3, [3]int{4, 4, 3}, [3]int{4, 4, 2})
	wide, _ := ordinary(3, [3]int{4, 4, 5}, [3]int{4, 4, 2})
	single, _ := ordinary(1, [3]int{4, 4, 1}, [3]int{4, 4, 2})
	shape := []int{n, 4, 4, 3}
	failed := errors.New("the disk is gone")
	weights := func(w ...float64) conv.Options { return only(svcca.Options{Weights: w}) }
	constant := x.mapped(func(int, float64) float64 { return 0.1 })
	for name, test := range map[string]struct {
		x, y conv.Maps
		o    conv.Options
		is   error
		says string
	}{
		"no images":        {x: conv.FromSlice("none", []float64{}, 0, 4, 4, 3, conv.NHWC), is: svcca.ErrShape, says: `"none"`},
		"no channels":      {x: conv.FromSlice("none", []float32{}, n, 4, 4, 0, conv.NHWC), is: svcca.ErrShape, says: "4 × 4 × 0"},
		"no height":        {y: conv.FromSlice("none", []float32{}, n, 0, 4, 3, conv.NHWC), is: svcca.ErrShape, says: "0 × 4 × 3"},
		"nothing":          {x: conv.FromSlice("none", []float64{}, 0, 0, 0, 0, conv.NHWC), is: svcca.ErrShape},
		"no vectors":       {x: conv.Vector(svcca.FromSlice("none", []float64{}, 0, 0)), is: svcca.ErrShape},
		"storage":          {x: told{Layer: x.flat(), shape: shape, storage: "int8"}.maps(nil), is: svcca.ErrStorage, says: "int8"},
		"mismatch":         {x: x.all("x"), y: few.all("y"), is: svcca.ErrMismatch, says: "20 and 3"},
		"constant":         {x: constant.all("x"), is: svcca.ErrConstant, says: "3 of 3"},
		"constant right":   {y: constant.all("flat"), is: svcca.ErrConstant, says: `"flat"`},
		"zero":             {x: x.times(0).all("x"), is: svcca.ErrConstant},
		"zero, uncentred":  {x: x.times(0).all("x"), o: only(svcca.Options{Centering: svcca.CenterNone}), is: svcca.ErrConstant},
		"zero, translated": {x: x.times(0).all("x"), o: only(svcca.Options{Centering: svcca.CenterTranslated}), is: svcca.ErrConstant},
		"wide constant":    {x: wide.mapped(func(int, float64) float64 { return 3 }).all("x"), y: few.all("y"), is: svcca.ErrConstant, says: "5 of 5"},
		"wide zero":        {x: wide.times(0).all("x"), y: few.all("y"), is: svcca.ErrConstant},
		"one image":        {x: single.all("x"), y: single.all("y"), is: svcca.ErrConstant},
		"one wide image":   {x: wide.layer("x", conv.NHWC, []int{1}), y: single.all("y"), is: svcca.ErrConstant, says: `"x"`},
		"constant vector":  {y: conv.Vector(svcca.FromSlice("logits", slices.Repeat([]float64{0.3}, n*4), n, 4)), is: svcca.ErrConstant, says: `"logits"`},
		"no weights":       {o: weights([]float64{}...), is: nil},
		"weights empty":    {o: only(svcca.Options{Weights: []float64{}}), is: svcca.ErrMismatch, says: "0 weights for 20 images"},
		"weights short":    {o: weights(1, 2, 3), is: svcca.ErrMismatch, says: "3 weights for 20 images"},
		"weight 0":         {x: few.all("x"), y: few.all("y"), o: weights(1, 0, 1), is: svcca.ErrOptions},
		"weight negative":  {x: few.all("x"), y: few.all("y"), o: weights(1, 1, -1), is: svcca.ErrOptions},
		"weight NaN":       {x: few.all("x"), y: few.all("y"), o: weights(1, 1, math.NaN()), is: svcca.ErrOptions},
		"weight infinite":  {x: few.all("x"), y: few.all("y"), o: weights(math.Inf(1), 1, 1), is: svcca.ErrOptions},
		"weight 1e300":     {x: few.all("x"), y: few.all("y"), o: weights(1, 1e300, 1), is: svcca.ErrRange, says: "image 1"},
		"variance 0":       {o: only(svcca.Options{Keep: svcca.Variance(0)}), is: svcca.ErrOptions},
		"count 0":          {o: only(svcca.Options{Keep: svcca.Count(0)}), is: svcca.ErrOptions},
		"tolerance 1":      {o: only(svcca.Options{RankTol: svcca.ShareTol(1)}), is: svcca.ErrOptions},
		"centring":         {o: only(svcca.Options{Centering: 7}), is: svcca.ErrOptions},
		"precision":        {o: only(svcca.Options{Precision: 7}), is: svcca.ErrOptions},
		"accuracy":         {o: only(svcca.Options{Accuracy: -1}), is: svcca.ErrOptions},
		"read":             {x: told{Layer: x.flat(), shape: shape, err: failed}.maps(t), is: failed, says: `layer "x"`},
		"read late":        {x: told{Layer: x.flat(), shape: shape, err: failed, after: n - 1}.maps(t), is: failed},
	} {
		t.Run(name, func(t *testing.T) {
			if i, _, _, _ := test.x.Dims(); i == 0 && test.x.Name() == "" {
				test.x = x.all("x")
			}
			if i, _, _, _ := test.y.Dims(); i == 0 && test.y.Name() == "" {
				test.y = y.all("y")
			}
			if test.is == nil {
				t.Skip("is not refused")
			}
			r, err := conv.Between(context.Background(), test.x, test.y, test.o)
			require.ErrorIs(t, err, test.is)
			assert.Nil(t, r)
			assert.Contains(t, err.Error(), test.says)
			assert.Regexp(t, "^(conv|svcca): ", err.Error())
		})
	}
	_, err := conv.Of(x.flat(), conv.NHWC)
	assert.ErrorIs(t, err, svcca.ErrShape)
	_, err = conv.Of(told{Layer: x.flat(), shape: []int{n, 4, 4, 2}}, conv.NHWC)
	assert.ErrorIs(t, err, svcca.ErrShape)
	assert.Panics(t, func() { conv.FromSlice("x", make([]float64, 5), 1, 2, 3, 1, conv.NHWC) })
	for _, text := range []string{"", "hwc", "nhwc nchw"} {
		_, err := conv.ParseLayout(text)
		assert.ErrorIs(t, err, svcca.ErrOptions)
	}
}

// dense compares with dft what svcca says of the flattened maps.
func dense(t *testing.T, x, y conv.Maps, o svcca.Options) {
	t.Helper()
	got := between(t, x, y, only(o))
	wanted, err := svcca.Between(x.Flatten(), y.Flatten(), o)
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 1}, got.Translations)
	assert.True(t, warned(got, conv.WarnTrivial))
	require.Equal(t, [4]int{wanted.X.Rank, wanted.X.K, wanted.Y.Rank, wanted.Y.K}, [4]int{got.X.Rank, got.X.K, got.Y.Rank, got.Y.K})
	require.Equal(t, [2]int{wanted.X.Neurons, wanted.Y.Neurons}, [2]int{got.X.Neurons, got.Y.Neurons})
	bound := wanted.ErrorBound + got.ErrorBound
	assert.InDeltaSlice(t, wanted.Rho, got.Rho, bound)
	assert.InDelta(t, wanted.MeanSquare, got.MeanSquare, bound)
	assert.InDelta(t, wanted.Weighted, got.Weighted, wanted.WeightedErrorBound+got.WeightedErrorBound)
	if wanted.PWCCAUnique && got.PWCCAUnique {
		assert.InDelta(t, wanted.PWCCAX, got.PWCCAX, wanted.PWCCAErrorBound+got.PWCCAErrorBound)
	}
	assert.InDelta(t, wanted.Chance, got.Chance, 4*0x1p-52)
	assert.Equal(t, wanted.ForcedOnes, got.ForcedOnes)
}

// TestTrivial: where nothing is translated dft is flatten, and says so: sizes without a
// common divisor, maps of one position, two layers of vectors.
func TestTrivial(t *testing.T) {
	const n = 60
	vector := func(l sumsOf) conv.Maps { l.vector = true; return l.all("v") }
	for _, o := range []svcca.Options{{}, {Centering: svcca.CenterNone}, {Keep: svcca.FullRank()}, {Keep: svcca.Count(3), Precision: svcca.Mixed}} {
		x, y := ordinary(n, [3]int{1, 1, 5}, [3]int{1, 1, 4})
		dense(t, x.all("x"), y.all("y"), o)
		dense(t, vector(x), vector(y), o)
		dense(t, x.all("x"), vector(y), o)
		x, y = ordinary(n, [3]int{3, 3, 2}, [3]int{4, 2, 1})
		dense(t, x.all("x"), y.all("y"), o)
		x, y = ordinary(n, [3]int{5, 4, 2}, [3]int{1, 1, 3})
		dense(t, x.all("x"), y.all("y"), o)
	}
	few := svcca.Options{Keep: svcca.Variance(0.8)}
	x, y := ordinary(8, [3]int{1, 1, 12}, [3]int{1, 1, 4})
	dense(t, vector(x), vector(y), few)
	dense(t, vector(y), vector(x), few)
	x, y = ordinary(8, [3]int{3, 3, 2}, [3]int{4, 2, 2})
	dense(t, x.all("x"), y.all("y"), few)
}

// TestTwoImages: everything correlates, and the result says so.
func TestTwoImages(t *testing.T) {
	for _, sizes := range [][2][3]int{{{4, 4, 1}, {4, 4, 1}}, {{4, 4, 3}, {4, 4, 2}}, {{4, 4, 3}, {2, 2, 1}}} {
		x, y := ordinary(2, sizes[0], sizes[1])
		r := between(t, x.all("x"), y.all("y"), conv.Options{})
		assert.True(t, r.Saturated)
		assert.True(t, warned(r, svcca.WarnSaturated))
		assert.InDelta(t, 1, r.Chance, 0x1p-50)
		assert.Nil(t, r.OffBlockX)
		assert.Equal(t, sizes[0][2] > 2 || sizes[1][2] > 2 || sizes[1][0] == 2, warned(r, conv.WarnFewImages))
	}
	// One image, with its pattern over positions left in.
	x, y := ordinary(1, [3]int{4, 4, 1}, [3]int{4, 4, 1})
	for _, c := range []svcca.Centering{svcca.CenterNone, svcca.CenterTranslated} {
		r := between(t, x.all("x"), y.all("y"), only(svcca.Options{Centering: c, Keep: svcca.FullRank()}))
		assert.InDelta(t, 1, r.Mean, r.ErrorBound)
		assert.LessOrEqual(t, r.Chance, 1.0)
	}
}

// mirrored holds b to what a says with the layers exchanged.
func mirrored(t *testing.T, what string, a, b *conv.Result) {
	t.Helper()
	bound := a.ErrorBound + b.ErrorBound
	require.Equal(t, [4]int{a.X.Rank, a.X.K, a.Y.Rank, a.Y.K}, [4]int{b.Y.Rank, b.Y.K, b.X.Rank, b.X.K}, what)
	assert.InDeltaSlice(t, a.Rho, b.Rho, bound, what)
	assert.InDelta(t, a.WeightedX, b.WeightedY, a.WeightedErrorBound+b.WeightedErrorBound, what)
	assert.InDelta(t, a.WeightedY, b.WeightedX, a.WeightedErrorBound+b.WeightedErrorBound, what)
	if a.PWCCAUnique {
		assert.InDelta(t, a.PWCCAX, b.PWCCAY, a.PWCCAErrorBound+b.PWCCAErrorBound, what)
		assert.InDelta(t, a.PWCCAY, b.PWCCAX, a.PWCCAErrorBound+b.PWCCAErrorBound, what)
	}
	assert.InDelta(t, a.Chance, b.Chance, 0x1p-50, what)
	assert.Equal(t, a.ForcedOnes, b.ForcedOnes, what)
	assert.Equal(t, a.Translations, b.Translations, what)
	assert.Equal(t, a.OffBlockX, b.OffBlockY, what)
	assert.Equal(t, a.OffBlockY, b.OffBlockX, what)
	for i := range a.X.SingularValues {
		assert.InDelta(t, a.X.SingularValues[i], b.Y.SingularValues[i], 1e-5*a.X.SingularValues[0], what)
	}
}

// TestSymmetric: exchanging the layers exchanges what is said of them, on every path:
// more images than columns or fewer, in one layer or both; strides; vectors.
func TestSymmetric(t *testing.T) {
	for _, test := range []struct {
		n    int
		x, y [3]int
	}{
		{40, [3]int{4, 4, 3}, [3]int{4, 4, 2}}, {40, [3]int{8, 4, 2}, [3]int{4, 4, 3}}, {9, [3]int{4, 4, 12}, [3]int{4, 4, 3}},
		{9, [3]int{4, 4, 12}, [3]int{4, 4, 10}}, {9, [3]int{8, 8, 4}, [3]int{4, 4, 3}}, {40, [3]int{6, 5, 3}, [3]int{1, 1, 6}}, {9, [3]int{5, 6, 3}, [3]int{1, 1, 12}},
		{9, [3]int{5, 6, 12}, [3]int{1, 1, 4}},
	} {
		x, y := ordinary(test.n, test.x, test.y)
		y.vector = test.y[0] == 1
		for _, o := range []conv.Options{{}, only(svcca.Options{Accuracy: 1e-300}), {Options: svcca.Options{Precision: svcca.Mixed}}, {Options: svcca.Options{Centering: svcca.CenterTranslated}}, {LowPass: true}} {
			a, b := between(t, x.all("x"), y.all("y"), o), between(t, y.all("y"), x.all("x"), o)
			mirrored(t, fmt.Sprintf("%+v %+v", test, o), a, b)
		}
	}
}

// TestVectorAgainstMap: a vector has block (0, 0) alone, where it is compared with the
// map's sums over positions; the map's other directions count as zeros.
func TestVectorAgainstMap(t *testing.T) {
	for _, n := range []int{60, 9} {
		x, y := ordinary(n, [3]int{4, 5, 3}, [3]int{1, 1, 4})
		y.vector = true
		full := only(svcca.Options{Keep: svcca.FullRank()})
		r := between(t, x.all("x"), y.all("y"), full)
		sums := make([]float64, 0, n*3)
		for _, image := range x.maps {
			total := make([]float64, 3)
			for _, row := range image {
				for _, position := range row {
					for k, v := range position {
						total[k] += v
					}
				}
			}
			sums = append(sums, total...)
		}
		wanted, err := svcca.Between(svcca.FromSlice("sums", sums, n, 3), y.all("y").Flatten(), full.Options)
		require.NoError(t, err)
		require.Equal(t, min(r.X.K, r.Y.K), len(r.Rho))
		for i, rho := range r.Rho {
			if i < len(wanted.Rho) {
				assert.InDelta(t, wanted.Rho[i], rho, wanted.ErrorBound+r.ErrorBound)
			} else {
				assert.Zero(t, rho)
			}
		}
		assert.Equal(t, [2]int{4, 5}, r.Translations)
		assert.False(t, warned(r, conv.WarnTrivial))
		assert.Nil(t, r.OffBlockY)
	}
}

// TestCancelled: a context that ends is noticed, on every path.
func TestCancelled(t *testing.T) {
	for _, test := range []struct {
		n    int
		x, y [3]int
		o    conv.Options
	}{
		{600, [3]int{4, 4, 3}, [3]int{4, 4, 2}, only(svcca.Options{})}, {600, [3]int{4, 4, 3}, [3]int{4, 4, 2}, only(svcca.Options{Accuracy: 1e-300})},
		{600, [3]int{4, 4, 3}, [3]int{4, 4, 2}, conv.Options{OffBlock: 500}}, {200, [3]int{1, 2, 220}, [3]int{1, 2, 210}, only(svcca.Options{})},
		{200, [3]int{1, 2, 220}, [3]int{1, 2, 2}, only(svcca.Options{Accuracy: 1e-300})}, {200, [3]int{1, 2, 220}, [3]int{1, 2, 2}, conv.Options{}},
		{600, [3]int{8, 4, 2}, [3]int{4, 4, 2}, conv.Options{LowPass: true}},
	} {
		x, y := ordinary(test.n, test.x, test.y)
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := conv.Between(cancelled, x.all("x"), y.all("y"), test.o)
		require.ErrorIs(t, err, context.Canceled)

		// How often is x read in all? Stopped at any time, it is read little more.
		var mu sync.Mutex // nobody reads while the context is being ended
		reads, stop := 0, 0
		counting := told{Layer: x.flat(), shape: []int{test.n, test.x[0], test.x[1], test.x[2]}, read: func() {
			mu.Lock()
			defer mu.Unlock()
			if reads++; reads == stop {
				cancel()
			}
		}}.maps(t)
		var ctx context.Context
		ctx, cancel = context.WithCancel(context.Background())
		_, err = conv.Between(ctx, counting, y.all("y"), test.o)
		require.NoError(t, err)
		all := reads
		for _, at := range []int{1, all / 4, all / 2, all * 3 / 4} {
			reads, stop = 0, at
			ctx, cancel = context.WithCancel(context.Background())
			_, err = conv.Between(ctx, counting, y.all("y"), test.o)
			require.ErrorIs(t, err, context.Canceled, "%+v, at read %d of %d", test, at, all)
			// Those that give scales and shifts are read without a look at the context.
			assert.LessOrEqual(t, reads, at+64+runtime.GOMAXPROCS(0), "%+v: reads after the context ended at %d of %d", test, at, all)
			cancel()
		}
		cancel()
	}
}

// TestChannels: constant and duplicate channels leave plain CCA alone, and are counted.
func TestChannels(t *testing.T) {
	for _, n := range []int{60, 9} {
		x, y := ordinary(n, [3]int{4, 4, 2}, [3]int{4, 4, 2})
		more := sumsOf{maps: randomMaps(rand.New(rand.NewPCG(1, 1)), n, 4, 4, 5)}
		for i, image := range more.maps {
			for a := range image {
				for b, position := range image[a] {
					of := x.maps[i][a][b]
					copy(position, []float64{0, of[0], 0.3, of[1], of[0]})
				}
			}
		}
		full := only(svcca.Options{Keep: svcca.FullRank()})
		plain, padded := between(t, x.all("x"), y.all("y"), full), between(t, more.all("x"), y.all("y"), full)
		assert.Equal(t, 2*16, padded.X.Constant)
		assert.Equal(t, plain.X.Rank, padded.X.Rank)
		assert.InDeltaSlice(t, plain.Rho, padded.Rho, plain.ErrorBound+padded.ErrorBound)
	}
}

// TestRange: at the ends of float64 the answer is right or ErrRange.
func TestRange(t *testing.T) {
	for _, shape := range []struct {
		n    int
		x, y [3]int
	}{{40, [3]int{4, 4, 3}, [3]int{4, 4, 2}}, {9, [3]int{4, 4, 12}, [3]int{2, 2, 3}}, {30, [3]int{3, 3, 2}, [3]int{1, 1, 4}}} {
		x, y := ordinary(shape.n, shape.x, shape.y)
		y.vector = shape.y[0] == 1
		for _, o := range []svcca.Options{{RankTol: svcca.ShareTol(1e-4)}, {RankTol: svcca.ShareTol(1e-4), Precision: svcca.Mixed}} {
			plain := between(t, x.all("x"), y.all("y"), conv.Options{Options: o})
			right, refused := 0, 0
			for _, scale := range []float64{0x1p1020, 0x1p1018, 0x1p1010, 0x1p1000, 1e160, 1e-160, 1e-290, 1e-300, 0x1p-1010, 1e-305, 1e-310, 1e-320} {
				scaled := x.times(scale)
				r, err := conv.Between(context.Background(), scaled.all("x"), y.all("y"), conv.Options{Options: o})
				if err != nil {
					require.True(t, errors.Is(err, svcca.ErrRange) || errors.Is(err, svcca.ErrNotFinite) && scale > 1e307 || errors.Is(err, svcca.ErrConstant) && scale < 1e-307, "%g: %v", scale, err)
					refused++
					continue
				}
				right++
				finite(t, r)
				if scale > 1e-300 { // below, values have lost digits
					requireSame(t, fmt.Sprint(scale), plain, r)
					requireSameOffBlock(t, plain.OffBlockX, r.OffBlockX)
				}
			}
			assert.GreaterOrEqual(t, right, 6)
			assert.Greater(t, refused, 0)
		}
	}
}

func requireSameOffBlock(t *testing.T, a, b *conv.OffBlock) {
	require.Equal(t, a == nil, b == nil)
	if a != nil {
		for _, pair := range [][2]float64{{a.Share, b.Share}, {a.Error, b.Error}, {a.MeanShare, b.MeanShare}, {a.MeanError, b.MeanError}} {
			require.InDelta(t, pair[0], pair[1], 1e-10)
		}
	}
}

// exactly rounds values so that sums with integers below 2^30 are exact.
func (l sumsOf) exactly() sumsOf {
	return l.mapped(func(_ int, v float64) float64 { return math.Round(v*0x1p16) / 0x1p16 })
}

// TestOffset: data far from 0 are compared as if they were near. Without provisional means
// squares of 10^6 would leave 10^−4 of the products.
func TestOffset(t *testing.T) {
	for _, test := range []struct {
		n    int
		x, y [3]int
	}{{100, [3]int{4, 4, 3}, [3]int{4, 4, 2}}, {9, [3]int{4, 4, 12}, [3]int{2, 2, 3}}, {50, [3]int{4, 6, 2}, [3]int{1, 1, 4}}} {
		x, y := ordinary(test.n, test.x, test.y)
		y.vector = test.y[0] == 1
		x, y = x.exactly(), y.exactly()
		for _, so := range []svcca.Options{{}, {Precision: svcca.Mixed}, {Accuracy: 1e-300}, {Keep: svcca.FullRank()}} {
			so.RankTol = svcca.ShareTol(1e-5)
			a := between(t, x.all("x"), y.all("y"), conv.Options{Options: so})
			b := between(t, x.plus(0x1p20).all("x"), y.plus(-0x1p21).all("y"), conv.Options{Options: so})
			requireSame(t, fmt.Sprintf("%+v %+v", test, so), a, b)
			if so.Precision == svcca.Double {
				assert.Less(t, b.ErrorBound, 1e-8)
			}
			requireSameOffBlock(t, a.OffBlockX, b.OffBlockX)
		}
	}
}

// TestSmallBlocks: a block that is tiny beside another has the errors of transforms that
// round in proportion to the whole image, and its bound says so.
func TestSmallBlocks(t *testing.T) {
	worst := 0.0
	for _, n := range []int{30, 60} {
		for _, size := range [][3]int{{4, 4, 3}, {7, 5, 2}} {
			x, y := ordinary(n, size, size)
			x, y = x.exactly(), y.exactly()
			rng := rand.New(rand.NewPCG(uint64(n), 13))
			for _, large := range []float64{0x1p10, 0x1p20, 0x1p30} {
				big := x.mapped(func(_ int, v float64) float64 { return v })
				for _, image := range big.maps {
					for k := range size[2] {
						by := math.Round(rng.NormFloat64() * large)
						for a := range image {
							for b := range image[a] {
								image[a][b][k] += by
							}
						}
					}
				}
				for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterTranslated, svcca.CenterNone} {
					o := only(svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(1e-14), Centering: centering})
					p, q := between(t, x.all("x"), y.all("y"), o), between(t, big.all("x"), y.all("y"), o)
					require.Equal(t, p.X.K, q.X.K)
					for at := range p.Blocks {
						if at == 0 {
							continue
						}
						for i, rho := range p.DirectionsX.Blocks[at].Rho {
							d := math.Abs(rho - q.DirectionsX.Blocks[at].Rho[i])
							worst = max(worst, d/(p.ErrorBound+q.ErrorBound))
							require.LessOrEqual(t, d, p.ErrorBound+q.ErrorBound, "n = %d, %v, 2^%v, %v", n, size, math.Log2(large), centering)
						}
					}
				}
			}
		}
	}
	t.Logf("worst share of the bound %.2f", worst)
}

// TestLateOverflow: images whose squares overflow late are summed once more, in units of
// their own: also where block (0, 0) holds nothing of them.
func TestLateOverflow(t *testing.T) {
	for _, test := range []struct {
		precision svcca.Precision
		first     float64
		last      float64
	}{{svcca.Double, 1e-200, 1e150}, {svcca.Double, 1e-100, 1e100}, {svcca.Mixed, 1e-200, 1e150}, {svcca.Mixed, 1e-10, 1e15}} {
		for _, alternating := range []bool{false, true} {
			x, y := ordinary(400, [3]int{4, 4, 2}, [3]int{4, 4, 2})
			grown := x.mapped(func(i int, v float64) float64 {
				if i < 390 {
					return v * test.first
				}
				return v * test.last
			})
			if alternating { // 0 at frequency 0, to the last bit
				for _, image := range grown.maps[390:] {
					for a := range image {
						for b := range image[a] {
							if b%2 == 1 {
								for k, v := range image[a][b-1] {
									image[a][b][k] = -v
								}
							}
						}
					}
				}
			}
			// What the others hold vanishes beside them.
			zeros := grown.mapped(func(i int, v float64) float64 {
				if i < 390 {
					return 0
				}
				return v / test.last
			})
			what := fmt.Sprintf("%+v, alternating %v", test, alternating)
			o := only(svcca.Options{RankTol: svcca.ShareTol(1e-3), Precision: test.precision, Keep: svcca.FullRank()})
			requireSame(t, what, between(t, zeros.all("x"), y.all("y"), o), between(t, grown.all("x"), y.all("y"), o))
			requireSame(t, what, between(t, y.all("x"), zeros.all("y"), o), between(t, y.all("x"), grown.all("y"), o))
		}
	}
}

// TestWeights: a common factor of weights changes nothing, in either precision, however
// large; a weight of 2 is an image twice.
func TestWeights(t *testing.T) {
	const n = 60
	x, y := ordinary(n, [3]int{4, 4, 3}, [3]int{4, 2, 2})
	weights, twice := make([]float64, n), upTo(n)
	for i := range weights {
		weights[i] = 1 + float64(i%2)
		if i%2 == 1 {
			twice = append(twice, i)
		}
	}
	for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
		o := only(svcca.Options{Precision: precision, Weights: weights, Keep: svcca.Variance(0.9)})
		plain := between(t, x.all("x"), y.all("y"), o)
		for _, factor := range []float64{0x1p-890, 1e-100, 1e100, 0x1p890} {
			o.Weights = nil
			for _, w := range weights {
				o.Weights = append(o.Weights, w*factor)
			}
			r := between(t, x.all("x"), y.all("y"), o)
			requireSame(t, fmt.Sprint(precision, factor), plain, r)
			assert.InEpsilon(t, math.Sqrt(factor), r.X.SingularValues[0]/plain.X.SingularValues[0], 1e-6)
			assert.Equal(t, warned(plain, svcca.WarnDouble), warned(r, svcca.WarnDouble))
		}
		o.Weights = nil
		r := between(t, x.layer("x", conv.NHWC, twice), y.layer("y", conv.NHWC, twice), o)
		require.Equal(t, [2]int{plain.X.K, plain.Y.K}, [2]int{r.X.K, r.Y.K})
		assert.InDeltaSlice(t, plain.Rho, r.Rho, plain.ErrorBound+r.ErrorBound)
	}
}

// TestSameBits: any number of workers gives the same bits.
func TestSameBits(t *testing.T) {
	for _, test := range []struct {
		n    int
		x, y [3]int
		o    conv.Options
	}{
		{200, [3]int{6, 6, 5}, [3]int{6, 6, 4}, conv.Options{}}, {200, [3]int{6, 6, 5}, [3]int{3, 3, 4}, conv.Options{Options: svcca.Options{Precision: svcca.Mixed}}},
		{20, [3]int{4, 4, 30}, [3]int{4, 4, 5}, conv.Options{}}, {20, [3]int{4, 4, 30}, [3]int{2, 2, 25}, conv.Options{Options: svcca.Options{Accuracy: 1e-300}}},
		{60, [3]int{4, 4, 5}, [3]int{3, 3, 4}, conv.Options{LowPass: true}},
	} {
		x, y := ordinary(test.n, test.x, test.y)
		var first string
		for _, workers := range []int{1, 2, 4} {
			before := runtime.GOMAXPROCS(workers)
			r := between(t, x.all("x"), y.all("y"), test.o)
			runtime.GOMAXPROCS(before)
			text, err := json.Marshal(r)
			require.NoError(t, err)
			bits := string(text) + fmt.Sprint(r.DirectionsX, r.DirectionsY)
			if first == "" {
				first = bits
			}
			require.Equal(t, first, bits, "%+v: %d workers", test, workers)
		}
	}
}

// TestStorage: float32 and float64, NHWC and NCHW say the same, and nothing is written to.
func TestStorage(t *testing.T) {
	for _, n := range []int{40, 9} {
		x, y := ordinary(n, [3]int{4, 6, 5}, [3]int{2, 3, 4})
		x.round()
		y.round()
		o := conv.Options{Options: svcca.Options{RankTol: svcca.ShareTol(1e-5)}}
		plain := between(t, x.all("x"), y.all("y"), o)
		for _, float32s := range []bool{false, true} {
			for _, layout := range []conv.Layout{conv.NHWC, conv.NCHW} {
				r := between(t, x.slice("x", layout, float32s), y.slice("y", 1-layout, float32s), o)
				what := fmt.Sprint(n, float32s, layout)
				requireSame(t, what, plain, r)
				requireSameOffBlock(t, plain.OffBlockX, r.OffBlockX)
				requireSameOffBlock(t, plain.OffBlockY, r.OffBlockY)
			}
		}
		h, w, c := x.sizes()
		values := make([]float64, n*h*w*c)
		require.NoError(t, x.flat().Read(lapack.Of(n, h*w*c, values), 0, 0))
		before := slices.Clone(values)
		for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
			o.Precision = precision
			weights := slices.Repeat([]float64{2}, n)
			o.Weights = weights
			between(t, conv.FromSlice("x", values, n, h, w, c, conv.NHWC), y.all("y"), o)
			assert.Equal(t, before, values)
			assert.Equal(t, slices.Repeat([]float64{2}, n), weights)
		}
	}
}

// TestIdentity: a layer is like itself, also in another basis of its channels.
func TestIdentity(t *testing.T) {
	for _, n := range []int{50, 9} {
		for _, size := range [][3]int{{4, 4, 4}, {5, 3, 3}, {1, 1, 5}} {
			x, y := ordinary(n, size, [3]int{size[0], size[1], 2})
			r := between(t, x.all("x"), x.all("again"), conv.Options{})
			for _, rho := range r.Rho {
				require.InDelta(t, 1, rho, r.ErrorBound)
			}
			require.InDelta(t, 1, r.Weighted, r.WeightedErrorBound)
			require.Equal(t, r.OffBlockX, r.OffBlockY)
			plain := between(t, x.all("x"), y.all("y"), conv.Options{})
			turned := x.mixed(orthogonal(size[2]))
			got := between(t, turned.all("x"), y.all("y"), conv.Options{})
			require.InDeltaSlice(t, plain.Rho, got.Rho, plain.ErrorBound+got.ErrorBound+1e-12, "n = %d, %v", n, size)
			require.InDelta(t, plain.WeightedX, got.WeightedX, plain.WeightedErrorBound+got.WeightedErrorBound+1e-12)
			for i, s := range plain.X.SingularValues {
				require.InDelta(t, s, got.X.SingularValues[i], 1e-7*plain.X.SingularValues[0])
			}
			if plain.OffBlockX != nil {
				require.InDelta(t, plain.OffBlockX.Share, got.OffBlockX.Share, 1e-10)
			}
			moved := between(t, x.moved(1, 2).all("x"), y.moved(1, 2).all("y"), conv.Options{})
			requireSame(t, "moved", plain, moved)
			requireSameOffBlock(t, plain.OffBlockX, moved.OffBlockX)
		}
	}
	// By strides a step of one layer is several positions of the other.
	x, y := ordinary(40, [3]int{8, 4, 2}, [3]int{4, 4, 3})
	plain := between(t, x.all("x"), y.all("y"), conv.Options{})
	requireSame(t, "moved by a step", plain, between(t, x.moved(2, 1).all("x"), y.moved(1, 1).all("y"), conv.Options{}))
	// A layer that moves alone is multiplied by phases, and its columns change places.
	requireSame(t, "moved alone", plain, between(t, x.moved(1, 3).all("x"), y.all("y"), conv.Options{}))
	requireSame(t, "moved alone", plain, between(t, x.all("x"), y.moved(2, 3).all("y"), conv.Options{}))
}

// moved returns every image moved cyclically.
func (l sumsOf) moved(rows, columns int) sumsOf {
	out := l.mapped(func(_ int, v float64) float64 { return v })
	h, w, _ := l.sizes()
	for i := range out.maps {
		for a := range h {
			for b := range w {
				out.maps[i][(a+rows)%h][(b+columns)%w] = l.maps[i][a][b]
			}
		}
	}
	return out
}

// mixed returns the channels multiplied by q.
func (l sumsOf) mixed(q *mat.Dense) sumsOf {
	out := l.mapped(func(_ int, v float64) float64 { return v })
	for i, image := range l.maps {
		for a := range image {
			for b, position := range image[a] {
				for k := range position {
					out.maps[i][a][b][k] = mat.Dot(mat.NewVecDense(len(position), position), q.ColView(k))
				}
			}
		}
	}
	return out
}

func orthogonal(d int) *mat.Dense {
	rng := rand.New(rand.NewPCG(9, 13))
	m := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(m)
	q := new(mat.Dense)
	qr.QTo(q)
	return q
}

// TestLowPassFewImages: what a low pass throws away is counted also where there are fewer
// images than channels: the rest of the variance of all values.
func TestLowPassFewImages(t *testing.T) {
	for _, n := range []int{40, 6} {
		for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterNone} {
			x, y := ordinary(n, [3]int{5, 5, 8}, [3]int{3, 3, 9})
			r := between(t, x.all("x"), y.all("y"), conv.Options{LowPass: true, OffBlock: -1, Options: svcca.Options{Centering: centering}})
			require.True(t, r.Approximate)
			flat, err := svcca.Reduce(x.flat(), svcca.Options{Centering: centering})
			require.NoError(t, err)
			whole, kept := 0.0, 0.0
			for _, s := range flat.SingularValues {
				whole += s * s
			}
			for _, s := range r.X.SingularValues {
				kept += s * s
			}
			assert.InDelta(t, 1-kept/whole, r.Thrown[0], 1e-12, "n = %d, centring %v", n, centering)
			assert.Zero(t, r.Thrown[1])
		}
	}
}
