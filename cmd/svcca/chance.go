package main

import (
	"math"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
)

// byChance reports whether the mean square lies within three standard deviations
// of what unrelated layers give: few, of any distribution, lie further away.
func byChance(c *svcca.Comparison) bool {
	return math.Abs(c.MeanSquare-c.Chance) <= 3*svcca.ChanceDeviation(c.X, c.Y, c.Options.Centering)
}

// chanceText returns the chance level and " ± " its standard deviation, if that
// is not too small to be of interest.
func chanceText(c *svcca.Comparison) string {
	digits := levelDigits(c.Chance)
	d := svcca.ChanceDeviation(c.X, c.Y, c.Options.Centering)
	if d < math.Pow10(-digits-2) {
		return levelText(c)
	}
	for digits < 9 && d*math.Pow10(digits) < 1 {
		digits++
	}
	return strconv.FormatFloat(c.Chance, 'f', digits, 64) + " ± " + strconv.FormatFloat(d, 'f', digits, 64)
}

// levelText returns the chance level alone.
func levelText(c *svcca.Comparison) string { return level(c.Chance) }

// mostByChance returns √chance, which no mean of ρ exceeds on average for
// unrelated layers, whatever weighs it independently of ρ: E ρ ≤ √(E ρ²).
func mostByChance(c *svcca.Comparison) string { return level(math.Min(1, math.Sqrt(c.Chance))) }

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
