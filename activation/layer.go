package activation

import (
	"context"
	"crypto/sha256"

	"github.com/gosvcca/gosvcca/lapack"
)

// Layer is a layer's activations on disk, n datapoints × d neurons, or a view of
// them: what the types of this package have in common. Its methods may be called
// from several goroutines.
type Layer interface {
	// Dims returns the numbers of datapoints and neurons, either of which may be 0.
	Dims() (datapoints, neurons int)
	// Read fills dst with values, the first of them that of datapoint row and
	// neuron col.
	Read(dst lapack.Matrix[float64], row, col int) error
	// Name returns the name by which results and errors call the layer.
	Name() string
	// Storage returns the type of the stored values, such as "float32".
	Storage() string
	// Shape returns the sizes of the array behind the layer, datapoints first.
	Shape() []int
	// Digest identifies the values: layers of equal digest hold equal ones.
	Digest(ctx context.Context) ([sha256.Size]byte, error)
	// Unchanged is an error where a file is no more what it was when opened.
	Unchanged() error
	// Close closes the files behind the layer.
	Close() error
}

var (
	_ Layer = (*File)(nil)
	_ Layer = (*Shards)(nil)
)
