package main

import (
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnswersScale: outputs whose squares are beyond float64's range, or below it, are judged
// as those of size 1, whose distances are those of definition.
func TestAnswersScale(t *testing.T) {
	full, changed, targets := gaussian(1, 40, 3), gaussian(2, 40, 3), gaussian(3, 40, 3)
	lost, deviation, square := 0.0, 0.0, 0.0
	for j := range 3 {
		mean := 0.0
		for i := range 40 {
			mean += full.At(i, j) / 40
		}
		for i := range 40 {
			lost += math.Pow(changed.At(i, j)-full.At(i, j), 2)
			deviation += math.Pow(full.At(i, j)-mean, 2)
			square += math.Pow(changed.At(i, j)-targets.At(i, j), 2)
		}
	}
	times := func(m lapack.Matrix[float64], by float64) lapack.Matrix[float64] {
		m = m.Clone()
		for i := range m.Data {
			m.Data[i] *= by
		}
		return m
	}
	for _, by := range []float64{1, 1e200, 1e-200, -1e307} {
		for _, a := range []*answers{{measure: byLoss}, {measure: byTargets, targets: times(targets, by)}} {
			var of tally
			var s spread
			for first := 0; first < 40; first += 10 {
				s.add(times(full, by).View(first, 0, 10, 3))
				a.add(&of, times(changed, by).View(first, 0, 10, 3), times(full, by).View(first, 0, 10, 3), first)
			}
			want := math.Sqrt(lost / deviation)
			if a.measure == byTargets {
				want = math.Sqrt(square/40/3) * math.Abs(by)
			}
			got, err := a.value(of, s)
			require.NoError(t, err)
			assert.InEpsilon(t, want, got, 1e-12, "%v %v", a.measure, by)
		}
	}
	assert.Equal(t, "1.5e+200", byTargets.form(1.5e200)(1.5e200))
	assert.Equal(t, "9999999.0000", byTargets.form(9999999)(9999999))
	a, huge := &answers{measure: byTargets, targets: lapack.Of(1, 1, []float64{-1.5e308})}, lapack.Of(1, 1, []float64{1.5e308})
	var of tally
	a.add(&of, huge, huge, 0)
	_, err := a.value(of, spread{mean: []float64{0}})
	assert.ErrorContains(t, err, "leaves float64's range")
}
