package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// score is a flag, --score: which number of a pair is shown.
type score string

// scoreKind is what there is to know of a score.
type scoreKind struct {
	name  score
	title string
	needs svcca.Scores // the least work that finds it
	// of returns the score and its error bound; nil where it is undefined.
	of     func(p *svcca.PairScores) (value *float64, bound float64)
	unique func(p *svcca.PairScores) bool
}

func always(*svcca.PairScores) bool           { return true }
func weightedUnique(p *svcca.PairScores) bool { return p.WeightedUnique }
func pwccaUnique(p *svcca.PairScores) bool    { return p.PWCCAUnique }
func pwccaBound(p *svcca.PairScores) (v float64) {
	if p.PWCCAErrorBound != nil {
		v = *p.PWCCAErrorBound
	}
	return v
}

var scoreKinds = []scoreKind{
	{"mean", "SVCCA, the mean of ρ", svcca.RhoScores,
		func(p *svcca.PairScores) (*float64, float64) { return p.Mean, p.ErrorBound }, always},
	{"mean_square", "The mean of ρ²", svcca.NormScores,
		func(p *svcca.PairScores) (*float64, float64) { return &p.MeanSquare, p.ErrorBound }, always},
	{"weighted", "SVCCA, weighted by singular values", svcca.NormScores,
		func(p *svcca.PairScores) (*float64, float64) { return &p.Weighted, p.WeightedErrorBound }, weightedUnique},
	{"weighted_x", "SVCCA, weighted by the row layer's singular values", svcca.NormScores,
		func(p *svcca.PairScores) (*float64, float64) { return &p.WeightedX, p.WeightedErrorBound }, weightedUnique},
	{"weighted_y", "SVCCA, weighted by the column layer's singular values", svcca.NormScores,
		func(p *svcca.PairScores) (*float64, float64) { return &p.WeightedY, p.WeightedErrorBound }, weightedUnique},
	{"pwcca_x", "PWCCA, weighted by the row layer's neurons", svcca.AllScores,
		func(p *svcca.PairScores) (*float64, float64) { return p.PWCCAX, pwccaBound(p) }, pwccaUnique},
	{"pwcca_y", "PWCCA, weighted by the column layer's neurons", svcca.AllScores,
		func(p *svcca.PairScores) (*float64, float64) { return p.PWCCAY, pwccaBound(p) }, pwccaUnique},
	{"adjusted", "The mean of ρ², adjusted for chance", svcca.NormScores,
		func(p *svcca.PairScores) (*float64, float64) { return p.Adjusted, adjustedBound(p) }, always},
}

// adjustedBound is that of the mean square, stretched like the score.
func adjustedBound(p *svcca.PairScores) float64 {
	if p.Chance >= 1 {
		return 0
	}
	return p.ErrorBound / (1 - p.Chance)
}

// kind returns what there is to know of a score that UnmarshalText let pass.
func (s score) kind() scoreKind {
	return scoreKinds[slices.IndexFunc(scoreKinds, func(k scoreKind) bool { return k.name == s })]
}

// MarshalText returns the score's name.
func (s score) MarshalText() ([]byte, error) { return []byte(s), nil }

// UnmarshalText reads the name of a score.
func (s *score) UnmarshalText(text []byte) error {
	var names []string
	for _, k := range scoreKinds {
		if string(k.name) == string(text) {
			*s = k.name
			return nil
		}
		names = append(names, string(k.name))
	}
	near := ""
	if n := nearest(string(text), names); n != "" {
		near = ": did you mean " + n + "?"
	}
	return fmt.Errorf("unknown score, one of %s expected%s", strings.Join(names, ", "), near)
}

// axisTitle names the score at an axis, where there is little room.
func (s score) axisTitle() string {
	if s == "mean" {
		return "SVCCA similarity"
	}
	return strings.ReplaceAll(string(s), "_", " ")
}
