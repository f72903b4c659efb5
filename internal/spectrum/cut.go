// Package spectrum is the SV step's arithmetic of singular values: where rounding
// noise begins, how many directions a rule keeps, and how much of that decision,
// and of the scores, hangs on rounding. It knows nothing of where values come from:
// of one matrix, or pooled over the orthogonal blocks of one (DEFINITIONS §2, §5).
package spectrum

import "math"

// Tie is how near, relatively, two numbers are that a cut may not separate
// (DEFINITIONS §2).
const Tie = 1e-8

// Spectrum is what is known of a layer's singular values before the cut.
type Spectrum struct {
	S     []float64 // all of them, decreasing
	Along []float64 // ‖diag(a) v_i‖, which rank under storage asks for
	// Rest is Σ s² of further values, none above those of S, which are not known.
	Rest float64
	// Origin tells values that tie by their nature from others that do: those of
	// conjugate blocks have the same number. Nil: all differ.
	Origin []int
	// Squared: the values are roots of eigenvalues. Else they were found directly.
	Squared bool
	Loss    Loss
	// Each is Loss.Each of every value, where they differ: of other blocks.
	Each []float64
}

// Noise is what rounding of the stored values amounts to.
type Noise struct {
	Rows, Columns int     // of the matrix, or of each block
	Unit          float64 // c·ε of DEFINITIONS §2
	Weight        float64 // mean of the row weights
	// Varying values there can be; those after them, of constant neurons, are exactly 0.
	Varying int
	// Tolerance says what is noise: Storage, Machine or Share, which Value goes with.
	Tolerance Tolerance
	Value     float64
}

// Tolerance is a rule for where noise begins.
type Tolerance int

// The rules of DEFINITIONS §2. A named type is Storage with the Unit of that type.
const (
	Storage Tolerance = iota
	Machine
	Share
)

// Tau returns the noise of a direction along which rounding, of size a_j in
// neuron j, amounts to along, s1 being the largest singular value.
func (z Noise) Tau(s1, along float64) float64 {
	machine := float64(max(z.Rows, z.Columns)) * Epsilon * s1
	switch z.Tolerance {
	case Machine:
		return machine
	case Share:
		return z.Value * s1
	}
	n, d := float64(z.Rows), float64(z.Columns)
	return max(machine, z.Unit*(math.Sqrt(n)+math.Sqrt(d))*math.Sqrt(z.Weight)*along)
}

// Bounds returns the largest or the least a_j where either decides whether a singular
// value s counts to the rank; if not decided, the direction needs its singular vector.
func (z Noise) Bounds(s1, s, least, most float64) (along float64, decided bool) {
	switch {
	case least >= most:
		return most, true
	case s <= z.Tau(s1, least)/2:
		return least, true
	}
	return most, s > z.Tau(s1, most)*2
}

// BoundAlong sets Along to such bounds, and returns the range of directions for which
// neither decides: those alone need their right singular vectors.
func (sp *Spectrum) BoundAlong(noise Noise, least, most float64) (low, high int) {
	sp.Along = make([]float64, len(sp.S))
	low = len(sp.S)
	for i, s := range sp.S {
		along, decided := noise.Bounds(sp.S[0], s, least, most)
		if sp.Along[i] = along; !decided {
			low, high = min(low, i), i+1
		}
	}
	return low, high
}

// Keep is a rule for how many directions are kept.
type Keep struct {
	Rule  Rule
	Share float64
	Count int
}

// Rule is what Keep counts by.
type Rule int

// The rules of DEFINITIONS §2.
const (
	Variance Rule = iota
	Sum
	Count
	Rank
)

// Cut is where a spectrum is cut.
type Cut struct {
	Rank, K int
	Grew    bool // K grew to take in a group of ties
	Tied    bool // two kept singular values of different origin tie
	// RankSure, KSure: neither hangs on the error of the singular values.
	RankSure, KSure bool
	// Bound is of the error of ρ that the cut costs.
	Bound float64
}

// uncertainty bounds the error of S[i].
func (sp *Spectrum) uncertainty(i int) float64 {
	e := sp.Loss.Each
	if sp.Each != nil {
		e = sp.Each[i]
	}
	if !sp.Squared || e == 0 {
		return e
	}
	s := sp.S[i]
	return e / (s + math.Sqrt(s*s+e))
}

// Cut sets rank and k by the rules of DEFINITIONS §2. Where the spectrum is of
// squares, directions within its error are not counted to the rank: there, it is
// all that noise leaves of them.
func (sp *Spectrum) Cut(rule Keep, noise Noise) (c Cut) {
	s := sp.S
	c.RankSure, c.KSure = true, true
	if len(s) == 0 || s[0] == 0 {
		return c
	}
	for c.Rank < len(s) {
		tau, e := noise.Tau(s[0], sp.Along[c.Rank]), sp.uncertainty(c.Rank)
		if c.Rank < noise.Varying && math.Abs(s[c.Rank]-tau) <= e {
			c.RankSure = false
		}
		if sp.Squared {
			tau += e
		}
		if !(s[c.Rank] > tau) { // also where the values of damaged sums leave no tau
			break
		}
		c.Rank++
	}
	k, sure := sp.keep(rule, c)
	c.K, c.KSure = k, sure
	for c.K > 0 && c.K < c.Rank && s[c.K] >= s[k-1]*(1-Tie) {
		c.K++
	}
	for i := max(k, 1); i < c.K; i++ { // the other of a pair is no growth
		c.Grew = c.Grew || sp.Origin == nil || sp.Origin[i] != sp.Origin[k-1]
	}
	for i := 1; i < c.K; i++ {
		c.Tied = c.Tied || s[i] >= s[i-1]*(1-Tie) && (sp.Origin == nil || sp.Origin[i] != sp.Origin[i-1])
	}
	c.Bound = sp.cutError(c.K)
	return c
}

// keep returns k by the rule, before ties, and whether errors of S leave it.
func (sp *Spectrum) keep(rule Keep, c Cut) (k int, sure bool) {
	power := func(i int) (value, err float64) {
		s, e := sp.S[i], sp.uncertainty(i)
		if rule.Rule == Sum {
			return s, e
		}
		return s * s, e * (2*s + e)
	}
	switch rule.Rule {
	case Rank:
		return c.Rank, c.RankSure
	case Count:
		return min(rule.Count, c.Rank), c.RankSure || rule.Count <= c.Rank
	}
	var sum, slack float64
	for i := range sp.S {
		value, err := power(i)
		sum += value
		slack += err
	}
	if rule.Rule == Variance {
		sum += sp.Rest
	}
	switch {
	case rule.Rule == Sum:
	case sp.Loss.Sum > 0:
		slack = 2 * sp.Loss.Sum // of those kept, and of all
	case sp.Loss.Square > 0:
		// Errors of sums of k eigenvalues are traces, at most √k times ‖E‖_F.
		slack = sp.Loss.Square * (math.Sqrt(float64(c.Rank)) + math.Sqrt(float64(len(sp.S))))
	}
	least := func(wanted float64) (k int, reached bool) {
		var sum float64
		for i := range c.Rank {
			value, _ := power(i)
			if sum += value; sum >= wanted {
				return i + 1, true
			}
		}
		return c.Rank, c.RankSure
	}
	k, _ = least(rule.Share * sum)
	low, _ := least(rule.Share*sum - slack)
	high, reached := least(rule.Share*sum + slack)
	return k, low == k && high == k && reached
}

// cutError bounds the error of ρ that comes from this layer: how far errors of
// the sums turn the kept subspace towards what was cut off: by Davis and Kahan
// at most the error over the gap. Tests measure constants well below 1. Over
// blocks the gap of each is at least that of all.
func (sp *Spectrum) cutError(k int) float64 {
	if k == 0 {
		return 0
	}
	next := 0.0
	if k < len(sp.S) {
		next = sp.S[k]
	}
	return min(1, sp.Turn(sp.S[k-1], next))
}

// Turn bounds the angle by which the singular vectors of values s > t mix.
func (sp *Spectrum) Turn(s, t float64) float64 {
	if sp.Squared {
		return sp.Loss.Turn / (s - t) / (s + t)
	}
	return sp.Loss.Turn / (s - t)
}
