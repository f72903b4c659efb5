package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// score sets the scores of DEFINITIONS §4 that M gives.
func (c *Comparison) score(x, y *basis, M lapack.Matrix[float64]) {
	m := float64(min(x.K, y.K))
	rows, columns := norms(M)
	for _, norm := range rows {
		c.MeanSquare += norm * norm / m
	}
	// Norms of rows exceed 1 by rounding, as ρ do before they are clipped.
	c.MeanSquare = min(1, c.MeanSquare)
	c.WeightedX = min(1, spectrum.WeightedMean(rows, x.S[:x.K]))
	c.WeightedY = min(1, spectrum.WeightedMean(columns, y.S[:y.K]))
	c.Weighted = (c.WeightedX + c.WeightedY) / 2
	c.WeightedUnique = !x.Tied && !y.Tied
	c.WeightedErrorBound = min(1, c.ErrorBound+max(x.turned(rows), y.turned(columns)))
	c.chance(x, y)
}

// scorePWCCA sets what ρ and the decoders give.
func (c *Comparison) scorePWCCA(x, y *basis, dx, dy lapack.Matrix[float64]) {
	alpha, beta := x.loadings(dx), y.loadings(dy)
	c.PWCCAX = spectrum.WeightedMean(c.Rho, alpha)
	c.PWCCAY = spectrum.WeightedMean(c.Rho, beta)
	// With k_x ≠ k_y a ρ of 0 ties with the directions left without a partner.
	c.DirectionsUnique, c.PWCCAUnique = spectrum.Unique(c.Rho, nil, x.K != y.K)
	c.PWCCAErrorBound = min(1, c.ErrorBound+max(c.realigned(x, c.PWCCAX, alpha), c.realigned(y, c.PWCCAY, beta)))
}

// chance sets what independent random subspaces of the same sizes would give.
func (c *Comparison) chance(x, y *basis) {
	space := space(x.n, x.centering)
	c.Chance = float64(x.K) * float64(y.K) / (float64(space) * float64(min(x.K, y.K)))
	if c.Chance < 1 {
		adjusted := (c.MeanSquare - c.Chance) / (1 - c.Chance)
		c.Adjusted = &adjusted
	}
	c.ForcedOnes = max(0, x.K+y.K-space)
	c.Saturated = c.ForcedOnes > 0 || c.Chance > 0.5
}

// norms returns the Euclidean norms of M's rows and columns.
func norms(M lapack.Matrix[float64]) (rows, columns []float64) {
	rows, columns = make([]float64, M.Rows), make([]float64, M.Cols)
	for i := range M.Rows {
		for j, v := range M.Row(i) {
			rows[i] += v * v
			columns[j] += v * v
		}
		rows[i] = math.Sqrt(rows[i])
	}
	for j, v := range columns {
		columns[j] = math.Sqrt(v)
	}
	return rows, columns
}

// loadings returns α_i = Σ_j |D[i, j]|, by which PWCCA weighs direction i, in units
// of 2^scale: sums of values near the end of float64's range are beyond it.
func (b *basis) loadings(decoder lapack.Matrix[float64]) []float64 {
	alpha := make([]float64, decoder.Rows)
	half := b.scale() / 2 // 2^−scale may be no float64, its halves are
	first, second := math.Ldexp(1, -half), math.Ldexp(1, half-b.scale())
	for i := range alpha {
		for _, v := range decoder.Row(i) {
			alpha[i] += math.Abs(v) * first * second
		}
	}
	return alpha
}
