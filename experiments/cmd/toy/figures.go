package main

import (
	"fmt"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/figure"
)

// figures draws Fig. 1, in three parts, and Fig. 3, in one for each number of directions.
func (m *measured) figures() []results.Figure {
	all := []results.Figure{
		m.pairs(0, "neurons", "Neurons of largest mean activation", m.Neurons),
		m.pairs(1, "svd", "SVD directions", m.SVD),
		m.pairs(2, "svcca", "SVCCA directions", m.SVCCA),
	}
	for i, k := range kept {
		c := figure.Curves{
			Title:  fmt.Sprintf("Output by %d directions: error %.2g", k, m.Without[i]),
			XLabel: "x", YLabel: "output", From: -1.5, To: 1.5,
		}
		for j, f := range functions {
			c.Series = append(c.Series,
				figure.Series{Name: f.name + ", by all", X: m.x, Y: output(m.whole, j), Faint: true, Dash: 1},
				figure.Series{Name: f.name, X: m.x, Y: output(m.withoutRest[i], j), Colour: j + 1, Dash: 1})
		}
		all = append(all, results.Figure{Name: fmt.Sprintf("outputs%d", k), Of: c, Page: figure.Page{
			Name: c.Title, Description: fmt.Sprintf("Four functions as the whole network gives them, in grey, and from %d of its SVCCA directions.", k),
		}})
	}
	return all
}

// pairs draws both networks' first directions of a kind over x: each pair in a colour, the
// second network broken. Signs, which are nothing of a direction's, are made to agree.
func (m *measured) pairs(kind int, name, title string, correlations []float64) results.Figure {
	c := figure.Curves{Title: title, XLabel: "x", YLabel: "value, mean 0, deviation 1"}
	for j := range shown {
		a, b := m.first[kind][0][j], m.first[kind][1][j]
		if together(a, b) < 0 {
			b = negative(b)
		}
		c.Series = append(c.Series,
			figure.Series{Name: fmt.Sprint("A, ", j+1), X: m.x, Y: a, Colour: j + 1, Dash: 1},
			figure.Series{Name: fmt.Sprint("B, ", j+1), X: m.x, Y: b, Colour: j + 1, Dash: 3})
	}
	return results.Figure{Name: name, Of: c, Page: figure.Page{
		Name:        title + " of networks A and B",
		Description: fmt.Sprintf("Correlations of the pairs, without sign: %s.", list(correlations, "%.3f")),
	}}
}

func negative(values []float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = -v
	}
	return all
}

func output(y *nn.Tensor[float32], j int) []float64 {
	all := make([]float64, y.Shape[0])
	for i := range all {
		all[i] = float64(y.Data[i*len(functions)+j])
	}
	return all
}
