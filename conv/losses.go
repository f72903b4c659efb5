package conv

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/floats"
)

// setLoss sets what rounding did to squared singular values.
func (r *reduced) setLoss() {
	r.Loss = spectrum.SquaredLoss(r.largest(), floats.Sum(r.apart))
	if r.mixed {
		most, sum := 0.0, 0.0
		for at, e := range r.errors {
			most = max(most, e)
			sum += float64(r.blocks[at].Multiplicity) * (e + r.traces[at])
		}
		r.Loss = spectrum.MixedLoss(r.largest(), most, 0)
		// What is kept of a block does not depend on its error: of that it takes a part
		// of the trace, and of the rest no more than its norm.
		r.Loss.Sum = sum
	}
}

// largest returns the largest singular value.
func (r *reduced) largest() (s1 float64) {
	for _, p := range r.parts {
		if len(p.s) > 0 {
			s1 = max(s1, p.s[0])
		}
	}
	return s1
}

// bound bounds the error of ρ that comes from the layer, where blocks do not mix: the gap
// is that of each.
func (r *reduced) bound() (bound float64) {
	for at, p := range r.parts {
		if p.k == 0 {
			continue
		}
		next := 0.0
		if p.k < len(p.s) {
			next = p.s[p.k]
		}
		of := spectrum.Spectrum{Squared: r.Squared, Loss: r.lossOf(at)}
		bound = max(bound, of.Turn(p.s[p.k-1], next))
	}
	return min(1, bound)
}

// rowError is how much of the distance between provisional and true means rows may lose
// when they are centred, in units of ε.
const rowError = 2

// lossOf returns what rounding did to a block.
func (r *reduced) lossOf(at int) (l spectrum.Loss) {
	s1, apart, leak := r.parts[at].s[0], 0.0, r.leak
	if r.apart != nil {
		apart = r.apart[at]
	}
	switch {
	case r.Squared && r.mixed:
		l = spectrum.MixedLoss(s1, r.errors[at], 0)
	case r.method == svcca.MethodRows: // whose rows were centred before they were multiplied
		l = spectrum.SquaredLoss(s1, 0)
		leak += rowError * spectrum.Epsilon * math.Sqrt(apart)
	case r.Squared:
		l = spectrum.SquaredLoss(s1, apart)
	default:
		l = spectrum.LinearLoss(s1, apart)
	}
	if r.Squared {
		leak *= 2*s1 + leak
	}
	l.Turn, l.Each = l.Turn+leak, l.Each+leak
	return l
}

// setLeak sets leak. A transform rounds every frequency in proportion to the whole image:
// a block that is small beside others has errors that its own size does not tell. Those of
// means are the same in every image, those of images at random.
func (r *reduced) setLeak() {
	translations, power := float64(r.lengthH*r.lengthW), r.droppedPower
	for at, p := range r.parts {
		power += float64(r.blocks[at].Multiplicity) * floats.Dot(p.s, p.s)
	}
	each := power / float64(r.n)
	r.leak = spectrum.Epsilon * math.Sqrt(math.Log2(translations)*(each+r.stray)/translations)
}
