package svcca

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Options say what is computed. The zero Options are the paper's method: 99% of
// variance kept, every neuron centred, rank above the noise of storage.
// A struct may grow: name its fields.
type Options struct {
	// Keep is the rule for how many singular directions of a layer are kept.
	// Zero: Variance(0.99).
	Keep Keep
	// RankTol is where rounding noise begins; no direction below it is kept.
	// Zero: StorageTol().
	RankTol RankTol
	// Centering is what is subtracted from each neuron. Zero: CenterNeurons.
	Centering Centering
	// Weights holds a weight > 0 per datapoint, which every sum over datapoints
	// takes up. Nil: all 1. The slice is not copied.
	Weights []float64
	// Accuracy is the error of ρ that is accepted for speed: where the bound of
	// the fastest method exceeds it, a finer one is used. Zero: 1e-8.
	Accuracy float64
	// Precision is that of the products. Zero: Double. Mixed trades Accuracy,
	// which it does not look at, for speed.
	Precision Precision
	// Solver says whether a layer's directions are found exactly. Zero: Automatic,
	// exactly where that can be done. What is reduced from sums always is, and
	// does not look at it.
	Solver Solver
}

const defaultAccuracy = 1e-8

// Check returns o with defaults filled in. The error, where an option is out of its range,
// wraps ErrOptions.
func (o Options) Check() (Options, error) { return o.check() }

// check returns o with defaults filled in.
func (o Options) check() (Options, error) {
	if o.Keep == (Keep{}) {
		o.Keep = Variance(0.99)
	}
	if err := o.Keep.check(); err != nil {
		return o, err
	}
	if err := o.RankTol.check(); err != nil {
		return o, err
	}
	if o.Centering == CenterTranslated {
		return o, fmt.Errorf("svcca: centring \"translated\" is for feature maps under translations: %w", ErrOptions)
	}
	if o.Centering != CenterNeurons && o.Centering != CenterNone {
		return o, fmt.Errorf("svcca: centering %d: %w", o.Centering, ErrOptions)
	}
	if err := checkWeights(o.Weights); err != nil {
		return o, err
	}
	if o.Precision != Double && o.Precision != Mixed {
		return o, fmt.Errorf("svcca: precision %d: %w", o.Precision, ErrOptions)
	}
	if o.Solver < Automatic || o.Solver > Krylov {
		return o, fmt.Errorf("svcca: solver %d: %w", o.Solver, ErrOptions)
	}
	if o.Accuracy == 0 {
		o.Accuracy = defaultAccuracy
	}
	if !(o.Accuracy > 0) {
		return o, fmt.Errorf("svcca: accuracy %v is not positive: %w", o.Accuracy, ErrOptions)
	}
	return o, nil
}

func checkWeights(weights []float64) error {
	for i, w := range weights {
		if !(w > 0) || math.IsInf(w, 0) {
			return fmt.Errorf("svcca: weight of datapoint %d is %v, not a positive number: %w", i, w, ErrOptions)
		}
	}
	return nil
}

// MarshalJSON returns the options in the words of the command's flags.
func (o Options) MarshalJSON() ([]byte, error) {
	if o.Keep == (Keep{}) {
		o.Keep = Variance(0.99)
	}
	return json.Marshal(struct {
		Keep      Keep      `json:"keep"`
		RankTol   RankTol   `json:"rank_tol"`
		Centering Centering `json:"centering"`
		Precision Precision `json:"precision"`
		Conv      string    `json:"conv"`
		Weights   bool      `json:"weights"`
		Solver    Solver    `json:"solver,omitempty"` // where it was chosen
	}{o.Keep, o.RankTol, o.Centering, o.Precision, "", o.Weights != nil, o.Solver})
}

// Keep is a rule for the number k of singular directions kept (DEFINITIONS §2).
// k never exceeds the rank, and grows to take in a whole group of ties.
type Keep struct {
	rule  keepRule
	share float64
	count int
}

type keepRule int

const (
	keepDefault keepRule = iota
	keepVariance
	keepSum
	keepCount
	keepRank
)

// Variance keeps the least k with Σ_{i≤k} s_i² ≥ share·Σ s_i²: what the text of
// Raghu et al. says, with share 0.99. 0 < share ≤ 1.
func Variance(share float64) Keep { return Keep{rule: keepVariance, share: share} }

// Sum keeps the least k with Σ_{i≤k} s_i ≥ share·Σ s_i: what the appendix of
// Raghu et al. prints. 0 < share ≤ 1.
func Sum(share float64) Keep { return Keep{rule: keepSum, share: share} }

// Count keeps k directions, or the rank where that is less. k ≥ 1.
func Count(k int) Keep { return Keep{rule: keepCount, count: k} }

// FullRank keeps every direction above rounding noise: plain CCA.
func FullRank() Keep { return Keep{rule: keepRank} }

func (k Keep) check() error {
	switch k.rule {
	case keepVariance, keepSum:
		if !(k.share > 0 && k.share <= 1) {
			return fmt.Errorf("svcca: keep %v: the share must be above 0 and at most 1: %w", k, ErrOptions)
		}
	case keepCount:
		if k.count < 1 {
			return fmt.Errorf("svcca: keep %v: at least one direction is needed: %w", k, ErrOptions)
		}
	}
	return nil
}

// Rule returns the rule's name and its argument: "variance" or "sum" and the share,
// "count" and the number, "rank" and 0.
func (k Keep) Rule() (name string, argument float64) {
	switch k.rule {
	case keepSum:
		return "sum", k.share
	case keepCount:
		return "count", float64(k.count)
	case keepRank:
		return "rank", 0
	case keepDefault:
		return Variance(0.99).Rule()
	}
	return "variance", k.share
}

// String returns the rule as ParseKeep takes it: "variance(0.99)".
func (k Keep) String() string {
	switch k.rule {
	case keepSum:
		return "sum(" + formatFloat(k.share) + ")"
	case keepCount:
		return "count(" + strconv.Itoa(k.count) + ")"
	case keepRank:
		return "rank"
	case keepDefault:
		return Variance(0.99).String()
	default:
		return "variance(" + formatFloat(k.share) + ")"
	}
}

// ParseKeep reads "variance(0.99)", "sum(0.99)", "count(20)" or "rank".
// The error wraps ErrOptions.
func ParseKeep(text string) (Keep, error) {
	name, argument, parenthesis := strings.Cut(strings.TrimSpace(text), "(")
	argument, closed := strings.CutSuffix(argument, ")")
	k, err := Keep{}, error(nil)
	switch {
	case name == "rank" && !parenthesis:
		k.rule = keepRank
	case name == "variance" && closed:
		k.rule = keepVariance
		k.share, err = strconv.ParseFloat(argument, 64)
	case name == "sum" && closed:
		k.rule = keepSum
		k.share, err = strconv.ParseFloat(argument, 64)
	case name == "count" && closed:
		k.rule = keepCount
		k.count, err = strconv.Atoi(argument)
	default:
		err = fmt.Errorf("unknown rule")
	}
	if err != nil {
		return Keep{}, fmt.Errorf("svcca: keep %q is none of variance(0.99), sum(0.99), count(20), rank: %w", text, ErrOptions)
	}
	return k, k.check()
}

// MarshalText returns String.
func (k Keep) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParseKeep.
func (k *Keep) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKeep(string(text))
	return err
}

// RankTol says below which singular values a direction is rounding noise
// (DEFINITIONS §2).
type RankTol struct {
	rule  rankRule
	typ   ValueType
	share float64
}

type rankRule int

const (
	rankStorage rankRule = iota
	rankType
	rankMachine
	rankShare
)

// StorageTol counts directions above what rounding the values to the type they
// are stored in can have made, direction by direction.
func StorageTol() RankTol { return RankTol{} }

// TypeTol is StorageTol for values that went through a narrower type than the
// one they are stored in.
func TypeTol(t ValueType) RankTol { return RankTol{rule: rankType, typ: t} }

// MachineTol counts directions above max(n, d)·2⁻⁵²·s_1, float64's own noise.
func MachineTol() RankTol { return RankTol{rule: rankMachine} }

// ShareTol counts directions above share·s_1. 0 ≤ share < 1.
func ShareTol(share float64) RankTol { return RankTol{rule: rankShare, share: share} }

func (r RankTol) check() error {
	switch r.rule {
	case rankType:
		if _, known := r.typ.Noise(); !known || r.typ == Int8 { // which has no noise without its steps
			return fmt.Errorf("svcca: rank tolerance %q: %w", r.typ, ErrOptions)
		}
	case rankShare:
		if !(r.share >= 0 && r.share < 1) {
			return fmt.Errorf("svcca: rank tolerance %v: a number must be at least 0 and below 1: %w", r.share, ErrOptions)
		}
	}
	return nil
}

// Rule returns the tolerance's name and its argument: "storage", "machine" or the name
// of a type, and 0; "share" and the share.
func (r RankTol) Rule() (name string, argument float64) {
	switch r.rule {
	case rankType:
		return string(r.typ), 0
	case rankMachine:
		return "machine", 0
	case rankShare:
		return "share", r.share
	}
	return "storage", 0
}

// String returns the tolerance as ParseRankTol takes it.
func (r RankTol) String() string {
	switch r.rule {
	case rankType:
		return string(r.typ)
	case rankMachine:
		return "machine"
	case rankShare:
		return formatFloat(r.share)
	}
	return "storage"
}

// ParseRankTol reads "storage", "machine", the name of a type or a number.
// The error wraps ErrOptions.
func ParseRankTol(text string) (RankTol, error) {
	text = strings.TrimSpace(text)
	if text == "storage" {
		return StorageTol(), nil
	}
	if text == "machine" {
		return MachineTol(), nil
	}
	if tol := TypeTol(ValueType(text)); tol.check() == nil {
		return tol, nil
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return RankTol{}, fmt.Errorf("svcca: rank tolerance %q is none of storage, float16, bfloat16, float32, float64, machine, a number: %w", text, ErrOptions)
	}
	return ShareTol(share), ShareTol(share).check()
}

// MarshalText returns String.
func (r RankTol) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRankTol.
func (r *RankTol) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRankTol(string(text))
	return err
}

// Centering is what is subtracted from every neuron before anything else.
type Centering int

const (
	// CenterNeurons subtracts each neuron's mean over the datapoints.
	CenterNeurons Centering = iota
	// CenterNone subtracts nothing: directions start at the origin.
	CenterNone
	// CenterTranslated subtracts the mean over images and translations of feature maps
	// (package conv): what they have of a fixed pattern over positions stays.
	CenterTranslated
)

// String returns "neurons", "none" or "translated".
func (c Centering) String() string {
	switch c {
	case CenterNone:
		return "none"
	case CenterTranslated:
		return "translated"
	}
	return "neurons"
}

// ParseCentering reads "neurons", "none" or "translated". The error wraps ErrOptions.
func ParseCentering(text string) (Centering, error) {
	switch strings.TrimSpace(text) {
	case "neurons":
		return CenterNeurons, nil
	case "none":
		return CenterNone, nil
	case "translated":
		return CenterTranslated, nil
	}
	return 0, fmt.Errorf("svcca: centering %q is none of neurons, none, translated: %w", text, ErrOptions)
}

// MarshalText returns String.
func (c Centering) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is ParseCentering.
func (c *Centering) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCentering(string(text))
	return err
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
