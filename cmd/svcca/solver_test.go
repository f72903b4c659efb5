package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSolver: --solver krylov gives what is exact to its bound, and marks it wherever
// it is told; without the flag nothing in the JSON is other than it was.
func TestSolver(t *testing.T) {
	_, x, y := pair(t)
	exact := compareJSON(t, x, y)
	assert.NotContains(t, exact.Options, "solver")
	c := compareJSON(t, x, y, "--solver", "krylov")
	assert.Equal(t, "krylov", c.Options["solver"])
	require.Len(t, c.Rho, len(exact.Rho))
	for i, rho := range exact.Rho {
		assert.InDelta(t, rho, c.Rho[i], c.ErrorBound+exact.ErrorBound)
	}
	_, stdout, stderr := call(t, "compare", x, y, "--solver", "krylov", "--json")
	var told struct {
		Method   string
		Warnings []svcca.Warning
		X        struct{ Norm float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &told))
	assert.Equal(t, "krylov", told.Method)
	assert.Equal(t, "approximate", told.Warnings[0].Code)
	assert.Positive(t, told.X.Norm)
	assert.Contains(t, stderr, "approximately")

	_, report, _ := call(t, "compare", x, y, "--solver", "krylov", "--keep", "count(3)")
	for _, says := range []string{"(krylov)", "--solver krylov", "approximately", "≥ "} {
		assert.Contains(t, strings.Join(strings.Fields(report), " ")+" ", says)
	}
	checkWidth(t, report)
	_, plain, _ := call(t, "compare", x, y, "--keep", "count(3)")
	share := func(report string) string {
		line := report[strings.Index(report, "  x  "):]
		return line[:strings.Index(line, "%")]
	}
	assert.Equal(t, share(plain)[len(share(plain))-5:], share(report)[len(share(report))-5:], "of the variance of all directions")

	status, _, stderr := call(t, "compare", x, y, "--solver", "krylov", "--keep", "rank")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "singular values")
	status, _, _ = call(t, "compare", x, y, "--solver", "fast")
	assert.Equal(t, exitMisused, status)
	status, stdout, _ = call(t, "matrix", x, y, "--solver", "krylov", "--json")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stdout, `"solver":"krylov"`)
	assert.Contains(t, stdout, `"approximate"`)
	status, stdout, _ = call(t, "compare", x, y, "--solver", "krylov", "--dry-run")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "of memory")
}
