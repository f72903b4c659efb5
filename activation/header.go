package activation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

const magic = "\x93NUMPY"

// maxHeader bounds the dictionary's length in bytes. Numpy writes 118; only
// records with many fields, which are refused, need more.
const maxHeader = 1 << 20

// maxSizes is how many dimensions an array may have.
const maxSizes = 5

// header is what a file says of an array.
type header struct {
	element   element
	bigEndian bool
	fortran   bool
	shape     []int // 0 to maxSizes sizes
	begin     int64 // of the array, in bytes from the file's beginning; 0 in a stream
	bytes     int64 // of the array
}

// dims returns the numbers of datapoints and neurons that the shape means.
func (h header) dims() (datapoints, neurons int) {
	if len(h.shape) == 0 {
		return 1, 1
	}
	return h.shape[0], rowSize(h.shape)
}

// rowSize returns how many values a datapoint has.
func rowSize(shape []int) int {
	size := 1
	for _, s := range shape[1:] {
		size *= s
	}
	return size
}

// readHeader reads the header of the file of size bytes behind r and compares
// what it promises with that size. The file's own faults are *FormatErrors;
// others are those of r. What it allocates is bounded by the file's size and by
// maxHeader, whatever the header claims.
func readHeader(name string, r io.ReaderAt, size int64) (header, error) {
	fault := func(err error) (header, error) { return header{}, newFormatError(name, err) }
	failure := func(err error) (header, error) {
		if errors.Is(err, ErrFormat) { // of a compressed member
			return fault(err)
		}
		return header{}, fmt.Errorf("activation: %s: reading the header: %w", name, err)
	}
	head := make([]byte, min(size, sniffBytes))
	if _, err := readFull(r, head, 0); err != nil {
		return failure(err)
	}
	begin, length, err := parsePrefix(name, head)
	if err != nil {
		return fault(err)
	}
	if length > size-begin {
		return fault(fmt.Errorf("truncated: the header claims %d bytes, the file holds %d after it began", length, size-begin))
	}
	text := make([]byte, length)
	if _, err := readFull(r, text, begin); err != nil {
		return failure(err)
	}
	h, err := newHeader(string(text))
	if err != nil {
		return fault(err)
	}
	h.begin = begin + length
	if err := h.checkSize(size - h.begin); err != nil {
		return fault(err)
	}
	return h, nil
}

var errCutHeader = errors.New("truncated: the file ends inside the header")

// parsePrefix reads what precedes a header's dictionary, from as much of the beginning
// of the file name as there is: at which byte the dictionary begins and its length, at
// most maxHeader.
func parsePrefix(name string, head []byte) (begin, length int64, err error) {
	if !strings.HasPrefix(string(head), magic) {
		return 0, 0, fmt.Errorf("not a .npy file: %s", sniff(name, head))
	}
	if len(head) < len(magic)+4 {
		return 0, 0, errCutHeader
	}
	begin, length = int64(len(magic)+4), int64(binary.LittleEndian.Uint16(head[8:]))
	switch major, minor := head[6], head[7]; {
	case minor != 0 || major < 1 || major > 3:
		return 0, 0, fmt.Errorf("the .npy version is %d.%d: 1.0, 2.0 or 3.0 expected", major, minor)
	case major > 1:
		begin += 2
		if int64(len(head)) < begin {
			return 0, 0, errCutHeader
		}
		length = int64(binary.LittleEndian.Uint32(head[8:]))
	}
	if length > maxHeader {
		return 0, 0, fmt.Errorf("damaged: the header claims %d bytes, more than the %d that are read", length, maxHeader)
	}
	return begin, length, nil
}

// newHeader reads a header's dictionary. Where its array lies is left to the
// caller.
func newHeader(text string) (header, error) {
	f, err := parseFields(text)
	if err != nil {
		return header{}, fmt.Errorf("header: %w", err)
	}
	h := header{fortran: f.fortran, shape: f.shape}
	if h.element, h.bigEndian, err = parseDescr(f.descr); err != nil {
		return header{}, err
	}
	return h, h.measure()
}

// measure sets h.bytes from the shape and the element.
func (h *header) measure() error {
	if len(h.shape) > maxSizes {
		return &layerError{fmt.Sprintf("shape %s has %d dimensions: 1 to %d expected, datapoints first; use x.reshape(len(x), -1)",
			formatShape(h.shape), len(h.shape), maxSizes)}
	}
	var ok bool
	if h.bytes, ok = arrayBytes(h.shape, h.element); !ok {
		return fmt.Errorf("damaged: shape %s is larger than any file", formatShape(h.shape))
	}
	return nil
}

// checkLayer returns an error where the array is none of a layer's values.
func (h header) checkLayer() error {
	switch {
	case !h.element.isLayer():
		return notLayer(h.element.String(), h.element.advice())
	case len(h.shape) == 0:
		return &layerError{"a single number: an array of datapoints × neurons expected"}
	}
	return nil
}

// checkSize compares what the header promises with what the file holds after it.
func (h header) checkSize(held int64) error {
	promise := fmt.Sprintf("header promises %s %v = %d bytes, file holds %d", formatShape(h.shape), h.element, h.bytes, held)
	switch {
	case held < h.bytes:
		return fmt.Errorf("truncated: %s", promise)
	case held > h.bytes:
		return fmt.Errorf("bytes left over after the array (several arrays saved into one file?): %s", promise)
	}
	return nil
}

// arrayBytes returns the size of an array. It is not ok where the product of
// the sizes other than 0 does not fit an int, as then a number of neurons or
// an offset may not, or where the bytes do not fit an int64.
func arrayBytes(shape []int, e element) (n int64, ok bool) {
	count, empty := uint64(1), false
	for _, size := range shape {
		if size == 0 {
			empty = true
			continue
		}
		high, low := bits.Mul64(count, uint64(size))
		if high != 0 || low > math.MaxInt {
			return 0, false
		}
		count = low
	}
	if empty {
		return 0, true
	}
	return int64(count) * int64(e.size), count <= math.MaxInt64/uint64(e.size)
}

// formatShape returns sizes in the form 1797 × 128.
func formatShape(shape []int) string {
	if len(shape) == 0 {
		return "1"
	}
	var b strings.Builder
	for i, size := range shape {
		if i > 0 {
			b.WriteString(" × ")
		}
		b.WriteString(strconv.Itoa(size))
	}
	return b.String()
}

// readFull fills p from byte offset of r and returns how many bytes it got. An
// io.ReaderAt may report the end of file along with the last bytes asked for,
// which is no error here; fewer bytes always are.
func readFull(r io.ReaderAt, p []byte, offset int64) (int, error) {
	n, err := r.ReadAt(p, offset)
	switch {
	case n >= len(p):
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}
