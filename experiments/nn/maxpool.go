package nn

import (
	"fmt"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// MaxPool takes the maximum of squares of size × size positions, side by side, for each
// channel: of maps of height × width to height/size × width/size.
type MaxPool[T lapack.Real] struct {
	size  int
	in    []int
	from  []int32 // where in its datapoint each output comes from
	y, dx Tensor[T]
}

// NewMaxPool returns a layer for maps whose sides are multiples of size.
func NewMaxPool[T lapack.Real](size int) *MaxPool[T] { return &MaxPool[T]{size: size} }

func (p *MaxPool[T]) Forward(x *Tensor[T], _ bool) *Tensor[T] {
	p.in = append(p.in[:0], x.Shape[1:]...)
	height, width, channels := p.in[0]/p.size, p.in[1]/p.size, p.in[2]
	y := p.y.resize(x.Shape[0], height, width, channels)
	p.from = grown(p.from, len(y.Data))
	one := height * width * channels
	each(x.Shape[0], func(i, _ int) {
		image := x.Part(i, i+1).Data
		for at := range height * width {
			corner := (at/width*p.size*p.in[1] + at%width*p.size) * channels
			out, from := y.Data[i*one+at*channels:][:channels], p.from[i*one+at*channels:][:channels]
			p.maxima(out, from, image, corner)
		}
	})
	return y
}

// maxima sets out, and where it comes from, for the square of an image that begins at corner.
func (p *MaxPool[T]) maxima(out []T, from []int32, image []T, corner int) {
	channels := len(out)
	copy(out, image[corner:])
	for c := range from {
		from[c] = int32(corner + c)
	}
	for k := 1; k < p.size*p.size; k++ {
		at := corner + (k/p.size*p.in[1]+k%p.size)*channels
		for c, v := range image[at : at+channels] {
			if v > out[c] {
				out[c], from[c] = v, int32(at+c)
			}
		}
	}
}

func (p *MaxPool[T]) Backward(dy *Tensor[T], inputs bool) *Tensor[T] {
	if !inputs {
		return nil
	}
	dx := p.dx.resize(dy.Shape[0], p.in...)
	each(dy.Shape[0], func(i, _ int) {
		image, d := dx.Part(i, i+1).Data, dy.Part(i, i+1).Data
		clear(image)
		for j, at := range p.from[i*len(d):][:len(d)] {
			image[at] = d[j]
		}
	})
	return dx
}

func (p *MaxPool[T]) Params() []*Param[T] { return nil }

func (p *MaxPool[T]) Plan(in []int) ([]int, freeze.Cost) {
	return pooled("maximum pooling", in, p.size), freeze.Cost{}
}

// pooled returns the sizes of maps after pooling.
func pooled(layer string, in []int, size int) []int {
	height, width, channels := mapsOf(layer, in)
	if size < 1 || height%size != 0 || width%size != 0 {
		panic(fmt.Sprintf("nn: %s of %d × %d does not divide maps of %d × %d", layer, size, size, height, width))
	}
	return []int{height / size, width / size, channels}
}
