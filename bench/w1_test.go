package bench

import (
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
)

// BenchmarkW1 times one pair, 20000 × 512 float32 both, from values in memory to
// every ρ and both maps, and in turn the BLAS and LAPACK calls that this cannot
// do without: the products of [X Y] with itself in panels, the two eigen-solves,
// the SVD of M and the small products around them. Metrics are milliseconds an
// operation, and the whole over the sum of its calls.
func BenchmarkW1(b *testing.B) {
	for _, spectrum := range Spectra {
		b.Run("spectrum="+spectrum.String(), func(b *testing.B) {
			x, y := Pair(spectrum, W1Datapoints, W1Neurons, 1)
			layerX := svcca.FromSlice("x", x, W1Datapoints, W1Neurons)
			layerY := svcca.FromSlice("y", y, W1Datapoints, W1Neurons)
			c, err := svcca.Between(layerX, layerY, svcca.Options{})
			require.NoError(b, err)
			require.Equal(b, svcca.MethodMoments, c.Method)
			calls := NewCalls(x, y, c.X.K)
			var whole time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				_, err = svcca.Between(layerX, layerY, svcca.Options{})
				whole += time.Since(start)
				require.NoError(b, err)
				b.StopTimer()
				require.NoError(b, calls.Run())
				b.StartTimer()
			}
			perOp := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 / float64(b.N) }
			b.ReportMetric(float64(c.X.K), "k")
			b.ReportMetric(perOp(whole), "ms-whole")
			b.ReportMetric(perOp(calls.Products), "ms-products")
			b.ReportMetric(perOp(calls.Eigen), "ms-eigen")
			b.ReportMetric(perOp(calls.SVD), "ms-svd")
			b.ReportMetric(perOp(calls.Maps), "ms-maps")
			b.ReportMetric(whole.Seconds()/calls.Total().Seconds(), "whole/calls")
		})
	}
}
