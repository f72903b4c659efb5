//go:build cgo && !purego && !nofftw

package fftw

import (
	"sync"
	"sync/atomic"
)

// This file makes the backend of a precision from FFTW's functions for it.

func chosenSingle() *backend[float32, complex64]  { return linked(single) }
func chosenDouble() *backend[float64, complex128] { return linked(double) }

// library holds FFTW's functions for one precision. The first two plan
// transforms over axes, repeated over batch, and return nil where FFTW has no
// plan. A plan is for slices that begin where SIMD kernels want them, as the
// last two tell, or with unaligned for any.
type library[R Real, C Complex] struct {
	r2c func(axes, batch []Axis, unaligned bool) handle // keeps its input
	c2r func(axes, batch []Axis, unaligned bool) handle // destroys its input

	executeR2C func(h handle, dst []C, src []R)
	executeC2R func(h handle, dst []R, src []C)

	destroy func(h handle)

	alignedReal    func(s []R) bool
	alignedComplex func(s []C) bool

	onePass, tileBytes int // the constants below, but in tests
}

// onePass is the length up to which FFTW transforms an axis in one pass, by a
// codelet. For most above it makes several passes over its output in place, and
// in an array of frequency-major blocks each of them misses the cache: 18, 24, 28
// and 56 take 1.5 to 4 times as long as by way of a dense array that stays in
// cache, and 17, 20 and 32 as long; up to 16 that way costs up to a quarter more.
const onePass = 16

// tileBytes bounds the spectra that are on that way together, in complex128. They
// should stay in a second-level cache, of 512 KiB where this was measured: 28, 32
// and 56 take up to 1.5 times as long with half as much, up to 1.9 with twice.
const tileBytes = 512 << 10

// planner guards FFTW's planner, which is one for the process in either
// precision: eight goroutines that plan without a lock crash it. Executions
// need none.
var planner sync.Mutex

// live counts the plans that FFTW holds for this package, for tests.
var live atomic.Int64

// steps are the plans of one transform: aligned is up to twice as fast.
type steps struct{ aligned, unaligned handle }

func (s steps) choose(aligned bool) handle {
	if aligned {
		return s.aligned
	}
	return s.unaligned
}

// prepare plans with f, both for aligned slices and for others; it returns ErrNoPlan,
// and nothing to destroy, unless it has both.
func (l *library[R, C]) prepare(f func(axes, batch []Axis, unaligned bool) handle, axes, batch []Axis) (steps, error) {
	planner.Lock()
	defer planner.Unlock()
	s := steps{aligned: f(axes, batch, false)}
	if s.aligned == nil {
		return steps{}, ErrNoPlan
	}
	if s.unaligned = f(axes, batch, true); s.unaligned == nil {
		l.destroy(s.aligned)
		return steps{}, ErrNoPlan
	}
	live.Add(2)
	return s, nil
}

func (l *library[R, C]) release(all ...steps) {
	planner.Lock()
	defer planner.Unlock()
	for _, s := range all {
		l.destroy(s.aligned)
		l.destroy(s.unaligned)
		live.Add(-2)
	}
}

func linked[R Real, C Complex](l *library[R, C]) *backend[R, C] {
	return &backend[R, C]{name: "fftw", forward: l.forward, inverse: l.inverse}
}

func (l *library[R, C]) forward(t layout) (work[C, R], error) {
	if max(t.rows.Length, t.cols.Length) > l.onePass {
		return l.forwardByTiles(t)
	}
	s, err := l.prepare(l.r2c, []Axis{t.rows, t.cols}, t.batch)
	if err != nil {
		return work[C, R]{}, err
	}
	return work[C, R]{
		execute: func(dst []C, src []R) {
			l.executeR2C(s.choose(l.alignedComplex(dst) && l.alignedReal(src)), dst, src)
		},
		release: func() { l.release(s) },
	}, nil
}

func (l *library[R, C]) forwardByTiles(t layout) (work[C, R], error) {
	d := newDense[C](t, Axis.out, l.tileBytes)
	in := func(n int) []Axis { return []Axis{{n, d.inner.In, 1}} }
	rows, cols := Axis{t.rows.Length, t.rows.In, d.row}, Axis{t.cols.Length, t.cols.In, d.length}
	whole, rest, err := l.prepareTiles(l.r2c, []Axis{rows, cols}, in(d.length), in(d.rest()))
	if err != nil {
		return work[C, R]{}, err
	}
	return work[C, R]{
		execute: func(dst []C, src []R) {
			p := d.pool.Get().(*[]C)
			defer d.pool.Put(p)
			for i := range d.count {
				tile := d.at(i)
				from := src[tile.in:]
				s := whole
				if tile.Length < d.length {
					s = rest
				}
				l.executeR2C(s.choose(l.alignedComplex(*p) && l.alignedReal(from)), *p, from)
				d.store(dst, *p, t, tile)
			}
		},
		release: func() { l.release(whole, rest) },
	}, nil
}

// inverse goes by tiles at any length, because FFTW's transform back in two
// dimensions destroys its input: it is given a copy.
func (l *library[R, C]) inverse(t layout) (work[R, C], error) {
	d := newDense[C](t, Axis.in, l.tileBytes)
	out := func(n int) []Axis { return []Axis{{n, 1, d.inner.Out}} }
	rows, cols := Axis{t.rows.Length, d.row, t.rows.Out}, Axis{t.cols.Length, d.length, t.cols.Out}
	whole, rest, err := l.prepareTiles(l.c2r, []Axis{rows, cols}, out(d.length), out(d.rest()))
	if err != nil {
		return work[R, C]{}, err
	}
	return work[R, C]{
		execute: func(dst []R, src []C) {
			p := d.pool.Get().(*[]C)
			defer d.pool.Put(p)
			for i := range d.count {
				tile := d.at(i)
				to := dst[tile.out:]
				s := whole
				if tile.Length < d.length {
					s = rest
				}
				d.load(*p, src, t, tile)
				l.executeC2R(s.choose(l.alignedComplex(*p) && l.alignedReal(to)), to, *p)
			}
		},
		release: func() { l.release(whole, rest) },
	}, nil
}

// prepareTiles plans for whole tiles and for the last along their axis.
func (l *library[R, C]) prepareTiles(f func(axes, batch []Axis, unaligned bool) handle, axes, batch, last []Axis) (whole, rest steps, err error) {
	if whole, err = l.prepare(f, axes, batch); err != nil {
		return steps{}, steps{}, err
	}
	if rest, err = l.prepare(f, axes, last); err != nil {
		l.release(whole)
		return steps{}, steps{}, err
	}
	return whole, rest, nil
}
