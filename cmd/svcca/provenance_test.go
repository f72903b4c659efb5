package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// madeOf is provenance as a reader may take it, by the names of its fields alone.
type madeOf struct {
	Schema, Version, Module, Go string
	Command                     []string
	Inputs                      []describedInput
	With                        map[string]describedInput
	Parts                       []*madeOf
	Options                     map[string]any
	Selection                   struct {
		Steps []struct{ Flag, Value string }
	}
}

type describedInput struct {
	Name, Storage string
	Paths, SHA256 []string
	Shape         []int
	Bytes         []int64
}

func unmarshalMade(t *testing.T, data []byte) (m madeOf) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}

// madePython finds what made a file, and its arrays, by numpy and by the descriptions of
// formats; and checks that it is said of files as they are.
const madePython = `
import csv, hashlib, json, os, struct, sys
import numpy as np

def sha256(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()

def safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    assert length % 8 == 0
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    assert metadata["format"] == "svcca"
    arrays, at = {}, 0
    for name, t in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = t["data_offsets"]
        assert begin == at and t["dtype"] == "F64"
        at = end
        arrays[name] = np.frombuffer(data[8 + length + begin:8 + length + end], "<f8").reshape(t["shape"])
    assert at == len(data) - 8 - length
    return arrays, json.loads(metadata["provenance"])

def npz(path):
    with np.load(path) as f:
        arrays = {name: f[name] for name in f.files}
    made = arrays.pop("provenance.json")
    assert isinstance(made, bytes)
    return arrays, json.loads(made)

def beside(path):
    made = json.load(open(path + ".json"))
    file = made.pop("file")
    assert file == {"name": os.path.basename(path), "bytes": os.path.getsize(path), "sha256": sha256(path)}, file
    return made

def check(made, names, hashes=True):
    assert [i["name"] for i in made["inputs"]] == names, made["inputs"]
    for i in made["inputs"] + list(made.get("with", {}).values()):
        assert i["bytes"] == [os.path.getsize(p) for p in i["paths"]]
        assert ("sha256" in i) == hashes
        if hashes:
            assert i["sha256"] == [sha256(p) for p in i["paths"]]
        if len(i["paths"]) == 1 and i["name"].endswith(".npy") and (i in made["inputs"] or "shape" in i):
            x = np.load(i["name"])
            assert i["shape"] == list(x.shape) and i["storage"] == str(x.dtype), i
    assert made["command"][0] == "svcca" and made["go"].startswith("go") and made["version"]
    assert made["module"] == "github.com/gosvcca/gosvcca"
    assert made["backend"]["name"] in ("native", "purego")

def same(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()
`

// TestNumpyReadsMatrix: every file that matrix writes holds the numbers of its JSON, bit
// for bit, and says what made it.
func TestNumpyReadsMatrix(t *testing.T) {
	nets(t)
	require.NoError(t, os.Remove("a/layer2.npy"))
	shards(t, "a/layer2", gaussian(7, 300, 5), 100, 210)
	save(t, "w.npy", onesOf(300))
	status, _, stderr := call(t, strings.Fields("matrix a --against b --weights w.npy --hashes --keep count(3) --score weighted_x -o m.json -o m.csv -o m.npy -o m.npz -o m.SAFETENSORS")...)
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "svcca: wrote m.npz\nsvcca: wrote m.SAFETENSORS\n")
	numpy(t, madePython+`
m = json.load(open("m.json"))
rows, columns = ["a/layer1.npy", "a/layer2", "a/layer10.npy"], ["b/layer1.npy", "b/layer2.npy"]
value = lambda key: np.array([[p[key] for p in pairs] for pairs in m["pairs"]])
scores = value("weighted_x")
with open("m.csv", newline="") as f:
    table = list(csv.reader(f))
assert table[0][1:] == columns and [line[0] for line in table[1:]] == rows
assert same(np.array([[float(v) for v in line[1:]] for line in table[1:]]), scores)
assert same(np.load("m.npy"), scores)
a, inside = npz("m.npz")
assert same(a["scores"], scores) and same(a["chance"], value("chance"))
assert a["rows"].tolist() == rows and a["columns"].tolist() == columns
assert (a["k_x"] == [[s["k"]] * 2 for s in m["rows"]]).all() and (a["k_y"] == [[s["k"] for s in m["columns"]]] * 3).all()
assert a["k_x"].max() == 3
b, metadata = safetensors("m.SAFETENSORS")
assert sorted(b) == ["chance", "k_x", "k_y", "scores"] and all(same(a[name], b[name]) for name in b)
made = [m, beside("m.csv"), beside("m.npy"), inside, metadata]
assert made[1] == made[2] == made[3] == made[4]
for p in made:
    check(p, rows + columns)
    assert p["score"] == "weighted_x" and p["options"]["keep"] == "count(3)" and p["options"]["weights"]
    assert list(p["with"]) == ["weights"] and p["with"]["weights"]["name"] == "w.npy"
    assert len(p["inputs"][1]["paths"]) == 3 and p["inputs"][1]["storage"] == "float64" and p["inputs"][1]["shape"] == [300, 5]
assert made[1]["schema"] == "svcca.provenance/1" and made[1]["rows"] == rows and made[1]["columns"] == columns
`)
	require.Equal(t, exitDone, first(call(t, "matrix", "a", "-o", "n.npz", "--quiet")))
	numpy(t, madePython+`check(npz("n.npz")[1], ["a/layer1.npy", "a/layer2", "a/layer10.npy"], hashes=False)`)
}

// TestNumpyReadsTranslatedMatrix: under translations every pair has its own numbers of
// directions.
func TestNumpyReadsTranslatedMatrix(t *testing.T) {
	mapFiles(t)
	status, _, stderr := call(t, "matrix", "x.npy", "y.npy", "--conv", "dft", "-o", "m.json", "-o", "m.npz", "--quiet")
	require.Equal(t, exitDone, status, stderr)
	numpy(t, madePython+`
m = json.load(open("m.json"))
a, made = npz("m.npz")
check(made, ["x.npy", "y.npy"], hashes=False)
assert made["options"]["conv"] == "dft" and made["options"]["layout"] == "nhwc"
for name in "k_x", "k_y":
    assert (a[name] == [[p[name] for p in pairs] for pairs in m["translated"]]).all()
`)
}

func onesOf(n int) lapack.Matrix[float64] {
	m := lapack.New[float64](n, 1)
	for i := range m.Data {
		m.Data[i] = 1
	}
	return m
}

// TestNumpyReadsBothKindsOfDirections: .safetensors holds what .npz does.
func TestNumpyReadsBothKindsOfDirections(t *testing.T) {
	defer native.LimitThreads(1)()
	mapFiles(t)
	save(t, "u.npy", gaussian(1, 60, 6))
	save(t, "v.npy", mixed(60, 6))
	save(t, "w.npy", onesOf(60))
	for _, args := range [][]string{{"u.npy", "v.npy", "--weights", "w.npy"}, {"x.npy", "y.npy", "--conv", "dft", "--quiet"}} {
		for _, out := range []string{"d.npz", "d.safetensors"} {
			status, _, stderr := call(t, append([]string{"compare", "--hashes", "--force", "--directions", out}, args...)...)
			require.Equal(t, exitDone, status, stderr)
		}
		_, stdout, _ := call(t, append([]string{"compare", "--hashes", "--json"}, args...)...)
		require.NoError(t, os.WriteFile("c.json", []byte(stdout), 0o600))
		numpy(t, madePython+`
a, inside = npz("d.npz")
b, metadata = safetensors("d.safetensors")
assert sorted(a) == sorted(b) and "rho" in a and all(same(a[name], b[name]) for name in a)
answer = json.load(open("c.json"))
for made in inside, metadata, answer:
    check(made, sys.argv[1:3])
    made.pop("command")
assert inside == metadata
for key in inside:
    assert key == "schema" or inside[key] == answer[key], key
`, args...)
	}
}

// TestNumpyReadsProjection: what made it stands beside it.
func TestNumpyReadsProjection(t *testing.T) {
	dir, x, y := pair(t)
	t.Chdir(dir)
	require.Equal(t, exitDone, first(call(t, "compare", x, y, "--directions", "d.npz")))
	status, _, stderr := call(t, "project", "d.npz", "x.npy", "--side", "x", "-k", "2", "--hashes", "-o", "p.npy")
	require.Equal(t, exitDone, status)
	assert.Equal(t, "svcca: wrote p.npy; p.npy.json says what made it\n", stderr)
	numpy(t, madePython+`
made = beside("p.npy")
check(made, ["x.npy"])
assert made["with"]["directions"]["paths"] == ["d.npz"]
assert made["options"] == {"side": "x", "k": 2, "coordinates": False, "transpose": False}
d, x = np.load("d.npz"), np.load("x.npy")
p = d["x_mean"] + (x - d["x_mean"]) @ d["x_map"][:, :2] @ d["x_decoder"][:2]
assert np.abs(np.load("p.npy") - p).max() < 1e-13
`)
	status, _, stderr = call(t, "project", "d.npz", "x.npy", "--side", "x", "--hashes", "-o", "-")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "--hashes is for OUT.npy.json")
	status, _, stderr = call(t, "compare", x, y, "--hashes")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "--hashes is for what is written: --json, -o or --directions")
}

// TestProjectTakesBothKinds: directions give the same bits from either kind of file.
func TestProjectTakesBothKinds(t *testing.T) {
	defer native.LimitThreads(1)()
	dir, _, _ := pair(t)
	t.Chdir(dir)
	save(t, "narrow.npy", gaussian(3, 60, 4))
	for _, file := range []string{"d.npz", "d.safetensors"} {
		require.Equal(t, exitDone, first(call(t, "compare", "x.npy", "narrow.npy", "--directions", file)))
	}
	for side, data := range map[string]string{"x": "x.npy", "y": "narrow.npy"} {
		for _, more := range [][]string{{}, {"--coordinates", "-k", "2"}} {
			var out [2]string
			for i, file := range []string{"d.npz", "d.safetensors"} {
				var status int
				var stderr string
				status, out[i], stderr = call(t, append([]string{"project", file, data, "--side", side, "-o", "-"}, more...)...)
				require.Equal(t, exitDone, status, stderr)
			}
			assert.Equal(t, out[0], out[1])
		}
	}
	status, _, stderr := call(t, "project", "d.safetensors", "narrow.npy", "--side", "x", "-o", "p.npy")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "side y has 4")

	tensors := func(of ...any) {
		var b bytes.Buffer
		var list []activation.Tensor
		for i := 0; i < len(of); i += 2 {
			m := of[i+1].(lapack.Matrix[float64])
			list = append(list, activation.Tensor{Name: of[i].(string), Storage: "float64", Shape: []int{m.Rows, m.Cols}})
		}
		w, err := activation.NewSafetensorsWriter(&b, nil, list...)
		for i := 1; i < len(of) && err == nil; i += 2 {
			err = w.Write(of[i].(lapack.Matrix[float64]))
		}
		require.NoError(t, errors.Join(err, w.Close()))
		require.NoError(t, os.WriteFile("bad.safetensors", b.Bytes(), 0o600))
	}
	infinite := gaussian(1, 6, 2)
	infinite.Set(1, 1, math.Inf(1))
	for _, c := range []struct {
		of   []any
		says string
	}{
		{[]any{"x_map", gaussian(1, 6, 2)}, "no member \"x_mean\""},
		{[]any{"x_map", gaussian(1, 6, 2), "x_mean", gaussian(1, 5, 1), "x_decoder", gaussian(1, 2, 6)}, "x_mean must be 6 × 1 and is 5 × 1"},
		{[]any{"x_map", infinite, "x_mean", gaussian(1, 6, 1), "x_decoder", gaussian(1, 2, 6)}, "x_map[1, 1] is +Inf"},
		{[]any{"x_filters", gaussian(1, 6, 2)}, "filters of feature maps"},
	} {
		tensors(c.of...)
		status, _, stderr = call(t, "project", "bad.safetensors", "x.npy", "--side", "x", "-o", "p.npy")
		assert.Equal(t, exitFailed, status)
		assert.True(t, strings.HasPrefix(stderr, "svcca: bad.safetensors: "), stderr)
		assert.Contains(t, stderr, c.says)
		assert.NoFileExists(t, "p.npy")
	}
}

// TestMatrixReadsMatrix: what is written in archives is read from them, and members say
// of which file they are.
func TestMatrixReadsMatrix(t *testing.T) {
	nets(t)
	require.Equal(t, exitDone, first(call(t, "matrix", "a", "b", "-o", "m.npy", "-o", "m.npz", "-o", "m.safetensors")))
	want := load(t, "m.npy")
	for _, file := range []string{"m.npz", "m.safetensors"} {
		assert.Equal(t, want, load(t, file+":scores"))
		status, stdout, stderr := call(t, "matrix", file+":scores", file+":chance", "--keep", "rank", "--json", "--hashes", "--quiet")
		require.Equal(t, exitDone, status, stderr)
		sum := hex.EncodeToString(sha256Of(string(read(t, file))))
		made := unmarshalMade(t, []byte(stdout))
		require.Len(t, made.Inputs, 2)
		for i, member := range []string{":scores", ":chance"} {
			assert.Equal(t, describedInput{file + member, "float64", []string{file + member}, []string{sum}, []int{5, 5}, []int64{int64(len(read(t, file)))}}, made.Inputs[i])
		}
	}
}

// TestNumpyReadsSelections: what selects is described with what it selects from, which
// is told as it is stored.
func TestNumpyReadsSelections(t *testing.T) {
	dir, _, _ := pair(t)
	t.Chdir(dir)
	saveMask(t, "mask.npy", func(i int) bool { return i%4 != 1 }, 60)
	for _, name := range []string{"x.txt", "y.txt"} {
		var ids strings.Builder
		for i := range 60 {
			fmt.Fprintln(&ids, "id", i)
		}
		require.NoError(t, os.WriteFile(name, []byte(ids.String()), 0o600))
	}
	status, stdout, stderr := call(t, strings.Fields("compare x.npy y.npy --ids *.txt --mask mask.npy --datapoints 3: --neurons 1:5 --hashes --json --quiet --directions d.npz")...)
	require.Equal(t, exitDone, status, stderr)
	require.NoError(t, os.WriteFile("c.json", []byte(stdout), 0o600))
	require.Equal(t, exitDone, first(call(t, strings.Fields("project d.npz x.npy --side x --mask mask.npy --neurons 1:5 --hashes -o p.npy")...)))
	require.Equal(t, exitDone, first(call(t, strings.Fields("moments x.npy y.npy --mask mask.npy --hashes -o s.sums")...)))
	require.NoError(t, os.WriteFile("s.json", headOf(t, "s.sums").Provenance, 0o600))
	numpy(t, madePython+`
answer, inside, beside_p, sums = json.load(open("c.json")), npz("d.npz")[1], beside("p.npy"), json.load(open("s.json"))
for made, names, files, flags in (answer, ["x.npy", "y.npy"], ["ids", "mask"], ["ids", "datapoints", "mask", "neurons"]), \
        (inside, ["x.npy", "y.npy"], ["ids", "mask"], ["ids", "datapoints", "mask", "neurons"]), \
        (beside_p, ["x.npy"], ["directions", "mask"], ["mask", "neurons"]), (sums, ["x.npy", "y.npy"], ["mask"], ["mask"]):
    check(made, names)
    assert sorted(made["with"]) == files, made["with"]
    assert made["with"]["mask"]["paths"] == ["mask.npy"]
    assert [s["flag"] for s in made["selection"]["steps"]] == flags, made["selection"]
assert answer["with"]["ids"]["paths"] == ["x.txt", "y.txt"]
`)
}

// TestSumsSayWhatMadeThem: sums say of what rows they are, however they were merged, and
// so do those who use them.
func TestSumsSayWhatMadeThem(t *testing.T) {
	dir, x, y := pair(t)
	t.Chdir(dir)
	sum := func(args ...string) {
		t.Helper()
		status, _, stderr := call(t, append([]string{"moments"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
	}
	sum("x.npy", "y.npy", "-o", "1.sums", "--datapoints", ":20", "--hashes")
	sum("x.npy", "y.npy", "-o", "2.sums", "--datapoints", "20:30", "--weights", save(t, "w.npy", onesOf(60)))
	standardInput(t, npy(t, gaussian(3, 5, 12)))
	sum("-", "--split", "6", "-o", "3.sums")
	made := func(path string) madeOf { return unmarshalMade(t, headOf(t, path).Provenance) }
	one, two, three := made("1.sums"), made("2.sums"), made("3.sums")
	assert.Equal(t, "svcca.provenance/1", one.Schema)
	sha := sha256.Sum256(read(t, x))
	assert.Equal(t, describedInput{"x.npy", "float64", []string{"x.npy"}, []string{hex.EncodeToString(sha[:])}, []int{60, 6}, []int64{128 + 60*6*8}}, one.Inputs[0])
	assert.Equal(t, map[string]any{"datapoints": 20.0, "method": "moments", "precision": "float64", "transpose": false, "weights": false}, one.Options)
	assert.Equal(t, 10.0, two.Options["datapoints"])
	assert.Equal(t, "20:30", two.Selection.Steps[0].Value)
	assert.Equal(t, "w.npy", two.With["weights"].Name)
	assert.Equal(t, []describedInput{{Name: "-", Storage: "float64", Paths: []string{}}}, three.Inputs)
	assert.Equal(t, 6.0, three.Options["split"])

	// Sums of older versions do not say.
	p, err := os.ReadFile("1.sums")
	require.NoError(t, err)
	s, _, err := decodeSums(p)
	require.NoError(t, err)
	old, err := s.of.MarshalBinary()
	require.NoError(t, err)
	assert.NotContains(t, string(old), "provenance")
	require.NoError(t, os.WriteFile("old.sums", old, 0o600))
	sum("--merge", "2.sums", "old.sums", "-o", "ab.sums")
	sum("--merge", "ab.sums", "3.sums", "-o", "all.sums", "--hashes")
	all := made("all.sums")
	require.Len(t, all.Parts, 3)
	assert.Equal(t, two.Command, all.Parts[0].Command)
	assert.Nil(t, all.Parts[1])
	assert.Equal(t, three.Command, all.Parts[2].Command)
	assert.Equal(t, []string{"ab.sums", "3.sums"}, []string{all.Inputs[0].Name, all.Inputs[1].Name})
	assert.Len(t, all.Inputs[0].SHA256, 1)

	_, stdout, _ := call(t, "compare", "all.sums", "--json", "--quiet")
	c := unmarshalMade(t, []byte(stdout))
	assert.Equal(t, "all.sums", c.Inputs[0].Name)
	assert.Equal(t, all.Parts, c.Parts)
	_, stdout, _ = call(t, "compare", "1.sums", "--json", "--quiet")
	assert.Equal(t, []*madeOf{&one}, unmarshalMade(t, []byte(stdout)).Parts)
	status, stdout, _ := call(t, "compare", "old.sums", "--json", "--quiet")
	require.Equal(t, exitDone, status)
	assert.Equal(t, []*madeOf{nil}, unmarshalMade(t, []byte(stdout)).Parts)

	// The same rows are not merged twice, whatever is said of them.
	sum(x, y, "-o", "again.sums", "--datapoints", ":20")
	status, _, stderr := call(t, "moments", "--merge", "1.sums", "again.sums", "-o", "twice.sums")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "again.sums holds the same sums as 1.sums")
}

// TestMergesStayFlat: sums that grow by merging, file by file, nest nothing.
func TestMergesStayFlat(t *testing.T) {
	dir, _, _ := pair(t)
	t.Chdir(dir)
	require.Equal(t, exitDone, first(call(t, "moments", "x.npy", "-o", "0.sums", "--datapoints", ":10")))
	acc := "0.sums"
	for _, from := range []string{"10:20", "20:30", "30:40"} {
		require.Equal(t, exitDone, first(call(t, "moments", "x.npy", "-o", "n.sums", "--force", "--datapoints", from)))
		require.Equal(t, exitDone, first(call(t, "moments", "--merge", acc, "n.sums", "-o", from+".sums")))
		acc = from + ".sums"
	}
	m := unmarshalMade(t, headOf(t, acc).Provenance)
	var rows []string
	for _, part := range m.Parts {
		assert.Empty(t, part.Parts)
		rows = append(rows, part.Selection.Steps[0].Value)
	}
	assert.Equal(t, []string{":10", "10:20", "20:30", "30:40"}, rows)
}

// outputsOf are commands and the files that each writes.
var outputsOf = []struct {
	args  string
	files []string
}{
	{"matrix x.npy y.npy --hashes --quiet -o out/m.json", []string{"m.json"}},
	{"matrix x.npy y.npy --hashes --quiet -o out/m.csv", []string{"m.csv", "m.csv.json"}},
	{"matrix x.npy y.npy --hashes --quiet -o out/m.npy", []string{"m.npy", "m.npy.json"}},
	{"matrix x.npy y.npy --hashes --quiet -o out/m.npz", []string{"m.npz"}},
	{"matrix x.npy y.npy --hashes --quiet -o out/m.safetensors", []string{"m.safetensors"}},
	{"compare x.npy y.npy --hashes --quiet --directions out/d.npz", []string{"d.npz"}},
	{"compare x.npy y.npy --hashes --quiet --directions out/d.safetensors", []string{"d.safetensors"}},
	{"project d.npz x.npy --side x --hashes --quiet -o out/p.npy", []string{"p.npy", "p.npy.json"}},
	{"project d.npz x.npy --side x --head net --hashes --quiet -o out/c.json", []string{"c.json"}},
	{"project d.npz x.npy --side x --head net --hashes --quiet -o out/c.csv", []string{"c.csv", "c.csv.json"}},
	{"compress net --inputs x.npy --layers fc2 --hashes --quiet -o out/s.npz", []string{"s.npz"}},
	{"compress net --inputs x.npy --layers fc2 --hashes --quiet -o out/s.csv", []string{"s.csv", "s.csv.json"}},
	{"moments x.npy y.npy --hashes --quiet -o out/s.sums", []string{"s.sums"}},
	{"moments --merge 1.sums 2.sums --hashes --quiet -o out/s.sums", []string{"s.sums"}},
}

// outputDir changes to a directory with what the commands of outputsOf read, and with
// one for what they write.
func outputDir(t *testing.T) {
	dir, _, _ := pair(t)
	t.Chdir(dir)
	require.Equal(t, exitDone, first(call(t, "compare", "x.npy", "y.npy", "--directions", "d.npz")))
	require.Equal(t, exitDone, first(call(t, "moments", "x.npy", "-o", "1.sums", "--datapoints", ":30")))
	require.Equal(t, exitDone, first(call(t, "moments", "x.npy", "-o", "2.sums", "--datapoints", "30:")))
	saveNet(t, "net", tailNet()...)
	require.NoError(t, os.Mkdir("out", 0o700))
}

// TestOutputsRepeat: the same command on the same files writes the same bytes. One
// thread, as the bits of a product depend on how many.
func TestOutputsRepeat(t *testing.T) {
	defer native.LimitThreads(1)()
	outputDir(t)
	for _, c := range outputsOf {
		var before map[string][]byte
		for range 2 {
			status, _, stderr := call(t, strings.Fields(c.args)...)
			require.Equal(t, exitDone, status, stderr)
			now := map[string][]byte{}
			for _, name := range listing(t, "out") {
				now[name] = read(t, filepath.Join("out", name))
				remove(t, filepath.Join("out", name))
			}
			require.Len(t, now, len(c.files))
			if before != nil {
				assert.Equal(t, before, now, c.args)
			}
			before = now
		}
		for _, name := range c.files {
			assert.Contains(t, before, name)
		}
	}
}

// TestOutputsInTheWay: where any of the files is there already, none is written, unless
// by force, and then all are.
func TestOutputsInTheWay(t *testing.T) {
	outputDir(t)
	for _, c := range outputsOf {
		for _, there := range c.files {
			path := filepath.Join("out", there)
			require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
			status, _, stderr := call(t, strings.Fields(c.args)...)
			assert.Equal(t, exitFailed, status, c.args)
			assert.Equal(t, "svcca: "+path+" exists: give another name, or --force to overwrite it\n", stderr)
			assert.Equal(t, []string{there}, listing(t, "out"))
			assert.Equal(t, "old", string(read(t, path)))
			status, _, stderr = call(t, append(strings.Fields(c.args), "--force")...)
			require.Equal(t, exitDone, status, stderr)
			assert.Equal(t, c.files, listing(t, "out"))
			assert.NotEqual(t, "old", string(read(t, path)))
			for _, name := range c.files {
				remove(t, filepath.Join("out", name))
			}
		}
	}
}

// TestNoteOfNoFile: where a file cannot take its place, its note does not stay.
func TestNoteOfNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	out, err := newNotedTarget("m.npy", true)
	require.NoError(t, err)
	fill := func(text string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}
	}
	require.Error(t, out.writeNoted(provenance{}, func(w io.Writer) error {
		require.NoError(t, os.MkdirAll("m.npy/sub", 0o700))
		return fill("new")(w)
	}))
	assert.Equal(t, []string{"m.npy"}, listing(t, "."))
	require.NoError(t, os.RemoveAll("m.npy"))

	failed := errors.New("failed")
	assert.ErrorIs(t, out.writeNoted(provenance{}, func(w io.Writer) error { return errors.Join(fill("new")(w), failed) }), failed)
	assert.Empty(t, listing(t, "."))

	// Somebody is faster.
	out.force, out.note.force = false, false
	for _, name := range []string{"m.npy", "m.npy.json"} {
		err := out.writeNoted(provenance{}, func(w io.Writer) error {
			require.NoError(t, os.WriteFile(name, []byte("theirs"), 0o600))
			return fill("ours")(w)
		})
		assert.ErrorContains(t, err, name+" exists")
		assert.Equal(t, []string{name}, listing(t, "."))
		assert.Equal(t, "theirs", string(read(t, name)))
		remove(t, name)
	}
	require.NoError(t, out.writeNoted(provenance{}, fill("ours")))
	var note provenance
	require.NoError(t, json.Unmarshal(read(t, "m.npy.json"), &note))
	assert.Equal(t, describedFile{"m.npy", 4, hex.EncodeToString(sha256Of("ours"))}, *note.File)
}

func sha256Of(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// TestHashesOfWhatWasRead: a file that changes at any moment either makes no result, or
// what is said of it is what was compared: the whole answer is one of before or after.
func TestHashesOfWhatWasRead(t *testing.T) {
	defer native.LimitThreads(1)()
	dir, x, _ := pair(t)
	t.Chdir(dir)
	data, other := read(t, x), npy(t, gaussian(9, 60, 6))
	for _, args := range [][]string{{"compare", "x.npy", "y.npy", "--hashes", "--json"}, {"matrix", "y.npy", "x.npy", "--hashes", "--json", "--quiet", "--threads", "1"}} {
		answers := map[string]int{}
		for _, of := range [][]byte{data, other} {
			require.NoError(t, os.WriteFile(x, of, 0o600))
			status, stdout, stderr := call(t, args...)
			require.Equal(t, exitDone, status, stderr)
			assert.Contains(t, stdout, hex.EncodeToString(sha256Of(string(of))))
			answers[stdout] = 0
		}
		require.Len(t, answers, 2)
		caught := 0
		for look := int64(1); ; look++ {
			require.NoError(t, os.WriteFile(x, data, 0o600))
			sprung := false
			ctx := &trap{Context: t.Context(), do: func() {
				sprung = true
				require.NoError(t, os.WriteFile(x, other, 0o600))
				later := time.Now().Add(time.Duration(look) * time.Second) // whatever the clock's tick
				require.NoError(t, os.Chtimes(x, later, later))
			}}
			ctx.left.Store(look)
			var stdout, stderr bytes.Buffer
			if run(ctx, args, &stdout, &stderr) == exitDone {
				require.Contains(t, answers, stdout.String())
				answers[stdout.String()]++
			} else {
				caught++
				require.Contains(t, stderr.String(), "x.npy: file changed while it was read")
			}
			if !sprung {
				break
			}
		}
		t.Logf("%d caught, %v", caught, slices.Collect(maps.Values(answers)))
		assert.Greater(t, caught, 2, args)
	}
}

// TestDescribedOnce: a file that comes many times is hashed once.
func TestDescribedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(path, []byte("abc"), 0o600))
	d := &describer{hashes: true}
	in, err := d.describe(t.Context(), "x", path, path)
	require.NoError(t, err)
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-4
	assert.Equal(t, []string{abc, abc}, in.SHA256)
	require.NoError(t, os.WriteFile(path, []byte("abd"), 0o600))
	in, err = d.describe(t.Context(), "x", path)
	require.NoError(t, err)
	assert.Equal(t, []string{abc}, in.SHA256)
	_, err = (&describer{}).describe(t.Context(), "x", path+"absent")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
