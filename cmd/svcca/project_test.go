package main

import (
	"archive/zip"
	"cmp"
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

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fully is a fully connected layer.
type fully struct {
	name string
	w    lapack.Matrix[float64] // in × out
	b    []float64              // nil: none
}

// times returns a·b, by the definition.
func times(a, b lapack.Matrix[float64]) lapack.Matrix[float64] {
	c := lapack.New[float64](a.Rows, b.Cols)
	for i := range a.Rows {
		for j := range b.Cols {
			for k := range a.Cols {
				c.Data[i*b.Cols+j] += a.At(i, k) * b.At(k, j)
			}
		}
	}
	return c
}

// forward returns what layers make of rows, with max(0, ·) between them.
func forward(rows lapack.Matrix[float64], layers ...fully) lapack.Matrix[float64] {
	for i, l := range layers {
		next := times(rows, l.w)
		for j := range next.Data {
			if l.b != nil {
				next.Data[j] += l.b[j%next.Cols]
			}
			if i < len(layers)-1 {
				next.Data[j] = max(0, next.Data[j])
			}
		}
		rows = next
	}
	return rows
}

// tailNet is what lies behind a layer of 6 neurons.
func tailNet() []fully {
	b := gaussian(51, 2, 5)
	return []fully{{"fc2", gaussian(52, 6, 5), b.Row(0)}, {"out", gaussian(53, 5, 3), b.Row(1)[:3]}}
}

// saveNet writes the weights of layers to a directory, in × out.
func saveNet(t *testing.T, dir string, layers ...fully) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for _, l := range layers {
		save(t, filepath.Join(dir, l.name+"_w.npy"), l.w)
		if l.b != nil {
			save(t, filepath.Join(dir, l.name+"_b.npy"), lapack.Of(len(l.b), 1, l.b), len(l.b))
		}
	}
}

// bestOf returns each row's column of the largest value.
func bestOf(m lapack.Matrix[float64]) (best []int) {
	for i := range m.Rows {
		row := m.Row(i)
		best = append(best, slices.Index(row, slices.Max(row)))
	}
	return best
}

// accuracyOf returns the share of rows whose best column is the label.
func accuracyOf(outputs lapack.Matrix[float64], labels []int) float64 {
	right := 0
	for i, best := range bestOf(outputs) {
		if best == labels[i] {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

// rmsOf returns the root of the mean square of a − b.
func rmsOf(a, b lapack.Matrix[float64]) float64 {
	sum := 0.0
	for i, v := range a.Data {
		sum += (v - b.Data[i]) * (v - b.Data[i])
	}
	return math.Sqrt(sum / float64(len(a.Data)))
}

// lossOf returns ‖a − full‖ / ‖full − its column means‖.
func lossOf(a, full lapack.Matrix[float64]) float64 {
	means := lapack.New[float64](full.Rows, full.Cols)
	for j := range full.Cols {
		mean := 0.0
		for i := range full.Rows {
			mean += full.At(i, j) / float64(full.Rows)
		}
		for i := range full.Rows {
			means.Set(i, j, mean)
		}
	}
	return rmsOf(a, full) / rmsOf(full, means)
}

// erasing is a file of directions, and what projections onto them are by the definition.
type erasing struct{ mean, w, d lapack.Matrix[float64] }

func directionsIn(t *testing.T, path, side string) erasing {
	_, values := npz(t, path)
	n := len(values[side+"_mean"])
	m := len(values["rho"])
	return erasing{lapack.Of(1, n, values[side+"_mean"]), lapack.Of(n, m, values[side+"_map"]), lapack.Of(m, n, values[side+"_decoder"])}
}

// onto returns μ + (x − μ)·W[:, :k]·D[:k, :].
func (e erasing) onto(x lapack.Matrix[float64], k int) lapack.Matrix[float64] {
	centred := x.Clone()
	for i := range centred.Data {
		centred.Data[i] -= e.mean.Data[i%x.Cols]
	}
	p := times(times(centred, e.w.View(0, 0, x.Cols, k)), e.d.View(0, 0, k, x.Cols))
	for i := range p.Data {
		p.Data[i] += e.mean.Data[i%x.Cols]
	}
	return p
}

// keeping returns x with all but some neurons at their means.
func (e erasing) keeping(x lapack.Matrix[float64], neurons []int) lapack.Matrix[float64] {
	p := x.Clone()
	for i := range p.Rows {
		for j := range p.Cols {
			if !slices.Contains(neurons, j) {
				p.Set(i, j, e.mean.Data[j])
			}
		}
	}
	return p
}

// largest returns the q numbers of the largest values.
func largest(q int, values []float64) []int {
	order := interval(0, len(values))
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
	return order[:q]
}

// important returns the q neurons whose columns of D[:k, :] are longest.
func (e erasing) important(q, k int) []int {
	lengths := make([]float64, e.d.Cols)
	for j := range lengths {
		for i := range k {
			lengths[j] = math.Hypot(lengths[j], e.d.At(i, j))
		}
	}
	return largest(q, lengths)
}

// erasable makes d.npz of x.npy, whose means differ, and y.npy, and changes to their
// directory.
func erasable(t *testing.T) (x lapack.Matrix[float64], e erasing) {
	dir, _, _ := pair(t)
	t.Chdir(dir)
	x = gaussian(1, 60, 6)
	for i := range x.Data {
		x.Data[i] += []float64{3, -1, 2, 5, 0, 4}[i%6]
	}
	save(t, "x.npy", x)
	status, _, stderr := call(t, "compare", "x.npy", "y.npy", "--keep", "count(5)", "--directions", "d.npz")
	require.Equal(t, exitDone, status, stderr)
	return x, directionsIn(t, "d.npz", "x")
}

// TestProjectOnto: after projecting, neurons that matter most to the first k directions
// keep their values, and others are at their means; without, those drawn or of the largest
// mean keep theirs to the bit.
func TestProjectOnto(t *testing.T) {
	x, e := erasable(t)
	project := func(args string) lapack.Matrix[float64] {
		t.Helper()
		status, _, stderr := call(t, strings.Fields("project d.npz x.npy --side x --force -o p.npy "+args)...)
		require.Equal(t, exitDone, status, stderr)
		return load(t, "p.npy")
	}
	for _, k := range []int{1, 3, 5} {
		for _, q := range []int{1, 4, 6} {
			got := project(fmt.Sprintf("-k %d --onto %d", k, q))
			want := e.keeping(e.onto(x, k), e.important(q, k))
			assert.InDeltaSlice(t, want.Data, got.Data, 1e-12, "%d directions, %d neurons", k, q)
			if q == 4 {
				assert.NotEqual(t, e.important(q, 1), e.important(q, 5), "the test can tell k")
			}
		}
	}
	assert.Equal(t, e.keeping(x, []int{3, 5}).Data, project("--onto 2 --by activation").Data)
	note := noteBeside(t, "p.npy")
	assert.Equal(t, map[string]any{"side": "x", "k": 0., "onto": 2., "by": "activation", "coordinates": false, "transpose": false}, note.Options)

	kept := func(p lapack.Matrix[float64]) (kept []int) {
		for j := range 6 {
			if p.At(0, j) == x.At(0, j) {
				kept = append(kept, j)
			}
		}
		assert.Equal(t, e.keeping(x, kept).Data, p.Data)
		return kept
	}
	drawn := map[string]int{}
	for seed := range 20 {
		how := fmt.Sprintf("--onto 3 --by random --seed %d", seed)
		some := kept(project(how))
		assert.Len(t, some, 3)
		assert.Equal(t, some, kept(project(how)), "the same again")
		drawn[fmt.Sprint(some)]++
	}
	assert.Greater(t, len(drawn), 5, "of 20 sets")
	assert.Equal(t, kept(project("--onto 3 --by random")), kept(project("--onto 3 --by random --seed 0")))
	assert.Contains(t, string(read(t, "p.npy.json")), `"by":"random","seed":0`)
}

// projectOf runs the command for JSON.
func projectOf(t *testing.T, args ...string) (j projectJSON) {
	t.Helper()
	status, stdout, stderr := call(t, append(append([]string{"project"}, args...), "--json")...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"), "one object, one line")
	require.NoError(t, json.Unmarshal([]byte(stdout), &j))
	return j
}

// TestProjectHead: each curve is the measure of what the layers behind make of rows that
// were erased by the definition, of as many rows as are read at once.
func TestProjectHead(t *testing.T) {
	before := judgeBytes
	t.Cleanup(func() { judgeBytes = before })
	x, e := erasable(t)
	net := tailNet()
	saveNet(t, "w", net...)
	full := forward(x, net...)
	labels, rows := bestOf(full), interval(7, 52)
	for i := 0; i < len(labels); i += 5 {
		labels[i] = (labels[i] + 1) % 3 // else nothing erased has no error
	}
	saveIndices(t, "labels.npy", labels)
	targets := gaussian(54, 60, 3)
	save(t, "targets.npy", targets)
	some := func(m lapack.Matrix[float64]) lapack.Matrix[float64] { return rowsOf(m, rows, interval(0, m.Cols)) }
	measures := map[measureName]func(outputs lapack.Matrix[float64]) float64{
		byAccuracy: func(o lapack.Matrix[float64]) float64 { return accuracyOf(o, labels[7:52]) },
		byTargets:  func(o lapack.Matrix[float64]) float64 { return rmsOf(o, some(targets)) },
		byLoss:     func(o lapack.Matrix[float64]) float64 { return lossOf(o, some(full)) },
	}
	flags := map[measureName]string{byAccuracy: "--labels labels.npy", byTargets: "--targets targets.npy", byLoss: ""}
	for _, judgeBytes = range []int{1, 8 * 6 * 7, 1 << 20} {
		for name, measure := range measures {
			value := func(p lapack.Matrix[float64]) float64 { return measure(forward(p, net...)) }
			j := projectOf(t, strings.Fields("d.npz x.npy --side x --head w --order fc2,out --onto 2,4 --draws 3 --seed 5 --datapoints 7:52 "+flags[name])...)
			assert.Equal(t, "svcca.project/1", j.Schema)
			assert.Equal(t, name, j.Measure)
			assert.Equal(t, []int{45, 6, 5}, []int{j.Datapoints, j.Neurons, j.Directions})
			assert.Equal(t, []denseJSON{{"fc2", 6, 5}, {"out", 5, 3}}, j.Head)
			assert.InDelta(t, value(some(x)), j.Whole, 1e-12)
			require.Len(t, j.Curves, 5)
			for i, want := range []struct {
				name   string
				counts []int
				of     func(count int) float64
			}{
				{"directions", []int{1, 2, 4, 5}, func(k int) float64 { return value(e.onto(some(x), k)) }},
				{"directions, then 2 neurons", []int{1, 2, 4, 5}, func(k int) float64 { return value(e.keeping(e.onto(some(x), k), e.important(2, k))) }},
				{"directions, then 4 neurons", []int{1, 2, 4, 5}, func(k int) float64 { return value(e.keeping(e.onto(some(x), k), e.important(4, k))) }},
				{"random neurons", []int{1, 2, 4, 5, 6}, func(q int) float64 {
					var values []float64
					for draw := range uint64(3) {
						values = append(values, value(e.keeping(some(x), compress.Random(6, q, 5+draw))))
					}
					return (values[0] + values[1] + values[2]) / 3
				}},
				{"largest mean activation", []int{1, 2, 4, 5, 6}, func(q int) float64 { return value(e.keeping(some(x), largest(q, e.mean.Data))) }},
			} {
				c := j.Curves[i]
				assert.Equal(t, want.name, c.name())
				assert.Equal(t, want.counts, c.Counts)
				for at, count := range c.Counts {
					assert.InDelta(t, want.of(count), c.Values[at], 1e-12, "%s, %s, %d", name, want.name, count)
				}
			}
			random := j.Curves[3]
			for at, draws := range random.Draws {
				require.Len(t, draws, 3)
				assert.Equal(t, []float64{slices.Min(draws), slices.Max(draws)}, []float64{random.Least[at], random.Most[at]})
			}
			assert.Equal(t, j.Whole, random.Values[4], "all neurons are nothing erased")
			if name != byAccuracy { // which may be the same
				assert.Less(t, random.Least[1], random.Most[1])
			}
		}
	}
}

// TestProjectCounts: -k says at how many to look, and neurons may be more than directions.
func TestProjectCounts(t *testing.T) {
	erasable(t)
	saveNet(t, "w", tailNet()...)
	j := projectOf(t, strings.Fields("d.npz x.npy --side x --head w --quiet -k 6,2,3,2")...)
	assert.Equal(t, []int{2, 3}, j.Curves[0].Counts)
	assert.Equal(t, []int{2, 3, 6}, j.Curves[1].Counts)
	j = projectOf(t, strings.Fields("d.npz y.npy --side y --head w --quiet -k 4")...)
	assert.Equal(t, []int{4}, j.Curves[2].Counts)
}

// TestProjectHeadFiles: every file holds the numbers of the JSON.
func TestProjectHeadFiles(t *testing.T) {
	erasable(t)
	saveNet(t, "w", tailNet()...)
	saveIndices(t, "labels.npy", make([]int, 60))
	args := strings.Fields("project d.npz x.npy --side x --head w --labels labels.npy --draws 2 --onto 3 --hashes -o c.json -o c.csv -o c.svg -o c.png -o c.pdf")
	status, table, stderr := call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, table)
	assert.Contains(t, stderr, "svcca: network: fc2 → out, in the order of their names (--order says another); max(0, ·) after each but the last\n")
	assert.Contains(t, stderr, "svcca: wrote c.csv; c.csv.json says what made it\n")
	status, stdout, _ := call(t, append(args, "--json", "--force", "--quiet")...)
	require.Equal(t, exitDone, status)
	var j projectJSON
	require.NoError(t, json.Unmarshal(read(t, "c.json"), &j))
	assert.Equal(t, stdout, string(read(t, "c.json")))
	assert.Equal(t, []string{"w/fc2_w.npy", "w/fc2_b.npy", "w/out_w.npy", "w/out_b.npy"}, j.With["head"].Paths)
	for _, of := range []string{"head", "labels", "directions"} {
		assert.Len(t, j.With[of].SHA256, len(j.With[of].Paths), of)
		assert.NotEmpty(t, j.With[of].Paths)
	}

	lines, err := csv.NewReader(strings.NewReader(string(read(t, "c.csv")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+5)
	assert.Equal(t, []string{"count", "directions", "directions, then 3 neurons", "random neurons", "random neurons (least)", "random neurons (most)", "largest mean activation", "nothing erased"}, lines[0])
	for i, count := range []string{"1", "2", "4", "5", "6"} {
		want := []string{count}
		for _, c := range j.Curves {
			for _, values := range [][]float64{c.Values, c.Least, c.Most} {
				switch {
				case values == nil:
				case i < len(values):
					want = append(want, strconv.FormatFloat(values[i], 'g', -1, 64))
				default:
					want = append(want, "")
				}
			}
		}
		assert.Equal(t, append(want, strconv.FormatFloat(j.Whole, 'g', -1, 64)), lines[i+1])
	}
	texts := textsIn(t, "c.svg")
	for _, text := range []string{"Accuracy", "directions or neurons kept", "directions", "directions, then 3 neurons", "random neurons", "largest mean activation", "nothing erased"} {
		assert.Contains(t, texts, text)
	}
	for _, name := range []string{"c.csv", "c.svg", "c.png", "c.pdf"} {
		note := noteBeside(t, name)
		assert.Equal(t, name, note.File.Name)
		assert.Equal(t, "x", note.Options.(map[string]any)["side"])
	}
	// The table has the same.
	for i, count := range []int{1, 2, 4, 5} {
		assert.Regexp(t, fmt.Sprintf(`(?m)^%d +%.4f +%.4f +%.4f +%.4f$`, count, j.Curves[0].Values[i], j.Curves[1].Values[i], j.Curves[2].Values[i], j.Curves[3].Values[i]), table)
	}
	assert.Regexp(t, fmt.Sprintf(`(?m)^6 +%.4f +%.4f$`, j.Whole, j.Whole), table)
}

// TestProjectMaps: maps are neurons by flatten, and by pixels each position is a datapoint,
// channels first or last.
func TestProjectMaps(t *testing.T) {
	t.Chdir(t.TempDir())
	maps := someMaps(1, 40, 3, 2, 4)
	save(t, "x.npy", maps, 40, 3, 2, 4)
	save(t, "y.npy", someMaps(2, 40, 3, 2, 4), 40, 3, 2, 4)
	channels := lapack.New[float64](40, 24) // these first
	for i := range 40 {
		for p := range 6 {
			for c := range 4 {
				channels.Set(i, c*6+p, maps.At(i, p*4+c))
			}
		}
	}
	save(t, "nchw.npy", channels, 40, 4, 3, 2)
	for _, conv := range []string{"flatten", "pixels"} {
		status, _, stderr := call(t, strings.Fields("compare x.npy y.npy --keep count(3) --directions d.npz --force --conv "+conv)...)
		require.Equal(t, exitDone, status, stderr)
		e := directionsIn(t, "d.npz", "x")
		rows := lapack.Of(960/e.mean.Cols, e.mean.Cols, maps.Data)
		status, _, stderr = call(t, strings.Fields("project d.npz x.npy --side x -k 2 -o p.npy --force --conv "+conv)...)
		require.Equal(t, exitDone, status, stderr)
		assert.Contains(t, stderr, "40 images of 3 × 2, 4 channels (nhwc)")
		assert.InDeltaSlice(t, e.onto(rows, 2).Data, load(t, "p.npy").Data, 1e-12)
		assert.Contains(t, string(read(t, "p.npy.json")), `"conv":"`+conv+`","layout":"nhwc"`)
	}
	want := load(t, "p.npy").Data
	require.Equal(t, exitDone, first(call(t, strings.Fields("project d.npz nchw.npy --side x -k 2 -o p.npy --force --conv pixels --layout nchw")...)))
	assert.Equal(t, want, load(t, "p.npy").Data)

	// Behind flattened maps comes a network of as many inputs.
	require.Equal(t, exitDone, first(call(t, strings.Fields("compare x.npy y.npy --directions d.npz --force --conv flatten")...)))
	save(t, "flat.npy", maps)
	saveNet(t, "w", fully{"out", gaussian(3, 24, 3), nil})
	on := func(args string) []projectCurve {
		return projectOf(t, strings.Fields("d.npz "+args+" --side x --head w --quiet")...).Curves
	}
	assert.Equal(t, on("flat.npy"), on("x.npy --conv flatten"))
}

// TestProjectWeights: weights are the same from a directory or an archive, in × out or
// PyTorch's out × in.
func TestProjectWeights(t *testing.T) {
	erasable(t)
	net := tailNet()
	net[0].b = nil
	saveNet(t, "w", net...)
	var arrays []arrayOf
	var names []string
	var turned []lapack.Matrix[float64]
	for i, l := range net {
		turned = append(turned, lapack.New[float64](l.w.Cols, l.w.Rows))
		turned[i].TransposeFrom(l.w)
		names = append(names, l.name+".weight")
		save(t, filepath.Join(mkdir(t, "torch"), names[i]+".npy"), turned[i])
		arrays = append(arrays, arrayOf{l.name + "_w", array(l.w, l.w.Rows, l.w.Cols)})
	}
	bias := lapack.Of(3, 1, net[1].b)
	save(t, "torch/out.bias.npy", bias, 3)
	saveNPZ(t, "w.npz", zip.Deflate, append(arrays, arrayOf{"out_b", array(bias, 3)})...)
	on := func(where string) []projectCurve {
		return projectOf(t, strings.Fields("d.npz x.npy --side x --quiet --order fc2,out --head "+where)...).Curves
	}
	want := on("w")
	for _, where := range []string{"torch", "w.npz"} {
		assert.Equal(t, want, on(where), where)
	}
	saveTensors(t, "w.safetensors", names, turned...)
	remove(t, "w/out_b.npy")
	assert.Equal(t, on("w"), on("w.safetensors"))
	assert.NotEqual(t, want, on("w"))
	status, _, stderr := call(t, strings.Fields("project d.npz x.npy --side x --head torch --json")...)
	require.Equal(t, exitDone, status)
	assert.Contains(t, stderr, "weights are out × in, as PyTorch has them")
	assert.Contains(t, stderr, "no bias of fc2 was found: none is added")
}

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	return dir
}

// TestProjectHeadMisused: each mistake is named before any work.
func TestProjectHeadMisused(t *testing.T) {
	erasable(t)
	net := tailNet()
	saveNet(t, "w", net...)
	saveNet(t, "narrow", fully{"fc2", gaussian(1, 5, 5), nil}, net[1])
	saveNet(t, "apart", net[0], fully{"out", gaussian(1, 4, 3), nil})
	saveNet(t, "few", net[0], fully{"out", net[1].w, net[0].b})
	saveNet(t, "small", fully{"fc2_down", gaussian(1, 6, 2), nil}, fully{"fc2_up", gaussian(1, 2, 5), nil}, net[1])
	saveNet(t, "both", net...)
	save(t, "both/out.weight.npy", gaussian(1, 3, 5))
	saveNet(t, "mixed", net[0])
	save(t, "mixed/out.weight.npy", gaussian(1, 3, 5))
	saveNet(t, "hole", net[0], fully{"out", holed(net[1].w, map[[2]int]float64{{4, 2}: math.NaN()}), nil})
	save(t, filepath.Join(mkdir(t, "conv"), "c.weight.npy"), gaussian(1, 4, 6), 4, 6, 1, 1)
	mkdir(t, "none")
	saveIndices(t, "labels.npy", make([]int, 60))
	saveIndices(t, "short.npy", make([]int, 59))
	saveIndices(t, "beyond.npy", append(make([]int, 59), 3))
	save(t, "targets.npy", gaussian(1, 60, 2))
	save(t, "infinite.npy", holed(gaussian(1, 60, 3), map[[2]int]float64{{2, 1}: math.Inf(1)}))
	save(t, "hole.npy", holed(gaussian(1, 60, 6), map[[2]int]float64{{9, 1}: math.NaN()}))
	save(t, "maps.npy", gaussian(1, 60, 6), 60, 1, 2, 3)
	saveNet(t, "zero", fully{"out", lapack.New[float64](6, 3), nil})
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"--onto 2", exitMisused, "-o OUT.npy is needed, or --head WEIGHTS"},
		{"-o a.npy -o b.npy", exitMisused, "one -o OUT.npy is needed, 2 given"},
		{"-o a.SVG", exitMisused, "-o a.SVG: a projection is a .npy"},
		{"-o a.json", exitMisused, "of --head"},
		{"-o a.npz", exitMisused, "-o a.npz: a projection is a .npy"},
		{"-o a.npy -k 1,2", exitMisused, "one number of directions is needed, 2 given; --head looks at several"},
		{"-o a.npy --onto 1,2", exitMisused, "one number of neurons is needed, 2 given; --head looks at several"},
		{"-o a.npy --onto 7", exitMisused, "--onto 7: side x of d.npz has 1 to 6 neurons"},
		{"-o a.npy --onto 0", exitMisused, "--onto 0: side x"},
		{"-o a.npy --by random", exitMisused, "--by is of --onto"},
		{"-o a.npy --onto 2 --by chance", exitMisused, "one of importance, random, activation expected"},
		{"-o a.npy --onto 2 --by random -k 2", exitMisused, "-k does not go with --by random"},
		{"-o a.npy --onto 2 --coordinates", exitMisused, "--coordinates does not go with --onto"},
		{"-o a.npy --onto 2 --seed 3", exitMisused, "--seed is of --sample"},
		{"-o a.npy --labels labels.npy", exitMisused, "--labels is for --labelled"},
		{"-o a.npy --order a", exitMisused, "--order does not go with a projection alone"},
		{"-o a.npy --json", exitMisused, "--json does not go with a projection alone"},
		{"-o a.npy --conv dft", exitMisused, "project takes pixels or flatten"},
		{"-o a.npy --conv flatten", exitMisused, "x.npy holds no feature maps"},
		{"-o a.npy --conv flatten --transpose", exitMisused, "--transpose does not go with --conv"},
		{"--head w --conv pixels", exitMisused, "--conv pixels does not go with --head"},
		{"--head w --by random", exitMisused, "--by does not go with --head"},
		{"--head w --coordinates", exitMisused, "--coordinates does not go with --head"},
		{"--head w --draws 0", exitMisused, "--draws 0: 1 or more expected"},
		{"--head w --hashes", exitMisused, "--hashes is for what is written"},
		{"--head w --labels labels.npy --targets targets.npy", exitMisused, "--labels and --targets"},
		{"--head w -k 6", exitMisused, "-k 6: d.npz holds directions 1 to 5"},
		{"--head w -k 1,7", exitMisused, "-k 7: d.npz holds directions 1 to 5, of 6 neurons"},
		{"--head w --order fc2,fc2", exitMisused, "--order names fc2 twice"},
		{"--head w --order fc2,ouut", exitMisused, "--order ouut: w holds no weights of that name: did you mean out?"},
		{"--head w --order fc2,b", exitMisused, "there are fc2, out"},
		{"--head w -o c.npy", exitMisused, "-o c.npy: a name that ends with .json, .csv, .svg, .png or .pdf expected"},
		{"--head w -o labels.npy.csv -o labels.npy.csv", exitMisused, "given twice"},
		{"--head w -o no/c.svg", exitFailed, "there is no directory no"},
		{"--head ww", exitFailed, "ww: no such file"},
		{"--head none", exitFailed, "none holds no weights: NAME_w, in × out, and NAME_b are expected"},
		{"--head x.npy", exitFailed, "x.npy is one array: a directory of weights is expected"},
		{"--head narrow", exitFailed, "narrow/fc2_w.npy takes 5 neurons, and x.npy gives 6: --order says"},
		{"--head apart", exitFailed, "apart/out_w.npy takes 4 neurons, and fc2 gives 5: --order says"},
		{"--head few", exitFailed, "few/out_b.npy holds 5 values, few/out_w.npy gives 3 neurons"},
		{"--head small", exitFailed, "small holds fc2 as svcca compress writes it"},
		{"--head both", exitFailed, "both/out.weight.npy and both/out_w.npy are weights of one layer"},
		{"--head mixed", exitFailed, "one of the two ways to call weights is expected for all layers"},
		{"--head hole", exitFailed, "hole/out_w.npy: [4, 2] (counted from 0) is NaN: weights are finite"},
		{"--head conv", exitFailed, "conv/c.weight.npy has 4 dimensions, 4 × 6 × 1 × 1: --order names the fully connected layers"},
		{"--head w --labels short.npy", exitFailed, "short.npy holds 59 labels, x.npy 60 datapoints"},
		{"--head w --labels beyond.npy", exitFailed, "beyond.npy: the label of datapoint 59 (counted from 0) is 3: the network has outputs 0 to 2"},
		{"--head w --labels y.npy", exitFailed, "y.npy: an array of integers expected"},
		{"--head w --targets targets.npy", exitFailed, "targets.npy is 60 × 2: 60 × 3 are expected"},
		{"--head w --targets infinite.npy", exitFailed, "infinite.npy: datapoint 2, output 1 (counted from 0) is +Inf"},
		{"--head zero", exitFailed, "the network's outputs do not vary over 60 datapoints"},
		{"hole.npy --head w --datapoints 5:", exitFailed, "hole.npy: datapoint 9, neuron 1 (counted from 0) is NaN"},
		{"maps.npy -o a.npy", exitFailed, "maps.npy holds feature maps, 60 × 1 × 2 × 3: choose by --conv, as compare had them"},
		{"--head w --labels labels.npy -o labels.npy.json --force", exitDone, ""},
	} {
		args := strings.Fields(c.args)
		data := "x.npy"
		if strings.HasSuffix(args[0], ".npy") {
			data, args = args[0], args[1:]
		}
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"project", "d.npz", data, "--side", "x"}, args...)...)
		assert.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		assert.Contains(t, stderr, c.says, c.args)
		if c.status != exitDone {
			assert.Empty(t, stdout, c.args)
			assert.Equal(t, before, listing(t, "."), c.args)
		}
	}
	status, _, stderr := call(t, strings.Fields("project d.npz x.npy --side x --head w -o w/fc2_w.npy.csv")...)
	require.Equal(t, exitDone, status, stderr)
}

// TestReferenceProjectDigits: right answers on the test rows, of directions and of neurons
// of the largest mean activation, are those of the reference.
func TestReferenceProjectDigits(t *testing.T) {
	type result struct{ K, Right []int }
	var e struct {
		Right   int `json:"right_unprojected"`
		Rows    int `json:"test_rows"`
		Rules   map[string]result
		Neurons map[string]result
	}
	reference.Expected(t, "project_digits", &e)
	folder := filepath.Join(reference.Folder(t), "digits")
	in := func(name string) string { return filepath.Join(folder, name) }
	directions := filepath.Join(t.TempDir(), "d.npz")
	for _, rule := range []string{"variance(0.99)", "variance(0.9)", "sum(0.99)", "count(20)", "rank"} {
		want, is := e.Rules[rule]
		require.True(t, is)
		status, _, stderr := call(t, "compare", in("a/fc2.npy"), in("b/fc2.npy"), "--datapoints", "@"+in("train.npy"), "--keep", rule, "--directions", directions, "--force", "--quiet")
		require.Equal(t, exitDone, status, stderr)
		counts := map[int]bool{}
		ks := ""
		for _, k := range append(slices.Clone(want.K), e.Neurons["max_activation"].K...) {
			if !counts[k] {
				ks += "," + strconv.Itoa(k)
			}
			counts[k] = true
		}
		j := projectOf(t, directions, in("a/fc2.npy"), "--side", "x", "--datapoints", "@"+in("test.npy"), "--head", in("a/weights"), "--order", "fc3,logits",
			"--labels", in("labels.npy"), "--draws", "1", "-k", ks[1:])
		right := func(share float64) int { return int(math.Round(share * float64(j.Datapoints))) }
		assert.Equal(t, [2]int{e.Rows, e.Right}, [2]int{j.Datapoints, right(j.Whole)})
		for i, k := range want.K {
			v, is := j.Curves[0].at(k)
			require.True(t, is)
			assert.Equal(t, want.Right[i], right(v), "%s, %d directions", rule, k)
		}
		for i, q := range e.Neurons["max_activation"].K {
			v, is := j.Curves[2].at(q)
			require.True(t, is)
			assert.Equal(t, e.Neurons["max_activation"].Right[i], right(v), "%d neurons", q)
		}
	}
}

// TestReferenceProjectToy: the change of the outputs is that of the reference, as far as
// rounding lets the first k directions be told apart: those of compare turn by its error
// bound over the gap to the next ρ.
func TestReferenceProjectToy(t *testing.T) {
	var e struct {
		Rules map[string]struct {
			K             []int
			Gap           []*float64 `json:"rho_k_minus_next"`
			Error, Spread []float64
		}
	}
	reference.Expected(t, "project_toy", &e)
	folder := filepath.Join(reference.Folder(t), "toy")
	in := func(name string) string { return filepath.Join(folder, name) }
	net := filepath.Join(t.TempDir(), "net")
	saveNet(t, net, fully{"out", reference.Values(t, "toy/a/out_w"), reference.Vector(t, "toy/a/out_b")})
	directions := filepath.Join(t.TempDir(), "d.npz")
	for _, rule := range []string{"variance(0.99)", "variance(0.9)", "count(20)"} {
		want, is := e.Rules[rule]
		require.True(t, is)
		c := compareJSON(t, in("a/fc4.npy"), in("b/fc4.npy"), "--keep", rule, "--directions", directions, "--force", "--quiet")
		for i, k := range want.K {
			turned := c.ErrorBound
			if gap := want.Gap[i]; gap != nil {
				turned /= *gap
			}
			j := projectOf(t, directions, in("a/fc4.npy"), "--side", "x", "--head", net, "--draws", "1", "-k", strconv.Itoa(k), "--quiet")
			tolerance := turned + 30*want.Spread[i] + 1e-12
			assert.InDelta(t, want.Error[i], j.Curves[0].Values[0], tolerance, "%s, %d directions", rule, k)
			assert.Less(t, tolerance, 1e-3*want.Error[i], "else it says little")
			t.Logf("%s, %d: off by %.2g of %.2g", rule, k, math.Abs(want.Error[i]-j.Curves[0].Values[0]), tolerance)
		}
	}
}
