package activation

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// element is the type in which a file stores its values. Its value is the
// number of bytes of one.
type element int

const (
	float16Element element = 2
	float32Element element = 4
	float64Element element = 8
)

// String returns the name numpy gives the type.
func (e element) String() string { return fmt.Sprintf("float%d", 8*int(e)) }

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
	switch code {
	case "f2":
		return float16Element, bigEndian, nil
	case "f4":
		return float32Element, bigEndian, nil
	case "f8":
		return float64Element, bigEndian, nil
	}
	return 0, false, fmt.Errorf("elements are %s: float16, float32 or float64 expected: %s", clip(descr), descrAdvice(code))
}

// descrAdvice says what a type code means that is not read, and what to save
// instead. The code comes without its byte order.
func descrAdvice(code string) string {
	const toFloat32 = "save x.astype(np.float32)"
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
	case 'b', '?':
		return "these are booleans; " + toFloat32
	case 'c':
		return "these are complex numbers; save x.real, x.imag or np.abs(x) as float32"
	case 'O':
		return "these are pickled Python objects, perhaps arrays of unequal lengths; save one array of numbers"
	case 'V':
		return "these are raw bytes; save one array of numbers"
	case 'S', 'a', 'U':
		return "these are strings; save one array of numbers"
	}
	return toFloat32
}
