package svcca_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// boundCase is a pair on which every stated bound is held against the oracle.
type boundCase struct {
	name string
	x, y data
	setting
	// squares: decisions are clear enough for moments and rows to be taken where
	// Options.Accuracy allows any error. Else the triangle is what must be taken.
	squares bool
}

// boundCases returns the data of STYLE §4, small.
func boundCases(seed uint64) []boundCase {
	rng := newRand(seed)
	flat := graded(10, 0.2)
	pair := func(n, d, e int, sx, sy []float64) (x, y data) {
		return related(rng, n, sx[:min(len(sx), d)], sy[:min(len(sy), e)], d, e)
	}
	var cases []boundCase
	add := func(name string, x, y data, s setting, squares bool) {
		if s.tol == "" {
			s.tol = "storage"
		}
		cases = append(cases, boundCase{name, x, y, s, squares})
	}

	// Graded spectra. Of singular values of 1e-7 and less squaring leaves little, and
	// the rank is undecided.
	for _, last := range []float64{1e-2, 1e-4, 2e-7, 1e-10} {
		x, y := pair(40, 8, 7, graded(8, last), graded(7, last))
		name := fmt.Sprintf("graded %g ", last)
		add(name+"rank", x, y, setting{keep: "rank"}, last >= 1e-7)
		add(name+"variance", x, y, setting{keep: "variance(0.99)"}, last >= 1e-7)
		add(name+"sum", x, y, setting{keep: "sum(0.99)"}, last >= 1e-7)
		add(name+"count", x, y, setting{keep: "count(4)", tol: "3e-06"}, true)
		add(name+"share", x, y, setting{keep: "rank", tol: "1.3e-05"}, true)
	}
	// Cuts in no gap.
	for _, gap := range []float64{1e-3, 1e-6} {
		for _, level := range []float64{0.5, 1e-2} {
			s := []float64{1, 0.8, 0.7, level, level * (1 - gap), level / 2, level / 3}
			x, y := pair(36, 7, 6, s, s)
			add(fmt.Sprintf("gapless %g at %g", gap, level), x, y, setting{keep: "count(4)"}, true)
		}
	}
	// Exact ties, of singular values in either layer, inside a cut.
	x, y, _ := pythagorean("x", "y", []float64{4, 2, 2, 1}, []float64{8, 8, 2, 2})
	add("tied rank", x, y, setting{keep: "rank"}, true)
	add("tied count", x, y, setting{keep: "count(2)"}, true)
	add("tied count 1", x, y, setting{keep: "count(1)"}, true)
	add("tied variance", x, y, setting{keep: "variance(0.85)"}, true)
	add("tied sum", x, y, setting{keep: "sum(0.5)"}, true)
	x, y, _ = pythagorean("x", "y", []float64{1, 0x1p-6, 0x1p-6, 0x1p-6}, []float64{1, 1, 1, 1})
	add("tied low", x, y, setting{keep: "count(3)"}, true)
	// Scale.
	x, y = pair(40, 6, 5, graded(6, 0.02), flat)
	for _, rule := range []string{"variance(0.99)", "rank"} {
		add("tiny "+rule, x.times(1e-298), y.times(1e-298), setting{keep: rule}, true)
		add("tiny and huge "+rule, x.times(1e-298), y.times(1e160), setting{keep: rule}, true)
		add("huge "+rule, x.times(1e160), y.times(1e160), setting{keep: rule}, true)
		add("huger "+rule, x.times(1e305), y.times(1e305), setting{keep: rule}, true)
		// Offset. The noise of storage is 1e-9 of the values here.
		add("offset "+rule, x.plus(1e6), y.plus(-1e6), setting{keep: rule}, true)
		add("offset of one neuron "+rule, x.mapped(func(_, j int, v float64) float64 {
			if j == 2 {
				return v + 1e6
			}
			return v
		}), y, setting{keep: rule}, true)
		add("float32 "+rule, x.narrowed(), y.narrowed(), setting{keep: rule}, true)
		add("float32 offset "+rule, x.plus(30).narrowed(), y.plus(-20).narrowed(), setting{keep: rule}, true)
		add("float32 as float64 "+rule, x.narrowed(), y, setting{keep: rule, tol: "float32"}, true)
		add("none "+rule, x.plus(0.5), y.plus(2), setting{keep: rule, none: true}, true)
		// Row weights.
		weights := make([]float64, 40)
		for i := range weights {
			weights[i] = 0.1 + rng.Float64()*3
		}
		add("weights "+rule, x, y, setting{keep: rule, weights: weights}, true)
		wild := make([]float64, 40)
		for i := range wild {
			wild[i] = math.Pow(10, 3*rng.NormFloat64())
		}
		add("wild weights "+rule, x.plus(3), y, setting{keep: rule, weights: wild, tol: "1e-07"}, true)
		add("weights none "+rule, x, y.plus(1), setting{keep: rule, weights: weights, none: true}, true)
	}
	// Shapes. Centred, n rows have rank n − 1, and s_n = 0 is no clear decision
	// after squaring but beside a coarse tolerance.
	for _, shape := range [][3]int{{9, 12, 10}, {9, 12, 5}, {9, 5, 12}, {8, 8, 8}, {8, 8, 5}, {9, 8, 8}, {7, 8, 7}, {13, 7, 6}, {12, 7, 5}, {14, 7, 6}, {2, 3, 2}, {3, 1, 1}, {2, 9, 9}} {
		n, d, e := shape[0], shape[1], shape[2]
		x, y := pair(n, d, e, graded(d, 0.01), graded(e, 0.3))
		deficient := n <= max(d, e)
		name := fmt.Sprintf("%d × %d, %d ", n, d, e)
		add(name+"rank", x, y, setting{keep: "rank"}, !deficient)
		add(name+"share", x, y, setting{keep: "rank", tol: "1e-06"}, true)
		add(name+"variance", x, y, setting{keep: "variance(0.9)", tol: "1e-06"}, true)
		add(name+"none", x.plus(1), y.plus(1), setting{keep: "rank", tol: "1e-06", none: true}, true)
	}
	x, y = pair(9, 12, 11, graded(8, 1e-3), flat)
	add("wide float32", x.narrowed(), y.narrowed(), setting{keep: "rank"}, true)
	add("wide offset", x.plus(1e6), y, setting{keep: "rank", tol: "1e-06"}, true)
	add("wide tiny and huge", x.times(1e-297), y.times(1e160), setting{keep: "rank", tol: "1e-06"}, true)
	add("wide weights", x, y, setting{keep: "rank", tol: "1e-06", weights: []float64{1, 2, 0.3, 4, 1, 1, 9, 0.01, 1}}, true)
	x, y = pair(9, 12, 11, graded(8, 1e-9), flat)
	add("wide graded 1e-9", x, y, setting{keep: "rank"}, false)
	x, y = pair(9, 12, 11, []float64{1, 0.5, 0.5 * (1 - 1e-6), 0.1, 0.09}, flat)
	add("wide gapless", x, y, setting{keep: "count(2)", tol: "1e-06"}, true)
	// Dead, constant and duplicated neurons.
	x, y = pair(30, 6, 5, graded(6, 0.05), flat)
	defects := func(l data) data {
		return l.mapped(func(i, j int, v float64) float64 {
			switch j {
			case 0:
				return 0
			case 1:
				return 0.1
			case 2:
				return l.at(i, 3)
			}
			return v
		})
	}
	add("defects", defects(x), defects(y), setting{keep: "rank", tol: "1e-06"}, true)
	add("defects storage", defects(x), defects(y), setting{keep: "rank"}, false)
	return cases
}

// method returns what o.Accuracy = 1 must take: x and y alone, or jointly.
func (c boundCase) squaring(joint bool) svcca.Method {
	of := func(l data) svcca.Method {
		if l.n < l.d {
			return svcca.MethodRows
		}
		return svcca.MethodMoments
	}
	if x, y := of(c.x), of(c.y); !joint && x != y {
		return x + "/" + y
	}
	return of(c.x)
}

// worstRatio keeps the largest error / bound by method and quantity.
type worstRatio map[string]struct {
	ratio float64
	what  string
}

func (w worstRatio) add(key, what string, ratio float64) {
	if at, seen := w[key]; !seen || ratio > at.ratio {
		at.ratio, at.what = ratio, what
		w[key] = at
	}
}

// TestErrorBounds: no number is further from the oracle's than the result says,
// by either kind of method and either way to a comparison.
func TestErrorBounds(t *testing.T) {
	uninstrumented(t)
	seeds := 2
	if testing.Short() {
		seeds = 1
	}
	worst := worstRatio{}
	for seed := 1; seed <= seeds; seed++ {
		for _, c := range boundCases(uint64(seed)) {
			t.Run(fmt.Sprintf("%s seed=%d", c.name, seed), func(t *testing.T) {
				wanted := compareByOracle(c.x, c.y, c.setting)
				for _, accuracy := range []float64{0, 1, 1e-300} {
					c.check(t, accuracy, wanted, worst)
				}
			})
		}
	}
	for _, method := range []string{"moments", "triangle", "rows"} {
		for _, of := range []string{"rho", "mean", "weighted", "pwcca", "s"} {
			at, seen := worst[method+" "+of]
			require.True(t, seen, "%s of %s was never checked", of, method)
			t.Logf("worst error/bound: %-9s %-9s %.3g in %q", method, of, at.ratio, at.what)
		}
	}
}

func (c boundCase) check(t *testing.T, accuracy float64, wanted oracleResult, worst worstRatio) {
	o := c.options(t, accuracy)
	between, err := svcca.Between(c.x.layer(), c.y.layer(), o)
	require.NoError(t, err)
	x, err := svcca.Reduce(c.x.layer(), o)
	require.NoError(t, err)
	y, err := svcca.Reduce(c.y.layer(), o)
	require.NoError(t, err)
	compared, err := svcca.Compare(x, y)
	require.NoError(t, err)

	joint := c.x.n >= max(c.x.d, c.y.d)
	switch {
	case accuracy == 1 && c.squares:
		assert.Equal(t, c.squaring(joint), between.Method, "between")
		assert.Equal(t, c.squaring(false), compared.Method, "compare")
	case accuracy == 1e-300, accuracy == 1 && joint:
		assert.Equal(t, svcca.MethodTriangle, between.Method, "between")
	}
	if accuracy == 1e-300 {
		assert.Equal(t, svcca.MethodTriangle, compared.Method, "compare")
	}
	for _, r := range []*svcca.Comparison{between, compared} {
		c.checkValues(t, r, wanted, worst)
		what := fmt.Sprintf("%s, accuracy %g, method %s", c.name, accuracy, r.Method)
		if accuracy == 0 {
			assert.LessOrEqual(t, min(r.ErrorBound, 1e-8), 1e-8, what)
		}
		checkAgainst(t, what, r, wanted, worst)
	}
}

// checkAgainst holds a result against the oracle's, every number by its bound.
func checkAgainst(t *testing.T, what string, r *svcca.Comparison, wanted oracleResult, worst worstRatio) {
	for _, side := range []struct {
		got    svcca.Side
		wanted oracleSide
	}{{r.X, wanted.x}, {r.Y, wanted.y}} {
		require.Equal(t, side.wanted.k, side.got.K, "%s: k of %s", what, side.got.Name)
		assert.Equal(t, side.wanted.rank, side.got.Rank, "%s: rank of %s", what, side.got.Name)
		assert.Equal(t, side.wanted.grew, side.got.KGrew, "%s: %s grew", what, side.got.Name)
		assert.Equal(t, side.wanted.constant, side.got.Constant, "%s: constant neurons of %s", what, side.got.Name)
		require.Len(t, side.got.SingularValues, len(side.wanted.s), what)
	}
	require.Len(t, r.Rho, len(wanted.rho), what)
	key := string(r.Method) + " "
	within := func(of string, e, bound float64, what string) {
		worst.add(key+of, what, e/bound)
		assert.LessOrEqual(t, e, bound, "%s: %s, error/bound %.3g", what, of, e/bound)
	}
	for i := range r.Rho {
		within("rho", off(r.Rho[i], wanted.rho[i]), r.ErrorBound, what)
	}
	within("mean", off(r.Mean, wanted.mean), r.ErrorBound, what)
	within("mean", off(r.MeanSquare, wanted.meanSquare), r.ErrorBound, what+", mean square")
	if r.WeightedUnique {
		within("weighted", off(r.WeightedX, wanted.weightedX), r.WeightedErrorBound, what+" x")
		within("weighted", off(r.WeightedY, wanted.weightedY), r.WeightedErrorBound, what+" y")
		within("weighted", off(r.Weighted, wanted.weighted), r.WeightedErrorBound, what)
	}
	if r.PWCCAUnique {
		within("pwcca", off(r.PWCCAX, wanted.pwccaX), r.PWCCAErrorBound, what+" x")
		within("pwcca", off(r.PWCCAY, wanted.pwccaY), r.PWCCAErrorBound, what+" y")
	}
	assert.InDelta(t, wanted.chance, r.Chance, 2*ulp*wanted.chance, what)
}

// checkValues holds singular values to what spectrum.go states: 16·ulp·s_1 for
// those found directly, 16·ulp·(s_1² + 16·apart) for squares.
func (c boundCase) checkValues(t *testing.T, r *svcca.Comparison, wanted oracleResult, worst worstRatio) {
	if r.Method != svcca.MethodMoments && r.Method != svcca.MethodTriangle && r.Method != svcca.MethodRows {
		return
	}
	for _, side := range []struct {
		data
		got    []float64
		wanted column
	}{{c.x, r.X.SingularValues, wanted.x.s}, {c.y, r.Y.SingularValues, wanted.y.s}} {
		s1 := rounded(side.wanted[0])
		for i, s := range side.got {
			bound := 16 * ulp
			if r.Method != svcca.MethodTriangle {
				bound *= 1 + 16*c.apart(side.data, s1)
				relative := rounded(side.wanted[i]) / s1
				bound /= relative + math.Sqrt(relative*relative+bound)
			}
			ratio := off(s, side.wanted[i]) / s1 / bound
			worst.add(string(r.Method)+" s", c.name, ratio)
			assert.LessOrEqual(t, ratio, 1.0, "%s: s_%d of %s by %s", c.name, i+1, side.name, r.Method)
		}
	}
}

// apart returns Σw·‖provisional mean − mean‖² / s_1²: what moments lose when their sums
// are centred. The provisional mean is that of the first 32 rows.
func (c boundCase) apart(l data, s1 float64) (squares float64) {
	if c.none {
		return 0
	}
	for j := range l.d {
		var first, mean, all float64
		for i := range l.n {
			w := 1.0
			if c.weights != nil {
				w = c.weights[i]
			}
			all += w
			mean += w * (l.at(i, j) - l.at(0, j))
			if i < 32 {
				first += (l.at(i, j) - l.at(0, j)) / float64(min(32, l.n))
			}
		}
		squares += all * ((first - mean/all) / s1) * ((first - mean/all) / s1)
	}
	return squares
}
