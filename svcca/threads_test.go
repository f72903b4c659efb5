package svcca_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// processors sets GOMAXPROCS until the function that it returns is called.
func processors(count int) (restore func()) {
	before := runtime.GOMAXPROCS(count)
	return func() { runtime.GOMAXPROCS(before) }
}

// correlated returns two layers of which neurons have parts in common, of falling
// size: cheap where related would take seconds.
func correlated(seed uint64, n, d, e int) (x, y data) {
	rng := newRand(seed)
	x = data{name: "x", n: n, d: d, values: make([]float64, n*d)}
	y = data{name: "y", n: n, d: e, values: make([]float64, n*e)}
	x = x.mapped(func(_, j int, _ float64) float64 { return rng.NormFloat64() / (1 + float64(j)/30) })
	y = y.mapped(func(i, j int, _ float64) float64 {
		return (x.at(i, j%d) + 0.5*rng.NormFloat64()) / (1 + float64(j)/40)
	})
	return x, y
}

// work is a comparison by one of the ways.
type work struct {
	name    string
	compare func() (*svcca.Comparison, error)
}

func workloads(shapes [][3]int) (all []work) {
	for i, shape := range shapes {
		x, y := correlated(uint64(50+i), shape[0], shape[1], shape[2])
		for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
			for _, accuracy := range []float64{0, accuracyTriangle} {
				if accuracy != 0 && (precision == svcca.Mixed || shape[1] > 100) {
					continue // Mixed takes no triangle; a large one takes long
				}
				o := svcca.Options{Keep: svcca.Variance(0.983), Precision: precision, Accuracy: accuracy}
				for way, compare := range ways(x.layer(), y.layer(), o) {
					all = append(all, work{fmt.Sprintf("%v %v accuracy %g, %s", shape, precision, accuracy, way), compare})
				}
			}
		}
	}
	return all
}

// sameBits reports whether two results are the same in every number.
func sameBits(t *testing.T, a, b *svcca.Comparison) bool {
	all := func(c *svcca.Comparison) []float64 {
		return slices.Concat(c.X.Directions.Mean, c.X.Directions.Map.Data, c.X.Directions.Decoder.Data,
			c.Y.Directions.Mean, c.Y.Directions.Map.Data, c.Y.Directions.Decoder.Data)
	}
	first, err := json.Marshal(a)
	require.NoError(t, err)
	second, err := json.Marshal(b)
	require.NoError(t, err)
	return bytes.Equal(first, second) && slices.Equal(all(a), all(b))
}

// TestWorkers: with one BLAS thread the bits are the same for any number of
// goroutines above one. One alone takes wider tiles: its result, and that of BLAS
// threads, is the same within the bounds.
func TestWorkers(t *testing.T) {
	shapes := [][3]int{{2500, 20, 15}, {40, 60, 50}, {600, 390, 100}}
	if testing.Short() || sanitizer.On || native.Describe().Name == "purego" { // purego has no threads to limit
		shapes = shapes[:2]
	}
	differ := 0
	for _, w := range workloads(shapes) {
		threaded, err := w.compare()
		require.NoError(t, err, w.name)
		results := map[int]*svcca.Comparison{}
		release := native.LimitThreads(1)
		for _, count := range []int{1, 2, 3} {
			restore := processors(count)
			results[count], err = w.compare()
			restore()
			require.NoError(t, err, w.name)
		}
		release()
		assert.True(t, sameBits(t, results[2], results[3]), "%s: 2 and 3 goroutines, bitwise", w.name)
		requireSame(t, threaded, results[1], 0)
		requireSame(t, threaded, results[2], 0)
		requireSame(t, results[1], results[2], 0)
		if !sameBits(t, results[1], results[2]) {
			differ++
			t.Logf("%s: one goroutine's last bits are others", w.name)
		}
	}
	t.Logf("%d of the results hang on whether there is one goroutine", differ)
}

// TestWorkersConcurrent: calls at the same time share nothing, each with one BLAS
// thread and goroutines of its own, the workspaces passing from hand to hand
// between shapes and precisions. The race detector looks on.
func TestWorkersConcurrent(t *testing.T) {
	defer native.LimitThreads(1)()
	defer processors(3)()
	all := workloads([][3]int{{700, 12, 9}, {150, 30, 7}, {20, 30, 25}})
	wanted := make([]*svcca.Comparison, len(all))
	for i, w := range all {
		var err error
		wanted[i], err = w.compare()
		require.NoError(t, err)
	}
	var group sync.WaitGroup
	for g := range 12 {
		group.Go(func() {
			for i := range all {
				at := (i*7 + g) % len(all)
				c, err := all[at].compare()
				if assert.NoError(t, err) {
					assert.True(t, sameBits(t, c, wanted[at]), "%s: bitwise", all[at].name)
				}
			}
		})
	}
	group.Wait()
}

// TestWorkersCancelled: a context that ends while rows are read, in the first pass
// or the second, is noticed within a block of rows, and no goroutine is left (main_test.go).
func TestWorkersCancelled(t *testing.T) {
	defer native.LimitThreads(1)()
	const n, d, e = 6000, 10, 8
	x, y := correlated(60, n, d, e)
	for _, count := range []int{1, 2, 3} {
		for _, o := range []svcca.Options{{}, {Precision: svcca.Mixed}, {Accuracy: accuracyTriangle}} {
			restore := processors(count)
			var mu sync.Mutex // nobody reads while the context is being ended
			var reads, stop int
			var cancel context.CancelFunc
			run := func(at int) error {
				var ctx context.Context
				ctx, cancel = context.WithCancel(context.Background())
				defer cancel()
				reads, stop = 0, at
				_, err := svcca.BetweenContext(ctx, odd{Layer: x.layer(), storage: "float64", read: func(int) {
					mu.Lock()
					defer mu.Unlock()
					if reads++; reads == stop {
						cancel()
					}
				}}, y.layer(), o)
				return err
			}
			require.NoError(t, run(0))
			all := reads
			for _, at := range []int{1, all / 3, 2 * all / 3, all - 1} {
				what := fmt.Sprintf("%d goroutines, %v, accuracy %g, read %d of %d", count, o.Precision, o.Accuracy, at, all)
				require.ErrorIs(t, run(at), context.Canceled, what)
				// Others may begin until the context has ended: a block at most, 32 rows a read.
				assert.LessOrEqual(t, reads, at+1024/32+count, what)
			}
			restore()
		}
	}
}

// stopped compares under a context that ends when it is asked for the after-th
// time, 0 never. It returns how often it was asked.
func stopped(x, y data, o svcca.Options, after int) (asked int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	checks := &countingContext{Context: ctx, after: int64(after), cancel: cancel}
	_, err = svcca.BetweenContext(checks, x.layer(), y.layer(), o)
	return int(checks.count.Load()), err
}

// countingContext cancels itself when it is asked for the after-th time.
type countingContext struct {
	context.Context
	count  atomic.Int64
	after  int64
	cancel context.CancelFunc
}

func (c *countingContext) Err() error {
	if c.count.Add(1) == c.after {
		c.cancel()
	}
	return c.Context.Err()
}

// TestWorkersCancelledAnywhere: whenever a call asks its context, the answer that
// it has ended is the call's, also between the tasks of the second pass.
func TestWorkersCancelledAnywhere(t *testing.T) {
	defer native.LimitThreads(1)()
	x, y := correlated(61, 3000, 10, 8)
	for _, count := range []int{1, 3} {
		restore := processors(count)
		for _, o := range []svcca.Options{{}, {Precision: svcca.Mixed, Keep: svcca.Count(2)}} {
			asked, err := stopped(x, y, o, 0)
			require.NoError(t, err)
			points := []int{1, 2, asked / 4, asked / 2, 3 * asked / 4, asked - 1, asked}
			for _, at := range slices.Compact(points) {
				seen, err := stopped(x, y, o, at)
				assert.ErrorIs(t, err, context.Canceled, "%d goroutines, asked %d times of %d", count, at, asked)
				assert.LessOrEqual(t, seen, at+3000/32+count, "asked again after %d", at)
			}
		}
		restore()
	}
}
