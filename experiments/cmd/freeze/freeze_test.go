package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/experiments/study/studytest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run runs the command into a new directory and returns what it says and its numbers.
func run(t *testing.T, args ...string) (stdout string, n *numbers, dir string) {
	t.Helper()
	return studytest.Run[numbers](t, "freeze", work, args...)
}

// TestQuick: blocks converge, so that much is saved and, in the residual network, little
// lost; where what they are compared with does not correspond, nothing seems to converge.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("trains dozens of networks: not with -short")
	}
	stdout, n, _ := run(t, "--seeds", "3")
	for _, name := range []string{"convnet linear saves", "convnet similarity saves", "resnet linear saves", "resnet similarity saves", "resnet similarity accuracy"} {
		assert.NotContains(t, n.Claims.Failed(), name, stdout)
	}
	stdout, n, _ = run(t, "--seeds", "2", "--steps", "60", "--shuffle")
	assert.Subset(t, n.Claims.Failed(), []string{"convnet similarity saves", "resnet similarity saves"}, stdout)
}

// TestSmall: what is counted while a network trains is what its schedule says.
func TestSmall(t *testing.T) {
	kept := t.TempDir()
	args := []string{"--steps", "24", "--width", "2", "--record", "20", "--seeds", "2", "--threshold", "0.9", "--nets", kept}
	stdout, n, dir := run(t, args...)
	assert.Contains(t, stdout, "resnet, 2 seeds, right on 540 test images; saved of the baseline\n")
	for _, name := range []string{"convnet-accuracy", "resnet-accuracy"} {
		assert.FileExists(t, filepath.Join(dir, name+".svg"))
		assert.FileExists(t, filepath.Join(dir, name+".png"))
	}
	s, err := study.Parse("freeze", "", quick, []string{"-o", "unused", "--width", "2", "--steps", "24"}, nil, nil)
	require.NoError(t, err)
	frozen := 0
	for _, of := range n.Networks {
		costs := s.New(of.Network, 1).Costs(s.Batch)
		for _, m := range of.Methods {
			require.Len(t, m.Runs, 2)
			for _, run := range m.Runs {
				assert.Len(t, run.Accuracy, len(of.Steps))
				work, err := run.Schedule.Work(costs)
				require.NoError(t, err)
				want := work.Frozen.Forward + work.Frozen.Backward + work.Frozen.Update
				assert.InEpsilon(t, want, run.MultiplyAdds, 1e-12, "%s, %s", of.Network, m.Method)
				if m.Method == similarity && run.Schedule.Frozen(s.Steps) > 0 {
					frozen++
				}
			}
		}
		assert.Equal(t, baseline, of.Methods[0].Method)
		assert.Less(t, of.Methods[1].Runs[0].Updates, of.Methods[0].Runs[0].Updates)
	}
	assert.Positive(t, frozen, "by similarity")

	again, _, other := run(t, args...)
	assert.Equal(t, stdout, strings.ReplaceAll(again, other, dir), "nothing is trained again: seconds are the same")
}

// TestClaims: each fails as soon as what it asks for is not there.
func TestClaims(t *testing.T) {
	like := func(work, accuracy float64) *method {
		return &method{Method: "linear", Runs: []*outcome{
			{MultiplyAdds: work, Accuracy: []float64{0, accuracy}}, {MultiplyAdds: work, Accuracy: []float64{0, accuracy + 0.001}},
		}}
	}
	failed := func(m *method) []string {
		return (&network{Network: "convnet", Methods: []*method{like(100, 0.9), m}}).claims().Failed()
	}
	assert.Empty(t, failed(like(94, 0.891)))
	assert.Equal(t, []string{"convnet linear saves"}, failed(like(96, 0.95)))
	assert.Equal(t, []string{"convnet linear accuracy"}, failed(like(50, 0.889)))
}

func TestMisuse(t *testing.T) {
	for says, args := range map[string][]string{
		"--seeds 1: 2 or more are expected":     {"-o", "a", "--seeds", "1"},
		"--threshold 2: a number above 0":       {"-o", "a", "--threshold", "2"},
		"--threshold NaN: a number above 0, at": {"-o", "a", "--threshold", "NaN"},
	} {
		var out, errs bytes.Buffer
		assert.Equal(t, program.Misused, program.Run(context.Background(), "freeze", work, args, &out, &errs))
		assert.Contains(t, errs.String(), says)
	}
}

// TestNothing: an interrupt, or a directory that is there, leaves nothing behind.
func TestNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, program.Interrupted, program.Run(ctx, "freeze", work, []string{"-o", filepath.Join(dir, "out")}, &out, &errs))
	assert.Contains(t, errs.String(), "freeze: interrupted: convnet")
	errs.Reset()
	assert.Equal(t, program.Failed, program.Run(context.Background(), "freeze", work, []string{"-o", dir}, &out, &errs))
	assert.Contains(t, errs.String(), dir+" exists: a new directory is expected")
	assert.Empty(t, out.String())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, program.Done, program.Run(context.Background(), "freeze", work, []string{"--help"}, &out, &errs))
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.LessOrEqual(t, len(lines), 24)
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}
