package svcca_test

import (
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCostSerial: of two eigen-solves and an SVD two workers do no more than the
// eigen-solves side by side, and more workers gain nothing; one does all.
func TestCostSerial(t *testing.T) {
	c := svcca.BetweenCost(3000, 2000, 1000, svcca.Options{})
	c.Products, c.Values = 0, 0
	require.Positive(t, c.Serial)
	require.Less(t, c.Serial, c.Factors)
	const alone = 1e9
	took := func(workers float64) float64 {
		return c.Time(svcca.Rates{Products: 1, Values: 1, Factors: alone * workers, Serial: alone}).Seconds()
	}
	assert.InDelta(t, c.Factors/alone, took(1), 1e-6)
	assert.InDelta(t, c.Serial/alone, took(2), 1e-6)
	assert.Equal(t, took(2), took(64))
	assert.InDelta(t, c.Factors/alone/64, c.Time(svcca.Rates{Products: 1, Values: 1, Factors: alone * 64}).Seconds(), 1e-6)
	pane := svcca.PaneCost(3000, []int{500, 2000}, []int{1000}, svcca.PaneOptions{Scores: svcca.NormScores})
	one := svcca.PaneCost(3000, []int{2000}, nil, svcca.PaneOptions{Scores: svcca.NormScores})
	assert.Equal(t, one.Factors, pane.Serial, "the widest layer alone")
}

// TestCostOfNothing: a layer without neurons is refused where it is read, and costs
// nothing to speak of before.
func TestCostOfNothing(t *testing.T) {
	for _, solver := range []svcca.Solver{svcca.Automatic, svcca.Exact, svcca.Krylov} {
		for _, n := range []int{0, 300} {
			c := svcca.BetweenCost(n, 0, 0, svcca.Options{Solver: solver})
			assert.Zero(t, c.Values, solver)
			assert.Less(t, c.Memory, int64(1<<24), solver)
		}
	}
}

// TestCostGrows: more of anything takes no less, whatever the rule.
func TestCostGrows(t *testing.T) {
	rates := svcca.Rates{Products: 1e11, Factors: 1e11, Serial: 5e10, Values: 1e9}
	for _, keep := range []svcca.Keep{{}, svcca.Count(20), svcca.FullRank()} {
		o := svcca.Options{Keep: keep}
		before := time.Duration(0)
		for _, d := range []int{8, 64, 500, 1999, 2000} {
			now := svcca.BetweenCost(2000, d, 2000, o).Time(rates)
			assert.Greater(t, now, before, "%v %d", keep, d)
			before = now
		}
		pane := func(scores svcca.Scores) time.Duration {
			return svcca.PaneCost(2000, []int{300, 400}, nil, svcca.PaneOptions{Options: o, Scores: scores}).Time(rates)
		}
		assert.Less(t, pane(svcca.NormScores), pane(svcca.RhoScores))
		assert.Less(t, pane(svcca.RhoScores), pane(svcca.AllScores))
	}
}

func TestMeasureRates(t *testing.T) {
	for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
		r, err := svcca.MeasureRates(t.Context(), precision)
		require.NoError(t, err)
		assert.Positive(t, r.Products)
		assert.Positive(t, r.Values)
		assert.Positive(t, r.Serial)
		assert.LessOrEqual(t, r.Serial, r.Factors)
	}
}
