package svcca

import (
	"errors"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// wideGram is XcXcᵀ of a layer with n < d.
type wideGram struct{ *rows }

func (g wideGram) free() int                   { return g.n }
func (g wideGram) mask(lapack.Matrix[float64]) {}

func (g wideGram) survey(q, y lapack.Matrix[float64]) (trace, lost float64, err error) {
	if g.implicit != nil {
		return g.implicit.surveyed(g.apply(q, y))
	}
	y.Zero()
	err = g.each(Double, func(panel lapack.Matrix[float64], _ int) error {
		squares := make([]float64, panel.Rows)
		err := g.add(panel, q, y, func(i int) {
			for _, v := range panel.Row(i) {
				squares[i] += v * v
			}
		})
		for _, s := range squares {
			trace += s
		}
		return err
	}, func(factor float64) {
		trace *= factor * factor
		for i := range y.Rows {
			row := y.Row(i)
			for j := range row {
				row[j] *= factor * factor
			}
		}
	})
	if errors.Is(err, ErrNotFinite) {
		// Panels meet values neuron by neuron: look for the first by rows.
		w := borrow()
		defer w.back()
		p := newPanel(g.Crew, w, Double, g.side)
		_, err = p.inspect(0, g.n)
	}
	return trace, krylovRounding * trace, err
}

func (g wideGram) apply(q, y lapack.Matrix[float64]) error {
	if g.implicit != nil {
		z := lapack.New[float64](g.d, q.Cols)
		if err := g.implicit.transposedTimes(q, z, 0); err != nil {
			return err
		}
		return g.implicit.times(z, y)
	}
	y.Zero()
	return g.each(Double, func(panel lapack.Matrix[float64], _ int) error {
		return g.add(panel, q, y, func(int) {})
	}, nil)
}

// add adds the product of a panel P of neurons, P·Pᵀq, to y, and calls visit with
// each row of P.
func (g wideGram) add(panel, q, y lapack.Matrix[float64], visit func(i int)) error {
	z := lapack.New[float64](panel.Cols, q.Cols)
	tiles := rectangle(z.Rows, z.Cols, columnStrip)
	err := g.Multiply(len(tiles), func(i, _ int) error {
		t := tiles[i]
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, panel.View(0, t.row, g.n, t.rows), q.View(0, t.col, g.n, t.cols), 0, z.View(t.row, t.col, t.rows, t.cols))
		return nil
	})
	if err != nil {
		return err
	}
	strips := strips(g.n, neuronStrip)
	return g.Multiply(len(strips), func(i, _ int) error {
		lo, count := strips[i][0], strips[i][1]-strips[i][0]
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, panel.View(lo, 0, count, panel.Cols), z, 1, y.View(lo, 0, count, q.Cols))
		for r := lo; r < lo+count; r++ {
			visit(r)
		}
		return nil
	})
}
