package main

import (
	"context"
	"fmt"
	"io"

	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/spf13/cobra"
)

// reportFlags are what report was told.
type reportFlags struct {
	matrixFlags
	orders    []string // layers of either network, or of both
	as        networkKind
	pattern   string
	against   string
	threshold float64
	logits    string
	classes   indices
}

func newReport() *cobra.Command {
	f := &reportFlags{}
	c := command(&cobra.Command{
		Use:   "report DIR -o OUT.html [flags]",
		Short: "Makes a page of a network or a training run",
		Long: `Makes a page of figures, tables and words, one file for any browser. DIR holds
a network's layers, or a training run's as of dynamics. See help selection.`,
		Example: `  svcca report net -o net.html --layers conv1,conv2,fc,logits --conv dft
  svcca report checkpoints --against other -o run.html -o run.json`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misusef("one directory is needed, %d given: %s", len(args), cmd.UseLine())
		}
		if err := f.check(cmd); err != nil {
			return err
		}
		return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "the page, `OUT`.html; numbers, OUT.json (required)")
	flags.StringArrayVar(&f.orders, "layers", nil, "`LAYERS` A,B,… from the input on (default: by name)")
	flags.TextVar(&f.as, "as", networkKind(""), "`WHAT` DIR is: network, training (default: by its look)")
	flags.StringVar(&f.pattern, "pattern", "", "`P`, as {step}_{layer}.npy (default: {step} directories)")
	flags.StringVar(&f.against, "against", "", "compare with the network in `DIR2` (default: none)")
	flags.StringVar(&f.logits, "logits", "", "`NAME` of the layer that holds them (default: logits)")
	flags.TextVar(&f.classes, "class", indices{}, "`CLASSES` 0,3,5:8, columns of logits (default: all)")
	flags.TextVar(&f.score, "score", score("mean"), "show `S`: mean, mean_square, …")
	flags.Float64Var(&f.threshold, "threshold", dynamics.DefaultThreshold, "a layer has converged from score `T` on")
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out files that cannot be used (default: fail)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// networkKind is a flag, --as: what layers are of. Empty: what it looks like.
type networkKind string

const (
	asNetwork  networkKind = "network"
	asTraining networkKind = "training"
)

// MarshalText returns the kind's name.
func (k networkKind) MarshalText() ([]byte, error) { return []byte(k), nil }

// UnmarshalText reads the name of a kind.
func (k *networkKind) UnmarshalText(text []byte) error {
	if kind := networkKind(text); kind == asNetwork || kind == asTraining {
		*k = kind
		return nil
	}
	return fmt.Errorf("network or training expected")
}

// check returns an error where flags do not go together.
func (f *reportFlags) check(cmd *cobra.Command) error {
	if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
		return err
	}
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	switch {
	case len(f.outputs) == 0:
		return misusef("-o OUT.html is needed: the page to write")
	case !(f.threshold > 0 && f.threshold <= 1):
		return misusef("--threshold %v: a similarity above 0, at most 1 expected", f.threshold)
	case f.pattern != "" && f.as == asNetwork:
		return misusef("--pattern is of a training run, and --as says network")
	case f.classes.file != "":
		return misusef("--class %s: classes are listed, as in 0,3", shown(f.classes.text))
	case len(f.orders) > 2 || len(f.orders) == 2 && f.against == "":
		return misusef("--layers is given %s: once for all, or once for DIR and once for --against DIR2, expected", plural(len(f.orders), "time"))
	}
	return nil
}

// reporting is a call of the command.
type reporting struct {
	*reportFlags
	stderr     io.Writer
	own, other *located // what DIR holds, and DIR2, or nil
	m          *matrix  // the network's layers at its last step, by these and those of the other
}

func (f *reportFlags) run(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	r := &reporting{reportFlags: f, stderr: stderr}
	if err := r.locate(dir); err != nil {
		return err
	}
	outputs, err := r.targets()
	if err != nil {
		return err
	}
	j, err := r.report(ctx)
	if err != nil {
		return choices(err, "report", r.arguments()...)
	}
	page, err := r.page(j)
	if err != nil {
		return err
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(page, j); err != nil {
			return err
		}
		r.m.notice(out.wrote())
	}
	return page.writeWords(stdout, localStyle())
}
