package svcca

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Method is how a result was found; it decides the error, not the meaning.
type Method string

const (
	// MethodMoments: eigen-solves of the layers' sums of products.
	MethodMoments Method = "moments"
	// MethodTriangle: SVDs of the triangle of a QR factorisation, where moments
	// would lose more than Options.Accuracy.
	MethodTriangle Method = "triangle"
	// MethodRows: eigen-solves of products of datapoints, n × n, where n < d.
	MethodRows Method = "rows"
	// MethodKrylov: the leading directions alone, approximately, where no eigen-solve
	// was possible or Options.Solver asks for it.
	MethodKrylov Method = "krylov"
)

// Comparison is what SVCCA says of two layers (DEFINITIONS §3, 4). It is plain
// data and marshals to JSON, schema "svcca.compare/1" without its head.
type Comparison struct {
	X       Side    `json:"x"`
	Y       Side    `json:"y"`
	Options Options `json:"options"`

	// Rho holds the canonical correlations, decreasing, m = min(X.K, Y.K) of them.
	Rho []float64 `json:"rho"`
	// Mean of Rho: the SVCCA similarity of Raghu et al.
	Mean float64 `json:"mean"`
	// MeanSquare of Rho, which is ‖M‖² / m.
	MeanSquare float64 `json:"mean_square"`
	// WeightedX and WeightedY weigh the directions of X and of Y by their singular
	// values; Weighted is the mean of the two.
	WeightedX float64 `json:"weighted_x"`
	WeightedY float64 `json:"weighted_y"`
	Weighted  float64 `json:"weighted"`
	// WeightedUnique is false where singular values tie: a rotation among them
	// changes the weighted scores.
	WeightedUnique bool `json:"weighted_unique"`
	// PWCCAX and PWCCAY weigh ρ by how much of X's and of Y's neurons the aligned
	// directions account for (Morcos et al. 2018).
	PWCCAX float64 `json:"pwcca_x"`
	PWCCAY float64 `json:"pwcca_y"`
	// PWCCAUnique is false where ρ tie: a rotation among them changes PWCCA.
	PWCCAUnique bool `json:"pwcca_unique"`
	// DirectionsUnique is false where ρ tie: the aligned directions are then one
	// choice of many.
	DirectionsUnique bool `json:"directions_unique"`

	// Chance is the expected MeanSquare of layers that share nothing.
	Chance float64 `json:"chance"`
	// Adjusted is MeanSquare with chance at 0 and identity at 1; nil where Chance
	// is 1 or more.
	Adjusted *float64 `json:"adjusted"`
	// ForcedOnes is how many ρ are 1 whatever the data.
	ForcedOnes int `json:"forced_ones"`
	// Saturated: ForcedOnes > 0 or Chance > 0.5. There are too few datapoints.
	Saturated bool `json:"saturated"`

	Method Method `json:"method"`
	// ErrorBound bounds the error of every ρ, of Mean and of MeanSquare; with
	// MethodKrylov but for a chance of 1 in 10^10.
	ErrorBound float64 `json:"error_bound"`
	// WeightedErrorBound and PWCCAErrorBound bound the errors of those scores, to
	// first order. They exceed ErrorBound where singular values, or ρ, crowd.
	WeightedErrorBound float64 `json:"weighted_error_bound"`
	PWCCAErrorBound    float64 `json:"pwcca_error_bound"`

	Warnings []Warning `json:"warnings"`
}

// Side is one layer of a comparison.
type Side struct {
	Name       string `json:"name"`
	Datapoints int    `json:"datapoints"`
	Neurons    int    `json:"neurons"`
	// Constant neurons do not vary above the rounding of their storage.
	Constant int `json:"constant_neurons"`
	// Rank counts directions above rounding noise, K those that are kept.
	Rank int `json:"rank"`
	K    int `json:"k"`
	// KGrew: K was enlarged so as not to cut a group of equal singular values.
	KGrew bool `json:"k_grew"`
	// SingularValues holds all min(n, d), decreasing; with MethodKrylov the K kept, each
	// relatively as near as the directions. Rank is then no more than that: there may
	// be others.
	SingularValues []float64 `json:"singular_values"`
	// Norm is √Σs² over all singular values where SingularValues holds the first alone.
	Norm float64 `json:"norm,omitempty"`

	// Directions are the aligned directions; nil in a Reduced.
	Directions *Directions `json:"-"`
}

// summary returns the side of a result that b describes.
func (b *basis) summary() Side {
	s := make([]float64, len(b.S))
	for i, v := range b.S {
		s[i] = math.Ldexp(v, b.scale())
	}
	norm := 0.0
	if b.method == MethodKrylov {
		norm = math.Ldexp(math.Hypot(floats.Norm(b.S, 2), math.Sqrt(b.Rest)), b.scale())
	}
	return Side{
		Norm: norm,
		Name: b.name, Datapoints: b.n, Neurons: b.d, Constant: b.d - len(b.active),
		Rank: b.Rank, K: b.K, KGrew: b.Grew, SingularValues: s,
	}
}
