package nn

import (
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// Layer maps a batch to a batch. What it returns is its own memory, which its next Forward
// or Backward overwrites; what it is given it reads, and until Backward is done it may look
// at Forward's x again.
type Layer[T lapack.Real] interface {
	// Forward returns the layer's output for x, datapoints × its input. While training, batch
	// normalisation takes means of the batch; else those it has measured.
	Forward(x *Tensor[T], training bool) *Tensor[T]
	// Backward takes the gradient of the loss with respect to the output of the last Forward,
	// sets those of parameters that learn, and returns that with respect to x: nil where
	// inputs is false, and nobody asks for it.
	Backward(dy *Tensor[T], inputs bool) *Tensor[T]
	// Params returns what the layer has learnt or measured.
	Params() []*Param[T]
	// Plan returns the shape of the output for one datapoint of shape in, and the
	// multiply-adds: of passes by datapoint, of updates by step. It panics where the layer
	// does not take in.
	Plan(in []int) (out []int, cost freeze.Cost)
}

// Param is a part of what a layer has learnt or measured.
type Param[T lapack.Real] struct {
	// Name is "w", say; in a network with the block's before it: "conv1_w".
	Name  string
	Value *Tensor[T]
	// Grad is the gradient of the loss in the last Backward; nil for what is measured, as
	// means are, and not learnt.
	Grad *Tensor[T]
	// Frozen parameters have no gradients and are not updated.
	Frozen bool
	// Memory is what an optimiser keeps from step to step, each as long as Value.
	Memory [][]T
}

func (p *Param[T]) learns() bool { return p.Grad != nil && !p.Frozen }

// learns reports whether a layer has parameters that do.
func learns[T lapack.Real](l Layer[T]) bool {
	for _, p := range l.Params() {
		if p.learns() {
			return true
		}
	}
	return false
}

// learnt returns a parameter that learns, of zeros.
func learnt[T lapack.Real](name string, shape ...int) *Param[T] {
	return &Param[T]{Name: name, Value: NewTensor[T](shape...), Grad: NewTensor[T](shape...)}
}

// weights returns weights of normal distribution and variance 2 / inputs, which keeps the
// size of activations before max(0, ·) from layer to layer: He et al. 2015, Eq. 10.
func weights[T lapack.Real](rng *rand.Rand, inputs int, shape ...int) *Param[T] {
	p := learnt[T]("w", shape...)
	deviation := math.Sqrt(2 / float64(inputs))
	for i := range p.Value.Data {
		p.Value.Data[i] = T(rng.NormFloat64() * deviation)
	}
	return p
}

// constant returns a parameter of one value, which learns or does not.
func constant[T lapack.Real](name string, size int, value T, learns bool) *Param[T] {
	p := learnt[T](name, size)
	for i := range p.Value.Data {
		p.Value.Data[i] = value
	}
	if !learns {
		p.Grad = nil
	}
	return p
}
