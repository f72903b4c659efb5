package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// checkMaps makes sure that --conv goes with these layers, and says how it takes them.
func (f *compareFlags) checkMaps(cmd *cobra.Command, rows *fileRows) error {
	x, y := rows.layers[0], rows.layers[1]
	if f.way == "" {
		return nil
	}
	if !isMaps(x) && !isMaps(y) {
		return misusef("neither %s nor %s holds feature maps, which have 4 dimensions: leave out --conv %s", shown(x.Name()), shown(y.Name()), f.way)
	}
	if f.way == byPixels {
		if err := f.samePositions(x, y); err != nil {
			return err
		}
	}
	if f.directions != "" && f.way == byLowPass {
		return misusef("--directions: a low pass has no filters of the maps' own size; --conv dft has, and flatten and pixels have directions")
	}
	for i, l := range rows.layers {
		if isMaps(l) && (i == 0 || l.Name() != x.Name()) {
			f.notice(cmd.ErrOrStderr(), f.assumed(l))
		}
	}
	return nil
}

// translated compares under translations.
func (f *compareFlags) translated(cmd *cobra.Command, rows *fileRows, chosen *choosing) (*result, []compareOutput, error) {
	x, err := f.maps(chosen.layers[0])
	if err != nil {
		return nil, nil, err
	}
	y, err := f.maps(chosen.layers[1])
	if err != nil {
		return nil, nil, err
	}
	o := conv.Options{Options: f.options, LowPass: f.way == byLowPass, OffBlock: int(f.offBlock)}
	cost := convCost(x, y, o)
	if f.directions != "" {
		cost.Memory += filterBytes(x, y, o)
	}
	if err := f.memory.allow(fmt.Sprintf("comparing maps of %v with %v by %s", mapText(x), mapText(y), f.way), cost.Memory, smallerMaps); err != nil {
		return nil, nil, err
	}
	n, _, _, _ := x.Dims()
	if err := f.readWeights(cmd.Context(), chosen.rows, chosen.of); err != nil {
		return nil, nil, err
	}
	o.Weights = f.options.Weights
	outputs, err := f.targets(append(rows.paths(), append(f.files(rows.inputs), f.weights)...)...)
	if err != nil {
		return nil, nil, err
	}
	if f.dryRun {
		return nil, nil, f.estimateMaps(cmd.Context(), cmd.OutOrStdout(), rows, x, y, o, cost)
	}
	limit := native.LimitThreads(1) // faster: goroutines share the work
	c, err := conv.Between(cmd.Context(), x, y, o)
	limit()
	made, err := f.made(cmd.Context(), rows, err)
	if err != nil {
		return nil, nil, f.placed(cmd.Context(), err, chosen.layers, rows.inputs)
	}
	return &result{Comparison: &c.Comparison, making: made, mapFlags: f.mapFlags, images: n, sizes: f.sizes(rows), conv: c, selection: chosen.told()}, outputs, nil
}

// sizes returns those of the maps of both layers.
func (f *mapFlags) sizes(rows *fileRows) (sizes [2]*mapSize) {
	for i, l := range rows.layers {
		sizes[i] = sizeOf(l.Shape(), f.layout)
	}
	return sizes
}

// mapText returns the size of maps, or the number of values of a vector.
func mapText(m conv.Maps) string {
	_, h, w, c := m.Dims()
	if m.IsVector() {
		return strconv.Itoa(c)
	}
	return mapSize{h, w, c}.String()
}

// filterCount returns how many filters a layer has: as many as its block with the most
// aligned directions.
func filterCount(d *conv.Directions) (count int) {
	for _, b := range d.Blocks {
		count = max(count, len(b.Rho))
	}
	return count
}

// filterArrays are the aligned directions of both layers under translations: for x and
// for y the spatial filters, translations of rows × of columns × (phase, channel) ×
// count; blocks, the frequencies (u, v) and how often each counts; and rho, blocks ×
// count, 0 where a block has fewer. See conv.Directions.Filter.
func filterArrays(ctx context.Context, r *conv.Result) []namedArray {
	count := filterCount(r.DirectionsX)
	h, wide := r.Translations[0], r.Translations[1]
	side := func(name string, d *conv.Directions) namedArray {
		columns := d.Steps[0] * d.Steps[1] * d.Channels
		return namedArray{name: name, shape: []int{h, wide, columns, count}, values: func() (lapack.Matrix[float64], error) {
			return filters(ctx, d, h, wide, columns, count)
		}}
	}
	blocks, rho := lapack.New[float64](len(r.Blocks), 3), lapack.New[float64](len(r.Blocks), count)
	for i, b := range r.DirectionsX.Blocks {
		copy(blocks.Row(i), []float64{float64(b.U), float64(b.V), float64(b.Multiplicity)})
		copy(rho.Row(i), b.Rho)
	}
	return []namedArray{
		side("x_filters", r.DirectionsX), side("y_filters", r.DirectionsY),
		valuesOf("blocks", blocks, blocks.Rows, 3), valuesOf("rho", rho, rho.Rows, count),
	}
}

// filters returns the filters of a layer, h × (wide, columns, count).
func filters(ctx context.Context, d *conv.Directions, h, wide, columns, count int) (lapack.Matrix[float64], error) {
	all := lapack.New[float64](h, wide*columns*count)
	for i := range count {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		filter, err := d.Filter(i)
		if err != nil {
			return all, err
		}
		for q := range h {
			row := all.Row(q)
			for s := range wide {
				for j, v := range filter[q][s] {
					row[(s*columns+j)*count+i] = v
				}
			}
		}
	}
	return all, nil
}

// mapsJSON is the contract where there are feature maps or tokens: svcca.Comparison, as in
// comparisonJSON, with the flags among its options.
type mapsJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	making
	*svcca.Comparison
	Options   wayOptions  `json:"options"`
	Selection *selection  `json:"selection,omitempty"`
	Backend   native.Info `json:"backend"`
}

// translatedJSON is the same of conv.Result.
type translatedJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	making
	*conv.Result
	Options   wayOptions  `json:"options"`
	Selection *selection  `json:"selection,omitempty"`
	Backend   native.Info `json:"backend"`
}

// json returns what compare --json writes.
func (r *result) json() any {
	const schema = "svcca.compare/1"
	o := wayOptions{r.Options, r.mapFlags}
	switch {
	case r.conv != nil:
		return translatedJSON{schema, version(), r.making, r.conv, o, r.selection, native.Describe()}
	case r.way != "" || r.tokens != "":
		return mapsJSON{schema, version(), r.making, r.Comparison, o, r.selection, native.Describe()}
	}
	return comparisonJSON{schema, version(), r.making, r.Comparison, r.selection, native.Describe()}
}
