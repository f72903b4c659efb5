package main

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
)

// writeTable writes the scores for people, layers × classes, in lines of a width.
func (c *classes) writeTable(w io.Writer, s style, width int, r *classesJSON) error {
	t := &matrixTable{page: newPage(s), width: width, kind: r.Score.kind()}
	of := t.kind.of
	t.kind.of = func(p *svcca.PairScores) (*float64, float64) {
		if p.Mean == nil {
			return nil, 0 // of a logit that is constant
		}
		return of(p)
	}
	names := r.networkNames()
	nameRoom, layers := 0, 0
	for i, n := range r.Networks {
		layers += len(n.Layers)
		for _, name := range n.Layers {
			name = shown(name)
			if len(names) > 1 {
				name = names[i] + "  " + name
			}
			t.rows = append(t.rows, name)
			nameRoom = max(nameRoom, columns(name))
		}
	}
	const column = len("0.123") + 2 // the gap before it, and a mark
	most := max(1, (width-min(nameRoom, max(12, width/3)))/column)
	shownClasses := r.Classes[:min(most, len(r.Classes))]
	for _, class := range shownClasses {
		t.columns = append(t.columns, strconv.Itoa(class))
	}
	t.pane = c.pane(r, len(shownClasses))
	what := shown(r.Networks[0].Name)
	if len(names) > 1 {
		what = plural(len(names), "network")
	}
	t.lines(fmt.Sprintf("%s: %s of %s with single logits, %s (columns), over %s", t.kind.title, plural(layers, "layer"), what, classCount(len(r.Classes)), t.pane.over()))
	t.weighted()
	for _, step := range r.Selection.words() {
		t.lines(step)
	}
	t.line("")
	t.layOut()
	if len(shownClasses) < len(r.Classes) {
		t.lines(fmt.Sprintf("%d of %d classes: -o FILE.csv writes all, --class names some.", len(shownClasses), len(r.Classes)))
	}
	t.line("")
	if _, ofRho := r.Score.byChance(0); ofRho && r.Options.Centering == svcca.CenterNeurons {
		t.lines("With one logit there is one ρ: ρ² is the share of the logit's variance that linear regression on the layer's kept directions explains.")
	}
	if c.way == byDFT {
		t.lines("No translation moves a logit: of maps it meets each channel's mean over positions.")
	}
	t.foot()
	return t.writeTo(w)
}

func classCount(n int) string {
	if n == 1 {
		return "1 class"
	}
	return fmt.Sprintf("%d classes", n)
}

// pane is the layers of all networks by the first so many classes.
func (c *classes) pane(r *classesJSON, count int) *scored {
	n, _ := c.views[0].Dims()
	pane := &svcca.Pane{Options: c.options}
	s := &scored{Pane: pane, mapFlags: c.mapFlags, images: c.datapoints()}
	for _, class := range r.Classes[:count] {
		pane.Columns = append(pane.Columns, svcca.Side{Name: strconv.Itoa(class)})
	}
	for _, network := range r.Networks {
		for l, name := range network.Layers {
			pane.Rows = append(pane.Rows, svcca.Side{Name: network.Name + "/" + name, Datapoints: n})
			chance := 0.0 // of the layer, whatever the logit
			for _, curve := range network.Curves {
				if !curve.Constant {
					chance = curve.Points[l].Chance
				}
			}
			var pairs []svcca.PairScores
			var told []translatedPair
			for _, curve := range network.Curves[:count] {
				p := svcca.PairScores{Chance: chance}
				if !curve.Constant {
					p = curve.Points[l].PairScores
				}
				pairs = append(pairs, p)
				told = append(told, translatedPair{deviation: c.deviation(n, chance), most: chance})
			}
			pane.Pairs, s.pairs = append(pane.Pairs, pairs), append(s.pairs, told)
		}
	}
	return s
}

// deviation returns the standard deviation of ρ² between a logit and an unrelated layer of
// n datapoints, of as many directions as chance tells: of maps those of block (0, 0), the
// only one in which a logit is.
func (c *classes) deviation(n int, chance float64) float64 {
	space, centering := n, c.options.Centering
	if centering == svcca.CenterTranslated {
		centering = svcca.CenterNeurons // in that block
	}
	if centering == svcca.CenterNeurons {
		space--
	}
	k := int(math.Round(chance * float64(space)))
	return svcca.ChanceDeviation(svcca.Side{Datapoints: n, K: k}, svcca.Side{Datapoints: n, K: 1}, centering)
}
