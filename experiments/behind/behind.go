// Package behind asks a network what it makes of a layer of which something was erased.
package behind

import (
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/compress"
)

// Projected returns the network's outputs with a projection in place of the activations y of
// a block, datapoints × neurons or maps.
func Projected(net *nn.Network[float32], block string, y *nn.Tensor[float32], p *compress.Projection) (*nn.Tensor[float32], error) {
	left, err := Left(block, y, p)
	if err != nil {
		return nil, err
	}
	return net.Behind(block, left)
}

// Left returns what a projection leaves of the activations y of a block, in their shape.
func Left(block string, y *nn.Tensor[float32], p *compress.Projection) (*nn.Tensor[float32], error) {
	left := nn.NewTensor[float32](y.Shape...)
	at := 0
	return left, p.Apply(y.Layer(block), func(rows lapack.Matrix[float64]) error {
		for i := range rows.Rows {
			for _, v := range rows.Row(i) {
				left.Data[at] = float32(v)
				at++
			}
		}
		return nil
	})
}
