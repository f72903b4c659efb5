package measure_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tauB is τ_b another way: the correlation of sign vectors over ordered pairs, with tied
// ones counted by groups.
func tauB(x, y []float64) (tau float64, defined bool) {
	ties := func(v []float64) (pairs float64) {
		counts := map[float64]int{}
		for _, e := range v {
			counts[e]++
		}
		for _, c := range counts {
			pairs += float64(c*(c-1)) / 2
		}
		return pairs
	}
	all := float64(len(x)*(len(x)-1)) / 2
	sum := 0.0
	for i := range x {
		for j := range x {
			if x[i] < x[j] && y[i] < y[j] {
				sum++
			}
			if x[i] < x[j] && y[i] > y[j] {
				sum--
			}
		}
	}
	under := (all - ties(x)) * (all - ties(y))
	return sum / math.Sqrt(under), under > 0
}

func TestKendall(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	undefined := 0
	for range 300 {
		n := rng.IntN(8)
		x, y := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], y[i] = float64(rng.IntN(4)), float64(rng.IntN(3))
			if y[i] == 2 {
				y[i] = math.Inf(1)
			}
		}
		want, defined := tauB(x, y)
		got := measure.Kendall(x, y)
		if !defined {
			undefined++
			assert.Nil(t, got)
			continue
		}
		require.NotNil(t, got)
		assert.InDelta(t, want, *got, 1e-15)

		// Any increasing map leaves it; reversing one order changes its sign.
		up := slices.Clone(x)
		for i := range up {
			up[i] = math.Exp(up[i])
		}
		assert.Equal(t, *got, *measure.Kendall(up, y))
		for i := range up {
			up[i] = -up[i]
		}
		assert.Equal(t, -*got, *measure.Kendall(up, y))
	}
	assert.Positive(t, undefined)
	assert.Equal(t, 1.0, *measure.Kendall([]float64{1, 2, 5}, []float64{-3, 0, math.Inf(1)}))
	assert.Panics(t, func() { measure.Kendall([]float64{1}, nil) })
	assert.Panics(t, func() { measure.Kendall([]float64{1, math.NaN()}, []float64{1, 2}) })
}

// TestKendallDeviation: over all orders of y, one by one.
func TestKendallDeviation(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range [][2][]float64{
		{{1, 2}, {3, 4}},
		{{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}},
		{{1, 2, 3, 4, 5, 6}, {80, 80, 150, inf, 80, inf}},
		{{1, 1, 2, 2, 2, 3}, {0, 0, 0, 1, 2, 2}},
	} {
		x, y := test[0], test[1]
		sum, squares, count := 0.0, 0.0, 0.0
		eachOrder(y, len(y), func() {
			tau := *measure.Kendall(x, y)
			sum, squares, count = sum+tau, squares+tau*tau, count+1
		})
		assert.InDelta(t, 0, sum, 1e-11)
		assert.InDelta(t, math.Sqrt(squares/count), *measure.KendallDeviation(x, y), 1e-13, "%v", test)
	}
	assert.Nil(t, measure.KendallDeviation([]float64{1, 2}, []float64{3, 3}))
	assert.Nil(t, measure.KendallDeviation(nil, nil))
}

// eachOrder calls do with the first n values in each order (Heap 1963).
func eachOrder(values []float64, n int, do func()) {
	if n <= 1 {
		do()
		return
	}
	for i := range n {
		eachOrder(values, n-1, do)
		j := 0
		if n%2 == 0 {
			j = i
		}
		values[j], values[n-1] = values[n-1], values[j]
	}
}
