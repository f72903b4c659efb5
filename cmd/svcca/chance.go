package main

import (
	"math"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// byChance reports whether the mean square lies within three standard deviations
// of what unrelated layers give: few, of any distribution, lie further away.
func (r *result) byChance() bool {
	return math.Abs(r.MeanSquare-r.Chance) <= 3*r.deviation()
}

// deviation returns the standard deviation of the mean square between unrelated layers.
func (r *result) deviation() float64 {
	if r.conv != nil {
		return convDeviation(r.conv)
	}
	return svcca.ChanceDeviation(r.X, r.Y, r.Options.Centering)
}

// convDeviation is svcca.ChanceDeviation over blocks, which are independent. In a
// complex one
//
//	Var tr(PQ) = pq(N−p)(N−q) / (N²(N²−1)),
//
// and it counts twice.
func convDeviation(r *conv.Result) float64 {
	variance := 0.0
	for i, b := range r.Blocks {
		p, q, n := float64(b.KX), float64(b.KY), float64(blockSpace(r, i))
		if n < 2 {
			continue
		}
		v := p * q * math.Max(0, n-p) * math.Max(0, n-q) / (n * n)
		if b.Multiplicity == 1 {
			v *= 2 / ((n - 1) * (n + 2))
		} else {
			v *= 4 / (n*n - 1)
		}
		variance += v
	}
	return math.Sqrt(variance) / float64(min(r.X.K, r.Y.K))
}

// blockSpace returns the dimensions N of the space that columns of a block live in; (0, 0)
// is block 0.
func blockSpace(r *conv.Result, block int) int {
	o := r.Options.Centering
	if o == svcca.CenterNeurons || o == svcca.CenterTranslated && block == 0 {
		return r.X.Datapoints - 1
	}
	return r.X.Datapoints
}

// convMost returns what no weighing of the directions brings the mean square of
// unrelated layers above, on average: that of the block where it is highest.
func convMost(r *conv.Result) (most float64) {
	for i, b := range r.Blocks {
		if b.KX > 0 && b.KY > 0 {
			most = math.Max(most, float64(max(b.KX, b.KY))/float64(blockSpace(r, i)))
		}
	}
	return math.Min(1, most)
}

// atLeast goes before the chance level of positions, which are no independent rows.
func (r *result) atLeast() string {
	if r.way == byPixels {
		return "at least "
	}
	return ""
}

// chanceText returns the chance level and " ± " its standard deviation, if that
// is not too small to be of interest.
func (r *result) chanceText() string {
	digits := levelDigits(r.Chance)
	d := r.deviation()
	if r.way == byPixels || d < math.Pow10(-digits-2) {
		return r.atLeast() + level(r.Chance)
	}
	for digits < 9 && d*math.Pow10(digits) < 1 {
		digits++
	}
	return strconv.FormatFloat(r.Chance, 'f', digits, 64) + " ± " + strconv.FormatFloat(d, 'f', digits, 64)
}

// mostByChance returns √chance, which no mean of ρ exceeds on average for
// unrelated layers, whatever weighs it independently of ρ: E ρ ≤ √(E ρ²). Under
// translations weights may prefer a block of higher chance. Of positions nothing like it
// is known.
func (r *result) mostByChance(weighed bool) string {
	switch {
	case r.way == byPixels:
		return ""
	case weighed && r.conv != nil:
		return "at most " + level(math.Sqrt(convMost(r.conv)))
	}
	return "at most " + level(math.Min(1, math.Sqrt(r.Chance)))
}

func level(v float64) string { return strconv.FormatFloat(v, 'f', levelDigits(v), 64) }

// levelDigits returns 4 decimals, or as many as show two digits of v.
func levelDigits(v float64) int {
	digits := 4
	for v > 0 && digits < 12 && v*math.Pow10(digits) < 10 {
		digits++
	}
	return digits
}

// effective returns how many datapoints of equal weight tell as much: (Σw)²/Σw².
func effective(weights []float64) float64 {
	largest := 0.0
	for _, w := range weights {
		largest = math.Max(largest, w)
	}
	var sum, squares float64
	for _, w := range weights {
		sum += w / largest
		squares += w / largest * (w / largest)
	}
	return sum * sum / squares
}

// measured returns a share and its standard error in percents, to the digits that the
// error leaves.
func measured(share, err float64) string {
	share, err = 100*share, 100*err
	digits := 0
	for digits < 2 && err*math.Pow10(digits) < 1 {
		digits++
	}
	text := strconv.FormatFloat(share, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-") // no negative nought
	}
	return strings.Replace(text, "-", "−", 1) + "% ± " + strconv.FormatFloat(err, 'f', digits, 64) + "%"
}
