package activation

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// tensors is the container of safetensors: eight bytes of length, a header in JSON
// of that length, and the arrays side by side, in C order, little-endian.
type tensors struct {
	file  io.ReaderAt
	names []string // in natural order
	of    map[string]*tensor
}

// tensor is what the header says of an array.
type tensor struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64 // in bytes from where the arrays begin, then from the file's beginning
}

// maxTensorsHeader bounds the header in bytes, as the format's own reader does.
const maxTensorsHeader = 100_000_000

// tensorTypes are the format's types: the element where we read it, and bits.
var tensorTypes = map[string]struct {
	element element
	bits    int64
}{
	"F64": {float64Element, 64}, "F32": {float32Element, 32}, "F16": {float16Element, 16}, "BF16": {bfloat16Element, 16},
	"I64": {element{intKind, 8}, 64}, "I32": {element{intKind, 4}, 32}, "I16": {element{intKind, 2}, 16}, "I8": {int8Element, 8},
	"U64": {element{uintKind, 8}, 64}, "U32": {element{uintKind, 4}, 32}, "U16": {element{uintKind, 2}, 16}, "U8": {element{uintKind, 1}, 8},
	"BOOL": {element{boolKind, 1}, 8},
	"C64":  {bits: 64}, "F8_E5M2": {bits: 8}, "F8_E4M3": {bits: 8}, "F8_E8M0": {bits: 8}, "F8_E4M3FNUZ": {bits: 8}, "F8_E5M2FNUZ": {bits: 8},
	"F6_E2M3": {bits: 6}, "F6_E3M2": {bits: 6}, "F4": {bits: 4},
}

// looksLikeTensors: no other file holds a JSON object behind a length of less than
// 4 GB.
func looksLikeTensors(head []byte) bool {
	return len(head) >= 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32
}

// readTensors reads the header of the .safetensors of size bytes in r, which
// looks like one, and checks all that the format's own reader does.
func readTensors(path string, r io.ReaderAt, size int64) (*tensors, error) {
	const prefix = 8
	fault := func(err error) (*tensors, error) { return nil, newFormatError(path, err) }
	failure := func(err error) (*tensors, error) {
		return nil, fmt.Errorf("activation: %s: reading the header: %w", path, err)
	}
	head := make([]byte, prefix)
	if _, err := readFull(r, head, 0); err != nil {
		return failure(err)
	}
	length := int64(binary.LittleEndian.Uint64(head))
	switch {
	case length > maxTensorsHeader:
		return fault(damaged("the header claims %d bytes, more than the %d that a .safetensors may have", length, maxTensorsHeader))
	case length > size-prefix:
		return fault(fmt.Errorf("truncated: the header claims %d bytes, the file holds %d after it began", length, size-prefix))
	}
	text := make([]byte, length)
	if _, err := readFull(r, text, prefix); err != nil {
		return failure(err)
	}
	list, err := parseTensors(text)
	if err == nil {
		err = checkExtents(list, size-prefix-length)
	}
	if err != nil {
		return fault(fmt.Errorf("header of a .safetensors: %w", err))
	}
	t := &tensors{file: r, of: map[string]*tensor{}}
	for i := range list {
		e := &list[i]
		e.begin += prefix + length
		e.end += prefix + length
		t.of[e.name] = e
		t.names = append(t.names, e.name)
	}
	naturally(t.names)
	return t, nil
}

// checkExtents returns an error where the arrays, of which none may lie in the
// way of another, do not fill size bytes.
func checkExtents(list []tensor, size int64) error {
	slices.SortFunc(list, func(a, b tensor) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for _, e := range list {
		switch {
		case e.begin < at:
			return damaged("tensor %s, from byte %d, shares bytes with the one before it, up to %d", clip(e.name), e.begin, at)
		case e.begin > at:
			return damaged("tensor %s begins at byte %d, the one before it ends at %d: no tensor holds what lies between", clip(e.name), e.begin, at)
		}
		bits, ok := tensorBits(e)
		if !ok || bits%8 != 0 || e.end-e.begin != bits/8 {
			return damaged("tensor %s of %s %s lies at bytes %d to %d, which are not as many as that takes",
				clip(e.name), e.dtype, formatShape(e.shape), e.begin, e.end)
		}
		at = e.end
	}
	switch {
	case at > size:
		return fmt.Errorf("truncated: the tensors take %d bytes, the file holds %d after the header", at, size)
	case at < size:
		return fmt.Errorf("bytes left over: the tensors take %d bytes, the file holds %d after the header", at, size)
	}
	return nil
}

// tensorBits returns the size of a tensor, if it is none larger than any file.
func tensorBits(e tensor) (bits int64, ok bool) {
	count, ok := arrayBytes(e.shape, int8Element)
	bits = tensorTypes[e.dtype].bits
	if !ok || count > (1<<63-1)/bits {
		return 0, false
	}
	return count * bits, true
}

// parseTensors reads the header, as a list in its order.
func parseTensors(text []byte) ([]tensor, error) {
	switch {
	case !utf8.Valid(text):
		return nil, damaged("it is no text in UTF-8")
	case len(text) == 0 || text[0] != '{':
		return nil, damaged("it does not begin with '{'")
	case !json.Valid(text):
		return nil, damaged("it is no JSON, or one of very deep nesting")
	}
	d := &jsonWalk{json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	var list []tensor
	err := d.object(func(name string) error {
		if name == "__metadata__" {
			return d.object(func(key string) error {
				_, err := d.text()
				return err
			})
		}
		e := tensor{name: name, begin: -1}
		err := d.object(func(key string) (err error) {
			switch key {
			case "dtype":
				e.dtype, err = d.text()
			case "shape":
				var sizes []int64
				sizes, err = d.sizes(maxDimensions, strconv.IntSize-1)
				e.shape = make([]int, len(sizes))
				for i, size := range sizes {
					e.shape[i] = int(size)
				}
			case "data_offsets":
				var ends []int64
				if ends, err = d.sizes(2, 63); err == nil && len(ends) != 2 {
					err = errors.New("2 offsets expected")
				}
				if err == nil {
					e.begin, e.end = ends[0], ends[1]
				}
			default:
				err = d.ignore()
			}
			return err
		})
		switch _, known := tensorTypes[e.dtype]; {
		case err != nil:
			return err
		case e.dtype == "" || e.shape == nil || e.begin < 0:
			return errors.New("dtype, shape and data_offsets expected")
		case !known:
			return fmt.Errorf("the dtype %s is unknown", clip(e.dtype))
		}
		list = append(list, e)
		return nil
	})
	if err != nil {
		return nil, damaged("%v", err)
	}
	return list, nil
}

// jsonWalk goes through valid JSON.
type jsonWalk struct{ *json.Decoder }

// object reads an object, of which value reads each value, and no key comes twice.
func (d *jsonWalk) object(value func(key string) error) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.text()
		switch {
		case err != nil:
			return err
		case seen[key]:
			return fmt.Errorf("the key %s is there twice", clip(key))
		}
		seen[key] = true
		if err := value(key); err != nil {
			return fmt.Errorf("%s: %w", clip(key), err)
		}
	}
	return d.expect('}')
}

func (d *jsonWalk) expect(delim json.Delim) error {
	if got, err := d.Token(); err != nil || got != delim {
		return fmt.Errorf("%q expected", delim.String())
	}
	return nil
}

func (d *jsonWalk) text() (string, error) {
	got, err := d.Token()
	if text, ok := got.(string); err == nil && ok {
		return text, nil
	}
	return "", errors.New("a string expected")
}

// sizes reads a list of at most so many whole numbers, not negative and of so many
// bits at most.
func (d *jsonWalk) sizes(most, bits int) ([]int64, error) {
	if err := d.expect('['); err != nil {
		return nil, err
	}
	var sizes []int64
	for d.More() {
		got, err := d.Token()
		number, ok := got.(json.Number)
		if err != nil || !ok {
			return nil, errors.New("whole numbers expected")
		}
		size, err := strconv.ParseUint(string(number), 10, bits)
		if err != nil {
			return nil, fmt.Errorf("%s is no size", clip(string(number)))
		}
		if sizes = append(sizes, int64(size)); len(sizes) > most {
			return nil, fmt.Errorf("more than %d numbers", most)
		}
	}
	return sizes, d.expect(']')
}

// ignore steps over a value.
func (d *jsonWalk) ignore() error {
	var value json.RawMessage
	return d.Decode(&value)
}

func (t *tensors) list() []string         { return slices.Clone(t.names) }
func (t *tensors) has(member string) bool { return t.of[member] != nil }

func (t *tensors) open(member, name string) (header, io.ReaderAt, func() error, error) {
	e := t.of[member]
	h := header{element: tensorTypes[e.dtype].element, shape: e.shape, begin: e.begin}
	err := notLayer(e.dtype, "save x.float()")
	if h.element.size > 0 {
		err = h.measure()
	}
	if err != nil {
		return header{}, nil, nil, newFormatError(name, err)
	}
	return h, t.file, nil, nil
}
