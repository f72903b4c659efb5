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
	"strconv"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runSteps and runLayers are those of a training run; layers are in order of depth, which
// is not that of their names.
var (
	runSteps  = []int{0, 5, 10, 100}
	runLayers = []string{"z", "b", "a"}
)

// trained returns layer l at a step: less and less noise, the longer the deeper.
func trained(l, step int) lapack.Matrix[float64] {
	end, noise := gaussian(uint64(40+l), 60, 4+l), gaussian(uint64(1000*l+step+50), 60, 4+l)
	share := math.Exp(-float64(step) / float64(3*(l+1)))
	for i := range end.Data {
		end.Data[i] = (1-share)*end.Data[i] + share*noise.Data[i]
	}
	return end
}

// trains saves a run by the names that path gives, and goes there.
func trains(t *testing.T, path func(step int, layer string) string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, step := range runSteps {
		for l, layer := range runLayers {
			name := path(step, layer)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
			save(t, name, trained(l, step))
		}
	}
}

func byStep(step int, layer string) string { return fmt.Sprintf("run/step%03d/%s.npy", step, layer) }

// dynamicsOf runs the command for JSON.
func dynamicsOf(t *testing.T, args ...string) dynamicsJSON {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"dynamics", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	return decodeDynamics(t, []byte(stdout))
}

// decodeDynamics reads all but the options, which are only written.
func decodeDynamics(t *testing.T, data []byte) (d dynamicsJSON) {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &fields))
	delete(fields, "options")
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &d))
	return d
}

// TestDynamicsIsBetween: every number is that of svcca.Between, with all pairs and without.
func TestDynamicsIsBetween(t *testing.T) {
	trains(t, byStep)
	d := dynamicsOf(t, "run", "--layers", strings.Join(runLayers, ","))
	all := dynamicsOf(t, "run", "--layers", strings.Join(runLayers, ","), "--panes", "panes.svg")
	assert.Equal(t, "svcca.dynamics/1", d.Schema)
	assert.Equal(t, runLayers, d.Layers)
	assert.Equal(t, runSteps, d.Steps)
	assert.True(t, d.Diagonal)
	assert.False(t, all.Diagonal)
	assert.Nil(t, d.Stripes)
	layer := func(l, step int) svcca.Layer {
		m := trained(l, step)
		return svcca.FromSlice("", m.Data, m.Rows, m.Cols)
	}
	for s, step := range runSteps {
		for l := range runLayers {
			for m := range runLayers {
				want, err := svcca.Between(layer(l, step), layer(m, 100), svcca.Options{})
				require.NoError(t, err)
				got := all.Panes[s][l][m]
				assert.InDelta(t, want.Mean, *got.Mean, want.ErrorBound+got.ErrorBound+1e-14)
				if l != m {
					assert.Nil(t, d.Panes[s][l][m])
					continue
				}
				assert.Equal(t, got, d.Panes[s][l][l])
				assert.Equal(t, *got.Mean, *d.Curves[l][s])
			}
		}
	}
	for l, pair := range d.Adjacent {
		want, err := svcca.Between(layer(l, 100), layer(l+1, 100), svcca.Options{})
		require.NoError(t, err)
		assert.InDelta(t, want.Mean, *pair.Mean, want.ErrorBound+pair.ErrorBound+1e-14)
	}
	require.Len(t, d.Adjacent, 2)
	require.Len(t, d.Inputs, len(runSteps)*len(runLayers))
	assert.Equal(t, "run/step000/z.npy", d.Inputs[0].Name)
	assert.Equal(t, []int{60, 4}, d.Inputs[0].Shape)

	// A threshold just above a curve's point puts convergence behind it.
	score := *d.Curves[1][2]
	at := func(threshold float64) int {
		d := dynamicsOf(t, "run", "--layers", "z,b,a", "--threshold", fmt.Sprint(threshold))
		assert.Equal(t, threshold, d.Threshold)
		require.NotNil(t, d.Converged[1].Step)
		return *d.Converged[1].Step
	}
	assert.Equal(t, 10, at(score))
	assert.Equal(t, 100, at(score+1e-6))
}

// TestDynamicsFinds: the same run in other places has the same numbers.
func TestDynamicsFinds(t *testing.T) {
	trains(t, byStep)
	want := dynamicsOf(t, "run").Curves
	same := func(d dynamicsJSON) {
		t.Helper()
		assert.Equal(t, []string{"a", "b", "z"}, d.Layers, "in natural order")
		assert.Equal(t, runSteps, d.Steps)
		assert.Equal(t, want, d.Curves)
	}
	for _, c := range []struct{ path, pattern string }{
		{"run/epoch-%d/%s.npy", ""},
		{"run/seed7-step%d/%s.npy", ""},
		{"run/7 of %d/%s.npy", ""},
		{"run/%d_%s.npy", "{step}_{layer}.npy"},
		{"run/ep1/%d/x-%s.npy", "ep1/{step}/?-{layer}.np*"},
	} {
		t.Run(c.path, func(t *testing.T) {
			trains(t, func(step int, layer string) string { return fmt.Sprintf(c.path, step, layer) })
			args := []string{"run"}
			if c.pattern != "" {
				args = append(args, "--pattern", c.pattern)
			}
			same(dynamicsOf(t, args...))
		})
	}
	t.Run("archives", func(t *testing.T) {
		t.Chdir(t.TempDir())
		require.NoError(t, os.Mkdir("run", 0o700))
		for _, step := range runSteps {
			var members []arrayOf
			for l, layer := range runLayers {
				m := trained(l, step)
				members = append(members, arrayOf{layer, array(m, m.Rows, m.Cols)})
			}
			saveNPZ(t, fmt.Sprintf("run/step%d.npz", step), zip.Deflate, members...)
		}
		same(dynamicsOf(t, "run"))
		for _, step := range runSteps { // of one array each
			m := trained(1, step)
			saveNPZ(t, fmt.Sprintf("run/step%d.npz", step), zip.Store, arrayOf{"b", array(m, m.Rows, m.Cols)})
		}
		d := dynamicsOf(t, "run")
		assert.Equal(t, []string{"b"}, d.Layers)
		assert.Equal(t, want[1:2], d.Curves)
	})
	t.Run("shards", func(t *testing.T) {
		t.Chdir(t.TempDir())
		for _, step := range runSteps {
			for l, layer := range runLayers {
				dir := fmt.Sprintf("run/step%d/%s", step, layer)
				require.NoError(t, os.MkdirAll(dir, 0o700))
				m := trained(l, step)
				save(t, dir+"/part-1.npy", m.View(0, 0, 25, m.Cols))
				save(t, dir+"/part-2.npy", m.View(25, 0, 35, m.Cols))
			}
		}
		same(dynamicsOf(t, "run"))
		same(dynamicsOf(t, "run", "--pattern", "step{step}/{layer}"))
	})
}

func TestDynamicsWords(t *testing.T) {
	trains(t, byStep)
	status, stdout, stderr := call(t, "dynamics", "run", "--layers", "z,b,a")
	require.Equal(t, exitDone, status, stderr)
	assert.Empty(t, stderr)
	checkWidth(t, stdout)
	for _, says := range []string{"SVCCA, the mean of ρ: 3 layers of run at 4 steps (columns), each with", "at step 100, over 60 datapoints", "Kendall's τ", "--keep 'variance(0.99)'"} {
		assert.Contains(t, strings.Join(strings.Fields(stdout), " "), says)
	}
	assert.NotContains(t, stdout, "Stripes")
	// By their names: and that is told.
	_, _, stderr = call(t, "dynamics", "run")
	assert.Contains(t, stderr, "--layers says which are nearer to the input")
	_, _, stderr = call(t, "dynamics", "run", "--quiet")
	assert.Empty(t, stderr)
	d := dynamicsJSON{Layers: []string{"z", "b"}, Converged: []dynamics.Convergence{{Layer: "z"}, {Layer: "b"}}, Threshold: 0.9, Score: "mean"}
	d.Overtakes = []*float64{nil, new(float64)}
	d.Adjacent = dynamicsOf(t, "run", "--layers", "z,b").Adjacent
	assert.Equal(t, []string{"z", "never", "", ""}, d.summary(d.Layers, 80)[1])
	assert.Contains(t, strings.Join(d.words(), "\n"), "or none does")
	d.BottomUp = new(float64)
	for value, word := range map[float64]string{1: "after all below it", -1: "before all below it"} {
		*d.BottomUp = value
		assert.Contains(t, strings.Join(d.words(), "\n"), word)
	}
	// Of 5 layers in random order τ deviates by √(2(2n + 5)/(9n(n − 1))) = 0.41: no more than
	// that says nothing.
	five := dynamicsJSON{BottomUp: new(float64), Overtakes: []*float64{nil, nil, nil, nil, new(float64)}, Layers: make([]string, 5)}
	for step := range 5 {
		five.Converged = append(five.Converged, dynamics.Convergence{Step: &step})
	}
	for value, word := range map[float64]string{0.6: "Bottom-up, Kendall's τ of depth and step is 0.6000: lower layers tend", 0.4: "Neither", 0: "step is 0.0000, by chance 0 ± 0.4082", -0.4: "is −0.4000, by chance", -0.6: "Top-down"} {
		*five.BottomUp = value
		assert.Contains(t, five.words()[0], word)
	}
	*d.Overtakes[1] = 0.75
	assert.Contains(t, strings.Join(d.words(), "\n"), "The top is an exception: it overtakes 75.00%")
	// One layer has no order, and no layer before.
	status, stdout, stderr = call(t, "dynamics", "run", "--layers", "z")
	require.Equal(t, exitDone, status, stderr)
	assert.NotContains(t, stdout, "bottom-up")
}

// TestDynamicsUndefined: where chance is 1 at a step the adjusted score is undefined: none
// in the table, nothing in the .csv, null in JSON, and no reason to fail.
func TestDynamicsUndefined(t *testing.T) {
	t.Chdir(t.TempDir())
	for step, neurons := range []int{20, 3, 3} { // 12 datapoints have 11 dimensions
		for l, layer := range []string{"a", "b", "c", "d"} {
			require.NoError(t, os.MkdirAll(fmt.Sprintf("run/%d", step), 0o700))
			save(t, fmt.Sprintf("run/%d/%s.npy", step, layer), gaussian(uint64(20+step*4+l), 12, neurons))
		}
	}
	args := []string{"dynamics", "run", "--score", "adjusted", "--keep", "rank"}
	status, stdout, stderr := call(t, append(args, "--json", "-o", "d.csv", "-o", "d.svg", "--panes", "p.svg")...)
	require.Equal(t, exitDone, status, stderr)
	d := decodeDynamics(t, []byte(stdout))
	for l := range d.Layers {
		require.Equal(t, 1.0, d.Panes[0][l][l].Chance)
		assert.Nil(t, d.Curves[l][0])
		assert.Equal(t, d.Panes[1][l][l].Adjusted, d.Curves[l][1])
		assert.Equal(t, 2, *d.Converged[l].Step)
	}
	for _, series := range d.figure(false).Series {
		assert.Equal(t, []bool{true, false, false}, series.Undefined, "a gap in the curve")
	}
	assert.NotNil(t, d.Stripes, "of the last pane, in which all are defined")
	assert.Regexp(t, `"curves":\[\[null,-`, stdout)
	text, err := os.ReadFile("d.csv")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^a,,-?[0-9.e-]+,1$`, string(text))
	panes, err := os.ReadFile("p.svg")
	require.NoError(t, err)
	assert.Contains(t, string(panes), "undefined")
	status, stdout, stderr = call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Regexp(t, `(?m)^a +none!`, stdout)
	page, _, _, _ := reportOf(t, "run", "--score", "adjusted", "--keep", "rank")
	table := page.section("panes").all("table")[0].grid()
	assert.Equal(t, []string{"0", "none", "none", "none"}, table[1])
	assert.NotContains(t, table[2], "none")
	// Nor at the last step.
	for l, layer := range []string{"a", "b", "c", "d"} {
		save(t, fmt.Sprintf("run/2/%s.npy", layer), gaussian(uint64(50+l), 12, 20))
	}
	status, stdout, stderr = call(t, append(args, "--json", "--panes", "p.svg", "--force")...)
	require.Equal(t, exitDone, status, stderr)
	d = decodeDynamics(t, []byte(stdout))
	assert.Nil(t, d.Stripes)
	assert.Nil(t, d.Converged[0].Step)
	status, stdout, stderr = call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Regexp(t, `(?m)^b +never +50.00% +none$`, stdout)
}

func TestDynamicsManySteps(t *testing.T) {
	for n := range 6 {
		for most := range 6 {
			chosen := evenly(n, most)
			assert.LessOrEqual(t, len(chosen), max(most, 2))
			if n > 0 {
				assert.Equal(t, n-1, chosen[len(chosen)-1])
			}
			if n > 1 {
				assert.Equal(t, 0, chosen[0])
			}
		}
	}
	t.Chdir(t.TempDir())
	for step := range 30 {
		require.NoError(t, os.MkdirAll(fmt.Sprintf("run/%d", step), 0o700))
		save(t, fmt.Sprintf("run/%d/fc.npy", step), trained(1, step))
	}
	status, stdout, stderr := call(t, "dynamics", "run")
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, stdout)
	assert.Contains(t, stdout, "of 30 steps: -o FILE.csv writes all.")
	assert.Regexp(t, `(?m)^ +0 +.* 29$`, stdout)
}

func TestDynamicsFiles(t *testing.T) {
	trains(t, byStep)
	names := []string{"d.json", "d.csv", "d.svg", "d.png", "d.pdf"}
	args := []string{"dynamics", "run", "--layers", "z,b,a", "--json", "--panes", "panes.svg"}
	for _, name := range names {
		args = append(args, "-o", name)
	}
	status, stdout, stderr := call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, []string{"d.csv", "d.csv.json", "d.json", "d.pdf", "d.pdf.json", "d.png", "d.png.json", "d.svg", "d.svg.json", "panes.svg", "panes.svg.json", "run"}, listing(t, "."))
	written, err := os.ReadFile("d.json")
	require.NoError(t, err)
	assert.Equal(t, stdout, string(written))
	d := decodeDynamics(t, written)

	text, err := os.ReadFile("d.csv")
	require.NoError(t, err)
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"layer", "0", "5", "10", "100"}, lines[0])
	for l, line := range lines[1:] {
		assert.Equal(t, d.Layers[l], line[0])
		for s, field := range line[1:] {
			v, err := strconv.ParseFloat(field, 64)
			require.NoError(t, err)
			assert.Equal(t, *d.Curves[l][s], v)
		}
	}
	for name, begins := range map[string]string{"d.svg": "<", "d.png": "\x89PNG", "d.pdf": "%PDF", "panes.svg": "<"} {
		drawn, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.True(t, bytes.HasPrefix(drawn, []byte(begins)), name)
		var note provenance
		text, err := os.ReadFile(noteOf(name))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &note))
		assert.Equal(t, int64(len(drawn)), note.File.Bytes)
		assert.Equal(t, []string{"z", "b", "a"}, note.Rows)
		assert.Equal(t, []string{"0", "5", "10", "100"}, note.Columns)
		assert.Len(t, note.Inputs, 12)
	}
	panes, err := os.ReadFile("panes.svg")
	require.NoError(t, err)
	for _, says := range []string{"step 0", "step 100"} {
		assert.Contains(t, string(panes), says)
	}
	assert.NotContains(t, string(panes), "≥ 1", "rounding is none of a score")

	status, _, stderr = call(t, args...)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--force")
	before := listing(t, ".")
	status, _, stderr = call(t, append(args, "--force", "--log", "--quiet")...)
	assert.Equal(t, exitDone, status, stderr)
	assert.Equal(t, before, listing(t, "."))
}

func TestDynamicsStatus(t *testing.T) {
	trains(t, byStep)
	require.NoError(t, os.MkdirAll("none", 0o700))
	for _, dir := range []string{"holes/step1", "holes/step2", "twice/step1", "twice/step01", "two/a1", "two/b2", "both/e1-s1", "both/e2-s2", "nan/step1", "nan/step2", "rows/1", "rows/2", "maps/1", "huge/99999999999999999999"} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		save(t, dir+"/fc1.npy", trained(0, 3))
	}
	save(t, "holes/step1/fc2.npy", trained(1, 3))
	holed := trained(1, 3)
	holed.Set(7, 3, math.NaN())
	save(t, "nan/step1/fc1.npy", holed)
	save(t, "rows/1/fc1.npy", gaussian(3, 59, 6))
	save(t, "maps/1/fc1.npy", gaussian(3, 60, 12), 60, 2, 2, 3)
	require.NoError(t, os.MkdirAll("dead/1", 0o700))
	save(t, "dead/1/fc1.npy", trained(0, 3))
	save(t, "dead/1/fc2.npy", lapack.New[float64](60, 3))
	save(t, "dead/1/logits.npy", trained(1, 3))
	save(t, "flat.npy", trained(0, 3))
	require.NoError(t, os.MkdirAll("flat", 0o700))
	save(t, "flat/1_a.npy", trained(0, 3))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"no directory", nil, exitMisused, []string{"one directory is needed, 0 given"}},
		{"missing", []string{"runs"}, exitFailed, []string{"runs"}},
		{"empty", []string{"none"}, exitFailed, []string{"none: no .npy"}},
		{"missing layer", []string{"holes"}, exitFailed, []string{"step 2 has no layer fc2", "--layers"}},
		{"a step twice", []string{"twice"}, exitFailed, []string{"step 1 has layer fc1 twice", "twice/step1/fc1.npy", "twice/step01/fc1.npy"}},
		{"two names", []string{"two"}, exitFailed, []string{"a1 and b2", "--pattern"}},
		{"two numbers", []string{"both"}, exitFailed, []string{"more than one number", "--pattern"}},
		{"flat", []string{"flat"}, exitFailed, []string{"--pattern '{step}_{layer}.npy'"}},
		{"huge", []string{"huge"}, exitFailed, []string{"step 99999999999999999999"}},
		{"NaN", []string{"nan"}, exitFailed, []string{"nan/step1/fc1.npy: datapoint 7, neuron 3"}},
		{"constant", []string{"dead"}, exitFailed, []string{`"dead/1/fc2.npy": 3 of 3 neurons are constant`, "--layers A,B,… to go without it"}},
		{"rows", []string{"rows"}, exitFailed, []string{"rows/1/fc1.npy has 59 datapoints", "60"}},
		{"maps", []string{"maps"}, exitFailed, []string{"svcca dynamics maps --conv dft", "pixels"}},
		{"no maps", []string{"run", "--conv", "dft"}, exitMisused, []string{"leave out --conv dft"}},
		{"layer", []string{"run", "--layers", "z,y"}, exitMisused, []string{"--layers y", "a, b, z"}},
		{"layer twice", []string{"run", "--layers", "z,z"}, exitMisused, []string{"names z twice"}},
		{"pattern without layers", []string{"flat", "--pattern", "{step}.npy"}, exitMisused, []string{"{layer}"}},
		{"pattern of nothing", []string{"flat", "--pattern", "{step}-{layer}.npy"}, exitFailed, []string{"matches none", "1_a.npy"}},
		{"threshold", []string{"run", "--threshold", "0"}, exitMisused, []string{"--threshold 0"}},
		{"no number", []string{"run", "--threshold", "NaN"}, exitMisused, []string{"--threshold NaN"}},
		{"suffix", []string{"run", "-o", "d.npy"}, exitMisused, []string{"-o d.npy", ".svg"}},
		{"panes", []string{"run", "--panes", "d.json"}, exitMisused, []string{"--panes d.json", ".svg"}},
		{"output twice", []string{"run", "-o", "d.svg", "--panes", "d.svg"}, exitMisused, []string{"twice"}},
		{"note", []string{"run", "-o", "d.svg", "-o", "d.svg.json"}, exitMisused, []string{"what made d.svg"}},
		{"input", []string{"run", "-o", "run/step000/z.npy"}, exitMisused, []string{"ends with"}},
		{"log", []string{"run", "--log"}, exitMisused, []string{"-o curves.svg"}},
		{"hashes", []string{"run", "--hashes"}, exitMisused, []string{"--json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := listing(t, ".")
			status, stdout, stderr := call(t, append([]string{"dynamics"}, c.args...)...)
			assert.Equal(t, c.status, status, stderr)
			for _, s := range c.says {
				assert.Contains(t, stderr, s)
			}
			assert.Empty(t, stdout)
			assert.Equal(t, before, listing(t, "."))
		})
	}
}

// TestDynamicsConv: maps are compared as compare does.
func TestDynamicsConv(t *testing.T) {
	t.Chdir(t.TempDir())
	maps := func(step int) lapack.Matrix[float64] { return someMaps(uint64(step), 20, 2, 2, 2) }
	for _, step := range []int{1, 2} {
		require.NoError(t, os.MkdirAll(fmt.Sprintf("run/%d", step), 0o700))
		save(t, fmt.Sprintf("run/%d/c.npy", step), maps(step), 20, 2, 2, 2)
	}
	for _, way := range ways {
		d := dynamicsOf(t, "run", "--conv", way)
		_, stdout, stderr := call(t, "compare", "run/1/c.npy", "run/2/c.npy", "--conv", way, "--json")
		var want struct {
			Mean  float64
			Bound float64 `json:"error_bound"`
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &want), stderr)
		assert.InDelta(t, want.Mean, *d.Curves[0][0], want.Bound+d.Panes[0][0][0].ErrorBound+1e-14, way)
		status, stdout, stderr := call(t, "dynamics", "run", "--conv", way)
		require.Equal(t, exitDone, status, stderr)
		assert.Contains(t, stdout, "--conv "+way)
		assert.Contains(t, stderr, "20 images of 2 × 2, 2 channels")
		checkWidth(t, stdout)
	}
}

// TestDynamicsOfReferenceSet: as the reference has computed.
func TestDynamicsOfReferenceSet(t *testing.T) {
	var want struct {
		Steps          []int
		Layers         []string
		Mean, Weighted map[string][]float64
	}
	reference.Expected(t, "dynamics", &want)
	dir := filepath.Join(reference.Folder(t), "dynamics")
	for score, curves := range map[string]map[string][]float64{"mean": want.Mean, "weighted": want.Weighted} {
		d := dynamicsOf(t, dir, "--layers", strings.Join(want.Layers, ","), "--score", score)
		assert.Equal(t, want.Steps, d.Steps)
		for l, name := range want.Layers {
			for s, step := range want.Steps {
				pair := d.Panes[s][l][l]
				assert.InDelta(t, curves[name][s], *d.Curves[l][s], max(pair.ErrorBound, pair.WeightedErrorBound)+1e-14, "%s at %d", name, step)
			}
		}
		if score == "weighted" {
			require.NotNil(t, d.BottomUp)
			assert.InDelta(t, 10/math.Sqrt(210), *d.BottomUp, 1e-15, "counted by hand in package dynamics")
		}
	}
}

// TestDynamicsDraws: a figure of more curves than can be told apart is refused before any
// work, that of panes is not.
func TestDynamicsDraws(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("run/1", 0o700))
	for l := range mostSpectra + 1 {
		save(t, fmt.Sprintf("run/1/l%d.npy", l), trained(l%3, 3))
	}
	before := listing(t, ".")
	status, _, stderr := call(t, "dynamics", "run", "-o", "d.svg")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "-o d.svg: curves of 29 layers: 28 can be told apart")
	assert.Equal(t, before, listing(t, "."))
	status, _, stderr = call(t, "dynamics", "run", "--panes", "p.svg")
	assert.Equal(t, exitDone, status, stderr)
}

// TestDynamicsWeights: datapoints of weight 2 count as two of them, in both commands.
func TestDynamicsWeights(t *testing.T) {
	trains(t, byStep)
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = float64(1 + i%2)
	}
	save(t, "w.npy", weights)
	weighted := dynamicsOf(t, "run", "--weights", "w.npy")
	var rows []int
	for i := range 60 {
		for range 1 + i%2 {
			rows = append(rows, i)
		}
	}
	for s, step := range runSteps {
		var files [2]string
		for f, at := range []int{step, 100} {
			m, twice := trained(0, at), lapack.New[float64](len(rows), 4)
			for i, row := range rows {
				copy(twice.Row(i), m.Row(row))
			}
			files[f] = save(t, fmt.Sprintf("twice%d.npy", f), twice)
		}
		_, stdout, stderr := call(t, "compare", files[0], files[1], "--json")
		var want struct{ Mean float64 }
		require.NoError(t, json.Unmarshal([]byte(stdout), &want), stderr)
		assert.InDelta(t, want.Mean, *weighted.Curves[2][s], 1e-9, "z is the last by name")
	}
	assert.Equal(t, []string{"w.npy"}, weighted.With["weights"].Paths)
	plain := freezeOf(t, "run", "--ago", "5", "--threshold", "0.6")
	with := freezeOf(t, "run", "--ago", "5", "--threshold", "0.6", "--weights", "w.npy")
	assert.NotEqual(t, plain.Measured[0].Score, with.Measured[0].Score)
}

// TestDeadLayers: of a layer that holds nothing classes and freeze say as dynamics does what to do.
func TestDeadLayers(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, step := range []string{"1", "2"} {
		require.NoError(t, os.MkdirAll("dead/"+step, 0o700))
		save(t, "dead/"+step+"/fc1.npy", lapack.New[float64](60, 3))
		save(t, "dead/"+step+"/logits.npy", trained(0, 3))
	}
	for _, args := range []string{"classes dead/1", "freeze dead --ago 1 --threshold 0.5"} {
		status, _, stderr := call(t, strings.Fields(args)...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "nothing varies above rounding noise: --layers A,B,… to go without it", args)
	}
}
