package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/spf13/cobra"
)

func newDims() *cobra.Command {
	f := &matrixFlags{}
	c := command(&cobra.Command{
		Use:   "dims FILE… [flags]",
		Short: "Tells how many directions layers use",
		Long: `Tells the intrinsic dimensionality of layers: rank, how many directions hold 90,
95, 99 and 99.9% of variance, and the participation ratio. FILE is as of matrix;
help selection and help pictures say more. Layers may be of any datapoints.`,
		Example: `  svcca dims a
  svcca dims a/*.npy b.npz -o dims.csv -o spectra.svg`,
	}, func(cmd *cobra.Command, args []string) error {
		if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
			return err
		}
		if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
			return err
		}
		if f.way.translates() {
			return misusef("--conv %s is for comparisons: dims takes pixels or flatten", f.way)
		}
		if err := refuse(cmd, "dims, which measures each layer by itself", "ids"); err != nil {
			return err
		}
		if len(args) == 0 {
			return misusef("no layers: name files, a directory or a pattern, as in svcca dims 'a/*.npy'")
		}
		if f.hashes && !f.json && len(f.outputs) == 0 {
			return misusef("--hashes is for what is written: --json or -o")
		}
		f.options.Solver = svcca.Exact // all singular values
		return f.measure(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	f.registerNoise(flags)
	f.registerRows(flags)
	flags.TextVar(&f.way, "conv", way(""), "maps `AS` pixels, flatten (default: no)")
	f.registerLayout(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.TextVar(&f.memory, "memory", memory(0), memoryHelp)
	flags.IntVar(&f.threads, "threads", 0, "work on `N` at once (default: a processor each)")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "leave out files that cannot be used (default: fail)")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json, csv, svg, png, pdf (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object, with all spectra (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// dims is a call of the command: a matrix without pairs.
type dims struct {
	*matrix
	result *dimsJSON
}

// dimsJSON is the contract.
type dimsJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	making
	Layers   []dimsLayer     `json:"layers"`
	Options  wayOptions      `json:"options"`
	Warnings []svcca.Warning `json:"warnings"`
	Skipped  []leftOut       `json:"skipped"`
	Backend  native.Info     `json:"backend"`
}

// dimsLayer is a layer that was measured.
type dimsLayer struct {
	*measure.Dimensions
	Selection *selection `json:"selection,omitempty"`
}

func (f *matrixFlags) measure(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	m := &matrix{matrixFlags: f, stderr: stderr, known: map[string]int{}, left: []leftOut{}, alone: true}
	f.describer.with, f.describer.known = map[string]inputJSON{}, map[string]string{} // of all layers
	if err := m.expand(args); err != nil {
		return err
	}
	d := &dims{matrix: m, result: &dimsJSON{Schema: "svcca.dims/1", Version: version(), Layers: []dimsLayer{}, Warnings: []svcca.Warning{}, Backend: native.Describe()}}
	outputs, err := d.targets()
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.open(ctx); err != nil {
		return err
	}
	if err := d.checkMaps(); err != nil {
		return err
	}
	if err := d.all(ctx); err != nil {
		return err
	}
	if d.result.making, err = m.made(ctx); err != nil {
		return err
	}
	d.result.Options, d.result.Skipped = wayOptions{f.options, f.mapFlags}, m.left
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(ctx, d.result); err != nil {
			return err
		}
		m.notice(out.wrote())
	}
	if f.json {
		err = writeJSON(stdout, d.result)
	} else {
		err = writeDims(stdout, localStyle(), screenColumns(stdout), d.result)
	}
	if err == nil {
		for _, w := range d.result.Warnings {
			m.notice("warning: " + w.Text)
		}
	}
	return err
}

// checkMaps makes sure that feature maps, and nothing else, are told how to be read.
func (d *dims) checkMaps() error {
	const most = 4
	dimensions := map[int]bool{}
	for i, l := range d.files {
		if l == nil {
			continue
		}
		if isMaps(l) && d.way == "" {
			err := fmt.Errorf("%s holds feature maps, %s: choose by --conv\n  pixels   each position of each image is a datapoint\n  flatten  each position of each channel is a neuron", shown(l.Name()), shapeText(l.Shape()))
			if !d.skipBad {
				return err
			}
			d.leave(i, fmt.Sprintf("%s holds feature maps, which need --conv", shown(l.Name())))
			continue
		}
		dimensions[min(most, len(l.Shape()))] = true
	}
	switch {
	case d.firstFile() == nil:
		return d.enough(0, 0)
	case d.way != "" && !dimensions[4] && !dimensions[3]:
		return misusef("no layer holds feature maps, which have 4 dimensions: leave out --conv %s", d.way)
	case d.selectFlags.tokens.given && !dimensions[3]:
		return misusef("--tokens is for files of three dimensions, and there is none")
	case d.layoutGiven && !dimensions[4] && !dimensions[3]:
		return misusef("--layout is for feature maps and tokens, and there are none")
	}
	return nil
}

// all measures the layers, one after the other: each is shared among goroutines.
func (d *dims) all(ctx context.Context) error {
	defer workers(d.threads)()
	d.bar = newProgress(d.stderr, d.quiet)
	defer func() { d.bar.clear() }()
	for i, l := range d.files {
		if l == nil {
			continue
		}
		d.bar.draw(float64(i)/float64(len(d.files)), func(time.Duration) string {
			return fmt.Sprintf("svcca: %d of %s", i, plural(len(d.files), "layer"))
		})
		err := d.one(ctx, i)
		if changed := l.Unchanged(); changed != nil {
			return changed // and what else is wrong is no wonder
		}
		switch {
		case err == nil:
		case ctx.Err() != nil, errors.As(err, new(*misuse)), errors.Is(err, svcca.ErrMemory):
			return err
		case d.skipBad:
			d.leave(i, message(err))
		case len(d.inputs) > 1:
			return d.skipHint(err)
		default:
			return err
		}
	}
	return d.enough(len(d.result.Layers), 0)
}

// one measures a layer: it is a matrix of its own, from which flags select.
func (d *dims) one(ctx context.Context, i int) error {
	f, file := *d.matrixFlags, d.files[i]
	f.skipBad = false
	if len(file.Shape()) < 3 { // these flags are of others
		f.way, f.layoutGiven, f.selectFlags.tokens.given = "", false, false
	}
	m := &matrix{matrixFlags: &f, stderr: d.stderr, inputs: d.inputs[i : i+1], files: []activation.Layer{file}, rows: []int{0}, bar: d.bar}
	if err := m.choose(); err != nil {
		return err
	}
	if err := m.checkMaps(); err != nil {
		return err
	}
	m.chosen.layers = m.views
	if err := m.chosen.finish(ctx, false); err != nil {
		return err
	}
	n, neurons := m.views[0].Dims()
	o := f.options
	o.Keep = svcca.Count(1) // directions themselves are not asked for, and take memory
	need := svcca.BetweenMemory(n, neurons, 1, o) + 8*int64(n)
	if f.weights != "" {
		need += 3 * 8 * int64(n)
	}
	if err := f.memory.allow(fmt.Sprintf("%s: reducing %d × %d", shown(m.inputs[0].name), n, neurons), need, fewer); err != nil {
		return err
	}
	if err := m.readWeights(ctx, m.chosen.rows, m.chosen.of); err != nil {
		return err
	}
	o.Weights = f.options.Weights
	r, err := svcca.ReduceContext(ctx, m.views[0], o)
	if err != nil {
		return f.placed(ctx, err, m.views, m.inputs)
	}
	measured, err := measure.Dimensionality(r.Side)
	if err != nil {
		return err
	}
	measured.Name = m.inputs[0].name
	d.result.Layers = append(d.result.Layers, dimsLayer{measured, m.chosen.told()})
	if f.mapFlags.tokens != "" {
		d.mapFlags.tokens = f.mapFlags.tokens
	}
	if r.Neurons > r.Datapoints {
		warnings := []svcca.Warning{{Code: svcca.WarnWide, Text: wideText(r.Side)}}
		if f.way == byFlatten {
			flattenedWarnings(warnings, r.Side)
		}
		d.result.Warnings = append(d.result.Warnings, warnings...)
	}
	return nil
}

// sides are the layers' names and sizes.
func (r *dimsJSON) sides() (sides []svcca.Side) {
	for _, l := range r.Layers {
		sides = append(sides, svcca.Side{Name: l.Name, Datapoints: l.Datapoints, Neurons: l.Neurons})
	}
	return sides
}

// cut is which of Dimensions.Kept the picture shows: that of 99%.
const cut = 2

// drawn is the layers' spectra as a picture, without what is rounding noise.
func (r *dimsJSON) drawn() figure.Spectra {
	names, dir := shortNames(r.sides())
	picture := figure.Spectra{Title: directoryTitle(dir)}
	for i, l := range r.Layers {
		picture.Spectra = append(picture.Spectra, figure.Spectrum{Name: names[i], SingularValues: l.SingularValues[:l.Rank], K: l.Kept[cut].Variance})
	}
	return picture
}
