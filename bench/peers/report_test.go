package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/bench"
)

func TestReport(t *testing.T) {
	results := func(seconds ...float64) (r []bench.Result) {
		for _, s := range seconds {
			r = append(r, bench.Result{Seconds: s, K: [2]int{2, 3}, Mean: 0.5, Rho: []float64{0.75, 0.25}})
		}
		return r
	}
	contestants := []*contestant{
		{name: "native", results: results(1, 2, 4)},
		{name: "cross", results: results(2, 8, 4)},
		{name: "recipe", results: results(10, 20, 44)},
	}
	contestants[0].results[2].Rho = []float64{0.75, 0.125}
	contestants[2].results[2].K = [2]int{2, 2}
	var out strings.Builder
	require.NoError(t, report(&out, bench.Flat, contestants))
	lines := strings.Split(out.String(), "\n")
	assert.Equal(t, strings.Fields("native 2, 3 0.500000 1.000 2.000 4.000 1.00 1.00–1.00 0 1.2e-01"), strings.Fields(lines[3]))
	// Ratios are of one round each (2, 4, 1), not of the medians.
	assert.Equal(t, strings.Fields("cross 2, 3 0.500000 2.000 4.000 8.000 2.00 1.00–4.00 0 0.0e+00"), strings.Fields(lines[4]))
	assert.Equal(t, strings.Fields("recipe 2, 2 0.500000 10.000 20.000 44.000 10.00 10.00–11.00 0 k differs"), strings.Fields(lines[5]))
}

func TestRange(t *testing.T) {
	assert.Equal(t, valueRange{1, 1, 1}, newRange([]float64{1}))
	assert.Equal(t, valueRange{1, 2.5, 9}, newRange([]float64{9, 2, 1, 3}))
}

func TestField(t *testing.T) {
	const text = "a: 1\nVmHWM:\t  123 kB\nmodel name\t: EPYC: 2\n"
	assert.Equal(t, "123 kB", field(text, "VmHWM"))
	assert.Equal(t, "EPYC: 2", field(text, "model name"))
	assert.Empty(t, field(text, "b"))
}
