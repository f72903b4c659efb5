package nn

import (
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// Residual adds to what its blocks make of x what a shortcut makes of it, or x itself: He et
// al. 2016.
type Residual[T lapack.Real] struct {
	main, shortcut chain[T]
	y, dx          Tensor[T]
}

// NewResidual returns a layer of blocks and a shortcut beside them, nil for x itself. Both
// must come to the same shape.
func NewResidual[T lapack.Real](shortcut *Block[T], blocks ...*Block[T]) *Residual[T] {
	r := &Residual[T]{main: chain[T]{blocks: blocks}}
	if shortcut != nil {
		r.shortcut.blocks = []*Block[T]{shortcut}
	}
	return r
}

func (r *Residual[T]) branches() []*chain[T] { return []*chain[T]{&r.main, &r.shortcut} }

func (r *Residual[T]) Forward(x *Tensor[T], training bool) *Tensor[T] {
	a, b := r.main.forward(x, training), r.shortcut.forward(x, training)
	return added(&r.y, a, b)
}

func (r *Residual[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	a, b := r.main.backward(dy, inputs), r.shortcut.backward(dy, inputs)
	if !inputs {
		return nil
	}
	return added(&r.dx, a, b)
}

// added sets to to a + b.
func added[T lapack.Real](to, a, b *Tensor[T]) *Tensor[T] {
	to.resize(a.Shape[0], a.Shape[1:]...)
	spans(len(a.Data), 1, func(from, end int) {
		x, y, out := a.Data[from:end], b.Data[from:end], to.Data[from:end]
		for i, v := range x {
			out[i] = v + y[i]
		}
	})
	return to
}

func (r *Residual[T]) Params() (all []*Param[T]) {
	for _, c := range r.branches() {
		for _, b := range c.blocks {
			for _, l := range b.layers {
				all = append(all, l.Params()...)
			}
		}
	}
	return all
}

func (r *Residual[T]) Plan(in []int) (out []int, cost freeze.Cost) {
	out = r.main.plan(in)
	if other := r.shortcut.plan(in); !slices.Equal(out, other) {
		panic(fmt.Sprintf("nn: the blocks of a residual block make %v of %v, its shortcut %v", out, in, other))
	}
	a, b := r.main.cost(), r.shortcut.cost()
	return out, freeze.Cost{
		Forward: a.Forward + b.Forward, Weights: a.Weights + b.Weights,
		Inputs: a.Inputs + b.Inputs, Update: a.Update + b.Update,
	}
}
