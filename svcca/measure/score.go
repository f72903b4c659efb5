package measure

import (
	"fmt"

	"github.com/gosvcca/gosvcca/svcca"
)

// Score names one of the scores of a comparison (DEFINITIONS §4), as its JSON does.
type Score string

// The scores there are.
const (
	Mean       Score = "mean" // the SVCCA similarity of Raghu et al.
	MeanSquare Score = "mean_square"
	WeightedX  Score = "weighted_x"
	WeightedY  Score = "weighted_y"
	Weighted   Score = "weighted"
	PWCCAX     Score = "pwcca_x"
	PWCCAY     Score = "pwcca_y"
	Adjusted   Score = "adjusted"
)

// ParseScore reads the name of a score. The error wraps svcca.ErrOptions.
func ParseScore(text string) (Score, error) {
	switch s := Score(text); s {
	case Mean, MeanSquare, WeightedX, WeightedY, Weighted, PWCCAX, PWCCAY, Adjusted:
		return s, nil
	}
	return "", fmt.Errorf("measure: no score %q: want mean, mean_square, weighted, weighted_x, weighted_y, pwcca_x, pwcca_y or adjusted: %w", text, svcca.ErrOptions)
}

// Undefined reports whether a pair cannot have the score: adjusted where chance is 1 or more.
func (s Score) Undefined(p svcca.PairScores) bool { return s == Adjusted && p.Adjusted == nil }

// Of returns the score of a pair. The error wraps svcca.ErrOptions for a score that the
// pair does not have, as adjusted where chance is 1 or more.
func (s Score) Of(p svcca.PairScores) (float64, error) {
	var value *float64
	switch s {
	case Mean:
		value = p.Mean
	case MeanSquare:
		value = &p.MeanSquare
	case WeightedX:
		value = &p.WeightedX
	case WeightedY:
		value = &p.WeightedY
	case Weighted:
		value = &p.Weighted
	case PWCCAX:
		value = p.PWCCAX
	case PWCCAY:
		value = p.PWCCAY
	case Adjusted:
		value = p.Adjusted
	default:
		_, err := ParseScore(string(s))
		return 0, err
	}
	if value == nil {
		return 0, fmt.Errorf("measure: the pair has no %s (chance %.3g): %w", s, p.Chance, svcca.ErrOptions)
	}
	return *value, nil
}
