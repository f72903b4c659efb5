package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// dynamicsFlags are what dynamics was told.
type dynamicsFlags struct {
	checkpointFlags
	optionFlags
	mapFlags
	score     score
	threshold float64
	outputs   []string
	panes     string
	log       bool // the axis of steps
	force     bool
	json      bool
	quiet     bool
}

func newDynamics() *cobra.Command {
	f := &dynamicsFlags{}
	c := command(&cobra.Command{
		Use:   "dynamics DIR [flags]",
		Short: "Follows layers over training",
		Long: `Compares each layer at each step of training with itself at the last, and tells
when it became that. DIR holds a directory or archive of layers for each step,
called step00010, epoch-3, …; else --pattern says where they are.`,
		Example: `  svcca dynamics checkpoints --layers conv1,conv2,fc -o curves.svg -o d.json
  svcca dynamics run1 --pattern '{step}_{layer}.npy' --score weighted`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misusef("one directory is needed, %d given: %s", len(args), cmd.UseLine())
		}
		if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
			return err
		}
		if !(f.threshold > 0 && f.threshold <= 1) {
			return misusef("--threshold %v: a similarity above 0, at most 1 expected", f.threshold)
		}
		if f.hashes && !f.json && len(f.outputs) == 0 && f.panes == "" {
			return misusef("--hashes is for what is written: --json, -o or --panes")
		}
		drawn := false
		for _, path := range f.outputs {
			_, err := figure.FormatOf(path)
			drawn = drawn || err == nil
		}
		if f.log && !drawn {
			return misusef("--log is for a picture of curves, as -o curves.svg")
		}
		return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.StringVar(&f.pattern, "pattern", "", "`P`, as {step}_{layer}.npy (default: {step} directories)")
	flags.StringSliceVar(&f.layers, "layers", nil, "`LAYERS` A,B,… from the input on (default: by name)")
	flags.TextVar(&f.score, "score", score("mean"), "show `S`: mean, mean_square, …")
	flags.Float64Var(&f.threshold, "threshold", dynamics.DefaultThreshold, "a layer has converged from score `T` on")
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json, csv, svg, png, pdf (default: no)")
	flags.StringVar(&f.panes, "panes", "", "all layers with all to `OUT`.svg, png, pdf (default: no)")
	flags.BoolVar(&f.log, "log", false, "draw steps by logarithm, without 0 (default: evenly)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "output" { // as some say
			name = "out"
		}
		return pflag.NormalizedName(name)
	})
	return c
}

// following is a call of the command.
type following struct {
	*dynamicsFlags
	dir    string
	stderr io.Writer
	run    []checkpoint
	names  []string // of layers
	bar    *progress

	inputs    []inputJSON
	positions int // datapoints as they are compared
	images    int // as files have them
	adjacent  []*measure.Pair
}

func (f *dynamicsFlags) run(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	r := &following{dynamicsFlags: f, dir: dir, stderr: stderr}
	var left int
	var err error
	if r.run, r.names, left, err = f.checkpoints(dir); err != nil {
		return err
	}
	outputs, err := r.targets()
	if err != nil {
		return err
	}
	if f.log && r.run[len(r.run)-1].step < 1 {
		return misusef("--log: there is no step above 0, and 0 has no logarithm")
	}
	r.notes(left)
	r.bar = newProgress(stderr, f.quiet)
	d, err := r.record(ctx)
	r.bar.clear()
	if err != nil {
		return choices(err, "dynamics", dir)
	}
	result, err := r.result(ctx, d)
	if err != nil {
		return err
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(result); err != nil {
			return err
		}
		r.notice(out.wrote())
	}
	if f.json {
		return writeJSON(stdout, result)
	}
	return writeDynamics(stdout, localStyle(), screenColumns(stdout), r, result)
}

// notes says what was made of the directory that it may not be meant to say.
func (r *following) notes(left int) {
	if left > 0 {
		r.notice(fmt.Sprintf("note: left out %s that %s of no step", plural(left, "layer"), isAre(left)))
	}
	if len(r.layers) == 0 && len(r.names) > 1 {
		r.notice("note: layers are in the order of their names; --layers says which are nearer to the input")
	}
}

// notice says something on standard error, where progress is not in its way.
func (r *following) notice(text string) {
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
func (f *dynamicsFlags) open(ctx context.Context, c checkpoint) (*network, error) {
	n := &network{checkpoint: c}
	if err := f.fill(ctx, n); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// fill opens the layers of a network, all or those before an error.
func (f *dynamicsFlags) fill(ctx context.Context, n *network) error {
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

// fits returns an error where a network's layers have other datapoints than the last one's first.
func (r *following) fits(n, last *network) error {
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

// record compares each checkpoint with the last, one open at a time beside it.
func (r *following) record(ctx context.Context) (*dynamics.Dynamics, error) {
	last, err := r.open(ctx, r.run[len(r.run)-1])
	if err != nil {
		return nil, err
	}
	defer last.close()
	r.images, _ = last.files[0].Dims()
	r.positions, _ = last.views[0].Dims()
	if err := r.fits(last, last); err != nil {
		return nil, err
	}
	if err := r.tellMaps(last); err != nil {
		return nil, err
	}
	if err := r.readWeights(ctx, r.positions, nil); err != nil {
		return nil, err
	}
	defer native.LimitThreads(1)() // faster: goroutines share the work
	of := conv.Options{Options: r.options, LowPass: r.way == byLowPass, OffBlock: -1}
	at := 0
	recorder, err := dynamics.New(ctx, last.maps, dynamics.Options{Options: of, Diagonal: r.panes == "", Progress: func(step, done, all int) {
		r.bar.draw(float64(at*all+done)/float64(all*len(r.run)), func(gone time.Duration) string {
			return fmt.Sprintf("svcca: step %d, %d of %s", step, at*all+done, plural(all*len(r.run), "pair"))
		})
	}})
	if err != nil {
		return nil, r.blamed(ctx, err, last)
	}
	for ; at < len(r.run); at++ {
		if err := r.add(ctx, recorder, r.run[at], last); err != nil {
			return nil, err
		}
	}
	r.adjacent, err = measure.Adjacent(ctx, last.maps, of)
	if err != nil {
		return nil, r.blamed(ctx, err, last)
	}
	d := recorder.Dynamics()
	d.Layers = r.names
	return d, last.unchanged()
}

// add records a checkpoint, which may be the last.
func (r *following) add(ctx context.Context, recorder *dynamics.Recorder, c checkpoint, last *network) (err error) {
	n := last
	if c.step != last.step {
		if n, err = r.open(ctx, c); err != nil {
			return err
		}
		defer n.close()
		if err := r.fits(n, last); err != nil {
			return err
		}
	}
	if err := recorder.Add(ctx, c.step, n.maps); err != nil {
		return r.blamed(ctx, err, n)
	}
	described, err := r.describeLayers(ctx, c.layers, n.files)
	if err != nil {
		return err
	}
	r.inputs = append(r.inputs, described...)
	return n.unchanged()
}

// blamed returns an error of a network by the place in its file. What changed meanwhile
// explains what else is wrong.
func (r *following) blamed(ctx context.Context, err error, n *network) error {
	if changed := n.unchanged(); changed != nil {
		return changed
	}
	return r.placed(ctx, err, n.views, n.layers)
}

// tellMaps makes sure that --conv goes with the layers, and says how it takes them.
func (r *following) tellMaps(n *network) error {
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

// curves returns the pairs of each layer over steps, as a pane of layers by steps.
func (r *following) curves(d *dynamicsJSON, steps []int) *scored {
	pane := &svcca.Pane{Options: r.options}
	s := &scored{Pane: pane, mapFlags: r.mapFlags, images: r.images}
	for _, t := range steps {
		pane.Columns = append(pane.Columns, svcca.Side{Name: strconv.Itoa(d.Steps[t])})
	}
	for l, name := range r.names {
		pane.Rows = append(pane.Rows, svcca.Side{Name: name, Datapoints: r.positions})
		var pairs []svcca.PairScores
		var told []translatedPair
		for _, t := range steps {
			p := d.Panes[t][l][l]
			pairs = append(pairs, p.PairScores)
			of := translatedPair{most: p.Chance}
			if !r.way.translates() { // else a mark is at chance itself, no deviation above it
				x, y := svcca.Side{Datapoints: r.positions, K: p.KX}, svcca.Side{Datapoints: r.positions, K: p.KY}
				of.deviation = svcca.ChanceDeviation(x, y, r.options.Centering)
			}
			told = append(told, of)
		}
		pane.Pairs, s.pairs = append(pane.Pairs, pairs), append(s.pairs, told)
	}
	return s
}
