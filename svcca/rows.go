package svcca

import (
	"errors"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// rows serve a layer with fewer datapoints than neurons, n < d: there the n × n
// matrix XcXcᵀ is the smaller one. It grows by panels of neurons, in which each
// neuron's mean is at hand, so that no copy of the layer is made.
type rows struct {
	crew.Crew
	*side
	scratch lapack.Matrix[float64] // n × panel
}

// newRows prepares for passes over the layer.
func newRows(c crew.Crew, s *side) *rows {
	width := min(s.d, max(panelBytes/(8*s.n), 16))
	s.mean, s.shift, s.rest = make([]float64, s.d), make([]float64, s.d), make([]float64, s.d)
	return &rows{Crew: c, side: s, scratch: lapack.New[float64](s.n, width)}
}

// each calls visit with every panel, centred, scaled and weighted, and constant
// neurons set to zero; col is its first neuron. It calls rescale with a factor
// when values outgrow the exponent: sums made so far are in units of the old.
func (r *rows) each(visit func(panel lapack.Matrix[float64], col int) error, rescale func(factor float64)) error {
	squares := make([]float64, r.scratch.Cols)
	for col := 0; col < r.d; col += r.scratch.Cols {
		panel := r.scratch.View(0, 0, r.n, min(r.scratch.Cols, r.d-col))
		largest, err := r.read(panel, col)
		if err != nil {
			return err
		}
		if largest > 0 && !r.scaled {
			r.choose(largest) // sums so far are zero, which any factor² could make NaN
		} else if math.Ldexp(largest, -r.exponent) > Double.largest() {
			old := r.exponent
			r.choose(largest)
			factor := math.Ldexp(1, old-r.exponent)
			for j := range col {
				r.rms[j] *= factor
			}
			rescale(factor)
		}
		if err := r.centre(panel, col, squares); err != nil {
			return err
		}
		r.survey(col, squares[:panel.Cols])
		r.silence(panel, col)
		if err := visit(panel, col); err != nil {
			return err
		}
	}
	return nil
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

// read fills panel with values as they are and returns the largest magnitude.
func (r *rows) read(panel lapack.Matrix[float64], col int) (largest float64, err error) {
	peaks := make([]float64, chunks(r.n))
	err = r.Run(len(peaks), func(c, _ int) (err error) {
		first := c * chunkRows
		block := panel.View(first, 0, min(chunkRows, r.n-first), panel.Cols)
		if err := r.Read(block, first, col); err != nil {
			return r.wrap(err)
		}
		peaks[c], err = magnitude(r.name, block, first, col)
		return err
	})
	for _, p := range peaks {
		largest = max(largest, p)
	}
	return largest, err
}

// centreColumns is how many neurons are centred together: a strip of them by
// all datapoints is small enough for a cache, wide enough for whole lines.
const centreColumns = 64

// centre scales the panel's values, subtracts each neuron's mean and weighs the
// rows. It sets means, and squares to the neurons' sums of squares.
func (r *rows) centre(panel lapack.Matrix[float64], col int, squares []float64) error {
	factor := math.Ldexp(1, -r.exponent)
	strips := (panel.Cols + centreColumns - 1) / centreColumns
	return r.Run(strips, func(i, _ int) error {
		at := i * centreColumns
		strip := panel.View(0, at, r.n, min(centreColumns, panel.Cols-at))
		for i := range r.n {
			row := strip.Row(i)
			for j := range row {
				row[j] *= factor
			}
		}
		// Twice: the first mean is off by its rounding, which an offset makes large
		// beside what varies, and which would count as a direction of its own.
		shift, rest := r.shift[col+at:][:strip.Cols], r.rest[col+at:][:strip.Cols]
		clear(shift)
		clear(rest)
		for _, mean := range [][]float64{shift, rest} {
			if r.centering != CenterNeurons {
				break
			}
			clear(mean)
			for i := range r.n {
				w := r.root(i) * r.root(i) / r.weights.total
				for j, v := range strip.Row(i) {
					mean[j] += w * v
				}
			}
			for i := range r.n {
				row := strip.Row(i)
				for j := range row {
					row[j] -= mean[j]
				}
			}
		}
		for j := range strip.Cols {
			r.mean[col+at+j] = shift[j] + rest[j]
		}
		squares := squares[at:][:strip.Cols]
		clear(squares)
		for i := range r.n {
			root, row := r.root(i), strip.Row(i)
			for j, v := range row {
				v *= root
				row[j] = v
				squares[j] += v * v
			}
		}
		return nil
	})
}

// reduceRows decomposes a layer with n < d, by the eigenvectors of XcXcᵀ where
// their bound allows, else by those of the triangle of Xcᵀ. It returns the basis
// and the left singular vectors kept.
func reduceRows(c crew.Crew, w *workspace, s *side, o Options, accuracy float64) (*basis, lapack.Matrix[float64], error) {
	r := newRows(c, s)
	b, u, err := r.decompose(o)
	if errors.Is(err, ErrNotFinite) {
		// Panels meet values neuron by neuron: look for the first by rows.
		p := newPanel(c, w, Double, s)
		_, err = p.inspect(0, s.n)
	}
	if err != nil {
		return nil, u, err
	}
	if b == nil || b.Bound > accuracy {
		if b, u, err = r.decomposeTriangle(o); err != nil {
			return nil, u, err
		}
	}
	if err := b.usable(); err != nil {
		return nil, u, err
	}
	s.setShift(s.shift)
	b.v = lapack.New[float64](r.d, b.K)
	err = r.each(func(panel lapack.Matrix[float64], col int) error {
		part := b.v.View(col, 0, panel.Cols, b.K)
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, panel, u, 0, part)
		for j := range part.Rows {
			row := part.Row(j)
			for i := range row {
				row[i] /= b.S[i]
			}
		}
		return nil
	}, nil)
	return b, u, err
}

// decompose finds U and s from XcXcᵀ; no basis where a decision is not certain.
func (r *rows) decompose(o Options) (*basis, lapack.Matrix[float64], error) {
	gram := lapack.New[float64](r.n, r.n)
	err := r.each(func(panel lapack.Matrix[float64], _ int) error {
		lapack.Syrk(blas.NoTrans, 1, panel, 1, gram)
		return nil
	}, func(factor float64) {
		for i := range gram.Rows {
			row := gram.Row(i)
			for j := range row {
				row[j] *= factor * factor
			}
		}
	})
	if err != nil {
		return nil, gram, err
	}
	var eigen lapack.Eigen[float64]
	if err := eigen.Factorize(gram, true); err != nil {
		return nil, gram, r.wrap(err)
	}
	u := eigen.VectorsTo(lapack.Matrix[float64]{}, r.n)
	b := &basis{side: r.side, method: MethodRows}
	b.S, b.Squared = squaredValues(eigen.Values(), r.n), true
	b.Loss = spectrum.SquaredLoss(b.S[0], 0)
	if err := r.finish(b, u, o); err != nil || !b.RankSure || !b.KSure {
		return nil, gram, err
	}
	return b, u.View(0, 0, r.n, b.K).Clone(), nil
}

// decomposeTriangle finds U and s from the factor R of Xcᵀ = QR, n × n, grown by
// panels of neurons: R = A S Uᵀ.
func (r *rows) decomposeTriangle(o Options) (*basis, lapack.Matrix[float64], error) {
	stack := lapack.New[float64](r.n+r.scratch.Cols, r.n)
	var qr lapack.QR[float64]
	height := 0
	err := r.each(func(panel lapack.Matrix[float64], _ int) error {
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
	if err := r.finish(b, u, o); err != nil {
		return nil, u, err
	}
	return b, u.View(0, 0, r.n, b.K), nil
}

// finish cuts b.
func (r *rows) finish(b *basis, u lapack.Matrix[float64], o Options) error {
	if low, high := b.boundAlong(o.RankTol); low < high {
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
	product := lapack.New[float64](r.scratch.Cols, u.Cols)
	err := r.each(func(panel lapack.Matrix[float64], col int) error {
		part := product.View(0, 0, panel.Cols, u.Cols)
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, panel, u, 0, part)
		for j := range part.Rows {
			for i, v := range part.Row(j) {
				whole[i] += v * v
				noisy[i] += r.rms[col+j] * v * r.rms[col+j] * v
			}
		}
		return nil
	}, nil)
	for i := range along {
		if whole[i] > 0 {
			along[i] = math.Sqrt(noisy[i] / whole[i])
		}
	}
	return err
}
