package main

import (
	"fmt"

	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/figure"
)

// figures draws Fig. 2a and 2b for each layer.
func (m *measured) figures() (all []results.Figure) {
	for _, l := range m.Layers {
		whole := figure.Series{Name: "whole networks", X: []float64{1, float64(l.Neurons)}, Y: []float64{m.Whole, m.Whole}, Faint: true}
		a := figure.Curves{
			Title:  fmt.Sprintf("%s: directions and neurons", l.Layer),
			XLabel: "directions or neurons kept", YLabel: "accuracy", LogX: true, To: 1,
			Series: []figure.Series{whole, l.series("SVCCA directions", l.Directions, 1),
				l.series("largest activation", l.Active, 2), l.series("random neurons", l.Random, 3)},
		}
		b := figure.Curves{
			Title:  fmt.Sprintf("%s: directions put onto neurons", l.Layer),
			XLabel: "directions kept", YLabel: "accuracy", LogX: true, To: 1,
			Series: []figure.Series{whole, l.series("all neurons", l.Directions, 1)},
		}
		for i, q := range l.OntoSize {
			b.Series = append(b.Series, l.series(fmt.Sprintf("%d neurons", q), l.Onto[i], 4+i))
		}
		all = append(all,
			results.Figure{Name: l.Layer + "-directions", Of: a, Page: figure.Page{Name: a.Title, Description: fmt.Sprintf("%d of %d directions are within one point of the whole networks.", l.Enough, l.Neurons)}},
			results.Figure{Name: l.Layer + "-neurons", Of: b, Page: figure.Page{Name: b.Title, Description: "Accuracy by how many directions are kept, and of few neurons then."}})
	}
	return all
}

func (l *curves) series(name string, accuracies []float64, colour int) figure.Series {
	s := figure.Series{Name: name, Y: accuracies, Colour: colour, Dash: 1}
	for _, k := range l.K[:len(accuracies)] {
		s.X = append(s.X, float64(k))
	}
	return s
}
