package activation

import (
	"fmt"
	"slices"
)

// Mask says which datapoints, tokens or pixels are kept: an array of n, of
// examples × tokens, or of images × height × width.
type Mask struct {
	name  string
	shape []int
	keep  []bool // in C order
}

// OpenMask reads the mask in the file at path: an array of one to three dimensions
// of booleans or of numbers, of which 1 keeps and 0 leaves out. The whole of it is
// held, a byte a value.
//
// A file that holds no mask, and any other number, give a *FormatError, which says
// where the number is; others are those of Open.
func OpenMask(path string) (*Mask, error) {
	f, err := openArray(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readMask(f)
}

// readMask reads the mask that f holds.
func readMask(f *File) (*Mask, error) {
	m := &Mask{name: f.name, shape: f.Shape()}
	fault := func(format string, args ...any) (*Mask, error) {
		return nil, &FormatError{Name: f.name, Problem: fmt.Sprintf(format, args...)}
	}
	if len(m.shape) < 1 || len(m.shape) > 3 {
		return fault("a mask of n, of examples × tokens or of images × height × width expected, this has %d dimensions: %s", len(m.shape), formatShape(m.shape))
	}
	if kind := f.header.element.kind; kind == bytesKind || kind == textKind {
		return fault("elements are %v: a mask is of booleans, or of 0 and 1", f.header.element)
	}
	m.keep = make([]bool, 0, f.count())
	for len(m.keep) < f.count() {
		values, err := f.floats(len(m.keep), min(f.count()-len(m.keep), maskValues))
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if v != 0 && v != 1 {
				return fault("%v is %v: a mask is of booleans, or of 0 and 1", indexOf(len(m.keep), m.shape), v)
			}
			m.keep = append(m.keep, v == 1)
		}
	}
	return m, nil
}

// maskValues are read at a time.
const maskValues = 1 << 14

// indexOf returns, in Python's words, the place of the k-th element in C order.
func indexOf(k int, shape []int) string {
	index := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis] = k % shape[axis]
		k /= shape[axis]
	}
	text := fmt.Sprint(index[0])
	for _, i := range index[1:] {
		text += fmt.Sprintf(", %d", i)
	}
	return "[" + text + "]"
}

// Name returns the path by which the mask was opened.
func (m *Mask) Name() string { return m.name }

// Shape returns the sizes of the array, one to three.
func (m *Mask) Shape() []int { return slices.Clone(m.shape) }

// Kept returns the places, in C order, of what is kept: datapoints, or the tokens
// or positions of all images as datapoints.
func (m *Mask) Kept() []int {
	kept := []int{}
	for i, keep := range m.keep {
		if keep {
			kept = append(kept, i)
		}
	}
	return kept
}

// Take returns the mask of the datapoints at indices, as Take of a layer. An index
// outside the mask is a programmer's error.
func (m *Mask) Take(indices []int) *Mask {
	inner := 1
	for _, size := range m.shape[1:] {
		inner *= size
	}
	t := &Mask{name: m.name, shape: m.Shape(), keep: make([]bool, 0, len(indices)*inner)}
	t.shape[0] = len(indices)
	for _, i := range indices {
		if i < 0 || i >= m.shape[0] {
			panic(panicBadIndex)
		}
		t.keep = append(t.keep, m.keep[i*inner:(i+1)*inner]...)
	}
	return t
}

// bytes returns a 1 for everything kept, else a 0.
func (m *Mask) bytes() []byte {
	b := make([]byte, len(m.keep))
	for i, keep := range m.keep {
		if keep {
			b[i] = 1
		}
	}
	return b
}
