package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saveRun writes a run of three steps of two layers, as change makes them of layers of 60
// datapoints × 8 and × 6 values.
func saveRun(t *testing.T, dir string, change func(step int, layer string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int)) {
	t.Helper()
	for _, step := range []int{1, 4, 20} {
		for l, layer := range []string{"a", "b"} {
			end, noise := gaussian(uint64(70+l), 60, 8-2*l), gaussian(uint64(700+10*step+l), 60, 8-2*l)
			for i := range end.Data {
				end.Data[i] += 4 / float64(step*(l+1)) * noise.Data[i]
			}
			m, shape := change(step, layer, end)
			path := fmt.Sprintf("%s/step%d/%s.npy", dir, step, layer)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			if len(shape) == 3 {
				saveShape(t, path, m.Data, shape...)
			} else {
				save(t, path, m, shape...)
			}
		}
	}
}

// plainly saves layers as they are.
func plainly(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
	return m, nil
}

// checkRunSelected checks that dynamics and freeze with flags find of run, bit for bit, what
// they find of want, from which the test has selected itself.
func checkRunSelected(t *testing.T, flags string, more ...string) (selection map[string]any, stderr string) {
	t.Helper()
	for _, command := range []string{"freeze", "dynamics"} {
		args := []string{}
		if command == "freeze" {
			args = []string{"--ago", "3", "--threshold", "0.01"}
		}
		want, _ := jsonOf(t, append(append([]string{command, "want"}, args...), more...)...)
		got, told := jsonOf(t, append(append([]string{command, "run"}, args...), strings.Fields(flags)...)...)
		require.NotContains(t, want, "selection")
		require.Contains(t, got, "selection")
		selection, stderr = got["selection"].(map[string]any), told
		require.Equal(t, numbersIn(want), numbersIn(got), "%s %s", command, flags)
	}
	return selection, stderr
}

// stepsOfSelection are the flags, and how many each kept of how many.
func stepsOfSelection(selection map[string]any) (all []string) {
	for _, s := range selection["steps"].([]any) {
		step := s.(map[string]any)
		all = append(all, fmt.Sprint(step["flag"], " ", step["kept"], " of ", step["of"], " ", step["unit"]))
	}
	return all
}

// TestDynamicsSelects: flags select alike from all checkpoints.
func TestDynamicsSelects(t *testing.T) {
	t.Chdir(t.TempDir())
	saveRun(t, "run", plainly)
	kept := saveMask(t, "mask.npy", func(i int) bool { return i%4 != 1 }, 60)
	backwards := interval(0, 40)
	slices.Reverse(backwards)
	saveIndices(t, "rows.npy", backwards)
	drawn := sample(60, 30, 7)
	var masked []int
	for _, row := range drawn {
		if row%4 != 1 {
			masked = append(masked, row)
		}
	}
	for flags, of := range map[string]struct {
		rows, columns []int
		steps         []string
	}{
		"--datapoints 0:25,30:55":              {append(interval(0, 25), interval(30, 55)...), nil, []string{"datapoints 50 of [60] datapoint"}},
		"--datapoints @rows.npy":               {backwards, nil, []string{"datapoints 40 of [60] datapoint"}},
		"--sample 30 --seed 7":                 {drawn, nil, []string{"sample 30 of [60] datapoint"}},
		"--mask mask.npy":                      {kept, nil, []string{"mask 45 of [60] datapoint"}},
		"--neurons 1:5":                        {interval(0, 60), interval(1, 5), []string{"neurons 4 of [8 6] neuron"}},
		"--sample 30 --seed 7 --mask mask.npy": {masked, nil, []string{"sample 30 of [60] datapoint", fmt.Sprintf("mask %d of [30] datapoint", len(masked))}},
	} {
		saveRun(t, "want", func(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
			return rowsOf(m, of.rows, of.columns), nil
		})
		selection, stderr := checkRunSelected(t, flags)
		assert.Equal(t, of.steps, stepsOfSelection(selection), flags)
		assert.Equal(t, strings.Contains(flags, "mask"), strings.Contains(stderr, "--mask mask.npy"), "told once, if it is of a file")
		assert.LessOrEqual(t, strings.Count(stderr, "--mask mask.npy"), 1)
	}
	// Weights are of the rows of the files.
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = float64(1 + i%3)
	}
	save(t, "w.npy", weights)
	save(t, "want_w.npy", rowsOf(weights, drawn, nil))
	saveRun(t, "want", func(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		return rowsOf(m, drawn, nil), nil
	})
	checkRunSelected(t, "--sample 30 --seed 7 --weights w.npy", "--weights", "want_w.npy")
}

// TestDynamicsDropsNonFinite: a datapoint that is not finite in any layer at any step is in
// none.
func TestDynamicsDropsNonFinite(t *testing.T) {
	t.Chdir(t.TempDir())
	bad := map[string]int{"1a": 7, "1b": 50, "4b": 3, "20a": 59}
	saveRun(t, "run", func(step int, layer string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		if row, is := bad[fmt.Sprint(step)+layer]; is {
			m.Set(row, 2, math.Inf(1-2*(row%2)))
		}
		return m, nil
	})
	rows := slices.DeleteFunc(interval(0, 60), func(i int) bool { return i == 7 || i == 50 || i == 3 || i == 59 })
	saveRun(t, "want", func(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		return rowsOf(m, rows, nil), nil
	})
	selection, stderr := checkRunSelected(t, "--nonfinite drop")
	assert.Equal(t, []string{"nonfinite 56 of [60] datapoint"}, stepsOfSelection(selection))
	assert.Equal(t, 1, strings.Count(stderr, "--nonfinite drop: left out 4 datapoints of 60"), stderr)
	status, stdout, _ := call(t, "dynamics", "run", "--nonfinite", "drop")
	require.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "left out 4 datapoints of 60")
	assert.Contains(t, stdout, "over 56 datapoints")
	status, _, stderr = call(t, "dynamics", "run", "--nonfinite", "drop", "--datapoints", "7")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--nonfinite drop leaves none of 1 datapoint")
}

// TestDynamicsSelectsTokens: a token is a datapoint, or their mean or the last of an example
// is one.
func TestDynamicsSelectsTokens(t *testing.T) {
	t.Chdir(t.TempDir())
	const examples, tokens = 12, 5
	saveRun(t, "run", func(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		return m, []int{examples, tokens, m.Cols}
	})
	kept := saveMask(t, "tokens.npy", func(i int) bool { return i%tokens < 2+i/tokens%3 }, examples, tokens)
	for flags, change := range map[string]func(m lapack.Matrix[float64]) lapack.Matrix[float64]{
		"--mask tokens.npy": func(m lapack.Matrix[float64]) lapack.Matrix[float64] { return rowsOf(m, kept, nil) },
		"--tokens last --neurons 0:5": func(m lapack.Matrix[float64]) lapack.Matrix[float64] {
			var last []int
			for i := range examples {
				last = append(last, i*tokens+tokens-1)
			}
			return rowsOf(m, last, interval(0, 5))
		},
		"--datapoints 2:12": func(m lapack.Matrix[float64]) lapack.Matrix[float64] {
			return rowsOf(m, interval(2*tokens, 12*tokens), nil)
		},
	} {
		saveRun(t, "want", func(_ int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) { return change(m), nil })
		_, stderr := checkRunSelected(t, flags)
		assert.Equal(t, 1, strings.Count(stderr, `"run/step1/a.npy"`)+strings.Count(stderr, `"run/step20/a.npy"`), "how files are read is told of one step: %s", stderr)
	}
}

// TestDynamicsSelectsMaps: images, channels and positions of maps, by the ways that have them.
func TestDynamicsSelectsMaps(t *testing.T) {
	t.Chdir(t.TempDir())
	maps := func(images, channels, positions []int, shaped bool) func(int, string, lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		return func(step int, layer string, _ lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
			m := someMaps(uint64(step)+uint64(layer[0]), 30, 2, 3, 4)
			if !shaped { // positions as rows
				rows := lapack.Of(30*6, 4, m.Data)
				var some []int
				for _, i := range images {
					for _, p := range positions {
						some = append(some, i*6+p)
					}
				}
				return rowsOf(rows, some, channels), nil
			}
			var columns []int
			for p := range 6 {
				for _, c := range channels {
					columns = append(columns, p*4+c)
				}
			}
			return rowsOf(m, images, columns), []int{len(images), 2, 3, len(channels)}
		}
	}
	all := func(n int) []int { return interval(0, n) }
	saveRun(t, "run", maps(all(30), all(4), all(6), true))
	saveMask(t, "positions.npy", func(i int) bool { return i%6 != 2 }, 30, 2, 3)
	for _, c := range []struct {
		flags string
		want  func(int, string, lapack.Matrix[float64]) (lapack.Matrix[float64], []int)
		more  []string
	}{
		{"--conv dft --neurons 1:4 --sample 20", maps(sample(30, 20, 0), []int{1, 2, 3}, nil, true), []string{"--conv", "dft"}},
		{"--conv flatten --datapoints 5:30", maps(interval(5, 30), all(4), nil, true), []string{"--conv", "flatten"}},
		{"--conv pixels --datapoints 5:30 --neurons 1:4", maps(interval(5, 30), []int{1, 2, 3}, nil, true), []string{"--conv", "pixels"}},
		{"--conv pixels --mask positions.npy", maps(all(30), all(4), []int{0, 1, 3, 4, 5}, false), nil},
	} {
		saveRun(t, "want", c.want)
		checkRunSelected(t, c.flags, c.more...)
	}
}

// TestDynamicsSelectionFiles: what selects is in the notes of what is written, and is not
// written over.
func TestDynamicsSelectionFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	saveRun(t, "run", plainly)
	saveMask(t, "mask.npy", func(i int) bool { return i%4 != 1 }, 60)
	status, _, stderr := call(t, "dynamics", "run", "--mask", "mask.npy", "-o", "d.csv", "--hashes")
	require.Equal(t, exitDone, status, stderr)
	var note provenance
	text, err := os.ReadFile("d.csv.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &note))
	assert.Equal(t, "mask", note.Selection.Steps[0].Flag)
	assert.Len(t, note.With["mask"].SHA256, 1)
	require.NoError(t, os.Rename("mask.npy", "mask.json"))
	status, _, stderr = call(t, "dynamics", "run", "--mask", "mask.json", "-o", "mask.json", "--force")
	assert.NotEqual(t, exitDone, status)
	assert.Contains(t, stderr, "mask.json")
}

// TestDynamicsSelectionMisused: flags that do not go together, and files that do not fit.
func TestDynamicsSelectionMisused(t *testing.T) {
	t.Chdir(t.TempDir())
	saveRun(t, "run", plainly)
	saveRun(t, "long", func(step int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		if step == 4 {
			return m, []int{30, 2, m.Cols}
		}
		return m, []int{15, 4, m.Cols}
	})
	saveRun(t, "other", func(step int, _ string, m lapack.Matrix[float64]) (lapack.Matrix[float64], []int) {
		if step == 4 {
			return m, []int{15, 4, m.Cols}
		}
		return rowsOf(m, interval(0, 45), nil), []int{15, 3, m.Cols}
	})
	saveMask(t, "mask.npy", func(i int) bool { return true }, 59)
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"dynamics", "run", "--ids", "a.txt"}, exitMisused, "--ids does not go with dynamics: all checkpoints hold the same datapoints"},
		{[]string{"freeze", "run", "--ago", "1", "--threshold", "0.9", "--ids", "a.txt"}, exitMisused, "--ids does not go with freeze"},
		{[]string{"freeze", "--steps", "10", "--layers", "3", "--sample", "5"}, exitMisused, "--sample does not go with a linear schedule"},
		{[]string{"dynamics", "run", "--seed", "3"}, exitMisused, "--seed is of --sample"},
		{[]string{"dynamics", "run", "--sample", "61"}, exitFailed, "there are only 60 datapoints to draw from"},
		{[]string{"dynamics", "run", "--tokens", "mean"}, exitMisused, "--tokens is for files of three dimensions"},
		{[]string{"dynamics", "run", "--mask", "mask.npy"}, exitFailed, "mask of 59 datapoints"},
		{[]string{"dynamics", "run", "--neurons", "7"}, exitFailed, "step20/b.npy"},
		{[]string{"dynamics", "run", "--threads", "-1"}, exitMisused, "--threads -1: 1 or more expected"},
		{[]string{"dynamics", "long"}, exitFailed, "long/step4/a.npy has 30 examples"},
		{[]string{"dynamics", "other"}, exitFailed, "other/step4/a.npy has 60 tokens, other/step20/a.npy 45: the same are needed in all checkpoints"},
	} {
		status, stdout, stderr := call(t, c.args...)
		assert.Equal(t, c.status, status, c.args)
		assert.Contains(t, stderr, c.says, c.args)
		assert.Empty(t, stdout)
	}
	status, one, stderr := call(t, "dynamics", "run", "--json", "--threads", "1")
	require.Equal(t, exitDone, status, stderr)
	_, all, _ := call(t, "dynamics", "run", "--json")
	assert.Equal(t, decodeDynamics(t, []byte(all)).Panes, decodeDynamics(t, []byte(one)).Panes)
}
