package measure_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAlign(t *testing.T) {
	// The second network has a layer between: its third is the first one's second.
	a, err := measure.Align([][]float64{
		{0.9, 0.8, 0.3, 0.1, 0.1},
		{0.5, 0.6, 0.9, 0.4, 0.2},
		{0.1, 0.2, 0.3, 0.7, 0.9},
	})
	require.NoError(t, err)
	assert.Equal(t, []measure.Match{{0, 0, 0.9}, {2, 0.5, 0.9}, {4, 1, 0.9}}, a.Rows)
	assert.Equal(t, []measure.Match{{0, 0, 0.9}, {0, 0, 0.8}, {1, 0.5, 0.9}, {2, 1, 0.7}, {2, 1, 0.9}}, a.Columns)
	assert.Equal(t, 1.0, *a.TauRows)
	assert.InDelta(t, 8/math.Sqrt(10*8), *a.TauColumns, 1e-15)

	// Backwards, with a tie: the first of the equal ones.
	a, err = measure.Align([][]float64{{0.1, 0.7, 0.7}, {0.9, 0.2, 0.1}})
	require.NoError(t, err)
	assert.Equal(t, []measure.Match{{1, 0.5, 0.7}, {0, 0, 0.9}}, a.Rows)
	assert.Equal(t, -1.0, *a.TauRows)

	a, err = measure.Align([][]float64{{0.5}})
	require.NoError(t, err)
	assert.Equal(t, []measure.Match{{0, 0, 0.5}}, a.Rows)
	assert.Nil(t, a.TauRows)
	a, err = measure.Align([][]float64{{1, 1}, {1, 1}})
	require.NoError(t, err)
	assert.Nil(t, a.TauRows, "all layers match the first")
}

// pane is n × n of a function of the layers' distance.
func pane(n int, score func(distance int) float64) [][]float64 {
	p := make([][]float64, n)
	for i := range p {
		for j := range n {
			p[i] = append(p[i], score(max(i-j, j-i)))
		}
	}
	return p
}

func TestStripes(t *testing.T) {
	s := func(p [][]float64) float64 {
		v, err := measure.Stripes(p)
		require.NoError(t, err)
		return v
	}
	assert.InDelta(t, 0, s(pane(9, func(d int) float64 { return 1 - 0.1*float64(d) })), 1e-15, "an even fall")
	striped := func(height float64) func(d int) float64 {
		return func(d int) float64 { return 0.9 - 0.05*float64(d) - height*float64(d%2) }
	}
	for _, n := range []int{4, 5, 10} {
		assert.InDelta(t, 0.2, s(pane(n, striped(0.2))), 1e-15, "every second one is 0.2 lower")
		assert.InDelta(t, -0.2, s(pane(n, striped(-0.2))), 1e-15)
		own := pane(n, striped(0.2))
		for i := range own {
			own[i][i] = 5
		}
		assert.InDelta(t, 0.2, s(own), 1e-15, "a layer with itself does not count")
	}
	for _, p := range [][][]float64{nil, {{}}, {{1}}, pane(3, striped(0.1)), pane(5, striped(0.1))[:4], {{1, 2, 3, 4}, {1, 2, 3}, {1, 2, 3, 4}, {1, 2, 3, 4}}} {
		_, err := measure.Stripes(p)
		assert.ErrorIs(t, err, svcca.ErrShape)
	}
	bad := pane(5, striped(0.1))
	bad[3][1] = math.NaN()
	_, err := measure.Stripes(bad)
	assert.ErrorIs(t, err, svcca.ErrNotFinite)
	assert.ErrorContains(t, err, "layers 4 and 2")
	_, err = measure.Align(bad)
	assert.ErrorIs(t, err, svcca.ErrNotFinite)
	_, err = measure.Align([][]float64{{1, 2}, {1}})
	assert.ErrorIs(t, err, svcca.ErrShape)
}

// Three layers against the five of a deeper network: the second has its like in the middle.
func ExampleAlign() {
	a, err := measure.Align([][]float64{
		{0.9, 0.8, 0.3, 0.1, 0.1},
		{0.5, 0.6, 0.9, 0.4, 0.2},
		{0.1, 0.2, 0.3, 0.7, 0.9},
	})
	if err != nil {
		panic(err)
	}
	for i, m := range a.Rows {
		fmt.Printf("depth %.1f is most like depth %.1f (%.1f)\n", measure.Depth(i, 3), m.Depth, m.Score)
	}
	fmt.Printf("in order: %.1f\n", *a.TauRows)
	// Output:
	// depth 0.0 is most like depth 0.0 (0.9)
	// depth 0.5 is most like depth 0.5 (0.9)
	// depth 1.0 is most like depth 1.0 (0.9)
	// in order: 1.0
}

// Every second layer of a residual network is more alike than the one between.
func ExampleStripes() {
	stripes, err := measure.Stripes([][]float64{
		{1.0, 0.6, 0.9, 0.5, 0.8},
		{0.6, 1.0, 0.6, 0.9, 0.5},
		{0.9, 0.6, 1.0, 0.6, 0.9},
		{0.5, 0.9, 0.6, 1.0, 0.6},
		{0.8, 0.5, 0.9, 0.6, 1.0},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f\n", stripes)
	// Output:
	// 0.35
}
