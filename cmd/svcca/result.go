package main

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// result is a comparison, with what there is to tell of feature maps.
type result struct {
	*svcca.Comparison
	making
	transposed bool

	mapFlags
	images int
	sizes  [2]*mapSize  // nil of layers of two dimensions
	conv   *conv.Result // by dft and lowpass

	selection *selection // nil: everything
}

// wayOptions are svcca.Options in JSON, with the flags of feature maps or of tokens.
type wayOptions struct {
	svcca.Options
	mapFlags
}

// MarshalJSON returns the options in the words of the flags.
func (o wayOptions) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(o.Options)
	if err != nil || o.way == "" && o.tokens == "" {
		return text, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	if fields["layout"] = o.layout; o.tokens != "" {
		fields["tokens"], fields["layout"] = o.tokens, tokenLayout(o.layout).String()
	} else {
		fields["conv"] = o.way
	}
	return json.Marshal(fields)
}

// The codes of warnings that this command adds.
const warnPositions = "correlated_positions"

// warnMaps adds to the warnings of pixels and of flatten what these are short of.
func (r *result) warnMaps() {
	switch r.way {
	case byPixels:
		r.Warnings = append(r.Warnings, svcca.Warning{Code: warnPositions, Text: fmt.Sprintf(
			"positions of one image are correlated: %d of them tell less than as many images would, and chance is higher than the %s given, in smooth maps up to the %s of %s",
			r.X.Datapoints, level(r.Chance), level(chanceOfImages(r.Chance, r.X.Datapoints, r.images, r.Options.Centering)), plural(r.images, "image"))})
	case byFlatten:
		flattenedWarnings(r.Warnings, r.X, r.Y)
	}
}

// flattened puts for pane what flatten is short of.
func flattened(pane *svcca.Pane) {
	flattenedWarnings(pane.Warnings, append(append([]svcca.Side{}, pane.Rows...), pane.Columns...)...)
}

// flattenedWarnings replaces the question whether layers lie on their side.
func flattenedWarnings(warnings []svcca.Warning, sides ...svcca.Side) {
	for i, w := range warnings {
		for _, side := range sides {
			if w.Code == svcca.WarnWide && w.Text == wideText(side) {
				warnings[i].Text = fmt.Sprintf("%q has %d values an image and %d images: take more images, or --conv dft, which needs fewer", side.Name, side.Neurons, side.Datapoints)
			}
		}
	}
}

// wideText is svcca's warning of a layer that may lie on its side, as maps do not.
func wideText(s svcca.Side) string {
	return fmt.Sprintf("%q has more neurons (%d) than datapoints (%d): is it stored as neurons × datapoints?", s.Name, s.Neurons, s.Datapoints)
}

// chanceOfImages returns the chance level of as many datapoints as there are images,
// from that of all their positions (DEFINITIONS §5).
func chanceOfImages(chance float64, positions, images int, centering svcca.Centering) float64 {
	p, n := float64(positions), float64(images)
	if centering == svcca.CenterNeurons {
		p, n = p-1, n-1
	}
	return math.Min(1, chance*p/math.Max(n, 1))
}
