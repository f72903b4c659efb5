package activation

import (
	"fmt"
	"os"
	"sync"

	"github.com/gosvcca/gosvcca/lapack"
)

// scratchBytes is the memory that a call of Read needs: of 64 KiB to 1 MiB the
// fastest in BenchmarkRead, by up to a third.
const scratchBytes = 1 << 17

// tuning trades speed for memory and changes no value. Tests lower it.
type tuning struct {
	scratch int // bytes used of a buffer, 8·tile to scratchBytes
	gap     int // bytes between two parts of the file up to which both are read in one
}

// A gap of a page is read twice as fast as it is skipped (BenchmarkRead, type=<f4,
// order=C, cols=512 and 16).
var defaultTuning = tuning{scratch: scratchBytes, gap: 4096}

var scratchPool = sync.Pool{New: func() any { return new([scratchBytes]byte) }}

// Read fills dst with the values of dst.Rows datapoints, the first of them row,
// by dst.Cols neurons, the first of them col. Elements between dst's columns and
// its stride are not touched. A block beyond Dims is a programmer's error.
//
// Read may be called from several goroutines, for blocks in any order. It costs
// one buffer of 128 KiB, which calls share one after another. An error names the
// file and the datapoint at which reading stopped, wraps io.ErrUnexpectedEOF
// where the file has become shorter, and leaves dst undefined.
func (f *File) Read(dst lapack.Matrix[float64], row, col int) error {
	checkBlock(dst, row, col, f.datapoints, f.neurons)
	if f.source.closed.Load() {
		return f.failure(row, os.ErrClosed)
	}
	if dst.IsEmpty() {
		return nil
	}
	if err := f.checkSteps(); err != nil {
		return err
	}
	buffer := scratchPool.Get().(*[scratchBytes]byte)
	defer scratchPool.Put(buffer)
	if err := f.read(dst, f.linesOf(dst, row, col), buffer[:f.tuning.scratch]); err != nil {
		return err
	}
	if f.steps.scale != nil {
		f.steps.apply(dst, col)
	}
	return nil
}

// checkBlock panics where dst is no matrix, or lies at (row, col) beyond a layer
// of datapoints × neurons.
func checkBlock(dst lapack.Matrix[float64], row, col, datapoints, neurons int) {
	checkMatrix(dst)
	if row < 0 || col < 0 || dst.Rows > datapoints-row || dst.Cols > neurons-col {
		panic(panicOutOfRange)
	}
}

func checkMatrix(dst lapack.Matrix[float64]) {
	switch {
	case dst.Rows < 0 || dst.Cols < 0:
		panic(panicNegativeSize)
	case dst.Stride < dst.Cols:
		panic(panicBadStride)
	case !dst.IsEmpty() && len(dst.Data) < (dst.Rows-1)*dst.Stride+dst.Cols:
		panic(panicShortData)
	}
}

// lines is a block in terms of what lies together on disk: elements at to
// at+length of each of count lines. A line is a datapoint, or in a file by
// columns a neuron, and has full elements.
type lines struct {
	first, count int
	at, length   int
	full         int
}

func (f *File) linesOf(dst lapack.Matrix[float64], row, col int) lines {
	if f.byColumns {
		return lines{first: col, count: dst.Cols, at: row, length: dst.Rows, full: f.datapoints}
	}
	if dst.Cols == f.neurons && dst.Cols == dst.Stride {
		// Whole rows side by side, on disk and in memory, are one long line.
		return lines{count: 1, at: row * f.neurons, length: dst.Rows * f.neurons, full: f.datapoints * f.neurons}
	}
	return lines{first: row, count: dst.Rows, at: col, length: dst.Cols, full: f.neurons}
}

// read goes through b in pieces of group lines × span elements, each of which
// fits buffer, in the order in which they lie on disk.
func (f *File) read(dst lapack.Matrix[float64], b lines, buffer []byte) error {
	size := f.header.element.size
	room := len(buffer) / size // in elements
	span := min(b.length, room)
	if f.byColumns {
		span = min(b.length, room/min(b.count, tile))
	}
	group, pitch := room/span, span // elements from one line to the next in buffer
	together := span == b.length && (b.full-b.length)*size <= f.tuning.gap && !f.permuted()
	if together {
		group, pitch = 1+(room-span)/b.full, b.full
	}
	for line := 0; line < b.count; line += group {
		count := min(group, b.count-line)
		for at := 0; at < b.length; at += span {
			piece := lines{first: b.first + line, count: count, at: b.at + at, length: min(span, b.length-at), full: b.full}
			raw := buffer[:((count-1)*pitch+piece.length)*size]
			if err := f.fetch(raw, piece, pitch, together); err != nil {
				return err
			}
			if f.header.bigEndian {
				f.header.element.reverse(raw)
			}
			if f.byColumns {
				f.header.element.scatter(dst.View(at, line, piece.length, count), raw, pitch*size)
				continue
			}
			for i := range count {
				begin := (line+i)*dst.Stride + at
				f.header.element.decode(dst.Data[begin:begin+piece.length], raw[i*pitch*size:])
			}
		}
	}
	return nil
}

// fetch reads the lines of p to raw, pitch elements apart: in one call, along
// with what lies between, where they are to be read together.
func (f *File) fetch(raw []byte, p lines, pitch int, together bool) error {
	size := f.header.element.size
	if together {
		return f.readAt(raw, (int64(p.first)*int64(p.full)+int64(p.at))*int64(size))
	}
	for i := range p.count {
		line := p.first + i
		if f.permuted() {
			line = f.storedColumn(line)
		}
		part := raw[i*pitch*size:][:p.length*size]
		if err := f.readAt(part, (int64(line)*int64(p.full)+int64(p.at))*int64(size)); err != nil {
			return err
		}
	}
	return nil
}

// permuted reports whether the neurons of the file lie in another order than
// ours: Fortran order runs through the sizes after the first the other way.
func (f *File) permuted() bool { return f.byColumns && len(f.header.shape) > 2 }

// storedColumn returns the place on disk, among columns, of neuron col of a
// permuted file. For sizes a, b, c after the first, element (i, j, k) is neuron
// (i·b + j)·c + k and column i + a·(j + b·k).
func (f *File) storedColumn(col int) int {
	at := 0
	left, right := col, 1
	sizes := f.header.shape[1:]
	for _, size := range sizes {
		right *= size
	}
	for i := len(sizes) - 1; i >= 0; i-- {
		right /= sizes[i]
		at += left % sizes[i] * right
		left /= sizes[i]
	}
	return at
}

// readAt fills p from byte offset of the array.
func (f *File) readAt(p []byte, offset int64) error {
	n, err := readFull(f.source, p, f.header.begin+offset)
	if err == nil {
		return nil
	}
	index := (offset + int64(n)) / int64(f.header.element.size)
	if f.byColumns {
		return f.failure(int(index%int64(f.datapoints)), err)
	}
	return f.failure(int(index/int64(f.neurons)), err)
}

func (f *File) failure(datapoint int, err error) error {
	if f.layer != "" {
		return fmt.Errorf("activation: %s: reading datapoint %d, datapoint %d of %s: %w", f.name, datapoint, f.before+datapoint, f.layer, err)
	}
	return fmt.Errorf("activation: %s: reading datapoint %d: %w", f.name, datapoint, err)
}
