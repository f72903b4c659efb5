package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// gramOperator multiplies by the smaller Gram matrix of a layer, which is never
// formed: XcᵀXc by blocks of rows where n ≥ d, XcXcᵀ by panels of neurons where n < d.
// Either is one pass.
type gramOperator interface {
	// survey sets y to the product with q, whose columns are random, while it learns
	// of neurons what centring and the rank ask for. It returns the trace, ‖Xc‖_F², and
	// what rounding may have done to it.
	survey(q, y lapack.Matrix[float64]) (trace, lost float64, err error)
	// apply sets y to the product with q.
	apply(q, y lapack.Matrix[float64]) error
	// mask sets to zero what belongs to constant neurons, and free returns the
	// dimension of what is left.
	mask(m lapack.Matrix[float64])
	free() int
}

const (
	// krylovBytes bounds a block of rows: its products are with few columns, whose
	// rows are read and sums written once for each block.
	krylovBytes = 64 << 20
	// krylovStrip is how many rows a task reads and multiplies, and neuronStrip of how
	// many neurons one adds up products.
	krylovStrip = 64
	neuronStrip = 512
	// columnStrip is how many columns a task makes of a panel's product.
	columnStrip = 32
)

// tallGram is XcᵀXc of a layer with n ≥ d.
type tallGram struct {
	panel
	*side
	sums, squares []float64 // by neuron, while the layer is surveyed
}

func (s *side) free() int { return len(s.active) }

func (s *side) mask(m lapack.Matrix[float64]) {
	next := 0
	for j := range m.Rows {
		if next < len(s.active) && s.active[next] == j {
			next++
			continue
		}
		clear(m.Row(j))
	}
}

func (g *tallGram) survey(q, y lapack.Matrix[float64]) (trace, lost float64, err error) {
	m := &moments{panel: g.panel, n: g.n}
	for first, rows := 0, min(chunkRows, g.n); rows > 0; {
		if err := m.start(first, rows); err != nil {
			return 0, 0, err
		}
		g.sums, g.squares = make([]float64, g.d), make([]float64, g.d)
		if first, rows, err = g.pass(q, y); err != nil {
			return 0, 0, err
		}
		// Squares in these rows overflow: once more, in units that are theirs.
	}
	total, apart, along := g.weights.total, 0.0, make([]float64, q.Cols)
	g.mean, g.rest = make([]float64, g.d), make([]float64, g.d)
	for j, sum := range g.sums {
		rest := 0.0
		if g.centering == CenterNeurons {
			rest = sum / total
		}
		g.mean[j] = g.shift[j] + rest
		g.squares[j] = max(0, g.squares[j]-total*rest*rest)
		apart += total * rest * rest
		g.sums[j] = rest
		for i, v := range q.Row(j) {
			along[i] += rest * v
		}
	}
	for j, rest := range g.sums {
		row := y.Row(j)
		for i := range row {
			row[i] -= total * rest * along[i]
		}
	}
	g.side.survey(0, g.squares)
	for _, j := range g.active {
		trace += g.squares[j]
	}
	g.mask(y)
	// From now on rows are read less their means.
	g.setShift(g.mean)
	g.sums, g.squares = nil, nil
	return trace, krylovRounding * (trace + apart), nil
}

func (g *tallGram) apply(q, y lapack.Matrix[float64]) error {
	_, _, err := g.pass(q, y)
	g.mask(y)
	return err
}

// krylovRows returns how many rows a block has.
func krylovRows(n, d int) int { return min(max(krylovBytes/(8*(1+d)), krylovStrip), 1024, n) }

// pass sets y to BᵀBq, summed over blocks B of rows: while sums grow by one, the
// next is read and multiplied by q. It ends early with the rows, if any, whose
// values are finite and their squares not.
func (g *tallGram) pass(q, y lapack.Matrix[float64]) (first, rows int, err error) {
	most := krylovRows(g.n, g.d)
	y.Zero()
	type part struct{ rows, z lapack.Matrix[float64] }
	var parts [2]part
	for i := range parts {
		parts[i] = part{take(&g.blocks[i], most, 1+g.d), lapack.New[float64](most, q.Cols)}
	}
	neurons := strips(g.d, neuronStrip)
	var products crew.Tasks // of the part read last, rows last … first
	for first, last := 0, 0; products.Count > 0 || first < g.n; {
		rows := min(most, g.n-first)
		next := part{parts[0].rows.View(0, 0, rows, 1+g.d), parts[0].z.View(0, 0, rows, q.Cols)}
		reads := crew.Tasks{Count: (rows + krylovStrip - 1) / krylovStrip, Do: func(i, worker int) error {
			at := i * krylovStrip
			count := min(krylovStrip, rows-at)
			for lo := at; lo < at+count; lo += chunkRows {
				chunk := next.rows.View(lo, 0, min(chunkRows, at+count-lo), 1+g.d)
				if err := g.fill(block{f64: chunk}, 0, first+lo, worker); err != nil {
					return err
				}
			}
			lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, next.rows.View(at, 1, count, g.d), q, 0, next.z.View(at, 0, count, q.Cols))
			return nil
		}}
		if err := g.Both(products, reads); err != nil {
			return 0, 0, err
		}
		if products.Count > 0 && !allFinite(g.squares) {
			_, err := g.panel.inspect(last, first-last)
			return last, first - last, err
		}
		products = crew.Tasks{}
		if rows > 0 {
			products = crew.Tasks{Count: len(neurons), Do: func(i, _ int) error {
				lo, width := neurons[i][0], neurons[i][1]-neurons[i][0]
				lapack.Gemm(blas.Trans, blas.NoTrans, 1, next.rows.View(0, 1+lo, rows, width), next.z, 1, y.View(lo, 0, width, q.Cols))
				if g.squares != nil {
					g.tally(next.rows, lo, width)
				}
				return nil
			}}
		}
		first, last = first+rows, first
		parts[0], parts[1] = parts[1], parts[0]
	}
	return 0, 0, nil
}

// tally adds up the values of neurons lo … lo+width, and their squares.
func (g *tallGram) tally(rows lapack.Matrix[float64], lo, width int) {
	sums, squares := g.sums[lo:lo+width], g.squares[lo:lo+width]
	for i := range rows.Rows {
		root := rows.At(i, 0)
		for j, v := range rows.Row(i)[1+lo : 1+lo+width] {
			sums[j] += root * v
			squares[j] += v * v
		}
	}
}

func allFinite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
