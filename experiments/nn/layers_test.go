package nn_test

import (
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConv against the definition, position by position.
func TestConv(t *testing.T) {
	rng := seeded(1)
	for _, c := range []struct{ size, stride, height, width int }{{3, 1, 5, 4}, {3, 2, 5, 4}, {5, 3, 7, 2}, {1, 2, 4, 5}} {
		const n, in, out = 3, 2, 4
		x, l := random(rng, n, c.height, c.width, in), nn.NewConv[float64](rng, c.size, c.stride, in, out)
		w, b := l.Params()[0].Value, l.Params()[1].Value
		copy(b.Data, random(rng, out).Data)
		y := l.Forward(x, false)
		down, across := int(math.Ceil(float64(c.height)/float64(c.stride))), int(math.Ceil(float64(c.width)/float64(c.stride)))
		require.Equal(t, []int{n, down, across, out}, y.Shape)
		for at, v := range y.Data {
			o, j, i, image := at%out, at/out%across, at/out/across%down, at/out/across/down
			sum := b.Data[o]
			for k := range c.size * c.size * in {
				row, column := i*c.stride+k/in/c.size-c.size/2, j*c.stride+k/in%c.size-c.size/2
				if row >= 0 && row < c.height && column >= 0 && column < c.width {
					sum += w.Data[k*out+o] * x.Data[((image*c.height+row)*c.width+column)*in+k%in]
				}
			}
			require.InDelta(t, sum, v, 1e-13)
		}
	}
}

// TestPools against the definition.
func TestPools(t *testing.T) {
	const n, height, width, channels, size = 2, 4, 6, 3, 2
	x := random(seeded(1), n, height, width, channels)
	most, mean := nn.NewMaxPool[float64](size).Forward(x, false), nn.NewAveragePool[float64](size).Forward(x, false)
	require.Equal(t, []int{n, height / size, width / size, channels}, most.Shape)
	require.Equal(t, most.Shape, mean.Shape)
	for at := range most.Data {
		c, j, i, image := at%channels, at/channels%(width/size), at/channels/(width/size)%(height/size), at/channels/(width/size)/(height/size)
		largest, sum := math.Inf(-1), 0.0
		for k := range size * size {
			v := x.Data[((image*height+i*size+k/size)*width+j*size+k%size)*channels+c]
			largest, sum = max(largest, v), sum+v
		}
		assert.Equal(t, largest, most.Data[at])
		assert.InDelta(t, sum/size/size, mean.Data[at], 1e-15)
	}
}

// TestBatchNorm: in training outputs have the mean and deviation that it has learnt; running
// means go to those of all batches, by which it judges later.
func TestBatchNorm(t *testing.T) {
	const n, size = 64, 3
	b := nn.NewBatchNorm[float64](size)
	for c := range size {
		b.Params()[0].Value.Data[c], b.Params()[1].Value.Data[c] = float64(c+1), float64(-c)
	}
	rng := seeded(1)
	draw := func(n int) *tensor {
		x := random(rng, n, size)
		for i := range x.Data {
			x.Data[i] = x.Data[i]*float64(i%size+2) + 100
		}
		return x
	}
	y := b.Forward(draw(n), true)
	for c := range size {
		var sum, squares float64
		for i := range n {
			sum += y.Data[i*size+c]
		}
		assert.InDelta(t, -c, sum/n, 1e-12)
		for i := range n {
			d := y.Data[i*size+c] - sum/n
			squares += d * d
		}
		assert.InDelta(t, float64(c+1), math.Sqrt(squares/n), 1e-5, "but for ε")
	}
	for range 500 {
		b.Forward(draw(n), true)
	}
	y = b.Forward(draw(20000), false)
	for c := range size {
		var sum float64
		for i := range 20000 {
			sum += y.Data[i*size+c]
		}
		// A running mean has the variance of a batch's × 0.1/1.9; five deviations of it.
		assert.InDelta(t, -c, sum/20000, 5*float64(c+1)*math.Sqrt(0.1/1.9/n+1./20000))
	}
}

// TestLosses by hand.
func TestLosses(t *testing.T) {
	y := &tensor{Shape: []int{2, 2}, Data: []float64{0, math.Log(3), 1000, 0}}
	loss, dy := nn.CrossEntropy[float64]([]int{1, 0})(y)
	assert.InDelta(t, math.Log(4./3)/2, loss, 1e-15)
	assert.InDeltaSlice(t, []float64{0.125, -0.125, 0, 0}, dy.Data, 1e-15)
	loss, dy = nn.SquaredError(&tensor{Shape: []int{2, 2}, Data: []float64{0, math.Log(3), 998, 1}})(y)
	assert.InDelta(t, (4+1)/4., loss, 1e-15)
	assert.InDeltaSlice(t, []float64{0, 0, 1, -0.5}, dy.Data, 1e-15)
	assert.Equal(t, 1, nn.Right(y, []int{1, 1}))
}
