package main

import (
	"math/bits"
	"math/rand/v2"
)

// sample returns count of 0 to n−1, drawn without replacement, in ascending order:
// every choice of so many is as likely. It is algorithm S of Knuth (The Art of
// Computer Programming 2, 3.4.2) on the numbers of PCG-DXSM seeded with (seed, 0),
// which math/rand/v2 specifies: the same seed draws the same everywhere.
func sample(n, count int, seed uint64) []int {
	random := rand.NewPCG(seed, 0)
	chosen := make([]int, 0, count)
	for i := range n {
		if below(random, uint64(n-i)) < uint64(count-len(chosen)) {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// below returns a number below limit, each as likely (Lemire 2019). Methods of
// rand.Rand might draw otherwise one day.
func below(random *rand.PCG, limit uint64) uint64 {
	for {
		high, low := bits.Mul64(random.Uint64(), limit)
		if low >= -limit%limit {
			return high
		}
	}
}
