package freeze

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// Options say when a layer counts as converged, as a training loop can tell that does not
// know the end: when it is much as it was some steps ago.
type Options struct {
	// Options are those of each comparison. OffBlock is not looked at.
	conv.Options
	// Score is what similarity is. Zero: measure.Mean.
	Score measure.Score
	// Ago is how many steps ago, 1 or more: a layer is compared with its form at the last
	// record that is so old, or older.
	Ago int
	// Threshold is the similarity from which on a layer is frozen: more than 0, at most 1.
	// It has no default, as the less Ago the nearer to 1 it should be.
	Threshold float64
}

// Watch freezes the layers of a network in training, the lowest first: once a layer's
// similarity to its own form some steps ago is at the threshold or above, and all layers
// below it are frozen. It must be used from one goroutine.
type Watch struct {
	o        Options
	names    []string
	frozen   []int // by frozen layer: after which step
	records  []record
	measured []Measurement
}

// record is the layers at a step, those that were compared prepared.
type record struct {
	step     int
	layers   []conv.Maps
	prepared []*measure.Layer
}

// Measurement is one comparison of a layer with its own earlier form.
type Measurement struct {
	Layer string `json:"layer"` // by its name at the first record
	Step  int    `json:"step"`
	Since int    `json:"since"` // the step of the earlier form
	// Score is nil where it is undefined (measure.Score): then no layer is frozen.
	Score *float64 `json:"score"`
}

// NewWatch returns a watch that has seen nothing. The error wraps svcca.ErrOptions.
func NewWatch(o Options) (*Watch, error) {
	if o.Score == "" {
		o.Score = measure.Mean
	}
	if _, err := measure.ParseScore(string(o.Score)); err != nil {
		return nil, err
	}
	if o.Ago < 1 {
		return nil, fmt.Errorf("freeze: compared with %d steps ago: want 1 or more: %w", o.Ago, svcca.ErrOptions)
	}
	if !(o.Threshold > 0 && o.Threshold <= 1) {
		return nil, fmt.Errorf("freeze: threshold %g: want more than 0, at most 1: %w", o.Threshold, svcca.ErrOptions)
	}
	return &Watch{o: o}, nil
}

// Add records the layers after a step, on the same datapoints each time, and returns how
// many of them, the lowest, are frozen from now on. Only the lowest layer that learns is
// compared, then the next where that is frozen.
//
// A layer must stay readable and unchanged until one that is Ago steps younger, or older
// still, was added: give each record arrays of its own. Frozen layers are not read.
// The error names step and layer, and wraps what measure.Prepare's may,
// svcca.ErrMismatch for another number of layers, svcca.ErrOptions for a step that is not
// later than the last. After an error the step may be added again.
func (w *Watch) Add(ctx context.Context, step int, layers []conv.Maps) (frozen int, err error) {
	if w.records != nil {
		if last := w.records[len(w.records)-1].step; step <= last {
			return len(w.frozen), fmt.Errorf("freeze: step %d after step %d: steps must increase: %w", step, last, svcca.ErrOptions)
		}
		if len(layers) != len(w.names) {
			return len(w.frozen), fmt.Errorf("freeze: step %d: %d layers, before %d: %w", step, len(layers), len(w.names), svcca.ErrMismatch)
		}
	} else if step < 0 || len(layers) == 0 {
		return 0, fmt.Errorf("freeze: step %d with %d layers: %w", step, len(layers), svcca.ErrOptions)
	}
	now := record{step, slices.Clone(layers), make([]*measure.Layer, len(layers))}
	then := w.before(step)
	var measured []Measurement
	last := len(w.frozen)
	for ; then != nil && last < len(layers); last++ {
		score, err := w.compare(ctx, &now, then, last)
		if err != nil {
			return len(w.frozen), fmt.Errorf("freeze: step %d: layer %d of %d: %w", step, last+1, len(layers), err)
		}
		measured = append(measured, Measurement{Layer: w.names[last], Step: step, Since: then.step, Score: score})
		if score == nil || *score < w.o.Threshold {
			break
		}
	}
	if w.records == nil {
		for _, m := range layers {
			w.names = append(w.names, m.Name())
		}
	}
	for len(w.frozen) < last {
		w.frozen = append(w.frozen, step)
	}
	w.measured = append(w.measured, measured...)
	w.records = append(w.records, now)
	for len(w.records) > 1 && w.records[1].step <= step-w.o.Ago {
		w.records = slices.Delete(w.records, 0, 1) // later steps are compared with the next
	}
	return len(w.frozen), nil
}

// before returns the last record that is old enough to compare a step with, or nil.
func (w *Watch) before(step int) *record {
	for i := len(w.records) - 1; i >= 0; i-- {
		if w.records[i].step <= step-w.o.Ago {
			return &w.records[i]
		}
	}
	return nil
}

func (w *Watch) compare(ctx context.Context, now, then *record, layer int) (*float64, error) {
	for _, r := range []*record{now, then} {
		if r.prepared[layer] == nil {
			l, err := measure.Prepare(ctx, r.layers[layer], w.o.Options)
			if err != nil {
				return nil, fmt.Errorf("at step %d: %w", r.step, err)
			}
			measure.Hold(0, l) // there are few comparisons of each
			r.prepared[layer] = l
		}
	}
	p, err := now.prepared[layer].Compare(ctx, then.prepared[layer])
	if err != nil {
		return nil, fmt.Errorf("with step %d: %w", then.step, err)
	}
	if w.o.Score.Undefined(p.PairScores) {
		return nil, nil
	}
	score, err := w.o.Score.Of(p.PairScores)
	return &score, err
}

// Measured returns all comparisons so far, in order.
func (w *Watch) Measured() []Measurement { return slices.Clone(w.measured) }

// Schedule returns what was decided so far as the schedule of a network that trains for
// so many steps: layers that are not frozen never are. The error wraps svcca.ErrOptions.
func (w *Watch) Schedule(steps int) (*Schedule, error) {
	s := &Schedule{Steps: steps, Layers: make([]Layer, len(w.names))}
	for i, name := range w.names {
		s.Layers[i].Name = name
		if i < len(w.frozen) {
			after := w.frozen[i]
			s.Layers[i].FrozenAfter = &after
		}
	}
	return s, s.Check()
}
