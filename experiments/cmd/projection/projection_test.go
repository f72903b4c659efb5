package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run returns what the command says, and its exit status.
func run(ctx context.Context, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = program.Run(ctx, "projection", projection, args, &out, &errs)
	return out.String(), errs.String(), status
}

// sizes of the command, smaller in short tests.
func sizes() []string {
	if testing.Short() {
		return []string{"--width", "10", "--steps", "150", "--draws", "2", "--networks", "2"}
	}
	return nil
}

// TestProjection: the claims hold, and none does where one network's rows are shuffled.
func TestProjection(t *testing.T) {
	dir := t.TempDir()
	for _, broken := range []bool{false, true} {
		out := filepath.Join(dir, "out")
		args := append(sizes(), "--nets", filepath.Join(dir, "nets"), "-o", out)
		if broken {
			require.NoError(t, os.RemoveAll(out))
			args = append(args, "--shuffle")
		}
		stdout, stderr, status := run(context.Background(), args...)
		require.Equal(t, program.Done, status, stderr)
		assert.Empty(t, stderr)
		t.Log(stdout)

		text, err := os.ReadFile(filepath.Join(out, "result.json"))
		require.NoError(t, err)
		var r result
		require.NoError(t, json.Unmarshal(text, &r))
		require.Len(t, r.Claims, 3)
		if broken {
			assert.Len(t, r.Claims.Failed(), 3, stdout)
		} else {
			assert.Empty(t, r.Claims.Failed(), stdout)
		}
		require.Len(t, r.Layers, 3)
		for _, l := range r.Layers {
			// All neurons kept are the whole network, whatever the order they came in.
			assert.InDelta(t, r.Whole, l.Random[len(l.Random)-1], 1e-9)
			assert.InDelta(t, r.Whole, l.Active[len(l.Active)-1], 1e-9)
			assert.FileExists(t, filepath.Join(out, l.Layer+"-directions.svg"))
			assert.FileExists(t, filepath.Join(out, l.Layer+"-neurons.png"))
		}
	}
}

func TestGrid(t *testing.T) {
	assert.Equal(t, []int{1}, grid(1))
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20}, grid(20))
}

func TestEnough(t *testing.T) {
	l := &curves{K: []int{1, 2, 4, 8}}
	assert.Equal(t, 4, l.enough([]float64{0.985, 0.9, 0.99, 0.98}, 0.985), "2 falls back")
	assert.Equal(t, 1, l.enough([]float64{0.9}, 0.9), "where directions end")
	assert.Equal(t, 0, l.enough([]float64{0.9, 0.9}, 0.95))
	assert.Equal(t, 0.99, l.at([]float64{0.985, 0.9, 0.99, 0.98}, 7))
	assert.Equal(t, 0.25, l.upTo([]float64{0.5, 0, 1, 1}, 3))
}

// TestTogether: curves that end before others end their mean.
func TestTogether(t *testing.T) {
	a := &curves{K: []int{1, 2}, M: 2, Mean: 1, Directions: []float64{1, 1}, Random: []float64{0, 1}, Active: []float64{1, 1}, Onto: [][]float64{{1, 1}}}
	b := &curves{K: []int{1, 2}, M: 1, Mean: 0, Saturated: true, Directions: []float64{0}, Random: []float64{1, 0}, Active: []float64{0, 1}, Onto: [][]float64{{0}}}
	want := &curves{K: []int{1, 2}, M: 1, Mean: 0.5, Saturated: true, Directions: []float64{0.5}, Random: []float64{0.5, 0.5}, Active: []float64{0.5, 1}, Onto: [][]float64{{0.5}}}
	assert.Equal(t, want, together([]*curves{a, b}))
	assert.Equal(t, want, together([]*curves{b, a}))
}

func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"-o DIR is needed":                   {},
		"--record 1: 2 or more is expected":  {"-o", dir, "--record", "1"},
		"--draws 0: 1 or more is expected":   {"-o", dir, "--draws", "0"},
		"--width -1: 1 or more is expected":  {"-o", dir, "--width", "-1"},
		`invalid argument "many" for "--kee`: {"-o", dir, "--keep", "many"},
	} {
		_, stderr, status := run(context.Background(), args...)
		assert.Equal(t, program.Misused, status, says)
		assert.Contains(t, stderr, says)
	}
}

func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, status := run(ctx, "-o", filepath.Join(dir, "out"))
	assert.Equal(t, program.Interrupted, status)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
