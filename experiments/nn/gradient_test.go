package nn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
)

type (
	tensor = nn.Tensor[float64]
	layer  = nn.Layer[float64]
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func random(rng *rand.Rand, shape ...int) *tensor {
	t := nn.NewTensor[float64](shape...)
	for i := range t.Data {
		t.Data[i] = rng.NormFloat64()
	}
	return t
}

// differences returns the gradient of f with respect to values, by central differences of
// width h: right to O(h²) of the third derivative and to ulp/h of f.
func differences(values []float64, f func() float64) []float64 {
	const h = 1e-5
	g := make([]float64, len(values))
	for i, v := range values {
		values[i] = v + h
		above := f()
		values[i] = v - h
		g[i] = (above - f()) / (2 * h)
		values[i] = v
	}
	return g
}

// near asserts that a gradient is that of differences, to a relative 1e-6 in norm and to
// what differences resolve: ulp/h of losses below 50. A bias before batch normalisation has
// the gradient 0, and differences are rounding.
func near(t *testing.T, want, got []float64, what string) {
	t.Helper()
	var norm, off float64
	for i, w := range want {
		norm, off = norm+w*w, off+(w-got[i])*(w-got[i])
	}
	const resolution = 1e-9
	assert.Less(t, math.Sqrt(off), 1e-6*math.Sqrt(norm)+resolution, what)
}

// checkGradients holds all gradients of a layer for x against differences of Σ r·y, where r
// is random.
func checkGradients(t *testing.T, l layer, x *tensor) {
	t.Helper()
	l.Plan(x.Shape[1:])
	r := random(seeded(99), l.Forward(x, true).Shape...)
	loss := func() (sum float64) {
		for i, v := range l.Forward(x, true).Data {
			sum += r.Data[i] * v
		}
		return sum
	}
	loss()
	dx := l.Backward(r, true).Clone()
	var grads []*tensor
	for _, p := range l.Params() {
		if p.Grad != nil {
			grads = append(grads, p.Grad.Clone())
		}
	}
	near(t, differences(x.Data, loss), dx.Data, "inputs")
	at := 0
	for _, p := range l.Params() {
		if p.Grad == nil {
			continue
		}
		near(t, differences(p.Value.Data, loss), grads[at].Data, p.Name)
		loss()
		assert.Nil(t, l.Backward(r, false), "a gradient that nobody asked for")
		assert.Equal(t, grads[at].Data, p.Grad.Data, "%s without that of inputs", p.Name)
		at++
	}
	for _, p := range l.Params() {
		p.Frozen = true
		if p.Grad != nil {
			p.Grad.Data[0] = math.NaN()
		}
	}
	loss()
	frozen := l.Backward(r, true)
	for _, p := range l.Params() {
		if p.Grad != nil {
			assert.True(t, math.IsNaN(p.Grad.Data[0]), "%s is frozen and has a gradient", p.Name)
		}
	}
	near(t, differences(x.Data, loss), frozen.Data, "inputs of the frozen layer")
}

func TestDenseGradients(t *testing.T) {
	rng := seeded(1)
	checkGradients(t, nn.NewDense[float64](rng, 12, 5), random(rng, 7, 12))
	checkGradients(t, nn.NewDense[float64](rng, 12, 5), random(rng, 3, 2, 2, 3))
	checkGradients(t, nn.NewDense[float64](rng, 1, 130), random(rng, 2, 1)) // in parts
}

func TestConvGradients(t *testing.T) {
	rng := seeded(2)
	for _, c := range []struct{ size, stride, n, height, width, in, out int }{
		{3, 1, 2, 5, 4, 2, 3},
		{3, 2, 3, 5, 4, 2, 2},
		{1, 1, 2, 3, 3, 3, 2},
		{1, 2, 2, 3, 4, 3, 2},
		{5, 1, 2, 3, 2, 1, 2}, // windows that reach over both edges
		{3, 3, 1, 7, 6, 1, 2},
		{3, 1, 19, 2, 2, 1, 2}, // more datapoints than parts
	} {
		checkGradients(t, nn.NewConv[float64](rng, c.size, c.stride, c.in, c.out), random(rng, c.n, c.height, c.width, c.in))
	}
}

func TestBatchNormGradients(t *testing.T) {
	rng := seeded(3)
	for _, x := range []*tensor{random(rng, 9, 4), random(rng, 3, 2, 3, 4)} {
		for i := range x.Data {
			x.Data[i] = 3*x.Data[i] + 2
		}
		b := nn.NewBatchNorm[float64](4)
		for _, p := range b.Params() {
			for i := range p.Value.Data {
				p.Value.Data[i] = 0.5 + rng.Float64()
			}
		}
		checkGradients(t, b, x)
	}
}

func TestReLUGradients(t *testing.T) {
	checkGradients(t, nn.NewReLU[float64](), random(seeded(4), 3, 2, 2, 5))
}

func TestPoolGradients(t *testing.T) {
	rng := seeded(5)
	checkGradients(t, nn.NewMaxPool[float64](2), random(rng, 2, 4, 6, 3))
	checkGradients(t, nn.NewMaxPool[float64](3), random(rng, 2, 3, 6, 1))
	checkGradients(t, nn.NewAveragePool[float64](2), random(rng, 2, 4, 6, 3))
	checkGradients(t, nn.NewAveragePool[float64](4), random(rng, 2, 4, 4, 3))
}

func residual(rng *rand.Rand, stride, in, out int) *nn.Residual[float64] {
	var shortcut *nn.Block[float64]
	if stride != 1 || in != out {
		shortcut = nn.Named("shortcut", nn.NewConv[float64](rng, 1, stride, in, out))
	}
	return nn.NewResidual(shortcut,
		nn.Named("conv1", nn.NewConv[float64](rng, 3, stride, in, out), nn.NewBatchNorm[float64](out), nn.NewReLU[float64]()),
		nn.Named("conv2", nn.NewConv[float64](rng, 3, 1, out, out)),
	)
}

func TestResidualGradients(t *testing.T) {
	rng := seeded(6)
	checkGradients(t, residual(rng, 1, 2, 2), random(rng, 3, 4, 4, 2))
	checkGradients(t, residual(rng, 2, 2, 3), random(rng, 3, 4, 4, 2))
}

func TestLossGradients(t *testing.T) {
	rng := seeded(7)
	y := random(rng, 5, 4)
	for what, loss := range map[string]nn.Loss[float64]{
		"cross-entropy": nn.CrossEntropy[float64]([]int{3, 0, 0, 2, 1}),
		"squared error": nn.SquaredError(random(rng, 5, 4)),
	} {
		_, dy := loss(y)
		near(t, differences(y.Data, func() float64 { l, _ := loss(y); return l }), dy.Data, what)
	}
}

// TestNetworkGradients: of a whole network with every layer there is.
func TestNetworkGradients(t *testing.T) {
	rng := seeded(8)
	net := nn.New([]int{4, 4, 2},
		nn.Named("conv", nn.NewConv[float64](rng, 3, 1, 2, 3), nn.NewBatchNorm[float64](3), nn.NewReLU[float64]()),
		nn.Named("pool", nn.NewMaxPool[float64](2)),
		nn.Named("block", residual(rng, 1, 3, 3), nn.NewReLU[float64]()),
		nn.Named("mean", nn.NewAveragePool[float64](2)),
		nn.Named("fc", nn.NewDense[float64](rng, 3, 6), nn.NewReLU[float64]()),
		nn.Named("logits", nn.NewDense[float64](rng, 6, 4)),
	)
	x, loss := random(rng, 6, 4, 4, 2), nn.CrossEntropy[float64]([]int{0, 1, 2, 3, 1, 0})
	_, dy := loss(net.Forward(x, true))
	net.Backward(dy)
	for _, p := range net.Params() {
		if p.Grad == nil {
			continue
		}
		got := p.Grad.Clone()
		near(t, differences(p.Value.Data, func() float64 { l, _ := loss(net.Forward(x, true)); return l }), got.Data, p.Name)
	}
}
