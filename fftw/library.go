//go:build cgo && !purego && !nofftw

package fftw

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// This file makes the backend of a precision from FFTW's functions for it.

func chosenSingle() *backend[float32, complex64]  { return linked(single) }
func chosenDouble() *backend[float64, complex128] { return linked(double) }

// library holds FFTW's functions for one precision. The first three plan
// transforms over axes, repeated over batch, and return nil where FFTW has no
// plan. A plan is for slices that begin where SIMD kernels want them, as the
// last two tell, or with unaligned for any.
type library[R Real, C Complex] struct {
	r2c func(axes, batch []Axis, unaligned bool) handle // exp(−…), keeps its input
	c2c func(axes, batch []Axis, unaligned bool) handle // exp(+…), keeps its input
	c2r func(axes, batch []Axis, unaligned bool) handle // exp(+…), destroys its input

	executeR2C func(h handle, dst []C, src []R)
	executeC2C func(h handle, dst, src []C)
	executeC2R func(h handle, dst []R, src []C)

	destroy func(h handle)

	alignedReal    func(s []R) bool
	alignedComplex func(s []C) bool
}

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

// inverse takes apart the two steps that FFTW would take, columns and then rows,
// as its own transform back in two dimensions destroys its input: it makes the
// first step in place, there. Here the first step goes to memory of ours, which
// is no further pass over the data.
func (l *library[R, C]) inverse(t layout) (work[R, C], error) {
	first := t.elements(half(t.cols.Length))
	between, size := dense(first, Axis.in)
	second := t.elements(t.cols.Length)
	for k := range first {
		first[k].Out, second[k].In = between[k], between[k]
	}

	columns, err := l.prepare(l.c2c, first[:1], first[1:])
	if err != nil {
		return work[R, C]{}, err
	}
	second[0], second[1] = second[1], second[0]
	rows, err := l.prepare(l.c2r, second[:1], second[1:])
	if err != nil {
		l.release(columns)
		return work[R, C]{}, err
	}
	pool := sync.Pool{New: func() any {
		s := make([]C, size)
		return &s
	}}
	return work[R, C]{
		execute: func(dst []R, src []C) {
			p := pool.Get().(*[]C)
			defer pool.Put(p)
			alignedBetween := l.alignedComplex(*p)
			l.executeC2C(columns.choose(alignedBetween && l.alignedComplex(src)), *p, src)
			l.executeC2R(rows.choose(alignedBetween && l.alignedReal(dst)), dst, *p)
		},
		release: func() { l.release(columns, rows) },
	}, nil
}

// dense returns strides that keep the order in which stride has axes in memory,
// without gaps, and the number of elements.
func dense(axes []Axis, stride func(Axis) int) (strides []int, size int) {
	order := make([]int, len(axes))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(stride(axes[a]), stride(axes[b])) })
	strides, size = make([]int, len(axes)), 1
	for _, k := range order {
		strides[k] = size
		size *= axes[k].Length
	}
	return strides, size
}
