package svcca

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// A container is how sums and reduced layers are kept and sent: it says what it
// is, in JSON that any program can read, and whether it is whole.
//
//	8 bytes   "\x93SVCCA1\n"
//	8 bytes   length of the header, little-endian
//	          header: JSON, with "schema" and its version
//	          arrays: float64, little-endian, one after another, finite
//	32 bytes  SHA-256 of all before
const containerMagic = "\x93SVCCA1\n"

const containerStart = len(containerMagic) + 8

// encodeContainer returns the container of header and arrays.
func encodeContainer(header any, arrays ...[]float64) ([]byte, error) {
	text, err := json.Marshal(header)
	if err != nil {
		return nil, fmt.Errorf("svcca: %w", err)
	}
	size := containerStart + len(text) + sha256.Size
	for _, a := range arrays {
		size += 8 * len(a)
	}
	data := make([]byte, 0, size)
	data = append(data, containerMagic...)
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

// container is a decoded one, whose sum is right.
type container struct {
	schema string
	header []byte
	arrays []byte
}

// openContainer checks data, of which it keeps views. The error wraps ErrDamaged.
func openContainer(data []byte) (c container, err error) {
	if !bytes.HasPrefix(data, []byte(containerMagic)) {
		return c, fmt.Errorf("svcca: these are no sums or reduced layers: they begin with %q: %w", data[:min(len(data), 8)], ErrDamaged)
	}
	end := len(data) - sha256.Size
	if end < containerStart {
		return c, fmt.Errorf("svcca: cut short to %d bytes: %w", len(data), ErrDamaged)
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return c, fmt.Errorf("svcca: the checksum of %d bytes does not hold: %w", len(data), ErrDamaged)
	}
	length := binary.LittleEndian.Uint64(data[len(containerMagic):])
	if length > uint64(end-containerStart) {
		return c, fmt.Errorf("svcca: a header of %d bytes: %w", length, ErrDamaged)
	}
	begin := containerStart + int(length)
	c.header, c.arrays = data[containerStart:begin], data[begin:end]
	var head struct {
		Schema string `json:"schema"`
	}
	err = c.decode(&head)
	c.schema = head.Schema
	return c, err
}

// decode reads the header.
func (c *container) decode(header any) error {
	if err := json.Unmarshal(c.header, header); err != nil {
		return fmt.Errorf("svcca: header: %w: %w", err, ErrDamaged)
	}
	return nil
}

// next returns the next count values of the arrays, all finite.
func (c *container) next(count int) ([]float64, error) {
	if count < 0 || count > len(c.arrays)/8 {
		return nil, fmt.Errorf("svcca: %d values expected, %d bytes are there: %w", count, len(c.arrays), ErrDamaged)
	}
	values := make([]float64, count)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(c.arrays[8*i:]))
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("svcca: value %d is %v: %w", i, values[i], ErrDamaged)
		}
	}
	c.arrays = c.arrays[8*count:]
	return values, nil
}

// end returns an error where arrays are left over.
func (c *container) end() error {
	if len(c.arrays) > 0 {
		return fmt.Errorf("svcca: %d bytes left over: %w", len(c.arrays), ErrDamaged)
	}
	return nil
}
