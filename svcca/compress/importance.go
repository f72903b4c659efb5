package compress

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/floats"
)

// Importance returns how much each neuron has to do with the first k directions: the
// Euclidean norm of its column of D[:k, :] (DEFINITIONS §6). It panics where k is not in
// 0 … m.
func Importance(d *svcca.Directions, k int) []float64 {
	importance := make([]float64, len(d.Mean))
	column := make([]float64, k)
	for j := range importance {
		for i := range column {
			column[i] = d.Decoder.At(i, j)
		}
		importance[j] = floats.Norm(column, 2)
	}
	return importance
}

// Largest returns the q neurons of the largest values, of importance or of mean activation,
// the largest first and the lower number first at a tie. It panics where q is not in 0 …
// len(values).
func Largest(values []float64, q int) []int {
	order := make([]int, len(values))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
	return order[:q]
}

// Random returns q of so many neurons, each set equally likely: the same for the same seed, and for
// a larger q the same ones first. It panics where q is not in 0 … neurons.
func Random(neurons, q int, seed uint64) []int {
	return rand.New(rand.NewPCG(seed, 0)).Perm(neurons)[:q]
}
