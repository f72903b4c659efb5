package nn

import (
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// Activations returns the outputs of blocks, all of Names where none is named, for the
// datapoints of x: datapoints × neurons, or maps. Batch normalisation takes what it has
// measured, so that no datapoint depends on others. The error names a block that there is
// not.
func (n *Network[T]) Activations(x *Tensor[T], names ...string) ([]*Tensor[T], error) {
	if len(names) == 0 {
		names = n.Names()
	}
	blocks := make([]*Block[T], len(names))
	for i, name := range names {
		var err error
		if blocks[i], err = n.block(name); err != nil {
			return nil, err
		}
	}
	const batch = 128
	all := make([]*Tensor[T], len(names))
	for from := 0; from < x.Shape[0]; from += batch {
		to := min(from+batch, x.Shape[0])
		n.Forward(x.Part(from, to), false)
		for i, b := range blocks {
			if all[i] == nil {
				all[i] = new(Tensor[T]).resize(x.Shape[0], b.y.Shape[1:]...)
			}
			copy(all[i].Part(from, to).Data, b.y.Data)
		}
	}
	return all, nil
}

// Outputs returns what the network makes of the datapoints of x.
func (n *Network[T]) Outputs(x *Tensor[T]) *Tensor[T] {
	all, err := n.Activations(x, n.chain.blocks[len(n.chain.blocks)-1].name)
	if err != nil {
		panic(err) // the last block there is
	}
	return all[0]
}

// Maps views activations as a layer to compare: as maps where there is more than one
// position.
func (t *Tensor[T]) Maps(name string) conv.Maps {
	if s := t.Shape; len(s) == 4 && s[1]*s[2] > 1 {
		return conv.FromSlice(name, t.Data, s[0], s[1], s[2], s[3], conv.NHWC)
	}
	return conv.Vector(t.Layer(name))
}

// Layer views activations as datapoints × neurons, those of maps flattened.
func (t *Tensor[T]) Layer(name string) svcca.Layer {
	m := t.Matrix()
	return svcca.FromSlice(name, m.Data, m.Rows, m.Cols)
}
