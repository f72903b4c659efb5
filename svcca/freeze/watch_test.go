package freeze_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// turning returns a layer of one neuron at an angle in a plane of datapoints: two of them
// have ρ = |cos| of the angle between.
func turning(name string, angle float64) conv.Maps {
	values := make([]float64, 0, 4)
	for i := range 4 {
		at := float64(i) * math.Pi / 2
		values = append(values, math.Cos(at)*math.Cos(angle)+math.Sin(at)*math.Sin(angle))
	}
	return conv.Vector(svcca.FromSlice(name, values, 4, 1))
}

func add(t *testing.T, w *freeze.Watch, step int, angles ...float64) int {
	t.Helper()
	var layers []conv.Maps
	for i, a := range angles {
		layers = append(layers, turning(fmt.Sprint("layer ", i+1), a))
	}
	frozen, err := w.Add(context.Background(), step, layers)
	require.NoError(t, err)
	return frozen
}

func TestWatch(t *testing.T) {
	w, err := freeze.NewWatch(freeze.Options{Ago: 10, Threshold: 0.95})
	require.NoError(t, err)
	// cos 0.2 = 0.980, cos 0.4 = 0.921: at or above the threshold, and below.
	assert.Equal(t, 0, add(t, w, 5, 0, 0, 0), "nothing to compare with")
	assert.Equal(t, 0, add(t, w, 10, 0, 0, 0), "not old enough")
	assert.Equal(t, 0, add(t, w, 15, 0.4, 0, 0), "the lowest still moves: no other is frozen before it")
	assert.Equal(t, 1, add(t, w, 20, 0.2, 0.4, 0), "it moved by 0.2 since step 10, the next by 0.4")
	assert.Equal(t, 3, add(t, w, 31, 3, 0.5, 0), "with the last record that is 10 steps old: step 20, and two at once")
	assert.Equal(t, 3, add(t, w, 50, 1, 2, 3), "frozen for good")

	var at []string
	for _, m := range w.Measured() {
		at = append(at, fmt.Sprintf("%s %d-%d %.3f", m.Layer, m.Since, m.Step, *m.Score))
	}
	assert.Equal(t, []string{
		"layer 1 5-15 0.921", "layer 1 10-20 0.980", "layer 2 10-20 0.921",
		"layer 2 20-31 0.995", "layer 3 20-31 1.000",
	}, at)
	s, err := w.Schedule(60)
	require.NoError(t, err)
	assert.Equal(t, schedule(60, 20, 31, 31), s)
	_, err = w.Schedule(25)
	assert.ErrorIs(t, err, svcca.ErrOptions, "decided after the end")
}

// A score that is undefined, as adjusted of too few datapoints, freezes nothing and ends
// nothing.
func TestWatchUndefined(t *testing.T) {
	w, err := freeze.NewWatch(freeze.Options{Ago: 1, Threshold: 0.5, Score: measure.Adjusted, Options: conv.Options{Options: svcca.Options{Keep: svcca.FullRank()}}})
	require.NoError(t, err)
	for step, neurons := range []int{9, 9, 3, 3} { // 9 neurons fill the space of 9 datapoints less a mean
		rng := rand.New(rand.NewPCG(1, 1))
		values := make([]float64, 9*neurons)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		frozen, err := w.Add(context.Background(), step, []conv.Maps{conv.Vector(svcca.FromSlice("l", values, 9, neurons))})
		require.NoError(t, err)
		assert.Equal(t, step == 3, frozen == 1, "step %d", step)
	}
	measured := w.Measured()
	require.Len(t, measured, 3)
	assert.Nil(t, measured[0].Score)
	assert.Nil(t, measured[1].Score)
	assert.InDelta(t, 1, *measured[2].Score, 1e-12)
}

func TestWatchNever(t *testing.T) {
	w, err := freeze.NewWatch(freeze.Options{Ago: 1, Threshold: 0.99, Score: measure.MeanSquare})
	require.NoError(t, err)
	_, err = w.Schedule(10)
	assert.ErrorIs(t, err, svcca.ErrOptions, "no layers yet")
	for step := range 5 {
		want := 0
		if step > 0 {
			want = 1
		}
		assert.Equal(t, want, add(t, w, step, 0, float64(step), 0))
	}
	s, err := w.Schedule(10)
	require.NoError(t, err)
	assert.Equal(t, schedule(10, 1, never, never), s)
	assert.InDelta(t, math.Pow(math.Cos(1), 2), *w.Measured()[1].Score, 1e-14)
}

func TestWatchErrors(t *testing.T) {
	for _, o := range []freeze.Options{{}, {Ago: 1}, {Threshold: 0.9}, {Ago: -1, Threshold: 0.9}, {Ago: 1, Threshold: 1.1}, {Ago: 1, Threshold: math.NaN()}, {Ago: 1, Threshold: 0.9, Score: "rho"}} {
		_, err := freeze.NewWatch(o)
		assert.ErrorIs(t, err, svcca.ErrOptions)
	}
	ctx := context.Background()
	w, err := freeze.NewWatch(freeze.Options{Ago: 1, Threshold: 0.9})
	require.NoError(t, err)
	_, err = w.Add(ctx, 0, nil)
	assert.ErrorIs(t, err, svcca.ErrOptions)
	dead := conv.Vector(svcca.FromSlice("dead", make([]float64, 4), 4, 1))
	add(t, w, 0, 0, 1)
	for _, test := range []struct {
		step   int
		layers []conv.Maps
		is     error
		says   string
	}{
		{0, []conv.Maps{turning("a", 0), turning("b", 0)}, svcca.ErrOptions, "step 0 after step 0"},
		{1, []conv.Maps{turning("a", 0)}, svcca.ErrMismatch, "step 1: 1 layers, before 2"},
		{1, []conv.Maps{turning("a", 0), dead}, svcca.ErrConstant, `step 1: layer 2 of 2: at step 1: svcca: layer "dead"`},
	} {
		frozen, err := w.Add(ctx, test.step, test.layers)
		assert.ErrorIs(t, err, test.is)
		assert.ErrorContains(t, err, test.says)
		assert.Zero(t, frozen)
	}
	assert.Equal(t, 2, add(t, w, 1, 0, 1), "after an error the step may be added again")
	assert.Len(t, w.Measured(), 2)
	assert.Equal(t, 2, add(t, w, 2, 5, 5))

	w, err = freeze.NewWatch(freeze.Options{Ago: 1, Threshold: 0.9})
	require.NoError(t, err)
	_, err = w.Add(ctx, 0, []conv.Maps{dead})
	require.NoError(t, err, "read when it is compared")
	_, err = w.Add(ctx, 1, []conv.Maps{turning("dead", 1)})
	assert.ErrorContains(t, err, `step 1: layer 1 of 1: at step 0: svcca: layer "dead"`)
}

// Maps are watched too, and read at both steps.
func TestWatchMaps(t *testing.T) {
	maps := func(seed uint64, share float64) conv.Maps {
		rng, more := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
		values := make([]float64, 200*2*2*2)
		for i := range values {
			values[i] = rng.NormFloat64() + share*more.NormFloat64()
		}
		return conv.FromSlice("maps", values, 200, 2, 2, 2, conv.NHWC)
	}
	w, err := freeze.NewWatch(freeze.Options{Ago: 100, Threshold: 0.9})
	require.NoError(t, err)
	for step, want := range []int{0, 0, 1, 1} {
		frozen, err := w.Add(context.Background(), 100*step, []conv.Maps{maps(uint64(step), math.Pow(0.1, float64(step)))})
		require.NoError(t, err)
		assert.Equal(t, want, frozen)
	}
	require.Len(t, w.Measured(), 2, "frozen at the second comparison")
	assert.Less(t, *w.Measured()[0].Score, 0.9)
	assert.Greater(t, *w.Measured()[1].Score, 0.9)
}

// The network of the reference set: what a loop that compares with the record before
// would freeze, and when.
func TestReference(t *testing.T) {
	defer native.LimitThreads(1)()
	w, err := freeze.NewWatch(freeze.Options{Ago: 50, Threshold: 0.95})
	require.NoError(t, err)
	names := []string{"lin1", "bn1", "lin2", "bn2", "lin3", "bn3", "logits"}
	steps := []int{0, 10, 30, 80, 150, 300, 600, 1000}
	at := func(step int) (layers []conv.Maps) {
		for _, l := range names {
			layers = append(layers, conv.Vector(reference.Layer(t, fmt.Sprintf("dynamics/step%05d/%s", step, l), nil)))
		}
		return layers
	}
	for _, step := range steps {
		_, err := w.Add(context.Background(), step, at(step))
		require.NoError(t, err)
	}
	s, err := w.Schedule(1000)
	require.NoError(t, err)
	for _, m := range w.Measured() {
		layer := path.Base(m.Layer)
		t.Logf("%s, %d since %d: %.4f", layer, m.Step, m.Since, *m.Score)
		c, err := svcca.Between(
			reference.Layer(t, fmt.Sprintf("dynamics/step%05d/%s", m.Step, layer), nil),
			reference.Layer(t, fmt.Sprintf("dynamics/step%05d/%s", m.Since, layer), nil), svcca.Options{})
		require.NoError(t, err)
		assert.InDelta(t, c.Mean, *m.Score, 2*c.ErrorBound+1e-14)
		assert.GreaterOrEqual(t, m.Step-m.Since, 50)
	}
	for i, step := range after(s) {
		for _, m := range w.Measured() { // the last one of the layer decides
			if path.Base(m.Layer) == names[i] {
				assert.Equal(t, step == m.Step, *m.Score >= 0.95)
			}
		}
		assert.Positive(t, step)
	}
}

// A training loop hands over its layers on the same few datapoints every 100 steps. The
// first settles sooner than the second.
func ExampleWatch() {
	w, err := freeze.NewWatch(freeze.Options{Ago: 200, Threshold: 0.95})
	if err != nil {
		panic(err)
	}
	for step := 0; step <= 600; step += 100 {
		settling := math.Exp(-float64(step) / 100)
		frozen, err := w.Add(context.Background(), step, []conv.Maps{turning("conv", settling), turning("fc", 5*settling)})
		if err != nil {
			panic(err)
		}
		fmt.Printf("step %d: %d frozen\n", step, frozen)
	}
	schedule, err := w.Schedule(1000)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(schedule)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output:
	// step 0: 0 frozen
	// step 100: 0 frozen
	// step 200: 0 frozen
	// step 300: 0 frozen
	// step 400: 1 frozen
	// step 500: 2 frozen
	// step 600: 2 frozen
	// {"steps":1000,"layers":[{"name":"conv","frozen_after":400},{"name":"fc","frozen_after":500}]}
}
