package main

import (
	"context"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

// sums are those of one layer or of a pair: *svcca.Moments, *svcca.Triangle or
// *svcca.Pair.
type sums struct{ of encoding.BinaryMarshaler }

// newSums returns sums of no rows.
func newSums(layers int, triangle bool, precision svcca.Precision) sums {
	switch {
	case layers == 2 && triangle:
		return sums{&svcca.Pair{Method: svcca.MethodTriangle}}
	case layers == 2:
		return sums{&svcca.Pair{Precision: precision}}
	case triangle:
		return sums{&svcca.Triangle{}}
	}
	return sums{&svcca.Moments{Precision: precision}}
}

// add adds the same rows of every layer.
func (s sums) add(ctx context.Context, layers []svcca.Layer, weights []float64) error {
	defer native.LimitThreads(1)() // faster: goroutines share the work
	switch of := s.of.(type) {
	case *svcca.Pair:
		return of.Add(ctx, layers[0], layers[1], weights)
	case *svcca.Triangle:
		return of.Add(ctx, layers[0], weights)
	default:
		return s.of.(*svcca.Moments).Add(ctx, layers[0], weights)
	}
}

// merge adds the rows of other.
func (s sums) merge(other sums) error {
	switch of := s.of.(type) {
	case *svcca.Pair:
		if o, ok := other.of.(*svcca.Pair); ok {
			return of.Merge(o)
		}
	case *svcca.Triangle:
		if o, ok := other.of.(*svcca.Triangle); ok {
			return of.Merge(o)
		}
	case *svcca.Moments:
		if o, ok := other.of.(*svcca.Moments); ok {
			return of.Merge(o)
		}
	}
	return fmt.Errorf("%s here, %s before: only sums of one kind merge: %w", other.kind(), s.kind(), svcca.ErrMismatch)
}

func (s sums) kind() string {
	switch s.of.(type) {
	case *svcca.Pair:
		return "sums of a pair of layers"
	case *svcca.Triangle:
		return "a triangle of one layer"
	}
	return "sums of one layer"
}

// sumsHead is what a file of sums says of itself, in JSON behind eight bytes of
// magic and eight of length.
type sumsHead struct {
	Method         svcca.Method    `json:"method"`
	Precision      svcca.Precision `json:"precision"`
	Datapoints     int             `json:"datapoints"`
	Weight         float64         `json:"weight"` // Σw·4^−weight_exponent
	WeightExponent int             `json:"weight_exponent"`
	Layers         []summedLayer   `json:"layers"`
}

type summedLayer struct {
	Name    string `json:"name"`
	Storage string `json:"storage"`
	Neurons int    `json:"neurons"`
}

// sumsMagic is what a file of sums begins with, npyMagic a .npy, zipMagic a .npz.
const (
	sumsMagic = "\x93SVCCA1\n"
	npyMagic  = "\x93NUMPY"
	zipMagic  = "PK\x03\x04"
)

// weight returns Σw.
func (h *sumsHead) weight() float64 { return math.Ldexp(h.Weight, 2*h.WeightExponent) }

// weighted reports whether rows had weights, other than such as add up to their
// number.
func (h *sumsHead) weighted() bool { return h.weight() != float64(h.Datapoints) }

// decodeSums returns the sums that data hold. The error wraps svcca.ErrDamaged.
func decodeSums(data []byte) (s sums, head sumsHead, err error) {
	of, err := svcca.UnmarshalSums(data)
	if err != nil {
		return s, head, err
	}
	// UnmarshalSums has checked that it is all there.
	begin := len(sumsMagic) + 8
	length := binary.LittleEndian.Uint64(data[len(sumsMagic):])
	err = json.Unmarshal(data[begin:begin+int(length)], &head)
	return sums{of.(encoding.BinaryMarshaler)}, head, err
}

// readSums reads the sums in the file at path, and returns its bytes too.
func readSums(path string, m memory) (s sums, head sumsHead, data []byte, err error) {
	if data, err = readPlain(path, m); err != nil {
		return s, head, nil, err
	}
	if s, head, err = decodeSums(data); err != nil {
		return s, head, nil, fmt.Errorf("%s: %w: a file that svcca moments wrote expected", shown(path), err)
	}
	return s, head, data, nil
}

// readPlain reads the plain file at path, which holds sums.
func readPlain(path string, m memory) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file: one that svcca moments wrote expected", shown(path))
	}
	// Triangles of products are whole squares in memory: the file, the sums and a
	// copy of them.
	if err := m.allow("reading "+shown(path), 5*info.Size(), "use a larger machine"); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// beginsWith reports whether path is a plain file that begins with magic.
func beginsWith(path, magic string) bool {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	_, err = f.ReadAt(begin, 0)
	return err == nil && string(begin) == magic
}
