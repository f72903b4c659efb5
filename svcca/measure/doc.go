// Package measure says what the layers of networks have in common and how much room
// they take: the observations of Raghu et al. 2017, §4, as numbers.
//
//	layers, err := measure.Layers(conv.NHWC, files...) // 2-D layers and feature maps alike
//	against, err := measure.PrepareAll(ctx, others, conv.Options{})
//	pairs, err := measure.Pane(ctx, layers, against, nil)
//	scores, err := measure.Scores(pairs, measure.Mean)
//
// Of a pane of scores, Align tells at which depth of the other network each layer has its
// like, Stripes how a residual network alternates. Adjacent compares each layer with the
// one before it: batch normalisation is nearly the layer it normalises. AgainstLogits
// follows single classes through a network. Dimensionality needs one reduction and no
// second layer.
//
// Layers are conv.Maps throughout: feature maps are compared under translations
// (conv.Compare), and conv.Vector makes one of datapoints × neurons, which svcca.Compare
// compares: also of the Pixels or Flatten of maps. Either is reduced once for many
// comparisons (Prepare). With native.LimitThreads(1) at the start of a program each
// comparison shares its work among goroutines (package svcca).
//
// Section numbers of DEFINITIONS in comments refer to docs/definitions.md.
package measure
