package main

import (
	"fmt"

	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/figure"
)

// shown is how many panes are drawn: the first, the last, and some between.
const shown = 4

// panes are layers at some steps against layers at the end.
func (n *network) panes() results.Figure {
	f := figure.Panes{Title: n.Network + " in training"}
	last := len(n.Steps) - 1
	for i := range shown {
		at := i * last / (shown - 1)
		f.Panes = append(f.Panes, figure.Pane{
			Title: fmt.Sprint("step ", n.Steps[at]), Rows: n.Layers, Columns: n.Layers,
			RowTitle: "at that step", ColumnTitle: "at the end", Values: n.Panes[at],
		})
	}
	return results.Figure{Name: n.Network + "-panes", Of: f, Page: figure.Page{Width: 720}}
}

// curves are layers against themselves at the end, over steps.
func (n *network) curves() results.Figure {
	f := figure.Curves{
		Title: n.Network + ": layers against their own end", XLabel: "step", YLabel: "SVCCA similarity", To: 1,
	}
	for l, name := range n.Layers {
		series := figure.Series{Name: name}
		for t, v := range n.Curves[l] {
			series.X, series.Y = append(series.X, float64(n.Steps[t])), append(series.Y, *v)
		}
		f.Series = append(f.Series, series)
	}
	return results.Figure{Name: n.Network + "-curves", Of: f, Page: figure.Page{Width: 540}}
}
