package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/svcca/dynamics"
)

// writeDynamics writes a run for people, in lines of a width.
func writeDynamics(w io.Writer, s style, width int, r *following, d *dynamicsJSON) error {
	t := &matrixTable{page: newPage(s), width: width, kind: d.Score.kind(), rows: shownAll(d.Layers)}
	nameRoom := 0
	for _, name := range t.rows {
		nameRoom = max(nameRoom, columns(name))
	}
	last := d.Steps[len(d.Steps)-1]
	const gaps = 3 // of a column: between it and the one before, and for a mark
	column := max(len("0.1234"), len(strconv.Itoa(last))) + gaps
	steps := evenly(len(d.Steps), (width-min(nameRoom, max(12, width/3)))/column)
	t.pane = r.curves(d, steps)
	for _, at := range steps {
		t.columns = append(t.columns, strconv.Itoa(d.Steps[at]))
	}
	t.lines(fmt.Sprintf("%s: %s of %s at %s (columns), each with itself at step %d, over %s", t.kind.title,
		plural(len(d.Layers), "layer"), shown(r.dir), plural(len(d.Steps), "step"), last, t.pane.over()))
	for _, step := range t.pane.selection.words() {
		t.lines(step)
	}
	t.line("")
	t.layOut()
	if len(steps) < len(d.Steps) {
		t.lines(fmt.Sprintf("%d of %d steps: -o FILE.csv writes all.", len(steps), len(d.Steps)))
	}
	t.line("")
	for _, l := range aligned(d.summary(t.rows, width), 2) {
		t.line(l)
	}
	t.line("")
	for _, text := range d.words() {
		t.lines(text)
	}
	t.legend()
	if weighed := strings.HasPrefix(string(d.Score), "weighted") || strings.HasPrefix(string(d.Score), "pwcca"); !weighed || !r.way.translates() {
		t.lines(t.chance())
	}
	t.lines(t.rightTo())
	t.lines(t.pane.optionWords(t.pane.Options))
	return t.writeTo(w)
}

func shownAll(names []string) (all []string) {
	for _, name := range names {
		all = append(all, shown(name))
	}
	return all
}

// summary is a line for each layer: when it converged, what it overtakes and how like it
// is to the layer before.
func (d *dynamicsJSON) summary(names []string, width int) [][]string {
	grid := [][]string{{"", fmt.Sprintf("≥ %v from step", d.Threshold), "overtakes", "with the layer before"}}
	for l, c := range d.Converged {
		line := []string{style{}.shorten(names[l], max(12, width/3)), "never", "", ""}
		if c.Step != nil {
			line[1] = strconv.Itoa(*c.Step)
		}
		if l > 0 {
			line[2] = percent(*d.Overtakes[l])
			kind := d.Score.kind()
			line[3] = "none"
			if v, bound := kind.of(&d.Adjacent[l-1].PairScores); v != nil {
				line[3] = decimal(*v, bound)
			}
		}
		grid = append(grid, line)
	}
	return grid
}

// words say whether the network converges bottom-up: by more than layers in random order
// deviate.
func (d *dynamicsJSON) words() (text []string) {
	top := len(d.Layers) - 1
	deviation := dynamics.BottomUpDeviation(d.Converged) // nil where τ is
	switch tau := d.BottomUp; {
	case top == 0:
		return nil
	case tau == nil:
		text = append(text, "Neither bottom-up nor top-down: all layers converge at one step, or none does.")
	case math.Abs(*tau) < 1 && math.Abs(*tau) <= *deviation:
		text = append(text, fmt.Sprintf("Neither bottom-up nor top-down: Kendall's τ of depth and step is %s, by chance 0 ± %s.",
			strings.TrimSpace(decimal(*tau, 0)), strings.TrimSpace(decimal(*deviation, 0))))
	default:
		word, how := "Top-down", "higher layers tend to converge first"
		if *tau > 0 {
			word, how = "Bottom-up", "lower layers tend to converge first"
		}
		switch *tau {
		case 1:
			how = "each layer converges after all below it"
		case -1:
			how = "each layer converges before all below it"
		}
		text = append(text, fmt.Sprintf("%s, Kendall's τ of depth and step is %s: %s.", word, strings.TrimSpace(decimal(*tau, 0)), how))
	}
	text = append(text, "A layer overtakes those below it that converge later, and by half those of the same step.")
	if share := *d.Overtakes[top]; share > 0.5 {
		text = append(text, fmt.Sprintf("The top is an exception: it overtakes %s of the layers below it.", percent(share)))
	}
	if d.Stripes != nil {
		text = append(text, fmt.Sprintf("Stripes of the last pane: %s (positive where every second layer is alike).", strings.TrimSpace(decimal(*d.Stripes, 0))))
	}
	return text
}
