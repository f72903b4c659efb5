package svcca_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/james-bowman/sparse"
)

// Features of a dictionary, of which few are active on any datapoint: two dictionaries
// that see the same ten causes, and much else.
func ExampleFromSparse() {
	const n, d = 2000, 300
	rng := rand.New(rand.NewPCG(1, 2))
	x, y := sparse.NewDOK(n, d), sparse.NewDOK(n, d)
	for i := range n {
		cause := rng.IntN(10)
		for range 6 {
			strength := 2 + rng.Float64()
			x.Set(i, 10*cause+rng.IntN(10), strength)
			y.Set(i, 10*cause+rng.IntN(10), strength)
			x.Set(i, rng.IntN(d), rng.Float64())
			y.Set(i, rng.IntN(d), rng.Float64())
		}
	}
	c, err := svcca.Between(svcca.FromSparse("x", x), svcca.FromSparse("y", y), svcca.Options{Keep: svcca.Count(9)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f%% of values are not zero\n", 100*float64(x.NNZ())/(n*d))
	fmt.Printf("similarity %.3f of %d directions, chance %.3f\n", c.Mean, c.X.K, c.Chance)
	// Output:
	// 3.5% of values are not zero
	// similarity 0.964 of 9 directions, chance 0.005
}
