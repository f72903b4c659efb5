package activation

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
)

// writeFiles writes part-000.npy and so on into dir and returns their paths.
func writeFiles(t require.TestingT, dir string, files ...[]byte) []string {
	paths := make([]string, len(files))
	for i, b := range files {
		paths[i] = filepath.Join(dir, fmt.Sprintf("part-%03d.npy", i))
		require.NoError(t, os.WriteFile(paths[i], b, 0o600))
	}
	return paths
}

// cut returns the array of rows of d neurons, the first of them first, of the
// layer whose element k is value(k).
func cut(descr string, first, rows, d int) array {
	return array{descr: descr, shape: []int{rows, d}, first: first * d}
}

// openShards opens a layer of shards with so many rows of d neurons.
func openShards(t *testing.T, d int, rows ...int) *Shards {
	t.Helper()
	var files [][]byte
	first := 0
	for _, n := range rows {
		files = append(files, cut("<f4", first, n, d).file())
		first += n
	}
	s, err := OpenShards("layer3", writeFiles(t, t.TempDir(), files...))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// drawInts draws some numbers of which each is at most limit.
func drawInts(t *rapid.T, label string, least, most, limit int) []int {
	return rapid.SliceOfN(rapid.IntRange(0, limit), least, most).Draw(t, label)
}

// TestShards: any cut of an array reads as the whole.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(0, 9).Draw(t, "neurons")
		size := rapid.SampledFrom([]string{"f2", "f4", "f8"}).Draw(t, "type")
		var files [][]byte
		n := 0
		for _, rows := range drawInts(t, "rows", 1, 6, 12) {
			a := cut(rapid.SampledFrom([]string{"<", ">"}).Draw(t, "byte order")+size, n, rows, d)
			a.fortran = rapid.Bool().Draw(t, "fortran")
			files = append(files, a.file())
			n += rows
		}
		s, err := OpenShards("layer3", writeFiles(t, dir, files...))
		require.NoError(t, err)
		defer s.Close()
		datapoints, neurons := s.Dims()
		require.Equal(t, []int{n, d}, []int{datapoints, neurons})
		require.Equal(t, []int{n, d}, s.Shape())
		require.Equal(t, "layer3", s.Name())
		require.Equal(t, map[string]string{"f2": "float16", "f4": "float32", "f8": "float64"}[size], s.Storage())
		for range 5 {
			row, col := rapid.IntRange(0, n).Draw(t, "row"), rapid.IntRange(0, d).Draw(t, "col")
			rows, cols := rapid.IntRange(0, n-row).Draw(t, "rows"), rapid.IntRange(0, d-col).Draw(t, "cols")
			pad := rapid.IntRange(0, 3).Draw(t, "padding")
			require.Empty(t, differs(s, row, col, rows, cols, pad, func(i, j int) float64 { return value(i*d + j) }))
		}
		require.NoError(t, s.Unchanged())
	})
}

// TestShardsOfMaps: maps of four dimensions read as their values in two, and say what
// shape they have together; shards that differ in it are refused.
func TestShardsOfMaps(t *testing.T) {
	maps := func(first, images int, shape ...int) []byte {
		size := shape[0] * shape[1] * shape[2]
		return array{descr: "<f4", shape: append([]int{images}, shape...), first: first * size}.file()
	}
	dir := t.TempDir()
	s, err := OpenShards("conv1", writeFiles(t, dir, maps(0, 2, 3, 2, 4), maps(2, 0, 3, 2, 4), maps(2, 3, 3, 2, 4)))
	require.NoError(t, err)
	defer s.Close()
	n, d := s.Dims()
	assert.Equal(t, []int{5, 24}, []int{n, d})
	assert.Equal(t, []int{5, 3, 2, 4}, s.Shape())
	assert.Empty(t, differs(s, 1, 5, 4, 19, 0, func(i, j int) float64 { return value(i*d + j) }))

	for message, files := range map[string][2][]byte{
		"each datapoint of this shard is 2 × 3 × 4, of DIR/part-000.npy 3 × 2 × 4":                     {maps(0, 2, 3, 2, 4), maps(2, 3, 2, 3, 4)},
		"a shard of 4 dimensions expected, as DIR/part-000.npy has, this has 2: 3 × 24":                {maps(0, 2, 3, 2, 4), cut("<f4", 2, 3, 24).file()},
		"a shard of 2 dimensions expected, as DIR/part-000.npy has, this has 4: 3 × 3 × 2 × 4":         {cut("<f4", 0, 2, 24).file(), maps(2, 3, 3, 2, 4)},
		"part-000.npy: a shard of 2 dimensions (datapoints × neurons) or more expected, this has 1: 4": {array{descr: "<f4", shape: []int{4}}.file(), maps(2, 3, 3, 2, 4)},
	} {
		dir := t.TempDir()
		_, err := OpenShards("conv1", writeFiles(t, dir, files[0], files[1]))
		assert.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, strings.ReplaceAll(message, "DIR", dir))
	}
}

// filesOpenIn counts the files of dir that this process has open, on Linux.
func filesOpenIn(t *testing.T, dir string) int {
	t.Helper()
	const open = "/proc/self/fd"
	entries, err := os.ReadDir(open)
	require.NoError(t, err)
	count := 0
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(open, e.Name()))
		if err == nil && strings.HasPrefix(target, dir) {
			count++
		}
	}
	return count
}

func TestOpenShardsRefuses(t *testing.T) {
	good := cut("<f4", 0, 3, 4)
	for _, c := range []struct {
		name    string
		second  []byte
		message string
	}{
		{"text", []byte("0.5 1.5\n"), "part-001.npy: not a .npy file"},
		{"truncated", good.file()[:100], "part-001.npy: truncated"},
		{"1-D", array{descr: "<f4", shape: []int{4}}.file(), "part-001.npy: a shard of 2 dimensions (datapoints × neurons) or more expected, this has 1: 4"},
		{"4-D", array{descr: "<f4", shape: []int{1, 2, 2, 1}}.file(), "this has 4: 1 × 2 × 2 × 1"},
		{"neurons", cut("<f4", 0, 4, 3).file(), "part-001.npy: this shard has 3 neurons, DIR/part-000.npy 4"},
		{"neurons of no datapoints", cut("<f4", 0, 0, 3).file(), "part-001.npy: this shard has 3 neurons, DIR/part-000.npy 4"},
		{"type", cut("<f8", 0, 3, 4).file(), "part-001.npy: this shard is float64, DIR/part-000.npy float32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := OpenShards("layer3", writeFiles(t, dir, good.file(), c.second, good.file()))
			assert.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, strings.ReplaceAll(c.message, "DIR", dir))
			if runtime.GOOS == "linux" {
				assert.Zero(t, filesOpenIn(t, dir), "closed again")
			}
		})
	}

	_, err := OpenShards("layer3", nil)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "activation: layer3: a layer of no files")

	dir := t.TempDir()
	paths := writeFiles(t, dir, good.file())
	_, err = OpenShards("layer3", append(paths, filepath.Join(dir, "missing.npy")))
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "missing.npy")

	// Rows of nothing take no room on disk.
	endless := withHeader(1, dict("'<f4'", "False", "("+strconv.Itoa(math.MaxInt)+", 0)"))
	s, err := OpenShards("layer3", writeFiles(t, dir, endless, cut("<f4", 0, 0, 0).file()))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = OpenShards("layer3", writeFiles(t, dir, endless, cut("<f4", 0, 1, 0).file()))
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "part-001.npy: 1 datapoints here")
}

// TestShardsReadFails: the error counts datapoints in the shard and in the layer.
func TestShardsReadFails(t *testing.T) {
	s := openShards(t, 6, 10, 0, 5, 8)
	broken := s.files[2]
	require.NoError(t, os.Truncate(broken.name, broken.header.begin+4*(3*6+1)))
	err := s.Read(lapack.New[float64](20, 6), 2, 0)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "activation: "+broken.name+": reading datapoint 3, datapoint 13 of layer3: ")
	assert.ErrorContains(t, err, "unexpected EOF")
	want := func(i, j int) float64 { return value(i*6 + j) }
	assert.Empty(t, differs(s, 0, 0, 13, 6, 0, want), "what is there can be read")
	assert.Empty(t, differs(s, 15, 0, 8, 6, 0, want))
	assert.ErrorIs(t, s.Unchanged(), ErrChanged)
	assert.ErrorContains(t, s.Unchanged(), broken.name)
}

func TestShardsClose(t *testing.T) {
	s := openShards(t, 4, 3, 2)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "a second time")
	for _, rows := range []int{0, 1, 4} {
		err := s.Read(lapack.New[float64](rows, 4), 1, 0)
		assert.ErrorIs(t, err, os.ErrClosed)
		assert.ErrorContains(t, err, "activation: layer3: reading datapoint 1")
	}

	first, last := errors.New("no such luck"), errors.New("nor here")
	b := cut("<f4", 0, 3, 4).file()
	broken := &Shards{name: "layer3"}
	var closers []*closer
	for _, err := range []error{first, nil, last} {
		c := &closer{Reader: *bytes.NewReader(b), err: err}
		f, err := NewFile("x.npy", c, int64(len(b)))
		require.NoError(t, err)
		broken.files, closers = append(broken.files, f), append(closers, c)
	}
	for range 2 {
		err := broken.Close()
		assert.ErrorIs(t, err, first)
		assert.ErrorIs(t, err, last)
	}
	for _, c := range closers {
		assert.Equal(t, 1, c.closed)
	}
}

func TestShardsPanics(t *testing.T) {
	s := openShards(t, 4, 3, 2)
	for _, c := range []struct{ rows, cols, row, col int }{{1, 4, 5, 0}, {6, 4, 0, 0}, {1, 4, 0, 1}, {1, 1, -1, 0}, {1, 1, 0, -1}} {
		assert.PanicsWithValue(t, panicOutOfRange, func() { _ = s.Read(lapack.New[float64](c.rows, c.cols), c.row, c.col) })
	}
	short := lapack.Matrix[float64]{Rows: 5, Cols: 4, Stride: 4, Data: make([]float64, 19)}
	assert.PanicsWithValue(t, panicShortData, func() { _ = s.Read(short, 0, 0) })
}

func TestShardsConcurrently(t *testing.T) {
	const d = 37
	s := openShards(t, d, 40, 1, 0, 70, 30)
	n, _ := s.Dims()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 50 {
				row := random.IntN(n)
				assert.Empty(t, differs(s, row, 0, random.IntN(n-row+1), d, 1, func(i, j int) float64 { return value(i*d + j) }))
			}
		})
	}
	wg.Wait()
}

func TestShardsAllocate(t *testing.T) {
	if sanitizer.On {
		t.Skip("an instrumented build allocates more")
	}
	s := openShards(t, 40, 10, 20, 10)
	dst := lapack.New[float64](30, 40)
	var err error
	assert.Zero(t, testing.AllocsPerRun(100, func() { err = errors.Join(err, s.Read(dst, 5, 0)) }))
	assert.NoError(t, err)
}
