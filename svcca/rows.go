package svcca

import (
	"errors"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// rows serve a layer with fewer datapoints than neurons, n < d: there the n × n
// matrix XcXcᵀ is the smaller one. It grows by panels of neurons, in which each
// neuron's mean is at hand, so that no copy of the layer is made.
type rows struct {
	crew.Crew
	*side
	space   *workspace
	scratch lapack.Matrix[float64] // n × panel
	partial lapack.Matrix[float64] // sums over chunks of rows, by chunk
	spread  []int                  // datapoints that give provisional means
	// implicit is the matrix of a sparse layer, of which there are no panels.
	implicit *sparseRows
}

// newRows prepares for passes over the layer.
func newRows(c crew.Crew, w *workspace, s *side) *rows {
	if s.sparse != nil {
		r := &rows{Crew: c, side: s, space: w, implicit: newSparseRows(c, s)}
		r.implicit.silence()
		return r
	}
	w.workers(c.Workers)
	width := min(s.d, max(panelBytes/(8*s.n), 16))
	s.mean, s.rest = make([]float64, s.d), make([]float64, s.d)
	s.setShift(make([]float64, s.d))
	r := &rows{
		Crew: c, side: s, space: w,
		scratch: take(&w.blocks[0], s.n, width), partial: take(&w.blocks[1], chunks(s.n), width),
	}
	count := min(chunkRows, s.n)
	for i := range count {
		r.spread = append(r.spread, i*(s.n-1)/max(count-1, 1))
	}
	if s.weights.root != nil {
		heaviest := 0
		for i, root := range s.weights.root {
			if root > s.weights.root[heaviest] {
				heaviest = i
			}
		}
		r.spread = append(r.spread, heaviest)
	}
	return r
}

// each calls visit with every panel, centred, scaled and weighted, and constant
// neurons set to zero; col is its first neuron. It calls rescale with a factor
// when values outgrow the exponent: sums made so far are in units of the old.
func (r *rows) each(precision Precision, visit func(panel lapack.Matrix[float64], col int) error, rescale func(factor float64)) error {
	for col := 0; col < r.d; col += r.scratch.Cols {
		panel := r.scratch.View(0, 0, r.n, min(r.scratch.Cols, r.d-col))
		for {
			largest, err := r.read(panel, col)
			if err != nil {
				return err
			}
			if largest == 0 || r.scaled && math.Ldexp(largest, -r.exponent) <= precision.largest() {
				break
			}
			r.grow(largest, col, rescale) // and once more
		}
		if err := r.centre(panel, col); err != nil {
			return err
		}
		r.silence(panel, col)
		if err := visit(panel, col); err != nil {
			return err
		}
	}
	return nil
}

// grow chooses an exponent for values up to largest, with col neurons done.
func (r *rows) grow(largest float64, col int, rescale func(factor float64)) {
	if !r.scaled {
		r.choose(largest) // sums so far are zero, which any factor² could make NaN
		return
	}
	old := r.exponent
	r.choose(largest)
	factor := math.Ldexp(1, old-r.exponent)
	for _, of := range [][]float64{r.rms, r.mean, r.shift, r.minus, r.rest} {
		floats.Scale(factor, of[:col])
	}
	rescale(factor)
}

// silence sets to zero the constant neurons among the columns of block, of
// which the first is neuron col.
func (s *side) silence(block lapack.Matrix[float64], col int) {
	if len(s.active) == s.d {
		return
	}
	next := 0
	for j := range block.Cols {
		for next < len(s.active) && s.active[next] < col+j {
			next++
		}
		if next < len(s.active) && s.active[next] == col+j {
			continue
		}
		for i := range block.Rows {
			block.Set(i, j, 0)
		}
	}
}

// read fills panel with scaled values less provisional means, and returns the
// largest magnitude of those as they were. Sums of the first are in partial.
func (r *rows) read(panel lapack.Matrix[float64], col int) (largest float64, err error) {
	if err := r.provide(col, panel.Cols); err != nil {
		return 0, err
	}
	factor, minus := math.Ldexp(1, -r.exponent), r.minus[col:][:panel.Cols]
	peaks := make([]float64, chunks(r.n))
	err = r.Run(len(peaks), func(c, _ int) (err error) {
		first := c * chunkRows
		block := panel.View(first, 0, min(chunkRows, r.n-first), panel.Cols)
		if err := r.Read(block, first, col); err != nil {
			return r.wrap(err)
		}
		if peaks[c], err = magnitude(r.name, block, first, col); err != nil {
			return err
		}
		sum := r.partial.Row(c)[:panel.Cols]
		clear(sum)
		for i := range block.Rows {
			row, root := block.Row(i), r.root(first+i)
			floats.AddScaledTo(row, minus, factor, row)
			floats.AddScaled(sum, root*root/r.weights.total, row)
		}
		return nil
	})
	for _, p := range peaks {
		largest = max(largest, p)
	}
	return largest, err
}

// provide sets the provisional means of neurons from col on to those of the
// datapoints in spread. Where these have a share p of the weight, that is off by at
// most a standard deviation over √p, beside which no rounding of it counts; without,
// that of an offset would pass for a direction. They also choose the exponent, where
// there is none.
func (r *rows) provide(col, neurons int) error {
	if r.scaled && r.centering != CenterNeurons {
		return nil
	}
	sample := take(&r.space.chunks[0], len(r.spread), neurons)
	for k, i := range r.spread {
		if err := r.Read(sample.View(k, 0, 1, neurons), i, col); err != nil {
			return r.wrap(err)
		}
	}
	largest, err := magnitude(r.name, sample, 0, col)
	if err != nil {
		return err // of whichever datapoint: the first will be looked for
	}
	if !r.scaled && largest > 0 {
		r.choose(largest)
	}
	if r.centering != CenterNeurons {
		return nil
	}
	var total float64
	for _, i := range r.spread {
		total += r.root(i) * r.root(i)
	}
	factor, shift := math.Ldexp(1, -r.exponent), r.shift[col:][:neurons]
	clear(shift)
	for k, i := range r.spread {
		row := sample.Row(k)
		floats.Scale(factor, row)
		floats.AddScaled(shift, r.root(i)*r.root(i)/total, row)
	}
	for j, v := range shift {
		r.minus[col+j] = -v
	}
	return nil
}

// centre subtracts from each of the panel's neurons what is left of its mean,
// weighs the rows and surveys the neurons.
func (r *rows) centre(panel lapack.Matrix[float64], col int) error {
	rest := r.rest[col:][:panel.Cols]
	clear(rest)
	if r.centering == CenterNeurons {
		for c := range r.partial.Rows {
			floats.Add(rest, r.partial.Row(c)[:panel.Cols])
		}
	}
	for j, v := range rest {
		r.mean[col+j] = r.shift[col+j] + v
	}
	err := r.Run(r.partial.Rows, func(c, _ int) error {
		squares := r.partial.Row(c)[:panel.Cols]
		clear(squares)
		for i := c * chunkRows; i < min((c+1)*chunkRows, r.n); i++ {
			row := panel.Row(i)
			floats.AddScaled(row, -1, rest)
			if r.weights.root != nil {
				floats.Scale(r.root(i), row)
			}
			addSquares(squares, row)
		}
		return nil
	})
	squares := r.partial.Row(0)[:panel.Cols]
	for c := 1; c < r.partial.Rows; c++ {
		floats.Add(squares, r.partial.Row(c)[:panel.Cols])
	}
	r.survey(col, squares)
	return err
}

// addSquares adds to sums the squares of values.
func addSquares(sums, values []float64) {
	for len(sums) >= 8 && len(values) >= 8 {
		to, v := (*[8]float64)(sums), (*[8]float64)(values)
		for i := range to {
			to[i] += v[i] * v[i]
		}
		sums, values = sums[8:], values[8:]
	}
	for i, v := range values {
		sums[i] += v * v
	}
}

// reduceRows decomposes a layer with n < d, by the eigenvectors of XcXcᵀ where
// their bound allows, else by those of the triangle of Xcᵀ. It returns the basis
// and the left singular vectors kept; the basis has no V where nobody asks for it.
func reduceRows(c crew.Crew, w *workspace, s *side, o Options, accuracy float64) (*basis, lapack.Matrix[float64], error) {
	precision := o.Precision
	if s.sparse != nil {
		precision = Double
	}
	r := newRows(c, w, s)
	b, u, err := r.decompose(o, precision)
	if s.sparse != nil && err == nil && (b == nil || b.Bound > accuracy) {
		s.sparse, precision = nil, o.Precision // what is not certain now is decided as of any layer
		r = newRows(c, w, s)
		b, u, err = r.decompose(o, precision)
	}
	if err == nil && b == nil && precision == Mixed {
		precision = Double
		b, u, err = r.decompose(o, precision)
	}
	if errors.Is(err, ErrNotFinite) {
		// Panels meet values neuron by neuron: look for the first by rows.
		p := newPanel(c, w, Double, s)
		_, err = p.inspect(0, s.n)
	}
	if err != nil {
		return nil, u, err
	}
	if b == nil || precision == Double && b.Bound > accuracy {
		if b, u, err = r.decomposeTriangle(o); err != nil {
			return nil, u, err
		}
	}
	b.fallback = precision != o.Precision
	if err := b.usable(); err != nil {
		return nil, u, err
	}
	if s.leftAlone {
		return b, u, nil
	}
	b.v, err = r.right(u, b.S)
	return b, u, err
}

// right returns V = XcᵀU S⁻¹ for left singular vectors, in another pass.
func (r *rows) right(u lapack.Matrix[float64], s []float64) (lapack.Matrix[float64], error) {
	v := lapack.New[float64](r.d, u.Cols)
	return v, r.toNeurons(u, func(part lapack.Matrix[float64], col int) {
		for j := range part.Rows {
			row := v.Row(col + j)
			for i, p := range part.Row(j) {
				row[i] = p / s[i]
			}
		}
	})
}

// toNeurons calls visit with Xcᵀu for successive neurons, of which the first is col.
func (r *rows) toNeurons(u lapack.Matrix[float64], visit func(part lapack.Matrix[float64], col int)) error {
	if r.implicit != nil {
		product := lapack.New[float64](min(r.d, max(panelBytes/(8*u.Cols), sparseChunk)), u.Cols)
		for col := 0; col < r.d; col += product.Rows {
			part := product.View(0, 0, min(product.Rows, r.d-col), u.Cols)
			if err := r.implicit.transposedTimes(u, part, col); err != nil {
				return err
			}
			visit(part, col)
		}
		return nil
	}
	product := lapack.New[float64](r.scratch.Cols, u.Cols)
	return r.each(Double, func(panel lapack.Matrix[float64], col int) error {
		part := product.View(0, 0, panel.Cols, u.Cols)
		if err := r.project(panel, u, part); err != nil {
			return err
		}
		visit(part, col)
		return nil
	}, nil)
}

// project sets part to panelᵀu.
func (r *rows) project(panel, u, part lapack.Matrix[float64]) error {
	return r.Multiply((panel.Cols+panelStrip-1)/panelStrip, func(i, _ int) error {
		at := i * panelStrip
		neurons := min(panelStrip, panel.Cols-at)
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, panel.View(0, at, panel.Rows, neurons), u, 0, part.View(at, 0, neurons, part.Cols))
		return nil
	})
}

// decompose finds U and s from XcXcᵀ; no basis where a decision is not certain.
func (r *rows) decompose(o Options, precision Precision) (*basis, lapack.Matrix[float64], error) {
	var none lapack.Matrix[float64]
	gram := take(&r.space.gram, r.n, r.n)
	var signs *probes
	var apart float64
	var err error
	if r.implicit != nil {
		apart, err = r.implicit.squareRows(gram)
	} else {
		signs, err = r.square(gram, precision)
	}
	if err != nil {
		return nil, none, err
	}
	var spectral, frobenius float64
	if precision == Mixed {
		spectral, frobenius = signs.errors(gram, signs.total(), 0, make([]float64, r.n))
	}
	eigen := &r.space.eigen[0]
	if err := eigen.FactorizeInPlace(gram); err != nil {
		return nil, none, r.wrap(err)
	}
	b := &basis{side: r.side, method: MethodRows, precision: precision}
	b.S, b.Squared = squaredValues(eigen.Values(), r.n), true
	b.Loss = spectrum.SquaredLoss(b.S[0], apart)
	if precision == Mixed {
		b.Loss = spectrum.MixedLoss(b.S[0], spectral, frobenius)
	}
	leading := func(k int) (lapack.Matrix[float64], error) {
		u, err := eigen.VectorsTo(take(&r.space.vectors[0], r.n, k), k)
		if err != nil {
			err = r.wrap(err)
		}
		return u, err
	}
	if err := r.finish(b, leading, o); err != nil || !b.KSure || precision == Double && !b.RankSure {
		return nil, none, err
	}
	u, err := b.split(leading)
	return b, u, err
}

// square sets gram to XcXcᵀ, its upper triangle. With products in float32 it returns
// what measures their errors.
func (r *rows) square(gram lapack.Matrix[float64], precision Precision) (signs *probes, err error) {
	gram.Zero()
	var narrow lapack.Matrix[float32]
	if precision == Mixed {
		signs = newProbes(&r.space.signs[0], r.n, 1)
		narrow = take(&r.space.blocks32[0], r.n, r.scratch.Cols)
	}
	tiles := tilesOf(r.n, r.Tile)
	err = r.each(precision, func(panel lapack.Matrix[float64], _ int) error {
		if precision == Double {
			return r.Multiply(len(tiles), func(i, _ int) error {
				tiles[i].addRows(panel, gram)
				return nil
			})
		}
		narrow := narrow.View(0, 0, r.n, panel.Cols)
		if err := r.narrow(narrow, panel, signs); err != nil {
			return err
		}
		return r.Multiply(len(tiles), func(i, worker int) error {
			tiles[i].addRows32(&r.space.parts32[worker], narrow, gram)
			return nil
		})
	}, func(factor float64) {
		square(gram, factor)
		if signs != nil {
			square(signs.sums[0], factor)
		}
	})
	return signs, err
}

// split returns the left singular vectors kept, in memory of their own, and sets
// beside to the others where they are fewer.
func (b *basis) split(leading func(k int) (lapack.Matrix[float64], error)) (lapack.Matrix[float64], error) {
	if 2*b.K <= b.n {
		u, err := leading(b.K)
		return u.Clone(), err
	}
	all, err := leading(b.n)
	if err != nil {
		return all, err
	}
	b.beside = all.View(0, b.K, b.n, b.n-b.K).Clone()
	return all.View(0, 0, b.n, b.K).Clone(), nil
}

// narrow sets narrow to panel, and adds what XcXcᵀ·signs has of it to p's sums.
func (r *rows) narrow(narrow lapack.Matrix[float32], panel lapack.Matrix[float64], p *probes) error {
	partial := take(&r.space.scaled[0], chunks(r.n)*probeCount, panel.Cols) // of Xcᵀ·signs
	partial.Zero()
	of := func(c, q int) []float64 { return partial.Row(c*probeCount + q) }
	each := func(visit func(i, c int)) error {
		return r.Run(chunks(r.n), func(c, _ int) error {
			for i := c * chunkRows; i < min((c+1)*chunkRows, r.n); i++ {
				visit(i, c)
			}
			return nil
		})
	}
	err := each(func(i, c int) {
		row := panel.Row(i)
		convert.To(narrow.Row(i), row)
		for q, sign := range p.signs.Row(i) {
			floats.AddScaled(of(c, q), sign, row)
		}
	})
	if err != nil {
		return err
	}
	for c := 1; c < chunks(r.n); c++ {
		for q := range probeCount {
			floats.Add(of(0, q), of(c, q))
		}
	}
	return each(func(i, _ int) {
		sums := p.sums[0].Row(i)[1:]
		for q := range sums {
			sums[q] += floats.Dot(of(0, q), panel.Row(i))
		}
	})
}

// addRows adds the tile of panel·panelᵀ to sum.
func (t tile) addRows(panel, sum lapack.Matrix[float64]) {
	multiplyRows(t, panel, 1, sum.View(t.row, t.col, t.rows, t.cols))
}

// addRows32 is addRows for a product in float32, in the memory given.
func (t tile) addRows32(memory *[]float32, panel lapack.Matrix[float32], sum lapack.Matrix[float64]) {
	product := take(memory, t.rows, t.cols)
	multiplyRows(t, panel, 0, product)
	t.addProduct(product, 0, sum)
}

// multiplyRows sets c to the tile of a·aᵀ + beta·c.
func multiplyRows[T lapack.Real](t tile, a lapack.Matrix[T], beta T, c lapack.Matrix[T]) {
	left := a.View(t.row, 0, t.rows, a.Cols)
	if t.row == t.col {
		lapack.Syrk(blas.NoTrans, 1, left, beta, c)
		return
	}
	lapack.Gemm(blas.NoTrans, blas.Trans, 1, left, a.View(t.col, 0, t.cols, a.Cols), beta, c)
}

// square multiplies sums of squares by factor², when values are multiplied by factor.
func square(sums lapack.Matrix[float64], factor float64) {
	for i := range sums.Rows {
		row := sums.Row(i)
		for j := range row {
			row[j] *= factor * factor
		}
	}
}

// decomposeTriangle finds U and s from the factor R of Xcᵀ = QR, n × n, grown by
// panels of neurons: R = A S Uᵀ.
func (r *rows) decomposeTriangle(o Options) (*basis, lapack.Matrix[float64], error) {
	stack := lapack.New[float64](r.n+r.scratch.Cols, r.n)
	var qr lapack.QR[float64]
	height := 0
	err := r.each(Double, func(panel lapack.Matrix[float64], _ int) error {
		stack.View(height, 0, panel.Cols, r.n).TransposeFrom(panel)
		if err := qr.Factorize(stack.View(0, 0, height+panel.Cols, r.n)); err != nil {
			return r.wrap(err)
		}
		height = min(height+panel.Cols, r.n)
		qr.RTo(stack.View(0, 0, height, r.n))
		return nil
	}, nil)
	if err != nil {
		return nil, stack, err
	}
	var svd lapack.SVD[float64]
	if err := svd.Factorize(stack.View(0, 0, height, r.n), true); err != nil {
		return nil, stack, r.wrap(err)
	}
	b := &basis{side: r.side, method: MethodTriangle}
	b.S = slices.Clone(svd.Values())
	b.Loss = spectrum.LinearLoss(b.S[0], 0)
	u := lapack.New[float64](r.n, height)
	u.TransposeFrom(svd.VT())
	// d > n: the triangle has all n rows.
	leading := func(k int) (lapack.Matrix[float64], error) { return u.View(0, 0, r.n, k), nil }
	if err := r.finish(b, leading, o); err != nil {
		return nil, u, err
	}
	u, err = b.split(leading)
	return b, u, err
}

// finish cuts b. leading returns the first so many left singular vectors.
func (r *rows) finish(b *basis, leading func(k int) (lapack.Matrix[float64], error), o Options) error {
	if low, high := b.boundAlong(o.RankTol); low < high {
		u, err := leading(high)
		if err != nil {
			return err
		}
		if err := r.measureAlong(b.Along[low:high], u.View(0, low, r.n, high-low)); err != nil {
			return err
		}
	}
	b.cut(o)
	return nil
}

// measureAlong sets along to ‖diag(a) v‖ of the directions with left singular
// vectors u, from v = Xcᵀu / ‖Xcᵀu‖: the computed s would not do, it may be all
// rounding.
func (r *rows) measureAlong(along []float64, u lapack.Matrix[float64]) error {
	whole, noisy := make([]float64, u.Cols), make([]float64, u.Cols)
	err := r.toNeurons(u, func(part lapack.Matrix[float64], col int) {
		for j := range part.Rows {
			for i, v := range part.Row(j) {
				whole[i] += v * v
				noisy[i] += r.rms[col+j] * v * r.rms[col+j] * v
			}
		}
	})
	for i := range along {
		if whole[i] > 0 {
			along[i] = math.Sqrt(noisy[i] / whole[i])
		}
	}
	return err
}
