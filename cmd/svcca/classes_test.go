package main

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// classNets saves networks a and b, of two layers and three logits, which are neurons of the
// second with ever more noise, and goes there.
func classNets(t *testing.T) (nets map[string]map[string]lapack.Matrix[float64]) {
	t.Helper()
	t.Chdir(t.TempDir())
	nets = map[string]map[string]lapack.Matrix[float64]{}
	for i, name := range []string{"a", "b"} {
		seed := uint64(10 * i)
		l2, noise := gaussian(seed+2, 90, 5), gaussian(seed+3, 90, 3)
		l10 := gaussian(seed+1, 90, 6)
		logits := lapack.New[float64](90, 3)
		for row := range 90 {
			l10.Row(row)[0] += l2.At(row, 1)
			for c := range 3 {
				logits.Set(row, c, l2.At(row, c)+float64(c)*noise.At(row, c))
			}
		}
		nets[name] = map[string]lapack.Matrix[float64]{"l10": l10, "l2": l2, "logits": logits}
		require.NoError(t, os.Mkdir(name, 0o700))
		for layer, m := range nets[name] {
			save(t, filepath.Join(name, layer+".npy"), m)
		}
	}
	return nets
}

// classesOf runs the command for JSON.
func classesOf(t *testing.T, args ...string) (c classesJSON, stderr string) {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"classes", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	return decodeClasses(t, []byte(stdout)), stderr
}

// decodeClasses reads all but the options, which are only written.
func decodeClasses(t *testing.T, data []byte) (c classesJSON) {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &fields))
	delete(fields, "options")
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c))
	return c
}

// multiple is the multiple correlation of a column with all of x, by elimination in the
// normal equations: what ρ is of a single logit where every direction is kept.
func multiple(x lapack.Matrix[float64], y []float64) float64 {
	n, d := x.Rows, x.Cols
	z := lapack.New[float64](n, d+1)
	for i := range n {
		copy(z.Row(i), x.Row(i))
		z.Set(i, d, y[i])
	}
	for j := range d + 1 {
		mean := 0.0
		for i := range n {
			mean += z.At(i, j) / float64(n)
		}
		for i := range n {
			z.Set(i, j, z.At(i, j)-mean)
		}
	}
	g := lapack.New[float64](d+1, d+1)
	for i := range n {
		for a := range d + 1 {
			for b := range d + 1 {
				g.Set(a, b, g.At(a, b)+z.At(i, a)*z.At(i, b))
			}
		}
	}
	total := g.At(d, d)
	for p := range d { // elimination leaves in the corner what x does not explain
		for a := p + 1; a <= d; a++ {
			f := g.At(a, p) / g.At(p, p)
			for b := p; b <= d; b++ {
				g.Set(a, b, g.At(a, b)-f*g.At(p, b))
			}
		}
	}
	return math.Sqrt(1 - g.At(d, d)/total)
}

func columnOf(m lapack.Matrix[float64], c int) []float64 {
	y := make([]float64, m.Rows)
	for i := range y {
		y[i] = m.At(i, c)
	}
	return y
}

// TestClassesIsRegression: with all directions kept ρ is what least squares gives, and under
// other rules what svcca.Between does.
func TestClassesIsRegression(t *testing.T) {
	nets := classNets(t)
	all, stderr := classesOf(t, "a", "b", "--keep", "rank")
	assert.Contains(t, stderr, "the logits last; --layers says which are nearer to the input")
	cut, _ := classesOf(t, "a", "b", "--keep", "variance(0.7)")
	assert.Equal(t, "svcca.classes/1", all.Schema)
	assert.Equal(t, []int{0, 1, 2}, all.Classes)
	require.Len(t, all.Networks, 2)
	for i, name := range []string{"a", "b"} {
		n := all.Networks[i]
		assert.Equal(t, name, n.Name)
		assert.Equal(t, name+"/logits.npy", n.Logits)
		assert.Equal(t, []string{"l2", "l10", "logits"}, n.Layers, "in natural order")
		for c, curve := range n.Curves {
			assert.Equal(t, c, curve.Class)
			y := columnOf(nets[name]["logits"], c)
			for l, layer := range n.Layers {
				p := curve.Points[l]
				assert.Equal(t, layer, p.Layer)
				assert.Equal(t, float64(l)/2, p.Depth)
				x := nets[name][layer]
				assert.InDelta(t, multiple(x, y), *p.Mean, 1e-7)
				assert.InDelta(t, float64(x.Cols)/89, p.Chance, 1e-15)
				want := between(t, x, lapack.Of(90, 1, y), svcca.Options{Keep: svcca.Variance(0.7)})
				got := cut.Networks[i].Curves[c].Points[l]
				assert.InDelta(t, want.Mean, *got.Mean, want.ErrorBound+got.ErrorBound+1e-14)
				assert.Equal(t, want.X.K, got.KX)
				assert.Equal(t, 1, got.KY)
			}
		}
	}
	assert.InDelta(t, 1, *all.Networks[0].Curves[0].Points[0].Mean, 1e-7, "class 0 is a neuron of l2")
	assert.Len(t, all.Inputs, 6)
}

// TestClassesFinds: the same networks in other places, and some of their layers and classes.
func TestClassesFinds(t *testing.T) {
	nets := classNets(t)
	want, _ := classesOf(t, "a", "--layers", "l10,l2", "--quiet")
	require.Equal(t, []string{"l10", "l2"}, want.Networks[0].Layers)
	curves := want.Networks[0].Curves
	same := func(n classNetworkJSON, curves []measure.ClassCurve) {
		t.Helper()
		assert.Equal(t, []string{"l10", "l2"}, n.Layers)
		assert.Equal(t, curves, n.Curves)
	}
	var members []arrayOf
	for layer, m := range nets["a"] {
		members = append(members, arrayOf{layer, array(m, m.Rows, m.Cols)})
	}
	saveNPZ(t, "a.npz", zip.Deflate, members...)
	got, stderr := classesOf(t, "a.npz", "--layers", "l10,l2")
	assert.Empty(t, stderr)
	same(got.Networks[0], curves)

	// Classes in the order in which they are named.
	got, _ = classesOf(t, "a/", "--layers", "l10,l2", "--class", "2,0")
	same(got.Networks[0], []measure.ClassCurve{curves[2], curves[0]})
	assert.Equal(t, []int{2, 0}, got.Classes)

	// Logits under another name, and in a file beside.
	require.NoError(t, os.Rename("a/logits.npy", "a/head.npy"))
	got, _ = classesOf(t, "a", "--layers", "l10,l2", "--logits", "head")
	same(got.Networks[0], curves)
	got, _ = classesOf(t, "a", "--logits", "a/head.npy", "--quiet")
	assert.Equal(t, []string{"l2", "l10", "head"}, got.Networks[0].Layers, "the logits are last under any name")
	require.NoError(t, os.Rename("a/head.npy", "head.npy"))
	got, stderr = classesOf(t, "a", "b", "--layers", "l10,l2", "--layers", "l2", "--logits", "head.npy", "--logits", "logits")
	assert.Empty(t, stderr)
	same(got.Networks[0], curves)
	assert.Equal(t, []string{"l2"}, got.Networks[1].Layers, "each network its own")
	got, _ = classesOf(t, "a", "--logits", "head.npy", "--quiet")
	assert.Equal(t, []string{"l2", "l10"}, got.Networks[0].Layers, "logits of elsewhere are no layer")

	// Shards, and archives in directories.
	require.NoError(t, os.MkdirAll("c/l10", 0o700))
	m := nets["a"]["l10"]
	save(t, "c/l10/part-0.npy", m.View(0, 0, 50, m.Cols))
	save(t, "c/l10/part-1.npy", m.View(50, 0, 40, m.Cols))
	m = nets["a"]["l2"]
	saveNPZ(t, "c/more.npz", zip.Store, arrayOf{"l2", array(m, m.Rows, m.Cols)}, arrayOf{"other", array(m, m.Rows, m.Cols)})
	got, _ = classesOf(t, "c", "--layers", "l10,more.npz:l2", "--logits", "head.npy")
	for c := range curves {
		for l := range curves[c].Points {
			assert.Equal(t, *curves[c].Points[l].Mean, *got.Networks[0].Curves[c].Points[l].Mean)
		}
	}
}

// TestClassesSelects: of the datapoints of classes, and of neurons of all but the logits, it
// finds what it does of files that hold no more.
func TestClassesSelects(t *testing.T) {
	nets := classNets(t)
	labels, rows := make([]int, 90), []int{}
	for i := range labels {
		labels[i] = i * i % 5 // 0, 1 or 4
		if labels[i] != 0 {
			rows = append(rows, i)
		}
	}
	saveIndices(t, "labels.npy", labels)
	require.NoError(t, os.Mkdir("part", 0o700))
	for layer, m := range nets["a"] {
		columns := []int{1, 2, 4}
		if layer == "logits" {
			columns = nil
		}
		save(t, "part/"+layer+".npy", rowsOf(m, rows, columns))
	}
	want, _ := classesOf(t, "part", "--quiet")
	got, _ := classesOf(t, "a", "--labels", "labels.npy", "--labelled", "1,4", "--neurons", "1,2,4", "--quiet", "--hashes")
	assert.Equal(t, want.Networks[0].Curves, got.Networks[0].Curves)
	require.Len(t, got.Selection.Steps, 2)
	assert.Equal(t, selectionStep{Flag: "labelled", Value: "1,4", Files: []string{"labels.npy"}, Unit: "datapoint", Of: []int{90}, Kept: len(rows)}, got.Selection.Steps[0])
	assert.Equal(t, []int{6, 5}, sortedDown(got.Selection.Steps[1].Of))
	assert.Equal(t, []string{"labels.npy"}, got.With["labels"].Paths)
	assert.Len(t, got.With["labels"].SHA256[0], 64)
	assert.Equal(t, "Each layer with single logits, on datapoints of 1,4", got.drawn().Title)
	_, stdout, _ := call(t, "classes", "a", "--labels", "labels.npy", "--labelled", "1,4", "--quiet")
	assert.Contains(t, stdout, fmt.Sprintf("over %d datapoints\n--labelled 1,4: %d of 90 datapoints\n", len(rows), len(rows)))

	// Datapoints by their ids, which lie beside the layers.
	for layer := range nets["a"] {
		var ids []string
		for i := range 90 {
			ids = append(ids, strconv.Itoa(i))
		}
		saveText(t, "a/"+layer+".txt", strings.Join(ids, "\n"))
	}
	byID, _ := classesOf(t, "a", "--ids", "*.txt", "--quiet")
	all, _ := classesOf(t, "a", "--quiet")
	assert.Equal(t, all.Networks[0].Curves, byID.Networks[0].Curves)

	weights := lapack.New[float64](90, 1)
	for i := range weights.Data {
		weights.Data[i] = float64(1 + i%2)
	}
	save(t, "w.npy", weights)
	var twice []int
	for i := range 90 {
		for range 1 + i%2 {
			twice = append(twice, i)
		}
	}
	for layer, m := range nets["a"] {
		save(t, "part/"+layer+".npy", rowsOf(m, twice, nil))
	}
	want, _ = classesOf(t, "part", "--quiet")
	got, _ = classesOf(t, "a", "--weights", "w.npy", "--quiet")
	assert.InDelta(t, *want.Networks[0].Curves[2].Points[1].Mean, *got.Networks[0].Curves[2].Points[1].Mean, 1e-12)
	_, stdout, _ = call(t, "classes", "a", "--weights", "w.npy", "--quiet")
	assert.Contains(t, stdout, "Weighted: they count as much as")
}

func sortedDown(values []int) []int {
	values = slices.Compact(slices.Clone(values))
	slices.Sort(values)
	slices.Reverse(values)
	return values
}

// TestClassesTokens: each token is a datapoint, of logits too.
func TestClassesTokens(t *testing.T) {
	nets := classNets(t)
	require.NoError(t, os.Mkdir("tokens", 0o700))
	for layer, m := range nets["a"] {
		saveShape(t, "tokens/"+layer+".npy", m.Data, 15, 6, m.Cols)
	}
	want, _ := classesOf(t, "a", "--quiet")
	got, _ := classesOf(t, "tokens", "--quiet", "--class", "0:3")
	assert.Equal(t, want.Networks[0].Curves, got.Networks[0].Curves)
	status, _, stderr := call(t, "classes", "tokens", "--quiet", "--class", "3")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "tokens/logits.npy has 3 columns: --class 3 reaches beyond them")
}

// TestClassesConv: by dft a logit is compared with the channels' means over positions; by
// flatten with all values.
func TestClassesConv(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("a", 0o700))
	maps, fc, logits := someMaps(1, 120, 4, 2, 3), gaussian(2, 120, 4), gaussian(3, 120, 2)
	pooled := lapack.New[float64](120, 3)
	for i := range 120 {
		for at, v := range maps.Row(i) {
			pooled.Set(i, at%3, pooled.At(i, at%3)+v)
		}
		logits.Row(i)[1] += 3 * pooled.At(i, 2)
	}
	save(t, "a/conv.npy", maps, 120, 4, 2, 3)
	save(t, "a/fc.npy", fc)
	save(t, "a/logits.npy", logits)
	for _, c := range []struct {
		way  string
		seen lapack.Matrix[float64]
		over string
	}{
		{"dft", pooled, "120 images in all translations (dft)"},
		{"flatten", maps, "120 images, maps flattened"},
	} {
		got, stderr := classesOf(t, "a", "--layers", "conv,fc", "--keep", "rank", "--conv", c.way)
		assert.Contains(t, stderr, "120 images of 4 × 2, 3 channels")
		for class, curve := range got.Networks[0].Curves {
			y := columnOf(logits, class)
			assert.InDelta(t, multiple(c.seen, y), *curve.Points[0].Mean, 1e-7, c.way)
			assert.InDelta(t, multiple(fc, y), *curve.Points[1].Mean, 1e-7, c.way)
			assert.InDelta(t, float64(c.seen.Cols)/119, curve.Points[0].Chance, 1e-15)
		}
		status, stdout, stderr := call(t, "classes", "a", "--layers", "conv,fc", "--conv", c.way, "--quiet")
		require.Equal(t, exitDone, status, stderr)
		checkWidth(t, stdout)
		words := strings.Join(strings.Fields(stdout), " ")
		assert.Contains(t, words, c.over)
		assert.Contains(t, words, "--conv "+c.way)
		assert.Equal(t, c.way == "dft", strings.Contains(words, "each channel's mean over positions"))
		assert.Contains(t, stdout, "~", "most pairs of these are at chance")
		assert.Regexp(t, `(?m)^conv .* 0\.9\d+ $|^conv .* 0\.9\d+$`, stdout, "but not that")
	}
	status, stdout, stderr := call(t, "classes", "a", "--layers", "conv,fc")
	assert.Equal(t, exitFailed, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "svcca classes a --layers conv,fc --conv dft\n")
	assert.NotContains(t, stderr, "pixels")
}

// TestClassesAtChance: the mark is where the library has it.
func TestClassesAtChance(t *testing.T) {
	classNets(t)
	result, _ := classesOf(t, "a", "b", "--quiet")
	for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterNone} {
		c := &classes{matrix: &matrix{matrixFlags: &matrixFlags{}}}
		c.options.Centering = centering
		for _, curve := range result.Networks[0].Curves {
			p := curve.Points[0]
			space := 89
			if centering == svcca.CenterNone {
				space = 90
			}
			x, y := svcca.Side{Datapoints: 90, K: p.KX}, svcca.Side{Datapoints: 90, K: 1}
			assert.Equal(t, svcca.ChanceDeviation(x, y, centering), c.deviation(90, float64(p.KX)/float64(space)))
		}
	}
}

// TestClassesThatNeverFire: a constant logit has no curve, and says so.
func TestClassesThatNeverFire(t *testing.T) {
	nets := classNets(t)
	logits := nets["a"]["logits"]
	for i := range 90 {
		logits.Row(i)[1] = 0.5
	}
	save(t, "a/logits.npy", logits)
	got, stderr := classesOf(t, "a", "b", "--score", "mean_square", "-o", "c.csv", "-o", "c.svg", "--layers", "l2,l10")
	assert.Contains(t, stderr, "warning: a/logits.npy: the logit of class 1 is constant over these datapoints: it has no curve")
	require.Len(t, got.Warnings, 1)
	assert.Equal(t, warnConstantLogit, got.Warnings[0].Code)
	dead := got.Networks[0].Curves[1]
	assert.True(t, dead.Constant)
	assert.Empty(t, dead.Points)
	assert.False(t, got.Networks[1].Curves[1].Constant)
	lines, err := csv.NewReader(bytes.NewReader(read(t, "c.csv"))).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "1", "l10", "1", "", ""}, lines[4])
	svg := string(read(t, "c.svg"))
	assert.Contains(t, svg, "b, class 1")
	assert.NotContains(t, svg, "a, class 1")
	_, stdout, _ := call(t, "classes", "a", "b", "--score", "mean_square", "--layers", "l2,l10", "--quiet")
	assert.Regexp(t, `(?m)^a  l2 .*none.*$`, stdout)
	assert.NotRegexp(t, `(?m)^b  l2 .*none.*$`, stdout)
	assert.NotContains(t, stdout, "NaN")
	assert.NotContains(t, stdout, "none~")

	status, stdout, stderr := call(t, "classes", "a", "--class", "1", "--layers", "l2", "-o", "d.svg")
	assert.Equal(t, exitFailed, status)
	assert.Empty(t, stdout)
	assert.Regexp(t, `every logit is constant over [0-9]+ datapoints, as those of a/logits\.npy: there is nothing`, stderr)
	assert.NotContains(t, listing(t, "."), "d.svg")
}

func TestClassesWords(t *testing.T) {
	classNets(t)
	status, stdout, stderr := call(t, "classes", "a", "--layers", "l2,l10,logits")
	require.Equal(t, exitDone, status, stderr)
	assert.Empty(t, stderr)
	checkWidth(t, stdout)
	words := strings.Join(strings.Fields(stdout), " ")
	for _, says := range []string{"SVCCA, the mean of ρ: 3 layers of a with single logits, 3 classes (columns), over 90 datapoints", "With one logit there is one ρ", "unrelated layers would give no more than", "--keep 'variance(0.99)'"} {
		assert.Contains(t, words, says)
	}
	assert.Regexp(t, `(?m)^ +0 +1 +2 ?$`, stdout)
	_, stdout, _ = call(t, "classes", "a", "b", "--class", "1", "--centering", "none", "--quiet")
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "6 layers of 2 networks with single logits, 1 class (columns)")
	assert.Regexp(t, `(?m)^b  l10 `, stdout)
	assert.NotContains(t, stdout, "ρ² is the share", "of variance there is no talk")

	// More classes than a line has room for.
	require.NoError(t, os.Mkdir("many", 0o700))
	save(t, "many/l.npy", gaussian(1, 90, 3))
	save(t, "many/logits.npy", gaussian(2, 90, 30))
	status, stdout, stderr = call(t, "classes", "many", "--layers", "l")
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, stdout)
	assert.Regexp(t, `(?m)^\d+ of 30 classes: -o FILE\.csv writes all`, stdout)
	assert.NotContains(t, stdout, "Columns")
	// Weights of the layer's directions make another number than ρ.
	_, stdout, _ = call(t, "classes", "a", "--score", "weighted")
	assert.NotContains(t, stdout, "With one logit")
}

func TestClassesFiles(t *testing.T) {
	classNets(t)
	args := []string{"classes", "a", "b", "--layers", "l2,l10", "--json", "--score", "weighted_y"}
	for _, name := range []string{"c.json", "c.csv", "c.svg", "c.png", "c.pdf"} {
		args = append(args, "-o", name)
	}
	status, stdout, stderr := call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, []string{"a", "b", "c.csv", "c.csv.json", "c.json", "c.pdf", "c.pdf.json", "c.png", "c.png.json", "c.svg", "c.svg.json"}, listing(t, "."))
	assert.Equal(t, stdout, string(read(t, "c.json")))
	c := decodeClasses(t, []byte(stdout))
	lines, err := csv.NewReader(bytes.NewReader(read(t, "c.csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+2*3*2)
	assert.Equal(t, []string{"network", "class", "layer", "depth", "weighted_y", "chance"}, lines[0])
	at := 1
	for _, n := range c.Networks {
		for _, curve := range n.Curves {
			for _, p := range curve.Points {
				assert.Equal(t, []string{n.Name, strconv.Itoa(curve.Class), p.Layer, fmt.Sprint(p.Depth)}, lines[at][:4])
				for i, want := range []float64{p.WeightedY, p.Chance} {
					v, err := strconv.ParseFloat(lines[at][4+i], 64)
					require.NoError(t, err)
					assert.Equal(t, want, v)
				}
				at++
			}
		}
	}
	for name, begins := range map[string]string{"c.svg": "<", "c.png": "\x89PNG", "c.pdf": "%PDF"} {
		drawn := read(t, name)
		assert.True(t, bytes.HasPrefix(drawn, []byte(begins)), name)
		var note provenance
		require.NoError(t, json.Unmarshal(read(t, noteOf(name)), &note))
		assert.Equal(t, int64(len(drawn)), note.File.Bytes)
		assert.Equal(t, []string{"a/l2", "a/l10", "b/l2", "b/l10"}, note.Rows)
		assert.Equal(t, []string{"0", "1", "2"}, note.Columns)
		assert.Len(t, note.Inputs, 6)
	}
	svg := string(read(t, "c.svg"))
	for _, says := range []string{"relative depth", "weighted y", "a, class 0", "b, class 2", "a, chance", "b, chance"} {
		assert.Contains(t, svg, says)
	}
	status, _, stderr = call(t, args...)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--force")
	status, _, stderr = call(t, append(args, "--force", "--quiet")...)
	assert.Equal(t, exitDone, status, stderr)
}

// TestClassesDrawn: curves are the scores over depth, from 0 to 1, beside what chance gives.
func TestClassesDrawn(t *testing.T) {
	classNets(t)
	r, _ := classesOf(t, "a", "b", "--quiet")
	c := r.drawn()
	assert.Equal(t, [2]float64{0, 1}, [2]float64{c.From, c.To})
	require.Len(t, c.Series, 2*(3+1))
	for i, n := range r.Networks {
		for j, curve := range n.Curves {
			s := c.Series[4*i+j]
			assert.Equal(t, fmt.Sprintf("%s, class %d", n.Name, j), s.Name)
			assert.Equal(t, j+1, s.Colour, "a class has a colour")
			assert.Equal(t, i+1, s.Dash, "a network has a dash")
			assert.Equal(t, []float64{0, 0.5, 1}, s.X)
			for l := range s.Y {
				assert.Equal(t, min(1, *curve.Points[l].Mean), s.Y[l])
			}
		}
		chance := c.Series[4*i+3]
		assert.Equal(t, n.Name+", chance", chance.Name)
		assert.True(t, chance.Faint)
		for l := range chance.Y {
			assert.Equal(t, math.Sqrt(n.Curves[0].Points[l].Chance), chance.Y[l])
		}
	}
	for of, known := range map[score]float64{"mean": 0.5, "pwcca_x": 0.5, "weighted_y": 0.5, "mean_square": 0.25, "adjusted": 0} {
		level, is := of.byChance(0.25)
		assert.True(t, is)
		assert.Equal(t, known, level, of)
	}
	_, is := score("weighted_x").byChance(0.25)
	assert.False(t, is)
	r.Score = "weighted"
	assert.Len(t, r.drawn().Series, 6, "without chance")

	// Undefined scores leave gaps, negative ones are shown.
	r.Score = "adjusted"
	below := -0.2
	r.Networks[0].Curves[0].Points[1].Adjusted = nil
	r.Networks[0].Curves[1].Points[1].Adjusted = &below
	c = r.drawn()
	assert.Equal(t, []bool{false, true, false}, c.Series[0].Undefined)
	assert.Equal(t, below, c.From)
	var svg bytes.Buffer
	require.NoError(t, c.Render(&svg, figure.SVG, figure.Page{}))

	// One network needs no name.
	r.Networks = r.Networks[:1]
	assert.Equal(t, "class 0", r.drawn().Series[0].Name)
}

// TestClassesApart: as many curves are drawn as can be told apart.
func TestClassesApart(t *testing.T) {
	for networks, most := range map[int]int{1: 28, 2: 14, 3: 7, 4: 7, 5: 5, 14: 2, 28: 1} {
		c := &classes{of: &classesFlags{}, matrix: &matrix{matrixFlags: &matrixFlags{outputs: []string{"c.json", "c.svg"}}}, networks: make([]*classNetwork, networks), numbers: interval(0, most)}
		assert.NoError(t, c.drawable())
		r := &classesJSON{Score: "mean"}
		for i := range networks {
			n := classNetworkJSON{Name: strconv.Itoa(i)}
			for class := range most {
				mean := 0.5
				n.Curves = append(n.Curves, measure.ClassCurve{Class: class, Points: []measure.ClassPoint{{Pair: &measure.Pair{PairScores: svcca.PairScores{Mean: &mean, Chance: 0.1}}}}})
			}
			r.Networks = append(r.Networks, n)
		}
		styles := map[[2]int]bool{}
		drawn := r.drawn()
		for i, s := range drawn.Series {
			key := [2]int{s.Colour, s.Dash}
			if s.Colour == 0 {
				key = [2]int{i, 0}
			}
			if !s.Faint {
				assert.False(t, styles[key], "%d networks: %v", networks, s.Name)
				styles[key] = true
			}
		}
		assert.Len(t, styles, networks*most)
		var svg bytes.Buffer
		assert.NoError(t, drawn.Render(&svg, figure.SVG, figure.Page{}))
		c.numbers = interval(0, most+1)
		err := c.drawable()
		assert.ErrorContains(t, err, fmt.Sprintf("%s can be told apart", classCount(most)))
		assert.ErrorAs(t, err, new(*misuse))
		c.outputs = []string{"c.csv"}
		assert.NoError(t, c.drawable())
	}
}

// TestClassesOfReferenceSet: single logits, as the reference has computed.
func TestClassesOfReferenceSet(t *testing.T) {
	var expected []struct {
		X, Y  string
		Rules map[string]struct {
			Mean, Chance float64
			KX           int `json:"kx"`
		}
	}
	reference.Expected(t, "pairs", &expected)
	compared := 0
	for _, e := range expected {
		var class int
		layer, is := strings.CutPrefix(e.X, "digits/a/")
		if _, err := fmt.Sscanf(e.Y, "digits/a/logits[:,%d]", &class); err != nil || !is {
			continue
		}
		for rule, want := range e.Rules {
			c, _ := classesOf(t, filepath.Join(reference.Folder(t), "digits/a"), "--layers", layer, "--class", strconv.Itoa(class), "--keep", rule)
			p := c.Networks[0].Curves[0].Points[0]
			assert.InDelta(t, want.Mean, *p.Mean, p.ErrorBound+1e-14)
			assert.InDelta(t, want.Chance, p.Chance, 1e-15)
			assert.Equal(t, want.KX, p.KX)
			compared++
		}
	}
	assert.GreaterOrEqual(t, compared, 3)
}

func TestClassesStatus(t *testing.T) {
	nets := classNets(t)
	for _, dir := range []string{"hole", "rows", "dead", "flat", "alone", "wide", "maps", "empty", "two/x"} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		if dir != "empty" {
			save(t, dir+"/logits.npy", nets["a"]["logits"])
		}
	}
	holed := gaussian(1, 90, 4)
	holed.Set(7, 3, math.NaN())
	save(t, "hole/l.npy", holed)
	save(t, "rows/l.npy", gaussian(1, 89, 4))
	save(t, "dead/l.npy", lapack.New[float64](90, 4))
	save(t, "wide/l.npy", gaussian(1, 90, 4))
	save(t, "wide/logits.npy", gaussian(1, 90, 5))
	save(t, "maps/logits.npy", gaussian(1, 90, 12), 90, 2, 2, 3)
	save(t, "maps/l.npy", gaussian(1, 90, 12), 90, 2, 2, 3)
	save(t, "maps/fc.npy", gaussian(1, 90, 12))
	save(t, "two/l.npy", gaussian(1, 90, 4))
	saveNPZ(t, "two/l.npz", zip.Store, arrayOf{"l", array(gaussian(1, 90, 4), 90, 4)})
	saveText(t, "labels.txt", strings.Repeat("1\n", 90))
	saveText(t, "few.txt", "1\n2\n")
	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"", exitMisused, []string{"no networks"}},
		{"nope", exitFailed, []string{"nope: no such file"}},
		{"empty", exitFailed, []string{"empty: no .npy"}},
		{"a/l2.npy", exitMisused, []string{"a/l2.npy is no network", "svcca classes a\n"}},
		{"labels.txt", exitMisused, []string{"labels.txt is no network"}},
		{"a b a/", exitMisused, []string{"a/ is named twice"}},
		{"a --logits logit", exitMisused, []string{"a has no layer logit", "did you mean logits?"}},
		{"a --logits head", exitMisused, []string{"a has no layer head", "there are l2, l10, logits"}},
		{"a b --logits a/logits.npy", exitMisused, []string{"is a file, of one network", "one for each"}},
		{"a b --logits logits --logits logits --logits logits", exitMisused, []string{"--logits is given 3 times, and there are 2 networks"}},
		{"a --layers l2 --layers l10", exitMisused, []string{"--layers is given 2 times, and there are 1 network"}},
		{"a --layers l2,l3", exitMisused, []string{"--layers l3", "a has no layer of that name", "there are l2, l10, logits"}},
		{"a --layers l2,logit", exitMisused, []string{"did you mean logits?"}},
		{"a --layers l2,l2", exitMisused, []string{"names l2 twice"}},
		{"a --layers ,", exitMisused, []string{"--layers : a has no layer of that name"}},
		{"alone", exitFailed, []string{"alone holds no layer beside the logits"}},
		{"two", exitFailed, []string{"two has layer l twice: two/l.npy and two/l.npz"}},
		{"a --class 3", exitFailed, []string{"a/logits.npy has 3 columns: --class 3 reaches beyond them"}},
		{"a --class 1,1", exitFailed, []string{"--class 1,1 names 1 twice"}},
		{"a --class x", exitMisused, []string{"--class", "A:B expected"}},
		{"a --class @labels.txt", exitMisused, []string{"classes are listed"}},
		{"a wide", exitFailed, []string{"a/logits.npy has 3 columns, wide/logits.npy 5", "--class"}},
		{"a --conv pixels", exitMisused, []string{"--conv pixels does not go with logits", "dft or flatten"}},
		{"a --conv lowpass", exitMisused, []string{"lowpass is for maps of two sizes"}},
		{"a --conv dft", exitMisused, []string{"leave out --conv dft"}},
		{"a --centering translated", exitMisused, []string{"--centering translated is for --conv dft"}},
		{"maps --layers fc --conv dft", exitFailed, []string{"maps/logits.npy holds feature maps", "--logits NAME"}},
		{"hole", exitFailed, []string{"hole/l.npy: datapoint 7, neuron 3", "NaN"}},
		{"rows", exitFailed, []string{"rows/logits.npy has 90 datapoints, rows/l.npy 89", "--layers A,B,… to go without"}},
		{"dead", exitFailed, []string{"dead/l.npy", "constant"}},
		{"a --labels labels.txt", exitMisused, []string{"--labels is for --labelled"}},
		{"a --labelled 1", exitMisused, []string{"--labelled 1 is of --labels FILE"}},
		{"a --labels labels.txt --labelled @labels.txt", exitMisused, []string{"classes are listed"}},
		{"a --labels labels.txt --labelled 2", exitFailed, []string{"--labelled 2 leaves none of 90 datapoints"}},
		{"a --labels few.txt --labelled 2", exitFailed, []string{"few.txt holds 2 labels, a/l2.npy has 90 datapoints"}},
		{"a --labels none.txt --labelled 2", exitFailed, []string{"none.txt: no such file"}},
		{"a --ids labels.txt", exitMisused, []string{"--ids labels.txt", "with a *"}},
		{"a --score meen", exitMisused, []string{"did you mean mean?"}},
		{"a --hashes", exitMisused, []string{"--json or -o"}},
		{"a -o c.npy", exitMisused, []string{"-o c.npy", ".svg"}},
		{"a -o c.svg -o c.svg.json", exitMisused, []string{"what made c.svg"}},
		{"a -o labels.txt", exitMisused, []string{"ends with"}},
		{"a --layers l2 -o a/l2.json --labels labels.txt --labelled 1 -o no/c.csv", exitFailed, []string{"no directory no"}},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"classes"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, c.args+": "+stderr)
		for _, says := range c.says {
			assert.Contains(t, stderr, says, c.args)
		}
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
		assert.NotContains(t, stderr, "skip-bad", c.args)
	}
}
