package main

import (
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// selectFlags are the flags of what of the files is taken, alike from all, in the
// words that all commands share.
type selectFlags struct {
	ids        []string
	datapoints indices
	labels     string
	labelled   indices
	sample     int
	seed       uint64
	mask       string
	tokens     tokenRule
	neurons    indices
	nonFinite  nonFinite

	seeds  bool // the command draws something else by seed
	judges bool // the command has another use of labels
}

// selectNames are the flags' names.
var selectNames = []string{"ids", "datapoints", "labels", "labelled", "sample", "seed", "mask", "tokens", "neurons", "nonfinite"}

func (f *selectFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.ids, "ids", nil, "`FILE` for each layer, or one with * (default: no)")
	flags.TextVar(&f.datapoints, "datapoints", indices{}, "`A:B`, or as 0,5,7:9, or @FILE.npy (default: all)")
	flags.StringVar(&f.labels, "labels", "", "`FILE` of datapoints' classes, integers (default: no)")
	flags.TextVar(&f.labelled, "labelled", indices{}, "datapoints of these `CLASSES`, as 3,5:8 (default: all)")
	flags.IntVar(&f.sample, "sample", 0, "`N` datapoints drawn at random (default: all)")
	flags.Uint64Var(&f.seed, "seed", 0, "`S` of the sample: it draws the same again (default: 0)")
	flags.StringVar(&f.mask, "mask", "", "`FILE` in which 1 keeps, 0 leaves out (default: no)")
	flags.TextVar(&f.tokens, "tokens", tokenRule{}, "`RULE` each, mean or last")
	flags.TextVar(&f.neurons, "neurons", indices{}, "`A:B`, …; of maps channels (default: all)")
	flags.TextVar(&f.nonFinite, "nonfinite", nonFinite(false), "`DO` error, or drop rows with NaN or Inf")
}

// hide leaves the flags out of a command's help: svcca help selection has them.
func (f *selectFlags) hide(flags *pflag.FlagSet, but ...string) {
	for _, name := range selectNames {
		flags.Lookup(name).Hidden = !slices.Contains(but, name)
	}
}

// given reports whether any flag was that leaves something out.
func (f *selectFlags) given() bool {
	return len(f.ids) > 0 || f.datapoints.given() || f.labelled.given() || f.sample > 0 || f.mask != "" || f.neurons.given() || bool(f.nonFinite)
}

// check returns an error where flags do not go together.
func (f *selectFlags) check(cmd *cobra.Command, m *mapFlags) error {
	switch changed := cmd.Flags().Changed; {
	case f.labelled.given() && f.labels == "":
		return misusef("--labelled %s is of --labels FILE, which says of what class each datapoint is", shown(f.labelled.text))
	case f.labels != "" && !f.labelled.given() && !f.judges:
		return misusef("--labels is for --labelled, which says of what classes to take datapoints")
	case f.labelled.file != "":
		return misusef("--labelled %s: classes are listed, as in 3,7; --labels names the file of each datapoint's", shown(f.labelled.text))
	case changed("sample") && f.sample < 1:
		return misusef("--sample %d: 1 or more expected", f.sample)
	case changed("seed") && !changed("sample") && !f.seeds:
		return misusef("--seed is of --sample, which says how many datapoints to draw")
	case m.way != "" && f.tokens.given:
		return misusef("--tokens does not go with --conv, by which files of three dimensions are maps of height 1")
	}
	return nil
}

// nonFinite is a flag, --nonfinite: whether datapoints with NaN or Inf are dropped.
type nonFinite bool

// MarshalText returns "error" or "drop".
func (d nonFinite) MarshalText() ([]byte, error) {
	if d {
		return []byte("drop"), nil
	}
	return []byte("error"), nil
}

// UnmarshalText reads what MarshalText returns.
func (d *nonFinite) UnmarshalText(text []byte) error {
	switch string(text) {
	case "error", "drop":
		*d = string(text) == "drop"
		return nil
	}
	return fmt.Errorf("error or drop expected")
}

// tokenRule is a flag, --tokens.
type tokenRule struct {
	rule  activation.TokenRule
	given bool
}

// MarshalText returns the rule's name.
func (r tokenRule) MarshalText() ([]byte, error) { return []byte(r.rule.String()), nil }

// UnmarshalText reads the name of a rule.
func (r *tokenRule) UnmarshalText(text []byte) error {
	for _, rule := range []activation.TokenRule{activation.Each, activation.Mean, activation.Last} {
		if rule.String() == string(text) {
			*r = tokenRule{rule, true}
			return nil
		}
	}
	return fmt.Errorf("one of each, mean, last expected")
}

// tokenLayout is the layout of arrays of three dimensions that goes with one of four.
func tokenLayout(l conv.Layout) activation.TokenLayout {
	if l == conv.NCHW {
		return activation.NCT
	}
	return activation.NTD
}

// newSelection is a page of the help: the flags that commands share, and have no room
// for in theirs.
func newSelection() *cobra.Command {
	c := &cobra.Command{
		Use:   "selection",
		Short: "Flags that choose what of the files is compared",
		Example: `  svcca compare a.npy b.npy --ids a.txt --ids b.txt --sample 5000 --seed 1
  svcca compare a.npy b.npy --tokens mean --mask padding.npy --neurons 0:256`,
		Long: `compare, matrix, classes, report, moments take these flags; project and dims, of
one layer, dynamics and freeze, of a run, all but ids, compress all but neurons.
They apply alike to all layers and in this order: ids joins datapoints, in the
order of the first layer; of these datapoints, then labelled, then sample
choose; mask leaves out datapoints, tokens or, by --conv pixels, positions;
nonfinite drop what has NaN or Inf in any layer. classes and report take neurons
of all layers but the logits. Rows of --labels, --mask and --weights are those
of the first layer's file.

Files of three dimensions are examples × tokens × neurons (--layout ntd), or
examples × channels × time (nct), and each token a datapoint. With --conv they
are maps of height 1. ids, labels are a .npy or one a line; * stands for the
layer's path without its suffix. The same seed draws the same everywhere.`,
	}
	c.Flags().SortFlags = false
	new(selectFlags).register(c.Flags())
	return c
}
