package svcca_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// gap returns s_1/(s_k − s_{k+1}): what an error of the values, relative to s_1,
// is multiplied by in ρ.
func gap(s svcca.Side) float64 {
	next := 0.0
	if s.K < len(s.SingularValues) {
		next = s.SingularValues[s.K]
	}
	return s.SingularValues[0] / (s.SingularValues[s.K-1] - next)
}

// recomputed is how far ρ may move where every value was computed anew, in sums
// of as many terms as there are neurons.
func recomputed(c *svcca.Comparison) float64 {
	return 2 * ulp * (float64(c.X.Neurons)*gap(c.X) + float64(c.Y.Neurons)*gap(c.Y))
}

// turned returns l times v.
func (l data) turned(v mat.Matrix) data {
	var m mat.Dense
	m.Mul(mat.NewDense(l.n, l.d, l.values), v)
	_, l.d = v.Dims()
	l.values = m.RawMatrix().Data
	return l
}

// rows returns the rows of l in the given order, which may repeat or omit some.
func (l data) rows(order []int) data {
	values := make([]float64, 0, len(order)*l.d)
	for _, i := range order {
		values = append(values, l.values[i*l.d:(i+1)*l.d]...)
	}
	l.n, l.values = len(order), values
	return l
}

// TestInvariance: what SVCCA must not see.
func TestInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := newRand(rapid.Uint64().Draw(t, "seed"))
		n, d, e := rapid.IntRange(3, 60).Draw(t, "n"), rapid.IntRange(1, 12).Draw(t, "d"), rapid.IntRange(1, 12).Draw(t, "e")
		rule := rapid.SampledFrom([]svcca.Keep{svcca.Variance(0.983), svcca.Sum(0.957), svcca.FullRank(), svcca.Count(3)}).Draw(t, "keep")
		x, y := related(rng, n, graded(d, 0.1), graded(e, 0.2), d, e)
		o := svcca.Options{Keep: rule, RankTol: svcca.ShareTol(1e-6)}
		compare := func(x, y data) *svcca.Comparison {
			c, err := svcca.Between(x.layer(), y.layer(), o)
			require.NoError(t, err)
			for _, rho := range c.Rho {
				require.True(t, rho >= 0 && rho <= 1, "ρ = %v", rho)
			}
			return c
		}
		plain := compare(x, y)
		slack := recomputed(plain)

		turned := compare(x.turned(rotation(rng, d)), y.turned(rotation(rng, e)))
		requireSame(t, plain, turned, 4*slack)
		requireSame(t, plain, compare(x.times(3), y.times(0.1)), slack)
		requireSame(t, plain, compare(x.mapped(func(_, j int, v float64) float64 { return v + float64(j) }), y.plus(-7)), 20*slack)
		order := rng.Perm(n)
		requireSame(t, plain, compare(x.rows(order), y.rows(order)), 0)

		swapped := compare(y, x)
		back := *swapped
		back.X, back.Y, back.PWCCAX, back.PWCCAY = swapped.Y, swapped.X, swapped.PWCCAY, swapped.PWCCAX
		requireSame(t, plain, &back, 0)
		require.InDelta(t, plain.WeightedX, swapped.WeightedY, plain.WeightedErrorBound+swapped.WeightedErrorBound)
		require.Equal(t, plain.Chance, swapped.Chance)

		same := compare(x, x)
		for _, rho := range same.Rho {
			require.InDelta(t, 1, rho, same.ErrorBound)
		}
		require.InDelta(t, 1, same.Mean, same.ErrorBound)
		require.InDelta(t, 1, same.Weighted, same.WeightedErrorBound)

		a, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		b, err := svcca.Reduce(y.layer(), o)
		require.NoError(t, err)
		reduced, err := svcca.Compare(a, b)
		require.NoError(t, err)
		requireSame(t, plain, reduced, 0)

		// Weights: equal ones are none; whole ones are rows that repeat. The latter
		// has more datapoints, N, so chance differs where ρ and s do not.
		equal := make([]float64, n)
		whole := make([]float64, n)
		var repeated []int
		for i := range n {
			equal[i] = 5
			whole[i] = float64(1 + rng.IntN(3))
			for range int(whole[i]) {
				repeated = append(repeated, i)
			}
		}
		o.Weights = equal
		requireSame(t, plain, compare(x, y), 0)
		o.Weights = whole
		weighted := compare(x, y)
		o.Weights = nil
		twice := compare(x.rows(repeated), y.rows(repeated))
		requireSame(t, weighted, twice, 0)
		m := float64(len(weighted.Rho))
		k := float64(weighted.X.K) * float64(weighted.Y.K)
		require.InEpsilon(t, k/float64(n-1)/m, weighted.Chance, 4*ulp)
		require.InEpsilon(t, k/float64(len(repeated)-1)/m, twice.Chance, 4*ulp)
		for i, s := range weighted.X.SingularValues[:weighted.X.K] {
			s1 := weighted.X.SingularValues[0]
			require.InDelta(t, s, twice.X.SingularValues[i], 4*16*ulp*s1*s1/s)
		}
	})
}

// TestLinearMaps: a general linear map of neurons moves the cut and with it the
// result, but leaves plain CCA, which cuts nothing.
func TestLinearMaps(t *testing.T) {
	x, y := related(newRand(11), 200, graded(8, 0.02), graded(7, 0.05), 8, 7)
	stretch := mat.NewDense(8, 8, nil)
	for i := range 8 {
		stretch.Set(i, i, 1+float64(i)*float64(i))
	}
	mapped := x.turned(stretch)
	for _, o := range []svcca.Options{{Keep: svcca.Count(3)}, {}} {
		before, after := between(t, x.layer(), y.layer(), o), between(t, mapped.layer(), y.layer(), o)
		assert.Greater(t, math.Abs(before.Mean-after.Mean), 1e-3, "the cut moved, and %d of %d values are kept", after.X.K, before.X.K)
	}
	full := svcca.Options{Keep: svcca.FullRank()}
	before, after := between(t, x.layer(), y.layer(), full), between(t, mapped.layer(), y.layer(), full)
	assert.InDeltaSlice(t, before.Rho, after.Rho, before.ErrorBound+after.ErrorBound+recomputed(after))
}

// TestKnown: correlations by construction, exact: Hadamard columns and whole
// numbers of Pythagoras.
func TestKnown(t *testing.T) {
	x, y, rho := pythagorean("x", "y", []float64{8, 4, 2, 1}, []float64{2, 2, 1, 1})
	for _, accuracy := range []float64{1, 1e-300} {
		c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank(), Accuracy: accuracy})
		for i, want := range []int{2, 0, 1, 3} { // 15/17, 3/5, 5/13, 7/25 in order
			assert.LessOrEqual(t, off(c.Rho[i], rho[want]), c.ErrorBound, "ρ_%d", i+1)
		}
		assert.False(t, c.WeightedUnique, "singular values of y tie")
		assert.True(t, c.PWCCAUnique)
	}
	// X = U a, Y = U cos + W sin, with any bases: to the rounding of the values.
	rng := newRand(12)
	const n, d = 300, 6
	basis := orthonormalised(normal(rng, n, 2*d), true)
	u, w := basis.Slice(0, n, 0, d), basis.Slice(0, n, d, 2*d)
	mix := mat.NewDense(n, d, nil)
	angles := []float64{0, 0.3, 0.7, 1, 1.3, math.Pi / 2}
	mix.Apply(func(i, j int, _ float64) float64 {
		return u.At(i, j)*math.Cos(angles[j]) + w.At(i, j)*math.Sin(angles[j])
	}, mix)
	x = data{name: "x", n: n, d: d, values: compose(mat.DenseCopyOf(u), graded(d, 0.1), rotation(rng, d))}
	y = data{name: "y", n: n, d: d, values: compose(mix, graded(d, 0.3), rotation(rng, d))}
	c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank()})
	for i, angle := range angles {
		assert.InDelta(t, math.Cos(angle), c.Rho[i], c.ErrorBound+recomputed(c), "ρ_%d", i+1)
	}
}

// TestChance: the formula against random layers that share nothing, within four
// standard errors of their mean square; Adjusted is 0 on average.
func TestChance(t *testing.T) {
	draws := 400
	if testing.Short() {
		draws = 100
	}
	for _, shape := range [][3]int{{30, 5, 3}, {20, 8, 8}, {12, 7, 8}, {9, 1, 6}} {
		n, d, e := shape[0], shape[1], shape[2]
		for _, centring := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterNone} {
			rng := newRand(uint64(n))
			o := svcca.Options{Keep: svcca.FullRank(), Centering: centring}
			var sum, squares, adjusted, chance float64
			for range draws {
				x := data{name: "x", n: n, d: d, values: normal(rng, n, d).RawMatrix().Data}
				y := data{name: "y", n: n, d: e, values: normal(rng, n, e).RawMatrix().Data}
				c := between(t, x.layer(), y.layer(), o)
				require.NotNil(t, c.Adjusted)
				chance = c.Chance
				sum += c.MeanSquare
				squares += c.MeanSquare * c.MeanSquare
				adjusted += *c.Adjusted
			}
			count := float64(draws)
			mean := sum / count
			standard := math.Sqrt((squares/count - mean*mean) / (count - 1))
			t.Logf("n = %d, %d and %d of %v: chance %.4f, seen %.4f ± %.4f", n, d, e, centring, chance, mean, standard)
			assert.InDelta(t, chance, mean, 4*standard)
			assert.InDelta(t, 0, adjusted/count, 4*standard/(1-chance))
		}
	}
}

// TestSaturated: forced ones, the warning, and the datapoints it asks for.
func TestSaturated(t *testing.T) {
	layers := func(n, d, e int) (svcca.Layer, svcca.Layer) {
		x, y := related(newRand(14), n, graded(d, 0.5), graded(e, 0.5), d, e)
		return x.layer(), y.layer()
	}
	for _, o := range []svcca.Options{{Keep: svcca.FullRank()}, {Keep: svcca.FullRank(), Centering: svcca.CenterNone}} {
		space := 11
		if o.Centering == svcca.CenterNone {
			space = 12
		}
		x, y := layers(12, 8, 6)
		c := between(t, x, y, o)
		require.Equal(t, 14-space, c.ForcedOnes)
		require.True(t, c.Saturated)
		for i := range c.ForcedOnes {
			assert.InDelta(t, 1, c.Rho[i], c.ErrorBound, "forced")
		}
		require.NotEmpty(t, c.Warnings)
		require.Equal(t, svcca.WarnSaturated, c.Warnings[0].Code, "the gravest first")
		assert.Contains(t, c.Warnings[0].Text, fmt.Sprintf("%d of 6 correlations are 1", c.ForcedOnes))
		// k_x k_y / (N m) < 0.1 first at N = 81.
		enough := 81 + 12 - space
		assert.Contains(t, c.Warnings[0].Text, fmt.Sprintf("%d datapoints bring", enough))
		x, y = layers(enough, 8, 6)
		assert.Less(t, between(t, x, y, o).Chance, 0.1)
		x, y = layers(enough-1, 8, 6)
		assert.GreaterOrEqual(t, between(t, x, y, o).Chance, 0.1)
	}
	// Chance 1: everything is forced and nothing can be adjusted.
	x, y := layers(6, 8, 6)
	c := between(t, x, y, svcca.Options{Keep: svcca.FullRank()})
	assert.Equal(t, 1.0, c.Chance)
	assert.Nil(t, c.Adjusted)
	assert.Equal(t, 5, c.ForcedOnes)
	codes := fmt.Sprint(c.Warnings)
	assert.Contains(t, codes, svcca.WarnWide, "8 neurons of 6 datapoints")
}

// TestDirections: DEFINITIONS §3 of the maps, by residual ratios below 30.
func TestDirections(t *testing.T) {
	worst := 0.0
	ratio := func(r float64, what string, values ...any) {
		worst = max(worst, r)
		assert.Less(t, r, 30.0, what, values)
	}
	for _, n := range []int{8, 12, 60, 2500} {
		for _, accuracy := range []float64{0, 1, 1e-300} {
			for _, last := range []float64{0.5, 1e-2} {
				for _, keep := range []svcca.Keep{svcca.FullRank(), svcca.Variance(0.97)} {
					const d, e = 10, 9
					x, y := related(newRand(15), n, graded(d, last), graded(e, 0.3), d, e)
					x = x.plus(2)
					o := svcca.Options{Keep: keep, Accuracy: accuracy, RankTol: svcca.ShareTol(1e-6)}
					c := between(t, x.layer(), y.layer(), o)
					what := fmt.Sprintf("n = %d, last %g, %v, %s", n, last, keep, c.Method)
					// Sums of products square the condition.
					condition := c.X.SingularValues[0] / c.X.SingularValues[c.X.K-1]
					condition = max(condition, c.Y.SingularValues[0]/c.Y.SingularValues[c.Y.K-1])
					unit := float64(n) * ulp * condition
					if c.Method != svcca.MethodTriangle {
						unit *= condition
					}
					m := len(c.Rho)
					wx, wy := c.X.Directions, c.Y.Directions
					ax, err := wx.Align(x.layer(), m)
					require.NoError(t, err)
					ay, err := wy.Align(y.layer(), m)
					require.NoError(t, err)
					tx, ty := lapack.ToDense(ax), lapack.ToDense(ay)
					ones, diagonal := make([]float64, m), mat.NewDiagDense(m, c.Rho)
					for i := range ones {
						ones[i] = 1
					}
					identity := mat.NewDiagDense(m, ones)
					ratio(residual(product(tx.T(), tx), identity)/unit, what+" X̃ᵀX̃ = I")
					ratio(residual(product(ty.T(), ty), identity)/unit, what+" ỸᵀỸ = I")
					ratio(residual(product(tx.T(), ty), diagonal)/unit, what+" X̃ᵀỸ = ρ")

					// D = X̃ᵀXc; X̃ = Xc W, by other means than Align.
					centred := mat.NewDense(n, d, x.mapped(func(i, j int, v float64) float64 { return v - wx.Mean[j] }).values)
					size := mat.Norm(centred, 1)
					ratio(residual(product(tx.T(), centred), lapack.ToDense(wx.Decoder))/(unit*size), what+" D = X̃ᵀXc")
					ratio(residual(product(centred, lapack.ToDense(wx.Map)), tx)/(unit*mat.Norm(tx, 1)), what+" X̃ = Xc W")

					// Projection: the formula, for new rows too, and twice is once.
					fresh, _ := related(newRand(16), 40, graded(d, 0.5), []float64{1}, d, 1)
					for _, l := range []data{x, fresh.plus(1)} {
						once := project(t, wx, l, m)
						formula := l.mapped(func(i, j int, v float64) float64 { return v - wx.Mean[j] })
						byHand := product(product(mat.NewDense(l.n, d, formula.values), lapack.ToDense(wx.Map)), lapack.ToDense(wx.Decoder))
						byHand.Apply(func(i, j int, v float64) float64 { return v + wx.Mean[j] }, byHand)
						got := mat.NewDense(l.n, d, once.values)
						size := mat.Norm(got, 1)
						ratio(residual(got, byHand)/(unit*size), what+" μ + (x−μ)WD")
						again := project(t, wx, once, m)
						ratio(residual(mat.NewDense(l.n, d, again.values), got)/(unit*size), what+" projected twice")
					}

					// Signs.
					for i := range m {
						largest := 0.0
						for j := range d {
							if v := wx.Map.At(j, i); math.Abs(v) > math.Abs(largest) {
								largest = v
							}
						}
						assert.Positive(t, largest, "%s: sign of W_x's column %d", what, i)
						assert.GreaterOrEqual(t, c.Rho[i], 0.0)
					}

					// Reduced: U, V orthonormal; M = P ρ Qᵀ with P = S Vᵀ W.
					a, err := svcca.Reduce(x.layer(), o)
					require.NoError(t, err)
					b, err := svcca.Reduce(y.layer(), o)
					require.NoError(t, err)
					u := lapack.ToDense(a.U)
					full := identityOf(a.K)
					ratio(residual(product(u.T(), u), full)/(float64(n)*ulp), what+" UᵀU = I")
					rc, err := svcca.Compare(a, b)
					require.NoError(t, err)
					M := product(u.T(), lapack.ToDense(b.U))
					p, q := inner(a, rc.X.Directions), inner(b, rc.Y.Directions)
					ratio(residual(product(product(p, mat.NewDiagDense(m, rc.Rho)), q.T()), M)/(float64(m)*ulp*condition*condition), what+" M = PρQᵀ")
				}
			}
		}
	}
	t.Logf("worst residual ratio: %.3g of 30", worst)
}

// inner returns P = S Vᵀ W.
func inner(r *svcca.Reduced, d *svcca.Directions) *mat.Dense {
	p := product(lapack.ToDense(r.V).T(), lapack.ToDense(d.Map))
	p.Apply(func(i, _ int, v float64) float64 { return v * r.SingularValues[i] }, p)
	return p
}

func identityOf(k int) mat.Matrix {
	ones := make([]float64, k)
	for i := range ones {
		ones[i] = 1
	}
	return mat.NewDiagDense(k, ones)
}

func product(a, b mat.Matrix) *mat.Dense {
	var m mat.Dense
	m.Mul(a, b)
	return &m
}

// residual returns ‖a − b‖₁.
func residual(a, b mat.Matrix) float64 {
	var m mat.Dense
	m.Sub(a, b)
	return mat.Norm(&m, 1)
}

func project(t testing.TB, d *svcca.Directions, l data, k int) data {
	var values []float64
	require.NoError(t, d.Project(l.layer(), k, func(block lapack.Matrix[float64]) error {
		for i := range block.Rows {
			values = append(values, block.Row(i)...)
		}
		return nil
	}))
	require.Len(t, values, l.n*l.d)
	l.values = values
	return l
}

// TestTies: exact ties of singular values, of ρ, and the marks they set.
func TestTies(t *testing.T) {
	has := func(c *svcca.Comparison, code string) bool {
		for _, w := range c.Warnings {
			if w.Code == code {
				return true
			}
		}
		return false
	}
	for _, accuracy := range []float64{1, 1e-300} {
		x, y, _ := pythagorean("x", "y", []float64{4, 2, 2, 1}, []float64{8, 4, 2, 1})
		c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.Count(2), Accuracy: accuracy})
		assert.Equal(t, 3, c.X.K, "2 = 2")
		assert.Equal(t, 2, c.Y.K)
		assert.True(t, c.X.KGrew)
		assert.False(t, c.Y.KGrew)
		assert.True(t, has(c, svcca.WarnKGrew))
		assert.False(t, c.WeightedUnique)
		assert.True(t, has(c, svcca.WarnWeightedTies))
		c = between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.Count(1), Accuracy: accuracy})
		assert.Equal(t, 1, c.X.K)
		assert.True(t, c.WeightedUnique, "the tie is not kept")
		assert.False(t, has(c, svcca.WarnKGrew))

		// Equal correlations: all of them leave PWCCA alone, some do not. A column
		// against itself twice and once against the next triple.
		equal := func(swap bool) data {
			h := hadamard(16)
			u := mat.NewDense(16, 3, nil)
			for i := range 16 {
				for j := range 3 {
					a, b := 3.0, 4.0
					if swap && j == 2 {
						a, b = 4, 3
					}
					u.Set(i, j, a*h[i][1+j]+b*h[i][5+j])
				}
			}
			return data{name: "y", n: 16, d: 3, values: compose(u, []float64{4, 2, 1}, identityOf(3))}
		}
		x.d, x.values = 3, compose(mat.NewDense(16, 3, firstColumns(hadamard(16), 1, 3)), []float64{4, 2, 1}, identityOf(3))
		all := between(t, x.layer(), equal(false).layer(), svcca.Options{Keep: svcca.FullRank(), Accuracy: accuracy})
		assert.InDeltaSlice(t, []float64{0.6, 0.6, 0.6}, all.Rho, all.ErrorBound)
		assert.True(t, all.PWCCAUnique)
		assert.False(t, all.DirectionsUnique)
		assert.True(t, has(all, svcca.WarnDirectionTies))
		some := between(t, x.layer(), equal(true).layer(), svcca.Options{Keep: svcca.FullRank(), Accuracy: accuracy})
		assert.InDeltaSlice(t, []float64{0.8, 0.6, 0.6}, some.Rho, some.ErrorBound)
		assert.False(t, some.PWCCAUnique)
		assert.True(t, has(some, svcca.WarnPWCCATies))
		// ρ_m = 0 beside directions without a partner.
		y.d, y.values = 2, firstColumns(hadamard(16), 9, 2)
		loose := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank(), Accuracy: accuracy})
		assert.InDeltaSlice(t, []float64{0, 0}, loose.Rho, loose.ErrorBound)
		assert.False(t, loose.PWCCAUnique)
	}
}

func firstColumns(h [][]float64, from, count int) (values []float64) {
	for _, row := range h {
		values = append(values, row[from:from+count]...)
	}
	return values
}

// TestRankRules: each rank tolerance decides a direction that others do not.
func TestRankRules(t *testing.T) {
	const n, d = 200, 5
	// The last direction is a hundred times less than what float32 keeps, and all
	// the others are well above.
	x, _ := related(newRand(17), n, []float64{1, 0.7, 0.5, 0.3, 1e-8}, []float64{1}, d, 1)
	rank := func(l data, tol svcca.RankTol) int {
		r, err := svcca.Reduce(l.layer(), svcca.Options{Keep: svcca.FullRank(), RankTol: tol})
		require.NoError(t, err)
		return r.Rank
	}
	assert.Equal(t, 5, rank(x, svcca.StorageTol()), "float64 keeps 1e-8")
	assert.Equal(t, 4, rank(x, svcca.TypeTol(svcca.Float32)), "float32 does not")
	assert.Equal(t, 4, rank(x.narrowed(), svcca.StorageTol()), "stored as such")
	assert.Equal(t, 5, rank(x.narrowed(), svcca.MachineTol()), "float64's noise is below float32's rounding")
	assert.Equal(t, 4, rank(x, svcca.ShareTol(2e-8)))
	assert.Equal(t, 5, rank(x, svcca.ShareTol(0.5e-8)))
	assert.Equal(t, 2, rank(x, svcca.ShareTol(0.6)))
	// An offset raises storage's noise, which is that of values, and not machine's.
	assert.Equal(t, 4, rank(x.plus(1e7), svcca.StorageTol()))
	assert.Equal(t, 5, rank(x.plus(1e7), svcca.MachineTol()))
	x, _ = related(newRand(18), n, []float64{1, 0.7, 0.5, 0.3, 5e-3}, []float64{1}, d, 1)
	assert.Equal(t, 5, rank(x, svcca.TypeTol(svcca.Float16)))
	assert.Equal(t, 4, rank(x, svcca.TypeTol(svcca.BFloat16)))
}

// TestOneHugeNeuron: noise is measured direction by direction: 64 neurons of 10^−3
// are all there beside one at 10⁴ ± 1 in float32.
func TestOneHugeNeuron(t *testing.T) {
	const n = 1000
	rng := newRand(19)
	l := data{name: "x", n: n, d: 65, values: make([]float64, n*65)}.mapped(func(_, j int, _ float64) float64 {
		if j == 20 {
			return 1e4 + rng.NormFloat64()
		}
		return 1e-3 * rng.NormFloat64()
	})
	for _, l := range []data{l.narrowed(), l} {
		r, err := svcca.Reduce(l.layer(), svcca.Options{Keep: svcca.FullRank()})
		require.NoError(t, err)
		assert.Equal(t, 65, r.Rank)
		assert.Zero(t, r.Constant)
	}
	// And where neurons outnumber datapoints: rank n − 1.
	wide := l.rows(rand.New(rand.NewPCG(1, 1)).Perm(n)[:40]).narrowed()
	r, err := svcca.Reduce(wide.layer(), svcca.Options{Keep: svcca.FullRank()})
	require.NoError(t, err)
	assert.Equal(t, 39, r.Rank)
}

// TestConstantNeurons: what varies by the rounding of its storage is constant.
func TestConstantNeurons(t *testing.T) {
	const n = 500
	rng := newRand(20)
	base, y := related(rng, n, graded(6, 0.5), graded(4, 0.5), 6, 4)
	l := base.mapped(func(_, j int, v float64) float64 {
		switch j {
		case 1: // one unit of float32 at 10⁴ is 2^−10
			return 1e4 + float64(rng.IntN(3)-1)*0x1p-10
		case 4:
			return -0.7
		}
		return v
	})
	for _, test := range []struct {
		layer    data
		constant int
	}{{l.narrowed(), 2}, {l, 1}} {
		c := between(t, test.layer.layer(), y.layer(), svcca.Options{})
		assert.Equal(t, test.constant, c.X.Constant, "float32 %v", test.layer.float32)
		for i := range c.Rho {
			assert.Zero(t, c.X.Directions.Map.At(4, i), "a constant neuron has no part")
			assert.Zero(t, c.X.Directions.Decoder.At(i, 4))
		}
	}
}

// TestKeepRules: k of each rule on singular values that are known exactly.
func TestKeepRules(t *testing.T) {
	x, y, _ := pythagorean("x", "y", []float64{8, 4, 2, 1}, []float64{8, 4, 2, 1})
	for rule, k := range map[string]int{
		"variance(0.75)": 1, "variance(0.76)": 2, "variance(0.95)": 3, "variance(0.94)": 2, "variance(0.99)": 4, "variance(1)": 4,
		"sum(0.53)": 1, "sum(0.54)": 2, "sum(0.8)": 2, "sum(0.81)": 3, "sum(0.99)": 4,
		"count(1)": 1, "count(3)": 3, "count(99)": 4, "rank": 4,
	} {
		keep, err := svcca.ParseKeep(rule)
		require.NoError(t, err)
		c := between(t, x.layer(), y.layer(), svcca.Options{Keep: keep})
		assert.Equal(t, k, c.X.K, rule) // Σs² = 85, 64/85 = 0.753, 80/85 = 0.941; Σs = 15
	}
	// The default is variance(0.99), as far as the bits.
	a, b := between(t, x.layer(), y.layer(), svcca.Options{}), between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.Variance(0.99)})
	assert.Equal(t, a.Rho, b.Rho)
}
