// Package compress asks what is lost when a layer is left with its most aligned directions
// alone, and makes layers smaller by them: Raghu et al. 2017, Fig. 2, §4.4 and App. 5.
//
// # Projection
//
// A Projection puts rows on the first k directions of a comparison and erases the rest;
// with some neurons kept and the others at their means it is as narrow as the paper's
// networks on single neurons (Importance, Largest, Random).
//
//	c, err := svcca.Between(a, b, svcca.Options{})
//	p := compress.Projection{Directions: c.X.Directions, K: 20}
//	err = p.Apply(test, func(rows lapack.Matrix[float64]) error { … the rest of the network })
//
// # Compression
//
// Between makes of a layer x·Win + b two narrow ones, by the directions that its input
// shares with another network's, or with the logits (DEFINITIONS §6); Of does by a
// comparison that there is. InTurn does it to several layers of a Network, which a training
// loop can be; MLP is one of plain weights.
//
//	small, err := compress.Between(ctx, input, other, layer, compress.Options{Size: compress.Parameters(0.35)})
//	fmt.Println(small.K, small.Before.Parameters, small.After.Parameters)
//
// Section numbers of DEFINITIONS in comments refer to docs/definitions.md.
package compress
