package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/gosvcca/gosvcca/native"
)

// recorder writes a network at steps of its training.
type recorder struct {
	*settings
	dir string
	run *training.Run[float32]
	x   *nn.Tensor[float32] // the images that activations are of
}

// train is the command.
func train(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, out, dir, err := parse(args, stdout)
	if err != nil {
		return err
	}
	images, test, err := data.Open(s.Images, dir)
	if err != nil {
		return err
	}
	net := s.net(images)
	if len(s.Layers) == 0 {
		s.Layers = net.Blocks()
	}
	for _, name := range s.Layers {
		if !slices.Contains(net.Names(), name) {
			return program.Misusef("--layers %s: %s has %s", name, s.Net, strings.Join(net.Names(), ", "))
		}
	}
	if err := s.keep(out); err != nil {
		return err
	}
	sgd := &nn.SGD[float32]{Momentum: 0.9, Decay: s.Decay}
	r := &recorder{settings: s, dir: out, run: &training.Run[float32]{
		Net: net, Optimiser: sgd, Images: images, Seed: s.Seed, Batch: s.Batch, Steps: s.Steps, Shift: s.Shift,
	}}
	r.x, _ = data.All[float32](test, s.Record)
	for _, name := range []string{"activations", "weights"} {
		if err := os.MkdirAll(filepath.Join(out, name), 0o777); err != nil {
			return err
		}
	}
	if err := r.goOn(); err != nil {
		return err
	}
	if r.run.Done > 0 {
		fmt.Fprintf(stderr, "train: goes on from step %d\n", r.run.Done)
	}
	bar := program.NewProgress(stderr, r.run.Done, s.Steps)
	r.run.Each = func(loss float64) error {
		what := "train"
		if !math.IsNaN(loss) {
			what = fmt.Sprintf("train: loss %.3f", loss)
		}
		bar.Show(r.run.Done, s.Steps, what)
		sgd.Rate = training.Cosine(s.Rate, r.run.Done, s.Steps)
		if slices.Contains(s.At, r.run.Done) {
			return r.write()
		}
		return nil
	}
	err = r.run.Train(ctx)
	bar.Clear()
	if err != nil && ctx.Err() != nil {
		if e := r.weights(); e != nil {
			return e
		}
		return fmt.Errorf("after step %d of %d, the same command goes on from there: %w", r.run.Done, s.Steps, ctx.Err())
	}
	if err != nil {
		return err
	}
	return r.finish(test, stdout)
}

// stepName is what checkpoints are called: by their names they lie in order.
const stepName = "step%05d"

func (r *recorder) at(what string, step int) string {
	return filepath.Join(r.dir, what, fmt.Sprintf(stepName, step))
}

// goOn loads the last weights there are.
func (r *recorder) goOn() error {
	entries, err := os.ReadDir(filepath.Join(r.dir, "weights"))
	if err != nil {
		return err
	}
	last := -1
	for _, e := range entries {
		var step int
		if n, _ := fmt.Sscanf(e.Name(), stepName, &step); n == 1 && fmt.Sprintf(stepName, step) == e.Name() && step <= r.Steps {
			last = max(last, step)
		}
	}
	if last < 0 {
		return nil
	}
	r.run.Done = last
	return r.run.Net.Load(r.at("weights", last))
}

// write writes activations and weights, unless they are there.
func (r *recorder) write() error {
	dir := r.at("activations", r.run.Done)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		all, err := r.run.Net.Activations(r.x, r.Layers...)
		if err != nil {
			return err
		}
		if err := nn.SaveAll(dir, r.Layers, all); err != nil {
			return err
		}
	}
	return r.weights()
}

// weights writes those, unless they are there.
func (r *recorder) weights() error {
	dir := r.at("weights", r.run.Done)
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return r.run.Net.Save(dir)
}

// result is what a run came to.
type result struct {
	Train   float64     `json:"train_accuracy"` // on as many images as there are to test with
	Test    float64     `json:"test_accuracy"`
	Backend native.Info `json:"backend"`
}

// finish writes what the run came to, and says it.
func (r *recorder) finish(test *data.Set, stdout io.Writer) error {
	n := len(test.Labels)
	end := result{
		Train: training.Accuracy(r.run.Net, r.run.Images, n), Test: training.Accuracy(r.run.Net, test, n),
		Backend: native.Describe(),
	}
	text, err := json.MarshalIndent(end, "", "  ")
	if err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(r.dir, "result.json"), append(text, '\n')); err != nil {
		return err
	}
	way := " --conv dft"
	if r.Net == "mlp" {
		way = ""
	}
	_, err = fmt.Fprintf(stdout, `%s after %d steps: right on %.1f%% of %d images it learnt, %.1f%% of %d others
%s: activations and weights at steps %s
next: svcca dynamics %s%s --layers %s
`, r.Net, r.Steps, 100*end.Train, min(n, len(r.run.Images.Labels)), 100*end.Test, n,
		r.dir, strings.Trim(strings.ReplaceAll(fmt.Sprint(r.At), " ", ", "), "[]"),
		filepath.Join(r.dir, "activations"), way, strings.Join(r.Layers, ","))
	return err
}
