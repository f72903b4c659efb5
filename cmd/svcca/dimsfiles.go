package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gosvcca/gosvcca/figure"
)

// dimsKinds are the kinds of files by their suffixes: those that cannot say what made
// them have a note.
var dimsKinds = map[string]bool{".json": false, ".csv": true, ".svg": true, ".png": true, ".pdf": true}

// dimsOutput is a file to write to.
type dimsOutput struct {
	*target
	suffix string
}

// mostSpectra is how many spectra, or curves, a picture tells apart.
const mostSpectra = 28

// targets checks, before any work, that the outputs can be written.
func (d *dims) targets() (outputs []dimsOutput, err error) {
	targets, err := d.targetsOf(dimsKinds, ".json, .csv, .svg, .png or .pdf")
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		path := d.outputs[i]
		if _, err := figure.FormatOf(path); err == nil && len(d.inputs) > mostSpectra {
			return nil, misusef("-o %s: spectra of %d layers: %d can be told apart, name as many", shown(path), len(d.inputs), mostSpectra)
		}
		outputs = append(outputs, dimsOutput{t, suffixOf(path)})
	}
	return outputs, nil
}

func (o dimsOutput) write(ctx context.Context, r *dimsJSON) error {
	p := newProvenance(r.making, r.Options, nil)
	for _, l := range r.Layers {
		p.Rows = append(p.Rows, l.Name)
		if l.Selection != nil {
			if p.Selections == nil {
				p.Selections = map[string]*selection{}
			}
			p.Selections[l.Name] = l.Selection
		}
	}
	switch o.suffix {
	case ".json":
		return o.target.write(func(w io.Writer) error { return writeJSON(w, r) })
	case ".csv":
		return o.writeNoted(p, func(w io.Writer) error { return writeDimsCSV(w, r) })
	}
	return o.draw(ctx, figure.Format(o.suffix[1:]), r.drawn(), p)
}

// shareText is a share in percent.
func shareText(share float64) string {
	return strconv.FormatFloat(math.Round(1e4*share)/100, 'f', -1, 64)
}

// writeDimsCSV writes a line for each layer.
func writeDimsCSV(w io.Writer, r *dimsJSON) error {
	c := csv.NewWriter(w)
	for i, l := range r.Layers {
		head := []string{"layer", "datapoints", "neurons", "rank"}
		line := []string{l.Name, strconv.Itoa(l.Datapoints), strconv.Itoa(l.Neurons), strconv.Itoa(l.Rank)}
		for _, k := range l.Kept {
			head, line = append(head, "variance_"+shareText(k.Share)), append(line, strconv.Itoa(k.Variance))
		}
		for _, k := range l.Kept {
			head, line = append(head, "sum_"+shareText(k.Share)), append(line, strconv.Itoa(k.Sum))
		}
		head = append(head, "participation_ratio", "effective_rank")
		line = append(line, strconv.FormatFloat(l.ParticipationRatio, 'g', -1, 64), strconv.FormatFloat(l.EffectiveRank, 'g', -1, 64))
		if i == 0 {
			if err := c.Write(head); err != nil {
				return err
			}
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// writeDims writes a table for people, in lines of a width.
func writeDims(w io.Writer, s style, width int, r *dimsJSON) error {
	p := newPage(s)
	names, dir := shortNames(r.sides())
	title := "Directions of " + plural(len(names), "layer")
	if dir != "" {
		title += " of " + dir
	}
	// Datapoints are worth a column only where they differ.
	same := true
	for _, l := range r.Layers {
		same = same && l.Datapoints == r.Layers[0].Datapoints
	}
	if same {
		title += ", over " + plural(r.Layers[0].Datapoints, r.Options.unit())
	}
	p.paragraph("", "", title)
	if same {
		for _, step := range r.Layers[0].Selection.words() {
			p.paragraph("", "", step)
		}
	}
	p.line("")

	head := []string{""}
	if !same {
		head = append(head, r.Options.unit()+"s")
	}
	head = append(head, "neurons", "rank")
	groups := []int{len(head)} // where variance, sum and PR begin
	for range 2 {
		for _, k := range r.Layers[0].Kept {
			head = append(head, shareText(k.Share)+"%")
		}
		groups = append(groups, len(head))
	}
	grid := [][]string{append(head, "PR")}
	for _, l := range r.Layers {
		line := []string{""}
		if !same {
			line = append(line, strconv.Itoa(l.Datapoints))
		}
		line = append(line, strconv.Itoa(l.Neurons), strconv.Itoa(l.Rank))
		for _, k := range l.Kept {
			line = append(line, strconv.Itoa(k.Variance))
		}
		for _, k := range l.Kept {
			line = append(line, strconv.Itoa(k.Sum))
		}
		grid = append(grid, append(line, strconv.FormatFloat(l.ParticipationRatio, 'f', 1, 64)))
	}
	gap := 2
	if columns(aligned(grid, gap)[0])+shortHeader > width {
		gap = 1
	}
	room := max(shortHeader, width-columns(aligned(grid, gap)[0]))
	for i, name := range names {
		grid[i+1][0] = p.shorten(name, room)
	}
	ends := make([]int, len(groups))
	for i, count := range groups {
		part := make([][]string, len(grid))
		for j, row := range grid {
			part[j] = row[:count]
		}
		ends[i] = columns(aligned(part, gap)[0])
	}
	p.line(alignLeft("", ends[0]) + alignRight("of variance", ends[1]-ends[0]) + alignRight("of the sum", ends[2]-ends[1]))
	for _, line := range aligned(grid, gap) {
		p.line(line)
	}
	p.line("")
	p.paragraph("", "", "rank: directions above rounding noise; 90% …: the fewest that hold as much of the variance, or of the sum of singular values; PR: participation ratio, how many equal directions would spread the variance as much.")
	p.paragraph("", "", r.optionWords())
	return p.writeTo(w)
}

// optionWords are the options as flags.
func (r *dimsJSON) optionWords() string {
	o := r.Options
	text := "Options:"
	switch {
	case o.tokens != "":
		text += fmt.Sprintf(" --tokens %s --layout %v", o.tokens, tokenLayout(o.layout))
	case o.way != "":
		text += fmt.Sprintf(" --conv %s --layout %v", o.way, o.layout)
	}
	return text + fmt.Sprintf(" --rank-tol %v --centering %v", o.RankTol, o.Centering)
}
