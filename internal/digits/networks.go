package digits

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/gosvcca/gosvcca/lapack"
)

// Layer is what a layer of a network makes of images, or what a network has learnt, in
// float64 from parameters of float32.
type Layer struct {
	Name   string
	Shape  []int // images first; of maps then height, width, channels
	Values []float64
}

// Parameters returns the weights (inputs × outputs) and biases of network a or b, fc1_w,
// fc1_b, fc2_w, …, logits_b.
func Parameters(network string) (all []Layer) {
	p := read(network)
	widths := []int{Pixels, 128, 128, 64, 10}
	for l, name := range []string{"fc1", "fc2", "fc3", "logits"} {
		in, out := widths[l], widths[l+1]
		all = append(all, Layer{name + "_w", []int{in, out}, p.take(in * out)}, Layer{name + "_b", []int{out}, p.take(out)})
	}
	return all
}

// Dense returns the layers of network a or b, after ReLU, on rows of Inputs.
func Dense(network string, inputs lapack.Matrix[float64]) (layers []Layer) {
	p := Parameters(network)
	x := inputs
	for l := 0; l < len(p); l += 2 {
		x = dense(x, p[l].Values, p[l+1].Values)
		if l+2 < len(p) {
			x = rectified(x)
		}
		layers = append(layers, matrix(strings.TrimSuffix(p[l].Name, "_w"), x))
	}
	return layers
}

// Convolutional returns the layers of conv_a or conv_b, after ReLU: conv1 (8 × 8 × 8),
// conv2 (8 × 8 × 16), pool (4 × 4 × 16), conv3 (4 × 4 × 16), fc (32), logits (10).
// Convolutions are of 3 × 3, with zeros around.
func Convolutional(network string, inputs lapack.Matrix[float64]) []Layer {
	p := read(network)
	conv1 := convolve(inputs, 8, 1, 8, p)
	conv2 := convolve(conv1, 8, 8, 16, p)
	pool := pooled(conv2, 8, 16)
	conv3 := convolve(pool, 4, 16, 16, p)
	fc := rectified(dense(channelsFirst(conv3, 16), p.take(256*32), p.take(32)))
	logits := dense(fc, p.take(32*10), p.take(10))
	maps := func(name string, m lapack.Matrix[float64], size, channels int) Layer {
		return Layer{name, []int{m.Rows, size, size, channels}, m.Data}
	}
	return []Layer{
		maps("conv1", conv1, 8, 8), maps("conv2", conv2, 8, 16), maps("pool", pool, 4, 16), maps("conv3", conv3, 4, 16),
		matrix("fc", fc), matrix("logits", logits),
	}
}

// steps are those of training at which a network was recorded.
var steps = []int{0, 10, 30, 80, 150, 300, 600, 1000}

// Training returns, for steps of its training, the layers of a network (64-32-24-16-10)
// with batch normalisation: lin1, bn1 (before ReLU), lin2, …, logits.
func Training(inputs lapack.Matrix[float64]) iter.Seq2[int, []Layer] {
	return func(yield func(int, []Layer) bool) {
		p := read("training")
		for _, step := range steps {
			if !yield(step, normalised(inputs, p)) {
				return
			}
		}
	}
}

func normalised(x lapack.Matrix[float64], p *parameters) (layers []Layer) {
	widths := []int{Pixels, 32, 24, 16}
	for l := 1; l < len(widths); l++ {
		in, out := widths[l-1], widths[l]
		x = dense(x, p.take(in*out), p.take(out))
		layers = append(layers, matrix(fmt.Sprint("lin", l), x))
		x = normalise(x, p)
		layers = append(layers, matrix(fmt.Sprint("bn", l), x))
		x = rectified(x)
	}
	return append(layers, matrix("logits", dense(x, p.take(widths[3]*10), p.take(10))))
}

func matrix(name string, m lapack.Matrix[float64]) Layer {
	return Layer{name, []int{m.Rows, m.Cols}, m.Data}
}

// parameters are those of a network that are not taken yet.
type parameters struct{ rest []byte }

func read(name string) *parameters { return &parameters{data(name + ".f32")} }

func (p *parameters) take(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(p.rest[4*i:])))
	}
	p.rest = p.rest[4*n:]
	return values
}
