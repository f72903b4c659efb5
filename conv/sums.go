package conv

import (
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
	// rest is the means less the transform of their shift, of which sums are exact.
	rest [][]complex128
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
	maps     [3]int // height, width, channels; 1, 1, neurons of a vector
	vector   bool
	storage  svcca.ValueType
	steps    []float64 // of int8, by channel
	exponent int
	scaled   bool
	// shift is what was subtracted from the values of every image, positions × channels
	// whatever their layout.
	shift []float64
	// apart is, by block, Σ w·‖shift − mean‖²: what centring may have lost.
	apart []float64
	// mixed: transforms and products were in float32; errors and traces estimate, by
	// block, the norm and the trace of what that cost.
	mixed          bool
	errors, traces []float64
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
	if precision != svcca.Mixed {
		return sumIn[float64, complex128](c, sh, sides...)
	}
	// Weights far from 1 would leave float32.
	roots := sides[0].roots
	defer func() {
		for _, s := range sides {
			s.roots = roots
		}
	}()
	exponent := 0
	if roots != nil {
		_, exponent = math.Frexp(slices.Max(roots))
		near := make([]float64, len(roots))
		for i, r := range roots {
			near[i] = math.Ldexp(r, -exponent)
		}
		for _, s := range sides {
			s.roots = near
		}
	}
	z, err := sumIn[float32, complex64](c, sh, sides...)
	if err == nil {
		z.reweigh(exponent)
	}
	return z, err
}

// reweigh multiplies what √w enters by 2^exponent.
func (z *sums) reweigh(exponent int) {
	if exponent == 0 {
		return
	}
	factor := math.Ldexp(1, 2*exponent)
	z.total *= factor
	for _, g := range z.gram {
		for i := range g.Rows {
			row := g.Row(i)
			for j := range row {
				row[j] *= complex(factor, 0)
			}
		}
	}
	for i := range z.layers {
		z.layers[i].scaleErrors(factor)
	}
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
		if err := start(c, sides, first, count); err != nil {
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
func start(c crew.Crew, sides []*side, first, count int) error {
	for waiting := true; waiting && first < sides[0].images; first += count {
		waiting = false
		for _, s := range sides {
			largest, err := s.inspectAll(c, first, min(count, s.images-first))
			if err != nil {
				return err
			}
			s.choose(largest)
			waiting = waiting || !s.scaled
		}
	}
	return c.Run(len(sides), func(i, _ int) error { return sides[i].provide() })
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
		if !diagonalsFinite(gram) {
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

// diagonalsFinite looks at every block: a value that is not finite is in all of them, but
// squares may overflow in any.
func diagonalsFinite(gram []lapack.Matrix[complex128]) bool {
	for _, g := range gram {
		for j := range g.Rows {
			if v := g.At(j, j); cmplx.IsNaN(v) || cmplx.IsInf(v) {
				return false
			}
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
		l := t.summed()
		l.apart = make([]float64, len(gram))
		z.layers = append(z.layers, l)
	}
	z.mean, z.rest = make([][]complex128, len(gram)), make([][]complex128, len(gram))
	for k := range b.probes {
		l := &z.layers[k]
		l.mixed, l.errors, l.traces = true, make([]float64, len(gram)), make([]float64, len(gram))
	}
	err := b.Run(len(gram), func(at, _ int) error {
		g := gram[at]
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
		z.rest[at] = rest
		for k := range z.layers {
			for _, v := range shifts[k][at] {
				z.mean[at] = append(z.mean[at], v+rest[len(z.mean[at])])
			}
		}
		gram[at] = g.View(1, 1, g.Rows-1, g.Rows-1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	z.gram = gram
	err = b.Run(len(gram), func(at, _ int) error {
		for k, p := range b.probes {
			if l := &z.layers[k]; l.in(at) > 0 {
				l.errors[at], l.traces[at] = p.errors(at, z.of(at, k, k))
			}
		}
		return nil
	})
	for at := range gram {
		for k := range z.layers {
			l := &z.layers[k]
			for _, v := range z.rest[at][z.begin(k, at):][:l.in(at)] {
				l.apart[at] += total * squared(v)
			}
		}
	}
	return z, err
}

func squared(v complex128) float64 { return real(v)*real(v) + imag(v)*imag(v) }

// summed returns what sums say of a side.
func (s *side) summed() summed {
	return summed{
		grid: s.grid, name: s.name, maps: [3]int{s.height, s.Maps.width, s.channels}, vector: s.vector,
		storage: s.storage(), steps: s.steps(), exponent: s.exponent, scaled: s.scaled, shift: s.canonical(s.shift),
	}
}
