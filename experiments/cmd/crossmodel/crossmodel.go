package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/results"
	"github.com/gosvcca/gosvcca/experiments/study"
	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"gonum.org/v1/gonum/stat"
)

const intro = `Examples:
  crossmodel -o crossmodel
  crossmodel -o crossmodel --data cifar-10-batches-bin --nets weights

Trains two convolutional networks, from different starts, and a residual one on
handwritten digits, or on CIFAR-10, and compares the layers of the first with
those of either other, feature maps under all translations: Fig. 7 and Appendix
4 of the paper.
`

var quick = study.Quick{Width: 8, Steps: 200, Record: 500}

// numbers are what result.json holds.
type numbers struct {
	Settings study.Settings `json:"settings"`
	Claims   claims.List    `json:"claims"`
	Accuracy []float64      `json:"accuracy"` // of convnet, its other start, resnet
	Starts   *pane          `json:"starts"`   // convnet against itself from another start
	Models   *pane          `json:"models"`   // convnet against resnet
	Backend  native.Info    `json:"backend"`
}

// pane is the layers of a network against those of another.
type pane struct {
	Rows       []string           `json:"rows"`
	Columns    []string           `json:"columns"`
	Similarity [][]float64        `json:"similarity"` // adjusted: 0 by chance
	Alignment  *measure.Alignment `json:"alignment"`
	// Deviation is that of Alignment.TauRows by chance.
	Deviation *float64 `json:"tau_rows_deviation"`
}

// work is the command.
func work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s, err := study.Parse("crossmodel", intro, quick, args, stdout, nil)
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
	var names [3][]string
	var layers [3][]*nn.Tensor[float32]
	bar := program.NewProgress(stderr, 0, 3*s.Steps)
	defer bar.Clear()
	for i, of := range []struct {
		kind string
		seed uint64
	}{{study.Convnet, s.Seed}, {study.Convnet, s.Seed + 1}, {study.ResNet, s.Seed}} {
		trained, err := s.Train(ctx, of.kind, of.seed, []int{s.Steps}, func(step int) { bar.Show(i*s.Steps+step, 3*s.Steps, "train "+of.kind) })
		if err != nil {
			return err
		}
		n.Accuracy, names[i] = append(n.Accuracy, trained.Accuracy), trained.Names
		if layers[i], err = trained.Activations(s.Steps, trained.Names...); err != nil {
			return err
		}
	}
	own := study.Maps(names[0], layers[0])
	if n.Starts, err = compare(ctx, own, study.Maps(names[1], s.Shuffle(layers[1]))); err != nil {
		return err
	}
	if n.Models, err = compare(ctx, own, study.Maps(names[2], s.Shuffle(layers[2]))); err != nil {
		return err
	}
	bar.Clear()
	n.Claims = claims.List{n.Starts.starts(), n.Models.order(), n.Models.low()}
	err = out.Write(n,
		n.Starts.figure("starts", "convnet from two starts", "from one start", "from another"),
		n.Models.figure("models", "convnet and resnet", "convnet", "resnet"),
		n.Models.matches())
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "right on %.1f%% (convnet), %.1f%% (from another start), %.1f%% (resnet) of %d test images\n",
		100*n.Accuracy[0], 100*n.Accuracy[1], 100*n.Accuracy[2], len(s.Tests.Labels))
	if err := n.Claims.Write(&text); err != nil {
		return err
	}
	fmt.Fprintf(&text, "%s: panes, matches and result.json\n", s.Out)
	_, err = io.WriteString(stdout, text.String())
	return err
}

// compare returns the pane of two networks.
func compare(ctx context.Context, x, y []conv.Maps) (*pane, error) {
	against, err := measure.PrepareAll(ctx, y, conv.Options{})
	if err != nil {
		return nil, err
	}
	pairs, err := measure.Pane(ctx, x, against, nil)
	if err != nil {
		return nil, err
	}
	p := &pane{}
	for _, l := range x {
		p.Rows = append(p.Rows, l.Name())
	}
	for _, l := range y {
		p.Columns = append(p.Columns, l.Name())
	}
	// Layers of many columns are like any other by chance: here they are to be told apart.
	if p.Similarity, err = measure.Scores(pairs, measure.Adjusted); err != nil {
		return nil, err
	}
	return p, p.align()
}

// align sets what follows from the similarities.
func (p *pane) align() (err error) {
	if p.Alignment, err = measure.Align(p.Similarity); err != nil {
		return err
	}
	var own, found []float64
	for i, m := range p.Alignment.Rows {
		own, found = append(own, float64(i)), append(found, float64(m.Layer))
	}
	p.Deviation = measure.KendallDeviation(own, found)
	return nil
}

// apart is more than similarities differ whose datapoints do not correspond.
const apart = 0.05

// starts is what the paper says of one architecture from two starts.
func (p *pane) starts() claims.Claim {
	last := len(p.Rows) - 1
	var middle []float64
	for i := 1; i < last; i++ {
		middle = append(middle, p.Similarity[i][i])
	}
	first, end, mean := p.Similarity[0][0], p.Similarity[last][last], stat.Mean(middle, nil)
	return claims.Claim{
		Name:     "two starts",
		Paper:    "the first and last layers of networks from different starts are alike, those in the middle less so",
		Measured: fmt.Sprintf("similarity of %s %.2f, of %s %.2f, of those between %.2f in the mean; a difference of %v is asked for", p.Rows[0], first, p.Rows[last], end, mean, apart),
		Holds:    min(first, end) >= mean+apart,
	}
}

// order is whether depths correspond.
func (p *pane) order() claims.Claim {
	tau := p.Alignment.TauRows
	return claims.Claim{
		Name:     "depths correspond",
		Paper:    "layers of a convnet are most alike to layers of a resnet at a like proportion of its depth",
		Measured: fmt.Sprintf("Kendall's τ of the depth of a layer and of the one it is most alike to is %s (by chance 0 ± %s)", study.Ranks(tau), study.Ranks(p.Deviation)),
		Holds:    tau != nil && *tau > 2**p.Deviation,
	}
}

// low compares how alike to their matches low layers and those above them are. The logits,
// of few neurons, are much like any layer that is good at them, and are left out.
func (p *pane) low() claims.Claim {
	var best []float64
	for _, m := range p.Alignment.Rows[:len(p.Rows)-1] {
		best = append(best, m.Score)
	}
	third := len(best) / 3
	low, high := stat.Mean(best[:third], nil), stat.Mean(best[third:], nil)
	return claims.Claim{
		Name:     "low layers",
		Paper:    "low layers of a convnet and a resnet are alike, higher ones less so",
		Measured: fmt.Sprintf("the lowest third is similar to what it is most alike to by %.2f, those above it by %.2f, in the mean; a difference of %v is asked for", low, high, apart),
		Holds:    low >= high+apart,
	}
}

// figure is the pane.
func (p *pane) figure(name, title, rows, columns string) results.Figure {
	return results.Figure{Name: name, Of: figure.Pane{
		Title: title, Rows: p.Rows, Columns: p.Columns, RowTitle: rows, ColumnTitle: columns, Values: p.Similarity,
		Score: "adjusted similarity: 0 by chance",
	}}
}

// matches are the relative depths of what layers are most alike to.
func (p *pane) matches() results.Figure {
	var x, y []float64
	for i, m := range p.Alignment.Rows {
		x, y = append(x, measure.Depth(i, len(p.Rows))), append(y, m.Depth)
	}
	return results.Figure{Name: "matches", Of: figure.Curves{
		Title: "Where layers have their like", XLabel: "relative depth in the convnet", YLabel: "in the resnet", To: 1,
		Series: []figure.Series{{Name: "most alike", X: x, Y: y}, {Name: "the same depth", X: []float64{0, 1}, Y: []float64{0, 1}, Faint: true}},
	}}
}
