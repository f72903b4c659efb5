package activation

import (
	"errors"
	"fmt"
)

// ErrFormat is what every *FormatError wraps.
var ErrFormat = errors.New("unusable file")

// FormatError says why a file is no layer: it is no .npy, it is damaged, or it
// holds elements or a shape that are not read or do not allow what was asked.
type FormatError struct {
	Name    string // of the file, as given to Open or NewFile
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
	panicBadColumns   = "activation: block has another number of columns than the file"
)

// clip quotes s, which a file says, at a length fit for a message.
func clip(s string) string {
	const limit = 40
	if len(s) > limit {
		return fmt.Sprintf("%q…", s[:limit])
	}
	return fmt.Sprintf("%q", s)
}
