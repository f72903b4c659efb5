package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// compareFlags are what compare was told.
type compareFlags struct {
	optionFlags
	mapFlags
	offBlock   offBlock
	memory     memory
	dryRun     bool
	json       bool
	directions string
	force      bool
	quiet      bool
}

func newCompare() *cobra.Command {
	f := &compareFlags{}
	c := command(&cobra.Command{
		Use:   "compare A.npy B.npy | PAIR.sums [flags]",
		Short: "Compares two layers",
		Long: `Compares two layers by SVCCA. Each file holds a layer's activations,
datapoints × neurons, floating point, written by numpy.save. Row i of both is
the same input. A pattern in quotes is one layer in shards. Files may be larger
than memory. PAIR.sums holds sums of both layers, which svcca moments wrote.
Feature maps, images × 3 dimensions, need --conv; dft and flatten compare them
with layers of two dimensions too.`,
		Example: `  svcca compare a/layer3.npy b/layer3.npy
  svcca compare a/conv1.npy b/conv1.npy --conv dft --layout nchw
  svcca compare 'a/layer3/part-*.npy' b.npy --keep 'count(20)' --json > ab.json`,
		Args: twoFilesOrSums,
	}, func(cmd *cobra.Command, args []string) error {
		return f.run(cmd, args)
	})
	flags := c.Flags()
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	flags.TextVar(&f.offBlock, "off-block", offBlock(0), "`N` images tell how invariant, or none (default: 1024)")
	flags.TextVar(&f.memory, "memory", memory(0), memoryHelp)
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what it would take and stop (default: work)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: text)")
	flags.StringVar(&f.directions, "directions", "", "save directions to `OUT`.npz for project (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT.npz (default: refuse)")
	flags.BoolVar(&f.quiet, "quiet", false, "no warnings or notices on stderr (default: both)")
	return c
}

// twoFilesOrSums is an error where there are neither two arguments nor one, which
// is no layer.
func twoFilesOrSums(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && !holdsArrays(args[0]) {
		return nil
	}
	return twoFiles(cmd, args)
}

func (f *compareFlags) run(cmd *cobra.Command, args []string) error {
	ctx, stdout, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
		return err
	}
	work := f.layers
	if len(args) == 1 {
		work = f.sums
	}
	c, out, err := work(cmd, args)
	if err != nil || f.dryRun {
		return err
	}
	if out != nil {
		what := "the aligned directions of both layers"
		err := out.write(func(w io.Writer) error {
			if c.conv != nil {
				what = "the aligned directions of both layers as spatial filters"
				return writeFilters(ctx, w, c.conv)
			}
			return writeDirections(ctx, w, c.Comparison)
		})
		if err != nil {
			return err
		}
		f.notice(stderr, "wrote "+shown(out.path)+": "+what)
	}
	if !f.json {
		return writeReport(stdout, localStyle(), c)
	}
	for _, w := range c.Warnings {
		f.notice(stderr, "warning: "+w.Text)
	}
	return writeJSON(stdout, c.json())
}

// fewer is how to need less memory, said where there is too little.
const fewer = "layers of fewer neurons need less"

// layers compares two layers on disk. It returns where to write directions too.
func (f *compareFlags) layers(cmd *cobra.Command, args []string) (*result, *target, error) {
	rows, err := openRows(args, opening{f.transpose, f.way != ""})
	if err != nil {
		return nil, nil, choices(sumsHint(err, args), "compare", args...)
	}
	defer rows.close()
	if err := f.checkMaps(cmd, rows); err != nil {
		return nil, nil, err
	}
	if f.way.translates() {
		return f.translated(cmd, rows)
	}
	var x, y svcca.Layer = rows.layers[0], rows.layers[1]
	images, _ := x.Dims()
	if f.way != "" {
		if x, err = f.view(rows.layers[0]); err != nil {
			return nil, nil, err
		}
		if y, err = f.view(rows.layers[1]); err != nil {
			return nil, nil, err
		}
	}
	n, d := x.Dims()
	_, e := y.Dims()
	need := svcca.BetweenMemory(n, d, e, f.options)
	if f.weights != "" {
		need += 3 * 8 * int64(n) // √w of each layer too
	}
	if err := f.memory.allow("comparing "+plural(d, "neuron")+" with "+strconv.Itoa(e), need, fewer); err != nil {
		return nil, nil, err
	}
	if err := f.readWeights(images); err != nil {
		return nil, nil, err
	}
	f.options.Weights = f.spread(f.options.Weights, rows.layers[0])
	out, err := f.target(append(slices.Concat(rows.inputs[0].paths, rows.inputs[1].paths), f.weights)...)
	if err != nil {
		return nil, nil, err
	}
	if f.dryRun {
		return nil, nil, f.estimate(cmd.Context(), cmd.OutOrStdout(), rows, x, y)
	}
	limit := native.LimitThreads(1) // faster: goroutines share the work
	c, err := svcca.BetweenContext(cmd.Context(), x, y, f.options)
	limit()
	if changed := rows.unchanged(); changed != nil {
		err = changed // and what else is wrong is no wonder
	}
	if err != nil {
		return nil, nil, f.placed(err, rows.layers, rows.inputs)
	}
	r := &result{Comparison: c, transposed: f.transpose, mapFlags: f.mapFlags, images: images, sizes: f.sizes(rows)}
	r.warnMaps()
	return r, out, nil
}

// sums compares the layers of which a file holds the sums.
func (f *compareFlags) sums(cmd *cobra.Command, args []string) (*result, *target, error) {
	path := args[0]
	if err := refuse(cmd, "sums, which are of what they were made of", "precision", "solver", "weights", "transpose", "dry-run", "conv", "layout"); err != nil {
		return nil, nil, err
	}
	s, head, _, err := readSums(path, f.memory)
	if err != nil {
		return nil, nil, err
	}
	pair, is := s.of.(*svcca.Pair)
	if !is {
		return nil, nil, fmt.Errorf("%s holds %s: those of a pair are needed, which svcca moments makes of two", shown(path), s.kind())
	}
	n, d, e := pair.Dims()
	exact := f.options
	exact.Solver = svcca.Exact // as all that is reduced from sums
	if err := f.memory.allow("comparing "+plural(d, "neuron")+" with "+strconv.Itoa(e), svcca.BetweenMemory(n, d, e, exact), fewer); err != nil {
		return nil, nil, err
	}
	out, err := f.target(path)
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Context().Err(); err != nil {
		return nil, nil, err
	}
	c, err := pair.Compare(f.options)
	if err == nil && head.weighted() {
		c.Options.Weights = []float64{} // there were some, and they are gone
	}
	return &result{Comparison: c}, out, err
}

// target returns where directions go, nil for nowhere.
func (f *compareFlags) target(inputs ...string) (*target, error) {
	if f.directions == "" {
		return nil, nil
	}
	return newTarget(f.directions, f.force, inputs...)
}

// sumsHint adds to the error of a file that is no layer what to do with sums.
func sumsHint(err error, paths []string) error {
	for _, path := range paths {
		if beginsWith(path, sumsMagic) {
			return fmt.Errorf("%s holds sums: of a pair they are compared alone, svcca compare %s; sums of one layer each do not tell what two have in common", shown(path), shown(path))
		}
	}
	return err
}

func (f *compareFlags) notice(stderr io.Writer, text string) {
	if !f.quiet {
		complain(stderr, text)
	}
}

// comparisonJSON is the contract: svcca.Comparison between a head and a foot.
type comparisonJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	*svcca.Comparison
	Backend native.Info `json:"backend"`
}

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

const maxFinite = math.MaxFloat64
