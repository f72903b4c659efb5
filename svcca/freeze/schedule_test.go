package freeze_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func names(count int) (blocks [][]string) {
	for i := range count {
		blocks = append(blocks, []string{fmt.Sprint("layer ", i+1)})
	}
	return blocks
}

func after(s *freeze.Schedule) (steps []int) {
	for _, l := range s.Layers {
		if steps = append(steps, -1); l.FrozenAfter != nil {
			steps[len(steps)-1] = *l.FrozenAfter
		}
	}
	return steps
}

func TestLinear(t *testing.T) {
	for _, test := range []struct {
		steps, layers int
		after         []int
	}{
		{160000, 4, []int{40000, 80000, 120000, 160000}},
		{10, 3, []int{4, 7, 10}}, // ⌈3⅓⌉, ⌈6⅔⌉
		{7, 1, []int{7}},
		{2, 5, []int{1, 1, 2, 2, 2}}, // fewer steps than layers
		{math.MaxInt, 2, []int{math.MaxInt/2 + 1, math.MaxInt}},
	} {
		s, err := freeze.Linear(test.steps, names(test.layers)...)
		require.NoError(t, err)
		assert.Equal(t, test.after, after(s))
		for i, a := range after(s) { // ⌈iT/L⌉ in rationals
			r := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(i+1)), big.NewInt(int64(test.steps))), big.NewInt(int64(test.layers)))
			least := new(big.Rat).SetInt64(int64(a))
			assert.True(t, least.Cmp(r) >= 0 && new(big.Rat).Sub(least, r).Cmp(big.NewRat(1, 1)) < 0, "%d is not ⌈%v⌉", a, r)
		}
	}
	s, err := freeze.Linear(90, []string{"conv"}, []string{"b1/c1", "b1/c2"}, []string{"fc"})
	require.NoError(t, err)
	assert.Equal(t, []int{30, 60, 60, 90}, after(s))
	assert.Equal(t, "b1/c2", s.Layers[2].Name)

	for _, bad := range []struct {
		steps  int
		blocks [][]string
	}{{0, names(2)}, {-3, names(2)}, {5, nil}, {5, [][]string{{"a"}, {}}}} {
		_, err := freeze.Linear(bad.steps, bad.blocks...)
		assert.ErrorIs(t, err, svcca.ErrOptions)
	}
}

func schedule(steps int, after ...int) *freeze.Schedule {
	s := &freeze.Schedule{Steps: steps}
	for i, a := range after {
		l := freeze.Layer{Name: fmt.Sprint("layer ", i+1)}
		if a >= 0 {
			l.FrozenAfter = &a
		}
		s.Layers = append(s.Layers, l)
	}
	return s
}

const never = -1

func TestFrozen(t *testing.T) {
	s := schedule(10, 0, 4, 4, 7, never)
	for step, want := range []int{1: 1, 2: 1, 4: 1, 5: 3, 7: 3, 8: 4, 10: 4} {
		if want > 0 {
			assert.Equal(t, want, s.Frozen(step), "step %d", step)
		}
	}
	text, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `{"steps": 10, "layers": [{"name": "layer 1", "frozen_after": 0}, {"name": "layer 2", "frozen_after": 4},
		{"name": "layer 3", "frozen_after": 4}, {"name": "layer 4", "frozen_after": 7}, {"name": "layer 5", "frozen_after": null}]}`, string(text))
	var back freeze.Schedule
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, s, &back)
}

func TestCheck(t *testing.T) {
	require.NoError(t, schedule(10, 3, 3, 10, never).Check())
	for says, s := range map[string]*freeze.Schedule{
		"0 steps":        schedule(0, 0),
		"without layers": schedule(10),
		`layer 2 of 2 ("layer 2") is frozen after step 11 of 10`:                         schedule(10, 3, 11),
		`layer 2 of 3 ("layer 2") is frozen after step 3, the one below it after step 5`: schedule(10, 5, 3, 10),
		`("layer 2") is frozen after step 3, the one below it after step 10`:             schedule(10, never, 3),
	} {
		err := s.Check()
		assert.ErrorIs(t, err, svcca.ErrOptions)
		assert.ErrorContains(t, err, says)
		_, err = s.Work(make([]freeze.Cost, len(s.Layers)))
		assert.Error(t, err)
	}
}

// count adds up the work step by step, from what a backward pass does.
func count(s *freeze.Schedule, costs []freeze.Cost, freezing bool) (t freeze.Totals) {
	for step := 1; step <= s.Steps; step++ {
		learns := make([]bool, len(costs))
		for i, c := range costs {
			learns[i] = c.Weights+c.Update > 0 && (!freezing || i >= s.Frozen(step))
			t.Forward += c.Forward
		}
		for i := len(costs) - 1; i >= 0; i-- { // from the loss down, until nothing below learns
			below := false
			for _, l := range learns[:i] {
				below = below || l
			}
			if freezing && i < s.Frozen(step) && !below {
				break
			}
			if learns[i] {
				t.Backward += costs[i].Weights
				t.Update += costs[i].Update
			}
			if below {
				t.Backward += costs[i].Inputs
			}
		}
	}
	return t
}

func TestWork(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		layers, steps := 1+rng.IntN(5), 1+rng.IntN(12)
		at, last := make([]int, layers), 0
		for i := range at {
			last = min(steps, last+rng.IntN(4))
			at[i] = last
			if rng.IntN(4) == 0 {
				for ; i < layers; i++ {
					at[i] = never
				}
				break
			}
		}
		s := schedule(steps, at...)
		costs := make([]freeze.Cost, layers)
		for i := range costs { // whole numbers, of which sums are exact
			costs[i] = freeze.Cost{Forward: float64(rng.IntN(9)), Weights: float64(rng.IntN(9)), Inputs: float64(rng.IntN(9)), Update: float64(rng.IntN(3))}
			if rng.IntN(3) == 0 {
				costs[i].Weights, costs[i].Update = 0, 0 // pooling
			}
		}
		w, err := s.Work(costs)
		require.NoError(t, err)
		assert.Equal(t, count(s, costs, false), w.Full)
		assert.Equal(t, count(s, costs, true), w.Frozen)
		for _, share := range []float64{w.Saved.Backward, w.Saved.Update, w.Saved.Total} {
			assert.True(t, share >= 0 && share <= 1, share)
		}
		if w.Full.Backward > 0 {
			assert.InDelta(t, 1-w.Frozen.Backward/w.Full.Backward, w.Saved.Backward, 1e-14)
		}
	}
}

// Of L layers alike, of which the first needs no gradient of its input, the paper's
// schedule saves (L−1)/2L of updates: Σ(1 − i/L)/L.
func TestLinearSaves(t *testing.T) {
	s, err := freeze.Linear(1000, names(10)...)
	require.NoError(t, err)
	costs := make([]freeze.Cost, 10)
	for i := range costs {
		costs[i] = freeze.Cost{Forward: 1, Weights: 1, Inputs: 1, Update: 1}
	}
	w, err := s.Work(costs)
	require.NoError(t, err)
	assert.InDelta(t, 0.45, w.Saved.Update, 1e-15)
	// Gradients: 10 of weights and 9 of inputs in full; Σ i/10 of weights, and of layer
	// i's input while layer i − 1 learns, Σ (i−1)/10.
	assert.InDelta(t, 1-(5.5+4.5)/19, w.Saved.Backward, 1e-15)
	assert.InDelta(t, (4500.+9000)/39000, w.Saved.Total, 1e-15)
	assert.Equal(t, w.Full.Forward, w.Frozen.Forward)

	none, err := schedule(1000, never, never).Work(costs[:2])
	require.NoError(t, err)
	assert.Equal(t, freeze.Saved{}, none.Saved)
	all, err := schedule(1000, 0, 0).Work(costs[:2])
	require.NoError(t, err)
	assert.Equal(t, 1.0, all.Saved.Backward)
	assert.Equal(t, 1.0, all.Saved.Update)
	free, err := s.Work(make([]freeze.Cost, 10))
	require.NoError(t, err)
	assert.Equal(t, freeze.Saved{}, free.Saved, "0 of nothing")

	_, err = schedule(1000, 10).Work([]freeze.Cost{{Weights: 1e306}})
	assert.ErrorIs(t, err, svcca.ErrRange)
	_, err = s.Work(costs[:9])
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		costs[4].Inputs = bad
		_, err = s.Work(costs)
		assert.ErrorIs(t, err, svcca.ErrOptions)
		assert.ErrorContains(t, err, `layer 5 of 10 ("layer 5")`)
	}
}

func ExampleLinear() {
	s, err := freeze.Linear(160000, []string{"conv"}, []string{"block1/conv1", "block1/conv2"}, []string{"fc"})
	if err != nil {
		panic(err)
	}
	for _, l := range s.Layers {
		fmt.Printf("%s learns until step %d\n", l.Name, *l.FrozenAfter)
	}
	w, err := s.Work([]freeze.Cost{
		{Forward: 10, Weights: 10, Inputs: 10, Update: 1},
		{Forward: 40, Weights: 40, Inputs: 40, Update: 4},
		{Forward: 40, Weights: 40, Inputs: 40, Update: 4},
		{Forward: 1, Weights: 1, Inputs: 1, Update: 1},
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("saved: %.1f%% of backward passes, %.1f%% of updates\n", 100*w.Saved.Backward, 100*w.Saved.Update)
	// Output:
	// conv learns until step 53334
	// block1/conv1 learns until step 106667
	// block1/conv2 learns until step 106667
	// fc learns until step 160000
	// saved: 42.8% of backward passes, 33.3% of updates
}

// A schedule that was read is refused or serves.
func FuzzSchedule(f *testing.F) {
	f.Add([]byte(`{"steps": 10, "layers": [{"name": "a", "frozen_after": 3}, {"name": "b", "frozen_after": null}]}`), 4)
	f.Add([]byte(`{"steps": 10, "layers": [{"frozen_after": 13}, {"frozen_after": -3}]}`), -1)
	f.Add([]byte(`{"steps": 9223372036854775807, "layers": [{"frozen_after": 9223372036854775807}]}`), 1)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		var s freeze.Schedule
		if json.Unmarshal(text, &s) != nil || s.Check() != nil {
			return
		}
		frozen := s.Frozen(step)
		assert.True(t, frozen >= 0 && frozen <= len(s.Layers))
		costs := make([]freeze.Cost, len(s.Layers))
		for i := range costs {
			costs[i] = freeze.Cost{Forward: 1, Weights: 1, Inputs: 1, Update: 1}
		}
		w, err := s.Work(costs)
		require.NoError(t, err)
		for _, share := range []float64{w.Saved.Backward, w.Saved.Update, w.Saved.Total} {
			assert.True(t, share >= 0 && share <= 1, "%v", share)
		}
	})
}
