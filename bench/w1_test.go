package bench

import (
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
)

// ways are the settings that workloads are timed in. With one BLAS thread
// goroutines share the work, as is recommended; otherwise the BLAS keeps the
// threads that the process started with.
var ways = []struct {
	name      string
	precision svcca.Precision
	one       bool
}{
	{"precision=float64/blas=all", svcca.Double, false},
	{"precision=float64/blas=1", svcca.Double, true},
	{"precision=mixed/blas=all", svcca.Mixed, false},
	{"precision=mixed/blas=1", svcca.Mixed, true},
}

// BenchmarkW1 times one pair, 20000 × 512 float32 both, from values in memory to
// every ρ and both maps. Metrics are milliseconds an operation.
//
// In float64 with all BLAS threads it times in turn the BLAS and LAPACK calls that
// this cannot do without: the products of [X Y] with itself in panels, the two
// eigen-solves, the SVD of M and the small products around them; then the whole
// over the sum of its calls is a metric too. Beside one BLAS thread it does not:
// those that the calls leave spinning would take a core from what is timed.
func BenchmarkW1(b *testing.B) {
	for _, spectrum := range W1Spectra {
		x, y := Pair(spectrum, W1Datapoints, W1Neurons, 1)
		layerX := svcca.FromSlice("x", x, W1Datapoints, W1Neurons)
		layerY := svcca.FromSlice("y", y, W1Datapoints, W1Neurons)
		for _, way := range ways {
			b.Run("spectrum="+spectrum.String()+"/"+way.name, func(b *testing.B) {
				if way.one {
					defer native.LimitThreads(1)()
				}
				options := svcca.Options{Precision: way.precision}
				c, err := svcca.Between(layerX, layerY, options)
				require.NoError(b, err)
				require.Equal(b, svcca.MethodMoments, c.Method)
				var calls *Calls
				if way.precision == svcca.Double && !way.one {
					calls = NewCalls(x, y, c.X.K)
				}
				var whole time.Duration
				b.ReportAllocs()
				for b.Loop() {
					start := time.Now()
					_, err = svcca.Between(layerX, layerY, options)
					whole += time.Since(start)
					require.NoError(b, err)
					if calls != nil {
						b.StopTimer()
						require.NoError(b, calls.Run())
						b.StartTimer()
					}
				}
				perOp := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 / float64(b.N) }
				b.ReportMetric(float64(c.X.K), "k")
				b.ReportMetric(perOp(whole), "ms-whole")
				if calls != nil {
					b.ReportMetric(perOp(calls.Products), "ms-products")
					b.ReportMetric(perOp(calls.Eigen), "ms-eigen")
					b.ReportMetric(perOp(calls.SVD), "ms-svd")
					b.ReportMetric(perOp(calls.Maps), "ms-maps")
					b.ReportMetric(whole.Seconds()/calls.Total().Seconds(), "whole/calls")
				}
			})
		}
	}
}
