package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/gosvcca/gosvcca/internal/container"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// momentsFlags are what moments was told.
type momentsFlags struct {
	describer
	selectFlags
	mapFlags
	out       string
	merge     bool
	weights   string
	split     int
	triangle  bool
	precision svcca.Precision
	transpose bool
	resume    bool
	memory    memory
	json      bool
	force     bool
	quiet     bool
}

func newMoments() *cobra.Command {
	f := &momentsFlags{}
	c := command(&cobra.Command{
		Use:   "moments X.npy [Y.npy] -o OUT.sums | SUMS... [flags]",
		Short: "Sums layers in parts, for work that is long or spread",
		Long: `Writes the sums that a comparison needs, of a layer or a pair, over the rows of
.npy files, of shards ('part-*.npy') or of a stream of .npy arrays (-). Sums of
different rows merge; compare takes those of a pair. A file of sums alone: tells
what it holds. Memory does not grow with the rows. Flags that choose tokens,
neurons, samples, masks, ids: svcca help selection.`,
		Example: `  svcca moments a.npy b.npy --datapoints 0:500000 -o 1.sums --resume
  svcca moments --merge 1.sums 2.sums -o ab.sums && svcca compare ab.sums
  python3 activations.py | svcca moments - --split 512 -o ab.sums`,
	}, func(cmd *cobra.Command, args []string) error {
		switch {
		case f.merge:
			return f.mergeSums(cmd, args)
		case f.out == "" && len(args) == 1:
			return f.tell(cmd, args[0])
		}
		return f.sum(cmd, args)
	})
	flags := c.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "`OUT` of sums, - for stdout (default: tell of SUMS)")
	flags.BoolVar(&f.merge, "merge", false, "merge sums of different rows (default: sum rows)")
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags, "datapoints")
	f.registerLayout(flags)
	flags.StringVar(&f.weights, "weights", "", "`FILE`.npy, a weight > 0 per datapoint (default: all 1)")
	flags.IntVar(&f.split, "split", 0, "of a stream's columns `D` are x's (default: one layer)")
	flags.BoolVar(&f.triangle, "triangle", false, "QR: finer, 2-3 times the time (default: products)")
	flags.TextVar(&f.precision, "precision", svcca.Double, "`P`: float64, or mixed, fast")
	flags.BoolVar(&f.transpose, "transpose", false, "files hold neurons × datapoints (default: no)")
	flags.BoolVar(&f.resume, "resume", false, "go on from OUT.partial, kept every 30 s (default: no)")
	flags.TextVar(&f.memory, "memory", memory(0), memoryHelp)
	flags.BoolVar(&f.json, "json", false, "tell what sums hold in JSON (default: text)")
	f.describer.register(flags)
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.quiet, "quiet", false, "no notices on stderr (default: notices)")
	return c
}

// refuse returns an error where a flag was given that means nothing here.
func refuse(cmd *cobra.Command, where string, names ...string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return misusef("--%s does not go with %s", name, where)
		}
	}
	return nil
}

func (f *momentsFlags) notice(cmd *cobra.Command, format string, values ...any) {
	if !f.quiet {
		complain(cmd.ErrOrStderr(), fmt.Sprintf(format, values...))
	}
}

// check returns an error where arguments and flags do not go together.
func (f *momentsFlags) check(cmd *cobra.Command, args []string) error {
	stream := false
	for _, arg := range args {
		stream = stream || arg == "-"
	}
	switch {
	case len(args) < 1 || len(args) > 2:
		return misusef("one layer or two are needed, %d given: %s", len(args), cmd.UseLine())
	case f.out == "":
		return misusef("-o OUT.sums is needed")
	case f.triangle && f.precision != svcca.Double:
		return misusef("--triangle is for the finest bounds, --precision mixed for the coarsest: choose one")
	case stream && len(args) == 2:
		return misusef("standard input holds both layers, or one: of a pair send rows of x's neurons and y's side by side, and say --split D")
	case stream && f.split < 0, cmd.Flags().Changed("split") && f.split == 0:
		return misusef("--split %d: the number of x's neurons expected, 1 or more", f.split)
	case stream:
		err := refuse(cmd, "standard input, which is read once and from its beginning", append(slices.Clone(selectNames), "layout", "transpose", "resume")...)
		if err != nil {
			return err
		}
	case f.split != 0:
		return misusef("--split is for standard input: -")
	case f.resume && f.out == "-":
		return misusef("--resume needs -o OUT.sums, beside which it keeps what is done")
	}
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	return refuse(cmd, "-o: it tells what a file of sums holds", "json")
}

// sum sums rows.
func (f *momentsFlags) sum(cmd *cobra.Command, args []string) (err error) {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	ctx := cmd.Context()
	w := &summation{flags: f, progress: newProgress(cmd.ErrOrStderr(), f.quiet)}
	w.notice = func(format string, values ...any) {
		w.progress.clear()
		f.notice(cmd, format, values...)
	}
	defer w.progress.clear()
	if f.weights != "" {
		if w.weights, err = openWeights(f.weights); err != nil {
			return err
		}
		defer w.weights.file.Close()
	}
	if args[0] == "-" {
		err = w.stream(ctx, cmd.InOrStdin())
	} else {
		err = w.files(ctx, args)
	}
	if w.source != nil {
		defer w.source.close()
	}
	if err != nil {
		return err
	}
	data, err := w.run(ctx)
	if err != nil {
		return err
	}
	made, err := w.made(ctx)
	if err != nil {
		return err
	}
	p := newProvenance(made, w.options(), w.selection())
	if w.target == nil {
		return writeSums(cmd.OutOrStdout(), data, p)
	}
	err = w.target.write(func(out io.Writer) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return writeSums(out, data, p)
	})
	if err != nil {
		return err
	}
	w.notice("wrote %s: sums over %s", shown(w.target.path), plural(w.done, "datapoint"))
	return w.kept.remove()
}

// writeSums writes a file of sums, and in its header what made it.
func writeSums(w io.Writer, data []byte, p provenance) error {
	return container.WriteWith(w, data, sumsProvenance, p)
}

// momentsOptions are the flags that decide what sums are.
type momentsOptions struct {
	Datapoints int             `json:"datapoints"` // summed
	Method     svcca.Method    `json:"method"`
	Precision  svcca.Precision `json:"precision"`
	Transpose  bool            `json:"transpose"`
	Split      int             `json:"split,omitempty"` // of a stream
	Weights    bool            `json:"weights"`
}

// options returns the flags, when all rows are summed.
func (w *summation) options() momentsOptions {
	f := w.flags
	method := svcca.MethodMoments
	if f.triangle {
		method = svcca.MethodTriangle
	}
	return momentsOptions{w.done, method, f.precision, f.transpose, f.split, w.weights != nil}
}

// selection returns what was selected, nil where everything is.
func (w *summation) selection() *selection {
	if w.chosen == nil {
		return nil
	}
	return w.chosen.told()
}

// made describes what was summed, and makes sure that it has not changed when that is
// done.
func (w *summation) made(ctx context.Context) (making, error) {
	d := &w.flags.describer
	var inputs []inputJSON
	var err error
	switch source := w.source.(type) {
	case *fileRows:
		if inputs, err = d.describeLayers(ctx, source.inputs, source.layers); err == nil {
			err = d.describeSelection(ctx, &w.flags.selectFlags, source.inputs, source.layers)
		}
	case *streamRows:
		inputs = []inputJSON{{Name: "-", Paths: []string{}, Storage: source.storage}}
	}
	if err == nil && w.weights != nil {
		err = d.beside(ctx, "weights", []string{w.weights.path}, w.weights.file)
	}
	if changed := w.unchanged(); changed != nil {
		err = changed
	}
	return d.making(ctx, inputs), err
}

// summation is the work of summing.
type summation struct {
	flags   *momentsFlags
	notice  func(format string, values ...any)
	source  rowSource
	inputs  []input     // of files
	chosen  *choosing   // of these
	weights *weightRows // nil: all 1
	target  *target     // nil: standard output
	sums    sums
	done    int // datapoints
	total   int // 0 where it is not known
	kept    *checkpoints

	progress *progress
	earlier  int // datapoints done by an earlier run
}

// stream prepares to sum a stream.
func (w *summation) stream(ctx context.Context, r io.Reader) error {
	s, err := openStream(ctx, r, w.flags.split)
	if err != nil {
		return err
	}
	w.source = s
	s.step, err = w.prepare("-", nil, true)
	return err
}

// files prepares to sum files.
func (w *summation) files(ctx context.Context, args []string) error {
	f := w.flags
	rows, err := openRows(args, opening{transpose: f.transpose, tokens: true})
	if err != nil {
		return err
	}
	w.source, w.inputs = rows, rows.inputs
	say := func(text string) { w.notice("%s", text) }
	if w.chosen, err = rows.choose(&f.selectFlags, &f.mapFlags, f.transpose, w.weights != nil, say); err != nil {
		return err
	}
	if w.weights != nil {
		if err := w.weights.checkCount(w.chosen.rows); err != nil {
			return err
		}
	}
	if rows.step, err = w.prepare(args[0], append(rows.paths(), f.files(rows.inputs)...), false); err != nil {
		return err
	}
	if err := w.chosen.finish(ctx, false); err != nil {
		return err
	}
	rows.end, _ = rows.layers[0].Dims()
	w.total = rows.end
	if w.weights != nil {
		w.weights.take(w.chosen.of)
	}
	if f.resume {
		if err := w.resume(); err != nil {
			return err
		}
	}
	rows.at = w.done
	if w.weights != nil {
		w.weights.at = rows.at
	}
	return nil
}

// prepare checks memory and output, and returns how many rows to sum at a time.
func (w *summation) prepare(name string, paths []string, held bool) (step int, err error) {
	f, widths := w.flags, w.source.neurons()
	d := 0
	for _, width := range widths {
		d += width
	}
	if d < 1 {
		return 0, fmt.Errorf("%s has no neurons", shown(name))
	}
	step = blockRows(d, f.triangle, held)
	need := summingMemory(d, step, f.triangle, held, f.precision)
	if err := f.memory.allow(fmt.Sprintf("summing %s", plural(d, "neuron")), need, "take fewer neurons at a time"); err != nil {
		return 0, err
	}
	if f.out != "-" {
		if w.target, err = newTarget(f.out, f.force, append(paths, f.weights)...); err != nil {
			return 0, err
		}
		if _, err := os.Lstat(f.out + ".partial"); err == nil && !f.resume {
			w.notice("%s.partial is there, left by work that was interrupted: --resume would go on from it", shown(f.out))
		}
	}
	w.sums = newSums(len(widths), f.triangle, f.precision)
	return step, nil
}

// summingMemory bounds the memory that sums of d neurons take, in bytes: of D × D
// values those of a block, all so far, a copy of these to write, half of one as
// written, and one that is spare; of a triangle twice as many.
func summingMemory(d, step int, triangle, held bool, precision svcca.Precision) int64 {
	columns := float64(d) + 1
	need := 5*8*columns*columns + 32<<20 // and blocks of rows
	if triangle {
		need *= 2
	}
	if precision == svcca.Mixed {
		need += 4 * columns * columns
	}
	if held {
		need += 8 * float64(step) * columns
	}
	return int64(min(need, math.MaxInt64/2)) // a header may claim any number
}

// resume goes on from what an earlier run has left.
func (w *summation) resume() (err error) {
	f := w.flags
	if w.kept, err = newCheckpoints(f.out, f.described(w.chosen), w.inputs, f.files(w.inputs), f.weights, f.memory); err != nil {
		return err
	}
	// What was described is what is open.
	if err := w.unchanged(); err != nil {
		return err
	}
	earlier, done, err := w.kept.load()
	if err != nil || done == 0 {
		return err
	}
	w.sums, w.done, w.earlier = earlier, done, done
	w.notice("going on from %s: %d of %s are done", shown(w.kept.target.path), done, plural(w.total, "datapoint"))
	return nil
}

// described returns the flags that change the sums.
func (f *momentsFlags) described(c *choosing) string {
	text := fmt.Sprintf("--datapoints 0:%d", c.rows)
	if f.datapoints.given() {
		text = "--datapoints " + f.datapoints.text
	}
	text += fmt.Sprintf(" --precision %v", f.precision)
	if f.triangle {
		text += " --triangle"
	}
	if f.transpose {
		text += " --transpose"
	}
	if c.maps.tokens != "" {
		text += fmt.Sprintf(" --tokens %s --layout %v", c.maps.tokens, tokenLayout(f.layout))
	}
	for _, step := range c.Steps {
		if step.Flag == "datapoints" {
			continue
		}
		text += " --" + step.Flag + " " + step.Value
		if step.Seed != nil {
			text += fmt.Sprintf(" --seed %d", *step.Seed)
		}
	}
	return text
}

// run sums all rows and returns the sums as they are written. Where it ends early
// and was asked to, it keeps what is done.
func (w *summation) run(ctx context.Context) (data []byte, err error) {
	err = w.rows(ctx)
	// Of files that change nothing is kept, and what else is wrong is no wonder.
	if changed := w.unchanged(); changed != nil {
		return nil, changed
	}
	if err != nil {
		if w.kept != nil && !w.kept.failed && w.done > w.kept.head.Done {
			if failed := w.kept.save(w.sums, w.done); failed != nil {
				return nil, errors.Join(err, failed)
			}
		}
		if w.kept != nil && w.kept.head.Done > 0 {
			w.notice("kept %d of %s in %s: the same command goes on from there", w.kept.head.Done, plural(w.total, "datapoint"), shown(w.kept.target.path))
		}
		return nil, err
	}
	return w.sums.of.MarshalBinary()
}

// placed returns err with the place of a value that is not finite, in a block that
// comes after what is done.
func (w *summation) placed(ctx context.Context, err error) error {
	err = later(err, w.done)
	if w.chosen == nil {
		return err
	}
	return w.flags.mapFlags.placed(ctx, err, w.chosen.layers, w.inputs)
}

// unchanged returns an error where a file is not what it was when opened.
func (w *summation) unchanged() error {
	if err := w.source.unchanged(); err != nil || w.weights == nil {
		return err
	}
	return w.weights.file.Unchanged()
}

// rows sums all rows.
func (w *summation) rows(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		block, rows, err := w.source.next()
		if err == io.EOF {
			break
		}
		var weights []float64
		if err == nil && w.weights != nil {
			weights, err = w.weights.next(rows)
		}
		if err == nil {
			err = w.sums.add(ctx, block, weights)
		}
		if err != nil {
			return w.placed(ctx, err)
		}
		w.done += rows
		w.progress.rows(w.done-w.earlier, w.done, w.total)
		if w.kept.due() {
			if err := w.unchanged(); err != nil {
				return err
			}
			if err := w.kept.save(w.sums, w.done); err != nil {
				return err
			}
		}
	}
	if w.done == 0 {
		return errors.New("there are no datapoints to sum")
	}
	if w.weights != nil && w.total == 0 {
		return w.weights.checkCount(w.done)
	}
	return nil
}
