package conv

import (
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/floats"
)

// SumsForTest is what sums hold of one layer or of two, side by side: values of layer i in
// units of 2^Exponents[i].
type SumsForTest struct {
	Images       int
	Weight       float64
	Translations [2]int
	Blocks       []Block
	Exponents    []int
	Steps        [][2]int
	Shift        [][]float64                 // by layer, of positions × channels
	Rest         [][]complex128              // by block, of the columns of all layers
	Products     []lapack.Matrix[complex128] // upper triangles
	Apart        []float64
}

// OfSumsForTest opens a *Moments or *Pair.
func OfSumsForTest(all any) (s SumsForTest) {
	var z *sums
	switch all := all.(type) {
	case *Moments:
		z, _ = all.shared.Snapshot()
	case *Pair:
		z, _ = all.shared.Snapshot()
	}
	s = SumsForTest{Images: z.n, Weight: z.total, Translations: [2]int{z.shape.height, z.shape.width}, Blocks: z.shape.blocks, Rest: z.rest, Products: z.gram}
	for _, l := range z.layers {
		s.Exponents = append(s.Exponents, l.exponent)
		s.Steps = append(s.Steps, [2]int{l.stepH, l.stepW})
		s.Shift = append(s.Shift, l.shift)
		s.Apart = append(s.Apart, floats.Sum(l.apart))
	}
	return s
}

// MostHeldForTest sets mostHeld, and returns what sets it back.
func MostHeldForTest(bytes int64) (back func()) {
	before := mostHeld
	mostHeld = bytes
	return func() { mostHeld = before }
}
