package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/spf13/cobra"
)

// projectFlags are what project was told.
type projectFlags struct {
	describer
	selectFlags
	mapFlags
	answerFlags
	side        string
	k           []int
	onto        []int
	by          neuronChoice
	coordinates bool
	head        string
	order       []string
	draws       int
	outputs     []string
	force       bool
	transpose   bool
	json        bool
	quiet       bool
}

func newProject() *cobra.Command {
	f := &projectFlags{}
	c := command(&cobra.Command{
		Use:   "project DIRECTIONS DATA.npy --side x|y -o OUT.npy [flags]",
		Short: "Tells what is left in few directions, or neurons",
		Long: `Projects a layer's activations onto the first k directions that compare
--directions saved, then onto --onto neurons: what is left when all else is at
its mean. OUT.npy holds datapoints × neurons. With --head, the layers behind it,
it tells and draws what these make of it, by k, beside random neurons and those
of largest mean activation. Flags that choose rows: svcca help selection.`,
		Example: `  svcca project ab.npz a/test.npy --side x -k 20 -o a/projected.npy
  svcca project ab.npz a/test.npy --side x --head a --labels y.npy -o acc.svg`,
		Args: twoFiles,
	}, func(cmd *cobra.Command, args []string) error {
		return f.run(cmd, args[0], args[1])
	})
	flags := c.Flags()
	flags.StringVar(&f.side, "side", "", "`x|y`, the first or second file of compare (required)")
	flags.IntSliceVarP(&f.k, "k", "k", nil, "the first `K` directions (default: all, or 1, 2, 4, …)")
	flags.IntSliceVar(&f.onto, "onto", nil, "then leave `Q` neurons, others at means (default: all)")
	flags.TextVar(&f.by, "by", neuronsByImportance, "by `WHAT`: random, activation")
	flags.BoolVar(&f.coordinates, "coordinates", false, "write coordinates (default: the projection)")
	flags.StringVar(&f.head, "head", "", "`WEIGHTS` behind DATA: directory, archive (default: no)")
	flags.StringSliceVar(&f.order, "order", nil, "its `LAYERS` A,B,… behind DATA (default: by name)")
	f.answerFlags.register(flags, &f.selectFlags)
	flags.IntVar(&f.draws, "draws", 10, "random neurons: the mean of `N` draws")
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "`OUT`.npy, required; of a head json, svg, … (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags, "labels")
	flags.TextVar(&f.way, "conv", way(""), "maps `AS` pixels, flatten, as compare (default: no)")
	f.registerLayout(flags)
	flags.BoolVar(&f.transpose, "transpose", false, "DATA.npy holds neurons × datapoints (default: no)")
	f.describer.register(flags)
	flags.BoolVar(&f.json, "json", false, "one JSON object (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, notices on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// neuronChoice is a flag, --by: which neurons keep their values.
type neuronChoice string

const (
	// neuronsByImportance are those that matter most to the first k directions.
	neuronsByImportance neuronChoice = "importance"
	neuronsAtRandom     neuronChoice = "random"
	// neuronsByActivation are those of the largest mean.
	neuronsByActivation neuronChoice = "activation"
)

// MarshalText returns the choice's name.
func (c neuronChoice) MarshalText() ([]byte, error) { return []byte(c), nil }

// UnmarshalText reads the name of a choice.
func (c *neuronChoice) UnmarshalText(text []byte) error {
	switch choice := neuronChoice(text); choice {
	case neuronsByImportance, neuronsAtRandom, neuronsByActivation:
		*c = choice
		return nil
	}
	return fmt.Errorf("one of importance, random, activation expected")
}

// check returns an error where flags do not go together.
func (f *projectFlags) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case f.side != "x" && f.side != "y":
		return misusef("--side x or --side y is needed: the first or the second file of compare")
	case f.head != "":
		if err := refuse(cmd, "--head, which looks at all of them", "by"); err != nil {
			return err
		}
		if err := refuse(cmd, "--head, which takes layers as wide as they are", "coordinates"); err != nil {
			return err
		}
		if f.draws < 1 {
			return misusef("--draws %d: 1 or more expected", f.draws)
		}
		if f.hashes && !f.json && len(f.outputs) == 0 {
			return misusef("--hashes is for what is written: --json or -o")
		}
		return f.answerFlags.check()
	}
	if err := refuse(cmd, "a projection alone: it is for --head, the layers behind it", "order", "targets", "draws", "json"); err != nil {
		return err
	}
	switch {
	case len(f.outputs) == 0:
		return misusef("-o OUT.npy is needed, or --head WEIGHTS to see what is lost")
	case len(f.outputs) > 1:
		return misusef("one -o OUT.npy is needed, %d given", len(f.outputs))
	case isOtherFile(f.outputs[0]):
		return misusef("-o %s: a projection is a .npy; pictures and numbers are of --head, the layers behind it", shown(f.outputs[0]))
	case f.hashes && f.outputs[0] == "-":
		return misusef("--hashes is for OUT.npy.json, which standard output has not")
	case len(f.k) > 1:
		return misusef("-k: one number of directions is needed, %d given; --head looks at several", len(f.k))
	case len(f.onto) > 1:
		return misusef("--onto: one number of neurons is needed, %d given; --head looks at several", len(f.onto))
	case changed("by") && len(f.onto) == 0:
		return misusef("--by is of --onto, which says how many neurons to leave")
	case f.by != neuronsByImportance && changed("k"):
		return misusef("-k does not go with --by %s, which leaves neurons as they are", f.by)
	case f.coordinates && len(f.onto) > 0:
		return misusef("--coordinates does not go with --onto: neurons have none")
	}
	return nil
}

// isOtherFile reports whether a file has the name of one that is no .npy.
func isOtherFile(path string) bool {
	suffix := suffixOf(path)
	_, ofCurves := curveKinds[suffix]
	return ofCurves || suffix == ".npz" || suffix == safetensorsSuffix
}

// projecting is a call of the command.
type projecting struct {
	*projectFlags
	stderr         io.Writer
	directionsPath string
	saved          *savedSide
	directions     *svcca.Directions
	inputs         []input
	data           activation.Layer
	chosen         *choosing
	bar            *progress
}

func (f *projectFlags) run(cmd *cobra.Command, directionsPath, dataPath string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	p := &projecting{projectFlags: f, stderr: cmd.ErrOrStderr(), directionsPath: directionsPath}
	var err error
	if p.saved, err = openDirections(directionsPath, f.side); err != nil {
		return err
	}
	defer p.saved.close()
	if err := p.checkCounts(); err != nil {
		return err
	}
	f.selectFlags.judges = f.head != ""
	f.selectFlags.seeds = f.head != "" || f.by == neuronsAtRandom
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	if err := refuse(cmd, "project, which has one layer", "ids"); err != nil {
		return err
	}
	if err := f.checkWay(); err != nil {
		return err
	}
	in, err := oneLayer(dataPath)
	if err != nil {
		return err
	}
	p.inputs = []input{in}
	if p.data, err = in.open(opening{transpose: f.transpose, maps: f.way != "", tokens: true}); err != nil {
		var refused *mapsError
		if errors.As(err, &refused) {
			return fmt.Errorf("%s holds feature maps, %s: choose by --conv, as compare had them\n  pixels   each position of each image is a datapoint\n  flatten  each position of each channel is a neuron", shown(refused.path), shapeText(refused.shape))
		}
		return err
	}
	defer p.data.Close()
	p.chosen = &choosing{selectFlags: &f.selectFlags, maps: &f.mapFlags, inputs: p.inputs, layers: []activation.Layer{p.data}, weighted: f.answerFlags.given(),
		say: p.notice, bad: func(_ int, err error) error { return err }}
	if err := p.chosen.choose(); err != nil {
		return err
	}
	if err := p.viewMaps(); err != nil {
		return err
	}
	p.data = p.chosen.layers[0]
	if err := f.checkNeurons(p.saved, directionsPath, p.data); err != nil {
		return err
	}
	if f.head != "" {
		return p.judge(cmd.Context(), cmd.OutOrStdout())
	}
	return p.write(cmd.Context(), cmd.OutOrStdout())
}

// checkWay is an error where --conv does not go with what is asked for.
func (f *projectFlags) checkWay() error {
	switch {
	case f.way.translates():
		return misusef("--conv %s: project takes pixels or flatten, of which directions are of neurons", f.way)
	case f.way != "" && f.transpose:
		return misusef("--transpose does not go with --conv: images come first in a file of feature maps")
	case f.way == byPixels && f.head != "":
		return misusef("--conv pixels does not go with --head: fully connected layers take maps by --conv flatten")
	}
	return nil
}

// viewMaps makes two dimensions of feature maps.
func (p *projecting) viewMaps() error {
	if p.way == "" {
		return nil
	}
	l := p.chosen.layers[0]
	if !isMaps(l) {
		return misusef("%s holds no feature maps, which have 4 dimensions: leave out --conv %s", shown(l.Name()), p.way)
	}
	p.notice(p.assumed(l))
	v, err := p.view(l)
	p.chosen.layers[0] = v
	return err
}

// notice says something on standard error, where progress is not in its way.
func (p *projecting) notice(text string) {
	if !p.quiet {
		if p.bar != nil {
			p.bar.clear()
		}
		complain(p.stderr, text)
	}
}

// checkCounts is an error where -k or --onto reach beyond what there is.
func (p *projecting) checkCounts() error {
	beyond := len(p.k) > 0 // all of -k; with --head baselines may go on
	for _, k := range p.k {
		if k < 1 || k > p.saved.neurons {
			return misusef("-k %d: %s holds directions 1 to %d, of %d neurons", k, shown(p.directionsPath), p.saved.count, p.saved.neurons)
		}
		beyond = beyond && k > p.saved.count
	}
	if beyond {
		return misusef("-k %d: %s holds directions 1 to %d", p.k[0], shown(p.directionsPath), p.saved.count)
	}
	for _, q := range p.onto {
		if q < 1 || q > p.saved.neurons {
			return misusef("--onto %d: side %s of %s has 1 to %d neurons", q, p.side, shown(p.directionsPath), p.saved.neurons)
		}
	}
	return nil
}

// load reads the directions and what is chosen of the data.
func (p *projecting) load(ctx context.Context) (err error) {
	if p.directions, err = p.saved.load(); err != nil {
		return fmt.Errorf("%s: %w", shown(p.directionsPath), err)
	}
	if err := p.chosen.finish(ctx, false); err != nil {
		return err
	}
	p.data = p.chosen.layers[0]
	return nil
}

// write writes the projection, or coordinates.
func (p *projecting) write(ctx context.Context, stdout io.Writer) (err error) {
	var out *target
	if path := p.outputs[0]; path != "-" {
		if out, err = newNotedTarget(path, p.force, append(append(p.selectFlags.files(p.inputs), p.inputs[0].paths...), p.directionsPath)...); err != nil {
			return err
		}
	}
	if err := p.load(ctx); err != nil {
		return err
	}
	o := projectOptions{Side: p.side, K: p.saved.count, Coordinates: p.coordinates, Transpose: p.transpose, Conv: p.way}
	if p.way != "" {
		o.Layout = p.layout.String()
	}
	if len(p.k) > 0 {
		o.K = p.k[0]
	}
	projection := &compress.Projection{Directions: p.directions, K: o.K}
	if len(p.onto) > 0 {
		o.Onto, o.By = p.onto[0], p.by
		switch p.by {
		case neuronsByImportance:
			projection.Neurons = compress.Largest(compress.Importance(p.directions, o.K), o.Onto)
		case neuronsAtRandom:
			o.Seed = &p.seed
			projection = &compress.Projection{Mean: p.directions.Mean, Neurons: compress.Random(p.saved.neurons, o.Onto, p.seed)}
		case neuronsByActivation:
			projection = &compress.Projection{Mean: p.directions.Mean, Neurons: compress.Largest(p.directions.Mean, o.Onto)}
		}
		if projection.Directions == nil {
			o.K = 0
		}
	}
	work := func(w io.Writer) error {
		return p.placed(ctx, p.apply(ctx, projection, w), p.chosen.layers, p.inputs)
	}
	if out == nil {
		return work(stdout)
	}
	made, err := p.made(ctx)
	if err != nil {
		return err
	}
	err = out.writeNoted(newProvenance(made, o, p.chosen.told()), func(w io.Writer) error {
		if err := work(w); err != nil {
			return err
		}
		return p.data.Unchanged()
	})
	if err != nil {
		return err
	}
	p.notice(out.wrote())
	return nil
}

// projectOptions are the flags that decide what is written.
type projectOptions struct {
	Side        string       `json:"side"`
	K           int          `json:"k"` // 0 of neurons as they are
	Onto        int          `json:"onto,omitempty"`
	By          neuronChoice `json:"by,omitempty"`
	Seed        *uint64      `json:"seed,omitempty"`
	Coordinates bool         `json:"coordinates"`
	Transpose   bool         `json:"transpose"`
	Conv        way          `json:"conv,omitempty"`
	Layout      string       `json:"layout,omitempty"`
}

// made describes the files.
func (p *projecting) made(ctx context.Context) (making, error) {
	layers := []activation.Layer{p.data}
	described, err := p.describeLayers(ctx, p.inputs, layers)
	if err == nil {
		err = p.describeSelection(ctx, &p.selectFlags, p.inputs, layers)
	}
	if err == nil {
		err = p.beside(ctx, "directions", []string{p.directionsPath}, nil)
	}
	return p.making(ctx, described), err
}

// checkNeurons compares the data's width with the directions', and where it is
// another looks whether it is that of the other side.
func (f *projectFlags) checkNeurons(saved *savedSide, path string, data activation.Layer) error {
	n, d := data.Dims()
	if d == saved.neurons {
		return nil
	}
	err := fmt.Errorf("%s has %d neurons, side %s of %s %d", shown(data.Name()), d, f.side, shown(path), saved.neurons)
	otherName := map[string]string{"x": "y", "y": "x"}[f.side]
	if other, otherErr := openDirections(path, otherName); otherErr == nil {
		defer other.close()
		if other.neurons == d {
			return fmt.Errorf("%w: side %s has %d", err, otherName, d)
		}
	}
	if n == saved.neurons && !f.transpose {
		return fmt.Errorf("%w: --transpose if the file holds neurons × datapoints", err)
	}
	return err
}

// apply writes a .npy of the data's projection, or of its coordinates, block by
// block.
func (p *projecting) apply(ctx context.Context, projection *compress.Projection, w io.Writer) error {
	layer := cancellable{Layer: p.data, ctx: ctx}
	n, columns := p.data.Dims()
	if p.coordinates {
		columns = projection.K
	}
	npy, err := activation.NewWriter(w, n, columns)
	if err != nil {
		return err
	}
	write := func(block lapack.Matrix[float64]) error {
		if err := p.inRange(block); err != nil {
			return err
		}
		return npy.Write(block)
	}
	if p.coordinates {
		err = align(p.directions, layer, n, projection.K, write)
	} else {
		err = projection.Apply(layer, write)
	}
	if err != nil {
		return err
	}
	return npy.Close()
}

// inRange is an error where a projection is not finite.
func (p *projecting) inRange(block lapack.Matrix[float64]) error {
	for i := range block.Rows {
		for _, v := range block.Row(i) {
			if !(math.Abs(v) <= maxFinite) {
				return fmt.Errorf("%s: its projection leaves float64's range: are these directions of another scale?", shown(p.data.Name()))
			}
		}
	}
	return nil
}

// alignBytes bounds the coordinates that are held at a time. Tests lower it.
var alignBytes = 1 << 26

// align is Directions.Align in parts: that returns all coordinates at once.
func align(d *svcca.Directions, layer cancellable, n, k int, write func(lapack.Matrix[float64]) error) error {
	rows := max(1, alignBytes/(8*k))
	for first := 0; first < n; first += rows {
		aligned, err := d.Align(activation.Take(layer, 0, interval(first, min(first+rows, n))), k)
		if err != nil {
			return later(err, first)
		}
		if err := write(aligned); err != nil {
			return err
		}
	}
	return nil
}
