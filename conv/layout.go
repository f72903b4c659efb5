package conv

import (
	"fmt"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// Layout is the order of the values of an image.
type Layout int

const (
	// NHWC holds the channels of a position side by side, as TensorFlow and JAX do.
	NHWC Layout = iota
	// NCHW holds the positions of a channel side by side, as PyTorch does.
	NCHW
)

// String returns "nhwc" or "nchw".
func (l Layout) String() string {
	if l == NCHW {
		return "nchw"
	}
	return "nhwc"
}

// ParseLayout reads "nhwc" or "nchw". The error wraps svcca.ErrOptions.
func ParseLayout(text string) (Layout, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "nhwc":
		return NHWC, nil
	case "nchw":
		return NCHW, nil
	}
	return 0, fmt.Errorf("conv: layout %q is neither nhwc nor nchw: %w", text, svcca.ErrOptions)
}

// MarshalText returns String.
func (l Layout) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseLayout.
func (l *Layout) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLayout(string(text))
	return err
}
