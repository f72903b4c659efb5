package conv

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// OffBlock tells how far a layer's maps are from what translations suppose: that every
// image occurs in all positions alike (DEFINITIONS §5).
type OffBlock struct {
	// Share is the part of ‖covariance‖² between different frequencies, which the data
	// set of all translations has not: 0 if the data were invariant, and estimated
	// without bias, so that a value near 0 may be negative.
	Share float64 `json:"share"`
	Error float64 `json:"error"` // of Share: the jackknife's
	// MeanShare is the part of the variance, with the mean of block (0, 0) alone taken
	// out, that is a fixed pattern over positions.
	MeanShare float64 `json:"mean_share"`
	MeanError float64 `json:"mean_error"`
	// Images is from how many images.
	Images int `json:"images"`
}

// fewestImages is how many images the estimate takes at least.
const fewestImages = 5

// offBlockOf estimates the off-block energy and mean share of m under translations,
// from at most images images, evenly spaced. It is nil for vectors, for fewer than 5 images
// and where nothing is left but for one image.
func offBlockOf(c crew.Crew, m Maps, sh shape, g grid, images int) (*OffBlock, error) {
	n := min(m.images, images)
	if m.vector || sh.lowPass || n < fewestImages {
		return nil, nil
	}
	e := &energy{Crew: c, side: newSide(m.sample(n), g, "maps", nil), shape: sh, n: n}
	if err := e.centre(); err != nil {
		return nil, err
	}
	e.parts = make([]*pairSums, len(sh.blocks))
	for at := range e.parts {
		e.parts[at] = newPairSums(n)
	}
	run := e.byColumns
	if n <= g.columns {
		run = e.byImages
	}
	if err := run(); err != nil {
		return nil, err
	}
	whole, err := e.whole()
	if err != nil {
		return nil, err
	}
	return e.estimate(whole), nil
}

// energy estimates off-block energy.
type energy struct {
	crew.Crew
	*side
	shape shape
	n     int
	means [][]complex128 // by block, of the images as they are
	parts []*pairSums
}

// centre sets the shift to the images' mean, so that what is read is centred.
func (e *energy) centre() error {
	if err := start(e.Crew, []*side{e.side}, 0, e.n); err != nil {
		return err
	}
	provisional := e.shift
	sum, image := make([]float64, e.size()), make([]float64, e.size())
	scale := math.Sqrt(float64(e.lengthH * e.lengthW))
	for i := range e.n {
		if err := e.Ctx.Err(); err != nil {
			return err
		}
		if err := e.read(image, i); err != nil {
			return err
		}
		floats.AddScaled(sum, scale/float64(e.n), image)
	}
	e.shift = floats.AddTo(make([]float64, len(sum)), provisional, sum)
	var err error
	e.means, err = e.side.means(e.shift, len(e.shape.blocks))
	return err
}

// byColumns serves more images than columns: with C = ZᴴZ, P = ZᵀZ and z·C·zᴴ,
// Re z·P̄·zᵀ nothing is n × n. Two passes.
func (e *energy) byColumns() error {
	d, blocks := e.columns, len(e.shape.blocks)
	b, err := newBatch[float64, complex128](e.Crew, blocks, e.side)
	if err != nil {
		return err
	}
	defer b.close()
	products := make([][2]lapack.Matrix[complex128], blocks)
	weighted := make([][]complex128, blocks) // Σ_j g_j z_j
	for at := range products {
		products[at] = [2]lapack.Matrix[complex128]{lapack.New[complex128](d, d), lapack.New[complex128](d, d)}
		weighted[at] = make([]complex128, d)
	}
	err = b.each(func(at, _, first int, z lapack.Matrix[complex128]) error {
		z = z.View(0, 1, z.Rows, d)
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, z, z, 1, products[at][0])
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, z, z, 1, products[at][1])
		s := e.parts[at]
		for i := range z.Rows {
			for j, v := range z.Row(i) {
				s.g[first+i] += squared(v)
				x := v + e.means[at][j]
				s.size[first+i] += squared(x)
				s.along[first+i] += float64(e.n) * dot(x, e.means[at][j])
			}
			for j, v := range z.Row(i) {
				weighted[at][j] += complex(s.g[first+i], 0) * v
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.each(func(at, _, first int, z lapack.Matrix[complex128]) error {
		z = z.View(0, 1, z.Rows, d)
		s := e.parts[at]
		mapped := lapack.New[complex128](z.Rows, d)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, z, products[at][0], 0, mapped)
		for i := range z.Rows {
			g := s.g[first+i]
			for j, v := range z.Row(i) {
				half := dot(mapped.At(i, j), v) / 2
				s.a[first+i] += half
				s.b[first+i] += half
				s.w[first+i] += dot(v, weighted[at][j])
			}
			s.a[first+i] -= g * g
			s.w[first+i] -= g * g
		}
		// Z·P̄ is the conjugate of Z̄·P, and of either only the real part is asked for.
		for i := range z.Rows {
			row := z.Row(i)
			for j, v := range row {
				row[j] = complex(real(v), -imag(v))
			}
		}
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, z, products[at][1], 0, mapped)
		for i := range z.Rows {
			for j, v := range z.Row(i) {
				half := real(mapped.At(i, j)*v) / 2
				s.a[first+i] += half
				s.b[first+i] -= half
			}
		}
		return nil
	})
}

// dot returns Re x·ȳ.
func dot(x, y complex128) float64 { return real(x)*real(y) + imag(x)*imag(y) }

// byImages serves more columns than images, by K itself, block by block.
func (e *energy) byImages() error {
	grams := make([]lapack.Matrix[complex128], len(e.shape.blocks))
	for at := range grams {
		grams[at] = lapack.New[complex128](e.n, e.n)
	}
	width := max(batchBytes/(16*e.n*len(grams)*e.stepH*e.stepW), 1)
	for from := 0; from < e.channels; from += width {
		part := *e.side
		part.grid = e.grid.panel(from, min(width, e.channels-from))
		if err := e.panel(&part, grams); err != nil {
			return err
		}
	}
	return e.Multiply(len(grams), func(at, _ int) error {
		e.parts[at].take(grams[at])
		return nil
	})
}

// panel adds some channels to K of all blocks.
func (e *energy) panel(part *side, grams []lapack.Matrix[complex128]) error {
	b, err := newBatchOf[float64, complex128](e.Crew, e.n, len(grams), part)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.fill(0, e.n); err != nil {
		return err
	}
	means, err := part.means(part.shift, len(grams))
	if err != nil {
		return err
	}
	return e.Multiply(len(grams), func(at, _ int) error {
		z := b.of(at, e.n).View(0, 1, e.n, part.columns)
		lapack.Herk(blas.NoTrans, 1, z, 1, grams[at])
		s := e.parts[at]
		for i := range z.Rows {
			for j, v := range z.Row(i) {
				x := v + means[at][j]
				s.size[i] += squared(x)
				s.along[i] += float64(e.n) * dot(x, means[at][j])
			}
		}
		return nil
	})
}

// whole returns the sums for all columns at once: of G = Σ K_b, which is that of the
// images as rows.
func (e *energy) whole() (*pairSums, error) {
	const panel = 4096
	gram := lapack.New[float64](e.n, e.n)
	rows := lapack.New[float64](e.n, min(panel, e.size()))
	unit := math.Ldexp(1, -e.exponent)
	for col := 0; col < e.size(); col += panel {
		width := min(panel, e.size()-col)
		part := rows.View(0, 0, e.n, width)
		err := e.Run(e.n, func(i, _ int) error {
			row := part.Row(i)
			if err := e.layer.Read(lapack.Of(1, width, row), i, col); err != nil {
				return e.wrap(err)
			}
			floats.Scale(unit, row)
			floats.Sub(row, e.shift[col:col+width])
			return nil
		})
		if err != nil {
			return nil, err
		}
		tiles := (e.n + 255) / 256
		err = e.Multiply(tiles*tiles, func(t, _ int) error {
			i, j := t/tiles*256, t%tiles*256
			if i > j {
				return nil
			}
			to := gram.View(i, j, min(256, e.n-i), min(256, e.n-j))
			lapack.Gemm(blas.NoTrans, blas.Trans, 1, part.View(i, 0, to.Rows, width), part.View(j, 0, to.Cols, width), 1, to)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	s := newPairSums(e.n)
	for i := range e.n {
		s.g[i] = gram.At(i, i)
	}
	for i := range e.n {
		for at, v := range gram.Row(i)[i+1:] {
			j := i + 1 + at
			s.a[i], s.w[i] = s.a[i]+v*v, s.w[i]+v*s.g[j]
			s.a[j], s.w[j] = s.a[j]+v*v, s.w[j]+v*s.g[i]
		}
	}
	return s, nil
}

// estimate returns shares and their jackknife errors.
func (e *energy) estimate(whole *pairSums) *OffBlock {
	n := float64(e.n)
	var blocks, fixed, seen float64
	blocksWithout, fixedWithout, seenWithout := make([]float64, e.n), make([]float64, e.n), make([]float64, e.n)
	for at, b := range e.shape.blocks {
		s, count := e.parts[at], float64(b.Multiplicity)
		all, without := s.norms()
		blocks += count * all
		floats.AddScaled(blocksWithout, count, without)
		// Σ over pairs i ≠ j of Re⟨x_i, x_j⟩: unbiased for ‖mean‖².
		size := floats.Sum(s.size)
		pairs := floats.Sum(s.along) - size
		mean := pairs / (n * (n - 1))
		if at == 0 { // the variance: size/n − mean, where that would leave nothing
			variance := floats.Sum(s.g)
			seen += variance / (n - 1)
			for i, g := range s.g {
				seenWithout[i] += (variance - g - g/(n-1)) / (n - 2)
			}
			continue
		}
		seen += count * size / n
		fixed += count * mean
		for i := range s.size {
			seenWithout[i] += count * (size - s.size[i]) / (n - 1)
			fixedWithout[i] += count * (pairs - 2*(s.along[i]-s.size[i])) / ((n - 1) * (n - 2))
		}
	}
	all, without := whole.norms()
	o := &OffBlock{Share: 1 - blocks/all, MeanShare: fixed / seen, Images: e.n}
	shares, means := make([]float64, e.n), make([]float64, e.n)
	for i := range shares {
		shares[i], means[i] = 1-blocksWithout[i]/without[i], fixedWithout[i]/seenWithout[i]
	}
	o.Error, o.MeanError = jackknife(shares), jackknife(means)
	for _, v := range []float64{o.Share, o.Error, o.MeanShare, o.MeanError} {
		if math.IsNaN(v) || math.IsInf(v, 0) { // without one image nothing varies
			return nil
		}
	}
	return o
}
