package main

import (
	"fmt"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
)

const (
	// normAlike is how alike batch normalisation is to the layer before it, in the mean.
	normAlike = 0.9
	// striped is more than panes have whose datapoints do not correspond: at most 0.005.
	striped = 0.005
)

// claimed puts what was measured beside the paper.
func claimed(convnet, resnet *network) (all claims.List) {
	for _, n := range []*network{convnet, resnet} {
		// Two deviations: not what layers in random order come to.
		all = append(all, claims.Claim{
			Name:     n.Network + " bottom-up",
			Paper:    "lower layers converge to what they are at the end before higher ones, but for the very top",
			Measured: fmt.Sprintf("below the top Kendall's τ of depth and the step from which similarity stays at %v is %s (by chance 0 ± %s)", dynamics.DefaultThreshold, study.Ranks(n.BottomUp), study.Ranks(n.Deviation)),
			Holds:    n.BottomUp != nil && *n.BottomUp > 2**n.Deviation,
		})
	}
	for _, n := range []*network{convnet, resnet} {
		all = append(all, claims.Claim{
			Name:     n.Network + " top",
			Paper:    "the very top is an exception: it converges before layers below it",
			Measured: fmt.Sprintf("%s converges before %.0f%% of the layers below it", n.Layers[len(n.Layers)-1], 100**n.Overtakes),
			Holds:    *n.Overtakes > 0.5,
		})
	}
	return append(all, normal(convnet), stripes(convnet, resnet))
}

func normal(n *network) claims.Claim {
	c := claims.Claim{
		Name:  n.Network + " batch normalisation",
		Paper: "a layer of batch normalisation is nearly the layer before it",
	}
	var each []string
	mean := 0.0
	for _, b := range n.Norms {
		each = append(each, fmt.Sprintf("%s with %s %.2f", b.Layer, b.Before, b.Similarity))
		mean += b.Similarity / float64(len(n.Norms))
	}
	c.Measured = fmt.Sprintf("similarity of %s; a mean of %v is asked for", strings.Join(each, ", "), normAlike)
	c.Holds = mean >= normAlike
	return c
}

func stripes(convnet, resnet *network) claims.Claim {
	return claims.Claim{
		Name:     "resnet stripes",
		Paper:    "panes of a residual network are striped: every second layer, which adds to one stream, is alike",
		Measured: fmt.Sprintf("stripes of %.3f, in the convnet %.3f; more than %v is asked for", resnet.Stripes, convnet.Stripes, striped),
		Holds:    resnet.Stripes > striped && resnet.Stripes > convnet.Stripes,
	}
}
