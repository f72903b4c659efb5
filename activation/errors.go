package activation

import (
	"errors"
	"fmt"
)

// ErrFormat is what every *FormatError wraps.
var ErrFormat = errors.New("unusable file")

// ErrChanged is what Unchanged wraps where a file is not what it was when opened.
var ErrChanged = errors.New("file changed while it was read")

// FormatError says why a file or stream is no layer: it is no .npy, it is damaged,
// or it holds elements or a shape that are not read or do not allow what was asked.
type FormatError struct {
	Name    string // of the file or stream, as given to Open, OpenShards, NewFile or NewStream
	Problem string // what was expected, what was found, what to do
}

// Error returns the name of the file and the problem.
func (e *FormatError) Error() string { return "activation: " + e.Name + ": " + e.Problem }

// Unwrap returns ErrFormat.
func (e *FormatError) Unwrap() error { return ErrFormat }

const (
	panicNegativeSize = "activation: negative size"
	panicBadStride    = "activation: stride less than columns"
	panicShortData    = "activation: data shorter than the matrix"
	panicOutOfRange   = "activation: block out of range"
	panicBadShape     = "activation: shape is not of 1, 2 or 4 sizes"
	panicTooLarge     = "activation: shape too large"
	panicNoShape      = "activation: a tensor without sizes"
	panicBadStorage   = "activation: storage is neither float64 nor float32"
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
