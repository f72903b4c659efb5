package conv

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// Between compares two layers of maps, or a map and a vector, over the data set made of
// all translations of every image, without making it: SVCCA in the basis of the discrete
// Fourier transform, where it falls into one small problem for each frequency
// (DEFINITIONS §5). Sizes that differ are compared by strides, exactly.
//
// Cost, for n images, T translations and blocks of d and e columns: n·T·(d + e) values
// transformed, 2n·T·(d+e)² flops, and T/2 eigen-solves of order d and e in complex
// arithmetic. Memory: T/2 blocks of (d + e)² complex values and 64 MiB of transformed
// images, whatever n is. Where n is below d or e, that layer's products are n × n.
//
// The error names the layer and wraps svcca's ErrShape, ErrStorage, ErrOptions,
// ErrMismatch, ErrNotFinite, ErrConstant, ErrRange, ErrInaccurate (where a rank tolerance
// of 0, or weights 2^48 apart, keep what is rounding alone), or what a layer's Read returned.
func Between(ctx context.Context, x, y Maps, o Options) (*Result, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	for _, m := range []Maps{x, y} {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	if x.images != y.images {
		return nil, fmt.Errorf("conv: layers %q and %q: %d and %d images: %w", nameOf(x.layer, "x"), nameOf(y.layer, "y"), x.images, y.images, svcca.ErrMismatch)
	}
	w, err := roots(o.Weights, x.images)
	if err != nil {
		return nil, err
	}
	sh, grids := o.shape(x, y)
	sx, sy := newSide(x, grids[0], "x", w), newSide(y, grids[1], "y", w)
	c := crew.New(ctx)
	p, err := pairOf(c, sh, sx, sy, o)
	if err != nil {
		return nil, err
	}
	r, err := p.result(c, o)
	if err != nil {
		return nil, err
	}
	if o.OffBlock > 0 && o.Weights == nil {
		if r.OffBlockX, err = offBlockOf(c, x, sh, grids[0], o.OffBlock); err != nil {
			return nil, err
		}
		if r.OffBlockY, err = offBlockOf(c, y, sh, grids[1], o.OffBlock); err != nil {
			return nil, err
		}
		r.warnOffBlock()
	}
	return r, nil
}

// shape returns the blocks of two layers, and how either lies under the translations.
func (o Options) shape(x, y Maps) (sh shape, grids [2]grid) {
	if o.LowPass && !x.vector && !y.vector && (x.height != y.height || x.width != y.width) {
		sh.lowPass = true
		sh.height, sh.width, sh.blocks, grids = lowPassGrids(x, y)
		return sh, grids
	}
	sh.height, sh.width, sh.blocks, grids = exactGrids(x, y)
	return sh, grids
}

// pair is two reduced layers and M of each block.
type pair struct {
	shape     shape
	x, y      *reduced
	M         []lapack.Matrix[complex128]
	precision svcca.Precision // of the products for M
	scores    bool            // without directions
}

// pairOf reduces both layers by the method that serves.
func pairOf(c crew.Crew, sh shape, x, y *side, o Options) (*pair, error) {
	if x.columns > x.Maps.images || y.columns > x.Maps.images {
		return pairOfImages(c, sh, x, y, o)
	}
	if o.Precision == svcca.Mixed && farApart(x.roots) {
		return pairInDouble(c, sh, x, y, o)
	}
	z, err := sum(c, sh, o.Precision, x, y)
	if err != nil {
		return nil, err
	}
	if sh.lowPass {
		for i, s := range []*side{x, y} {
			if err := s.dropped(c, &z.layers[i], o); err != nil {
				return nil, err
			}
		}
	}
	p, err := z.pair(c, o)
	if err != nil {
		return nil, err
	}
	if o.Precision == svcca.Mixed {
		if p.x.serves() && p.y.serves() {
			return p, p.usable()
		}
		return pairInDouble(c, sh, x, y, o)
	}
	if accuracy := spectrum.LayerAccuracy(o.Accuracy); p.x.certain(accuracy) && p.y.certain(accuracy) {
		return p, p.usable()
	}
	return pairOfTriangles(c, z, x, y, o)
}

// pairInDouble is pairOf where float32 does not serve.
func pairInDouble(c crew.Crew, sh shape, x, y *side, o Options) (*pair, error) {
	o.Precision = svcca.Double
	p, err := pairOf(c, sh, x, y, o)
	if err == nil {
		p.x.fallback, p.y.fallback = true, true
	}
	return p, err
}

// serves reports whether what float32 left of a layer tells anything of ρ.
func (r *reduced) serves() bool { return r.KSure && r.Bound < 1 }

// farApart reports whether images weigh so differently that in float32 some drown the
// others: what that costs a few probes may miss.
func farApart(roots []float64) bool {
	const digits = 1 << 24
	return roots != nil && slices.Max(roots) > digits*slices.Min(roots)
}

func (p *pair) usable() error {
	if err := p.x.usable(); err != nil {
		return err
	}
	return p.y.usable()
}

// pair reduces both layers of the sums. M = S_x⁻¹V_xᴴ·Z_xᴴZ_y·V_yS_y⁻¹.
func (z *sums) pair(c crew.Crew, o Options) (p *pair, err error) {
	p = &pair{shape: z.shape, precision: z.precision(), M: make([]lapack.Matrix[complex128], len(z.gram))}
	if p.x, err = z.reduce(c, 0, o); err != nil {
		return nil, err
	}
	if p.y, err = z.reduce(c, 1, o); err != nil {
		return nil, err
	}
	return p, c.Multiply(len(p.M), func(at, _ int) error {
		kx, ky := p.x.parts[at].k, p.y.parts[at].k
		p.M[at] = lapack.New[complex128](kx, ky)
		if kx == 0 || ky == 0 {
			return nil
		}
		products := z.of(at, 0, 1)
		if !o.centred(at) {
			products = z.crossWithMean(at)
		}
		half := lapack.New[complex128](kx, products.Cols)
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, p.x.vectors(at), products, 0, half)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, half, p.y.vectors(at), 0, p.M[at])
		divide(p.M[at], p.x.parts[at].s, p.y.parts[at].s)
		return nil
	})
}

// divide divides the rows and columns of M by singular values, where there are any.
func divide(M lapack.Matrix[complex128], rows, columns []float64) {
	for i := range M.Rows {
		row := M.Row(i)
		for j := range row {
			by := 1.0
			if rows != nil {
				by *= rows[i]
			}
			if columns != nil {
				by *= columns[j]
			}
			row[j] /= complex(by, 0)
		}
	}
}

// crossWithMean returns the products of both layers' columns as they were before
// centring.
func (z *sums) crossWithMean(at int) lapack.Matrix[complex128] {
	g := z.of(at, 0, 1).Clone()
	x, y := z.mean[at][:g.Rows], z.mean[at][g.Rows:]
	for i, m := range x {
		row := g.Row(i)
		m = complex(real(m)*z.total, -imag(m)*z.total)
		for j := range row {
			row[j] += m * y[j]
		}
	}
	return g
}

// pairOfTriangles is pairOf at a finer error: see triangles.
func pairOfTriangles(c crew.Crew, z *sums, x, y *side, o Options) (*pair, error) {
	t, err := factor(c, z, x, y)
	if err != nil {
		return nil, err
	}
	p := &pair{shape: z.shape, M: make([]lapack.Matrix[complex128], len(z.gram))}
	var left [2][]lapack.Matrix[complex128]
	if p.x, left[0], err = t.reduce(0, o); err != nil {
		return nil, err
	}
	if p.y, left[1], err = t.reduce(1, o); err != nil {
		return nil, err
	}
	for at := range p.M {
		p.M[at] = cross(left[0][at], left[1][at], p.x.parts[at].k, p.y.parts[at].k)
	}
	return p, p.usable()
}

// pairOfImages is pairOf where a layer's blocks have more columns than there are images.
func pairOfImages(c crew.Crew, sh shape, x, y *side, o Options) (*pair, error) {
	p := &pair{shape: sh, M: make([]lapack.Matrix[complex128], len(sh.blocks))}
	var err error
	if p.x, err = reduceAlone(c, sh, x, o); err != nil {
		return nil, err
	}
	if p.y, err = reduceAlone(c, sh, y, o); err != nil {
		return nil, err
	}
	switch {
	case p.x.left() && p.y.left():
		err = c.Multiply(len(p.M), func(at, _ int) error {
			p.M[at] = cross(p.x.parts[at].u, p.y.parts[at].u, p.x.parts[at].k, p.y.parts[at].k)
			return nil
		})
	case p.x.left():
		// Mᴴ = S_y⁻¹V_yᴴ · Z_yᴴU_x
		var M []lapack.Matrix[complex128]
		M, err = crossing(c, y, p.y, p.x, o)
		for at := range M {
			p.M[at] = lapack.New[complex128](M[at].Cols, M[at].Rows)
			conjTranspose(p.M[at], M[at])
		}
	default:
		p.M, err = crossing(c, x, p.x, p.y, o)
	}
	return p, err
}

// left reports whether left singular vectors are known.
func (r *reduced) left() bool { return r.columns > r.n }

// reduceSums sums a layer in a precision, and takes the SV step on that.
func reduceSums(c crew.Crew, sh shape, s *side, o Options, precision svcca.Precision) (*sums, *reduced, error) {
	z, err := sum(c, sh, precision, s)
	if err != nil {
		return nil, nil, err
	}
	if sh.lowPass {
		if err := s.dropped(c, &z.layers[0], o); err != nil {
			return nil, nil, err
		}
	}
	r, err := z.reduce(c, 0, o)
	return z, r, err
}

// reduceAlone takes the SV step on one layer.
func reduceAlone(c crew.Crew, sh shape, s *side, o Options) (*reduced, error) {
	accuracy := spectrum.LayerAccuracy(o.Accuracy)
	if s.columns > s.Maps.images {
		r, err := reduceImages(c, s, sh.blocks, o, accuracy)
		if err == nil {
			r.fallback = o.Precision == svcca.Mixed
		}
		return r, err
	}
	z, r, err := reduceSums(c, sh, s, o, svcca.Double)
	if err != nil {
		return nil, err
	}
	if !r.certain(accuracy) {
		t, err := factor(c, z, s)
		if err != nil {
			return nil, err
		}
		if r, _, err = t.reduce(0, o); err != nil {
			return nil, err
		}
	}
	r.fallback = o.Precision == svcca.Mixed
	return r, r.usable()
}

// crossing returns M = S_x⁻¹V_xᴴ · Z_xᴴU_y in another pass over the images of x, where
// left singular vectors of y are known.
func crossing(c crew.Crew, s *side, x, y *reduced, o Options) ([]lapack.Matrix[complex128], error) {
	blocks := len(x.blocks)
	b, err := newBatch[float64, complex128](c, blocks, s)
	if err != nil {
		return nil, err
	}
	defer b.close()
	products := make([]lapack.Matrix[complex128], blocks) // of √w and Z_x with U_y
	for at := range products {
		products[at] = lapack.New[complex128](1+s.in(at), y.parts[at].k)
	}
	err = b.each(func(at, _, first int, z lapack.Matrix[complex128]) error {
		if p := y.parts[at]; p.k > 0 {
			lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, z, p.u.View(first, 0, z.Rows, p.k), 1, products[at])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	shift, err := s.means(s.shift, blocks)
	if err != nil {
		return nil, err
	}
	M := make([]lapack.Matrix[complex128], blocks)
	return M, c.Multiply(blocks, func(at, _ int) error {
		kx, ky := x.parts[at].k, y.parts[at].k
		M[at] = lapack.New[complex128](kx, ky)
		if kx == 0 || ky == 0 {
			return nil
		}
		// Rows are those less shift: what centring takes, or brings back.
		along, z := products[at].Row(0), products[at].View(1, 0, s.in(at), ky)
		for j := range z.Rows {
			by := shift[at][j]
			if o.centred(at) {
				by -= x.mean[at][j]
			}
			by = complex(real(by), -imag(by))
			row := z.Row(j)
			for i, v := range along {
				row[i] += by * v
			}
		}
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, x.vectors(at), z, 0, M[at])
		divide(M[at], x.parts[at].s, nil)
		return nil
	})
}
