package conv

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// compact returns the rows and columns of a layer's own products that vary.
func compact(gram lapack.Matrix[complex128], active []int) lapack.Matrix[complex128] {
	g := lapack.New[complex128](len(active), len(active))
	for r, j := range active {
		for c, k := range active[r:] {
			g.Set(r, r+c, gram.At(j, k))
		}
	}
	return g
}

// reduce takes the SV step on layer i of the sums.
func (z *sums) reduce(c crew.Crew, i int, o Options) (*reduced, error) {
	l := z.layers[i]
	r := &reduced{summed: l, n: z.n, total: z.total, blocks: z.shape.blocks, method: svcca.MethodMoments}
	grams := make([]lapack.Matrix[complex128], len(z.gram))
	power, size := make([]float64, l.columns), make([]float64, l.columns)
	for at, b := range z.shape.blocks {
		begin, width := z.begin(i, at), l.in(at)
		mean, count := z.mean[at][begin:][:width], float64(b.Multiplicity)
		r.mean = append(r.mean, mean)
		gram := z.of(at, i, i)
		if !o.centred(at) {
			gram = withMean(gram, mean, z.total)
		}
		grams[at] = gram
		for j := range width {
			p := max(0, real(gram.At(j, j)))
			power[j] += count * p
			size[j] += count * p
			if o.centred(at) {
				size[j] += count * z.total * squared(mean[j])
			}
		}
	}
	for j, s := range l.dropped {
		size[j] += s
	}
	unit, _ := l.storage.Noise()
	r.survey(power, size, unit)
	r.setNoise(o)
	r.parts = make([]part, len(grams))
	if err := r.decompose(c, func(at int) lapack.Matrix[complex128] { return compact(grams[at], r.active) }); err != nil {
		return nil, err
	}
	needed := r.boundAlong()
	err := c.Multiply(len(r.parts), func(at, _ int) error {
		p := &r.parts[at]
		v, err := r.leading(at, min(needed[at], len(r.active)))
		for i := range v.Cols {
			p.along[i] = r.rmsAlong(v, i)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	r.cut(o)
	return r, c.Multiply(len(r.parts), func(at, _ int) (err error) {
		p := &r.parts[at]
		p.v, err = r.leading(at, p.k)
		p.eigen = nil
		return err
	})
}

// leading returns the first count singular vectors of a block that were found from
// products: right ones of columns, left ones of images.
func (r *reduced) leading(at, count int) (lapack.Matrix[complex128], error) {
	p := &r.parts[at]
	if count == 0 {
		return lapack.Matrix[complex128]{}, nil
	}
	v, err := p.eigen.VectorsTo(lapack.Matrix[complex128]{}, count)
	if err != nil {
		err = r.wrap(at, err)
	}
	return v, err
}

// wrap returns err with the layer's name and the block before it.
func (r *reduced) wrap(at int, err error) error {
	return fmt.Errorf("conv: layer %q: block (%d, %d): %w", r.name, r.blocks[at].U, r.blocks[at].V, err)
}

// decompose sets the singular values of all blocks from their products: of columns, or of
// images. It spoils the products.
func (r *reduced) decompose(c crew.Crew, products func(at int) lapack.Matrix[complex128]) error {
	err := c.Multiply(len(r.parts), func(at, _ int) error {
		if r.in(at) == 0 {
			return nil
		}
		gram, p := products(at), &r.parts[at]
		p.eigen = new(lapack.LeadingEigen[complex128])
		if err := p.eigen.FactorizeInPlace(gram); err != nil {
			return r.wrap(at, err)
		}
		p.s = make([]float64, min(r.n, r.columns))
		for i, v := range p.eigen.Values()[:r.most[at]] {
			p.s[i] = math.Sqrt(max(0, v))
		}
		return nil
	})
	r.Squared = true
	r.setLoss()
	return err
}

// withMean returns centred products as they were before centring.
func withMean(gram lapack.Matrix[complex128], mean []complex128, total float64) lapack.Matrix[complex128] {
	g := gram.Clone()
	for i, m := range mean {
		row := g.Row(i)
		m = complex(real(m)*total, -imag(m)*total)
		for j := i; j < len(row); j++ {
			row[j] += m * mean[j]
		}
	}
	return g
}
