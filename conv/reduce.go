package conv

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// Translations returns the group under which Between compares two layers, and under which
// Reduce makes them ready for Compare: gcd of the heights by gcd of the widths, a map's
// whole size where the other is a vector, and of a low pass how many frequencies it keeps.
func (o Options) Translations(x, y Maps) [2]int {
	sh, _ := o.shape(x, y)
	return [2]int{sh.height, sh.width}
}

// Reduce takes the SV step on a layer under translations, once for as many comparisons as
// there will be: with each layer that Compare is given under the same ones. An axis of 0 is
// moved by its whole size. Vectors are moved by none, and go with any. With LowPass, where
// translations are fewer than the size, they are the frequencies kept, an odd number.
//
// Cost, for n images, T translations and blocks of d columns: n·T·d² · 2 flops and T/2
// eigen-solves of order d, and another pass over the images with 4n·d·k flops for their
// coordinates along the K directions that are kept; where n is below d, as much as Between
// takes for that layer. Memory of the result: (n + T·d)·K/T values of 16 bytes, about, so
// that many images of large maps hold more than their files; beside it that of Between.
//
// The error names the layer and wraps svcca's ErrShape, also for translations that do not
// divide the map, and what Between's may.
func Reduce(ctx context.Context, m Maps, translations [2]int, o Options) (*Reduced, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	sh, g, err := o.alone(m, translations)
	if err != nil {
		return nil, err
	}
	w, err := roots(o.Weights, m.images)
	if err != nil {
		return nil, err
	}
	s, c := newSide(m, g, "maps", w), crew.New(ctx)
	r, err := reduceLayer(c, sh, s, o)
	if err != nil {
		return nil, err
	}
	left, err := r.coordinates(c, s, o)
	if err != nil {
		return nil, err
	}
	o.Weights = slices.Clone(o.Weights)
	out := r.result(sh, o)
	out.left = left
	if o.OffBlock > 0 && o.Weights == nil {
		out.OffBlock, err = offBlockOf(c, m, sh, g, o.OffBlock)
	}
	return out, err
}

// alone returns the blocks of a layer under translations, and how it lies under them.
func (o Options) alone(m Maps, translations [2]int) (sh shape, g grid, err error) {
	if m.vector {
		translations = [2]int{}
	}
	like, err := m.movedBy(translations)
	if o.LowPass && !m.vector {
		like, err = m.passedTo(translations)
	}
	if err != nil {
		return sh, g, err
	}
	var grids [2]grid
	if o.LowPass && (like.height != m.height || like.width != m.width) {
		sh.lowPass = true
		sh.height, sh.width, sh.blocks, grids = lowPassGrids(m, like)
	} else {
		sh.height, sh.width, sh.blocks, grids = exactGrids(m, like)
	}
	return sh, grids[0], nil
}

// passedTo returns maps with which m has so many frequencies in common.
func (m Maps) passedTo(frequencies [2]int) (like Maps, err error) {
	like = Maps{height: frequencies[0], width: frequencies[1]}
	for _, axis := range []struct {
		kept *int
		size int
	}{{&like.height, m.height}, {&like.width, m.width}} {
		if *axis.kept == 0 {
			*axis.kept = axis.size
		}
		if n := *axis.kept; n < 0 || n > axis.size || n < axis.size && n%2 == 0 {
			return like, fmt.Errorf("conv: layer %q: a low pass of maps of %d × %d to %d × %d frequencies: all of an axis expected, or an odd number of them: %w",
				nameOf(m.layer, "maps"), m.height, m.width, frequencies[0], frequencies[1], svcca.ErrShape)
		}
	}
	return like, nil
}

// reduceLayer takes the SV step on one layer, in float32 where that serves.
func reduceLayer(c crew.Crew, sh shape, s *side, o Options) (*reduced, error) {
	if o.Precision != svcca.Mixed || s.columns > s.Maps.images || farApart(s.roots) {
		return reduceAlone(c, sh, s, o)
	}
	_, r, err := reduceSums(c, sh, s, o, svcca.Mixed)
	if err != nil {
		return nil, err
	}
	if !r.serves() {
		return reduceAlone(c, sh, s, o)
	}
	return r, r.usable()
}

// coordinates returns, by block, the left singular vectors that are kept, images × k. Where
// the SV step did not give them they are U = Z·V·S⁻¹, in another pass over the images;
// Cholesky of UᴴU removes what orthogonality V had lost.
func (r *reduced) coordinates(c crew.Crew, s *side, o Options) ([]lapack.Matrix[complex128], error) {
	left := make([]lapack.Matrix[complex128], len(r.parts))
	if r.left() {
		for at := range r.parts {
			p := &r.parts[at]
			left[at] = p.u.View(0, 0, p.u.Rows, p.k).Clone()
			p.u = lapack.Matrix[complex128]{}
		}
		return left, nil
	}
	b, err := newBatch[float64, complex128](c, len(r.parts), s)
	if err != nil {
		return nil, err
	}
	defer b.close()
	shift, err := s.means(s.shift, len(r.parts))
	if err != nil {
		return nil, err
	}
	forward, offset := make([]lapack.Matrix[complex128], len(r.parts)), make([][]complex128, len(r.parts))
	for at := range r.parts {
		p := r.parts[at]
		left[at], forward[at], offset[at] = lapack.New[complex128](r.n, p.k), r.vectors(at).Clone(), make([]complex128, p.k)
		for j := range forward[at].Rows {
			row := forward[at].Row(j)
			for i := range row {
				row[i] /= complex(p.s[i], 0)
				offset[at][i] += shift[at][j] * row[i]
			}
		}
	}
	err = b.each(func(at, _, first int, z lapack.Matrix[complex128]) error {
		if r.parts[at].k == 0 {
			return nil
		}
		u := left[at].View(first, 0, z.Rows, r.parts[at].k)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, z.View(0, 1, z.Rows, s.in(at)), forward[at], 0, u)
		if o.centred(at) {
			return nil
		}
		for i := range u.Rows { // which were read less their shift
			root, row := z.At(i, 0), u.Row(i)
			for j, v := range offset[at] {
				row[j] += root * v
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	lost := make([]float64, len(left)) // by centring
	err = c.Multiply(len(left), func(at, _ int) error {
		if left[at].Cols == 0 {
			return nil
		}
		if o.centred(at) {
			lost[at] = rowError * spectrum.Epsilon * largestColumn(left[at])
			s.centre(left[at], r.total)
		}
		gram := lapack.New[complex128](left[at].Cols, left[at].Cols)
		lapack.Herk(blas.ConjTrans, 1, left[at], 0, gram)
		if err := lapack.CholeskyInPlace(gram); err != nil {
			return r.wrap(at, fmt.Errorf("directions that are kept are rounding alone: %w", svcca.ErrInaccurate))
		}
		lapack.Trsm(blas.Right, blas.Upper, blas.NoTrans, 1, gram, left[at])
		return nil
	})
	r.Bound += slices.Max(lost)
	return left, err
}

// largestColumn returns the norm of the largest column: of coordinates, 1 but for what
// centring takes out, of whose rounding they keep the share.
func largestColumn(rows lapack.Matrix[complex128]) float64 {
	squares := make([]float64, rows.Cols)
	for i := range rows.Rows {
		for j, v := range rows.Row(i) {
			squares[j] += squared(v)
		}
	}
	return math.Sqrt(slices.Max(squares))
}

// centre takes out of rows with √w, of which total is the sum of squares, their mean.
func (s *side) centre(rows lapack.Matrix[complex128], total float64) {
	mean := make([]complex128, rows.Cols)
	for i := range rows.Rows {
		root := complex(s.root(i)/total, 0)
		for j, v := range rows.Row(i) {
			mean[j] += root * v
		}
	}
	for i := range rows.Rows {
		root, row := complex(s.root(i), 0), rows.Row(i)
		for j, v := range mean {
			row[j] -= root * v
		}
	}
}

// Compare takes the CCA step between two reduced layers: what Between gives on the same
// maps under the same translations, within the two bounds. No image is read.
//
// Cost, for blocks of k and k' directions: 4n·T·k·k' flops and T/2 singular value
// decompositions of k × k', in complex arithmetic. It may be called from several goroutines.
// The error wraps svcca.ErrMismatch where the layers have not the same number of images,
// translations, centring, weights and way, svcca.ErrNoRows for a layer that Moments reduced,
// which a Pair compares, or the context's.
func Compare(ctx context.Context, x, y *Reduced) (*Result, error) { return x.compare(ctx, y, false) }

// compare is Compare, without directions if scores are all that is wanted.
func (x *Reduced) compare(ctx context.Context, y *Reduced, scores bool) (*Result, error) {
	if err := x.matches(y); err != nil {
		return nil, err
	}
	sh := x.shape
	if x.reduced.vector {
		sh = y.shape
	}
	sh.lowPass = x.shape.lowPass || y.shape.lowPass
	p := &pair{shape: sh, x: x.under(sh.blocks), y: y.under(sh.blocks), M: make([]lapack.Matrix[complex128], len(sh.blocks)), scores: scores}
	c := crew.New(ctx)
	err := c.Multiply(len(p.M), func(at, _ int) error {
		if kx, ky := p.x.parts[at].k, p.y.parts[at].k; kx > 0 && ky > 0 {
			p.M[at] = cross(x.left[at], y.left[at], kx, ky)
		} else {
			p.M[at] = lapack.New[complex128](kx, ky)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := x.Options
	o.Precision = max(o.Precision, y.Options.Precision) // Mixed, where either is
	r, err := p.result(c, o)
	if err != nil {
		return nil, err
	}
	r.OffBlockX, r.OffBlockY = x.OffBlock, y.OffBlock
	r.warnOffBlock()
	return r, nil
}

// matches returns an error where two layers cannot be compared.
func (x *Reduced) matches(y *Reduced) error {
	for _, r := range []*Reduced{x, y} {
		if r.left == nil {
			return fmt.Errorf("conv: layer %q was reduced from sums alone: a Pair can compare it: %w", r.Name, svcca.ErrNoRows)
		}
	}
	switch vector := x.reduced.vector || y.reduced.vector; {
	case x.Datapoints != y.Datapoints:
		return fmt.Errorf("conv: layers %q and %q: %d and %d images: %w", x.Name, y.Name, x.Datapoints, y.Datapoints, svcca.ErrMismatch)
	case !vector && x.Translations != y.Translations:
		return fmt.Errorf("conv: layers %q and %q: reduced under %d × %d and %d × %d translations: %w", x.Name, y.Name,
			x.Translations[0], x.Translations[1], y.Translations[0], y.Translations[1], svcca.ErrMismatch)
	case !vector && x.Options.LowPass != y.Options.LowPass:
		return fmt.Errorf("conv: layers %q and %q: one reduced by a low pass, one by strides: %w", x.Name, y.Name, svcca.ErrMismatch)
	case x.Options.Centering != y.Options.Centering || !slices.Equal(x.Options.Weights, y.Options.Weights):
		return fmt.Errorf("conv: layers %q and %q: reduced with different centring or weights: %w", x.Name, y.Name, svcca.ErrMismatch)
	}
	return nil
}

// under returns the layer with these blocks: a vector has the first alone.
func (r *Reduced) under(blocks []Block) *reduced {
	if !r.reduced.vector {
		return r.reduced
	}
	l := *r.reduced
	l.blocks = blocks
	l.parts, l.mean = make([]part, len(blocks)), make([][]complex128, len(blocks))
	copy(l.parts, r.reduced.parts)
	copy(l.mean, r.reduced.mean)
	return &l
}
