package conv

import (
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
	values       []C
	stride       int
	probes       []*probes // by layer, where C is complex64
	// By worker: an image as it was read, in the type to transform, and transformed.
	images  [][]float64
	reals   [][]R
	spectra [][]C
}

const (
	// batchBytes bounds the rows of a batch, batchRows their number: from there on
	// products reach the speed they have.
	batchBytes = 64 << 20
	batchRows  = 128
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

// newBatchOf is newBatch for so many images at once.
func newBatchOf[R lapack.Real, C lapack.Complex](c crew.Crew, rows, blocks int, sides ...*side) (*batch[R, C], error) {
	b := &batch[R, C]{Crew: c, blocks: blocks, rows: rows, stride: 1}
	spectrum, size := 0, 0
	for _, s := range sides {
		t, err := newTransformer[R, C](s)
		if err != nil {
			b.close()
			return nil, err
		}
		b.transformers = append(b.transformers, t)
		b.stride += s.columns
		spectrum, size = max(spectrum, s.spectrum()*s.columns), max(size, s.size())
	}
	b.stride = (b.stride+7)&^7 | 4 // rows a power of two apart would compete for lines of a cache
	b.values = make([]C, b.rows*b.stride*blocks)
	for range c.Workers {
		b.images = append(b.images, make([]float64, size))
		b.reals = append(b.reals, make([]R, size))
		b.spectra = append(b.spectra, make([]C, spectrum))
	}
	return b, nil
}

// probe makes the batch measure what float32 loses, if it is of float32.
func (b *batch[R, C]) probe(blocks int) error {
	if _, single := any(b.values).([]complex64); !single {
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

func (b *batch[R, C]) close() {
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
	at := block * b.rows * b.stride
	m := lapack.Matrix[C]{Rows: b.rows, Cols: b.stride, Stride: b.stride, Data: b.values[at : at+b.rows*b.stride]}
	return m.View(0, 0, rows, width)
}

// fill reads and transforms the images from first on.
func (b *batch[R, C]) fill(first, rows int) error {
	return b.Run(rows, func(i, worker int) error {
		root := C(complex(b.transformers[0].root(first+i), 0))
		for at := range b.blocks {
			b.row(at, i)[0] = root
		}
		begin := [2]int{1, 1} // in block (0, 0), in others
		for k, t := range b.transformers {
			image, reals := b.images[worker][:t.size()], b.reals[worker][:t.size()]
			if err := t.read(image, first+i); err != nil {
				return err
			}
			if b.probes != nil {
				b.probes[k].fill(i, worker, image, t.root(first+i))
			}
			for j, v := range image {
				reals[j] = R(v)
			}
			spectrum := b.spectra[worker]
			t.to(spectrum, reals)
			for at := range b.blocks {
				width := t.in(at)
				copy(b.row(at, i)[begin[min(at, 1)]:], spectrum[t.place(at):][:width])
			}
			begin[0], begin[1] = begin[0]+t.in(0), begin[1]+t.in(1)
		}
		return nil
	})
}

func (b *batch[R, C]) row(block, i int) []C {
	at := (block*b.rows + i) * b.stride
	return b.values[at : at+b.stride]
}
