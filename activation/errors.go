package activation

import (
	"errors"
	"fmt"
)

// ErrFormat is what every *FormatError wraps.
var ErrFormat = errors.New("unusable file")

// ErrChanged is what Unchanged wraps where a file is not what it was when opened.
var ErrChanged = errors.New("file changed while it was read")

// ErrNotLayer is what a *FormatError wraps where the array is whole, but of a type
// or shape that no layer has, such as integers, texts or a single number.
var ErrNotLayer = errors.New("not a layer")

// FormatError says why a file or stream is no layer: it is of no format that is
// read, it is damaged, or it holds elements or a shape that are not read or do not
// allow what was asked.
type FormatError struct {
	Name    string // of the file or stream, as given to Open, OpenShards, NewFile or NewStream, or of a member
	Problem string // what was expected, what was found, what to do

	notLayer bool
}

// newFormatError returns the error that the file or member name is unusable, err
// saying why.
func newFormatError(name string, err error) *FormatError {
	var e *layerError
	return &FormatError{Name: name, Problem: err.Error(), notLayer: errors.As(err, &e)}
}

// Error returns the name of the file and the problem.
func (e *FormatError) Error() string { return "activation: " + e.Name + ": " + e.Problem }

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }

// Is reports whether target is ErrNotLayer and e says so.
func (e *FormatError) Is(target error) bool { return target == ErrNotLayer && e.notLayer }

// layerError says why an array is no layer.
type layerError struct{ problem string }

func (e *layerError) Error() string { return e.problem }

// damagedError says how the contents of a file contradict each other.
type damagedError struct {
	problem string
	causes  []error // ErrFormat among them
}

func (e *damagedError) Error() string   { return "damaged: " + e.problem }
func (e *damagedError) Unwrap() []error { return e.causes }

func damaged(format string, args ...any) error {
	return &damagedError{fmt.Sprintf(format, args...), []error{ErrFormat}}
}

const (
	panicNegativeSize = "activation: negative size"
	panicBadStride    = "activation: stride less than columns"
	panicShortData    = "activation: data shorter than the matrix"
	panicOutOfRange   = "activation: block out of range"
	panicBadShape     = "activation: shape is not of 1, 2 or 4 sizes"
	panicTooLarge     = "activation: shape too large"
	panicNoShape      = "activation: a tensor without sizes"
	panicBadStorage   = "activation: storage is neither float64 nor float32"
	panicBadAxis      = "activation: axis that the layer does not have"
	panicBadIndex     = "activation: index out of range"
	panicBadColumns   = "activation: block has another number of columns than the file"

	panicBadTensorName = "activation: a tensor's name is empty, reserved or given twice"
)

// clip quotes s, which a file says, at a length fit for a message.
func clip(s string) string {
	const limit = 40
	if len(s) > limit {
		return fmt.Sprintf("%q…", s[:limit])
	}
	return fmt.Sprintf("%q", s)
}
