package freeze

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/svcca"
)

// Cost is what one layer takes in one step, in any unit: flops, seconds.
type Cost struct {
	Forward float64 `json:"forward"`
	// Weights is the gradient with respect to the layer's own weights, Inputs that with
	// respect to its input, which only layers below ask for.
	Weights float64 `json:"weights"`
	Inputs  float64 `json:"inputs"`
	// Update is the optimiser's, of the layer's weights.
	Update float64 `json:"update"`
}

// learns reports whether the layer has weights.
func (c Cost) learns() bool { return c.Weights > 0 || c.Update > 0 }

// Totals are what all layers take in all steps.
type Totals struct {
	Forward  float64 `json:"forward"`
	Backward float64 `json:"backward"` // both gradients
	Update   float64 `json:"update"`
}

// Work is what training takes with and without a schedule.
type Work struct {
	Full   Totals `json:"full"`
	Frozen Totals `json:"frozen"`
	Saved  Saved  `json:"saved"`
}

// Saved are the shares of the full work that a schedule leaves out; 0 of no work.
type Saved struct {
	Backward float64 `json:"backward"`
	Update   float64 `json:"update"`
	Total    float64 `json:"total"` // of forward, backward and update together
}

// Work returns what the schedule saves, exactly, for the costs of its layers, in order. In
// a step a layer needs
//
//	its forward pass   always: the layers above need its output
//	Weights, Update    while it learns
//	Inputs             while a layer below it learns
//
// so that a frozen prefix needs neither gradients nor updates, and the first layer with
// weights never needs Inputs. The error names the layer and wraps svcca.ErrOptions, for
// costs that are negative or not finite, svcca.ErrRange, or svcca.ErrMismatch for another
// number of them.
func (s *Schedule) Work(costs []Cost) (*Work, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if len(costs) != len(s.Layers) {
		return nil, fmt.Errorf("freeze: costs of %d layers for a schedule of %d: %w", len(costs), len(s.Layers), svcca.ErrMismatch)
	}
	var w Work
	all := float64(s.Steps)
	// below is in how many steps a layer below learns; belowFull, where none is ever frozen.
	below, belowFull := 0.0, 0.0
	for i, c := range costs {
		for _, v := range []float64{c.Forward, c.Weights, c.Inputs, c.Update} {
			if !(v >= 0) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("freeze: layer %d of %d (%q) costs %v: want finite numbers, none negative: %w", i+1, len(costs), s.Layers[i].Name, c, svcca.ErrOptions)
			}
		}
		steps := float64(s.last(i))
		w.Full.Forward += all * c.Forward
		w.Frozen.Forward += all * c.Forward
		w.Full.Backward += all*c.Weights + belowFull*c.Inputs
		w.Frozen.Backward += steps*c.Weights + below*c.Inputs
		w.Full.Update += all * c.Update
		w.Frozen.Update += steps * c.Update
		if c.learns() {
			below, belowFull = steps, all // no layer outlasts those above
		}
	}
	total := func(t Totals) float64 { return t.Forward + t.Backward + t.Update }
	if math.IsInf(total(w.Full), 0) {
		return nil, fmt.Errorf("freeze: the costs of %d steps add up to more than %g: %w", s.Steps, math.MaxFloat64, svcca.ErrRange)
	}
	w.Saved = Saved{
		Backward: saved(w.Full.Backward, w.Frozen.Backward),
		Update:   saved(w.Full.Update, w.Frozen.Update),
		Total:    saved(total(w.Full), total(w.Frozen)),
	}
	return &w, nil
}

func saved(full, rest float64) float64 {
	if full == 0 {
		return 0
	}
	return (full - rest) / full
}
