//go:build cgo && !purego && !nofftw

package fftw

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
)

// TestNothingLeaks makes, uses and closes ten thousand plans: FFTW holds none at
// the end, and the process no more memory than after the first thousand, but for
// what one plan in a hundred would take.
func TestNothingLeaks(t *testing.T) {
	before, rounds := live.Load(), 5000
	if testing.Short() || sanitizer.On {
		rounds = 200
	}
	const n, warm = 16 * 9, 10
	src, dst := make([]float64, 16*16), make([]complex128, n)
	resident := 0
	var group sync.WaitGroup
	for _, part := range []int{rounds / warm, rounds} {
		resident = residentBytes(t)
		for g := range 2 {
			group.Go(func() {
				src, dst := append([]float64{}, src...), append([]complex128{}, dst...)
				for i := g; i < part; i += 2 {
					w := 1 + i%16
					f := must(NewForward[float64, complex128](Axis{16, 16, 9}, Axis{w, 1, 1}))
					f.Execute(dst, src)
					b := must(NewInverse[float64, complex128](Axis{16, 9, 16}, Axis{w, 1, 1}))
					b.Execute(src, dst)
					assert.NoError(t, f.Close())
					assert.NoError(t, b.Close())
				}
			})
		}
		group.Wait()
	}
	assert.Equal(t, before, live.Load())
	grown := residentBytes(t) - resident
	t.Logf("%d plans: resident memory grew by %d KiB", 2*rounds, grown>>10)
	if !sanitizer.On {
		// A plan of this size takes a few KiB: 2·rounds of them would be tens of MiB.
		assert.Less(t, grown, 8<<20)
	}
}

// residentBytes is 0 where there is no /proc.
func residentBytes(t *testing.T) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

func TestNoPlan(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testNoPlan(t, single) })
	t.Run("float64", func(t *testing.T) { testNoPlan(t, double) })
}

// testNoPlan has each call of FFTW's planner fail in turn: an error, and nothing
// of what was planned before it remains.
func testNoPlan[R Real, C Complex](t *testing.T, l *library[R, C]) {
	before := live.Load()
	rows, cols := rowMajor(3, 4)
	for failing := 1; ; failing++ {
		calls, held := 0, 0
		count := func(f func(axes, batch []Axis, unaligned bool) handle) func(axes, batch []Axis, unaligned bool) handle {
			return func(axes, batch []Axis, unaligned bool) handle {
				if calls++; calls == failing {
					return nil
				}
				held++
				return f(axes, batch, unaligned)
			}
		}
		broken := *l
		broken.r2c, broken.c2c, broken.c2r = count(l.r2c), count(l.c2c), count(l.c2r)
		broken.destroy = func(h handle) {
			held--
			l.destroy(h)
		}
		f, err := newForward(linked(&broken), rows, cols, []Axis{{2, 12, 12}})
		if failing <= 2 {
			assert.Nil(t, f)
			assert.ErrorIs(t, err, ErrNoPlan)
			assert.EqualError(t, err, "fftw: 3 × 4 transforms, batch [{2 12 12}]: no plan")
			assert.Zero(t, held)
		} else {
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		calls = 0
		i, err := newInverse(linked(&broken), Axis{3, 3, 4}, cols, nil)
		if failing > 4 {
			require.NoError(t, err)
			require.NoError(t, i.Close())
			assert.Zero(t, held)
			break
		}
		assert.Nil(t, i)
		assert.ErrorIs(t, err, ErrNoPlan)
		assert.Zero(t, held)
	}
	assert.Equal(t, before, live.Load())
}

// TestAlignment: which plan runs depends on where slices begin, as the package's
// documentation says; that both compute right is TestLayouts'.
func TestAlignment(t *testing.T) {
	reals, spectra := make([]float32, 64), make([]complex64, 64)
	doubles, wide := make([]float64, 64), make([]complex128, 64)
	for i := range 16 {
		assert.Equal(t, i%4 == 0, single.alignedReal(reals[i:]))
		assert.Equal(t, i%2 == 0, single.alignedComplex(spectra[i:]))
		assert.Equal(t, i%2 == 0, double.alignedReal(doubles[i:]))
		assert.True(t, double.alignedComplex(wide[i:]))
	}

	var used []bool
	spy := *single
	names := map[handle]bool{}
	spy.r2c = func(axes, batch []Axis, unaligned bool) handle {
		h := single.r2c(axes, batch, unaligned)
		names[h] = !unaligned
		return h
	}
	spy.executeR2C = func(h handle, dst []complex64, src []float32) {
		used = append(used, names[h])
		single.executeR2C(h, dst, src)
	}
	rows, cols := rowMajor(4, 4)
	f := must(newForward(linked(&spy), rows, cols, nil))
	defer f.Close()
	f.Execute(spectra, reals)
	f.Execute(spectra[1:], reals)
	f.Execute(spectra, reals[1:])
	f.Execute(spectra[2:], reals[4:])
	assert.Equal(t, []bool{true, false, false, true}, used)
}
