package compress

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
)

// Size is a rule for how many directions a compressed layer keeps (DEFINITIONS §6): of a
// share, which is taken as the decimal fraction it is written as. k never exceeds what
// the comparison kept. The zero Size keeps all of that.
type Size struct {
	rule  string
	share float64
}

const (
	byNeurons    = "neurons"
	byParameters = "parameters"
)

// Neurons keeps ⌈share·d⌉ of d neurons: what Raghu et al. print, k/n. It makes a layer of
// out neurons larger where out < d·share/(1 − share). 0 < share ≤ 1.
func Neurons(share float64) Size { return Size{byNeurons, share} }

// Parameters keeps the largest k with k(d + out) + out ≤ share·(d·out + out): at most that
// share of the parameters. 0 < share ≤ 1.
func Parameters(share float64) Size { return Size{byParameters, share} }

var sizePattern = regexp.MustCompile(`^(neurons|parameters)\((.*)\)$`)

// ParseSize reads "all", "neurons(0.35)" or "parameters(0.35)". The error wraps
// svcca.ErrOptions.
func ParseSize(text string) (Size, error) {
	if text == "all" {
		return Size{}, nil
	}
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil {
		return Size{}, fmt.Errorf("compress: size %q: want all, neurons(0.35) or parameters(0.35): %w", text, svcca.ErrOptions)
	}
	share, err := strconv.ParseFloat(parts[2], 64)
	if err != nil {
		return Size{}, fmt.Errorf("compress: size %q: %q is no number: %w", text, parts[2], svcca.ErrOptions)
	}
	s := Size{parts[1], share}
	return s, s.check()
}

// String returns the rule as ParseSize takes it.
func (s Size) String() string {
	if s.rule == "" {
		return "all"
	}
	return s.rule + "(" + strconv.FormatFloat(s.share, 'g', -1, 64) + ")"
}

// MarshalText returns String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

func (s Size) check() error {
	if s.rule != "" && !(s.share > 0 && s.share <= 1) {
		return fmt.Errorf("compress: size %v: want more than 0, at most 1: %w", s, svcca.ErrOptions)
	}
	return nil
}

// k returns how many of m directions a layer of d × out weights keeps. The error wraps
// svcca.ErrOptions where that is none.
func (s Size) k(d, out, m int) (int, error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	// In float64 0.07·100 is above 7.
	share, _ := new(big.Rat).SetString(strconv.FormatFloat(s.share, 'g', -1, 64))
	times := func(count int) *big.Rat { return new(big.Rat).Mul(share, new(big.Rat).SetInt64(int64(count))) }
	k := m
	switch s.rule {
	case byNeurons:
		most := times(d)
		k = floor(most)
		if !most.IsInt() {
			k++
		}
	case byParameters:
		room := new(big.Rat).Sub(times(d*out+out), new(big.Rat).SetInt64(int64(out)))
		k = max(0, floor(room.Quo(room, new(big.Rat).SetInt64(int64(d+out)))))
	}
	if k < 1 {
		want := "no share does"
		if least := big.NewRat(int64(d+2*out), int64(d*out+out)); least.Cmp(big.NewRat(1, 1)) <= 0 {
			want = "want " + upward(least) + " or more"
		}
		return 0, fmt.Errorf("compress: %v of a layer of %d × %d leaves no direction: %s: %w", s, d, out, want, svcca.ErrOptions)
	}
	return min(k, m), nil
}

// upward returns r ≤ 1 in three digits at most, none below it.
func upward(r *big.Rat) string {
	approximate, _ := r.Float64()
	unit := math.Pow(10, math.Floor(math.Log10(approximate))-2)
	for count := math.Floor(approximate / unit); ; count++ {
		text := strconv.FormatFloat(count*unit, 'g', 3, 64)
		if above, _ := new(big.Rat).SetString(text); above.Cmp(r) >= 0 {
			return text
		}
	}
}

// floor returns ⌊r⌋.
func floor(r *big.Rat) int {
	return int(new(big.Int).Div(r.Num(), r.Denom()).Int64())
}
