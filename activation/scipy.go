package activation

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gosvcca/gosvcca/internal/compressed"
	"github.com/james-bowman/sparse"
	"github.com/james-bowman/sparse/blas"
)

// The arrays that scipy.sparse.save_npz writes: the first three of every form of
// matrix, the others of those by rows or columns.
const (
	sparseFormat  = "format"
	sparseShape   = "shape"
	sparseData    = "data"
	sparseIndptr  = "indptr"
	sparseIndices = "indices"
)

// isSparse reports whether the archive is one of scipy.sparse.save_npz.
func (a *archive) isSparse() bool {
	return a.holds.has(sparseFormat) && a.holds.has(sparseShape) && a.holds.has(sparseData)
}

// readSparse reads the matrix of such an archive. What it allocates is bounded by what
// it has read: claims of sizes are compared first, and arrays grow as they come.
func readSparse(a *archive) (z compressed.Matrix, stored element, err error) {
	fault := func(format string, values ...any) (compressed.Matrix, element, error) {
		return z, stored, &FormatError{Name: a.path, Problem: fmt.Sprintf(format, values...)}
	}
	byColumns, err := sparseByColumns(a)
	if err != nil {
		return z, stored, err
	}
	shape, err := readInts(a, sparseShape, 2)
	if err != nil {
		return z, stored, err
	}
	rows, cols := shape[0], shape[1]
	if byColumns {
		rows, cols = cols, rows
	}
	if rows < 0 || cols < 0 || rows == math.MaxInt {
		return fault("damaged: a shape of %d × %d", shape[0], shape[1])
	}
	pointers, err := readInts(a, sparseIndptr, rows+1)
	if err != nil {
		return z, stored, err
	}
	count := pointers[rows]
	indices, err := readInts(a, sparseIndices, count)
	if err != nil {
		return z, stored, err
	}
	values, stored, err := readValues(a, count)
	if err != nil {
		return z, stored, err
	}
	// The pointers prove one of the sizes. The other costs memory too: a mean for each
	// neuron, a pointer for each datapoint.
	if most := max(1<<20, 64*count); cols > most {
		return fault("%d × %d with %d values that are not zero: nearly all is empty, and more than %d without a value are not read", shape[0], shape[1], count, most)
	}
	z, err = compressed.New(&blas.SparseMatrix{I: rows, J: cols, Indptr: pointers, Ind: indices, Data: values})
	if err != nil {
		of := "by datapoints"
		if byColumns {
			of = "by neurons (csc), which are its rows here"
		}
		return fault("damaged: of the matrix %s, %v", of, err)
	}
	if byColumns {
		z = z.Transposed()
	}
	return z, stored, nil
}

// sparseByColumns reads the form of the matrix.
func sparseByColumns(a *archive) (byColumns bool, err error) {
	f, err := a.array(sparseFormat)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if f.count() != 1 {
		return false, f.fault("%d names of forms: one expected", f.count())
	}
	name, err := f.texts(0, 1)
	if err != nil {
		return false, err
	}
	switch name[0] {
	case "csr":
		return false, nil
	case "csc":
		return true, nil
	case "bsr", "coo", "dia":
		return false, &FormatError{Name: a.path, Problem: fmt.Sprintf("a sparse matrix of the form %s: csr or csc expected: save x.tocsr() with scipy.sparse.save_npz", name[0])}
	}
	return false, &FormatError{Name: a.path, Problem: fmt.Sprintf("a sparse matrix of the form %s: csr or csc expected", clip(name[0]))}
}

// inSparse opens an array of one dimension that has so many elements at least, the
// shape just as many.
func inSparse(a *archive, member string, count int) (*File, error) {
	f, err := a.array(member)
	if err != nil {
		return nil, err
	}
	switch {
	case len(f.header.shape) != 1:
		err = f.fault("damaged: an array of shape %s in a sparse matrix: one dimension expected", formatShape(f.header.shape))
	case f.count() < count || f.count() > count && member == sparseShape:
		err = f.fault("damaged: %d elements in a sparse matrix: %d expected", f.count(), count)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// sparseStep is how many elements are read at once, so that what is allocated stays
// near what has come.
const sparseStep = 1 << 16

// readInts reads count integers, of which there must be no fewer. None is negative.
func readInts(a *archive, member string, count int) ([]int, error) {
	f, err := inSparse(a, member, count)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []int
	for len(all) < count {
		some, err := f.ints(len(all), min(sparseStep, count-len(all)))
		if err != nil {
			return nil, inFormat(f, err)
		}
		for _, v := range some {
			if v < 0 || v > math.MaxInt {
				return nil, f.fault("damaged: element %d of a sparse matrix is %d", len(all), v)
			}
			all = append(all, int(v))
		}
	}
	return all, nil
}

// readValues is readInts for numbers.
func readValues(a *archive, count int) (all []float64, e element, err error) {
	f, err := inSparse(a, sparseData, count)
	if err != nil {
		return nil, e, err
	}
	defer f.Close()
	if e = f.header.element; e.kind == bytesKind || e.kind == textKind {
		return nil, e, f.fault("elements are %v: numbers expected in a sparse matrix", e)
	}
	for len(all) < count {
		some, err := f.floats(len(all), min(sparseStep, count-len(all)))
		if err != nil {
			return nil, e, inFormat(f, err)
		}
		all = append(all, some...)
	}
	return all, e, nil
}

// inFormat makes a *FormatError of an error in what a member is compressed to.
func inFormat(f *File, err error) error {
	var already *FormatError
	if errors.Is(err, ErrFormat) && !errors.As(err, &already) {
		return newFormatError(f.name, err)
	}
	return err
}

// WriteSparse writes m, datapoints × neurons, so that scipy.sparse.load_npz and
// OpenSparse read it: as a csr_matrix of float64, uncompressed, rows sorted and values
// of one place added up. Where m contradicts itself that is an error, others are those
// of w.
func WriteSparse(w io.Writer, m *sparse.CSR) error {
	z, err := compressed.New(m.RawMatrix())
	if err != nil {
		return fmt.Errorf("activation: writing a sparse matrix: %w", err)
	}
	archive := zip.NewWriter(w)
	put := func(member, descr string, shape []int, each func(b *bufio.Writer)) {
		if err != nil {
			return
		}
		var to io.Writer
		if to, err = archive.CreateHeader(&zip.FileHeader{Name: member + npySuffix, Method: zip.Store}); err != nil {
			return
		}
		b := bufio.NewWriterSize(to, writerBytes)
		b.Write(appendHeader(nil, descr, shape)) // an error comes again from Flush
		each(b)
		err = b.Flush()
	}
	integers := func(values []int) func(*bufio.Writer) {
		return func(b *bufio.Writer) {
			for _, v := range values {
				b.Write(binary.LittleEndian.AppendUint64(b.AvailableBuffer(), uint64(v)))
			}
		}
	}
	put(sparseFormat, "|S3", nil, func(b *bufio.Writer) { b.WriteString("csr") })
	put(sparseShape, "<i8", []int{2}, integers([]int{z.Rows, z.Cols}))
	put(sparseIndptr, "<i8", []int{len(z.Begin)}, integers(z.Begin))
	put(sparseIndices, "<i8", []int{len(z.Index)}, integers(z.Index))
	put(sparseData, "<f8", []int{len(z.Value)}, func(b *bufio.Writer) {
		for _, v := range z.Value {
			b.Write(binary.LittleEndian.AppendUint64(b.AvailableBuffer(), math.Float64bits(v)))
		}
	})
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return fmt.Errorf("activation: writing a sparse matrix: %w", err)
	}
	return nil
}
