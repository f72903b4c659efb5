package svcca

import (
	"fmt"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// roundingError bounds what the last steps, products and an SVD of order m, add
// to the error of ρ.
func roundingError(m int) float64 { return (16 + float64(m)) * epsilon }

// errorBound bounds the error of every ρ between two bases, and of every ρ²,
// which is up to twice as large.
func errorBound(x, y *basis) float64 {
	return min(1, 2*(x.bound+y.bound+roundingError(min(x.k, y.k))))
}

// compare takes the CCA step from M = U_xᵀU_y.
func compare(x, y *basis, M lapack.Matrix[float64], o Options) (*Comparison, error) {
	var svd lapack.SVD[float64]
	if err := svd.Factorize(M, true); err != nil {
		return nil, fmt.Errorf("svcca: layers %q and %q: %w", x.name, y.name, err)
	}
	c := &Comparison{
		X: x.summary(), Y: y.summary(), Options: o,
		Rho:    append([]float64(nil), svd.Values()...),
		Method: x.method, ErrorBound: errorBound(x, y),
	}
	if x.method != y.method {
		c.Method += "/" + y.method
	}
	for i, rho := range c.Rho {
		if rho > 1+c.ErrorBound {
			return nil, fmt.Errorf("svcca: layers %q and %q: ρ_%d is 1 + %.2g, error bound %.2g: %w", x.name, y.name, i+1, rho-1, c.ErrorBound, ErrInaccurate)
		}
		c.Rho[i] = min(rho, 1)
	}
	c.align(x, y, svd.U(), svd.VT())
	c.score(x, y, M)
	c.warn()
	return c, nil
}

// align sets the directions of both sides from M = P diag(ρ) Qᵀ.
func (c *Comparison) align(x, y *basis, p, qt lapack.Matrix[float64]) {
	c.X.Directions = x.directions(p, blas.NoTrans)
	c.Y.Directions = y.directions(qt, blas.Trans)
	signs := c.X.Directions.signs()
	c.X.Directions.turn(signs)
	c.Y.Directions.turn(signs)
}
