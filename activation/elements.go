package activation

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"unicode/utf8"
)

// count returns the number of elements.
func (f *File) count() int { return f.datapoints * f.neurons }

// elements calls each with the bytes, little-endian, of count elements in C order,
// the first of them first. Errors are those of Read.
func (f *File) elements(first, count int, each func(i int, raw []byte)) error {
	if first < 0 || count < 0 || count > f.count()-first {
		panic(panicOutOfRange)
	}
	if f.source.closed.Load() {
		return fmt.Errorf("activation: %s: reading element %d: %w", f.name, first, os.ErrClosed)
	}
	size := f.header.element.size
	buffer := scratchPool.Get().(*[scratchBytes]byte)
	defer scratchPool.Put(buffer)
	together := len(buffer) / size
	if f.header.fortran && len(f.header.shape) > 1 {
		together = 1
	}
	for done := 0; done < count; done += together {
		raw := buffer[:min(together, count-done)*size]
		at := f.stored(first + done)
		if n, err := readFull(f.source, raw, f.header.begin+int64(at)*int64(size)); err != nil {
			return fmt.Errorf("activation: %s: reading element %d: %w", f.name, first+done+n/size, err)
		}
		if f.header.bigEndian {
			f.header.element.reverse(raw)
		}
		for i := 0; i < len(raw)/size; i++ {
			each(done+i, raw[i*size:][:size])
		}
	}
	return nil
}

// stored returns the place on disk of the element that is at in C order.
func (f *File) stored(at int) int {
	if !f.header.fortran {
		return at
	}
	place, step := 0, f.count()
	for axis := len(f.header.shape) - 1; axis >= 0; axis-- {
		size := f.header.shape[axis]
		step /= size
		place += at % size * step
		at /= size
	}
	return place
}

// ints returns count elements in C order, the first of them first, of integers or
// booleans; false is 0. An integer beyond int64 is a *FormatError. Others are those
// of Read; and other elements give a *FormatError too.
func (f *File) ints(first, count int) ([]int64, error) {
	e := f.header.element
	if e.kind != intKind && e.kind != uintKind && e.kind != boolKind {
		return nil, f.fault("elements are %v: integers or booleans expected", e)
	}
	values := make([]int64, count)
	beyond := -1
	err := f.elements(first, count, func(i int, raw []byte) {
		values[i] = e.integer(raw)
		if e.kind == uintKind && values[i] < 0 && beyond < 0 {
			beyond = i
		}
	})
	switch {
	case err != nil:
		return nil, err
	case beyond >= 0:
		return nil, f.fault("element %d is %d, more than %d", first+beyond, uint64(values[beyond]), int64(math.MaxInt64))
	}
	return values, nil
}

// integer returns the little-endian integer or boolean in raw, modulo 2⁶⁴.
func (e element) integer(raw []byte) int64 {
	var u uint64
	for i, b := range raw {
		u |= uint64(b) << (8 * i)
	}
	switch unused := 64 - 8*len(raw); {
	case e.kind == boolKind:
		return int64(min(u, 1))
	case e.kind == intKind:
		return int64(u<<unused) >> unused
	}
	return int64(u)
}

// floats returns count numbers in C order, the first of them first, of any element
// that is one.
func (f *File) floats(first, count int) ([]float64, error) {
	e := f.header.element
	values := make([]float64, count)
	err := f.elements(first, count, func(i int, raw []byte) {
		switch e.kind {
		case floatKind, brainKind:
			e.decode(values[i:i+1], raw)
		case uintKind:
			values[i] = float64(uint64(e.integer(raw)))
		default:
			values[i] = float64(e.integer(raw))
		}
	})
	return values, err
}

// texts returns count elements in C order, the first of them first, of strings:
// Unicode, or bytes taken for UTF-8, without the zeros that pad them. What is
// neither is a *FormatError, as other elements are.
func (f *File) texts(first, count int) ([]string, error) {
	e := f.header.element
	if e.kind != bytesKind && e.kind != textKind {
		return nil, f.fault("elements are %v: strings (S or U) expected", e)
	}
	values := make([]string, count)
	broken := -1
	err := f.elements(first, count, func(i int, raw []byte) {
		text := raw
		if e.kind == textKind {
			text = nil
			for ; len(raw) > 0; raw = raw[4:] {
				r := rune(binary.LittleEndian.Uint32(raw))
				if !utf8.ValidRune(r) {
					broken = i
				}
				text = utf8.AppendRune(text, r)
			}
		}
		for len(text) > 0 && text[len(text)-1] == 0 {
			text = text[:len(text)-1]
		}
		if !utf8.Valid(text) {
			broken = i
		}
		values[i] = string(text)
	})
	switch {
	case err != nil:
		return nil, err
	case broken >= 0:
		return nil, f.fault("element %d is no text", first+broken)
	}
	return values, nil
}
