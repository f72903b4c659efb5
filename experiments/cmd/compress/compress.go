package main

import (
	"context"
	"fmt"
	"io"

	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/experiments/siblings"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

// settings are all that an experiment depends on.
type settings struct {
	siblings.Settings
	// Keep is how many directions of a layer there are at all.
	Keep svcca.Keep `json:"keep"`
	// Record is how many images directions come from.
	Record int `json:"record"`
	// Shuffle takes datapoints of what layers are compared with in another order: the claims
	// must fall.
	Shuffle bool `json:"shuffle"`
}

const intro = `Examples:
  compress -o compress
  compress -o cifar --data cifar-10-batches-bin --nets nets
Trains convolutional networks and leaves the last five hidden layers of each,
pool2, fc1, bn3, fc2, bn4, one after another, with a share of their directions:
those shared with the next network's layer, or with the logits. Writes into the
new directory of -o how often they are right then, a mean (Fig. 7 of the paper),
and result.json.
`

func parse(args []string, stdout io.Writer) (s settings, out string, err error) {
	flags, read := program.Flags("compress", intro, stdout)
	flags.StringVarP(&out, "out", "o", "", "write to `DIR`, which is new")
	s.Register(flags, 4)
	flags.TextVar(&s.Keep, "keep", svcca.FullRank(), "keep directions by `RULE`, as svcca does")
	flags.IntVar(&s.Record, "record", 10000, "directions of `N` images that were learnt, at most")
	flags.BoolVar(&s.Shuffle, "shuffle", false, "shuffle rows of one side, to see claims fall (default: no)")
	if err := read(args); err != nil {
		return s, "", err
	}
	switch {
	case out == "":
		err = program.Misusef("-o DIR is needed: where figures and numbers are written")
	case s.Record < 2:
		err = program.Misusef("--record %d: 2 or more is expected", s.Record)
	default:
		err = s.Check()
	}
	return s, out, err
}

// compressing is the command.
func compressing(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, out, err := parse(args, stdout)
	if err != nil {
		return err
	}
	dir, err := results.New(out)
	if err != nil {
		return err
	}
	train, test, err := s.Open()
	if err != nil {
		return err
	}
	nets, err := s.Train(ctx, train, stderr)
	if err != nil {
		return err
	}
	steps := 2 * len(shares) * len(nets)
	bar := program.NewProgress(stderr, 0, steps)
	m, err := measure(ctx, s, nets, train, test, func(done int) { bar.Show(done, steps, "compress") })
	bar.Clear()
	if err != nil {
		return err
	}
	r := result{Settings: s, Backend: native.Describe(), measured: *m, Claims: m.claims()}
	if err := dir.Write(r, m.figures()...); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d whole networks are right on %.1f%% of %d images, a mean\n%v", len(nets), 100*m.Whole, m.Images, m)
	if err := r.Claims.Write(stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: shares, layers, each .svg and .png; result.json\n", out)
	return err
}

// result is what result.json holds.
type result struct {
	Settings settings    `json:"settings"`
	Backend  native.Info `json:"backend"`
	measured
	Claims claims.List `json:"claims"`
}
