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
	gram lapack.Matrix[float64] // upper triangle of Σ w·v·vᵀ, v a shifted and scaled row
	sum  []float64              // Σ w·v
}

// panelBytes bounds a block of rows in memory: two of 8 MiB share the last-level
// cache of a small server, and products reach their full speed well below that.
const panelBytes = 8 << 20

// panelRows returns how many rows of d columns a block has.
func panelRows(d int) int { return min(max(panelBytes/(8*d), 64), 1024) }

// newMoments reads every row of the layers.
func newMoments(p panel) (*moments, error) {
	d := p.columns()
	m := &moments{panel: p, gram: lapack.New[float64](d, d), sum: make([]float64, d)}
	n := m.sides[0].n
	buffer := lapack.New[float64](min(panelRows(d), n), d)
	for first := 0; first < n; first += buffer.Rows {
		block := buffer.View(0, 0, min(buffer.Rows, n-first), d)
		if err := m.fill(block, first); err != nil {
			return nil, err
		}
		lapack.Syrk(blas.Trans, 1, block, 1, m.gram)
		for c := 0; c*chunkRows < block.Rows; c++ {
			for j, v := range m.sums[c] {
				m.sum[j] += v
			}
		}
	}
	m.finish()
	return m, nil
}

// fill reads a block, choosing exponents and provisional means on the way.
func (m *moments) fill(block lapack.Matrix[float64], first int) error {
	if m.allScaled() {
		largest, err := m.read(block, first)
		if err != nil {
			return err
		}
		if largest <= maxScaled && m.sumsFinite(block.Rows) {
			return nil
		}
	}
	// The first block, one after zeros alone, NaN, or values that outgrow the
	// exponent: look at them as they are.
	largest, err := m.inspect(block, first, block.Rows)
	if err != nil {
		return err
	}
	for i, s := range m.sides {
		if largest[i] > 0 && (!s.scaled || math.Ldexp(largest[i], -s.exponent) > maxScaled) {
			m.rescale(i, largest[i])
		}
	}
	if first == 0 {
		if err := m.shift(block); err != nil {
			return err
		}
	}
	_, err = m.read(block, first)
	return err
}

func (m *moments) allScaled() bool {
	for _, s := range m.sides {
		if !s.scaled {
			return false
		}
	}
	return true
}

func (m *moments) sumsFinite(rows int) bool {
	for c := 0; c*chunkRows < rows; c++ {
		for _, v := range m.sums[c] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return false
			}
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
	lo := 0
	for _, left := range m.sides[:i] {
		lo += left.d
	}
	hi := lo + s.d
	for j := range s.shift {
		s.shift[j] *= factor
		m.sum[lo+j] *= factor
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
		rows := scratch.View(0, 0, min(chunkRows, s.n), s.d)
		if err := s.Read(rows, 0, 0); err != nil {
			return err
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
	at := 0
	for _, s := range m.sides {
		mean := make([]float64, s.d)
		if s.centering == CenterNeurons {
			for j := range mean {
				mean[j] = s.shift[j] + m.sum[at+j]/total
			}
		} else {
			clear(m.sum[at : at+s.d])
		}
		s.mean = mean
		at += s.d
	}
	for i := range m.gram.Rows {
		row := m.gram.Row(i)
		for j := i; j < len(row); j++ {
			row[j] -= m.sum[i] / total * m.sum[j]
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

// block returns the sums of products of side i's neurons with side j's, i ≤ j;
// for i = j the upper triangle alone is set.
func (m *moments) block(i, j int) lapack.Matrix[float64] {
	start := func(i int) (at int) {
		for _, s := range m.sides[:i] {
			at += s.d
		}
		return at
	}
	return m.gram.View(start(i), start(j), m.sides[i].d, m.sides[j].d)
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
	var eigen lapack.Eigen[float64]
	if err := eigen.Factorize(gram, true); err != nil {
		return nil, false, s.wrap(err)
	}
	v := eigen.VectorsTo(lapack.Matrix[float64]{}, len(s.active))
	sp := squaredSpectrum(eigen.Values(), s.d)
	sp.along = s.rmsAlong(v)
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
