package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// matrixJSON is the contract: svcca.Pane between a head and a foot.
type matrixJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Score is the one that tables, .csv and .npy hold.
	Score score `json:"score"`
	making
	*svcca.Pane
	Options   wayOptions `json:"options"`
	Selection *selection `json:"selection,omitempty"`
	// Translated is, by pairs, what dft and lowpass have to tell of each.
	Translated [][]translatedPair `json:"translated,omitempty"`
	// Alignment says how depths correspond, taking rows and columns for layers of two
	// networks in order of depth: by the score.
	Alignment *measure.Alignment `json:"alignment,omitempty"`
	Skipped   []leftOut          `json:"skipped"`
	Backend   native.Info        `json:"backend"`

	picture pictureFlags
}

// output is a file to write a matrix to.
type output struct {
	*target
	kind matrixKind
}

// matrixKind is a kind of file.
type matrixKind struct {
	check func(*matrixJSON) error // whether it can hold this, or nil
	noted bool                    // it cannot say what made it
	write func(ctx context.Context, w io.Writer, path string, m *matrixJSON) error
	draws figure.Format // in place of write
}

// matrixKinds are the kinds of files by their suffixes.
var matrixKinds = map[string]matrixKind{
	".json": {write: func(_ context.Context, w io.Writer, _ string, m *matrixJSON) error { return writeJSON(w, m) }},
	".csv":  {noted: true, write: func(_ context.Context, w io.Writer, _ string, m *matrixJSON) error { return writeMatrixCSV(w, m) }},
	".npy": {check: allDefined, noted: true, write: func(_ context.Context, w io.Writer, _ string, m *matrixJSON) error {
		return writeNPY(w, m.scores())
	}},
	".npz":            {check: allDefined, write: writeMatrixArrays},
	safetensorsSuffix: {check: allDefined, write: writeMatrixArrays},
	".svg":            {noted: true, draws: figure.SVG},
	".png":            {noted: true, draws: figure.PNG},
	".pdf":            {noted: true, draws: figure.PDF},
}

// targets checks, before any work, that the outputs can be written.
func (m *matrix) targets() (outputs []output, err error) {
	noted := map[string]bool{}
	for suffix, kind := range matrixKinds {
		noted[suffix] = kind.noted
	}
	targets, err := m.targetsOf(noted, ".json, .csv, .npy, .npz, .safetensors, .svg, .png or .pdf")
	for i, t := range targets {
		outputs = append(outputs, output{t, matrixKinds[suffixOf(m.outputs[i])]}) // t may be where a link leads
	}
	return outputs, err
}

// targetsOf checks the outputs, of kinds by suffixes that are noted or not.
func (m *matrix) targetsOf(noted map[string]bool, expected string) (targets []*target, err error) {
	inputs := []string{}
	for _, in := range m.inputs {
		inputs = append(inputs, in.paths...)
	}
	if m.weights != "" {
		inputs = append(inputs, m.weights)
	}
	inputs = append(inputs, m.selectFlags.files(m.inputs)...)
	var args []outputArg
	for _, path := range m.outputs {
		args = append(args, outputArg{"-o", path})
	}
	kindOf := func(_, suffix string) (needsNote, known bool) {
		needsNote, known = noted[suffix]
		return needsNote, known
	}
	return newTargets(args, kindOf, "with "+expected, m.force, inputs...)
}

func (o output) check(m *matrixJSON) error {
	if o.kind.check == nil {
		return nil
	}
	if err := o.kind.check(m); err != nil {
		return fmt.Errorf("%s: %w", shown(o.path), err)
	}
	return nil
}

func (o output) write(ctx context.Context, m *matrixJSON) error {
	if o.kind.draws != "" {
		pane, p, err := m.drawn()
		if err != nil {
			return fmt.Errorf("%s: %w", shown(o.path), err)
		}
		return o.draw(ctx, o.kind.draws, pane, p)
	}
	fill := func(w io.Writer) error { return o.kind.write(ctx, w, o.path, m) }
	if o.note != nil {
		return o.writeNoted(m.provenance(), fill)
	}
	return o.target.write(fill)
}

// provenance is what files say that hold no more than scores.
func (m *matrixJSON) provenance() provenance {
	p := newProvenance(m.making, m.Options, m.Selection)
	p.Score = m.Score
	for _, s := range m.Rows {
		p.Rows = append(p.Rows, s.Name)
	}
	for _, s := range m.Columns {
		p.Columns = append(p.Columns, s.Name)
	}
	return p
}

// allDefined is an error where a score is undefined, for which .npy has no value
// that everybody would take for that.
func allDefined(m *matrixJSON) error {
	kind := m.Score.kind()
	for i := range m.Pairs {
		for j := range m.Pairs[i] {
			if v, _ := kind.of(&m.Pairs[i][j]); v == nil {
				return fmt.Errorf("the score %s of %s and %s is undefined, as chance takes all: .json and .csv can say so, or leave it out",
					m.Score, shown(m.Rows[i].Name), shown(m.Columns[j].Name))
			}
		}
	}
	return nil
}

// perPair returns an array of a value for each pair, rows × columns.
func (m *matrixJSON) perPair(name string, of func(i, j int) float64) namedArray {
	values := lapack.New[float64](len(m.Rows), len(m.Columns))
	for i := range m.Pairs {
		for j := range m.Pairs[i] {
			values.Set(i, j, of(i, j))
		}
	}
	return valuesOf(name, values, values.Rows, values.Cols)
}

// scores returns the score of each pair, which allDefined has looked at.
func (m *matrixJSON) scores() namedArray {
	kind := m.Score.kind()
	return m.perPair("scores", func(i, j int) float64 {
		v, _ := kind.of(&m.Pairs[i][j])
		return *v
	})
}

// writeMatrixArrays writes, rows × columns each, scores, the mean square by chance and
// how many directions are kept of the row's layer and of the column's; and the names
// of both.
func writeMatrixArrays(ctx context.Context, w io.Writer, path string, m *matrixJSON) error {
	p := m.provenance()
	kept := func(i, j int) (x, y int) {
		if m.Translated != nil {
			return m.Translated[i][j].KX, m.Translated[i][j].KY
		}
		return m.Rows[i].K, m.Columns[j].K
	}
	return writeArrays(ctx, w, path, p, []namedArray{
		m.scores(),
		m.perPair("chance", func(i, j int) float64 { return m.Pairs[i][j].Chance }),
		m.perPair("k_x", func(i, j int) float64 { x, _ := kept(i, j); return float64(x) }),
		m.perPair("k_y", func(i, j int) float64 { _, y := kept(i, j); return float64(y) }),
		textsOf("rows", p.Rows),
		textsOf("columns", p.Columns),
	})
}

// writeMatrixCSV writes a line of the columns' names, and one for each row: its
// name and its scores, nothing where one is undefined.
func writeMatrixCSV(w io.Writer, m *matrixJSON) error {
	kind := m.Score.kind()
	c := csv.NewWriter(w)
	head := []string{"layer"}
	for _, s := range m.Columns {
		head = append(head, s.Name)
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for i, s := range m.Rows {
		line := []string{s.Name}
		for j := range m.Pairs[i] {
			text := ""
			if v, _ := kind.of(&m.Pairs[i][j]); v != nil {
				text = strconv.FormatFloat(*v, 'g', -1, 64)
			}
			line = append(line, text)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
