package svcca

import (
	"errors"
	"fmt"

	"github.com/gosvcca/gosvcca/internal/container"
)

// Errors that data can cause, for errors.Is. The error around one names the
// layer, the numbers expected and found.
var (
	// ErrShape: a layer is empty, or is no matrix of datapoints × neurons.
	ErrShape = errors.New("not a layer")
	// ErrMismatch: two layers have not the same datapoints, or were reduced
	// under different options.
	ErrMismatch = errors.New("layers do not match")
	// ErrNotFinite: a value is NaN or infinite; see NotFiniteError.
	ErrNotFinite = errors.New("value is not finite")
	// ErrConstant: no direction of a layer rises above rounding noise.
	ErrConstant = errors.New("nothing varies above rounding noise")
	// ErrStorage: a layer names a storage type whose rounding is not known.
	ErrStorage = errors.New("unknown storage type")
	// ErrNoRows: a layer was reduced from sums alone, where its rows are needed.
	ErrNoRows = errors.New("rows are gone")
	// ErrOptions: an option is out of its range.
	ErrOptions = errors.New("bad option")
	// ErrRange: values so large or small that results leave float64's range.
	ErrRange = errors.New("out of float64's range")
	// ErrDamaged: bytes are not, or no longer, what MarshalBinary returned.
	ErrDamaged = container.ErrDamaged
	// ErrMemory: the work needs more memory than it was allowed.
	ErrMemory = errors.New("not enough memory")
	// ErrInaccurate: a result contradicts itself by more than its error bound.
	ErrInaccurate = errors.New("inconsistent result")
)

// NotFiniteError says where the first NaN or infinity of a layer is, by rows.
// It is an ErrNotFinite.
type NotFiniteError struct {
	Layer     string
	Datapoint int // row, from 0
	Neuron    int // column, from 0
	Value     float64
}

func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("svcca: layer %q: datapoint %d, neuron %d (counted from 0) is %v: %v",
		e.Layer, e.Datapoint, e.Neuron, e.Value, ErrNotFinite)
}

// Is reports whether target is ErrNotFinite.
func (e *NotFiniteError) Is(target error) bool { return target == ErrNotFinite }
