package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
)

// opening says how layers are opened.
type opening struct {
	transpose bool // files hold neurons × datapoints
	maps      bool // feature maps are not refused
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
	if isMaps(l) && !as.maps {
		l.Close()
		return nil, &mapsError{path, l.Shape()}
	}
	if !as.transpose {
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
	case transposed:
		hint = "leave out --transpose if the files hold datapoints × neurons"
	}
	return fmt.Errorf("%s has %d datapoints, %s %d: rows must be the same inputs in the same order; %s",
		shown(x.Name()), n, shown(y.Name()), other, hint)
}

// readWeights reads a weight per datapoint, from an array of n or n × 1.
func readWeights(path string, datapoints int) ([]float64, error) {
	w, err := openWeights(path)
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	if err := w.checkCount(datapoints); err != nil {
		return nil, err
	}
	return w.next(datapoints)
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

func (c cancellable) Steps() []float64 { return stepsOf(c.Layer) }

// stepsOf returns the steps of a layer of int8, which svcca asks for.
func stepsOf(l any) []float64 {
	if s, ok := l.(interface{ Steps() []float64 }); ok {
		return s.Steps()
	}
	return nil
}

// part is the datapoints of a layer from first on, rows of them.
type part struct {
	activation.Layer
	first, rows int
}

func (p part) Dims() (datapoints, neurons int) {
	_, neurons = p.Layer.Dims()
	return p.rows, neurons
}

func (p part) Read(dst lapack.Matrix[float64], row, col int) error {
	return p.Layer.Read(dst, p.first+row, col)
}

func (p part) Steps() []float64 { return stepsOf(p.Layer) }

// CSR returns those datapoints of a sparse layer, and nil of another.
func (p part) CSR() *sparse.CSR {
	of, is := p.Layer.(interface{ CSR() *sparse.CSR })
	if !is {
		return nil
	}
	whole := of.CSR()
	if whole == nil {
		return nil
	}
	m := whole.RawMatrix()
	begin := slices.Clone(m.Indptr[p.first : p.first+p.rows+1])
	from, to := begin[0], begin[p.rows]
	for i := range begin {
		begin[i] -= from
	}
	return sparse.NewCSR(p.rows, m.J, begin, m.Ind[from:to], m.Data[from:to])
}
