package svcca

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// basis is a layer after the SV step: its singular values, where they are cut,
// and the right singular vectors kept, or the left ones where only those were asked
// for. Values are in units of 2^scale.
type basis struct {
	*side
	spectrum.Spectrum // in units of 2^scale
	spectrum.Cut
	v, u      lapack.Matrix[float64]
	beside    lapack.Matrix[float64] // U⊥, where it is narrower than U and came with it
	method    Method
	precision Precision
	fallback  bool // to float64, where Mixed was asked for
}

// survey sets what is known of neurons once all their values are read, of the
// neurons from col on, in order: from their weighted, centred sums of squares,
// the root-mean-square a_j of the values as stored, and which of them vary above
// their rounding. Of values in steps a_j is the step, in units of which noise is.
func (s *side) survey(col int, squares []float64) {
	if col == 0 {
		s.rms, s.active = make([]float64, s.d), s.active[:0]
	}
	total := s.weights.total
	for i, square := range squares {
		j := col + i
		s.rms[j] = math.Hypot(s.mean[j], math.Sqrt(square/total))
		grain := s.rms[j]
		if s.steps != nil {
			grain = math.Ldexp(s.steps[j], -s.exponent)
		}
		if math.Sqrt(square) > s.noise*grain*math.Sqrt(total) {
			s.active = append(s.active, j)
		}
		if !s.byType {
			s.rms[j] = grain
		}
	}
}

// expand returns the rows of v, which are those of neurons that vary, in a
// matrix of all neurons, the others 0: v itself, or one in memory.
func (s *side) expand(memory *[]float64, v lapack.Matrix[float64]) lapack.Matrix[float64] {
	if len(s.active) == s.d {
		return v
	}
	full := take(memory, s.d, v.Cols)
	full.Zero()
	for r, j := range s.active {
		copy(full.Row(j), v.Row(r))
	}
	return full
}

// means returns what was subtracted from each neuron, in the layer's own units.
func (s *side) means() []float64 {
	means := make([]float64, s.d)
	for j, v := range s.mean {
		means[j] = math.Ldexp(v, s.exponent)
	}
	return means
}

// usable returns an error where nothing of the layer can be compared.
func (b *basis) usable() error {
	if b.K == 0 {
		return fmt.Errorf("svcca: layer %q: %d of %d neurons are constant and no direction is kept: %w",
			b.name, b.d-len(b.active), b.d, ErrConstant)
	}
	if s := math.Ldexp(b.S[0], b.scale()); math.IsInf(s, 0) {
		return fmt.Errorf("svcca: layer %q: largest singular value above %g: %w", b.name, math.MaxFloat64, ErrRange)
	}
	// W holds 1/s_k, which has to stay a normal number, as has s_k.
	if s := math.Ldexp(b.S[b.K-1], b.scale()); s < 0x1p-1000 {
		return fmt.Errorf("svcca: layer %q: least kept singular value %g below %g: %w", b.name, s, 0x1p-1000, ErrRange)
	}
	// A tolerance of 0 keeps even that; maps from neurons made of it overflow.
	if s := b.S[b.K-1] / b.S[0]; s < 0x1p-200 {
		return fmt.Errorf("svcca: layer %q: least kept singular value %g of the largest: %w", b.name, s, ErrRange)
	}
	return nil
}
