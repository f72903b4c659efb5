package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// relatives returns layers of 300 datapoints that share six causes.
func relatives(widths ...int) (layers []lapack.Matrix[float64]) {
	causes := gaussian(100, 300, 6)
	for i, d := range widths {
		weights, x := gaussian(200+uint64(i), 6, d), gaussian(300+uint64(i), 300, d)
		for row := range x.Rows {
			for j := range d {
				for k := range 6 {
					x.Row(row)[j] += causes.Row(row)[k] * weights.Row(k)[j]
				}
			}
		}
		layers = append(layers, x)
	}
	return layers
}

// nets saves a/layer1, a/layer2, a/layer10, b/layer1 and b/layer2, and goes there.
func nets(t *testing.T) []lapack.Matrix[float64] {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("a", 0o700))
	require.NoError(t, os.Mkdir("b", 0o700))
	layers := relatives(8, 7, 5, 9, 6)
	for i, name := range netNames {
		save(t, name, layers[i])
	}
	return layers
}

var netNames = []string{"a/layer1.npy", "a/layer2.npy", "a/layer10.npy", "b/layer1.npy", "b/layer2.npy"}

// matrixOf runs the command for JSON.
func matrixOf(t *testing.T, args ...string) (m matrixJSON, stderr string) {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"matrix", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	return decodeMatrix(t, []byte(stdout)), stderr
}

// decodeMatrix reads all but the options, which are only written.
func decodeMatrix(t *testing.T, data []byte) (m matrixJSON) {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &fields))
	delete(fields, "options")
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}

func sideNames(sides []svcca.Side) (names []string) {
	for _, s := range sides {
		names = append(names, s.Name)
	}
	return names
}

// TestMatrixIsBetween: every score is that of the two layers compared alone.
func TestMatrixIsBetween(t *testing.T) {
	layers := nets(t)
	m, stderr := matrixOf(t, "a/*.npy", "b", "--score", "pwcca_x")
	assert.Empty(t, stderr)
	assert.Equal(t, "svcca.matrix/1", m.Schema)
	assert.True(t, m.Symmetric)
	assert.Equal(t, netNames, sideNames(m.Rows), "in natural order")
	assert.Equal(t, netNames, sideNames(m.Columns))
	for i := range layers {
		for j := range layers {
			c, got := between(t, layers[i], layers[j], svcca.Options{}), m.Pairs[i][j]
			bound := c.ErrorBound + got.ErrorBound
			assert.InDelta(t, c.Mean, *got.Mean, bound)
			assert.InDelta(t, c.MeanSquare, got.MeanSquare, bound)
			assert.InDelta(t, c.WeightedX, got.WeightedX, c.WeightedErrorBound+got.WeightedErrorBound)
			assert.Equal(t, c.Chance, got.Chance)
			if c.PWCCAUnique {
				assert.InDelta(t, c.PWCCAX, *got.PWCCAX, c.PWCCAErrorBound+*got.PWCCAErrorBound)
			}
			assert.Equal(t, got.WeightedX, m.Pairs[j][i].WeightedY, "symmetric")
		}
	}
}

func TestMatrixJSON(t *testing.T) {
	nets(t)
	status, stdout, _ := call(t, "matrix", "a", "--json", "--score", "mean_square")
	require.Equal(t, exitDone, status)
	assert.Equal(t, 1, strings.Count(stdout, "\n"), "one object, one line")
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	for _, key := range []string{"schema", "version", "score", "rows", "columns", "symmetric", "options", "pairs", "warnings", "inputs", "skipped", "backend"} {
		assert.Contains(t, got, key)
	}
	assert.Equal(t, "mean_square", got["score"])
	assert.Equal(t, []any{}, got["skipped"])
	pair := got["pairs"].([]any)[0].([]any)[1].(map[string]any)
	assert.Contains(t, pair, "mean")
	assert.Nil(t, pair["mean"], "not asked for")
	assert.Equal(t, map[string]any{
		"name": "a/layer1.npy", "paths": []any{"a/layer1.npy"}, "shape": []any{300.0, 8.0}, "storage": "float64", "bytes": []any{128 + 300*8*8.0},
	}, got["inputs"].([]any)[0])
}

// TestMatrixFiles: what is written reads back as the same numbers.
func TestMatrixFiles(t *testing.T) {
	nets(t)
	for _, k := range scoreKinds {
		status, stdout, stderr := call(t, "matrix", "a", "--against", "b", "--score", string(k.name), "--force", "-o", "m.json", "-o", "m.csv", "--output", "m.npy")
		require.Equal(t, exitDone, status, stderr)
		assert.Contains(t, stderr, "svcca: wrote m.json\nsvcca: wrote m.csv; m.csv.json says what made it\nsvcca: wrote m.npy; m.npy.json says what made it\n")
		assert.Contains(t, stdout, k.title)
		data, err := os.ReadFile("m.json")
		require.NoError(t, err)
		m := decodeMatrix(t, data)
		require.Equal(t, netNames[:3], sideNames(m.Rows))
		require.Equal(t, netNames[3:], sideNames(m.Columns))

		file, err := os.Open("m.csv")
		require.NoError(t, err)
		table, err := csv.NewReader(file).ReadAll()
		require.NoError(t, file.Close())
		require.NoError(t, err)
		npy, err := activation.Open("m.npy")
		require.NoError(t, err)
		values := lapack.New[float64](3, 2)
		require.NoError(t, npy.Read(values, 0, 0))
		require.NoError(t, npy.Close())
		assert.Equal(t, []string{"layer", "b/layer1.npy", "b/layer2.npy"}, table[0])
		for i, s := range m.Rows {
			assert.Equal(t, s.Name, table[i+1][0])
			for j := range m.Columns {
				want, _ := k.of(&m.Pairs[i][j])
				require.NotNil(t, want, k.name)
				got, err := strconv.ParseFloat(table[i+1][j+1], 64)
				require.NoError(t, err)
				assert.Equal(t, *want, got)
				assert.Equal(t, *want, values.At(i, j))
			}
		}
	}
}

// TestMatrixUndefined: where chance takes all, nothing is left to adjust.
func TestMatrixUndefined(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "x.npy", gaussian(1, 5, 20))
	save(t, "y.npy", gaussian(2, 5, 20))
	args := []string{"matrix", "x.npy", "y.npy", "--score", "adjusted", "-o", "m.csv"}
	status, _, stderr := call(t, append(args, "-o", "m.npy")...)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "m.npy: the score adjusted of x.npy and x.npy is undefined")
	assert.Equal(t, []string{"x.npy", "y.npy"}, listing(t, "."), "nothing written")
	status, stdout, stderr := call(t, args...)
	assert.Equal(t, exitDone, status)
	data, err := os.ReadFile("m.csv")
	require.NoError(t, err)
	assert.Equal(t, "layer,x.npy,y.npy\nx.npy,,\ny.npy,,\n", string(data))
	assert.Contains(t, stdout, "none")
	assert.Contains(t, stdout, "! so few datapoints")
	assert.Contains(t, stderr, `svcca: warning: "x.npy" has more neurons (20) than datapoints (5)`)
	m, stderr := matrixOf(t, "x.npy", "y.npy", "--score", "adjusted", "--quiet")
	assert.Nil(t, m.Pairs[0][1].Adjusted)
	assert.Empty(t, stderr)
}

// TestMatrixArguments: shells expand patterns behind flags too.
func TestMatrixArguments(t *testing.T) {
	nets(t)
	a, b := netNames[:3], netNames[3:]
	for _, c := range []struct {
		args          string
		rows, columns []string
	}{
		{"a/layer1.npy a/layer10.npy a/layer2.npy", a, nil}, // as a shell expands a/*.npy
		{"a/layer10.npy a/layer1.npy a/layer2.npy", []string{a[2], a[0], a[1]}, nil},
		{"b a", append(slices.Clone(b), a...), nil},
		{"b a/layer2.npy a", append(slices.Clone(b), a[1], a[0], a[2]), nil},
		{"--layers a", a, nil},
		{"--layers a/layer1.npy a/layer10.npy a/layer2.npy --against b/layer1.npy b/layer2.npy", a, b},
		{"--against b/layer1.npy b/layer2.npy --layers a/*.npy", a, b},
		{"a --against b --threads 1", a, b},
		{"--layers a/layer2.npy --layers a/layer1.npy --layers a", []string{a[1], a[0], a[2]}, nil},
		{"a/layer1.npy --against a/layer1.npy", a[:1], a[:1]},
		{"a/layer1.npy a/layer1.npy", a[:1], nil},
		{"./a/layer1.npy a/layer1.npy", []string{"./a/layer1.npy"}, nil},
		{"a/layer1.npy --layers ./a//layer1.npy", a[:1], nil},
	} {
		m, _ := matrixOf(t, strings.Fields(c.args)...)
		assert.Equal(t, c.rows, sideNames(m.Rows), c.args)
		assert.Equal(t, c.columns == nil, m.Symmetric, c.args)
		if c.columns != nil {
			assert.Equal(t, c.columns, sideNames(m.Columns), c.args)
		}
	}
}

func TestMatrixStatus(t *testing.T) {
	layers := nets(t)
	require.NoError(t, os.WriteFile("there.csv", nil, 0o600))
	save(t, "short.npy", layers[0].View(0, 0, 299, 8).Clone())
	require.NoError(t, os.Mkdir("shards", 0o700))
	save(t, "shards/x-1-of-2.npy", layers[0])
	save(t, "w.npy", lapack.New[float64](300, 1))
	save(t, "empty.npy", lapack.New[float64](300, 0))
	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"", exitMisused, []string{"no layers: name files"}},
		{"--against a b", exitMisused, []string{"no layers for the rows"}},
		{"a -o m.txt", exitMisused, []string{"-o m.txt", ".json, .csv, .npy, .npz, .safetensors, .svg, .png or .pdf"}},
		{"a -o m.csv -o ./m.csv", exitMisused, []string{"given twice"}},
		{"a -o m.csv.json -o ./m.csv", exitMisused, []string{"-o m.csv.json: what made ./m.csv is written there"}},
		{"a --hashes", exitMisused, []string{"--hashes is for what is written: --json or -o"}},
		{"a --score weigthed", exitMisused, []string{"unknown score", "did you mean weighted?"}},
		{"a --threads -1", exitMisused, []string{"--threads -1"}},
		{"a --memory lots", exitMisused, []string{"8GiB"}},
		{"a --memory 1KiB", exitFailed, []string{"layer \"a/layer1.npy\": reducing 300 × 8 needs", "--memory SIZE allows more"}},
		{"a -o there.csv", exitFailed, []string{"there.csv exists", "--force"}},
		{"a -o a/layer1.npy --force", exitFailed, []string{"is read by this command"}},
		{"shards -o shards/x-1-of-2.npy --force", exitFailed, []string{"is read by this command"}},
		{"a --weights w.npy --force -o w.npy", exitFailed, []string{"is read by this command"}},
		{"a --weights w.npy", exitFailed, []string{"weights are positive"}},
		{"a absent.npy", exitFailed, []string{"absent.npy: no such file", "--skip-bad leaves out"}},
		{"absent.npy --skip-bad", exitFailed, []string{"left out: absent.npy: no such file", "no layer is left for the rows: none of 1"}},
		{"a --against absent.npy --skip-bad", exitFailed, []string{"no layer is left for the columns"}},
		{"a short.npy", exitFailed, []string{"short.npy has 299 datapoints, a/layer1.npy 300", "same order", "--transpose if"}},
		{"short.npy a", exitFailed, []string{"short.npy has 299 datapoints, a/layer1.npy 300"}},
		{"a empty.npy", exitFailed, []string{"empty.npy"}},
		{"a shards", exitFailed, []string{"shards/x: of 2 shards, 2 is missing"}},
		{"a --cache no/cache", exitFailed, []string{"there is no directory no to make"}},
		{"a --cache short.npy", exitFailed, []string{"short.npy is no directory"}},
		{"a --transpose", exitFailed, []string{"leave out --transpose"}},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"matrix"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		for _, s := range c.says {
			assert.Contains(t, stderr, s, c.args)
		}
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
	}
}

// TestMatrixSkipBad: what cannot be used is named, and the rest is as without it.
func TestMatrixSkipBad(t *testing.T) {
	layers := nets(t)
	want, _ := matrixOf(t, "a")
	holed := layers[0].Clone()
	holed.Set(7, 3, holed.At(7, 3)/0)
	save(t, "a/hole.npy", holed)
	save(t, "a/constant.npy", lapack.New[float64](300, 2))
	save(t, "a/short.npy", layers[0].View(0, 0, 299, 8).Clone())
	save(t, "a/maps.npy", gaussian(1, 300, 8), 300, 2, 2, 2)
	require.NoError(t, os.WriteFile("a/text.npy", []byte("1 2 3\n"), 0o600))
	m, stderr := matrixOf(t, "a", "--skip-bad")
	for _, says := range []string{"a/text.npy: not a .npy file", "a/hole.npy: datapoint 7, neuron 3", "a/short.npy has 299", "a/maps.npy holds feature maps", `layer "a/constant.npy"`} {
		assert.Contains(t, stderr, "svcca: warning: left out: "+says)
	}
	assert.Len(t, m.Skipped, 5)
	assert.Equal(t, want.Rows, m.Rows)
	assert.Equal(t, want.Pairs, m.Pairs)
	assert.Equal(t, want.Inputs, m.Inputs)
	_, stderr = matrixOf(t, "a", "--skip-bad", "--quiet")
	assert.Empty(t, stderr)
	status, stdout, stderr := call(t, "matrix", "a/layer1.npy", "a/hole.npy")
	assert.Equal(t, exitFailed, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "a/hole.npy: datapoint 7, neuron 3")
	assert.Contains(t, stderr, "--skip-bad leaves out")
	_, _, stderr = call(t, "matrix", "a/layer1.npy", "a/constant.npy")
	assert.Contains(t, stderr, "--skip-bad leaves out")
	_, _, stderr = call(t, "matrix", "a/hole.npy")
	assert.NotContains(t, stderr, "--skip-bad", "nothing would be left")

	// In shards it is the shard's.
	shards(t, "h", holed, 4)
	for _, args := range [][]string{{"a/layer1.npy", "h"}, {"a/layer1.npy", "h", "--skip-bad"}} {
		_, _, stderr = call(t, append([]string{"matrix"}, args...)...)
		assert.Contains(t, stderr, "h/part-9.npy: datapoint 3, neuron 3")
	}
}

func TestMatrixShards(t *testing.T) {
	layers := nets(t)
	want, _ := matrixOf(t, "a")
	require.NoError(t, os.Mkdir("a/layer2", 0o700))
	require.NoError(t, os.Remove("a/layer2.npy"))
	for i := range 12 {
		save(t, fmt.Sprintf("a/layer2/part-%d.npy", i), layers[1].View(25*i, 0, 25, 7).Clone())
	}
	for _, args := range [][]string{{"a"}, {"a/layer1.npy", "a/layer10.npy", "a/layer2/part-*.npy"}, {"--layers", "a/*"}} {
		m, _ := matrixOf(t, args...)
		assert.Equal(t, []string{"a/layer1.npy", "a/layer2", "a/layer10.npy"}, sideNames(m.Rows))
		assert.Len(t, m.Inputs[1].Paths, 12)
		assert.Equal(t, "a/layer2/part-11.npy", m.Inputs[1].Paths[11])
		for i := range want.Pairs {
			for j := range want.Pairs {
				assert.InDelta(t, *want.Pairs[i][j].Mean, *m.Pairs[i][j].Mean, want.Pairs[i][j].ErrorBound+m.Pairs[i][j].ErrorBound)
			}
		}
	}
}

func TestMatrixTransposedAndWeighted(t *testing.T) {
	layers := nets(t)
	want, _ := matrixOf(t, "a")
	ones := lapack.New[float64](300, 1)
	for i := range ones.Data {
		ones.Data[i] = 1
	}
	save(t, "w.npy", ones)
	weighted, _ := matrixOf(t, "a", "--weights", "w.npy")
	for i, name := range netNames[:3] {
		turned := lapack.New[float64](layers[i].Cols, layers[i].Rows)
		turned.TransposeFrom(layers[i])
		save(t, name, turned)
	}
	transposed, _ := matrixOf(t, "a", "--transpose")
	for _, m := range []matrixJSON{weighted, transposed} {
		for i := range want.Pairs {
			for j := range want.Pairs {
				assert.InDelta(t, *want.Pairs[i][j].Mean, *m.Pairs[i][j].Mean, want.Pairs[i][j].ErrorBound+m.Pairs[i][j].ErrorBound)
			}
		}
	}
}

// shuffled returns x with its rows in another order.
func shuffled(x lapack.Matrix[float64]) lapack.Matrix[float64] {
	y := lapack.New[float64](x.Rows, x.Cols)
	for i := range x.Rows { // 7 and 300 have no common factor
		copy(y.Row(i), x.Row((7*i+11)%x.Rows))
	}
	return y
}

func TestMatrixHint(t *testing.T) {
	layers := nets(t)
	_, stderr := matrixOf(t, "a", "b")
	assert.Empty(t, stderr)
	_, stderr = matrixOf(t, "a", "--against", "b")
	assert.Empty(t, stderr)

	save(t, "b/layer2.npy", shuffled(layers[4]))
	const question = ": same rows in the same order?\n"
	for _, c := range []struct{ args, says string }{
		{"a b", "b/layer2.npy is at chance with every other layer"},
		{"a --against b", "b/layer2.npy is at chance with every other layer"},
		{"a/layer1.npy --against b/layer2.npy", "a/layer1.npy and b/layer2.npy are at chance"},
		{"a --against b/layer2.npy", "every pair of layers is at chance"},
	} {
		_, stderr = matrixOf(t, strings.Fields(c.args)...)
		assert.Equal(t, "svcca: note: "+c.says+question, stderr, c.args)
		_, stderr = matrixOf(t, append(strings.Fields(c.args), "--quiet")...)
		assert.Empty(t, stderr)
	}
	save(t, "b/layer1.npy", shuffled(layers[3]))
	_, stderr = matrixOf(t, "a", "b")
	assert.Equal(t, "svcca: note: b/layer1.npy and b/layer2.npy are at chance with all of the other 3 layers"+question, stderr)
	status, stdout, _ := call(t, "matrix", "a", "b")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "~ at chance")

	// So few datapoints show nothing.
	for i, name := range netNames[:2] {
		x := layers[i]
		if i == 1 {
			x = shuffled(x)
		}
		save(t, name, x.View(0, 0, 40, x.Cols).Clone())
	}
	_, stderr = matrixOf(t, netNames[0], netNames[1])
	assert.Empty(t, stderr)
}

// TestMatrixChanged: a file that is written to meanwhile makes no result.
func TestMatrixChanged(t *testing.T) {
	layers := nets(t)
	m := &matrix{matrixFlags: &matrixFlags{score: "mean"}, stderr: &bytes.Buffer{}, known: map[string]int{}}
	require.NoError(t, m.expand([]string{"a"}))
	require.NoError(t, m.open(t.Context()))
	defer m.close()
	require.NoError(t, m.choose())
	require.NoError(t, m.checkMaps())
	save(t, "a/new.npy", layers[0])
	require.NoError(t, os.Rename("a/new.npy", "a/layer2.npy"))
	_, err := m.compute(t.Context())
	assert.ErrorIs(t, err, activation.ErrChanged)
	assert.Contains(t, message(err), "a/layer2.npy")
}

// TestMatrixInterrupted stops the command at ever later places where it looks.
func TestMatrixInterrupted(t *testing.T) {
	nets(t)
	args := []string{"matrix", "a", "b", "-o", "m.csv", "-o", "m.json", "--cache", "cache", "--threads", "1"}
	require.NoError(t, os.Mkdir("cache", 0o700))
	before := listing(t, ".")
	for look := 0; ; look += 1 + look/4 {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(int64(look))
		var stdout, stderr bytes.Buffer
		status := run(ctx, args, &stdout, &stderr)
		if status == exitDone {
			require.Positive(t, look)
			break
		}
		require.Equal(t, exitInterrupted, status, stderr.String())
		require.True(t, strings.HasSuffix(stderr.String(), "svcca: interrupted\n"), stderr.String())
		require.Empty(t, stdout.String())
		if listing := listing(t, "."); len(listing) > len(before) {
			require.Contains(t, stderr.String(), "wrote m.csv", "what is finished stays")
			require.NoError(t, errors.Join(os.Remove("m.csv"), os.Remove("m.csv.json")))
		}
		require.Equal(t, before, listing(t, "."))
	}
}

func TestMatrixOutputThatFails(t *testing.T) {
	nets(t)
	for _, args := range [][]string{{"matrix", "a"}, {"matrix", "a", "--json"}, {"matrix", "a", "--dry-run"}} {
		var stderr bytes.Buffer
		assert.Equal(t, exitFailed, run(t.Context(), args, failing{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}}, &stderr), args)
		assert.Contains(t, stderr.String(), "no space left", args)
		stderr.Reset()
		assert.Equal(t, exitDone, run(t.Context(), args, failing{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}}, &stderr), args)
		assert.Empty(t, stderr.String(), args)
	}
}

func TestMatrixHelp(t *testing.T) {
	status, stdout, stderr := call(t, "matrix", "--help")
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	assert.LessOrEqual(t, strings.Count(stdout, "\n"), 34)
	checkWidth(t, stdout)
	_, flags, _ := strings.Cut(stdout, "Flags:")
	assert.Equal(t, strings.Count(flags, " --"), strings.Count(flags, "(default")+1)
}

func TestMatrixEstimate(t *testing.T) {
	nets(t)
	status, stdout, stderr := call(t, "matrix", "a", "b", "--dry-run", "-o", "m.csv", "--cache", "cache")
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "5 layers of 300 datapoints × 5 to 9 neurons")
	assert.Contains(t, stdout, "15 pairs")
	for _, says := range []string{"21 k values to read, 165 KiB", "flop in products", "of memory", "on this machine", "less for what the cache has"} {
		assert.Contains(t, stdout, says)
	}
	checkWidth(t, stdout)
	assert.Equal(t, []string{"a", "b"}, listing(t, "."))
}

func TestShortNames(t *testing.T) {
	for _, c := range []struct{ names, short, dir string }{
		{"a/x.npy a/y.npy", "x y", "a/"},
		{"r/a/x.npy r/ab/x.npy", "a/x ab/x", "r/"},
		{"x.npy a/y.npy", "x a/y", ""},
		{"/r/x.npy /s/x.npy", "r/x s/x", "/"},
		{"a/x a/x.npy", "x x.npy", "a/"},
		{"a/.npy", ".npy", "a/"},
		{"x.npy", "x", ""},
	} {
		var sides []svcca.Side
		for _, name := range strings.Fields(c.names) {
			sides = append(sides, svcca.Side{Name: name})
		}
		names, dir := shortNames(sides)
		assert.Equal(t, strings.Fields(c.short), names)
		assert.Equal(t, c.dir, dir)
	}
}

// TestMatrixTable goes over sizes and widths: every line fits, and everything is
// in letters that the terminal has.
func TestMatrixTable(t *testing.T) {
	t.Chdir(t.TempDir())
	var files []string
	for i, x := range relatives(5, 6, 7, 8, 9, 5, 6, 7, 8, 9, 5, 6, 7, 8, 9, 5, 6, 7, 8, 9) {
		files = append(files, save(t, fmt.Sprintf("%s%d.npy", strings.Repeat("long", 1+i%5), i), x))
	}
	files[3] = "\x1b[31m名前.npy"
	save(t, files[3], shuffled(relatives(8)[0]))
	for _, count := range []int{1, 2, 4, 8, 12, 20} {
		for _, against := range []int{0, 1, 7, 20} {
			args := append([]string{"--quiet"}, files[:count]...)
			if against > 0 {
				args = append(append(args, "--against"), files[20-against:]...)
			}
			m, _ := matrixOf(t, args...)
			for _, s := range []style{{}, {ascii: true}} {
				for _, width := range []int{40, 60, 80, 200} {
					var b bytes.Buffer
					require.NoError(t, writeMatrix(&b, s, width, "mean", &scored{Pane: m.Pane}))
					assert.NotContains(t, b.String(), "\x1b")
					assert.NotContains(t, b.String(), "NaN")
					for line := range strings.Lines(b.String()) {
						assert.LessOrEqual(t, columns(strings.TrimSuffix(line, "\n")), max(width, 60), line)
					}
					if s.ascii {
						plain := strings.ReplaceAll(strings.ReplaceAll(b.String(), "名", ""), "前", "")
						assert.Equal(t, len([]rune(plain)), len(plain))
					}
					if width == 80 && !s.ascii && (count == 8 && against == 7 || count == 20 && against == 0) {
						t.Log("\n" + b.String())
					}
					if width == 80 && count == 20 && against == 20 {
						assert.Contains(t, b.String(), "do not fit here: -o FILE.csv writes")
					}
				}
			}
		}
	}
}

func TestMatrixASCII(t *testing.T) {
	nets(t)
	t.Setenv("LC_ALL", "C")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitDone, run(t.Context(), []string{"matrix", "a"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "the mean of rho")
}

func TestProgressText(t *testing.T) {
	g := svcca.Progress{LayersReduced: 1, Layers: 2, Pairs: 3, Share: 0.25}
	assert.Equal(t, "svcca: 1 of 2 layers, 0 of 3 pairs", progressText(g, 0))
	assert.Equal(t, "svcca: 1 of 2 layers, 0 of 3 pairs, 1m30s left", progressText(g, 30*time.Second))
	g.Share = 0
	assert.Equal(t, "svcca: 1 of 2 layers, 0 of 3 pairs", progressText(g, time.Hour))
}
