package svcca

import (
	"fmt"

	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/mat"
)

// Layer is a layer's activations, n datapoints × d neurons, wherever they are.
// A *activation.File is one; FromSlice, FromMat and FromSparse make one of data in
// memory.
//
// A layer may have further methods, which are used where they are found:
//
//	Name() string     // for results and errors; else "x" and "y"
//	Storage() string  // the type the values were stored in: "float16",
//	                  // "bfloat16", "float32", "float64" (the default) or "int8"
//	Steps() []float64 // of "int8": by neuron, how far apart its values are
//	Shape() []int     // of the array behind it; maps (4-D) are refused here
//	CSR() *sparse.CSR // the values that are not zero: see FromSparse
type Layer interface {
	// Dims returns the number of datapoints and of neurons.
	Dims() (datapoints, neurons int)
	// Read fills dst with values, of which the first is that of datapoint row
	// and neuron col. It is called from several goroutines at once, and again
	// for the same values: they must not change while a function works on them.
	Read(dst lapack.Matrix[float64], row, col int) error
}

// ValueType is the type that a layer's values were stored in. It sets how large
// rounding noise is (DEFINITIONS §2).
type ValueType string

// The types whose rounding is known.
const (
	Float16  ValueType = "float16"
	BFloat16 ValueType = "bfloat16"
	Float32  ValueType = "float32"
	Float64  ValueType = "float64"
	// Int8 values are whole numbers of steps, which a layer tells by neuron.
	Int8 ValueType = "int8"
)

// Noise returns c·ε of DEFINITIONS §2, in units of which the noise of storage is
// measured, and whether t is known. That of Int8 is in units of its steps: rounding
// to them leaves 0.29 of one.
func (t ValueType) Noise() (unit float64, known bool) {
	switch t {
	case Float16:
		return 2 * 0x1p-10, true
	case BFloat16:
		return 2 * 0x1p-7, true
	case Float32:
		return 10 * 0x1p-23, true
	case Float64:
		return 10 * 0x1p-52, true
	case Int8:
		return 1, true
	}
	return 0, false
}

// FromSlice returns a layer that views values, which hold datapoints × neurons
// row by row. float32 values stay float32 in memory. It panics where the length
// is not that product.
func FromSlice[T float32 | float64](name string, values []T, datapoints, neurons int) Layer {
	return sliceLayer[T]{name: name, values: lapack.Of(datapoints, neurons, values)}
}

type sliceLayer[T float32 | float64] struct {
	name   string
	values lapack.Matrix[T]
}

func (l sliceLayer[T]) Name() string     { return l.name }
func (l sliceLayer[T]) Dims() (n, d int) { return l.values.Rows, l.values.Cols }

// inMemory marks layers that cost next to nothing to read again.
func (l sliceLayer[T]) inMemory() {}

// identity tells views of the same values from others.
func (l sliceLayer[T]) identity() any {
	if l.values.IsEmpty() {
		return new(byte)
	}
	return struct {
		first                *T
		rows, cols, distance int
	}{&l.values.Data[0], l.values.Rows, l.values.Cols, l.values.Stride}
}

func (l sliceLayer[T]) Storage() string {
	if any(*new(T)) == any(float32(0)) {
		return string(Float32)
	}
	return string(Float64)
}

func (l sliceLayer[T]) Read(dst lapack.Matrix[float64], row, col int) error {
	for i := range dst.Rows {
		to := dst.Row(i)
		convert.To(to, l.values.Row(row + i)[col:col+len(to)])
	}
	return nil
}

// FromMat returns a layer that views m, datapoints × neurons, of float64 values.
func FromMat(name string, m mat.Matrix) Layer {
	if d, ok := m.(*mat.Dense); ok {
		return sliceLayer[float64]{name: name, values: lapack.FromDense(d)}
	}
	return matLayer{name: name, m: m}
}

type matLayer struct {
	name string
	m    mat.Matrix
}

func (l matLayer) Name() string     { return l.name }
func (l matLayer) Dims() (n, d int) { return l.m.Dims() }

func (l matLayer) Read(dst lapack.Matrix[float64], row, col int) error {
	for i := range dst.Rows {
		to := dst.Row(i)
		for j := range to {
			to[j] = l.m.At(row+i, col+j)
		}
	}
	return nil
}

// described is a layer with what its optional methods tell.
type described struct {
	Layer
	name   string
	n, d   int
	stored ValueType
	noise  float64   // c·ε of it
	steps  []float64 // of int8, by neuron
	sparse *nonzeros // where sums skip zeros
}

// wrap returns err with the layer's name before it.
func (l described) wrap(err error) error { return fmt.Errorf("svcca: layer %q: %w", l.name, err) }

func (l described) inMemory() bool {
	_, ok := l.Layer.(interface{ inMemory() })
	return ok
}

// describe checks a layer's outside. The fallback name serves where it has none.
func describe(l Layer, fallback string) (described, error) {
	d := described{Layer: l, name: fallback}
	if named, ok := l.(interface{ Name() string }); ok && named.Name() != "" {
		d.name = named.Name()
	}
	if shaped, ok := l.(interface{ Shape() []int }); ok && len(shaped.Shape()) > 2 {
		return d, fmt.Errorf("svcca: layer %q has shape %v: %w: feature maps are no datapoints × neurons; reshape them to two dimensions", d.name, shaped.Shape(), ErrShape)
	}
	d.n, d.d = l.Dims()
	if d.n < 1 || d.d < 1 {
		return d, fmt.Errorf("svcca: layer %q has %d datapoints and %d neurons: %w", d.name, d.n, d.d, ErrShape)
	}
	d.stored = Float64
	if s, ok := l.(interface{ Storage() string }); ok {
		d.stored = ValueType(s.Storage())
	}
	var known bool
	if d.noise, known = d.stored.Noise(); !known {
		return d, fmt.Errorf("svcca: layer %q is stored as %q: %w", d.name, d.stored, ErrStorage)
	}
	if d.stored == Int8 {
		if d.steps = spectrum.StepsOf(l, d.d); d.steps == nil {
			return d, fmt.Errorf("svcca: layer %q is stored as int8, without a positive step for each of %d neurons: %w", d.name, d.d, ErrStorage)
		}
	}
	return d, d.judgeSparse()
}
