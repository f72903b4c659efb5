package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// isMaps reports whether a file holds feature maps.
func isMaps(l activation.Layer) bool { return len(l.Shape()) == 4 }

// maps returns a layer as package conv takes it: a layer of two dimensions is one of
// vectors, which no translation moves.
func (f *mapFlags) maps(l activation.Layer) (conv.Maps, error) {
	if !isMaps(l) {
		return conv.Vector(l), nil
	}
	return conv.Of(l, f.layout)
}

// view returns a layer as pixels or flatten take it, of two dimensions.
func (f *mapFlags) view(l activation.Layer) (activation.Layer, error) {
	if !isMaps(l) {
		if f.way == byPixels {
			_, d := l.Dims()
			return nil, fmt.Errorf("%s holds no maps but %s an image, and pixels compares positions: --conv dft or flatten takes both", shown(l.Name()), plural(d, "value"))
		}
		return l, nil
	}
	m, err := conv.Of(l, f.layout)
	if err != nil {
		return nil, err
	}
	if f.way == byPixels {
		return &view{l, m.Pixels(), fmt.Sprintf("pixels %v", f.layout), f.pixel}, nil
	}
	return &view{l, m.Flatten(), "flatten", func(_ activation.Layer, row, col int) (int, int) { return row, col }}, nil
}

// view is a file of maps in two dimensions.
type view struct {
	activation.Layer // the file
	in               svcca.Layer
	as               string
	origin           func(file activation.Layer, row, col int) (datapoint, neuron int)
}

func (v *view) Dims() (datapoints, neurons int) { return v.in.Dims() }

func (v *view) Shape() []int {
	n, d := v.in.Dims()
	return []int{n, d}
}

func (v *view) Read(dst lapack.Matrix[float64], row, col int) error { return v.in.Read(dst, row, col) }

// Origin is where a value is in the file.
func (v *view) Origin(row, col int) (of activation.Layer, datapoint, neuron int) {
	datapoint, neuron = v.origin(v.Layer, row, col)
	return v.Layer, datapoint, neuron
}

func (v *view) Steps() []float64 { return spectrum.Steps(v.in) }

// Digest tells views of different kinds apart.
func (v *view) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	d, err := v.Layer.Digest(ctx)
	if err != nil {
		return d, err
	}
	return sha256.Sum256(append([]byte("gosvcca cmd view 1: "+v.as+"\n"), d[:]...)), nil
}

// pixel returns where a channel of a position is in the maps of a file.
func (f *mapFlags) pixel(file activation.Layer, row, col int) (image, value int) {
	s := sizeOf(file.Shape(), f.layout)
	positions := s.height * s.width
	if f.layout == conv.NCHW {
		return row / positions, col*positions + row%positions
	}
	return row / positions, row%positions*s.channels + col
}

// strip is a file of three dimensions as one of maps of height 1.
type strip struct {
	activation.Layer
	shape []int
}

func newStrip(l activation.Layer, layout conv.Layout) *strip {
	s := l.Shape()
	if layout == conv.NCHW {
		return &strip{l, []int{s[0], s[1], 1, s[2]}}
	}
	return &strip{l, []int{s[0], 1, s[1], s[2]}}
}

func (s *strip) Shape() []int { return slices.Clone(s.shape) }

func (s *strip) Steps() []float64 { return spectrum.Steps(s.Layer) }

// Origin is where the value is in the file: nothing moves.
func (s *strip) Origin(row, col int) (of activation.Layer, datapoint, neuron int) {
	return s.Layer, row, col
}

// samePositions is an error where maps have other positions than y's.
func (f *mapFlags) samePositions(x, y activation.Layer) error {
	a, b := sizeOf(x.Shape(), f.layout), sizeOf(y.Shape(), f.layout)
	if a == nil || b == nil || a.height == b.height && a.width == b.width {
		return nil
	}
	return fmt.Errorf("%s has maps of %d × %d, %s of %d × %d: pixels compares position by position; --conv dft takes maps of any sizes",
		shown(x.Name()), a.height, a.width, shown(y.Name()), b.height, b.width)
}
