package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/gosvcca/gosvcca/svcca/freeze"
)

var (
	kinds   = []string{study.Convnet, study.ResNet}
	methods = []string{baseline, linear, similarity}
)

// The ways of training.
const (
	baseline   = "baseline"
	linear     = "linear"     // block i of L is frozen after step i/L of training
	similarity = "similarity" // a block is frozen once it hardly changes
)

// outcome is what one run came to.
type outcome struct {
	Accuracy []float64        `json:"accuracy"` // on the test set, at network.Steps
	Schedule *freeze.Schedule `json:"schedule"` // when blocks were frozen
	Updates  int              `json:"updates"`  // of blocks, over all steps
	// MultiplyAdds and Seconds are those of training alone.
	MultiplyAdds float64 `json:"multiply_adds"`
	Seconds      float64 `json:"seconds"`
}

// evaluated returns the steps at which accuracy is measured.
func evaluated(steps int) (at []int) {
	const times = 6
	for i := range times + 1 {
		at = append(at, i*steps/times)
	}
	return at
}

// records is how often in training it is asked whether a block still changes.
const records = 12

// train takes one run.
func train(ctx context.Context, s *study.Study, kind, method string, threshold float64, seed uint64, show func(step int)) (*outcome, error) {
	net := s.New(kind, seed)
	f := &freezer{study: s, net: net, blocks: net.Blocks(), every: max(1, s.Steps/records)}
	var err error
	switch method {
	case linear:
		var blocks [][]string
		for _, name := range f.blocks {
			blocks = append(blocks, []string{name})
		}
		f.schedule, err = freeze.Linear(s.Steps, blocks...)
	case similarity:
		f.watch, err = freeze.NewWatch(freeze.Options{Ago: f.every, Threshold: threshold})
	}
	if err != nil {
		return nil, err
	}
	sgd := &nn.SGD[float32]{Momentum: 0.9, Decay: s.Decay}
	run := &training.Run[float32]{
		Net: net, Optimiser: sgd, Images: s.Images, Seed: seed, Batch: s.Batch, Steps: s.Steps, Shift: s.Shift,
	}
	o, at := &outcome{}, evaluated(s.Steps)
	run.Each = func(float64) error {
		show(run.Done)
		sgd.Rate = training.Cosine(s.Rate, run.Done, s.Steps)
		if slices.Contains(at, run.Done) {
			o.Accuracy = append(o.Accuracy, training.Accuracy(net, s.Tests, len(s.Tests.Labels)))
		}
		return f.after(ctx, run.Done)
	}
	if err := run.Train(ctx); err != nil {
		return nil, fmt.Errorf("%s, %s, seed %d: %w", kind, method, seed, err)
	}
	work := net.Work()
	o.MultiplyAdds = work.MultiplyAdds.Forward + work.MultiplyAdds.Backward + work.MultiplyAdds.Update
	o.Seconds = (work.Forward + work.Backward + work.Update).Seconds()
	if o.Schedule, err = f.decided(); err != nil {
		return nil, err
	}
	o.Updates = updates(o.Schedule, net)
	return o, nil
}

// freezer freezes the blocks of a network, the lowest first.
type freezer struct {
	study    *study.Study
	net      *nn.Network[float32]
	blocks   []string
	schedule *freeze.Schedule // of linear
	watch    *freeze.Watch    // of similarity
	every    int              // steps between two looks at the network
	looks    int
	frozen   int // blocks
}

// after freezes what learns no more after a step.
func (f *freezer) after(ctx context.Context, step int) error {
	frozen := f.frozen
	switch {
	case f.schedule != nil:
		frozen = f.schedule.Frozen(step + 1)
	case f.watch != nil && step%f.every == 0 && frozen < len(f.blocks):
		layers, err := f.net.Activations(f.study.Recorded, f.blocks...)
		if err != nil {
			return err
		}
		if f.looks++; f.looks%2 == 0 { // compared with one that is not
			layers = f.study.Shuffle(layers)
		}
		if frozen, err = f.watch.Add(ctx, step, study.Maps(f.blocks, layers)); err != nil {
			return err
		}
	}
	if frozen == f.frozen {
		return nil
	}
	f.frozen = frozen
	return f.net.Freeze(f.blocks[:frozen]...)
}

// decided returns when blocks were frozen.
func (f *freezer) decided() (*freeze.Schedule, error) {
	switch {
	case f.schedule != nil:
		return f.schedule, nil
	case f.watch != nil:
		return f.watch.Schedule(f.study.Steps)
	}
	s := &freeze.Schedule{Steps: f.study.Steps}
	for _, name := range f.blocks {
		s.Layers = append(s.Layers, freeze.Layer{Name: name})
	}
	return s, s.Check()
}

// updates returns how many updates of blocks with weights there are, over all steps.
func updates(s *freeze.Schedule, net *nn.Network[float32]) (count int) {
	for i, c := range net.Costs(1) {
		switch after := s.Layers[i].FrozenAfter; {
		case c.Update == 0:
		case after != nil:
			count += *after
		default:
			count += s.Steps
		}
	}
	return count
}
