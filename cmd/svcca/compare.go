package main

import (
	"context"
	"encoding/json"
	"io"
	"math"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

// compareFlags are what compare was told.
type compareFlags struct {
	options    svcca.Options
	transpose  bool
	weights    string
	json       bool
	directions string
	force      bool
	quiet      bool
}

func newCompare() *cobra.Command {
	f := &compareFlags{}
	c := command(&cobra.Command{
		Use:   "compare A.npy B.npy [flags]",
		Short: "Compares two layers",
		Long: `Compares two layers by SVCCA. Each file holds a layer's activations,
datapoints × neurons, floating point, written by numpy.save. Row i of both is
the same input.`,
		Example: `  svcca compare a/layer3.npy b/layer3.npy
  svcca compare a.npy b.npy --keep 'count(20)' --json > ab.json`,
		Args: twoFiles,
	}, func(cmd *cobra.Command, args []string) error {
		return f.run(cmd.Context(), args[0], args[1], cmd.OutOrStdout(), cmd.ErrOrStderr())
	})
	flags := c.Flags()
	flags.TextVar(&f.options.Keep, "keep", svcca.Variance(0.99),
		"directions kept, `RULE`: variance(share), sum(share), count(number), rank")
	flags.TextVar(&f.options.RankTol, "rank-tol", svcca.StorageTol(),
		"rounding noise, `TOL`: storage, float16, bfloat16, float32, float64, machine, or a share of the largest singular value")
	flags.TextVar(&f.options.Centering, "centering", svcca.CenterNeurons,
		"subtract first, `WHAT`: neurons (each one's mean) or none")
	flags.StringVar(&f.weights, "weights", "", "`FILE`.npy, a weight > 0 per datapoint (default: all 1)")
	flags.BoolVar(&f.transpose, "transpose", false, "files hold neurons × datapoints (default: no)")
	flags.BoolVar(&f.json, "json", false, "one JSON object at full precision (default: text)")
	flags.StringVar(&f.directions, "directions", "", "save directions to `OUT`.npz for project (default: no)")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT.npz (default: refuse)")
	flags.BoolVar(&f.quiet, "quiet", false, "no warnings or notices on stderr (default: both)")
	return c
}

func (f *compareFlags) run(ctx context.Context, pathX, pathY string, stdout, stderr io.Writer) error {
	x, err := openLayer(pathX, f.transpose)
	if err != nil {
		return err
	}
	defer x.Close()
	y, err := openLayer(pathY, f.transpose)
	if err != nil {
		return err
	}
	defer y.Close()
	if err := checkDatapoints(x, y, f.transpose); err != nil {
		return err
	}
	if f.weights != "" {
		n, _ := x.Dims()
		if f.options.Weights, err = readWeights(f.weights, n); err != nil {
			return err
		}
	}
	var out *target
	if f.directions != "" {
		if out, err = newTarget(f.directions, f.force, pathX, pathY, f.weights); err != nil {
			return err
		}
	}
	c, err := svcca.BetweenContext(ctx, x, y, f.options)
	if err != nil {
		return err
	}
	if out != nil {
		if err := out.write(func(w io.Writer) error { return writeDirections(ctx, w, c) }); err != nil {
			return err
		}
		f.notice(stderr, "wrote "+shown(out.path)+": the aligned directions of both layers")
	}
	if !f.json {
		return writeReport(stdout, localStyle(), c, f.transpose)
	}
	for _, w := range c.Warnings {
		f.notice(stderr, "warning: "+w.Text)
	}
	return writeJSON(stdout, comparisonJSON{
		Schema: "svcca.compare/1", Version: version(), Comparison: c, Backend: native.Describe(),
	})
}

func (f *compareFlags) notice(stderr io.Writer, text string) {
	if !f.quiet {
		complain(stderr, text)
	}
}

// comparisonJSON is the contract: svcca.Comparison between a head and a foot.
type comparisonJSON struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	*svcca.Comparison
	Backend native.Info `json:"backend"`
}

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

const maxFinite = math.MaxFloat64
