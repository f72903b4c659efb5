package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/native"
	"github.com/spf13/pflag"
)

const intro = `Examples:
  freeze -o freeze
  freeze -o freeze --data cifar-10-batches-bin --nets runs

Trains a convolutional and a residual network on handwritten digits, or on
CIFAR-10: as usual, with Freeze Training, of layer i of L after step i/L of
training, and freezing each once it hardly changes. Fig. 5 of the paper, with
the work that is saved. A run that is done is not done again.
`

var quick = study.Quick{Width: 4, Steps: 300, Record: 100}

// numbers are what result.json holds.
type numbers struct {
	Settings  study.Settings `json:"settings"`
	Seeds     int            `json:"seeds"`
	Threshold float64        `json:"threshold"`
	Claims    claims.List    `json:"claims"`
	Networks  []*network     `json:"networks"`
	Backend   native.Info    `json:"backend"`
}

// network is what was measured of one architecture.
type network struct {
	Network string    `json:"network"`
	Steps   []int     `json:"steps"`   // at which accuracy was measured
	Methods []*method `json:"methods"` // baseline, linear, similarity
}

// method is a way of training, with runs of all seeds.
type method struct {
	Method string     `json:"method"`
	Runs   []*outcome `json:"runs"`
}

// work is the command.
func work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	n := &numbers{Backend: native.Describe()}
	s, err := study.Parse("freeze", intro, quick, args, stdout, func(flags *pflag.FlagSet) {
		flags.IntVar(&n.Seeds, "seeds", 10, "train with `N` seeds, from --seed on")
		flags.Float64Var(&n.Threshold, "threshold", 0.98, "similarity from which on a layer hardly changes")
	})
	if err != nil {
		return err
	}
	switch {
	case n.Seeds < 2:
		return program.Misusef("--seeds %d: 2 or more are expected, for a spread", n.Seeds)
	case !(n.Threshold > 0 && n.Threshold <= 1):
		return program.Misusef("--threshold %v: a number above 0, at most 1, is expected", n.Threshold)
	}
	out, err := results.New(s.Out)
	if err != nil {
		return err
	}
	remove, err := s.Temporary()
	if err != nil {
		return err
	}
	defer remove()
	n.Settings = s.Settings
	all := len(kinds) * len(methods) * n.Seeds * s.Steps
	bar := program.NewProgress(stderr, 0, all)
	defer bar.Clear()
	done := 0
	var figures []results.Figure
	for _, kind := range kinds {
		of := &network{Network: kind, Steps: evaluated(s.Steps)}
		for _, name := range methods {
			m := &method{Method: name}
			for i := range n.Seeds {
				seed := s.Seed + uint64(i)
				run, err := study.Once(s, fmt.Sprintf("%s-%s-%v-%d", kind, name, n.Threshold, seed), func() (*outcome, error) {
					return train(ctx, s, kind, name, n.Threshold, seed, func(step int) { bar.Show(done+step, all, kind+", "+name) })
				})
				if err != nil {
					return err
				}
				m.Runs = append(m.Runs, run)
				done += s.Steps
			}
			of.Methods = append(of.Methods, m)
		}
		n.Networks = append(n.Networks, of)
		figures = append(figures, of.curves())
	}
	bar.Clear()
	for _, of := range n.Networks {
		n.Claims = append(n.Claims, of.claims()...)
	}
	if err := out.Write(n, figures...); err != nil {
		return err
	}
	var text strings.Builder
	for _, of := range n.Networks {
		of.table(&text, len(s.Tests.Labels))
	}
	if err := n.Claims.Write(&text); err != nil {
		return err
	}
	fmt.Fprintf(&text, "%s: curves and result.json\n", s.Out)
	_, err = io.WriteString(stdout, text.String())
	return err
}
