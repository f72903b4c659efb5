package conv

import (
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/internal/tsqr"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// triangles are, for each block, the factor R of the QR factorisation of the rows of one
// or two layers behind a column of √w, grown batch by batch. That column makes centring
// a part of the factorisation. Their error is that of an SVD of the rows, where sums of
// products square the condition; they cost three times as much.
type triangles struct {
	crew.Crew
	sums *sums // scales, shifts and means: from a pass before
	r    []lapack.Matrix[complex128]
}

// factor reads all images of the sides, of which z are the sums.
func factor(c crew.Crew, z *sums, sides ...*side) (*triangles, error) {
	b, err := newBatch[float64, complex128](c, len(z.gram), sides...)
	if err != nil {
		return nil, err
	}
	defer b.close()
	stacks := make([]*tsqr.Stack[complex128], len(z.gram))
	for at := range stacks {
		columns := b.of(at, 1).Cols
		stacks[at] = tsqr.New(lapack.New[complex128](2*columns, columns))
	}
	err = b.each(func(at, _, _ int, z lapack.Matrix[complex128]) error {
		return stacks[at].Add(z.Rows, func(to lapack.Matrix[complex128], first int) error {
			to.CopyFrom(z.View(first, 0, to.Rows, z.Cols))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	t := &triangles{Crew: c, sums: z, r: make([]lapack.Matrix[complex128], len(stacks))}
	return t, c.Multiply(len(stacks), func(at, _ int) (err error) {
		t.r[at], err = stacks[at].Triangle()
		return err
	})
}

// reduce decomposes layer i's columns. It returns the layer and, by block in the
// coordinates of R's rows, the left singular vectors.
func (t *triangles) reduce(i int, o Options) (*reduced, []lapack.Matrix[complex128], error) {
	z := t.sums
	columns := make([]lapack.Matrix[complex128], len(t.r))
	r := z.surveyed(i, svcca.MethodTriangle, o, func(at int, power []float64) {
		begin := z.begin(i, at)
		columns[at] = t.columns(at, begin, z.mean[at][begin:][:len(power)], o.centred(at))
		for row := range columns[at].Rows {
			for j, v := range columns[at].Row(row) {
				power[j] += squared(v)
			}
		}
	})
	left := make([]lapack.Matrix[complex128], len(columns))
	err := t.Multiply(len(columns), func(at, _ int) (err error) {
		if r.in(at) > 0 {
			left[at], err = r.decomposeRows(at, columns[at])
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	r.Loss = spectrum.LinearLoss(r.largest(), floats.Sum(r.apart))
	r.cut(o)
	return r, left, nil
}

// columns returns R of a layer's columns: below the first row that of the centred rows;
// with the first, brought back to values as stored, that of all.
func (t *triangles) columns(at, begin int, mean []complex128, centred bool) lapack.Matrix[complex128] {
	r := t.r[at].View(0, 1+begin, t.r[at].Rows, len(mean))
	if centred {
		return r.View(1, 0, r.Rows-1, len(mean))
	}
	r = r.Clone()
	root := t.r[at].At(0, 0)
	for j, m := range mean {
		r.Set(0, j, root*m)
	}
	return r
}

// decomposeRows sets a part from rows with the same products as the block's.
func (r *reduced) decomposeRows(at int, rows lapack.Matrix[complex128]) (left lapack.Matrix[complex128], err error) {
	active := lapack.New[complex128](rows.Rows, len(r.active))
	for i := range rows.Rows {
		row := active.Row(i)
		for to, j := range r.active {
			row[to] = rows.At(i, j)
		}
	}
	var svd lapack.SVD[complex128]
	if err := svd.Factorize(active, true); err != nil {
		return left, err
	}
	p := &r.parts[at]
	p.s = make([]float64, min(r.n, r.columns))
	copy(p.s[:r.most[at]], svd.Values())
	p.along = make([]float64, len(p.s))
	p.v = lapack.New[complex128](len(r.active), svd.VT().Rows)
	conjTranspose(p.v, svd.VT())
	for i := range p.v.Cols {
		p.along[i] = r.rmsAlong(p.v, i)
	}
	return svd.U(), nil
}

// cross returns M of a block from the left singular vectors that reduce gave, in the
// coordinates of the same rows of R.
func cross(x, y lapack.Matrix[complex128], kx, ky int) lapack.Matrix[complex128] {
	M := lapack.New[complex128](kx, ky)
	if kx > 0 && ky > 0 {
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, x.View(0, 0, x.Rows, kx), y.View(0, 0, y.Rows, ky), 0, M)
	}
	return M
}
