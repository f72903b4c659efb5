// Package container is how sums and reduced layers are kept and sent.
package container

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// A container says what it is, in JSON that any program can read, and whether it is
// whole.
//
//	8 bytes   "\x93SVCCA1\n"
//	8 bytes   length of the header, little-endian
//	          header: JSON, with "schema" and its version
//	          arrays: float64, little-endian, one after another, finite
//	32 bytes  SHA-256 of all before
const magic = "\x93SVCCA1\n"

// ErrDamaged: bytes are not, or no longer, what Encode returned.
var ErrDamaged = errors.New("damaged")

const start = len(magic) + 8

// Encode returns the container of header and arrays.
func Encode(header any, arrays ...[]float64) ([]byte, error) {
	text, err := json.Marshal(header)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	size := start + len(text) + sha256.Size
	for _, a := range arrays {
		size += 8 * len(a)
	}
	data := make([]byte, 0, size)
	data = append(data, magic...)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(text)))
	data = append(data, text...)
	for _, a := range arrays {
		for _, v := range a {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// WriteWith writes the container data, which Encode returned, to w with one more entry
// in its header. Whoever does not know the entry passes over it.
func WriteWith(w io.Writer, data []byte, key string, value any) error {
	length := binary.LittleEndian.Uint64(data[len(magic):])
	text, arrays := data[start:start+int(length)], data[start+int(length):len(data)-sha256.Size]
	entry, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	// {"schema":…} and {key:value} are one object.
	header := append(text[:len(text)-1:len(text)-1], ',')
	header = append(header, entry[1:]...)
	h := sha256.New()
	both := io.MultiWriter(w, h)
	for _, part := range [][]byte{[]byte(magic), binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header, arrays} {
		if _, err := both.Write(part); err != nil {
			return err
		}
	}
	_, err = w.Write(h.Sum(nil))
	return err
}

// Container is a decoded one, whose sum is right.
type Container struct {
	Schema string
	header []byte
	arrays []byte
}

// Open checks data, of which it keeps views. The error wraps ErrDamaged.
func Open(data []byte) (c Container, err error) {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return c, fmt.Errorf("these are no sums or reduced layers: they begin with %q: %w", data[:min(len(data), 8)], ErrDamaged)
	}
	end := len(data) - sha256.Size
	if end < start {
		return c, fmt.Errorf("cut short to %d bytes: %w", len(data), ErrDamaged)
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return c, fmt.Errorf("the checksum of %d bytes does not hold: %w", len(data), ErrDamaged)
	}
	length := binary.LittleEndian.Uint64(data[len(magic):])
	if length > uint64(end-start) {
		return c, fmt.Errorf("a header of %d bytes: %w", length, ErrDamaged)
	}
	begin := start + int(length)
	c.header, c.arrays = data[start:begin], data[begin:end]
	var head struct {
		Schema string `json:"schema"`
	}
	err = c.Decode(&head)
	c.Schema = head.Schema
	return c, err
}

// Decode reads the header.
func (c *Container) Decode(header any) error {
	if err := json.Unmarshal(c.header, header); err != nil {
		return fmt.Errorf("header: %w: %w", err, ErrDamaged)
	}
	return nil
}

// Next returns the next count values of the arrays, all finite.
func (c *Container) Next(count int) ([]float64, error) {
	if count < 0 || count > len(c.arrays)/8 {
		return nil, fmt.Errorf("%d values expected, %d bytes are there: %w", count, len(c.arrays), ErrDamaged)
	}
	values := make([]float64, count)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(c.arrays[8*i:]))
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("value %d is %v: %w", i, values[i], ErrDamaged)
		}
	}
	c.arrays = c.arrays[8*count:]
	return values, nil
}

// End returns an error where arrays are left over.
func (c *Container) End() error {
	if len(c.arrays) > 0 {
		return fmt.Errorf("%d bytes left over: %w", len(c.arrays), ErrDamaged)
	}
	return nil
}

// Left returns how many values are still to be read.
func (c *Container) Left() int { return len(c.arrays) / 8 }
