package main

import (
	"context"
	"encoding/csv"
	"io"

	"github.com/gosvcca/gosvcca/figure"
)

// curveKinds are the kinds of files of curves by their suffixes: those that cannot say what
// made them have a note.
var curveKinds = map[string]bool{".json": false, ".csv": true, ".svg": true, ".png": true, ".pdf": true}

// curveResult is what a file of curves is made of.
type curveResult interface {
	provenance() provenance
	// lines are those of the .csv, a head first.
	lines() [][]string
	drawn() figure.Curves
}

// curveOutput is a file of curves to write to.
type curveOutput struct {
	*target
	suffix string
}

// curveTargets checks, before any work, that files of curves can be written.
func curveTargets(paths []string, force bool, inputs []string) (outputs []curveOutput, err error) {
	var args []outputArg
	for _, path := range paths {
		args = append(args, outputArg{"-o", path})
	}
	kindOf := func(_, suffix string) (noted, known bool) {
		noted, known = curveKinds[suffix]
		return noted, known
	}
	targets, err := newTargets(args, kindOf, "with .json, .csv, .svg, .png or .pdf", force, inputs...)
	for i, t := range targets {
		outputs = append(outputs, curveOutput{t, suffixOf(paths[i])})
	}
	return outputs, err
}

func (o curveOutput) write(ctx context.Context, r curveResult) error {
	switch o.suffix {
	case ".json":
		return o.target.write(func(w io.Writer) error { return writeJSON(w, r) })
	case ".csv":
		return o.writeNoted(r.provenance(), func(w io.Writer) error { return csv.NewWriter(w).WriteAll(r.lines()) })
	}
	return o.draw(ctx, figure.Format(o.suffix[1:]), r.drawn(), r.provenance())
}
