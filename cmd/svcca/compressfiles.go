package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
)

// compressJSON is the contract.
type compressJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Measure is accuracy, rms_error, or lost where there are neither labels nor targets.
	Measure measureName `json:"measure"`
	making
	Network    []denseJSON      `json:"network"`
	Datapoints int              `json:"datapoints"` // that directions come from
	Before     state            `json:"before"`
	Sizes      []compressedJSON `json:"sizes"`
	Options    compressOptions  `json:"options"`
	Selection  *selection       `json:"selection,omitempty"`
	Warnings   []svcca.Warning  `json:"warnings"`
	Backend    native.Info      `json:"backend"`

	unit string // of datapoints
}

// compressOptions are the flags that decide what is computed.
type compressOptions struct {
	From       origin        `json:"from"`
	Comparison svcca.Options `json:"comparison"`
}

// state is what the whole network takes and what it gives.
type state struct {
	compress.Cost
	Judged []judgedJSON `json:"judged"`
}

// judgedJSON is the measure on some rows.
type judgedJSON struct {
	Rows       string  `json:"rows"` // "test", or "" for those that directions come from
	Datapoints int     `json:"datapoints"`
	Value      float64 `json:"value"`
}

// compressedJSON is the network at one size.
type compressedJSON struct {
	Size compress.Size `json:"size"`
	state
	Layers []compressedLayer `json:"layers"`
}

// compressedLayer is a layer that was compressed.
type compressedLayer struct {
	Name    string `json:"name"`
	Against string `json:"against"`
	KX      int    `json:"k_x"`
	KY      int    `json:"k_y"`
	*compress.Compressed
}

// compressOutput is a file, or a directory, to write to.
type compressOutput struct {
	file      curveOutput
	directory *directoryTarget
}

// targets checks, before any work, that the outputs can be written.
func (c *compressing) targets() (outputs []compressOutput, err error) {
	inputs := append(denseFiles(c.dense), c.answerFlags.files()...)
	for _, in := range c.inputs {
		inputs = append(inputs, in.paths...)
	}
	inputs = append(inputs, c.selectFlags.files(c.inputs)...)
	for _, path := range []string{c.weights, c.test.file} {
		if path != "" {
			inputs = append(inputs, path)
		}
	}
	directories := map[string]bool{}
	var args []outputArg
	for _, path := range c.outputs {
		if !isDirectory(path) {
			args = append(args, outputArg{"-o", path})
			continue
		}
		t, err := newDirectoryTarget(path, c.force, inputs...)
		if err != nil {
			return nil, err
		}
		if directories[t.path] {
			return nil, misusef("-o %s is given twice", shown(path))
		}
		directories[t.path] = true
		outputs = append(outputs, compressOutput{directory: t})
	}
	noted := func(_, suffix string) (noted, known bool) {
		noted, known = curveKinds[suffix]
		return noted, known || suffix == ".npz" || suffix == safetensorsSuffix
	}
	targets, err := newTargets(args, noted, "with / for a directory of weights, .npz or .safetensors for an archive, or with .json, .csv, .svg, .png or .pdf", c.force, inputs...)
	for i, t := range targets {
		outputs = append(outputs, compressOutput{file: curveOutput{t, suffixOf(args[i].path)}})
	}
	return outputs, err
}

func (o compressOutput) wrote() string {
	if o.directory != nil {
		return o.directory.wrote()
	}
	return o.file.wrote()
}

func (o compressOutput) write(ctx context.Context, c *compressing, networks [][]*compress.Compressed) error {
	switch {
	case o.directory != nil:
		var files []directoryFile
		for _, a := range c.arrays(networks[0]) {
			files = append(files, directoryFile{a.name + ".npy", func(w io.Writer) error { return writeNPY(w, a) }})
		}
		return o.directory.write(ctx, c.result.provenance(), files)
	case isNetwork(o.file.path):
		return o.file.target.write(func(w io.Writer) error {
			return writeArrays(ctx, w, o.file.path, c.result.provenance(), c.arrays(networks[0]))
		})
	}
	return o.file.write(ctx, c.result)
}

// arrays are the weights of the network with what was compressed in it, called as its own.
func (c *compressing) arrays(small []*compress.Compressed) (arrays []namedArray) {
	add := func(name string, w lapack.Matrix[float64], bias []float64) {
		if c.naming.torch {
			w = transposed(w)
		}
		arrays = append(arrays, valuesOf(name+c.naming.weights, w, w.Rows, w.Cols))
		if bias != nil {
			arrays = append(arrays, valuesOf(name+c.naming.bias, lapack.Of(len(bias), 1, bias), len(bias)))
		}
	}
	for i, l := range c.dense {
		if at := slices.Index(c.at, i); at >= 0 {
			z := small[at]
			add(l.name+c.naming.between+downName, z.Down, nil)
			add(l.name+c.naming.between+upName, z.Up.Weights, z.Up.Bias)
			continue
		}
		bias := l.Bias
		if l.bias == "" {
			bias = nil
		}
		add(l.name, l.Weights, bias)
	}
	return arrays
}

func (j *compressJSON) provenance() provenance {
	return newProvenance(j.making, struct {
		compressOptions
		Size []compress.Size `json:"size"`
	}{j.Options, j.sizes()}, j.Selection)
}

// form returns how the measure's values are written.
func (j *compressJSON) form() func(v float64) string {
	var values []float64
	for _, r := range j.Before.Judged {
		values = append(values, r.Value)
	}
	for _, s := range j.Sizes {
		for _, r := range s.Judged {
			values = append(values, r.Value)
		}
	}
	return j.Measure.form(values...)
}

func (j *compressJSON) sizes() (all []compress.Size) {
	for _, s := range j.Sizes {
		all = append(all, s.Size)
	}
	return all
}

// rowsName says which rows were judged on.
func (j judgedJSON) rowsName() string {
	if j.Rows == "" {
		return "rows of the directions"
	}
	return j.Rows + " rows"
}

// lines are a line for each size, after one for the network as it was.
func (j *compressJSON) lines() [][]string {
	head := []string{"size"}
	for _, l := range j.Sizes[0].Layers {
		head = append(head, "k "+l.Name)
	}
	head = append(head, "parameters", "multiply_adds")
	for _, r := range j.Before.Judged {
		head = append(head, string(j.Measure)+", "+r.rowsName())
	}
	line := func(size string, ks []string, s state) []string {
		cells := append(append([]string{size}, ks...), strconv.Itoa(s.Parameters), strconv.Itoa(s.MultiplyAdds))
		for _, r := range s.Judged {
			cells = append(cells, strconv.FormatFloat(r.Value, 'g', -1, 64))
		}
		return cells
	}
	lines := [][]string{head, line("before", make([]string, len(j.Sizes[0].Layers)), j.Before)}
	for _, s := range j.Sizes {
		var ks []string
		for _, l := range s.Layers {
			ks = append(ks, strconv.Itoa(l.K))
		}
		lines = append(lines, line(s.Size.String(), ks, s.state))
	}
	return lines
}

// drawn is the measure over the share of parameters that are left.
func (j *compressJSON) drawn() figure.Curves {
	picture := figure.Curves{XLabel: "share of the network's parameters", YLabel: j.Measure.title()}
	if j.Measure == byAccuracy {
		picture.To = 1
	}
	sorted := slices.Clone(j.Sizes)
	slices.SortStableFunc(sorted, func(a, b compressedJSON) int { return a.Parameters - b.Parameters })
	sorted = slices.CompactFunc(sorted, func(a, b compressedJSON) bool { return a.Parameters == b.Parameters })
	share := func(s state) float64 { return float64(s.Parameters) / float64(j.Before.Parameters) }
	for i, before := range j.Before.Judged {
		s := figure.Series{Name: before.rowsName()}
		whole := figure.Series{Name: before.rowsName() + ", not compressed"}
		for _, size := range sorted {
			s.X, s.Y = append(s.X, share(size.state)), append(s.Y, size.Judged[i].Value)
			whole.X, whole.Y = append(whole.X, share(size.state)), append(whole.Y, before.Value)
		}
		picture.Series = append(picture.Series, s)
		if j.Measure != byLoss {
			picture.Series = append(picture.Series, whole)
		}
	}
	return picture
}

// change says what a number was and what it is.
func change(before, after string) string { return before + " → " + after }

// writeCompressed writes a table for people, in lines of a width.
func writeCompressed(w io.Writer, s style, width int, j *compressJSON) error {
	p := newPage(s)
	first := j.Sizes[0]
	against := map[string]bool{}
	for _, l := range first.Layers {
		against[l.Against] = true
	}
	title := fmt.Sprintf("%s of %d compressed, by directions over %s", plural(len(first.Layers), "layer"), len(j.Network), plural(j.Datapoints, j.unit))
	if len(against) == 1 {
		title += " against " + shown(first.Layers[0].Against)
	}
	p.paragraph("", "", title)
	for _, step := range j.Selection.words() {
		p.paragraph("", "", step)
	}
	p.line("")
	var grid [][]string
	if len(j.Sizes) == 1 {
		grid = j.oneSize(p)
	} else {
		grid = j.manySizes(p)
	}
	for _, row := range grid {
		for i := range row {
			row[i] = p.text(row[i]) // which may be wider
		}
	}
	p.grid(grid, width)
	p.line("")
	if len(j.Sizes) == 1 {
		var parts []string
		form := j.form()
		for i, before := range j.Before.Judged {
			text := form(first.Judged[i].Value)
			if j.Measure != byLoss {
				text = change(form(before.Value), text)
			}
			parts = append(parts, fmt.Sprintf("%s over %s%s", text, map[string]string{"": "these ", "test": ""}[before.Rows], plural(before.Datapoints, strings.TrimSpace(before.Rows+" "+j.unit))))
		}
		p.paragraph("", "", j.Measure.title()+" "+strings.Join(parts, ", ")+".")
	} else {
		text := "kept: directions, by layers; last: " + j.Measure.lower() + " over the rows that directions come from"
		if len(j.Before.Judged) > 1 {
			text += ", and over --test"
		}
		p.paragraph("", "", text+".")
	}
	from, err := j.Options.From.MarshalText()
	if err != nil {
		return err
	}
	p.paragraph("", "", fmt.Sprintf("%s %s --from %s", optionWords(j.Options.Comparison), sizes(j.sizes()).words(), from))
	return p.writeTo(w)
}

// oneSize is a line for each layer that was compressed, and one for the network.
func (j *compressJSON) oneSize(p *page) [][]string {
	costs := func(before, after compress.Cost) []string {
		return []string{change(strconv.Itoa(before.Parameters), strconv.Itoa(after.Parameters)), percent(float64(after.Parameters) / float64(before.Parameters)),
			change(strconv.Itoa(before.MultiplyAdds), strconv.Itoa(after.MultiplyAdds))}
	}
	grid := [][]string{{"", "inputs", "directions", "kept", "parameters", "", "multiply-adds"}}
	neurons := map[string]int{}
	for _, l := range j.Network {
		neurons[l.Name] = l.Inputs
	}
	for _, l := range j.Sizes[0].Layers {
		grid = append(grid, append([]string{p.shorten(shown(l.Name), 20), strconv.Itoa(neurons[l.Name]), strconv.Itoa(l.M), strconv.Itoa(l.K)}, costs(l.Before, l.After)...))
	}
	return append(grid, append([]string{"network", "", "", ""}, costs(j.Before.Cost, j.Sizes[0].Cost)...))
}

// manySizes is a line for each size.
func (j *compressJSON) manySizes(p *page) [][]string {
	grid := [][]string{{"", "kept", "parameters", "", "multiply-adds"}}
	form := j.form()
	rows := func(s state, line []string) []string {
		for _, r := range s.Judged {
			line = append(line, form(r.Value))
		}
		return line
	}
	for _, r := range j.Before.Judged {
		grid[0] = append(grid[0], map[string]string{"": "these rows", "test": "test rows"}[r.Rows])
	}
	grid = append(grid, rows(j.Before, []string{"before", "", strconv.Itoa(j.Before.Parameters), "", strconv.Itoa(j.Before.MultiplyAdds)}))
	for _, s := range j.Sizes {
		var ks []string
		for _, l := range s.Layers {
			ks = append(ks, strconv.Itoa(l.K))
		}
		grid = append(grid, rows(s.state, []string{s.Size.String(), p.shorten(strings.Join(ks, " "), 24), strconv.Itoa(s.Parameters),
			percent(float64(s.Parameters) / float64(j.Before.Parameters)), strconv.Itoa(s.MultiplyAdds)}))
	}
	return grid
}
