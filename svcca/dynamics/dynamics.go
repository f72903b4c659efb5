package dynamics

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// Dynamics is what was recorded of a network in training. It is plain data.
type Dynamics struct {
	Options conv.Options `json:"options"`
	// Layers names the final layers, in order of depth.
	Layers []string `json:"layers"`
	// Steps are those recorded, increasing.
	Steps []int `json:"steps"`
	// Diagonal: each layer was compared with its own final form alone.
	Diagonal bool `json:"diagonal"`
	// Panes[t][l][m] has layer l at Steps[t] as X, and layer m at the end as Y; nil where
	// they were not compared.
	Panes [][][]*measure.Pair `json:"panes"`
}

// Pane returns S_t, layers at Steps[t] by layers at the end. The error wraps
// svcca.ErrOptions: a score that a pair does not have, or no more than the diagonal.
func (d *Dynamics) Pane(t int, score measure.Score) ([][]float64, error) {
	if d.Diagonal {
		return nil, fmt.Errorf("dynamics: layers were compared with their own final form alone (Options.Diagonal): %w", svcca.ErrOptions)
	}
	pane, err := measure.Scores(d.Panes[t], score)
	if err != nil {
		return nil, fmt.Errorf("dynamics: step %d: %w", d.Steps[t], err)
	}
	return pane, nil
}

// Curves returns S_t[l, l], the score of each layer with its own final form: curves[l][t],
// nil where it is undefined (measure.Score). The error wraps svcca.ErrOptions.
func (d *Dynamics) Curves(score measure.Score) ([][]*float64, error) {
	curves := make([][]*float64, len(d.Layers))
	for l := range curves {
		curves[l] = make([]*float64, len(d.Steps))
		for t, step := range d.Steps {
			pair := d.Panes[t][l][l].PairScores
			if score.Undefined(pair) {
				continue
			}
			value, err := score.Of(pair)
			if err != nil {
				return nil, fmt.Errorf("dynamics: step %d: layer %d of %d (%q): %w", step, l+1, len(d.Layers), d.Layers[l], err)
			}
			curves[l][t] = &value
		}
	}
	return curves, nil
}

// Convergence is when a layer became what it is at the end.
type Convergence struct {
	Layer string `json:"layer"`
	// Step is the first recorded step from which the score stays at the threshold or
	// above; nil where it never does.
	Step *int `json:"step"`
}

// DefaultThreshold is the θ of DEFINITIONS §8.
const DefaultThreshold = 0.9

// Converge returns for each layer the first recorded step t from which S_t'[l, l] ≥
// threshold for all recorded t' ≥ t: where that is undefined it is not. Zero:
// DefaultThreshold. What is below by no more than the score's error bound is not below.
// The error wraps svcca.ErrOptions.
func (d *Dynamics) Converge(score measure.Score, threshold float64) ([]Convergence, error) {
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	if !(threshold > 0 && threshold <= 1) {
		return nil, fmt.Errorf("dynamics: threshold %g: want more than 0, at most 1: %w", threshold, svcca.ErrOptions)
	}
	curves, err := d.Curves(score)
	if err != nil {
		return nil, err
	}
	all := make([]Convergence, len(curves))
	for l, curve := range curves {
		all[l].Layer = d.Layers[l]
		t := len(curve)
		for t > 0 && curve[t-1] != nil && *curve[t-1]+boundOf(d.Panes[t-1][l][l]) >= threshold {
			t--
		}
		if t < len(curve) {
			step := d.Steps[t]
			all[l].Step = &step
		}
	}
	return all, nil
}

// boundOf is the largest error bound of a pair's scores.
func boundOf(p *measure.Pair) float64 {
	bound := max(p.ErrorBound, p.WeightedErrorBound)
	if p.PWCCAErrorBound != nil {
		bound = max(bound, *p.PWCCAErrorBound)
	}
	return bound
}

// time returns the step, later than all where there is none.
func (c Convergence) time() float64 {
	if c.Step == nil {
		return math.Inf(1)
	}
	return float64(*c.Step)
}

// BottomUp returns Kendall's τ_b between depth and convergence step (measure.Kendall): 1
// where each layer converges after all below it, −1 for top-down, nil where all converge
// at one step. Layers that never converge count as later than all others, and as tied.
func BottomUp(layers []Convergence) *float64 { return measure.Kendall(ranks(layers)) }

// BottomUpDeviation returns the standard deviation of BottomUp, around 0, were layers to
// converge in random order at the same steps (measure.KendallDeviation). It is nil where
// BottomUp is.
func BottomUpDeviation(layers []Convergence) *float64 { return measure.KendallDeviation(ranks(layers)) }

func ranks(layers []Convergence) (depth, steps []float64) {
	depth, steps = make([]float64, len(layers)), make([]float64, len(layers))
	for l, c := range layers {
		depth[l], steps[l] = float64(l), c.time()
	}
	return depth, steps
}

// Overtakes returns, of the layers below layer l, what share converges later than l, those
// of the same step counting half: 0 in a network that converges bottom-up, 1 where l
// comes first. Raghu et al. find the very top to overtake layers below it. It is nil of the
// lowest layer, l = 0.
func Overtakes(layers []Convergence, l int) *float64 {
	if l == 0 {
		return nil
	}
	share := 0.0
	for _, below := range layers[:l] {
		switch {
		case below.time() > layers[l].time():
			share += 1 / float64(l)
		case below.time() == layers[l].time():
			share += 0.5 / float64(l)
		}
	}
	return &share
}
