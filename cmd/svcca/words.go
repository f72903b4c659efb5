package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// words returns, in sentences, what the scores say: no more than follows from
// the numbers.
func (c *result) words() []string {
	text := []string{
		fmt.Sprintf("Unrelated layers would give a mean square of %s; these give %s.", c.atLeast()+level(c.Chance), strings.TrimSpace(decimal(c.MeanSquare, c.ErrorBound))),
		pairWords(c.Comparison),
	}
	if c.conv != nil && c.ForcedOnes == 0 {
		text = append(text, "None is 1 for want of images.")
	}
	switch m := len(c.Rho); {
	case c.ForcedOnes >= m:
		return append(text, "With so few "+c.unit()+"s that is so whatever the layers hold: these scores say nothing about them.")
	case c.Saturated:
		return append(text, "With so few "+c.unit()+"s the scores are high whatever the layers hold: they say little.")
	case c.Options.Weights == nil && c.byChance():
		return append(text, "That is within three standard deviations of chance: nothing here shows that the layers share anything.")
	case c.Rho[m-1] >= 1-math.Max(c.ErrorBound, 1e-12):
		return append(text, sameWords(c.Comparison))
	}
	if c.Options.Centering == svcca.CenterNeurons {
		text = append(text, explainedWords(c.Comparison))
	}
	return text
}

const (
	highRho = 0.9
	lowRho  = 0.2
)

// pairWords counts the aligned pairs that correlate much and little.
func pairWords(c *svcca.Comparison) string {
	m, high, low := len(c.Rho), 0, 0
	for _, rho := range c.Rho {
		if rho > highRho {
			high++
		}
		if rho < lowRho {
			low++
		}
	}
	forced := ""
	if n := c.ForcedOnes; n > 0 && n < m {
		forced = fmt.Sprintf(" (%d of them must, whatever the data)", n)
	}
	switch {
	case m == 1:
		return fmt.Sprintf("The one pair of aligned directions correlates by %s.", strings.TrimSpace(decimal(c.Rho[0], c.ErrorBound)))
	case high == m:
		return fmt.Sprintf("All %d pairs of aligned directions correlate above %v%s.", m, highRho, forced)
	case low == m:
		return fmt.Sprintf("All %d pairs of aligned directions correlate below %v.", m, lowRho)
	}
	return fmt.Sprintf("Of %d pairs of aligned directions %s above %v%s, %s below %v.",
		m, correlate(high), highRho, forced, number(low), lowRho)
}

func correlate(n int) string {
	if n <= 1 {
		return number(n) + " correlates"
	}
	return number(n) + " correlate"
}

func number(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

// sameWords is said where every ρ is 1 within rounding.
func sameWords(c *svcca.Comparison) string {
	switch {
	case c.X.K == c.Y.K:
		return "Within rounding, what is kept of either layer is a linear function of what is kept of the other: they hold the same."
	case c.X.K < c.Y.K:
		return "Within rounding, what is kept of x is a linear function of what is kept of y."
	}
	return "Within rounding, what is kept of y is a linear function of what is kept of x."
}

// explainedWords says what linear regression makes of a layer: R² of a kept
// direction of x on those of y is the squared norm of its row of M, so that
// their mean is Σρ²/k_x.
func explainedWords(c *svcca.Comparison) string {
	m := float64(len(c.Rho))
	x := whole(c.MeanSquare * m / float64(c.X.K))
	y := whole(c.MeanSquare * m / float64(c.Y.K))
	if c.X.K == c.Y.K {
		return fmt.Sprintf("By linear regression, the directions kept of one layer explain %s of the variance along one of the other's, on average.", x)
	}
	return fmt.Sprintf("By linear regression, the directions kept of y explain %s of the variance along one of x's, on average, and those of x %s along one of y's.", x, y)
}

// whole returns a share in whole percents, but neither 0% nor 100% of what is
// neither.
func whole(share float64) string {
	percents := math.Round(100 * share)
	switch {
	case percents == 0 && share > 0:
		return "under 1%"
	case percents == 100 && share < 1:
		return "over 99%"
	}
	return strconv.FormatFloat(percents, 'f', 0, 64) + "%"
}

// keptWords says by which rule directions are kept.
func keptWords(k svcca.Keep) string {
	rule, argument, _ := strings.Cut(strings.TrimSuffix(k.String(), ")"), "(")
	share, _ := strconv.ParseFloat(argument, 64) // 0 for rank, which has none
	switch rule {
	case "variance":
		return fmt.Sprintf("the fewest with %.10g%% of variance", 100*share)
	case "sum":
		return fmt.Sprintf("the fewest with %.10g%% of the sum of singular values", 100*share)
	case "count":
		return "the first " + argument + " at most"
	}
	return "all of these"
}

// keptShare returns the share of a layer's variance in the directions kept.
func keptShare(s svcca.Side) float64 {
	var kept, all float64
	for i, v := range s.SingularValues {
		v /= s.SingularValues[0] // the square of 1e200 is none
		all += v * v
		if i < s.K {
			kept += v * v
		}
	}
	if s.Norm > 0 { // these are not all
		all = (s.Norm / s.SingularValues[0]) * (s.Norm / s.SingularValues[0])
	}
	return kept / all
}

// finePrint says what the numbers are right to, and how they came about.
func finePrint(c *svcca.Comparison) string {
	method := string(c.Method)
	if mixedPrecision(c) {
		method += ", mixed precision"
	}
	text := fmt.Sprintf("Right to %s (%s)", upward(c.ErrorBound), method)
	switch {
	case c.WeightedUnique && c.PWCCAUnique:
		text += fmt.Sprintf(", weighted to %s, PWCCA to %s", upward(c.WeightedErrorBound), upward(c.PWCCAErrorBound))
	case c.WeightedUnique:
		text += ", weighted to " + upward(c.WeightedErrorBound)
	case c.PWCCAUnique:
		text += ", PWCCA to " + upward(c.PWCCAErrorBound)
	}
	return text + "."
}

// mixedPrecision reports whether products of at least one layer are of float32.
func mixedPrecision(c *svcca.Comparison) bool {
	double := 0
	for _, w := range c.Warnings {
		if w.Code == svcca.WarnDouble {
			double++
		}
	}
	return c.Options.Precision == svcca.Mixed && double < 2
}

// optionWords returns the options in the words of the flags.
func optionWords(o svcca.Options) string {
	text := fmt.Sprintf("Options: --keep %s --rank-tol %v --centering %v", quoted(o.Keep.String()), o.RankTol, o.Centering)
	if o.Precision == svcca.Mixed {
		text += " --precision mixed"
	}
	if o.Solver != svcca.Automatic {
		text += fmt.Sprintf(" --solver %v", o.Solver)
	}
	return text
}

// optionWords are those of all commands, with the flags of feature maps.
func (f *mapFlags) optionWords(o svcca.Options) string {
	text := optionWords(o)
	switch {
	case f.tokens != "":
		return strings.Replace(text, "Options:", fmt.Sprintf("Options: --tokens %s --layout %v", f.tokens, tokenLayout(f.layout)), 1)
	case f.way == "":
		return text
	}
	return strings.Replace(text, "Options:", fmt.Sprintf("Options: --conv %s --layout %v", f.way, f.layout), 1)
}

// quoted returns a flag's value as a shell takes it.
func quoted(s string) string {
	if strings.ContainsRune(s, '(') {
		return "'" + s + "'"
	}
	return s
}

// upward returns a bound in one digit, rounded up: it stays a bound.
func upward(v float64) string {
	switch {
	case !(v > 0):
		return "0"
	case v >= 1:
		return "1" // no score is further away
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	return strconv.FormatFloat(math.Ceil(v/unit)*unit, 'g', 1, 64)
}
