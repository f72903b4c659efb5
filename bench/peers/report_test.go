package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/bench"
)

// timed returns results of these seconds, each alike.
func timed(like result, seconds ...float64) (r []result) {
	for _, s := range seconds {
		like.Seconds = s
		r = append(r, like)
	}
	return r
}

// cells returns the cells of a line of a table that begins with name.
func cells(t *testing.T, text, name string) []string {
	for line := range strings.Lines(text) {
		if c := strings.Split(strings.Trim(line, "|\n"), "|"); strings.TrimSpace(c[0]) == name {
			for i := range c {
				c[i] = strings.TrimSpace(c[i])
			}
			return c[1:]
		}
	}
	require.Fail(t, "no line", "%s in\n%s", name, text)
	return nil
}

func TestReportPair(t *testing.T) {
	like := result{K: [2]int{2, 3}, Mean: 0.5, Rho: []float64{0.75, 0.25}}
	contestants := []*contestant{
		{name: "native", results: timed(like, 1, 2, 4), peak: 12.4},
		{name: "native, mixed", results: timed(like, 1, 1, 1)},
		{name: "cross", results: timed(like, 2, 8, 4)},
		{name: "recipe", results: timed(like, 10, 20, 44)},
	}
	contestants[1].results[2].Rho = []float64{0.75, 0.125}
	contestants[3].results[2].K = [2]int{2, 2}
	contestants[1].results[2].Notes = []string{"warning float64", "method triangle", "warning float64"}
	var out strings.Builder
	require.NoError(t, reportPair(&out, "W1", contestants))
	assert.Equal(t, []string{"k", "mean ρ", "min s", "median s", "max s", "it / native", "cross / it", "recipe / it", "peak MiB", "max Δρ"},
		cells(t, out.String(), "W1"))
	// Ratios are of one round each (2, 4, 1), not of the medians.
	assert.Equal(t, []string{"2, 3", "0.500000", "1.000", "2.000", "4.000", "1.00 (1.00–1.00)", "2.00 (1.00–4.00)", "10.0 (10.0–11.0)", "12", "0.0e+00"},
		cells(t, out.String(), "native"))
	assert.Equal(t, []string{"2, 3", "0.500000", "1.000", "1.000", "1.000", "0.500 (0.250–1.000)", "4.00 (2.00–8.00)", "20.0 (10.0–44.0)", "0", "1.2e-01"},
		cells(t, out.String(), "native, mixed"))
	assert.Equal(t, "k differs", cells(t, out.String(), "recipe")[9])
	assert.Contains(t, out.String(), "\n- native, mixed: method triangle (1)\n\n- native, mixed: warning float64 (2)\n")
}

// Where a contestant has the mean of ρ alone, means are compared.
func TestReportMeans(t *testing.T) {
	contestants := []*contestant{
		{name: "native", results: timed(result{K: [2]int{2, 3}, Mean: 0.5}, 1)},
		{name: "svd", results: timed(result{K: [2]int{2, 3}, Mean: 0.625, Rho: []float64{0.75, 0.5}}, 1)},
	}
	var out strings.Builder
	require.NoError(t, reportPair(&out, "W5", contestants))
	assert.Equal(t, []string{"svd / it", "peak MiB", "Δ mean ρ"}, cells(t, out.String(), "W5")[6:])
	assert.Equal(t, "1.2e-01", cells(t, out.String(), "svd")[8])
}

// Times that are powers of the size have its exponent, whatever their factor.
func TestReportExponents(t *testing.T) {
	sizes, seconds := []int{2, 4, 6, 8}, map[string][][]float64{}
	for _, size := range sizes {
		s := float64(size * size)
		seconds["dft"] = append(seconds["dft"], []float64{3 * s, s * s})
		seconds["translated"] = append(seconds["translated"], []float64{s * s * s, s * s * s})
	}
	var out strings.Builder
	require.NoError(t, reportExponents(&out, sizes, []string{"dft", "translated"}, seconds))
	assert.Equal(t, []string{"p", "p of 6 8", "paper's model", "flops"}, cells(t, out.String(), "time ∝ (H·W)^p"))
	assert.Equal(t, []string{"1.50 (1.00–2.00)", "1.50 (1.00–2.00)", "1", "1"}, cells(t, out.String(), "dft"))
	assert.Equal(t, []string{"3.00 (3.00–3.00)", "3.00 (3.00–3.00)", "2.5", "3"}, cells(t, out.String(), "translated"))
}

func TestReportPane(t *testing.T) {
	pair := func(i, j int, w float64) bench.Scored { return bench.Scored{Row: i, Column: j, Weighted: w} }
	all := []bench.Scored{pair(0, 0, 0.5), pair(0, 1, 0.25), pair(1, 0, 0.25), pair(1, 1, 0.5)}
	recipe := &contestant{name: "recipe", results: timed(result{K: [2]int{5, 6}}, 3, 3)}
	recipe.results[0].Pairs, recipe.results[1].Pairs = []bench.Scored{pair(0, 0, 0.5)}, []bench.Scored{pair(1, 0, 0.375), pair(0, 1, 0.25)}
	recipe.results[1].K = [2]int{4, 5}
	ours := &contestant{name: "native", results: timed(result{K: [2]int{5, 5}, Pairs: all}, 1, 2)}
	var out strings.Builder
	require.NoError(t, reportPane(&out, "W2", []*contestant{ours, recipe}, 4))
	assert.Equal(t, []string{"k", "min s", "median s", "max s", "ms a pair", "it / native", "recipe / it", "peak MiB", "pairs", "mean Weighted", "max ΔWeighted"},
		cells(t, out.String(), "W2"))
	assert.Equal(t, []string{"5–5", "1.000", "1.500", "2.000", "375", "1.00 (1.00–1.00)", "7.50 (3.00–12.00)", "0", "4", "0.3750", "0.0e+00"},
		cells(t, out.String(), "native"))
	// One pair in 3 s is 12 s for four, two pairs are 6 s.
	assert.Equal(t, []string{"4–6", "6.000", "9.000", "12.000", "2.25e+03", "7.50 (3.00–12.00)", "1.00 (1.00–1.00)", "0", "3", "0.3750", "1.2e-01"},
		cells(t, out.String(), "recipe"))

	out.Reset()
	require.NoError(t, reportPane(&out, "W2", []*contestant{ours}, 4))
	assert.NotContains(t, out.String(), "recipe")
}

func TestReportFiles(t *testing.T) {
	like := result{K: [2]int{2, 3}, Mean: 0.5, Rho: []float64{0.75}}
	contestants := []*contestant{
		{name: "native", results: timed(like, 2, 4)},
		{name: "native, mixed", results: timed(like, 1, 4)},
	}
	panels := &contestant{name: "dsyrk", results: timed(result{Flops: 40e9}, 1, 3, 2, 2, 1, 1)} // 20 and 30 GFLOP/s
	var out strings.Builder
	require.NoError(t, reportFiles(&out, "W4", contestants, panels, 32e9))
	assert.Equal(t, []string{"2, 3", "0.500000", "2.000", "3.000", "4.000", "12.0 (8.0–16.0)", "53% (27–80)", "1.00 (1.00–1.00)", "0", "0.0e+00"},
		cells(t, out.String(), "native"))
	assert.Equal(t, []string{"20.0 (8.0–32.0)", "93% (27–160)", "1.50 (1.00–2.00)"}, cells(t, out.String(), "native, mixed")[5:8])
	assert.Equal(t, "25.0 (20.0–30.0)", cells(t, out.String(), "dsyrk")[5])
}

func TestDescribe(t *testing.T) {
	var out strings.Builder
	describe(&out, []*contestant{{name: "native", about: "OpenBLAS"}, {name: "cross", about: "numpy"}, {name: "mixed", about: "OpenBLAS"}})
	assert.Equal(t, "- native; mixed: OpenBLAS\n- cross: numpy\n\n", out.String())
}

func TestTable(t *testing.T) {
	var out strings.Builder
	var words table
	words.row("", "mean ρ")
	words.row("ours", "1")
	require.NoError(t, words.print(&out))
	assert.Equal(t, "|      | mean ρ |\n|------|-------:|\n| ours |      1 |\n", out.String())
}

func TestRange(t *testing.T) {
	assert.Equal(t, valueRange{1, 1, 1}, newRange([]float64{1}))
	assert.Equal(t, valueRange{1, 2.5, 9}, newRange([]float64{9, 2, 1, 3}))
	for text, r := range map[string]valueRange{
		"1.25 (0.50–2.00)":       {0.5, 1.25, 2},
		"0.0500 (0.0400–0.1000)": {0.04, 0.05, 0.1},
		"151 (99–1000)":          {99, 151, 1000},
		"0 (0–0)":                {},
	} {
		assert.Equal(t, text, r.String())
	}
}

func TestField(t *testing.T) {
	const text = "a: 1\nVmHWM:\t  123 kB\nmodel name\t: EPYC: 2\n"
	assert.Equal(t, "123 kB", field(text, "VmHWM"))
	assert.Equal(t, "EPYC: 2", field(text, "model name"))
	assert.Empty(t, field(text, "b"))
}

func TestOptions(t *testing.T) {
	good := options{work: "w1,growth,w4", rounds: 1, threads: 1, n1: 3, n2: 3, n3: 3, n4: 3, n6: 3, d: 2, d4: 2, d6: 2, e6: 1, density: 0.5, size: 1, channels: 2, rows: 1, pairs: 1}
	assert.NoError(t, good.check(0))
	assert.Error(t, good.check(1))
	for name, spoil := range map[string]func(*options){
		"work":    func(o *options) { o.work = "w1,w8" },
		"no work": func(o *options) { o.work = "" },
		"rounds":  func(o *options) { o.rounds = 0 },
		"n1":      func(o *options) { o.n1 = 2 },
		"n3":      func(o *options) { o.n3 = 2 },
		"n4":      func(o *options) { o.n4 = 1 },
		"n6":      func(o *options) { o.n6 = 2 },
		"e6":      func(o *options) { o.e6 = 0 },
		"density": func(o *options) { o.density = 0 },
	} {
		o := good
		spoil(&o)
		assert.Error(t, o.check(0), name)
	}
}
