package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"gonum.org/v1/gonum/blas"
)

// Dense is a fully connected layer, y = xW + b. It takes maps as they lie in memory.
type Dense[T lapack.Real] struct {
	w, b  *Param[T] // inputs × outputs, outputs
	x     *Tensor[T]
	y, dx Tensor[T]
}

// NewDense returns a layer from so many neurons to others, with weights from rng.
func NewDense[T lapack.Real](rng *rand.Rand, inputs, outputs int) *Dense[T] {
	return &Dense[T]{w: weights[T](rng, inputs, inputs, outputs), b: learnt[T]("b", outputs)}
}

func (d *Dense[T]) Forward(x *Tensor[T], _ bool) *Tensor[T] {
	d.x = x
	y := d.y.resize(x.Shape[0], d.w.Value.Shape[1])
	fill(y.Matrix(), d.b.Value.Data)
	multiply(blas.NoTrans, blas.NoTrans, x.Matrix(), d.w.Value.Matrix(), 1, y.Matrix())
	return y
}

func (d *Dense[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	if d.w.learns() {
		multiply(blas.Trans, blas.NoTrans, d.x.Matrix(), dy.Matrix(), 0, d.w.Grad.Matrix())
	}
	if d.b.learns() {
		clear(d.b.Grad.Data)
		addRows(d.b.Grad.Data, dy.Matrix())
	}
	if !inputs {
		return nil
	}
	dx := d.dx.resize(d.x.Shape[0], d.x.Shape[1:]...)
	multiply(blas.NoTrans, blas.Trans, dy.Matrix(), d.w.Value.Matrix(), 0, dx.Matrix())
	return dx
}

func (d *Dense[T]) Params() []*Param[T] { return []*Param[T]{d.w, d.b} }

func (d *Dense[T]) Plan(in []int) (out []int, cost freeze.Cost) {
	inputs, outputs := d.w.Value.Shape[0], d.w.Value.Shape[1]
	if product(in) != inputs {
		panic(fmt.Sprintf("nn: a dense layer of %d inputs is given %v", inputs, in))
	}
	pass := float64(inputs * outputs)
	return []int{outputs}, freeze.Cost{Forward: pass, Weights: pass, Inputs: pass, Update: pass + float64(outputs)}
}
