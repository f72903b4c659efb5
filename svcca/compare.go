package svcca

import (
	"fmt"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
)

// errorBound bounds the error of every ρ, and of every ρ², between two bases, M being
// summed in the precision of products.
func errorBound(x, y *basis, products Precision) float64 {
	return spectrum.ErrorBound(x.Bound, y.Bound, min(x.K, y.K), products == Mixed)
}

// compare takes the CCA step from M = U_xᵀU_y, summed in the precision of products.
func compare(by crew.Crew, w *workspace, x, y *basis, M lapack.Matrix[float64], products Precision, o Options) (*Comparison, error) {
	c := newComparison(x, y, products, o)
	c.X, c.Y = x.summary(), y.summary()
	if err := c.correlate(w, x, y, M, true); err != nil {
		return nil, err
	}
	if err := c.align(by, w, x, y); err != nil {
		return nil, err
	}
	c.score(x, y, M)
	c.scorePWCCA(x, y, c.X.Directions.Decoder, c.Y.Directions.Decoder)
	c.warn(x, y)
	return c, nil
}

func newComparison(x, y *basis, products Precision, o Options) *Comparison {
	c := &Comparison{Options: o, Method: x.method, ErrorBound: errorBound(x, y, products)}
	if x.method != y.method {
		c.Method += "/" + y.method
	}
	return c
}

// correlate sets ρ from the SVD of M, which w holds then where vectors are asked for,
// and Mean.
func (c *Comparison) correlate(w *workspace, x, y *basis, M lapack.Matrix[float64], vectors bool) error {
	c.Rho = nil
	if shared := x.K + y.K - x.n; !vectors && shared > 0 && x.beside.Data != nil && y.beside.Data != nil {
		// U_xᵀU_y and what is beside both are blocks of one orthogonal matrix: but for
		// the directions that both must share they have the same singular values.
		for range shared {
			c.Rho = append(c.Rho, 1)
		}
		M = take(&w.left, x.n-x.K, y.n-y.K)
		lapack.Gemm(blas.Trans, blas.NoTrans, 1, x.beside, y.beside, 0, M)
	}
	if err := w.svd.Factorize(M, vectors); err != nil {
		return fmt.Errorf("svcca: layers %q and %q: %w", x.name, y.name, err)
	}
	c.Rho = append(c.Rho, w.svd.Values()...)
	for i, rho := range c.Rho {
		if c.ErrorBound < 1 && rho > 1+c.ErrorBound { // of 1 the bound says nothing
			return fmt.Errorf("svcca: layers %q and %q: ρ_%d is 1 + %.2g, error bound %.2g: %w", x.name, y.name, i+1, rho-1, c.ErrorBound, ErrInaccurate)
		}
		c.Rho[i] = min(rho, 1)
	}
	c.Mean = floats.Sum(c.Rho) / float64(len(c.Rho))
	return nil
}

// align sets the directions of both sides from M = P diag(ρ) Qᵀ, which w holds.
func (c *Comparison) align(by crew.Crew, w *workspace, x, y *basis) error {
	err := by.Multiply(2, func(i, _ int) (err error) {
		if i == 0 {
			c.X.Directions, err = x.directions(&w.scaled[0], w.svd.U(), blas.NoTrans)
		} else {
			c.Y.Directions, err = y.directions(&w.scaled[1], w.svd.VT(), blas.Trans)
		}
		return err
	})
	if err != nil {
		return err
	}
	signs := c.X.Directions.signs()
	c.X.Directions.turn(signs)
	c.Y.Directions.turn(signs)
	return nil
}
