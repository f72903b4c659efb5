package main

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// opening says how layers are opened.
type opening struct {
	transpose bool // files hold neurons × datapoints
	maps      bool // feature maps are not refused
	tokens    bool // nor arrays of three dimensions
}

// openLayer opens the layer at path. The caller closes it.
func openLayer(path string, as opening) (activation.Layer, error) {
	if path == "-" {
		return nil, fmt.Errorf("-: a layer is read more than once and not from a pipe: save it to a file first")
	}
	l, err := activation.OpenLayer(path)
	if err != nil {
		return nil, err
	}
	if err := as.refuses(l); err != nil {
		l.Close()
		return nil, err
	}
	if !as.transpose {
		if n, _ := l.Dims(); l.Storage() == "int8" && n > 0 && spectrum.Steps(l) == nil {
			l.Close()
			return nil, fmt.Errorf("%s: its scale is one number for each of %s: --transpose if the file holds neurons × datapoints", shown(path), plural(n, "datapoint"))
		}
		return l, nil
	}
	switch f := l.(type) {
	case *activation.Sparse:
		return f.T(), nil
	case *activation.File:
		t, err := f.T()
		if err != nil {
			f.Close()
			return nil, err
		}
		return t, nil
	}
	l.Close()
	return nil, fmt.Errorf("%s holds datapoints × neurons: --transpose takes arrays", shown(path))
}

// refuses returns an error where a layer has more dimensions than are taken.
func (as opening) refuses(l activation.Layer) error {
	switch shape := l.Shape(); {
	case len(shape) == 4 && !as.maps:
		return &mapsError{l.Name(), shape}
	case len(shape) == 3 && !as.tokens:
		return fmt.Errorf("%s has three dimensions, %s, where two are needed: in numpy, x.reshape(-1, x.shape[-1]) makes a row of each token, x.mean(1) one of each example", shown(l.Name()), shapeText(shape))
	case len(shape) > 4:
		return fmt.Errorf("%s has %d dimensions, %s: no more than four are compared; x.reshape(len(x), -1) in numpy makes two", shown(l.Name()), len(shape), shapeText(shape))
	}
	return nil
}

// checkDatapoints returns an error where two layers have not the same rows.
func checkDatapoints(x, y activation.Layer, transposed bool) error {
	n, _ := x.Dims()
	other, _ := y.Dims()
	if n == other {
		return nil
	}
	hint := "--transpose if the files hold neurons × datapoints"
	switch {
	case isMaps(x) || isMaps(y):
		return fmt.Errorf("%s has %d images or datapoints, %s %d: they must be the same in the same order",
			shown(x.Name()), n, shown(y.Name()), other)
	case len(x.Shape()) == 3 || len(y.Shape()) == 3:
		return fmt.Errorf("%s has %d examples or datapoints, %s %d: they must be the same in the same order; a file of tokens, of three dimensions, goes with others of three, or by --tokens mean or last with one row an example",
			shown(x.Name()), n, shown(y.Name()), other)
	case transposed:
		hint = "leave out --transpose if the files hold datapoints × neurons"
	}
	return fmt.Errorf("%s has %s, %s %d: rows must be the same inputs in the same order; %s",
		shown(x.Name()), plural(n, "datapoint"), shown(y.Name()), other, hint)
}

// cancellable is a layer whose reading stops when ctx ends.
type cancellable struct {
	activation.Layer
	ctx context.Context
}

func (c cancellable) Read(dst lapack.Matrix[float64], row, col int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	return c.Layer.Read(dst, row, col)
}

func (c cancellable) Steps() []float64 { return spectrum.Steps(c.Layer) }
