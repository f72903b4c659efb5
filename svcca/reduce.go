package svcca

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Reduced is a layer after the SV step (DEFINITIONS §2): reduced once, it may be
// compared many times, from several goroutines.
type Reduced struct {
	Side
	// U holds the kept left singular vectors, n × k with orthonormal columns: the
	// layer's directions over datapoints. With weights its rows carry √w_i.
	// It is empty where the rows were gone (Moments, Triangle).
	U lapack.Matrix[float64]
	// V holds the kept right singular vectors, neurons × k.
	V lapack.Matrix[float64]
	// Mean holds what was subtracted from each neuron.
	Mean []float64
	// Method says how the directions were found, and ErrorBound how much error of
	// ρ may come from this layer.
	Method     Method
	ErrorBound float64

	basis   *basis
	options Options
}

// Reduce takes the SV step on a layer.
//
// Cost: 2nd² flops and an eigen-solve of order d for n ≥ d, and another 4ndk
// for U; 2n²d, an eigen-solve of order n and one to two more passes for n < d.
// Memory: the result, d × d (or n × n) and blocks of 8 MiB. Where the smaller of
// n and d is beyond Options.Solver, see there.
// The error names the layer and wraps ErrShape, ErrStorage, ErrOptions,
// ErrMismatch (number of weights), ErrNotFinite, ErrConstant, ErrRange, or what
// the layer's Read returned.
func Reduce(layer Layer, o Options) (*Reduced, error) {
	return ReduceContext(context.Background(), layer, o)
}

// ReduceContext is Reduce until ctx ends, which it notices within a block of rows.
func ReduceContext(ctx context.Context, layer Layer, o Options) (*Reduced, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	d, err := describe(layer, "x")
	if err != nil {
		return nil, err
	}
	w, err := newWeights(o.Weights, d.n)
	if err != nil {
		return nil, err
	}
	return reduce(crew.New(ctx), newSide(d, w, o), o)
}

func newSide(d described, w *weights, o Options) *side {
	return &side{described: d, weights: w, centering: o.Centering, byType: o.RankTol.rule == rankType}
}

func reduce(c crew.Crew, s *side, o Options) (*Reduced, error) {
	w := borrow()
	defer w.back()
	b, u, err := reduceSide(c, w, s, o)
	if err != nil {
		return nil, err
	}
	if u.Data == nil {
		if u, err = b.left(c, w); err != nil {
			return nil, err
		}
	}
	r := b.reduced(o)
	r.U = u
	return r, nil
}

// reduced returns what a user sees of b.
func (b *basis) reduced(o Options) *Reduced {
	o.Weights = slices.Clone(o.Weights)
	b.v = b.v.Clone() // from a workspace
	return &Reduced{
		Side: b.summary(), V: b.v, Mean: b.means(), Method: b.method, ErrorBound: b.Bound, basis: b, options: o,
	}
}

// reduceSide finds a basis by the method that serves and, where that yields them,
// left singular vectors. A layer may use half of the error that a comparison is
// allowed (errorBound).
func reduceSide(c crew.Crew, w *workspace, s *side, o Options) (*basis, lapack.Matrix[float64], error) {
	none := lapack.Matrix[float64]{}
	if err := o.solvable(s.described); err != nil {
		return nil, none, err
	}
	if o.krylov(s.n, s.d) {
		return reduceKrylov(c, w, s, o)
	}
	accuracy := spectrum.LayerAccuracy(o.Accuracy)
	if s.n < s.d {
		return reduceRows(c, w, s, o, accuracy)
	}
	b, err := reduceMoments(newPanel(c, w, o.Precision, s), o)
	if err == nil && s.sparse != nil && !b.certain(accuracy) {
		s.sparse = nil // what is not certain now is decided as of any layer
		b, err = reduceMoments(newPanel(c, w, o.Precision, s), o)
	}
	if err == nil && b.precision == Mixed && !b.KSure {
		b, err = reduceMoments(newPanel(c, w, Double, s), o)
	}
	if err != nil {
		return nil, none, err
	}
	if b.precision == Double && !b.certain(accuracy) {
		t, err := newTriangle(newPanel(c, w, Double, s), s.n)
		if err != nil {
			return nil, none, err
		}
		if b, _, err = t.reduce(0, o); err != nil {
			return nil, none, err
		}
	}
	b.fallback = b.precision != o.Precision
	return b, none, b.usable()
}

func reduceMoments(p panel, o Options) (*basis, error) {
	m, err := newMoments(p, p.sides[0].n)
	if err != nil {
		return nil, err
	}
	return m.reduce(0, o)
}

// certain reports whether nothing about b hangs on what squaring lost, and its
// error is at most accuracy.
func (b *basis) certain(accuracy float64) bool {
	return b.RankSure && b.KSure && b.Bound <= accuracy
}

// left returns the left singular vectors U = Xc V S⁻¹ in another pass over the
// rows. Cholesky of UᵀU removes what orthogonality V had lost.
func (b *basis) left(c crew.Crew, w *workspace) (lapack.Matrix[float64], error) {
	z := newCoordinates(b, Double, &w.scaled[0], nil)
	u := lapack.New[float64](b.n, b.K)
	p := newPanel(c, w, Double, b.side)
	reads := z.reads(&p, block{f64: u}, 0)
	if err := p.Run(reads.Count, reads.Do); err != nil {
		return u, err
	}
	gram := take(&w.m, b.K, b.K)
	gram.Zero()
	tiles := tilesOf(b.K, p.Tile)
	err := p.Multiply(len(tiles), func(i, _ int) error {
		t := tiles[i]
		multiply(t, u, 0, 0, gram.View(t.row, t.col, t.rows, t.cols))
		return nil
	})
	if err != nil {
		return u, err
	}
	if err := lapack.CholeskyInPlace(gram); err != nil {
		return u, b.orthonormalise(u)
	}
	strips := (b.n + panelStrip - 1) / panelStrip
	return u, p.Multiply(strips, func(i, _ int) error {
		at := i * panelStrip
		lapack.Trsm(blas.Right, blas.Upper, blas.NoTrans, 1, gram, u.View(at, 0, min(panelStrip, b.n-at), b.K))
		return nil
	})
}

// orthonormalise replaces u, whose columns are so near dependence that Cholesky
// fails (a rank tolerance of 0 keeps directions that are rounding alone), by an
// orthonormal basis that Householder reflections leave no doubt of.
func (b *basis) orthonormalise(u lapack.Matrix[float64]) error {
	var qr lapack.QR[float64]
	if err := qr.Factorize(u); err != nil {
		return b.wrap(err)
	}
	r := qr.RTo(lapack.Matrix[float64]{})
	qr.QTo(u)
	for j := range r.Rows {
		if r.At(j, j) < 0 { // the side that Cholesky takes
			for i := range u.Rows {
				u.Set(i, j, -u.At(i, j))
			}
		}
	}
	return nil
}

// Compare takes the CCA step between two reduced layers (DEFINITIONS §3, 4):
// what Between gives on the same layers, within the two bounds.
//
// Cost: 2n·k_x·k_y flops and an SVD of k_x × k_y. The error wraps ErrMismatch
// where the layers have not the same number of datapoints, centring and weights.
func Compare(x, y *Reduced) (*Comparison, error) {
	if err := x.matches(y); err != nil {
		return nil, err
	}
	for _, r := range []*Reduced{x, y} {
		if r.U.Rows != r.Datapoints {
			return nil, fmt.Errorf("svcca: layer %q was reduced from sums alone: a Cross can compare it: %w", r.Name, ErrNoRows)
		}
	}
	w := borrow()
	defer w.back()
	c := crew.New(context.Background())
	M := take(&w.m, x.K, y.K)
	tiles := rectangle(x.K, y.K, c.Tile)
	err := c.Multiply(len(tiles), func(i, _ int) error {
		t := tiles[i]
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, x.U.View(0, t.row, x.Datapoints, t.rows), y.U.View(0, t.col, y.Datapoints, t.cols), 0, M.View(t.row, t.col, t.rows, t.cols))
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := x.options
	o.Precision = max(o.Precision, y.options.Precision) // Mixed, where either is
	return compare(c, w, x.basis, y.basis, M, Double, o)
}

// matches returns an error where two layers cannot be compared.
func (x *Reduced) matches(y *Reduced) error {
	switch {
	case x.Datapoints != y.Datapoints:
		return mismatch(x.basis.described, y.basis.described)
	case x.options.Centering != y.options.Centering || !slices.Equal(x.options.Weights, y.options.Weights):
		return fmt.Errorf("svcca: layers %q and %q: reduced with different centring or weights: %w", x.Name, y.Name, ErrMismatch)
	}
	return nil
}

func mismatch(x, y described) error {
	return fmt.Errorf("svcca: layers %q and %q: %d and %d datapoints: %w", x.name, y.name, x.n, y.n, ErrMismatch)
}
