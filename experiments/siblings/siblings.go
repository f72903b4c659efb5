// Package siblings trains networks that differ in how they began alone: what most experiments
// of the paper compare.
package siblings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/spf13/pflag"
)

// Settings are all that convolutional networks, some of one kind, depend on.
type Settings struct {
	Images string `json:"images"`
	// Networks is how many there are: A, B, …
	Networks int     `json:"networks"`
	Width    int     `json:"width"` // channels of the first convolution
	Steps    int     `json:"steps"`
	Batch    int     `json:"batch"`
	Rate     float64 `json:"rate"`
	Decay    float64 `json:"decay"`
	Shift    int     `json:"shift"`
	Seed     uint64  `json:"seed"`

	data string // directory of CIFAR-10
	keep string // directory of networks, or none
}

// Register adds the flags of s, of so many networks where the flag says nothing.
func (s *Settings) Register(flags *pflag.FlagSet, networks int) {
	flags.StringVar(&s.data, "data", "", "CIFAR-10, binary version, in `DIR` (default: digits)")
	flags.StringVar(&s.keep, "nets", "", "keep trained networks in `DIR`, and go on from there (default: no)")
	flags.IntVar(&s.Networks, "networks", networks, "train `N` networks, each compared with the next")
	flags.IntVar(&s.Width, "width", 0, "first layer has `N` channels (default: 16; CIFAR-10: 32)")
	flags.IntVar(&s.Steps, "steps", 0, "steps of training (default: 300; CIFAR-10: 3000)")
	flags.IntVar(&s.Batch, "batch", 64, "images of a step")
	flags.Float64Var(&s.Rate, "rate", 0.02, "rate of SGD at first; it falls to 0")
	flags.Uint64Var(&s.Seed, "seed", 1, "what is random")
	flags.Lookup("width").DefValue, flags.Lookup("steps").DefValue = "0", "0"
}

// most is for how many networks there are letters.
const most = 26

// Check sets what depends on the images, and returns an error where a flag makes no sense.
func (s *Settings) Check() error {
	width, steps := 16, 300
	s.Images, s.Decay = "digits", 5e-4
	if s.data != "" {
		width, steps = 32, 3000
		s.Images, s.Shift = "cifar10", 4
	}
	if s.Width == 0 {
		s.Width = width
	}
	if s.Steps == 0 {
		s.Steps = steps
	}
	for _, f := range []struct {
		name  string
		value int
	}{{"width", s.Width}, {"steps", s.Steps}, {"batch", s.Batch}} {
		if f.value < 1 {
			return program.Misusef("--%s %d: 1 or more is expected", f.name, f.value)
		}
	}
	if s.Networks < 2 || s.Networks > most {
		return program.Misusef("--networks %d: 2 to %d are expected", s.Networks, most)
	}
	if !(s.Rate > 0 && s.Rate < 1e3) {
		return program.Misusef("--rate %v: a number above 0 is expected, such as 0.02", s.Rate)
	}
	return nil
}

// Open returns the images to train on and to test with.
func (s *Settings) Open() (train, test *data.Set, err error) { return data.Open(s.Images, s.data) }

// Train returns networks A, B, …, trained on images or read from the directory of --nets,
// where also an interrupted training goes on.
func (s *Settings) Train(ctx context.Context, images *data.Set, stderr io.Writer) ([]*nn.Network[float32], error) {
	bar := program.NewProgress(stderr, 0, s.Networks*s.Steps)
	defer bar.Clear()
	if s.keep != "" {
		if err := s.note(); err != nil {
			return nil, err
		}
	}
	all := make([]*nn.Network[float32], s.Networks)
	for i := range all {
		name, seed := string(rune('A'+i)), most*s.Seed+uint64(i)
		all[i] = nets.Convnet[float32](rand.New(rand.NewPCG(seed, 0)), images.Shape(), s.Width, len(images.Classes))
		sgd := &nn.SGD[float32]{Momentum: 0.9, Decay: s.Decay}
		r := &training.Run[float32]{
			Net: all[i], Optimiser: sgd, Images: images, Seed: seed, Batch: s.Batch, Steps: s.Steps, Shift: s.Shift,
		}
		if err := s.load(name, r); err != nil {
			return nil, err
		}
		r.Each = func(loss float64) error {
			what := "train " + name
			if !math.IsNaN(loss) {
				what += fmt.Sprintf(": loss %.3f", loss)
			}
			bar.Show(i*s.Steps+r.Done, s.Networks*s.Steps, what)
			sgd.Rate = training.Cosine(s.Rate, r.Done, s.Steps)
			return nil
		}
		begun := r.Done
		err := r.Train(ctx)
		if s.keep != "" && r.Done > begun && (err == nil || ctx.Err() != nil) {
			if e := r.Net.Save(s.at(name, r.Done)); e != nil {
				return nil, e
			}
			if ctx.Err() != nil {
				err = fmt.Errorf("network %s after step %d of %d, the same command goes on from there: %w", name, r.Done, s.Steps, ctx.Err())
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// note writes the settings into the directory of networks, or makes sure they are the same.
func (s *Settings) note() error {
	mine, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(s.keep, "settings.json")
	before, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if entries, err := os.ReadDir(s.keep); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s holds other files: a new directory is expected, or one of networks kept", s.keep)
		}
		if err := os.MkdirAll(s.keep, 0o777); err != nil {
			return err
		}
		return os.WriteFile(path, append(mine, '\n'), 0o666)
	case err != nil:
		return err
	case string(before) != string(mine)+"\n":
		return fmt.Errorf("%s is of networks with other settings: give another --nets, or the same flags", path)
	}
	return nil
}

// at is where a network is kept after a step.
func (s *Settings) at(name string, step int) string {
	return filepath.Join(s.keep, fmt.Sprintf("%s%06d", name, step))
}

// load reads the last weights that are kept of a network, if any.
func (s *Settings) load(name string, r *training.Run[float32]) error {
	if s.keep == "" {
		return nil
	}
	for step := s.Steps; step > 0; step-- {
		if _, err := os.Stat(s.at(name, step)); err == nil {
			r.Done = step
			return r.Net.Load(s.at(name, step))
		}
	}
	return nil
}
