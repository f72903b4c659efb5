package activation

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// FuzzHeader: a dictionary is refused, or means what it says once written anew.
func FuzzHeader(f *testing.F) {
	for _, c := range hostile {
		if len(c.file) > 10 && len(c.file) < 1<<12 && bytes.HasPrefix(c.file, []byte(magic)) {
			f.Add(string(c.file[10:]))
		}
	}
	f.Add("{'descr': '<f4', 'fortran_order': False, 'shape': (1797, 128), }   \n")
	f.Add(`{"shape":(2L,3L,4L,5L),"fortran_order":True,"descr":">f2"}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFields(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 500)
			return
		}
		require.LessOrEqual(t, len(got.shape), maxDimensions)
		for _, size := range got.shape {
			require.GreaterOrEqual(t, size, 0)
		}
		if bytes.ContainsAny([]byte(got.descr), `'`) || len(got.shape) == 0 {
			return // array.dict writes neither
		}
		again, err := parseFields(array{descr: got.descr, fortran: got.fortran, shape: got.shape}.dict())
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// strictReader fails the test where more is asked for than the file holds: no
// buffer is larger than the file, whatever its header claims.
type strictReader struct {
	t *testing.T
	r *bytes.Reader
}

func (s strictReader) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset+int64(len(p)) > s.r.Size() {
		s.t.Fatalf("%d bytes at %d of a file of %d", len(p), offset, s.r.Size())
	}
	n, err := s.r.ReadAt(p, offset)
	if errors.Is(err, io.EOF) && n == len(p) {
		err = nil
	}
	return n, err
}

// FuzzOpen: a file is refused with ErrFormat, or it holds just the array that it
// promises, of which every element can be read, by rows as by columns.
func FuzzOpen(f *testing.F) {
	for _, c := range hostile {
		if len(c.file) < 1<<12 {
			f.Add(c.file)
		}
	}
	for _, text := range []string{dict("'<U2'", "True", "(3, 1)"), dict("'|S12'", "False", "(2,)"), dict("'>u8'", "False", "(3,)"), dict("'|b1'", "True", "(2, 3, 4)"),
		dict("'bfloat16'", "False", "(12,)"), dict("'|i1'", "False", "(24,)")} {
		f.Add(file1(text))
	}
	for _, descr := range []string{"<f2", ">f4", "<f8"} {
		for _, shape := range [][]int{{5}, {3, 4}, {0, 7}, {2, 1, 3}, {2, 1, 3, 2}, {2, 1, 2, 1, 2}} {
			f.Add(array{descr: descr, shape: shape}.file())
			f.Add(array{version: 2, descr: descr, fortran: true, shape: shape}.file())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := NewFile("x.npy", strictReader{t, bytes.NewReader(b)}, int64(len(b)))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, len(err.Error()), 1000)
			requireElements(t, b)
			return
		}
		n, d := file.Dims()
		require.True(t, n >= 0 && d >= 0)
		size := map[string]int64{"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}[file.Storage()]
		require.Equal(t, int64(len(b)), file.header.begin+int64(n)*int64(d)*size)
		if n == 0 || d == 0 {
			return // either may then be larger than memory
		}
		whole := lapack.New[float64](n, d)
		require.NoError(t, file.Read(whole, 0, 0))
		column := lapack.New[float64](n, 1)
		row := lapack.New[float64](1, d)
		require.NoError(t, file.Read(column, 0, d-1))
		require.NoError(t, file.Read(row, n-1, 0))
		for i := range n {
			require.Equal(t, math.Float64bits(whole.At(i, d-1)), math.Float64bits(column.At(i, 0)))
		}
		for j := range d {
			require.Equal(t, math.Float64bits(whole.At(n-1, j)), math.Float64bits(row.At(0, j)))
		}
	})
}

// requireElements: what is no layer may be whole all the same. Every element of it
// can be read, or what is none is refused.
func requireElements(t *testing.T, b []byte) {
	r := strictReader{t, bytes.NewReader(b)}
	h, err := readHeader("x.npy", r, int64(len(b)))
	if err != nil {
		return
	}
	file := newFile("x.npy", newSource(r, nil), h)
	count := file.count()
	require.LessOrEqual(t, count, len(b))
	for _, read := range []func() error{
		func() error { _, err := file.ints(0, count); return err },
		func() error { _, err := file.texts(0, count); return err },
		func() error { _, err := file.ints(count/2, count-count/2); return err },
	} {
		if err := read(); err != nil {
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, len(err.Error()), 1000)
		}
	}
}

// FuzzStream: a stream is refused, or breaks off, or holds just the rows that the
// same bytes hold when they are asked for one by one; in bounded memory.
func FuzzStream(f *testing.F) {
	for _, c := range hostile {
		if len(c.file) < 1<<12 {
			f.Add(c.file)
			f.Add(append(cut("<f4", 0, 2, 3).file(), c.file...))
		}
	}
	for _, descr := range []string{"<f2", ">f4", "<f8"} {
		a := cut(descr, 0, 3, 2)
		f.Add(bytes.Repeat(a.file(), 3))
		f.Add(append(cut(descr, 0, 0, 2).file(), a.file()...))
		f.Add(append(a.file(), array{version: 3, descr: descr, shape: []int{4}}.file()...))
	}
	f.Add([]byte(strings.Repeat(magic, 5)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var total int
		var err error
		most := allocated(func() { total, err = drain(bytes.NewReader(b), 8) })
		require.Less(t, most, streamMemory(len(b), 8))
		if err != nil && err != io.EOF {
			require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF), err)
			require.Less(t, len(err.Error()), 500)
		}
		one, again := drain(iotest.OneByteReader(bytes.NewReader(b)), 1)
		require.Equal(t, total, one)
		for _, kind := range []error{io.EOF, io.ErrUnexpectedEOF, ErrFormat} {
			// The message may differ: advice comes from what has arrived.
			require.Equal(t, errors.Is(err, kind), errors.Is(again, kind), "%v and %v", err, again)
		}
		if err == io.EOF {
			require.LessOrEqual(t, total, len(b), "a row has a byte or more")
		}
	})
}
