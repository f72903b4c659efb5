package svcca

import (
	"fmt"
	"strings"
)

// Warning says what limits a result, in a code for programs and in words.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The codes of warnings.
const (
	// WarnSaturated: too few datapoints for the directions kept.
	WarnSaturated = "saturated"
	// WarnWide: a layer has more neurons than datapoints.
	WarnWide = "more_neurons_than_datapoints"
	// WarnAccuracy: the error bound exceeds the accuracy asked for.
	WarnAccuracy = "accuracy"
	// WarnApproximate: directions were found by Solver Krylov.
	WarnApproximate = "approximate"
	// WarnUncertainK, WarnUncertainRank: a decision lies within the error of sums
	// that no finer method could replace.
	WarnUncertainK    = "uncertain_k"
	WarnUncertainRank = "uncertain_rank"
	// WarnDouble: Mixed was asked for, but a layer needed float64.
	WarnDouble = "float64"
	// WarnKGrew: k was enlarged so as not to cut a tie.
	WarnKGrew = "k_grew"
	// WarnWeightedTies: weighted scores are one choice of many.
	WarnWeightedTies = "weighted_not_unique"
	// WarnPWCCATies: PWCCA is one choice of many.
	WarnPWCCATies = "pwcca_not_unique"
	// WarnDirectionTies: aligned directions are one choice of many.
	WarnDirectionTies = "directions_not_unique"
)

// chanceWanted is the chance level that a saturated result is told how to reach.
const chanceWanted = 0.1

// accepted returns the error that needs no warning: Options.Accuracy or, in mixed
// precision, a thousandth of what lies between chance and identity.
func (c *Comparison) accepted() float64 {
	accepted := c.Options.Accuracy
	if c.Options.Precision == Mixed {
		accepted = max(accepted, 1e-3*(1-c.Chance))
	}
	if strings.Contains(string(c.Method), string(MethodKrylov)) {
		accepted = max(accepted, 5*krylovAccuracy) // errorBound of two layers
	}
	return accepted
}

// warn sets the warnings, the gravest first.
func (c *Comparison) warn(x, y *basis) {
	c.Warnings = []Warning{}
	add := func(code, format string, values ...any) {
		c.Warnings = append(c.Warnings, Warning{code, fmt.Sprintf(format, values...)})
	}
	if c.Saturated {
		enough := int(float64(max(c.X.K, c.Y.K))/chanceWanted) + 1
		if c.Options.Centering == CenterNeurons {
			enough++
		}
		forced := ""
		if c.ForcedOnes > 0 {
			forced = fmt.Sprintf("%d of %d correlations are 1 whatever the data; ", c.ForcedOnes, len(c.Rho))
		}
		add(WarnSaturated, "%d datapoints are few for %d and %d directions: %schance alone gives a mean square of %.3f; %d datapoints bring it under %g",
			c.X.Datapoints, c.X.K, c.Y.K, forced, c.Chance, enough, chanceWanted)
	}
	if accepted := c.accepted(); c.ErrorBound > accepted {
		add(WarnAccuracy, "correlations are right to %.1g only: a cut lies between nearly equal or relatively tiny singular values", c.ErrorBound)
	}
	c.Warnings = append(c.Warnings, x.warnings()...)
	c.Warnings = append(c.Warnings, y.warnings()...)
	if !c.WeightedUnique {
		add(WarnWeightedTies, "singular values tie: the weighted scores are one choice of many")
	}
	if !c.PWCCAUnique {
		add(WarnPWCCATies, "correlations tie: PWCCA is one choice of many")
	}
	if !c.DirectionsUnique {
		add(WarnDirectionTies, "correlations tie: single aligned directions are one choice of many")
	}
}

// warnings are those of one layer.
func (b *basis) warnings() (w []Warning) {
	add := func(code, format string, values ...any) {
		w = append(w, Warning{code, fmt.Sprintf(format, values...)})
	}
	if b.d > b.n {
		add(WarnWide, "%q has more neurons (%d) than datapoints (%d): is it stored as neurons × datapoints?", b.name, b.d, b.n)
	}
	if b.method == MethodKrylov {
		add(WarnApproximate, "%q: found approximately, by block Krylov: %d leading directions alone, right to %.1g but for a chance of 1 in 10^10", b.name, b.K, b.Bound)
	}
	switch {
	case b.method == MethodKrylov && !b.KSure:
		add(WarnUncertainK, "%q: whether %d directions are to be kept hangs on how nearly singular values were found", b.name, b.K)
	case b.Squared && !b.KSure:
		add(WarnUncertainK, "%q: whether %d directions are to be kept hangs on the rounding of sums", b.name, b.K)
	case b.Squared && !b.RankSure:
		add(WarnUncertainRank, "%q: the rank is at least %d: the rounding of sums hides what lies below", b.name, b.Rank)
	}
	switch {
	case b.fallback && b.method == MethodKrylov:
		add(WarnDouble, "%q: computed in float64, as block Krylov always is", b.name)
	case b.fallback && b.sparse != nil:
		add(WarnDouble, "%q: computed in float64, as sparse layers always are", b.name)
	case b.fallback:
		add(WarnDouble, "%q: computed in float64, as float32 products did not decide how many directions to keep", b.name)
	}
	if b.Grew {
		add(WarnKGrew, "%q: k was enlarged to %d, the end of a group of equal singular values", b.name, b.K)
	}
	return w
}
