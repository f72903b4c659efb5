package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"gonum.org/v1/gonum/blas"
)

// Conv is a convolution with a bias: of maps of height × width × in to maps of
// ⌈height/stride⌉ × ⌈width/stride⌉ × out, each position a product of the window around it
// with weights. The windows of some datapoints at a time are copied into the rows of a
// matrix, so that the work is the BLAS's.
type Conv[T lapack.Real] struct {
	w, b         *Param[T] // size × size × in × out, out
	size, stride int
	x            *Tensor[T]
	y, dx        Tensor[T]
	rows         [][]T // by worker: the windows of some datapoints
	sums         [][]T // by part of the batch: gradients of w, then of b
}

// NewConv returns a convolution of windows size × size, of odd size, with weights from rng.
func NewConv[T lapack.Real](rng *rand.Rand, size, stride, in, out int) *Conv[T] {
	if size%2 != 1 || stride < 1 {
		panic("nn: a convolution needs windows of odd size and a stride of 1 or more")
	}
	return &Conv[T]{
		w: weights[T](rng, size*size*in, size, size, in, out), b: learnt[T]("b", out),
		size: size, stride: stride, sums: make([][]T, parts),
	}
}

// weightMatrix views weights, or their gradient, as values of a window × out.
func (c *Conv[T]) weightMatrix(values []T) lapack.Matrix[T] {
	out := c.w.Value.Shape[3]
	return lapack.Of(len(values)/out, out, values)
}

func (c *Conv[T]) windows(shape []int) windows {
	return windows{c.size, c.stride, shape[0], shape[1], shape[2]}
}

func (c *Conv[T]) Forward(x *Tensor[T], _ bool) *Tensor[T] {
	c.x = x
	w := c.windows(x.Shape[1:])
	down, across := w.count()
	y := c.y.resize(x.Shape[0], down, across, c.w.Value.Shape[3])
	c.tiles(w, func(from, to, _ int, rows lapack.Matrix[T]) {
		c.gather(rows, from, to, w)
		out := y.Part(from, to).positions()
		fill(out, c.b.Value.Data)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, rows, c.weightMatrix(c.w.Value.Data), 1, out)
	})
	return y
}

func (c *Conv[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	w := c.windows(c.x.Shape[1:])
	var dx *Tensor[T]
	if inputs {
		dx = c.dx.resize(c.x.Shape[0], c.x.Shape[1:]...)
		clear(dx.Data)
	}
	learns := learns(c)
	if learns {
		for i := range c.sums {
			c.sums[i] = grown(c.sums[i], len(c.w.Value.Data)+len(c.b.Value.Data))
			clear(c.sums[i])
		}
	}
	c.tiles(w, func(from, to, part int, rows lapack.Matrix[T]) {
		d := dy.Part(from, to).positions()
		if learns {
			c.gather(rows, from, to, w)
			dw, db := c.sums[part][:len(c.w.Value.Data)], c.sums[part][len(c.w.Value.Data):]
			lapack.Gemm(blas.Trans, blas.NoTrans, 1, rows, d, 1, c.weightMatrix(dw))
			addRows(db, d)
		}
		if inputs {
			lapack.Gemm(blas.NoTrans, blas.Trans, 1, d, c.weightMatrix(c.w.Value.Data), 0, rows)
			each := rows.Rows / (to - from) * rows.Cols
			for i := from; i < to; i++ {
				scatter(dx.Part(i, i+1).Data, rows.Data[(i-from)*each:][:each], w)
			}
		}
	})
	if learns {
		c.addUp()
	}
	return dx
}

// gather sets rows to the windows of datapoints from … to−1.
func (c *Conv[T]) gather(rows lapack.Matrix[T], from, to int, w windows) {
	each := rows.Rows / (to - from) * rows.Cols
	for i := from; i < to; i++ {
		gather(rows.Data[(i-from)*each:][:each], c.x.Part(i, i+1).Data, w)
	}
}

// tiles calls task for datapoints from … to−1 of each part of the batch, some at a time and
// parts in parallel, with memory for their windows.
func (c *Conv[T]) tiles(w windows, task func(from, to, part int, rows lapack.Matrix[T])) {
	const positions = 1024 // of a tile: its windows stay in a cache, and products are fast
	down, across := w.count()
	step := max(1, positions/(down*across))
	for len(c.rows) < workers(parts) {
		c.rows = append(c.rows, nil)
	}
	each(parts, func(i, worker int) {
		from, end := part(i, c.x.Shape[0])
		for ; from < end; from += step {
			to := min(from+step, end)
			height := (to - from) * down * across
			c.rows[worker] = grown(c.rows[worker], height*w.values())
			task(from, to, i, lapack.Of(height, w.values(), c.rows[worker]))
		}
	})
}

// addUp sets gradients to the sums of parts, in order.
func (c *Conv[T]) addUp() {
	clear(c.w.Grad.Data)
	clear(c.b.Grad.Data)
	for _, s := range c.sums {
		add(c.w.Grad.Data, s[:len(c.w.Grad.Data)])
		add(c.b.Grad.Data, s[len(c.w.Grad.Data):])
	}
}

func (c *Conv[T]) Params() []*Param[T] { return []*Param[T]{c.w, c.b} }

func (c *Conv[T]) Plan(in []int) (out []int, cost freeze.Cost) {
	mapsOf("a convolution", in)
	s := c.w.Value.Shape
	if in[2] != s[2] {
		panic(fmt.Sprintf("nn: a convolution of %d channels is given %v", s[2], in))
	}
	down, across := c.windows(in).count()
	pass := float64(down * across * len(c.w.Value.Data))
	return []int{down, across, s[3]}, freeze.Cost{
		Forward: pass, Weights: pass, Inputs: pass, Update: float64(len(c.w.Value.Data) + s[3]),
	}
}

// grown returns the first n elements of s, or of new memory where s has not as many.
func grown[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
