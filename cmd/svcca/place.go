package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// placed returns err with the place of a value that is not finite as its file has
// it, and how many there are, which takes another reading. The value is in one of
// layers, which are inputs as they are compared.
func (f *mapFlags) placed(ctx context.Context, err error, layers []activation.Layer, inputs []input) error {
	var value *svcca.NotFiniteError
	if !errors.As(err, &value) {
		return err
	}
	for i, l := range layers {
		if l == nil || l.Name() != value.Layer {
			continue
		}
		rows, count, failed := activation.NotFinite(ctx, l)
		if failed != nil {
			return failed
		}
		unit := f.unit()
		advice := fmt.Sprintf("correct it, or leave that %s out of every file, as --nonfinite drop does", unit)
		if count > 1 {
			advice = fmt.Sprintf("%d values in %s are not finite: correct them, or leave those out of every file, as --nonfinite drop does", count, plural(len(rows), unit))
		}
		of, row, col := activation.Origin(l, value.Datapoint, value.Neuron)
		name, at := inFile(of, row, inputs[i])
		return fmt.Errorf("%s: %s (counted from 0) is %v: %s", shown(name), f.placeWords(of.Shape(), at, col), value.Value, advice)
	}
	return err
}

// later returns err with the place of a value that is not finite, which it counts from
// datapoint before on.
func later(err error, before int) error {
	var value *svcca.NotFiniteError
	if errors.As(err, &value) {
		at := *value
		at.Datapoint += before
		return &at
	}
	return err
}

// placeWords says what is at a row and column of an array of that shape.
func (f *mapFlags) placeWords(shape []int, row, col int) string {
	switch len(shape) {
	case 3:
		token, neuron := col/shape[2], col%shape[2]
		if f.layout == conv.NCHW {
			token, neuron = neuron, token
		}
		if f.tokens == activation.Mean.String() {
			return fmt.Sprintf("the mean over tokens of example %d, neuron %d", row, neuron)
		}
		return fmt.Sprintf("example %d, token %d, neuron %d", row, token, neuron)
	case 4:
		s := sizeOf(shape, f.layout)
		if f.layout == conv.NCHW {
			positions := s.height * s.width
			return fmt.Sprintf("image %d, row %d, column %d, channel %d", row, col%positions/s.width, col%s.width, col/positions)
		}
		return fmt.Sprintf("image %d, row %d, column %d, channel %d", row, col/(s.width*s.channels), col/s.channels%s.width, col%s.channels)
	}
	return fmt.Sprintf("datapoint %d, neuron %d", row, col)
}

// inFile returns the file of a layer's datapoint, and which it is there: layers may
// lie in shards.
func inFile(l activation.Layer, row int, in input) (name string, at int) {
	if len(in.paths) > 1 {
		at = row
		for _, path := range in.paths {
			f, err := activation.Open(path)
			if err != nil {
				break
			}
			n, _ := f.Dims()
			f.Close()
			if at < n {
				return path, at
			}
			at -= n
		}
	}
	return l.Name(), row
}
