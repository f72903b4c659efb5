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
// Where there are feature maps, all must stay readable; else none is read again. The error
// names the final layer and wraps what measure.Prepare's may, or svcca.ErrShape where there
// is none.
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
	if err := r.later(step); err != nil {
		return err
	}
	if len(layers) != len(r.final) {
		return fmt.Errorf("dynamics: step %d: %d layers, at the end %d: %w", step, len(layers), len(r.final), svcca.ErrMismatch)
	}
	compare := measure.Pane
	if r.o.Diagonal {
		compare = measure.Diagonal
	}
	pane, err := compare(ctx, layers, r.final, r.progress(step))
	if err != nil {
		return fmt.Errorf("dynamics: step %d: %w", step, err)
	}
	r.d.Steps = append(r.d.Steps, step)
	r.d.Panes = append(r.d.Panes, pane)
	return nil
}

// AddFinal is Add of the final layers themselves, at their own step: what is held of them is
// not read again.
func (r *Recorder) AddFinal(ctx context.Context, step int) error {
	if err := r.later(step); err != nil {
		return err
	}
	of := len(r.final)
	if !r.o.Diagonal {
		of *= of
	}
	done, pane, progress := 0, make([][]*measure.Pair, len(r.final)), r.progress(step)
	for l, x := range r.final {
		pane[l] = make([]*measure.Pair, len(r.final))
		for m, y := range r.final {
			if r.o.Diagonal && l != m {
				continue
			}
			var err error
			if pane[l][m], err = x.Compare(ctx, y); err != nil {
				return fmt.Errorf("dynamics: step %d: layer %d of %d: with layer %d: %w", step, l+1, len(r.final), m+1, err)
			}
			if done++; progress != nil {
				progress(done, of)
			}
		}
	}
	r.d.Steps = append(r.d.Steps, step)
	r.d.Panes = append(r.d.Panes, pane)
	return nil
}

// Adjacent is measure.Adjacent of the final layers: what is held of them is not read again.
func (r *Recorder) Adjacent(ctx context.Context) (pairs []*measure.Pair, err error) {
	for l, after := range r.final[1:] {
		p, err := r.final[l].Compare(ctx, after)
		if err != nil {
			return nil, fmt.Errorf("dynamics: at the end: layer %d of %d with the next: %w", l+1, len(r.final), err)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// later returns an error for a step that is not.
func (r *Recorder) later(step int) error {
	if last := len(r.d.Steps) - 1; last >= 0 && step <= r.d.Steps[last] {
		return fmt.Errorf("dynamics: step %d after step %d: steps must increase: %w", step, r.d.Steps[last], svcca.ErrOptions)
	}
	return nil
}

// progress returns what is called after each comparison of a step, or nil.
func (r *Recorder) progress(step int) func(done, of int) {
	if r.o.Progress == nil {
		return nil
	}
	return func(done, of int) { r.o.Progress(step, done, of) }
}

// Dynamics returns what was recorded so far. Steps that are added later do not change it.
func (r *Recorder) Dynamics() *Dynamics {
	d := r.d
	d.Steps, d.Panes = slices.Clone(d.Steps), slices.Clone(d.Panes)
	return &d
}
