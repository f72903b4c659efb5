package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
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
func (f *mapFlags) view(l activation.Layer) (svcca.Layer, error) {
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
		return &view{m.Pixels(), l, fmt.Sprintf("pixels %v", f.layout)}, nil
	}
	return &view{m.Flatten(), l, "flatten"}, nil
}

// view is a file of maps in two dimensions.
type view struct {
	svcca.Layer
	file activation.Layer
	as   string
}

func (v *view) Name() string     { return v.file.Name() }
func (v *view) Storage() string  { return v.file.Storage() }
func (v *view) Steps() []float64 { return stepsOf(v.Layer) }

// Digest tells views of different kinds apart.
func (v *view) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	d, err := v.file.Digest(ctx)
	if err != nil {
		return d, err
	}
	return sha256.Sum256(append([]byte("gosvcca cmd view 1: "+v.as+"\n"), d[:]...)), nil
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

// spread returns the weights of images as those of positions.
func (f *mapFlags) spread(weights []float64, l activation.Layer) []float64 {
	size := sizeOf(l.Shape(), f.layout)
	if f.way != byPixels || weights == nil || size == nil {
		return weights
	}
	all := make([]float64, 0, len(weights)*size.height*size.width)
	for _, w := range weights {
		for range size.height * size.width {
			all = append(all, w)
		}
	}
	return all
}

// placed returns err with the place of a value that is not finite as an image, a
// position and a channel of its file.
func (f *mapFlags) placed(err error, files []activation.Layer, inputs []input) error {
	var value *svcca.NotFiniteError
	if f.way == "" || !errors.As(err, &value) {
		return located(err, 0, inputs)
	}
	for _, l := range files {
		if l == nil || l.Name() != value.Layer || !isMaps(l) {
			continue
		}
		s, at := sizeOf(l.Shape(), f.layout), *value
		row, column, channel := 0, 0, at.Neuron
		switch positions := s.height * s.width; {
		case f.way == byPixels:
			position := at.Datapoint % positions
			at.Datapoint /= positions
			row, column = position/s.width, position%s.width
		case f.layout == conv.NCHW:
			row, column, channel = at.Neuron%positions/s.width, at.Neuron%s.width, at.Neuron/positions
		default:
			row, column, channel = at.Neuron/(s.width*s.channels), at.Neuron/s.channels%s.width, at.Neuron%s.channels
		}
		if !errors.As(located(&at, 0, inputs), &value) {
			break
		}
		return fmt.Errorf("%s: image %d, row %d, column %d, channel %d (counted from 0) is %v: correct it, or leave that image out of every file",
			shown(value.Layer), value.Datapoint, row, column, channel, value.Value)
	}
	return located(err, 0, inputs)
}
