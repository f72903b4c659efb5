package main

import (
	"bytes"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDemoSave: the directory holds what the networks give, and labels that go with it.
func TestDemoSave(t *testing.T) {
	t.Chdir(t.TempDir())
	status, stdout, stderr := call(t, "demo", "--save", "d")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "next: svcca matrix d/a --against d/b\n")
	assert.Equal(t, []string{"d"}, listing(t, "."))
	assert.Equal(t, []string{"a", "b", "conv_a.safetensors", "conv_b.safetensors", "inputs.npy", "labels.npy", "provenance.json", "test.npy", "train.npy", "training", "weights"}, listing(t, "d"))
	assert.Len(t, listing(t, "d/training"), 8)
	check := func(name string, l digits.Layer) {
		f, err := activation.Open(name)
		require.NoError(t, err)
		defer f.Close()
		assert.Equal(t, l.Shape, f.Shape(), name)
		n, d := f.Dims()
		m := lapack.New[float64](n, d)
		require.NoError(t, f.Read(m, 0, 0))
		assert.Equal(t, l.Values, m.Data, name)
	}
	images := digits.Inputs()
	for _, l := range digits.Dense("b", images) {
		check("d/b/"+l.Name+".npy", l)
	}
	for _, l := range digits.Convolutional("conv_b", images.View(0, 0, demoMaps, digits.Pixels)) {
		check("d/conv_b.safetensors:"+l.Name, l)
	}
	for step, layers := range digits.Training(images.View(0, 0, demoSteps, digits.Pixels)) {
		if step == 1000 {
			for _, l := range layers {
				check("d/training/step01000.npz:"+l.Name, l)
			}
		}
	}
	labels, err := activation.OpenIndices("d/labels.npy")
	require.NoError(t, err)
	assert.Equal(t, digits.Labels(), labels)
	train, err := activation.OpenIndices("d/train.npy")
	require.NoError(t, err)
	test, err := activation.OpenIndices("d/test.npy")
	require.NoError(t, err)
	assert.Len(t, append(train, test...), len(labels))

	status, _, stderr = call(t, "demo", "--save", "d")
	assert.Equal(t, exitFailed, status)
	assert.Equal(t, "svcca: d exists: give another name\n", stderr)
	status, _, stderr = call(t, "demo", "--save", "")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "--save: the name of a new directory")
	status, stdout, stderr = call(t, "demo", "--save", "of mine")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "next: svcca matrix 'of mine/a' --against 'of mine/b'\n")
	status, _, stderr = call(t, "demo", "--save", "none/d")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "there is no directory none to write it to")
}

// TestDemoSaveInterrupted: wherever the work is cut off nothing is left.
func TestDemoSaveInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, look := range []int64{0, 1, 5, 20} {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(look)
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitInterrupted, run(ctx, []string{"demo", "--save", "d"}, &stdout, &stderr))
		assert.Empty(t, stdout.String())
		assert.Empty(t, listing(t, "."))
	}
}
