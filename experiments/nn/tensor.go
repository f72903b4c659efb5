package nn

import (
	"fmt"

	"github.com/gosvcca/gosvcca/lapack"
)

// Tensor holds numbers in C order, the last size varying fastest. Of a batch the first size
// is that of datapoints, of maps the last that of channels.
type Tensor[T lapack.Real] struct {
	Shape []int
	Data  []T
}

// NewTensor returns a tensor of zeros.
func NewTensor[T lapack.Real](shape ...int) *Tensor[T] {
	return &Tensor[T]{Shape: shape, Data: make([]T, product(shape))}
}

// Matrix views t as a matrix of its first size, datapoints, × all others.
func (t *Tensor[T]) Matrix() lapack.Matrix[T] {
	return lapack.Of(t.Shape[0], product(t.Shape[1:]), t.Data)
}

// positions views t as a matrix of all sizes but the last × the last: of a batch of maps all
// positions × channels, of vectors datapoints × neurons.
func (t *Tensor[T]) positions() lapack.Matrix[T] {
	last := len(t.Shape) - 1
	return lapack.Of(product(t.Shape[:last]), t.Shape[last], t.Data)
}

// Part views datapoints from up to, but without, to.
func (t *Tensor[T]) Part(from, to int) *Tensor[T] {
	each := product(t.Shape[1:])
	return &Tensor[T]{Shape: append([]int{to - from}, t.Shape[1:]...), Data: t.Data[from*each : to*each : to*each]}
}

// Clone returns a copy.
func (t *Tensor[T]) Clone() *Tensor[T] {
	return &Tensor[T]{Shape: append([]int(nil), t.Shape...), Data: append([]T(nil), t.Data...)}
}

// resize gives t datapoints of a shape, in its own memory where that is enough, and returns
// it. What it holds then is left over from before.
func (t *Tensor[T]) resize(datapoints int, shape ...int) *Tensor[T] {
	t.Shape = append(append(t.Shape[:0], datapoints), shape...)
	size := product(t.Shape)
	if cap(t.Data) < size {
		t.Data = make([]T, size)
	}
	t.Data = t.Data[:size]
	return t
}

func product(sizes []int) int {
	p := 1
	for _, s := range sizes {
		p *= s
	}
	return p
}

// mapsOf returns the sizes of the maps of one datapoint.
func mapsOf(layer string, shape []int) (height, width, channels int) {
	if len(shape) != 3 {
		panic(fmt.Sprintf("nn: %s takes maps of height × width × channels, and is given %v", layer, shape))
	}
	return shape[0], shape[1], shape[2]
}
