package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/training"
)

// Convnet and ResNet are the architectures of a study.
const (
	Convnet = "convnet"
	ResNet  = "resnet"
)

// residualBlocks of each of the three stages of a ResNet.
const residualBlocks = 2

// New returns a network as it is before training.
func (s *Study) New(kind string, seed uint64) *nn.Network[float32] {
	rng := rand.New(rand.NewPCG(seed, 0))
	classes := len(s.Images.Classes)
	if kind == ResNet {
		return nets.ResNet[float32](rng, s.Images.Shape(), s.Width, residualBlocks, classes)
	}
	return nets.Convnet[float32](rng, s.Images.Shape(), s.Width, classes)
}

// Layers returns the names of a network's layers in order of depth: of a residual block the
// convolution within it, then the block itself, which is what it adds to.
func Layers(net *nn.Network[float32]) (layers []string) {
	all := net.Names()
	for _, block := range net.Blocks() {
		if inner := block + ".conv1"; slices.Contains(all, inner) {
			layers = append(layers, inner)
		}
		layers = append(layers, block)
	}
	return layers
}

// Network is one that was trained, with its weights at some steps.
type Network struct {
	Kind     string
	Seed     uint64
	Names    []string // of Layers
	At       []int    // the steps
	Accuracy float64  // in the end, on the test set
	study    *Study
	net      *nn.Network[float32]
	dir      string
}

// Train trains a network. Its weights at steps at are kept in a directory of its own, from
// the last of which an earlier run that was stopped goes on; show is called before each step.
func (s *Study) Train(ctx context.Context, kind string, seed uint64, at []int, show func(step int)) (*Network, error) {
	n := &Network{Kind: kind, Seed: seed, At: at, study: s, net: s.New(kind, seed)}
	n.Names = Layers(n.net)
	n.dir = filepath.Join(s.Weights, fmt.Sprintf("%s-%d", kind, seed))
	if err := keep(n.dir, s.Training); err != nil {
		return nil, err
	}
	sgd := &nn.SGD[float32]{Momentum: 0.9, Decay: s.Decay}
	run := &training.Run[float32]{
		Net: n.net, Optimiser: sgd, Images: s.Images, Seed: seed, Batch: s.Batch, Steps: s.Steps, Shift: s.Shift,
	}
	var err error
	if run.Done, err = n.last(); err != nil {
		return nil, err
	}
	if run.Done > 0 {
		if err := n.net.Load(n.at(run.Done)); err != nil {
			return nil, err
		}
	}
	run.Each = func(float64) error {
		show(run.Done)
		sgd.Rate = training.Cosine(s.Rate, run.Done, s.Steps)
		if slices.Contains(at, run.Done) {
			return n.save(run.Done)
		}
		return nil
	}
	if err := run.Train(ctx); err != nil {
		if ctx.Err() != nil && !s.temporary {
			if e := n.save(run.Done); e != nil {
				return nil, e
			}
			return nil, fmt.Errorf("%s after step %d of %d, the same command goes on from there: %w", kind, run.Done, s.Steps, ctx.Err())
		}
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	n.Accuracy = training.Accuracy(n.net, s.Tests, len(s.Tests.Labels))
	return n, nil
}

// Activations returns the activations of layers at a step, one of n.At, on the recorded images.
func (n *Network) Activations(step int, names ...string) ([]*nn.Tensor[float32], error) {
	if err := n.net.Load(n.at(step)); err != nil {
		return nil, err
	}
	return n.net.Activations(n.study.Recorded, names...)
}

// stepName is what checkpoints are called.
const stepName = "step%06d"

func (n *Network) at(step int) string { return filepath.Join(n.dir, fmt.Sprintf(stepName, step)) }

// save writes the weights, unless they are there.
func (n *Network) save(step int) error {
	if _, err := os.Stat(n.at(step)); err == nil {
		return nil
	}
	return n.net.Save(n.at(step))
}

// last returns the last step whose weights are there, or 0.
func (n *Network) last() (last int, err error) {
	entries, err := os.ReadDir(n.dir)
	for _, e := range entries {
		var step int
		if _, err := fmt.Sscanf(e.Name(), stepName, &step); err == nil && fmt.Sprintf(stepName, step) == e.Name() && step <= n.study.Steps {
			last = max(last, step)
		}
	}
	return last, err
}

// keep makes a directory of something trained, or makes sure that what is there was trained
// in the same way.
func keep(dir string, settings any) error {
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "settings.json")
	before, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		return writeWhole(path, text)
	case err != nil:
		return err
	case strings.TrimSpace(string(before)) != string(text):
		return fmt.Errorf("%s is of networks that were trained in another way: give another --nets, or the same flags", path)
	}
	return nil
}

// writeWhole writes a file that is whole or not there.
func writeWhole(path string, text []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, append(text, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// Once returns what work returns, or what it did for a study with these settings, of the
// same name, that was stopped later on.
func Once[T any](s *Study, name string, work func() (T, error)) (of T, err error) {
	dir := filepath.Join(s.Weights, name)
	if err := keep(dir, s.Settings); err != nil {
		return of, err
	}
	path := filepath.Join(dir, "outcome.json")
	text, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(text, &of); err != nil {
			return of, fmt.Errorf("%s: %w", path, err)
		}
		return of, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return of, err
	}
	if of, err = work(); err != nil {
		return of, err
	}
	if text, err = json.MarshalIndent(of, "", "  "); err != nil {
		return of, err
	}
	return of, writeWhole(path, text)
}

// Temporary gives a study that keeps no weights a directory for them until the end of the
// command, which calls remove.
func (s *Study) Temporary() (remove func(), err error) {
	if s.Weights != "" {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "study-")
	if err != nil {
		return nil, err
	}
	s.Weights, s.temporary = dir, true
	return func() { os.RemoveAll(dir) }, nil
}

// Ranks says for people a rank correlation that may be undefined.
func Ranks(tau *float64) string {
	if tau == nil || math.IsNaN(*tau) {
		return "undefined"
	}
	return fmt.Sprintf("%.2f", *tau)
}
