package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func TestPairIsDeterministic(t *testing.T) {
	for _, spectrum := range Spectra {
		t.Run(spectrum.String(), func(t *testing.T) {
			x, y := Pair(spectrum, 50, 20, 1)
			require.Len(t, x, 50*20)
			require.Len(t, y, 50*20)
			again, againY := Pair(spectrum, 50, 20, 1)
			assert.Equal(t, x, again)
			assert.Equal(t, y, againY)
			other, _ := Pair(spectrum, 50, 20, 2)
			assert.NotEqual(t, x, other)
			assert.NotEqual(t, x, y)
		})
	}
}

// The number of directions kept is what makes a spectrum costly: it has to be
// what the doc says, here with fewer datapoints than W1, so a little less.
func TestSpectrumKeeps(t *testing.T) {
	const n, d = 4000, 512
	for _, c := range []struct {
		spectrum Spectrum
		low, up  int
	}{
		{Steep, 112, 122},
		{Flat, 445, 465},
		{Middle, 240, 252},
	} {
		t.Run(c.spectrum.String(), func(t *testing.T) {
			x, y := Pair(c.spectrum, n, d, 1)
			for name, layer := range map[string][]float32{"x": x, "y": y} {
				k := kept(dense(layer, n, d))
				t.Logf("%s: k = %d", name, k)
				assert.True(t, c.low <= k && k <= c.up, "%s: k = %d, expected %d to %d", name, k, c.low, c.up)
			}
		})
	}
}

// Where nothing is cut and n is large beside d, ρ shows the angles: spread over
// (0, 1), neither all at chance nor all at 1.
func TestPairShares(t *testing.T) {
	const n, d = 4000, 16
	x, y := Pair(Flat, n, d, 1)
	var cc stat.CC
	require.NoError(t, cc.CanonicalCorrelations(dense(x, n, d), dense(y, n, d), nil))
	rho := cc.CorrsTo(nil)
	t.Logf("ρ = %.3f", rho)
	assert.Greater(t, rho[0], 0.99)
	// Koksma: d points of discrepancy 2/d, a function of variation 1.
	assert.InDelta(t, 2/math.Pi, stat.Mean(rho, nil), 2.0/d, "mean of cos over (0, π/2)")
	assert.Less(t, rho[d-1], 0.2)
}

func TestMeansAreNotZero(t *testing.T) {
	const n, d = 1000, 32
	x, _ := Pair(Steep, n, d, 1)
	layer := dense(x, n, d)
	for j := range d {
		mean, sigma := stat.MeanStdDev(mat.Col(nil, j, layer), nil)
		assert.Greater(t, mean, 0.2*sigma, "neuron %d", j)
	}
}

func dense(layer []float32, n, d int) *mat.Dense {
	m := mat.NewDense(n, d, nil)
	for i, v := range layer {
		m.Set(i/d, i%d, float64(v))
	}
	return m
}

// kept returns k by the rule variance(0.99).
func kept(x *mat.Dense) int {
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, x, nil)
	var eigen mat.EigenSym
	eigen.Factorize(&covariance, false)
	variances := eigen.Values(nil)
	floats.Reverse(variances)
	total, sum := floats.Sum(variances), 0.0
	for i, v := range variances {
		if sum += v; sum >= 0.99*total {
			return i + 1
		}
	}
	return len(variances)
}
