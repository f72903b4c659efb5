package activation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
)

// rowsOf returns rows of the array of d neurons whose element k is value(k), as
// a view into a matrix with more columns.
func rowsOf(first, rows, d int) lapack.Matrix[float64] {
	m := lapack.New[float64](rows, d+2)
	for i := range rows {
		for j := range d + 2 {
			m.Set(i, j, math.NaN())
		}
		for j := range d {
			m.Set(i, j, value((first+i)*d+j))
		}
	}
	return m.View(0, 0, rows, d)
}

// write writes an array of value(k) in blocks of three rows.
func write(t *testing.T, shape ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, shape...)
	require.NoError(t, err)
	d := 1
	for _, s := range shape[1:] {
		d *= s
	}
	for row := 0; row < shape[0]; row += 3 {
		require.NoError(t, w.Write(rowsOf(row, min(3, shape[0]-row), d)))
	}
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "a second time")
	return b.Bytes()
}

func TestWriter(t *testing.T) {
	for _, shape := range [][]int{{7}, {7, 5}, {2, 9000}, {0, 3}, {3, 0}, {4, 2, 3, 2}} {
		b := write(t, shape...)
		want := array{descr: "<f8", shape: shape}.file()
		elements := array{shape: shape}.size() * 8
		begin := len(b) - elements
		assert.Zero(t, begin%64, "the array is aligned")
		assert.Equal(t, byte('\n'), b[begin-1])
		assert.Equal(t, want[len(want)-elements:], b[begin:])
		f := openBytes(t, b)
		assert.Equal(t, shape, f.Shape())
		assert.Equal(t, "float64", f.Storage())
	}
}

func TestWriterCounts(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, 3, 2)
	require.NoError(t, err)
	require.NoError(t, w.Write(rowsOf(0, 2, 2)))
	assert.ErrorContains(t, w.Close(), "activation: writing 3 × 2: only 2 datapoints came")
	assert.Error(t, w.Write(rowsOf(2, 1, 2)), "closed")

	w, err = NewWriter(&b, 3, 2)
	require.NoError(t, err)
	require.NoError(t, w.Write(rowsOf(0, 2, 2)))
	before := b.Len()
	err = w.Write(rowsOf(2, 2, 2))
	assert.ErrorContains(t, err, "activation: writing 3 × 2: at least 4 datapoints came")
	assert.Equal(t, before, b.Len(), "nothing of the block is written")
	assert.Equal(t, err, w.Write(rowsOf(2, 1, 2)))
	assert.Equal(t, err, w.Close())
}

func TestWriterPanics(t *testing.T) {
	for _, c := range []struct {
		message string
		shape   []int
	}{
		{panicBadShape, nil}, {panicBadShape, []int{1, 2, 3}}, {panicBadShape, []int{1, 2, 3, 4, 5}},
		{panicNegativeSize, []int{-1, 2}}, {panicTooLarge, []int{math.MaxInt, 2}}, {panicTooLarge, []int{math.MaxInt / 2, 3}},
	} {
		assert.PanicsWithValue(t, c.message, func() { _, _ = NewWriter(io.Discard, c.shape...) }, fmt.Sprint(c.shape))
	}
	w, err := NewWriter(io.Discard, 3, 2)
	require.NoError(t, err)
	assert.PanicsWithValue(t, panicBadColumns, func() { _ = w.Write(rowsOf(0, 1, 3)) })
}

// fullDisk takes room bytes and no more.
type fullDisk struct{ room int }

var errFull = errors.New("no room left")

func (f *fullDisk) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	f.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestWriterFails(t *testing.T) {
	_, err := NewWriter(&fullDisk{10}, 3, 2)
	assert.ErrorIs(t, err, errFull)

	// In the middle of a block, and at its end.
	for _, room := range []int{200, 128 + writerBytes + 5} {
		w, err := NewWriter(&fullDisk{room}, 100, 1000)
		require.NoError(t, err)
		assert.ErrorIs(t, w.Write(rowsOf(0, 10, 1000)), errFull)
		assert.ErrorIs(t, w.Write(rowsOf(10, 10, 1000)), errFull)
		assert.ErrorIs(t, w.Close(), errFull)
	}
}

func TestWriterAllocates(t *testing.T) {
	if sanitizer.On {
		t.Skip("an instrumented build allocates more")
	}
	m := rowsOf(0, 10, 1000)
	w, err := NewWriter(io.Discard, 10000, 1000)
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() { err = errors.Join(err, w.Write(m)) }))
	assert.NoError(t, err)
}
