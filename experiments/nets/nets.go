// Package nets has the architectures that the experiments train. Blocks are named as in the
// figures of Raghu et al. 2017; activations of a block are those after its ReLU.
package nets

import (
	"fmt"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
)

// MLP returns a network of fully connected layers of such widths for datapoints of a shape,
// with ReLU between: fc1, fc2, …, and the last by a name of its own, such as "logits".
func MLP[T lapack.Real](rng *rand.Rand, shape []int, output string, widths ...int) *nn.Network[T] {
	in := 1
	for _, size := range shape {
		in *= size
	}
	var blocks []*nn.Block[T]
	for i, out := range widths {
		name, layers := output, []nn.Layer[T]{nn.NewDense[T](rng, in, out)}
		if i < len(widths)-1 {
			name, layers = fmt.Sprint("fc", i+1), append(layers, nn.NewReLU[T]())
		}
		blocks = append(blocks, nn.Named(name, layers...))
		in = out
	}
	return nn.New(shape, blocks...)
}

// Digits returns a small convolutional network for digits of 8 × 8: conv1 (8 × 8 × 8), conv2
// (8 × 8 × 16), pool (4 × 4 × 16), conv3 (4 × 4 × 16), fc (32), logits (10).
func Digits[T lapack.Real](rng *rand.Rand) *nn.Network[T] {
	return nn.New([]int{8, 8, 1},
		convolution[T](rng, "conv1", 1, 8),
		convolution[T](rng, "conv2", 8, 16),
		nn.Named("pool", nn.NewMaxPool[T](2)),
		convolution[T](rng, "conv3", 16, 16),
		nn.Named("fc", nn.NewDense[T](rng, 4*4*16, 32), nn.NewReLU[T]()),
		nn.Named("logits", nn.NewDense[T](rng, 32, 10)),
	)
}

// Convnet returns the convolutional network of Raghu et al. for maps of shape, whose sides
// are multiples of 4: conv-conv-bn-pool-conv-conv-conv-bn-pool-fc-bn-fc-bn-logits. The paper
// gives the widths of fully connected layers alone; here conv1 and conv2 have width
// channels, conv3 to conv5 twice, fc1 8 and fc2 4 times as many neurons.
func Convnet[T lapack.Real](rng *rand.Rand, shape []int, width, classes int) *nn.Network[T] {
	fc := func(name string, in, out int) *nn.Block[T] {
		return nn.Named(name, nn.NewDense[T](rng, in, out), nn.NewReLU[T]())
	}
	return nn.New(shape,
		convolution[T](rng, "conv1", shape[2], width),
		convolution[T](rng, "conv2", width, width),
		nn.Named("bn1", nn.NewBatchNorm[T](width)),
		nn.Named("pool1", nn.NewMaxPool[T](2)),
		convolution[T](rng, "conv3", width, 2*width),
		convolution[T](rng, "conv4", 2*width, 2*width),
		convolution[T](rng, "conv5", 2*width, 2*width),
		nn.Named("bn2", nn.NewBatchNorm[T](2*width)),
		nn.Named("pool2", nn.NewMaxPool[T](2)),
		fc("fc1", shape[0]/4*shape[1]/4*2*width, 8*width),
		nn.Named("bn3", nn.NewBatchNorm[T](8*width)),
		fc("fc2", 8*width, 4*width),
		nn.Named("bn4", nn.NewBatchNorm[T](4*width)),
		nn.Named("logits", nn.NewDense[T](rng, 4*width, classes)),
	)
}

// convolution returns a block of windows 3 × 3 with ReLU.
func convolution[T lapack.Real](rng *rand.Rand, name string, in, out int) *nn.Block[T] {
	return nn.Named(name, nn.NewConv[T](rng, 3, 1, in, out), nn.NewReLU[T]())
}
