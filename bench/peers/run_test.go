package main

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/native"
)

// All workloads, with every contestant but the recipe, on little data: they come
// up, understand each other, and agree.
func TestRun(t *testing.T) {
	const python = "/usr/bin/python3"
	if testing.Short() {
		t.Skip("builds two programs")
	}
	if native.Describe().Name != "native" {
		t.Skip("builds the native worker, which needs cgo")
	}
	if exec.Command(python, "-c", "import numpy, scipy").Run() != nil {
		t.Skip(python + " has no numpy, or no scipy")
	}
	before := settle
	t.Cleanup(func() { settle = before })
	settle = 0 // nothing is measured here
	const n, d = 300, 24
	o := options{work: "w1,w2,w3,w4,w5,w6,w7,growth", python: python, dir: t.TempDir(), purego: true, rounds: 1, threads: 2,
		n1: n, n2: n, n3: 60, n4: n, d: d, d4: d, n6: n, d6: 3 * d, e6: d, density: 0.1, size: 5, channels: 4, sizes: 2, rows: 2, pairs: 1, dsyrk: time.Millisecond, seed: 1}
	require.NoError(t, o.check(0))
	var out strings.Builder
	require.NoError(t, run(t.Context(), o, &out))
	t.Log(out.String())
	for _, table := range []struct {
		title       string
		contestants []string
	}{
		{"W1 flat", []string{"native", "native, mixed", "native, BLAS's threads", "native, 1 thread", "purego", "cross", "cross32"}},
		{"W2 middle", []string{"native", "native, mixed", "native, BLAS's threads", "native, 1 thread", "purego"}},
		{"W3", []string{"native", "native, mixed", "native, BLAS's threads", "native, 1 thread", "purego", "half", "half32"}},
		{"W4 middle", []string{"native", "native, mixed", "purego", "blocks"}},
		{"W5", []string{"native", "native, mixed", "native, BLAS's threads", "native, 1 thread", "purego", "native, directions", "gram", "svd"}},
		{"W6 gram", []string{"native", "native, BLAS's threads", "native, 1 thread", "purego", "sparse_product", "sparse_gram"}},
		{"W6 leading", []string{"native", "svds"}},
		{"W6 pair", []string{"native", "native, BLAS's threads", "native, 1 thread", "sparse_pair"}},
		{"W7 warm", []string{"native", "native, mixed", "purego", "map_blocks", "map_whole", "map_whole32"}},
		{"W7 cold", []string{"native", "native, mixed", "purego", "map_blocks", "map_whole", "map_whole32"}},
		{"growth", []string{"2 × 2", "4 × 4"}},
	} {
		_, text, found := strings.Cut(out.String(), "| "+table.title)
		require.True(t, found, table.title)
		for _, name := range table.contestants {
			row := cells(t, text, name)
			if table.title == "W6 gram" {
				continue // times alone
			}
			difference, err := strconv.ParseFloat(row[len(row)-1], 64)
			require.NoError(t, err, "%s of %s", name, table.title)
			// Float32 rounds to 2⁻²⁴ of the largest singular value, which is less than
			// 2⁵ times the least kept here; its square, twice, and d of them.
			tolerance := d * 2 * 0x1p10 * 0x1p-24
			if !slices.Contains([]string{"native, mixed", "cross32", "half32", "map_whole32"}, name) {
				tolerance *= 0x1p-29 // float64
			}
			assert.LessOrEqual(t, difference, tolerance, "%s of %s", name, table.title)
		}
	}
}
