package svcca

import (
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/internal/tsqr"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// triangle is the factor R of the QR factorisation of rows of one or two layers
// side by side, behind a column of √w, grown block by block. That column makes
// centring a part of the factorisation: below its first row R is that of the
// centred rows. Its error is that of an SVD of the rows themselves, where moments
// square the condition; it costs two to three times as much.
type triangle struct {
	panel
	r     lapack.Matrix[float64] // min(n, 1+D) × (1+D)
	apart [2]float64             // as in moments
}

// newTriangle reads n rows of the layers. Scales, and means near the true ones,
// must be known: moments come first.
func newTriangle(p panel, n int) (*triangle, error) {
	for _, s := range p.sides {
		s.setShift(s.mean)
	}
	d := p.columns()
	// As many new rows as the triangle has: then folding them in costs twice
	// what it would with no triangle on top.
	s := tsqr.New(take(new([]float64), min(n, d+max(d, panelRows(d))), d))
	err := s.Add(n, func(rows lapack.Matrix[float64], first int) error {
		reads := p.reads(block{f64: rows}, first)
		return p.Run(reads.Count, reads.Do)
	})
	if err != nil {
		return nil, err
	}
	r, err := s.Triangle()
	if err != nil {
		return nil, err
	}
	t := &triangle{panel: p, r: r}
	t.finish()
	return t, nil
}

// finish finds the means, and surveys each layer's neurons.
func (t *triangle) finish() {
	total := t.sides[0].weights.total
	for k, s := range t.sides {
		at, top := t.begin(k), t.top(s)
		s.mean, s.rest = make([]float64, s.d), make([]float64, s.d)
		squares := make([]float64, s.d)
		for j := range s.d {
			if top > 0 {
				s.rest[j] = t.r.At(0, at+j) / t.r.At(0, 0)
			}
			s.mean[j] = s.shift[j] + s.rest[j]
			t.apart[k] += total * s.rest[j] * s.rest[j]
		}
		for i := top; i < t.r.Rows; i++ {
			for j, v := range t.r.Row(i)[at : at+s.d] {
				squares[j] += v * v
			}
		}
		s.survey(0, squares)
	}
}

// top returns the first row of R that is the layer's: the one above is its mean.
func (t *triangle) top(s *side) int {
	if s.centering == CenterNeurons {
		return 1
	}
	return 0
}

// reduce decomposes side i's columns of R. It returns the basis and, in the
// coordinates of R's rows, the left singular vectors kept.
func (t *triangle) reduce(i int, o Options) (b *basis, u lapack.Matrix[float64], err error) {
	s, at := t.sides[i], t.begin(i)
	top := t.top(s)
	// Below, R's columns are zero.
	columns := t.r.View(top, at, min(at+s.d, t.r.Rows)-top, s.d)
	if len(s.active) < s.d {
		full := columns
		columns = lapack.New[float64](full.Rows, len(s.active))
		for r := range full.Rows {
			for c, j := range s.active {
				columns.Set(r, c, full.At(r, j))
			}
		}
	}
	var svd lapack.SVD[float64]
	if err := svd.Factorize(columns, true); err != nil {
		return nil, u, s.wrap(err)
	}
	vt := svd.VT()
	b = &basis{side: s, method: MethodTriangle}
	b.S = make([]float64, min(s.n, s.d))
	copy(b.S, svd.Values())
	b.Loss = spectrum.LinearLoss(b.S[0], t.apart[i])
	b.Along = make([]float64, len(b.S))
	for i := range vt.Rows {
		b.Along[i] = s.rmsAlong(vt.Row(i))
	}
	b.cut(o)
	v := lapack.New[float64](vt.Cols, b.K)
	v.TransposeFrom(vt.View(0, 0, b.K, vt.Cols))
	b.v = s.expand(new([]float64), v)
	return b, svd.U().View(0, 0, columns.Rows, b.K), nil
}

// cross returns M = U_xᵀU_y from the left singular vectors that reduce gave.
func (t *triangle) cross(ux, uy lapack.Matrix[float64]) lapack.Matrix[float64] {
	M := lapack.New[float64](ux.Cols, uy.Cols)
	rows := min(ux.Rows, uy.Rows)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, ux.View(0, 0, rows, ux.Cols), uy.View(0, 0, rows, uy.Cols), 0, M)
	return M
}
