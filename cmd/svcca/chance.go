package main

import (
	"math"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
)

// chanceDeviation returns the standard deviation of the mean square between
// independent random subspaces of p and q dimensions of a space of n. With the
// projections P and Q onto them, mean_square = tr(PQ)/m, and
//
//	E tr(PQ) = pq/n,  Var tr(PQ) = 2pq(n−p)(n−q) / (n²(n−1)(n+2)),
//
// as P and a rotated Q have these moments under the invariant measure.
func chanceDeviation(c *svcca.Comparison) float64 {
	p, q, n := float64(c.X.K), float64(c.Y.K), float64(space(c))
	if n < 2 {
		return 0
	}
	variance := 2 * p * q * max(0, n-p) * max(0, n-q) / (n * n * (n - 1) * (n + 2))
	return math.Sqrt(variance) / float64(len(c.Rho))
}

// space returns the dimension of the space that directions live in.
func space(c *svcca.Comparison) int {
	if c.Options.Centering == svcca.CenterNeurons {
		return c.X.Datapoints - 1
	}
	return c.X.Datapoints
}

// byChance reports whether the mean square lies within three standard deviations
// of what unrelated layers give: few, of any distribution, lie further away.
func byChance(c *svcca.Comparison) bool {
	return math.Abs(c.MeanSquare-c.Chance) <= 3*chanceDeviation(c)
}

// chanceText returns the chance level and " ± " its standard deviation, if that
// is not too small to be of interest.
func chanceText(c *svcca.Comparison) string {
	digits := levelDigits(c.Chance)
	d := chanceDeviation(c)
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
