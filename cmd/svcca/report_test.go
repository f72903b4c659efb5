package main

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func checkWidth(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, columns(strings.TrimSuffix(line, "\n")), maxColumns, line)
	}
}

// reported returns the report of a comparison of two layers in both styles.
func reported(t *testing.T, c *svcca.Comparison, transposed bool) string {
	t.Helper()
	var wide, ascii bytes.Buffer
	require.NoError(t, writeReport(&wide, style{}, &result{Comparison: c, transposed: transposed}))
	require.NoError(t, writeReport(&ascii, style{ascii: true}, &result{Comparison: c, transposed: transposed}))
	checkWidth(t, wide.String())
	checkWidth(t, ascii.String())
	assert.NotContains(t, wide.String()+ascii.String(), "NaN")
	for _, r := range ascii.String() {
		if r >= 0x80 {
			assert.Fail(t, "not ASCII", "%q", r)
			break
		}
	}
	return wide.String()
}

func between(t *testing.T, x, y lapack.Matrix[float64], o svcca.Options) *svcca.Comparison {
	t.Helper()
	c, err := svcca.Between(svcca.FromMat("x", lapack.ToDense(x)), svcca.FromMat("y", lapack.ToDense(y)), o)
	require.NoError(t, err)
	return c
}

// TestReports goes over shapes, rules and names for width, letters and words.
func TestReports(t *testing.T) {
	orthogonal := lapack.New[float64](4, 3) // singular values that tie
	for j, column := range [][]float64{{1, 1, -1, -1}, {1, -1, 1, -1}, {1, -1, -1, 1}} {
		for i, v := range column {
			orthogonal.Set(i, j, v)
		}
	}
	ones := make([]float64, 100)
	for i := range ones {
		ones[i] = 1 + float64(i%3)
	}
	for _, c := range []struct {
		name    string
		x, y    lapack.Matrix[float64]
		options svcca.Options
		says    []string
	}{
		{"alike", gaussian(1, 100, 7), mixed(100, 7), svcca.Options{}, []string{"the directions kept of one layer explain"}},
		{"same", gaussian(1, 100, 7), gaussian(1, 100, 7), svcca.Options{}, []string{"All 7 pairs of aligned directions correlate above 0.9", "they hold the same", "one choice of many"}},
		{"within", gaussian(1, 100, 7).View(0, 0, 100, 3), gaussian(1, 100, 7), svcca.Options{Keep: svcca.FullRank()}, []string{"kept of x is a linear function of what is kept of y", "all of these"}},
		{"around", gaussian(1, 100, 7), gaussian(1, 100, 7).View(0, 0, 100, 3), svcca.Options{Keep: svcca.FullRank()}, []string{"kept of y is a linear function of what is kept of x"}},
		{"unrelated", gaussian(1, 1000, 7), gaussian(9, 1000, 12), svcca.Options{}, []string{"nothing here shows", "All 7 pairs of aligned directions correlate below 0.2"}},
		{"weighted", gaussian(1, 100, 7), mixed(100, 7), svcca.Options{Weights: ones}, []string{"as much as", "datapoints of equal weight"}},
		{"not centred", gaussian(1, 100, 7), mixed(100, 7), svcca.Options{Centering: svcca.CenterNone}, []string{"--centering none"}},
		{"sum", gaussian(1, 100, 7), mixed(100, 5), svcca.Options{Keep: svcca.Sum(0.9)}, []string{"90% of the sum of singular values"}},
		{"count", gaussian(1, 100, 7), mixed(100, 7), svcca.Options{Keep: svcca.Count(1)}, []string{"The one pair of aligned directions", "the first 1 at most"}},
		{"one neuron", gaussian(1, 100, 7).View(0, 0, 100, 1).Clone(), mixed(100, 7), svcca.Options{}, []string{"the directions kept of y explain"}},
		{"wide", gaussian(1, 9, 70), mixed(9, 70), svcca.Options{}, []string{"Warning: 9 datapoints are few", "says nothing", "none", "add --transpose"}},
		{"nearly saturated", gaussian(1, 30, 20), gaussian(2, 30, 5), svcca.Options{}, []string{"they say little"}},
		{"forced in part", gaussian(1, 30, 20), gaussian(2, 30, 12), svcca.Options{}, []string{"(1 of them must, whatever the data)"}},
		{"ties", orthogonal, orthogonal, svcca.Options{Keep: svcca.Count(1)}, []string{"* one choice of many"}},
		{"huge", scaled(gaussian(1, 100, 7), 1e160), scaled(mixed(100, 7), 1e-300), svcca.Options{}, []string{"100.00%"}},
		{"many", gaussian(1, 1000, 300), mixed(1000, 300), svcca.Options{}, []string{"a bar averages"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := between(t, c.x, c.y, c.options)
			for _, n := range []string{"x", strings.Repeat("a/long/path/", 20) + "x.npy", strings.Repeat("層", 80), strings.Repeat(`"quoted" `, 30)} {
				result.X.Name, result.Y.Name = n, n+"2"
				// The warnings have the names that the layers had.
				for i, w := range result.Warnings {
					result.Warnings[i].Text = strings.ReplaceAll(w.Text, `"x"`, fmt.Sprintf("%q", n))
				}
				if n[0] < 0x80 {
					reported(t, result, true)
				} else {
					var b bytes.Buffer
					require.NoError(t, writeReport(&b, style{}, of(result)))
					checkWidth(t, b.String())
				}
			}
			again := between(t, c.x, c.y, c.options)
			text := strings.Join(strings.Fields(reported(t, again, false)), " ")
			for _, s := range c.says {
				if s == "says nothing" {
					s = "these scores say nothing"
				}
				assert.Contains(t, text, s)
			}
		})
	}
}

// of returns a comparison as the report takes it.
func of(c *svcca.Comparison) *result { return &result{Comparison: c} }

func scaled(m lapack.Matrix[float64], factor float64) lapack.Matrix[float64] {
	for i := range m.Data {
		m.Data[i] *= factor
	}
	return m
}

// TestReportOfThousands has more ρ, datapoints and digits than any other.
func TestReportOfThousands(t *testing.T) {
	rho := make([]float64, 4321)
	for i := range rho {
		rho[i] = 1 - float64(i)/float64(len(rho))
	}
	side := svcca.Side{Name: "x", Datapoints: 1234567890, Neurons: 123456, Constant: 99999, Rank: 100000, K: 4321, SingularValues: []float64{2, 1}}
	adjusted := -1e-9
	c := &svcca.Comparison{X: side, Y: side, Rho: rho, Mean: 0.5, MeanSquare: 1.0 / 3, Chance: 3.5e-6, Adjusted: &adjusted, ErrorBound: 1e-3, WeightedErrorBound: 1, PWCCAErrorBound: math.Inf(1), WeightedUnique: true, PWCCAUnique: true}
	text := reported(t, c, false)
	assert.Contains(t, text, "averages 72 or 73")
	assert.Contains(t, text, "0.50 ", "as many digits as the bound allows")
	assert.NotContains(t, text, "0.5000")
}

// TestAdviceFollowsTranspose: what is advised depends on whether it was done.
func TestAdviceFollowsTranspose(t *testing.T) {
	c := between(t, gaussian(1, 9, 70), gaussian(2, 9, 70), svcca.Options{})
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	assert.Contains(t, flat(reported(t, c, false)), "If so, add --transpose.")
	assert.Contains(t, flat(reported(t, c, true)), "--transpose is on: leave it out")
}

// TestChanceDeviation compares with sampled subspaces. The standard error of a
// standard deviation from N samples of nearly normal values is 1/√(2N) of it.
func TestChanceDeviation(t *testing.T) {
	const samples, n = 1000, 30
	for _, size := range [][2]int{{1, 1}, {3, 7}, {12, 12}, {25, 20}} {
		p, q := size[0], size[1]
		m := float64(min(p, q))
		var sum, squares float64
		for s := range samples {
			x, y := orthonormal(gaussian(uint64(2*s), n, p)), orthonormal(gaussian(uint64(2*s+1), n, q))
			shared := 0.0
			for i := range p {
				for j := range q {
					dot := 0.0
					for r := range n {
						dot += x.At(r, i) * y.At(r, j)
					}
					shared += dot * dot
				}
			}
			sum += shared / m
			squares += shared / m * (shared / m)
		}
		mean := sum / samples
		measured := math.Sqrt(squares/samples - mean*mean)
		want := svcca.ChanceDeviation(svcca.Side{K: p, Datapoints: n + 1}, svcca.Side{K: q, Datapoints: n + 1}, svcca.CenterNeurons)
		// One direction each: ρ² has a long tail, of kurtosis up to 15.
		standardError := want * math.Sqrt(14.0/4/samples)
		assert.InDelta(t, want, measured, 4*standardError, "%d and %d of %d", p, q, n)
		assert.InDelta(t, float64(p*q)/(n*m), mean, 4*want/math.Sqrt(samples))
	}
}

// orthonormal returns m after Gram and Schmidt.
func orthonormal(m lapack.Matrix[float64]) lapack.Matrix[float64] {
	for j := range m.Cols {
		for k := range j + 1 {
			dot := 0.0
			for i := range m.Rows {
				dot += m.At(i, j) * m.At(i, k)
			}
			for i := range m.Rows {
				if k == j {
					m.Set(i, j, m.At(i, j)/math.Sqrt(dot))
				} else {
					m.Set(i, j, m.At(i, j)-dot*m.At(i, k))
				}
			}
		}
	}
	return m
}

func TestDecimal(t *testing.T) {
	assert.Equal(t, "0.8967", decimal(0.89672, 1e-13))
	assert.Equal(t, "0.897 ", decimal(0.89672, 4e-4))
	assert.Equal(t, "0.9   ", decimal(0.89672, 0.04))
	assert.Equal(t, "0.9?  ", decimal(0.89672, 0.06))
	assert.Equal(t, "0.0000", decimal(-1e-9, 0))
	assert.Equal(t, "−0.0123", decimal(-0.0123, 0))
}

// TestUpward: a bound is never rounded below itself.
func TestUpward(t *testing.T) {
	assert.Equal(t, "2e-13", upward(1.05e-13))
	assert.Equal(t, "1e-12", upward(9.7e-13))
	assert.Equal(t, "0", upward(0))
	assert.Equal(t, "1", upward(0.93))
	assert.Equal(t, "1", upward(math.Inf(1)))
	for _, v := range []float64{3e-13, 1e-8, 7e-5, 0.1} {
		var back float64
		_, err := fmt.Sscan(upward(v), &back)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, back, v*(1-1e-15))
	}
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"a bb", "ccc", "dddd", "e"}, wrap("a bb ccc  dddde", 4))
	assert.Equal(t, []string{""}, wrap("", 4))
	assert.Equal(t, []string{"層層", "層"}, wrap("層層層", 5))
}

func TestShorten(t *testing.T) {
	assert.Equal(t, "short", style{}.shorten("short", 5))
	assert.Equal(t, "ab…fghi", style{}.shorten("abcdefghi", 7))
	assert.Equal(t, "a...hi", style{ascii: true}.shorten("abcdefghi", 6))
	for limit := 4; limit < 30; limit++ {
		assert.LessOrEqual(t, columns(style{}.shorten(strings.Repeat("層a", 30), limit)), limit)
	}
}

func TestShown(t *testing.T) {
	assert.Equal(t, `a\n\x1b[0m\xff"层…`, shown("a\n\x1b[0m\xff\"层…"))
	assert.Equal(t, "\uFFFD", shown("\uFFFD"), "itself valid")
}

func TestLocalStyle(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang string
		ascii            bool
	}{
		{"", "", "", true},
		{"", "", "en_US.UTF-8", false},
		{"", "", "de_DE.utf8", false},
		{"C", "", "en_US.UTF-8", true},
		{"", "C.UTF-8", "C", false},
		{"", "", "de_DE.ISO-8859-1", true},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		assert.Equal(t, c.ascii, localStyle().ascii, c)
	}
}

// TestSketch: bars never rise, only 0 is empty, and a bar stands over its label.
func TestSketch(t *testing.T) {
	assert.Equal(t, 0, height(0))
	assert.Equal(t, 1, height(1e-9))
	assert.Equal(t, sketchRows*levels, height(1))
	for _, m := range []int{1, 2, 3, 15, 16, 29, 30, 59, 60, 61, 119, 120, 121, 5000} {
		rho := make([]float64, m)
		for i := range rho {
			rho[i] = 1 / float64(i+1)
		}
		p := newPage(style{})
		p.sketch(rho)
		lines := strings.Split(p.b.String(), "\n")
		assert.Len(t, lines, sketchRows+4)
		top, label := []rune(lines[1]), lines[sketchRows+2]
		assert.True(t, m > sketchColumns || top[6] == '█', "the first is 1")
		assert.Equal(t, 6, strings.Index(label, "1"))
		assert.True(t, m == 1 || strings.HasSuffix(label, fmt.Sprint(" ", m)), label)
		bars, _ := sketchBars(rho)
		assert.LessOrEqual(t, len(bars), sketchColumns)
		assert.LessOrEqual(t, columns(lines[sketchRows+1]), 6+sketchColumns)
		for i := 1; i < len(bars); i++ {
			assert.LessOrEqual(t, bars[i], bars[i-1])
		}
	}
}

func TestVersion(t *testing.T) {
	build := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}
	assert.Equal(t, "v0.1.0", versionOf(build))
	build.Main.Version = "(devel)"
	assert.Equal(t, "devel", versionOf(build))
	build.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}
	assert.Equal(t, "devel (0123456789ab, modified)", versionOf(build))
}

// TestDemo holds the text against comparisons made here.
func TestDemo(t *testing.T) {
	status, text, stderr := call(t, "demo")
	require.Equal(t, exitDone, status, stderr)
	assert.Empty(t, stderr)
	checkWidth(t, text)
	assert.LessOrEqual(t, strings.Count(text, "\n"), 60, "a screen and a half, or little more")
	assert.True(t, strings.HasSuffix(text, "\nnext: svcca compare YOUR_A.npy YOUR_B.npy\n"))
	for _, pair := range demoPairs {
		x, err := openDigits(pair.x, false)
		require.NoError(t, err)
		y, err := openDigits(pair.y, pair.shuffled)
		require.NoError(t, err)
		c, err := svcca.Between(x, y, svcca.Options{})
		require.NoError(t, err)
		assert.Contains(t, text, decimal(c.Mean, c.ErrorBound)+"   "+decimal(c.MeanSquare, c.ErrorBound)+"    "+level(c.Chance))
		assert.Equal(t, pair.shuffled, of(c).byChance(), "%v", pair)
	}
	assert.Contains(t, text, "falls to chance")
}

// TestDemoShuffles: the same rows in another order.
func TestDemoShuffles(t *testing.T) {
	plain, err := openDigits("b/logits", false)
	require.NoError(t, err)
	shuffled, err := openDigits("b/logits", true)
	require.NoError(t, err)
	n, d := plain.Dims()
	sum := func(l svcca.Layer) (total float64, first []float64) {
		m := lapack.New[float64](n, d)
		require.NoError(t, l.Read(m, 0, 0))
		for i := range n {
			total += math.Abs(m.At(i, 3))
		}
		return total, m.Row(0)
	}
	a, rowA := sum(plain)
	b, rowB := sum(shuffled)
	assert.InDelta(t, a, b, float64(n)*0x1p-52*a)
	assert.NotEqual(t, rowA, rowB)
}

func TestEffective(t *testing.T) {
	assert.Equal(t, 4.0, effective([]float64{1e300, 1e300, 1e300, 1e300}))
	assert.Equal(t, 1.0, effective([]float64{1, 1e-200}))
}

func TestReportGoesToStandardOutput(t *testing.T) {
	dir := t.TempDir()
	x := save(t, filepath.Join(dir, "x.npy"), gaussian(1, 9, 30))
	status, stdout, stderr := call(t, "compare", x, x)
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "Warning: ")
	assert.Empty(t, stderr, "warnings are part of the readable answer")
	checkWidth(t, stdout)
}
