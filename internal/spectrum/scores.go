package spectrum

import "math"

// WeightedMean returns Σ w·v / Σ w.
func WeightedMean(values, weights []float64) float64 {
	var sum, total float64
	largest := 0.0
	for _, w := range weights {
		largest = max(largest, w)
	}
	for i, v := range values {
		w := weights[i] / largest // the sum of weights of 1e308 is none
		sum += w * v
		total += w
	}
	return sum / total
}

// The scores that weigh single directions have error bounds of their own: errors
// of the sums rotate singular vectors, and those of M aligned directions, the
// more the nearer two of their values lie. To first order direction i turns
// towards j by at most the error over the gap between them.

// Turned bounds what rotations among the kept singular vectors of one block, with
// values s, change in its part of Σ s_i‖M_i‖: a row that turns towards row j by θ
// changes its norm by at most θ‖M_j‖.
func (sp *Spectrum) Turned(s, norms []float64) (change float64) {
	for i := range s {
		for j := range i {
			theta := min(1, sp.Turn(s[j], s[i]))
			change += theta * (s[i]*norms[j] + s[j]*norms[i])
		}
	}
	return change
}

// Realigned bounds what rotations among the aligned directions of one block, and
// towards what is not kept, change in its part of Σ α_iρ_i − score·Σ α_i. No unit
// direction loads the neurons by more than most; e bounds the error of ρ.
func Realigned(rho, alpha []float64, score, e, most float64) (change float64) {
	for i, r := range rho {
		turned := min(1, e/r) * most
		for j, other := range rho {
			if j != i {
				turned += min(1, e/math.Abs(r-other)) * alpha[j]
			}
		}
		change += math.Abs(r-score) * turned
	}
	return change
}

// Unique tells what a rotation among tied ρ would change, of the decreasing ρ of a
// whole comparison, loose where a ρ of 0 ties with directions left without a partner.
// Where all ρ are equal, PWCCA is their common value whatever the weights.
func Unique(rho []float64, origin []int, loose bool) (directions, pwcca bool) {
	last := len(rho) - 1
	tied := false
	for i := range last {
		tied = tied || rho[i]-rho[i+1] < Tie && (origin == nil || origin[i] != origin[i+1])
	}
	loose = loose && rho[last] < Tie
	same := rho[0]-rho[last] < Tie
	return !tied && !loose, (!tied || same) && !loose
}
