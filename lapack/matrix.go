package lapack

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Scalar is the type of a matrix's elements.
type Scalar interface {
	Real | Complex
}

// Real are the real element types.
type Real interface {
	float32 | float64
}

// Complex are the complex ones.
type Complex interface {
	complex64 | complex128
}

// Matrix is a dense matrix stored by rows: element (i, j) is Data[i*Stride+j].
// It is a view, as a slice is: copying a Matrix copies no element, and elements
// between Cols and Stride belong to somebody else and are never touched.
// The zero Matrix is empty and is what a …To method allocates in place of.
type Matrix[T Scalar] struct {
	Rows, Cols, Stride int
	Data               []T
}

const (
	errNegativeSize = "lapack: negative size"
	errBadStride    = "lapack: stride less than columns"
	errShortData    = "lapack: data shorter than the matrix"
	errOutOfRange   = "lapack: index out of range"
	errBadShape     = "lapack: shapes do not fit"
	errOverlap      = "lapack: destination overlaps an input"
	errTransposed   = "lapack: Herk of a complex matrix takes NoTrans or ConjTrans"
)

// New returns a rows × cols matrix of zeros.
func New[T Scalar](rows, cols int) Matrix[T] {
	if rows < 0 || cols < 0 {
		panic(errNegativeSize)
	}
	return Matrix[T]{Rows: rows, Cols: cols, Stride: cols, Data: make([]T, rows*cols)}
}

// Of returns a matrix that views data, which holds rows × cols elements row by
// row. It panics where data has another length.
func Of[T Scalar](rows, cols int, data []T) Matrix[T] {
	if rows < 0 || cols < 0 {
		panic(errNegativeSize)
	}
	if len(data) != rows*cols {
		panic(fmt.Sprintf("lapack: %d elements for a %d × %d matrix", len(data), rows, cols))
	}
	return Matrix[T]{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

// FromDense returns a matrix that views m's elements: no copy is made.
func FromDense(m *mat.Dense) Matrix[float64] {
	if m.IsEmpty() {
		return Matrix[float64]{}
	}
	r := m.RawMatrix()
	return Matrix[float64]{Rows: r.Rows, Cols: r.Cols, Stride: r.Stride, Data: r.Data}
}

// ToDense returns a gonum matrix that views m's elements: no copy is made.
// An empty matrix gives an empty mat.Dense, which has no shape.
func ToDense(m Matrix[float64]) *mat.Dense {
	m.check()
	d := &mat.Dense{}
	if !m.IsEmpty() {
		d.SetRawMatrix(blas64.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: m.Data})
	}
	return d
}

// IsEmpty reports whether m has no element.
func (m Matrix[T]) IsEmpty() bool { return m.Rows == 0 || m.Cols == 0 }

// At returns element (i, j).
func (m Matrix[T]) At(i, j int) T {
	if uint(i) >= uint(m.Rows) || uint(j) >= uint(m.Cols) {
		panic(errOutOfRange)
	}
	return m.Data[i*m.Stride+j]
}

// Set sets element (i, j) to v.
func (m Matrix[T]) Set(i, j int, v T) {
	if uint(i) >= uint(m.Rows) || uint(j) >= uint(m.Cols) {
		panic(errOutOfRange)
	}
	m.Data[i*m.Stride+j] = v
}

// Row returns a view of row i.
func (m Matrix[T]) Row(i int) []T {
	if uint(i) >= uint(m.Rows) {
		panic(errOutOfRange)
	}
	if m.Cols == 0 {
		return nil // a view without columns has no Data behind its rows
	}
	at := i * m.Stride
	return m.Data[at : at+m.Cols]
}

// View returns a view of the rows × cols elements whose first is (i, j).
func (m Matrix[T]) View(i, j, rows, cols int) Matrix[T] {
	if i < 0 || j < 0 || rows < 0 || cols < 0 || rows > m.Rows-i || cols > m.Cols-j {
		panic(errOutOfRange)
	}
	v := Matrix[T]{Rows: rows, Cols: cols, Stride: m.Stride}
	if rows > 0 && cols > 0 {
		at := i*m.Stride + j
		v.Data = m.Data[at : at+(rows-1)*m.Stride+cols]
	}
	return v
}

// Zero sets every element to 0.
func (m Matrix[T]) Zero() {
	for i := range m.Rows {
		clear(m.Row(i))
	}
}

// CopyFrom sets m to src, which must have m's shape.
func (m Matrix[T]) CopyFrom(src Matrix[T]) {
	if m.Rows != src.Rows || m.Cols != src.Cols {
		panic(errBadShape)
	}
	for i := range m.Rows {
		copy(m.Row(i), src.Row(i))
	}
}

// Clone returns a copy of m whose rows follow each other without padding.
func (m Matrix[T]) Clone() Matrix[T] {
	c := New[T](m.Rows, m.Cols)
	c.CopyFrom(m)
	return c
}

// transposeTile is the side of the square blocks in which TransposeFrom works:
// 32 × 32 float64 of either matrix stay in a first-level cache.
const transposeTile = 32

// TransposeFrom sets m to the transpose of src, which may not overlap m.
func (m Matrix[T]) TransposeFrom(src Matrix[T]) {
	if m.Rows != src.Cols || m.Cols != src.Rows {
		panic(errBadShape)
	}
	if overlaps(m, src) {
		panic(errOverlap)
	}
	for i0 := 0; i0 < m.Rows; i0 += transposeTile {
		i1 := min(i0+transposeTile, m.Rows)
		for j0 := 0; j0 < m.Cols; j0 += transposeTile {
			j1 := min(j0+transposeTile, m.Cols)
			for i := i0; i < i1; i++ {
				row := m.Row(i)
				for j := j0; j < j1; j++ {
					row[j] = src.Data[j*src.Stride+i]
				}
			}
		}
	}
}

// check panics where m's fields contradict each other.
func (m Matrix[T]) check() {
	switch {
	case m.Rows < 0 || m.Cols < 0:
		panic(errNegativeSize)
	case m.Stride < m.Cols:
		panic(errBadStride)
	case !m.IsEmpty() && len(m.Data) < (m.Rows-1)*m.Stride+m.Cols:
		panic(errShortData)
	}
}

// destination returns dst where it has the shape asked for, or a new matrix
// where dst is the zero Matrix. Any other shape is a programmer's error.
func destination[T Scalar](dst Matrix[T], rows, cols int) Matrix[T] {
	if dst.Data == nil && dst.Rows == 0 && dst.Cols == 0 {
		return New[T](rows, cols)
	}
	dst.check()
	if dst.Rows != rows || dst.Cols != cols {
		panic(errBadShape)
	}
	return dst
}

// overlaps reports whether a and b share an element, at the cost of a few
// comparisons: slices of one array end at the same address once extended to
// their capacity, and their capacities tell how far apart they begin.
func overlaps[T Scalar](a, b Matrix[T]) bool {
	if a.IsEmpty() || b.IsEmpty() {
		return false
	}
	if &a.Data[:cap(a.Data)][cap(a.Data)-1] != &b.Data[:cap(b.Data)][cap(b.Data)-1] {
		return false
	}
	if cap(a.Data) < cap(b.Data) {
		a, b = b, a
	}
	ahead := cap(a.Data) - cap(b.Data) // b begins this many elements after a
	if ahead > (a.Rows-1)*a.Stride+a.Cols-1 {
		return false
	}
	if a.Stride != b.Stride || a.Stride == 0 {
		return true // intervals meet; views of different strides are not told apart
	}
	// Column ranges of two views of one matrix; b may begin left of a, one row down.
	left := ahead % a.Stride
	if left < a.Cols {
		return true
	}
	wraps := a.Stride - left // columns from b's first to the next row's first of a
	return b.Cols > wraps && ahead/a.Stride+1 < a.Rows
}
