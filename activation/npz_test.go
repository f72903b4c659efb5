package activation

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// npyMember is a .npy in an archive.
type npyMember struct {
	name string
	data []byte
}

// savedNPZ writes an archive in a new directory and returns its path.
func savedNPZ(t *testing.T, method uint16, members ...npyMember) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name + ".npy", Method: method})
		require.NoError(t, err)
		_, err = w.Write(m.data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	path := filepath.Join(t.TempDir(), "x.npz")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

func opened(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// inflatedOf returns the compressed member behind f.
func inflatedOf(f *File) *inflated { return f.source.ReaderAt.(*inflated) }

// TestInflatesAsFarAsNeeded: opening inflates a header, reading what lies before
// the block's end, once, and into a file without a name.
func TestInflatesAsFarAsNeeded(t *testing.T) {
	const n, d = 3000, 100 // 1.2 MB
	a := array{descr: "<f4", shape: []int{n, d}}
	path := savedNPZ(t, zip.Deflate, npyMember{"a", a.file()}, npyMember{"b", array{descr: "<f4", shape: []int{20, 10}}.file()})
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	names := func() int {
		entries, err := os.ReadDir(temporary)
		require.NoError(t, err)
		return len(entries)
	}
	want := func(row, col int) float64 { return value(row*d + col) }

	f := opened(t, path+":a")
	z := inflatedOf(f)
	assert.Len(t, z.head, headStep)
	assert.Nil(t, z.disk)
	at := int64(0)
	for _, row := range []int{0, 10, 900, 800, 899, 2999, 5} {
		require.Empty(t, differs(f, row, 0, 1, d, 0, want))
		end := f.header.begin + int64(4*d*(row+1))
		if end > at {
			at = end
		}
		assert.GreaterOrEqual(t, z.done(), at)
		assert.Less(t, z.done(), at+scratchBytes)
		assert.Equal(t, z.stream == nil, row == 2999 || row == 5, "closed at the end")
	}
	assert.Equal(t, z.size, z.kept.Load())
	info, err := z.disk.Stat()
	require.NoError(t, err)
	assert.Equal(t, z.size, info.Size())
	if runtime.GOOS != "windows" {
		assert.Zero(t, names(), "nothing is left even where the process is killed")
	}
	checkRead(t, &File{name: f.name, source: f.source, header: f.header, datapoints: 20, neurons: d, tuning: f.tuning}, want)

	other := opened(t, path+":a") // inflates for itself
	assert.Zero(t, inflatedOf(other).kept.Load())
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	require.Empty(t, differs(other, 2000, 0, 10, d, 0, want))
	require.NoError(t, other.Close())
	assert.Zero(t, names())
	assert.ErrorIs(t, f.Read(lapack.New[float64](1, 1), 0, 0), os.ErrClosed)
	_, err = z.ReadAt(make([]byte, 1), z.size-1)
	assert.Error(t, err)

	small := opened(t, path+":b")
	checkRead(t, small, func(row, col int) float64 { return value(row*10 + col) })
	assert.Nil(t, inflatedOf(small).disk, "small arrays need no file")

	t.Setenv("TMPDIR", filepath.Join(temporary, "missing"))
	t.Setenv("TMP", filepath.Join(temporary, "missing"))
	nowhere := opened(t, path+":a")
	err = nowhere.Read(lapack.New[float64](n, d), 0, 0)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "activation: "+path+":a: reading datapoint 0: inflating to a temporary file in "+os.TempDir()+": ")
	assert.NotErrorIs(t, err, ErrFormat)
}

// TestInflatesForMany reads one compressed member from several goroutines.
func TestInflatesForMany(t *testing.T) {
	const n, d = 4000, 90
	for _, fortran := range []bool{false, true} {
		f := opened(t, savedNPZ(t, zip.Deflate, npyMember{"a", array{descr: "<f4", fortran: fortran, shape: []int{n, d}}.file()}))
		want := func(row, col int) float64 { return value(row*d + col) }
		var wait sync.WaitGroup
		for g := range 8 {
			wait.Go(func() {
				r := rand.New(rand.NewPCG(uint64(g), 0))
				for range 20 {
					rows, cols := 1+r.IntN(200), 1+r.IntN(d)
					assert.Empty(t, differs(f, r.IntN(n-rows+1), r.IntN(d-cols+1), rows, cols, 0, want))
				}
			})
		}
		wait.Wait()
		require.NoError(t, f.Close())
	}
}

// TestChecksumOfValues: values that were altered are found where the end is
// reached, by reading as by the digest, and only then.
func TestChecksumOfValues(t *testing.T) {
	path := savedNPZ(t, zip.Deflate, npyMember{"a", array{descr: "<f8", shape: []int{5000, 10}}.file()})
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	directory := bytes.Index(b, []byte("PK\x01\x02"))
	b[directory+16]++ // of the sum
	descriptor := bytes.LastIndex(b[:directory], []byte("PK\x07\x08"))
	b[descriptor+4]++
	require.NoError(t, os.WriteFile(path, b, 0o600))
	f := opened(t, path)
	require.NoError(t, f.Read(lapack.New[float64](100, 10), 0, 0))
	err = f.Read(lapack.New[float64](1, 1), 4999, 9)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "reading datapoint 4999: damaged: the values are not those that were saved")
	require.NoError(t, f.Read(lapack.New[float64](100, 10), 0, 0), "what came before")
	_, err = opened(t, path).Digest(t.Context())
	assert.ErrorIs(t, err, ErrFormat)
}

// savedTensors writes a .safetensors of one tensor in a new directory.
func savedTensors(t *testing.T, dtype string, shape []int, raw []byte) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"a": map[string]any{"dtype": dtype, "shape": shape, "data_offsets": []int{0, len(raw)}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	require.NoError(t, os.WriteFile(path, append(file, raw...), 0o600))
	return path
}

// TestSameValuesAnywhere: one array has one digest in every kind of file, and
// Unchanged sees each of them change.
func TestSameValuesAnywhere(t *testing.T) {
	a := array{descr: "<f4", shape: []int{9, 11}}
	b := a.file()
	npy := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(npy, b, 0o600))
	want := digest(t, opened(t, npy))
	for _, path := range []string{
		savedNPZ(t, zip.Store, npyMember{"a", b}),
		savedNPZ(t, zip.Deflate, npyMember{"a", b}),
		savedTensors(t, "F32", a.shape, b[len(b)-4*9*11:]),
	} {
		for _, name := range []string{path, path + ":a"} {
			require.NoError(t, os.Chtimes(path, longAgo, longAgo))
			f := opened(t, name)
			assert.Equal(t, name, f.Name())
			assert.Equal(t, want, digest(t, f))
			turned, err := f.T()
			require.NoError(t, err)
			checkRead(t, turned, func(row, col int) float64 { return value(col*11 + row) })
			require.NoError(t, turned.Unchanged())
			file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(t, err)
			info, err := file.Stat()
			require.NoError(t, err)
			_, err = file.Write([]byte{0})
			require.NoError(t, err)
			assert.ErrorIs(t, f.Unchanged(), ErrChanged)
			require.NoError(t, file.Truncate(info.Size()))
			require.NoError(t, file.Close())
		}
	}
}

// TestArchiveIsShared: an archive is closed with the last of its files.
func TestArchiveIsShared(t *testing.T) {
	path := savedNPZ(t, zip.Store, npyMember{"a", array{descr: "<f4", shape: []int{3, 2}}.file()}, npyMember{"b", array{descr: "<f4", shape: []int{3, 2}}.file()})
	a, err := openArchive(path)
	require.NoError(t, err)
	x, err := a.array("a")
	require.NoError(t, err)
	y, err := a.array("b")
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, a.Close())
	}
	require.NoError(t, x.Close())
	require.NoError(t, x.Close())
	require.NoError(t, y.Read(lapack.New[float64](3, 2), 0, 0))
	require.NoError(t, y.Unchanged())
	require.NoError(t, y.Close())
	_, err = a.file.Stat()
	assert.ErrorIs(t, err, os.ErrClosed)

	f := opened(t, path+":a")
	file := f.source.file
	require.NoError(t, f.Close())
	_, err = file.Stat()
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestMembers(t *testing.T) {
	float, int8s, scale := array{descr: "<f4", shape: []int{2, 3}}.file(), file1(dict("'|i1'", "False", "(8, 3)")), array{descr: "<f4", shape: []int{3}}.file()
	path := savedNPZ(t, zip.Deflate, npyMember{"fc10", float}, npyMember{"fc2", float}, npyMember{"q", int8s}, npyMember{"q_scale", scale},
		npyMember{"fc2_scale", float}, npyMember{"x.scale", scale}, npyMember{"q.zero_point", scale})
	names, err := Members(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"fc2", "fc2_scale", "fc10", "q", "x.scale"}, names, "scales of int8 alone are no layers")
	_, err = Open(path)
	assert.ErrorContains(t, err, `the archive holds 5 arrays, "fc2", "fc2_scale", "fc10", "q", "x.scale": name one after a colon, as in `+path+":fc2")
	_, err = Open(path + ":fc3")
	assert.ErrorContains(t, err, `activation: `+path+`: no member "fc3"; the archive holds 5 arrays`)
	opened(t, path+":q_scale")

	only := savedNPZ(t, zip.Store, npyMember{"q", int8s}, npyMember{"q_scale", array{descr: "<f4", shape: []int{1}, first: 60}.file()})
	names, err = Members(only)
	require.NoError(t, err)
	assert.Equal(t, []string{"q"}, names)
	assert.Equal(t, only, opened(t, only).Name())

	var many []npyMember
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many = append(many, npyMember{name, float})
	}
	_, err = Open(savedNPZ(t, zip.Store, many...))
	assert.ErrorContains(t, err, `the archive holds 7 arrays, "a", "b", "c", "d", "e", 2 more: `)

	npy := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(npy, float, 0o600))
	names, err = Members(npy)
	assert.NoError(t, err)
	assert.Nil(t, names)
	_, err = Members(filepath.Dir(npy))
	assert.ErrorIs(t, err, ErrFormat)
	_, err = openArchive(npy)
	assert.ErrorContains(t, err, "an archive expected")
}

// TestOpenLayer returns no Layer of a nil *File.
func TestOpenLayer(t *testing.T) {
	path := savedNPZ(t, zip.Store, npyMember{"a", array{descr: "<f4", shape: []int{3, 2}}.file()}, npyMember{"ids", file1(dict("'<i8'", "False", "(3,)"))})
	l, err := OpenLayer(path + ":a")
	require.NoError(t, err)
	assert.Equal(t, path+":a", l.Name())
	require.NoError(t, l.Close())
	l, err = OpenLayer(path + ":ids")
	assert.ErrorIs(t, err, ErrNotLayer)
	assert.ErrorIs(t, err, ErrFormat)
	assert.True(t, l == nil)
	_, err = OpenLayer(path + ":no")
	assert.NotErrorIs(t, err, ErrNotLayer)
}

// TestBfloat16 decodes every one: the upper half of a float32.
func TestBfloat16(t *testing.T) {
	raw := make([]byte, 2<<16)
	want := make([]float64, 1<<16)
	for i := range want {
		binary.LittleEndian.PutUint16(raw[2*i:], uint16(i))
		want[i] = float64(math.Float32frombits(uint32(i) << 16))
	}
	npy := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(npy, append(withHeader(1, dict("'bfloat16'", "False", "(256, 256)")), raw...), 0o600))
	for _, path := range []string{npy, savedTensors(t, "BF16", []int{256, 256}, raw)} {
		f := opened(t, path)
		assert.Equal(t, "bfloat16", f.Storage())
		m := lapack.New[float64](256, 256)
		require.NoError(t, f.Read(m, 0, 0))
		for i, v := range m.Data {
			require.Equal(t, math.Float64bits(want[i]), math.Float64bits(v), i)
		}
		turned, err := f.T()
		require.NoError(t, err)
		require.NoError(t, turned.Read(m, 0, 0))
		require.Equal(t, math.Float64bits(want[7*256+9]), math.Float64bits(m.At(9, 7)))
	}
}
