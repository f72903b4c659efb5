package main

import (
	"context"
	"fmt"
	"io"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/svcca"
)

// compareOutput is a file to write.
type compareOutput struct {
	*target
	directions bool // else -o's
}

// targets checks, before any work, that the outputs can be written.
func (f *compareFlags) targets(inputs ...string) (outputs []compareOutput, err error) {
	const directions = "--directions"
	var args []outputArg
	if f.directions != "" {
		args = append(args, outputArg{directions, f.directions})
	}
	for _, path := range f.outputs {
		args = append(args, outputArg{"-o", path})
	}
	noted := func(flag, suffix string) (noted, known bool) {
		_, err := figure.FormatOf("x" + suffix)
		picture := flag == "-o" && err == nil
		return picture, picture || flag == directions || suffix == ".json"
	}
	targets, err := newTargets(args, noted, "with .json, .svg, .png or .pdf", f.force, inputs...)
	for i, t := range targets {
		outputs = append(outputs, compareOutput{t, args[i].flag == directions})
	}
	return outputs, err
}

func (o compareOutput) write(ctx context.Context, c *result) error {
	p := newProvenance(c.making, wayOptions{c.Options, c.mapFlags}, c.selection)
	switch format, err := figure.FormatOf(o.path); {
	case o.directions:
		arrays := directionArrays
		if c.conv != nil {
			arrays = func(*svcca.Comparison) []namedArray { return filterArrays(ctx, c.conv) }
		}
		return o.target.write(func(w io.Writer) error { return writeArrays(ctx, w, o.path, p, arrays(c.Comparison)) })
	case err == nil:
		return o.draw(ctx, format, c.drawn(), p)
	}
	return o.target.write(func(w io.Writer) error { return writeJSON(w, c.json()) })
}

// wrote says what was written.
func (o compareOutput) wrote(c *result) string {
	text := o.target.wrote()
	if o.directions {
		text += ": the aligned directions of both layers"
		if c.conv != nil {
			text += " as spatial filters"
		}
	}
	return text
}

// drawn is the ρ of aligned directions as a picture.
func (c *result) drawn() figure.Correlations {
	names, _ := shortNames([]svcca.Side{c.X, c.Y})
	bars := figure.Correlations{Title: fmt.Sprintf("%s and %s", names[0], names[1]), Chance: c.Chance}
	for _, rho := range c.Rho {
		bars.Rho = append(bars.Rho, min(rho, 1))
	}
	return bars
}
