package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// classesJSON is the contract.
type classesJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Score is the one that tables, .csv and pictures hold.
	Score score `json:"score"`
	making
	Classes   []int              `json:"classes"`
	Networks  []classNetworkJSON `json:"networks"`
	Options   wayOptions         `json:"options"`
	Selection *selection         `json:"selection,omitempty"`
	Warnings  []svcca.Warning    `json:"warnings"`
	Backend   native.Info        `json:"backend"`
}

// classNetworkJSON is a network: each layer with each class.
type classNetworkJSON struct {
	Name   string               `json:"name"`
	Logits string               `json:"logits"`
	Layers []string             `json:"layers"` // in order of depth
	Curves []measure.ClassCurve `json:"curves"`
}

// classesKinds are the kinds of files by their suffixes: those that cannot say what made
// them have a note.
var classesKinds = map[string]bool{".json": false, ".csv": true, ".svg": true, ".png": true, ".pdf": true}

// classesOutput is a file to write to.
type classesOutput struct {
	*target
	suffix string
}

// targets checks, before any work, that the outputs can be written.
func (c *classes) targets() (outputs []classesOutput, err error) {
	targets, err := c.targetsOf(classesKinds, ".json, .csv, .svg, .png or .pdf")
	for i, t := range targets {
		outputs = append(outputs, classesOutput{t, suffixOf(c.outputs[i])})
	}
	return outputs, err
}

// The colours and dashes of figure.Series: so many curves are told apart.
const curveColours, curveDashes = 7, 4

// drawable returns an error where a picture is asked for of more curves than it tells
// apart.
func (c *classes) drawable() error {
	networks := len(c.networks)
	most := curveColours * curveDashes / networks
	if networks <= curveDashes {
		most = curveColours * (curveDashes / networks)
	}
	for _, path := range c.outputs {
		if _, err := figure.FormatOf(path); err == nil && len(c.numbers) > most {
			return misusef("-o %s: curves of %s by %s: %s can be told apart, --class names as many", shown(path), plural(networks, "network"), classCount(len(c.numbers)), classCount(most))
		}
	}
	return nil
}

func (o classesOutput) write(ctx context.Context, r *classesJSON) error {
	p := newProvenance(r.making, r.Options, r.Selection)
	p.Score = r.Score
	for _, n := range r.Networks {
		for _, name := range n.Layers {
			p.Rows = append(p.Rows, n.Name+"/"+name)
		}
	}
	for _, class := range r.Classes {
		p.Columns = append(p.Columns, strconv.Itoa(class))
	}
	switch o.suffix {
	case ".json":
		return o.target.write(func(w io.Writer) error { return writeJSON(w, r) })
	case ".csv":
		return o.writeNoted(p, r.writeCSV)
	}
	return o.draw(ctx, figure.Format(o.suffix[1:]), r.drawn(), p)
}

// writeCSV writes a line for each network, class and layer: the score, and the mean square
// by chance; nothing where one is undefined.
func (r *classesJSON) writeCSV(w io.Writer) error {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	kind := r.Score.kind()
	lines := [][]string{{"network", "class", "layer", "depth", string(r.Score), "chance"}}
	for _, n := range r.Networks {
		for _, curve := range n.Curves {
			for l, name := range n.Layers {
				line := []string{n.Name, strconv.Itoa(curve.Class), name, number(measure.Depth(l, len(n.Layers))), "", ""}
				if !curve.Constant {
					p := &curve.Points[l].PairScores
					if v, _ := kind.of(p); v != nil {
						line[4] = number(*v)
					}
					line[5] = number(p.Chance)
				}
				lines = append(lines, line)
			}
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// networkNames are the networks' names without the directories that all have in common.
func (r *classesJSON) networkNames() []string {
	var sides []svcca.Side
	for _, n := range r.Networks {
		sides = append(sides, svcca.Side{Name: n.Name})
	}
	names, _ := shortNames(sides)
	return names
}

// byChance is what the score is of unrelated layers, on average or at most, by their mean
// square; false where that is not known of a single logit.
func (s score) byChance(chance float64) (level float64, known bool) {
	switch s {
	case "mean", "weighted_y", "pwcca_x", "pwcca_y": // the one ρ
		return math.Sqrt(min(1, chance)), true
	case "mean_square":
		return min(1, chance), true
	case "adjusted":
		return 0, true
	}
	return 0, false
}

// drawn is a curve for each network and class, over depth, and one of chance.
func (r *classesJSON) drawn() figure.Curves {
	c := figure.Curves{Title: "Each layer with single logits", XLabel: "relative depth", YLabel: r.Score.axisTitle(), To: 1}
	if r.Selection != nil {
		for _, step := range r.Selection.Steps {
			if step.Flag == "labelled" {
				c.Title += ", on datapoints of " + shown(step.Value)
			}
		}
	}
	kind := r.Score.kind()
	// Of few networks a class has one colour in all, and a network one dash for each turn of
	// the colours. Of many each curve has its own, and chance none.
	few := len(r.Networks) <= curveDashes
	style := func(s figure.Series, network, class int) figure.Series {
		if few {
			s.Colour, s.Dash = class%curveColours+1, network+len(r.Networks)*(class/curveColours)+1
		}
		return s
	}
	for i, network := range r.networkNames() {
		prefix := network + ", "
		if len(r.Networks) == 1 {
			prefix = ""
		}
		byChance := style(figure.Series{Name: prefix + "chance", Faint: true}, i, 0)
		for j, curve := range r.Networks[i].Curves {
			s := style(figure.Series{Name: fmt.Sprintf("%sclass %d", prefix, curve.Class)}, i, j)
			for _, p := range curve.Points {
				s.X = append(s.X, p.Depth)
				v, bound := kind.of(&p.PairScores)
				s.Undefined = append(s.Undefined, v == nil)
				if v == nil {
					v = new(float64)
				}
				s.Y = append(s.Y, onScale(*v, bound))
				c.From = min(c.From, *v) // as adjusted scores may be negative
				if level, known := r.Score.byChance(p.Chance); known && few && !slices.Contains(byChance.X, p.Depth) {
					byChance.X, byChance.Y = append(byChance.X, p.Depth), append(byChance.Y, level)
				}
			}
			if len(s.X) > 0 {
				c.Series = append(c.Series, s)
			}
		}
		if len(byChance.X) > 0 {
			c.Series = append(c.Series, byChance)
		}
	}
	return c
}
