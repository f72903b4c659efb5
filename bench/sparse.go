package bench

import (
	"math/rand/v2"
	"slices"

	"github.com/james-bowman/sparse"
)

// What the features of workload W6 share: causes, of which each datapoint has a few.
const (
	causes      = 64
	causesOfOne = 3
	// noiseShare of the values come from no cause.
	noiseShare = 0.4
)

// Features returns two layers of n datapoints × d features of which about a share
// density is not zero, positive: the data of workload W6. Equal arguments give equal
// bits.
//
// Every feature belongs to one of 64 causes, of sizes that fall like 1/i. A datapoint
// has three causes, each with a strength, which make some of their features fire, by
// as much; the rest fires by chance. Both layers see the same causes, with features of
// their own.
func Features(n, d int, density float64, seed uint64) (x, y *sparse.CSR) {
	rng := rand.New(rand.NewPCG(seed, 6))
	layers := [2]features{newFeatures(d, rng), newFeatures(d, rng)}
	row := make([]float64, d)
	for range n {
		strengths := make([]float64, causes)
		for range causesOfOne {
			strengths[rng.IntN(causes)] = 0.5 + rng.ExpFloat64()
		}
		for i := range layers {
			layers[i].next(row, strengths, density, rng)
		}
	}
	return layers[0].csr(d), layers[1].csr(d)
}

// features is a layer that grows.
type features struct {
	of       [][]int   // features of each cause
	loadings []float64 // by feature
	begin    []int
	index    []int
	value    []float64
}

func newFeatures(d int, rng *rand.Rand) features {
	f := features{of: make([][]int, causes), begin: []int{0}}
	var shares []float64
	total := 0.0
	for c := range causes {
		total += 1 / float64(c+1)
		shares = append(shares, total)
	}
	for j := range d {
		c, _ := slices.BinarySearch(shares, rng.Float64()*total)
		f.of[c] = append(f.of[c], j)
		f.loadings = append(f.loadings, 0.5+rng.Float64())
	}
	return f
}

// next adds a datapoint. row is all zeros, before and after.
func (f *features) next(row, strengths []float64, density float64, rng *rand.Rand) {
	d := len(row)
	var fired []int
	fire := func(j int, v float64) {
		if row[j] == 0 {
			fired = append(fired, j)
		}
		row[j] += v
	}
	// A cause fires as many of its features as make up the density on average.
	each := density * (1 - noiseShare) * float64(d) / causesOfOne
	for c, strength := range strengths {
		if strength == 0 || len(f.of[c]) == 0 {
			continue
		}
		share := min(1, each/float64(len(f.of[c])))
		for _, j := range f.of[c] {
			if rng.Float64() < share {
				fire(j, strength*f.loadings[j]*(0.5+rng.Float64()))
			}
		}
	}
	for range int(noiseShare*density*float64(d) + rng.Float64()) {
		fire(rng.IntN(d), 0.1+0.5*rng.ExpFloat64())
	}
	slices.Sort(fired)
	for _, j := range fired {
		f.index, f.value = append(f.index, j), append(f.value, row[j])
		row[j] = 0
	}
	f.begin = append(f.begin, len(f.index))
}

func (f *features) csr(d int) *sparse.CSR {
	return sparse.NewCSR(len(f.begin)-1, d, f.begin, f.index, f.value)
}
