package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
)

// saveConvRun saves a run of which the last step is network a of the reference set, to which
// noise is added before: a quarter with each step, and with each layer below.
func saveConvRun(t *testing.T, from string, steps []int, layers []string) {
	t.Helper()
	for l, layer := range layers {
		f, err := activation.Open(filepath.Join(from, "conv/a", layer+".npy"))
		require.NoError(t, err)
		n, d := f.Dims()
		end := lapack.New[float64](n, d)
		require.NoError(t, f.Read(end, 0, 0))
		shape := f.Shape()
		require.NoError(t, f.Close())
		size := floats.Norm(end.Data, 2) / math.Sqrt(float64(len(end.Data)))
		for s, step := range steps {
			noise, share := rand.New(rand.NewPCG(uint64(step), uint64(l))), 0.0
			if left := len(steps) - 1 - s; left > 0 {
				share = size * math.Pow(4, float64(l-s-1))
			}
			values := make([]float64, len(end.Data))
			for i, v := range end.Data {
				values[i] = v + share*noise.NormFloat64()
			}
			dir := fmt.Sprintf("run/step%d", step)
			require.NoError(t, os.MkdirAll(dir, 0o700))
			save(t, filepath.Join(dir, layer+".npy"), lapack.Of(n, d, values), shape...)
		}
	}
}

// TestDynamicsOfMaps: a run of convolutional layers, of three sizes and a vector, from files
// to every number and picture: as conv.Between and svcca.Between have them.
func TestDynamicsOfMaps(t *testing.T) {
	if testing.Short() {
		t.Skip("conv.Between of each pair, seconds")
	}
	steps, layers := []int{0, 100, 1000}, []string{"conv1", "conv2", "pool", "conv3", "logits"}
	from, err := filepath.Abs(reference.Folder(t))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	saveConvRun(t, from, steps, layers)
	args := []string{"run", "--conv", "dft", "--layers", strings.Join(layers, ",")}
	d := dynamicsOf(t, append(args, "--panes", "panes.svg", "-o", "curves.svg")...)
	assert.Equal(t, steps, d.Steps)
	assert.Equal(t, layers, d.Layers)
	open := func(step int, layer string) conv.Maps {
		f, err := activation.Open(fmt.Sprintf("run/step%d/%s.npy", step, layer))
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		m, err := measure.Layers(conv.NHWC, f)
		require.NoError(t, err)
		return m[0]
	}
	ctx := context.Background()
	check := func(x, y conv.Maps, got *measure.Pair, what string) {
		t.Helper()
		var want *svcca.Comparison
		if x.IsVector() && y.IsVector() {
			c, err := svcca.Between(x.Flatten(), y.Flatten(), svcca.Options{})
			require.NoError(t, err)
			want = c
		} else {
			r, err := conv.Between(ctx, x, y, conv.Options{OffBlock: -1})
			require.NoError(t, err)
			want = &r.Comparison
		}
		bound := want.ErrorBound + got.ErrorBound + 1e-14
		assert.InDelta(t, want.Mean, *got.Mean, bound, what)
		assert.InDelta(t, want.MeanSquare, got.MeanSquare, bound, what)
		assert.InDelta(t, want.Weighted, got.Weighted, want.WeightedErrorBound+got.WeightedErrorBound+1e-14, what)
		assert.InDelta(t, want.PWCCAX, *got.PWCCAX, want.PWCCAErrorBound+*got.PWCCAErrorBound+1e-14, what)
		assert.InDelta(t, want.Chance, got.Chance, 1e-14, what)
		assert.Equal(t, [2]int{want.X.K, want.Y.K}, [2]int{got.KX, got.KY}, what)
	}
	for s, step := range steps {
		for l := range layers {
			for m := range layers {
				check(open(step, layers[l]), open(1000, layers[m]), d.Panes[s][l][m], fmt.Sprint(step, layers[l], layers[m]))
			}
			assert.Equal(t, d.Panes[s][l][l].Mean, d.Curves[l][s])
		}
	}
	require.Len(t, d.Adjacent, len(layers)-1)
	for l, pair := range d.Adjacent {
		check(open(1000, layers[l]), open(1000, layers[l+1]), pair, layers[l])
	}
	// Mixed so, lower layers are sooner what they will be.
	require.NotNil(t, d.BottomUp)
	assert.Positive(t, *d.BottomUp)
	last := make([][]float64, len(layers))
	for l, row := range d.Panes[len(steps)-1] {
		for _, p := range row {
			last[l] = append(last[l], *p.Mean)
		}
	}
	stripes, err := measure.Stripes(last)
	require.NoError(t, err)
	assert.Equal(t, stripes, *d.Stripes)
	for _, name := range []string{"panes.svg", "curves.svg"} {
		drawn, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Contains(t, string(drawn), "conv2")
	}

	status, stdout, stderr := call(t, append([]string{"dynamics", "--panes", "panes.svg", "--force"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, stdout)
	for _, says := range []string{"over 160 images in all translations (dft)", "with the layer before", "Stripes of the last pane", "Kendall's τ", "overtakes"} {
		assert.Contains(t, strings.Join(strings.Fields(stdout), " "), says)
	}
	assert.Contains(t, stderr, `conv1.npy": 160 images of 8 × 8, 8 channels (nhwc)`)

	// The other ways take the same run, and the low pass says no less than dft where sizes
	// are equal.
	low := dynamicsOf(t, "run", "--conv", "lowpass", "--layers", strings.Join(layers, ","))
	assert.Equal(t, d.Curves, low.Curves)
	flat := dynamicsOf(t, "run", "--conv", "flatten", "--layers", strings.Join(layers, ","))
	x, y := open(100, "conv3"), open(1000, "conv3")
	want, err := svcca.Between(x.Flatten(), y.Flatten(), svcca.Options{})
	require.NoError(t, err)
	assert.InDelta(t, want.Mean, *flat.Curves[3][1], want.ErrorBound+flat.Panes[1][3][3].ErrorBound+1e-14)
	pixels := dynamicsOf(t, "run", "--conv", "pixels", "--layers", "conv1,conv2")
	x, y = open(100, "conv2"), open(1000, "conv2")
	want, err = svcca.Between(x.Pixels(), y.Pixels(), svcca.Options{})
	require.NoError(t, err)
	assert.InDelta(t, want.Mean, *pixels.Curves[1][1], want.ErrorBound+pixels.Panes[1][1][1].ErrorBound+1e-14)
}

// TestDynamicsObserves: what Raghu et al. see beside convergence is printed of the
// reference run: batch norm is nearly the layer before it, and which of them overtakes.
func TestDynamicsObserves(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join(reference.Folder(t), "dynamics"))
	require.NoError(t, err)
	layers := []string{"lin1", "bn1", "lin2", "bn2", "lin3", "bn3", "logits"}
	t.Chdir(t.TempDir())
	status, stdout, stderr := call(t, "dynamics", dir, "--layers", strings.Join(layers, ","), "--score", "weighted", "--panes", "p.svg")
	require.Equal(t, exitDone, status, stderr)
	d := dynamicsOf(t, dir, "--layers", strings.Join(layers, ","), "--score", "weighted", "--panes", "p.svg", "--force")
	lines := map[string][]string{}
	for _, line := range strings.Split(stdout, "\n") {
		if f := strings.Fields(line); len(f) == 4 || len(f) == 3 {
			lines[f[0]] = f // the last: of the summary
		}
	}
	least, most := 1.0, 0.0 // of batch norm with the layer before it, and of others
	for l := 1; l < len(layers); l++ {
		of := d.Adjacent[l-1].Weighted
		assert.Equal(t, scoreText(of, d.Adjacent[l-1].WeightedErrorBound), lines[layers[l]][3], layers[l])
		if strings.HasPrefix(layers[l], "bn") {
			least = min(least, of)
		} else {
			most = max(most, of)
		}
		assert.Equal(t, percent(*d.Overtakes[l]), lines[layers[l]][2])
	}
	assert.Greater(t, least, most)
	assert.Contains(t, stdout, "Stripes of the last pane: "+scoreText(*d.Stripes, 0))
}
