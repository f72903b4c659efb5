package svcca

import (
	"fmt"

	"github.com/james-bowman/sparse"
	"github.com/james-bowman/sparse/blas"
)

// nonzeros is a matrix of which the zeros are not held (CSR): row i has the values
// value[begin[i]:begin[i+1]], in columns index[begin[i]:begin[i+1]], which increase.
type nonzeros struct {
	rows, cols   int
	begin, index []int
	value        []float64
}

// newNonzeros checks m, and sorts rows and adds up values of one place where they are
// not so already; else it holds the slices of m. What is wrong with m is an error.
func newNonzeros(m *blas.SparseMatrix) (nonzeros, error) {
	z := nonzeros{rows: m.I, cols: m.J, begin: m.Indptr}
	if m.I < 0 || m.J < 0 || len(m.Indptr) != m.I+1 || m.Indptr[0] != 0 {
		return z, fmt.Errorf("%d row pointers that begin with 0 expected, found %d", m.I+1, len(m.Indptr))
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
	z.index, z.value = m.Ind[:count], m.Data[:count]
	sorted := true
	for i := range m.I {
		last := -1
		for _, j := range z.index[m.Indptr[i]:m.Indptr[i+1]] {
			if uint(j) >= uint(m.J) {
				return z, fmt.Errorf("row %d has a value in column %d of %d", i, j, m.J)
			}
			sorted = sorted && j > last
			last = j
		}
	}
	if !sorted {
		// Columns list their rows in order, and so do rows their columns.
		z = z.transposed().transposed()
		z.addUp()
	}
	return z, nil
}

// addUp adds up neighbours in one place.
func (z *nonzeros) addUp() {
	to, begin := 0, make([]int, z.rows+1)
	for i := range z.rows {
		for t := z.begin[i]; t < z.begin[i+1]; t++ {
			if to > begin[i] && z.index[to-1] == z.index[t] {
				z.value[to-1] += z.value[t]
				continue
			}
			z.index[to], z.value[to] = z.index[t], z.value[t]
			to++
		}
		begin[i+1] = to
	}
	z.begin, z.index, z.value = begin, z.index[:to], z.value[:to]
}

// csr returns a view of z.
func (z nonzeros) csr() *sparse.CSR {
	return sparse.NewCSR(z.rows, z.cols, z.begin, z.index, z.value)
}

// columns say where the values of each column of a matrix are: those of column j in
// rows row[begin[j]:begin[j+1]], which increase, at places at[…] among its values.
type columns struct{ begin, row, at []int }

// columns finds those of z.
func (z nonzeros) columns() columns {
	c := columns{begin: make([]int, z.cols+1), row: make([]int, len(z.index)), at: make([]int, len(z.index))}
	for _, j := range z.index {
		c.begin[j+1]++
	}
	for j := range z.cols {
		c.begin[j+1] += c.begin[j]
	}
	next := append([]int(nil), c.begin[:z.cols]...)
	for i := range z.rows {
		for t := z.begin[i]; t < z.begin[i+1]; t++ {
			to := next[z.index[t]]
			next[z.index[t]]++
			c.row[to], c.at[to] = i, t
		}
	}
	return c
}

// transposed returns a copy by columns.
func (z nonzeros) transposed() nonzeros {
	c := z.columns()
	t := nonzeros{rows: z.cols, cols: z.rows, begin: c.begin, index: c.row, value: make([]float64, len(c.at))}
	for i, at := range c.at {
		t.value[i] = z.value[at]
	}
	return t
}

// square sets row[j:], which has one element for each column of z, to that of the upper
// triangle of zᵀz: each datapoint of neuron j adds what follows it there. One row is
// one worker's, which writes nothing else: bits depend on nobody's number, and the row
// stays in the cache.
func (z nonzeros) square(c columns, j int, row []float64) {
	clear(row[j:])
	for t := c.begin[j]; t < c.begin[j+1]; t++ {
		from, end := c.at[t], z.begin[c.row[t]+1]
		index, value := z.index[from:end], z.value[from:end]
		v := value[0]
		for p, k := range index {
			row[k] += v * value[p]
		}
	}
}
