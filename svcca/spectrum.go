package svcca

import "math"

// The relative roundings of float64 and float32.
const (
	epsilon   = 0x1p-52
	epsilon32 = 0x1p-23
)

// tie is how near, relatively, two numbers are that a cut may not separate
// (DEFINITIONS §2).
const tie = 1e-8

// spectrum is what is known of a layer's singular values before the cut.
type spectrum struct {
	s     []float64 // all min(n, d), decreasing, in units of 2^scale
	along []float64 // ‖diag(a) v_i‖, which rank under storage asks for
	// squared: the values are roots of eigenvalues. Else they were found directly.
	squared bool
	loss    loss
}

// loss bounds what rounding did to what a spectrum comes from: errors of
// eigenvalues where it is squared, else of the values themselves.
type loss struct {
	turn   float64 // in norm: it turns singular vectors
	each   float64 // of single values
	square float64 // in the Frobenius norm, where that was measured; else 0
}

// eigenError bounds the error of a Gram matrix's eigenvalues in units of ε·s_1²,
// and linearError that of singular values found directly in units of ε·s_1. Both
// are several times what was seen over all matrix types of the tests.
const (
	eigenError  = 16
	linearError = 16
)

// apartError is how much of apart, in units of ε, sums may lose: gonum's grow one
// term at a time, and 20 000 terms of one sign were seen to lose 1.1.
const apartError = 16

// squaredLoss returns that of sums in float64. apart is what they lost again when
// they were centred: n times the square of the distance between provisional and
// true means.
func squaredLoss(s1, apart float64) loss {
	turn := epsilon * (s1*s1 + apartError*apart)
	return loss{turn: turn, each: eigenError * turn}
}

// mixedLoss adds the errors of products in float32, as measured, to those of
// float64. Where they seem smaller than a quarter of a rounding, chance may have
// been kind.
func mixedLoss(s1, spectral, frobenius float64) loss {
	l := squaredLoss(s1, 0)
	spectral = max(spectral, epsilon32/4*s1*s1)
	return loss{turn: l.turn + spectral, each: l.each + spectral, square: max(frobenius, spectral)}
}

// linearLoss returns that of a triangle.
func linearLoss(s1, apart float64) loss {
	turn := epsilon * (s1 + math.Sqrt(apart))
	return loss{turn: turn, each: linearError * turn}
}

// squaredValues takes a Gram matrix's eigenvalues, decreasing, of which the first
// count (with zeros for those not there) are squares of singular values.
func squaredValues(values []float64, count int) []float64 {
	s := make([]float64, count)
	for i := range min(count, len(values)) {
		s[i] = math.Sqrt(max(0, values[i]))
	}
	return s
}

// uncertainty bounds the error of s[i].
func (sp spectrum) uncertainty(i int) float64 {
	e := sp.loss.each
	if !sp.squared || e == 0 {
		return e
	}
	s := sp.s[i]
	return e / (s + math.Sqrt(s*s+e))
}

// cut sets rank and k of b by the rules of DEFINITIONS §2, the bound of what the
// cut costs, and whether either lies within the error of the singular values.
// Where that is of squares, directions within it are not counted to the rank:
// there, it is all that noise leaves of them.
func (b *basis) cut(o Options) {
	s := b.s
	b.rankSure, b.kSure = true, true
	if len(s) == 0 || s[0] == 0 {
		return
	}
	for b.rank < len(s) {
		tau, e := b.tau(o.RankTol, b.along[b.rank]), b.uncertainty(b.rank)
		// The zeros of neurons that do not vary are exact.
		if b.rank < len(b.active) && math.Abs(s[b.rank]-tau) <= e {
			b.rankSure = false
		}
		if b.squared {
			tau += e
		}
		if s[b.rank] <= tau {
			break
		}
		b.rank++
	}
	k, sure := b.keep(o.Keep)
	b.k, b.kSure = k, sure
	for b.k > 0 && b.k < b.rank && s[b.k] >= s[k-1]*(1-tie) {
		b.k++
	}
	b.grew = b.k > k
	for i := 1; i < b.k; i++ {
		b.tied = b.tied || s[i] >= s[i-1]*(1-tie)
	}
	b.bound = b.cutError()
}

// tau returns the noise of a direction along which rounding, of size a_j in
// neuron j, amounts to along.
func (b *basis) tau(tol RankTol, along float64) float64 {
	machine := float64(max(b.n, b.d)) * epsilon * b.s[0]
	switch tol.rule {
	case rankMachine:
		return machine
	case rankShare:
		return tol.share * b.s[0]
	}
	noise := b.noise
	if tol.rule == rankType {
		noise, _ = tol.typ.noise()
	}
	n, d := float64(b.n), float64(b.d)
	return max(machine, noise*(math.Sqrt(n)+math.Sqrt(d))*math.Sqrt(b.weights.total/n)*along)
}

// keep returns k by the rule, before ties, and whether errors of s leave it.
func (b *basis) keep(rule Keep) (k int, sure bool) {
	power := func(i int) (value, err float64) {
		s, e := b.s[i], b.uncertainty(i)
		if rule.rule == keepSum {
			return s, e
		}
		return s * s, e * (2*s + e)
	}
	switch rule.rule {
	case keepRank:
		return b.rank, b.rankSure
	case keepCount:
		return min(rule.count, b.rank), b.rankSure || rule.count <= b.rank
	}
	var sum, slack float64
	for i := range b.s {
		value, err := power(i)
		sum += value
		slack += err
	}
	if b.loss.square > 0 && rule.rule == keepVariance {
		// Errors of sums of k eigenvalues are traces, at most √k times ‖E‖_F.
		slack = b.loss.square * (math.Sqrt(float64(b.rank)) + math.Sqrt(float64(len(b.s))))
	}
	least := func(wanted float64) (k int, reached bool) {
		var sum float64
		for i := range b.rank {
			value, _ := power(i)
			if sum += value; sum >= wanted {
				return i + 1, true
			}
		}
		return b.rank, b.rankSure
	}
	k, _ = least(rule.share * sum)
	low, _ := least(rule.share*sum - slack)
	high, reached := least(rule.share*sum + slack)
	return k, low == k && high == k && reached
}

// cutError bounds the error of ρ that comes from this layer: how far errors of
// the sums turn the kept subspace towards what was cut off: by Davis and Kahan
// at most the error over the gap. Tests measure constants well below 1.
func (b *basis) cutError() float64 {
	if b.k == 0 {
		return 0
	}
	next := 0.0
	if b.k < len(b.s) {
		next = b.s[b.k]
	}
	return min(1, b.turn(b.s[b.k-1], next))
}

// boundAlong sets along to the largest or the least a_j where either decides the
// rank under storage, and returns the range of directions for which neither does:
// those alone need their right singular vectors.
func (b *basis) boundAlong(tol RankTol) (low, high int) {
	b.along = make([]float64, len(b.s))
	least, most := math.Inf(1), 0.0
	for _, j := range b.active {
		least, most = min(least, b.rms[j]), max(most, b.rms[j])
	}
	low = len(b.s)
	for i, s := range b.s {
		b.along[i] = most
		if s <= b.tau(tol, most)*2 && s > b.tau(tol, least)/2 {
			low, high = min(low, i), i+1
		} else if s <= b.tau(tol, least)/2 {
			b.along[i] = least
		}
	}
	if least >= most || len(b.active) == 0 {
		return 0, 0
	}
	return low, high
}

// rmsAlong returns ‖diag(a) v‖ of a right singular vector v, whose elements are those
// of the neurons that vary.
func (s *side) rmsAlong(v []float64) (squares float64) {
	for r, x := range v {
		x *= s.rms[s.active[r]]
		squares += x * x
	}
	return math.Sqrt(squares)
}
