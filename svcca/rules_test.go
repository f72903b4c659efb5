package svcca_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each test here fails where the numerical rule that it names is switched off.

func between(t testing.TB, x, y svcca.Layer, o svcca.Options) *svcca.Comparison {
	t.Helper()
	c, err := svcca.Between(x, y, o)
	require.NoError(t, err)
	return c
}

// requireSame holds every score of two comparisons of the same data in other
// units to the sum of their bounds, and to a slack that changing units cost.
func requireSame(t require.TestingT, a, b *svcca.Comparison, slack float64) {
	bound := a.ErrorBound + b.ErrorBound + slack
	require.Equal(t, [2]int{a.X.K, a.Y.K}, [2]int{b.X.K, b.Y.K}, "k")
	require.InDeltaSlice(t, a.Rho, b.Rho, bound, "ρ")
	require.InDelta(t, a.Mean, b.Mean, bound)
	require.InDelta(t, a.MeanSquare, b.MeanSquare, bound)
	if a.WeightedUnique && b.WeightedUnique {
		require.InDelta(t, a.Weighted, b.Weighted, a.WeightedErrorBound+b.WeightedErrorBound+slack)
	}
	if a.PWCCAUnique && b.PWCCAUnique && slack == 0 {
		require.InDelta(t, a.PWCCAX, b.PWCCAX, a.PWCCAErrorBound+b.PWCCAErrorBound)
		require.InDelta(t, a.PWCCAY, b.PWCCAY, a.PWCCAErrorBound+b.PWCCAErrorBound)
	}
}

// onGrid rounds values to multiples of 2^−20: adding 10⁶ to them is then exact.
func (l data) onGrid() data {
	return l.mapped(func(_, _ int, v float64) float64 { return math.Round(v*0x1p20) * 0x1p-20 })
}

// TestShift: data at 10⁶ ± 1 lose nothing, moments included. Without the
// provisional mean, squares of 10¹² leave 2^−52·10¹² of what varies by 1.
func TestShift(t *testing.T) {
	const offset = 1e6
	for _, shape := range [][3]int{{3000, 12, 9}, {40, 60, 50}} {
		n, d, e := shape[0], shape[1], shape[2]
		x, y := related(newRand(2), n, graded(min(d, 30), 0.2), graded(min(e, 30), 0.3), d, e)
		x, y = x.onGrid(), y.onGrid()
		// The same rank tolerance on both: that of storage grows with the offset.
		o := svcca.Options{RankTol: svcca.ShareTol(1e-6), Keep: svcca.FullRank()}
		near, far := between(t, x.layer(), y.layer(), o), between(t, x.plus(offset).layer(), y.plus(-offset).layer(), o)
		require.Equal(t, near.Method, far.Method)
		require.NotEqual(t, svcca.MethodTriangle, far.Method, "the test is of sums")
		requireSame(t, near, far, 0)
		assert.Less(t, far.ErrorBound, 1e-11, "the offset is no reason for a wider bound")
		s1 := near.X.SingularValues[0]
		for i, s := range near.X.SingularValues[:near.X.K] {
			assert.InDelta(t, s, far.X.SingularValues[i], 2*16*ulp*s1*s1/s, "s_%d", i+1)
		}
	}
}

// TestShiftUnlike: the first rows, which the provisional mean is taken from, are
// unlike the others. What that costs is in the bound.
func TestShiftUnlike(t *testing.T) {
	const n, unlike = 20000, 32
	for _, far := range []float64{30, 1e3, 1e5} {
		x, y := related(newRand(3), n, graded(8, 0.5), graded(7, 0.5), 8, 7)
		away := func(l data) data {
			return l.mapped(func(i, j int, v float64) float64 {
				if i < unlike {
					return v + far*(1+float64(j))
				}
				return v
			})
		}
		x, y = away(x), away(y)
		o := svcca.Options{Keep: svcca.FullRank(), Accuracy: 1}
		fast := between(t, x.layer(), y.layer(), o)
		require.Equal(t, svcca.MethodMoments, fast.Method)
		o.Accuracy = 1e-300
		fine := between(t, x.layer(), y.layer(), o)
		require.Equal(t, svcca.MethodTriangle, fine.Method)
		worst := 0.0
		for i := range fine.Rho {
			worst = max(worst, math.Abs(fine.Rho[i]-fast.Rho[i]))
		}
		t.Logf("first rows %g away: error %.2g, bounds %.2g of moments and %.2g of triangle", far, worst, fast.ErrorBound, fine.ErrorBound)
		assert.LessOrEqual(t, worst, fast.ErrorBound+fine.ErrorBound)
	}
}

// TestScale: layers in any unit compare as in one near 1. Without scales squares
// of 10^−300 are 0 and those of 10^160 infinite.
func TestScale(t *testing.T) {
	for _, shape := range [][3]int{{200, 12, 9}, {30, 40, 35}} {
		x, y := related(newRand(4), shape[0], graded(9, 0.1), graded(9, 0.3), shape[1], shape[2])
		for _, o := range []svcca.Options{{}, {RankTol: svcca.ShareTol(1e-6)}, {Accuracy: 1e-300}} {
			plain := between(t, x.layer(), y.layer(), o)
			// Powers of two, so that values are the same but for the unit.
			for _, e := range [][2]int{{-996, -996}, {531, 531}, {-996, 1015}, {600, -600}, {-520, 0}} {
				c := between(t, x.times(math.Ldexp(1, e[0])).layer(), y.times(math.Ldexp(1, e[1])).layer(), o)
				require.Equal(t, plain.Rho, c.Rho, "2^%v: bitwise", e)
				require.Equal(t, plain.PWCCAX, c.PWCCAX)
				for i, s := range plain.X.SingularValues {
					require.Equal(t, math.Ldexp(s, e[0]), c.X.SingularValues[i])
				}
			}
		}
	}
}

// TestRescaleMidway: the first blocks of rows hold nothing, or 10^−200, and 10^150
// comes later, when sums exist already: of either layer, or both.
func TestRescaleMidway(t *testing.T) {
	const n = 3000
	x, y := related(newRand(5), n, graded(6, 0.3), graded(5, 0.3), 6, 5)
	o := svcca.Options{Keep: svcca.FullRank()}
	for _, early := range []float64{0, 1e-200} {
		grow := func(l data, late float64) data {
			return l.mapped(func(i, _ int, v float64) float64 {
				if i < 2000 {
					return v * early
				}
				return v * late
			})
		}
		for _, late := range [][2]float64{{1e150, 1e150}, {1e150, 1}, {1, 1e150}, {1e-150, 1e150}, {1e150, 0}, {0, 1e150}} {
			for _, accuracy := range []float64{0, 1e-300} {
				o.Accuracy = accuracy
				// At 1, 10^−200 is nothing: that is the same data without rescaling.
				// 0 stands for a layer that does not grow and needs none.
				layer := func(l data, late float64) svcca.Layer {
					if late == 0 {
						return l.layer()
					}
					return grow(l, late).layer()
				}
				plain := between(t, layer(x, min(late[0], 1)), layer(y, min(late[1], 1)), o)
				c := between(t, layer(x, late[0]), layer(y, late[1]), o)
				requireSame(t, plain, c, 16*ulp) // a product by 10^150 is rounded
				if late[0] > 1 {
					assert.InDelta(t, 1, c.X.SingularValues[0]/plain.X.SingularValues[0]/late[0], 2*16*ulp+4*ulp)
				}
			}
		}
	}
}

// TestRescaleMidwayWide: as TestRescaleMidway where neurons outnumber datapoints
// and come in panels: the same neurons in another order need no rescaling.
func TestRescaleMidwayWide(t *testing.T) {
	uninstrumented(t)
	const n, d, late = 3, 360000, 12 // panels of 2^20/3 neurons
	x := data{name: "x", n: n, d: d, values: make([]float64, n*d)}
	small, _ := related(newRand(6), n, []float64{1, 0.5}, []float64{1}, late, 1)
	y := data{name: "y", n: n, d: 1, values: []float64{1, 2, 4}}
	for _, early := range []float64{0, 1e-200} {
		back := x.mapped(func(i, j int, _ float64) float64 {
			if j >= d-late {
				return 1e150 * small.at(i, j-(d-late))
			}
			return early * float64((i+1)*(j%7))
		})
		front := back.mapped(func(i, j int, _ float64) float64 { return back.at(i, d-1-j) })
		for _, accuracy := range []float64{1, 1e-300} {
			o := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(1e-6), Accuracy: accuracy}
			a, b := between(t, front.layer(), y.layer(), o), between(t, back.layer(), y.layer(), o)
			require.Equal(t, a.Method, b.Method)
			require.Equal(t, accuracy == 1, a.Method == "rows/moments", a.Method)
			require.Equal(t, 2, a.X.K)
			requireSame(t, a, b, 0)
			for i, s := range a.X.SingularValues[:2] {
				assert.InDelta(t, 1, b.X.SingularValues[i]/s, 64*ulp, "s_%d", i+1)
			}
			for j, mean := range b.X.Directions.Mean[:d-late] {
				if math.Abs(mean) > 100*early {
					t.Fatalf("mean of neuron %d, of values of %g, is %g", j, early, mean)
				}
			}
		}
	}
}

// TestChoice: a graded spectrum of float64 under rank makes the bound of moments
// exceed what is accepted. The triangle is chosen, and right to its own bound;
// moments, forced by a tolerance that they can decide by, are off by far more.
func TestChoice(t *testing.T) {
	x, y := related(newRand(7), 40, graded(8, 1e-9), graded(7, 0.5), 8, 7)
	wanted := compareByOracle(x, y, setting{keep: "rank", tol: "storage"})
	worst := func(c *svcca.Comparison, wanted oracleResult) (e float64) {
		require.Len(t, c.Rho, len(wanted.rho))
		for i := range c.Rho {
			e = max(e, off(c.Rho[i], wanted.rho[i]))
		}
		return e
	}
	c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.Equal(t, svcca.MethodTriangle, c.Method)
	fine := worst(c, wanted)
	assert.LessOrEqual(t, fine, c.ErrorBound)
	t.Logf("triangle: error %.2g, bound %.2g", fine, c.ErrorBound)

	// 10^−7 is within what moments decide, and beyond what they do well.
	x, y = related(newRand(7), 40, graded(8, 1e-7), graded(7, 0.5), 8, 7)
	wanted = compareByOracle(x, y, setting{keep: "rank", tol: "storage"})
	c = between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.Equal(t, svcca.MethodTriangle, c.Method)
	fine = worst(c, wanted)
	assert.LessOrEqual(t, fine, c.ErrorBound)
	assert.LessOrEqual(t, c.ErrorBound, 1e-8)
	c = between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank(), Accuracy: 1})
	require.Equal(t, svcca.MethodMoments, c.Method)
	coarse := worst(c, wanted)
	t.Logf("s_1/s_k = 10⁷: triangle %.2g, moments %.2g of a bound of %.2g", fine, coarse, c.ErrorBound)
	assert.LessOrEqual(t, coarse, c.ErrorBound)
	assert.Greater(t, coarse, 1e-8, "moments would have done: the choice is not tested")

	// Reduce alone makes the same choice.
	r, err := svcca.Reduce(x.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.NoError(t, err)
	assert.Equal(t, svcca.MethodTriangle, r.Method)
	// And rows: 10^−7 where neurons outnumber datapoints, float32's noise aside.
	x, _ = related(newRand(8), 9, graded(8, 1e-7), []float64{1}, 12, 1)
	r, err = svcca.Reduce(x.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.NoError(t, err)
	assert.Equal(t, svcca.MethodTriangle, r.Method)
}

// TestMeanTwice: a mean is rounded to 2^−53 of the offset. Where n ≤ d that
// rounding is a direction of its own, the same in both layers, unless it is
// taken out again: ρ = 1 between layers that share nothing.
func TestMeanTwice(t *testing.T) {
	for _, n := range []int{8, 6} {
		x, y := related(newRand(9), n, graded(8, 0.5), graded(8, 0.5), 8, 8)
		x, y = x.plus(1e6), y.plus(1e6)
		c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.MachineTol()})
		assert.Equal(t, n-1, c.X.Rank, "n = %d: rank of centred rows", n)
		assert.Equal(t, n-1, c.Y.Rank, "n = %d: rank of centred rows", n)
	}
	// So is the rounding of a mean far from a datapoint that has nearly all the weight.
	const n, heavy = 100, 1
	x, _ := related(newRand(10), n, graded(n-1, 0.5), []float64{1}, 120, 1)
	o := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.MachineTol(), Weights: slices.Repeat([]float64{1}, n)}
	o.Weights[heavy] = 1e20
	r, err := svcca.Reduce(x.layer(), o)
	require.NoError(t, err)
	assert.Equal(t, n-1, r.Rank)
}
