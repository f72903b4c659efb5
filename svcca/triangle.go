package svcca

import (
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// triangle is the factor R of the QR factorisation of the centred rows of one
// or two layers side by side, grown block by block. Its error is that of an SVD
// of the rows themselves, where moments square the condition; it costs two to
// three times as much. Means and scales must be known: moments come first.
type triangle struct {
	panel
	r      lapack.Matrix[float64] // min(n, D) × D
	folded bool                   // r is upper triangular: there were more rows than columns
}

// newTriangle reads every row of the layers once more.
func newTriangle(p panel) (*triangle, error) {
	d, n := p.columns(), p.sides[0].n
	// As many new rows as the triangle has: then folding them in costs twice
	// what it would with no triangle on top.
	rows := min(n, d+max(d, panelRows(d)))
	t := &triangle{panel: p}
	stack := newPadded(rows, d)
	var qr lapack.QR[float64]
	height := 0
	for first := 0; first < n; {
		block := stack.View(height, 0, min(rows-height, n-first), d)
		if err := t.readCentred(block, first); err != nil {
			return nil, err
		}
		t.silence(block)
		first += block.Rows
		height += block.Rows
		if height > d {
			if err := qr.Factorize(stack.View(0, 0, height, d)); err != nil {
				return nil, err
			}
			height = d
			qr.RTo(stack.View(0, 0, height, d))
			t.folded = true
		}
	}
	t.r = stack.View(0, 0, height, d)
	return t, nil
}

// readCentred is read once moments have found the means: it takes from rows read
// with provisional means what those are off the true ones. Read with the true
// means at once, values would keep the rounding of means, which an offset makes
// large beside what varies and which, where n = d, would count as a direction.
func (p *panel) readCentred(block lapack.Matrix[float64], first int) error {
	if _, err := p.read(block, first); err != nil {
		return err
	}
	for i := range block.Rows {
		row, at := block.Row(i), 0
		for _, s := range p.sides {
			root := s.root(first + i)
			for j, rest := range s.rest {
				row[at+j] -= rest * root
			}
			at += s.d
		}
	}
	return nil
}

// silence sets the columns of constant neurons to zero.
func (p *panel) silence(block lapack.Matrix[float64]) {
	at := 0
	for _, s := range p.sides {
		s.silence(block.View(0, at, block.Rows, s.d), 0)
		at += s.d
	}
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

// reduce decomposes side i's columns of R. It returns the basis and, in the
// coordinates of R's rows, the left singular vectors kept.
func (t *triangle) reduce(i int, o Options) (b *basis, u lapack.Matrix[float64], err error) {
	s, at := t.sides[i], t.begin(i)
	height := t.r.Rows
	if t.folded {
		height = at + s.d // below, R's columns are zero
	}
	columns := t.r.View(0, at, height, s.d)
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
	v := lapack.New[float64](vt.Cols, vt.Rows)
	v.TransposeFrom(vt)
	b = &basis{side: s, method: MethodTriangle}
	b.s = make([]float64, min(s.n, s.d))
	copy(b.s, svd.Values())
	b.along = s.rmsAlong(v)
	b.cut(o)
	b.v = s.expand(v.View(0, 0, v.Rows, b.k))
	return b, svd.U().View(0, 0, columns.Rows, b.k), nil
}

// cross returns M = U_xᵀU_y from the left singular vectors that reduce gave.
func (t *triangle) cross(ux, uy lapack.Matrix[float64]) lapack.Matrix[float64] {
	M := lapack.New[float64](ux.Cols, uy.Cols)
	rows := min(ux.Rows, uy.Rows)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, ux.View(0, 0, rows, ux.Cols), uy.View(0, 0, rows, uy.Cols), 0, M)
	return M
}
