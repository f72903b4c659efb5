package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// compareFlags are what compare was told.
type compareFlags struct {
	optionFlags
	mapFlags
	selectFlags
	offBlock   offBlock
	memory     memory
	dryRun     bool
	json       bool
	directions string
	outputs    []string
	force      bool
	quiet      bool
}

func newCompare() *cobra.Command {
	f := &compareFlags{}
	c := command(&cobra.Command{
		Use:   "compare A.npy B.npy | PAIR.sums [flags]",
		Short: "Compares two layers",
		Long: `Compares two layers by SVCCA: of each a file of activations, datapoints ×
neurons, or one of a .npz or .safetensors, as x.npz:fc1, or shards, by a pattern
in quotes; or PAIR.sums, which svcca moments wrote. Row i of both is the same
input. Feature maps, of four dimensions, need --conv; of three, a token is a
row. svcca help selection: more flags, for rows, tokens, masks, ids, neurons.`,
		Example: `  svcca compare a/layer3.npy b/layer3.npy
  svcca compare a/conv1.npy b/conv1.npy --conv dft --layout nchw
  svcca compare 'a/fc1/part-*.npy' b.npz:fc1 --keep 'count(20)' --json > ab.json`,
		Args: twoFilesOrSums,
	}, func(cmd *cobra.Command, args []string) error {
		return f.run(cmd, args)
	})
	flags := c.Flags()
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.TextVar(&f.offBlock, "off-block", offBlock(0), "`N` images tell how invariant, or none (default: 1024)")
	flags.TextVar(&f.memory, "memory", memory(0), memoryHelp)
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what it would take and stop (default: work)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: text)")
	flags.StringVar(&f.directions, "directions", "", "to `OUT`.npz or .safetensors, for project (default: no)")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json, or ρ as svg, png, pdf (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.quiet, "quiet", false, "no warnings or notices on stderr (default: both)")
	outputIsOut(flags)
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
	if f.hashes && !f.json && f.directions == "" && len(f.outputs) == 0 {
		return misusef("--hashes is for what is written: --json, -o or --directions")
	}
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	work := f.layers
	if len(args) == 1 {
		work = f.sums
	}
	c, outputs, err := work(cmd, args)
	if err != nil || f.dryRun {
		return err
	}
	for _, out := range outputs {
		if err := out.write(ctx, c); err != nil {
			return err
		}
		f.notice(stderr, out.wrote(c))
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

// layers compares two layers on disk. It returns what to write too.
func (f *compareFlags) layers(cmd *cobra.Command, args []string) (*result, []compareOutput, error) {
	rows, err := openRows(args, opening{f.transpose, f.way != "", true})
	if err != nil {
		return nil, nil, choices(sumsHint(err, args), "compare", args...)
	}
	defer rows.close()
	say := func(text string) { f.notice(cmd.ErrOrStderr(), text) }
	chosen, err := rows.choose(&f.selectFlags, &f.mapFlags, f.transpose, f.weights != "", say)
	if err != nil {
		return nil, nil, err
	}
	if err := f.checkMaps(cmd, rows); err != nil {
		return nil, nil, err
	}
	images, _ := rows.layers[0].Dims()
	if f.way == byPixels || f.way == byFlatten {
		chosen.layers = make([]activation.Layer, len(rows.layers))
		for i, l := range rows.layers {
			if chosen.layers[i], err = f.view(l); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := chosen.finish(cmd.Context(), f.dryRun); err != nil {
		return nil, nil, err
	}
	if f.way.translates() {
		return f.translated(cmd, rows, chosen)
	}
	x, y := chosen.layers[0], chosen.layers[1]
	n, d := x.Dims()
	if f.way != byPixels {
		images = n
	}
	_, e := y.Dims()
	need := svcca.BetweenMemory(n, d, e, f.options)
	if f.weights != "" {
		need += 3 * 8 * int64(n) // √w of each layer too
	}
	if err := f.memory.allow("comparing "+plural(d, "neuron")+" with "+strconv.Itoa(e), need, fewer); err != nil {
		return nil, nil, err
	}
	if err := f.readWeights(cmd.Context(), chosen.rows, chosen.of); err != nil {
		return nil, nil, err
	}
	outputs, err := f.targets(append(rows.paths(), append(f.files(rows.inputs), f.weights)...)...)
	if err != nil {
		return nil, nil, err
	}
	if f.dryRun {
		return nil, nil, f.estimate(cmd.Context(), cmd.OutOrStdout(), rows, x, y)
	}
	limit := native.LimitThreads(1) // faster: goroutines share the work
	c, err := svcca.BetweenContext(cmd.Context(), x, y, f.options)
	limit()
	made, err := f.made(cmd.Context(), rows, err)
	if err != nil {
		return nil, nil, f.placed(cmd.Context(), err, chosen.layers, rows.inputs)
	}
	r := &result{Comparison: c, making: made, transposed: f.transpose, mapFlags: f.mapFlags, images: images, sizes: f.sizes(rows), selection: chosen.told()}
	r.warnMaps()
	return r, outputs, nil
}

// made describes what was compared, which ended with err, and makes sure that no file
// changed meanwhile.
func (f *compareFlags) made(ctx context.Context, rows *fileRows, err error) (making, error) {
	var inputs []inputJSON
	if err == nil {
		inputs, err = f.describeLayers(ctx, rows.inputs, rows.layers)
	}
	if err == nil {
		err = f.describeSelection(ctx, &f.selectFlags, rows.inputs, rows.layers)
	}
	if changed := rows.unchanged(); changed != nil {
		err = changed // and what else is wrong is no wonder
	}
	return f.making(ctx, inputs), err
}

// sums compares the layers of which a file holds the sums.
func (f *compareFlags) sums(cmd *cobra.Command, args []string) (*result, []compareOutput, error) {
	path := args[0]
	if err := refuse(cmd, "sums, which are of what they were made of", append(slices.Clone(selectNames), "precision", "solver", "weights", "transpose", "dry-run", "conv", "layout")...); err != nil {
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
	outputs, err := f.targets(path)
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
	if err != nil {
		return nil, nil, err
	}
	in, err := f.describe(cmd.Context(), path, path)
	made := f.making(cmd.Context(), []inputJSON{in})
	made.Parts = head.parts()
	return &result{Comparison: c, making: made}, outputs, err
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
	making
	*svcca.Comparison
	Selection *selection  `json:"selection,omitempty"`
	Backend   native.Info `json:"backend"`
}

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

const maxFinite = math.MaxFloat64
