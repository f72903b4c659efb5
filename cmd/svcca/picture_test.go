package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var textInSVG = regexp.MustCompile(`<text [^>]*>([^<]*)</text>`)

// textsIn returns the texts of an SVG in the order in which they are drawn.
func textsIn(t *testing.T, path string) (texts []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, m := range textInSVG.FindAllSubmatch(data, -1) {
		texts = append(texts, html.UnescapeString(string(m[1])))
	}
	return texts
}

// noteBeside returns what is said of a picture, of which it holds the size.
func noteBeside(t *testing.T, path string) (p provenance) {
	t.Helper()
	data, err := os.ReadFile(noteOf(path))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &p))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, info.Size(), p.File.Bytes)
	return p
}

// TestPictureIsTheMatrix: the numbers in the cells are those of the JSON, row by row, and
// names stand beside them; of pairs that are bound to be 1 by rounding alone, none is
// said to be beyond.
func TestPictureIsTheMatrix(t *testing.T) {
	nets(t)
	for _, c := range []struct {
		args      string
		score     score
		distances bool
		names     []string
		label     string
	}{
		{"a b", "mean", false, []string{"a/layer1", "a/layer10", "b/layer2"}, "SVCCA similarity"},
		{"a --against b", "mean", false, []string{"layer1", "layer10", "layer2", "a", "b"}, "SVCCA similarity"},
		{"a --against b --distances", "mean", true, []string{"layer1", "a", "b"}, "SVCCA distance"},
		{"a --against b --score weighted_x", "weighted_x", false, []string{"a", "b"}, "SVCCA, weighted by the row layer's singular values"},
		{"a --against b --score weighted_x --distances", "weighted_x", true, []string{"a", "b"}, "1 − weighted_x"},
	} {
		status, _, stderr := call(t, append([]string{"matrix", "--force", "-o", "m.svg", "-o", "m.json"}, strings.Fields(c.args)...)...)
		require.Equal(t, exitDone, status, stderr)
		assert.Contains(t, stderr, "svcca: wrote m.svg; m.svg.json says what made it\n")
		data, err := os.ReadFile("m.json")
		require.NoError(t, err)
		m := decodeMatrix(t, data)
		var want []string
		for i := range m.Pairs {
			for j := range m.Pairs[i] {
				v, _ := c.score.kind().of(&m.Pairs[i][j])
				shown := *v
				if c.distances {
					shown = 1 - shown
				}
				want = append(want, strings.TrimPrefix(fmt.Sprintf("%.2f", shown), "-"))
			}
		}
		texts := textsIn(t, "m.svg")
		number := regexp.MustCompile(`^\d\.\d\d$`)
		var got []string
		for _, text := range texts {
			if number.MatchString(text) {
				got = append(got, text)
			}
		}
		assert.Equal(t, want, got, c.args)
		assert.Subset(t, texts, append(c.names, c.label, "0", "1"), c.args)

		p := noteBeside(t, "m.svg")
		assert.Equal(t, c.score, p.Score)
		assert.Equal(t, &pictureFlags{Distances: c.distances}, p.Picture)
		assert.Equal(t, sideNames(m.Rows), p.Rows)
		assert.Equal(t, sideNames(m.Columns), p.Columns)
	}
}

// TestPictureUndefined: a cell without a score is hatched, and the legend says so.
func TestPictureUndefined(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "x.npy", gaussian(1, 5, 20))
	save(t, "y.npy", gaussian(1, 5, 2))
	status, _, stderr := call(t, "matrix", "x.npy", "y.npy", "--score", "adjusted", "-o", "m.svg")
	require.Equal(t, exitDone, status, stderr)
	texts := textsIn(t, "m.svg")
	assert.Contains(t, texts, "undefined")
	assert.Contains(t, texts, "1.00", "y with itself")
	assert.Equal(t, 1, strings.Count(strings.Join(texts, " "), ".00"), "the others have none")
}

// TestPictureClustered: two families, given in turn, are drawn family by family, and the
// note has that order.
func TestPictureClustered(t *testing.T) {
	t.Chdir(t.TempDir())
	family := func(seed uint64) []lapack.Matrix[float64] {
		x := gaussian(seed, 200, 4)
		var all []lapack.Matrix[float64]
		for i := range 2 {
			y := x.Clone()
			for j, noise := range gaussian(seed+10+uint64(i), 200, 4).Data {
				y.Data[j] += 0.2 * noise
			}
			all = append(all, y)
		}
		return all
	}
	one, other := family(1), family(2)
	save(t, "1.npy", one[0])
	save(t, "2.npy", other[0])
	save(t, "3.npy", one[1])
	save(t, "4.npy", other[1])
	status, _, stderr := call(t, "matrix", "1.npy", "2.npy", "3.npy", "4.npy", "--clustered", "-o", "m.svg", "-o", "m.csv")
	require.Equal(t, exitDone, status, stderr)
	p := noteBeside(t, "m.svg")
	assert.Equal(t, &pictureFlags{Clustered: true}, p.Picture)
	assert.Equal(t, p.Rows, p.Columns)
	sorted := func(names ...string) []string { slices.Sort(names); return names }
	families := [][]string{sorted(p.Rows[0], p.Rows[1]), sorted(p.Rows[2], p.Rows[3])}
	assert.ElementsMatch(t, [][]string{{"1.npy", "3.npy"}, {"2.npy", "4.npy"}}, families)
	texts := textsIn(t, "m.svg")
	var names []string
	for _, text := range texts {
		if len(text) == 1 && text != "0" {
			names = append(names, text+".npy")
		}
	}
	names = names[:8] // the last is of the scale
	assert.Contains(t, [][]string{append(slices.Clone(p.Rows), p.Rows...)}, names)
	assert.Equal(t, sorted(p.Rows...), noteBeside(t, "m.csv").Rows, "numbers stay in order")
}

// TestPictureBytes: the same command draws the same bytes, of every kind, and each is of
// its kind.
func TestPictureBytes(t *testing.T) {
	nets(t)
	begins := map[string]string{"m.svg": "<?xml", "m.png": "\x89PNG", "m.pdf": "%PDF-"}
	before := map[string]string{}
	for range 2 {
		status, _, stderr := call(t, "matrix", "a", "--force", "-o", "m.svg", "-o", "m.png", "-o", "m.pdf")
		require.Equal(t, exitDone, status, stderr)
		for name, begin := range begins {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(string(data), begin), name)
			assert.True(t, before[name] == "" || before[name] == string(data), name)
			before[name] = string(data)
			noteBeside(t, name)
		}
	}
	assert.Contains(t, before["m.pdf"], "/CreationDate (D:19800101000000)")
}

func TestPictureStatus(t *testing.T) {
	nets(t)
	require.NoError(t, os.WriteFile("there.svg", nil, 0o600))
	require.NoError(t, os.WriteFile("noted.png.json", nil, 0o600))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"a --clustered", exitMisused, "--clustered is for pictures"},
		{"a --distances -o m.csv", exitMisused, "--distances is for pictures: -o OUT.svg"},
		{"a --against b --clustered -o m.svg", exitMisused, "--clustered puts rows and columns in one order"},
		{"a -o there.svg", exitFailed, "there.svg exists"},
		{"a -o noted.png", exitFailed, "noted.png.json exists"},
		{"a -o no/m.pdf", exitFailed, "there is no directory no"},
		{"a -o m.svg -o m.svg.json", exitMisused, "what made m.svg is written there"},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"matrix"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, c.args)
		assert.Contains(t, stderr, c.says, c.args)
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
	}
}

func TestOnScale(t *testing.T) {
	for _, c := range []struct{ v, bound, want float64 }{
		{1 + 1e-14, 1e-13, 1}, {-1e-14, 1e-13, 0}, {1.5, 1e-13, 1.5}, {-0.1, 1e-13, -0.1}, {0.5, 1e-13, 0.5},
	} {
		assert.Equal(t, c.want, onScale(c.v, c.bound))
	}
}
