package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/spf13/cobra"
)

// trainingFlags are the flags of commands that follow a network in training.
type trainingFlags struct {
	checkpointFlags
	optionFlags
	mapFlags
	selectFlags
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
	first     activation.Layer // that was opened, as its file has it
	places    int              // datapoints of that, or positions or tokens, as flags choose them
	positions int              // as they are compared
	images    int              // that these are of
	drop      []bool           // of places that are not masked; nil: none
	selection *selection
	told      bool  // how files are read
	whole     []int // layers of which --neurons takes all
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
	return append(paths, r.selectFlags.files(nil)...)
}

// pairOptions are what a comparison is told.
func (f *trainingFlags) pairOptions() conv.Options {
	return conv.Options{Options: f.options, LowPass: f.way == byLowPass, OffBlock: -1}
}

// checkSelection returns an error where flags of what is taken do not go together.
func (f *trainingFlags) checkSelection(cmd *cobra.Command) error {
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	return refuse(cmd, cmd.Name()+": all checkpoints hold the same datapoints in the same order", "ids")
}

// findNotFinite finds, where these are to be left out, the datapoints that have NaN or Inf
// in any layer of any checkpoint.
func (r *training) findNotFinite(ctx context.Context) error {
	if !bool(r.nonFinite) {
		return nil
	}
	var drop []bool
	for i, c := range r.run {
		r.bar.draw(float64(i)/float64(len(r.run)), func(time.Duration) string {
			return fmt.Sprintf("svcca: looking for NaN and Inf: step %d, %d of %s", c.step, i, plural(len(r.run), "step"))
		})
		n, err := r.open(ctx, c)
		if err != nil {
			return err
		}
		if drop == nil {
			count, _ := n.views[0].Dims()
			drop = make([]bool, count)
		}
		err = n.chosen.notFinite(ctx, drop)
		n.close()
		if err != nil {
			return err
		}
	}
	r.drop = drop
	return nil
}

// begin looks at the first network that is compared.
func (r *training) begin(ctx context.Context, n *network) error {
	if err := r.tellMaps(n); err != nil {
		return err
	}
	r.images, r.selection = n.images, n.chosen.told()
	r.positions, _ = n.views[0].Dims()
	if last := len(n.chosen.Steps) - 1; r.drop != nil {
		r.notice(n.chosen.Steps[last].words()) // as it was not known before
	}
	if err := r.describeSelection(ctx, &r.selectFlags, n.layers, n.files); err != nil {
		return err
	}
	return r.readWeights(ctx, n.chosen.rows, n.chosen.of)
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
	chosen       *choosing
	images       int // as training has it
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

// open opens the layers of a checkpoint, and selects from them as from those of all. The
// caller closes them.
func (r *training) open(ctx context.Context, c checkpoint) (*network, error) {
	n := &network{checkpoint: c}
	err := r.fill(ctx, n)
	if err == nil {
		err = r.choose(ctx, n)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// fill opens the files of a network, all or those before an error.
func (r *training) fill(ctx context.Context, n *network) error {
	for _, in := range n.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := in.open(opening{r.transpose, r.way != "", true})
		if err != nil {
			return err
		}
		n.files = append(n.files, l)
		if n, d := l.Dims(); n < 1 || d < 1 {
			return fmt.Errorf("%s holds %d datapoints × %d neurons: nothing to compare", shown(in.name), n, d)
		}
		if r.first != nil {
			if err := checkDatapoints(l, r.first, r.transpose); err != nil {
				return err
			}
		} else {
			r.first = l
		}
	}
	return nil
}

// choose selects from the layers of a network, and makes of them what is compared. Of the
// first it tells.
func (r *training) choose(ctx context.Context, n *network) error {
	say := r.notice
	if r.told {
		say = func(string) {}
	}
	c := &choosing{
		selectFlags: &r.selectFlags, maps: &r.mapFlags, inputs: n.layers, layers: slices.Clone(n.files), weighted: r.weights != "", whole: r.whole,
		say: say, bad: func(_ int, err error) error { return err },
	}
	n.chosen = c
	if err := c.choose(); err != nil {
		return err
	}
	n.images, _ = c.layers[0].Dims()
	if r.way == byPixels || r.way == byFlatten {
		for i, l := range c.layers {
			var err error
			if c.layers[i], err = r.view(l); err != nil {
				return err
			}
		}
	}
	if err := r.samePlaces(c.layers); err != nil {
		return err
	}
	if err := c.finish(ctx, true); err != nil { // NaN and Inf are sought in all networks first
		return err
	}
	if r.drop != nil {
		if err := c.leaveOut(r.drop); err != nil {
			return err
		}
	}
	n.views, r.told = c.layers, true
	for _, l := range n.views {
		m, err := r.maps(cancellable{l, ctx})
		if err != nil {
			return err
		}
		n.maps = append(n.maps, m)
	}
	return nil
}

// samePlaces returns an error where layers have other positions, or tokens, than the first
// that was opened.
func (r *training) samePlaces(layers []activation.Layer) error {
	for _, l := range layers {
		count, _ := l.Dims()
		if r.places == 0 {
			r.places = count
		}
		switch {
		case count == r.places:
		case r.way == byPixels:
			return fmt.Errorf("%s has %d positions, %s %d: pixels compares position by position; --conv dft takes maps of any sizes",
				shown(l.Name()), count, shown(r.first.Name()), r.places)
		default:
			return fmt.Errorf("%s has %s, %s %d: the same are needed in all checkpoints", shown(l.Name()), plural(count, r.unit()), shown(r.first.Name()), r.places)
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
