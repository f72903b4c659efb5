package activation

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/lapack"
)

// Tensor is what a .safetensors file says of an array.
type Tensor struct {
	Name    string
	Storage string // "float64" or "float32"
	Shape   []int  // one size or more, datapoints first
}

// writtenTypes are the format's names of what can be written.
var writtenTypes = map[string]string{"float64": "F64", "float32": "F32"}

const metadataKey = "__metadata__"

// SafetensorsWriter writes arrays as .safetensors: the length of a header, the
// header in JSON, and the values, little-endian, in C order, one array after
// another. The same arrays make the same bytes. It is not for concurrent use.
type SafetensorsWriter struct {
	w       *bufio.Writer
	tensors []Tensor // not yet written whole
	written int      // datapoints of the first of these
	err     error    // the first; nothing is written after it
}

// NewSafetensorsWriter writes the header of the tensors, whose values Write takes in
// that order, to w. Metadata are texts by their names, or nil. Errors are those of w.
//
// Names that are empty, reserved or given twice, other types and sizes than Tensor
// has, and such as have no array are a programmer's error. Where types are mixed put
// float64 first: its values then lie at multiples of 8 bytes.
func NewSafetensorsWriter(w io.Writer, metadata map[string]string, tensors ...Tensor) (*SafetensorsWriter, error) {
	s := &SafetensorsWriter{w: bufio.NewWriterSize(w, writerBytes), tensors: slices.Clone(tensors)}
	header := safetensorsHeader(metadata, tensors)
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	s.write(append(length, header...))
	s.next()
	return s, s.err
}

// safetensorsHeader returns the header with the spaces behind it, after which and
// eight bytes of length values begin at a multiple of 8.
func safetensorsHeader(metadata map[string]string, tensors []Tensor) []byte {
	type entry struct {
		Dtype   string    `json:"dtype"`
		Shape   []int     `json:"shape"`
		Offsets [2]uint64 `json:"data_offsets"`
	}
	header := map[string]any{} // which encoding/json writes in order of names
	if metadata != nil {
		header[metadataKey] = metadata
	}
	at := uint64(0)
	for _, t := range tensors {
		dtype, known := writtenTypes[t.Storage]
		_, twice := header[t.Name]
		switch {
		case t.Name == "" || t.Name == metadataKey || twice:
			panic(panicBadTensorName)
		case !known:
			panic(panicBadStorage)
		case len(t.Shape) == 0:
			panic(panicNoShape)
		case slices.Min(t.Shape) < 0:
			panic(panicNegativeSize)
		}
		size, ok := arrayBytes(t.Shape, tensorTypes[dtype].element)
		end := at + uint64(size)
		if !ok || end > math.MaxInt64 {
			panic(panicTooLarge)
		}
		header[t.Name] = entry{dtype, t.Shape, [2]uint64{at, end}}
		at = end
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(header); err != nil {
		panic(err) // of texts and numbers there is none
	}
	text.Truncate(text.Len() - 1) // the newline
	text.WriteString(strings.Repeat(" ", -text.Len()&7))
	return text.Bytes()
}

// Write writes the rows of m as the next datapoints of the tensor that is due. An m of
// no values does nothing, and a tensor of none is never due. Rows beyond its own, or beyond all tensors, are an error, and none of m is written then;
// so is a finite value that is infinite as float32. Another number of columns than
// the tensor's sizes but the first make is a programmer's error. After an error Write
// does nothing but return it again.
func (w *SafetensorsWriter) Write(m lapack.Matrix[float64]) error {
	if w.err != nil || m.Rows == 0 || m.Cols == 0 {
		return w.err
	}
	if len(w.tensors) == 0 {
		w.err = errors.New("activation: writing .safetensors: values after the last tensor")
		return w.err
	}
	t := w.tensors[0]
	if m.Cols != rowSize(t.Shape) {
		panic(panicBadColumns)
	}
	if m.Rows > t.Shape[0]-w.written {
		w.err = fmt.Errorf("activation: writing %s of %s: at least %d datapoints came", t.Name, formatShape(t.Shape), w.written+m.Rows)
		return w.err
	}
	for i := 0; i < m.Rows && w.err == nil; i++ {
		w.row(t, m.Row(i))
		w.written++
	}
	w.next()
	return w.err
}

// row writes a datapoint.
func (w *SafetensorsWriter) row(t Tensor, values []float64) {
	for j, v := range values {
		b := w.w.AvailableBuffer()
		if t.Storage == "float64" {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		} else {
			single := float32(v)
			if math.IsInf(float64(single), 0) && !math.IsInf(v, 0) {
				w.err = fmt.Errorf("activation: writing %s: value %d of datapoint %d is %v, beyond float32", t.Name, j, w.written, v)
				return
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(single))
		}
		w.write(b)
	}
}

func (w *SafetensorsWriter) write(b []byte) {
	if _, err := w.w.Write(b); err != nil && w.err == nil {
		w.err = fmt.Errorf("activation: writing .safetensors: %w", err)
	}
}

// next passes over the tensors that are whole, also because they hold nothing.
func (w *SafetensorsWriter) next() {
	for len(w.tensors) > 0 && (w.written == w.tensors[0].Shape[0] || rowSize(w.tensors[0].Shape) == 0) {
		w.tensors, w.written = w.tensors[1:], 0
	}
}

// Close ends the file; it does not close the writer underneath. It returns the error
// of an earlier Write, or one that names the first tensor of which fewer datapoints
// came than the header promised: what was written is then no valid file.
func (w *SafetensorsWriter) Close() error {
	if w.err == errWriterClosed {
		return nil
	}
	err := w.err
	switch flushed := w.w.Flush(); {
	case err != nil:
	case flushed != nil:
		err = fmt.Errorf("activation: writing .safetensors: %w", flushed)
	case len(w.tensors) > 0:
		err = fmt.Errorf("activation: writing %s of %s: only %d datapoints came", w.tensors[0].Name, formatShape(w.tensors[0].Shape), w.written)
	}
	w.err = errWriterClosed
	return err
}
