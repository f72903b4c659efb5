package svcca

import (
	"github.com/gosvcca/gosvcca/lapack"
)

// SumsForTest is what sums hold of one layer or of two, side by side: values of
// neuron j in units of 2^Exponents[j], products also of 4^WeightExponent.
type SumsForTest struct {
	Datapoints     int
	Weight         float64
	WeightExponent int
	Exponents      []int
	Shift, Rest    []float64
	// Products are RᵀR below the row of means, by plain loops, or the upper triangle
	// of what moments hold.
	Products lapack.Matrix[float64]
	Apart    []float64 // by layer
}

// OfSumsForTest opens a *Moments, *Triangle or *Pair.
func OfSumsForTest(sums any) (s SumsForTest) {
	var z *summary
	switch sums := sums.(type) {
	case *Moments:
		z, _ = sums.shared.Snapshot()
	case *Triangle:
		z, _ = sums.shared.Snapshot()
	case *Pair:
		z, _ = sums.shared.Snapshot()
	}
	s.Datapoints, s.Weight, s.WeightExponent = z.n, z.total, z.weightExponent
	for _, l := range z.layers {
		for j := range l.d {
			s.Exponents = append(s.Exponents, l.exponent)
			s.Shift = append(s.Shift, l.shift[j])
			s.Rest = append(s.Rest, l.rest[j])
		}
		s.Apart = append(s.Apart, l.apart)
	}
	s.Products = z.gram
	if z.method == MethodTriangle {
		d := z.r.Cols - 1
		s.Products = lapack.New[float64](d, d)
		for i := range d {
			s.Rest[i] = z.r.At(0, 1+i) / z.r.At(0, 0)
			for j := range d {
				for k := 1; k < z.r.Rows; k++ {
					s.Products.Row(i)[j] += z.r.At(k, 1+i) * z.r.At(k, 1+j)
				}
			}
		}
	}
	return s
}
