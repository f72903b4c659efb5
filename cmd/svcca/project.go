package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// projectFlags are what project was told.
type projectFlags struct {
	describer
	selectFlags
	mapFlags
	side        string
	k           int
	coordinates bool
	out         string
	force       bool
	transpose   bool
	quiet       bool
}

func newProject() *cobra.Command {
	f := &projectFlags{}
	c := command(&cobra.Command{
		Use:   "project DIRECTIONS DATA.npy --side x|y -o OUT.npy [flags]",
		Short: "Applies directions that compare saved to further data",
		Long: `Projects a layer's activations onto the first k directions that compare
--directions saved, .npz or .safetensors: what is left when all else is erased.
OUT.npy holds datapoints × neurons, or with --coordinates datapoints × k;
OUT.npy.json says what made it. Flags that choose rows, tokens, neurons: svcca
help selection.`,
		Example: `  svcca project ab.npz a/test.npy --side x -k 20 -o a/projected.npy
  svcca project ab.npz b/test.npy --side y --coordinates -o b/aligned.npy`,
		Args: twoFiles,
	}, func(cmd *cobra.Command, args []string) error {
		return f.run(cmd, args[0], args[1])
	})
	flags := c.Flags()
	flags.StringVar(&f.side, "side", "", "`x|y`, the first or second file of compare (required)")
	flags.IntVarP(&f.k, "k", "k", 0, "the first `K` directions (default: all that are saved)")
	flags.BoolVar(&f.coordinates, "coordinates", false, "write coordinates (default: the projection)")
	flags.StringVarP(&f.out, "out", "o", "", "`OUT`.npy, float64; - for standard output (required)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT.npy, OUT.npy.json (default: refuse)")
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	f.registerLayout(flags)
	flags.BoolVar(&f.transpose, "transpose", false, "DATA.npy holds neurons × datapoints (default: no)")
	f.describer.register(flags)
	flags.BoolVar(&f.quiet, "quiet", false, "no notices on stderr (default: notices)")
	return c
}

func (f *projectFlags) run(cmd *cobra.Command, directionsPath, dataPath string) error {
	switch {
	case f.side != "x" && f.side != "y":
		return misusef("--side x or --side y is needed: the first or the second file of compare")
	case f.out == "":
		return misusef("-o OUT.npy is needed")
	case f.hashes && f.out == "-":
		return misusef("--hashes is for OUT.npy.json, which standard output has not")
	}
	saved, err := openDirections(directionsPath, f.side)
	if err != nil {
		return err
	}
	defer saved.close()
	k := f.k
	if k == 0 && !cmd.Flags().Changed("k") {
		k = saved.count
	}
	if k < 1 || k > saved.count {
		return misusef("-k %d: %s holds directions 1 to %d", k, shown(directionsPath), saved.count)
	}
	if err := f.selectFlags.check(cmd, &f.mapFlags); err != nil {
		return err
	}
	if err := refuse(cmd, "project, which has one layer", "ids"); err != nil {
		return err
	}
	in, err := oneLayer(dataPath)
	if err != nil {
		return err
	}
	data, err := in.open(opening{transpose: f.transpose, tokens: true})
	if err != nil {
		return err
	}
	defer data.Close()
	inputs := []input{in}
	chosen := &choosing{selectFlags: &f.selectFlags, maps: &f.mapFlags, inputs: inputs, layers: []activation.Layer{data},
		say: func(text string) {
			if !f.quiet {
				complain(cmd.ErrOrStderr(), text)
			}
		},
		bad: func(_ int, err error) error { return err }}
	if err := chosen.choose(); err != nil {
		return err
	}
	data = chosen.layers[0]
	if err := f.checkNeurons(saved, directionsPath, data); err != nil {
		return err
	}
	var out *target
	if f.out != "-" {
		if out, err = newNotedTarget(f.out, f.force, append(append(f.files(inputs), in.paths...), directionsPath)...); err != nil {
			return err
		}
	}
	d, err := saved.load()
	if err != nil {
		return fmt.Errorf("%s: %w", shown(directionsPath), err)
	}
	if err := chosen.finish(cmd.Context(), false); err != nil {
		return err
	}
	data = chosen.layers[0]
	work := func(w io.Writer) error {
		return f.placed(cmd.Context(), f.apply(cmd.Context(), d, data, k, w), chosen.layers, inputs)
	}
	if out == nil {
		return work(cmd.OutOrStdout())
	}
	made, err := f.made(cmd.Context(), directionsPath, inputs, data)
	if err != nil {
		return err
	}
	p := newProvenance(made, projectOptions{f.side, k, f.coordinates, f.transpose}, chosen.told())
	err = out.writeNoted(p, func(w io.Writer) error {
		if err := work(w); err != nil {
			return err
		}
		return data.Unchanged()
	})
	if err != nil {
		return err
	}
	if !f.quiet {
		complain(cmd.ErrOrStderr(), out.wrote())
	}
	return nil
}

// projectOptions are the flags that decide what is written.
type projectOptions struct {
	Side        string `json:"side"`
	K           int    `json:"k"`
	Coordinates bool   `json:"coordinates"`
	Transpose   bool   `json:"transpose"`
}

// made describes the files.
func (f *projectFlags) made(ctx context.Context, directions string, inputs []input, data activation.Layer) (making, error) {
	described, err := f.describeLayers(ctx, inputs, []activation.Layer{data})
	if err == nil {
		err = f.describeSelection(ctx, &f.selectFlags, inputs, []activation.Layer{data})
	}
	if err == nil {
		err = f.beside(ctx, "directions", []string{directions}, nil)
	}
	return f.making(ctx, described), err
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
func (f *projectFlags) apply(ctx context.Context, d *svcca.Directions, data activation.Layer, k int, w io.Writer) error {
	layer := cancellable{Layer: data, ctx: ctx}
	n, columns := data.Dims()
	if f.coordinates {
		columns = k
	}
	npy, err := activation.NewWriter(w, n, columns)
	if err != nil {
		return err
	}
	write := func(block lapack.Matrix[float64]) error {
		for i := range block.Rows {
			for _, v := range block.Row(i) {
				if !(math.Abs(v) <= maxFinite) {
					return fmt.Errorf("%s: its projection leaves float64's range: are these directions of another scale?", shown(data.Name()))
				}
			}
		}
		return npy.Write(block)
	}
	if f.coordinates {
		err = align(d, layer, n, k, write)
	} else {
		err = d.Project(layer, k, write)
	}
	if err != nil {
		return err
	}
	return npy.Close()
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
