package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/spf13/cobra"
)

// freezeFlags are what freeze was told.
type freezeFlags struct {
	trainingFlags
	steps     int
	costs     string
	ago       int
	threshold float64
	outputs   []string
}

func newFreeze() *cobra.Command {
	f := &freezeFlags{}
	c := command(&cobra.Command{
		Use:   "freeze [DIR] [flags]",
		Short: "Plans when layers may stop to learn",
		Long: `Tells after which step each layer is frozen, and what that saves: layer i of L
after i/L of all steps; or of checkpoints in DIR (see dynamics), once it is as
--ago steps before. FILE: [{"name": "fc", "forward": 1, "weights": 1, …}, …].`,
		Example: `  svcca freeze --costs costs.json --steps 160000 -o freeze.json
  svcca freeze checkpoints --layers conv1,conv2,fc --ago 100 --threshold 0.99`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return misusef("one directory or none is needed, %d given: %s", len(args), cmd.UseLine())
		}
		if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
			return err
		}
		if err := f.checkSelection(cmd); err != nil {
			return err
		}
		if err := f.check(cmd, len(args) == 1); err != nil {
			return err
		}
		return f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.IntVar(&f.steps, "steps", 0, "the network trains for `T` (default: to DIR's last)")
	flags.StringSliceVar(&f.layers, "layers", nil, "`N`, or A,B,… from the input on (default: all)")
	flags.StringVar(&f.costs, "costs", "", "`FILE`.json of layers and costs (default: equal ones)")
	flags.IntVar(&f.ago, "ago", 0, "compare with `A` steps ago (default: no)")
	flags.Float64Var(&f.threshold, "threshold", 0, "freeze a layer from score `T` on (default: none)")
	flags.StringVar(&f.pattern, "pattern", "", "`P`, as {step}_{layer}.npy (default: {step} directories)")
	flags.TextVar(&f.score, "score", score("mean"), "the score `S`: mean, mean_square, …")
	f.optionFlags.register(flags)
	f.mapFlags.register(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// ofRun are the flags that go with checkpoints alone.
var ofRun = append([]string{"ago", "threshold", "pattern", "score", "keep", "rank-tol", "centering", "precision", "solver", "weights", "transpose", "conv", "layout"}, selectNames...)

// check returns an error where flags do not go together, or are missing.
func (f *freezeFlags) check(cmd *cobra.Command, similarity bool) error {
	changed := cmd.Flags().Changed
	switch {
	case changed("steps") && f.steps < 1:
		return misusef("--steps %d: 1 or more expected", f.steps)
	case similarity && f.ago < 1:
		return misusef("--ago: say how many steps ago, 1 or more, a layer was as it should still be")
	case similarity && !(f.threshold > 0 && f.threshold <= 1):
		return misusef("--threshold: say from what similarity on, above 0 and at most 1, a layer is frozen; the fewer steps --ago, the nearer to 1")
	case !similarity && !changed("steps"):
		return misusef("--steps: say how many steps the network trains for")
	case !similarity && len(f.layers) == 0 && f.costs == "":
		return misusef("say which layers there are: --layers N, or --costs FILE.json")
	case f.costs != "" && !similarity && len(f.layers) > 0:
		return misusef("--layers does not go with --costs, which names them")
	case f.hashes && f.costs == "" && !similarity:
		return misusef("--hashes is for what is read: --costs or checkpoints")
	}
	if !similarity {
		return refuse(cmd, "a linear schedule: it is for checkpoints, in DIR", ofRun...)
	}
	return nil
}

// freezeJSON is the contract: a schedule, as package freeze has it, between a head and a
// foot.
type freezeJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Rule is linear or similarity.
	Rule string `json:"rule"`
	making
	Selection *selection `json:"selection,omitempty"`
	*freeze.Schedule
	// Costs are of the layers, in order; all 1 where no file said.
	Costs []freeze.Cost `json:"costs"`
	Work  *freeze.Work  `json:"work"`
	// What a similarity schedule is made of.
	Score     score                `json:"score,omitempty"`
	Ago       int                  `json:"ago,omitempty"`
	Threshold float64              `json:"threshold,omitempty"`
	Measured  []freeze.Measurement `json:"measured,omitempty"`
	Options   *wayOptions          `json:"options,omitempty"`
	Backend   native.Info          `json:"backend"`
}

func (f *freezeFlags) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var costs []layerCost
	var err error
	if f.costs != "" {
		if costs, err = readCosts(f.costs); err != nil {
			return err
		}
		if err := f.beside(ctx, "costs", []string{f.costs}, nil); err != nil {
			return err
		}
	}
	j := &freezeJSON{Schema: "svcca.freeze/1", Version: version(), Rule: "linear", Backend: native.Describe()}
	r := &training{trainingFlags: &f.trainingFlags, stderr: stderr}
	if len(args) == 1 {
		if len(f.layers) == 0 {
			for _, c := range costs {
				f.layers = append(f.layers, c.Name)
			}
		}
		var left int
		if r, left, err = newTraining(&f.trainingFlags, args[0], stderr); err != nil {
			return err
		}
		r.notes(left)
		if err := fitting(r.names, costs, f.costs); err != nil {
			return err
		}
		if len(blocksOf(costs)) < len(costs) {
			r.notice(fmt.Sprintf("note: blocks of %s are not looked at: by similarity each layer is frozen by itself", shown(f.costs)))
		}
	}
	outputs, err := f.targets(r.paths())
	if err != nil {
		return err
	}
	if len(args) == 1 {
		if last := r.run[len(r.run)-1].step; f.steps > 0 && f.steps < last {
			return misusef("--steps %d: %s goes on to step %d", f.steps, shown(args[0]), last)
		}
		err = choices(goWithout(f.watch(ctx, r, j)), "freeze", args[0])
	} else {
		err = f.linear(j, costs)
	}
	if err != nil {
		return err
	}
	if j.Costs, err = costsOf(j.Layers, costs, f.costs); err != nil {
		return err
	}
	if j.Work, err = j.Schedule.Work(j.Costs); err != nil {
		return err
	}
	j.Selection = r.selection
	j.making = f.making(ctx, append([]inputJSON{}, r.inputs...))
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(func(w io.Writer) error { return writeJSON(w, j) }); err != nil {
			return err
		}
		r.notice(out.wrote())
	}
	if f.json {
		return writeJSON(stdout, j)
	}
	return f.writeTable(stdout, localStyle(), j)
}

// targets checks, before any work, that the outputs can be written.
func (f *freezeFlags) targets(inputs []string) ([]*target, error) {
	var args []outputArg
	for _, path := range f.outputs {
		args = append(args, outputArg{"-o", path})
	}
	if f.costs != "" {
		inputs = append(inputs, f.costs)
	}
	noted := func(_, suffix string) (noted, known bool) { return false, suffix == ".json" }
	return newTargets(args, noted, "with .json", f.force, inputs...)
}

// mostLayers are more than any network has, and few enough to be named.
const mostLayers = 100000

// linear makes the schedule of the paper.
func (f *freezeFlags) linear(j *freezeJSON, costs []layerCost) (err error) {
	blocks := blocksOf(costs)
	if len(f.layers) == 1 {
		if n, err := strconv.Atoi(f.layers[0]); err == nil {
			if n < 1 || n > mostLayers {
				return misusef("--layers %d: 1 to %d expected", n, mostLayers)
			}
			f.layers = nil
			for i := range n {
				blocks = append(blocks, []string{strconv.Itoa(i + 1)})
			}
		}
	}
	for i, name := range f.layers {
		if name == "" || slices.Contains(f.layers[:i], name) {
			return misusef("--layers: names expected, each another, and not %q again or none", name)
		}
		blocks = append(blocks, []string{name})
	}
	j.Schedule, err = freeze.Linear(f.steps, blocks...)
	return err
}

// watch makes the schedule of what training was like.
func (f *freezeFlags) watch(ctx context.Context, r *training, j *freezeJSON) error {
	var w *freeze.Watch
	names := map[string]string{} // by those of files, which a watch knows
	var open []*network          // those that a later one may be compared with
	defer func() {
		for _, n := range open {
			n.close()
		}
	}()
	defer workers(0)()
	r.bar = newProgress(r.stderr, f.quiet)
	defer r.bar.clear()
	if err := r.findNotFinite(ctx); err != nil {
		return err
	}
	for i, c := range r.run {
		n, err := r.open(ctx, c)
		if err != nil {
			return err
		}
		open = append(open, n)
		if i == 0 {
			for l, m := range n.maps {
				names[m.Name()] = r.names[l]
			}
			if err := r.begin(ctx, n); err != nil { // which reads weights, of which the options are
				return err
			}
			if w, err = freeze.NewWatch(freeze.Options{Options: f.pairOptions(), Score: measure.Score(f.score), Ago: f.ago, Threshold: f.threshold}); err != nil {
				return err
			}
		}
		if _, err := w.Add(ctx, c.step, n.maps); err != nil {
			for _, one := range open {
				err = r.blamed(ctx, err, one)
			}
			return err
		}
		r.bar.draw(float64(i+1)/float64(len(r.run)), func(time.Duration) string {
			return fmt.Sprintf("svcca: step %d, %d of %s", c.step, i+1, plural(len(r.run), "step"))
		})
		if err := r.describe(ctx, n); err != nil {
			return err
		}
		for len(open) > 1 && open[1].step <= c.step-f.ago {
			if err := open[0].unchanged(); err != nil {
				return err
			}
			open[0].close()
			open = open[1:]
		}
	}
	for _, n := range open {
		if err := n.unchanged(); err != nil {
			return err
		}
	}
	steps, err := f.steps, error(nil)
	if steps == 0 {
		steps = r.run[len(r.run)-1].step
	}
	if j.Schedule, err = w.Schedule(steps); err != nil {
		return err
	}
	j.Rule, j.Score, j.Ago, j.Threshold, j.Measured = "similarity", f.score, f.ago, f.threshold, w.Measured()
	j.Options = &wayOptions{f.options, f.mapFlags}
	for i := range j.Layers {
		j.Layers[i].Name = r.names[i]
	}
	for i := range j.Measured {
		j.Measured[i].Layer = names[j.Measured[i].Layer]
	}
	return nil
}

// writeTable writes a schedule for people.
func (f *freezeFlags) writeTable(w io.Writer, s style, j *freezeJSON) error {
	p := newPage(s)
	title := "linear"
	if j.Rule == "similarity" {
		title = fmt.Sprintf("by similarity (%s ≥ %v to itself %s ago)", j.Score, j.Threshold, plural(j.Ago, "step"))
	}
	p.paragraph("", "", fmt.Sprintf("Freeze Training, %s: %s, %s", title, plural(len(j.Layers), "layer"), plural(j.Steps, "step")))
	for _, step := range j.Selection.words() {
		p.paragraph("", "", step)
	}
	p.line("")
	grid := [][]string{{"layer", "learns until step"}}
	for _, l := range j.Layers {
		after := "never frozen"
		if l.FrozenAfter != nil {
			after = strconv.Itoa(*l.FrozenAfter)
		}
		grid = append(grid, []string{p.shorten(shown(l.Name), maxColumns/2), after})
	}
	for _, l := range aligned(grid, 2) {
		p.line(l)
	}
	p.line("")
	costs := "equal costs"
	if f.costs != "" {
		costs = "the costs of " + shown(f.costs)
	}
	p.paragraph("", "", fmt.Sprintf("By %s that saves %s of the backward work, %s of the updates; with forward passes %s of all.", costs,
		percent(j.Work.Saved.Backward), percent(j.Work.Saved.Update), percent(j.Work.Saved.Total)))
	return p.writeTo(w)
}
