package compress

import (
	"fmt"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// MLP is a network of fully connected layers with max(0, ·) after each but the last, and
// the rows that it sees. It is a Network.
type MLP struct {
	inputs   svcca.Layer
	layers   []Affine
	replaced []*Compressed // by layer; nil where it is not
}

// NewMLP returns a network of layers, first the one that takes inputs: the rows, such as
// those it was trained on, that directions are to come from. The error names the layer,
// counted from 0, and wraps svcca.ErrShape, ErrMismatch or ErrNotFinite.
func NewMLP(inputs svcca.Layer, layers ...Affine) (*MLP, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("compress: a network without layers: %w", svcca.ErrShape)
	}
	_, width := inputs.Dims()
	for i, l := range layers {
		if err := l.check(l.called(i)); err != nil {
			return nil, err
		}
		if l.Weights.Rows != width {
			return nil, fmt.Errorf("compress: %s takes %d neurons and is given %d: %w", l.called(i), l.Weights.Rows, width, svcca.ErrMismatch)
		}
		width = l.Weights.Cols
	}
	return &MLP{inputs: inputs, layers: layers, replaced: make([]*Compressed, len(layers))}, nil
}

// Affine is Network's.
func (n *MLP) Affine(i int) (Affine, error) {
	if i < 0 || i >= len(n.layers) {
		return Affine{}, fmt.Errorf("compress: layer %d of a network with layers 0 to %d: %w", i, len(n.layers)-1, svcca.ErrOptions)
	}
	return n.layers[i], nil
}

// Input is Network's. Memory: rows × neurons of that layer.
func (n *MLP) Input(i int) (svcca.Layer, error) {
	if _, err := n.Affine(i); err != nil {
		return nil, err
	}
	if i == 0 {
		return n.inputs, nil
	}
	values, err := n.run(n.inputs, i)
	if err != nil {
		return nil, err
	}
	return svcca.FromSlice("input of "+n.layers[i].called(i), values.Data, values.Rows, values.Cols), nil
}

// Replace is Network's.
func (n *MLP) Replace(i int, by *Compressed) error {
	layer, err := n.Affine(i)
	if err != nil {
		return err
	}
	if d, out := by.Down.Rows, by.Up.Weights.Cols; d != layer.Weights.Rows || out != layer.Weights.Cols {
		return fmt.Errorf("compress: %s is %d × %d, what replaces it %d × %d: %w", layer.called(i), layer.Weights.Rows, layer.Weights.Cols, d, out, svcca.ErrMismatch)
	}
	n.replaced[i] = by
	return nil
}

// Outputs returns what the last layer gives of any rows of inputs, with the layers
// replaced so far. The error wraps svcca.ErrMismatch, ErrNotFinite, ErrRange, or what Read
// returned.
func (n *MLP) Outputs(inputs svcca.Layer) (lapack.Matrix[float64], error) {
	return n.run(inputs, len(n.layers))
}

// Behind returns the part of the network behind its first i layers, which takes inputs for
// layer i: replaced layers stay replaced. The error wraps svcca.ErrOptions or
// svcca.ErrMismatch.
func (n *MLP) Behind(i int, inputs svcca.Layer) (*MLP, error) {
	if _, err := n.Affine(i); err != nil {
		return nil, err
	}
	part, err := NewMLP(inputs, n.layers[i:]...)
	if err != nil {
		return nil, err
	}
	copy(part.replaced, n.replaced[i:])
	return part, nil
}

// Cost returns that of all layers, of those replaced by what replaced them.
func (n *MLP) Cost() (c Cost) {
	for i, l := range n.layers {
		of := Cost{Parameters: (l.Weights.Rows + 1) * l.Weights.Cols, MultiplyAdds: l.Weights.Rows * l.Weights.Cols}
		if by := n.replaced[i]; by != nil {
			of = by.After
		}
		c.Parameters, c.MultiplyAdds = c.Parameters+of.Parameters, c.MultiplyAdds+of.MultiplyAdds
	}
	return c
}

// run returns what enters layer upTo, or leaves the last.
func (n *MLP) run(inputs svcca.Layer, upTo int) (lapack.Matrix[float64], error) {
	rows, d := inputs.Dims()
	if d != n.layers[0].Weights.Rows {
		return lapack.Matrix[float64]{}, fmt.Errorf("compress: layer %q has %d neurons, the network takes %d: %w", conv.Vector(inputs).Name(), d, n.layers[0].Weights.Rows, svcca.ErrMismatch)
	}
	all, done := lapack.New[float64](rows, n.layers[upTo-1].Weights.Cols), 0
	return all, eachBlock(inputs, func(block lapack.Matrix[float64]) error {
		for i, l := range n.layers[:upTo] {
			next := lapack.New[float64](block.Rows, l.Weights.Cols)
			if by := n.replaced[i]; by != nil {
				by.ApplyTo(next, block)
			} else {
				l.ApplyTo(next, block)
			}
			if r, j, finite := allFinite(next); !finite {
				return fmt.Errorf("compress: %s gives %v in neuron %d of row %d: %w", l.called(i), next.At(r, j), j, done+r, svcca.ErrRange)
			}
			if i < len(n.layers)-1 {
				for r := range next.Rows {
					row := next.Row(r)
					for j, v := range row {
						row[j] = max(v, 0)
					}
				}
			}
			block = next
		}
		all.View(done, 0, block.Rows, block.Cols).CopyFrom(block)
		done += block.Rows
		return nil
	})
}
