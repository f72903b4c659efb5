package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// reportJSON is the contract: what the page is made of.
type reportJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	making
	// Of is the directory, which holds a network or a training run, of which all but
	// Dynamics and Freeze is of the last step.
	Of   string      `json:"of"`
	Kind networkKind `json:"kind"`
	// Findings are the page's headlines.
	Findings []string `json:"findings"`
	Score    score    `json:"score"`
	Layers   []string `json:"layers"` // in order of depth
	// Dynamics and Freeze are of a training run, else null.
	Dynamics   *dynamicsJSON         `json:"dynamics"`
	Freeze     *reportFreeze         `json:"freeze"`
	Dimensions []*measure.Dimensions `json:"dimensions"`
	Pane       *reportPane           `json:"pane"`
	Classes    *reportClasses        `json:"classes"` // null where there are no logits
	Against    *reportAgainst        `json:"against"` // null without --against
	Options    wayOptions            `json:"options"`
	Selection  *selection            `json:"selection,omitempty"`
	Warnings   []svcca.Warning       `json:"warnings"`
	Skipped    []leftOut             `json:"skipped"`
	Backend    native.Info           `json:"backend"`
}

// reportPane is a pane of layers, without what it shares with others.
type reportPane struct {
	Rows    []string             `json:"rows"`
	Columns []string             `json:"columns"`
	Pairs   [][]svcca.PairScores `json:"pairs"`
	// Translated is as matrix has it.
	Translated [][]translatedPair `json:"translated,omitempty"`

	of *scored
}

// reportFreeze are schedules by which training might have saved work.
type reportFreeze struct {
	// Converged freezes a layer once it and all below it have converged, as is known when
	// training is over; Linear is that of Raghu et al., known before.
	Converged     *freeze.Schedule `json:"converged"`
	ConvergedWork *freeze.Work     `json:"converged_work"`
	Linear        *freeze.Schedule `json:"linear"`
	LinearWork    *freeze.Work     `json:"linear_work"`
}

// reportClasses is a network's layers against single logits.
type reportClasses struct {
	Logits string               `json:"logits"` // the layer
	Count  int                  `json:"count"`  // of its classes
	Curves []measure.ClassCurve `json:"curves"`
}

// reportAgainst is a network by another.
type reportAgainst struct {
	Of   string      `json:"of"`
	Pane *reportPane `json:"pane"`
	// Alignment is null where a score is undefined, or a network has one layer.
	Alignment *measure.Alignment `json:"alignment"`
}

// report computes what the page shows.
func (r *reporting) report(ctx context.Context) (*reportJSON, error) {
	j := &reportJSON{Schema: "svcca.report/1", Version: version(), Of: r.own.dir, Kind: asNetwork, Score: r.score, Warnings: []svcca.Warning{}, Dimensions: []*measure.Dimensions{}, Backend: native.Describe()}
	var described []inputJSON
	t := r.training()
	if r.own.training {
		j.Kind = asTraining
		if r.as == "" && r.pattern == "" {
			t.notice(fmt.Sprintf("note: %s is taken for a training run of %s; --as network if it is one network", shown(r.own.dir), plural(len(r.own.run), "step")))
		}
	}
	t.notes(r.own.left)
	if r.own.training {
		var err error
		if j.Dynamics, err = r.follow(ctx, t); err != nil {
			return nil, err
		}
		if j.Freeze, err = freezing(j.Dynamics); err != nil {
			return nil, err
		}
		described = t.inputs
	}
	r.use()
	defer r.m.close()
	if err := r.measure(ctx, j); err != nil {
		return nil, err
	}
	made, err := r.m.made(ctx)
	for _, in := range made.Inputs {
		if !slices.ContainsFunc(described, func(known inputJSON) bool { return known.Name == in.Name }) {
			described = append(described, in)
		}
	}
	made.Inputs = described
	j.making, j.Skipped = made, r.m.left
	j.Options, j.Selection = wayOptions{r.m.options, r.m.mapFlags}, r.m.chosen.told()
	return j, err
}

// training is the run that the directory holds, as dynamics takes it.
func (r *reporting) training() *following {
	of := checkpointFlags{pattern: r.pattern}
	if !r.own.byName {
		of.layers = r.own.names
	}
	d := &dynamicsFlags{threshold: r.threshold, trainingFlags: trainingFlags{
		checkpointFlags: of, optionFlags: r.optionFlags, mapFlags: r.mapFlags, selectFlags: r.selectFlags, score: r.score, quiet: r.quiet,
	}}
	return &following{of: d, all: true, training: &training{
		trainingFlags: &d.trainingFlags, dir: r.own.dir, stderr: r.stderr, run: r.own.run, names: r.own.names, whole: r.logitsOf(r.own),
	}}
}

// follow is dynamics, with all pairs.
func (r *reporting) follow(ctx context.Context, t *following) (*dynamicsJSON, error) {
	t.bar = newProgress(r.stderr, r.quiet)
	d, err := t.record(ctx)
	t.bar.clear()
	if err != nil {
		return nil, err
	}
	return t.result(ctx, d)
}

// freezing are the schedules of a run; nil of one that never trained.
func freezing(d *dynamicsJSON) (*reportFreeze, error) {
	steps := d.Steps[len(d.Steps)-1]
	if steps < 1 {
		return nil, nil
	}
	f := &reportFreeze{Converged: &freeze.Schedule{Steps: steps}}
	after, never := 0, false
	var blocks [][]string
	for _, c := range d.Converged {
		l := freeze.Layer{Name: c.Layer}
		if never = never || c.Step == nil; !never {
			after = max(after, *c.Step)
			frozen := after
			l.FrozenAfter = &frozen
		}
		f.Converged.Layers, blocks = append(f.Converged.Layers, l), append(blocks, []string{c.Layer})
	}
	costs, err := costsOf(f.Converged.Layers, nil, "")
	if err != nil {
		return nil, err
	}
	if f.ConvergedWork, err = f.Converged.Work(costs); err != nil {
		return nil, err
	}
	if f.Linear, err = freeze.Linear(steps, blocks...); err != nil {
		return nil, err
	}
	f.LinearWork, err = f.Linear.Work(costs)
	return f, err
}

// measure compares the network's layers, at its last step, with each other, with the
// logits and with another network's, and counts their directions.
func (r *reporting) measure(ctx context.Context, j *reportJSON) error {
	if err := r.m.prepare(ctx); err != nil {
		return err
	}
	own, names := r.present(r.own)
	where, classes, err := r.findLogits(own, names)
	if err != nil {
		return err
	}
	pane, err := r.m.compute(ctx)
	if err != nil {
		return err
	}
	if err := r.m.enough(len(pane.Rows), len(pane.Columns)); err != nil {
		return err
	}
	pane.selection = r.m.chosen.told()
	own, names = r.present(r.own) // again, as some may be left out
	columns := own
	if r.m.columns != nil {
		columns = r.m.present(r.m.columns)
	}
	part := func(at []int, names []string, symmetric bool) *reportPane {
		var places []int
		for _, i := range at {
			places = append(places, slices.Index(columns, i))
		}
		of := pane.columns(places, symmetric)
		return &reportPane{Rows: j.Layers, Columns: names, Pairs: of.Pairs, Translated: of.pairs, of: of}
	}
	j.Layers = names
	j.Pane = part(own, names, true)
	j.Warnings = append(j.Warnings, pane.Warnings...)
	r.count(j)
	if r.other != nil {
		at, names := r.present(r.other)
		j.Against = &reportAgainst{Of: r.other.dir, Pane: part(at, names, false)}
		if j.Against.Alignment, err = j.Against.Pane.of.align(r.score); err != nil {
			return err
		}
	}
	if where >= 0 {
		j.Classes, err = r.compareClasses(ctx, own, names, where, classes)
	}
	return err
}

// columns is the pane of some columns.
func (s *scored) columns(places []int, symmetric bool) *scored {
	pane := *s.Pane
	part := &scored{Pane: &pane, mapFlags: s.mapFlags, images: s.images, selection: s.selection}
	pane.Symmetric, pane.Columns, pane.Pairs = symmetric, nil, nil
	for _, j := range places {
		pane.Columns = append(pane.Columns, s.Columns[j])
	}
	for i := range s.Pairs {
		var pairs []svcca.PairScores
		var told []translatedPair
		for _, j := range places {
			pairs = append(pairs, s.Pairs[i][j])
			if s.pairs != nil {
				told = append(told, s.pairs[i][j])
			}
		}
		pane.Pairs = append(pane.Pairs, pairs)
		if s.pairs != nil {
			part.pairs = append(part.pairs, told)
		}
	}
	return part
}

// scores returns the scores of a kind, and whether all are defined.
func (p *reportPane) scores(of score) (scores [][]float64, all bool) {
	all = true
	for i := range p.Pairs {
		row := make([]float64, len(p.Columns))
		for j := range p.Pairs[i] {
			if v, _ := of.kind().of(&p.Pairs[i][j]); v != nil {
				row[j] = *v
			} else {
				all = false
			}
		}
		scores = append(scores, row)
	}
	return scores, all
}

// count counts the directions of the layers.
func (r *reporting) count(j *reportJSON) {
	var constant []string
	for i, side := range j.Pane.of.Rows {
		side.Name = j.Layers[i]
		if side.Constant > 0 {
			constant = append(constant, fmt.Sprintf("%s (%d of %d)", side.Name, side.Constant, side.Neurons))
		}
		d, err := measure.Dimensionality(side)
		if err != nil { // it has a singular value, so they are not all known
			j.Warnings = append(j.Warnings, svcca.Warning{Code: warnLeading, Text: fmt.Sprintf("%q: only its leading directions were found, and none are counted: --solver exact finds all", side.Name)})
			continue
		}
		j.Dimensions = append(j.Dimensions, d)
	}
	if len(constant) > 0 {
		j.Warnings = append(j.Warnings, svcca.Warning{Code: warnConstant, Text: "constant neurons, which tell nothing: " + strings.Join(constant, ", ")})
	}
}

// The codes of warnings that this command adds.
const (
	warnConstant = "constant_neurons"
	warnLeading  = "leading_directions"
)

// findLogits returns which layer has a column per class, and of which classes there will
// be curves; −1 where there is none.
func (r *reporting) findLogits(at []int, names []string) (where int, classes []int, err error) {
	name := r.logitsName()
	where = slices.Index(names, name)
	switch {
	case where < 0 && r.logitsAsked():
		return where, nil, fmt.Errorf("%s was left out, and --logits and --class need it", shown(name))
	case where < 0 || r.m.way == byPixels:
		return -1, nil, nil
	}
	shape := r.m.views[at[where]].Shape()
	switch {
	case len(shape) == 2:
	case !r.logitsAsked(): // maps that are called logits
		return -1, nil, nil
	default:
		return where, nil, fmt.Errorf("%s holds %s: logits are datapoints × classes", shown(name), shapeText(shape))
	}
	if !r.classes.given() {
		return where, evenly(shape[1], mostSpectra), nil
	}
	if classes, err = r.classes.of(shape[1], "class", "column", name); err == nil && len(classes) > mostSpectra {
		err = fmt.Errorf("--class %s: %d classes can be told apart, these are %d", shown(r.classes.text), mostSpectra, len(classes))
	}
	return where, classes, err
}

// compareClasses compares the layers with single logits, the columns of one of them.
func (r *reporting) compareClasses(ctx context.Context, at []int, names []string, where int, classes []int) (*reportClasses, error) {
	logits := r.m.views[at[where]]
	c := &reportClasses{Logits: names[where]}
	_, c.Count = logits.Dims()
	var layers []conv.Maps
	for _, i := range at {
		m, err := r.m.mapFlags.maps(cancellable{r.m.views[i], ctx})
		if err != nil {
			return nil, err
		}
		layers = append(layers, m)
	}
	defer native.LimitThreads(1)() // faster: goroutines share the work
	bar := newProgress(r.stderr, r.quiet)
	defer bar.clear()
	var err error
	o := conv.Options{Options: r.m.options, LowPass: r.m.way == byLowPass, OffBlock: -1}
	c.Curves, err = measure.AgainstLogits(ctx, layers, cancellable{logits, ctx}, o, func(done, of int) {
		bar.draw(float64(done)/float64(of), func(time.Duration) string {
			return fmt.Sprintf("svcca: %d of %s with single classes", done, plural(of, "pair"))
		})
	}, classes...)
	if err != nil {
		if changed := r.m.unchanged(); changed != nil {
			return nil, changed
		}
		return nil, r.m.placed(ctx, err, r.m.views, r.m.inputs)
	}
	for i := range c.Curves {
		for l := range c.Curves[i].Points {
			c.Curves[i].Points[l].Layer = names[l]
		}
	}
	return c, r.m.unchanged()
}
