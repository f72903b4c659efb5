package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMixedPrecision: the report says in what precision a layer was summed, and
// that it was not where float64 had to do.
func TestMixedPrecision(t *testing.T) {
	dir, x, y := pair(t)
	_, stdout, _ := call(t, "compare", x, y, "--precision", "mixed")
	assert.Contains(t, stdout, "(moments, mixed precision)")
	assert.Contains(t, stdout, "--precision mixed")
	checkWidth(t, stdout)
	c := compareJSON(t, x, y, "--precision", "mixed")
	assert.Equal(t, "mixed", c.Options["precision"])
	checkSame(t, compareJSON(t, x, y, "--precision", "mixed"), c)
	double := compareJSON(t, x, y)
	for i, rho := range double.Rho {
		assert.InDelta(t, rho, c.Rho[i], c.ErrorBound+double.ErrorBound)
	}

	// 99% of variance with the last of four directions, but for float32's rounding.
	m := gaussian(1, 60, 4)
	layer := orthonormal(centred(m))
	for i := range layer.Rows {
		layer.Set(i, 3, layer.At(i, 3)*0.17407765595569785*(1+1e-8)) // √(1/99·3)
	}
	close := save(t, filepath.Join(dir, "close.npy"), layer)
	_, stdout, _ = call(t, "compare", close, close, "--precision", "mixed")
	assert.Contains(t, stdout, "computed in float64")
	assert.NotContains(t, stdout, "mixed precision")
	_, _, stderr := call(t, "compare", close, close, "--precision", "mixed", "--json")
	assert.Contains(t, stderr, "svcca: warning: ")
	assert.Contains(t, stderr, "computed in float64")
}

// TestAdviceOnFinerSums: what is uncertain in sums is said with what would settle
// it, and nothing is said of methods that have nothing finer.
func TestAdviceOnFinerSums(t *testing.T) {
	c := between(t, gaussian(1, 60, 6), mixed(60, 6), svcca.Options{})
	for _, code := range []string{svcca.WarnUncertainK, svcca.WarnUncertainRank, svcca.WarnAccuracy} {
		c.Warnings = []svcca.Warning{{Code: code, Text: `"x": so it is`}}
		for _, of := range []struct {
			method    svcca.Method
			precision svcca.Precision
			says      string
		}{
			{svcca.MethodMoments, svcca.Double, "so it is. Sums made with svcca moments --triangle are finer."},
			{svcca.MethodMoments, svcca.Mixed, "so it is. --precision float64 is finer."},
			{svcca.MethodTriangle, svcca.Double, "so it is\n"},
		} {
			c.Method, c.Options.Precision = of.method, of.precision
			text := reported(t, c, false)
			_, text, _ = strings.Cut(text, "Warning: ")
			assert.Equal(t, strings.TrimSpace(`"x": `+of.says), strings.TrimSpace(strings.Join(strings.Fields(text), " ")))
		}
	}
}

// TestCompareOneArgument: one layer is a misuse, and one file that is neither a
// layer nor sums fails.
func TestCompareOneArgument(t *testing.T) {
	dir, x, _ := pair(t)
	status, _, stderr := call(t, "compare", x)
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "two files are needed, 1 given")
	status, _, stderr = call(t, "compare", filepath.Join(dir, "y.sums"))
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "no such file")
	status, _, stderr = call(t, "compare", dir)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "no plain file")
	status, _, _ = call(t, "compare")
	assert.Equal(t, exitMisused, status)
	require.Equal(t, exitMisused, first(call(t, "compare", x, x, x)))
}

// centred returns m less the means of its columns.
func centred(m lapack.Matrix[float64]) lapack.Matrix[float64] {
	for j := range m.Cols {
		mean := 0.0
		for i := range m.Rows {
			mean += m.At(i, j) / float64(m.Rows)
		}
		for i := range m.Rows {
			m.Set(i, j, m.At(i, j)-mean)
		}
	}
	return m
}

// TestCompareOutputs: -o has what --json has, and the picture what the report tells.
func TestCompareOutputs(t *testing.T) {
	dir, x, y := pair(t)
	t.Chdir(dir)
	status, _, stderr := call(t, "compare", x, y, "-o", "c.json", "-o", "c.svg", "--output", "c.pdf")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "svcca: wrote c.svg; c.svg.json says what made it\n")
	status, stdout, _ := call(t, "compare", x, y, "--json")
	require.Equal(t, exitDone, status)
	read := func(text []byte) (c struct {
		Rho    []float64
		Chance float64
	}) {
		require.NoError(t, json.Unmarshal(text, &c))
		return c
	}
	c := read([]byte(stdout))
	written, err := os.ReadFile("c.json")
	require.NoError(t, err)
	assert.Equal(t, c.Rho, read(written).Rho)
	picture, err := os.ReadFile("c.svg")
	require.NoError(t, err)
	assert.Contains(t, string(picture), ">x and y<")
	assert.Contains(t, string(picture), fmt.Sprintf("by chance: √%.3g", c.Chance))

	before := listing(t, ".")
	for _, test := range []struct{ out, says string }{
		{"c.svg", "c.svg exists"}, {"n.csv", "-o n.csv: a name that ends with .json, .svg, .png or .pdf expected"}, {"none/c.svg", "no directory none"},
	} {
		status, stdout, stderr := call(t, "compare", x, y, "-o", test.out)
		assert.NotEqual(t, exitDone, status)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, test.says)
	}
	status, _, stderr = call(t, "compare", x, y, "-o", "d.svg", "--directions", "d.svg.json")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "what made d.svg is written there")
	assert.Equal(t, before, listing(t, "."))
}
