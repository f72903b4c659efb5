package siblings

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// after is done once it has been asked so many times whether it is.
type after struct {
	context.Context
	asked, times int
	cancel       context.CancelFunc
}

func (a *after) Err() error {
	if a.asked++; a.asked > a.times {
		a.cancel()
	}
	return a.Context.Err()
}

func small(keep string) *Settings {
	return &Settings{Networks: 2, Width: 2, Steps: 6, Batch: 16, Rate: 0.05, Seed: 3, keep: keep}
}

func train(t *testing.T, ctx context.Context, s *Settings) ([]*nn.Network[float32], error) {
	require.NoError(t, s.Check())
	images, _, err := s.Open()
	require.NoError(t, err)
	return s.Train(ctx, images, io.Discard)
}

func values(net *nn.Network[float32]) (all [][]float32) {
	for _, p := range net.Params() {
		all = append(all, p.Value.Data)
	}
	return all
}

// TestTrain: kept or not, interrupted or not, networks are the same; and A is not B.
func TestTrain(t *testing.T) {
	want, err := train(t, context.Background(), small(""))
	require.NoError(t, err)
	assert.NotEqual(t, values(want[0]), values(want[1]))

	dir := filepath.Join(t.TempDir(), "nets")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = train(t, &after{Context: ctx, times: 9, cancel: cancel}, small(dir))
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "network B after step ")

	for range 2 { // the second time nothing is left to do
		got, err := train(t, context.Background(), small(dir))
		require.NoError(t, err)
		for i := range want {
			assert.Equal(t, values(want[i]), values(got[i]))
		}
	}

	other := small(dir)
	other.Steps++
	_, err = train(t, context.Background(), other)
	assert.ErrorContains(t, err, "is of networks with other settings")
	_, err = train(t, context.Background(), small(filepath.Dir(dir)))
	assert.ErrorContains(t, err, "holds other files")
}

func TestCheck(t *testing.T) {
	for says, change := range map[string]func(*Settings){
		"--width -1: 1 or more": func(s *Settings) { s.Width = -1 },
		"--steps -1: 1 or more": func(s *Settings) { s.Steps = -1 },
		"--batch 0: 1 or more":  func(s *Settings) { s.Batch = 0 },
		"--networks 1: 2 to 26": func(s *Settings) { s.Networks = 1 },
		"--networks 27: 2 to":   func(s *Settings) { s.Networks = 27 },
		"--rate 0: a number":    func(s *Settings) { s.Rate = 0 },
	} {
		s := small("")
		change(s)
		assert.ErrorContains(t, s.Check(), says)
	}
}
