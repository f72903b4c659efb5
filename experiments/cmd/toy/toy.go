package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/gosvcca/gosvcca/native"
)

// settings are all that an experiment depends on.
type settings struct {
	Width  int     `json:"width"`
	Points int     `json:"points"`
	Steps  int     `json:"steps"`
	Rate   float64 `json:"rate"`
	Seed   uint64  `json:"seed"`
	// Shuffle takes the second network's datapoints in another order: nothing is alike then,
	// and the claims must fall.
	Shuffle bool `json:"shuffle"`
}

const intro = `Examples:
  toy -o toy
  toy -o long --points 2000 --steps 10000
Trains two networks, 1-200-200-200-200-4, on four functions of x and writes into
the new directory of -o figures of the last hidden layer: its neurons, SVD and
SVCCA directions (Fig. 1 of the paper), and outputs by 2, 6, 15, 30 directions
(Fig. 3); and result.json.
`

func parse(args []string, stdout io.Writer) (s settings, out string, err error) {
	flags, read := program.Flags("toy", intro, stdout)
	flags.StringVarP(&out, "out", "o", "", "write to `DIR`, which is new")
	flags.IntVar(&s.Width, "width", 200, "`N` neurons of each hidden layer")
	flags.IntVar(&s.Points, "points", 400, "learn at `N` points")
	flags.IntVar(&s.Steps, "steps", 1500, "steps of training")
	flags.Float64Var(&s.Rate, "rate", 0.002, "rate of Adam at first; it falls to 0")
	flags.Uint64Var(&s.Seed, "seed", 1, "what is random")
	flags.BoolVar(&s.Shuffle, "shuffle", false, "shuffle one network's rows, to see claims fall (default: no)")
	if err := read(args); err != nil {
		return s, "", err
	}
	switch {
	case out == "":
		err = program.Misusef("-o DIR is needed: where figures and numbers are written")
	case s.Width < 2*most:
		err = program.Misusef("--width %d: %d or more is expected, twice the directions of Fig. 3", s.Width, 2*most)
	case s.Points < 2*s.Width:
		err = program.Misusef("--points %d: %d or more is expected, twice the width", s.Points, 2*s.Width)
	case s.Steps < 1:
		err = program.Misusef("--steps %d: 1 or more is expected", s.Steps)
	case !(s.Rate > 0 && s.Rate < 1):
		err = program.Misusef("--rate %v: a number between 0 and 1 is expected, such as 0.002", s.Rate)
	}
	return s, out, err
}

// toy is the command.
func toy(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, out, err := parse(args, stdout)
	if err != nil {
		return err
	}
	dir, err := results.New(out)
	if err != nil {
		return err
	}
	x, targets := points(s.Points)
	var both [2]*nn.Network[float32]
	bar := program.NewProgress(stderr, 0, 2*s.Steps)
	for i := range both {
		both[i] = nets.MLP[float32](rand.New(rand.NewPCG(s.Seed, uint64(i))), []int{1}, "out", s.Width, s.Width, s.Width, s.Width, len(functions))
		if err := s.learn(ctx, both[i], x, targets, func(done int) { bar.Show(i*s.Steps+done, 2*s.Steps, "train") }); err != nil {
			bar.Clear()
			return err
		}
	}
	bar.Clear()
	m, err := measure(s, both, x, targets)
	if err != nil {
		return err
	}
	r := result{Settings: s, Backend: native.Describe(), measured: *m, Claims: m.claims()}
	if err := dir.Write(r, m.figures()...); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "two networks of %d-wide layers learnt %d functions to an error of %.2g and %.2g\n%v\n", s.Width, len(functions), m.Errors[0], m.Errors[1], m)
	if err := r.Claims.Write(stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: neurons, svd, svcca, outputs2 … outputs30, each .svg and .png; result.json\n", out)
	return err
}

// learn trains a network at all points in every step.
func (s *settings) learn(ctx context.Context, net *nn.Network[float32], x, targets *nn.Tensor[float32], each func(done int)) error {
	adam := &nn.Adam[float32]{}
	for step := range s.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		each(step)
		adam.Rate = training.Cosine(s.Rate, step, s.Steps)
		net.Learn(x, nn.SquaredError[float32](targets), adam)
	}
	return nil
}

// result is what result.json holds.
type result struct {
	Settings settings    `json:"settings"`
	Backend  native.Info `json:"backend"`
	measured
	Claims claims.List `json:"claims"`
}
