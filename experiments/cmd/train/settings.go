package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
)

// settings are all that a run depends on, but for where its files are.
type settings struct {
	Net    string  `json:"net"`
	Width  int     `json:"width"` // channels of the first convolution
	Images string  `json:"images"`
	Steps  int     `json:"steps"`
	Batch  int     `json:"batch"`
	Rate   float64 `json:"rate"`
	Decay  float64 `json:"decay"`
	Shift  int     `json:"shift"`
	Seed   uint64  `json:"seed"`
	// At are the steps at which activations of Layers, on Record images, are written.
	At     []int    `json:"at"`
	Layers []string `json:"layers"` // none: all
	Record int      `json:"record"`
}

const intro = `Examples:
  train -o run1
  train -o run2 --net resnet --data cifar-10-batches-bin --steps 3000

Trains a network on handwritten digits, or on CIFAR-10, and writes into the
directory of -o its activations on images of the test set, and its weights, at
steps of its training. Stopped, the same command goes on from the last weights.
`

// parse returns what the arguments say, and the directories of the run and of CIFAR-10.
func parse(args []string, stdout io.Writer) (s *settings, out, dir string, err error) {
	s = &settings{Decay: 5e-4}
	flags, read := program.Flags("train", intro, stdout)
	flags.StringVarP(&out, "out", "o", "", "write to `DIR`, new or of a run to go on with")
	flags.StringVar(&s.Net, "net", "convnet", "convnet, resnet or mlp")
	flags.StringVar(&dir, "data", "", "CIFAR-10, binary version, in `DIR` (default: digits)")
	flags.IntVar(&s.Width, "width", 0, "first layer has `N` channels (default: 8; CIFAR-10: 32)")
	flags.IntVar(&s.Steps, "steps", 500, "steps of training")
	flags.IntVar(&s.Batch, "batch", 64, "images of a step")
	flags.Float64Var(&s.Rate, "rate", 0.05, "rate of SGD at first; it falls to 0")
	flags.IntVar(&s.Shift, "shift", -1, "move images by up to `N` pixels (default: 0; CIFAR-10: 4)")
	flags.Lookup("shift").DefValue = "0" // which help leaves out
	flags.Uint64Var(&s.Seed, "seed", 1, "what is random")
	flags.IntSliceVar(&s.At, "at", nil, "write at `STEPS` (default: 0, 10, 20, 40, …, the last)")
	flags.StringSliceVar(&s.Layers, "layers", nil, "write activations of `LAYERS` (default: all)")
	flags.IntVar(&s.Record, "record", 0, "of `N` test images (default: 500; CIFAR-10: 100)")
	if err := read(args); err != nil {
		return nil, "", "", err
	}
	s.Images = "digits"
	if dir != "" {
		s.Images = "cifar10"
	}
	s.defaults()
	return s, out, dir, s.check(out)
}

// defaults sets what depends on the images and the steps.
func (s *settings) defaults() {
	width, shift, record := 8, 0, 500
	if s.Images == "cifar10" {
		width, shift, record = 32, 4, 100
	}
	if s.Record == 0 {
		s.Record = record
	}
	if s.Width == 0 {
		s.Width = width
	}
	if s.Shift < 0 {
		s.Shift = shift
	}
	if s.At == nil {
		s.At = []int{0}
		for step := 10; step < s.Steps; step = step * 2 {
			s.At = append(s.At, step)
		}
		s.At = append(s.At, s.Steps)
	}
	slices.Sort(s.At)
	s.At = slices.Compact(s.At)
}

func (s *settings) check(out string) error {
	for _, f := range []struct {
		name  string
		value int
	}{{"width", s.Width}, {"steps", s.Steps}, {"batch", s.Batch}, {"record", s.Record}} {
		if f.value < 1 {
			return program.Misusef("--%s %d: 1 or more is expected", f.name, f.value)
		}
	}
	switch {
	case out == "":
		return program.Misusef("-o DIR is needed: where the run is written")
	case !(s.Rate > 0 && s.Rate < 1e3):
		return program.Misusef("--rate %v: a number above 0 is expected, such as 0.05", s.Rate)
	case len(s.At) == 0 || s.At[0] < 0 || s.At[len(s.At)-1] > s.Steps:
		return program.Misusef("--at: steps from 0 to %d (--steps) are expected", s.Steps)
	case !slices.Contains(netNames, s.Net):
		return program.Misusef("--net %s: there are %s", s.Net, strings.Join(netNames, ", "))
	}
	return nil
}

var netNames = []string{"convnet", "resnet", "mlp"}

// net returns the network as it is before training.
func (s *settings) net(images *data.Set) *nn.Network[float32] {
	rng := rand.New(rand.NewPCG(s.Seed, 0))
	classes := len(images.Classes)
	switch s.Net {
	case "resnet":
		return nets.ResNet[float32](rng, images.Shape(), s.Width, 2, classes)
	case "mlp":
		return nets.MLP[float32](rng, images.Shape(), "logits", 16*s.Width, 16*s.Width, 8*s.Width, classes)
	}
	return nets.Convnet[float32](rng, images.Shape(), s.Width, classes)
}

// settingsFile is what a run's directory holds of its settings.
const settingsFile = "settings.json"

// keep writes s to a run's directory, which it makes; of a run that goes on it makes sure
// that settings are the same.
func (s *settings) keep(dir string) error {
	mine, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, settingsFile)
	before, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s holds other files: a new directory is expected, or that of a run", dir)
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		return writeWhole(path, append(mine, '\n'))
	}
	if err != nil {
		return err
	}
	var then settings
	if err := json.Unmarshal(before, &then); err != nil {
		return fmt.Errorf("%s: %w: it does not say how the run was begun, so that it cannot go on", path, err)
	}
	if text, err := json.MarshalIndent(then, "", "  "); err != nil || string(text) != string(mine) {
		return fmt.Errorf("%s is of a run with other settings, in %s: give another -o, or the same flags", dir, path)
	}
	return nil
}

// writeWhole writes a file that is whole or not there.
func writeWhole(path string, content []byte) error {
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".part")
	if err := os.WriteFile(part, content, 0o666); err != nil {
		return err
	}
	return os.Rename(part, path)
}
