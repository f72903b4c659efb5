package main

import (
	"math"

	"github.com/gosvcca/gosvcca/experiments/nn"
)

// functions are what the networks learn, over −1 … 1. The paper does not name its four.
var functions = []struct {
	name string
	of   func(x float64) float64
}{
	{"sin 2πx", func(x float64) float64 { return math.Sin(2 * math.Pi * x) }},
	{"x²", func(x float64) float64 { return x * x }},
	{"2|x| − 1", func(x float64) float64 { return 2*math.Abs(x) - 1 }},
	{"tanh 6x", func(x float64) float64 { return math.Tanh(6 * x) }},
}

// points returns x on a grid of so many points, datapoints × 1, and the functions there,
// datapoints × 4.
func points(n int) (x, targets *nn.Tensor[float32]) {
	x, targets = nn.NewTensor[float32](n, 1), nn.NewTensor[float32](n, len(functions))
	for i := range n {
		v := 2*float64(i)/float64(n-1) - 1
		x.Data[i] = float32(v)
		for j, f := range functions {
			targets.Data[i*len(functions)+j] = float32(f.of(v))
		}
	}
	return x, targets
}
