package svcca_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
)

// near fails where two results are further apart than their bounds.
func near(t *testing.T, a, b *svcca.Comparison, where string) {
	t.Helper()
	require.Equal(t, [2]int{a.X.K, a.Y.K}, [2]int{b.X.K, b.Y.K}, where)
	for i := range a.Rho {
		require.LessOrEqual(t, math.Abs(a.Rho[i]-b.Rho[i]), a.ErrorBound+b.ErrorBound, "%s: ρ_%d", where, i)
	}
	require.Less(t, b.ErrorBound, 1e-4, where)
	require.Equal(t, [2]int{a.X.Constant, a.Y.Constant}, [2]int{b.X.Constant, b.Y.Constant}, where)
	for j, mean := range a.X.Directions.Mean {
		require.InDelta(t, mean, b.X.Directions.Mean[j], 1e-9*(math.Abs(mean)+a.X.SingularValues[0]), where)
	}
}

// TestKrylovRules: offsets, scales, weights, constant neurons, no centring: each is
// right by a rule of its own, which n ≥ d and n < d have in different code.
func TestKrylovRules(t *testing.T) {
	uninstrumented(t)
	defer svcca.SmallKrylov(4, 1000, 1000)()
	for _, shape := range [][3]int{{90, 40, 35}, {50, 70, 65}, {1500, 30, 25}} {
		x, y := spectral(3, 2, shape[0], shape[1], shape[2])
		weights := make([]float64, x.n)
		for i := range weights {
			weights[i] = math.Pow(10, float64(i%7)-3)
		}
		sorted := x.mapped(func(i, j int, v float64) float64 { return v + 100*float64(i)/float64(x.n)*float64(j%2) })
		constant := func(l data) data {
			return l.mapped(func(i, j int, v float64) float64 {
				if j%5 == 2 { // constant within a rounding, which is as large as what varies
					return 1e15*(1+float64(j)/300) + float64(i%2)
				}
				return v
			})
		}
		late := x.mapped(func(i, _ int, v float64) float64 {
			if i < x.n/2 {
				return v * 1e-170
			}
			return v * 1e150
		})
		for name, test := range map[string]struct {
			x, y data
			o    svcca.Options
		}{
			"plain":          {x: x, y: y},
			"offset":         {x: x.plus(1e6), y: y.plus(-1e6)},
			"sorted":         {x: sorted, y: y},
			"tiny":           {x: x.times(1e-290), y: y.times(1e-290)},
			"huge":           {x: x.times(1e150), y: y.times(1e303)},
			"late":           {x: late, y: y},
			"weights":        {x: x.plus(3), y: y, o: svcca.Options{Weights: weights}},
			"none":           {x: x.plus(0.1), y: y.plus(-0.2), o: svcca.Options{Centering: svcca.CenterNone}},
			"weights, none":  {x: x, y: y.plus(1), o: svcca.Options{Centering: svcca.CenterNone, Weights: weights}},
			"constant":       {x: constant(x), y: constant(y)},
			"float32":        {x: x.plus(30).narrowed(), y: y.narrowed()},
			"one direction":  {x: x, y: y, o: svcca.Options{Keep: svcca.Count(1)}},
			"share":          {x: x, y: y, o: svcca.Options{Keep: svcca.Count(30), RankTol: svcca.ShareTol(0.02)}},
			"storage":        {x: x.narrowed(), y: y.narrowed(), o: svcca.Options{Keep: svcca.Count(8), RankTol: svcca.TypeTol(svcca.Float16)}},
			"storage, large": {x: constant(x).mapped(func(i, j int, v float64) float64 { return v * math.Pow(2, float64(j%9)) }), y: y, o: svcca.Options{Keep: svcca.Count(20), RankTol: svcca.TypeTol(svcca.Float16)}},
		} {
			exact := between(t, test.x.layer(), test.y.layer(), test.o)
			test.o.Solver = svcca.Krylov
			c := between(t, test.x.layer(), test.y.layer(), test.o)
			near(t, exact, c, name)
			require.Equal(t, svcca.MethodKrylov, c.Method)
			require.Contains(t, codes(c), svcca.WarnApproximate)
			var squares float64
			for _, s := range exact.X.SingularValues {
				squares += s / exact.X.SingularValues[0] * s / exact.X.SingularValues[0]
			}
			require.InEpsilon(t, math.Sqrt(squares), c.X.Norm/exact.X.SingularValues[0], 1e-9, name)
		}
	}
}

// TestKrylovRank: no direction below the noise of storage is kept, and a layer of less
// rank than a block, or than is to be kept, ends with its rank.
func TestKrylovRank(t *testing.T) {
	defer svcca.SmallKrylov(6, 1000, 1000)()
	for _, shape := range [][2]int{{80, 40}, {40, 80}} {
		for rank := 1; rank <= 14; rank++ {
			x, _ := related(newRand(uint64(rank)), shape[0], graded(rank, 0.1), graded(1, 1), shape[1], 1)
			for _, l := range []data{x, x.narrowed()} {
				r, err := svcca.Reduce(l.layer(), svcca.Options{Keep: svcca.Count(20), Solver: svcca.Krylov})
				require.NoError(t, err)
				if !l.float32 {
					assert.Equal(t, rank, r.K)
				} else { // what squares show of the noise of float32 is kept, or not, as by the exact solver
					exact, err := svcca.Reduce(l.layer(), svcca.Options{Keep: svcca.Count(20)})
					require.NoError(t, err)
					assert.Equal(t, exact.K, r.K)
				}
				assert.Equal(t, r.K, r.Rank)
				assert.Less(t, r.ErrorBound, 1e-5)
			}
		}
	}
}

// TestKrylovNotFinite: the first NaN by rows is named; what overflows squares is not
// taken for one.
func TestKrylovNotFinite(t *testing.T) {
	defer svcca.SmallKrylov(4, 1000, 1000)()
	for _, shape := range [][2]int{{2500, 6}, {40, 60}, {20, 20}} {
		x, _ := ordinary(shape[0], shape[1], 1)
		for _, row := range []int{0, x.n / 2, x.n - 1} {
			broken := x
			broken.values = slices.Clone(x.values)
			broken.values[row*x.d+3] = math.NaN()
			if row+1 < x.n {
				broken.values[(row+1)*x.d] = math.Inf(1)
			}
			_, err := svcca.Reduce(broken.layer(), svcca.Options{Solver: svcca.Krylov})
			var at *svcca.NotFiniteError
			require.ErrorAs(t, err, &at)
			assert.Equal(t, [2]int{row, 3}, [2]int{at.Datapoint, at.Neuron})
		}
	}
}

// TestKrylovNoisyNeuron: a direction that one neuron of large values makes is noise
// of storage where others of its size are not: the rank ends there, as ‖diag(a) v‖ of
// single directions says.
func TestKrylovNoisyNeuron(t *testing.T) {
	defer svcca.SmallKrylov(6, 1000, 1000)()
	for _, shape := range [][2]int{{90, 30}, {30, 90}} {
		rng := newRand(4)
		x := data{name: "x", n: shape[0], d: shape[1], values: make([]float64, shape[0]*shape[1])}
		x = x.mapped(func(_, j int, _ float64) float64 {
			v := rng.NormFloat64() * math.Pow(0.4, float64(j))
			if j == 4 {
				v += 1e3
			}
			return v
		})
		o := svcca.Options{Keep: svcca.Count(9), RankTol: svcca.TypeTol(svcca.Float16)}
		exact, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		require.Less(t, exact.K, 9, "this tests nothing")
		o.Solver = svcca.Krylov
		r, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		assert.Equal(t, exact.K, r.K)
		assert.Len(t, r.SingularValues, r.K)
		assert.Equal(t, r.K, r.U.Cols)
		assert.Equal(t, r.K, r.V.Cols)
		assert.LessOrEqual(t, sine(exact.U, r.U), r.ErrorBound+exact.ErrorBound)
		// A tolerance that leaves nothing.
		o.RankTol = svcca.TypeTol(svcca.BFloat16)
		x = x.plus(1e4)
		_, err = svcca.Reduce(x.layer(), o)
		assert.ErrorIs(t, err, svcca.ErrConstant)
	}
}

// TestKrylovRescaled: neurons that come in later panels and are far larger change the
// units of all that was summed.
func TestKrylovRescaled(t *testing.T) {
	defer svcca.SmallKrylov(2, 1000, 1000)()
	const n, d = 3, 400_000
	rng := newRand(5)
	x := data{name: "x", n: n, d: d, values: make([]float64, n*d)}
	x = x.mapped(func(_, j int, _ float64) float64 {
		if j > d-100 {
			return 0x1p400 * rng.NormFloat64()
		}
		return rng.NormFloat64()
	})
	o := svcca.Options{Keep: svcca.Count(1)}
	exact, err := svcca.Reduce(x.layer(), o)
	require.NoError(t, err)
	o.Solver = svcca.Krylov
	r, err := svcca.Reduce(x.layer(), o)
	require.NoError(t, err)
	assert.InEpsilon(t, exact.SingularValues[0], r.SingularValues[0], 1e-12)
	assert.InEpsilon(t, floats.Norm(exact.SingularValues, 2), r.Norm, 1e-12)
	assert.LessOrEqual(t, sine(exact.U, r.U), r.ErrorBound+exact.ErrorBound)
}

// TestKrylovSureK: where the share wanted is hardly less than what some directions
// hold, Ritz values, which are too small, would keep one more: the space grows until
// k is what it is, or the result says that it is not sure.
func TestKrylovSureK(t *testing.T) {
	uninstrumented(t)
	unsure, wrong := 0, 0
	for seed := range uint64(3) {
		x, _ := spectral(seed, 1, 110, 80, 1)
		all, err := svcca.Reduce(x.layer(), svcca.Options{Keep: svcca.FullRank()})
		require.NoError(t, err)
		total := floats.Dot(all.SingularValues, all.SingularValues)
		for k := 2; k <= 8; k++ {
			held := floats.Dot(all.SingularValues[:k], all.SingularValues[:k]) / total
			for _, less := range []float64{1e-4, 1e-6, 1e-8, 1e-10, 1e-12} {
				o := svcca.Options{Keep: svcca.Variance(held * (1 - less)), Solver: svcca.Krylov}
				for _, most := range []int{20, 35, 1000} {
					restore := svcca.SmallKrylov(5, most, 1000)
					c, err := svcca.Between(x.layer(), x.layer(), o)
					restore()
					require.NoError(t, err)
					if slices.Contains(codes(c), svcca.WarnUncertainK) {
						unsure++
						require.Less(t, most, 1000, "%d, less %g", k, less)
						if c.X.K != k {
							wrong++
						}
						continue
					}
					require.Equal(t, k, c.X.K, "less %g, space of %d", less, most)
				}
			}
		}
	}
	t.Logf("%d were not sure, %d of them wrong", unsure, wrong)
	assert.Positive(t, wrong, "this tests nothing")
}
