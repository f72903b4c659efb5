package svcca

import (
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/compressed"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// moments are the sums of squares and products over the rows of one or two
// layers side by side, D columns in all. They cost one pass and, per row, one
// rank-1 update of a D × D matrix: the least that any method can do.
type moments struct {
	panel
	n int // datapoints
	// gram is the upper triangle of Σ w·v·vᵀ, v a shifted and scaled row behind a 1:
	// the first row holds Σ w·v, at no pass of its own.
	gram lapack.Matrix[float64]
	// apart is, by side, Σ w·‖shift − mean‖², which finish took from its sums.
	apart [2]float64
	// spectral and frobenius are, by side, norms of the errors of float32 products.
	spectral, frobenius [2]float64
	// unseen: a neuron of the side is so small beside the others that squares of it
	// are nothing in float32, and it would pass for constant.
	unseen [2]bool
}

// panelBytes bounds a block of rows in memory: two of 8 MiB share the last-level
// cache of a small server, and products reach their full speed well below that.
const panelBytes = 8 << 20

// panelRows returns how many rows of d columns a block has, also of none.
func panelRows(d int) int { return min(max(panelBytes/(8*max(d, 1)), 64), 1024) }

// newMoments reads n rows of the layers.
func newMoments(p panel, n int) (*moments, error) {
	d := p.columns()
	m := &moments{panel: p, n: n, gram: take(&p.workspace.gram, d, d)}
	if p.sparse() {
		m.precision = Double
		return m, m.sumSparse()
	}
	first, rows := 0, min(chunkRows, n)
	for {
		if err := m.start(first, rows); err != nil {
			return nil, err
		}
		m.gram.Zero()
		m.probes = nil
		if p.precision == Mixed {
			for i, s := range p.sides {
				m.probes = append(m.probes, newProbes(&m.signs[i], s.d, chunks(min(panelRows(d), n))))
			}
		}
		var err error
		if first, rows, err = m.sum(); err != nil {
			return nil, err
		}
		if rows == 0 {
			m.finish()
			return m, nil
		}
		// Squares in these rows overflow: once more, in units that are theirs.
	}
}

// sum adds up all rows: while one block of them is multiplied the next is read. It
// ends early with the rows, if any, whose values are finite and their squares not.
func (m *moments) sum() (first, rows int, err error) {
	d := m.columns()
	most := min(panelRows(d), m.n)
	blocks := [2]block{m.block(m.precision, 0, most, d), m.block(m.precision, 1, most, d)}
	tiles := tilesOf(d, m.Tile)
	var products crew.Tasks // of the block read last, rows last … first
	for first, last := 0, 0; products.Count > 0 || first < m.n; {
		rows := min(most, m.n-first)
		next := blocks[0].head(rows)
		if err := m.Both(products, m.reads(next, first)); err != nil {
			return 0, 0, err
		}
		if products.Count > 0 && !m.diagonalFinite() {
			_, err := m.inspect(last, first-last)
			return last, first - last, err
		}
		products = crew.Tasks{}
		if rows > 0 {
			products = crew.Tasks{Count: len(tiles), Do: func(i, worker int) error {
				tiles[i].add(&m.parts32[worker], next, 0, m.gram)
				return nil
			}}
		}
		first, last = first+rows, first
		blocks[0], blocks[1] = blocks[1], blocks[0]
	}
	return 0, 0, nil
}

// sparseStrip is how many rows of a sparse layer's Gram matrix a task makes.
const sparseStrip = 16

// sumSparse adds up and centres the products of sparse layers, row by row of the Gram
// matrix.
func (m *moments) sumSparse() error {
	var values nonzeros
	var where compressed.Columns
	var rest, squares []float64
	for k, s := range m.sides {
		x := newSparseRows(m.Crew, s)
		if k == 0 {
			values, where = x.values, x.columns
		} else {
			values = values.and(x.values)
			where = values.Columns()
		}
		rest, squares, m.apart[k] = append(rest, s.rest...), append(squares, x.squares...), x.apart
	}
	total := m.sides[0].weights.total
	strips := (len(rest) + sparseStrip - 1) / sparseStrip
	return m.Run(strips, func(i, _ int) error {
		for j := i * sparseStrip; j < min((i+1)*sparseStrip, len(rest)); j++ {
			row := m.gram.Row(1 + j)[1:]
			values.square(where, j, row)
			sum := total * rest[j]
			for k, mean := range rest[j:] {
				row[j+k] -= sum * mean
			}
			row[j] = squares[j]
		}
		return nil
	})
}

// tile is a part of the upper triangle of a Gram matrix.
type tile struct{ row, col, rows, cols int }

// strips cuts 0 … d into strips of about width: pairs of first and end.
func strips(d, width int) (s [][2]int) {
	count := max(1, (d+width/2)/width)
	for i := range count {
		s = append(s, [2]int{d * i / count, d * (i + 1) / count})
	}
	return s
}

// tilesOf cuts the upper triangle of order d into square tiles of about width,
// the largest first.
func tilesOf(d, width int) (tiles []tile) {
	s := strips(d, width)
	for i, r := range s {
		for _, c := range s[i:] {
			tiles = append(tiles, tile{r[0], c[0], r[1] - r[0], c[1] - c[0]})
		}
	}
	slices.SortStableFunc(tiles, func(a, b tile) int { return b.work() - a.work() })
	return tiles
}

func (t tile) work() int {
	if t.row == t.col {
		return t.rows * t.cols / 2
	}
	return t.rows * t.cols
}

// add adds the tile of bᵀb to sum, its columns from those of b that begin at
// offset. What float32 makes of a block, in the memory given, is added in float64.
func (t tile) add(memory *[]float32, b block, offset int, sum lapack.Matrix[float64]) {
	to := sum.View(t.row, t.col, t.rows, t.cols)
	if b.f32.Data == nil {
		multiply(t, b.f64, offset, 1, to)
		return
	}
	product := take(memory, t.rows, t.cols)
	multiply(t, b.f32, offset, 0, product)
	t.addProduct(product, offset, sum)
}

// addProduct adds a product in float32 to the tile of sum.
func (t tile) addProduct(product lapack.Matrix[float32], offset int, sum lapack.Matrix[float64]) {
	to := sum.View(t.row, t.col, t.rows, t.cols)
	for i := range product.Rows {
		from := 0
		if t.row == t.col && offset == 0 {
			from = i
		}
		row := to.Row(i)[from:]
		for j, v := range product.Row(i)[from:] {
			row[j] += float64(v)
		}
	}
}

// multiply sets c to the tile of aᵀa + beta·c.
func multiply[T lapack.Real](t tile, a lapack.Matrix[T], offset int, beta T, c lapack.Matrix[T]) {
	left := a.View(0, t.row, a.Rows, t.rows)
	if t.row == t.col && offset == 0 {
		lapack.Syrk(blas.Trans, 1, left, beta, c)
		return
	}
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, left, a.View(0, offset+t.col, a.Rows, t.cols), beta, c)
}

// start chooses exponents by the given rows or, of a layer with nothing but zeros
// there, by the next that has others; and provisional means.
func (m *moments) start(first, rows int) error {
	for waiting := true; waiting && first < m.n; first += rows {
		rows = min(rows, m.n-first)
		largest, err := m.inspect(first, rows)
		if err != nil {
			return err
		}
		waiting = false
		for i, s := range m.sides {
			if largest[i] > 0 {
				s.choose(largest[i])
			}
			waiting = waiting || !s.scaled
		}
	}
	for _, s := range m.sides {
		if err := m.shift(s); err != nil {
			return err
		}
	}
	return nil
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

// shiftGroups is how many groups of rows give provisional means.
const shiftGroups = 8

// shift sets the provisional means of s to those of rows spread over all of them,
// as data are often sorted. Any values near the data would do: finish corrects
// exactly, so only cancellation depends on them, and that is bounded by
// ε·(distance to the mean / deviation)². What is not finite is met again, in order.
func (m *moments) shift(s *side) error {
	mean := make([]float64, s.d)
	if s.centering == CenterNeurons {
		counts := make([]float64, s.d)
		groups := min(shiftGroups, chunks(m.n))
		rows := min(chunkRows, m.n)
		for i := range groups {
			// They are far apart: of a compressed file each is long in coming.
			if err := m.Ctx.Err(); err != nil {
				return err
			}
			sample := take(&m.chunks[0], rows, s.d)
			if err := s.Read(sample, i*(m.n-rows)/max(groups-1, 1), 0); err != nil {
				return s.wrap(err)
			}
			for r := range rows {
				for j, v := range sample.Row(r) {
					if v = math.Ldexp(v, -s.exponent); math.Abs(v) <= m.precision.largest() {
						mean[j] += v
						counts[j]++
					}
				}
			}
		}
		for j, count := range counts {
			mean[j] /= max(count, 1)
		}
	}
	s.setShift(mean)
	return nil
}

// finish centres the sums and surveys each layer's neurons.
func (m *moments) finish() {
	total := m.sides[0].weights.total
	rest := make([]float64, m.columns())
	var sums [2]lapack.Matrix[float64]
	for k, s := range m.sides {
		at := m.begin(k)
		if m.precision == Mixed {
			sums[k] = m.probes[k].total()
			for j := range s.d {
				m.gram.Set(0, at+j, sums[k].At(j, 0))
			}
		}
		s.mean, s.rest = make([]float64, s.d), rest[at:at+s.d]
		for j := range s.rest {
			if s.centering == CenterNeurons {
				s.rest[j] = m.gram.At(0, at+j) / total
			}
			s.mean[j] = s.shift[j] + s.rest[j]
			m.apart[k] += total * s.rest[j] * s.rest[j]
		}
	}
	for i, mean := range rest {
		row, sum := m.gram.Row(i), mean*total
		for j := i; j < len(rest); j++ {
			row[j] -= sum * rest[j]
		}
	}
	for k, s := range m.sides {
		if m.precision == Mixed {
			m.spectral[k], m.frobenius[k] = m.probes[k].errors(m.of(k, k), sums[k], total, s.rest)
			for j, mean := range s.mean {
				m.unseen[k] = m.unseen[k] || mean != 0 && math.Abs(mean) < 0x1p-50 && m.of(k, k).At(j, j) < 0x1p-100
			}
		}
	}
	m.survey()
}

// survey surveys each layer's neurons once their sums are centred.
func (m *moments) survey() {
	for k, s := range m.sides {
		at, squares := m.begin(k), make([]float64, s.d)
		for j := range squares {
			squares[j] = max(0, m.gram.At(at+j, at+j))
		}
		s.survey(0, squares)
	}
}

// of returns the sums of products of side i's neurons with side j's, i ≤ j; for
// i = j the upper triangle alone is set.
func (m *moments) of(i, j int) lapack.Matrix[float64] {
	return m.gram.View(m.begin(i), m.begin(j), m.sides[i].d, m.sides[j].d)
}

// reduce decomposes side i's own sums, which it spoils. The basis has its V in the
// workspace.
func (m *moments) reduce(i int, o Options) (*basis, error) {
	s, gram := m.sides[i], m.of(i, i)
	if len(s.active) < s.d {
		full := gram
		gram = take(&m.active[i], len(s.active), len(s.active))
		for r, j := range s.active {
			for c, k := range s.active[r:] {
				gram.Set(r, r+c, full.At(j, k))
			}
		}
	}
	eigen, memory := &m.eigen[i], &m.vectors[i]
	if err := eigen.FactorizeInPlace(gram); err != nil {
		return nil, s.wrap(err)
	}
	b := &basis{side: s, method: MethodMoments, precision: m.precision}
	b.S, b.Squared = squaredValues(eigen.Values(), min(s.n, s.d)), true
	if low, high := b.boundAlong(o.RankTol); low < high {
		high = min(high, len(s.active))
		v, err := eigen.VectorsTo(take(memory, len(s.active), high), high)
		if err != nil {
			return nil, s.wrap(err)
		}
		along := make([]float64, len(s.active))
		for i := low; i < high; i++ {
			for r := range along {
				along[r] = v.At(r, i)
			}
			b.Along[i] = s.rmsAlong(along)
		}
	}
	b.Loss = spectrum.SquaredLoss(b.S[0], m.apart[i])
	if m.precision == Mixed {
		b.Loss = spectrum.MixedLoss(b.S[0], m.spectral[i], m.frobenius[i])
	}
	b.cut(o)
	b.KSure = b.KSure && !m.unseen[i]
	v, err := eigen.VectorsTo(take(memory, len(s.active), b.K), b.K)
	if err != nil {
		return nil, s.wrap(err)
	}
	b.v = s.expand(&m.expanded[i], v)
	return b, nil
}
