package nn

import (
	"fmt"
	"strings"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// Block is some layers, one after another, under one name: those that are frozen together,
// and whose last output is what the name stands for among activations.
type Block[T lapack.Real] struct {
	name   string
	layers []Layer[T]
	costs  []freeze.Cost // by layer
	y      *Tensor[T]    // of the last Forward
}

// Named returns a block of layers, such as a convolution and its ReLU.
func Named[T lapack.Real](name string, layers ...Layer[T]) *Block[T] {
	return &Block[T]{name: name, layers: layers, costs: make([]freeze.Cost, len(layers))}
}

// chain is blocks, one after another, and the multiply-adds that they did.
type chain[T lapack.Real] struct {
	blocks []*Block[T]
	done   freeze.Totals
}

// branching is a layer of chains, which count what they do themselves.
type branching[T lapack.Real] interface {
	branches() []*chain[T]
}

// branches reports whether a layer is one.
func branches[T lapack.Real](l Layer[T]) bool {
	_, is := l.(branching[T])
	return is
}

// plan sets costs for datapoints of shape in, and returns the shape that comes out.
func (c *chain[T]) plan(in []int) []int {
	for _, b := range c.blocks {
		for i, l := range b.layers {
			in, b.costs[i] = l.Plan(in)
		}
	}
	return in
}

func (c *chain[T]) forward(x *Tensor[T], training bool) *Tensor[T] {
	for _, b := range c.blocks {
		for i, l := range b.layers {
			x = l.Forward(x, training)
			if training && !branches(l) {
				c.done.Forward += float64(x.Shape[0]) * b.costs[i].Forward
			}
		}
		b.y = x
	}
	return x
}

// backward goes down to the lowest layer that learns, or through all where inputs are asked
// for: what is frozen with nothing that learns below it is left out.
func (c *chain[T]) backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	below := 0 // layers that learn below the one at hand
	for _, b := range c.blocks {
		for _, l := range b.layers {
			if learns(l) {
				below++
			}
		}
	}
	for i := len(c.blocks) - 1; i >= 0; i-- {
		b := c.blocks[i]
		for j := len(b.layers) - 1; j >= 0; j-- {
			l := b.layers[j]
			if below == 0 && !inputs {
				return nil
			}
			learning := learns(l)
			if learning {
				below--
			}
			asked := inputs || below > 0
			if !branches(l) {
				n := float64(dy.Shape[0])
				if learning {
					c.done.Backward += n * b.costs[j].Weights
				}
				if asked {
					c.done.Backward += n * b.costs[j].Inputs
				}
			}
			dy = l.Backward(dy, asked)
		}
	}
	return dy
}

// walk calls visit for every block, and for those in branches after the one they are in,
// with the names of the blocks around it before its own.
func (c *chain[T]) walk(around string, visit func(name string, b *Block[T])) {
	for _, b := range c.blocks {
		name := around + b.name
		visit(name, b)
		for _, l := range b.layers {
			if l, is := l.(branching[T]); is {
				for _, branch := range l.branches() {
					branch.walk(name+".", visit)
				}
			}
		}
	}
}

// total returns the multiply-adds done by c and all branches of it.
func (c *chain[T]) total() freeze.Totals {
	t := c.done
	for _, b := range c.blocks {
		for _, l := range b.layers {
			if l, is := l.(branching[T]); is {
				for _, branch := range l.branches() {
					inner := branch.total()
					t.Forward, t.Backward = t.Forward+inner.Forward, t.Backward+inner.Backward
				}
			}
		}
	}
	return t
}

// together returns what layers, the first nearest to the input, cost as one: to the gradients
// of its weights belong those of inputs that weights further down ask for.
func together(layers []freeze.Cost) (sum freeze.Cost) {
	for _, c := range layers {
		sum.Forward += c.Forward
		sum.Weights += c.Weights
		if sum.Update > 0 {
			sum.Weights += c.Inputs
		} else {
			sum.Inputs += c.Inputs
		}
		sum.Update += c.Update
	}
	return sum
}

// cost returns that of all layers together.
func (c *chain[T]) cost() freeze.Cost {
	var layers []freeze.Cost
	for _, b := range c.blocks {
		layers = append(layers, b.costs...)
	}
	return together(layers)
}

// check panics where a name is missing, twice in a network, or no part of a file's name.
func (c *chain[T]) check() {
	seen := map[string]bool{}
	c.walk("", func(name string, b *Block[T]) {
		if b.name == "" || seen[name] || strings.ContainsAny(b.name, `./\`) {
			panic(fmt.Sprintf("nn: blocks need names of their own, without dots and slashes, and one is called %q", name))
		}
		seen[name] = true
	})
}
