package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"gonum.org/v1/gonum/floats"
)

// turned bounds what rotations among the kept singular vectors change in a weighted
// score, of which norms are those of M's rows.
func (b *basis) turned(norms []float64) float64 {
	s := b.S[:b.K]
	return b.Turned(s, norms) / floats.Sum(s)
}

// realigned bounds what rotations among the aligned directions change in PWCCA.
func (c *Comparison) realigned(b *basis, score float64, alpha []float64) float64 {
	// A unit direction loads the neurons by at most √d·s_1.
	most := math.Sqrt(float64(b.d)) * b.S[0]
	return spectrum.Realigned(c.Rho, alpha, score, c.ErrorBound, most) / floats.Sum(alpha)
}
