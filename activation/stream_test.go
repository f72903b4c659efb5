package activation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
)

// padded returns a matrix of NaN with padding, which no reading may touch.
func padded(rows, cols, pad int) lapack.Matrix[float64] {
	m := lapack.New[float64](rows, cols+pad)
	for i := range m.Data {
		m.Data[i] = math.NaN()
	}
	return m.View(0, 0, rows, cols)
}

// requireRows compares the first rows of m with the layer's from row first on,
// and all its padding with NaN.
func requireRows(t require.TestingT, m lapack.Matrix[float64], first, rows int) {
	for i := range rows {
		for j, v := range m.Row(i) {
			require.Equal(t, value((first+i)*m.Cols+j), v, "(%d, %d)", first+i, j)
		}
	}
	for k := range m.Data {
		if k%m.Stride >= m.Cols {
			require.True(t, math.IsNaN(m.Data[k]), "padding")
		}
	}
}

// TestStream: arrays however cut, arriving in whatever pieces and asked for in
// whatever blocks, are the one layer.
func TestStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 9).Draw(t, "neurons")
		size := rapid.SampledFrom([]string{"f2", "f4", "f8"}).Draw(t, "type")
		var b []byte
		n := 0
		for _, rows := range drawInts(t, "rows", 1, 6, 12) {
			a := cut(rapid.SampledFrom([]string{"<", ">"}).Draw(t, "byte order")+size, n, rows, d)
			a.version = rapid.SampledFrom([]byte{1, 2, 3}).Draw(t, "version")
			if d == 1 && rapid.Bool().Draw(t, "1-D") {
				a.shape = a.shape[:1]
			}
			b = append(b, a.file()...)
			n += rows
		}
		var r io.Reader = bytes.NewReader(b)
		switch rapid.IntRange(0, 3).Draw(t, "pieces") {
		case 1:
			r = iotest.OneByteReader(r)
		case 2:
			r = iotest.HalfReader(r)
		case 3:
			r = iotest.DataErrReader(r)
		}
		s := NewStream("layer3", r)
		neurons, err := s.Neurons()
		require.NoError(t, err)
		require.Equal(t, d, neurons)
		stored, err := s.Storage()
		require.NoError(t, err)
		require.Equal(t, map[string]string{"f2": "float16", "f4": "float32", "f8": "float64"}[size], stored)
		for row := 0; row < n; {
			rows := rapid.IntRange(0, n+3).Draw(t, "block")
			m := padded(rows, d, rapid.IntRange(0, 2).Draw(t, "padding"))
			came, err := s.Read(m)
			require.NoError(t, err)
			require.Equal(t, min(rows, n-row), came)
			requireRows(t, m, row, came)
			row += came
		}
		for range 2 {
			came, err := s.Read(lapack.New[float64](1, d))
			require.Zero(t, came)
			require.Equal(t, io.EOF, err)
		}
		neurons, err = s.Neurons()
		require.NoError(t, err, "also at the end")
		require.Equal(t, d, neurons)
	})
}

// TestStreamCut: wherever a stream is cut off, the rows before come whole, and
// the error says where it was.
func TestStreamCut(t *testing.T) {
	const d = 3
	var arrays []array
	var b []byte
	n := 0
	for _, rows := range []int{2, 0, 3, 1} {
		a := cut("<f4", n, rows, d)
		arrays, b = append(arrays, a), append(b, a.file()...)
		n += rows
	}
	// want returns how many rows are whole in so many bytes, and how the error
	// begins, which is none after a whole array.
	want := func(length int) (rows int, where string) {
		for k, a := range arrays {
			all, begin := len(a.file()), len(a.file())-4*a.size()
			whole := (length - begin) / (4 * d)
			switch {
			case length == 0:
				return rows, ""
			case length < begin:
				return rows, fmt.Sprintf("activation: layer3: array %d, from datapoint %d: reading the header: ", k, rows)
			case length < all:
				return rows + whole, fmt.Sprintf("activation: layer3: reading datapoint %d, datapoint %d of array %d: ", rows+whole, whole, k)
			}
			rows, length = rows+a.shape[0], length-all
		}
		return rows, ""
	}
	for length := 1; length <= len(b); length++ {
		for pad := range 2 {
			s := NewStream("layer3", bytes.NewReader(b[:length]))
			m := padded(n+1, d, pad)
			rows, err := s.Read(m)
			if err == nil {
				_, err = s.Read(padded(1, d, pad))
			}
			wantRows, where := want(length)
			require.Equal(t, wantRows, rows, "of %d bytes", length)
			requireRows(t, m, 0, rows)
			if where == "" {
				require.Equal(t, io.EOF, err)
				continue
			}
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NotErrorIs(t, err, ErrFormat)
			require.ErrorContains(t, err, where)
		}
	}
	s := NewStream("layer3", bytes.NewReader(nil))
	for range 2 {
		_, err := s.Neurons()
		assert.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, "activation: layer3: the stream is empty")
	}
}

// TestStreamReaderFails: an error of the reader comes with the rows before it.
func TestStreamReaderFails(t *testing.T) {
	errCable := errors.New("somebody tripped over the cable")
	b := cut("<f4", 0, 4, 3).file()
	begin := len(b) - 4*12
	for _, c := range []struct {
		length, rows int
		message      string
	}{
		{0, 0, "array 0, from datapoint 0: reading the header"},
		{5, 0, "array 0, from datapoint 0: reading the header"},
		{20, 0, "array 0, from datapoint 0: reading the header"},
		{begin, 0, "reading datapoint 0, datapoint 0 of array 0"},
		{begin + 4*7, 2, "reading datapoint 2, datapoint 2 of array 0"},
		{len(b), 4, "array 1, from datapoint 4: reading the header"},
	} {
		s := NewStream("layer3", io.MultiReader(bytes.NewReader(b[:c.length]), iotest.ErrReader(errCable)))
		m := padded(5, 3, 0)
		rows, err := s.Read(m)
		assert.Equal(t, c.rows, rows)
		assert.ErrorIs(t, err, errCable)
		assert.ErrorContains(t, err, "activation: layer3: "+c.message+": ")
		requireRows(t, m, 0, rows)
		_, again := s.Read(m)
		assert.Equal(t, err, again)
	}
	// No error inside an array passes for the end of the stream.
	for _, length := range []int{20, begin + 4*7} {
		s := NewStream("layer3", io.MultiReader(bytes.NewReader(b[:length]), iotest.ErrReader(fmt.Errorf("cable: %w", io.EOF))))
		_, err := s.Read(padded(5, 3, 0))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.NotErrorIs(t, err, io.EOF)
	}
	s := NewStream("layer3", iotest.ErrReader(errCable))
	_, err := s.Neurons()
	assert.ErrorIs(t, err, errCable)
	_, err = s.Storage()
	assert.ErrorIs(t, err, errCable)
}

// TestStreamRefuses: what a file may be and a stream not, as the first array and
// after another.
func TestStreamRefuses(t *testing.T) {
	first := cut("<f4", 0, 2, 3).file()
	for _, c := range []struct {
		name    string
		array   []byte
		message string
	}{
		{"Fortran order", array{descr: "<f4", fortran: true, shape: []int{2, 3}}.file(), "save np.ascontiguousarray(x)"},
		{"4-D", array{descr: "<f4", shape: []int{2, 3, 1, 1}}.file(), "shape 2 × 3 × 1 × 1 has 4 dimensions, of which 1 or 2 are read from a stream"},
		{"3-D", array{descr: "<f4", shape: []int{2, 3, 1}}.file(), "shape 2 × 3 × 1 has 3 dimensions"},
		{"no neurons", array{descr: "<f4", shape: []int{2, 0}}.file(), "shape 2 × 0 has no neurons"},
		{"integers", withHeader(1, dict("'<i4'", "False", "(2, 3)")), "these are integers"},
		{"text", []byte("0.5 1.5 2.5 3.5\n"), "not a .npy file: this looks like text"},
		{"text shorter than a header", []byte("0.5\n"), "not a .npy file: this looks like text"},
	} {
		_, err := NewStream("layer3", bytes.NewReader(c.array)).Neurons()
		assert.ErrorIs(t, err, ErrFormat, c.name)
		assert.ErrorContains(t, err, "activation: layer3: array 0, from datapoint 0: ", c.name)
		assert.ErrorContains(t, err, c.message)

		s := NewStream("layer3", bytes.NewReader(append(bytes.Clone(first), c.array...)))
		m := padded(3, 3, 0)
		rows, err := s.Read(m)
		assert.Equal(t, 2, rows)
		assert.ErrorIs(t, err, ErrFormat, c.name)
		assert.ErrorContains(t, err, "activation: layer3: array 1, from datapoint 2: ", c.name)
		assert.ErrorContains(t, err, c.message)
		requireRows(t, m, 0, rows)
	}
	for _, c := range []struct {
		second  array
		message string
	}{
		{cut("<f4", 0, 2, 4), "array 1, from datapoint 2: 4 neurons, array 0 has 3"},
		{cut("<f4", 0, 0, 4), "array 1, from datapoint 2: 4 neurons, array 0 has 3"},
		{array{descr: "<f4", shape: []int{3}}, "array 1, from datapoint 2: 1 neurons, array 0 has 3"},
		{cut("<f8", 0, 2, 3), "array 1, from datapoint 2: elements are float64, those of array 0 float32"},
	} {
		s := NewStream("layer3", bytes.NewReader(append(bytes.Clone(first), c.second.file()...)))
		rows, err := s.Read(lapack.New[float64](3, 3))
		assert.Equal(t, 2, rows)
		assert.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, c.message)
	}
	// A 1-D array has one order, whatever its header says.
	b := append(withHeader(1, dict("'<f4'", "True", "(6,)")), make([]byte, 24)...)
	rows, err := NewStream("layer3", bytes.NewReader(b)).Read(lapack.New[float64](6, 1))
	assert.NoError(t, err)
	assert.Equal(t, 6, rows)
}

// drain reads a stream to its end or first error.
func drain(r io.Reader, rows int) (total int, err error) {
	s := NewStream("layer3", r)
	d, err := s.Neurons()
	if err != nil || d > 1<<12 {
		return 0, err
	}
	dst := lapack.New[float64](rows, d)
	for {
		n, err := s.Read(dst)
		total += n
		if err != nil {
			return total, err
		}
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// streamMemory bounds what drain allocates for a stream of so many bytes: the
// buffer, the block, the text of a header that claims the most and two copies of
// those that came; the rest is messages.
func streamMemory(size, rows int) uint64 {
	return uint64(scratchBytes + 8*rows<<12 + maxHeader + 2*size + 1<<17)
}

// TestStreamHostile: what is hostile as a file is so in a stream, though some is
// found out later there: no size says beforehand how many bytes come.
func TestStreamHostile(t *testing.T) {
	for _, c := range hostile {
		for _, before := range [][]byte{nil, cut("<f4", 0, 2, 3).file()} {
			b := append(bytes.Clone(before), c.file...)
			if before != nil && len(c.file) == 0 || strconv.IntSize < 64 && c.name == "large" {
				continue // a proper end; a size that needs an int of 64 bits
			}
			t.Run(c.name, func(t *testing.T) {
				var err error
				most := allocated(func() { _, err = drain(bytes.NewReader(b), 2) })
				require.Error(t, err)
				assert.True(t, errors.Is(err, ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF), err)
				assert.ErrorContains(t, err, "activation: layer3: ")
				assert.Less(t, len(err.Error()), 500, "a message is no dump")
				assert.Less(t, most, streamMemory(len(b), 2))
			})
		}
	}
}

// TestStreamClaims: sizes that a header claims allocate nothing.
func TestStreamClaims(t *testing.T) {
	b := withHeader(1, dict("'<f4'", "False", "(1048576, "+strconv.Itoa(math.MaxInt>>24)+")"))
	var d int
	var err error
	assert.Less(t, allocated(func() { d, err = NewStream("layer3", bytes.NewReader(b)).Neurons() }), streamMemory(len(b), 0))
	require.NoError(t, err)
	assert.Equal(t, math.MaxInt>>24, d)
}

// TestStreamWaitsForNoMore: rows that came are read although no more follow yet.
// It would hang otherwise.
func TestStreamWaitsForNoMore(t *testing.T) {
	r, w := io.Pipe()
	s := NewStream("layer3", r)
	n := 0
	for _, rows := range []int{1, 3} {
		written := make(chan error)
		go func() {
			_, err := w.Write(cut("<f2", n, rows, 1).file())
			written <- err
		}()
		m := padded(rows, 1, 0)
		came, err := s.Read(m)
		require.NoError(t, err)
		require.Equal(t, rows, came)
		requireRows(t, m, n, rows)
		require.NoError(t, <-written)
		n += rows
	}
	require.NoError(t, w.Close())
	_, err := s.Read(lapack.New[float64](1, 1))
	assert.Equal(t, io.EOF, err)
}

// TestStreamBeyondBuffer: rows longer than the buffer, and many in one block.
func TestStreamBeyondBuffer(t *testing.T) {
	for _, shape := range [][]int{{3, scratchBytes/4 + 7}, {20000, 5}} {
		for _, descr := range []string{"<f4", ">f8"} {
			for _, pad := range []int{0, 2} {
				b := cut(descr, 0, shape[0], shape[1]).file()
				m := padded(shape[0], shape[1], pad)
				rows, err := NewStream("layer3", bytes.NewReader(b)).Read(m)
				require.NoError(t, err)
				require.Equal(t, shape[0], rows)
				for i := range rows {
					for j, v := range m.Row(i) {
						if v != value(i*shape[1]+j) {
							t.Fatalf("(%d, %d) is %v", i, j, v)
						}
					}
				}
			}
		}
	}
}

func TestStreamPanics(t *testing.T) {
	s := NewStream("layer3", bytes.NewReader(cut("<f4", 0, 2, 3).file()))
	for _, c := range []struct {
		message string
		dst     lapack.Matrix[float64]
	}{
		{panicBadColumns, lapack.New[float64](1, 2)},
		{panicBadColumns, lapack.New[float64](0, 4)},
		{panicShortData, lapack.Matrix[float64]{Rows: 2, Cols: 3, Stride: 3, Data: make([]float64, 5)}},
		{panicBadStride, lapack.Matrix[float64]{Rows: 1, Cols: 3, Stride: 2, Data: make([]float64, 3)}},
		{panicNegativeSize, lapack.Matrix[float64]{Rows: -1, Cols: 3, Stride: 3}},
	} {
		assert.PanicsWithValue(t, c.message, func() { _, _ = s.Read(c.dst) })
	}
}

// TestStreamAllocates: nothing between two headers.
func TestStreamAllocates(t *testing.T) {
	if sanitizer.On {
		t.Skip("an instrumented build allocates more")
	}
	s := NewStream("layer3", bytes.NewReader(cut(">f4", 0, 5000, 40).file()))
	dst := lapack.New[float64](30, 40)
	_, err := s.Read(dst)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, e := s.Read(dst)
		err = errors.Join(err, e)
	}))
	assert.NoError(t, err)
}
