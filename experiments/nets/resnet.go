package nets

import (
	"fmt"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
)

// ResNet returns a residual network (He et al. 2016) for square maps of shape whose sides
// are multiples of 4: a convolution, three stages of so many residual blocks each, block1,
// block2, …, the mean of all positions, and logits. The first stage has width channels; the
// second and third halve the sides and double the channels.
func ResNet[T lapack.Real](rng *rand.Rand, shape []int, width, blocks, classes int) *nn.Network[T] {
	all := []*nn.Block[T]{nn.Named("conv", nn.NewConv[T](rng, 3, 1, shape[2], width), nn.NewBatchNorm[T](width), nn.NewReLU[T]())}
	in := width
	for stage := range 3 {
		for i := range blocks {
			stride, out := 1, width<<stage
			if stage > 0 && i == 0 {
				stride = 2
			}
			name := fmt.Sprint("block", len(all))
			all = append(all, nn.Named(name, residual[T](rng, stride, in, out), nn.NewReLU[T]()))
			in = out
		}
	}
	all = append(all, nn.Named("mean", nn.NewAveragePool[T](shape[0]/4)), nn.Named("logits", nn.NewDense[T](rng, in, classes)))
	return nn.New(shape, all...)
}

// residual returns two convolutions with batch normalisation, and beside them x itself, or,
// where the shape changes, a convolution of 1 × 1.
func residual[T lapack.Real](rng *rand.Rand, stride, in, out int) *nn.Residual[T] {
	var shortcut *nn.Block[T]
	if stride != 1 || in != out {
		shortcut = nn.Named("shortcut", nn.NewConv[T](rng, 1, stride, in, out), nn.NewBatchNorm[T](out))
	}
	return nn.NewResidual(shortcut,
		nn.Named("conv1", nn.NewConv[T](rng, 3, stride, in, out), nn.NewBatchNorm[T](out), nn.NewReLU[T]()),
		nn.Named("conv2", nn.NewConv[T](rng, 3, 1, out, out), nn.NewBatchNorm[T](out)),
	)
}
