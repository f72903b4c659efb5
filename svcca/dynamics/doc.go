// Package dynamics follows the layers of a network while it trains: each layer at each
// step against every layer at the end, after Raghu et al. 2017, Fig. 4.
//
//	r, err := dynamics.New(ctx, final, dynamics.Options{})
//	for each checkpoint but the last {
//		err = r.Add(ctx, step, layers) // closed or overwritten afterwards
//	}
//	err = r.AddFinal(ctx, step)
//	d := r.Dynamics()
//	converged, err := d.Converge(measure.Mean, 0.9)
//	tau := dynamics.BottomUp(converged)
//
// The pane S_t[l, l'] of a step t holds the score of layer l at t with layer l' at the end;
// its diagonal over t is the curve of a layer. A layer has converged from the first
// recorded step on from which its curve stays at θ or above (DEFINITIONS §8). Networks are
// bottom-up where lower layers converge first, to which Raghu et al. find the very top
// an exception: Overtakes measures it, as do the curves at the first step. What they see
// beside that, in batch normalisation and residual networks, is in package measure
// (Adjacent, Stripes).
//
// # Memory
//
// Layers at the end are prepared once (measure.PrepareAll): of datapoints × neurons their
// reduced form is held, datapoints × k values each, and of feature maps too, with the k of
// all blocks, where Options.Hold has room for it. Checkpoints come one at a time, and of
// each one layer at a time.
//
// Section numbers of DEFINITIONS in comments refer to docs/definitions.md.
package dynamics
