package compress

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/svcca"
)

// Network is what InTurn asks of a network: of its fully connected layers, counted from 0
// in whatever way the network does. MLP is one; a training loop's own is another.
type Network interface {
	// Affine returns layer i as it is at first.
	Affine(i int) (Affine, error)
	// Input returns the activations that enter layer i, datapoints × inputs, with the
	// layers in place that were replaced so far.
	Input(i int) (svcca.Layer, error)
	// Replace puts what was compressed in place of layer i.
	Replace(i int, by *Compressed) error
}

// From says which activations directions come from.
type From int

const (
	// FromCompressed takes the activations of the network with the layers before
	// compressed already: what a layer will see.
	FromCompressed From = iota
	// FromOriginal takes those of the network as it was.
	FromOriginal
)

// InTurn compresses layers of a network one after another, in the order given: layers[i] by
// the directions that its input shares with against[i] (Between). All are computed before
// any is replaced with FromOriginal.
//
// The error names the layer and wraps what Between's may, svcca.ErrMismatch where there are
// not as many of against, or what the network returned. With FromCompressed the layers
// before it are then replaced.
func InTurn(ctx context.Context, n Network, layers []int, against []svcca.Layer, from From, o Options) ([]*Compressed, error) {
	if len(layers) != len(against) {
		return nil, fmt.Errorf("compress: %d layers with directions against %d: %w", len(layers), len(against), svcca.ErrMismatch)
	}
	all := make([]*Compressed, len(layers))
	for at, i := range layers {
		var err error
		if all[at], err = one(ctx, n, i, against[at], o); err == nil && from == FromCompressed {
			err = n.Replace(i, all[at])
		}
		if err != nil {
			return nil, blamed(n, i, err)
		}
	}
	if from == FromOriginal {
		for at, i := range layers {
			if err := n.Replace(i, all[at]); err != nil {
				return nil, blamed(n, i, err)
			}
		}
	}
	return all, nil
}

// blamed returns an error of layer i.
func blamed(n Network, i int, err error) error {
	layer, unknown := n.Affine(i)
	if unknown != nil {
		layer = Affine{} // which has a number at least
	}
	return fmt.Errorf("%s: %w", layer.called(i), err)
}

func one(ctx context.Context, n Network, i int, against svcca.Layer, o Options) (*Compressed, error) {
	layer, err := n.Affine(i)
	if err != nil {
		return nil, err
	}
	input, err := n.Input(i)
	if err != nil {
		return nil, err
	}
	return Between(ctx, input, against, layer, o)
}
