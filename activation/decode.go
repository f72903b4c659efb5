package activation

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/x448/float16"
)

// decode sets dst to the little-endian values at the beginning of raw. The loops
// are written out for each type, in steps whose bounds are checked once: by one
// element they take 2 to 3 times as long, by a call for each far longer.
func (e element) decode(dst []float64, raw []byte) {
	switch e {
	case float16Element:
		decode16(dst, raw)
	case float32Element:
		decode32(dst, raw)
	case float64Element:
		decode64(dst, raw)
	case bfloat16Element:
		decodeBrain(dst, raw)
	case int8Element:
		for i, b := range raw[:len(dst)] {
			dst[i] = float64(int8(b))
		}
	}
}

func decode16(dst []float64, raw []byte) {
	for len(dst) >= 4 && len(raw) >= 8 {
		to, from := (*[4]float64)(dst), (*[8]byte)(raw)
		to[0], to[1] = from16(from[0:]), from16(from[2:])
		to[2], to[3] = from16(from[4:]), from16(from[6:])
		dst, raw = dst[4:], raw[8:]
	}
	for i := range dst {
		dst[i] = from16(raw[2*i:])
	}
}

func decode32(dst []float64, raw []byte) {
	for len(dst) >= 8 && len(raw) >= 32 {
		to, from := (*[8]float64)(dst), (*[32]byte)(raw)
		to[0], to[1] = from32(from[0:]), from32(from[4:])
		to[2], to[3] = from32(from[8:]), from32(from[12:])
		to[4], to[5] = from32(from[16:]), from32(from[20:])
		to[6], to[7] = from32(from[24:]), from32(from[28:])
		dst, raw = dst[8:], raw[32:]
	}
	for i := range dst {
		dst[i] = from32(raw[4*i:])
	}
}

func decode64(dst []float64, raw []byte) {
	for len(dst) >= 8 && len(raw) >= 64 {
		to, from := (*[8]float64)(dst), (*[64]byte)(raw)
		to[0], to[1] = from64(from[0:]), from64(from[8:])
		to[2], to[3] = from64(from[16:]), from64(from[24:])
		to[4], to[5] = from64(from[32:]), from64(from[40:])
		to[6], to[7] = from64(from[48:]), from64(from[56:])
		dst, raw = dst[8:], raw[64:]
	}
	for i := range dst {
		dst[i] = from64(raw[8*i:])
	}
}

func decodeBrain(dst []float64, raw []byte) {
	for len(dst) >= 4 && len(raw) >= 8 {
		to, from := (*[4]float64)(dst), (*[8]byte)(raw)
		to[0], to[1] = fromBrain(from[0:]), fromBrain(from[2:])
		to[2], to[3] = fromBrain(from[4:]), fromBrain(from[6:])
		dst, raw = dst[4:], raw[8:]
	}
	for i := range dst {
		dst[i] = fromBrain(raw[2*i:])
	}
}

func fromBrain(p []byte) float64 {
	return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(p)) << 16))
}

func from16(p []byte) float64 {
	return float64(float16.Frombits(binary.LittleEndian.Uint16(p)).Float32())
}

func from32(p []byte) float64 {
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(p)))
}

func from64(p []byte) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(p))
}

// reverse turns the big-endian values in raw into little-endian ones.
func (e element) reverse(raw []byte) {
	switch e.word() {
	case 2:
		for i := 0; i+2 <= len(raw); i += 2 {
			p := raw[i : i+2]
			binary.LittleEndian.PutUint16(p, bits.ReverseBytes16(binary.LittleEndian.Uint16(p)))
		}
	case 4:
		for i := 0; i+4 <= len(raw); i += 4 {
			p := raw[i : i+4]
			binary.LittleEndian.PutUint32(p, bits.ReverseBytes32(binary.LittleEndian.Uint32(p)))
		}
	case 8:
		for i := 0; i+8 <= len(raw); i += 8 {
			p := raw[i : i+8]
			binary.LittleEndian.PutUint64(p, bits.ReverseBytes64(binary.LittleEndian.Uint64(p)))
		}
	}
}

const (
	// tile columns are scattered side by side: 8 float64 fill a cache line of
	// dst, and 8 places at a distance of a power of two fit an 8-way cache.
	tile = 8
	// depth rows of a tile are 4 KiB, which stay in a first-level cache.
	depth = 64
)

// scatter sets dst to the little-endian values in raw, of which column j begins
// at byte j·pitch. Columns are decoded tile by tile to a small buffer and leave
// it as rows: dst, with its long stride, is then written by whole cache lines.
func (e element) scatter(dst lapack.Matrix[float64], raw []byte, pitch int) {
	var columns [tile][depth]float64
	for left := 0; left < dst.Cols; left += tile {
		for top := 0; top < dst.Rows; top += depth {
			part := dst.View(top, left, min(depth, dst.Rows-top), min(tile, dst.Cols-left))
			for j := range part.Cols {
				e.decode(columns[j][:part.Rows], raw[(left+j)*pitch+top*e.size:])
			}
			turn(part, &columns)
		}
	}
}

// turn sets dst to the transpose of the beginning of columns.
func turn(dst lapack.Matrix[float64], columns *[tile][depth]float64) {
	if dst.Cols < tile {
		for i := range dst.Rows {
			row := dst.Row(i)
			for j := range row {
				row[j] = columns[j][i]
			}
		}
		return
	}
	c, rest := columns, dst.Data
	for i := range min(dst.Rows, depth) {
		row := (*[tile]float64)(rest)
		row[0], row[1], row[2], row[3] = c[0][i], c[1][i], c[2][i], c[3][i]
		row[4], row[5], row[6], row[7] = c[4][i], c[5][i], c[6][i], c[7][i]
		rest = rest[min(dst.Stride, len(rest)):] // nothing after the last row
	}
}
