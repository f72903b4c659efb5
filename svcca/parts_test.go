package svcca

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/native"
	"github.com/stretchr/testify/require"
)

// BenchmarkParts times the parts of W1 (package bench), with one BLAS thread and
// goroutines, and with the BLAS's own threads. Milliseconds an operation.
func BenchmarkParts(b *testing.B) {
	for _, threads := range []int{1, native.Threads()} {
		for _, precision := range []Precision{Double, Mixed} {
			for _, spectrum := range bench.Spectra {
				b.Run(fmt.Sprintf("spectrum=%v/precision=%v/threads=%d", spectrum, precision, threads), func(b *testing.B) {
					defer native.LimitThreads(threads)()
					n, d := bench.W1Datapoints, bench.W1Neurons
					x, y := bench.Pair(spectrum, n, d, 1)
					o, err := Options{Precision: precision}.check()
					require.NoError(b, err)
					sideOf := func(name string, values []float32) *side {
						l, err := describe(FromSlice(name, values, n, d), name)
						require.NoError(b, err)
						w, err := newWeights(nil, n)
						require.NoError(b, err)
						return newSide(l, w, o)
					}
					var sums, cross, rest time.Duration
					for b.Loop() {
						c, w := crew.New(context.Background()), [2]*workspace{borrow(), borrow()}
						start := time.Now()
						bx, by, product, err := jointMoments(c, w, sideOf("x", x), sideOf("y", y), o, o.Precision)
						require.NoError(b, err)
						summed := time.Now()
						M, err := product()
						require.NoError(b, err)
						crossed := time.Now()
						_, err = compare(c, w[0], bx, by, M, o.Precision, o)
						require.NoError(b, err)
						rest += time.Since(crossed)
						cross += crossed.Sub(summed)
						sums += summed.Sub(start)
						w[0].back()
						w[1].back()
					}
					report := func(part string, d time.Duration) {
						b.ReportMetric(float64(d.Microseconds())/1e3/float64(b.N), "ms-"+part)
					}
					report("moments-and-eigen", sums)
					report("second-pass", cross)
					report("svd-maps-scores", rest)
				})
			}
		}
	}
}
