package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"gonum.org/v1/gonum/stat"
)

const intro = `Examples:
  classes -o classes
  classes -o classes --data cifar-10-batches-bin --nets weights

Trains a convolutional and a residual network on handwritten digits, or on
CIFAR-10, and compares each of their layers with each single logit, feature maps
under all translations: Fig. 6 of the paper.
`

var quick = study.Quick{Width: 8, Steps: 200, Record: 500}

// numbers are what result.json holds.
type numbers struct {
	Settings study.Settings `json:"settings"`
	Classes  []string       `json:"classes"`
	Claims   claims.List    `json:"claims"`
	Networks []*network     `json:"networks"`
	Backend  native.Info    `json:"backend"`
}

// network is what was measured of one.
type network struct {
	Network  string    `json:"network"`
	Accuracy float64   `json:"accuracy"` // on the test set
	Layers   []string  `json:"layers"`
	Depth    []float64 `json:"depth"` // of each layer, 0 to 1
	// Similarity is ρ of each class's logit with each layer, classes × layers; Chance what
	// layers that share nothing with it come to, in root mean square.
	Similarity [][]float64 `json:"similarity"`
	Chance     []float64   `json:"chance"`
}

// work is the command.
func work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := study.Parse("classes", intro, quick, args, stdout, nil)
	if err != nil {
		return err
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
	defer native.LimitThreads(1)() // goroutines share the work
	n := &numbers{Settings: s.Settings, Classes: s.Images.Classes, Backend: native.Describe()}
	for _, kind := range []string{study.Convnet, study.ResNet} {
		of, err := against(ctx, s, kind, stderr)
		if err != nil {
			return err
		}
		n.Networks = append(n.Networks, of)
	}
	n.Claims = claimed(n.Networks)
	figures := []results.Figure{n.curves(n.Networks[0]), n.curves(n.Networks[1])}
	if err := out.Write(n, figures...); err != nil {
		return err
	}
	var text strings.Builder
	for _, of := range n.Networks {
		fmt.Fprintf(&text, "%s after %d steps: right on %.1f%% of %d test images\n", of.Network, s.Steps, 100*of.Accuracy, len(s.Tests.Labels))
	}
	if err := n.Claims.Write(&text); err != nil {
		return err
	}
	fmt.Fprintf(&text, "%s: curves and result.json\n", s.Out)
	_, err = io.WriteString(stdout, text.String())
	return err
}

// against trains a network and compares its layers with its logits.
func against(ctx context.Context, s *study.Study, kind string, stderr io.Writer) (*network, error) {
	bar := program.NewProgress(stderr, 0, s.Steps)
	defer bar.Clear()
	trained, err := s.Train(ctx, kind, s.Seed, []int{s.Steps}, func(step int) { bar.Show(step, s.Steps, "train "+kind) })
	if err != nil {
		return nil, err
	}
	layers, err := trained.Activations(s.Steps, trained.Names...)
	if err != nil {
		return nil, err
	}
	logits := s.Shuffle(layers[len(layers)-1:])[0].Layer("logits")
	curves, err := measure.AgainstLogits(ctx, study.Maps(trained.Names, layers), logits, conv.Options{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	n := &network{Network: kind, Accuracy: trained.Accuracy, Layers: trained.Names}
	for l := range layers {
		n.Depth = append(n.Depth, measure.Depth(l, len(layers)))
		n.Chance = append(n.Chance, 0)
	}
	for _, c := range curves {
		if c.Constant {
			return nil, fmt.Errorf("%s: the logit of class %q is constant: train for more --steps", kind, s.Images.Classes[c.Class])
		}
		var similarity []float64
		for l, p := range c.Points {
			similarity = append(similarity, *p.Mean)
			n.Chance[l] = math.Sqrt(min(1, p.Chance))
		}
		n.Similarity = append(n.Similarity, similarity)
	}
	return n, nil
}

const (
	// rises is the least rank correlation of depth and similarity, in the mean of classes.
	rises = 0.5
	// whole is the least similarity of the logits themselves, of which 99% are kept.
	whole = 0.95
)

// claimed puts what was measured beside the paper.
func claimed(networks []*network) (all claims.List) {
	for _, n := range networks {
		mean, top := 0.0, 1.0
		for _, curve := range n.Similarity {
			if tau := measure.Kendall(n.Depth, curve); tau != nil {
				mean += *tau / float64(len(n.Similarity))
			}
			top = min(top, curve[len(curve)-1])
		}
		all = append(all, claims.Claim{
			Name:     n.Network + " rises",
			Paper:    "layers have more and more in common with the logit of a class, up to 1 at the logits",
			Measured: fmt.Sprintf("Kendall's τ of depth and similarity is %.2f in the mean of classes, %v is asked for; at the logits similarity is %.3f or more", mean, rises, top),
			Holds:    mean >= rises && top >= whole,
		})
	}
	convnet, resnet := networks[0].known(), networks[1].known()
	tau, deviation := measure.Kendall(convnet, resnet), measure.KendallDeviation(convnet, resnet)
	spread := 0.0
	for _, n := range networks {
		spread = max(spread, stat.StdDev(n.known(), nil))
	}
	return append(all, claims.Claim{
		Name:  "classes differ",
		Paper: "layers are sensitive to some classes, as fire trucks, before others, as breeds of dogs",
		Measured: fmt.Sprintf("Kendall's τ of the order of classes, by their similarity below the logits, in one network and in the other is %s (by chance 0 ± %s); classes are spread by %.3f",
			study.Ranks(tau), study.Ranks(deviation), spread),
		Holds: tau != nil && *tau > 2**deviation,
	})
}

// known returns the similarity of each class, in the mean of layers below the logits.
func (n *network) known() (all []float64) {
	for _, curve := range n.Similarity {
		all = append(all, stat.Mean(curve[:len(curve)-1], nil))
	}
	return all
}

// curves are classes over depth.
func (n *numbers) curves(of *network) results.Figure {
	f := figure.Curves{Title: of.Network + ": layers with single logits", XLabel: "relative depth", YLabel: "SVCCA similarity", To: 1}
	for c, name := range n.Classes {
		f.Series = append(f.Series, figure.Series{Name: name, X: of.Depth, Y: of.Similarity[c]})
	}
	f.Series = append(f.Series, figure.Series{Name: "by chance", X: of.Depth, Y: of.Chance, Faint: true})
	return results.Figure{Name: of.Network + "-classes", Of: f, Page: figure.Page{Width: 540}}
}
