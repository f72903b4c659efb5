package nn

import (
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// ReLU is max(0, x), for every value.
type ReLU[T lapack.Real] struct{ y, dx Tensor[T] }

// NewReLU returns a layer for any shape.
func NewReLU[T lapack.Real]() *ReLU[T] { return &ReLU[T]{} }

func (r *ReLU[T]) Forward(x *Tensor[T], _ bool) *Tensor[T] {
	y := r.y.resize(x.Shape[0], x.Shape[1:]...)
	spans(len(x.Data), 1, func(from, to int) {
		out := y.Data[from:to]
		for i, v := range x.Data[from:to] {
			out[i] = max(v, 0)
		}
	})
	return y
}

func (r *ReLU[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	if !inputs {
		return nil
	}
	dx := r.dx.resize(dy.Shape[0], dy.Shape[1:]...)
	spans(len(dy.Data), 1, func(from, to int) {
		y := r.y.Data[from:to]
		d, out := dy.Data[from:to][:len(y)], dx.Data[from:to][:len(y)]
		for i, v := range y {
			active := 0
			if v > 0 {
				active = 1
			}
			out[i] = [2]T{0, d[i]}[active] // a branch would be mispredicted half the time
		}
	})
	return dx
}

func (r *ReLU[T]) Params() []*Param[T] { return nil }

func (r *ReLU[T]) Plan(in []int) ([]int, freeze.Cost) { return in, freeze.Cost{} }
