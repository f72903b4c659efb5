package dynamics_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// Three layers, of which each higher one takes longer to become what it is at the end.
func Example() {
	ctx := context.Background()
	r, err := dynamics.New(ctx, layers(2000, 5, 4, 3), dynamics.Options{Diagonal: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range []int{0, 100, 200, 400, 800} {
		if err := r.Add(ctx, step, layers(step, 5, 4, 3)); err != nil {
			log.Fatal(err)
		}
	}
	d := r.Dynamics()
	curves, err := d.Curves(measure.Mean)
	if err != nil {
		log.Fatal(err)
	}
	converged, err := d.Converge(measure.Mean, dynamics.DefaultThreshold)
	if err != nil {
		log.Fatal(err)
	}
	for l, c := range converged {
		fmt.Printf("%s:", c.Layer)
		for _, score := range curves[l] {
			fmt.Printf(" %.2f", *score)
		}
		fmt.Printf(", converged at step %d\n", *c.Step)
	}
	fmt.Printf("bottom-up: %.2f\n", *dynamics.BottomUp(converged))
	// Output:
	// layer 0: 0.26 0.87 0.99 1.00 1.00, converged at step 200
	// layer 1: 0.29 0.47 0.89 0.98 1.00, converged at step 400
	// layer 2: 0.17 0.37 0.68 0.93 1.00, converged at step 400
	// bottom-up: 0.82
}
