package fftw

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
)

func TestDescribe(t *testing.T) {
	t.Log(Describe())
	if b := backendsOf[float64, complex128]()[0]; b.name == "fftw" {
		assert.Regexp(t, `^FFTW 3\.\d+\.\d+(-\S+)?$`, Describe())
	} else {
		assert.Equal(t, native.Gonum(), Describe())
	}
	assert.Equal(t, Describe(), native.Describe().FFT, "native was told")
}

func TestPanics(t *testing.T) {
	onAll(t, testPanics[float32, complex64], testPanics[float64, complex128])
	t.Run("precisions", func(t *testing.T) {
		one := Axis{1, 1, 1}
		mustPanic(t, errPrecision, func() { NewForward[float32, complex128](one, one) })
		mustPanic(t, errPrecision, func() { NewForward[float64, complex64](one, one) })
		mustPanic(t, errPrecision, func() { NewInverse[float32, complex128](one, one) })
	})
}

func testPanics[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const huge = math.MaxInt
	rows, cols := Axis{4, 6, 6}, Axis{6, 1, 1}
	for _, c := range []struct {
		name, text string
		rows, cols Axis
		batch      []Axis
	}{
		{"no rows", errBadLength, Axis{0, 6, 6}, cols, nil},
		{"no columns", errBadLength, rows, Axis{0, 1, 1}, nil},
		{"rows below 0", errBadLength, Axis{-4, 6, 6}, cols, nil},
		{"batch below 0", errBadBatch, rows, cols, []Axis{{-1, 24, 24}}},
		{"input stride 0", errBadStride, rows, Axis{6, 0, 1}, nil},
		{"output stride 0", errBadStride, rows, Axis{6, 1, 0}, nil},
		{"stride below 0", errBadStride, Axis{4, -6, 6}, cols, nil},
		{"batch stride 0", errBadStride, rows, cols, []Axis{{2, 0, 24}}},
		{"rows meet columns", errOverlap, Axis{4, 6, 3}, cols, nil},
		{"same stride", errOverlap, Axis{4, 6, 1}, cols, nil},
		{"images meet", errOverlap, rows, cols, []Axis{{2, 24, 15}}},
		{"images meet in two axes", errOverlap, rows, cols, []Axis{{2, 24, 24}, {3, 48, 24}}},
		{"huge input", errTooLarge, rows, cols, []Axis{{3, huge, 24}}},
		{"huge output", errTooLarge, rows, cols, []Axis{{3, 24, huge}}},
		{"huge length", errTooLarge, rows, cols, []Axis{{huge, huge, huge}}},
		{"huge in sum", errTooLarge, rows, cols, []Axis{{2, maxExtent / 2, 24}, {2, maxExtent/2 + 1, 48}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustPanic(t, c.text, func() { newForward(b, c.rows, c.cols, c.batch) })
			mustPanic(t, c.text, func() { newInverse(b, c.rows, c.cols, c.batch) })
		})
	}

	spectral := Axis{4, 6, 4}
	f := must(newForward(b, spectral, cols, nil))
	src, dst := make([]R, 24), make([]C, 16)
	f.Execute(dst, src)
	mustPanic(t, errShortDst, func() { f.Execute(dst[:15], src) })
	mustPanic(t, errShortSrc, func() { f.Execute(dst, src[:23]) })
	mustPanic(t, errShortDst, func() { f.Execute(nil, nil) })
	require.NoError(t, f.Close(), "no lock is left behind")
	i := must(newInverse(b, Axis{4, 4, 6}, cols, nil))
	i.Execute(src, dst)
	mustPanic(t, errShortDst, func() { i.Execute(src[:23], dst) })
	mustPanic(t, errShortSrc, func() { i.Execute(src, dst[:15]) })
	require.NoError(t, i.Close())
}

func TestClose(t *testing.T) {
	onAll(t, testClose[float32, complex64], testClose[float64, complex128])
}

func testClose[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	one := Axis{Length: 1}
	f, i := must(newForward(b, one, one, nil)), must(newInverse(b, one, one, nil))
	src, dst := []R{5}, []C{0}
	f.Execute(dst, src)
	assert.Equal(t, []C{5}, dst)
	for range 2 {
		require.NoError(t, f.Close())
		require.NoError(t, i.Close())
	}
	mustPanic(t, errClosed, func() { f.Execute(dst, src) })
	mustPanic(t, errClosed, func() { i.Execute(src, dst) })

	var neverMade Forward[R, C]
	mustPanic(t, errClosed, func() { neverMade.Execute(dst, src) })
	require.NoError(t, neverMade.Close())

	empty := must(newForward(b, Axis{4, 4, 4}, Axis{4, 1, 1}, []Axis{{3, 16, 16}, {0, 48, 48}}))
	empty.Execute(nil, nil)
	require.NoError(t, empty.Close())
	mustPanic(t, errClosed, func() { empty.Execute(nil, nil) })
}

// TestCloseWaits has executions under way, or about to begin, when a plan is
// closed: each of them ends right or panics.
func TestCloseWaits(t *testing.T) {
	onAll(t, testCloseWaits[float32, complex64], testCloseWaits[float64, complex128])
}

func testCloseWaits[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const h, w, n = 8, 8, 16
	src := convert[R](random[R](newRand(t), h*w*n, 1))
	axes := func() (rows, cols Axis, batch []Axis) {
		return Axis{h, w * n, half(w) * n}, Axis{w, n, n}, []Axis{{n, 1, 1}}
	}
	rows, cols, batch := axes()
	want := make([]C, h*half(w)*n)
	f := must(newForward(b, rows, cols, batch))
	f.Execute(want, src)
	require.NoError(t, f.Close())

	rounds := 20
	if sanitizer.On {
		rounds = 4
	}
	for range rounds {
		f := must(newForward(b, rows, cols, batch))
		var group sync.WaitGroup
		var done, refused atomic.Int64
		started := make(chan struct{}, 4)
		for range 4 {
			group.Go(func() {
				defer func() {
					if text := recover(); text != nil {
						assert.Equal(t, errClosed, text)
						refused.Add(1)
					}
				}()
				for {
					dst := make([]C, len(want))
					f.Execute(dst, src)
					assert.Equal(t, want, dst)
					if done.Add(1) == 4 {
						close(started)
					}
				}
			})
		}
		<-started
		group.Go(func() { assert.NoError(t, f.Close()) })
		group.Go(func() { assert.NoError(t, f.Close()) })
		group.Wait()
		assert.EqualValues(t, 4, refused.Load())
	}
}

// TestConcurrent plans, executes and closes in many goroutines at once, and uses
// one plan from all of them: the bits are those of one goroutine.
func TestConcurrent(t *testing.T) {
	onAll(t, testConcurrent[float32, complex64], testConcurrent[float64, complex128])
}

func testConcurrent[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const goroutines, rounds = 16, 8
	r := newRand(t)
	type job struct {
		h, w, n int
		src     []R
		want    []C
		back    []R
	}
	there := func(j job) (rows, cols Axis, batch []Axis) {
		return Axis{j.h, j.w * j.n, half(j.w) * j.n}, Axis{j.w, j.n, j.n}, []Axis{{j.n, 1, 1}}
	}
	back := func(j job) (rows, cols Axis, batch []Axis) {
		return Axis{j.h, half(j.w) * j.n, j.w * j.n}, Axis{j.w, j.n, j.n}, []Axis{{j.n, 1, 1}}
	}
	once := func(j job) ([]C, []R) {
		dst, again := make([]C, j.h*half(j.w)*j.n), make([]R, len(j.src))
		rows, cols, batch := there(j)
		f := must(newForward(b, rows, cols, batch))
		defer f.Close()
		f.Execute(dst, j.src)
		rows, cols, batch = back(j)
		i := must(newInverse(b, rows, cols, batch))
		defer i.Close()
		i.Execute(again, dst)
		return dst, again
	}
	jobs := make([]job, goroutines)
	for g := range jobs {
		j := job{h: 1 + g, w: 20 - g, n: 1 + g%5}
		j.src = convert[R](random[R](r, j.h*j.w*j.n, 1))
		j.want, j.back = once(j)
		jobs[g] = j
	}
	shared := jobs[7]
	rows, cols, batch := there(shared)
	common := must(newForward(b, rows, cols, batch))
	rows, cols, batch = back(shared)
	commonBack := must(newInverse(b, rows, cols, batch))
	defer common.Close()
	defer commonBack.Close()

	var group sync.WaitGroup
	for _, j := range jobs {
		group.Go(func() {
			for range rounds {
				dst, again := once(j)
				assert.Equal(t, j.want, dst)
				assert.Equal(t, j.back, again)
				dst, again = make([]C, len(shared.want)), make([]R, len(shared.src))
				common.Execute(dst, shared.src)
				commonBack.Execute(again, dst)
				assert.Equal(t, shared.want, dst)
				assert.Equal(t, shared.back, again)
			}
		})
	}
	group.Wait()
}

// TestBatchesOfOneSize: where work is cut does not matter to the bits, as long as
// parts begin where slices that make returned might.
func TestBatchesOfOneSize(t *testing.T) {
	onAll(t, testBatchesOfOneSize[float32, complex64], testBatchesOfOneSize[float64, complex128])
}

func testBatchesOfOneSize[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const h, w, c, part, n = 7, 7, 6, 4, 16
	const k = w/2 + 1
	src := convert[R](random[R](newRand(t), n*h*w*c, 1))
	f := must(newForward(b, Axis{h, w * c, k * n * c}, Axis{w, c, n * c}, []Axis{{part, h * w * c, c}, {c, 1, 1}}))
	defer f.Close()
	whole, alone := make([]C, h*k*n*c), make([]C, h*k*n*c)
	for first := 0; first < n; first += part {
		f.Execute(whole[first*c:], src[first*h*w*c:])
		f.Execute(alone, slices.Clone(src[first*h*w*c:][:part*h*w*c]))
		for q := range h * k {
			require.Equal(t, alone[q*n*c:][:part*c], whole[q*n*c+first*c:][:part*c])
		}
	}
}

func TestExecuteDoesNotAllocate(t *testing.T) {
	if sanitizer.On {
		t.Skip("instrumented builds allocate, and drop what sync.Pool holds")
	}
	onAll(t, testExecuteDoesNotAllocate[float32, complex64], testExecuteDoesNotAllocate[float64, complex128])
}

func testExecuteDoesNotAllocate[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	rows, cols := rowMajor(6, 8)
	f := must(newForward(b, rows, cols, []Axis{{20, 48, 30}}))
	defer f.Close()
	i := must(newInverse(b, Axis{6, 5, 8}, cols, []Axis{{20, 30, 48}}))
	defer i.Close()
	images, spectra := make([]R, 20*48), make([]C, 20*30)
	assert.Zero(t, testing.AllocsPerRun(100, func() { f.Execute(spectra, images) }))
	assert.Zero(t, testing.AllocsPerRun(100, func() { i.Execute(images, spectra) }))
}

// TestUnreachablePlanIsReleased leaves a plan to the collector.
func TestUnreachablePlanIsReleased(t *testing.T) {
	released := make(chan struct{})
	func() {
		p, err := newPlan(layout{rows: Axis{1, 1, 1}, cols: Axis{1, 1, 1}}, 1, 1, func(layout) (work[float64, float64], error) {
			return work[float64, float64]{
				execute: func(dst, src []float64) { dst[0] = src[0] },
				release: func() { close(released) },
			}, nil
		})
		require.NoError(t, err)
		p.run([]float64{0}, []float64{1})
	}()
	for {
		runtime.GC()
		select {
		case <-released:
			return
		default:
			runtime.Gosched()
		}
	}
}
