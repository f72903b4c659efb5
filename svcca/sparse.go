package svcca

import (
	"fmt"

	"github.com/gosvcca/gosvcca/internal/compressed"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
)

// FromSparse returns a layer of the values of m, datapoints × neurons, which are
// summed without the zeros between them: a *sparse.CSR, whose values it views where its
// rows are sorted, or a *sparse.CSC, *sparse.COO or *sparse.DOK, of which it makes a
// copy by rows. Values of one place are added up. It panics where an index
// lies outside of m or pointers do not increase.
//
// Any layer is taken for sparse that has the method
//
//	CSR() *sparse.CSR // datapoints × neurons
//
// which is called again and again for the same values; nil says that it is not sparse.
func FromSparse(name string, m sparse.TypeConverter) Layer {
	var z compressed.Matrix
	var err error
	if byColumns, is := m.(*sparse.CSC); is {
		if z, err = compressed.New(byColumns.RawMatrix()); err == nil {
			z = z.Transposed()
		}
	} else {
		z, err = compressed.New(m.ToCSR().RawMatrix())
	}
	if err != nil {
		panic(fmt.Sprintf("svcca: layer %q: %v", name, err))
	}
	return &sparseLayer{name, z}
}

type sparseLayer struct {
	name   string
	values compressed.Matrix
}

func (l *sparseLayer) Name() string     { return l.name }
func (l *sparseLayer) Dims() (n, d int) { return l.values.Rows, l.values.Cols }
func (l *sparseLayer) CSR() *sparse.CSR { return l.values.CSR() }
func (l *sparseLayer) inMemory()        {}

func (l *sparseLayer) Read(dst lapack.Matrix[float64], row, col int) error {
	l.values.Read(dst, row, col)
	return nil
}

// sparseShare is the share of a dense sum's products up to which those of the values
// that are not zero are faster, although each is added in a place of its own: at 10% of
// values that are not zero, where these are spread evenly. By BenchmarkSparseSums (2
// cores, OpenBLAS) sums without zeros take 0.3 and 0.5 times as long at 5%, 0.9 and 1.2
// times at 10%, and 1.3 and 2.3 times at 15%. A variable for tests.
var sparseShare = 0.01

// judgeSparse sets l's values that are not zero where it has the method CSR and there
// are few enough of them.
func (l *described) judgeSparse() error {
	s, is := l.Layer.(interface{ CSR() *sparse.CSR })
	if !is {
		return nil
	}
	m := s.CSR()
	if m == nil {
		return nil
	}
	checked, err := compressed.New(m.RawMatrix())
	z := nonzeros{checked}
	if err != nil {
		return fmt.Errorf("svcca: layer %q: %v: %w", l.name, err, ErrShape)
	}
	if z.Rows != l.n || z.Cols != l.d {
		return fmt.Errorf("svcca: layer %q has %d datapoints and %d neurons, and its sparse matrix is %d × %d: %w", l.name, l.n, l.d, z.Rows, z.Cols, ErrShape)
	}
	if err := z.finite(l.name); err != nil {
		return err
	}
	if z.products() <= sparseShare*float64(l.n)*float64(l.d)*float64(min(l.n, l.d)) {
		l.sparse = &z
	}
	return nil
}

// finite returns a NotFiniteError for the first value that is not, by rows.
func (z nonzeros) finite(name string) error {
	block := lapack.Of(1, len(z.Value), z.Value)
	if _, err := magnitude(name, block, 0, 0); err == nil {
		return nil
	}
	for i := range z.Rows {
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			if v := z.Value[t]; v-v != 0 {
				return &NotFiniteError{Layer: name, Datapoint: i, Neuron: z.Index[t], Value: v}
			}
		}
	}
	return nil
}

// products returns how many the smaller Gram matrix of z sums.
func (z nonzeros) products() (count float64) {
	if z.Rows >= z.Cols {
		for i := range z.Rows {
			of := float64(z.Begin[i+1] - z.Begin[i])
			count += of * of
		}
		return count
	}
	counts := make([]float64, z.Cols)
	for _, j := range z.Index {
		counts[j]++
	}
	for _, of := range counts {
		count += of * of
	}
	return count
}
