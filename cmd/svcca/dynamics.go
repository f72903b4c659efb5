package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/spf13/cobra"
)

// dynamicsFlags are what dynamics was told.
type dynamicsFlags struct {
	trainingFlags
	threshold float64
	outputs   []string
	panes     string
	threads   int
	log       bool // the axis of steps
}

func newDynamics() *cobra.Command {
	f := &dynamicsFlags{}
	c := command(&cobra.Command{
		Use:   "dynamics DIR [flags]",
		Short: "Follows layers over training",
		Long: `Compares each layer at each step of training with itself at the last, and tells
when it became that. DIR holds a directory or archive of layers for each step,
called step00010, epoch-3, …, or see --pattern. See help selection, too.`,
		Example: `  svcca dynamics checkpoints --layers conv1,conv2,fc -o curves.svg -o d.json
  svcca dynamics run1 --pattern '{step}_{layer}.npy' --score weighted`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misusef("one directory is needed, %d given: %s", len(args), cmd.UseLine())
		}
		if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
			return err
		}
		if err := f.checkSelection(cmd); err != nil {
			return err
		}
		if !(f.threshold > 0 && f.threshold <= 1) {
			return misusef("--threshold %v: a similarity above 0, at most 1 expected", f.threshold)
		}
		if f.threads < 0 {
			return misusef("--threads %d: 1 or more expected", f.threads)
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
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.IntVar(&f.threads, "threads", 0, "work on `N` at once (default: a processor each)")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json, csv, svg, png, pdf (default: no)")
	flags.StringVar(&f.panes, "panes", "", "all layers with all to `OUT`.svg, png, pdf (default: no)")
	flags.BoolVar(&f.log, "log", false, "draw steps by logarithm, without 0 (default: evenly)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// following is a call of the command.
type following struct {
	*training
	of       *dynamicsFlags
	all      bool // pairs, not only those of a layer with its own end
	adjacent []*measure.Pair
}

func (f *dynamicsFlags) run(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	run, left, err := newTraining(&f.trainingFlags, dir, stderr)
	if err != nil {
		return err
	}
	r := &following{training: run, of: f, all: f.panes != ""}
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
		return choices(goWithout(err), "dynamics", dir)
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

// record compares each checkpoint with the last, one open at a time beside it.
func (r *following) record(ctx context.Context) (*dynamics.Dynamics, error) {
	defer workers(r.of.threads)()
	if err := r.findNotFinite(ctx); err != nil {
		return nil, err
	}
	last, err := r.open(ctx, r.run[len(r.run)-1])
	if err != nil {
		return nil, err
	}
	defer last.close()
	if err := r.begin(ctx, last); err != nil {
		return nil, err
	}
	at := 0
	recorder, err := dynamics.New(ctx, last.maps, dynamics.Options{Options: r.pairOptions(), Diagonal: !r.all, Progress: func(step, done, all int) {
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
	if r.adjacent, err = recorder.Adjacent(ctx); err != nil {
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
	}
	if c.step == last.step {
		err = recorder.AddFinal(ctx, c.step)
	} else {
		err = recorder.Add(ctx, c.step, n.maps)
	}
	if err != nil {
		return r.blamed(ctx, err, n)
	}
	return r.describe(ctx, n)
}

// curves returns the pairs of each layer over steps, as a pane of layers by steps.
func (r *following) curves(d *dynamicsJSON, steps []int) *scored {
	pane := &svcca.Pane{Options: r.options}
	s := &scored{Pane: pane, mapFlags: r.mapFlags, images: r.images, selection: r.selection}
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
