package activation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosvcca/gosvcca/lapack"
)

// Stream is a layer that comes through a pipe, as .npy arrays one after another:
// what repeated calls of
//
//	numpy.save(sys.stdout.buffer, block)
//
// write. Its rows are those of all arrays in order, to be read once. Arrays are
// of two dimensions in C order, datapoints × neurons, or of one, datapoints of one
// neuron; so a single datapoint is saved as x[None, :]. Any array may have no
// datapoint, and all have the number of neurons and the type of the first.
//
// A stream holds a buffer of 128 KiB and, while it reads a header, up to 2 MiB for
// the text, whatever the header claims. It is not for concurrent use. A call that
// waits for the other end of the pipe knows no context and ends with the reader.
type Stream struct {
	name   string
	r      *bufio.Reader
	first  header // of array 0
	now    header // of the array that is being read
	arrays int    // whose headers were read and accepted
	row    int    // datapoints read, of all arrays
	left   int    // datapoints to read of this array
	err    error  // the first; nothing is read after it
}

// NewStream returns the stream that r holds. Nothing is read yet. Later calls may
// take more from r than they were asked for, but never wait for more. Errors name
// the stream name.
func NewStream(name string, r io.Reader) *Stream {
	return &Stream{name: name, r: bufio.NewReaderSize(r, scratchBytes)}
}

// Neurons returns the number of neurons, at least 1. The first call of this,
// Storage or Read waits for the first array's header, and gives the errors of
// Read; a stream without any array gives a *FormatError.
//
// A header can claim any number, and nothing tells beforehand whether so many
// values will come: judge it before a block of so many columns is allocated.
func (s *Stream) Neurons() (int, error) {
	if err := s.begin(); err != nil {
		return 0, err
	}
	_, d := s.first.dims()
	return d, nil
}

// Storage returns the type of the values in the stream, as File.Storage, with the
// errors of Neurons.
func (s *Stream) Storage() (string, error) {
	if err := s.begin(); err != nil {
		return "", err
	}
	return s.first.element.String(), nil
}

// Read fills dst with the next datapoints, waiting until all its rows came, and
// returns their number. They are fewer only where the stream ends after the last
// of a whole array; at the end itself Read returns 0 and io.EOF. Elements between
// dst's columns and its stride are not touched. Other than Neurons columns are a
// programmer's error.
//
// An array that is cut off gives an error that wraps io.ErrUnexpectedEOF; one that
// is no layer, or does not continue the first, a *FormatError; others are those of
// the reader. They name the array and the datapoint, both counted from 0, and come
// with the number of datapoints that were read whole before; dst is undefined
// after these. A later Read returns the same error again.
func (s *Stream) Read(dst lapack.Matrix[float64]) (rows int, err error) {
	checkMatrix(dst)
	d, err := s.Neurons()
	if err != nil {
		return 0, err
	}
	if dst.Cols != d {
		panic(panicBadColumns)
	}
	for rows < dst.Rows && s.err == nil {
		if s.left == 0 {
			s.err = s.next()
			continue
		}
		part := dst.View(rows, 0, min(dst.Rows-rows, s.left), d)
		var came int
		came, s.err = s.fill(part)
		rows += came
	}
	if rows > 0 && s.err == io.EOF || rows == dst.Rows {
		return rows, nil
	}
	return rows, s.err
}

// begin reads the first header, once.
func (s *Stream) begin() error {
	if s.arrays > 0 {
		return nil
	}
	if s.err == nil {
		s.err = s.next()
	}
	if s.err == io.EOF {
		s.err = &FormatError{Name: s.name, Problem: "the stream is empty: arrays written by numpy.save expected"}
	}
	return s.err
}

// next reads the header of the next array. The stream's proper end is io.EOF.
func (s *Stream) next() error {
	h, err := s.header()
	if err != nil {
		return err
	}
	if s.arrays == 0 {
		s.first = h
	}
	_, d := h.dims()
	switch _, want := s.first.dims(); {
	case h.element == int8Element:
		return s.fault("elements are int8, whose scale no stream holds: save x * scale as float32")
	case len(h.shape) > 2:
		return s.fault("shape %s has %d dimensions, of which 1 or 2 are read from a stream: use x.reshape(len(x), -1)", formatShape(h.shape), len(h.shape))
	case h.fortran && len(h.shape) == 2:
		return s.fault("the array is in Fortran order, of which no row is whole before its end: save np.ascontiguousarray(x)")
	case d == 0:
		return s.fault("shape %s has no neurons", formatShape(h.shape))
	case d != want:
		return s.fault("%d neurons, array 0 has %d", d, want)
	case h.element != s.first.element:
		return s.fault("elements are %v, those of array 0 %v: save all with the same dtype", h.element, s.first.element)
	}
	s.now, s.left = h, h.shape[0]
	s.arrays++
	return nil
}

// header reads a header, and no more than it needs: the next array may be long in
// coming.
func (s *Stream) header() (header, error) {
	// The magic string, the version, and of the shortest header the length and
	// two bytes of the dictionary.
	head, err := s.r.Peek(len(magic) + 6)
	switch {
	case err == io.EOF && len(head) == 0:
		return header{}, io.EOF
	case err != nil && (err != io.EOF || strings.HasPrefix(magic, string(head[:min(len(head), len(magic))]))):
		return header{}, s.headerFailure(err)
	}
	head, _ = s.r.Peek(min(s.r.Buffered(), sniffBytes)) // cannot fail: it is there
	begin, length, err := parsePrefix(s.name, head)
	if err != nil {
		return header{}, s.fault("%v", err)
	}
	text := make([]byte, begin+length)
	if _, err := io.ReadFull(s.r, text); err != nil {
		return header{}, s.headerFailure(err)
	}
	h, err := newHeader(string(text[begin:]))
	if err == nil {
		err = h.checkLayer()
	}
	if err != nil {
		return header{}, s.fault("%v", err)
	}
	return h, nil
}

// fill sets dst to rows of the array, which has as many, and returns how many
// came whole.
func (s *Stream) fill(dst lapack.Matrix[float64]) (rows int, err error) {
	lines, length := dst.Rows, dst.Cols
	if dst.Cols == dst.Stride {
		lines, length = 1, dst.Rows*dst.Cols // rows side by side are one long line
	}
	values := 0
	for i := 0; i < lines && err == nil; i++ {
		var came int
		came, err = s.values(dst.Data[i*dst.Stride:][:length])
		values += came
	}
	rows = values / dst.Cols
	s.row += rows
	s.left -= rows
	if err != nil {
		err = fmt.Errorf("activation: %s: reading datapoint %d, datapoint %d of array %d: %w",
			s.name, s.row, s.now.shape[0]-s.left, s.arrays-1, unexpected(err))
	}
	return rows, err
}

// values sets dst to the next values of the array and returns how many came.
func (s *Stream) values(dst []float64) (came int, err error) {
	size := s.now.element.size
	for came < len(dst) && err == nil {
		// What is peeked is decoded where it lies. Turning it round there too is
		// harmless: nobody sees it again.
		var raw []byte
		raw, err = s.r.Peek(min(len(dst)-came, scratchBytes/size) * size)
		count := len(raw) / size
		if s.now.bigEndian {
			s.now.element.reverse(raw)
		}
		s.now.element.decode(dst[came:came+count], raw)
		came += count
		s.r.Discard(len(raw))
	}
	return came, err
}

// fault is an array that is not read.
func (s *Stream) fault(format string, args ...any) error {
	return &FormatError{Name: s.name, Problem: fmt.Sprintf("array %d, from datapoint %d: %s", s.arrays, s.row, fmt.Sprintf(format, args...))}
}

func (s *Stream) headerFailure(err error) error {
	return fmt.Errorf("activation: %s: array %d, from datapoint %d: reading the header: %w", s.name, s.arrays, s.row, unexpected(err))
}

// unexpected turns an end inside an array into the error that says so, also one
// that the reader has wrapped: errors.Is would take it for the stream's end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
