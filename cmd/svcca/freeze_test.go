package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// freezeOf runs the command for JSON.
func freezeOf(t *testing.T, args ...string) freezeJSON {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"freeze", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(stdout), &fields))
	delete(fields, "options") // which are only written
	text, err := json.Marshal(fields)
	require.NoError(t, err)
	var j freezeJSON
	require.NoError(t, json.Unmarshal(text, &j))
	return j
}

// frozen are the layers of a schedule and after which steps they are frozen, -1 for never.
func frozen(s *freeze.Schedule) (names []string, after []int) {
	for _, l := range s.Layers {
		names = append(names, l.Name)
		if l.FrozenAfter == nil {
			after = append(after, -1)
		} else {
			after = append(after, *l.FrozenAfter)
		}
	}
	return names, after
}

// TestFreezeLinear: of L layers that cost alike, layer i learns for i/L of the steps, and
// its input's gradient is asked for as long as the layer below learns. By hand.
func TestFreezeLinear(t *testing.T) {
	j := freezeOf(t, "--layers", "4", "--steps", "1000")
	assert.Equal(t, "svcca.freeze/1", j.Schema)
	assert.Equal(t, "linear", j.Rule)
	names, after := frozen(j.Schedule)
	assert.Equal(t, []string{"1", "2", "3", "4"}, names)
	assert.Equal(t, []int{250, 500, 750, 1000}, after)
	assert.Equal(t, freeze.Totals{Forward: 4000, Backward: 7000, Update: 4000}, j.Work.Full)
	assert.Equal(t, freeze.Totals{Forward: 4000, Backward: 2500 + 1500, Update: 2500}, j.Work.Frozen)
	assert.Equal(t, freeze.Saved{Backward: 3. / 7, Update: 0.375, Total: 0.3}, j.Work.Saved)
	names, after = frozen(freezeOf(t, "--layers", "a,b", "--steps", "3").Schedule)
	assert.Equal(t, []string{"a", "b"}, names)
	assert.Equal(t, []int{2, 3}, after, "rounded up")

	status, stdout, stderr := call(t, "freeze", "--layers", "4", "--steps", "1000")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "4 layers, 1000 steps")
	assert.Regexp(t, `(?m)^2 +500$`, stdout)
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "By equal costs that saves 42.86% of the backward work, 37.50% of the updates; with forward passes 30.00% of all.")
	checkWidth(t, stdout)
}

func TestFreezeCosts(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("costs.json", []byte(`[
		{"name": "stem", "forward": 1, "weights": 2, "inputs": 3, "update": 4},
		{"name": "r1", "block": "r", "forward": 1, "weights": 1},
		{"name": "r2", "block": "r", "forward": 1, "weights": 1, "inputs": 5, "update": 1}]`), 0o600))
	status, stdout, stderr := call(t, "freeze", "--costs", "costs.json", "--steps", "10", "-o", "s.json", "--json", "--hashes")
	require.Equal(t, exitDone, status, stderr)
	written, err := os.ReadFile("s.json")
	require.NoError(t, err)
	assert.Equal(t, stdout, string(written))
	j := freezeOf(t, "--costs", "costs.json", "--steps", "10")
	names, after := frozen(j.Schedule)
	assert.Equal(t, []string{"stem", "r1", "r2"}, names)
	assert.Equal(t, []int{5, 10, 10}, after, "a block is frozen as one")
	// stem learns 5 steps of 10; r1 and r2 all 10, and r1 learns as long as r2.
	assert.Equal(t, freeze.Totals{Forward: 30, Backward: 20 + 10 + 10 + 50, Update: 50}, j.Work.Full)
	assert.Equal(t, freeze.Totals{Forward: 30, Backward: 10 + 10 + 10 + 50, Update: 30}, j.Work.Frozen)
	assert.Equal(t, []string{"costs.json"}, j.With["costs"].Paths)
	status, _, stderr = call(t, "freeze", "--costs", "costs.json", "--steps", "10", "-o", "s.json")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--force")
}

// TestFreezeSimilarity: each measurement is svcca.Between of a layer and its own form
// before, the lowest that learns first.
func TestFreezeSimilarity(t *testing.T) {
	trains(t, byStep)
	const threshold = 0.6
	for _, ago := range []int{5, 7, 10, 100} {
		j := freezeOf(t, "run", "--layers", "z,b,a", "--ago", fmt.Sprint(ago), "--threshold", fmt.Sprint(threshold))
		assert.Equal(t, "similarity", j.Rule)
		assert.Equal(t, 100, j.Steps)
		names, after := frozen(j.Schedule)
		assert.Equal(t, runLayers, names)
		want, lowest := []int{-1, -1, -1}, 0
		var measured []freeze.Measurement
		for _, step := range runSteps {
			since := -1
			for _, before := range runSteps {
				if before <= step-ago {
					since = before
				}
			}
			for ; since >= 0 && lowest < len(runLayers); lowest++ {
				x, y := trained(lowest, step), trained(lowest, since)
				c, err := svcca.Between(svcca.FromSlice("x", x.Data, x.Rows, x.Cols), svcca.FromSlice("y", y.Data, y.Rows, y.Cols), svcca.Options{})
				require.NoError(t, err)
				measured = append(measured, freeze.Measurement{Layer: runLayers[lowest], Step: step, Since: since, Score: &c.Mean})
				if c.Mean < threshold {
					break
				}
				want[lowest] = step
			}
		}
		assert.Equal(t, want, after)
		if ago == 5 {
			assert.NotEqual(t, []int{-1, -1, -1}, after, "a schedule that freezes something")
		}
		require.Len(t, j.Measured, len(measured), ago)
		for i, m := range measured {
			assert.InDelta(t, *m.Score, *j.Measured[i].Score, 1e-9)
			m.Score = j.Measured[i].Score
			assert.Equal(t, m, j.Measured[i])
		}
		assert.Len(t, j.Inputs, 12)
	}
	status, stdout, stderr := call(t, "freeze", "run", "--layers", "z,b,a", "--ago", "5", "--threshold", "1", "--steps", "200")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "never frozen")
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "200 steps")
	assert.Contains(t, stdout, "saves 0.00% of the backward work")
	// Costs name the layers, and their order.
	require.NoError(t, os.WriteFile("costs.json", []byte(`[{"name": "z", "weights": 1}, {"name": "b", "weights": 1}]`), 0o600))
	names, _ := frozen(freezeOf(t, "run", "--costs", "costs.json", "--ago", "5", "--threshold", "0.6").Schedule)
	assert.Equal(t, []string{"z", "b"}, names)
	// Blocks are of the linear schedule.
	require.NoError(t, os.WriteFile("blocks.json", []byte(`[{"name": "z", "block": "r"}, {"name": "b", "block": "r"}]`), 0o600))
	_, _, stderr = call(t, "freeze", "run", "--costs", "blocks.json", "--ago", "5", "--threshold", "0.6")
	assert.Contains(t, stderr, "note: blocks of blocks.json are not looked at")
	_, _, stderr = call(t, "freeze", "run", "--costs", "costs.json", "--ago", "5", "--threshold", "0.6")
	assert.Empty(t, stderr)
	// Costs that do not fit are found before any layer is opened.
	require.NoError(t, os.Truncate(byStep(0, "z"), 3))
	for costs, says := range map[string]string{`[{"name": "z"}]`: "has no costs of layer b", `[{"name": "z", "update": -1}, {"name": "b"}]`: "none negative"} {
		require.NoError(t, os.WriteFile("costs.json", []byte(costs), 0o600))
		_, _, stderr = call(t, "freeze", "run", "--layers", "z,b", "--costs", "costs.json", "--ago", "5", "--threshold", "0.6")
		assert.Contains(t, stderr, says)
	}
}

func TestFreezeStatus(t *testing.T) {
	trains(t, byStep)
	file := func(name, text string) string {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	negative := file("negative.json", `[{"name": "a", "weights": -1}]`)
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"nothing", nil, exitMisused, []string{"--steps"}},
		{"no layers", []string{"--steps", "10"}, exitMisused, []string{"--layers N", "--costs"}},
		{"no steps", []string{"--layers", "3", "--steps", "0"}, exitMisused, []string{"--steps 0"}},
		{"layers of none", []string{"--layers", "0", "--steps", "9"}, exitMisused, []string{"--layers 0"}},
		{"too many", []string{"--layers", "1000000000", "--steps", "9"}, exitMisused, []string{"100000"}},
		{"layer twice", []string{"--layers", "a,a", "--steps", "9"}, exitMisused, []string{`"a"`}},
		{"two directories", []string{"run", "run"}, exitMisused, []string{"2 given"}},
		{"ago", []string{"run", "--threshold", "0.9"}, exitMisused, []string{"--ago"}},
		{"threshold", []string{"run", "--ago", "5"}, exitMisused, []string{"--threshold"}},
		{"linear with ago", []string{"--layers", "3", "--steps", "9", "--ago", "3"}, exitMisused, []string{"--ago"}},
		{"layers and costs", []string{"--layers", "3", "--costs", negative, "--steps", "9"}, exitMisused, []string{"--layers"}},
		{"fewer steps", []string{"run", "--ago", "5", "--threshold", "0.1", "--steps", "99"}, exitMisused, []string{"--steps 99: run goes on to step 100"}},
		{"negative", []string{"--costs", negative, "--steps", "9"}, exitFailed, []string{`"a"`, "none negative"}},
		{"no file", []string{"--costs", "negativ.json", "--steps", "9"}, exitFailed, []string{"did you mean negative.json?"}},
		{"negative, of a run", []string{"run", "--costs", negative, "--ago", "5", "--threshold", "0.9"}, exitFailed, []string{"none negative"}},
		{"no costs", []string{"run", "--layers", "z", "--costs", negative, "--ago", "5", "--threshold", "0.9"}, exitFailed, []string{"negative.json has no costs of layer z"}},
		{"output", []string{"--layers", "3", "--steps", "9", "-o", "s.csv"}, exitMisused, []string{"ends with .json"}},
		{"output twice", []string{"--layers", "3", "--steps", "9", "-o", "s.json", "-o", "s.json"}, exitMisused, []string{"-o s.json is given twice"}},
		{"output of costs", []string{"--costs", negative, "--steps", "9", "-o", negative, "--force"}, exitFailed, []string{"is read by this command"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := listing(t, ".")
			status, stdout, stderr := call(t, append([]string{"freeze"}, c.args...)...)
			assert.Equal(t, c.status, status, stderr)
			for _, s := range c.says {
				assert.Contains(t, stderr, s)
			}
			assert.Empty(t, stdout)
			assert.Equal(t, before, listing(t, "."))
		})
	}
}

func TestDecodeCosts(t *testing.T) {
	for text, says := range map[string]string{
		``:                                "a list of layers in JSON",
		`{}`:                              "this is an object",
		`[]`:                              "there are none",
		`null`:                            "there are none",
		`[{"forward": 1}]`:                `a "name"`,
		`[{"name": "a", "wieghts": 1}]`:   "wieghts",
		`[{"name": "a"}, {"name": "a"}]`:  "another a",
		`[{"name": "a"}] []`:              "more behind",
		`[{"name": "a", "forward": "1"}]`: `"forward" is a string`,
		`[{"name": "a", "block": "r"}, {"name": "b"}, {"name": "c", "block": "r"}]`: "rest of block r",
	} {
		_, err := decodeCosts(strings.NewReader(text))
		assert.ErrorContains(t, err, says, text)
	}
}

func FuzzCosts(f *testing.F) {
	f.Add([]byte(`[{"name": "a", "block": "r", "forward": 1, "weights": 2, "inputs": 3, "update": 4}, {"name": "b", "block": "r"}]`))
	f.Add([]byte(`[{"name": "a"}, null]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		costs, err := decodeCosts(bytes.NewReader(text))
		if err != nil {
			return
		}
		require.NotEmpty(t, costs)
		count := 0
		for _, block := range blocksOf(costs) {
			for _, name := range block {
				assert.Equal(t, costs[count].Name, name)
				count++
			}
		}
		assert.Len(t, costs, count)
	})
}
