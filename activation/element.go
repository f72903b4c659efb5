package activation

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// element is the type in which a file stores its values.
type element struct {
	kind kind
	size int // bytes of one value
}

type kind byte

const (
	floatKind kind = iota
	brainKind      // bfloat16: the upper half of a float32
	intKind
	uintKind
	boolKind
	bytesKind // S: text of size bytes, padded with zeros
	textKind  // U: text of size/4 code points, padded with zeros
)

var (
	float16Element  = element{floatKind, 2}
	float32Element  = element{floatKind, 4}
	float64Element  = element{floatKind, 8}
	bfloat16Element = element{brainKind, 2}
	int8Element     = element{intKind, 1}
)

// maxTextBytes bounds one text, so that a buffer holds it.
const maxTextBytes = 1 << 12

// String returns the name numpy gives the type; of texts, its code.
func (e element) String() string {
	switch e.kind {
	case brainKind:
		return "bfloat16"
	case intKind:
		return fmt.Sprintf("int%d", 8*e.size)
	case uintKind:
		return fmt.Sprintf("uint%d", 8*e.size)
	case boolKind:
		return "bool"
	case bytesKind:
		return fmt.Sprintf("S%d", e.size)
	case textKind:
		return fmt.Sprintf("U%d", e.size/4)
	}
	return fmt.Sprintf("float%d", 8*e.size)
}

// isLayer reports whether a layer's values may be of the type.
func (e element) isLayer() bool {
	return e.kind == floatKind || e.kind == brainKind || e == int8Element
}

// word returns how many bytes a byte order turns round together.
func (e element) word() int {
	switch e.kind {
	case bytesKind:
		return 1
	case textKind:
		return 4
	}
	return e.size
}

// elementCodes are numpy's type codes for elements of one size.
var elementCodes = map[string]element{
	"f2": float16Element, "f4": float32Element, "f8": float64Element, "bfloat16": bfloat16Element,
	"i1": int8Element, "i2": {intKind, 2}, "i4": {intKind, 4}, "i8": {intKind, 8},
	"u1": {uintKind, 1}, "u2": {uintKind, 2}, "u4": {uintKind, 4}, "u8": {uintKind, 8},
	"b1": {boolKind, 1}, "?": {boolKind, 1},
}

// parseDescr reads a numpy type code such as "<f4". A code without a byte
// order, and with numpy's "=" or "|", is in the order of this machine.
func parseDescr(descr string) (e element, bigEndian bool, err error) {
	code := descr
	bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1
	if code != "" && strings.ContainsRune("<>=|", rune(code[0])) {
		switch code[0] {
		case '<':
			bigEndian = false
		case '>':
			bigEndian = true
		}
		code = code[1:]
	}
	if e, ok := elementCodes[code]; ok {
		return e, bigEndian, nil
	}
	if code != "" && (code[0] == 'S' || code[0] == 'U') {
		if e, ok := parseText(code); ok {
			return e, bigEndian, nil
		}
		return element{}, false, fmt.Errorf("elements are %s: texts of 1 to %d bytes expected", clip(descr), maxTextBytes)
	}
	return element{}, false, notLayer(clip(descr), descrAdvice(code))
}

func parseText(code string) (element, bool) {
	length, err := strconv.Atoi(code[1:])
	if err != nil || code[1] < '1' || '9' < code[1] {
		return element{}, false
	}
	if code[0] == 'S' {
		return element{bytesKind, length}, length <= maxTextBytes
	}
	return element{textKind, 4 * length}, length <= maxTextBytes/4
}

// notLayer is elements that no layer has.
func notLayer(found, advice string) error {
	return &layerError{fmt.Sprintf("elements are %s: float16, bfloat16, float32, float64 or int8 with a scale expected: %s", found, advice)}
}

const toFloat32 = "save x.astype(np.float32)"

// advice says what to save instead of elements of the type, in a layer.
func (e element) advice() string {
	switch e.kind {
	case boolKind:
		return "these are booleans; " + toFloat32
	case bytesKind, textKind:
		return "these are strings; save one array of numbers"
	}
	return "these are integers; " + toFloat32
}

// descrAdvice says what a type code means that is not read, and what to save
// instead. The code comes without its byte order.
func descrAdvice(code string) string {
	switch {
	case code == "":
		return toFloat32
	case code == "V2":
		return "this may be bfloat16, which .npy cannot express; " + toFloat32
	case code == "f12" || code == "f16":
		return "this is a long double; save x.astype(np.float64)"
	}
	switch code[0] {
	case 'i', 'u':
		return "these are integers; " + toFloat32
	case 'c':
		return "these are complex numbers; save x.real, x.imag or np.abs(x) as float32"
	case 'O':
		return "these are pickled Python objects, perhaps arrays of unequal lengths; save one array of numbers"
	case 'V':
		return "these are raw bytes; save one array of numbers"
	}
	return toFloat32
}
