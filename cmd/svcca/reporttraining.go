package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// convergence is of each layer with itself at the last step.
func (r *reporting) convergence(j *reportJSON) (*reportSection, error) {
	d := j.Dynamics
	if d == nil {
		return nil, nil
	}
	s := &reportSection{ID: "convergence", Topic: "Convergence"}
	if s.Text = d.words(); len(s.Text) > 0 {
		s.Headline, s.Text = s.Text[0], s.Text[1:]
		s.Text = slices.DeleteFunc(s.Text, func(text string) bool { return strings.HasPrefix(text, "Stripes") }) // told below
	} else if c := d.Converged[0]; c.Step != nil {
		s.Headline = fmt.Sprintf("%s has converged from step %d on.", brief(c.Layer), *c.Step)
	} else {
		s.Headline = fmt.Sprintf("%s never converges.", brief(d.Converged[0].Layer))
	}
	last := d.Steps[len(d.Steps)-1]
	curves := d.figure(false)
	curves.Title = ""
	layers := evenly(len(curves.Series), mostSpectra)
	caption := fmt.Sprintf("%s: each layer with itself at step %d", r.score.kind().title, last)
	if len(layers) < len(curves.Series) {
		caption += fmt.Sprintf(" (%d of %d layers)", len(layers), len(curves.Series))
	}
	curves.Series = pick(curves.Series, layers)
	if err := s.illustrate(curves, wideFigure, caption, s.Headline); err != nil {
		return nil, err
	}
	steps := evenly(len(d.Steps), mostSteps)
	var names []string
	for _, at := range steps {
		names = append(names, strconv.Itoa(d.Steps[at]))
	}
	scores := r.table(d.of.curves(d, steps), d.Layers, names, caption+", at steps (columns)")
	if len(steps) < len(d.Steps) {
		scores.Notes = append(scores.Notes, fmt.Sprintf("%d of %d steps.", len(steps), len(d.Steps)))
	}
	grid := d.summary(shownAll(d.Layers), 1<<10)
	converged := reportTable{Caption: "When layers converged", Head: grid[0]}
	for _, row := range grid[1:] {
		converged.Rows = append(converged.Rows, cells(row...))
	}
	s.Tables = []reportTable{scores, converged}
	return s, nil
}

// mostSteps are columns of a table.
const mostSteps = 16

func pick[T any](all []T, at []int) (some []T) {
	for _, i := range at {
		some = append(some, all[i])
	}
	return some
}

// panes are of all layers with all, over the steps.
func (r *reporting) panes(j *reportJSON) (*reportSection, error) {
	d := j.Dynamics
	if d == nil || len(d.Layers) < 2 || len(d.Steps) < 2 {
		return nil, nil
	}
	s := &reportSection{ID: "panes", Topic: "Panes over training"}
	t := reportTable{Caption: "Means over layers, and stripes, by step", Head: []string{"step", "with itself", "with others"}}
	if d.Stripes != nil {
		t.Head = append(t.Head, "stripes")
	}
	var first, last [2]string
	for at, step := range d.Steps {
		values, undefined := d.pane(at)
		means, defined := meansOfPane(values, undefined)
		row := []string{strconv.Itoa(step), means[0], means[1]}
		if d.Stripes != nil {
			text := noScore
			if defined {
				stripes, err := measure.Stripes(values)
				if err != nil {
					return nil, err
				}
				text = scoreText(stripes, 0)
			}
			row = append(row, text)
		}
		t.Rows = append(t.Rows, cells(row...))
		if last = means; at == 0 {
			first = means
		}
	}
	s.Headline = fmt.Sprintf("Training brings layers from %s to %s of their own final form, and from %s to %s of the other layers', on average.",
		first[0], last[0], first[1], last[1])
	if all := append(first[:], last[:]...); slices.Contains(all, noScore) {
		s.Headline = "At some steps scores are undefined: there are too few datapoints."
	}
	panes := d.panes()
	caption := "Layers at each step (rows) with those at the last (columns)"
	if len(panes.Panes) < len(d.Steps) {
		caption += fmt.Sprintf(", %d of %d steps", len(panes.Panes), len(d.Steps))
	}
	if err := s.illustrate(panes, wideFigure, caption, s.Headline); err != nil {
		return nil, err
	}
	t.Rows = pick(t.Rows, evenly(len(t.Rows), mostRows))
	s.Tables = []reportTable{t}
	return s, nil
}

// noScore stands for a score that is undefined.
const noScore = "none"

// meansOfPane are the means of the scores of layers with themselves, and with others, that
// are defined, and whether all are.
func meansOfPane(values [][]float64, undefined [][]bool) (means [2]string, defined bool) {
	var sums, counts [2]float64
	defined = true
	for l, row := range values {
		for m, v := range row {
			of := 0
			if l != m {
				of = 1
			}
			if undefined[l][m] {
				defined = false
				continue
			}
			sums[of], counts[of] = sums[of]+v, counts[of]+1
		}
	}
	for of := range means {
		if means[of] = noScore; counts[of] > 0 {
			means[of] = scoreText(sums[of]/counts[of], 0)
		}
	}
	return means, defined
}

// mostRows are those of a table by step.
const mostRows = 64

// freezes is of the work that frozen layers would have saved.
func (r *reporting) freezes(j *reportJSON) (*reportSection, error) {
	f := j.Freeze
	if f == nil {
		return nil, nil
	}
	s := &reportSection{ID: "freeze", Topic: "Freeze Training"}
	s.Headline = fmt.Sprintf("Frozen once converged, layers would save %s of the backward work; by the linear schedule of Raghu et al. %s.",
		percent(f.ConvergedWork.Saved.Backward), percent(f.LinearWork.Saved.Backward))
	s.Text = []string{fmt.Sprintf("A layer is frozen when it and all below it are at %v or more of their final form, which is known in hindsight alone: svcca freeze plans ahead. Shares are by equal costs of all layers.", j.Dynamics.Threshold)}
	t := reportTable{Caption: fmt.Sprintf("The last step in which a layer learns, of %d", f.Linear.Steps), Head: []string{"", "once converged", "linear"}}
	picture := figure.Curves{XLabel: "layer, counted from the input", YLabel: "last step of learning", To: float64(f.Linear.Steps), Series: []figure.Series{
		{Name: "once converged"}, {Name: "linear"},
	}}
	for k, schedule := range []*freeze.Schedule{f.Converged, f.Linear} {
		of := &picture.Series[k]
		for i, l := range schedule.Layers {
			y := 0.0
			if l.FrozenAfter != nil {
				y = float64(*l.FrozenAfter)
			}
			of.X, of.Y, of.Undefined = append(of.X, float64(i+1)), append(of.Y, y), append(of.Undefined, l.FrozenAfter == nil)
		}
	}
	if err := s.illustrate(picture, wideFigure, "When layers stop to learn; those that are never frozen are left out", s.Headline); err != nil {
		return nil, err
	}
	for i, l := range f.Converged.Layers {
		after := func(step *int) string {
			if step == nil {
				return "never frozen"
			}
			return strconv.Itoa(*step)
		}
		t.Rows = append(t.Rows, cells(shown(l.Name), after(l.FrozenAfter), after(f.Linear.Layers[i].FrozenAfter)))
	}
	row := func(name string, of func(k int) string) {
		t.Rows = append(t.Rows, cells(name, of(0), of(1)))
	}
	saved := [2]float64{f.ConvergedWork.Saved.Backward, f.LinearWork.Saved.Backward}
	updates := [2]float64{f.ConvergedWork.Saved.Update, f.LinearWork.Saved.Update}
	total := [2]float64{f.ConvergedWork.Saved.Total, f.LinearWork.Saved.Total}
	row("saved of backward work", func(k int) string { return percent(saved[k]) })
	row("saved of updates", func(k int) string { return percent(updates[k]) })
	row("saved of all work", func(k int) string { return percent(total[k]) })
	s.Tables = []reportTable{t}
	return s, nil
}
