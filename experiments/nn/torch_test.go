package nn_test

import (
	"math"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// python returns a Python that has PyTorch.
func python(t *testing.T) string {
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import sys, importlib.util as u; sys.exit(not (u.find_spec('numpy') and u.find_spec('torch')))").Run() == nil {
			return p
		}
	}
	t.Skip("no python3 with torch: on Debian, apt-get install python3-torch")
	return ""
}

// TestTorch: ten steps of training come to what PyTorch comes to, to rounding.
func TestTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("PyTorch takes seconds to start")
	}
	python := python(t)
	for name, o := range map[string]nn.Optimiser[float64]{
		"sgd":  &nn.SGD[float64]{Rate: 0.1, Momentum: 0.9, Decay: 0.01},
		"adam": &nn.Adam[float64]{Rate: 0.01, Decay: 0.01},
	} {
		const steps, size = 10, 24
		dir := t.TempDir()
		net := small[float64](1)
		require.NoError(t, net.Save(filepath.Join(dir, "before")))
		images, numbers := nn.NewTensor[float64](steps, size, 4, 4, 2), nn.NewTensor[float64](steps, size)
		for step := range steps {
			x, labels := batch[float64](seeded(uint64(1000+step)), size) // as learn's
			copy(images.Part(step, step+1).Data, x.Data)
			for i, label := range labels {
				numbers.Data[step*size+i] = float64(label)
			}
		}
		require.NoError(t, nn.SaveAll(filepath.Join(dir, "batches"), []string{"images", "labels"}, []*nn.Tensor[float64]{images, numbers}))
		out, err := exec.Command(python, filepath.Join("testdata", "small.py"), dir, name).CombinedOutput()
		require.NoError(t, err, string(out))
		learn(net, o, 0, steps)

		theirs := small[float64](2)
		require.NoError(t, theirs.Load(filepath.Join(dir, "after")))
		for i, p := range net.Params() {
			if p.Name == "conv_b" || p.Name == "conv_mean" {
				continue // a bias before batch normalisation: its gradient is rounding, which Adam scales to 1
			}
			off := 0.0
			for j, v := range p.Value.Data {
				off = max(off, math.Abs(v-theirs.Params()[i].Value.Data[j]))
			}
			// Values are of size 1, sums of up to 400 products, in ten steps one after another.
			assert.Less(t, off, 400*steps*0x1p-52, "%s: %s", name, p.Name)
		}
	}
}
