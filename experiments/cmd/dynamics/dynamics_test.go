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
	return studytest.Run[numbers](t, "dynamics", work, args...)
}

// seen are the claims that hold on digits; that of the convnet's top does not.
var seen = []string{"convnet bottom-up", "resnet bottom-up", "resnet top", "convnet batch normalisation", "resnet stripes"}

// TestQuick: what the paper sees is there, and is not where datapoints do not correspond.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four networks: not with -short")
	}
	stdout, n, _ := run(t)
	for _, name := range seen {
		assert.NotContains(t, n.Claims.Failed(), name, stdout)
	}
	for _, of := range n.Networks {
		assert.Greater(t, of.Accuracy, 0.9)
	}
	stdout, n, _ = run(t, "--shuffle")
	assert.Subset(t, n.Claims.Failed(), seen, stdout)
}

// TestSmall: figures and numbers are there, of networks that hardly train.
func TestSmall(t *testing.T) {
	stdout, n, dir := run(t, "--steps", "20", "--width", "2", "--record", "40")
	assert.Contains(t, stdout, "convnet after 20 steps: right on ")
	assert.Contains(t, stdout, "  paper     ")
	assert.Contains(t, stdout, dir+": panes, curves and result.json\n")
	for _, name := range []string{"convnet-panes", "convnet-curves", "resnet-panes", "resnet-curves"} {
		for _, suffix := range []string{".svg", ".png"} {
			assert.FileExists(t, filepath.Join(dir, name+suffix))
		}
	}
	for _, of := range n.Networks {
		last := len(of.Steps) - 1
		assert.Equal(t, 20, of.Steps[last])
		for l := range of.Layers {
			assert.InDelta(t, 1, of.Panes[last][l][l], 1e-6, "with itself")
			for s := range of.Steps {
				assert.Equal(t, of.Panes[s][l][l], *of.Curves[l][s])
			}
		}
	}
	assert.Equal(t, []string{"bn1", "bn2", "bn3", "bn4"}, []string{n.Networks[0].Norms[0].Layer, n.Networks[0].Norms[1].Layer, n.Networks[0].Norms[2].Layer, n.Networks[0].Norms[3].Layer})
	assert.Equal(t, "conv5", n.Networks[0].Norms[1].Before)
}

// TestClaims: each fails as soon as what it asks for is not there.
func TestClaims(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	like := func(name string) *network {
		return &network{
			Network: name, Layers: []string{"conv", "logits"}, BottomUp: at(0.8), Deviation: at(0.3), Overtakes: at(0.6),
			Norms: []norm{{"bn1", "conv1", 0.85}, {"bn2", "conv2", 0.97}},
		}
	}
	failed := func(change func(convnet, resnet *network)) []string {
		convnet, resnet := like("convnet"), like("resnet")
		resnet.Stripes = 0.02
		change(convnet, resnet)
		return claimed(convnet, resnet).Failed()
	}
	assert.Empty(t, failed(func(_, _ *network) {}))
	assert.Equal(t, []string{"convnet bottom-up", "resnet bottom-up"}, failed(func(c, r *network) { c.BottomUp, r.BottomUp = at(0.5), nil }))
	assert.Equal(t, []string{"resnet top"}, failed(func(_, r *network) { r.Overtakes = at(0.5) }))
	assert.Equal(t, []string{"convnet batch normalisation"}, failed(func(c, _ *network) { c.Norms[0].Similarity = 0.8 }))
	assert.Equal(t, []string{"resnet stripes"}, failed(func(_, r *network) { r.Stripes = 0.004 }))
	assert.Equal(t, []string{"resnet stripes"}, failed(func(c, _ *network) { c.Stripes = 0.03 }))
}

// TestNothing: an interrupt, or a directory that is there, leaves nothing behind.
func TestNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, program.Interrupted, program.Run(ctx, "dynamics", work, []string{"-o", filepath.Join(dir, "out")}, &out, &errs))
	assert.Contains(t, errs.String(), "dynamics: interrupted: convnet")
	errs.Reset()
	assert.Equal(t, program.Failed, program.Run(context.Background(), "dynamics", work, []string{"-o", dir}, &out, &errs))
	assert.Contains(t, errs.String(), dir+" exists: a new directory is expected")
	assert.Empty(t, out.String())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, program.Done, program.Run(context.Background(), "dynamics", work, []string{"--help"}, &out, &errs))
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.LessOrEqual(t, len(lines), 24)
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}
