package activation

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var scipyInstalled = sync.OnceValue(func() error {
	return exec.Command("/usr/bin/python3", "-c", "import scipy.sparse").Run()
})

// scipy runs a script with numpy and scipy.sparse, or skips the test.
func scipy(t *testing.T, script string, args ...string) string {
	t.Helper()
	if err := scipyInstalled(); err != nil {
		t.Skipf("/usr/bin/python3 with scipy is not installed: %v", err)
	}
	return python(t, "import sys\nimport numpy as np\nimport scipy.sparse as sp\n"+script, args...)
}

// full returns all values of a layer.
func full(t *testing.T, l Layer) lapack.Matrix[float64] {
	t.Helper()
	n, d := l.Dims()
	m := lapack.New[float64](n, d)
	require.NoError(t, l.Read(m, 0, 0))
	return m
}

// TestReadScipy reads what scipy.sparse.save_npz writes, beside the same values dense.
func TestReadScipy(t *testing.T) {
	dir := t.TempDir()
	list := scipy(t, `
for dtype in "float16 float32 float64 int8 int32 uint64 bool >f4".split():
    for n, d in (30, 20), (1, 7), (5, 0), (0, 5):
        for indices in np.int32, np.int64:
            k = np.arange(n * d)
            x = np.where(k * 7 % 5 == 0, k * 37 % 113 - (0 if "u" in dtype else 50), 0).astype(dtype).reshape(n, d)
            for form in "csr csc".split():
                m = getattr(sp, form + "_matrix")(x if dtype not in ("float16", ">f4") else x.astype(np.float64))
                m.data = m.data.astype(dtype)
                m.indices, m.indptr = m.indices.astype(indices), m.indptr.astype(indices)
                compressed = (form == "csr") == (indices is np.int32)
                name = "-".join([dtype.replace(">", "big"), str(n), str(d), indices.__name__, form])
                sp.save_npz("%s/%s" % (sys.argv[1], name), m, compressed)
                np.save("%s/%s.npy" % (sys.argv[1], name), x.astype(np.float64))
                print(name)
`, dir)
	names := strings.Fields(list)
	require.Len(t, names, 8*4*2*2)
	for _, name := range names {
		l, err := OpenLayer(filepath.Join(dir, name+".npz"))
		require.NoError(t, err, name)
		s, is := l.(*Sparse)
		require.True(t, is, name)
		dense, err := Open(filepath.Join(dir, name+".npy"))
		require.NoError(t, err)
		n, d := dense.Dims()
		rows, cols := s.Dims()
		require.Equal(t, [2]int{n, d}, [2]int{rows, cols}, name)
		require.Equal(t, full(t, dense).Data, full(t, s).Data, name)
		want := map[string]string{"float16": "float16", "float32": "float32", "bigf4": "float32"}[strings.Split(name, "-")[0]]
		if want == "" {
			want = "float64"
		}
		require.Equal(t, want, s.Storage(), name)
		require.NoError(t, s.Unchanged())
		require.NoError(t, s.Close())
		require.NoError(t, dense.Close())
	}
	other := scipy(t, `
x = sp.random(20, 10, 0.3, "csr", random_state=np.random.default_rng(1))
for form in "bsr coo dia".split():
    sp.save_npz("%s/%s" % (sys.argv[1], form), x.asformat(form))
    print(form)
rows = np.array([3, 0, 3, 3, 0, 19]); cols = np.array([4, 9, 1, 4, 9, 0]); values = np.array([1.5, 2, 3, 4, 5, 6])
order = np.argsort(rows, kind="stable")
m = sp.csr_matrix((values[order], cols[order], np.searchsorted(rows[order], np.arange(21))), shape=(20, 10))
assert not m.has_canonical_format
sp.save_npz("%s/twice" % sys.argv[1], m)
m.sum_duplicates()
np.save("%s/twice.npy" % sys.argv[1], m.toarray())
`, dir)
	for _, form := range strings.Fields(other) {
		for _, open := range []func(string) error{
			func(path string) error { _, err := OpenSparse(path); return err },
			func(path string) error { _, err := OpenLayer(path); return err },
		} {
			err := open(filepath.Join(dir, form+".npz"))
			require.ErrorIs(t, err, ErrFormat)
			require.ErrorContains(t, err, form)
			require.ErrorContains(t, err, ".tocsr()")
		}
	}
	s, err := OpenSparse(filepath.Join(dir, "twice.npz"))
	require.NoError(t, err)
	dense, err := Open(filepath.Join(dir, "twice.npy"))
	require.NoError(t, err)
	require.Equal(t, full(t, dense).Data, full(t, s).Data)
}

// example is a small matrix in which nothing is symmetric, with a zero held.
func exampleSparse() *sparse.CSR {
	return sparse.NewCSR(4, 6, []int{0, 2, 2, 5, 6}, []int{1, 4, 0, 3, 5, 2}, []float64{1.5, -2, 3, 0, 1e-300, math.Inf(1)})
}

// TestWriteSparse: scipy reads what is written, and so does OpenSparse.
func TestWriteSparse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	var file bytes.Buffer
	require.NoError(t, WriteSparse(&file, exampleSparse()))
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	s, err := OpenSparse(path)
	require.NoError(t, err)
	require.Equal(t, exampleSparse().RawMatrix(), s.CSR().RawMatrix())
	out := scipy(t, `
m = sp.load_npz(sys.argv[1])
print(m.format, m.shape, m.dtype, m.has_sorted_indices, m.toarray().tolist())
`, path)
	require.Equal(t, "csr (4, 6) float64 True [[0.0, 1.5, 0.0, 0.0, -2.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0, 0.0, 1e-300], [0.0, 0.0, inf, 0.0, 0.0, 0.0]]\n", out)

	require.ErrorContains(t, WriteSparse(io.Discard, sparse.NewCSR(1, 2, []int{0, 1}, []int{2}, []float64{1})), "column 2 of 2")
	for room := range file.Len() {
		err := WriteSparse(&fullDisk{room}, exampleSparse())
		require.ErrorIs(t, err, errFull, "%d bytes", room)
	}
}

// opened writes m and opens it.
func openedSparse(t *testing.T, m *sparse.CSR) *Sparse {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npz")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, WriteSparse(f, m))
	require.NoError(t, f.Close())
	s, err := OpenSparse(path)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// TestSparseViews: what is turned and taken holds the values of their places.
func TestSparseViews(t *testing.T) {
	s := openedSparse(t, exampleSparse())
	whole := full(t, s)
	turned := full(t, s.T())
	rows, cols := []int{2, 0, 2}, []int{5, 1, 1, 0}
	taken, narrow := full(t, s.take(0, rows)), full(t, s.take(1, cols))
	require.Equal(t, [2]int{6, 4}, [2]int{turned.Rows, turned.Cols})
	require.Equal(t, [4]int{3, 6, 4, 4}, [4]int{taken.Rows, taken.Cols, narrow.Rows, narrow.Cols})
	for i := range whole.Rows {
		for j, v := range whole.Row(i) {
			assert.Equal(t, v, turned.At(j, i))
		}
		for k, j := range cols {
			assert.Equal(t, whole.At(i, j), narrow.At(i, k))
		}
	}
	for k, i := range rows {
		assert.Equal(t, whole.Row(i), taken.Row(k))
	}
	for _, block := range [][4]int{{1, 2, 2, 3}, {3, 5, 1, 1}, {0, 0, 0, 6}, {4, 6, 0, 0}} {
		m := lapack.New[float64](block[2], block[3])
		require.NoError(t, s.Read(m, block[0], block[1]))
		for i := range m.Rows {
			assert.Equal(t, whole.Row(block[0] + i)[block[1]:][:m.Cols], m.Row(i))
		}
	}
	for _, block := range [][4]int{{0, 0, 5, 1}, {0, 0, 1, 7}, {4, 0, 1, 1}, {-1, 0, 1, 1}} {
		assert.PanicsWithValue(t, panicOutOfRange, func() { s.Read(lapack.New[float64](block[2], block[3]), block[0], block[1]) })
	}
	require.Equal(t, []int{4, 6}, s.Shape())

	digest, err := s.Digest(t.Context())
	require.NoError(t, err)
	again, err := openedSparse(t, exampleSparse()).Digest(t.Context())
	require.NoError(t, err)
	require.Equal(t, digest, again)
	for _, other := range []Layer{s.T(), s.take(0, []int{0, 1, 2}), s.take(1, []int{0, 1, 2, 3, 5, 4})} {
		of, err := other.Digest(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, digest, of)
	}
	require.NoError(t, s.T().Close())
	require.ErrorIs(t, s.Read(lapack.New[float64](1, 1), 0, 0), os.ErrClosed)
	_, err = s.Digest(t.Context())
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, s.Unchanged(), os.ErrClosed)
}

// TestSparseUnchanged: a file that was written to is found out.
func TestSparseUnchanged(t *testing.T) {
	s := openedSparse(t, exampleSparse())
	require.NoError(t, s.Unchanged())
	require.NoError(t, os.Truncate(s.Name(), 100))
	require.ErrorIs(t, s.Unchanged(), ErrChanged)
}

// zipOf is a .npz of members, which hold bytes as they are.
func zipOf(method uint16, members map[string][]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{sparseFormat, sparseShape, sparseIndptr, sparseIndices, sparseData} {
		if text, ok := members[name]; ok {
			to, _ := w.CreateHeader(&zip.FileHeader{Name: name + npySuffix, Method: method}) // to memory
			to.Write(text)
		}
	}
	w.Close()
	return b.Bytes()
}

func npyOf(descr string, raw []byte, shape ...int) []byte {
	return append(appendHeader(nil, descr, shape), raw...)
}

func npyInts(values ...int64) []byte {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return npyOf("<i8", raw, len(values))
}

func npyFloats(values ...float64) []byte {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	return npyOf("<f8", raw, len(values))
}

// members of a matrix of 3 × 4, some of them replaced; nil takes one away.
func sparseMembers(replaced map[string][]byte) map[string][]byte {
	m := map[string][]byte{
		sparseFormat: npyOf("|S3", []byte("csr")), sparseShape: npyInts(3, 4),
		sparseIndptr: npyInts(0, 1, 1, 3), sparseIndices: npyInts(0, 1, 3), sparseData: npyFloats(1, 2, 3),
	}
	for name, text := range replaced {
		if m[name] = text; text == nil {
			delete(m, name)
		}
	}
	return m
}

// hostileSparse are matrices that contradict themselves, and what the error says.
var hostileSparse = map[string]struct {
	replaced map[string][]byte
	says     string
}{
	"no pointers":        {map[string][]byte{sparseIndptr: nil}, "no member"},
	"no indices":         {map[string][]byte{sparseIndices: nil}, "no member"},
	"pointers decrease":  {map[string][]byte{sparseIndptr: npyInts(0, 2, 1, 3)}, "from 2 to 1"},
	"pointers begin":     {map[string][]byte{sparseIndptr: npyInts(1, 1, 1, 3)}, "begin with 0 expected, they begin with 1"},
	"pointers negative":  {map[string][]byte{sparseIndptr: npyInts(0, -1, 1, 3)}, "is -1"},
	"pointers beyond":    {map[string][]byte{sparseIndptr: npyInts(0, 1, 1, 4)}, "4 expected"},
	"pointers huge":      {map[string][]byte{sparseIndptr: npyInts(0, 1, 1, math.MaxInt64)}, "expected"},
	"few pointers":       {map[string][]byte{sparseIndptr: npyInts(0, 1, 3)}, "4 expected"},
	"index beyond":       {map[string][]byte{sparseIndices: npyInts(0, 1, 4)}, "column 4 of 4"},
	"index negative":     {map[string][]byte{sparseIndices: npyInts(0, -1, 3)}, "is -1"},
	"few indices":        {map[string][]byte{sparseIndices: npyInts(0, 1)}, "3 expected"},
	"few values":         {map[string][]byte{sparseData: npyFloats(0, 1)}, "3 expected"},
	"values in a square": {map[string][]byte{sparseData: npyOf("<f8", make([]byte, 32), 2, 2)}, "one dimension"},
	"texts":              {map[string][]byte{sparseData: npyOf("|S2", []byte("abcdef"), 3)}, "numbers expected"},
	"complex":            {map[string][]byte{sparseData: npyOf("<c16", make([]byte, 48), 3)}, "complex"},
	"floating indices":   {map[string][]byte{sparseIndices: npyFloats(0, 1, 3)}, "integers"},
	"shape of one":       {map[string][]byte{sparseShape: npyInts(3)}, "2 expected"},
	"shape of three":     {map[string][]byte{sparseShape: npyInts(3, 4, 1)}, "3 elements in a sparse matrix: 2 expected"},
	"shape negative":     {map[string][]byte{sparseShape: npyInts(3, -4)}, "is -4"},
	"datapoints huge":    {map[string][]byte{sparseShape: npyInts(math.MaxInt64, 4)}, "damaged"},
	"datapoints many":    {map[string][]byte{sparseShape: npyInts(1<<40, 4)}, "expected"},
	"neurons huge":       {map[string][]byte{sparseShape: npyInts(3, 1<<40)}, "not read"},
	"columns of too few": {map[string][]byte{sparseFormat: npyOf("|S3", []byte("csc"))}, "5 expected"},
	"columns, huge":      {map[string][]byte{sparseFormat: npyOf("|S3", []byte("csc")), sparseShape: npyInts(1<<40, 3)}, "not read"},
	"form unknown":       {map[string][]byte{sparseFormat: npyOf("|S3", []byte("xyz"))}, "csr or csc expected"},
	"form by number":     {map[string][]byte{sparseFormat: npyInts(1)}, "strings"},
	"forms":              {map[string][]byte{sparseFormat: npyOf("|S3", []byte("csrcsr"), 2)}, "one expected"},
	"member cut":         {map[string][]byte{sparseData: npyFloats(1, 2, 3)[:150]}, "truncated"},
	"member no array":    {map[string][]byte{sparseData: []byte("no array")}, "not a .npy"},
}

// TestHostileSparse: what contradicts itself is a *FormatError that says how, from
// stored and from compressed members, and takes no memory that the file does not.
func TestHostileSparse(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		path := filepath.Join(t.TempDir(), "x.npz")
		require.NoError(t, os.WriteFile(path, zipOf(method, sparseMembers(nil)), 0o600))
		s, err := OpenSparse(path)
		require.NoError(t, err)
		require.Equal(t, []float64{1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3}, full(t, s).Data)
		for name, c := range hostileSparse {
			t.Run(fmt.Sprintf("%s, method %d", name, method), func(t *testing.T) {
				file := zipOf(method, sparseMembers(c.replaced))
				path := filepath.Join(t.TempDir(), "x.npz")
				require.NoError(t, os.WriteFile(path, file, 0o600))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := OpenLayer(path)
				runtime.ReadMemStats(&after)
				require.ErrorIs(t, err, ErrFormat)
				require.ErrorContains(t, err, c.says)
				require.ErrorContains(t, err, path)
				require.Less(t, len(err.Error()), 500)
				require.Less(t, after.TotalAlloc-before.TotalAlloc, fileMemory(len(file)))
			})
		}
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	require.NoError(t, os.WriteFile(path, zipOf(zip.Store, sparseMembers(map[string][]byte{sparseFormat: nil})), 0o600))
	_, err := OpenSparse(path)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "save_npz expected")
	_, err = OpenSparse(filepath.Join(t.TempDir(), "none.npz"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzSparse: a matrix is refused with ErrFormat, or is in order and reads.
func FuzzSparse(f *testing.F) {
	f.Add([]byte("csr"), []byte{3, 4}, []byte{0, 1, 1, 3}, []byte{0, 1, 3}, []byte{1, 2, 3}, true)
	f.Add([]byte("csc"), []byte{4, 3}, []byte{0, 1, 1, 3}, []byte{1, 3, 3}, []byte{1, 2, 3}, false)
	f.Add([]byte("csr"), []byte{1, 0}, []byte{0, 0}, []byte{}, []byte{}, false)
	f.Add([]byte("csr"), []byte{2, 250}, []byte{0, 200, 3}, []byte{9, 255, 3}, []byte{1, 2, 3}, false)
	f.Fuzz(func(t *testing.T, format, shape, pointers, indices, values []byte, deflate bool) {
		if len(format) == 0 || len(format) > 100 {
			return
		}
		ints := func(b []byte) []byte {
			var all []int64
			for _, v := range b {
				wide := int64(int8(v))
				if v == 127 {
					wide = math.MaxInt64
				}
				all = append(all, wide)
			}
			return npyInts(all...)
		}
		method := uint16(zip.Store)
		if deflate {
			method = zip.Deflate
		}
		file := zipOf(method, map[string][]byte{
			sparseFormat: npyOf(fmt.Sprintf("|S%d", len(format)), format), sparseShape: ints(shape),
			sparseIndptr: ints(pointers), sparseIndices: ints(indices), sparseData: npyOf("|u1", values, len(values)),
		})
		a, err := newArchive("x.npz", strictReader{t, bytes.NewReader(file)}, int64(len(file)))
		require.NoError(t, err)
		s, err := a.sparse()
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		defer s.Close()
		n, d := s.Dims()
		if n*d > 1<<20 {
			return
		}
		sum := 0.0
		for _, v := range full(t, s).Data {
			sum += v
		}
		m := s.CSR().RawMatrix()
		for i := range m.I {
			last := -1
			for _, j := range m.Ind[m.Indptr[i]:m.Indptr[i+1]] {
				require.True(t, j > last && j < d)
				last = j
			}
		}
		turned := 0.0
		for _, v := range full(t, s.T()).Data {
			turned += v
		}
		require.Equal(t, sum, turned, "whole numbers, which add up exactly")
	})
}

// TestSparseOrigin: what is taken of a sparse layer, twice, and turned, knows where it
// was.
func TestSparseOrigin(t *testing.T) {
	s := openedSparse(t, exampleSparse())
	view := Take(Take(Take(s, 0, []int{3, 0, 2}), 1, []int{5, 4, 1, 0}), 0, []int{2, 0})
	whole, part := full(t, s), full(t, view)
	for i := range part.Rows {
		for j := range part.Cols {
			of, row, col := Origin(view, i, j)
			require.Same(t, s, of)
			require.Equal(t, whole.At(row, col), part.At(i, j))
			require.Equal(t, []int{2, 3}[i], row)
			require.Equal(t, []int{5, 4, 1, 0}[j], col)
		}
	}
	turned := s.T()
	of, row, col := Origin(turned, 1, 2)
	require.Same(t, turned, of)
	require.Equal(t, [2]int{1, 2}, [2]int{row, col})
}
