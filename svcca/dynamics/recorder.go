package dynamics

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// Options say what is recorded. The zero Options compare all layers with all.
type Options struct {
	// Options are those of each comparison. OffBlock is not looked at.
	conv.Options
	// Diagonal compares each layer with its own final form alone: all that convergence
	// asks for, at one comparison for each layer in place of one for each pair.
	Diagonal bool
	// Hold is how many bytes of reduced feature maps final layers hold (measure.Hold). Zero:
	// conv.DefaultHold; below 0: none.
	Hold int64
	// Progress is called after each comparison of a step: how many are done, of how many.
	Progress func(step, done, of int)
}

// Recorder compares checkpoints with final layers as they come. It must be used from one
// goroutine.
type Recorder struct {
	final []*measure.Layer
	o     Options
	d     Dynamics
}

// New prepares the layers of a network at the end of its training, in order of depth.
// Where there are feature maps, all must stay readable; else none is read again. The error names the final layer and
// wraps what measure.Prepare's may, or svcca.ErrShape where there is none.
func New(ctx context.Context, final []conv.Maps, o Options) (*Recorder, error) {
	if len(final) == 0 {
		return nil, fmt.Errorf("dynamics: no final layers: %w", svcca.ErrShape)
	}
	r := &Recorder{o: o, d: Dynamics{Options: o.Options, Diagonal: o.Diagonal}}
	var err error
	if r.final, err = measure.PrepareAll(ctx, final, o.Options); err != nil {
		return nil, fmt.Errorf("dynamics: at the end: %w", err)
	}
	if o.Hold != 0 {
		measure.Hold(o.Hold, r.final...)
	}
	for _, m := range final {
		r.d.Layers = append(r.d.Layers, m.Name())
	}
	return r, nil
}

// Add compares the layers at a step with the final ones: the same layers in the same
// order, on the same datapoints. Steps increase. The layers are not read after it returns.
// A step with an error leaves nothing behind. The error names step and layer, and wraps
// what measure.Pane's may, svcca.ErrMismatch for another number of layers or
// svcca.ErrOptions for a step that is not later than the last.
func (r *Recorder) Add(ctx context.Context, step int, layers []conv.Maps) error {
	if last := len(r.d.Steps) - 1; last >= 0 && step <= r.d.Steps[last] {
		return fmt.Errorf("dynamics: step %d after step %d: steps must increase: %w", step, r.d.Steps[last], svcca.ErrOptions)
	}
	if len(layers) != len(r.final) {
		return fmt.Errorf("dynamics: step %d: %d layers, at the end %d: %w", step, len(layers), len(r.final), svcca.ErrMismatch)
	}
	compare := measure.Pane
	if r.o.Diagonal {
		compare = measure.Diagonal
	}
	var progress func(done, of int)
	if r.o.Progress != nil {
		progress = func(done, of int) { r.o.Progress(step, done, of) }
	}
	pane, err := compare(ctx, layers, r.final, progress)
	if err != nil {
		return fmt.Errorf("dynamics: step %d: %w", step, err)
	}
	r.d.Steps = append(r.d.Steps, step)
	r.d.Panes = append(r.d.Panes, pane)
	return nil
}

// Dynamics returns what was recorded so far. Steps that are added later do not change it.
func (r *Recorder) Dynamics() *Dynamics {
	d := r.d
	d.Steps, d.Panes = slices.Clone(d.Steps), slices.Clone(d.Panes)
	return &d
}
