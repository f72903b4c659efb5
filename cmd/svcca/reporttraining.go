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
	var first, last []*float64
	for at, step := range d.Steps {
		var sums [2]float64 // of a layer's own final form, and of the others'
		var counts [2]int
		scores, all := make([][]float64, len(d.Layers)), true
		for l, row := range d.Panes[at] {
			for m, p := range row {
				v, _ := d.Score.kind().of(&p.PairScores)
				if v == nil {
					scores[l], all = append(scores[l], 0), false
					continue
				}
				of := min(1, max(l-m, m-l))
				sums[of], counts[of], scores[l] = sums[of]+*v, counts[of]+1, append(scores[l], *v)
			}
		}
		means := make([]*float64, 2)
		for of, count := range counts {
			if count > 0 {
				mean := sums[of] / float64(count)
				means[of] = &mean
			}
		}
		row := []string{strconv.Itoa(step), meanText(means[0]), meanText(means[1])}
		switch {
		case d.Stripes == nil:
		case !all:
			row = append(row, "none")
		default:
			stripes, err := measure.Stripes(scores)
			if err != nil {
				return nil, err
			}
			row = append(row, scoreText(stripes, 0))
		}
		t.Rows = append(t.Rows, cells(row...))
		if last = means; at == 0 {
			first = means
		}
	}
	s.Headline = fmt.Sprintf("Training brings layers from %s to %s of their own final form, and from %s to %s of the other layers', on average.",
		meanText(first[0]), meanText(last[0]), meanText(first[1]), meanText(last[1]))
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

// meanText is a mean of scores, if any was defined.
func meanText(v *float64) string {
	if v == nil {
		return "none"
	}
	return scoreText(*v, 0)
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
