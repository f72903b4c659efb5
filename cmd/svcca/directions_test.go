package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T, path string) lapack.Matrix[float64] {
	t.Helper()
	f, err := activation.Open(path)
	require.NoError(t, err)
	defer f.Close()
	n, d := f.Dims()
	m := lapack.New[float64](n, d)
	require.NoError(t, f.Read(m, 0, 0))
	return m
}

// TestProject: directions that went through a file give the bits that they gave
// in memory. One thread, as the bits of a product depend on how many.
func TestProject(t *testing.T) {
	defer native.LimitThreads(1)()
	dir, x, y := pair(t)
	out := filepath.Join(dir, "d.npz")
	status, _, stderr := call(t, "compare", x, y, "--directions", out)
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "svcca: wrote "+out)

	fx, err := activation.Open(x)
	require.NoError(t, err)
	fy, err := activation.Open(y)
	require.NoError(t, err)
	c, err := svcca.Between(fx, fy, svcca.Options{})
	require.NoError(t, err)
	test := save(t, filepath.Join(dir, "test.npy"), gaussian(5, 33, 6))
	layer, err := activation.Open(test)
	require.NoError(t, err)
	for side, d := range map[string]*svcca.Directions{"x": c.X.Directions, "y": c.Y.Directions} {
		for _, k := range []int{1, 3, 6} {
			p := filepath.Join(dir, fmt.Sprint("p", side, k, ".npy"))
			status, stdout, stderr := call(t, "project", out, test, "--side", side, "--k", fmt.Sprint(k), "-o", p)
			require.Equal(t, exitDone, status, stderr)
			assert.Empty(t, stdout)
			var want []float64
			require.NoError(t, d.Project(layer, k, func(block lapack.Matrix[float64]) error {
				want = append(want, block.Clone().Data...)
				return nil
			}))
			assert.Equal(t, want, load(t, p).Data)

			p = filepath.Join(dir, fmt.Sprint("c", side, k, ".npy"))
			status, _, stderr = call(t, "project", out, test, "--side", side, "-k", fmt.Sprint(k), "-o", p, "--coordinates", "--quiet")
			require.Equal(t, exitDone, status)
			assert.Empty(t, stderr)
			aligned, err := d.Align(layer, k)
			require.NoError(t, err)
			assert.Equal(t, aligned.Data, load(t, p).Data)

			status, stdout, _ = call(t, "project", out, test, "--side", side, "-k", fmt.Sprint(k), "-o", "-", "--coordinates")
			require.Equal(t, exitDone, status)
			file, err := os.ReadFile(p)
			require.NoError(t, err)
			assert.Equal(t, string(file), stdout)
		}
	}
	// All directions are the default, and turned data are the same data.
	turned := lapack.New[float64](6, 33)
	turned.TransposeFrom(gaussian(5, 33, 6))
	save(t, filepath.Join(dir, "turned.npy"), turned)
	status, _, stderr = call(t, "project", out, filepath.Join(dir, "turned.npy"), "--side", "x", "--transpose", "-o", filepath.Join(dir, "all.npy"))
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, load(t, filepath.Join(dir, "px6.npy")).Data, load(t, filepath.Join(dir, "all.npy")).Data)
}

// TestAlignInParts: parts of the rows, of any size, give the rows of the whole.
// A product of other sizes may add its d terms in another order: each of two
// sums is off by at most γ_d = d·u/(1 − d·u), u = 2⁻⁵³, of the sum of magnitudes.
func TestAlignInParts(t *testing.T) {
	const d, k = 6, 4
	_, x, y := pair(t)
	fx, err := activation.Open(x)
	require.NoError(t, err)
	fy, err := activation.Open(y)
	require.NoError(t, err)
	c, err := svcca.Between(fx, fy, svcca.Options{})
	require.NoError(t, err)
	directions, layer := c.X.Directions, cancellable{Layer: fx, ctx: t.Context()}
	whole, err := directions.Align(fx, k)
	require.NoError(t, err)
	values := load(t, x)
	gamma := d * 0x1p-53 / (1 - d*0x1p-53)
	for _, rows := range []int{1, 7, 59, 60} {
		for first := 0; first < 60; first += rows {
			got, err := directions.Align(part{layer, first, min(rows, 60-first)}, k)
			require.NoError(t, err)
			for i := range got.Rows {
				for col := range k {
					magnitudes := 0.0
					for j, v := range values.Row(first + i) {
						magnitudes += math.Abs((v - directions.Mean[j]) * directions.Map.At(j, col))
					}
					assert.InDelta(t, whole.At(first+i, col), got.At(i, col), 2*gamma*magnitudes)
				}
			}
		}
	}
}

func TestProjectRefuses(t *testing.T) {
	dir, x, _ := pair(t)
	narrow := save(t, filepath.Join(dir, "narrow.npy"), gaussian(3, 60, 4))
	out, p := filepath.Join(dir, "d.npz"), filepath.Join(dir, "p.npy")
	status, _, stderr := call(t, "compare", x, narrow, "--directions", out)
	require.Equal(t, exitDone, status, stderr)
	turned := save(t, filepath.Join(dir, "turned.npy"), gaussian(3, 6, 60))
	huge := save(t, filepath.Join(dir, "huge.npy"), scaled(gaussian(1, 60, 6), 1e200))
	steep := filepath.Join(dir, "steep.npz")
	require.NoError(t, os.WriteFile(steep, archive(zip.Store, "x_map.npy", array(scaled(gaussian(1, 6, 2), 1e200), 6, 2),
		"x_mean.npy", array(gaussian(2, 6, 1), 6), "x_decoder.npy", array(gaussian(3, 2, 6), 2, 6)), 0o600))
	hole := gaussian(4, 60, 6)
	hole.Set(50, 2, math.Inf(1))
	holed := save(t, filepath.Join(dir, "holed.npy"), hole)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{out, x, "--side", "x", "-k", "5"}, exitMisused, "holds directions 1 to 4"},
		{[]string{out, x, "--side", "x", "-k", "0"}, exitMisused, "holds directions 1 to 4"},
		{[]string{out, x, "--side", "x", "-k", "-1"}, exitMisused, "holds directions 1 to 4"},
		{[]string{out, narrow, "--side", "x"}, exitFailed, "side y has 4"},
		{[]string{out, turned, "--side", "x"}, exitFailed, "--transpose"},
		{[]string{out, holed, "--side", "x"}, exitFailed, "datapoint 50, neuron 2"},
		{[]string{steep, huge, "--side", "x"}, exitFailed, "range"},
		{[]string{filepath.Join(dir, "e.npz"), x, "--side", "x"}, exitFailed, "did you mean " + out},
		{[]string{x, x, "--side", "x"}, exitFailed, "a .npz that compare --directions wrote expected"},
		{[]string{dir, x, "--side", "x"}, exitFailed, "no plain file"},
	} {
		before := listing(t, dir)
		status, stdout, stderr := call(t, append(append([]string{"project"}, c.args...), "-o", p)...)
		assert.Equal(t, c.status, status, stderr)
		assert.Contains(t, stderr, c.says)
		assert.Empty(t, stdout)
		assert.Equal(t, before, listing(t, dir))
	}
}

func TestOverwriting(t *testing.T) {
	dir, x, y := pair(t)
	out := filepath.Join(dir, "d.npz")
	require.NoError(t, os.WriteFile(out, []byte("mine"), 0o640))
	content := func(path string) string {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(b)
	}
	// Refused before anything is computed: these layers cannot be compared.
	constant := save(t, filepath.Join(dir, "constant.npy"), lapack.New[float64](60, 2))
	status, _, stderr := call(t, "compare", x, constant, "--directions", out)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--force")
	// A failure keeps the old file, force or not.
	status, _, stderr = call(t, "compare", x, constant, "--directions", out, "--force")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "constant")
	assert.Equal(t, "mine", content(out))

	status, _, stderr = call(t, "compare", x, y, "--directions", out, "--force", "--quiet")
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	assert.Equal(t, "PK\x03\x04", content(out)[:4])
	info, err := os.Stat(out)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "as before")

	// Inputs are never overwritten, by whatever name.
	linked := filepath.Join(dir, "linked.npy")
	require.NoError(t, os.Symlink(x, linked))
	for _, path := range []string{x, linked} {
		before := content(x)
		status, _, stderr = call(t, "compare", x, y, "--directions", path, "--force")
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "is read by this command")
		assert.Equal(t, before, content(x))
	}
	// Nor are devices and directories.
	for _, path := range []string{os.DevNull, dir} {
		status, _, stderr = call(t, "compare", x, y, "--directions", path, "--force")
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "no plain file")
	}
	// A link stays a link.
	through := filepath.Join(dir, "through.npz")
	require.NoError(t, os.Symlink(out, through))
	require.NoError(t, os.WriteFile(out, []byte("mine"), 0o600))
	status, _, stderr = call(t, "compare", x, y, "--directions", through, "--force")
	assert.Equal(t, exitDone, status, stderr)
	assert.Equal(t, "PK\x03\x04", content(out)[:4])
	info, err = os.Lstat(through)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSymlink, info.Mode().Type())
}

// TestDirectionsRepeat: the same input makes the same file.
func TestDirectionsRepeat(t *testing.T) {
	defer native.LimitThreads(1)()
	dir, x, y := pair(t)
	var files [2][]byte
	for i := range files {
		out := filepath.Join(dir, fmt.Sprint(i, ".npz"))
		status, _, _ := call(t, "compare", x, y, "--directions", out)
		require.Equal(t, exitDone, status)
		var err error
		files[i], err = os.ReadFile(out)
		require.NoError(t, err)
	}
	assert.Equal(t, files[0], files[1])
}

const python = "/usr/bin/python3"

func numpy(t *testing.T, script string, args ...string) {
	t.Helper()
	if err := exec.Command(python, "-c", "import numpy").Run(); err != nil {
		t.Skipf("needs numpy in %s: %v", python, err)
	}
	out, err := exec.Command(python, append([]string{"-c", script}, args...)...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// TestNumpyReadsDirections: numpy finds in the file what DEFINITIONS §3 says of
// W and D, and what it saves again, in four ways, projects to the same bits.
func TestNumpyReadsDirections(t *testing.T) {
	defer native.LimitThreads(1)()
	dir, x, y := pair(t)
	out := filepath.Join(dir, "d.npz")
	status, _, _ := call(t, "compare", x, y, "--directions", out)
	require.Equal(t, exitDone, status)
	numpy(t, `
import sys, numpy as np
path, x, y = sys.argv[1:]
d = np.load(path)
assert sorted(d.files) == sorted(["x_map", "x_mean", "x_decoder", "y_map", "y_mean", "y_decoder", "rho"]), d.files
assert all(d[f].dtype == "<f8" and d[f].flags.c_contiguous for f in d.files)
x, y = np.load(x), np.load(y)
m = len(d["rho"])
assert d["x_map"].shape == (6, m) and d["x_decoder"].shape == (m, 6) and d["x_mean"].shape == (6,)
ax, ay = (x - d["x_mean"]) @ d["x_map"], (y - d["y_mean"]) @ d["y_map"]
assert np.abs(ax.T @ ay - np.diag(d["rho"])).max() < 1e-12
assert np.abs(d["x_decoder"] - ax.T @ (x - d["x_mean"])).max() < 1e-12
np.savez(path + ".plain.npz", **d)
np.savez_compressed(path + ".small.npz", **d)
np.savez(path + ".fortran.npz", **{f: np.asfortranarray(d[f]) for f in d.files}, more=np.arange(3))
np.savez(path + ".column.npz", **{f: d[f][:, None] if f.endswith("mean") else d[f] for f in d.files})
`, out, x, y)
	p := filepath.Join(dir, "p.npy")
	status, _, _ = call(t, "project", out, x, "--side", "x", "-o", p)
	require.Equal(t, exitDone, status)
	want := load(t, p).Data
	for _, kind := range []string{"plain", "small", "fortran", "column"} {
		status, _, stderr := call(t, "project", out+"."+kind+".npz", x, "--side", "x", "-o", p, "--force")
		require.Equal(t, exitDone, status, stderr)
		assert.Equal(t, want, load(t, p).Data, kind)
	}
}

// array returns the bytes of a .npy.
func array(m lapack.Matrix[float64], shape ...int) []byte {
	var b bytes.Buffer
	w, err := activation.NewWriter(&b, shape...)
	if err == nil {
		err = w.Write(m)
	}
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

// archive returns a .npz of members, in pairs of a name and bytes.
func archive(method uint16, members ...any) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: members[i].(string), Method: method})
		if err == nil {
			_, err = f.Write(members[i+1].([]byte))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// sound is one side, of 3 neurons and 2 directions.
func sound() []any {
	return []any{
		"x_map.npy", array(gaussian(1, 3, 2), 3, 2),
		"x_mean.npy", array(gaussian(2, 3, 1), 3),
		"x_decoder.npy", array(gaussian(3, 2, 3), 2, 3),
	}
}

func openBytes(data []byte) (*svcca.Directions, error) {
	s, err := newSavedSide(bytes.NewReader(data), int64(len(data)), "x")
	if err != nil {
		return nil, err
	}
	return s.load()
}

// bomb is a .npz whose map claims to be of d × m zeros, packed by deflate.
func bomb(d, m int) []byte {
	var b bytes.Buffer
	w, err := activation.NewWriter(&b, d, m)
	if err != nil {
		panic(err)
	}
	row := lapack.New[float64](1, m)
	for range d {
		if err := w.Write(row); err != nil {
			panic(err)
		}
	}
	return archive(zip.Deflate, "x_map.npy", b.Bytes(), "x_mean.npy", array(lapack.New[float64](d, 1), d), "x_decoder.npy", array(lapack.New[float64](m, d), m, d))
}

func TestDirectionsThatAreNone(t *testing.T) {
	good := archive(zip.Store, sound()...)
	d, err := openBytes(good)
	require.NoError(t, err)
	assert.Equal(t, gaussian(1, 3, 2).Data, d.Map.Data)
	d, err = openBytes(archive(zip.Deflate, sound()...))
	require.NoError(t, err)
	assert.Equal(t, gaussian(3, 2, 3).Data, d.Decoder.Data)

	with := func(i int, v any) []byte {
		s := sound()
		s[i] = v
		return archive(zip.Deflate, s...)
	}
	infinite := gaussian(1, 3, 2)
	infinite.Set(1, 1, math.Inf(-1))
	flipped := bytes.Clone(good)
	flipped[200] ^= 1 // a value of x_map
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "expected"},
		{"cut", good[:len(good)/2], "expected"},
		{"missing", archive(zip.Store, sound()[2:]...), "no array x_map"},
		{"twice", archive(zip.Store, append(sound(), sound()...)...), "two arrays are called x_map"},
		{"mean", with(3, array(gaussian(2, 4, 1), 4)), "x_mean must be 3 × 1 and is 4 × 1"},
		{"decoder", with(5, array(gaussian(2, 3, 2), 3, 2)), "x_decoder must be 2 × 3 and is 3 × 2"},
		{"more than neurons", archive(zip.Store, "x_map.npy", array(gaussian(1, 2, 3), 2, 3), "x_mean.npy", array(gaussian(1, 2, 1), 2), "x_decoder.npy", array(gaussian(1, 3, 2), 3, 2)), "1 to 2 directions"},
		{"none", archive(zip.Store, "x_map.npy", array(gaussian(1, 2, 0), 2, 0), "x_mean.npy", array(gaussian(1, 2, 1), 2), "x_decoder.npy", array(gaussian(1, 0, 2), 0, 2)), "1 to 2 directions"},
		{"infinite", with(1, array(infinite, 3, 2)), "x_map[1, 1] is -Inf"},
		{"no array", with(1, []byte("text")), "looks like text"},
		{"truncated", with(1, array(gaussian(1, 3, 2), 3, 2)[:150]), "truncated"},
		{"damaged", flipped, "checksum"},
		{"bomb", bomb(1<<10, 1<<10), "no directions shrink like that"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(c.data)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.says)
		})
	}
}

// TestDirectionsAllocate: a file that claims much costs little.
func TestDirectionsAllocate(t *testing.T) {
	data := bomb(1<<10, 1<<10)
	require.Less(t, len(data), 1<<16, "of two arrays of 8 MiB")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := openBytes(data)
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// FuzzDirections gives the reader an archive of any bytes.
func FuzzDirections(f *testing.F) {
	f.Add(archive(zip.Store, sound()...))
	f.Add(archive(zip.Deflate, sound()...))
	f.Add(archive(zip.Store, sound()[2:]...))
	f.Add(bomb(64, 64))
	f.Fuzz(checkDirections)
}

// FuzzDirectionsArrays gives it an archive that is sound, of arrays of any
// bytes: those in FuzzDirections nearly always fail their check sums.
func FuzzDirectionsArrays(f *testing.F) {
	mapping, mean, decoder := array(gaussian(1, 3, 2), 3, 2), array(gaussian(2, 3, 1), 3), array(gaussian(3, 2, 3), 2, 3)
	f.Add(mapping, mean, decoder, false)
	f.Add(mapping, mean, decoder, true)
	f.Fuzz(func(t *testing.T, mapping, mean, decoder []byte, deflate bool) {
		method := zip.Store
		if deflate {
			method = zip.Deflate
		}
		checkDirections(t, archive(method, "x_map.npy", mapping, "x_mean.npy", mean, "x_decoder.npy", decoder))
	})
}

// checkDirections: an error, or directions whose shapes agree and that apply to
// data; never a panic.
func checkDirections(t *testing.T, data []byte) {
	d, err := openBytes(data)
	if err != nil {
		return
	}
	n, m := len(d.Mean), d.Map.Cols
	require.True(t, m >= 1 && m <= n)
	require.Equal(t, n, d.Map.Rows)
	require.Equal(t, [2]int{m, n}, [2]int{d.Decoder.Rows, d.Decoder.Cols})
	layer := svcca.FromMat("data", lapack.ToDense(lapack.New[float64](2, n)))
	require.NoError(t, d.Project(layer, m, func(lapack.Matrix[float64]) error { return nil }))
}
