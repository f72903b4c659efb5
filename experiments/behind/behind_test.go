package behind

import (
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProjected: with all neurons kept the outputs are the network's own; with none, all
// datapoints have the one of the means. Blocks of Apply are put one behind the other.
func TestProjected(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	net := nets.MLP[float32](rng, []int{3}, "out", 5, 4, 2)
	x := nn.NewTensor[float32](300, 3)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	all, err := net.Activations(x, "fc2", "out")
	require.NoError(t, err)

	mean := []float64{1, 2, 3, 4}
	same, err := Projected(net, "fc2", all[0], &compress.Projection{Mean: mean})
	require.NoError(t, err)
	assert.Equal(t, all[1].Data, same.Data)

	none, err := Projected(net, "fc2", all[0], &compress.Projection{Mean: mean, Neurons: []int{}})
	require.NoError(t, err)
	want, err := net.Behind("fc2", &nn.Tensor[float32]{Shape: []int{1, 4}, Data: []float32{1, 2, 3, 4}})
	require.NoError(t, err)
	for i := range none.Shape[0] {
		assert.InDeltaSlice(t, want.Data, none.Part(i, i+1).Data, 1e-6)
	}

	_, err = Projected(net, "fc2", all[0], &compress.Projection{Mean: mean[:3], Neurons: []int{0}})
	assert.Error(t, err)
	_, err = Projected(net, "fc9", all[0], &compress.Projection{Mean: mean})
	assert.ErrorContains(t, err, `no block is called "fc9"`)
}
