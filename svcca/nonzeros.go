package svcca

import "github.com/gosvcca/gosvcca/internal/compressed"

// nonzeros are the values of a sparse layer, by datapoints.
type nonzeros struct{ compressed.Matrix }

// square sets row[j:], which has one element for each column of z, to that of the upper
// triangle of zᵀz: each datapoint of neuron j adds what follows it there. One row is
// one worker's, which writes nothing else: bits depend on nobody's number, and the row
// stays in the cache.
func (z nonzeros) square(c compressed.Columns, j int, row []float64) {
	clear(row[j:])
	for t := c.Begin[j]; t < c.Begin[j+1]; t++ {
		from, end := c.At[t], z.Begin[c.Row[t]+1]
		index, value := z.Index[from:end], z.Value[from:end]
		v := value[0]
		for p, k := range index {
			row[k] += v * value[p]
		}
	}
}
