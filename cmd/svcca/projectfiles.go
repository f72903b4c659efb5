package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/figure"
)

// name is what a curve is of.
func (c *projectCurve) name() string {
	switch {
	case c.Onto > 0:
		return fmt.Sprintf("directions, then %s", plural(c.Onto, "neuron"))
	case c.Kept == string(neuronsAtRandom):
		return "random neurons"
	case c.Kept == string(neuronsByActivation):
		return "largest mean activation"
	}
	return "directions"
}

// at returns the value at a count, where there is one.
func (c *projectCurve) at(count int) (v float64, is bool) {
	i, is := slices.BinarySearch(c.Counts, count)
	if !is {
		return 0, false
	}
	return c.Values[i], true
}

// counts are those of any curve.
func (j *projectJSON) counts() (all []int) {
	for _, c := range j.Curves {
		all = append(all, c.Counts...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (j *projectJSON) provenance() provenance { return newProvenance(j.making, j.Options, j.Selection) }

// lines are a line for each count: the values of the curves, of random neurons the least
// and the most too.
func (j *projectJSON) lines() [][]string {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	head := []string{"count"}
	for _, c := range j.Curves {
		head = append(head, c.name())
		if c.Least != nil {
			head = append(head, c.name()+" (least)", c.name()+" (most)")
		}
	}
	lines := [][]string{append(head, "nothing erased")}
	for _, count := range j.counts() {
		line := []string{strconv.Itoa(count)}
		for _, c := range j.Curves {
			i, is := slices.BinarySearch(c.Counts, count)
			cells := [][]float64{c.Values}
			if c.Least != nil {
				cells = append(cells, c.Least, c.Most)
			}
			for _, values := range cells {
				if is {
					line = append(line, text(values[i]))
				} else {
					line = append(line, "")
				}
			}
		}
		lines = append(lines, append(line, text(j.Whole)))
	}
	return lines
}

// drawn is the curves as a picture, over the logarithm of counts.
func (j *projectJSON) drawn() figure.Curves {
	counts := j.counts()
	picture := figure.Curves{XLabel: "directions or neurons kept", YLabel: j.Measure.title(), LogX: true}
	if j.Measure == byAccuracy {
		picture.To = 1
	}
	for _, c := range j.Curves {
		s := figure.Series{Name: c.name(), Y: c.Values, Low: c.Least, High: c.Most}
		for _, count := range c.Counts {
			s.X = append(s.X, float64(count))
		}
		picture.Series = append(picture.Series, s)
	}
	whole := figure.Series{Name: "nothing erased", X: []float64{float64(counts[0])}, Y: []float64{j.Whole}}
	if last := counts[len(counts)-1]; last > counts[0] {
		whole.X, whole.Y = append(whole.X, float64(last)), append(whole.Y, j.Whole)
	}
	picture.Series = append(picture.Series, whole)
	return picture
}

// writeProjected writes a table for people, in lines of a width.
func writeProjected(w io.Writer, s style, width int, j *projectJSON) error {
	p := newPage(s)
	p.paragraph("", "", fmt.Sprintf("%s behind %s with less of it, over %s", j.Measure.title(), shown(j.Layer), plural(j.Datapoints, j.unit)))
	for _, step := range j.Selection.words() {
		p.paragraph("", "", step)
	}
	p.line("")
	var onto []int
	head := []string{"", "directions"}
	for _, c := range j.Curves {
		if c.Onto > 0 {
			onto = append(onto, c.Onto)
			head = append(head, fmt.Sprintf("on %d", c.Onto))
		}
	}
	values := []float64{j.Whole}
	for _, c := range j.Curves {
		values = append(values, c.Values...)
	}
	form := j.Measure.form(values...)
	grid := [][]string{append(head, "random", "activation")}
	for _, count := range j.counts() {
		line := []string{strconv.Itoa(count)}
		for _, c := range j.Curves {
			text := ""
			if v, is := c.at(count); is {
				text = form(v)
			}
			line = append(line, text)
		}
		grid = append(grid, line)
	}
	p.grid(grid, width)
	p.line("")
	text := "directions: the first of " + strconv.Itoa(j.Directions)
	for _, q := range onto {
		text += fmt.Sprintf("; on %d: these, then %s", q, plural(q, "neuron"))
		if len(onto) == 1 {
			text += " that matter most to them"
		}
	}
	p.paragraph("", "", text+fmt.Sprintf("; random: as many neurons, the mean of %s; activation: those of the largest mean.", plural(j.Options.Draws, "draw")))
	if j.Measure == byLoss {
		p.paragraph("", "", "A change of 1 is as large as the outputs' deviation from their means.")
	} else {
		p.paragraph("", "", fmt.Sprintf("With nothing erased: %s.", form(j.Whole)))
	}
	return p.writeTo(w)
}
