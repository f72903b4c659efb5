package fftw

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

const (
	errBadLength = "fftw: length below 1"
	errBadBatch  = "fftw: batch length below 0"
	errBadStride = "fftw: stride below 1"
	errTooLarge  = "fftw: extent overflows"
	errOverlap   = "fftw: output elements overlap"
)

// half returns how many of n frequencies the spectrum of a real signal keeps.
func half(n int) int { return n/2 + 1 }

// layout is the shape of a plan. rows and cols have the lengths that the
// transform has in space; batch has no axis of length 1.
type layout struct {
	rows, cols Axis
	batch      []Axis
}

func newLayout(rows, cols Axis, batch []Axis) layout {
	if rows.Length < 1 || cols.Length < 1 {
		panic(errBadLength)
	}
	l := layout{rows: plain(rows), cols: plain(cols)}
	for _, a := range batch {
		if a.Length < 0 {
			panic(errBadBatch)
		}
		if a.Length != 1 {
			l.batch = append(l.batch, plain(a))
		}
	}
	return l
}

// plain returns a with strides that mean something.
func plain(a Axis) Axis {
	if a.Length <= 1 {
		return Axis{Length: a.Length, In: 1, Out: 1}
	}
	if a.In < 1 || a.Out < 1 {
		panic(errBadStride)
	}
	return a
}

// empty reports whether there is nothing to transform.
func (l layout) empty() bool {
	return slices.ContainsFunc(l.batch, func(a Axis) bool { return a.Length == 0 })
}

// elements returns all axes for an array of so many columns.
func (l layout) elements(cols int) []Axis {
	return append([]Axis{l.rows, {cols, l.cols.In, l.cols.Out}}, l.batch...)
}

func (a Axis) in() int  { return a.In }
func (a Axis) out() int { return a.Out }

// maxExtent elements of 16 bytes have addresses that an int tells apart.
const maxExtent = math.MaxInt / 16

// extent returns how long a slice must be that holds the elements of axes: one
// more than the greatest offset, or 0 where there are none.
func extent(axes []Axis, stride func(Axis) int) int {
	last := uint64(0)
	for _, a := range axes {
		if a.Length == 0 {
			return 0
		}
		over, offset := bits.Mul64(uint64(a.Length-1), uint64(stride(a)))
		if over != 0 || offset > maxExtent-1-last {
			panic(errTooLarge)
		}
		last += offset
	}
	return int(last) + 1
}

// checkNested panics unless no two elements of axes share a place, for which it
// suffices that each stride jumps over all that smaller ones reach.
func checkNested(axes []Axis, stride func(Axis) int) {
	sorted := slices.Clone(axes)
	slices.SortFunc(sorted, func(a, b Axis) int { return cmp.Compare(stride(a), stride(b)) })
	reach := 1
	for _, a := range sorted {
		if a.Length <= 1 {
			continue
		}
		if stride(a) < reach {
			panic(errOverlap)
		}
		reach += (a.Length - 1) * stride(a)
	}
}
