package main

import (
	"archive/zip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrayOf is an array of an archive, as a .npy.
type arrayOf struct {
	name string
	data []byte
}

// npyOf returns a .npy of raw bytes.
func npyOf(descr, shape string, raw ...byte) []byte {
	if shape != "" {
		shape += ","
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
	data := append([]byte(npyMagic+"\x01\x00"), byte(len(head)), byte(len(head)>>8))
	return append(append(data, head...), raw...)
}

// saveNPZ writes an archive as numpy.savez or savez_compressed do.
func saveNPZ(t *testing.T, path string, method uint16, members ...arrayOf) string {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name + ".npy", Method: method})
		require.NoError(t, err)
		_, err = w.Write(m.data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return path
}

// saveTensors writes a .safetensors of float64.
func saveTensors(t *testing.T, path string, names []string, layers ...lapack.Matrix[float64]) string {
	t.Helper()
	head, data := map[string]any{}, []byte{}
	for i, m := range layers {
		begin := len(data)
		for _, v := range m.Data {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		head[names[i]] = map[string]any{"dtype": "F64", "shape": []int{m.Rows, m.Cols}, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(head)
	require.NoError(t, err)
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	require.NoError(t, os.WriteFile(path, append(file, data...), 0o600))
	return path
}

var oneToThree = npyOf("<i8", "3", append(make([]byte, 16), 1, 0, 0, 0, 0, 0, 0, 0)...)

// TestMembersAreLayers: wherever the same values lie, the answer is the same.
func TestMembersAreLayers(t *testing.T) {
	dir, x, y := pair(t)
	t.Chdir(dir)
	mx, my := gaussian(1, 60, 6), mixed(60, 6)
	saveNPZ(t, "a.npz", zip.Store, arrayOf{"x", npy(t, mx)}, arrayOf{"block[0]/y:0", npy(t, my)}, arrayOf{"ids", oneToThree})
	saveNPZ(t, "b.npz", zip.Deflate, arrayOf{"x", npy(t, mx)}, arrayOf{"y", npy(t, my)})
	saveNPZ(t, "only.npz", zip.Deflate, arrayOf{"y", npy(t, my)})
	saveTensors(t, "s.safetensors", []string{"x", "y"}, mx, my)
	require.NoError(t, os.Mkdir("d", 0o700))
	require.NoError(t, os.Link("only.npz", "d/only.npz"))

	want := compareJSON(t, x, y)
	for _, args := range [][]string{
		{"a.npz:x", "a.npz:block[0]/y:0"}, {"b.npz:x", "b.npz:y"}, {"b.npz:x", "only.npz"}, {"b.npz:x", "d"}, {"b.npz:x", "on*.npz"},
		{"s.safetensors:x", "s.safetensors:y"}, {x, "s.safetensors:y"},
	} {
		got := compareJSON(t, args...)
		checkSame(t, want, got)
	}

	for _, args := range [][]string{{"a.npz:x", "b.npz:y"}, {"only.npz", "only.npz"}} {
		status, _, stderr := call(t, append([]string{"moments", "-o", "xy.sums", "--force"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		_, stdout, _ := call(t, "moments", "xy.sums")
		assert.Contains(t, stdout, args[0])
	}
	status, _, stderr := call(t, "compare", "a.npz:x", "b.npz:y", "--directions", "xy.npz")
	require.Equal(t, exitDone, status, stderr)
	status, _, stderr = call(t, "project", "xy.npz", "s.safetensors:x", "--side", "x", "-k", "2", "-o", "p.npy")
	require.Equal(t, exitDone, status, stderr)
	status, stdout, stderr := call(t, "compare", "a.npz:x", "b.npz:y", "--dry-run")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "5.62 KiB on disk", "2 · 60 · 6 float64")
}

// TestMatrixOfArchives: an archive is all its layers.
func TestMatrixOfArchives(t *testing.T) {
	layers := nets(t)
	saveNPZ(t, "a.npz", zip.Deflate, arrayOf{"l10", npy(t, layers[1])}, arrayOf{"l2", npy(t, layers[0])},
		arrayOf{"ids", oneToThree}, arrayOf{"one", npyOf("<f4", "", 0, 0, 0, 0)}, arrayOf{"q", npyOf("|i1", "3", 1, 2, 3)}, arrayOf{"names", npyOf("<U1", "1", 'a', 0, 0, 0)})
	saveTensors(t, "b.safetensors", []string{"l1", "l2"}, layers[0], layers[1])
	m, stderr := matrixOf(t, "a.npz", "--against", "b.safetensors")
	assert.Equal(t, []string{"a.npz:l2", "a.npz:l10"}, sideNames(m.Rows))
	assert.Equal(t, []string{"b.safetensors:l1", "b.safetensors:l2"}, sideNames(m.Columns))
	assert.InDelta(t, 1, *m.Pairs[0][0].Mean, m.Pairs[0][0].ErrorBound)
	assert.InDelta(t, 1, *m.Pairs[1][1].Mean, m.Pairs[1][1].ErrorBound)
	for _, says := range []string{"a.npz:ids: elements are int64", "a.npz:names: elements are U1", "a.npz:q: elements are int8 without a scale", "a.npz:one: a single number"} {
		assert.Contains(t, stderr, "svcca: left out: "+says)
	}
	assert.Len(t, m.Skipped, 4)
	_, stderr = matrixOf(t, "a.npz", "--quiet")
	assert.Empty(t, stderr)

	// In a directory, by pattern and by name, each once.
	require.NoError(t, os.Mkdir("d", 0o700))
	for _, name := range []string{"a.npz", "b.safetensors"} {
		require.NoError(t, os.Rename(name, "d/"+name))
	}
	for _, args := range [][]string{{"d"}, {"d/*"}, {"d/*.{npz,safetensors}", "d/a.npz:l2"}, {"d/a.npz", "d/b.safetensors:l1", "d/b.safetensors:l2"}} {
		m, _ := matrixOf(t, args...)
		assert.Equal(t, []string{"d/a.npz:l2", "d/a.npz:l10", "d/b.safetensors:l1", "d/b.safetensors:l2"}, sideNames(m.Rows), args)
	}
	_, stdout, _ := call(t, "matrix", "d/a.npz", "--quiet")
	assert.Contains(t, stdout, "2 layers of d/a.npz with each other")

	status, stdout, stderr := call(t, "info", "d")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "d/a.npz:l10: 300 × ")
	assert.Contains(t, stderr, "no layer: d/a.npz:ids: elements are int64")
}

func TestMembersStatus(t *testing.T) {
	dir, x, _ := pair(t)
	t.Chdir(dir)
	saveNPZ(t, "a.npz", zip.Store, arrayOf{"fc1", npy(t, gaussian(1, 60, 6))}, arrayOf{"fc2", npy(t, gaussian(2, 60, 6))}, arrayOf{"ids", oneToThree})
	saveNPZ(t, "ids.npz", zip.Store, arrayOf{"ids", oneToThree}, arrayOf{"more", oneToThree})
	require.NoError(t, os.WriteFile("cut.npz", []byte("PK\x03\x04"), 0o600))
	require.NoError(t, os.WriteFile("x.pt", []byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), 0o600))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"compare a.npz " + x, exitFailed, `a.npz: the archive holds 3 arrays, "fc1", "fc2", "ids": name one after a colon, as in a.npz:fc1`},
		{"compare a.npz", exitMisused, "two files are needed"},
		{"compare a.npz:fc1", exitMisused, "two files are needed"},
		{"compare a.npz:fc3 " + x, exitFailed, `a.npz: no member "fc3"; the archive holds`},
		{"compare ab.npz:fc1 " + x, exitFailed, "ab.npz:fc1: no such file: did you mean a.npz:fc1?"},
		{"compare x.npy:fc1 " + x, exitFailed, "x.npy:fc1: x.npy is one array, without members: open it as x.npy"},
		{"compare a.npz:ids " + x, exitFailed, "a.npz:ids: elements are int64"},
		{"compare x.pt " + x, exitFailed, "x.pt: not a .npy file: this is a pickle, perhaps of PyTorch: convert it by python3 -c '"},
		{"compare a.npz:fc1 x.npy --directions a.npz --force", exitFailed, "a.npz is read by this command"},
		{"moments a.npz:fc1 -o a.npz --force", exitFailed, "a.npz is read by this command"},
		{"matrix a.npz -o a.npy --weights a.npz:ids", exitFailed, "a.npz:ids: elements are int64"},
		{"matrix ids.npz", exitFailed, `ids.npz: the archive holds 2 arrays, "ids", "more"`},
		{"matrix cut.npz x.npy", exitFailed, "cut.npz: damaged or cut off"},
		{"project a.npz a.npz:fc1 --side x -o p.npy", exitFailed, "a.npz"},
		{"moments a.npz", exitMisused, "-o OUT.sums is needed"},
	} {
		status, stdout, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, c.status, status, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Contains(t, stderr, c.says, c.args)
	}
	m, stderr := matrixOf(t, "cut.npz", "ids.npz", "a.npz", "--skip-bad")
	assert.Equal(t, []string{"a.npz:fc1", "a.npz:fc2"}, sideNames(m.Rows))
	assert.Contains(t, stderr, "left out: cut.npz: damaged")
}

// TestInt8 compares whole numbers of steps, in a file and in an archive, with the
// values that they stand for.
func TestInt8(t *testing.T) {
	t.Chdir(t.TempDir())
	m := gaussian(1, 60, 6)
	raw := make([]byte, len(m.Data))
	scale := []float64{0.5, 0.25, 0.125, 0.5, 1, 2}
	for i, v := range m.Data {
		q := math.RoundToEven(min(100, max(-100, 20*v)))
		raw[i] = byte(int8(q))
		m.Data[i] = (q - 3) * scale[i%6]
	}
	var scaleRaw []byte
	for _, s := range scale {
		scaleRaw = binary.LittleEndian.AppendUint64(scaleRaw, math.Float64bits(s))
	}
	require.NoError(t, os.Mkdir("d", 0o700))
	for name, data := range map[string][]byte{"q.npy": npyOf("|i1", "60, 6", raw...), "q.scale.npy": npyOf("<f8", "6", scaleRaw...), "q.zero_point.npy": npyOf("|i1", "1", 3)} {
		require.NoError(t, os.WriteFile(filepath.Join("d", name), data, 0o600))
	}
	saveNPZ(t, "q.npz", zip.Deflate, arrayOf{"q", npyOf("|i1", "60, 6", raw...)}, arrayOf{"q_scale", npyOf("<f8", "1, 6", scaleRaw...)}, arrayOf{"q.zero_point", npyOf("|u1", "1", 3)})
	save(t, "x.npy", m)
	save(t, "y.npy", mixed(60, 6))
	want := compareJSON(t, "x.npy", "y.npy", "--rank-tol", "float32")
	for _, x := range []string{"d/q.npy", "d", "q.npz", "q.npz:q"} {
		checkSame(t, want, compareJSON(t, x, "y.npy", "--rank-tol", "float32"))
		compareJSON(t, x, "y.npy")
	}
	_, stdout, _ := call(t, "compare", "d/q.npy", "q.npz", "--json", "--hashes")
	var made struct{ Inputs []inputJSON }
	require.NoError(t, json.Unmarshal([]byte(stdout), &made))
	require.Len(t, made.Inputs[0].Beside, 2)
	for i, file := range []string{"d/q.scale.npy", "d/q.zero_point.npy"} {
		data := read(t, file)
		assert.Equal(t, inputJSON{Name: file, Paths: []string{file}, Bytes: []int64{int64(len(data))},
			SHA256: []string{hex.EncodeToString(sha256Of(string(data)))}}, made.Inputs[0].Beside[i])
	}
	assert.Empty(t, made.Inputs[1].Beside, "the archive holds them")
	for _, file := range []string{"d/q.npy", "d/q.scale.npy", "d/q.zero_point.npy"} {
		status, _, stderr := call(t, "matrix", "d", "y.npy", "-o", file, "--force")
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, file+" is read by this command")
	}
	pane, stderr := matrixOf(t, "d", "q.npz", "y.npy")
	assert.Equal(t, []string{"d/q.npy", "q.npz", "y.npy"}, sideNames(pane.Rows))
	assert.Empty(t, stderr)
	status, _, stderr := call(t, "moments", "d", "-o", "q.sums")
	assert.Equal(t, exitDone, status, stderr)
	assert.Equal(t, "int8", headOf(t, "q.sums").Layers[0].Storage)
	_, _, stderr = call(t, "compare", "d/q.npy", "y.npy", "--transpose")
	assert.Contains(t, stderr, "the scale or zero point has 6 numbers, one for each datapoint: one expected, or one for each of the 60 neurons")
	require.NoError(t, os.WriteFile("w.npy", npyOf("|i1", "6, 60", raw...), 0o600))
	require.NoError(t, os.Rename("d/q.scale.npy", "w.scale.npy"))
	save(t, "d/q.scale.npy", gaussian(1, 5, 1))
	_, _, stderr = call(t, "compare", "d", "y.npy")
	assert.Contains(t, stderr, "d/q.scale.npy: 5 numbers: one expected, or one for each of the 6 neurons of d/q.npy")
	_, _, stderr = call(t, "compare", "w.npy", "y.npy")
	assert.Contains(t, stderr, "w.npy: its scale is one number for each of 6 datapoints: --transpose if the file holds neurons × datapoints")
	save(t, "z.npy", gaussian(1, 6, 60))
	status, _, stderr = call(t, "compare", "w.npy", "z.npy", "--transpose")
	assert.Equal(t, exitDone, status, stderr)
}

// TestHostileMembers: names in archives bring no escapes to a terminal.
func TestHostileMembers(t *testing.T) {
	dir, x, _ := pair(t)
	t.Chdir(dir)
	const name = "\x1b[31mfc\nqq"
	saveNPZ(t, "a.npz", zip.Store, arrayOf{name, npy(t, gaussian(1, 60, 6))}, arrayOf{name + "2", npy(t, gaussian(1, 6, 60))}, arrayOf{name + "3", oneToThree})
	for _, args := range [][]string{{"compare", "a.npz", x}, {"compare", "a.npz:" + name, x}, {"compare", "a.npz:" + name + "2", x}, {"compare", "a.npz:" + name + "3", x},
		{"compare", "a.npz:" + name + "4", x}, {"matrix", "a.npz", "--skip-bad"}, {"info", "a.npz"}, {"compare", "b.npz:" + name, x}} {
		_, stdout, stderr := call(t, args...)
		assert.NotContains(t, stdout+stderr, "\x1b")
		assert.NotContains(t, stdout+stderr, "\nqq")
		assert.Contains(t, stdout+stderr, `\x1b[31mfc\nqq`)
	}
}

func TestShortNamesOfMembers(t *testing.T) {
	for _, c := range []struct{ names, short, dir string }{
		{"a/x.npz:fc1 a/x.npz:fc2", "fc1 fc2", "a/x.npz"},
		{"a/x.npz:b/1 a/x.npz:b/2", "1 2", "a/x.npz:b/"},
		{"a/x.npz:1 a/y.npz:1", "x.npz:1 y.npz:1", "a/"},
		{"x.npz x.npy", "x x.npy", ""},
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
