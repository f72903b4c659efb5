package nn

import (
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// AveragePool takes the mean of squares of size × size positions, side by side, for each
// channel: of maps of height × width to height/size × width/size.
type AveragePool[T lapack.Real] struct {
	size  int
	in    []int
	y, dx Tensor[T]
}

// NewAveragePool returns a layer for maps whose sides are multiples of size; of maps of size
// × size it leaves one position, the mean of all.
func NewAveragePool[T lapack.Real](size int) *AveragePool[T] { return &AveragePool[T]{size: size} }

func (p *AveragePool[T]) Forward(x *Tensor[T], _ bool) *Tensor[T] {
	p.in = append(p.in[:0], x.Shape[1:]...)
	y := p.y.resize(x.Shape[0], p.in[0]/p.size, p.in[1]/p.size, p.in[2])
	clear(y.Data)
	share := 1 / T(p.size*p.size)
	each(x.Shape[0], func(i, _ int) {
		image, out := x.Part(i, i+1).Data, y.Part(i, i+1).Data
		p.pairs(func(from, to int) { add(out[to:to+p.in[2]], image[from:from+p.in[2]]) })
		for j := range out {
			out[j] *= share
		}
	})
	return y
}

func (p *AveragePool[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	if !inputs {
		return nil
	}
	dx := p.dx.resize(dy.Shape[0], p.in...)
	share := 1 / T(p.size*p.size)
	each(dy.Shape[0], func(i, _ int) {
		image, d := dx.Part(i, i+1).Data, dy.Part(i, i+1).Data
		p.pairs(func(from, to int) {
			for c, v := range d[to : to+p.in[2]] {
				image[from+c] = v * share
			}
		})
	})
	return dx
}

// pairs calls with for every position of a map: where its channels begin, and where those of
// the mean that it is part of.
func (p *AveragePool[T]) pairs(with func(from, to int)) {
	for at := range p.in[0] * p.in[1] {
		row, column := at/p.in[1]/p.size, at%p.in[1]/p.size
		with(at*p.in[2], (row*(p.in[1]/p.size)+column)*p.in[2])
	}
}

func (p *AveragePool[T]) Params() []*Param[T] { return nil }

func (p *AveragePool[T]) Plan(in []int) ([]int, freeze.Cost) {
	return pooled("average pooling", in, p.size), freeze.Cost{}
}
