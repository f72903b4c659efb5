package svcca

import (
	"context"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/stretchr/testify/require"
)

// BenchmarkParts times the parts of W1 (package bench), each beside the BLAS and
// LAPACK calls in it, made alone in turn with it. Milliseconds an operation.
func BenchmarkParts(b *testing.B) {
	for _, spectrum := range bench.Spectra {
		b.Run("spectrum="+spectrum.String(), func(b *testing.B) {
			n, d := bench.W1Datapoints, bench.W1Neurons
			x, y := bench.Pair(spectrum, n, d, 1)
			o, err := Options{}.check()
			require.NoError(b, err)
			sideOf := func(name string, values []float32) *side {
				l, err := describe(FromSlice(name, values, n, d), name)
				require.NoError(b, err)
				w, err := newWeights(nil, n)
				require.NoError(b, err)
				return newSide(l, w, o)
			}
			var calls *bench.Calls
			var sums, eigen, rest time.Duration
			for b.Loop() {
				start := time.Now()
				m, err := newMoments(panel{ctx: context.Background(), sides: []*side{sideOf("x", x), sideOf("y", y)}})
				require.NoError(b, err)
				summed := time.Now()
				bx, _, err := m.reduce(0, o)
				require.NoError(b, err)
				by, _, err := m.reduce(1, o)
				require.NoError(b, err)
				reduced := time.Now()
				_, err = compare(bx, by, m.cross(bx, by), o)
				require.NoError(b, err)
				rest += time.Since(reduced)
				eigen += reduced.Sub(summed)
				sums += summed.Sub(start)
				if calls == nil {
					calls = bench.NewCalls(x, y, bx.k)
				}
				require.NoError(b, calls.Run())
			}
			report := func(part string, d time.Duration) {
				b.ReportMetric(float64(d.Microseconds())/1e3/float64(b.N), "ms-"+part)
			}
			report("sums", sums)
			report("sums-products-alone", calls.Products)
			report("reduce", eigen)
			report("reduce-eigen-alone", calls.Eigen)
			report("compare", rest)
			report("compare-svd-and-maps-alone", calls.SVD+calls.Maps)
		})
	}
}
