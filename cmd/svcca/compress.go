package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/spf13/cobra"
)

// compressFlags are what compress was told.
type compressFlags struct {
	optionFlags
	selectFlags
	mapFlags // which has no flags here: maps are neurons
	answerFlags
	input   string
	order   []string
	layers  []string
	against []string
	size    sizes
	from    origin
	test    indices
	outputs []string
	force   bool
	json    bool
	quiet   bool
}

func newCompress() *cobra.Command {
	f := &compressFlags{}
	c := command(&cobra.Command{
		Use:   "compress WEIGHTS --inputs FILE --layers A,B,… [flags]",
		Short: "Makes layers of a network smaller",
		Long: `Puts two narrow layers in place of one, by directions that its input shares
with another network's, or with the outputs. WEIGHTS: a directory or archive of
NAME_w, in × out, and NAME_b, or PyTorch's NAME.weight. See help selection.`,
		Example: `  svcca compress a --inputs x.npy --layers fc2 --size 'parameters(0.35)' -o s/
  svcca compress a --inputs x.npy --layers fc2 --size 'neurons(.1,.2)' -o s.svg`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misusef("one directory or archive of weights is needed, %d given: %s", len(args), cmd.UseLine())
		}
		if err := f.check(cmd); err != nil {
			return err
		}
		return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.StringVar(&f.input, "inputs", "", "`FILE` of what the first layer takes (required)")
	flags.StringSliceVar(&f.order, "order", nil, "`LAYERS` A,B,… of the network (default: by name)")
	flags.StringSliceVar(&f.layers, "layers", nil, "`LAYERS` A,B,… to compress (required)")
	flags.StringSliceVar(&f.against, "against", nil, "`B`, another network's layers (default: own outputs)")
	flags.Var(&f.size, "size", "parameters(f) or neurons(f), (f,g,…) (default: all)")
	flags.TextVar(&f.from, "from", origin(compress.FromCompressed), "`NET` of directions: original")
	f.optionFlags.register(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags, "labels")
	f.answerFlags.register(flags, &f.selectFlags)
	flags.TextVar(&f.test, "test", indices{}, "judge on rows `A:B`, or @FILE.npy, too (default: no)")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`/ the weights; json, csv, svg, … (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, notices on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// check returns an error where flags do not go together, or are missing.
func (f *compressFlags) check(cmd *cobra.Command) error {
	if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
		return err
	}
	f.selectFlags.judges = true
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	if err := refuse(cmd, "compress: a network takes all", "neurons"); err != nil {
		return err
	}
	if err := f.answerFlags.check(); err != nil {
		return err
	}
	switch {
	case f.input == "":
		return misusef("--inputs FILE is needed: the activations that the first layer takes")
	case len(f.layers) == 0:
		return misusef("--layers A,B,… is needed: the layers to compress, from the input on")
	case f.hashes && !f.json && len(f.outputs) == 0:
		return misusef("--hashes is for what is written: --json or -o")
	}
	if slices.Contains(f.outputs, "-") {
		return misusef("-o -: weights are several files, a directory or an archive of them: give it a name")
	}
	if len(f.size) == 0 {
		f.size = sizes{compress.Size{}}
	}
	for _, path := range f.outputs {
		_, err := figure.FormatOf(path)
		switch {
		case err == nil && len(f.size) == 1:
			return misusef("-o %s: a picture is of several sizes, as by --size 'parameters(0.1,0.2,0.35)'", shown(path))
		case isNetwork(path) && len(f.size) > 1:
			return misusef("-o %s: weights are written for one --size, %d are given", shown(path), len(f.size))
		}
	}
	return nil
}

// isNetwork reports whether an output is of weights: a directory or an archive.
func isNetwork(path string) bool {
	suffix := suffixOf(path)
	return isDirectory(path) || suffix == ".npz" || suffix == safetensorsSuffix
}

func isDirectory(path string) bool {
	return filepath.Ext(path) == "" || os.IsPathSeparator(path[len(path)-1])
}

// compressing is a call of the command.
type compressing struct {
	*compressFlags
	where  string
	stderr io.Writer
	dense  []denseLayer
	naming denseNaming
	at     []int // of dense: those to compress

	inputs []input // what the network takes, then what directions are against
	files  []activation.Layer
	result *compressJSON
	bar    *progress
}

func (f *compressFlags) run(ctx context.Context, where string, stdout, stderr io.Writer) error {
	c := &compressing{compressFlags: f, where: where, stderr: stderr}
	if err := c.find(); err != nil {
		return err
	}
	outputs, err := c.targets()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.open(ctx); err != nil {
		return err
	}
	sets, against, err := c.read(ctx)
	if err != nil {
		return err
	}
	c.bar = newProgress(stderr, f.quiet)
	networks, err := c.compress(ctx, sets, against)
	c.bar.clear()
	if err == nil {
		err = c.made(ctx)
	}
	for _, l := range c.files {
		if changed := l.Unchanged(); changed != nil {
			return changed // and what else is wrong is no wonder
		}
	}
	if err != nil {
		return err
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(ctx, c, networks); err != nil {
			return err
		}
		c.notice(out.wrote())
	}
	if f.json {
		err = writeJSON(stdout, c.result)
	} else {
		err = writeCompressed(stdout, localStyle(), screenColumns(stdout), c.result)
	}
	if err == nil {
		for _, w := range c.result.Warnings {
			c.notice("warning: " + w.Text)
		}
	}
	return err
}

func (c *compressing) notice(text string) {
	if !c.quiet {
		if c.bar != nil {
			c.bar.clear()
		}
		complain(c.stderr, text)
	}
}

func (c *compressing) close() {
	for _, l := range c.files {
		l.Close()
	}
}

// find finds the network's layers, those to compress, and what they are compressed
// against.
func (c *compressing) find() (err error) {
	if c.dense, c.naming, err = findDense(c.where, c.order); err != nil {
		return err
	}
	var names []string
	for _, l := range c.dense {
		names = append(names, l.name)
	}
	for i, name := range c.layers {
		at := slices.Index(names, name)
		switch {
		case at < 0:
			near := "there are " + strings.Join(names, ", ")
			if n := nearest(name, names); n != "" {
				near = "did you mean " + n + "?"
			}
			return misusef("--layers %s: the network has no layer of that name: %s", shown(name), near)
		case i > 0 && at <= c.at[i-1]:
			return misusef("--layers: %s is not behind %s: from the input on, each once", shown(name), shown(c.layers[i-1]))
		}
		c.at = append(c.at, at)
	}
	in, err := oneLayer(c.input)
	if err != nil {
		return err
	}
	c.inputs = []input{in}
	against, err := c.others()
	if err != nil {
		return err
	}
	for _, path := range against {
		in, err := oneLayer(path)
		if err != nil {
			return err
		}
		c.inputs = append(c.inputs, in)
	}
	return nil
}

// others are the files that directions are against, one for each layer to compress: of
// another network in a directory or an archive the layers before these.
func (c *compressing) others() (paths []string, err error) {
	if len(c.against) == 0 {
		return nil, nil
	}
	first := c.against[0]
	if arrays, err := arraysIn(first); err == nil && len(c.against) == 1 {
		for i, at := range c.at {
			if at == 0 {
				return nil, misusef("--against %s: %s takes the network's inputs, which are no layer: name a file for each of --layers, --against A,B,…", shown(first), shown(c.layers[i]))
			}
			name := c.dense[at-1].name
			path, is := arrays[name]
			if !is {
				return nil, fmt.Errorf("%s has no %s, which enters %s: name a file for each of --layers, --against A,B,…", shown(first), shown(name), shown(c.layers[i]))
			}
			paths = append(paths, path)
		}
		return paths, nil
	}
	if len(c.against) == 1 {
		return slices.Repeat(c.against, len(c.at)), nil
	}
	if len(c.against) != len(c.at) {
		return nil, misusef("--against names %d files, --layers %d layers: one for each, or one for all", len(c.against), len(c.at))
	}
	return c.against, nil
}

// open opens what the network takes and what directions are against.
func (c *compressing) open(ctx context.Context) error {
	for _, in := range c.inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := in.open(opening{c.transpose, true, true})
		if err != nil {
			return err
		}
		c.files = append(c.files, l)
		if n, d := l.Dims(); n < 1 || d < 1 {
			return fmt.Errorf("%s holds %d datapoints × %d neurons: there is nothing in it", shown(in.name), n, d)
		}
		if len(c.ids) == 0 {
			if err := checkDatapoints(l, c.files[0], c.transpose); err != nil {
				return err
			}
		}
		if isMaps(l) {
			_, d := l.Dims()
			c.notice(fmt.Sprintf("%s: each of %s an image is a neuron, in the order of the file", shown(in.name), plural(d, "value")))
		}
	}
	return nil
}

// judged are rows that networks are judged on.
type judged struct {
	name  string
	layer activation.Layer
	right *answers
}

// read selects rows and reads the network. The first of sets are the rows that directions
// come from; layers are those against them.
func (c *compressing) read(ctx context.Context) (sets []judged, against []activation.Layer, err error) {
	chosen := c.choosing(&c.selectFlags, c.inputs, c.files)
	if err := chosen.choose(); err != nil {
		return nil, nil, err
	}
	_, width := chosen.layers[0].Dims()
	if err := loadDense(ctx, &c.describer, "network", c.dense, width, c.inputs[0].name); err != nil {
		return nil, nil, err
	}
	for _, note := range assumedDense(c.dense, c.order != nil) {
		c.notice(note)
	}
	last := c.dense[len(c.dense)-1]
	n, _ := c.files[0].Dims()
	right, err := c.answerFlags.read(ctx, &c.describer, c.inputs[0].name, n, last.Weights.Cols)
	if err != nil {
		return nil, nil, err
	}
	if err := chosen.finish(ctx, false); err != nil {
		return nil, nil, err
	}
	if err := c.readWeights(ctx, chosen.rows, chosen.of); err != nil {
		return nil, nil, err
	}
	c.result = &compressJSON{
		Schema: "svcca.compress/1", Version: version(), Measure: right.measure, Selection: chosen.told(), Warnings: []svcca.Warning{}, Backend: native.Describe(),
		Options: compressOptions{c.from, c.options}, unit: c.mapFlags.unit(),
	}
	sets = append(sets, judged{"", chosen.layers[0], right.take(chosen.of)})
	if c.test.given() {
		if _, err := c.test.of(n, "test", "datapoint", c.inputs[0].name); err != nil {
			return nil, nil, err
		}
		of := c.selectFlags
		of.ids, of.datapoints, of.sample = nil, c.test, 0
		tested := c.choosing(&of, c.inputs[:1], c.files[:1])
		tested.say = func(string) {} // it was said
		if err := tested.choose(); err != nil {
			return nil, nil, err
		}
		if err := tested.finish(ctx, false); err != nil {
			return nil, nil, err
		}
		if both := common(n, chosen.of, tested.of); both > 0 {
			c.notice(fmt.Sprintf("note: %d of %s of --test are among those that directions come from; --datapoints says which these are", both, plural(countOf(n, tested.of), "row")))
		}
		sets = append(sets, judged{"test", tested.layers[0], right.take(tested.of)})
	}
	return sets, chosen.layers[1:], nil
}

// countOf is how many of n rows were chosen; nil are all.
func countOf(n int, rows []int) int {
	if rows == nil {
		return n
	}
	return len(rows)
}

// common is how many of n rows were chosen both times.
func common(n int, first, second []int) int {
	switch {
	case first == nil:
		return countOf(n, second)
	case second == nil:
		return len(first)
	}
	chosen, both := map[int]bool{}, 0
	for _, row := range first {
		chosen[row] = true
	}
	for _, row := range second {
		if chosen[row] {
			both++
		}
	}
	return both
}

func (c *compressing) choosing(of *selectFlags, inputs []input, files []activation.Layer) *choosing {
	return &choosing{selectFlags: of, maps: &c.mapFlags, inputs: inputs, layers: slices.Clone(files), weighted: c.weights != "" || c.answerFlags.given(),
		say: c.notice, bad: func(_ int, err error) error { return err }}
}

// compress makes a network of each size, and judges it.
func (c *compressing) compress(ctx context.Context, sets []judged, against []activation.Layer) (networks [][]*compress.Compressed, err error) {
	var affine []compress.Affine
	for _, l := range c.dense {
		affine = append(affine, l.Affine)
		c.result.Network = append(c.result.Network, denseJSON{l.name, l.Weights.Rows, l.Weights.Cols})
	}
	defer native.LimitThreads(1)() // faster: goroutines share the work
	inputs := cancellable{sets[0].layer, ctx}
	n, _ := inputs.Dims()
	whole, err := compress.NewMLP(inputs, affine...)
	if err != nil {
		return nil, err
	}
	c.result.Before.Cost = whole.Cost()
	full := make([]lapack.Matrix[float64], len(sets))
	for i, s := range sets {
		if full[i], err = whole.Outputs(cancellable{s.layer, ctx}); err != nil {
			return nil, c.placed(ctx, err, []activation.Layer{s.layer}, c.inputs[:1])
		}
	}
	if c.result.Before.Judged, err = judgeAll(sets, full, full); err != nil {
		return nil, err
	}
	var others []svcca.Layer
	for i := range c.at {
		if len(against) > 0 {
			others = append(others, cancellable{against[i], ctx})
		} else {
			others = append(others, svcca.FromSlice("the network's outputs", full[0].Data, full[0].Rows, full[0].Cols))
		}
	}
	told := map[string]bool{}
	for i, size := range c.size {
		network, err := compress.NewMLP(inputs, affine...)
		if err != nil {
			return nil, err
		}
		done := 0
		watched := &watchedNetwork{network, func() {
			c.bar.draw(float64(i*len(c.at)+done)/float64(len(c.size)*len(c.at)), func(time.Duration) string {
				return fmt.Sprintf("svcca: %v, %d of %s", size, done, plural(len(c.at), "layer"))
			})
			done++
		}}
		var small []*compress.Compressed
		if alone := len(c.at) == 1 || compress.From(c.from) == compress.FromOriginal; i > 0 && alone {
			small, err = c.resized(network, networks[0], size)
		} else {
			small, err = compress.InTurn(ctx, watched, c.at, others, compress.From(c.from), compress.Options{Options: c.options, Size: size})
		}
		if err != nil {
			return nil, c.placed(ctx, err, append([]activation.Layer{sets[0].layer}, against...), c.inputs)
		}
		networks = append(networks, small)
		after := make([]lapack.Matrix[float64], len(sets))
		for i, s := range sets {
			if after[i], err = network.Outputs(cancellable{s.layer, ctx}); err != nil {
				return nil, err
			}
		}
		of := compressedJSON{Size: size, state: state{Cost: network.Cost()}}
		if of.Judged, err = judgeAll(sets, after, full); err != nil {
			return nil, err
		}
		for j, z := range small {
			l := compressedLayer{Name: c.layers[j], Against: z.Comparison.Y.Name, KX: z.Comparison.X.K, KY: z.Comparison.Y.K, Compressed: z}
			of.Layers = append(of.Layers, l)
			for _, w := range z.Comparison.Warnings {
				if w.Text = l.Name + ": " + w.Text; !told[w.Text] {
					c.result.Warnings = append(c.result.Warnings, w)
				}
				told[w.Text] = true
			}
		}
		c.result.Sizes = append(c.result.Sizes, of)
	}
	c.result.Datapoints = n
	return networks, nil
}

// resized puts layers of another size into a network, by the directions of others that do not
// hang on it.
func (c *compressing) resized(network *compress.MLP, others []*compress.Compressed, size compress.Size) (small []*compress.Compressed, err error) {
	for j, at := range c.at {
		z, err := compress.Of(others[j].Comparison, c.dense[at].Affine, size)
		if err == nil {
			err = network.Replace(at, z)
		}
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", c.layers[j], err)
		}
		small = append(small, z)
	}
	return small, nil
}

// judgeAll judges outputs of each set of rows.
func judgeAll(sets []judged, outputs, full []lapack.Matrix[float64]) (all []judgedJSON, err error) {
	for i, s := range sets {
		var t tally
		var spread spread
		spread.add(full[i])
		s.right.add(&t, outputs[i], full[i], 0)
		v, err := s.right.value(t, spread)
		if err != nil {
			return nil, err
		}
		all = append(all, judgedJSON{Rows: s.name, Datapoints: t.datapoints, Value: v})
	}
	return all, nil
}

// watchedNetwork tells when its next layer is due.
type watchedNetwork struct {
	*compress.MLP
	due func()
}

func (n *watchedNetwork) Input(i int) (svcca.Layer, error) {
	n.due()
	return n.MLP.Input(i)
}

// made describes what was read.
func (c *compressing) made(ctx context.Context) error {
	described, err := c.describeLayers(ctx, c.inputs, c.files)
	if err == nil {
		err = c.describeSelection(ctx, &c.selectFlags, c.inputs, c.files)
	}
	if err == nil && c.test.file != "" {
		err = c.beside(ctx, "test", []string{c.test.file}, nil)
	}
	c.result.making = c.making(ctx, described)
	return err
}
