package spectrum

import "math"

// The relative roundings of float64 and float32.
const (
	Epsilon   = 0x1p-52
	Epsilon32 = 0x1p-23
)

// Loss bounds what rounding did to what a spectrum comes from: errors of
// eigenvalues where it is squared, else of the values themselves.
type Loss struct {
	Turn   float64 // in norm: it turns singular vectors
	Each   float64 // of single values
	Square float64 // in the Frobenius norm, where that was measured; else 0
	Sum    float64 // of sums of the largest eigenvalues, where that is known; else 0
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

// SquaredLoss returns that of sums in float64. apart is what they lost again when
// they were centred: n times the square of the distance between provisional and
// true means.
func SquaredLoss(s1, apart float64) Loss {
	turn := Epsilon * (s1*s1 + apartError*apart)
	return Loss{Turn: turn, Each: eigenError * turn}
}

// MixedLoss adds the errors of products in float32, as measured, to those of
// float64. Where they seem smaller than a quarter of a rounding, chance may have
// been kind.
func MixedLoss(s1, spectral, frobenius float64) Loss {
	l := SquaredLoss(s1, 0)
	spectral = max(spectral, Epsilon32/4*s1*s1)
	return Loss{Turn: l.Turn + spectral, Each: l.Each + spectral, Square: max(frobenius, spectral)}
}

// LinearLoss returns that of a triangle.
func LinearLoss(s1, apart float64) Loss {
	turn := Epsilon * (s1 + math.Sqrt(apart))
	return Loss{Turn: turn, Each: linearError * turn}
}

// roundingError bounds what the last steps, products and an SVD of order m, add to the
// error of ρ.
func roundingError(m int) float64 { return (16 + float64(m)) * Epsilon }

// ErrorBound bounds the error of every ρ between two layers whose cuts cost x and y, and of
// every ρ², which is up to twice as large; m is the largest order of an SVD of M, and mixed
// says that M was summed in float32.
func ErrorBound(x, y float64, m int, mixed bool) float64 {
	rounding := roundingError(m)
	if mixed {
		rounding *= Epsilon32 / Epsilon
	}
	return min(1, 2*(x+y+rounding))
}

// LayerAccuracy returns what the cut of one layer may cost where ErrorBound may be as large
// as accuracy: a half.
func LayerAccuracy(accuracy float64) float64 { return (accuracy/2 - roundingError(1)) / 2 }
