// Package study has what commands share that follow networks of the paper in training:
// their flags, and networks whose weights at some steps are kept.
//
//	s, err := study.Parse("dynamics", intro, args, stdout)
//	if err != nil {
//		return err
//	}
//	net, err := s.Train(ctx, "convnet", s.Seed, study.Every(s.Steps, 10), bar)
//	layers, err := net.Layers(step, net.Names...)
package study

import (
	"io"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/spf13/pflag"
)

// Training is all that a network's training depends on, but for its architecture and seed.
type Training struct {
	Images string  `json:"images"`
	Width  int     `json:"width"` // channels of the first convolution
	Steps  int     `json:"steps"`
	Batch  int     `json:"batch"`
	Rate   float64 `json:"rate"` // of SGD at first; it falls to 0
	Decay  float64 `json:"decay"`
	Shift  int     `json:"shift"` // pixels that images are moved by at most
}

// Settings are all that the numbers of a study depend on.
type Settings struct {
	Training
	// Record is how many images of the test set layers are compared on.
	Record int    `json:"record"`
	Seed   uint64 `json:"seed"`
	// Shuffled: one of two layers has its datapoints in another order, so that nothing is
	// shared between them, and claims should fail.
	Shuffled bool `json:"shuffled"`
}

// Study is a command's settings and its images.
type Study struct {
	Settings
	// Out is the directory for results, Weights that for networks; empty: none is kept.
	Out, Weights  string
	Images, Tests *data.Set           // to train on, to test with
	Recorded      *nn.Tensor[float32] // images of the test set that layers are compared on
	temporary     bool                // Weights is
}

// Quick are the defaults on digits.
type Quick struct{ Width, Steps, Record int }

// Parse reads a command's arguments, with flags of its own that more, if it is not nil,
// registers, and opens the images.
func Parse(name, intro string, quick Quick, args []string, stdout io.Writer, more func(*pflag.FlagSet)) (*Study, error) {
	s := &Study{Settings: Settings{Training: Training{Images: "digits", Batch: 64, Rate: 0.05, Decay: 5e-4}}}
	flags, read := program.Flags(name, intro, stdout)
	var dir string
	flags.StringVarP(&s.Out, "out", "o", "", "write figures and numbers to `DIR`, a new one")
	flags.StringVar(&dir, "data", "", "CIFAR-10, binary version, in `DIR` (default: digits)")
	flags.StringVar(&s.Weights, "nets", "", "keep what is trained in `DIR`, and go on from there")
	flags.IntVar(&s.Width, "width", quick.Width, "channels of the first layer (CIFAR-10: 32)")
	flags.IntVar(&s.Steps, "steps", quick.Steps, "steps of training (CIFAR-10: 3000)")
	flags.IntVar(&s.Record, "record", quick.Record, "compare on `N` test images (CIFAR-10: 100)")
	flags.Uint64Var(&s.Seed, "seed", 1, "what is random")
	flags.BoolVar(&s.Shuffled, "shuffle", false, "shuffle datapoints of one side, to see claims fall")
	if more != nil {
		more(flags)
	}
	if err := read(args); err != nil {
		return nil, err
	}
	if dir != "" {
		s.Training.Images, s.Shift = "cifar10", 4
		for _, d := range []struct {
			flag  string
			value *int
			is    int
		}{{"width", &s.Width, 32}, {"steps", &s.Steps, 3000}, {"record", &s.Record, 100}} {
			if !flags.Changed(d.flag) {
				*d.value = d.is
			}
		}
	}
	if s.Out == "" {
		return nil, program.Misusef("-o DIR is needed: where figures and numbers are written")
	}
	for _, f := range []struct {
		name         string
		value, least int
	}{{"width", s.Width, 1}, {"steps", s.Steps, 10}, {"record", s.Record, 20}} {
		if f.value < f.least {
			return nil, program.Misusef("--%s %d: %d or more is expected", f.name, f.value, f.least)
		}
	}
	var err error
	if s.Images, s.Tests, err = data.Open(s.Training.Images, dir); err != nil {
		return nil, err
	}
	if n := len(s.Tests.Labels); s.Record > n {
		return nil, program.Misusef("--record %d: there are %d test images", s.Record, n)
	}
	s.Recorded, _ = data.All[float32](s.Tests, s.Record)
	return s, nil
}

// Every returns so many steps, as evenly spaced as may be, and before them 0 and steps that
// double from 5 on: networks change most at first.
func Every(steps, count int) (at []int) {
	last := -1
	add := func(step int) {
		if step > last {
			at, last = append(at, step), step
		}
	}
	add(0)
	for step := 5; step < steps/count; step *= 2 {
		add(step)
	}
	for i := 1; i <= count; i++ {
		add(i * steps / count)
	}
	return at
}

// Shuffle returns layers as they are or, in a study that is shuffled, with their datapoints
// in another order, the same for all.
func (s *Study) Shuffle(layers []*nn.Tensor[float32]) []*nn.Tensor[float32] {
	if !s.Shuffled {
		return layers
	}
	shuffled := make([]*nn.Tensor[float32], len(layers))
	for i, l := range layers {
		shuffled[i] = nn.Shuffled(l, rand.New(rand.NewPCG(s.Seed, 99)))
	}
	return shuffled
}

// Maps returns layers as comparisons take them.
func Maps(names []string, layers []*nn.Tensor[float32]) []conv.Maps {
	all := make([]conv.Maps, len(layers))
	for i, l := range layers {
		all[i] = l.Maps(names[i])
	}
	return all
}
