package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

// openLayer opens the layer at path. The caller closes it.
func openLayer(path string, transpose bool) (*activation.File, error) {
	if path == "-" {
		return nil, fmt.Errorf("-: a layer is read more than once and not from a pipe: save it to a file first")
	}
	f, err := activation.Open(path)
	if err != nil {
		return nil, err
	}
	if shape := f.Shape(); len(shape) == 4 {
		f.Close()
		return nil, featureMaps(path, shape)
	}
	if !transpose {
		return f, nil
	}
	t, err := f.T()
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// featureMaps is the refusal of a convolutional layer. It says what to do.
func featureMaps(path string, shape []int) error {
	return fmt.Errorf(`%s holds feature maps, %d × %d × %d × %d (n × a × b × c).
This version takes layers of two dimensions. Make one of it in numpy,
with x = np.load(%q), by either of
  np.save("flat.npy", x.reshape(len(x), -1))       # maps are neurons
  np.save("rows.npy", x.reshape(-1, x.shape[-1]))  # positions are rows
Channels first, as in PyTorch: x.transpose(0, 2, 3, 1) before the second.`,
		shown(path), shape[0], shape[1], shape[2], shape[3], filepath.Base(path))
}

// checkDatapoints returns an error where two layers have not the same rows.
func checkDatapoints(x, y layerFile, transposed bool) error {
	n, _ := x.Dims()
	other, _ := y.Dims()
	if n == other {
		return nil
	}
	hint := "--transpose if the files hold neurons × datapoints"
	if transposed {
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
	*activation.File
	ctx context.Context
}

func (c cancellable) Read(dst lapack.Matrix[float64], row, col int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	return c.File.Read(dst, row, col)
}

// part is the datapoints of a layer from first on, rows of them.
type part struct {
	layerFile
	first, rows int
}

func (p part) Dims() (datapoints, neurons int) {
	_, neurons = p.layerFile.Dims()
	return p.rows, neurons
}

func (p part) Read(dst lapack.Matrix[float64], row, col int) error {
	return p.layerFile.Read(dst, p.first+row, col)
}
