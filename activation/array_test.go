package activation

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/x448/float16"
)

// array is a .npy as these tests build it, from the format's description and by
// nothing of the package: element k, counted in C order, is value(first+k).
type array struct {
	version byte // 0 is 1
	descr   string
	fortran bool
	shape   []int
	first   int
}

// value is a whole number that float16 holds exactly. 4093 is a prime, so that
// elements a power of two apart differ.
func value(k int) float64 { return float64(k*37%4093 - 2046) }

func (a array) dict() string {
	sizes := make([]string, len(a.shape))
	for i, s := range a.shape {
		sizes[i] = fmt.Sprint(s)
	}
	shape := "(" + strings.Join(sizes, ", ") + ")"
	if len(a.shape) == 1 {
		shape = "(" + sizes[0] + ",)"
	}
	fortran := "False"
	if a.fortran {
		fortran = "True"
	}
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", a.descr, fortran, shape)
}

// withHeader puts a magic string, a version and a length before text.
func withHeader(version byte, text string) []byte {
	b := []byte{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0}
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	}
	return append(b, text...)
}

func (a array) size() int {
	count := 1
	for _, s := range a.shape {
		count *= s
	}
	return count
}

// file returns the file's bytes.
func (a array) file() []byte {
	b := withHeader(max(a.version, 1), a.dict()+"\n")
	index := make([]int, len(a.shape)) // of the next element on disk
	for range a.size() {
		k := 0 // its place in C order
		for axis, i := range index {
			k = k*a.shape[axis] + i
		}
		b = a.append(b, value(a.first+k))
		for step := range index { // the axis that varies fastest comes first
			axis := len(index) - 1 - step
			if a.fortran {
				axis = step
			}
			if index[axis]++; index[axis] < a.shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return b
}

func (a array) append(b []byte, v float64) []byte {
	var order binary.AppendByteOrder = binary.LittleEndian
	if a.descr[0] == '>' {
		order = binary.BigEndian
	}
	switch a.descr[len(a.descr)-2:] {
	case "f2":
		return order.AppendUint16(b, float16.Fromfloat32(float32(v)).Bits())
	case "f4":
		return order.AppendUint32(b, math.Float32bits(float32(v)))
	case "f8":
		return order.AppendUint64(b, math.Float64bits(v))
	}
	panic("no such type: " + a.descr)
}
