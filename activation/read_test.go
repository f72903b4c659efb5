package activation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
)

// openBytes opens b as a file, which it must be.
func openBytes(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := NewFile("x.npy", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f
}

// tunings take every branch of read on small arrays: lines whole and cut, alone,
// in groups, and together with what lies between them.
var tunings = []tuning{defaultTuning, {scratch: 64}, {scratch: 200, gap: 24}, {scratch: 1024, gap: 64}}

// checkRead compares blocks of f with want(row, col) in many places and sizes,
// each with padding that must stay untouched.
func checkRead(t *testing.T, f *File, want func(row, col int) float64) {
	t.Helper()
	n, d := f.Dims()
	g := *f
	for _, g.tuning = range tunings {
		for _, row := range cuts(n) {
			for _, col := range cuts(d) {
				for _, rows := range cuts(n - row) {
					for _, cols := range cuts(d - col) {
						for _, pad := range []int{0, 3} {
							if where := differs(&g, row, col, rows, cols, pad, want); where != "" {
								t.Fatalf("%v, fortran %v, %v, tuning %+v: block %d × %d at (%d, %d), padded by %d: %s",
									f.header.element, f.header.fortran, f.Shape(), g.tuning, rows, cols, row, col, pad, where)
							}
						}
					}
				}
			}
		}
	}
}

// cuts returns some numbers of 0 to n, among them both.
func cuts(n int) []int {
	var c []int
	for _, i := range []int{0, 1, tile, n / 2, n - 1, n} {
		if i >= 0 && i <= n && (len(c) == 0 || i > c[len(c)-1]) {
			c = append(c, i)
		}
	}
	return c
}

// blockReader is a File or Shards.
type blockReader interface {
	Read(dst lapack.Matrix[float64], row, col int) error
}

// differs says where a block that f reads is not as wanted, if it is not.
func differs(f blockReader, row, col, rows, cols, pad int, want func(row, col int) float64) string {
	dst := lapack.Matrix[float64]{Rows: rows, Cols: cols, Stride: cols + pad, Data: make([]float64, rows*(cols+pad))}
	for i := range dst.Data {
		dst.Data[i] = math.NaN()
	}
	if err := f.Read(dst, row, col); err != nil {
		return err.Error()
	}
	for k, v := range dst.Data {
		i, j := k/dst.Stride, k%dst.Stride
		switch {
		case j >= cols && !math.IsNaN(v):
			return fmt.Sprintf("padding (%d, %d) became %v", i, j, v)
		case j < cols && v != want(row+i, col+j):
			return fmt.Sprintf("element (%d, %d) is %v, not %v", i, j, v, want(row+i, col+j))
		}
	}
	return ""
}

func TestRead(t *testing.T) {
	shapes := [][]int{{1}, {70}, {1, 1}, {1, 9}, {9, 1}, {70, 21}, {5, 140}, {0, 4}, {4, 0}, {7, 3, 5}, {4, 1, 6}, {2, 0, 3}, {7, 2, 3, 5}, {5, 2, 3, 1, 4}, {1, 3, 1, 4}, {3, 4, 0, 2}}
	for _, descr := range []string{"<f2", ">f2", "<f4", ">f4", "<f8", ">f8"} {
		for _, fortran := range []bool{false, true} {
			for _, shape := range shapes {
				t.Run(fmt.Sprintf("%s/fortran=%v/%v", descr, fortran, shape), func(t *testing.T) {
					a := array{descr: descr, fortran: fortran, shape: shape}
					f := openBytes(t, a.file())
					neurons := 1
					for _, s := range shape[1:] {
						neurons *= s
					}
					n, d := f.Dims()
					assert.Equal(t, []int{shape[0], neurons}, []int{n, d})
					assert.Equal(t, shape, f.Shape())
					assert.Equal(t, map[byte]string{'2': "float16", '4': "float32", '8': "float64"}[descr[2]], f.Storage())
					checkRead(t, f, func(row, col int) float64 { return value(row*d + col) })
				})
			}
		}
	}
}

func TestT(t *testing.T) {
	for _, fortran := range []bool{false, true} {
		f := openBytes(t, array{descr: "<f4", fortran: fortran, shape: []int{21, 70}}.file())
		view, err := f.T()
		require.NoError(t, err)
		n, d := view.Dims()
		assert.Equal(t, []int{70, 21}, []int{n, d})
		assert.Equal(t, []int{21, 70}, view.Shape())
		assert.Equal(t, "x.npy", view.Name())
		checkRead(t, view, func(row, col int) float64 { return value(col*70 + row) })
		back, err := view.T()
		require.NoError(t, err)
		checkRead(t, back, func(row, col int) float64 { return value(row*70 + col) })
	}
	for _, shape := range [][]int{{6}, {2, 3, 4, 5}} {
		f := openBytes(t, array{descr: "<f4", shape: shape}.file())
		_, err := f.T()
		var fault *FormatError
		require.ErrorAs(t, err, &fault)
		assert.ErrorContains(t, err, "x.npy: only an array of 2 dimensions")
		assert.ErrorContains(t, err, formatShape(shape))
	}
}

// TestNativeOrder: codes without a byte order mean that of this machine.
func TestNativeOrder(t *testing.T) {
	want := []float64{1.5, -2}
	for _, descr := range []string{"f8", "=f8", "|f8"} {
		b := withHeader(1, array{descr: descr, shape: []int{2}}.dict())
		for _, v := range want {
			b = binary.NativeEndian.AppendUint64(b, math.Float64bits(v))
		}
		dst := lapack.New[float64](2, 1)
		require.NoError(t, openBytes(t, b).Read(dst, 0, 0))
		assert.Equal(t, want, dst.Data, descr)
	}
}

// TestBits: every float16, and float32 and float64 of every exponent, come out
// with their bits, infinities, subnormals and the sign of 0 included.
func TestBits(t *testing.T) {
	var b16, b32, b64 []byte
	var want16, want32, want64 []float64
	for h := range 1 << 16 {
		b16 = binary.LittleEndian.AppendUint16(b16, uint16(h))
		want16 = append(want16, float16ByDefinition(h))
		bits32 := uint32(h)<<16 | 0x1235
		b32 = binary.LittleEndian.AppendUint32(b32, bits32)
		want32 = append(want32, float64(math.Float32frombits(bits32)))
		bits64 := uint64(h)<<48 | 0x123456789abd
		b64 = binary.LittleEndian.AppendUint64(b64, bits64)
		want64 = append(want64, math.Float64frombits(bits64))
	}
	for _, c := range []struct {
		descr   string
		payload []byte
		want    []float64
	}{{"<f2", b16, want16}, {"<f4", b32, want32}, {"<f8", b64, want64}} {
		b := append(withHeader(1, array{descr: c.descr, shape: []int{1 << 16}}.dict()), c.payload...)
		dst := lapack.New[float64](1<<16, 1)
		require.NoError(t, openBytes(t, b).Read(dst, 0, 0))
		for i, v := range dst.Data {
			if math.IsNaN(v) && math.IsNaN(c.want[i]) {
				continue
			}
			if math.Float64bits(v) != math.Float64bits(c.want[i]) {
				t.Fatalf("%s: element %#x is %v, not %v", c.descr, i, v, c.want[i])
			}
		}
	}
}

// float16ByDefinition is IEEE 754's binary16: sign, 5 bits of exponent with bias
// 15, 10 bits of fraction.
func float16ByDefinition(bits int) float64 {
	sign, exponent, fraction := 1-2*float64(bits>>15), bits>>10&31, float64(bits&1023)/1024
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return math.Copysign(math.Ldexp(fraction, -14), sign)
	}
	return sign * math.Ldexp(1+fraction, exponent-15)
}

func TestReadPanics(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{3, 4}}.file())
	m := func(rows, cols, stride, length int) lapack.Matrix[float64] {
		return lapack.Matrix[float64]{Rows: rows, Cols: cols, Stride: stride, Data: make([]float64, length)}
	}
	for _, c := range []struct {
		message  string
		dst      lapack.Matrix[float64]
		row, col int
	}{
		{panicOutOfRange, m(1, 4, 4, 4), 3, 0},
		{panicOutOfRange, m(3, 4, 4, 12), 1, 0},
		{panicOutOfRange, m(3, 4, 4, 12), 0, 1},
		{panicOutOfRange, m(1, 1, 1, 1), -1, 0},
		{panicOutOfRange, m(1, 1, 1, 1), 0, -1},
		{panicOutOfRange, m(0, 0, 0, 0), 4, 0},
		{panicOutOfRange, m(1, 1, 1, 1), math.MaxInt, 0},
		{panicShortData, m(3, 4, 5, 13), 0, 0},
		{panicBadStride, m(3, 4, 3, 12), 0, 0},
		{panicNegativeSize, m(-1, 4, 4, 12), 0, 0},
		{panicNegativeSize, m(1, -4, 4, 12), 0, 0},
	} {
		assert.PanicsWithValue(t, c.message, func() { _ = f.Read(c.dst, c.row, c.col) }, "%+v", c)
	}
	assert.NoError(t, f.Read(m(0, 0, 0, 0), 3, 4))
	assert.NoError(t, f.Read(m(3, 4, 5, 14), 0, 0), "the last row needs no padding")
	assert.PanicsWithValue(t, panicNegativeSize, func() { _, _ = NewFile("x", bytes.NewReader(nil), -1) })
}

// brokenReader fails with err from byte limit on; without err it ends there.
type brokenReader struct {
	io.ReaderAt
	limit int64
	err   error
}

func (r brokenReader) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) <= r.limit {
		return r.ReaderAt.ReadAt(p, offset)
	}
	n, _ := r.ReaderAt.ReadAt(p[:max(0, r.limit-offset)], offset)
	return n, r.err
}

// TestReadFailures: a file may shrink or fail after it was opened.
func TestReadFailures(t *testing.T) {
	errDisk := errors.New("disk on fire")
	for _, fortran := range []bool{false, true} {
		a := array{descr: "<f4", fortran: fortran, shape: []int{10, 6}}
		b := a.file()
		header := len(b) - 4*60
		// The place on disk of datapoint 7, neuron 3 or, by columns, the last.
		limit := header + 4*(7*6+3)
		if fortran {
			limit = header + 4*(5*10+7)
		}
		for _, c := range []struct{ returned, want error }{{errDisk, errDisk}, {io.EOF, io.ErrUnexpectedEOF}, {nil, io.ErrUnexpectedEOF}} {
			for _, tune := range tunings {
				f, err := NewFile("x.npy", brokenReader{bytes.NewReader(b), math.MaxInt64, nil}, int64(len(b)))
				require.NoError(t, err)
				f.source.ReaderAt = brokenReader{bytes.NewReader(b), int64(limit), c.returned}
				f.tuning = tune
				err = f.Read(lapack.New[float64](10, 6), 0, 0)
				require.ErrorIs(t, err, c.want)
				assert.ErrorContains(t, err, "activation: x.npy: reading datapoint 7: ")
				assert.NotErrorIs(t, err, ErrFormat)
				assert.NoError(t, f.Read(lapack.New[float64](7, 3), 0, 0), "what is there can be read")
			}
		}
		for _, cut := range []int64{0, 20} {
			_, err := NewFile("x.npy", brokenReader{bytes.NewReader(b), cut, errDisk}, int64(len(b)))
			require.ErrorIs(t, err, errDisk)
			assert.ErrorContains(t, err, "activation: x.npy: reading the header: ")
		}
	}
}

// eofReader reports the end of file along with the last bytes, as io.ReaderAt may.
type eofReader struct{ b []byte }

func (r eofReader) ReadAt(p []byte, offset int64) (int, error) {
	n := copy(p, r.b[offset:])
	if offset+int64(n) == int64(len(r.b)) {
		return n, io.EOF
	}
	return n, nil
}

func TestEOFWithLastBytes(t *testing.T) {
	b := array{descr: "<f8", shape: []int{3, 2}}.file()
	f, err := NewFile("x.npy", eofReader{b}, int64(len(b)))
	require.NoError(t, err)
	checkRead(t, f, func(row, col int) float64 { return value(2*row + col) })
}

func TestReadConcurrently(t *testing.T) {
	const n, d = 200, 37
	for _, fortran := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "x.npy")
		require.NoError(t, os.WriteFile(path, array{descr: ">f4", fortran: fortran, shape: []int{n, d}}.file(), 0o600))
		f, err := Open(path)
		require.NoError(t, err)
		view, err := f.T()
		require.NoError(t, err)
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for row := worker; row+10 <= n; row += 7 {
					dst, turned := lapack.New[float64](10, d), lapack.New[float64](d, 10)
					if !assert.NoError(t, f.Read(dst, row, 0)) || !assert.NoError(t, view.Read(turned, 0, row)) {
						return
					}
					for i := range 10 {
						for j := range d {
							if want := value((row+i)*d + j); dst.At(i, j) != want || turned.At(j, i) != want {
								t.Errorf("(%d, %d) is %v and %v, not %v", row+i, j, dst.At(i, j), turned.At(j, i), want)
								return
							}
						}
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, f.Close())
	}
}

// TestReadAllocates: nothing, once the scratch buffer is there.
func TestReadAllocates(t *testing.T) {
	if sanitizer.On {
		t.Skip("an instrumented build allocates more")
	}
	for _, shape := range [][]int{{500}, {500, 40}, {50, 4, 5, 2}} {
		for _, fortran := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "x.npy")
			require.NoError(t, os.WriteFile(path, array{descr: "<f4", fortran: fortran, shape: shape}.file(), 0o600))
			f, err := Open(path)
			require.NoError(t, err)
			_, d := f.Dims()
			dst := lapack.New[float64](30, d)
			assert.Zero(t, testing.AllocsPerRun(100, func() { err = errors.Join(err, f.Read(dst, 7, 0)) }))
			assert.NoError(t, err)
			require.NoError(t, f.Close())
		}
	}
}

// largestRead records the most that is asked for at once.
type largestRead struct {
	io.ReaderAt
	most int
}

func (r *largestRead) ReadAt(p []byte, offset int64) (int, error) {
	r.most = max(r.most, len(p))
	return r.ReaderAt.ReadAt(p, offset)
}

// TestReadBounded: a block larger than the scratch buffer is read in pieces.
func TestReadBounded(t *testing.T) {
	for _, fortran := range []bool{false, true} {
		b := array{descr: "<f4", fortran: fortran, shape: []int{3, 50000}}.file()
		r := &largestRead{ReaderAt: bytes.NewReader(b)}
		f, err := NewFile("x.npy", r, int64(len(b)))
		require.NoError(t, err)
		require.Empty(t, differs(f, 0, 0, 3, 50000, 1, func(row, col int) float64 { return value(row*50000 + col) }))
		assert.LessOrEqual(t, r.most, scratchBytes)
		assert.Less(t, 4096, r.most, "lines are read together, or whole")
	}
}
