// Package training runs networks over images: which go into which batch, moved how, is a
// function of seed and step alone, so that a run may stop anywhere and go on.
package training

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
)

// Run is a network in training on images, with cross-entropy.
type Run[T lapack.Real] struct {
	Net       *nn.Network[T]
	Optimiser nn.Optimiser[T]
	Images    *data.Set
	Seed      uint64
	Batch     int // images of a step, at most as many as there are
	Steps     int
	// Shift is by how many positions images are moved at most, in either direction.
	Shift int
	// Done is how many steps were taken: of a checkpoint, where training goes on from one.
	Done int
	// Each is called before every step and after the last with Done and the loss in the step
	// before, NaN where there was none. It may set the optimiser's rate, freeze layers and
	// look at the network. Training ends with its error.
	Each func(loss float64) error
}

// Train takes the steps that are left. It returns Each's error, ctx's between two steps, or
// one of its own where the loss is no number any more.
func (r *Run[T]) Train(ctx context.Context) error {
	batch := min(r.Batch, len(r.Images.Labels))
	each := len(r.Images.Labels) / batch // steps of an epoch: a rest that fills no batch is left out
	var order []int
	epoch := -1
	loss := math.NaN()
	for {
		if err := r.Each(loss); err != nil {
			return err
		}
		if r.Done >= r.Steps {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if of := r.Done / each; of != epoch {
			epoch, order = of, r.Images.Order(r.Seed, of)
		}
		x, labels := data.Batch[T](r.Images, order[r.Done%each*batch:][:batch])
		if r.Shift > 0 {
			nn.Translate(x, r.Shift, rand.New(rand.NewPCG(^r.Seed, uint64(r.Done))))
		}
		loss = r.Net.Learn(x, nn.CrossEntropy[T](labels), r.Optimiser)
		r.Done++
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("training: the loss in step %d is %v: a lower rate may help", r.Done, loss)
		}
	}
}

// Cosine returns the rate for a step after done of steps: from rate down to 0 along half a
// cosine (Loshchilov and Hutter 2017, without restarts).
func Cosine(rate float64, done, steps int) float64 {
	return rate / 2 * (1 + math.Cos(math.Pi*float64(done)/float64(steps)))
}

// Accuracy returns the share of images, of the first most of them, that a network is right
// on.
func Accuracy[T lapack.Real](net *nn.Network[T], s *data.Set, most int) float64 {
	const block = 1000 // images, as numbers, in memory at a time
	n, right := min(most, len(s.Labels)), 0
	for from := 0; from < n; from += block {
		indices := make([]int, min(block, n-from))
		for i := range indices {
			indices[i] = from + i
		}
		x, labels := data.Batch[T](s, indices)
		right += nn.Right(net.Outputs(x), labels)
	}
	return float64(right) / float64(n)
}
