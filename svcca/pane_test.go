package svcca_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestScores: a comparison's scores are its fields of the same names, all of them, and stay
// what they are whatever becomes of the comparison.
func TestScores(t *testing.T) {
	x, y := related(newRand(48), 50, graded(9, 0.1), graded(7, 0.2), 12, 9)
	c := between(t, x.layer(), y.layer(), svcca.Options{})
	p := c.Scores()
	scores, whole := reflect.ValueOf(&p).Elem(), reflect.ValueOf(c).Elem()
	for i := range scores.NumField() {
		name := scores.Type().Field(i).Name
		want, got := whole.FieldByName(name), scores.Field(i)
		require.True(t, want.IsValid(), name)
		assert.Equal(t, reflect.Indirect(want).Interface(), reflect.Indirect(got).Interface(), name)
	}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	c.Mean, c.PWCCAX, c.PWCCAY, c.PWCCAErrorBound, *c.Adjusted = 7, 7, 7, 7, 7
	again, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, string(text), string(again))

	c.Adjusted = nil
	assert.Nil(t, c.Scores().Adjusted)
}

// TestExchanged: the scores of a pair are those of its layers in the other order, exchanged.
func TestExchanged(t *testing.T) {
	x, y := related(newRand(49), 50, graded(9, 0.1), graded(7, 0.2), 12, 9)
	c := between(t, x.layer(), y.layer(), svcca.Options{})
	there, back := c.Scores(), between(t, y.layer(), x.layer(), svcca.Options{}).Scores()
	bound := there.WeightedErrorBound + *there.PWCCAErrorBound + 16*ulp
	e := back.Exchanged()
	assert.InDelta(t, there.WeightedX, e.WeightedX, 2*bound)
	assert.InDelta(t, there.WeightedY, e.WeightedY, 2*bound)
	assert.InDelta(t, *there.PWCCAX, *e.PWCCAX, 2*bound)
	assert.InDelta(t, *there.PWCCAY, *e.PWCCAY, 2*bound)
	assert.Greater(t, math.Abs(there.WeightedX-there.WeightedY), 3*bound, "a pair that tells them apart")
	assert.Equal(t, back, e.Exchanged())
}
