package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
)

// squaredValues takes a Gram matrix's eigenvalues, decreasing, of which the first
// count (with zeros for those not there) are squares of singular values.
func squaredValues(values []float64, count int) []float64 {
	s := make([]float64, count)
	for i := range min(count, len(values)) {
		s[i] = math.Sqrt(max(0, values[i]))
	}
	return s
}

// cut sets where b is cut.
func (b *basis) cut(o Options) {
	b.Cut = b.Spectrum.Cut(o.Keep.spectrum(), b.noiseOf(o.RankTol))
}

// noiseOf returns what rounding of the layer's values amounts to.
func (s *side) noiseOf(tol RankTol) spectrum.Noise {
	z := spectrum.Noise{Rows: s.n, Columns: s.d, Unit: s.noise, Weight: s.weights.total / float64(s.n), Varying: len(s.active)}
	switch tol.rule {
	case rankMachine:
		z.Tolerance = spectrum.Machine
	case rankShare:
		z.Tolerance, z.Value = spectrum.Share, tol.share
	case rankType:
		z.Unit, _ = tol.typ.Noise()
	}
	return z
}

// spectrum returns the rule in the words of that package.
func (k Keep) spectrum() spectrum.Keep {
	z := spectrum.Keep{Share: k.share, Count: k.count}
	switch k.rule {
	case keepSum:
		z.Rule = spectrum.Sum
	case keepCount:
		z.Rule = spectrum.Count
	case keepRank:
		z.Rule = spectrum.Rank
	}
	return z
}

// boundAlong sets Along to the largest or the least a_j where either decides the
// rank under storage, and returns the range of directions for which neither does:
// those alone need their right singular vectors.
func (b *basis) boundAlong(tol RankTol) (low, high int) {
	most := 0.0
	for _, j := range b.active {
		most = max(most, b.rms[j])
	}
	return b.Spectrum.BoundAlong(b.noiseOf(tol), b.leastAlong(), most)
}

// leastAlong returns the least that ‖diag(a) v‖ can be.
func (s *side) leastAlong() float64 {
	least := math.Inf(1)
	for _, j := range s.active {
		least = min(least, s.rms[j])
	}
	return least
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
