package fftw

import "github.com/gosvcca/gosvcca/native"

// Real is the type of an image's elements.
type Real interface {
	float32 | float64
}

// Complex is the type of a spectrum's elements: complex64 for float32,
// complex128 for float64.
type Complex interface {
	complex64 | complex128
}

// Axis is one dimension of a plan: how many elements it has and how far apart
// neighbours lie in the input and in the output, counted in elements of either
// slice. Strides of an axis of length 1 mean nothing.
type Axis struct {
	Length, In, Out int
}

// Describe names the library that transforms, with its version and, for FFTW,
// the kernels it was built with: "FFTW 3.3.10-sse2-avx", "gonum v0.17.0".
func Describe() string { return describe() }

// native cannot ask this package, on which nobody needs to depend for anything
// but transforms. A name is all that changes there.
func init() { native.RegisterFFT(Describe()) }

// Forward transforms real images to half spectra. Its methods may be called
// from any number of goroutines.
type Forward[R Real, C Complex] struct {
	plan *plan[C, R]
}

// NewForward returns a plan for real gh × gw images, gh = rows.Length ≥ 1 and
// gw = cols.Length ≥ 1, of which there is one for each combination of indices
// of the batch axes. Of the output, which is gh × (gw/2 + 1), cols.Out is the
// stride of frequencies. A batch axis of length 0 makes a plan that does nothing.
//
// Output strides must nest: each is at least the extent of all axes with
// smaller ones together, as in a view of an array whose dimensions stand in any
// order. Inputs may overlap, as sliding windows do. Order among batch axes does
// not matter.
//
// R and C are float32 and complex64, or float64 and complex128. The plan should
// be closed; the error wraps [ErrNoPlan].
func NewForward[R Real, C Complex](rows, cols Axis, batch ...Axis) (*Forward[R, C], error) {
	return newForward(backendsOf[R, C]()[0], rows, cols, batch)
}

func newForward[R Real, C Complex](b *backend[R, C], rows, cols Axis, batch []Axis) (*Forward[R, C], error) {
	l := newLayout(rows, cols, batch)
	p, err := newPlan(l, half(cols.Length), cols.Length, b.forward)
	if err != nil {
		return nil, err
	}
	return &Forward[R, C]{p}, nil
}

// Execute writes the spectra of the images in src to dst. src is not changed.
//
// Per image it takes about 2.5·gh·gw·log₂(gh·gw) flops, in one thread and, once
// warm, without allocation; it cannot be interrupted, so large batches are best
// cut into several.
func (f *Forward[R, C]) Execute(dst []C, src []R) { f.plan.run(dst, src) }

// Close frees what the library holds for the plan, once every Execute under way
// has returned. Execute panics from then on; a second Close does nothing. The
// error is always nil. A plan that nothing refers to any more is closed some
// time after.
func (f *Forward[R, C]) Close() error { return f.plan.close() }

// Inverse transforms half spectra to real images. Its methods may be called
// from any number of goroutines.
type Inverse[R Real, C Complex] struct {
	plan *plan[R, C]
}

// NewInverse is NewForward for the way back: rows and cols have the lengths of
// the real image, In is the stride in the spectra, gh × (gw/2 + 1), and Out that
// in the images. The same conditions hold.
func NewInverse[R Real, C Complex](rows, cols Axis, batch ...Axis) (*Inverse[R, C], error) {
	return newInverse(backendsOf[R, C]()[0], rows, cols, batch)
}

func newInverse[R Real, C Complex](b *backend[R, C], rows, cols Axis, batch []Axis) (*Inverse[R, C], error) {
	l := newLayout(rows, cols, batch)
	p, err := newPlan(l, cols.Length, half(cols.Length), b.inverse)
	if err != nil {
		return nil, err
	}
	return &Inverse[R, C]{p}, nil
}

// Execute writes the images with the spectra in src to dst. src is not changed,
// unlike by FFTW's own transforms of this kind, which get a copy, some images at
// a time. Cost as Forward's.
func (i *Inverse[R, C]) Execute(dst []R, src []C) { i.plan.run(dst, src) }

// Close is as Forward's.
func (i *Inverse[R, C]) Close() error { return i.plan.close() }
