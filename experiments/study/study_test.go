package study

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var small = Quick{Width: 2, Steps: 12, Record: 20}

func parse(args ...string) (*Study, error) {
	return Parse("study", "", small, args, new(bytes.Buffer), nil)
}

// after is done once it has been asked so many times whether it is: an interrupt between two
// steps, without a clock.
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

// TestResume: a network whose training is interrupted and taken up again has the same
// activations as one whose is not.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	at := []int{0, 5, 12}
	for _, kind := range []string{Convnet, ResNet} {
		activations := func(weights string, ctx context.Context) ([][]float32, error) {
			s, err := parse("-o", "unused", "--nets", filepath.Join(dir, weights))
			require.NoError(t, err)
			n, err := s.Train(ctx, kind, 1, at, func(int) {})
			if err != nil {
				return nil, err
			}
			var all [][]float32
			for _, step := range at {
				layers, err := n.Activations(step, n.Names...)
				require.NoError(t, err)
				for _, l := range layers {
					all = append(all, l.Data)
				}
			}
			assert.Greater(t, n.Accuracy, 0.0)
			return all, nil
		}
		want, err := activations("whole", context.Background())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		_, err = activations("parts", &after{Context: ctx, times: 7, cancel: cancel})
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorContains(t, err, kind+" after step 7 of 12, the same command goes on from there")
		got, err := activations("parts", context.Background())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	s, err := parse("-o", "unused", "--nets", filepath.Join(dir, "whole"), "--width", "3")
	require.NoError(t, err)
	_, err = s.Train(context.Background(), Convnet, 1, at, func(int) {})
	assert.ErrorContains(t, err, "trained in another way")
}

// TestTemporary: weights that nobody asked for are gone in the end, and nothing is said of
// going on from them.
func TestTemporary(t *testing.T) {
	s, err := parse("-o", "unused")
	require.NoError(t, err)
	remove, err := s.Temporary()
	require.NoError(t, err)
	assert.DirExists(t, s.Weights)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Train(ctx, Convnet, 1, nil, func(int) {})
	assert.EqualError(t, err, "convnet: context canceled")
	remove()
	assert.NoDirExists(t, s.Weights)

	mine := t.TempDir()
	s, err = parse("-o", "unused", "--nets", mine)
	require.NoError(t, err)
	remove, err = s.Temporary()
	require.NoError(t, err)
	remove()
	assert.DirExists(t, mine)
}

// TestOnce: what is done is not done again, and nothing is kept of what failed.
func TestOnce(t *testing.T) {
	s, err := parse("-o", "unused", "--nets", t.TempDir())
	require.NoError(t, err)
	calls := 0
	work := func() ([]int, error) {
		if calls++; calls == 1 {
			return nil, context.Canceled
		}
		return []int{calls}, nil
	}
	_, err = Once(s, "one", work)
	assert.ErrorIs(t, err, context.Canceled)
	for range 2 {
		of, err := Once(s, "one", work)
		require.NoError(t, err)
		assert.Equal(t, []int{2}, of)
	}
	s.Record++
	_, err = Once(s, "one", work)
	assert.ErrorContains(t, err, "trained in another way")
}

func TestEvery(t *testing.T) {
	assert.Equal(t, []int{0, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200}, Every(200, 10))
	assert.Equal(t, []int{0, 2, 4, 6, 8, 10}, Every(10, 5))
	assert.Equal(t, []int{0, 1, 2, 3}, Every(3, 10), "no step twice")
}

// TestShuffle: every datapoint is there once, whole, in the same new place of each layer.
func TestShuffle(t *testing.T) {
	s, err := parse("-o", "unused", "--shuffle")
	require.NoError(t, err)
	plain, _ := parse("-o", "unused")
	x := s.Recorded
	assert.Equal(t, x, plain.Shuffle([]*tensor{x})[0])
	both := s.Shuffle([]*tensor{x, x})
	assert.Equal(t, both[0], both[1])
	assert.NotEqual(t, x.Data, both[0].Data)
	rows := func(x *tensor) (all [][]float32) {
		for i := range x.Shape[0] {
			all = append(all, x.Part(i, i+1).Data)
		}
		return all
	}
	assert.ElementsMatch(t, rows(x), rows(both[0]))
}

func TestLayers(t *testing.T) {
	s, err := parse("-o", "unused")
	require.NoError(t, err)
	assert.Equal(t, []string{"conv", "block1.conv1", "block1", "block2.conv1", "block2", "block3.conv1", "block3",
		"block4.conv1", "block4", "block5.conv1", "block5", "block6.conv1", "block6", "mean", "logits"}, Layers(s.New(ResNet, 1)))
	net := s.New(Convnet, 1)
	assert.Equal(t, net.Blocks(), Layers(net))
}

func TestParse(t *testing.T) {
	for says, args := range map[string][]string{
		"-o DIR is needed":                   {},
		"--steps 5: 10 or more is expected":  {"-o", "a", "--steps", "5"},
		"--record 9: 20 or more is expected": {"-o", "a", "--record", "9"},
		"--width 0: 1 or more is expected":   {"-o", "a", "--width", "0"},
		"--record 999: there are 540":        {"-o", "a", "--record", "999"},
		`"more" is not a flag`:               {"-o", "a", "more"},
		"unknown flag: --own":                {"-o", "a", "--own"},
	} {
		var errs bytes.Buffer
		_, err := parse(args...)
		assert.ErrorContains(t, err, says)
		status := program.Run(context.Background(), "study", failing(err), nil, new(bytes.Buffer), &errs)
		assert.Equal(t, program.Misused, status, says)
	}
	_, err := parse("-o", "a", "--data", filepath.Join(t.TempDir(), "none"))
	assert.ErrorContains(t, err, "cs.toronto.edu")

	own := 0
	_, err = Parse("study", "", small, []string{"-o", "a", "--own", "3"}, os.Stdout, func(f *pflag.FlagSet) { f.IntVar(&own, "own", 1, "") })
	require.NoError(t, err)
	assert.Equal(t, 3, own)
}

type tensor = nn.Tensor[float32]

// failing is a command that does nothing else.
func failing(err error) program.Work {
	return func(context.Context, []string, io.Writer, io.Writer) error { return err }
}
