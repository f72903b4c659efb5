package svcca

import (
	"math"
	"slices"

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
}

// panelBytes bounds a block of rows in memory: two of 8 MiB share the last-level
// cache of a small server, and products reach their full speed well below that.
const panelBytes = 8 << 20

// panelRows returns how many rows of d columns a block has.
func panelRows(d int) int { return min(max(panelBytes/(8*d), 64), 1024) }

// newMoments reads n rows of the layers. While one block of them is multiplied
// the next is read.
func newMoments(p panel, n int) (*moments, error) {
	d := p.columns()
	m := &moments{panel: p, n: n, gram: take(&p.workspace.gram, d, d)}
	m.gram.Zero()
	if err := m.start(); err != nil {
		return nil, err
	}
	most := min(panelRows(d), n)
	blocks := [2]block{p.block(p.precision, 0, most, d), p.block(p.precision, 1, most, d)}
	peaks := make([]float64, chunks(most))
	tiles := tilesOf(d, p.tileWidth())
	var part lapack.Matrix[float32]
	if p.precision == Mixed {
		part = take(&p.part32, d, d)
	}
	var products tasks // of the block read last, whose rows end at first
	for first, last := 0, 0; products.count > 0 || first < n; {
		rows := min(most, n-first)
		next := blocks[0].head(rows)
		var reads tasks
		if rows > 0 {
			reads = p.reads(next, first, peaks[:chunks(rows)])
		}
		if err := p.both(products, reads); err != nil {
			return nil, err
		}
		if products.count > 0 && !m.diagonalFinite() {
			if _, err := p.inspect(last, first-last); err != nil {
				return nil, err
			}
		}
		products = tasks{}
		if rows > 0 {
			if err := m.fitted(reads, peaks, first, rows); err != nil {
				return nil, err
			}
			products = tasks{len(tiles), func(i, _ int) error {
				tiles[i].add(part, next, 0, m.gram)
				return nil
			}}
		}
		first, last = first+rows, first
		blocks[0], blocks[1] = blocks[1], blocks[0]
	}
	m.finish()
	return m, nil
}

// fitted makes sure that the block which reads filled is in the units of the
// sums: zeros alone so far, and values that outgrow the exponent, change those.
func (m *moments) fitted(reads tasks, peaks []float64, first, rows int) error {
	if m.allScaled() && slices.Max(peaks[:reads.count]) <= m.precision.largest() {
		return nil
	}
	if err := m.fit(first, rows); err != nil {
		return err
	}
	return m.run(reads.count, reads.do)
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

// tileWidth is at most so large that a task takes no more than a tenth of a
// second, after which a context is looked at again.
func (c crew) tileWidth() int {
	if c.workers == 1 || c.threaded {
		return 1024
	}
	return 256
}

// add adds the tile of bᵀb to sum, its columns from those of b that begin at
// offset. What float32 makes of a block is added in float64; part, of sum's shape,
// is its memory.
func (t tile) add(part lapack.Matrix[float32], b block, offset int, sum lapack.Matrix[float64]) {
	to := sum.View(t.row, t.col, t.rows, t.cols)
	if b.f32.Data == nil {
		multiply(t, b.f64, offset, 1, to)
		return
	}
	product := part.View(t.row, t.col, t.rows, t.cols)
	multiply(t, b.f32, offset, 0, product)
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
func multiply[T lapack.Scalar](t tile, a lapack.Matrix[T], offset int, beta T, c lapack.Matrix[T]) {
	left := a.View(0, t.row, a.Rows, t.rows)
	if t.row == t.col && offset == 0 {
		lapack.Syrk(blas.Trans, 1, left, beta, c)
		return
	}
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, left, a.View(0, offset+t.col, a.Rows, t.cols), beta, c)
}

// start chooses exponents by the first rows, and provisional means.
func (m *moments) start() error {
	if err := m.fit(0, min(chunkRows, m.n)); err != nil {
		return err
	}
	for _, s := range m.sides {
		if s.centering == CenterNeurons {
			if err := m.shift(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// fit looks at rows as they are and chooses exponents that they do not outgrow.
func (m *moments) fit(first, rows int) error {
	largest, err := m.inspect(first, rows)
	if err != nil {
		return err
	}
	for i, s := range m.sides {
		if largest[i] > 0 && (!s.scaled || math.Ldexp(largest[i], -s.exponent) > m.precision.largest()) {
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
	for j := range s.shift {
		s.shift[j] *= factor
	}
	scaleBlock(m.gram, m.begin(i), s.d, factor)
}

// scaleBlock multiplies d rows and columns from the at-th on of a symmetric
// matrix, of which the upper triangle is there.
func scaleBlock(gram lapack.Matrix[float64], at, d int, factor float64) {
	for r := range at + d {
		row := gram.Row(r)
		if r >= at {
			for c := r; c < len(row); c++ {
				row[c] *= factor
			}
		}
		for c := max(r, at); c < at+d; c++ {
			row[c] *= factor
		}
	}
}

// shift sets the provisional means of s to those of rows spread over all of them,
// as data are often sorted. Any values near the data would do: finish corrects
// exactly, so only cancellation depends on them, and that is bounded by
// ε·(distance to the mean / deviation)². What is not finite is met again, in order.
func (m *moments) shift(s *side) error {
	sample := min(chunkRows, m.n)
	row, counts := take(&m.chunks[0], 1, s.d), make([]float64, s.d)
	for i := range sample {
		if err := s.Read(row, i*m.n/sample, 0); err != nil {
			return s.wrap(err)
		}
		for j, v := range row.Row(0) {
			if v = math.Ldexp(v, -s.exponent); math.Abs(v) <= m.precision.largest() {
				s.shift[j] += v
				counts[j]++
			}
		}
	}
	for j, count := range counts {
		s.shift[j] /= max(count, 1)
	}
	return nil
}

// finish centres the sums and surveys each layer's neurons.
func (m *moments) finish() {
	total := m.sides[0].weights.total
	rest := make([]float64, m.columns())
	for k, s := range m.sides {
		at := m.begin(k)
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

// reduce decomposes side i's own sums.
func (m *moments) reduce(i int, o Options) (*basis, error) {
	s, gram := m.sides[i], m.of(i, i)
	if len(s.active) < s.d {
		full := gram
		gram = lapack.New[float64](len(s.active), len(s.active))
		for r, j := range s.active {
			for c, k := range s.active[r:] {
				gram.Set(r, r+c, full.At(j, k))
			}
		}
	}
	eigen := &m.eigen[i]
	if err := eigen.Factorize(gram, true); err != nil {
		return nil, s.wrap(err)
	}
	v := eigen.VectorsTo(lapack.Matrix[float64]{}, len(s.active))
	sp := squaredSpectrum(eigen.Values(), min(s.n, s.d))
	sp.along = s.rmsAlong(v)
	sp.apart, sp.unit = m.apart[i], m.precision.unit()
	b := &basis{side: s, spectrum: sp, method: MethodMoments, precision: m.precision}
	b.cut(o)
	b.v = s.expand(v.View(0, 0, len(s.active), b.k))
	return b, nil
}
