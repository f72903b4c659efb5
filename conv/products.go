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

// surveyed returns layer i with what is known of its columns before any decomposition.
// add adds Σ|z|² of a block's columns, as the options centre them, to power.
func (z *sums) surveyed(i int, method svcca.Method, o Options, add func(at int, power []float64)) *reduced {
	l := z.layers[i]
	r := &reduced{summed: l, n: z.n, total: z.total, blocks: z.shape.blocks, method: method, parts: make([]part, len(z.gram))}
	power, size := make([]float64, l.columns), make([]float64, l.columns)
	for at, b := range z.shape.blocks {
		mean, count := z.mean[at][z.begin(i, at):][:l.in(at)], float64(b.Multiplicity)
		r.mean = append(r.mean, mean)
		of := make([]float64, len(mean))
		add(at, of)
		for j, p := range of {
			power[j] += count * p
			size[j] += count * p
			if o.centred(at) {
				size[j] += count * z.total * squared(mean[j])
			}
		}
	}
	r.survey(power, size, o)
	return r
}

// reduce takes the SV step on layer i of the sums.
func (z *sums) reduce(c crew.Crew, i int, o Options) (*reduced, error) {
	grams := make([]lapack.Matrix[complex128], len(z.gram))
	r := z.surveyed(i, svcca.MethodMoments, o, func(at int, power []float64) {
		grams[at] = z.of(at, i, i)
		if !o.centred(at) {
			begin := z.begin(i, at)
			grams[at] = withMean(grams[at], z.mean[at][begin:][:len(power)], z.total)
		}
		for j := range power {
			power[j] = max(0, real(grams[at].At(j, j)))
		}
	})
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
