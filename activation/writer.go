package activation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gosvcca/gosvcca/lapack"
)

// writerBytes is what a Writer gathers before it writes.
const writerBytes = 1 << 16

// Writer writes a layer as .npy of version 1.0, float64 little-endian, in C
// order, in blocks of rows: what numpy.save makes of the same array. It is not
// for concurrent use.
type Writer struct {
	w       io.Writer
	shape   []int
	neurons int
	written int // datapoints
	buffer  []byte
	err     error // the first; nothing is written after it
}

// NewWriter writes the header of an array of the given 1, 2 or 4 sizes, the
// first of them the number of datapoints, to w. Errors are those of w. Other
// than 1, 2 or 4 sizes, negative ones and such as have no array are a
// programmer's error.
func NewWriter(w io.Writer, shape ...int) (*Writer, error) {
	if len(shape) != 1 && len(shape) != 2 && len(shape) != 4 {
		panic(panicBadShape)
	}
	if slices.Min(shape) < 0 {
		panic(panicNegativeSize)
	}
	if _, ok := arrayBytes(shape, float64Element); !ok {
		panic(panicTooLarge)
	}
	npy := &Writer{w: w, shape: slices.Clone(shape), neurons: rowSize(shape), buffer: make([]byte, 0, writerBytes)}
	npy.buffer = appendHeader(npy.buffer, "<f8", shape)
	if npy.flush(); npy.err != nil {
		return nil, npy.err
	}
	return npy, nil
}

// appendHeader appends the header of an array of the type code to b. It ends with a
// newline at a multiple of 64 bytes, so that the array is aligned in a memory map.
func appendHeader(b []byte, descr string, shape []int) []byte {
	sizes := strings.ReplaceAll(formatShape(shape), " × ", ", ")
	switch len(shape) {
	case 0:
		sizes = ""
	case 1:
		sizes += "," // as (5) is no tuple in Python
	}
	const fixed = len(magic) + 4
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, sizes)
	text += strings.Repeat(" ", 63-(fixed+len(text))%64) + "\n"
	b = append(b, magic...)
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// Write writes the rows of m as the next datapoints. Rows beyond those that the
// header promised are an error, and none of m is written then. Other than the
// promised number of neurons is a programmer's error. After an error Write does
// nothing but return it again.
func (w *Writer) Write(m lapack.Matrix[float64]) error {
	if m.Cols != w.neurons {
		panic(panicBadColumns)
	}
	if w.err == nil && m.Rows > w.shape[0]-w.written {
		w.err = fmt.Errorf("activation: writing %s: at least %d datapoints came", formatShape(w.shape), w.written+m.Rows)
	}
	for i := 0; i < m.Rows && w.err == nil; i++ {
		for _, v := range m.Row(i) {
			if len(w.buffer) == cap(w.buffer) {
				w.flush()
			}
			w.buffer = binary.LittleEndian.AppendUint64(w.buffer, math.Float64bits(v))
		}
		w.written++
	}
	if w.err == nil {
		w.flush()
	}
	return w.err
}

// flush writes and empties the buffer.
func (w *Writer) flush() {
	if w.err == nil {
		if _, err := w.w.Write(w.buffer); err != nil {
			w.err = fmt.Errorf("activation: writing %s: %w", formatShape(w.shape), err)
		}
	}
	w.buffer = w.buffer[:0]
}

var errWriterClosed = errors.New("activation: write after Close")

// Close ends the array; it does not close the writer underneath. It returns the
// error of an earlier Write, or one that counts the datapoints where fewer came
// than the header promised: what was written is then no valid file.
func (w *Writer) Close() error {
	if w.err == errWriterClosed {
		return nil
	}
	err := w.err
	if err == nil && w.written < w.shape[0] {
		err = fmt.Errorf("activation: writing %s: only %d datapoints came", formatShape(w.shape), w.written)
	}
	w.err = errWriterClosed
	return err
}

// WriteTexts writes texts as a .npy of one dimension: what numpy.save makes of an
// array of str. A byte that is no UTF-8 becomes U+FFFD, as in JSON. Errors are those
// of w.
func WriteTexts(w io.Writer, texts []string) error {
	width := 1 // as numpy has of empty ones
	for _, text := range texts {
		width = max(width, utf8.RuneCountInString(text))
	}
	b := appendHeader(nil, fmt.Sprintf("<U%d", width), []int{len(texts)})
	for _, text := range texts {
		end := len(b) + 4*width
		for _, r := range text {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
		b = append(b, make([]byte, end-len(b))...)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("activation: writing %d texts: %w", len(texts), err)
	}
	return nil
}

// WriteIndices writes integers as a .npy of one dimension, int64, such as labels or
// numbers of datapoints: what OpenIndices reads. Errors are those of w.
func WriteIndices(w io.Writer, indices []int) error {
	b := appendHeader(nil, "<i8", []int{len(indices)})
	for _, i := range indices {
		b = binary.LittleEndian.AppendUint64(b, uint64(i))
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("activation: writing %d indices: %w", len(indices), err)
	}
	return nil
}
