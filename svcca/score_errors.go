package svcca

import "math"

// The scores that weigh single directions have error bounds of their own: errors
// of the sums rotate singular vectors, and those of M aligned directions, the
// more the nearer two of their values lie. To first order direction i turns
// towards j by at most the error over the gap between them.

// turned bounds what rotations among the kept singular vectors change in
// Σ s_i‖M_i‖ / Σ s_i: a row that turns towards row j by θ changes its norm by at
// most θ‖M_j‖.
func (b *basis) turned(norms []float64) float64 {
	s := b.s[:b.k]
	var change, total float64
	for i := range s {
		total += s[i]
		for j := range i {
			theta := min(1, b.turn(s[j], s[i]))
			change += theta * (s[i]*norms[j] + s[j]*norms[i])
		}
	}
	return change / total
}

// turn bounds the angle by which the singular vectors of values s > t mix.
func (b *basis) turn(s, t float64) float64 {
	if b.squared {
		return b.loss.turn / (s - t) / (s + t)
	}
	return b.loss.turn / (s - t)
}

// realigned bounds what rotations among the aligned directions, and towards what
// is not kept, change in Σ α_iρ_i / Σ α_i.
func (c *Comparison) realigned(b *basis, score float64, alpha []float64) float64 {
	e := c.ErrorBound
	// A unit direction loads the neurons by at most √d·s_1.
	most := math.Sqrt(float64(b.d)) * b.s[0]
	var change, total float64
	for i, rho := range c.Rho {
		total += alpha[i]
		turned := min(1, e/rho) * most
		for j, other := range c.Rho {
			if j != i {
				turned += min(1, e/math.Abs(rho-other)) * alpha[j]
			}
		}
		change += math.Abs(rho-score) * turned
	}
	return change / total
}
