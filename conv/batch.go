package conv

import (
	"sync"

	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
)

// batch holds, for each block, the rows of some images: √w, then the columns of the
// layers. It is all that is ever transformed at once.
type batch[R lapack.Real, C lapack.Complex] struct {
	crew.Crew
	transformers []transformer[R, C]
	blocks       int
	rows         int // most
	// values hold rows that are stride apart, of one block after another: in the order of
	// the half spectrum where the layers' are transformed right to their places.
	values []C
	stride int
	direct bool
	places int
	probes []*probes // by layer, where C is complex64
	// By worker: an image as it was read, in the type to transform, and transformed.
	images  [][]float64
	reals   [][]R
	spectra [][]C
}

const (
	// batchBytes bounds the rows of a batch, batchRows their number: from there on
	// products reach the speed they have.
	batchBytes = 64 << 20
	batchRows  = 256
	// fewRows is how many a batch has even where that takes more memory.
	fewRows = 16
)

// newBatch prepares for images of the sides in so many blocks.
func newBatch[R lapack.Real, C lapack.Complex](c crew.Crew, blocks int, sides ...*side) (*batch[R, C], error) {
	columns := 1
	for _, s := range sides {
		columns += s.columns
	}
	rows := min(max(batchBytes/(16*columns*blocks), fewRows), batchRows, sides[0].images)
	return newBatchOf[R, C](c, rows, blocks, sides...)
}

// lead is how many values of a row lie before the columns of the layers: √w is the last.
// It leaves columns where the transforms' vector instructions want them.
const lead = 2

// newBatchOf is newBatch for so many images at once.
func newBatchOf[R lapack.Real, C lapack.Complex](c crew.Crew, rows, blocks int, sides ...*side) (*batch[R, C], error) {
	b := &batch[R, C]{Crew: c, blocks: blocks, rows: rows, places: blocks, stride: lead}
	first := sides[0]
	b.direct = true
	for _, s := range sides {
		b.stride += s.columns
		b.direct = b.direct && !s.vector && s.lengthH == first.lengthH && s.lengthW == first.lengthW
	}
	if b.direct {
		b.places = first.spectrum()
	}
	b.stride = (b.stride+7)&^7 | 4 // rows a power of two apart would compete for lines of a cache
	b.values = borrow[C](b.rows * b.stride * b.places)
	spectrum, size := 0, 0
	for _, s := range sides {
		columns := b.rows * b.stride
		if !b.direct {
			columns = s.columns
			spectrum = max(spectrum, s.spectrum()*s.columns)
		}
		t, err := newTransformer[R, C](s, (s.lengthW/2+1)*columns, columns)
		if err != nil {
			b.close()
			return nil, err
		}
		b.transformers = append(b.transformers, t)
		size = max(size, s.size())
	}
	for range c.Workers {
		b.images = append(b.images, make([]float64, size))
		if single[C]() {
			b.reals = append(b.reals, make([]R, size))
		} else {
			b.reals = append(b.reals, nil)
		}
		b.spectra = append(b.spectra, make([]C, spectrum))
	}
	return b, nil
}

// probe makes the batch measure what float32 loses, if it is of float32.
func (b *batch[R, C]) probe(blocks int) error {
	if !single[C]() {
		return nil
	}
	for _, t := range b.transformers {
		p, err := newProbes(b.Crew, t.side, b.rows, blocks)
		if err != nil {
			return err
		}
		b.probes = append(b.probes, p)
	}
	return nil
}

// Memory of batches, by type: calls of equal shapes, one after another, find theirs ready.
var batches64, batches128 sync.Pool

func pool[C lapack.Complex]() *sync.Pool {
	if single[C]() {
		return &batches64
	}
	return &batches128
}

// single reports whether C is complex64.
func single[C lapack.Complex]() bool {
	_, ok := any(*new(C)).(complex64)
	return ok
}

// borrow returns n values, whatever was there.
func borrow[C lapack.Complex](n int) []C {
	if values, ok := pool[C]().Get().(*[]C); ok && cap(*values) >= n {
		return (*values)[:n]
	}
	return make([]C, n)
}

func (b *batch[R, C]) close() {
	pool[C]().Put(&b.values)
	for _, t := range b.transformers {
		t.close()
	}
	for _, p := range b.probes {
		p.plan.Close()
	}
}

// of returns the first rows of a block.
func (b *batch[R, C]) of(block, rows int) lapack.Matrix[C] {
	width := 1
	for _, t := range b.transformers {
		width += t.in(block)
	}
	at := b.place(block) * b.rows * b.stride
	m := lapack.Matrix[C]{Rows: b.rows, Cols: b.stride, Stride: b.stride, Data: b.values[at : at+b.rows*b.stride]}
	return m.View(0, lead-1, rows, width)
}

// place returns where a block lies among the values.
func (b *batch[R, C]) place(block int) int {
	if b.direct {
		return b.transformers[0].at[block]
	}
	return block
}

// row returns the i-th row of a block, what comes before √w included.
func (b *batch[R, C]) row(block, i int) []C {
	at := (b.place(block)*b.rows + i) * b.stride
	return b.values[at : at+b.stride]
}

// fill reads and transforms the images from first on.
func (b *batch[R, C]) fill(first, rows int) error {
	return b.Run(rows, func(i, worker int) error {
		root := C(complex(b.transformers[0].root(first+i), 0))
		for at := range b.blocks {
			b.row(at, i)[lead-1] = root
		}
		begin := [2]int{lead, lead} // in block (0, 0), in others
		for k, t := range b.transformers {
			image := b.images[worker][:t.size()]
			if err := t.read(image, first+i); err != nil {
				return err
			}
			if b.probes != nil {
				b.probes[k].fill(i, worker, image, t.root(first+i))
			}
			reals := narrow(image, b.reals[worker])
			if b.direct {
				t.to(b.values[i*b.stride+begin[0]:], reals)
			} else {
				spectrum := b.spectra[worker]
				t.to(spectrum, reals)
				for at := range b.blocks {
					copy(b.row(at, i)[begin[min(at, 1)]:], spectrum[t.place(at):][:t.in(at)])
				}
			}
			begin[0], begin[1] = begin[0]+t.in(0), begin[1]+t.in(1)
		}
		return nil
	})
}

// each calls visit for every block of every batch of images, of which the first is first:
// with its rows, √w before the columns.
func (b *batch[R, C]) each(visit func(at, worker, first int, z lapack.Matrix[C]) error) error {
	n := b.transformers[0].images
	for first := 0; first < n; first += b.rows {
		rows := min(b.rows, n-first)
		if err := b.fill(first, rows); err != nil {
			return err
		}
		err := b.Multiply(b.blocks, func(at, worker int) error {
			return visit(at, worker, first, b.of(at, rows))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// narrow returns values as R, in the memory given where that is another type.
func narrow[R lapack.Real](values []float64, memory []R) []R {
	if same, ok := any(values).([]R); ok {
		return same
	}
	memory = memory[:len(values)]
	convert.To(memory, values)
	return memory
}
