package main

import (
	"fmt"

	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/figure"
)

// figures draws accuracy by share, and at some shares by how many layers are compressed.
func (m *measured) figures() []results.Figure {
	whole := func(to float64) figure.Series {
		return figure.Series{Name: "whole networks", X: []float64{0, to}, Y: []float64{m.Whole, m.Whole}, Faint: true}
	}
	byShare := figure.Curves{Title: "Five layers, each left with a share", XLabel: "share of a layer's directions kept", YLabel: "accuracy", To: 1,
		Series: []figure.Series{whole(1)}}
	byLayer := figure.Curves{Title: "Layers left with a share, one after another", XLabel: "layers compressed: pool2, fc1, bn3, fc2, bn4", YLabel: "accuracy", To: 1,
		Series: []figure.Series{whole(float64(len(layers)))}}
	for i, w := range m.Against {
		shares := figure.Series{Name: "by " + w.With, Colour: i + 1, Dash: 1}
		for _, c := range w.Shares {
			shares.X, shares.Y = append(shares.X, c.Share), append(shares.Y, c.right())
		}
		byShare.Series = append(byShare.Series, shares)
		for dash, share := range []float64{paperShare, 0.1, 0.05} {
			steps := figure.Series{Name: fmt.Sprintf("%v by %s", share, w.With), Colour: i + 1, Dash: dash + 1, X: []float64{0}, Y: []float64{m.Whole}}
			for j, a := range w.at(share).Accuracy {
				steps.X, steps.Y = append(steps.X, float64(j+1)), append(steps.Y, a)
			}
			byLayer.Series = append(byLayer.Series, steps)
		}
	}
	return []results.Figure{
		{Name: "shares", Of: byShare, Page: figure.Page{Name: byShare.Title, Description: "Accuracy once five layers are compressed, by directions shared with another network or with the logits."}},
		{Name: "layers", Of: byLayer, Page: figure.Page{Name: byLayer.Title, Description: "Accuracy after each layer is compressed."}},
	}
}
