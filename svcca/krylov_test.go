package svcca_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
)

// spectra are singular values of kinds that differ in how hard the first are to tell
// from the rest.
var spectra = []struct {
	name string
	s    func(i int) float64
}{
	{name: "polynomial", s: func(i int) float64 { return 1 / float64(1+i) }},
	{name: "slow", s: func(i int) float64 { return math.Pow(float64(1+i), -0.7) }},
	{name: "exponential", s: func(i int) float64 { return math.Exp(-float64(i) / 5) }},
	{name: "steep", s: func(i int) float64 { return math.Pow(0.2, float64(i)/2) }},
	{name: "clustered", s: func(i int) float64 { return math.Pow(0.3, float64(i/6)) * (1 - 1e-4*float64(i%6)) }},
	{name: "tied", s: func(i int) float64 { return math.Pow(0.5, float64(i/4)) }},
	{name: "tied wider than a block", s: func(i int) float64 { return math.Pow(0.5, float64(i/15)) }},
	{name: "flat", s: func(i int) float64 { return 1 - float64(i)/200 }},
}

// spectral returns two layers with singular values of a kind and subspaces at angles.
func spectral(seed uint64, kind, n, d, e int) (x, y data) {
	rng := newRand(seed)
	s := make([]float64, min(n-1, max(d, e)))
	for i := range s {
		s[i] = spectra[kind].s(i)
	}
	return related(rng, n, s[:min(len(s), d)], s[:min(len(s), e)], d, e)
}

// sine returns the Frobenius norm of the sine of the angle between what the columns
// of two orthonormal matrices span.
func sine(u, w lapack.Matrix[float64]) float64 {
	m := lapack.New[float64](u.Cols, w.Cols)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, u, w, 0, m)
	rest := w.Clone()
	lapack.Gemm(blas.NoTrans, blas.NoTrans, -1, u, m, 1, rest)
	sum := 0.0
	for i := range rest.Rows {
		for _, v := range rest.Row(i) {
			sum += v * v
		}
	}
	return math.Sqrt(sum)
}

// TestKrylovBounds holds subspaces, singular values, k and ρ against the exact
// solver, for many random blocks: none is further than stated, and k is the same
// where nothing warns of it. Where the space may be as large as it likes, nothing
// does; where it may not, errors are large, and refusals are right.
func TestKrylovBounds(t *testing.T) {
	uninstrumented(t)
	for _, most := range []int{40, 1000} {
		krylovBounds(t, most)
	}
}

func krylovBounds(t *testing.T, most int) {
	defer svcca.SmallKrylov(5, most, 1000)()
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	rules := []svcca.Keep{svcca.Variance(0.9), svcca.Variance(0.99), svcca.Count(7)}
	for kind, spectrum := range spectra {
		worst, worstValue, largest, refused, unsure, all := 0.0, 0.0, 0.0, 0, 0, 0
		for seed := range seeds {
			for _, shape := range [][3]int{{110, 80, 75}, {70, 95, 90}, {80, 100, 60}} {
				x, y := spectral(seed, kind, shape[0], shape[1], shape[2])
				for _, keep := range rules {
					all++
					o := svcca.Options{Keep: keep}
					exact := between(t, x.layer(), y.layer(), o)
					fine, err := svcca.Reduce(x.layer(), o)
					require.NoError(t, err)
					o.Solver = svcca.Krylov
					where := fmt.Sprintf("%s, seed %d, %v, %v", spectrum.name, seed, shape, keep)
					r, err := svcca.Reduce(x.layer(), o)
					if err != nil {
						require.ErrorIs(t, err, svcca.ErrOptions, where)
						require.Contains(t, err.Error(), "of the variance", where)
						refused++
						continue
					}
					require.Equal(t, svcca.MethodKrylov, r.Method)
					c, err := svcca.Between(x.layer(), y.layer(), o)
					require.NoError(t, err, where)
					finite(t, c)
					if slices.Contains(codes(c), svcca.WarnUncertainK) || r.ErrorBound == 1 {
						unsure++
						continue
					}
					require.Equal(t, fine.K, r.K, where)
					require.Equal(t, fine.KGrew, r.KGrew, where)
					assert.LessOrEqual(t, sine(fine.U, r.U), r.ErrorBound+fine.ErrorBound+100*ulp, where)
					assert.LessOrEqual(t, sine(fine.V, r.V), r.ErrorBound+fine.ErrorBound+100*ulp, where)
					largest = max(largest, r.ErrorBound)
					if r.ErrorBound > 1e-10 { // the rest is rounding
						worst = max(worst, sine(fine.U, r.U)/r.ErrorBound)
					}
					require.Len(t, r.SingularValues, r.K)
					for i, s := range r.SingularValues {
						relative := math.Abs(s-fine.SingularValues[i]) / fine.SingularValues[i]
						require.LessOrEqual(t, relative, r.ErrorBound+1e-12, "%s: s_%d", where, i)
						worstValue = max(worstValue, relative/r.ErrorBound)
					}
					require.Len(t, c.Rho, len(exact.Rho), where)
					for i, rho := range c.Rho {
						require.LessOrEqual(t, math.Abs(rho-exact.Rho[i]), c.ErrorBound+exact.ErrorBound, "%s: ρ_%d", where, i)
					}
					assert.InDelta(t, exact.MeanSquare, c.MeanSquare, c.ErrorBound+exact.ErrorBound, where)
					if exact.WeightedUnique {
						assert.InDelta(t, exact.Weighted, c.Weighted, c.WeightedErrorBound+exact.WeightedErrorBound, where)
					}
					if exact.PWCCAUnique {
						assert.InDelta(t, exact.PWCCAX, c.PWCCAX, c.PWCCAErrorBound+exact.PWCCAErrorBound, where)
					}
				}
			}
		}
		t.Logf("%s, space of %d: at most %.2g of bounds up to %.1g, singular values %.2g; of %d %d refused, %d unsure", spectrum.name, most, worst, largest, worstValue, all, refused, unsure)
		if most == 1000 {
			assert.Zero(t, refused+unsure, spectrum.name)
			assert.LessOrEqual(t, largest, 2e-6)
		}
	}
}
