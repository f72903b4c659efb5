package conv

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// sums are, for each block, the centred products of the columns of one or two layers
// side by side, and their means: Zᴴ·Z of rows that are gone.
type sums struct {
	shape  shape
	layers []summed
	n      int
	total  float64 // Σ w
	// gram holds upper triangles, mean the means of the values as they are, both in
	// units of 2^exponent of their layer.
	gram []lapack.Matrix[complex128]
	mean [][]complex128
}

// shape is what sums have to have in common to be merged, or compared.
type shape struct {
	height, width int // of the group of translations
	lowPass       bool
	blocks        []Block
}

// summed is a layer in sums.
type summed struct {
	grid
	name     string
	maps     [3]int // height, width, channels; 0, 0, neurons of a vector
	vector   bool
	storage  svcca.ValueType
	exponent int
	scaled   bool
	// apart is Σ w·‖shift − mean‖² over all blocks: what centring may have lost.
	apart float64
	// mixed: transforms and products were in float32; errors estimates, by block, the
	// norms of what that cost.
	mixed  bool
	errors []float64
	// dropped is, by column, Σ|z|² of frequencies in no block, and droppedPower its sum
	// over columns of what centring leaves (low pass).
	dropped      []float64
	droppedPower float64
	fallback     bool // to float64, where Mixed was asked for
}

// begin returns the first column of layer i in a block.
func (z *sums) begin(i, block int) int {
	at := 0
	for _, l := range z.layers[:i] {
		at += l.in(block)
	}
	return at
}

func (l *summed) in(block int) int {
	if l.vector && block > 0 {
		return 0
	}
	return l.columns
}

// of returns the products of layer i's columns with layer j's, i ≤ j; for i = j the
// upper triangle alone is set.
func (z *sums) of(block, i, j int) lapack.Matrix[complex128] {
	return z.gram[block].View(z.begin(i, block), z.begin(j, block), z.layers[i].in(block), z.layers[j].in(block))
}

// sum reads all images of the sides.
func sum(c crew.Crew, sh shape, precision svcca.Precision, sides ...*side) (*sums, error) {
	if precision == svcca.Mixed {
		return sumIn[float32, complex64](c, sh, sides...)
	}
	return sumIn[float64, complex128](c, sh, sides...)
}

func sumIn[R lapack.Real, C lapack.Complex](c crew.Crew, sh shape, sides ...*side) (*sums, error) {
	first, count := 0, min(shiftImages, sides[0].images)
	b, err := newBatch[R, C](c, len(sh.blocks), sides...)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if err := b.probe(len(sh.blocks)); err != nil {
		return nil, err
	}
	gram := make([]lapack.Matrix[complex128], len(sh.blocks))
	for at := range gram {
		width := b.of(at, 1).Cols
		gram[at] = lapack.New[complex128](width, width)
	}
	for {
		if err := start(c.Ctx, sides, first, count); err != nil {
			return nil, err
		}
		if first, count, err = b.sum(gram); err != nil {
			return nil, err
		}
		if count == 0 {
			return b.finish(sh, gram)
		}
		// Squares of these images overflow: once more, in units that are theirs.
		for _, g := range gram {
			g.Zero()
		}
		for _, p := range b.probes {
			for _, s := range p.sums {
				s.Zero()
			}
		}
	}
}

// start chooses exponents by the given images or, of a layer with nothing but zeros
// there, by the next that have others; and provisional means.
func start(ctx context.Context, sides []*side, first, count int) error {
	for waiting := true; waiting && first < sides[0].images; first += count {
		waiting = false
		for _, s := range sides {
			if err := ctx.Err(); err != nil {
				return err
			}
			largest, err := s.inspect(first, min(count, s.images-first))
			if err != nil {
				return err
			}
			s.choose(largest)
			waiting = waiting || !s.scaled
		}
	}
	for _, s := range sides {
		if err := s.provide(); err != nil {
			return err
		}
	}
	return nil
}

// sum adds up the products of all images. It ends early with the images, if any,
// whose values are finite and their squares not.
func (b *batch[R, C]) sum(gram []lapack.Matrix[complex128]) (first, count int, err error) {
	n := b.transformers[0].images
	products := make([][]C, b.Workers)
	for first := 0; first < n; first += b.rows {
		rows := min(b.rows, n-first)
		if err := b.fill(first, rows); err != nil {
			return 0, 0, err
		}
		err := b.Multiply(b.blocks, func(at, worker int) error {
			addHerk(gram[at], b.of(at, rows), &products[worker])
			for _, p := range b.probes {
				p.add(at, rows)
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		if !diagonalFinite(gram[0]) { // what is not finite is in every block
			for _, t := range b.transformers {
				if _, err := t.inspect(first, rows); err != nil {
					return 0, 0, err
				}
			}
			return first, rows, nil
		}
	}
	return 0, 0, nil
}

// addHerk adds the upper triangle of zᴴz to gram. Products in complex64, in the memory
// given, are added in complex128.
func addHerk[C lapack.Complex](gram lapack.Matrix[complex128], z lapack.Matrix[C], memory *[]C) {
	if z, ok := any(z).(lapack.Matrix[complex128]); ok {
		lapack.Herk(blas.ConjTrans, 1, z, 1, gram)
		return
	}
	if *memory == nil {
		*memory = make([]C, gram.Rows*gram.Rows)
	}
	product := lapack.Of(gram.Rows, gram.Rows, (*memory)[:gram.Rows*gram.Rows])
	lapack.Herk(blas.ConjTrans, 1, z, 0, product)
	for i := range product.Rows {
		row := gram.Row(i)[i:]
		for j, v := range product.Row(i)[i:] {
			row[j] += complex128(v)
		}
	}
}

func diagonalFinite(gram lapack.Matrix[complex128]) bool {
	for j := range gram.Rows {
		if v := gram.At(j, j); cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return false
		}
	}
	return true
}

// finish centres the products, whose first row and column are those of √w.
func (b *batch[R, C]) finish(sh shape, gram []lapack.Matrix[complex128]) (*sums, error) {
	total := real(gram[0].At(0, 0))
	z := &sums{shape: sh, n: b.transformers[0].images, total: total}
	var shifts [][][]complex128
	for _, t := range b.transformers {
		shift, err := t.means(t.shift, len(gram))
		if err != nil {
			return nil, err
		}
		shifts = append(shifts, shift)
		z.layers = append(z.layers, t.summed())
	}
	for at, g := range gram {
		rest := slices.Clone(g.Row(0)[1:])
		for j := range rest {
			rest[j] /= complex(total, 0)
		}
		for i, mean := range rest {
			row := g.Row(1 + i)[1:]
			mean = cmplx.Conj(mean) * complex(total, 0)
			for j := i; j < len(rest); j++ {
				row[j] -= mean * rest[j]
			}
		}
		var mean []complex128
		for k := range z.layers {
			l, begin := &z.layers[k], len(mean)
			for j, v := range shifts[k][at] {
				mean = append(mean, v+rest[begin+j])
				l.apart += float64(sh.blocks[at].Multiplicity) * total * squared(rest[begin+j])
			}
		}
		z.gram, z.mean = append(z.gram, g.View(1, 1, g.Rows-1, g.Rows-1)), append(z.mean, mean)
	}
	for k, p := range b.probes {
		l := &z.layers[k]
		l.mixed, l.errors = true, make([]float64, len(gram))
		for at := range gram {
			if l.in(at) > 0 {
				l.errors[at] = p.error(at, z.of(at, k, k))
			}
		}
	}
	return z, nil
}

func squared(v complex128) float64 { return real(v)*real(v) + imag(v)*imag(v) }

// summed returns what sums say of a side.
func (s *side) summed() summed {
	return summed{
		grid: s.grid, name: s.name, maps: [3]int{s.height, s.Maps.width, s.channels}, vector: s.vector,
		storage: s.storage(), exponent: s.exponent, scaled: s.scaled,
	}
}

// merge adds the images of b, which it may spoil. With δ the distance of the means
// (Chan, Golub, LeVeque 1983), G = G_z + G_b + w_z·w_b/(w_z + w_b)·δᴴδ in every block.
func (z *sums) merge(b *sums) error {
	if err := z.matches(b); err != nil {
		return err
	}
	for i := range z.layers {
		p, q := &z.layers[i], &b.layers[i]
		e := p.exponent
		if q.scaled && (!p.scaled || q.exponent > e) {
			e = q.exponent
		}
		z.rescale(i, e)
		b.rescale(i, e)
		p.scaled = p.scaled || q.scaled
		p.apart += q.apart
		for at, e := range q.errors {
			p.errors[at] += e
		}
	}
	share := b.total / (z.total + b.total)
	for at, g := range z.gram {
		delta := make([]complex128, g.Rows)
		for j := range delta {
			delta[j] = b.mean[at][j] - z.mean[at][j]
			z.mean[at][j] += complex(share, 0) * delta[j]
		}
		for i, d := range delta {
			row, other := g.Row(i), b.gram[at].Row(i)
			d = cmplx.Conj(d) * complex(z.total*share, 0)
			for j := i; j < len(row); j++ {
				row[j] += other[j] + d*delta[j]
			}
		}
	}
	z.n, z.total = z.n+b.n, z.total+b.total
	return nil
}

// matches returns an error where b sums other layers than z.
func (z *sums) matches(b *sums) error {
	if z.shape.height != b.shape.height || z.shape.width != b.shape.width || z.shape.lowPass != b.shape.lowPass || len(z.layers) != len(b.layers) {
		return fmt.Errorf("conv: sums under %d × %d and %d × %d translations: %w", z.shape.height, z.shape.width, b.shape.height, b.shape.width, svcca.ErrMismatch)
	}
	for i, l := range z.layers {
		if o := b.layers[i]; l.maps != o.maps || l.vector != o.vector || l.storage != o.storage || l.mixed != o.mixed {
			return fmt.Errorf("conv: layer %q has maps of %v in %s, and %q, to be added, %v in %s: %w", l.name, l.maps, l.storage, o.name, o.maps, o.storage, svcca.ErrMismatch)
		}
	}
	return nil
}

// rescale changes the units of layer i.
func (z *sums) rescale(i, exponent int) {
	l := &z.layers[i]
	by := l.exponent - exponent
	l.exponent = exponent
	if by == 0 || !l.scaled { // zeros have no units
		return
	}
	factor := math.Ldexp(1, by)
	l.apart *= factor * factor
	for at := range l.errors {
		l.errors[at] *= factor * factor
	}
	for at, g := range z.gram {
		begin, width := z.begin(i, at), l.in(at)
		for r := range begin + width {
			row := g.Row(r)
			if r >= begin {
				for c := r; c < len(row); c++ {
					row[c] *= complex(factor, 0)
				}
			}
			for c := max(r, begin); c < begin+width; c++ {
				row[c] *= complex(factor, 0)
			}
		}
		for j := begin; j < begin+width; j++ {
			z.mean[at][j] *= complex(factor, 0)
		}
	}
}

// clone returns a copy that shares nothing with z.
func (z *sums) clone() *sums {
	c := *z
	c.layers, c.gram, c.mean = slices.Clone(z.layers), nil, nil
	for i := range c.layers {
		c.layers[i].errors = slices.Clone(c.layers[i].errors)
	}
	for at := range z.gram {
		c.gram, c.mean = append(c.gram, z.gram[at].Clone()), append(c.mean, slices.Clone(z.mean[at]))
	}
	return &c
}
