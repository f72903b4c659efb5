package conv

import (
	"math"
	"math/cmplx"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/internal/tsqr"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// images serves a layer whose blocks have more columns than there are images: there
// the n × n matrices ZZᴴ are the smaller ones. They grow by panels of channels, in
// which every column's mean is at hand.
type images struct {
	crew.Crew
	*side
	blocks []Block
	o      Options
	r      *reduced
}

// reduceImages takes the SV step on such a layer, by products of images where their
// error allows, else by the triangles of QR factorisations.
func reduceImages(c crew.Crew, s *side, blocks []Block, o Options, accuracy float64) (*reduced, error) {
	m := &images{Crew: c, side: s, blocks: blocks, o: o}
	if err := start(c, []*side{s}, 0, s.Maps.images); err != nil {
		return nil, err
	}
	m.r = &reduced{summed: s.summed(), n: s.Maps.images, blocks: blocks, parts: make([]part, len(blocks)), mean: make([][]complex128, len(blocks))}
	m.r.apart = make([]float64, len(blocks))
	for i := range s.Maps.images {
		m.r.total += s.root(i) * s.root(i)
	}
	if len(s.others) > 0 {
		if err := s.dropped(c, &m.r.summed, o); err != nil {
			return nil, err
		}
	}
	for at := range blocks {
		m.r.mean[at] = make([]complex128, s.in(at))
	}
	if err := m.products(); err != nil {
		return nil, err
	}
	if !m.r.certain(accuracy) {
		if err := m.triangles(); err != nil {
			return nil, err
		}
	}
	if err := m.r.usable(); err != nil {
		return nil, err
	}
	return m.r, m.right()
}

// products finds singular values and left vectors from ZZᴴ.
func (m *images) products() error {
	n := m.Maps.images
	grams := make([]lapack.Matrix[complex128], len(m.blocks))
	for at := range grams {
		if m.in(at) > 0 {
			grams[at] = lapack.New[complex128](n, n)
		}
	}
	power, size := make([]float64, m.columns), make([]float64, m.columns)
	err := m.each(power, size, func(at, _ int, z lapack.Matrix[complex128], _ []int) error {
		lapack.Herk(blas.NoTrans, 1, z, 1, grams[at])
		return nil
	})
	if err != nil {
		return err
	}
	m.r.method = svcca.MethodRows
	m.r.survey(power, size, m.o)
	if err := m.r.decompose(m.Crew, func(at int) lapack.Matrix[complex128] { return grams[at] }); err != nil {
		return err
	}
	needed := m.r.boundAlong()
	if err := m.left(needed); err != nil {
		return err
	}
	if err := m.cut(needed); err != nil {
		return err
	}
	err = m.left(make([]int, len(needed)))
	for at := range m.r.parts {
		m.r.parts[at].eigen = nil
	}
	return err
}

// left sets the left singular vectors that are kept, or as many as wanted.
func (m *images) left(wanted []int) error {
	return m.Multiply(len(m.r.parts), func(at, _ int) (err error) {
		p := &m.r.parts[at]
		p.u, err = m.r.leading(at, max(p.k, wanted[at]))
		return err
	})
}

// cut cuts, with another pass where rounding of single columns decides the rank.
func (m *images) cut(needed []int) error {
	if slices.Max(needed) > 0 {
		if err := m.measureAlong(); err != nil {
			return err
		}
	}
	m.r.cut(m.o)
	return nil
}

// measureAlong sets along to ‖diag(a) v‖ from v = Zᴴu / ‖Zᴴu‖: the computed s would not
// do, it may be all rounding.
func (m *images) measureAlong() error {
	whole, noisy := make([][]float64, len(m.blocks)), make([][]float64, len(m.blocks))
	for at, p := range m.r.parts {
		whole[at], noisy[at] = make([]float64, len(p.s)), make([]float64, len(p.s))
	}
	err := m.each(nil, nil, func(at, _ int, z lapack.Matrix[complex128], columns []int) error {
		u := m.r.parts[at].u
		if u.IsEmpty() {
			return nil
		}
		v := lapack.New[complex128](z.Cols, u.Cols)
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, z, u, 0, v)
		for row, j := range columns {
			for i, x := range v.Row(row)[:min(v.Cols, len(whole[at]))] {
				whole[at][i] += squared(x)
				noisy[at][i] += squared(x) * m.r.rms[j] * m.r.rms[j]
			}
		}
		return nil
	})
	for at, p := range m.r.parts {
		for i := range p.u.Cols {
			if whole[at][i] > 0 {
				p.along[i] = math.Sqrt(noisy[at][i] / whole[at][i])
			}
		}
	}
	return err
}

// triangles finds the same from the factors R of Zᴴ = QR, n × n, grown by panels:
// R = A·S·Uᴴ.
func (m *images) triangles() error {
	stacks := make([]*tsqr.Stack[complex128], len(m.blocks))
	for at := range stacks {
		if m.in(at) > 0 {
			stacks[at] = tsqr.New(lapack.New[complex128](2*m.Maps.images, m.Maps.images))
		}
	}
	err := m.each(nil, nil, func(at, _ int, z lapack.Matrix[complex128], _ []int) error {
		return stacks[at].Add(z.Cols, func(to lapack.Matrix[complex128], first int) error {
			conjTranspose(to, z.View(0, first, z.Rows, to.Rows))
			return nil
		})
	})
	if err != nil {
		return err
	}
	solvers := make([]lapack.SVD[complex128], m.Workers)
	err = m.Multiply(len(stacks), func(at, worker int) error {
		if stacks[at] == nil {
			return nil
		}
		r, err := stacks[at].Triangle()
		if err != nil {
			return m.wrap(err)
		}
		svd, p := &solvers[worker], &m.r.parts[at]
		if err := svd.Factorize(r, true); err != nil {
			return m.wrap(err)
		}
		clear(p.s[copy(p.s[:m.r.most[at]], svd.Values()):])
		p.u = lapack.New[complex128](m.Maps.images, svd.VT().Rows)
		conjTranspose(p.u, svd.VT())
		return nil
	})
	if err != nil {
		return err
	}
	m.r.method, m.r.Squared, m.r.Loss = svcca.MethodTriangle, false, spectrum.LinearLoss(m.r.largest(), floats.Sum(m.r.apart))
	return m.cut(m.r.boundAlong())
}

// right sets the right singular vectors of the directions kept, V = ZᴴU·S⁻¹, in another
// pass.
func (m *images) right() error {
	for at := range m.r.parts {
		p := &m.r.parts[at]
		p.v = lapack.New[complex128](len(m.r.active), p.k)
	}
	place := make([]int, m.columns) // of a column among the active ones
	for i, j := range m.r.active {
		place[j] = i
	}
	return m.each(nil, nil, func(at, _ int, z lapack.Matrix[complex128], columns []int) error {
		p := m.r.parts[at]
		if p.k == 0 {
			return nil
		}
		v := lapack.New[complex128](z.Cols, p.k)
		lapack.Gemm(blas.ConjTrans, blas.NoTrans, 1, z, p.u.View(0, 0, p.u.Rows, p.k), 0, v)
		for row, j := range columns {
			to := p.v.Row(place[j])
			for i, x := range v.Row(row) {
				to[i] = x / complex(p.s[i], 0)
			}
		}
		return nil
	})
}

// each calls visit with every block of every panel of columns: centred as the options
// have it, the constant ones left out; columns names the others. It adds to power and
// size where they are given, by column, Σ|z|² as visited and as stored.
func (m *images) each(power, size []float64, visit func(at, worker int, z lapack.Matrix[complex128], columns []int) error) error {
	n, phases := m.Maps.images, m.stepH*m.stepW
	width := max(batchBytes/(16*n*len(m.blocks)*phases), 1)
	for from := 0; from < m.channels; from += width {
		part := *m.side
		part.grid = m.grid.panel(from, min(width, m.channels-from))
		if err := m.panel(&part, power, size, visit); err != nil {
			return err
		}
	}
	return nil
}

// panel visits one.
func (m *images) panel(part *side, power, size []float64, visit func(at, worker int, z lapack.Matrix[complex128], columns []int) error) error {
	n := m.Maps.images
	b, err := newBatchOf[float64, complex128](m.Crew, n, len(m.blocks), part)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.fill(0, n); err != nil {
		return err
	}
	shift, err := part.means(part.shift, len(m.blocks))
	if err != nil {
		return err
	}
	centred, stored := make([][]float64, len(m.blocks)), make([][]float64, len(m.blocks))
	err = m.Multiply(len(m.blocks), func(at, _ int) error {
		centred[at], stored[at] = m.centre(at, b.of(at, n), shift[at], part)
		return nil
	})
	if err != nil {
		return err
	}
	varies := m.varying(part, centred, stored)
	for at := range centred {
		count := float64(m.blocks[at].Multiplicity)
		for c := range centred[at] {
			if power != nil {
				m.r.apart[at] += m.r.total * squared(m.r.mean[at][m.column(part, c)]-shift[at][c])
				power[m.column(part, c)] += count * centred[at][c]
				size[m.column(part, c)] += count * stored[at][c]
			}
		}
	}
	var columns []int
	for _, c := range varies {
		columns = append(columns, m.column(part, c))
	}
	return m.Multiply(len(m.blocks), func(at, worker int) error {
		if part.in(at) == 0 || len(columns) == 0 {
			return nil
		}
		z := b.of(at, n)
		for i := range n {
			row := z.Row(i)[1:]
			for to, c := range varies {
				row[to] = row[c]
			}
		}
		return visit(at, worker, z.View(0, 1, n, len(columns)), columns)
	})
}

// column returns the place of column c of a panel among all.
func (m *images) column(part *side, c int) int {
	return c/part.many*m.channels + part.from + c%part.many
}

// centre takes the means out of a block of a panel, or puts back what was shifted, and
// returns, by column, Σ|z|² of what is left and of what was stored.
func (m *images) centre(at int, z lapack.Matrix[complex128], shift []complex128, part *side) (centred, stored []float64) {
	width := len(shift)
	rest := make([]complex128, width)
	for i := range z.Rows {
		root := z.Row(i)[0]
		for j, v := range z.Row(i)[1:] {
			rest[j] += root * v
		}
	}
	for j := range rest {
		rest[j] /= complex(m.r.total, 0)
		m.r.mean[at][m.column(part, j)] = shift[j] + rest[j]
	}
	keep := m.o.centred(at)
	centred, stored = make([]float64, width), make([]float64, width)
	for i := range z.Rows {
		root := z.Row(i)[0]
		row := z.Row(i)[1:]
		for j := range row {
			v := row[j] - root*rest[j]
			if keep {
				row[j] = v
			} else {
				row[j] += root * shift[j]
			}
			centred[j] += squared(row[j])
		}
	}
	for j := range stored {
		stored[j] = centred[j]
		if keep {
			stored[j] += m.r.total * squared(shift[j]+rest[j])
		}
	}
	return centred, stored
}

// varying returns the columns of a panel that vary above their rounding.
func (m *images) varying(part *side, centred, stored []([]float64)) (columns []int) {
	rows := m.r.total * float64(m.lengthH*m.lengthW)
	for c := range part.columns {
		var power, size float64
		if m.r.dropped != nil {
			size = m.r.dropped[m.column(part, c)]
		}
		for at, b := range m.blocks {
			if part.in(at) > 0 {
				power += float64(b.Multiplicity) * centred[at][c]
				size += float64(b.Multiplicity) * stored[at][c]
			}
		}
		if math.Sqrt(power) > m.noise*m.r.grain(m.column(part, c), math.Sqrt(size/rows))*math.Sqrt(rows) {
			columns = append(columns, c)
		}
	}
	return columns
}

// conjTranspose sets dst to srcᴴ.
func conjTranspose(dst, src lapack.Matrix[complex128]) {
	for i := range dst.Rows {
		row := dst.Row(i)
		for j := range row {
			row[j] = cmplx.Conj(src.At(j, i))
		}
	}
}
