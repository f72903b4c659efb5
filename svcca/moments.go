package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// moments are the sums of squares and products over the rows of one or two
// layers side by side, D columns in all. They cost one pass and, per row, one
// rank-1 update of a D × D matrix: the least that any method can do.
type moments struct {
	panel
	// gram is the upper triangle of Σ w·v·vᵀ, v a shifted and scaled row with a 1
	// behind it: the last column holds Σ w·v, at no pass of its own.
	gram lapack.Matrix[float64]
	sum  []float64 // Σ w·v, set by finish

	eigen lapack.Eigen[float64] // serves one side after the other
}

// panelBytes bounds a block of rows in memory: two of 8 MiB share the last-level
// cache of a small server, and products reach their full speed well below that.
const panelBytes = 8 << 20

// panelRows returns how many rows of d columns a block has.
func panelRows(d int) int { return min(max(panelBytes/(8*d), 64), 1024) }

// newPadded returns a matrix whose rows do not lie a power of two apart, where
// they would compete for the same lines of a cache: products gain 5%.
func newPadded(rows, cols int) lapack.Matrix[float64] {
	stride := (cols+15)&^15 | 8
	return lapack.New[float64](rows, stride).View(0, 0, rows, cols)
}

// newMoments reads every row of the layers.
func newMoments(p panel) (*moments, error) {
	d, n := p.columns(), p.sides[0].n
	m := &moments{panel: p, gram: newPadded(d+1, d+1)}
	buffer := newPadded(min(panelRows(d), n), d+1)
	for first := 0; first < n; first += buffer.Rows {
		rows := buffer.View(0, 0, min(buffer.Rows, n-first), d+1)
		block := rows.View(0, 0, rows.Rows, d)
		if err := m.fill(block, first); err != nil {
			return nil, err
		}
		for i := range rows.Rows {
			rows.Set(i, d, p.sides[0].root(first+i))
		}
		lapack.Syrk(blas.Trans, 1, rows, 1, m.gram)
		if !m.diagonalFinite() {
			if _, err := m.inspect(block, first, block.Rows); err != nil {
				return nil, err
			}
		}
	}
	m.finish()
	return m, nil
}

// fill reads a block, choosing exponents and provisional means on the way.
func (m *moments) fill(block lapack.Matrix[float64], first int) error {
	if first == 0 {
		if err := m.start(block); err != nil {
			return err
		}
	}
	if m.allScaled() {
		largest, err := m.read(block, first)
		if err != nil || largest <= maxScaled {
			return err
		}
	}
	// Zeros alone so far, or values that outgrow the exponent.
	if err := m.fit(block, first, block.Rows); err != nil {
		return err
	}
	_, err := m.read(block, first)
	return err
}

// start chooses exponents and provisional means by the first rows.
func (m *moments) start(scratch lapack.Matrix[float64]) error {
	rows := min(chunkRows, scratch.Rows)
	if err := m.fit(scratch, 0, rows); err != nil {
		return err
	}
	return m.shift(scratch.View(0, 0, rows, scratch.Cols))
}

// fit looks at rows as they are and chooses exponents that they do not outgrow.
func (m *moments) fit(scratch lapack.Matrix[float64], first, rows int) error {
	largest, err := m.inspect(scratch, first, rows)
	if err != nil {
		return err
	}
	for i, s := range m.sides {
		if largest[i] > 0 && (!s.scaled || math.Ldexp(largest[i], -s.exponent) > maxScaled) {
			m.rescale(i, largest[i])
		}
	}
	return nil
}

func (m *moments) allScaled() bool {
	for _, s := range m.sides {
		if !s.scaled {
			return false
		}
	}
	return true
}

// diagonalFinite reports whether every neuron's sum of squares is: NaN shows
// there, and in nothing before.
func (m *moments) diagonalFinite() bool {
	for j := range m.gram.Rows {
		if v := m.gram.At(j, j); math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// rescale chooses a new exponent for side i and brings its sums to it: exact,
// but for what underflows beside the values that made it necessary.
func (m *moments) rescale(i int, largest float64) {
	s := m.sides[i]
	old := s.exponent
	s.choose(largest)
	factor := math.Ldexp(1, old-s.exponent)
	lo := m.begin(i)
	hi := lo + s.d
	for j := range s.shift {
		s.shift[j] *= factor
	}
	for r := range hi {
		row := m.gram.Row(r)
		if r >= lo {
			for c := r; c < len(row); c++ {
				row[c] *= factor
			}
		}
		for c := max(r, lo); c < hi; c++ {
			row[c] *= factor
		}
	}
}

// shift sets the provisional means to those of the first rows. Any values near
// the data would do: finish corrects exactly, so only cancellation depends on
// them, and that is bounded by ε·(distance to the mean / deviation)².
func (m *moments) shift(scratch lapack.Matrix[float64]) error {
	for _, s := range m.sides {
		if s.centering == CenterNone {
			continue
		}
		rows := scratch.View(0, 0, scratch.Rows, s.d)
		if err := s.Read(rows, 0, 0); err != nil {
			return s.wrap(err)
		}
		for i := range rows.Rows {
			for j, v := range rows.Row(i) {
				s.shift[j] += math.Ldexp(v, -s.exponent) / float64(rows.Rows)
			}
		}
	}
	return nil
}

// finish centres the sums and surveys each layer's neurons.
func (m *moments) finish() {
	total := m.sides[0].weights.total
	m.sum = make([]float64, m.columns())
	for j := range m.sum {
		m.sum[j] = m.gram.At(j, len(m.sum))
	}
	at := 0
	for _, s := range m.sides {
		mean := make([]float64, s.d)
		if s.centering == CenterNeurons {
			s.rest = make([]float64, s.d)
			for j := range mean {
				s.rest[j] = m.sum[at+j] / total
				mean[j] = s.shift[j] + s.rest[j]
			}
		} else {
			clear(m.sum[at : at+s.d])
		}
		s.mean = mean
		at += s.d
	}
	for i := range m.sum {
		row, mean := m.gram.Row(i), m.sum[i]/total
		for j := i; j < len(m.sum); j++ {
			row[j] -= mean * m.sum[j]
		}
	}
	at = 0
	for _, s := range m.sides {
		squares := make([]float64, s.d)
		for j := range squares {
			squares[j] = max(0, m.gram.At(at+j, at+j))
		}
		s.survey(0, squares)
		at += s.d
	}
}

// apart returns Σw·‖shift − mean‖² of side i, which finish took from its sums.
func (m *moments) apart(i int) (squares float64) {
	at, total := m.begin(i), m.sides[i].weights.total
	for _, v := range m.sum[at : at+m.sides[i].d] {
		squares += v / total * v
	}
	return squares
}

// block returns the sums of products of side i's neurons with side j's, i ≤ j;
// for i = j the upper triangle alone is set.
func (m *moments) block(i, j int) lapack.Matrix[float64] {
	return m.gram.View(m.begin(i), m.begin(j), m.sides[i].d, m.sides[j].d)
}

// reduce decomposes side i's own block. The basis is not certain where a
// decision hangs on what squaring lost.
func (m *moments) reduce(i int, o Options) (b *basis, certain bool, err error) {
	s, gram := m.sides[i], m.block(i, i)
	if len(s.active) < s.d {
		full := gram
		gram = lapack.New[float64](len(s.active), len(s.active))
		for r, j := range s.active {
			for c, k := range s.active[r:] {
				gram.Set(r, r+c, full.At(j, k))
			}
		}
	}
	if err := m.eigen.Factorize(gram, true); err != nil {
		return nil, false, s.wrap(err)
	}
	v := m.eigen.VectorsTo(lapack.Matrix[float64]{}, len(s.active))
	sp := squaredSpectrum(m.eigen.Values(), s.d)
	sp.along = s.rmsAlong(v)
	sp.apart = m.apart(i)
	b = &basis{side: s, spectrum: sp, method: MethodMoments}
	certain = b.cut(o)
	b.v = s.expand(v.View(0, 0, len(s.active), b.k))
	return b, certain, nil
}

// cross returns M = U_xᵀU_y of the two layers' bases (DEFINITIONS §3).
func (m *moments) cross(x, y *basis) lapack.Matrix[float64] {
	left := lapack.New[float64](x.k, y.d)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, x.v, m.block(0, 1), 0, left)
	M := lapack.New[float64](x.k, y.k)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, left, y.v, 0, M)
	for i := range M.Rows {
		row := M.Row(i)
		for j := range row {
			row[j] /= x.s[i] * y.s[j]
		}
	}
	return M
}
