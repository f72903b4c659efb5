package conv

import (
	"fmt"
	"math"
	"math/cmplx"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// Directions are the aligned directions of one layer, block by block, as maps from and
// to the columns of the block: (phase, channel), where a position of a map is step ·
// q + phase, and q is transformed.
type Directions struct {
	// Steps is the size of a step, in positions; channels are innermost.
	Steps    [2]int
	Channels int
	Blocks   []BlockDirections

	shape shape
}

// BlockDirections are those of one frequency. For the columns z of an image, scaled by
// 1/√|T|, (z − Mean)·Map are its coordinates, and Rho their correlations with the
// other layer's.
type BlockDirections struct {
	Block
	Rho []float64
	// Mean is what is subtracted from each column: of the maps as stored.
	Mean []complex128
	// Map is W, columns × len(Rho).
	Map lapack.Matrix[complex128]
	// Decoder is D, len(Rho) × columns: the loadings.
	Decoder lapack.Matrix[complex128]
}

// direction is W and D of a block.
type direction struct{ mapped, decoder lapack.Matrix[complex128] }

// direction returns W = V S⁻¹ P and D = Pᴴ S Vᴴ of a block, in the layer's own units.
func (r *reduced) direction(at int, p lapack.Matrix[complex128]) direction {
	d := direction{decoder: r.decoder(at, p)}
	d.mapped = lapack.New[complex128](d.decoder.Cols, p.Cols)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, r.scaledVectors(at, func(s float64) float64 { return 1 / s }), p, 0, d.mapped)
	return d
}

// decoder returns D alone.
func (r *reduced) decoder(at int, p lapack.Matrix[complex128]) lapack.Matrix[complex128] {
	scaled := r.scaledVectors(at, func(s float64) float64 { return s })
	d := lapack.New[complex128](p.Cols, scaled.Rows)
	lapack.Gemm(blas.ConjTrans, blas.ConjTrans, 1, p, scaled, 0, d)
	return d
}

// scaledVectors returns the kept right singular vectors times a factor of their singular
// values, in the layer's own units.
func (r *reduced) scaledVectors(at int, factor func(s float64) float64) lapack.Matrix[complex128] {
	scaled, s := r.vectors(at).Clone(), r.parts[at].s
	for j := range scaled.Rows {
		row := scaled.Row(j)
		for i := range row {
			row[i] *= complex(factor(math.Ldexp(s[i], r.exponent)), 0)
		}
	}
	return scaled
}

// turn makes the entry of W_x of largest magnitude real and positive, in every column;
// W_y's follows, so that ρ stays (DEFINITIONS §5).
func turn(x, y direction) {
	column := make([]complex128, x.mapped.Rows)
	for i := range x.mapped.Cols {
		var largest complex128
		size := 0.0
		for j := range column {
			column[j] = x.mapped.At(j, i)
		}
		unit := unitOf(column)
		for _, v := range column {
			if squares := squared(v * unit); squares > size {
				largest, size = v, squares
			}
		}
		if size == 0 {
			continue
		}
		phase := complex(cmplx.Abs(largest), 0) / largest
		for _, d := range []direction{x, y} {
			for j := range d.mapped.Rows {
				d.mapped.Set(j, i, d.mapped.At(j, i)*phase)
			}
			row := d.decoder.Row(i)
			for j := range row {
				row[j] *= cmplx.Conj(phase)
			}
		}
	}
}

// unitOf returns the power of two that brings the largest of values near 1, where squares
// are in float64's range.
func unitOf(values []complex128) complex128 {
	largest := 0.0
	for _, v := range values {
		largest = max(largest, math.Abs(real(v)), math.Abs(imag(v)))
	}
	_, e := math.Frexp(largest)
	return complex(math.Ldexp(1, -min(max(e, -1000), 1000)), 0)
}

// directions returns those of both layers.
func (p *pair) directions(blocks []compared, o Options) (x, y *Directions) {
	of := func(r *reduced) *Directions {
		return &Directions{Steps: [2]int{r.stepH, r.stepW}, Channels: r.channels(), shape: p.shape}
	}
	x, y = of(p.x), of(p.y)
	for at, b := range blocks {
		block := p.shape.blocks[at]
		block.KX, block.KY = p.x.parts[at].k, p.y.parts[at].k
		x.Blocks = append(x.Blocks, BlockDirections{block, b.rho, p.x.subtracted(at, o), b.x.mapped, b.x.decoder})
		y.Blocks = append(y.Blocks, BlockDirections{block, b.rho, p.y.subtracted(at, o), b.y.mapped, b.y.decoder})
	}
	return x, y
}

// channels returns how many channels a layer has.
func (l *summed) channels() int { return l.maps[2] }

// means returns a block's means in the layer's own units.
func (r *reduced) means(at int) []complex128 {
	mean := make([]complex128, len(r.mean[at]))
	for j, v := range r.mean[at] {
		mean[j] = v * complex(math.Ldexp(1, r.exponent), 0)
	}
	return mean
}

// subtracted returns what was subtracted from a block's columns.
func (r *reduced) subtracted(at int, o Options) []complex128 {
	if o.centred(at) {
		return r.means(at)
	}
	return make([]complex128, len(r.mean[at]))
}

// Filter returns the i-th directions of all blocks, counted from 0, as a spatial filter:
// the inverse transform of their maps from columns. Filter[q][r] holds the weights of the
// columns, (phase, channel), at translation (q, r). Circular correlation with it of a map
// less its means gives a map whose transform at each frequency is the coordinate along that
// frequency's i-th direction; frequencies with no i-th direction are 0.
//
// Cost: |T|²/2 products for each column. The error wraps svcca.ErrOptions: no block has an
// i-th direction, or a low pass, which leaves no filter of the maps' own size.
func (d *Directions) Filter(i int) ([][][]float64, error) {
	if d.shape.lowPass {
		return nil, fmt.Errorf("conv: a low pass has no filter of the maps' own size: %w", svcca.ErrOptions)
	}
	h, w := d.shape.height, d.shape.width
	maps, most := make([][]complex128, len(d.Blocks)), 0
	for at, b := range d.Blocks {
		most = max(most, len(b.Rho))
		if i < 0 || i >= len(b.Rho) {
			continue
		}
		for j := range b.Map.Rows {
			maps[at] = append(maps[at], b.Map.At(j, i)*complex(float64(b.Multiplicity)/float64(h*w), 0))
		}
	}
	if i < 0 || i >= most {
		return nil, fmt.Errorf("conv: direction %d of at most %d: %w", i, most, svcca.ErrOptions)
	}
	filter := make([][][]float64, h)
	for q := range filter {
		filter[q] = make([][]float64, w)
		for r := range filter[q] {
			to := make([]float64, d.Steps[0]*d.Steps[1]*d.Channels)
			for at, b := range d.Blocks {
				angle := 2 * math.Pi * (float64(b.U*q%h)/float64(h) + float64(b.V*r%w)/float64(w))
				sine, cosine := math.Sincos(angle)
				for j, v := range maps[at] {
					to[j] += real(v)*cosine + imag(v)*sine
				}
			}
			filter[q][r] = to
		}
	}
	return filter, nil
}
