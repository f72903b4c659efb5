package svcca_test

import (
	"fmt"
	"log"
	"math"

	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Two networks of one architecture, trained from different seeds: how alike are
// their last hidden layers?
func ExampleBetween() {
	x, err := digits.Open("a/fc3")
	if err != nil {
		log.Fatal(err)
	}
	y, err := digits.Open("b/fc3")
	if err != nil {
		log.Fatal(err)
	}
	c, err := svcca.Between(x, y, svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("similarity %.4f of %d and %d directions, chance %.4f\n", c.Mean, c.X.K, c.Y.K, c.Chance)
	// Output:
	// similarity 0.8967 of 9 and 9 directions, chance 0.0050
}

// Reduce does the work of a layer once; every comparison with it is cheap then.
func ExampleReduce() {
	var reduced []*svcca.Reduced
	for _, name := range []string{"a/fc3", "b/fc3", "a/logits", "b/logits"} {
		layer, err := digits.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		r, err := svcca.Reduce(layer, svcca.Options{})
		if err != nil {
			log.Fatal(err)
		}
		reduced = append(reduced, r)
	}
	for _, x := range reduced {
		for _, y := range reduced {
			c, err := svcca.Compare(x, y)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%7.4f", c.Mean)
		}
		fmt.Println()
	}
	// Output:
	// 1.0000 0.8967 1.0000 0.9759
	//  0.8967 1.0000 0.9816 0.9997
	//  1.0000 0.9816 1.0000 0.9573
	//  0.9759 0.9997 0.9573 1.0000
}

// Compare takes layers that were reduced by different rules: here all of one
// layer against what holds half the variance of the other.
func ExampleCompare() {
	layer, err := digits.Open("a/fc3")
	if err != nil {
		log.Fatal(err)
	}
	all, err := svcca.Reduce(layer, svcca.Options{Keep: svcca.FullRank()})
	if err != nil {
		log.Fatal(err)
	}
	half, err := svcca.Reduce(layer, svcca.Options{Keep: svcca.Variance(0.5)})
	if err != nil {
		log.Fatal(err)
	}
	c, err := svcca.Compare(half, all)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d directions, each of them in both: %.4f\n", c.X.K, c.Y.K, c.Rho)
	// Output:
	// 2 of 57 directions, each of them in both: [1.0000 1.0000]
}

// Project leaves of a layer what its first aligned directions hold: here one, of
// two neurons that say the same and one that says nothing to the other layer.
func ExampleDirections_Project() {
	x := svcca.FromSlice("x", []float64{
		1, 11, 6,
		2, 12, 4,
		3, 13, 4,
		4, 14, 6,
	}, 4, 3)
	y := svcca.FromSlice("y", []float64{10, 20, 30, 40}, 4, 1)
	c, err := svcca.Between(x, y, svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ρ %.4f\n", c.Rho)
	err = c.X.Directions.Project(x, 1, func(block lapack.Matrix[float64]) error {
		for i := range block.Rows {
			fmt.Printf("%6.2f\n", block.Row(i))
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// ρ [1.0000]
	// [  1.00  11.00   5.00]
	// [  2.00  12.00   5.00]
	// [  3.00  13.00   5.00]
	// [  4.00  14.00   5.00]
}

// Activations in memory, float32 or float64, are compared where they lie.
func ExampleFromSlice() {
	const n = 100
	circle, ellipse := make([]float32, 0, 2*n), make([]float32, 0, 2*n)
	for i := range n {
		angle := 2 * math.Pi * float64(i) / n
		circle = append(circle, float32(math.Cos(angle)), float32(math.Sin(angle)))
		ellipse = append(ellipse, float32(5+2*math.Cos(angle+1)), float32(3*math.Sin(angle+1)))
	}
	c, err := svcca.Between(svcca.FromSlice("circle", circle, n, 2), svcca.FromSlice("ellipse", ellipse, n, 2), svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("similarity %.4f, chance %.4f\n", c.Mean, c.Chance)
	// Output:
	// similarity 1.0000, chance 0.0202
}

// The Krylov solver needs no matrix of neurons × neurons. It takes over by itself where
// that would be too large; here it is asked for.
func ExampleSolver() {
	x, err := digits.Open("a/fc3")
	if err != nil {
		log.Fatal(err)
	}
	y, err := digits.Open("b/fc3")
	if err != nil {
		log.Fatal(err)
	}
	c, err := svcca.Between(x, y, svcca.Options{Solver: svcca.Krylov})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("similarity %.4f of %d and %d directions, by %s\n", c.Mean, c.X.K, c.Y.K, c.Method)
	fmt.Println("right to 1e-5:", c.ErrorBound < 1e-5, "warning:", c.Warnings[0].Code)
	// Output:
	// similarity 0.8967 of 9 and 9 directions, by krylov
	// right to 1e-5: true warning: approximate
}
