package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/study/studytest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run runs the command into a new directory and returns what it says and its numbers.
func run(t *testing.T, args ...string) (stdout string, n *numbers, dir string) {
	t.Helper()
	return studytest.Run[numbers](t, "classes", work, args...)
}

// TestQuick: what layers have in common with a logit rises with depth, and does not where
// the logits are other datapoints'.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two networks: not with -short")
	}
	rise := []string{"convnet rises", "resnet rises"}
	weights := t.TempDir()
	stdout, n, _ := run(t, "--nets", weights)
	for _, name := range rise {
		assert.NotContains(t, n.Claims.Failed(), name, stdout)
	}
	stdout, n, _ = run(t, "--nets", weights, "--shuffle")
	assert.Subset(t, n.Claims.Failed(), rise, stdout)
}

// TestSmall: figures and numbers are there, of networks that hardly train.
func TestSmall(t *testing.T) {
	stdout, n, dir := run(t, "--steps", "20", "--width", "2", "--record", "60")
	assert.Contains(t, stdout, "resnet after 20 steps: right on ")
	assert.Contains(t, stdout, dir+": curves and result.json\n")
	for _, name := range []string{"convnet-classes", "resnet-classes"} {
		assert.FileExists(t, filepath.Join(dir, name+".svg"))
		assert.FileExists(t, filepath.Join(dir, name+".png"))
	}
	for _, of := range n.Networks {
		last := len(of.Layers) - 1
		assert.Equal(t, "logits", of.Layers[last])
		assert.Equal(t, 1.0, of.Depth[last])
		require.Len(t, of.Similarity, len(n.Classes))
		for _, curve := range of.Similarity {
			assert.Len(t, curve, last+1)
		}
		assert.Len(t, of.Chance, last+1)
	}
}

// TestClaims: each fails as soon as what it asks for is not there.
func TestClaims(t *testing.T) {
	like := func(name string, curves ...[]float64) *network {
		return &network{Network: name, Depth: []float64{0, 0.5, 1}, Similarity: curves}
	}
	good := func(name string) *network {
		return like(name, []float64{0.1, 0.2, 1}, []float64{0.2, 0.3, 1}, []float64{0.3, 0.4, 0.99}, []float64{0.4, 0.5, 1}, []float64{0.5, 0.6, 1})
	}
	failed := func(convnet, resnet *network) []string { return claimed([]*network{convnet, resnet}).Failed() }
	assert.Empty(t, failed(good("convnet"), good("resnet")))
	low := good("resnet")
	low.Similarity[3][2] = 0.9
	assert.Equal(t, []string{"resnet rises"}, failed(good("convnet"), low))
	falling := good("convnet")
	for _, c := range falling.Similarity {
		c[0], c[1] = c[1], c[0]
	}
	assert.Equal(t, []string{"convnet rises"}, failed(falling, good("resnet")), "τ of 1/3")
	other := good("resnet")
	other.Similarity[0], other.Similarity[4] = other.Similarity[4], other.Similarity[0]
	assert.Equal(t, []string{"classes differ"}, failed(good("convnet"), other))
}

// TestNothing: an interrupt, or a directory that is there, leaves nothing behind.
func TestNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, program.Interrupted, program.Run(ctx, "classes", work, []string{"-o", filepath.Join(dir, "out")}, &out, &errs))
	assert.Contains(t, errs.String(), "classes: interrupted: convnet")
	errs.Reset()
	assert.Equal(t, program.Failed, program.Run(context.Background(), "classes", work, []string{"-o", dir}, &out, &errs))
	assert.Contains(t, errs.String(), dir+" exists: a new directory is expected")
	assert.Empty(t, out.String())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, program.Done, program.Run(context.Background(), "classes", work, []string{"--help"}, &out, &errs))
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.LessOrEqual(t, len(lines), 24)
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}
