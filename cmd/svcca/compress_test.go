package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compressOf runs the command for JSON.
func compressOf(t *testing.T, args ...string) (j compressJSON) {
	t.Helper()
	status, stdout, stderr := call(t, append(append([]string{"compress"}, args...), "--json")...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"), "one object, one line")
	return decodeCompressed(t, []byte(stdout))
}

func decodeCompressed(t *testing.T, data []byte) (j compressJSON) {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &fields))
	delete(fields, "options") // which are only written
	text, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &j))
	return j
}

// wholeNet takes 6 neurons.
func wholeNet() []fully {
	b := gaussian(61, 3, 8)
	return []fully{{"fc1", gaussian(62, 6, 8), b.Row(0)}, {"fc2", gaussian(63, 8, 7), b.Row(1)[:7]}, {"out", gaussian(64, 7, 3), b.Row(2)[:3]}}
}

// compressible changes to a directory with weights w and another network's o, their
// inputs x.npy, the other network's layers in b, and labels.npy that the first mostly gives.
func compressible(t *testing.T) (x lapack.Matrix[float64], net []fully, labels []int) {
	t.Chdir(t.TempDir())
	x, net = gaussian(65, 90, 6), wholeNet()
	save(t, "x.npy", x)
	saveNet(t, "w", net...)
	other := wholeNet()
	noise := gaussian(66, 8, 8)
	for i := range other[0].w.Data {
		other[0].w.Data[i] += 0.5 * noise.Data[i]
	}
	mkdir(t, "b")
	save(t, "b/fc1.npy", activated(forward(x, other[:1]...)))
	save(t, "b/fc2.npy", activated(forward(x, other[:2]...)))
	labels = bestOf(forward(x, net...))
	for i := 0; i < len(labels); i += 7 {
		labels[i] = (labels[i] + 1) % 3
	}
	saveIndices(t, "labels.npy", labels)
	return x, net, labels
}

// activated returns max(0, m).
func activated(m lapack.Matrix[float64]) lapack.Matrix[float64] {
	for i, v := range m.Data {
		m.Data[i] = max(0, v)
	}
	return m
}

// netIn reads back the weights in a directory, in × out, as layers: of a compressed one
// its two narrow ones as their product.
func netIn(t *testing.T, dir string, names ...string) (net []fully) {
	t.Helper()
	for _, name := range names {
		in := func(end string) string { return filepath.Join(dir, name+end) }
		if _, err := os.Stat(in("_w.npy")); err == nil {
			net = append(net, fully{name, load(t, in("_w.npy")), load(t, in("_b.npy")).Data})
			continue
		}
		net = append(net, fully{name, times(load(t, in("_down_w.npy")), load(t, in("_up_w.npy"))), load(t, in("_up_b.npy")).Data})
	}
	return net
}

// TestCompressWeights: weights that are written make, by the definition, the outputs that
// were judged; what they are made of are the directions that compare gives.
func TestCompressWeights(t *testing.T) {
	x, net, labels := compressible(t)
	args := strings.Fields("w --inputs x.npy --layers fc2,out --keep count(4) --size neurons(0.5) --datapoints 0:60 --test 60:90 --labels labels.npy")
	for _, against := range []string{"", "--against b", "--against b/fc1.npy,b/fc2.npy"} {
		how := append(slices.Clone(args), strings.Fields(against)...)
		j := compressOf(t, append(how, "-o", "small", "--force", "--quiet")...)
		assert.Equal(t, "svcca.compress/1", j.Schema)
		assert.Equal(t, byAccuracy, j.Measure)
		assert.Equal(t, []denseJSON{{"fc1", 6, 8}, {"fc2", 8, 7}, {"out", 7, 3}}, j.Network)
		assert.Equal(t, 60, j.Datapoints)
		require.Len(t, j.Sizes, 1)
		s := j.Sizes[0]
		require.Len(t, s.Layers, 2)
		fc2, out := s.Layers[0], s.Layers[1]
		most := 4
		if against == "" {
			most = 3 // outputs
		}
		assert.Equal(t, []int{most, most}, []int{fc2.M, out.M})
		assert.Equal(t, []int{min(4, most), min(4, most)}, []int{fc2.K, out.K}, "of 8 and 7 neurons half")
		assert.Equal(t, 6*8+8+fc2.K*(8+7)+7+out.K*(7+3)+3, s.Parameters)
		assert.Equal(t, 6*8+fc2.K*(8+7)+out.K*(7+3), s.MultiplyAdds)
		assert.Equal(t, 6*8+8+8*7+7+7*3+3, j.Before.Parameters)

		small := netIn(t, "small", "fc1", "fc2", "out")
		assert.Equal(t, net[0].w.Data, small[0].w.Data, "what is not compressed is as it was")
		for _, of := range []struct {
			judged []judgedJSON
			net    []fully
		}{{j.Before.Judged, net}, {s.Judged, small}} {
			outputs := forward(x, of.net...)
			require.Len(t, of.judged, 2)
			assert.Equal(t, judgedJSON{"", 60, accuracyOf(outputs.View(0, 0, 60, 3), labels[:60])}, of.judged[0])
			assert.Equal(t, judgedJSON{"test", 30, accuracyOf(outputs.View(60, 0, 30, 3), labels[60:])}, of.judged[1])
		}
		assert.NotEqual(t, j.Before.Judged, s.Judged)

		// The first layer by the directions of compare, the second by those of what the
		// first then gives.
		for i, name := range []string{"fc2", "out"} {
			save(t, "input.npy", activated(forward(x, small[:i+1]...)))
			other := "b/fc" + strconv.Itoa(i+1) + ".npy"
			if against == "" {
				other = save(t, "outputs.npy", forward(x, net...))
			}
			require.Equal(t, exitDone, first(call(t, "compare", "input.npy", other, "--keep", "count(4)", "--datapoints", "0:60", "--directions", "d.npz", "--force", "--quiet")))
			e := directionsIn(t, "d.npz", "x")
			k := s.Layers[i].K
			assert.InDeltaSlice(t, e.w.View(0, 0, e.w.Rows, k).Clone().Data, load(t, "small/"+name+"_down_w.npy").Data, 1e-9, name)
			projected := forward(e.onto(e.keeping(load(t, "input.npy"), interval(0, e.w.Rows)), k), net[i+1])
			assert.InDeltaSlice(t, projected.Data, forward(load(t, "input.npy"), small[i+1]).Data, 1e-10, name)
		}
	}
}

// TestCompressFrom: from the original every layer's directions are those of the network as
// it was.
func TestCompressFrom(t *testing.T) {
	compressible(t)
	down := func(args string) []float64 {
		t.Helper()
		status, _, stderr := call(t, strings.Fields("compress w --inputs x.npy --against b --keep count(3) --quiet --force -o small "+args)...)
		require.Equal(t, exitDone, status, stderr)
		return load(t, "small/out_down_w.npy").Data
	}
	alone := down("--layers out")
	assert.Equal(t, alone, down("--layers fc2,out --from original"))
	assert.NotEqual(t, alone, down("--layers fc2,out"))
	assert.Equal(t, down("--layers fc2,out"), down("--layers fc2,out --from compressed"))
}

// TestCompressSizes: of several sizes each is as if it was alone, and files hold their
// numbers.
func TestCompressSizes(t *testing.T) {
	defer native.LimitThreads(1)()
	compressible(t)
	args := strings.Fields("w --inputs x.npy --layers fc2,out --keep rank --datapoints 0:60 --test 60:90 --labels labels.npy --hashes --against b --size parameters(0.7,1) --size all")
	j := compressOf(t, append(args, "--quiet", "-o", "c.json", "-o", "c.csv", "-o", "c.svg", "-o", "c.png", "-o", "c.pdf")...)
	require.Len(t, j.Sizes, 3)
	for i, size := range []string{"parameters(0.7)", "parameters(1)", "all"} {
		alone := compressOf(t, append(slices.Clone(args[:len(args)-4]), "--size", size)...)
		require.Len(t, alone.Sizes, 1)
		assert.Equal(t, alone.Sizes[0], j.Sizes[i])
		assert.Equal(t, size, j.Sizes[i].Size.String())
	}
	assert.Less(t, j.Sizes[0].Parameters, j.Sizes[1].Parameters)
	for _, how := range []string{"--layers fc2,out --from original", "--layers out"} { // which take one comparison
		how += " w --inputs x.npy --against b --keep rank "
		several := compressOf(t, strings.Fields(how+"--size neurons(0.2,0.5)")...)
		for i, size := range []string{"0.2", "0.5"} {
			assert.Equal(t, compressOf(t, strings.Fields(how+"--size neurons("+size+")")...).Sizes[0], several.Sizes[i], how)
		}
		assert.NotEqual(t, several.Sizes[0].Judged, several.Sizes[1].Judged)
		status, _, stderr := call(t, append([]string{"compress"}, strings.Fields(how+"--size parameters(1,0.01)")...)...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "parameters(0.01) of a layer of")
	}
	written := decodeCompressed(t, read(t, "c.json"))
	assert.Equal(t, j.Sizes, written.Sizes)
	for flag, count := range map[string]int{"network": 6, "labels": 1} {
		assert.Len(t, written.With[flag].SHA256, count, flag)
	}
	lines, err := csv.NewReader(bytes.NewReader(read(t, "c.csv"))).ReadAll()
	require.NoError(t, err)
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	assert.Equal(t, [][]string{
		{"size", "k fc2", "k out", "parameters", "multiply_adds", "accuracy, rows of the directions", "accuracy, test rows"},
		{"before", "", "", "143", "125", text(j.Before.Judged[0].Value), text(j.Before.Judged[1].Value)},
	}, lines[:2])
	require.Len(t, lines, 5)
	for i, s := range j.Sizes {
		assert.Equal(t, []string{s.Size.String(), strconv.Itoa(s.Layers[0].K), strconv.Itoa(s.Layers[1].K), strconv.Itoa(s.Parameters), strconv.Itoa(s.MultiplyAdds), text(s.Judged[0].Value), text(s.Judged[1].Value)}, lines[i+2])
	}
	texts := textsIn(t, "c.svg")
	for _, s := range []string{"Accuracy", "share of the network's parameters", "rows of the directions", "test rows, not compressed"} {
		assert.Contains(t, texts, s)
	}
	assert.Equal(t, []any{"parameters(0.7)", "parameters(1)", "all"}, noteBeside(t, "c.svg").Options.(map[string]any)["size"])
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--hashes" })
	status, table, stderr := call(t, append([]string{"compress"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "svcca: network: fc1 → fc2 → out, in the order of their names")
	checkWidth(t, table)
	for _, s := range j.Sizes {
		assert.Regexp(t, fmt.Sprintf(`(?m)^\Q%v\E +%d %d +%d +[0-9.]+%% +%d +%.4f +%.4f$`, s.Size, s.Layers[0].K, s.Layers[1].K, s.Parameters, s.MultiplyAdds, s.Judged[0].Value, s.Judged[1].Value), table)
	}
}

// TestCompressTable: one size has a line for each layer and one for the network.
func TestCompressTable(t *testing.T) {
	compressible(t)
	status, table, stderr := call(t, strings.Fields("compress w --inputs x.npy --layers fc2,out --keep count(2) --labels labels.npy --against b")...)
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, table)
	words := strings.Join(strings.Fields(table), " ")
	assert.Contains(t, words, "2 layers of 3 compressed, by directions over 90 datapoints")
	assert.Contains(t, words, "fc2 8 2 2 63 → 37 58.73% 56 → 30")
	assert.Contains(t, words, "out 7 2 2 24 → 23 95.83% 21 → 20")
	assert.Contains(t, words, "network 143 → 116 81.12% 125 → 98")
	assert.Regexp(t, `Accuracy 0\.8556 → 0\.\d{4} over these 90 datapoints\.`, words)
	assert.Contains(t, words, "Options: --keep 'count(2)'")
}

// TestCompressSizeWords: the sizes are told as flags that give them again.
func TestCompressSizeWords(t *testing.T) {
	compressible(t)
	_, stdout, _ := call(t, strings.Fields("compress w --inputs x.npy --layers fc2 --size neurons(0.2,0.5) --size all --size parameters(0.7)")...)
	words := strings.Join(strings.Fields(stdout), " ")
	assert.Contains(t, words, "--size 'neurons(0.2,0.5)' --size all --size 'parameters(0.7)' --from compressed")
	assert.Contains(t, words, "over the rows that directions come from. Options")
	_, stdout, _ = call(t, strings.Fields("compress w --inputs x.npy --layers fc2 --size neurons(0.2,0.5) --test 0:9")...)
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "over the rows that directions come from, and over --test.")
}

// TestCompressMeasures: without labels outputs are judged by targets, or by those of the
// network as it was.
func TestCompressMeasures(t *testing.T) {
	x, net, _ := compressible(t)
	targets := gaussian(68, 90, 3)
	save(t, "targets.npy", targets)
	full := forward(x, net...)
	for _, c := range []struct {
		args   string
		name   measureName
		before float64
		of     func(outputs lapack.Matrix[float64]) float64
	}{
		{"--targets targets.npy", byTargets, rmsOf(full, targets), func(o lapack.Matrix[float64]) float64 { return rmsOf(o, targets) }},
		{"", byLoss, 0, func(o lapack.Matrix[float64]) float64 { return lossOf(o, full) }},
	} {
		j := compressOf(t, strings.Fields("w --inputs x.npy --layers fc2 --keep count(2) -o small --force "+c.args)...)
		assert.Equal(t, c.name, j.Measure)
		assert.InDelta(t, c.before, j.Before.Judged[0].Value, 1e-12)
		assert.InDelta(t, c.of(forward(x, netIn(t, "small", "fc1", "fc2", "out")...)), j.Sizes[0].Judged[0].Value, 1e-12)
		status, table, _ := call(t, strings.Fields("compress w --inputs x.npy --layers fc2 --keep count(2) "+c.args)...)
		require.Equal(t, exitDone, status)
		assert.Contains(t, strings.Join(strings.Fields(table), " "), c.name.title())
		checkWidth(t, table)
	}
}

// TestCompressNames: weights are written as they were read, in × out or PyTorch's out × in,
// to a directory or to an archive.
func TestCompressNames(t *testing.T) {
	_, net, _ := compressible(t)
	for _, l := range net {
		turned := lapack.New[float64](l.w.Cols, l.w.Rows)
		turned.TransposeFrom(l.w)
		save(t, filepath.Join(mkdir(t, "torch"), l.name+".weight.npy"), turned)
		if l.name != "fc1" {
			save(t, filepath.Join("torch", l.name+".bias.npy"), lapack.Of(len(l.b), 1, l.b), len(l.b))
		} else {
			remove(t, "w/fc1_b.npy")
		}
	}
	for _, where := range []string{"w", "torch"} {
		for _, out := range []string{"dir", "a.npz", "a.safetensors", "dir/"} {
			status, _, stderr := call(t, "compress", where, "--inputs", "x.npy", "--layers", "fc2", "--keep", "count(2)", "--force", "-o", out)
			require.Equal(t, exitDone, status, stderr)
			if out == "dir/" {
				assert.Contains(t, stderr, "svcca: wrote dir; dir/provenance.json says what made it\n")
			}
		}
	}
	type arrays map[string][]int
	sizes := func(where string) arrays {
		paths, err := arraysIn(where)
		require.NoError(t, err)
		found := arrays{}
		for name, path := range paths {
			if name != "provenance.json" {
				m := load(t, path)
				found[name] = []int{m.Rows, m.Cols}
			}
		}
		return found
	}
	torch := arrays{"fc1.weight": {8, 6}, "fc2.down.weight": {2, 8}, "fc2.up.weight": {7, 2}, "fc2.up.bias": {7, 1}, "out.weight": {3, 7}, "out.bias": {3, 1}}
	for _, out := range []string{"dir", "a.npz", "a.safetensors"} {
		assert.Equal(t, torch, sizes(out), out)
	}
	for name := range torch {
		assert.Equal(t, load(t, "dir/"+name+".npy"), load(t, "a.npz:"+name))
		assert.Equal(t, load(t, "dir/"+name+".npy"), load(t, "a.safetensors:"+name))
	}
	require.Equal(t, exitDone, first(call(t, strings.Fields("compress w --inputs x.npy --layers fc2 --keep count(2) -o plain")...)))
	assert.Equal(t, arrays{"fc1_w": {6, 8}, "fc2_down_w": {8, 2}, "fc2_up_w": {2, 7}, "fc2_up_b": {7, 1}, "out_w": {7, 3}, "out_b": {3, 1}}, sizes("plain"))
	for name, other := range map[string]string{"fc2_down_w": "fc2.down.weight", "fc2_up_w": "fc2.up.weight", "out_w": "out.weight"} {
		m := load(t, "plain/"+name+".npy")
		turned := lapack.New[float64](m.Cols, m.Rows)
		turned.TransposeFrom(m)
		assert.Equal(t, turned.Data, load(t, "dir/"+other+".npy").Data, name)
	}
	var note provenance
	require.NoError(t, json.Unmarshal(read(t, "plain/provenance.json"), &note))
	assert.Equal(t, "svcca.provenance/1", note.Schema)
	require.Len(t, note.Files, 6)
	for _, f := range note.Files {
		sum := sha256.Sum256(read(t, "plain/"+f.Name))
		assert.Equal(t, hex.EncodeToString(sum[:]), f.SHA256, f.Name)
	}
}

// TestCompressTests: rows to judge on that directions come from are told.
func TestCompressTests(t *testing.T) {
	compressible(t)
	for args, says := range map[string]string{
		"--test 0:9":                      "note: 9 of 9 rows of --test are among those that directions come from",
		"--test 0:9 --datapoints 6:90":    "note: 3 of 9 rows of --test are among",
		"--test 0:9 --datapoints 8,50:90": "note: 1 of 9 rows of --test are among",
		"--test 0:9 --datapoints 9:90":    "",
	} {
		status, _, stderr := call(t, strings.Fields("compress w --inputs x.npy --layers fc2 "+args)...)
		require.Equal(t, exitDone, status, stderr)
		if says == "" {
			assert.NotContains(t, stderr, "--test")
		}
		assert.Contains(t, stderr, says, args)
	}
}

// TestCompressInputs: feature maps are neurons in the file's order, tokens are datapoints,
// and other rows are as if the file had none but these.
func TestCompressInputs(t *testing.T) {
	x, _, labels := compressible(t)
	sizes := func(args string) []compressedJSON {
		t.Helper()
		return compressOf(t, strings.Fields("w --layers fc2,out --keep count(3) --quiet "+args)...).Sizes
	}
	want := sizes("--inputs x.npy --labels labels.npy")
	save(t, "maps.npy", x, 90, 1, 2, 3)
	assert.Equal(t, want, sizes("--inputs maps.npy --labels labels.npy"))
	_, _, stderr := call(t, strings.Fields("compress w --layers fc2 --inputs maps.npy")...)
	assert.Contains(t, stderr, "svcca: maps.npy: each of 6 values an image is a neuron, in the order of the file\n")

	saveShape(t, "tokens.npy", x.Data, 30, 3, 6)
	sentence, tokens := make([]int, 30), make([]int, 90)
	for i := range sentence {
		sentence[i] = labels[i]
		tokens[3*i], tokens[3*i+1], tokens[3*i+2] = labels[i], labels[i], labels[i]
	}
	saveIndices(t, "sentence.npy", sentence)
	saveIndices(t, "each.npy", tokens)
	assert.Equal(t, sizes("--inputs x.npy --labels each.npy --test 9:15"), sizes("--inputs tokens.npy --labels sentence.npy --test 3:5"))

	some := []int{3, 80, 4, 41, 5, 9, 26, 53, 58, 7, 0, 1, 2, 60, 61, 62, 63}
	saveIndices(t, "some.npy", some)
	save(t, "few.npy", rowsOf(x, some, interval(0, 6)))
	var few []int
	for _, i := range some {
		few = append(few, labels[i])
	}
	saveIndices(t, "fewlabels.npy", few)
	assert.Equal(t, sizes("--inputs few.npy --labels fewlabels.npy"), sizes("--inputs x.npy --labels labels.npy --datapoints @some.npy"))
	save(t, "hole.npy", holed(x, map[[2]int]float64{{88, 2}: math.NaN(), {20, 1}: math.Inf(1)}))
	without := slices.DeleteFunc(interval(0, 90), func(i int) bool { return i == 88 || i == 20 })
	saveIndices(t, "some.npy", without)
	assert.Equal(t, sizes("--inputs x.npy --labels labels.npy --datapoints @some.npy"), sizes("--inputs hole.npy --labels labels.npy --nonfinite drop"))

	// Another network's layers in another order, by ids; weights of datapoints.
	backwards := lapack.New[float64](90, 8)
	var ids, reversed []int
	for i := range 90 {
		copy(backwards.Row(i), load(t, "b/fc1.npy").Row(89-i))
		ids, reversed = append(ids, i), append(reversed, 89-i)
	}
	save(t, "back.npy", backwards)
	saveIndices(t, "ids.npy", ids)
	saveIndices(t, "reversed.npy", reversed)
	one := func(args string) compressedJSON {
		j := compressOf(t, strings.Fields("w --layers fc2 --keep count(3) --quiet --inputs x.npy --labels labels.npy "+args)...)
		j.Sizes[0].Layers[0].Against = ""
		return j.Sizes[0]
	}
	assert.Equal(t, one("--against b"), one("--against back.npy --ids ids.npy --ids reversed.npy"))
	ones := lapack.New[float64](90, 1)
	for i := range ones.Data {
		ones.Data[i] = 1
	}
	save(t, "ones.npy", ones, 90)
	assert.Equal(t, one("--against b"), one("--against b --weights ones.npy"))
}

// TestCompressOrder: a part of a network is one.
func TestCompressOrder(t *testing.T) {
	x, net, _ := compressible(t)
	save(t, "h.npy", activated(forward(x, net[:1]...)))
	part := compressOf(t, strings.Fields("w --inputs h.npy --order fc2,out --layers fc2 --against b/fc1.npy --keep count(3) -o part")...)
	compressOf(t, strings.Fields("w --inputs x.npy --layers fc2 --against b/fc1.npy --keep count(3) -o all")...)
	assert.Equal(t, 8*7+7+7*3+3, part.Before.Parameters)
	assert.Equal(t, []string{"fc2_down_w.npy", "fc2_up_b.npy", "fc2_up_w.npy", "out_b.npy", "out_w.npy", "provenance.json"}, listing(t, "part"))
	assert.InDeltaSlice(t, load(t, "all/fc2_down_w.npy").Data, load(t, "part/fc2_down_w.npy").Data, 1e-12)
}

// TestCompressMisused: each mistake is named before any work.
func TestCompressMisused(t *testing.T) {
	compressible(t)
	save(t, "short.npy", gaussian(1, 89, 8))
	save(t, "narrow.npy", gaussian(1, 90, 5))
	save(t, "constant.npy", lapack.New[float64](90, 8))
	save(t, "hole.npy", holed(load(t, "x.npy"), map[[2]int]float64{{88, 2}: math.NaN()}))
	mkdir(t, "there")
	mkdir(t, "only")
	save(t, "only/fc1.npy", gaussian(1, 90, 8))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"", exitMisused, "one directory or archive of weights is needed, 0 given"},
		{"w", exitMisused, "--inputs FILE is needed"},
		{"w --inputs x.npy", exitMisused, "--layers A,B,… is needed"},
		{"w --inputs x.npy --layers fc3", exitMisused, "--layers fc3: the network has no layer of that name: did you mean fc1?"},
		{"w --inputs x.npy --layers out,fc2", exitMisused, "--layers: fc2 is not behind out"},
		{"w --inputs x.npy --layers fc2,fc2", exitMisused, "--layers: fc2 is not behind fc2"},
		{"w --inputs x.npy --layers fc2 --order fc2,fc1", exitFailed, "w/fc2_w.npy takes 8 neurons, and x.npy gives 6"},
		{"w --inputs x.npy --layers fc2 --size 0.35", exitMisused, "want all, neurons(0.35) or parameters(0.35)"},
		{"w --inputs x.npy --layers fc2 --size neurons(0.1,2)", exitMisused, "want more than 0, at most 1"},
		{"w --inputs x.npy --layers fc2 --size neurons(0.1,0.1)", exitMisused, "neurons(0.1) is there twice"},
		{"w --inputs x.npy --layers fc2 --size parameters(0.01)", exitFailed, "layer fc2: parameters(0.01) of a layer of 8 × 7 leaves no direction"},
		{"w --inputs x.npy --layers fc2 --from start", exitMisused, "compressed or original expected"},
		{"w --inputs x.npy --layers fc2 --centering translated", exitMisused, "--centering translated is for"},
		{"w --inputs x.npy --layers fc2 --neurons 1:3", exitMisused, "--neurons does not go with compress"},
		{"w --inputs x.npy --layers fc2 --labels a --targets b", exitMisused, "--labels and --targets"},
		{"w --inputs x.npy --layers fc2 --hashes", exitMisused, "--hashes is for what is written"},
		{"w --inputs x.npy --layers fc2 -o c.svg", exitMisused, "-o c.svg: a picture is of several sizes"},
		{"w --inputs x.npy --layers fc2 --size neurons(0.5,0.6) -o small", exitMisused, "-o small: weights are written for one --size, 2 are given"},
		{"w --inputs x.npy --layers fc2 -o small.npy", exitMisused, "-o small.npy: a name that ends with / for a directory of weights"},
		{"w --inputs x.npy --layers fc2 -o -", exitMisused, "-o -: "},
		{"w --inputs x.npy --layers fc2 -o a -o a/", exitMisused, "-o a/ is given twice"},
		{"w --inputs x.npy --layers fc2 -o there", exitFailed, "there exists: give another name, or --force to overwrite it"},
		{"w --inputs x.npy --layers fc2 -o no/small", exitFailed, "no/small: there is no directory no to write it to"},
		{"w --inputs x.npy --layers fc2 -o b --force", exitFailed, "b holds fc1.npy, which was not written with it"},
		{"w --inputs x.npy --layers fc2 -o w --force", exitFailed, "w holds w/fc1_w.npy, which is read by this command"},
		{"w --inputs x.npy --layers fc2 --datapoints 0:50 --test 80:91", exitFailed, "x.npy has 90 datapoints: --test 80:91 reaches beyond them"},
		{"w --inputs narrow.npy --layers fc2", exitFailed, "w/fc1_w.npy takes 6 neurons, and narrow.npy gives 5"},
		{"w --inputs x.npy --layers fc2 --against short.npy", exitFailed, "short.npy has 89 datapoints, x.npy 90"},
		{"w --inputs x.npy --layers fc1 --against b", exitMisused, "--against b: fc1 takes the network's inputs, which are no layer"},
		{"w --inputs x.npy --layers fc2,out --against only", exitFailed, "only has no fc2, which enters out"},
		{"w --inputs x.npy --layers out --against b/fc1.npy,b/fc2.npy", exitMisused, "--against names 2 files, --layers 1 layers"},
		{"w --inputs x.npy --layers fc2 --against constant.npy", exitFailed, "constant"},
		{"w --inputs hole.npy --layers fc2", exitFailed, "hole.npy: datapoint 88, neuron 2 (counted from 0) is NaN"},
		{"w --inputs hole.npy --layers fc2 --datapoints 9:80 --test 80:", exitFailed, "hole.npy: datapoint 88, neuron 2 (counted from 0) is NaN"},
		{"w --inputs xx.npy --layers fc2", exitFailed, "xx.npy: no such file: did you mean x.npy?"},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"compress"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		assert.Contains(t, stderr, c.says, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
	}
	assert.Equal(t, []string{"fc1.npy", "fc2.npy"}, listing(t, "b"))
	assert.Empty(t, listing(t, "there"))
	require.Equal(t, exitDone, first(call(t, strings.Fields("compress w --inputs x.npy --layers fc2 -o there --force")...)), "nothing is lost")
}

// TestReferenceCompress: k, parameters and right answers are those of the reference.
func TestReferenceCompress(t *testing.T) {
	var e struct {
		Before struct{ Train, Test int } `json:"right_before"`
		Size   int                       `json:"parameters_before"`
		Cases  []struct {
			Against, Rule, Reading string
			KX, KY, K, Parameters  int
			Train                  int `json:"right_train"`
			Test                   int `json:"right_test"`
		}
	}
	reference.Expected(t, "compress_digits", &e)
	require.Len(t, e.Cases, 8)
	folder := filepath.Join(reference.Folder(t), "digits")
	in := func(name string) string { return filepath.Join(folder, name) }
	right := func(j judgedJSON) int { return int(math.Round(j.Value * float64(j.Datapoints))) }
	for _, c := range e.Cases {
		rule, _, _ := strings.Cut(c.Reading, ":")
		j := compressOf(t, in("a/weights"), "--inputs", in("a/fc2.npy"), "--order", "fc3,logits", "--layers", "fc3", "--against", in(strings.TrimPrefix(c.Against, "digits/")+".npy"),
			"--keep", c.Rule, "--size", rule+"(0.35)", "--datapoints", "@"+in("train.npy"), "--test", "@"+in("test.npy"), "--labels", in("labels.npy"), "--quiet")
		assert.Equal(t, []int{e.Before.Train, e.Before.Test}, []int{right(j.Before.Judged[0]), right(j.Before.Judged[1])})
		s := j.Sizes[0]
		l := s.Layers[0]
		what := fmt.Sprintf("%s, %s, %s", c.Against, c.Rule, rule)
		assert.Equal(t, []int{c.KX, c.KY, c.K, min(c.KX, c.KY)}, []int{l.KX, l.KY, l.K, l.M}, what)
		assert.Equal(t, []int{e.Size, c.Parameters}, []int{l.Before.Parameters, l.After.Parameters}, what)
		assert.Equal(t, c.Parameters+64*10+10, s.Parameters, what)
		assert.Equal(t, []int{c.Train, c.Test}, []int{right(s.Judged[0]), right(s.Judged[1])}, what)
	}
	// The whole network from its images, against its own outputs.
	j := compressOf(t, in("a/weights"), "--inputs", in("images.npy"), "--layers", "fc3", "--keep", "rank", "--size", "neurons(0.35)",
		"--datapoints", "@"+in("train.npy"), "--test", "@"+in("test.npy"), "--labels", in("labels.npy"), "--quiet")
	assert.Equal(t, 10, j.Sizes[0].Layers[0].K)
	assert.Equal(t, []int{1257, 523}, []int{right(j.Sizes[0].Judged[0]), right(j.Sizes[0].Judged[1])}, "as against the file of logits")
}

// TestNumpyReadsCompressed: the weights that are written give in numpy the right answers
// that the command counted.
func TestNumpyReadsCompressed(t *testing.T) {
	digits, small := filepath.Join(reference.Folder(t), "digits"), filepath.Join(t.TempDir(), "small")
	in := func(name string) string { return filepath.Join(digits, name) }
	j := compressOf(t, in("a/weights"), "--inputs", in("images.npy"), "--layers", "fc2,fc3", "--keep", "count(12)", "--against", in("b"),
		"--datapoints", "@"+in("train.npy"), "--test", "@"+in("test.npy"), "--labels", in("labels.npy"), "-o", small, "--quiet")
	judged := j.Sizes[0].Judged
	numpy(t, `
import sys, numpy as np
digits, small, want = sys.argv[1], sys.argv[2] + "/", [float(v) for v in sys.argv[3:]]
load = lambda name: np.load(small + name + ".npy")
h = np.maximum(np.load(digits + "/images.npy") @ load("fc1_w") + load("fc1_b"), 0)
for name in ("fc2", "fc3"):
    assert load(name + "_down_w").shape[1] == 12 and load(name + "_up_b").ndim == 1
    h = np.maximum(h @ load(name + "_down_w") @ load(name + "_up_w") + load(name + "_up_b"), 0)
right = (h @ load("logits_w") + load("logits_b")).argmax(1) == np.load(digits + "/labels.npy")
got = [right[np.load(digits + "/" + rows + ".npy")].mean() for rows in ("train", "test")]
assert np.allclose(got, want, rtol=1e-14, atol=0) and 0.5 < want[1] < 1, (got, want)
`, digits, small, fmt.Sprint(judged[0].Value), fmt.Sprint(judged[1].Value))
}

// FuzzSizes: text is sizes that say the same again, each once, or an error.
func FuzzSizes(f *testing.F) {
	for _, text := range []string{"all", "neurons(0.35)", "parameters(.1,0.2, 1)", "neurons()", "neurons(0.1", "parameters(NaN)", "count(3)", "neurons(1e-400)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s sizes
		if s.Set(text) != nil {
			return
		}
		require.NotEmpty(t, s)
		for i, size := range s {
			var again sizes
			require.NoError(t, again.Set(size.String()))
			require.Equal(t, sizes{size}, again)
			require.NotContains(t, s[:i], size)
		}
	})
}

// TestCompressASCII: a terminal without other letters gets none.
func TestCompressASCII(t *testing.T) {
	compressible(t)
	for _, args := range []string{"--size neurons(0.4,0.5)", "--keep count(2)", "--help"} {
		t.Setenv("LC_ALL", "C")
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitDone, run(t.Context(), strings.Fields("compress w --inputs x.npy --layers fc2 --labels labels.npy "+args), &stdout, &stderr))
		for _, r := range stdout.String() + stderr.String() {
			require.Less(t, r, rune(0x80), stdout.String()+stderr.String())
		}
	}
}

// TestTorchLoadsCompressed: PyTorch takes the weights into the modules that it calls as they
// are, and gives the right answers that the command counted.
func TestTorchLoadsCompressed(t *testing.T) {
	needsTorch(t)
	_, net, _ := compressible(t)
	for _, l := range net {
		turned := lapack.New[float64](l.w.Cols, l.w.Rows)
		turned.TransposeFrom(l.w)
		save(t, filepath.Join(mkdir(t, "torch"), l.name+".weight.npy"), turned)
		save(t, filepath.Join("torch", l.name+".bias.npy"), lapack.Of(len(l.b), 1, l.b), len(l.b))
	}
	j := compressOf(t, strings.Fields("torch --inputs x.npy --layers fc2 --keep count(3) --labels labels.npy -o small.npz")...)
	numpy(t, `
import sys, numpy as np, torch
from collections import OrderedDict
from torch import nn
small = np.load("small.npz")
model = nn.Sequential(OrderedDict(
    fc1=nn.Linear(6, 8), relu1=nn.ReLU(),
    fc2=nn.Sequential(OrderedDict(down=nn.Linear(8, 3, bias=False), up=nn.Linear(3, 7))), relu2=nn.ReLU(),
    out=nn.Linear(7, 3))).double()
model.load_state_dict({name: torch.from_numpy(small[name]) for name in small.files if name != "provenance.json"})
with torch.no_grad():
    right = model(torch.from_numpy(np.load("x.npy"))).argmax(1).numpy() == np.load("labels.npy")
assert right.mean() == float(sys.argv[1]), (right.mean(), sys.argv)
`, fmt.Sprint(j.Sizes[0].Judged[0].Value))
}
