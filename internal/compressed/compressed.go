// Package compressed holds matrices without their zeros, checked and in order.
package compressed

import (
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
	"github.com/james-bowman/sparse/blas"
)

// Matrix is a matrix of which the zeros are not held (CSR): row i has the values
// Value[Begin[i]:Begin[i+1]], in columns Index[Begin[i]:Begin[i+1]], which increase.
type Matrix struct {
	Rows, Cols   int
	Begin, Index []int
	Value        []float64
}

// New checks m, and sorts rows and adds up values of one place where they are
// not so already; else it holds the slices of m. What is wrong with m is an error.
func New(m *blas.SparseMatrix) (Matrix, error) {
	z := Matrix{Rows: m.I, Cols: m.J, Begin: m.Indptr}
	if m.I < 0 || m.J < 0 || len(m.Indptr) != m.I+1 {
		return z, fmt.Errorf("%d row pointers expected, found %d", m.I+1, len(m.Indptr))
	}
	if m.Indptr[0] != 0 {
		return z, fmt.Errorf("row pointers that begin with 0 expected, they begin with %d", m.Indptr[0])
	}
	for i, begin := range m.Indptr[:m.I] {
		if m.Indptr[i+1] < begin {
			return z, fmt.Errorf("pointers of row %d run from %d to %d", i, begin, m.Indptr[i+1])
		}
	}
	count := m.Indptr[m.I]
	if count > len(m.Ind) || count > len(m.Data) {
		return z, fmt.Errorf("%d values expected, found %d and %d indices", count, len(m.Data), len(m.Ind))
	}
	z.Index, z.Value = m.Ind[:count], m.Data[:count]
	sorted := true
	for i := range m.I {
		last := -1
		for _, j := range z.Index[m.Indptr[i]:m.Indptr[i+1]] {
			if uint(j) >= uint(m.J) {
				return z, fmt.Errorf("row %d has a value in column %d of %d", i, j, m.J)
			}
			sorted = sorted && j > last
			last = j
		}
	}
	if !sorted {
		// Columns list their rows in order, and so do rows their columns.
		z = z.Transposed().Transposed()
		z.addUp()
	}
	return z, nil
}

// addUp adds up neighbours in one place.
func (z *Matrix) addUp() {
	to, begin := 0, make([]int, z.Rows+1)
	for i := range z.Rows {
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			if to > begin[i] && z.Index[to-1] == z.Index[t] {
				z.Value[to-1] += z.Value[t]
				continue
			}
			z.Index[to], z.Value[to] = z.Index[t], z.Value[t]
			to++
		}
		begin[i+1] = to
	}
	z.Begin, z.Index, z.Value = begin, z.Index[:to], z.Value[:to]
}

// CSR returns a view of z.
func (z Matrix) CSR() *sparse.CSR {
	return sparse.NewCSR(z.Rows, z.Cols, z.Begin, z.Index, z.Value)
}

// Columns say where the values of each column of a matrix are: those of column j in
// rows Row[Begin[j]:Begin[j+1]], which increase, at places At[…] among its values.
type Columns struct{ Begin, Row, At []int }

// Columns finds those of z.
func (z Matrix) Columns() Columns {
	c := Columns{Begin: make([]int, z.Cols+1), Row: make([]int, len(z.Index)), At: make([]int, len(z.Index))}
	for _, j := range z.Index {
		c.Begin[j+1]++
	}
	for j := range z.Cols {
		c.Begin[j+1] += c.Begin[j]
	}
	next := append([]int(nil), c.Begin[:z.Cols]...)
	for i := range z.Rows {
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			to := next[z.Index[t]]
			next[z.Index[t]]++
			c.Row[to], c.At[to] = i, t
		}
	}
	return c
}

// Transposed returns a copy by columns.
func (z Matrix) Transposed() Matrix {
	c := z.Columns()
	t := Matrix{Rows: z.Cols, Cols: z.Rows, Begin: c.Begin, Index: c.Row, Value: make([]float64, len(c.At))}
	for i, at := range c.At {
		t.Value[i] = z.Value[at]
	}
	return t
}

// Read fills dst with values and the zeros between them, the first of them that of
// (row, col).
func (z Matrix) Read(dst lapack.Matrix[float64], row, col int) {
	for i := range dst.Rows {
		to, begin, end := dst.Row(i), z.Begin[row+i], z.Begin[row+i+1]
		clear(to)
		from, _ := slices.BinarySearch(z.Index[begin:end], col)
		for t := begin + from; t < end && z.Index[t] < col+len(to); t++ {
			to[z.Index[t]-col] = z.Value[t]
		}
	}
}

// Select returns a copy of the rows given, in their order.
func (z Matrix) Select(rows []int) Matrix {
	s := Matrix{Rows: len(rows), Cols: z.Cols, Begin: make([]int, 1, len(rows)+1)}
	for _, i := range rows {
		s.Index = append(s.Index, z.Index[z.Begin[i]:z.Begin[i+1]]...)
		s.Value = append(s.Value, z.Value[z.Begin[i]:z.Begin[i+1]]...)
		s.Begin = append(s.Begin, len(s.Index))
	}
	return s
}
