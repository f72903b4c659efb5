package digits_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// right returns which share of images has its largest logit at its label.
func right(logits digits.Layer, images []int) float64 {
	count := 0
	for _, i := range images {
		row := logits.Values[i*10 : (i+1)*10]
		if slices.Index(row, slices.Max(row)) == digits.Labels()[i] {
			count++
		}
	}
	return float64(count) / float64(len(images))
}

// TestAccuracy: networks are as right as those that trained them saw.
func TestAccuracy(t *testing.T) {
	x := digits.Inputs()
	train, test := digits.Train(), digits.Test()
	assert.Len(t, train, 1257)
	assert.Len(t, test, 540)
	last := func(layers []digits.Layer) digits.Layer { return layers[len(layers)-1] }
	check := func(what string, logits digits.Layer, onTrain, onTest float64) {
		assert.InDelta(t, onTrain, right(logits, train), 5e-5, what)
		assert.InDelta(t, onTest, right(logits, test), 5e-5, what)
	}
	check("a", last(digits.Dense("a", x)), 1, 0.9667)
	check("b", last(digits.Dense("b", x)), 0.9992, 0.9630)
	check("conv_a", last(digits.Convolutional("conv_a", x)), 1, 0.9759)
	check("conv_b", last(digits.Convolutional("conv_b", x)), 0.9976, 0.9741)
	expected := map[int][2]float64{0: {0.0979, 0.1056}, 30: {0.7518, 0.7148}, 150: {0.9873, 0.9611}, 1000: {1, 0.9815}}
	seen := 0
	for step, layers := range digits.Training(x) {
		if e, ok := expected[step]; ok {
			seen++
			check("training", last(layers), e[0], e[1])
		}
	}
	assert.Len(t, expected, seen)
}

// near returns the largest difference of a layer from a file with its first images.
func near(t *testing.T, l digits.Layer, f *activation.File) float64 {
	n, d := f.Dims()
	require.Equal(t, f.Shape()[1:], l.Shape[1:], l.Name)
	stored := lapack.New[float64](n, d)
	require.NoError(t, f.Read(stored, 0, 0))
	largest := 0.0
	for i, v := range stored.Data {
		largest = max(largest, math.Abs(v-l.Values[i]))
	}
	return largest
}

// TestStored: what is computed here is what PyTorch computed in float32.
func TestStored(t *testing.T) {
	const float32Noise = 2e-5 // of sums of up to 128 products of size 1 to 10
	x := digits.Inputs()
	for _, network := range []string{"a", "b"} {
		for _, l := range digits.Dense(network, x) {
			if f, err := digits.Open(network + "/" + l.Name); err == nil {
				assert.Less(t, near(t, l, f), float32Noise, network+"/"+l.Name)
			}
		}
	}
	folder := reference.Folder(t)
	open := func(name string) *activation.File {
		f, err := activation.Open(filepath.Join(folder, name+".npy"))
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	for _, l := range digits.Dense("a", x) {
		assert.Less(t, near(t, l, open("digits/a/"+l.Name)), float32Noise, l.Name)
	}
	for step, layers := range digits.Training(x) {
		for _, l := range layers {
			name := fmt.Sprintf("dynamics/step%05d/%s", step, l.Name)
			assert.Less(t, near(t, l, open(name)), float32Noise, name)
		}
	}
}
