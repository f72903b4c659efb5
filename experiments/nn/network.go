package nn

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// Network is named blocks, one after another. It is not for concurrent use, and computes
// itself in as many goroutines as there are processors.
type Network[T lapack.Real] struct {
	chain[T]
	input  []int
	named  map[string]*Block[T] // with those in branches
	params []*Param[T]
	work   Work
}

// Work is what training took so far.
type Work struct {
	// MultiplyAdds are those of products and normalisation, and one for each parameter that
	// an update changes.
	MultiplyAdds freeze.Totals
	// Forward, Backward, with that of the loss, and Update are how long they took.
	Forward, Backward, Update time.Duration
}

// New returns a network for datapoints of a shape, such as (height, width, channels). It
// panics where layers do not fit each other, or two blocks have one name.
func New[T lapack.Real](input []int, blocks ...*Block[T]) *Network[T] {
	n := &Network[T]{chain: chain[T]{blocks: blocks}, input: slices.Clone(input), named: map[string]*Block[T]{}}
	n.check()
	n.plan(input)
	seen := map[string]bool{}
	n.walk("", func(name string, b *Block[T]) {
		n.named[name] = b
		for _, l := range b.layers {
			if branches(l) {
				continue // whose own blocks come next
			}
			for _, p := range l.Params() {
				p.Name = name + "_" + p.Name
				if seen[p.Name] {
					panic(fmt.Sprintf("nn: two parameters are called %s: their layers belong into blocks of their own", p.Name))
				}
				seen[p.Name] = true
				n.params = append(n.params, p)
			}
		}
	})
	return n
}

// Forward returns the outputs for x, datapoints × the input's shape. They are overwritten by
// the next call.
func (n *Network[T]) Forward(x *Tensor[T], training bool) *Tensor[T] {
	defer native.LimitThreads(1)() // goroutines share the work
	if !slices.Equal(x.Shape[1:], n.input) {
		panic(fmt.Sprintf("nn: a network for datapoints of shape %v is given %v", n.input, x.Shape[1:]))
	}
	return n.forward(x, training)
}

// Backward sets the gradients of what learns, from that of the loss with respect to what the
// last Forward, in training, returned.
func (n *Network[T]) Backward(dy *Tensor[T]) {
	defer native.LimitThreads(1)()
	n.backward(dy, false)
}

// Learn takes a step of training on a batch and returns the loss before it.
func (n *Network[T]) Learn(x *Tensor[T], loss Loss[T], o Optimiser[T]) float64 {
	begun := time.Now()
	y := n.Forward(x, true)
	forward := time.Now()
	l, dy := loss(y)
	n.Backward(dy)
	backward := time.Now()
	var learning []*Param[T]
	for _, p := range n.params {
		if p.learns() {
			learning = append(learning, p)
			n.done.Update += float64(len(p.Value.Data))
		}
	}
	o.Update(learning)
	n.work.Forward += forward.Sub(begun)
	n.work.Backward += backward.Sub(forward)
	n.work.Update += time.Since(backward)
	return l
}

// Params returns all parameters, in the order of the blocks.
func (n *Network[T]) Params() []*Param[T] { return n.params }

// Param returns the parameter of a name: "fc1_w" is the weights of fc1, inputs × outputs. The
// error names one that there is not.
func (n *Network[T]) Param(name string) (*Param[T], error) {
	var names []string
	for _, p := range n.params {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("nn: no parameter is called %q: there are %s", name, strings.Join(names, ", "))
}

// Work returns what steps of Learn took so far.
func (n *Network[T]) Work() Work {
	w := n.work
	w.MultiplyAdds = n.total()
	return w
}

// Blocks returns the names of the outermost blocks, from the input on: the layers of a
// schedule, for Costs.
func (n *Network[T]) Blocks() (names []string) {
	for _, b := range n.blocks {
		names = append(names, b.name)
	}
	return names
}

// Names returns the names of all blocks. One within another's branch comes after it and is
// called as both: "block1.conv2".
func (n *Network[T]) Names() (names []string) {
	n.walk("", func(name string, _ *Block[T]) { names = append(names, name) })
	return names
}

// Costs returns the multiply-adds that each of Blocks takes in a step with a batch of so
// many datapoints: what freeze.Schedule.Work asks for.
func (n *Network[T]) Costs(batch int) (costs []freeze.Cost) {
	for _, b := range n.blocks {
		c, n := together(b.costs), float64(batch)
		costs = append(costs, freeze.Cost{Forward: n * c.Forward, Weights: n * c.Weights, Inputs: n * c.Inputs, Update: c.Update})
	}
	return costs
}

// Freeze freezes the blocks of these names, and no others: they learn no more, and with
// nothing that learns below them they have no backward pass. The error names one that there
// is not.
func (n *Network[T]) Freeze(names ...string) error {
	for _, name := range names {
		if _, err := n.block(name); err != nil {
			return err
		}
	}
	for _, p := range n.params {
		p.Frozen = false
	}
	for _, name := range names {
		for _, l := range n.named[name].layers {
			for _, p := range l.Params() {
				p.Frozen = true
			}
		}
	}
	return nil
}

func (n *Network[T]) block(name string) (*Block[T], error) {
	b := n.named[name]
	if b == nil {
		return nil, fmt.Errorf("nn: no block is called %q: there are %s", name, strings.Join(n.Names(), ", "))
	}
	return b, nil
}
