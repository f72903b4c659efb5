package nn

import (
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
)

// Shuffled returns a copy of activations with the datapoints in another order, so that they
// have nothing in common with others of the same datapoints.
func Shuffled[T lapack.Real](y *Tensor[T], rng *rand.Rand) *Tensor[T] {
	z := NewTensor[T](y.Shape...)
	for to, from := range rng.Perm(y.Shape[0]) {
		copy(z.Part(to, to+1).Data, y.Part(from, from+1).Data)
	}
	return z
}
