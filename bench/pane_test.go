package bench

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
)

func TestPaneLayerIsDeterministic(t *testing.T) {
	layer := PaneLayer(Middle, 50, 20, 1, 4, 1)
	require.Len(t, layer, 50*20)
	assert.Equal(t, layer, PaneLayer(Middle, 50, 20, 1, 4, 1))
	for name, other := range map[string][]float32{
		"layer":    PaneLayer(Middle, 50, 20, 2, 4, 1),
		"spectrum": PaneLayer(Flat, 50, 20, 1, 4, 1),
		"seed":     PaneLayer(Middle, 50, 20, 1, 4, 2),
	} {
		assert.NotEqual(t, layer, other, name)
	}
}

// As TestPairShares: ρ of two layers are the products of their cosines, whose mean
// falls as the shift between the angles grows to half of their range.
func TestPaneShares(t *testing.T) {
	const n, d, count = 4000, 64, 8
	first := dense(PaneLayer(Flat, n, d, 0, count, 1), n, d)
	for j := 1; j <= count/2; j++ {
		var cc stat.CC
		require.NoError(t, cc.CanonicalCorrelations(first, dense(PaneLayer(Flat, n, d, j, count, 1), n, d), nil))
		mean := stat.Mean(cc.CorrsTo(nil), nil)
		// cos(πu/2)·cos(πv/2), averaged over u in (0, 1), where v is the fraction of
		// u + shift: half of the cosine of the difference, as that of the sum
		// averages to 0.
		shift := float64(j) / count
		sine, cosine := math.Sincos(shift * math.Pi / 2)
		expected := ((1-shift)*cosine + shift*sine) / 2
		t.Logf("shift %.3f: mean ρ %.3f, expected %.3f", shift, mean, expected)
		// Koksma: d points of discrepancy 2/d, a function that falls to 0 twice.
		assert.InDelta(t, expected, mean, (cosine+2*sine)*2/d)
	}
}
