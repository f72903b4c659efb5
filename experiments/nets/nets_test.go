package nets_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rng() *rand.Rand { return rand.New(rand.NewPCG(1, 0)) }

// size returns the numbers of parameters that are learnt and of multiply-adds for a datapoint.
func size(net *nn.Network[float32]) (parameters, forward float64) {
	for _, c := range net.Costs(1) {
		parameters, forward = parameters+c.Update, forward+c.Forward
	}
	return parameters, forward
}

// TestSizes counts by hand.
func TestSizes(t *testing.T) {
	parameters, forward := size(nets.MLP[float32](rng(), []int{1}, "out", 200, 200, 200, 200, 4))
	assert.EqualValues(t, 200+200+3*(200*200+200)+200*4+4, parameters)
	assert.EqualValues(t, 200+3*200*200+200*4, forward)

	parameters, forward = size(nets.Digits[float32](rng()))
	assert.EqualValues(t, (9*8+8)+(9*8*16+16)+(9*16*16+16)+(256*32+32)+(32*10+10), parameters)
	assert.EqualValues(t, 64*9*8+64*9*8*16+16*9*16*16+256*32+32*10, forward)

	const norm = 2 // multiply-adds of a value
	parameters, forward = size(nets.Convnet[float32](rng(), []int{32, 32, 3}, 32, 10))
	assert.EqualValues(t, (27*32+32)+(9*32*32+32)+2*32+(9*32*64+64)+2*(9*64*64+64)+2*64+(4096*256+256)+2*256+(256*128+128)+2*128+(128*10+10), parameters)
	assert.EqualValues(t, 1024*(27*32+9*32*32+norm*32)+256*(9*32*64+2*9*64*64+norm*64)+4096*256+norm*256+256*128+norm*128+128*10, forward)

	// ResNet-20 of He et al., Table 6: 0.27 million, with shortcuts of 1 × 1 and biases a little more.
	parameters, _ = size(nets.ResNet[float32](rng(), []int{32, 32, 3}, 16, 3, 10))
	assert.InDelta(t, 0.275e6, parameters, 0.005e6)
}

func TestNames(t *testing.T) {
	assert.Equal(t, []string{"fc1", "fc2", "out"}, nets.MLP[float32](rng(), []int{3}, "out", 5, 4, 2).Names())
	net := nets.Convnet[float32](rng(), []int{8, 8, 1}, 2, 10)
	assert.Equal(t, []string{"conv1", "conv2", "bn1", "pool1", "conv3", "conv4", "conv5", "bn2", "pool2", "fc1", "bn3", "fc2", "bn4", "logits"}, net.Names())
	resnet := nets.ResNet[float32](rng(), []int{8, 8, 1}, 2, 1, 10)
	assert.Equal(t, []string{"conv", "block1", "block2", "block3", "mean", "logits"}, resnet.Blocks())
	assert.Equal(t, []string{"conv", "block1", "block1.conv1", "block1.conv2", "block2", "block2.conv1", "block2.conv2", "block2.shortcut",
		"block3", "block3.conv1", "block3.conv2", "block3.shortcut", "mean", "logits"}, resnet.Names())
	all, err := resnet.Activations(nn.NewTensor[float32](2, 8, 8, 1))
	require.NoError(t, err)
	for i, shape := range [][]int{{2, 8, 8, 2}, {2, 8, 8, 2}, {2, 8, 8, 2}, {2, 8, 8, 2}, {2, 4, 4, 4}, {2, 4, 4, 4}, {2, 4, 4, 4}, {2, 4, 4, 4},
		{2, 2, 2, 8}, {2, 2, 2, 8}, {2, 2, 2, 8}, {2, 2, 2, 8}, {2, 1, 1, 8}, {2, 10}} {
		assert.Equal(t, shape, all[i].Shape, resnet.Names()[i])
	}
}
