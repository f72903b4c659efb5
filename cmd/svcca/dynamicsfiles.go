package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// dynamicsJSON is the contract.
type dynamicsJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Score is that of curves, convergence and stripes.
	Score     score   `json:"score"`
	Threshold float64 `json:"threshold"`
	making
	Selection *selection `json:"selection,omitempty"`
	Layers    []string   `json:"layers"` // in order of depth
	Steps     []int      `json:"steps"`
	// Curves are layers × steps: each layer with its own form at the last step.
	Curves    [][]*float64           `json:"curves"` // null where undefined
	Converged []dynamics.Convergence `json:"converged"`
	// BottomUp is Kendall's τ of depth and convergence step, null where all are one.
	BottomUp *float64 `json:"bottom_up"`
	// Overtakes is, of the layers below each, the share that converges later; null of the
	// lowest.
	Overtakes []*float64 `json:"overtakes"`
	// Adjacent are pairs of a layer and the next, at the last step.
	Adjacent []*measure.Pair `json:"adjacent"`
	// Stripes is of the pane at the last step; null of fewer than four layers, where not all
	// pairs are compared, or a score is undefined.
	Stripes *float64 `json:"stripes"`
	// Panes are steps × layers × layers at the last step: all pairs, or where Diagonal the
	// others are null.
	Diagonal bool                `json:"diagonal"`
	Panes    [][][]*measure.Pair `json:"panes"`
	Options  wayOptions          `json:"options"`
	Backend  native.Info         `json:"backend"`

	of *following
}

// result is what was recorded with what follows from it.
func (r *following) result(ctx context.Context, d *dynamics.Dynamics) (*dynamicsJSON, error) {
	of := measure.Score(r.score)
	curves, err := d.Curves(of)
	if err != nil {
		return nil, err
	}
	converged, err := d.Converge(of, r.of.threshold)
	if err != nil {
		return nil, err
	}
	j := &dynamicsJSON{
		Schema: "svcca.dynamics/1", Version: version(), Score: r.score, Threshold: r.of.threshold, making: r.making(ctx, r.inputs), Selection: r.selection,
		Layers: d.Layers, Steps: d.Steps, Curves: curves, Converged: converged, BottomUp: dynamics.BottomUp(converged),
		Adjacent: append([]*measure.Pair{}, r.adjacent...), Diagonal: d.Diagonal, Panes: d.Panes,
		Options: wayOptions{r.options, r.mapFlags}, Backend: native.Describe(), of: r,
	}
	for l := range converged {
		j.Overtakes = append(j.Overtakes, dynamics.Overtakes(converged, l))
	}
	if !d.Diagonal && len(d.Layers) >= 4 {
		j.Stripes, err = stripesOf(d, of)
	}
	return j, err
}

// stripesOf measures the last pane, where all its scores are defined.
func stripesOf(d *dynamics.Dynamics, of measure.Score) (*float64, error) {
	t := len(d.Steps) - 1
	for _, row := range d.Panes[t] {
		for _, p := range row {
			if of.Undefined(p.PairScores) {
				return nil, nil
			}
		}
	}
	last, err := d.Pane(t, of)
	if err != nil {
		return nil, err
	}
	stripes, err := measure.Stripes(last)
	return &stripes, err
}

// dynamicsOutput is a file to write: numbers or a picture.
type dynamicsOutput struct {
	*target
	fill func(io.Writer, *dynamicsJSON) error
}

// targets checks, before any work, that the outputs can be written.
func (r *following) targets() (outputs []dynamicsOutput, err error) {
	var args []outputArg
	for _, path := range r.of.outputs {
		args = append(args, outputArg{"-o", path})
	}
	expected := "with .json, .csv, .svg, .png or .pdf"
	if r.of.panes != "" {
		if _, err := figure.FormatOf(r.of.panes); err != nil {
			return nil, misusef("--panes %s: a name that ends with .svg, .png or .pdf expected", shown(r.of.panes))
		}
		args = append(args, outputArg{"--panes", r.of.panes})
	}
	noted := func(_, suffix string) (noted, known bool) {
		_, err := figure.FormatOf("x" + suffix)
		return suffix != ".json", suffix == ".json" || suffix == ".csv" || err == nil
	}
	targets, err := newTargets(args, noted, expected, r.force, r.paths()...)
	for i, t := range targets {
		path := args[i].path
		if _, err := figure.FormatOf(path); err == nil && args[i].flag == "-o" && len(r.names) > mostSpectra {
			return nil, misusef("-o %s: curves of %d layers: %d can be told apart, --layers names as many; --panes draws all", shown(path), len(r.names), mostSpectra)
		}
		fill := func(w io.Writer, d *dynamicsJSON) error { return d.draw(w, path, r.of.log) }
		switch suffix := suffixOf(path); {
		case args[i].flag == "--panes":
			fill = func(w io.Writer, d *dynamicsJSON) error { return d.drawPanes(w, path) }
		case suffix == ".json":
			fill = func(w io.Writer, d *dynamicsJSON) error { return writeJSON(w, d) }
		case suffix == ".csv":
			fill = func(w io.Writer, d *dynamicsJSON) error { return d.writeCSV(w) }
		}
		outputs = append(outputs, dynamicsOutput{t, fill})
	}
	return outputs, err
}

func (o dynamicsOutput) write(d *dynamicsJSON) error {
	fill := func(w io.Writer) error { return o.fill(w, d) }
	if o.note == nil {
		return o.target.write(fill)
	}
	p := newProvenance(d.making, d.Options, d.Selection)
	p.Score, p.Rows = d.Score, d.Layers
	for _, step := range d.Steps {
		p.Columns = append(p.Columns, strconv.Itoa(step))
	}
	return o.writeNoted(p, fill)
}

// writeCSV writes a line of the steps, and one for each layer: its name and its scores.
func (d *dynamicsJSON) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"layer"}
	for _, step := range d.Steps {
		head = append(head, strconv.Itoa(step))
	}
	lines := [][]string{head}
	for l, name := range d.Layers {
		line := []string{name}
		for _, v := range d.Curves[l] {
			field := "" // undefined
			if v != nil {
				field = strconv.FormatFloat(*v, 'g', -1, 64)
			}
			line = append(line, field)
		}
		lines = append(lines, line)
	}
	return c.WriteAll(lines)
}

// draw draws the curves, over the logarithm of steps if so.
func (d *dynamicsJSON) draw(w io.Writer, path string, log bool) error {
	return render(w, path, d.figure(log).Render)
}

// figure are the curves as a picture.
func (d *dynamicsJSON) figure(log bool) figure.Curves {
	c := figure.Curves{
		Title:  fmt.Sprintf("Each layer with itself at step %d", d.Steps[len(d.Steps)-1]),
		XLabel: "step", YLabel: d.Score.axisTitle(), LogX: log, To: 1,
	}
	for l, name := range d.Layers {
		s := figure.Series{Name: shown(name)}
		values, undefined := d.Score.kind().onScale(len(d.Steps), func(t int) *svcca.PairScores { return &d.Panes[t][l][l].PairScores })
		for t, step := range d.Steps {
			if step > 0 || !log {
				s.X, s.Y, s.Undefined = append(s.X, float64(step)), append(s.Y, values[t]), append(s.Undefined, undefined[t])
				c.From = min(c.From, values[t]) // as adjusted scores may be negative
			}
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// mostPanes are drawn of a run: no more are told apart on a page.
const mostPanes = 12

// drawPanes draws the panes.
func (d *dynamicsJSON) drawPanes(w io.Writer, path string) error {
	return render(w, path, d.panes().Render)
}

// panes are those over the steps as a picture, evenly chosen where there are many.
func (d *dynamicsJSON) panes() figure.Panes {
	var names []string
	for _, name := range d.Layers {
		names = append(names, shown(name))
	}
	var panes figure.Panes
	for _, t := range evenly(len(d.Steps), mostPanes) {
		values, undefined := make([][]float64, len(names)), make([][]bool, len(names))
		for l, row := range d.Panes[t] {
			values[l], undefined[l] = d.Score.kind().onScale(len(row), func(m int) *svcca.PairScores { return &row[m].PairScores })
		}
		panes.Panes = append(panes.Panes, figure.Pane{
			Title: fmt.Sprintf("step %d", d.Steps[t]), Rows: names, Columns: names, Values: values, Undefined: undefined,
			RowTitle: "layer at the step", ColumnTitle: "layer at the last step", Score: d.Score.axisTitle(),
		})
	}
	return panes
}

// render draws a figure to a file of that name.
func render(w io.Writer, path string, draw func(io.Writer, figure.Format, figure.Page) error) error {
	format, err := figure.FormatOf(path)
	if err != nil {
		return err
	}
	var drawn bytes.Buffer
	if err := draw(&drawn, format, figure.Page{}); err != nil {
		return fmt.Errorf("%s: %w", shown(path), err)
	}
	_, err = drawn.WriteTo(w)
	return err
}

// evenly returns at most so many of n indices, the first and the last among them.
func evenly(n, most int) (chosen []int) {
	count := min(n, max(most, 2))
	for i := range count {
		at := n - 1
		if count > 1 {
			at = i * (n - 1) / (count - 1)
		}
		chosen = append(chosen, at)
	}
	return chosen
}
