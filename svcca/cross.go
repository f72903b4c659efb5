package svcca

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
)

// Cross compares many layers that were reduced before (Reduce, Moments.Reduce), in
// a second pass over their rows: it sums the products of all layers' coordinates
// at once. Rows come in blocks of any size, in any order, from many goroutines.
//
//	cross, err := svcca.NewCross(layers, against)
//	err = cross.Add(ctx, blocks, againstBlocks, nil) // the same datapoints of each
//	c, err := cross.Compare(i, j)
type Cross struct {
	rows, columns []*Reduced
	symmetric     bool

	mu    sync.Mutex
	sum   lapack.Matrix[float64]
	count int // datapoints
}

// NewCross prepares for comparing each layer with each of against or, where
// against is nil, with each other. Memory: (Σk)(Σk') values.
// The error wraps ErrMismatch where the layers were not reduced over the same
// number of datapoints, by the same centring and weights.
func NewCross(layers, against []*Reduced) (*Cross, error) {
	x := &Cross{rows: layers, columns: against, symmetric: against == nil}
	if x.symmetric {
		x.columns = layers
	}
	for _, side := range [][]*Reduced{x.rows, x.columns} {
		if len(side) == 0 {
			return nil, fmt.Errorf("svcca: no layers to compare: %w", ErrShape)
		}
		for _, r := range side {
			if err := x.rows[0].matches(r); err != nil {
				return nil, err
			}
		}
	}
	x.sum = lapack.New[float64](kept(x.rows), kept(x.columns))
	return x, nil
}

// kept returns Σk.
func kept(layers []*Reduced) (total int) {
	for _, r := range layers {
		total += r.K
	}
	return total
}

// Add adds rows: a block of each layer and of each against, which must be nil
// where the layers are compared with each other. Weights are those of the rows, as
// in the first pass; nil for 1. Of a block with an error nothing is added.
func (x *Cross) Add(ctx context.Context, layers, against []Layer, weights []float64) error {
	if len(layers) != len(x.rows) || x.symmetric && against != nil || !x.symmetric && len(against) != len(x.columns) {
		return fmt.Errorf("svcca: blocks of %d and %d layers for %d and %d: %w", len(layers), len(against), len(x.rows), len(x.columns), ErrMismatch)
	}
	sides, err := sidesOf(append(append([]Layer{}, layers...), against...), weights)
	if err != nil {
		return err
	}
	c, w := crew.New(ctx), borrow()
	c.Tile = crossTile
	defer w.back()
	sum := lapack.New[float64](x.sum.Rows, x.sum.Cols)
	pass := &crossing{Crew: c, workspace: w, precision: x.precision(), symmetric: x.symmetric}
	reduced := x.rows
	if !x.symmetric {
		reduced = append(append([]*Reduced{}, x.rows...), x.columns...)
	}
	for i, s := range sides {
		r := reduced[i]
		if s.d != r.Neurons {
			return fmt.Errorf("svcca: layer %q: %d neurons, %q was reduced from %d: %w", s.name, s.d, r.Name, r.Neurons, ErrMismatch)
		}
		source := newCoordinates(r.basis.over(s, weights), pass.precision, new([]float64), new([]float32))
		if i < len(x.rows) {
			pass.left = append(pass.left, source)
		} else {
			pass.right = append(pass.right, source)
		}
	}
	n := sides[0].n
	pass.blockRows = panelRows(sum.Rows + sum.Cols)
	if err := pass.run(n, sum); err != nil {
		return err
	}
	if !finite(sum) {
		for _, s := range sides {
			p := newPanel(c, w, Double, s)
			if _, err := p.inspect(0, n); err != nil {
				return err
			}
		}
		return fmt.Errorf("svcca: products of coordinates: %w", ErrRange)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.count += n
	addTo(x.sum, sum)
	return nil
}

// over returns b with other rows than it was found in.
func (b *basis) over(rows *side, weights []float64) *basis {
	s := *b.side
	s.Layer, s.n, s.sparse = rows.Layer, rows.n, rows.sparse
	s.weights = rows.weights
	if weights != nil {
		s.weights = newWeightsIn(weights, b.weights.exponent)
	}
	other := *b
	other.side = &s
	return &other
}

// precision returns that of products.
func (x *Cross) precision() Precision { return x.rows[0].options.Precision }

// finite reports whether every element of m is.
func finite(m lapack.Matrix[float64]) bool {
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			if !(math.Abs(v) <= math.MaxFloat64) {
				return false
			}
		}
	}
	return true
}

func addTo(sum, other lapack.Matrix[float64]) {
	for i := range sum.Rows {
		row := sum.Row(i)
		for j, v := range other.Row(i) {
			row[j] += v
		}
	}
}

// Merge adds the rows of other, which was made for the same reduced layers.
func (x *Cross) Merge(other *Cross) error {
	if x.symmetric != other.symmetric || x.sum.Rows != other.sum.Rows || x.sum.Cols != other.sum.Cols {
		return fmt.Errorf("svcca: products of other layers: %w", ErrMismatch)
	}
	other.mu.Lock()
	sum, count := other.sum.Clone(), other.count
	other.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.count += count
	addTo(x.sum, sum)
	return nil
}

// Compare compares layer i with layer j of against. Every datapoint that the
// layers were reduced from must have been added, once: ErrMismatch tells where
// their number differs.
func (x *Cross) Compare(i, j int) (*Comparison, error) {
	w := borrow()
	defer w.back()
	r, q := x.rows[i], x.columns[j]
	M, err := x.product(w, i, j)
	if err != nil {
		return nil, err
	}
	return compare(crew.New(context.Background()), w, r.basis, q.basis, M, x.precision(), r.options)
}

// product returns a copy of M.
func (x *Cross) product(w *workspace, i, j int) (lapack.Matrix[float64], error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, q := x.rows[i], x.columns[j]
	if x.count != r.Datapoints {
		return lapack.Matrix[float64]{}, fmt.Errorf("svcca: layers %q and %q: %d datapoints were added of %d: %w", r.Name, q.Name, x.count, r.Datapoints, ErrMismatch)
	}
	M := take(&w.m, r.K, q.K)
	copyProduct(M, x.sum, kept(x.rows[:i]), kept(x.columns[:j]), x.symmetric)
	return M, nil
}

// copyProduct sets M to a block of sum that begins at (row, col), of which, where
// symmetric, the upper triangle alone is there.
func copyProduct(M, sum lapack.Matrix[float64], row, col int, symmetric bool) {
	for r := range M.Rows {
		to := M.Row(r)
		for c := range to {
			if symmetric && row+r > col+c {
				to[c] = sum.At(col+c, row+r)
			} else {
				to[c] = sum.At(row+r, col+c)
			}
		}
	}
}
