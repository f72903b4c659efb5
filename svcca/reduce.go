package svcca

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Reduced is a layer after the SV step (DEFINITIONS §2): reduced once, it may be
// compared many times, from several goroutines.
type Reduced struct {
	Side
	// U holds the kept left singular vectors, n × k with orthonormal columns: the
	// layer's directions over datapoints. With weights its rows carry √w_i.
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
// Memory: the result, d × d (or n × n) and blocks of 8 MiB.
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
	return reduce(ctx, newSide(d, w, o), o)
}

func newSide(d described, w *weights, o Options) *side {
	return &side{described: d, weights: w, centering: o.Centering, shift: make([]float64, d.d)}
}

func reduce(ctx context.Context, s *side, o Options) (*Reduced, error) {
	b, u, err := reduceSide(ctx, s, o)
	if err != nil {
		return nil, err
	}
	o.Weights = slices.Clone(o.Weights)
	return &Reduced{
		Side: b.summary(), U: u, V: b.v, Mean: s.means(), Method: b.method, ErrorBound: b.bound,
		basis: b, options: o,
	}, nil
}

// reduceSide finds basis and left singular vectors by the method that serves.
// A layer may use half of the error that a comparison is allowed (errorBound).
func reduceSide(ctx context.Context, s *side, o Options) (*basis, lapack.Matrix[float64], error) {
	accuracy := (o.Accuracy/2 - roundingError(1)) / 2
	if s.n < s.d {
		return reduceRows(ctx, s, o, accuracy)
	}
	p := panel{ctx: ctx, sides: []*side{s}}
	m, err := newMoments(p)
	if err != nil {
		return nil, lapack.Matrix[float64]{}, err
	}
	b, certain, err := m.reduce(0, o)
	if err != nil {
		return nil, b.v, err
	}
	if !certain || b.bound > accuracy {
		t, err := newTriangle(p)
		if err != nil {
			return nil, b.v, err
		}
		if b, _, err = t.reduce(0, o); err != nil {
			return nil, lapack.Matrix[float64]{}, err
		}
	}
	if err := b.usable(); err != nil {
		return nil, b.v, err
	}
	u, err := b.left(ctx)
	return b, u, err
}

// left returns the left singular vectors U = Xc V S⁻¹ in another pass over the
// rows. Cholesky of UᵀU removes what orthogonality V had lost.
func (b *basis) left(ctx context.Context) (lapack.Matrix[float64], error) {
	p := panel{ctx: ctx, sides: []*side{b.side}}
	scaled := b.v.Clone()
	for j := range scaled.Rows {
		row := scaled.Row(j)
		for i := range row {
			row[i] /= b.s[i]
		}
	}
	u := lapack.New[float64](b.n, b.k)
	buffer := lapack.New[float64](min(panelRows(b.d), b.n), b.d)
	for first := 0; first < b.n; first += buffer.Rows {
		block := buffer.View(0, 0, min(buffer.Rows, b.n-first), b.d)
		if err := p.readCentred(block, first); err != nil {
			return u, err
		}
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, block, scaled, 0, u.View(first, 0, block.Rows, b.k))
	}
	gram := lapack.New[float64](b.k, b.k)
	lapack.Syrk(blas.Trans, 1, u, 0, gram)
	if err := lapack.CholeskyInPlace(gram); err != nil {
		return u, b.orthonormalise(u)
	}
	lapack.Trsm(blas.Right, blas.Upper, blas.NoTrans, 1, gram, u)
	return u, nil
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
	a, b := x.options, y.options
	switch {
	case x.Datapoints != y.Datapoints:
		return nil, mismatch(x.basis.described, y.basis.described)
	case a.Centering != b.Centering || !slices.Equal(a.Weights, b.Weights):
		return nil, fmt.Errorf("svcca: layers %q and %q: reduced with different centring or weights: %w", x.Name, y.Name, ErrMismatch)
	}
	M := lapack.New[float64](x.K, y.K)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, x.U, y.U, 0, M)
	return compare(x.basis, y.basis, M, a)
}

func mismatch(x, y described) error {
	return fmt.Errorf("svcca: layers %q and %q: %d and %d datapoints: %w", x.name, y.name, x.n, y.n, ErrMismatch)
}
