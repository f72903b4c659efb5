package svcca_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bytesPerCall returns what a warm call allocates: the least of several rounds, as
// the runtime and other tests' remains allocate too.
func bytesPerCall(t *testing.T, call func()) (least float64) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would empty the pool of workspaces
	const rounds, calls = 4, 3
	for range 3 {
		call()
	}
	for round := range rounds {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			call()
		}
		runtime.ReadMemStats(&after)
		if each := float64(after.TotalAlloc-before.TotalAlloc) / calls; round == 0 || each < least {
			least = each
		}
	}
	return least
}

// resultBytes returns the size of what a comparison keeps: maps, decoders, means,
// singular values and correlations.
func resultBytes(c *svcca.Comparison) int {
	floats := len(c.Rho)
	for _, side := range []svcca.Side{c.X, c.Y} {
		d := side.Directions
		floats += len(side.SingularValues) + len(d.Mean) + len(d.Map.Data) + len(d.Decoder.Data)
	}
	return 8 * floats
}

// slack is what a call may allocate besides: slices of a value per neuron, so many
// of each layer; goroutines, closures and errors of each task; headers.
func slack(d, e, tasks int) int {
	const perNeuron, perTask, headers = 24, 256, 16 << 10
	return perNeuron*8*(d+e) + perTask*tasks + headers
}

// TestWarmAllocations: a warm Between or Compare of equal shapes allocates only its
// result, to slices of a value per neuron.
func TestWarmAllocations(t *testing.T) {
	if sanitizer.On {
		t.Skip("instrumented: values move to the heap that otherwise would not")
	}
	if native.Describe().Name == "purego" {
		t.Skip("purego: gonum's own products allocate")
	}
	const n, d, e = 2000, 128, 96
	x, y := correlated(70, n, d, e)
	x, y = x.narrowed(), y.narrowed()
	lx, ly := x.layer(), y.layer()
	for _, threads := range []int{1, runtime.GOMAXPROCS(0)} {
		release := native.LimitThreads(threads)
		for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
			o := svcca.Options{Precision: precision, Keep: svcca.Count(40)} // few enough for coordinates to be taken
			a, err := svcca.Reduce(lx, o)
			require.NoError(t, err)
			b, err := svcca.Reduce(ly, o)
			require.NoError(t, err)
			for _, call := range []struct {
				name    string
				compare func() (*svcca.Comparison, error)
			}{
				{"Between, second pass", func() (*svcca.Comparison, error) { return svcca.Between(lx, ly, o) }},
				{"Between, joint", func() (*svcca.Comparison, error) { return svcca.Between(plainLayer(lx), plainLayer(ly), o) }},
				{"Compare", func() (*svcca.Comparison, error) { return svcca.Compare(a, b) }},
			} {
				var c *svcca.Comparison
				spent := bytesPerCall(t, func() {
					c, err = call.compare()
					require.NoError(t, err)
				})
				require.Equal(t, svcca.MethodMoments, c.Method)
				result, allowed := resultBytes(c), slack(d, e, 2*(n+31)/32) // 32 rows a task, of two layers
				what := fmt.Sprintf("%s, %v, %d BLAS threads", call.name, precision, threads)
				t.Logf("%s: k %d and %d: %.0f bytes, of the result %d, slack %d", what, c.X.K, c.Y.K, spent, result, allowed)
				assert.LessOrEqual(t, spent, float64(result+allowed), "%s: %.0f bytes beyond the result's %d", what, spent-float64(result), result)
			}
		}
		release()
	}
}
