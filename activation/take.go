package activation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/gosvcca/gosvcca/lapack"
)

// Take returns the elements of l at indices along one axis of its array: axis 0
// for datapoints; axis 1 of (n, d) for neurons, 1 or 3 of feature maps for their
// channels, and so on. They come in the order of indices, which may repeat. The
// view has l's name and storage, the shape that numpy.take gives, and a digest of
// l's, the axis and the indices. Closing it closes l.
//
// Read takes indices that follow each other, and what lies between two that are
// near, in one reading, so that ranges and sorted samples cost little more than
// their share. It needs a buffer of up to 1 MiB, or of one row of the block where
// that is larger. An axis that l does not have, and an index outside it, are a
// programmer's error.
func Take(l Layer, axis int, indices []int) Layer {
	shape := sizes(l, axis)
	if axis < 0 || axis >= len(shape) {
		panic(panicBadAxis)
	}
	for _, i := range indices {
		if i < 0 || i >= shape[axis] {
			panic(panicBadIndex)
		}
	}
	if own, ok := l.(interface {
		take(axis int, indices []int) Layer
	}); ok {
		return own.take(axis, indices)
	}
	return newTaken(l, axis, indices)
}

// sizes returns the sizes of l, datapoints first also where a file is turned, and
// the one neuron of an array of one dimension where an axis asks for it.
func sizes(l Layer, axis int) []int {
	shape := l.Shape()
	n, d := l.Dims()
	if len(shape) == 2 || len(shape) == 1 && axis == 1 {
		return []int{n, d}
	}
	return shape
}

// taken is what Take returns.
type taken struct {
	Layer   // what it is taken from
	axis    int
	indices []int
	shape   []int
	places  []int // in Layer, of each datapoint on axis 0, else of each neuron
}

func newTaken(l Layer, axis int, indices []int) *taken {
	t := &taken{Layer: l, axis: axis, indices: slices.Clone(indices), shape: sizes(l, axis)}
	if t.places = t.indices; axis > 0 {
		outer, inner := 1, 1
		for _, size := range t.shape[1:axis] {
			outer *= size
		}
		for _, size := range t.shape[axis+1:] {
			inner *= size
		}
		t.places = make([]int, 0, outer*len(indices)*inner)
		for o := range outer {
			for _, i := range indices {
				for r := range inner {
					t.places = append(t.places, (o*t.shape[axis]+i)*inner+r)
				}
			}
		}
	}
	t.shape[axis] = len(indices)
	return t
}

// take makes one of two takes along the same axis.
func (t *taken) take(axis int, indices []int) Layer {
	if axis != t.axis {
		return newTaken(t, axis, indices)
	}
	both := make([]int, len(indices))
	for i, at := range indices {
		both[i] = t.indices[at]
	}
	return Take(t.Layer, axis, both)
}

func (t *taken) Shape() []int { return slices.Clone(t.shape) }

func (t *taken) Dims() (datapoints, neurons int) {
	datapoints, neurons = t.Layer.Dims()
	if t.axis == 0 {
		return len(t.places), neurons
	}
	return datapoints, len(t.places)
}

// Digest is the SHA-256 of the layer's own, the axis and the indices.
func (t *taken) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	d, err := t.Layer.Digest(ctx)
	if err != nil {
		return d, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "gosvcca activation.Take 1: %x %d %d\n", d, t.axis, len(t.indices))
	for _, i := range t.indices {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	}
	return sum(h), nil
}

// gapped is a layer that knows how many datapoints, or neurons, between two that
// are wanted are read faster than they are skipped.
type gapped interface {
	gaps() (datapoints, neurons int)
}

func (f *File) gaps() (datapoints, neurons int) {
	if f.byColumns {
		return f.tuning.gap / f.header.element.size, 0
	}
	return gapValues / max(f.neurons, 1), gapValues
}

func (s *Shards) gaps() (datapoints, neurons int) { return s.files[0].gaps() }

func (t *taken) gaps() (datapoints, neurons int) {
	datapoints, neurons = gapsOf(t.Layer)
	if t.axis == 0 {
		return 0, neurons
	}
	return datapoints, 0
}

// gapsOf takes a layer that does not know for one of float64 in C order.
func gapsOf(l Layer) (datapoints, neurons int) {
	if g, ok := l.(gapped); ok {
		return g.gaps()
	}
	_, d := l.Dims()
	return gapValues / max(d, 1), gapValues
}

const (
	// gapValues are decoded in about the time that a file is asked once more.
	gapValues = 512
	// takeValues is what a buffer of a view holds: it is read at once.
	takeValues = 1 << 17
	// takeRows of a block are read at a time where neurons are picked from them:
	// the buffer then holds 4096 neurons.
	takeRows = 32
)

var takePool = sync.Pool{New: func() any { return new([takeValues]float64) }}

// withBuffer calls work with a matrix of any values, which nobody may keep.
func withBuffer(rows, columns int, work func(lapack.Matrix[float64]) error) error {
	if rows*columns > takeValues {
		return work(lapack.New[float64](rows, columns))
	}
	buffer := takePool.Get().(*[takeValues]float64)
	defer takePool.Put(buffer)
	return work(lapack.Of(rows, columns, buffer[:rows*columns]))
}

// Read is that of File, for a block of the view.
func (t *taken) Read(dst lapack.Matrix[float64], row, col int) error {
	n, d := t.Dims()
	checkBlock(dst, row, col, n, d)
	if dst.IsEmpty() {
		return nil
	}
	between, apart := gapsOf(t.Layer)
	if t.axis == 0 {
		wanted := t.places[row:][:dst.Rows]
		return inRuns(wanted, between, max(1, takeValues/dst.Cols), func(r run) error {
			if r.direct {
				return t.Layer.Read(dst.View(r.at(0), 0, r.count, dst.Cols), r.first, col)
			}
			return withBuffer(r.span, dst.Cols, func(block lapack.Matrix[float64]) error {
				if err := t.Layer.Read(block, r.first, col); err != nil {
					return err
				}
				for k := range r.count {
					copy(dst.Row(r.at(k)), block.Row(wanted[r.at(k)]-r.first))
				}
				return nil
			})
		})
	}
	wanted := t.places[col:][:dst.Cols]
	return inRuns(wanted, apart, takeValues/takeRows, func(r run) error {
		if r.direct {
			return t.Layer.Read(dst.View(0, r.at(0), dst.Rows, r.count), row, r.first)
		}
		return withBuffer(min(takeRows, dst.Rows), r.span, func(buffer lapack.Matrix[float64]) error {
			for top := 0; top < dst.Rows; top += takeRows {
				block := buffer.View(0, 0, min(takeRows, dst.Rows-top), r.span)
				if err := t.Layer.Read(block, row+top, r.first); err != nil {
					return err
				}
				for i := range block.Rows {
					r.pick(dst.Row(top+i), block.Row(i), wanted)
				}
			}
			return nil
		})
	})
}

// run is places to be read together: span of them from first on, of which count
// are wanted.
type run struct {
	first, span, count int
	direct             bool  // all are, once each and in their order
	begin              int   // of the run among the wanted in ascending order
	order              []int // of the wanted; nil: as they are
}

// at returns which of the wanted the k-th of the run is.
func (r run) at(k int) int {
	if r.order == nil {
		return r.begin + k
	}
	return r.order[r.begin+k]
}

// pick sets what is wanted of to from the span that begins with from.
func (r run) pick(to, from []float64, wanted []int) {
	if r.order == nil {
		to, wanted = to[r.begin:][:r.count], wanted[r.begin:][:r.count]
		for k, place := range wanted {
			to[k] = from[place-r.first]
		}
		return
	}
	for _, k := range r.order[r.begin:][:r.count] {
		to[k] = from[wanted[k]-r.first]
	}
}

// inRuns calls read for runs of the wanted places, which have no more than gap
// places between two that are wanted, and, where they are not direct, span no more
// than most.
func inRuns(wanted []int, gap, most int, read func(run) error) error {
	var order []int
	if !slices.IsSorted(wanted) {
		order = make([]int, len(wanted))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return wanted[a] - wanted[b] })
	}
	for begin := 0; begin < len(wanted); {
		r := run{begin: begin, order: order, count: 1, span: 1, direct: true}
		r.first = wanted[r.at(0)]
		for begin+r.count < len(wanted) {
			k := r.at(r.count)
			span := wanted[k] - r.first + 1
			follows := span == r.span+1 && k == r.at(r.count-1)+1
			// What goes straight to its place needs no buffer, and has no bound.
			if !(r.direct && follows) && (span > r.span+1+gap || span > most) {
				break
			}
			r.direct = r.direct && follows
			r.span, r.count = span, r.count+1
		}
		if err := read(r); err != nil {
			return err
		}
		begin += r.count
	}
	return nil
}
