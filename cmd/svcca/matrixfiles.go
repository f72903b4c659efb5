package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

// matrixJSON is the contract: svcca.Pane between a head and a foot.
type matrixJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	// Score is the one that tables, .csv and .npy hold.
	Score score `json:"score"`
	*svcca.Pane
	Options   wayOptions `json:"options"`
	Selection *selection `json:"selection,omitempty"`
	// Translated is, by pairs, what dft and lowpass have to tell of each.
	Translated [][]translatedPair `json:"translated,omitempty"`
	Inputs     []inputJSON        `json:"inputs"`
	Skipped    []leftOut          `json:"skipped"`
	Backend    native.Info        `json:"backend"`
}

// inputJSON says which files a layer is read from.
type inputJSON struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths"`
}

// output is a file to write a matrix to.
type output struct {
	*target
	kind matrixKind
}

// matrixKind is a kind of file.
type matrixKind struct {
	check func(*matrixJSON) error // whether it can hold this, or nil
	write func(io.Writer, *matrixJSON) error
}

// matrixKinds are the kinds of files by their suffixes.
var matrixKinds = map[string]matrixKind{
	".json": {write: func(w io.Writer, m *matrixJSON) error { return writeJSON(w, m) }},
	".csv":  {write: writeMatrixCSV},
	".npy":  {check: allDefined, write: writeMatrixNPY},
}

// targets checks, before any work, that the outputs can be written.
func (m *matrix) targets() (outputs []output, err error) {
	inputs := []string{}
	for _, in := range m.inputs {
		inputs = append(inputs, in.paths...)
	}
	if m.weights != "" {
		inputs = append(inputs, m.weights)
	}
	inputs = append(inputs, m.selectFlags.files(m.inputs)...)
	seen := map[string]bool{}
	for _, path := range m.outputs {
		kind, known := matrixKinds[strings.ToLower(filepath.Ext(path))]
		switch {
		case !known:
			return nil, misusef("-o %s: a name that ends with .json, .csv or .npy expected", shown(path))
		case seen[filepath.Clean(path)]:
			return nil, misusef("-o %s is given twice", shown(path))
		}
		seen[filepath.Clean(path)] = true
		t, err := newTarget(path, m.force, inputs...)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, output{t, kind})
	}
	return outputs, nil
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

func (o output) write(m *matrixJSON) error {
	return o.target.write(func(w io.Writer) error { return o.kind.write(w, m) })
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

// writeMatrixNPY writes rows × columns in float64.
func writeMatrixNPY(w io.Writer, m *matrixJSON) error {
	kind := m.Score.kind()
	values := lapack.New[float64](len(m.Rows), len(m.Columns))
	for i := range m.Pairs {
		for j := range m.Pairs[i] {
			v, _ := kind.of(&m.Pairs[i][j])
			values.Set(i, j, *v)
		}
	}
	npy, err := activation.NewWriter(w, values.Rows, values.Cols)
	if err != nil {
		return err
	}
	if err := npy.Write(values); err != nil {
		return err
	}
	return npy.Close()
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
