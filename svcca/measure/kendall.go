package measure

import "math"

// Kendall returns Kendall's rank correlation of x and y, with ties: τ_b = (C − D) /
// √((P − T_x)(P − T_y)), with C pairs in the same order, D in the opposite one, T_x and T_y
// tied in x and in y, of P = n(n−1)/2 (Kendall 1945). Infinities have their place in the
// order, and tie with each other. It is nil where all of x or all of y tie, or there are
// fewer than two. It panics where x and y differ in length, or a value is NaN.
func Kendall(x, y []float64) *float64 {
	if len(x) != len(y) {
		panic("measure: ranks of different length")
	}
	sum, untiedX, untiedY := 0, 0, 0
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) {
			panic("measure: rank of NaN")
		}
		for j := range i {
			a, b := order(x[i], x[j]), order(y[i], y[j])
			sum += a * b
			untiedX += a * a
			untiedY += b * b
		}
	}
	if untiedX == 0 || untiedY == 0 {
		return nil
	}
	tau := float64(sum) / math.Sqrt(float64(untiedX)*float64(untiedY))
	return &tau
}

func order(a, b float64) int {
	switch {
	case a > b:
		return 1
	case a < b:
		return -1
	}
	return 0
}

// KendallDeviation returns the standard deviation of Kendall's τ_b, whose mean is 0, over all
// orders of y (Kendall 1970, ch. 4), with ties as x and y have them. It is nil, and panics,
// where Kendall does.
func KendallDeviation(x, y []float64) *float64 {
	if Kendall(x, y) == nil {
		return nil
	}
	n := float64(len(x))
	a, b := tiesOf(x), tiesOf(y)
	variance := (n*(n-1)*(2*n+5) - a.weighed - b.weighed) / 18
	variance += a.pairs * b.pairs / (2 * n * (n - 1))
	if n > 2 {
		variance += a.triples * b.triples / (9 * n * (n - 1) * (n - 2))
	}
	deviation := math.Sqrt(variance / ((n*(n-1) - a.pairs) / 2 * (n*(n-1) - b.pairs) / 2))
	return &deviation
}

// ties are sums over groups of t equal values.
type ties struct{ pairs, triples, weighed float64 } // t(t−1), t(t−1)(t−2), t(t−1)(2t+5)

func tiesOf(x []float64) (of ties) {
	groups := map[float64]float64{}
	for _, v := range x {
		groups[v]++
	}
	for _, t := range groups {
		of.pairs += t * (t - 1)
		of.triples += t * (t - 1) * (t - 2)
		of.weighed += t * (t - 1) * (2*t + 5)
	}
	return of
}
