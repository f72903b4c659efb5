package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
)

// choosing is the work of selecting from layers, alike from all.
type choosing struct {
	*selectFlags
	maps   *mapFlags
	inputs []input
	layers []activation.Layer // of inputs, nil where left out: by and by the selected
	say    func(text string)
	// bad is told of a layer that does not fit. Where it returns nil, that is left out.
	bad func(i int, err error) error
	// whole are layers of which --neurons takes all.
	whole []int

	selection
	weighted bool
	rows     int              // datapoints of the first layer's file
	given    [][]int          // rows of each layer that are chosen; nil: all
	grid     *activation.Mask // of tokens or positions
	length   int              // tokens of an example, where each is a datapoint
}

// choose selects examples, then tokens and neurons of them. Layers have the same
// datapoints, unless there are ids.
func (c *choosing) choose() error {
	c.given = make([][]int, len(c.layers))
	err := c.present(func(_ int, l activation.Layer) error {
		// Of no values there may be any number of rows, more than memory has room for.
		if n, d := l.Dims(); (n < 1 || d < 1) && (c.selectFlags.given() || len(l.Shape()) == 3) {
			return fmt.Errorf("%s is of %s: there is nothing to select from", shown(l.Name()), shapeText(l.Shape()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.rows, _ = c.layers[c.first()].Dims()
	if err := c.chooseRows(); err != nil {
		return err
	}
	for i, l := range c.layers {
		if l != nil && c.given[i] != nil {
			c.layers[i] = activation.Take(l, 0, c.given[i])
		}
	}
	if err := c.chooseTokens(); err != nil {
		return err
	}
	return c.chooseNeurons()
}

// first returns the index of the first layer that is there.
func (c *choosing) first() int {
	return slices.IndexFunc(c.layers, func(l activation.Layer) bool { return l != nil })
}

// present calls do with each layer that is there. One that does not fit is left out
// where that is wanted.
func (c *choosing) present(do func(i int, l activation.Layer) error) error {
	for i, l := range c.layers {
		if l == nil {
			continue
		}
		err := do(i, l)
		if err == nil {
			continue
		}
		if errors.Is(err, context.Canceled) {
			return err // of no layer
		}
		if err := c.bad(i, err); err != nil {
			return err
		}
		c.layers[i] = nil
	}
	if c.first() < 0 {
		return fmt.Errorf("no layer is left: none of %d can be used", len(c.layers))
	}
	return nil
}

// step notes what a flag did, and is an error where it has left nothing.
func (c *choosing) step(s selectionStep) error {
	if s.Kept == 0 {
		return fmt.Errorf("%s leaves none of %s: nothing to compare", strings.TrimSpace("--"+s.Flag+" "+shown(s.Value)), s.ofWords())
	}
	if len(slices.Compact(slices.Clone(s.Of))) == 1 {
		s.Of = s.Of[:1]
	}
	c.Steps = append(c.Steps, s)
	if s.Flag == "ids" || s.Flag == "mask" || s.Flag == "nonfinite" {
		c.say(s.words()) // of the others the flags tell as much
	}
	return nil
}

// keep keeps datapoints of those that are left.
func (c *choosing) keep(rows []int, s selectionStep) error {
	s.Kept = len(rows)
	c.of = picked(c.of, rows)
	for i, given := range c.given {
		c.given[i] = picked(given, rows)
	}
	return c.step(s)
}

// chooseRows chooses datapoints, or examples or images: by ids, then --datapoints of
// these, then those of chosen classes, then a sample of these, then a mask. Labels,
// mask and weights are of the first layer's rows.
func (c *choosing) chooseRows() error {
	n, name := c.rows, c.layers[c.first()].Name()
	if len(c.ids) > 0 {
		if err := c.join(); err != nil {
			return err
		}
		n = len(c.of)
	}
	if c.datapoints.given() {
		rows, err := c.datapoints.of(n, "datapoints", "datapoint", name)
		if err != nil {
			return err
		}
		if err := c.keep(rows, selectionStep{Flag: "datapoints", Value: c.datapoints.text, Unit: "datapoint", Of: []int{n}}); err != nil {
			return err
		}
		n = len(rows)
	}
	if c.labelled.given() {
		rows, err := c.ofClasses(n, name)
		if err != nil {
			return err
		}
		if err := c.keep(rows, selectionStep{Flag: "labelled", Value: c.labelled.text, Files: []string{c.labels}, Unit: "datapoint", Of: []int{n}}); err != nil {
			return err
		}
		n = len(rows)
	}
	if c.sample > 0 {
		if c.sample > n {
			return fmt.Errorf("--sample %d: there are only %s to draw from", c.sample, plural(n, "datapoint"))
		}
		step := selectionStep{Flag: "sample", Value: fmt.Sprint(c.sample), Seed: &c.seed, Unit: "datapoint", Of: []int{n}}
		if err := c.keep(sample(n, c.sample, c.seed), step); err != nil {
			return err
		}
	}
	if c.mask == "" {
		return nil
	}
	mask, err := activation.OpenMask(c.mask)
	if err != nil {
		return err
	}
	if shape := mask.Shape(); shape[0] != c.rows {
		return fmt.Errorf("%s is a mask of %s, %s has %d", shown(c.mask), plural(shape[0], "datapoint"), shown(name), c.rows)
	}
	if c.of != nil {
		mask = mask.Take(c.of)
	}
	if len(mask.Shape()) > 1 {
		c.grid = mask
		return nil
	}
	return c.keep(mask.Kept(), selectionStep{Flag: "mask", Value: c.mask, Unit: "datapoint", Of: mask.Shape()})
}

// ofClasses returns those of n datapoints that are left whose labels --labelled names.
func (c *choosing) ofClasses(n int, name string) (rows []int, err error) {
	labels, err := activation.OpenIndices(c.labels)
	if err != nil {
		return nil, err
	}
	if len(labels) != c.rows {
		return nil, fmt.Errorf("%s holds %s, %s has %s: one for each is expected", shown(c.labels), plural(len(labels), "label"), shown(name), plural(c.rows, "datapoint"))
	}
	for i := range n {
		row := i
		if c.of != nil {
			row = c.of[i]
		}
		if c.labelled.holds(labels[row]) {
			rows = append(rows, i)
		}
	}
	return rows, nil
}

// join finds the rows whose ids all layers have.
func (c *choosing) join() error {
	files, err := c.idFiles(c.inputs)
	if err != nil {
		return err
	}
	var ids []activation.IDs
	var of []int
	var used []string
	err = c.present(func(i int, l activation.Layer) error {
		x, err := activation.OpenIDs(files[i])
		if err != nil {
			return err
		}
		n, _ := l.Dims()
		if x.Len() != n {
			return fmt.Errorf("%s holds %s, %s has %s", shown(x.Name()), plural(x.Len(), "id"), shown(l.Name()), plural(n, "datapoint"))
		}
		ids, of, used = append(ids, x), append(of, n), append(used, files[i])
		return nil
	})
	if err != nil {
		return err
	}
	rows, err := activation.Join(ids...)
	if err != nil {
		return err
	}
	c.rows, _ = c.layers[c.first()].Dims() // an earlier one may be left out
	c.of = rows[0]
	next := 0
	for i, l := range c.layers {
		if l != nil {
			c.given[i] = rows[next]
			next++
		}
	}
	return c.step(selectionStep{Flag: "ids", Files: used, Unit: "datapoint", Of: of, Kept: len(c.of)})
}

// idFiles returns the file of each layer's ids.
func (f *selectFlags) idFiles(inputs []input) (files []string, err error) {
	if len(f.ids) == 1 && strings.Contains(f.ids[0], "*") {
		for _, in := range inputs {
			files = append(files, strings.ReplaceAll(f.ids[0], "*", withoutSuffix(in.name)))
		}
		return files, nil
	}
	if len(f.ids) != len(inputs) {
		return nil, misusef("--ids is given %s, and there are %s: one file each, in their order, or one name with a * for a layer's path without its suffix",
			plural(len(f.ids), "time"), plural(len(inputs), "layer"))
	}
	return f.ids, nil
}

// withoutSuffix returns the path of a layer's file without its suffix, of a member the
// archive's. Of a layer in shards it is the name: what follows a dot there, as in
// encoder.layers.2, is no suffix.
func withoutSuffix(name string) string {
	file := fileOf(name)
	if isLayerFile(file) {
		return strings.TrimSuffix(file, filepath.Ext(file))
	}
	return file
}

// withoutIDs returns those of inputs that are not the ids of another, by a pattern:
// both may lie in one directory.
func (f *selectFlags) withoutIDs(inputs []input) []input {
	if len(f.ids) != 1 || !strings.Contains(f.ids[0], "*") {
		return inputs
	}
	files, _ := f.idFiles(inputs) // cannot fail
	return slices.DeleteFunc(inputs, func(in input) bool { return slices.Contains(files, in.name) })
}

// files returns the files that the flags name.
func (f *selectFlags) files(inputs []input) (files []string) {
	if len(f.ids) > 0 {
		files, _ = f.idFiles(inputs) // which was looked at before
	}
	for _, file := range []string{f.mask, f.datapoints.file, f.labels, f.neurons.file} {
		if file != "" {
			files = append(files, file)
		}
	}
	return slices.Clone(files)
}

// chooseTokens makes two dimensions of layers of three: or, where maps are compared,
// four.
func (c *choosing) chooseTokens() error {
	told := map[string]bool{} // names of layers of three dimensions
	err := c.present(func(i int, l activation.Layer) error {
		shape := l.Shape()
		if len(shape) != 3 {
			return nil
		}
		if c.maps.way != "" { // and checkMaps says how it is read
			c.layers[i] = newStrip(l, c.maps.layout)
			return nil
		}
		if !told[l.Name()] && len(told) < mostNotices {
			c.say(c.reading(l))
		}
		told[l.Name()] = true
		layout := tokenLayout(c.maps.layout)
		length := shape[1]
		if layout == activation.NCT {
			length = shape[2]
		}
		view, err := activation.Tokens(l, activation.TokenOptions{Layout: layout, Rule: c.tokens.rule, Mask: c.grid})
		if err != nil {
			return err
		}
		c.length, c.maps.tokens = length, c.tokens.rule.String()
		c.layers[i] = view
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(told) > mostNotices:
		c.say(fmt.Sprintf("and %s of three dimensions", plural(len(told)-mostNotices, "more layer")))
	}
	switch {
	case len(told) == 0 && c.tokens.given:
		return misusef("--tokens is for files of three dimensions, and there is none")
	case len(told) == 0 && c.maps.way == "" && c.maps.layoutGiven:
		return misusef("--layout is for feature maps and tokens: say by --conv too how to compare maps")
	case c.grid == nil || c.maps.way == byPixels:
	case c.maps.way != "":
		return misusef("%s is a mask of %s: of maps, --conv pixels leaves out positions, and a mask of n images", shown(c.mask), shapeText(c.grid.Shape()))
	case len(told) == 0:
		return misusef("%s is a mask of %s: no file has tokens, which are of three dimensions; a mask of n datapoints is needed", shown(c.mask), shapeText(c.grid.Shape()))
	}
	if len(told) == 0 {
		return nil
	}
	return c.sameTokens(told)
}

// sameTokens notes a mask of tokens, and makes sure that layers have the same.
func (c *choosing) sameTokens(have map[string]bool) error {
	count := func(l activation.Layer) string {
		n, _ := l.Dims()
		if each := c.tokens.rule == activation.Each; each && have[l.Name()] {
			return plural(n, "token")
		}
		return plural(n, "datapoint")
	}
	first := c.layers[c.first()]
	n, _ := first.Dims()
	each := c.tokens.rule == activation.Each
	err := c.present(func(i int, l activation.Layer) error {
		if rows, _ := l.Dims(); rows != n {
			return fmt.Errorf("%s has %s, %s %s: the same tokens of the same examples are needed; --tokens mean or last makes one datapoint of an example",
				shown(first.Name()), count(first), shown(l.Name()), count(l))
		}
		return nil
	})
	if err != nil {
		return err
	}
	examples := c.rows
	if c.of != nil {
		examples = len(c.of)
	}
	if each && (c.weighted || c.grid != nil) {
		c.of = repeated(c.of, examples, c.length)
	}
	if c.grid == nil {
		return nil
	}
	kept := c.grid.Kept()
	if each {
		c.of = picked(c.of, kept)
	}
	return c.step(selectionStep{Flag: "mask", Value: c.mask, Unit: "token", Of: []int{examples * c.length}, Kept: len(kept)})
}

// reading says how a file of three dimensions is read, and what was not asked for.
func (c *choosing) reading(l activation.Layer) string {
	of, _, _ := activation.Origin(l, 0, 0) // of all examples
	shape := of.Shape()
	layout, other := activation.NTD, activation.NCT
	length, neurons := shape[1], shape[2]
	if c.maps.layout == conv.NCHW {
		layout, other = other, layout
		length, neurons = neurons, length
	}
	what := map[activation.TokenRule]string{activation.Each: "each token is a datapoint", activation.Mean: "the mean of its tokens is a datapoint", activation.Last: "its last token is a datapoint"}
	text := fmt.Sprintf("%q: %s, %s", l.Name(), tokensOf(shape, layout), what[c.tokens.rule])
	var others []string
	if !c.maps.layoutGiven {
		others = append(others, fmt.Sprintf("--layout %v if these are %s × %s", other, plural(length, "channel"), plural(neurons, "time")))
	}
	if !c.tokens.given {
		others = append(others, "--tokens mean or last for a datapoint an example")
	}
	if len(others) > 0 {
		text += "\nassumed; else " + strings.Join(others, ", ")
	}
	return text
}

// tokensOf says what an array of three dimensions holds.
func tokensOf(shape []int, layout activation.TokenLayout) string {
	length, neurons := shape[1], shape[2]
	if layout == activation.NCT {
		length, neurons = neurons, length
	}
	return fmt.Sprintf("%s of %s × %s (%v)", plural(shape[0], "example"), plural(length, "token"), plural(neurons, "neuron"), layout)
}

// chooseNeurons takes the same neurons, or channels of maps, of every layer.
func (c *choosing) chooseNeurons() error {
	if !c.neurons.given() {
		return nil
	}
	step := selectionStep{Flag: "neurons", Value: c.neurons.text, Unit: "neuron"}
	if c.maps.way != "" {
		step.Unit = "channel"
	}
	err := c.present(func(i int, l activation.Layer) error {
		if slices.Contains(c.whole, i) {
			return nil
		}
		axis, shape := 1, l.Shape()
		if len(shape) == 4 && c.maps.layout == conv.NHWC {
			axis = 3
		}
		_, size := l.Dims()
		if len(shape) == 4 {
			size = shape[axis]
		}
		indices, err := c.neurons.of(size, "neurons", step.Unit, l.Name())
		if err != nil {
			return err
		}
		c.layers[i] = activation.Take(l, axis, indices)
		step.Of, step.Kept = append(step.Of, size), len(indices)
		return nil
	})
	if err != nil {
		return err
	}
	return c.step(step)
}

// finish leaves out positions that a mask does, and datapoints with NaN or Inf, of
// layers as they are compared. A dry run does not read them for these.
func (c *choosing) finish(ctx context.Context, dryRun bool) error {
	n, _ := c.layers[c.first()].Dims()
	if c.maps.way == byPixels {
		if err := c.sameGrid(); err != nil {
			return err
		}
		images := c.rows
		if c.of != nil {
			images = len(c.of)
		}
		if c.weighted || c.grid != nil {
			c.of = repeated(c.of, images, n/images)
		}
		if c.grid != nil {
			if err := c.takeAll(c.grid.Kept(), selectionStep{Flag: "mask", Value: c.mask, Unit: "position", Of: []int{n}}); err != nil {
				return err
			}
			n, _ = c.layers[c.first()].Dims()
		}
	}
	if !bool(c.nonFinite) || dryRun {
		return nil
	}
	drop := make([]bool, n)
	if err := c.notFinite(ctx, drop); err != nil {
		return err
	}
	return c.leaveOut(drop)
}

// notFinite marks the datapoints that have NaN or Inf in any layer.
func (c *choosing) notFinite(ctx context.Context, drop []bool) error {
	return c.present(func(i int, l activation.Layer) error {
		rows, _, err := activation.NotFinite(ctx, l)
		for _, row := range rows {
			drop[row] = true
		}
		return err
	})
}

// leaveOut leaves out the datapoints that are marked.
func (c *choosing) leaveOut(drop []bool) error {
	n := len(drop)
	var rows []int
	for row, bad := range drop {
		if !bad {
			rows = append(rows, row)
		}
	}
	step := selectionStep{Flag: "nonfinite", Value: "drop", Unit: c.maps.unit(), Of: []int{n}}
	if len(rows) == n {
		step.Kept = n
		return c.step(step)
	}
	return c.takeAll(rows, step)
}

// sameGrid is an error where a mask is not of the positions of maps, of which all
// have the same.
func (c *choosing) sameGrid() error {
	if c.grid == nil {
		return nil
	}
	l := c.layers[c.first()].(*view).Layer
	size := sizeOf(l.Shape(), c.maps.layout)
	shape := c.grid.Shape()[1:]
	if slices.Equal(shape, []int{size.height, size.width}) || size.height == 1 && slices.Equal(shape, []int{size.width}) {
		return nil
	}
	return fmt.Errorf("%s is a mask of %s an image, the maps of %s are of %d × %d", shown(c.mask), shapeText(shape), shown(l.Name()), size.height, size.width)
}

// takeAll keeps rows of every layer as it is compared.
func (c *choosing) takeAll(rows []int, s selectionStep) error {
	c.of = picked(c.of, rows)
	for i, l := range c.layers {
		if l != nil {
			c.layers[i] = activation.Take(l, 0, rows)
		}
	}
	s.Kept = len(rows)
	return c.step(s)
}
