package nn_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small returns a network with every kind of layer, for maps of 4 × 4 × 2.
func small[T lapack.Real](seed uint64) *nn.Network[T] {
	rng := seeded(seed)
	return nn.New([]int{4, 4, 2},
		nn.Named("conv", nn.NewConv[T](rng, 3, 1, 2, 3), nn.NewBatchNorm[T](3), nn.NewReLU[T]()),
		nn.Named("pool", nn.NewMaxPool[T](2)),
		nn.Named("block", nn.NewResidual(
			nn.Named("shortcut", nn.NewConv[T](rng, 1, 1, 3, 4)),
			nn.Named("conv1", nn.NewConv[T](rng, 3, 1, 3, 4), nn.NewReLU[T]()),
			nn.Named("conv2", nn.NewConv[T](rng, 3, 1, 4, 4)),
		), nn.NewReLU[T]()),
		nn.Named("mean", nn.NewAveragePool[T](2)),
		nn.Named("logits", nn.NewDense[T](rng, 4, 3)),
	)
}

// batch returns a batch of images that differ by their labels.
func batch[T lapack.Real](rng *rand.Rand, n int) (*nn.Tensor[T], []int) {
	x, labels := nn.NewTensor[T](n, 4, 4, 2), make([]int, n)
	for i := range labels {
		labels[i] = rng.IntN(3)
		for j := range x.Part(i, i+1).Data {
			x.Part(i, i+1).Data[j] = T(rng.NormFloat64() + float64(2*labels[i]*(j%2)))
		}
	}
	return x, labels
}

// learn trains for steps from … to−1, each with a batch of its own.
func learn[T lapack.Real](net *nn.Network[T], o nn.Optimiser[T], from, to int) (loss float64) {
	for step := from; step < to; step++ {
		x, labels := batch[T](seeded(uint64(1000+step)), 24)
		loss = net.Learn(x, nn.CrossEntropy[T](labels), o)
	}
	return loss
}

func values[T lapack.Real](net *nn.Network[T]) (all []T) {
	for _, p := range net.Params() {
		all = append(all, p.Value.Data...)
	}
	return all
}

func TestLearns(t *testing.T) {
	for _, o := range []nn.Optimiser[float32]{&nn.SGD[float32]{Rate: 0.1, Momentum: 0.9}, &nn.Adam[float32]{Rate: 0.01}} {
		net := small[float32](1)
		assert.Greater(t, learn(net, o, 0, 1), math.Log(3)/2)
		assert.Less(t, learn(net, o, 1, 150), 0.2)
		x, labels := batch[float32](seeded(5), 200)
		assert.Greater(t, nn.Right(net.Outputs(x), labels), 180, "of 200")
	}
}

// TestDeterministic: by seed, whatever the number of processors.
func TestDeterministic(t *testing.T) {
	once := func(processors int, seed uint64) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		net := small[float32](seed)
		learn(net, &nn.SGD[float32]{Rate: 0.1, Momentum: 0.9, Decay: 1e-3}, 0, 10)
		return values(net)
	}
	one := once(1, 3)
	assert.Equal(t, one, once(1, 3))
	assert.Equal(t, one, once(5, 3))
	assert.NotEqual(t, one, once(1, 4))
}

// TestOptimisers against their recurrences, written out for one weight with gradient w.
func TestOptimisers(t *testing.T) {
	param := func() []*nn.Param[float64] {
		return []*nn.Param[float64]{{Value: nn.NewTensor[float64](1, 1), Grad: nn.NewTensor[float64](1, 1)}}
	}
	run := func(o nn.Optimiser[float64], steps int) float64 {
		p := param()
		p[0].Value.Data[0] = 1
		for range steps {
			p[0].Grad.Data[0] = p[0].Value.Data[0]
			o.Update(p)
		}
		return p[0].Value.Data[0]
	}
	const steps = 9
	w, v := 1.0, 0.0
	for range steps {
		v = 0.8*v + w + 0.3*w
		w -= 0.05 * v
	}
	assert.InDelta(t, w, run(&nn.SGD[float64]{Rate: 0.05, Momentum: 0.8, Decay: 0.3}, steps), 1e-15)
	w, v = 1, 0
	m := 0.0
	for step := 1; step <= steps; step++ {
		m, v = 0.9*m+0.1*w, 0.999*v+0.001*w*w
		w -= 0.05 * m / (1 - math.Pow(0.9, float64(step))) / (math.Sqrt(v/(1-math.Pow(0.999, float64(step)))) + 1e-8)
	}
	assert.InDelta(t, w, run(&nn.Adam[float64]{Rate: 0.05}, steps), 1e-13)

	bias := []*nn.Param[float64]{{Value: nn.NewTensor[float64](1), Grad: nn.NewTensor[float64](1)}}
	bias[0].Value.Data[0] = 1
	(&nn.SGD[float64]{Rate: 0.05, Decay: 0.3}).Update(bias)
	assert.Equal(t, 1.0, bias[0].Value.Data[0], "biases do not decay")
}

// TestWork: what is counted while a network trains by a schedule is what the schedule says.
func TestWork(t *testing.T) {
	net := small[float32](1)
	const steps, size = 10, 24
	blocks := net.Blocks()
	assert.Equal(t, []string{"conv", "pool", "block", "mean", "logits"}, blocks)
	s, err := freeze.Linear(steps, blocks[:1], blocks[1:2], blocks[2:3], blocks[3:4], blocks[4:])
	require.NoError(t, err)
	expected, err := s.Work(net.Costs(size))
	require.NoError(t, err)

	sgd := &nn.SGD[float32]{Rate: 0.1}
	learn(net, sgd, 0, steps)
	assert.Equal(t, expected.Full, net.Work().MultiplyAdds)

	frozen := small[float32](1)
	for step := 1; step <= steps; step++ {
		require.NoError(t, frozen.Freeze(blocks[:s.Frozen(step)]...))
		learn(frozen, sgd, step-1, step)
	}
	assert.Equal(t, expected.Frozen, frozen.Work().MultiplyAdds)
	assert.Less(t, frozen.Work().MultiplyAdds.Backward, net.Work().MultiplyAdds.Backward)
}

// TestFrozen: nothing of a frozen layer changes, not its means either, and nor does what it
// makes of a datapoint.
func TestFrozen(t *testing.T) {
	net := small[float32](1)
	sgd := &nn.SGD[float32]{Rate: 0.1, Momentum: 0.9}
	learn(net, sgd, 0, 5)
	x, _ := batch[float32](seeded(5), 7)
	before, err := net.Activations(x, "conv", "block.conv1", "logits")
	require.NoError(t, err)
	require.NoError(t, net.Freeze("conv", "block.conv1"))
	learn(net, sgd, 5, 10)
	after, err := net.Activations(x, "conv", "block.conv1", "logits")
	require.NoError(t, err)
	assert.Equal(t, before[:2], after[:2])
	assert.NotEqual(t, before[2], after[2])
	require.NoError(t, net.Freeze())
	learn(net, sgd, 10, 12)
	thawed, err := net.Activations(x, "conv")
	require.NoError(t, err)
	assert.NotEqual(t, before[0], thawed[0])
	assert.EqualError(t, net.Freeze("conv9"), `nn: no block is called "conv9": there are conv, pool, block, block.conv1, block.conv2, block.shortcut, mean, logits`)
}

func TestActivations(t *testing.T) {
	net := small[float32](1)
	learn(net, &nn.SGD[float32]{Rate: 0.1}, 0, 3)
	x, _ := batch[float32](seeded(5), 300) // several batches
	all, err := net.Activations(x)
	require.NoError(t, err)
	require.Len(t, all, len(net.Names()))
	for i, shape := range [][]int{{300, 4, 4, 3}, {300, 2, 2, 3}, {300, 2, 2, 4}, {300, 2, 2, 4}, {300, 2, 2, 4}, {300, 2, 2, 4}, {300, 1, 1, 4}, {300, 3}} {
		assert.Equal(t, shape, all[i].Shape, net.Names()[i])
	}
	// No datapoint depends on others.
	one, err := net.Activations(x.Part(200, 201))
	require.NoError(t, err)
	for i := range all {
		assert.InDeltaSlice(t, all[i].Part(200, 201).Data, one[i].Data, 1e-5, net.Names()[i])
	}
	// A residual block is the sum of its branches, after ReLU.
	for i, v := range all[2].Data {
		require.Equal(t, max(0, all[4].Data[i]+all[5].Data[i]), v)
	}
	images, height, width, channels := all[0].Maps("conv").Dims()
	assert.Equal(t, []int{300, 4, 4, 3}, []int{images, height, width, channels})
	assert.True(t, all[7].Maps("logits").IsVector())
	n, d := all[0].Layer("conv").Dims()
	assert.Equal(t, []int{300, 48}, []int{n, d})
	_, err = net.Activations(x, "convolution")
	assert.ErrorContains(t, err, `no block is called "convolution"`)
}

// TestBehind: what comes of a block's own activations is what comes of the network, and what
// comes of others follows its parameters.
func TestBehind(t *testing.T) {
	net := small[float64](1)
	x, _ := batch[float64](seeded(5), 300)
	all, err := net.Activations(x, net.Blocks()...)
	require.NoError(t, err)
	for i, name := range net.Blocks() {
		y, err := net.Behind(name, all[i])
		require.NoError(t, err)
		assert.Equal(t, all[4], y, name)
	}
	y, err := net.Behind("mean", nn.NewTensor[float64](2, 1, 1, 4))
	require.NoError(t, err)
	b, err := net.Param("logits_b")
	require.NoError(t, err)
	assert.Equal(t, append(slices.Clone(b.Value.Data), b.Value.Data...), y.Data)
	_, err = net.Through("mean", all[0], "block")
	assert.EqualError(t, err, `nn: block "block" does not come behind "mean"`)
	_, err = net.Through("block", all[0], "fc9")
	assert.ErrorContains(t, err, `no block is called "fc9"`)
	_, err = net.Behind("block.conv1", all[0])
	assert.EqualError(t, err, `nn: no block is called "block.conv1": there are conv, pool, block, mean, logits`)
	_, err = net.Param("fc_w")
	assert.ErrorContains(t, err, `no parameter is called "fc_w": there are conv_w, conv_b, conv_scale,`)
}

// TestCheckpoint: training goes on from a checkpoint as it would have.
func TestCheckpoint(t *testing.T) {
	for name, optimiser := range map[string]func(steps int) nn.Optimiser[float32]{
		"sgd":  func(int) nn.Optimiser[float32] { return &nn.SGD[float32]{Rate: 0.1, Momentum: 0.9} },
		"adam": func(steps int) nn.Optimiser[float32] { return &nn.Adam[float32]{Rate: 0.01, Steps: steps} },
	} {
		dir := filepath.Join(t.TempDir(), name)
		net, o := small[float32](1), optimiser(0)
		learn(net, o, 0, 5)
		require.NoError(t, net.Save(dir))
		learn(net, o, 5, 9)

		again := small[float32](2)
		require.NoError(t, again.Load(dir))
		learn(again, optimiser(5), 5, 9)
		assert.Equal(t, values(net), values(again), name)

		assert.ErrorContains(t, net.Save(dir), "exists: a new directory is expected")
		f, err := activation.Open(filepath.Join(dir, "conv_w.npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{3, 3, 2, 3}, f.Shape())
		assert.Equal(t, "float32", f.Storage())
		f.Close()
	}
}

// TestCheckpointFaults: what is not of the network is refused, and a checkpoint that cannot
// be written leaves nothing.
func TestCheckpointFaults(t *testing.T) {
	dir := t.TempDir()
	net := small[float32](1)
	whole := filepath.Join(dir, "step1")
	require.NoError(t, net.Save(whole))
	other := nn.New([]int{4}, nn.Named("logits", nn.NewDense[float32](seeded(1), 4, 5)))
	assert.ErrorContains(t, other.Load(whole), "logits_w.npy is of shape [4 3], the network's is [4 5]")
	assert.ErrorIs(t, net.Load(filepath.Join(dir, "step2")), os.ErrNotExist)
	assert.ErrorIs(t, net.Save(filepath.Join(dir, "none", "step2")), os.ErrNotExist)
	require.NoError(t, os.Truncate(filepath.Join(whole, "conv_w.npy"), 130))
	assert.ErrorIs(t, net.Load(whole), activation.ErrFormat)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

// TestTranslate holds every image against a move of it, value by value.
func TestTranslate(t *testing.T) {
	const n, height, width, most = 200, 3, 4, 5 // also out of sight
	x := nn.NewTensor[float64](n, height, width, 2)
	for i := range x.Data {
		x.Data[i] = float64(1 + i)
	}
	moved := x.Clone()
	nn.Translate(moved, most, seeded(1))
	rng := seeded(1)
	seen := map[[2]int]bool{}
	for i := range n {
		down, right := rng.IntN(2*most+1)-most, rng.IntN(2*most+1)-most
		seen[[2]int{down, right}] = true
		for at := range height * width * 2 {
			row, column, c := at/2/width-down, at/2%width-right, at%2
			want := 0.0
			if row >= 0 && row < height && column >= 0 && column < width {
				want = x.Part(i, i+1).Data[(row*width+column)*2+c]
			}
			require.Equal(t, want, moved.Part(i, i+1).Data[at], "image %d by %d, %d", i, down, right)
		}
	}
	assert.Greater(t, len(seen), 80, "of 121 moves")
	nn.Translate(x, 0, rng)
	assert.Equal(t, 1.0, x.Data[0])
}

// TestMisuse: networks that do not fit are found out as they are put together.
func TestMisuse(t *testing.T) {
	rng := seeded(1)
	dense := func(in, out int) nn.Layer[float64] { return nn.NewDense[float64](rng, in, out) }
	for says, blocks := range map[string][]*nn.Block[float64]{
		"a dense layer of 3 inputs is given [5]":                       {nn.Named("a", dense(4, 5)), nn.Named("b", dense(3, 2))},
		`one is called "a"`:                                            {nn.Named("a", dense(4, 4)), nn.Named("a", dense(4, 2))},
		`one is called "a.b"`:                                          {nn.Named("a.b", dense(4, 4))},
		`one is called ""`:                                             {nn.Named("", dense(4, 4))},
		"two parameters are called a_w":                                {nn.Named("a", dense(4, 4), dense(4, 4))},
		"a convolution takes maps":                                     {nn.Named("a", nn.NewConv[float64](rng, 3, 1, 1, 1))},
		"batch normalisation of 3 neurons or channels is given [4]":    {nn.Named("a", nn.NewBatchNorm[float64](3))},
		"make [3] of [4], its shortcut [4]":                            {nn.Named("a", nn.NewResidual(nil, nn.Named("b", dense(4, 3))))},
		"maximum pooling takes maps of height × width × channels, and": {nn.Named("a", nn.NewMaxPool[float64](2))},
	} {
		func() {
			defer func() { assert.Contains(t, recover(), says) }()
			nn.New([]int{4}, blocks...)
		}()
	}
	net := nn.New([]int{2, 2, 1}, nn.Named("a", nn.NewConv[float64](rng, 3, 1, 1, 1)))
	assert.PanicsWithValue(t, "nn: a network for datapoints of shape [2 2 1] is given [2 1 2]", func() {
		net.Forward(nn.NewTensor[float64](1, 2, 1, 2), false)
	})
	assert.PanicsWithValue(t, "nn: average pooling of 2 × 2 does not divide maps of 3 × 4", func() {
		nn.NewAveragePool[float64](2).Plan([]int{3, 4, 1})
	})
}
