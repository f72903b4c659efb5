package main

import (
	"context"
	"fmt"
	"io"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
)

// trainingFlags are the flags of commands that follow a network in training.
type trainingFlags struct {
	checkpointFlags
	optionFlags
	mapFlags
	score score
	force bool
	json  bool
	quiet bool
}

// training is a training run, as a command reads it.
type training struct {
	*trainingFlags
	dir    string
	stderr io.Writer
	run    []checkpoint
	names  []string // of layers
	bar    *progress

	inputs    []inputJSON
	positions int // datapoints as they are compared
	images    int // as files have them
}

// newTraining finds the layers of a run in a directory.
func newTraining(f *trainingFlags, dir string, stderr io.Writer) (r *training, left int, err error) {
	r = &training{trainingFlags: f, dir: dir, stderr: stderr}
	r.run, r.names, left, err = f.checkpoints(dir)
	return r, left, err
}

// paths are those of all layers.
func (r *training) paths() []string {
	paths := []string{}
	for _, c := range r.run {
		for _, in := range c.layers {
			paths = append(paths, in.paths...)
		}
	}
	if r.weights != "" {
		paths = append(paths, r.weights)
	}
	return paths
}

// pairOptions are what a comparison is told.
func (f *trainingFlags) pairOptions() conv.Options {
	return conv.Options{Options: f.options, LowPass: f.way == byLowPass, OffBlock: -1}
}

// begin looks at the first network that is opened, which others have to fit.
func (r *training) begin(ctx context.Context, n *network) error {
	r.images, _ = n.files[0].Dims()
	r.positions, _ = n.views[0].Dims()
	if err := r.fits(n, n); err != nil {
		return err
	}
	if err := r.tellMaps(n); err != nil {
		return err
	}
	return r.readWeights(ctx, r.positions, nil)
}

// describe notes what was read of a network, and makes sure that it has not changed.
func (r *training) describe(ctx context.Context, n *network) error {
	described, err := r.describeLayers(ctx, n.layers, n.files)
	if err != nil {
		return err
	}
	r.inputs = append(r.inputs, described...)
	return n.unchanged()
}

// notes says what was made of the directory that it may not be meant to say.
func (r *training) notes(left int) {
	if left > 0 {
		r.notice(fmt.Sprintf("note: left out %s that %s of no step", plural(left, "layer"), isAre(left)))
	}
	if len(r.layers) == 0 && len(r.names) > 1 {
		r.notice("note: layers are in the order of their names; --layers says which are nearer to the input")
	}
}

// notice says something on standard error, where progress is not in its way.
func (r *training) notice(text string) {
	if !r.quiet {
		if r.bar != nil {
			r.bar.clear()
		}
		complain(r.stderr, text)
	}
}

// network is a checkpoint that is open.
type network struct {
	checkpoint
	files, views []activation.Layer // as stored, and as they are compared
	maps         []conv.Maps
}

func (n *network) close() {
	for _, f := range n.files {
		f.Close()
	}
}

// unchanged returns an error where a file is not what it was when opened.
func (n *network) unchanged() error {
	for _, f := range n.files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}

// open opens the layers of a checkpoint. The caller closes them.
func (f *trainingFlags) open(ctx context.Context, c checkpoint) (*network, error) {
	n := &network{checkpoint: c}
	if err := f.fill(ctx, n); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// fill opens the layers of a network, all or those before an error.
func (f *trainingFlags) fill(ctx context.Context, n *network) error {
	for _, in := range n.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := in.open(opening{f.transpose, f.way != "", f.way != ""})
		if err != nil {
			return err
		}
		n.files = append(n.files, l)
		if n, d := l.Dims(); n < 1 || d < 1 {
			return fmt.Errorf("%s holds %d datapoints × %d neurons: nothing to compare", shown(in.name), n, d)
		}
		if len(l.Shape()) == 3 {
			l = newStrip(l, f.layout)
		}
		if f.way == byPixels || f.way == byFlatten {
			if l, err = f.view(l); err != nil {
				return err
			}
		}
		n.views = append(n.views, l)
		m, err := f.maps(cancellable{l, ctx})
		if err != nil {
			return err
		}
		n.maps = append(n.maps, m)
	}
	return nil
}

// fits returns an error where a network's layers have other datapoints than the first of
// the network that was opened first.
func (r *training) fits(n, last *network) error {
	for i := range n.files {
		if err := checkDatapoints(n.files[i], last.files[0], r.transpose); err != nil {
			return err
		}
		if a, _ := n.views[i].Dims(); a != r.positions {
			return fmt.Errorf("%s has %d positions, %s %d: pixels compares position by position; --conv dft takes maps of any sizes",
				shown(n.files[i].Name()), a, shown(last.files[0].Name()), r.positions)
		}
	}
	return nil
}

// blamed returns an error of a network by the place in its file. What changed meanwhile
// explains what else is wrong.
func (r *training) blamed(ctx context.Context, err error, n *network) error {
	if changed := n.unchanged(); changed != nil {
		return changed
	}
	return r.placed(ctx, err, n.views, n.layers)
}

// tellMaps makes sure that --conv goes with the layers, and says how it takes them.
func (r *training) tellMaps(n *network) error {
	if r.way == "" {
		return nil
	}
	told := 0
	for _, l := range n.files {
		if shape := l.Shape(); len(shape) == 3 {
			l = newStrip(l, r.layout)
		}
		if isMaps(l) {
			if told++; told <= mostNotices {
				r.notice(r.assumed(l))
			}
		}
	}
	switch {
	case told == 0:
		return misusef("no layer holds feature maps, which have 4 dimensions: leave out --conv %s", r.way)
	case told > mostNotices:
		r.notice(fmt.Sprintf("and %d more layers of feature maps (%v)", told-mostNotices, r.layout))
	}
	return nil
}
