package nn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
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
	all := make([]*Tensor[T], len(names))
	batches(x, func(from, to int) {
		n.Forward(x.Part(from, to), false)
		for i, b := range blocks {
			all[i] = collect(all[i], b.y, from, to, x.Shape[0])
		}
	})
	return all, nil
}

// batches calls with for datapoints from … to−1 of x, some at a time.
func batches[T lapack.Real](x *Tensor[T], with func(from, to int)) {
	const batch = 128
	for from := 0; from < x.Shape[0]; from += batch {
		with(from, min(from+batch, x.Shape[0]))
	}
}

// collect copies y to datapoints from … to−1 of all, which it makes for the first.
func collect[T lapack.Real](all, y *Tensor[T], from, to, datapoints int) *Tensor[T] {
	if all == nil {
		all = new(Tensor[T]).resize(datapoints, y.Shape[1:]...)
	}
	copy(all.Part(from, to).Data, y.Data)
	return all
}

// Outputs returns what the network makes of the datapoints of x.
func (n *Network[T]) Outputs(x *Tensor[T]) *Tensor[T] {
	all, err := n.Activations(x, n.blocks[len(n.blocks)-1].name)
	if err != nil {
		panic(err) // the last block there is
	}
	return all[0]
}

// Behind returns what the network makes of y in place of the activations of a block, one of
// Blocks: y may be a projection of them, say. The error names a block that there is not.
func (n *Network[T]) Behind(block string, y *Tensor[T]) (*Tensor[T], error) {
	return n.Through(block, y, n.blocks[len(n.blocks)-1].name)
}

// Through returns the activations of a block, one of Blocks, where y are those of another
// before it, or of itself. The error names a block that there is not, or not there.
func (n *Network[T]) Through(block string, y *Tensor[T], to string) (*Tensor[T], error) {
	defer native.LimitThreads(1)() // goroutines share the work
	names := n.Blocks()
	for _, name := range []string{block, to} {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("nn: no block is called %q: there are %s", name, strings.Join(names, ", "))
		}
	}
	from, end := slices.Index(names, block), slices.Index(names, to)
	if end < from {
		return nil, fmt.Errorf("nn: block %q does not come behind %q", to, block)
	}
	part := chain[T]{blocks: n.blocks[from+1 : end+1]}
	var all *Tensor[T]
	batches(y, func(from, to int) {
		all = collect(all, part.forward(y.Part(from, to), false), from, to, y.Shape[0])
	})
	return all, nil
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
