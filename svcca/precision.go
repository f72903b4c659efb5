package svcca

import (
	"fmt"
	"strings"
)

// Precision is the arithmetic of the products over datapoints, in which nearly
// all of the time goes. Everything after them is computed in float64.
type Precision int

const (
	// Double multiplies in float64.
	Double Precision = iota
	// Mixed centres in float64, multiplies blocks of at most 1024 rows in float32 (of
	// layers with fewer datapoints than neurons, 8 MiB of neurons) and adds the blocks'
	// products in float64: up to twice as fast. What the products
	// lost is measured, and bounds start from that, no less than 2⁻²⁵. A layer whose k
	// that leaves open is summed again in float64, and the result says so.
	Mixed
)

// String returns "float64" or "mixed".
func (p Precision) String() string {
	if p == Mixed {
		return "mixed"
	}
	return "float64"
}

// ParsePrecision reads "float64" or "mixed". The error wraps ErrOptions.
func ParsePrecision(text string) (Precision, error) {
	switch strings.TrimSpace(text) {
	case "float64":
		return Double, nil
	case "mixed":
		return Mixed, nil
	}
	return 0, fmt.Errorf("svcca: precision %q is neither float64 nor mixed: %w", text, ErrOptions)
}

// MarshalText returns String.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePrecision.
func (p *Precision) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrecision(string(text))
	return err
}

// largest returns how far values may outgrow the exponent chosen from the first
// ones: squares, and sums of 2⁴⁰ of them, stay far inside the type.
func (p Precision) largest() float64 {
	if p == Mixed {
		return 0x1p30
	}
	return 0x1p300
}
