package dynamics_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type expectedDynamics struct {
	Steps          []int
	Layers         []string
	Weighted, Mean map[string][]float64
	K              map[string][]int
	KFinal         map[string]int `json:"k_final"`
}

func record(t *testing.T, e expectedDynamics, o dynamics.Options) *dynamics.Dynamics {
	at := func(step int) (layers []conv.Maps) {
		for _, l := range e.Layers {
			layers = append(layers, conv.Vector(reference.Layer(t, fmt.Sprintf("dynamics/step%05d/%s", step, l), nil)))
		}
		return layers
	}
	r, err := dynamics.New(context.Background(), at(e.Steps[len(e.Steps)-1]), o)
	require.NoError(t, err)
	for _, step := range e.Steps {
		require.NoError(t, r.Add(context.Background(), step, at(step)))
	}
	return r.Dynamics()
}

// The reference computed SVDs of the layers themselves; we are as near as each pair's
// bound says. 1e-14 is the rounding of the reference's own sums of a few dozen numbers.
func TestReference(t *testing.T) {
	var e expectedDynamics
	reference.Expected(t, "dynamics", &e)
	defer native.LimitThreads(1)()
	done := 0
	d := record(t, e, dynamics.Options{Diagonal: true, Progress: func(_, d, of int) {
		done++
		assert.Equal(t, [2]int{(done-1)%7 + 1, 7}, [2]int{d, of})
	}})
	assert.Equal(t, 8*7, done)
	mean, err := d.Curves(measure.Mean)
	require.NoError(t, err)
	weighted, err := d.Curves(measure.Weighted)
	require.NoError(t, err)
	worst := 0.0
	for l, name := range e.Layers {
		require.Len(t, mean[l], len(e.Steps))
		for s, step := range e.Steps {
			pair := d.Panes[s][l][l]
			assert.Equal(t, [2]int{e.K[name][s], e.KFinal[name]}, [2]int{pair.KX, pair.KY}, "%s at %d: k", name, step)
			assert.InDelta(t, e.Mean[name][s], *mean[l][s], pair.ErrorBound+1e-14, "%s at %d: mean", name, step)
			assert.InDelta(t, e.Weighted[name][s], *weighted[l][s], pair.WeightedErrorBound+1e-14, "%s at %d: weighted", name, step)
			worst = max(worst, pair.ErrorBound, pair.WeightedErrorBound)
		}
	}
	assert.Less(t, worst, 1e-8, "bounds that test nothing")
	t.Logf("largest bound %.1e", worst)

	// Weighted similarity reaches 0.9 from the bottom up but for lin3, bn3 and the logits,
	// which do so together with lin2 and bn2.
	converged, err := d.Converge(measure.Weighted, 0.9)
	require.NoError(t, err)
	var steps []int
	for _, c := range converged {
		steps = append(steps, *c.Step)
	}
	assert.Equal(t, []int{0, 0, 80, 80, 80, 80, 80}, steps)
	// By hand: of 21 pairs 11 tie; the 10 others, lin1 or bn1 with each of five, agree.
	tau := dynamics.BottomUp(converged)
	require.NotNil(t, tau)
	assert.InDelta(t, 10/14.491376746189438, *tau, 1e-15) // √(21·10)
}

// The final step of a recorder that compares all with all is the network with itself.
func TestReferencePane(t *testing.T) {
	var e expectedDynamics
	reference.Expected(t, "dynamics", &e)
	defer native.LimitThreads(1)()
	e.Steps = []int{0, 1000}
	d := record(t, e, dynamics.Options{})
	diagonal := record(t, e, dynamics.Options{Diagonal: true})
	for s := range e.Steps {
		pane, err := d.Pane(s, measure.Mean)
		require.NoError(t, err)
		curves, err := diagonal.Curves(measure.Mean)
		require.NoError(t, err)
		for l := range pane {
			assert.Equal(t, *curves[l][s], pane[l][l], "the diagonal is the curve")
			for m := range pane {
				if s == 1 {
					assert.InDelta(t, pane[m][l], pane[l][m], 2*d.Panes[s][l][m].ErrorBound+1e-14)
				}
			}
		}
	}
	_, err := diagonal.Pane(0, measure.Mean)
	assert.ErrorContains(t, err, "Diagonal")
}
