package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/spf13/cobra"
)

// classesFlags are what classes was told.
type classesFlags struct {
	matrixFlags
	logits  []string // of each network, or one for all
	orders  []string // layers of each network, or of all
	classes indices
}

func newClasses() *cobra.Command {
	f := &classesFlags{}
	c := command(&cobra.Command{
		Use:   "classes NETWORK… [flags]",
		Short: "Follows single classes through the layers of networks",
		Long: `Compares each layer of a network with each single logit: how much it knows of
that class. NETWORK is a directory or archive of layers. On the datapoints of
chosen classes: --labels FILE --labelled 3,7; see svcca help selection.`,
		Example: `  svcca classes a b --layers conv1,conv2,fc --class 0,3 -o classes.svg
  svcca classes resnet.npz --logits head --conv dft --layout nchw --json`,
	}, func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misusef("no networks: name directories or archives of layers, as in svcca classes a b")
		}
		if err := f.check(cmd); err != nil {
			return err
		}
		return f.follow(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.StringArrayVar(&f.logits, "logits", []string{"logits"}, "layer `NAME` or file, one for all or one each")
	flags.Lookup("logits").DefValue = "logits"
	flags.StringArrayVar(&f.orders, "layers", nil, "`LAYERS` A,B,… from the input on (default: by name)")
	flags.TextVar(&f.classes, "class", indices{}, "`CLASSES` 0,3,5:8, columns of logits (default: all)")
	flags.TextVar(&f.score, "score", score("mean"), "show `S`: mean, mean_square, …")
	f.optionFlags.register(flags)
	flags.TextVar(&f.way, "conv", way(""), "maps `AS` dft, flatten (default: no)")
	f.registerLayout(flags)
	f.selectFlags.register(flags)
	f.selectFlags.hide(flags)
	flags.StringArrayVarP(&f.outputs, "out", "o", nil, "to `OUT`.json, csv, svg, png, pdf (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT (default: refuse)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: a table)")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress, warnings, notes on stderr (default: all)")
	outputIsOut(flags)
	return c
}

// check returns an error where flags do not go together.
func (f *classesFlags) check(cmd *cobra.Command) error {
	switch {
	case f.way == byPixels:
		return misusef("--conv pixels does not go with logits, of which an image has one each, not one at each position: --conv dft or flatten")
	case f.way == byLowPass:
		return misusef("--conv lowpass is for maps of two sizes, and a logit has none: --conv dft")
	case f.classes.file != "":
		return misusef("--class %s: classes are listed, as in 0,3", shown(f.classes.text))
	case len(f.ids) > 1 || len(f.ids) == 1 && !strings.Contains(f.ids[0], "*"):
		return misusef("--ids %s: one name with a * for the layers' paths without their suffix expected", shown(f.ids[0]))
	case f.hashes && !f.json && len(f.outputs) == 0:
		return misusef("--hashes is for what is written: --json or -o")
	}
	if err := f.mapFlags.check(cmd, &f.optionFlags); err != nil {
		return err
	}
	return f.selectFlags.check(cmd, &f.mapFlags)
}

// classes is a call of the command: the layers of networks are those of a matrix, whose
// columns are single logits.
type classes struct {
	*matrix
	of       *classesFlags
	networks []*classNetwork
	numbers  []int // of the classes
}

func (f *classesFlags) follow(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := &classes{of: f, matrix: &matrix{
		matrixFlags: &f.matrixFlags, stderr: stderr, known: map[string]int{}, left: []leftOut{}, alone: true, without: "--layers A,B,…",
	}}
	if err := c.find(args); err != nil {
		return err
	}
	outputs, err := c.targets()
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.open(ctx); err != nil {
		return err
	}
	if err := c.look(ctx); err != nil {
		return err
	}
	if err := c.choose(); err != nil {
		return err
	}
	if err := c.checkMaps(); err != nil {
		return err
	}
	c.chosen.layers = c.views
	if err := c.chosen.finish(ctx, false); err != nil {
		return err
	}
	if err := c.readWeights(ctx, c.chosen.rows, c.chosen.of); err != nil {
		return err
	}
	result, err := c.result(ctx)
	if err != nil {
		return err
	}
	for _, out := range outputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.write(ctx, result); err != nil {
			return err
		}
		c.notice(out.wrote())
	}
	if f.json {
		err = writeJSON(stdout, result)
	} else {
		err = c.writeTable(stdout, localStyle(), screenColumns(stdout), result)
	}
	if err == nil {
		for _, w := range result.Warnings {
			c.notice("warning: " + w.Text)
		}
	}
	return err
}

// look makes sure that the logits are some, and have the classes that were chosen, and
// that --conv says how maps are taken.
func (c *classes) look(ctx context.Context) error {
	for _, n := range c.networks {
		for _, at := range n.layers {
			if l := c.files[at]; isMaps(l) && c.way == "" {
				return waysOfMaps(ctx, l)
			}
		}
		logits := c.files[n.logits]
		_, count := logits.Dims()
		switch shape := logits.Shape(); {
		case len(shape) == 4 || len(shape) == 3 && c.way != "":
			return fmt.Errorf("%s holds feature maps, %s: logits are one row an image; --logits NAME says which layer they are", shown(logits.Name()), shapeText(shape))
		case len(shape) == 3 && c.layout == conv.NCHW:
			count = shape[1]
		case len(shape) == 3:
			count = shape[2]
		}
		numbers := interval(0, count)
		if c.of.classes.given() {
			var err error
			if numbers, err = c.of.classes.of(count, "class", "column", logits.Name()); err != nil {
				return err
			}
		}
		if c.numbers != nil && !slices.Equal(c.numbers, numbers) {
			return fmt.Errorf("%s has %s, %s %d: --class says which to follow", shown(c.files[c.networks[0].logits].Name()), plural(len(c.numbers), "column"), shown(logits.Name()), count)
		}
		c.numbers = numbers
	}
	return c.drawable()
}

// waysOfMaps says how to compare feature maps with logits.
func waysOfMaps(ctx context.Context, l activation.Layer) error {
	line := "svcca"
	args, _ := ctx.Value(commandKey{}).([]string)
	for _, arg := range args {
		line += " " + shellQuoted(arg)
	}
	return fmt.Errorf(`%s holds feature maps, %s: choose by --conv
  dft      every image in all translations: a logit, which none of these moves,
           is compared with what each channel holds over all positions
  flatten  each position of each channel is a neuron; needs most images
%s --conv dft`, shown(l.Name()), shapeText(l.Shape()), shown(line))
}

// result compares the layers of each network with its logits, and makes sure that no file
// changed meanwhile.
func (c *classes) result(ctx context.Context) (*classesJSON, error) {
	c.bar = newProgress(c.stderr, c.quiet)
	defer func() { c.bar.clear() }()
	defer native.LimitThreads(1)() // faster: goroutines share the work
	r := &classesJSON{Schema: "svcca.classes/1", Version: version(), Score: c.score, Classes: c.numbers, Warnings: []svcca.Warning{}, Backend: native.Describe()}
	err := c.compare(ctx, r)
	c.bar.clear()
	if changed := c.unchanged(); changed != nil {
		return nil, changed // and what else is wrong is no wonder
	}
	if err != nil {
		return nil, goWithout(c.placed(ctx, err, c.views, c.inputs))
	}
	if r.making, err = c.made(ctx); err != nil {
		return nil, err
	}
	r.Options, r.Selection = wayOptions{c.options, c.mapFlags}, c.chosen.told()
	return r, nil
}

// compare adds the networks to a result.
func (c *classes) compare(ctx context.Context, r *classesJSON) error {
	before, all := 0, 0 // pairs
	for _, n := range c.networks {
		all += len(n.layers) * len(c.numbers)
	}
	o := conv.Options{Options: c.options, OffBlock: -1}
	alive := 0
	for _, n := range c.networks {
		var maps []conv.Maps
		for _, at := range n.layers {
			m, err := c.maps(c.views[at])
			if err != nil {
				return err
			}
			maps = append(maps, m)
		}
		curves, err := measure.AgainstLogits(ctx, maps, c.views[n.logits], o, func(done, _ int) {
			c.bar.draw(float64(before+done)/float64(all), func(time.Duration) string {
				return fmt.Sprintf("svcca: %d of %s", before+done, plural(all, "pair"))
			})
		}, c.numbers...)
		if err != nil {
			return err
		}
		before += len(n.layers) * len(c.numbers)
		for i := range curves {
			for l := range curves[i].Points {
				curves[i].Points[l].Layer = n.names[l]
			}
			if !curves[i].Constant {
				alive++
				continue
			}
			r.Warnings = append(r.Warnings, svcca.Warning{Code: warnConstantLogit, Text: fmt.Sprintf("%s: the logit of class %d is constant over these %ss: it has no curve", shown(c.views[n.logits].Name()), curves[i].Class, c.unit())})
		}
		r.Networks = append(r.Networks, classNetworkJSON{Name: n.path, Logits: c.inputs[n.logits].name, Layers: n.names, Curves: curves})
	}
	if alive == 0 {
		logits := c.views[c.networks[0].logits]
		n, _ := logits.Dims()
		return fmt.Errorf("every logit is constant over %s, as those of %s: there is nothing to follow", plural(n, c.unit()), shown(logits.Name()))
	}
	return nil
}

// warnConstantLogit: a logit does not vary over the datapoints.
const warnConstantLogit = "constant_logit"
