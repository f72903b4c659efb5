package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cosines returns m columns of n values each, orthonormal and of mean 0.
func cosines(n, m int) lapack.Matrix[float64] {
	u := lapack.New[float64](n, m)
	for i := range n {
		for k := range m {
			u.Set(i, k, math.Sqrt(2/float64(n))*math.Cos(math.Pi*float64(k+1)*(float64(i)+0.5)/float64(n)))
		}
	}
	return u
}

// layerOf returns n × d with singular values s, all of them after centring.
func layerOf(n, d int, s ...float64) lapack.Matrix[float64] {
	u, v, x := cosines(n, len(s)), cosines(d, len(s)), lapack.New[float64](n, d)
	for i := range n {
		for j := range d {
			value := float64(7 * j) // the mean, which is taken away
			for k := range s {
				value += u.At(i, k) * s[k] * v.At(j, k)
			}
			x.Set(i, j, value)
		}
	}
	return x
}

// dimsOf runs the command for JSON.
func dimsOf(t *testing.T, args ...string) (layers []dimsLayer, stderr string) {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"dims", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"), "one object, one line")
	var r struct{ Layers []dimsLayer }
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	return r.Layers, stderr
}

// TestDimsOfKnown: singular values 10, 5, 1, 0.1 have squares 100, 25, 1, 0.01, which add
// up to 126.01, and their sum is 16.1. Three equal ones count three by all measures.
func TestDimsOfKnown(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "falling.npy", layerOf(64, 7, 10, 5, 1, 0.1))
	save(t, "level.npy", layerOf(32, 5, 3, 3, 3))
	layers, stderr := dimsOf(t, "falling.npy", "level.npy")
	assert.Empty(t, stderr)
	require.Len(t, layers, 2)
	falling, level := layers[0], layers[1]
	assert.Equal(t, "falling.npy", falling.Name)
	assert.Equal(t, []int{64, 7, 4}, []int{falling.Datapoints, falling.Neurons, falling.Rank})
	assert.InDeltaSlice(t, []float64{10, 5, 1, 0.1}, falling.SingularValues[:4], 1e-12)
	kept := func(l dimsLayer) (variance, sum []int) {
		for i, k := range l.Kept {
			assert.Equal(t, []float64{0.9, 0.95, 0.99, 0.999}[i], k.Share)
			variance, sum = append(variance, k.Variance), append(sum, k.Sum)
		}
		return variance, sum
	}
	variance, sum := kept(falling)
	assert.Equal(t, []int{2, 2, 2, 3}, variance)
	assert.Equal(t, []int{2, 3, 3, 4}, sum)
	assert.InDelta(t, 126.01*126.01/10626.0001, falling.ParticipationRatio, 1e-12)
	assert.Equal(t, []int{32, 5, 3}, []int{level.Datapoints, level.Neurons, level.Rank})
	variance, sum = kept(level)
	assert.Equal(t, []int{3, 3, 3, 3}, variance)
	assert.Equal(t, []int{3, 3, 3, 3}, sum)
	assert.InDelta(t, 3, level.ParticipationRatio, 1e-12)

	status, stdout, stderr := call(t, "dims", "falling.npy", "level.npy")
	require.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	checkWidth(t, stdout)
	var rows [][]string
	for line := range strings.Lines(stdout) {
		rows = append(rows, strings.Fields(line))
	}
	assert.Contains(t, rows, strings.Fields("datapoints neurons rank 90% 95% 99% 99.9% 90% 95% 99% 99.9% PR"))
	assert.Contains(t, rows, strings.Fields("falling 64 7 4 2 2 2 3 2 3 3 4 1.5"))
	assert.Contains(t, rows, strings.Fields("level 32 5 3 3 3 3 3 3 3 3 3 3.0"))
	_, stdout, _ = call(t, "dims", "falling.npy")
	assert.Contains(t, stdout, "Directions of 1 layer, over 64 datapoints")
	assert.NotContains(t, strings.Split(stdout, "\n")[3], "datapoints", "no column for what is all the same")
}

// TestDimsFiles: every file holds the numbers of the JSON.
func TestDimsFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("a", 0o700))
	save(t, "a/falling.npy", layerOf(64, 7, 10, 5, 1, 0.1))
	save(t, "a/level.npy", layerOf(64, 5, 3, 3, 3))
	args := []string{"dims", "a", "--force", "--hashes", "-o", "d.json", "-o", "d.csv", "-o", "d.svg", "-o", "d.pdf"}
	before := map[string][]byte{}
	for range 2 {
		status, _, stderr := call(t, args...)
		require.Equal(t, exitDone, status, stderr)
		assert.Contains(t, stderr, "svcca: wrote d.json\nsvcca: wrote d.csv; d.csv.json says what made it\n")
		for _, name := range []string{"d.json", "d.csv", "d.svg", "d.pdf", "d.svg.json"} {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.True(t, before[name] == nil || bytes.Equal(before[name], data), name)
			before[name] = data
		}
	}
	table, err := csv.NewReader(bytes.NewReader(before["d.csv"])).ReadAll()
	require.NoError(t, err)
	require.Len(t, table, 3)
	assert.Equal(t, strings.Split("layer,datapoints,neurons,rank,variance_90,variance_95,variance_99,variance_99.9,sum_90,sum_95,sum_99,sum_99.9,participation_ratio,effective_rank", ","), table[0])
	assert.Equal(t, strings.Split("a/falling.npy,64,7,4,2,2,2,3,2,3,3,4", ","), table[1][:12])
	var r struct {
		madeOf
		Layers  []dimsLayer
		Skipped []leftOut
		Backend map[string]any
	}
	require.NoError(t, json.Unmarshal(before["d.json"], &r))
	assert.Equal(t, "svcca.dims/1", r.Schema)
	assert.Equal(t, append([]string{"svcca"}, args...), r.Command)
	assert.Len(t, r.Inputs, 2)
	assert.NotNil(t, r.Skipped)
	assert.NotEmpty(t, r.Backend)
	assert.Equal(t, fmt.Sprint(r.Layers[0].ParticipationRatio), table[1][12])
	assert.Subset(t, textsIn(t, "d.svg"), []string{"a", "falling, k = 2", "level, k = 3", "singular value"})
	for _, name := range []string{"d.csv", "d.svg", "d.pdf"} {
		p := noteBeside(t, name)
		assert.Equal(t, []string{"a/falling.npy", "a/level.npy"}, p.Rows)
		assert.Len(t, p.Inputs[1].SHA256, 1)
	}
}

// TestDimsSelects: what flags select is as a file of that alone, and a weight of 2 as a
// row that comes twice.
func TestDimsSelects(t *testing.T) {
	t.Chdir(t.TempDir())
	x := mixed(60, 6)
	save(t, "x.npy", x)
	save(t, "part.npy", x.View(10, 1, 40, 3).Clone())
	weights, twice := onesOf(60), lapack.New[float64](61, 6)
	weights.Set(0, 0, 2)
	for i := range 61 {
		copy(twice.Row(i), x.Row(max(0, i-1)))
	}
	save(t, "w.npy", weights)
	save(t, "twice.npy", twice)
	for _, c := range []struct{ args, as string }{
		{"--datapoints 10:50 --neurons 1:4", "part.npy"},
		{"--weights w.npy", "twice.npy"},
	} {
		got, _ := dimsOf(t, append(strings.Fields(c.args), "x.npy")...)
		want, _ := dimsOf(t, c.as)
		assert.InDeltaSlice(t, want[0].SingularValues, got[0].SingularValues, 1e-12, c.args)
		assert.Equal(t, want[0].Kept, got[0].Kept)
	}
	got, _ := dimsOf(t, "x.npy", "--sample", "50", "--nonfinite", "drop", "-o", "d.csv")
	require.Len(t, got[0].Selection.Steps, 2)
	assert.Equal(t, 50, got[0].Datapoints)
	assert.Equal(t, got[0].Selection, noteBeside(t, "d.csv").Selections["x.npy"])
}

// TestDimsOfMaps: maps are the layers that pixels and flatten say, of whatever sizes, and
// vectors beside them stay what they are.
func TestDimsOfMaps(t *testing.T) {
	t.Chdir(t.TempDir())
	x := gaussian(1, 60, 12)
	save(t, "maps.npy", x, 60, 2, 2, 3)
	save(t, "small.npy", gaussian(2, 60, 5), 60, 1, 1, 5)
	save(t, "flat.npy", x)
	save(t, "rows.npy", lapack.Matrix[float64]{Rows: 240, Cols: 3, Stride: 3, Data: x.Data})
	for way, as := range map[string]string{"flatten": "flat.npy", "pixels": "rows.npy"} {
		got, stderr := dimsOf(t, "maps.npy", "small.npy", "flat.npy", "--conv", way)
		assert.Contains(t, stderr, `svcca: "maps.npy": 60 images of 2 × 2, 3 channels (nhwc)`)
		want, _ := dimsOf(t, as, "flat.npy")
		sort := map[string]dimsLayer{}
		for _, l := range got {
			sort[l.Name] = l
		}
		for _, l := range want {
			name := map[string]string{as: "maps.npy"}[l.Name]
			if name == "" {
				name = l.Name
			}
			assert.InDeltaSlice(t, l.SingularValues, sort[name].SingularValues, 1e-12, way)
		}
		assert.Len(t, sort["small.npy"].SingularValues, 5)
	}
}

// TestDimsOfTranslated: by dft a layer has the directions of its maps in all translations,
// and of a vector those of the vector.
func TestDimsOfTranslated(t *testing.T) {
	t.Chdir(t.TempDir())
	x := gaussian(1, 60, 12)
	save(t, "maps.npy", x, 60, 2, 2, 3)
	save(t, "vector.npy", gaussian(2, 60, 5))
	moved := lapack.New[float64](4*60, 12)
	for i := range moved.Rows {
		down, right := i%4/2, i%4%2
		for j := range moved.Cols {
			row, column, channel := j/6, j/3%2, j%3
			moved.Row(i)[j] = x.At(i/4, 6*((row+down)%2)+3*((column+right)%2)+channel)
		}
	}
	save(t, "moved.npy", moved)
	got, stderr := dimsOf(t, "maps.npy", "vector.npy", "--conv", "dft", "--centering", "translated")
	assert.Contains(t, stderr, `svcca: "maps.npy": 60 images of 2 × 2, 3 channels (nhwc)`)
	for i, name := range []string{"moved.npy", "vector.npy"} {
		want, _ := dimsOf(t, name)
		assert.Equal(t, want[0].Rank, got[i].Rank)
		assert.Equal(t, want[0].Kept, got[i].Kept)
		assert.InDelta(t, want[0].ParticipationRatio, got[i].ParticipationRatio, 1e-12)
		assert.InDeltaSlice(t, want[0].VarianceShare, got[i].VarianceShare, 1e-12)
	}
	assert.Equal(t, 60, got[0].Datapoints)
	status, stdout, stderr := call(t, "dims", "maps.npy", "--conv", "dft", "--weights", save(t, "w.npy", gaussian(3, 60, 1), 60))
	assert.Equal(t, exitFailed, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "w.npy")
	status, _, stderr = call(t, "dims", "maps.npy", "--conv", "dft", "--memory", "1KiB")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "maps.npy: reducing maps of 2 × 2 × 3 by dft needs about")
	status, stdout, stderr = call(t, "dims", "maps.npy", "--conv", "dft", "-o", "s.svg")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "over 60 images")
	assert.Contains(t, stdout, "--conv dft")
}

func TestDimsStatus(t *testing.T) {
	nets(t)
	save(t, "maps.npy", gaussian(3, 60, 12), 60, 2, 2, 3)
	holed := gaussian(4, 60, 6)
	holed.Set(7, 3, math.NaN())
	save(t, "hole.npy", holed)
	save(t, "constant.npy", lapack.New[float64](60, 2))
	require.NoError(t, os.WriteFile("there.svg", nil, 0o600))
	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"", exitMisused, []string{"no layers: name files", "svcca dims 'a/*.npy'"}},
		{"a -o d.npy", exitMisused, []string{".json, .csv, .svg, .png or .pdf"}},
		{"a --conv lowpass", exitMisused, []string{"--conv lowpass is for comparisons"}},
		{"a --conv pixels", exitMisused, []string{"no layer holds feature maps"}},
		{"a --tokens mean", exitMisused, []string{"--tokens is for files of three dimensions"}},
		{"a --layout nchw", exitMisused, []string{"--layout is for feature maps and tokens"}},
		{"a --centering translated", exitMisused, []string{"--centering translated"}},
		{"a --ids x.txt", exitMisused, []string{"--ids does not go with dims"}},
		{"a --hashes", exitMisused, []string{"--hashes is for what is written"}},
		{"a --threads -1", exitMisused, []string{"--threads -1"}},
		{"a --memory 1KiB", exitFailed, []string{"a/layer1.npy: reducing 300 × 8 needs", "--memory"}},
		{"a -o there.svg", exitFailed, []string{"there.svg exists"}},
		{"a --force -o a/layer1.npy", exitMisused, []string{".json, .csv"}},
		{"maps.npy", exitFailed, []string{"maps.npy holds feature maps, 60 × 2 × 2 × 3", "pixels", "flatten"}},
		{"hole.npy", exitFailed, []string{"hole.npy: datapoint 7, neuron 3", "NaN"}},
		{"a hole.npy -o d.csv -o d.svg", exitFailed, []string{"hole.npy: datapoint 7", "--skip-bad leaves out"}},
		{"constant.npy", exitFailed, []string{"constant.npy", "constant"}},
		{"absent.npy --skip-bad", exitFailed, []string{"left out: absent.npy", "no layer is left"}},
		{"constant.npy --skip-bad", exitFailed, []string{"left out:", "none of 1 can be used"}},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"dims"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		for _, s := range c.says {
			assert.Contains(t, stderr, s, c.args)
		}
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
	}

	want, _ := dimsOf(t, "a")
	got, stderr := dimsOf(t, "a", "hole.npy", "constant.npy", "maps.npy", "--skip-bad")
	assert.Equal(t, want, got)
	for _, name := range []string{"hole.npy", "constant.npy", "maps.npy"} {
		assert.Contains(t, stderr, "svcca: warning: left out: ", name)
	}
}

// TestDimsInterrupted: where the work is cut off nothing is written.
func TestDimsInterrupted(t *testing.T) {
	nets(t)
	before := listing(t, ".")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	assert.Equal(t, exitInterrupted, run(ctx, []string{"dims", "a", "-o", "d.csv", "-o", "d.svg"}, &stdout, &stderr))
	assert.Empty(t, stdout.String())
	assert.Equal(t, before, listing(t, "."))
}

// TestDimsOfMany: a picture has no room for more spectra than can be told apart.
func TestDimsOfMany(t *testing.T) {
	t.Chdir(t.TempDir())
	for i := range mostSpectra + 1 {
		save(t, fmt.Sprintf("%d.npy", i), gaussian(uint64(i), 9, 2))
	}
	status, _, stderr := call(t, "dims", ".", "-o", "d.svg")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "spectra of 29 layers: 28 can be told apart")
	status, _, stderr = call(t, "dims", "?.npy", "1?.npy", "2[0-7].npy", "-o", "d.svg")
	assert.Equal(t, exitDone, status, stderr)
}
