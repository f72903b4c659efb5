//go:build cgo && !purego && !nofftw

package fftw

import (
	"io"
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

// variants returns a backend that goes by tiles at any length, and by tiles so
// small that every plan of more than five images has several.
func variants[R Real, C Complex]() []*backend[R, C] {
	b := &backend[R, C]{name: "fftw by tiles"}
	tiles := func(l layout) *library[R, C] {
		tiled := *libraryOf[R, C]()
		tiled.onePass, tiled.tileBytes = 0, 5*16*l.rows.Length*half(l.cols.Length)
		return &tiled
	}
	b.forward = func(l layout) (work[C, R], error) { return tiles(l).forward(l) }
	b.inverse = func(l layout) (work[R, C], error) { return tiles(l).inverse(l) }
	return []*backend[R, C]{b}
}

func libraryOf[R Real, C Complex]() (l *library[R, C]) {
	switch p := any(&l).(type) {
	case **library[float32, complex64]:
		*p = single
	case **library[float64, complex128]:
		*p = double
	}
	return l
}

// TestTiles: a tile has the length asked for or little less, and the last may
// have less than others.
func TestTiles(t *testing.T) {
	l := newLayout(Axis{4, 6, 6}, Axis{6, 1, 1}, []Axis{{3, 1000, 24}, {11, 24, 72}})
	d := newDense[complex64](l, Axis.out, 2*16*4*4)
	assert.Equal(t, tiles{inner: Axis{3, 1000, 24}, outer: []Axis{{11, 24, 72}}, length: 2, runs: 2, count: 22}, d.tiles)
	assert.Equal(t, 1, d.rest())
	assert.Equal(t, tile{Axis{2, 1000, 24}, 0, 0}, d.at(0))
	assert.Equal(t, tile{Axis{1, 1000, 24}, 2000, 48}, d.at(1))
	assert.Equal(t, tile{Axis{1, 1000, 24}, 2240, 768}, d.at(21))
	assert.Len(t, *d.pool.Get().(*[]complex64), 2*4*4)

	d = newDense[complex64](l, Axis.in, 1)
	assert.Equal(t, tiles{inner: Axis{11, 24, 72}, outer: []Axis{{3, 1000, 24}}, length: 1, runs: 11, count: 33}, d.tiles)
	assert.Equal(t, 1, d.rest())
	assert.Equal(t, 4, newDense[complex64](l, Axis.in, 4*16*4*4).length)
	assert.Equal(t, 4, newDense[complex64](l, Axis.in, 5*16*4*4).length, "4, 4, 3 rather than 5, 5, 1")
}

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
	rows, cols := Axis{3, 4, 4}, Axis{4, 1, 1}
	batch := []Axis{{2, 12, 12}}
	for _, c := range []struct {
		name    string
		onePass int
		plans   int // that it takes
		begin   func(b *backend[R, C]) (io.Closer, error)
	}{
		{"forward", onePass, 2, func(b *backend[R, C]) (io.Closer, error) { return newForward(b, rows, cols, batch) }},
		{"by tiles", 2, 4, func(b *backend[R, C]) (io.Closer, error) { return newForward(b, rows, cols, batch) }},
		{"inverse", onePass, 4, func(b *backend[R, C]) (io.Closer, error) { return newInverse(b, rows, cols, batch) }},
	} {
		for failing := 1; failing <= c.plans+1; failing++ {
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
			broken.onePass = c.onePass
			broken.r2c, broken.c2r = count(l.r2c), count(l.c2r)
			broken.destroy = func(h handle) {
				held--
				l.destroy(h)
			}
			p, err := c.begin(linked(&broken))
			if failing <= c.plans {
				assert.ErrorIs(t, err, ErrNoPlan, c.name)
				assert.EqualError(t, err, "fftw: 3 × 4 transforms, batch [{2 12 12}]: no plan")
			} else {
				require.NoError(t, err, c.name)
				require.NoError(t, p.Close())
			}
			assert.Zero(t, held, c.name)
		}
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
