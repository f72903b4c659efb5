package freeze

import (
	"fmt"

	"github.com/gosvcca/gosvcca/svcca"
)

// Schedule says after which step each layer is frozen.
type Schedule struct {
	// Steps is how many steps the network trains.
	Steps int `json:"steps"`
	// Layers are in order of depth, the first nearest to the input.
	Layers []Layer `json:"layers"`
}

// Layer is one layer of a schedule.
type Layer struct {
	Name string `json:"name"`
	// FrozenAfter is the last step in which the layer learns; nil: it always does.
	FrozenAfter *int `json:"frozen_after"`
}

// Linear returns the schedule of Raghu et al.: of L blocks that train for so many steps,
// block i, counted from 1, is frozen after step ⌈i·steps/L⌉ (DEFINITIONS §8). A block is
// the names of its layers: one of a plain network, those of a residual block. The error
// wraps svcca.ErrOptions.
func Linear(steps int, blocks ...[]string) (*Schedule, error) {
	s := &Schedule{Steps: steps}
	for i, block := range blocks {
		if len(block) == 0 {
			return nil, fmt.Errorf("freeze: block %d of %d has no layers: %w", i+1, len(blocks), svcca.ErrOptions)
		}
		for _, name := range block {
			after := ceilOf(i+1, steps, len(blocks))
			s.Layers = append(s.Layers, Layer{Name: name, FrozenAfter: &after})
		}
	}
	return s, s.Check()
}

// ceilOf returns ⌈i·steps/l⌉ for i ≤ l, whatever i·steps may be.
func ceilOf(i, steps, l int) int {
	return steps/l*i + (steps%l*i+l-1)/l
}

// Check returns an error where s is no schedule: without steps or layers, with a layer
// frozen before one below it or outside of steps 0 … Steps. It wraps svcca.ErrOptions.
func (s *Schedule) Check() error {
	switch {
	case s.Steps < 1:
		return fmt.Errorf("freeze: a schedule of %d steps: want 1 or more: %w", s.Steps, svcca.ErrOptions)
	case len(s.Layers) == 0:
		return fmt.Errorf("freeze: a schedule without layers: %w", svcca.ErrOptions)
	}
	below := 0
	for i, l := range s.Layers {
		last := s.last(i)
		switch {
		case last < 0 || last > s.Steps:
			return fmt.Errorf("freeze: layer %d of %d (%q) is frozen after step %d of %d: %w", i+1, len(s.Layers), l.Name, last, s.Steps, svcca.ErrOptions)
		case last < below:
			return fmt.Errorf("freeze: layer %d of %d (%q) is frozen after step %d, the one below it after step %d: lower layers come first: %w", i+1, len(s.Layers), l.Name, last, below, svcca.ErrOptions)
		}
		below = last
	}
	return nil
}

// last returns the last step in which layer i learns.
func (s *Schedule) last(i int) int {
	if after := s.Layers[i].FrozenAfter; after != nil {
		return *after
	}
	return s.Steps
}

// Frozen returns how many layers are frozen during a step, counted from 1: the lowest.
func (s *Schedule) Frozen(step int) int {
	frozen := 0
	for frozen < len(s.Layers) && s.Layers[frozen].FrozenAfter != nil && *s.Layers[frozen].FrozenAfter < step {
		frozen++
	}
	return frozen
}
