package conv

import (
	"context"
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/james-bowman/sparse"
)

// Covariance returns the covariance of the data set made of all translations of m's
// images, to look at: Σw·zᵀz / Σw over its rows z, in the layer's own units squared, in
// the orthonormal basis of cosines and sines over positions. There it is block diagonal
// (DEFINITIONS §5); with one channel and a step of one position it is diagonal. Its trace
// and Frobenius norm are those of the covariance over positions and channels.
//
// translations is the group, Result.Translations say; an axis of 0 is moved by its whole
// size. Of o, Centering and Weights count; all is in float64.
//
// Rows and columns are those of the blocks one after another, in the order of
// Result.Blocks. A map's position is step · q + phase, and q runs over h × w translations.
// A block (u, v) that is its own conjugate has a column for each (phase, channel), channels
// innermost: ±1/√(hw), the sign that of cos 2π(u·q₀/h + v·q₁/w). A block that stands for a
// pair has first the columns of √(2/(hw))·cos 2π(u·q₀/h + v·q₁/w), then those of
// √(2/(hw))·sin, in the same order; with C = A + iB what the Fourier basis has there, it is
// [[A, −B], [B, A]]. The zeros on B's diagonal are not stored.
//
// Cost as that of Between for the one layer, and the blocks twice in memory. The error
// wraps svcca's ErrShape, also for translations that do not divide the map, ErrStorage,
// ErrOptions, ErrMismatch, ErrNotFinite, ErrRange, or what the layer's Read returned.
func Covariance(ctx context.Context, m Maps, translations [2]int, o Options) (*sparse.CSR, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	like, err := m.movedBy(translations)
	if err != nil {
		return nil, err
	}
	w, err := roots(o.Weights, m.images)
	if err != nil {
		return nil, err
	}
	var sh shape
	var grids [2]grid
	sh.height, sh.width, sh.blocks, grids = exactGrids(m, like)
	z, err := sum(crew.New(ctx), sh, svcca.Double, newSide(m, grids[0], "maps", w))
	if err != nil {
		return nil, err
	}
	return z.covariance(o)
}

// movedBy returns maps against which m is moved by the translations.
func (m Maps) movedBy(translations [2]int) (like Maps, err error) {
	h, w := translations[0], translations[1]
	if h == 0 {
		h = m.height
	}
	if w == 0 {
		w = m.width
	}
	if h < 1 || w < 1 || m.height%h != 0 || m.width%w != 0 {
		return like, fmt.Errorf("conv: layer %q: %d × %d translations of maps of %d × %d: %w", nameOf(m.layer, "maps"), h, w, m.height, m.width, svcca.ErrShape)
	}
	return Maps{height: h, width: w, vector: m.vector}, nil
}

// covariance returns that of the only layer.
func (z *sums) covariance(o Options) (*sparse.CSR, error) {
	l := &z.layers[0]
	size, stored := 0, 0
	for at, b := range z.shape.blocks {
		width := b.Multiplicity * l.in(at)
		size += width
		stored += width * width
	}
	indptr, ind, data := make([]int, 1, size+1), make([]int, 0, stored), make([]float64, 0, stored)
	for at, b := range z.shape.blocks {
		gram := z.of(at, 0, 0)
		if !o.centred(at) {
			gram = withMean(gram, z.mean[at], z.total)
		}
		first := len(indptr) - 1
		for row := range b.Multiplicity * gram.Rows {
			for column := range b.Multiplicity * gram.Rows {
				if v, ok := realEntry(gram, row, column); ok {
					ind = append(ind, first+column)
					data = append(data, v/z.total)
				}
			}
			indptr = append(indptr, len(ind))
		}
	}
	c := sparse.NewCSR(size, size, indptr, ind, data)
	trace := c.Trace()
	if scaled := math.Ldexp(trace, 2*l.exponent); trace > 0 && (math.IsInf(scaled, 0) || scaled < 0x1p-900) {
		return nil, fmt.Errorf("conv: layer %q: variances of %g in all: %w", l.name, scaled, svcca.ErrRange)
	}
	for i, v := range data {
		data[i] = math.Ldexp(v, 2*l.exponent)
	}
	return c, nil
}

// realEntry returns an entry of [[A, −B], [B, A]] for A + iB in the upper triangle of gram,
// and whether it may be other than 0.
func realEntry(gram lapack.Matrix[complex128], row, column int) (v float64, ok bool) {
	i, j := row%gram.Rows, column%gram.Rows
	c := gram.At(min(i, j), max(i, j))
	if i > j {
		c = complex(real(c), -imag(c))
	}
	switch sines, others := row/gram.Rows, column/gram.Rows; {
	case sines == others:
		return real(c), true
	case sines < others:
		return -imag(c), i != j
	default:
		return imag(c), i != j
	}
}
