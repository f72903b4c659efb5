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
type settings struct {
	siblings.Directions
	// Draws is how many sets of random neurons accuracies are means of.
	Draws int `json:"draws"`
}

const intro = `Examples:
  projection -o projection
  projection -o cifar --data cifar-10-batches-bin --keep 'variance(0.99)'
Trains convolutional networks and writes into the new directory of -o how often
they are right from the first k directions that pool2, fc1 or fc2 shares with
the next network, a mean, beside as many neurons, random or of the largest mean
activation (Fig. 2a of the paper); from directions put onto few neurons (2b);
and result.json.
`

func parse(args []string, stdout io.Writer) (s settings, err error) {
	flags, read := program.Flags("projection", intro, stdout)
	s.Register(flags, 4)
	flags.IntVar(&s.Draws, "draws", 10, "random neurons: the mean of `N` draws")
	if err := read(args); err != nil {
		return s, err
	}
	if s.Draws < 1 {
		return s, program.Misusef("--draws %d: 1 or more is expected", s.Draws)
	}
	return s, s.Check()
}

// projection is the command.
func projection(ctx context.Context, args []string, stdout, stderr io.Writer) error {
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
	steps := len(layers) * len(nets)
	bar := program.NewProgress(stderr, 0, steps)
	m, err := measure(ctx, s, nets, train, test, func(done int) { bar.Show(done, steps, "project") })
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
	_, err = fmt.Fprintf(stdout, "%s: directions and neurons of pool2, fc1, fc2, each .svg and .png; result.json\n", s.Out)
	return err
}

// result is what result.json holds.
type result struct {
	Settings settings    `json:"settings"`
	Backend  native.Info `json:"backend"`
	measured
	Claims claims.List `json:"claims"`
}
