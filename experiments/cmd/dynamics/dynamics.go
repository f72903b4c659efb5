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
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

const intro = `Examples:
  dynamics -o dynamics
  dynamics -o dynamics --data cifar-10-batches-bin --nets weights

Trains a convolutional and a residual network on handwritten digits, or on
CIFAR-10, and compares their layers at steps of training with those at the end,
feature maps under all translations: Fig. 4 of the paper. Writes panes and
curves, and says whether what the paper sees in them is there.
`

var quick = study.Quick{Width: 8, Steps: 200, Record: 200}

// recorded is how many evenly spaced steps are compared, beside those at the start.
const recorded = 10

// numbers are what result.json holds.
type numbers struct {
	Settings study.Settings `json:"settings"`
	Claims   claims.List    `json:"claims"`
	Networks []*network     `json:"networks"`
	Backend  native.Info    `json:"backend"`
}

// network is what was measured of one.
type network struct {
	Network   string        `json:"network"`
	Accuracy  float64       `json:"accuracy"` // on the test set
	Layers    []string      `json:"layers"`
	Steps     []int         `json:"steps"`
	Curves    [][]*float64  `json:"curves"` // layers × steps: each with itself at the end
	Panes     [][][]float64 `json:"panes"`  // steps × layers × layers at the end
	Overtakes *float64      `json:"top_overtakes"`
	Stripes   float64       `json:"stripes"`
	Norms     []norm        `json:"norms"` // batch normalisation
	BottomUp  *float64      `json:"bottom_up"`
	Deviation *float64      `json:"bottom_up_deviation"` // by chance
	Converged []converged   `json:"converged"`
}

type converged = dynamics.Convergence

// norm is batch normalisation against the layer before it, at the end.
type norm struct {
	Layer      string  `json:"layer"`
	Before     string  `json:"before"`
	Similarity float64 `json:"similarity"`
}

// work is the command.
func work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := study.Parse("dynamics", intro, quick, args, stdout, nil)
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
	n := &numbers{Settings: s.Settings, Backend: native.Describe()}
	var figures []results.Figure
	for _, kind := range []string{study.Convnet, study.ResNet} {
		of, err := follow(ctx, s, kind, stderr)
		if err != nil {
			return err
		}
		n.Networks = append(n.Networks, of)
		figures = append(figures, of.panes(), of.curves())
	}
	n.Claims = claimed(n.Networks[0], n.Networks[1])
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
	fmt.Fprintf(&text, "%s: panes, curves and result.json\n", s.Out)
	_, err = io.WriteString(stdout, text.String())
	return err
}

// follow trains a network and compares it with its end.
func follow(ctx context.Context, s *study.Study, kind string, stderr io.Writer) (*network, error) {
	at := study.Every(s.Steps, recorded)
	bar := program.NewProgress(stderr, 0, s.Steps+len(at))
	defer bar.Clear()
	trained, err := s.Train(ctx, kind, s.Seed, at, func(step int) { bar.Show(step, s.Steps+len(at), "train "+kind) })
	if err != nil {
		return nil, err
	}
	end, err := trained.Activations(s.Steps, trained.Names...)
	if err != nil {
		return nil, err
	}
	r, err := dynamics.New(ctx, study.Maps(trained.Names, s.Shuffle(end)), dynamics.Options{})
	if err != nil {
		return nil, err
	}
	for i, step := range at {
		bar.Show(s.Steps+i, s.Steps+len(at), "compare "+kind)
		layers, err := trained.Activations(step, trained.Names...)
		if err != nil {
			return nil, err
		}
		if err := r.Add(ctx, step, study.Maps(trained.Names, layers)); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return measured(kind, trained.Accuracy, r.Dynamics())
}

// measured reads off dynamics what the paper sees in its figure.
func measured(kind string, accuracy float64, d *dynamics.Dynamics) (n *network, err error) {
	n = &network{Network: kind, Accuracy: accuracy, Layers: d.Layers, Steps: d.Steps}
	if n.Curves, err = d.Curves(measure.Mean); err != nil {
		return nil, err
	}
	for t := range d.Steps {
		pane, err := d.Pane(t, measure.Mean)
		if err != nil {
			return nil, err
		}
		n.Panes = append(n.Panes, pane)
	}
	if n.Converged, err = d.Converge(measure.Mean, dynamics.DefaultThreshold); err != nil {
		return nil, err
	}
	top := len(n.Layers) - 1
	n.Overtakes = dynamics.Overtakes(n.Converged, top)
	n.BottomUp, n.Deviation = dynamics.BottomUp(n.Converged[:top]), dynamics.BottomUpDeviation(n.Converged[:top])
	last := n.Panes[len(n.Panes)-1]
	for l, name := range n.Layers {
		if strings.HasPrefix(name, "bn") {
			n.Norms = append(n.Norms, norm{name, n.Layers[l-1], last[l-1][l]})
		}
	}
	from, to := 0, len(n.Layers) // layers that stripes may be in
	if kind == study.ResNet {
		to = len(n.Layers) - 2 // mean and logits are no residual blocks
	}
	var within [][]float64
	for _, row := range last[from:to] {
		within = append(within, row[from:to])
	}
	n.Stripes, err = measure.Stripes(within)
	return n, err
}
