package training_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run returns a run of steps on the digits.
func run(net *nn.Network[float32], sgd *nn.SGD[float32], steps int) *training.Run[float32] {
	images, _ := data.Digits()
	r := &training.Run[float32]{Net: net, Optimiser: sgd, Images: images, Seed: 1, Batch: 64, Steps: steps, Shift: 1}
	r.Each = func(float64) error {
		sgd.Rate = training.Cosine(0.05, r.Done, steps)
		return nil
	}
	return r
}

func rng() *rand.Rand { return rand.New(rand.NewPCG(1, 0)) }

// TestDigits: networks learn to read digits that they have not seen.
func TestDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	_, test := data.Digits()
	for name, net := range map[string]*nn.Network[float32]{
		"digits":  nets.Digits[float32](rng()),
		"convnet": nets.Convnet[float32](rng(), test.Shape(), 8, 10),
		"resnet":  nets.ResNet[float32](rng(), test.Shape(), 8, 1, 10),
		"mlp":     nets.MLP[float32](rng(), test.Shape(), "logits", 128, 64, 10),
	} {
		r := run(net, &nn.SGD[float32]{Momentum: 0.9}, 200)
		r.Shift = 0 // in 8 × 8 pixels much for so few steps
		require.NoError(t, r.Train(context.Background()))
		accuracy := training.Accuracy(net, test, len(test.Labels))
		t.Logf("%s: %.1f%%", name, 100*accuracy)
		assert.Greater(t, accuracy, 0.9, name)
	}
}

// TestGoesOn: a run that was stopped and taken up from a checkpoint ends as if it was not.
func TestGoesOn(t *testing.T) {
	const steps, stop = 50, 23 // in the third epoch and the second
	whole := run(nets.Digits[float32](rng()), &nn.SGD[float32]{Momentum: 0.9}, steps)
	require.NoError(t, whole.Train(context.Background()))

	stopped := errors.New("stopped")
	first := run(nets.Digits[float32](rng()), &nn.SGD[float32]{Momentum: 0.9}, steps)
	each := first.Each
	first.Each = func(loss float64) error {
		if first.Done == stop {
			return stopped
		}
		return each(loss)
	}
	require.ErrorIs(t, first.Train(context.Background()), stopped)
	dir := filepath.Join(t.TempDir(), "step23")
	require.NoError(t, first.Net.Save(dir))
	second := run(nets.Digits[float32](rng()), &nn.SGD[float32]{Momentum: 0.9}, steps)
	require.NoError(t, second.Net.Load(dir))
	second.Done = stop
	require.NoError(t, second.Train(context.Background()))
	for i, p := range whole.Net.Params() {
		assert.Equal(t, p.Value.Data, second.Net.Params()[i].Value.Data, p.Name)
	}
}

// TestEach is called before each step and after the last, and ctx ends a run between two.
func TestEach(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := run(nets.Digits[float32](rng()), &nn.SGD[float32]{Rate: 0.1}, 3)
	var done []int
	var losses []float64
	r.Each = func(loss float64) error {
		done, losses = append(done, r.Done), append(losses, loss)
		return nil
	}
	require.NoError(t, r.Train(ctx))
	assert.Equal(t, []int{0, 1, 2, 3}, done)
	assert.True(t, math.IsNaN(losses[0]))
	assert.Greater(t, losses[1], 1.0)
	r.Steps = 9
	r.Each = func(float64) error {
		if r.Done == 5 {
			cancel()
		}
		return nil
	}
	assert.ErrorIs(t, r.Train(ctx), context.Canceled)
	assert.Equal(t, 5, r.Done)
}

func TestCosine(t *testing.T) {
	assert.Equal(t, 0.2, training.Cosine(0.2, 0, 8))
	assert.InDelta(t, 0.1, training.Cosine(0.2, 4, 8), 1e-16)
	assert.InDelta(t, 0, training.Cosine(0.2, 8, 8), 1e-16)
}

func TestAstray(t *testing.T) {
	r := run(nets.Digits[float32](rng()), &nn.SGD[float32]{Rate: 1e30}, 9)
	r.Each = func(float64) error { return nil }
	assert.ErrorContains(t, r.Train(context.Background()), "a lower rate may help")
}
