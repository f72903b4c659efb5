package bench

import "math/rand/v2"

// PaneLayer returns layer j of the count layers of a pane, n datapoints × d
// neurons, row by row: the data of workload W2. Equal arguments give equal bits.
//
// A layer is made as y of Pair from a z that all layers of a pane share, with a w,
// a rotation and means of its own. Its angles are those of Pair turned by
// the share j/count of their range: pairs of layers differ in what they share, and
// the mean over directions of ρ, chance apart, is between 0.35 and 0.5.
//
// Cost as Pair's for each layer.
func PaneLayer(spectrum Spectrum, n, d, j, count int, seed uint64) []float32 {
	seeds := rand.NewPCG(seed, uint64(spectrum))
	next := func() *rand.Rand { return rand.New(rand.NewPCG(seeds.Uint64(), seeds.Uint64())) }
	shared, own := next(), next()
	for range j {
		own = next()
	}
	scale, sigma := spectrum.scales(d)
	common, rest := make([]float64, d), make([]float64, d)
	for i := range d {
		sine, cosine := angle(i, float64(j)/float64(count))
		common[i], rest[i] = scale[i]*cosine, scale[i]*sine
	}
	v := newRotation(d, own)
	mean := means(d, sigma, own)

	layer, row := make([]float32, 0, n*d), make([]float64, d)
	for range n {
		for i := range row {
			row[i] = common[i]*shared.NormFloat64() + rest[i]*own.NormFloat64()
		}
		v.apply(row)
		for i, value := range row {
			layer = append(layer, float32(value+mean[i]))
		}
	}
	return layer
}
