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
)

// settings are all that an experiment depends on.
type settings = siblings.Directions

const intro = `Examples:
  compress -o compress
  compress -o cifar --data cifar-10-batches-bin --nets nets
Trains convolutional networks and leaves the last five hidden layers of each,
pool2, fc1, bn3, fc2, bn4, one after another, with a share of their directions:
those shared with the next network's layer, or with the logits. Writes into the
new directory of -o how often they are right then, a mean (Fig. 7 of the paper),
and result.json.
`

func parse(args []string, stdout io.Writer) (s settings, err error) {
	flags, read := program.Flags("compress", intro, stdout)
	s.Register(flags, 4)
	if err := read(args); err != nil {
		return s, err
	}
	return s, s.Check()
}

// compressing is the command.
func compressing(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := parse(args, stdout)
	if err != nil {
		return err
	}
	dir, err := results.New(s.Out)
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
	_, err = fmt.Fprintf(stdout, "%s: shares, layers, each .svg and .png; result.json\n", s.Out)
	return err
}

// result is what result.json holds.
type result struct {
	Settings settings    `json:"settings"`
	Backend  native.Info `json:"backend"`
	measured
	Claims claims.List `json:"claims"`
}
