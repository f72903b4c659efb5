package activation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"github.com/gosvcca/gosvcca/internal/compressed"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
)

// Sparse is a layer without its zeros, in memory: what scipy.sparse.save_npz saved.
// Its methods may be called from several goroutines.
type Sparse struct {
	name   string
	source *source
	stored element
	values compressed.Matrix // by datapoints
	from   *taken            // what Take took the values from; nil of the layer that was opened
}

var _ Layer = (*Sparse)(nil)

// OpenSparse reads the sparse matrix, datapoints × neurons, that scipy.sparse.save_npz
// wrote to the .npz at path: a csr_matrix or csc_matrix, compressed or not, of floats,
// integers or booleans. Values of one place are added up, as scipy has it; NaN and
// infinities come out as they are. The caller closes the layer.
//
// Memory: 16 bytes for each value and 8 for each datapoint. Errors are those of Open;
// matrices of another form, and what contradicts itself, give a *FormatError.
func OpenSparse(path string) (*Sparse, error) {
	a, err := openArchive(path)
	if err != nil {
		return nil, err
	}
	if !a.isSparse() {
		a.Close()
		return nil, &FormatError{Name: path, Problem: "a sparse matrix of scipy.sparse.save_npz expected, found an archive without arrays format, shape and data"}
	}
	return a.sparse()
}

// sparse reads the archive's matrix, which owns the archive with success; else it is
// closed.
func (a *archive) sparse() (*Sparse, error) {
	z, stored, err := readSparse(a)
	if err != nil {
		a.Close()
		return nil, err
	}
	s := newSource(nil, a.Close)
	s.file, s.seen, s.path = a.file, a.seen, a.path
	return &Sparse{name: a.path, source: s, stored: stored, values: z}, nil
}

// Close closes the file, for the layer and all its views. Reads after it fail with
// os.ErrClosed. A second Close does nothing and returns what the first did.
func (s *Sparse) Close() error { return s.source.close() }

// Name returns the path by which the layer was opened.
func (s *Sparse) Name() string { return s.name }

// Dims returns the numbers of datapoints and neurons, either of which may be 0.
func (s *Sparse) Dims() (datapoints, neurons int) { return s.values.Rows, s.values.Cols }

// Shape returns the numbers of datapoints and neurons.
func (s *Sparse) Shape() []int { return []int{s.values.Rows, s.values.Cols} }

// Storage returns the type of the stored values: "float16", "float32", or "float64",
// which holds integers and booleans too.
func (s *Sparse) Storage() string {
	if s.stored.kind == floatKind {
		return s.stored.String()
	}
	return float64Element.String()
}

// CSR returns the values that are not zero, and zeros where they were stored, by
// datapoints: indices increase. It is a view, which must not be written to.
func (s *Sparse) CSR() *sparse.CSR { return s.values.CSR() }

// Read fills dst with values and the zeros between them, the first of them that of
// datapoint row and neuron col. A block that is not inside the layer is a programmer's
// error. It fails after Close alone, with os.ErrClosed.
func (s *Sparse) Read(dst lapack.Matrix[float64], row, col int) error {
	checkMatrix(dst)
	if row < 0 || col < 0 || dst.Rows > s.values.Rows-row || dst.Cols > s.values.Cols-col {
		panic(panicOutOfRange)
	}
	if s.source.closed.Load() {
		return fmt.Errorf("activation: %s: reading datapoint %d: %w", s.name, row, os.ErrClosed)
	}
	s.values.Read(dst, row, col)
	return nil
}

// T returns a copy with datapoints and neurons exchanged. Closing either closes both.
func (s *Sparse) T() *Sparse { return s.with(s.values.Transposed()) }

// take is Take, of a copy.
func (s *Sparse) take(axis int, indices []int) Layer {
	var t *Sparse
	if axis == 0 {
		t = s.with(s.values.Select(indices))
	} else {
		t = s.with(s.values.Transposed().Select(indices).Transposed())
	}
	t.from = newTaken(s, axis, indices)
	return t
}

func (s *Sparse) with(values compressed.Matrix) *Sparse {
	return &Sparse{name: s.name, source: s.source, stored: s.stored, values: values}
}

// Origin is where Take took a value.
func (s *Sparse) Origin(row, col int) (of Layer, datapoint, neuron int) {
	if s.from == nil {
		return nil, row, col
	}
	return s.from.Origin(row, col)
}

// Digest returns the SHA-256 of the numbers of datapoints and neurons, of Storage, and
// of the values that are not zero with their places: layers of equal digest hold equal
// values. Not conversely: zeros that were stored count.
func (s *Sparse) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	if s.source.closed.Load() {
		return [sha256.Size]byte{}, fmt.Errorf("activation: %s: reading for the digest: %w", s.name, os.ErrClosed)
	}
	h := sha256.New()
	fmt.Fprintf(h, "gosvcca activation.Sparse 1: %d %d %s\n", s.values.Rows, s.values.Cols, s.Storage())
	var row []byte
	for i := range s.values.Rows {
		if i%chunkOfDigest == 0 && ctx.Err() != nil {
			return [sha256.Size]byte{}, ctx.Err()
		}
		begin, end := s.values.Begin[i], s.values.Begin[i+1]
		row = binary.LittleEndian.AppendUint64(row[:0], uint64(end-begin))
		for t := begin; t < end; t++ {
			row = binary.LittleEndian.AppendUint64(row, uint64(s.values.Index[t]))
			row = binary.LittleEndian.AppendUint64(row, math.Float64bits(s.values.Value[t]))
		}
		h.Write(row)
	}
	return sum(h), nil
}

// chunkOfDigest is how many datapoints are hashed between two looks at the context.
const chunkOfDigest = 1024

// Unchanged checks that the file is still what it was when opened, as File.Unchanged
// does. The values, in memory, are.
func (s *Sparse) Unchanged() error {
	if err := s.source.unchanged(); err != nil {
		return fmt.Errorf("activation: %s: %w", s.name, err)
	}
	return nil
}
