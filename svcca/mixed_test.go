package svcca_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ulp32 is the rounding that the bounds of Mixed start from.
const ulp32 = 0x1p-23

// plainLayer hides that a layer is in memory: Between then sums both layers at once.
func plainLayer(l svcca.Layer) svcca.Layer {
	return odd{Layer: l, storage: l.(interface{ Storage() string }).Storage()}
}

// kept returns a layer's values in memory, in the type they are stored in.
func kept(t *testing.T, name string, l svcca.Layer) svcca.Layer {
	n, d := l.Dims()
	return data{name: name, n: n, d: d, values: values(t, l), float32: l.(interface{ Storage() string }).Storage() == "float32"}.layer()
}

// ways returns a comparison by every way there is: of layers read again for M, of
// layers read once, and of layers reduced alone.
func ways(x, y svcca.Layer, o svcca.Options) map[string]func() (*svcca.Comparison, error) {
	return map[string]func() (*svcca.Comparison, error){
		"second pass": func() (*svcca.Comparison, error) { return svcca.Between(x, y, o) },
		"joint":       func() (*svcca.Comparison, error) { return svcca.Between(plainLayer(x), plainLayer(y), o) },
		"reduced": func() (*svcca.Comparison, error) {
			a, err := svcca.Reduce(x, o)
			if err != nil {
				return nil, err
			}
			b, err := svcca.Reduce(y, o)
			if err != nil {
				return nil, err
			}
			return svcca.Compare(a, b)
		},
	}
}

// codes returns the warnings' codes.
func codes(c *svcca.Comparison) (codes []string) {
	for _, w := range c.Warnings {
		codes = append(codes, w.Code)
	}
	return codes
}

// scoresOf lists every number that a bound is stated of, with its bound.
func scoresOf(c *svcca.Comparison) (scores []score) {
	for _, rho := range c.Rho {
		scores = append(scores, score{"rho", rho, c.ErrorBound})
	}
	scores = append(scores, score{"mean", c.Mean, c.ErrorBound}, score{"mean square", c.MeanSquare, c.ErrorBound})
	for i, w := range []float64{c.WeightedX, c.WeightedY, c.Weighted} {
		scores = append(scores, score{"weighted " + []string{"x", "y", ""}[i], w, c.WeightedErrorBound})
	}
	return append(scores, score{"pwcca x", c.PWCCAX, c.PWCCAErrorBound}, score{"pwcca y", c.PWCCAY, c.PWCCAErrorBound})
}

type score struct {
	name         string
	value, bound float64
}

// checkMixed holds a comparison in mixed precision against wanted, whose own
// bounds are added, and records the worst error/bound.
func checkMixed(t *testing.T, what string, mixed, wanted *svcca.Comparison, worst worstRatio) {
	require.Equal(t, [2]int{wanted.X.K, wanted.Y.K}, [2]int{mixed.X.K, mixed.Y.K}, "%s: k", what)
	got, want := scoresOf(mixed), scoresOf(wanted)
	ratio, beyond := 1.0, ""
	for i := range got {
		switch name := got[i].name; name[0] {
		case 'w':
			if !mixed.WeightedUnique || !wanted.WeightedUnique {
				continue
			}
		case 'p':
			if !mixed.PWCCAUnique || !wanted.PWCCAUnique {
				continue
			}
		}
		e, bound := math.Abs(got[i].value-want[i].value), got[i].bound+want[i].bound
		if mixed.Method == svcca.MethodMoments && !slices.Contains(codes(mixed), svcca.WarnDouble) {
			worst.add(got[i].name, what, e/bound)
		}
		if !(e <= ratio*bound) {
			ratio = e / bound
			beyond = fmt.Sprintf("%s is %.3g off, %.3g times the bound %.3g %v", got[i].name, e, ratio, bound, codes(mixed))
		}
	}
	assert.Empty(t, beyond, what) // the worst of them
}

func (w worstRatio) log(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(w)) {
		t.Logf("worst error/bound: %-12s %.3g in %s", key, w[key].ratio, w[key].what)
	}
}

// TestMixedReference holds mixed precision to its bounds on the committed part of
// the reference set, under every rule and by every way to a result. Where k is not
// the reference's the result says that it is uncertain.
func TestMixedReference(t *testing.T) {
	set, worst := loadReference(t, referencePart), worstRatio{}
	compared, rules := 0, referenceRules
	if testing.Short() {
		rules = []string{"variance(0.99)", "rank"}
	}
	for _, rule := range rules {
		keep, err := svcca.ParseKeep(rule)
		require.NoError(t, err)
		o := svcca.Options{Keep: keep, Precision: svcca.Mixed}
		for _, pair := range set.Pairs {
			if rule == "rank" && !(set.Layers[pair.X].RankSafe && set.Layers[pair.Y].RankSafe) {
				continue
			}
			e := pair.Rules[rule]
			wanted := &svcca.Comparison{
				X: svcca.Side{K: e.KX}, Y: svcca.Side{K: e.KY}, Rho: e.Rho, Mean: e.Mean, MeanSquare: e.MeanSquare,
				WeightedX: e.WeightedX, WeightedY: e.WeightedY, Weighted: e.Weighted, WeightedUnique: e.WeightedUnique,
				PWCCAX: e.PWCCAX, PWCCAY: e.PWCCAY, PWCCAUnique: e.PWCCAUnique,
			}
			x, y := kept(t, pair.X, set.layer(t, pair.X)), kept(t, pair.Y, set.layer(t, pair.Y))
			for way, compare := range ways(x, y, o) {
				what := fmt.Sprintf("%s %s %s, %s", rule, pair.X, pair.Y, way)
				c, err := compare()
				require.NoError(t, err, what)
				if e.KX != c.X.K || e.KY != c.Y.K {
					t.Logf("%s: k %d and %d, reference %d and %d %v", what, c.X.K, c.Y.K, e.KX, e.KY, codes(c))
					assert.Contains(t, codes(c), svcca.WarnUncertainK, what)
					continue
				}
				checkMixed(t, what, c, wanted, worst)
				compared++
			}
		}
	}
	assert.Greater(t, compared, 2*len(rules)*len(set.Pairs), "this tests little")
	worst.log(t)
}

// mixedCase is a pair whose Double result is right beside what Mixed may lose.
type mixedCase struct {
	name string
	x, y data
	o    svcca.Options
	// most is what the bound of ρ may be where the data are no harder than that; 1
	// where the bound may be all.
	most float64
}

// easy is what bounds may be where s_1²/(s_k² − s_{k+1}²) of both layers is under
// 200 and products lose little: 2⁻²² of s_1², measured with a margin, and with
// gonum, which adds up 1024 rows one by one, eight times that.
var easy = 2 * (200 + 200) * 2 * ulp32 * map[string]float64{"native": 1, "purego": 8}[native.Describe().Name]

func mixedCases(seed uint64) (cases []mixedCase) {
	rng := newRand(seed)
	full, share := svcca.Options{Keep: svcca.FullRank()}, svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(0.02)}
	add := func(name string, x, y data, o svcca.Options, most float64) {
		cases = append(cases, mixedCase{name, x, y, o, most})
	}
	pair := func(n int, sx, sy []float64, d, e int) (x, y data) { return related(rng, n, sx, sy, d, e) }

	x, y := pair(600, graded(10, 0.2), graded(8, 0.3), 10, 8)
	add("flat", x, y, full, easy)
	add("flat, float32", x.narrowed(), y.narrowed(), full, easy)
	for _, last := range []float64{1e-2, 1e-4, 1e-6} {
		x, y := pair(600, graded(12, last), graded(9, last), 12, 9)
		for _, o := range []svcca.Options{{}, {Keep: svcca.Count(3)}, {Keep: svcca.Count(5)}, {Keep: svcca.Sum(0.9)}, full} {
			add(fmt.Sprintf("steep %g %v", last, o.Keep), x, y, o, 1)
		}
	}
	x, y = pair(600, []float64{1, 1 - 1e-4, 1 - 2e-4, 0.5, 0.5 - 1e-5, 0.5 - 2e-5, 0.1, 0.1 - 1e-6}, graded(8, 0.5), 9, 8)
	add("clustered", x, y, share, easy)
	add("clustered, 3", x, y, svcca.Options{Keep: svcca.Count(3)}, easy)
	for _, gap := range []float64{1e-2, 1e-3, 1e-4, 1e-6} {
		s := []float64{1, 0.8, 0.6, 0.6 * (1 - gap), 0.3}
		x, y := pair(500, s, s, 7, 6)
		add(fmt.Sprintf("cut in a gap of %g", gap), x, y, svcca.Options{Keep: svcca.Count(3)}, 1)
	}
	x, y = pair(2500, graded(10, 0.2), graded(8, 0.3), 10, 8)
	huge := x.mapped(func(_, j int, v float64) float64 {
		if j == 4 {
			return 1e5 * v
		}
		return v
	})
	for _, o := range []svcca.Options{{}, {Keep: svcca.Count(1)}, {Keep: svcca.Count(2)}, full} {
		add("one huge neuron "+o.Keep.String(), huge, y, o, 1)
	}
	for _, offset := range []float64{1e3, 1e6} {
		a, b := x.plus(offset), y.plus(-offset)
		add(fmt.Sprintf("offset %g", offset), a, b, svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(0.02)}, easy)
		add(fmt.Sprintf("offset %g, float32", offset), a.narrowed(), b.narrowed(), share, easy)
		add(fmt.Sprintf("offset %g of one neuron", offset), x.mapped(func(_, j int, v float64) float64 {
			if j == 3 {
				return v + offset
			}
			return v
		}), y, full, easy)
	}
	sorted := func(l data, classes int, apart float64) data {
		return l.mapped(func(i, j int, v float64) float64 {
			return v + apart*math.Sin(float64((i*classes/l.n+1)*(j+1)))
		})
	}
	add("by class", sorted(x, 10, 3), sorted(y, 10, 3), svcca.Options{}, 10*easy)
	add("by class, full", sorted(x, 10, 3), sorted(y, 10, 3), share, 10*easy)
	add("drifting", x.mapped(func(i, j int, v float64) float64 { return v + 5*float64(i*(j%3))/2500 }), y, svcca.Options{}, 10*easy)
	for _, scale := range []float64{1e-30, 1e30} {
		add(fmt.Sprintf("scale %g", scale), x.times(scale), y.times(1/scale), full, easy)
		add(fmt.Sprintf("scale %g, float32", scale), x.times(scale).narrowed(), y.times(scale).narrowed(), full, easy)
		late := func(l data) data {
			return l.mapped(func(i, _ int, v float64) float64 {
				if i < 1500 {
					return v
				}
				return v * scale
			})
		}
		add(fmt.Sprintf("scale %g later", scale), late(x), late(y), full, easy)
	}
	for i, spread := range []float64{0.3, 2} {
		weights := make([]float64, 2500)
		for i := range weights {
			weights[i] = math.Exp(spread * rng.NormFloat64())
		}
		for _, centring := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterNone} {
			add(fmt.Sprintf("weights %d, %v", i, centring), x.plus(2), y, svcca.Options{Weights: weights, RankTol: svcca.ShareTol(0.02), Keep: svcca.FullRank(), Centering: centring}, 10*easy)
		}
	}
	none := svcca.Options{Keep: svcca.FullRank(), Centering: svcca.CenterNone}
	add("none", x, y, none, easy)
	add("none, offset 3", x.plus(3), y.plus(-3), none, 1)
	for _, n := range []int{13, 14, 20} {
		x, y := pair(n, graded(12, 0.2), graded(12, 0.2), 12, 12)
		add(fmt.Sprintf("%d × 12", n), x, y, share, easy)
	}
	if sanitizer.On {
		return cases
	}
	x, y = pair(20000, graded(24, 0.2), graded(24, 0.2), 24, 24)
	add("20000 × 24", x, y, full, easy)
	add("20000 × 24, float32", x.narrowed(), y.narrowed(), full, easy)
	add("20000 × 24, offset", x.plus(100), y.plus(100), svcca.Options{}, 1)
	positive := func(l data) data { return l.mapped(func(_, _ int, v float64) float64 { return math.Max(v, 0) }) }
	add("20000 × 24, positive, none", positive(x), positive(y), none, 1)
	return cases
}

// TestMixedBounds: no number in mixed precision is further from what float64
// gives than its bound, whatever the data, by any way to it; and the bound says
// something: where the data are easy it is what s_1 and the gap make of 2⁻²³.
func TestMixedBounds(t *testing.T) {
	worst := worstRatio{}
	defer worst.log(t)
	seeds := 2
	if testing.Short() {
		seeds = 1
	}
	for seed := 1; seed <= seeds; seed++ {
		for _, c := range mixedCases(uint64(seed)) {
			wanted, refused := svcca.Between(c.x.layer(), c.y.layer(), c.o)
			if refused == nil {
				require.Less(t, wanted.ErrorBound, ulp32/4, "%s: Double is no reference", c.name)
			}
			o := c.o
			o.Precision = svcca.Mixed
			for way, compare := range ways(c.x.layer(), c.y.layer(), o) {
				what := fmt.Sprintf("%s, seed %d, %s", c.name, seed, way)
				mixed, err := compare()
				if refused != nil { // every neuron below the noise of its storage
					assert.ErrorIs(t, refused, svcca.ErrConstant, what)
					assert.ErrorIs(t, err, svcca.ErrConstant, what)
					continue
				}
				if !assert.NoError(t, err, what) {
					continue
				}
				if mixed.X.K != wanted.X.K || mixed.Y.K != wanted.Y.K {
					t.Logf("%s: k %d and %d, of Double %d and %d %v", what, mixed.X.K, mixed.Y.K, wanted.X.K, wanted.Y.K, codes(mixed))
					assert.Contains(t, codes(mixed), svcca.WarnUncertainK, what)
					continue
				}
				assert.Equal(t, [2]int{wanted.X.Constant, wanted.Y.Constant}, [2]int{mixed.X.Constant, mixed.Y.Constant}, "%s: constant neurons", what)
				checkMixed(t, what, mixed, wanted, worst)
				if c.most < 1 {
					assert.LessOrEqual(t, mixed.ErrorBound, c.most, what)
					assert.NotContains(t, codes(mixed), svcca.WarnDouble, "%s: float32 does", what)
				}
			}
		}
	}
}

// TestMixedAlike: sums of float32 terms that are alike err the same way at each step:
// values of few levels (labels, masks, spikes), and rows after one that is 4096
// times as large, beside whose squares theirs vanish. Bounds have to know.
func TestMixedAlike(t *testing.T) {
	worst := worstRatio{}
	defer worst.log(t)
	rng := newRand(40)
	hold := func(name string, x, y data, o svcca.Options) {
		wanted := between(t, x.layer(), y.layer(), o)
		o.Precision = svcca.Mixed
		for way, compare := range ways(x.layer(), y.layer(), o) {
			what := name + ", " + way
			mixed, err := compare()
			if assert.NoError(t, err, what) {
				checkMixed(t, what, mixed, wanted, worst)
			}
		}
	}
	const n, d = 4096, 8
	signs := data{name: "y", n: n, d: d, values: make([]float64, n*d)}.mapped(func(_, _ int, _ float64) float64 {
		return float64(1 - 2*rng.IntN(2))
	})
	near := signs.mapped(func(_, _ int, v float64) float64 {
		if rng.Float64() < 0.02 {
			return -v
		}
		return v
	})
	near.name = "x"
	levels := []float64{0.1, 0.3, 0.7, 0.83}
	if testing.Short() {
		levels = levels[:1]
	}
	for _, level := range levels {
		for _, centring := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterNone} {
			o := svcca.Options{Keep: svcca.FullRank(), Centering: centring}
			hold(fmt.Sprintf("levels ±%g and ±1, %v", level, centring), near.times(level), signs, o)
			hold(fmt.Sprintf("levels 0, %g and ±1, %v", level, centring), near.plus(1).times(level/2), signs, o)
		}
	}
	common := normal(rng, n, 2)
	factor := func(name string, of int) data {
		return data{name: name, n: n, d: d, values: normal(rng, n, d).RawMatrix().Data}.mapped(func(i, j int, v float64) float64 {
			v = 0.3*v + common.At(i, of)*(1-2*float64(j*of%2))
			if i == 7 {
				return 4096 * (v + 0.5)
			}
			return v
		})
	}
	hold("one row 4096 times", factor("x", 0), factor("y", 1), svcca.Options{Keep: svcca.Count(1)})
	for _, row := range []int{0, 77, 1300} { // the first is one that provisional means are taken from
		for seed := uint64(1); seed <= 2; seed++ {
			outlier := func(l data) data {
				return l.mapped(func(i, j int, v float64) float64 {
					if i == row {
						return 1e4 * v
					}
					return v
				})
			}
			x, y := related(newRand(seed), 2500, graded(10, 0.2), graded(8, 0.3), 10, 8)
			what := fmt.Sprintf("heavy tail, row %d, seed %d", row, seed)
			hold(what, outlier(x), outlier(y), svcca.Options{})
			hold(what+", one layer", outlier(x), y, svcca.Options{Keep: svcca.Count(2)})
		}
	}
}

// TestMixedUndecided: what float32 cannot decide float64 does, as if asked for
// from the start: the same bits.
func TestMixedUndecided(t *testing.T) {
	for _, offset := range []float64{0, 10, 1e3, 1e6} {
		x, y := related(newRand(41), 2000, graded(8, 1e-4), graded(8, 0.3), 8, 8)
		x, y = x.plus(offset), y.plus(offset)
		// 1e-4·s_1 is below √(2⁻²³)·s_1, which squares in float32 do not show.
		o := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(2e-6), Accuracy: accuracySquared}
		wanted := between(t, x.layer(), y.layer(), o)
		require.Equal(t, svcca.MethodMoments, wanted.Method)
		o.Precision = svcca.Mixed
		for way, compare := range ways(x.layer(), y.layer(), o) {
			if way == "reduced" {
				continue
			}
			what := fmt.Sprintf("offset %g, %s", offset, way)
			c, err := compare()
			require.NoError(t, err, what)
			assert.Contains(t, codes(c), svcca.WarnDouble, what)
			assert.Equal(t, [2]int{wanted.X.K, wanted.Y.K}, [2]int{c.X.K, c.Y.K}, what)
			assert.LessOrEqual(t, c.ErrorBound, 2*wanted.ErrorBound, what)
			if way == "second pass" {
				assert.True(t, slices.Equal(wanted.Rho, c.Rho), "%s: ρ, bitwise", what)
				assert.True(t, slices.Equal(wanted.X.SingularValues, c.X.SingularValues), "%s: singular values, bitwise", what)
			}
		}
		o.Precision = svcca.Double
		a, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		o.Precision = svcca.Mixed
		b, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		assert.True(t, slices.Equal(a.SingularValues, b.SingularValues), "offset %g: singular values, bitwise", offset)
		assert.True(t, slices.Equal(a.U.Data, b.U.Data), "offset %g: U, bitwise", offset)
		assert.Equal(t, a.ErrorBound, b.ErrorBound, "offset %g", offset)
	}
}

// TestMixedWarnings: what mixed precision says where it cannot hold what was asked.
func TestMixedWarnings(t *testing.T) {
	mixed := func(keep svcca.Keep) svcca.Options { return svcca.Options{Keep: keep, Precision: svcca.Mixed} }
	x, y := related(newRand(42), 800, graded(8, 0.2), graded(8, 0.3), 8, 8)
	c := between(t, x.layer(), y.layer(), mixed(svcca.FullRank()))
	assert.Empty(t, c.Warnings)
	assert.Equal(t, svcca.MethodMoments, c.Method)

	// The bound against what lies between chance and identity.
	for _, gap := range []float64{1e-2, 1e-3, 3e-4, 1e-4, 1e-6} {
		s := []float64{1, 0.8, 0.6, 0.6 * (1 - gap), 0.3}
		x, y := related(newRand(42), 800, s, s, 5, 5)
		c := between(t, x.layer(), y.layer(), mixed(svcca.Count(3)))
		assert.Equal(t, c.ErrorBound > 1e-3*(1-c.Chance), slices.Contains(codes(c), svcca.WarnAccuracy), "gap %g, bound %g", gap, c.ErrorBound)
		assert.Equal(t, gap <= 1e-3, slices.Contains(codes(c), svcca.WarnAccuracy), "gap %g, bound %g", gap, c.ErrorBound)
		assert.NotContains(t, codes(c), svcca.WarnDouble, "the count is sure whatever the gap")
		loose := mixed(svcca.Count(3))
		loose.Accuracy = 1
		assert.NotContains(t, codes(between(t, x.layer(), y.layer(), loose)), svcca.WarnAccuracy)
	}

	// Variance is decided where the rank is not; with rank as the rule it is k.
	x, y = related(newRand(43), 800, graded(8, 1e-4), graded(8, 0.3), 8, 8)
	c = between(t, x.layer(), y.layer(), mixed(svcca.Keep{}))
	assert.Equal(t, []string{svcca.WarnUncertainRank}, codes(c))
	double := between(t, x.layer(), y.layer(), svcca.Options{})
	assert.Equal(t, double.X.K, c.X.K)
	assert.Less(t, c.X.Rank, double.X.Rank, "float32 sees less")
	c = between(t, x.layer(), y.layer(), mixed(svcca.FullRank()))
	assert.Contains(t, codes(c), svcca.WarnDouble)
	assert.Equal(t, 8, c.X.K)
	assert.Less(t, c.ErrorBound, 1e-5, "float64's")

	// What squares cannot decide in float64 either, a triangle can.
	x, y = related(newRand(44), 800, graded(8, 1e-10), graded(8, 0.3), 8, 8)
	double = between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.Equal(t, svcca.MethodTriangle, double.Method)
	c = between(t, x.layer(), y.layer(), mixed(svcca.FullRank()))
	if c.X.K != double.X.K {
		t.Logf("k %d by %s, Double's %d by %s", c.X.K, c.Method, double.X.K, double.Method)
		assert.Contains(t, codes(c), svcca.WarnUncertainK)
	}

	// Of layers with fewer datapoints than neurons products of datapoints are in float32.
	x, y = related(newRand(45), 20, graded(12, 0.2), graded(12, 0.3), 30, 30)
	for _, keep := range []svcca.Keep{svcca.Variance(0.9), svcca.Count(5), svcca.FullRank()} {
		c, double = between(t, x.layer(), y.layer(), mixed(keep)), between(t, x.layer(), y.layer(), svcca.Options{Keep: keep})
		checkMixed(t, keep.String(), c, double, worstRatio{})
		if keep == svcca.FullRank() { // float32 does not tell what is left from nothing
			assert.Contains(t, codes(c), svcca.WarnDouble)
			assert.Less(t, c.ErrorBound, 1e-8, "float64's")
			continue
		}
		assert.Equal(t, svcca.MethodRows, c.Method)
		assert.NotContains(t, codes(c), svcca.WarnDouble)
		assert.Greater(t, c.ErrorBound, 0x1p-25, "float32's")
	}
}

// TestMixedUnits: what does not vary sets no unit. Squares of the others would be
// below float32's least number beside one neuron of 10²² that is constant.
func TestMixedUnits(t *testing.T) {
	x, y := related(newRand(46), 2000, graded(10, 0.2), graded(8, 0.3), 10, 8)
	worst := worstRatio{}
	for _, c := range []struct {
		name   string
		change func(v float64) float64
	}{
		{"constant 1e10", func(float64) float64 { return 1e10 }},
		{"constant 1e22", func(float64) float64 { return 1e22 }},
		{"varies by 1e-15", func(v float64) float64 { return 1e-15 * v }},
		{"varies by 1e-25", func(v float64) float64 { return 1e-25 * v }},
	} {
		changed := x.mapped(func(_, j int, v float64) float64 {
			if j == 3 {
				return c.change(v)
			}
			return v
		})
		wanted := between(t, changed.layer(), y.layer(), svcca.Options{})
		for way, compare := range ways(changed.layer(), y.layer(), svcca.Options{Precision: svcca.Mixed}) {
			mixed, err := compare()
			if assert.NoError(t, err, "%s, %s", c.name, way) {
				checkMixed(t, c.name+", "+way, mixed, wanted, worst)
				assert.Equal(t, wanted.X.Constant, mixed.X.Constant, "%s, %s: constant neurons", c.name, way)
			}
		}
	}
}
