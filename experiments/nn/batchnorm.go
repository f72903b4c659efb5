package nn

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// BatchNorm is batch normalisation (Ioffe and Szegedy 2015) of each neuron over datapoints,
// or each channel over datapoints and positions: (x − mean) / √(variance + ε) · scale + shift.
//
// While training mean and variance are those of the batch, and running means of them are
// kept; else these are taken. A frozen layer takes them in training too and leaves them as
// they are: it is the same function from then on, whatever the batch.
type BatchNorm[T lapack.Real] struct {
	scale, shift   *Param[T]
	mean, variance *Param[T] // running
	factor, offset []T       // y = factor·x + offset
	inverse        []float64 // 1 / √(variance + ε) of the last Forward
	centre         []float64
	x              *Tensor[T]
	ofBatch        bool // whether the last Forward took its means
	y, dx          Tensor[T]
}

const (
	normEpsilon = 1e-5
	normNews    = 0.1 // the share of a batch in running means
)

// NewBatchNorm returns a layer for so many neurons or channels.
func NewBatchNorm[T lapack.Real](size int) *BatchNorm[T] {
	return &BatchNorm[T]{
		scale: constant[T]("scale", size, 1, true), shift: constant[T]("shift", size, 0, true),
		mean: constant[T]("mean", size, 0, false), variance: constant[T]("variance", size, 1, false),
		factor: make([]T, size), offset: make([]T, size),
		inverse: make([]float64, size), centre: make([]float64, size),
	}
}

func (b *BatchNorm[T]) Forward(x *Tensor[T], training bool) *Tensor[T] {
	b.x, b.ofBatch = x, training && learns(b)
	if b.ofBatch {
		b.measure(x.positions())
	} else {
		for c := range b.centre {
			b.centre[c] = float64(b.mean.Value.Data[c])
			b.inverse[c] = 1 / math.Sqrt(float64(b.variance.Value.Data[c])+normEpsilon)
		}
	}
	for c := range b.factor {
		factor := float64(b.scale.Value.Data[c]) * b.inverse[c]
		b.factor[c], b.offset[c] = T(factor), T(float64(b.shift.Value.Data[c])-factor*b.centre[c])
	}
	y := b.y.resize(x.Shape[0], x.Shape[1:]...)
	in, out := x.positions(), y.positions()
	spans(in.Rows, in.Cols, func(from, to int) {
		for i := from; i < to; i++ {
			to, factor, offset := out.Row(i), b.factor, b.offset
			for c, v := range in.Row(i) {
				to[c] = factor[c]*v + offset[c]
			}
		}
	})
	return y
}

// measure sets what is taken of the batch, and what is kept of it.
func (b *BatchNorm[T]) measure(x lapack.Matrix[T]) {
	n := float64(x.Rows)
	copy(b.centre, sums(x.Rows, x.Cols, func(i int, sum []float64) {
		for c, v := range x.Row(i) {
			sum[c] += float64(v)
		}
	}))
	for c := range b.centre {
		b.centre[c] /= n
	}
	squares := sums(x.Rows, x.Cols, func(i int, sum []float64) {
		for c, v := range x.Row(i) {
			d := float64(v) - b.centre[c]
			sum[c] += d * d
		}
	})
	for c, s := range squares {
		b.inverse[c] = 1 / math.Sqrt(s/n+normEpsilon)
		mean, variance := &b.mean.Value.Data[c], &b.variance.Value.Data[c]
		*mean += normNews * (T(b.centre[c]) - *mean)
		*variance += normNews * (T(s/max(1, n-1)) - *variance) // unbiased: all data are meant
	}
}

func (b *BatchNorm[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	if !b.ofBatch {
		if learns(b) {
			panic("nn: batch normalisation that learns goes backward after a Forward in training alone")
		}
		return b.through(dy, inputs)
	}
	x, d := b.x.positions(), dy.positions()
	channels := x.Cols
	// Gradients of shift and scale: Σ dy and Σ dy·x̂, x̂ = (x − mean)·inverse.
	g := sums(x.Rows, 2*channels, func(i int, sum []float64) {
		row, shift, scale := x.Row(i), sum[:channels], sum[channels:]
		for c, v := range d.Row(i) {
			shift[c] += float64(v)
			scale[c] += float64(v) * (float64(row[c]) - b.centre[c]) * b.inverse[c]
		}
	})
	for c := range channels {
		b.shift.Grad.Data[c], b.scale.Grad.Data[c] = T(g[c]), T(g[channels+c])
	}
	if !inputs {
		return nil
	}
	// dx = factor·(dy − Σdy/n − x̂·Σ(dy·x̂)/n), as a·dy + k·x + l.
	dx := b.dx.resize(dy.Shape[0], dy.Shape[1:]...)
	out := dx.positions()
	n := float64(x.Rows)
	k, l := make([]T, channels), make([]T, channels)
	for c := range channels {
		factor := float64(b.scale.Value.Data[c]) * b.inverse[c]
		slope := -factor * g[channels+c] / n * b.inverse[c]
		k[c], l[c] = T(slope), T(-factor*g[c]/n-slope*b.centre[c])
	}
	spans(x.Rows, channels, func(from, to int) {
		for i := from; i < to; i++ {
			to, at := out.Row(i), x.Row(i)
			for c, v := range d.Row(i) {
				to[c] = b.factor[c]*v + k[c]*at[c] + l[c]
			}
		}
	})
	return dx
}

// through is Backward where means are not of the batch.
func (b *BatchNorm[T]) through(dy *Tensor[T], inputs bool) *Tensor[T] {
	if !inputs {
		return nil
	}
	dx := b.dx.resize(dy.Shape[0], dy.Shape[1:]...)
	d, out := dy.positions(), dx.positions()
	spans(d.Rows, d.Cols, func(from, to int) {
		for i := from; i < to; i++ {
			to := out.Row(i)
			for c, v := range d.Row(i) {
				to[c] = b.factor[c] * v
			}
		}
	})
	return dx
}

// sums adds up what row does for each of n rows, by parts and then the parts in order.
func sums(n, size int, row func(i int, sum []float64)) []float64 {
	all := make([]float64, parts*size)
	each(parts, func(p, _ int) {
		from, to := part(p, n)
		for i := from; i < to; i++ {
			row(i, all[p*size:][:size])
		}
	})
	for p := 1; p < parts; p++ {
		add(all[:size], all[p*size:][:size])
	}
	return all[:size]
}

func (b *BatchNorm[T]) Params() []*Param[T] {
	return []*Param[T]{b.scale, b.shift, b.mean, b.variance}
}

// Plan counts two multiply-adds for each value in each pass: one to normalise or to sum, one
// to scale.
func (b *BatchNorm[T]) Plan(in []int) (out []int, cost freeze.Cost) {
	size := len(b.factor)
	if in[len(in)-1] != size {
		panic(fmt.Sprintf("nn: batch normalisation of %d neurons or channels is given %v", size, in))
	}
	pass := 2 * float64(product(in))
	return in, freeze.Cost{Forward: pass, Weights: pass, Inputs: pass, Update: 2 * float64(size)}
}
