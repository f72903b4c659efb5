package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/behind"
	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/data"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/experiments/training"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"gonum.org/v1/gonum/stat"
)

// layers are the top three of the paper, whose pool is its p2.
var layers = []string{"pool2", "fc1", "fc2"}

// measured is what came out.
type measured struct {
	Images     int       `json:"images"` // that accuracies are of, none of them learnt
	Accuracies []float64 `json:"accuracies"`
	Whole      float64   `json:"accuracy"` // the mean
	Layers     []*curves `json:"layers"`   // means
}

// curves are accuracies of a network, by how much of a layer it is left with; or means of
// several.
type curves struct {
	Layer     string  `json:"layer"`
	Neurons   int     `json:"neurons"`
	M         int     `json:"directions"` // that there are; of several networks the least
	Mean      float64 `json:"svcca"`      // of the layer and the next network's
	Saturated bool    `json:"saturated"`
	K         []int   `json:"k"`
	// Directions is the accuracy from so many; of Onto[i] with neurons put at their means
	// then, but for so many that matter most. Both end where there are no more directions.
	Directions []float64   `json:"accuracy_of_directions"`
	OntoSize   []int       `json:"onto"`
	Onto       [][]float64 `json:"accuracy_of_directions_onto_neurons"`
	// Random and Active is that from so many neurons, random or of largest mean activation.
	Random []float64 `json:"accuracy_of_random_neurons"`
	Active []float64 `json:"accuracy_of_active_neurons"`
	// Enough is the first k whose accuracy, as of any larger, is within a point of the whole
	// network's; 0 where none is. EnoughRandom and EnoughActive are that of neurons.
	Enough       int `json:"enough_directions"`
	EnoughRandom int `json:"enough_random_neurons"`
	EnoughActive int `json:"enough_active_neurons"`
}

// grid returns numbers of directions or neurons: each up to 10, then some 15% apart, and all.
func grid(neurons int) (all []int) {
	for k := 1; k < neurons; k += max(1, k*15/100) {
		all = append(all, k)
	}
	return append(all, neurons)
}

// measure takes directions from images that were learnt, and accuracies on others.
func measure(ctx context.Context, s settings, nets []*nn.Network[float32], train, test *data.Set, each func(done int)) (*measured, error) {
	m := &measured{Images: len(test.Labels)}
	for _, net := range nets {
		m.Accuracies = append(m.Accuracies, training.Accuracy(net, test, len(test.Labels)))
	}
	m.Whole = stat.Mean(m.Accuracies, nil)
	learnt, _ := data.All[float32](train, s.Record)
	x, labels := data.All[float32](test, len(test.Labels))
	for i, name := range layers {
		var sides []*nn.Tensor[float32]
		for _, net := range nets {
			all, err := net.Activations(learnt, name)
			if err != nil {
				return nil, err
			}
			sides = append(sides, all[0])
		}
		var all []*curves
		for j, net := range nets {
			each(i*len(nets) + j)
			against := sides[(j+1)%len(nets)]
			if s.Shuffle {
				against = nn.Shuffled(against, rand.New(rand.NewPCG(s.Seed, 2)))
			}
			c, err := svcca.BetweenContext(ctx, sides[j].Layer(name), against.Layer("next "+name), svcca.Options{Keep: s.Keep})
			if err != nil {
				return nil, err
			}
			y, err := net.Activations(x, name)
			if err != nil {
				return nil, err
			}
			l := &curves{Layer: name, Neurons: c.X.Neurons, M: len(c.Rho), Mean: c.Mean, Saturated: c.Saturated, K: grid(c.X.Neurons)}
			err = l.measure(ctx, c.X.Directions, s, func(p *compress.Projection) (float64, error) {
				logits, err := behind.Projected(net, name, y[0], p)
				if err != nil {
					return 0, err
				}
				return float64(nn.Right(logits, labels)) / float64(len(labels)), nil
			})
			if err != nil {
				return nil, err
			}
			all = append(all, l)
		}
		l := together(all)
		l.Enough, l.EnoughRandom, l.EnoughActive = l.enough(l.Directions, m.Whole), l.enough(l.Random, m.Whole), l.enough(l.Active, m.Whole)
		m.Layers = append(m.Layers, l)
	}
	return m, nil
}

// together returns the means of curves of the same layer, as far as each of them goes.
func together(all []*curves) *curves {
	l := *all[0]
	l.Mean = 0
	for _, c := range all {
		l.M = min(l.M, c.M)
		l.Mean += c.Mean / float64(len(all))
		l.Saturated = l.Saturated || c.Saturated
	}
	of := func(which func(c *curves) []float64) []float64 {
		var columns [][]float64
		for _, c := range all {
			for i, a := range which(c) {
				if i == len(columns) {
					columns = append(columns, nil)
				}
				columns[i] = append(columns[i], a)
			}
		}
		var means []float64
		for _, column := range columns {
			if len(column) == len(all) {
				means = append(means, stat.Mean(column, nil))
			}
		}
		return means
	}
	l.Directions = of(func(c *curves) []float64 { return c.Directions })
	l.Random = of(func(c *curves) []float64 { return c.Random })
	l.Active = of(func(c *curves) []float64 { return c.Active })
	l.Onto = nil
	for i := range all[0].Onto {
		l.Onto = append(l.Onto, of(func(c *curves) []float64 { return c.Onto[i] }))
	}
	return &l
}

// measure fills the curves of a layer.
func (l *curves) measure(ctx context.Context, d *svcca.Directions, s settings, accuracy func(*compress.Projection) (float64, error)) error {
	// The paper's 50 and 100 neurons of 512.
	l.OntoSize = []int{(l.Neurons + 9) / 10, (l.Neurons + 4) / 5}
	l.Onto = make([][]float64, len(l.OntoSize))
	for _, k := range l.K {
		if err := ctx.Err(); err != nil {
			return err
		}
		if k <= l.M {
			a, err := accuracy(&compress.Projection{Directions: d, K: k})
			if err != nil {
				return err
			}
			l.Directions = append(l.Directions, a)
			order := compress.Importance(d, k)
			for i, q := range l.OntoSize {
				a, err := accuracy(&compress.Projection{Directions: d, K: k, Neurons: compress.Largest(order, q)})
				if err != nil {
					return err
				}
				l.Onto[i] = append(l.Onto[i], a)
			}
		}
		active, err := accuracy(&compress.Projection{Mean: d.Mean, Neurons: compress.Largest(d.Mean, k)})
		if err != nil {
			return err
		}
		l.Active = append(l.Active, active)
		random := 0.0
		for draw := range s.Draws {
			a, err := accuracy(&compress.Projection{Mean: d.Mean, Neurons: compress.Random(l.Neurons, k, s.Seed+uint64(draw))})
			if err != nil {
				return err
			}
			random += a / float64(s.Draws)
		}
		l.Random = append(l.Random, random)
	}
	return nil
}

// enough returns the first of K from which on accuracies are within a point of the whole's.
func (l *curves) enough(accuracies []float64, whole float64) (k int) {
	for i := len(accuracies) - 1; i >= 0 && accuracies[i] >= whole-0.01; i-- {
		k = l.K[i]
	}
	return k
}

// at returns an accuracy for the most directions or neurons that are no more than k.
func (l *curves) at(accuracies []float64, k int) (a float64) {
	for i, of := range accuracies {
		if l.K[i] <= k {
			a = of
		}
	}
	return a
}

// upTo returns the mean of accuracies for up to k directions or neurons.
func (l *curves) upTo(accuracies []float64, k int) (mean float64) {
	n := 0
	for i, a := range accuracies {
		if l.K[i] <= k {
			mean += a
			n++
		}
	}
	return mean / float64(n)
}

const (
	// papers is the paper's number of directions, of 512 of fc1, and near how many points of
	// accuracy less than the whole is nearly as good here.
	papers, near = 25, 0.02
	// spread is its number of directions that 100 neurons fall short of, by more than short
	// here; most is the share of the whole that these directions have to reach.
	spread, short, most = 20, 0.05, 0.9
)

// claims puts it beside the paper.
func (m *measured) claims() claims.List {
	var enough, beside, onto []string
	few := ""
	nearly, better, spreads := false, true, true
	for _, l := range m.Layers {
		enough = append(enough, fmt.Sprintf("%s %d of %d", l.Layer, l.Enough, l.Neurons))
		if l.Layer == "fc1" { // of which the paper says so
			a := l.at(l.Directions, papers)
			few = fmt.Sprintf("%d directions of fc1 %.1f%%, whole %.1f%%", papers, 100*a, 100*m.Whole)
			nearly = a >= m.Whole-near
		}
		d, r, a := l.upTo(l.Directions, papers), l.upTo(l.Random, papers), l.upTo(l.Active, papers)
		beside = append(beside, fmt.Sprintf("%s %.0f%%, %.0f%%, %.0f%%", l.Layer, 100*d, 100*r, 100*a))
		better = better && d > max(r, a)
		if l.Layer != "fc2" { // which Fig. 2b leaves out
			q := len(l.OntoSize) - 1
			all, part := l.at(l.Directions, spread), l.at(l.Onto[q], spread)
			onto = append(onto, fmt.Sprintf("%s %.1f%%, on %d neurons %.1f%%", l.Layer, 100*all, l.OntoSize[q], 100*part))
			spreads = spreads && all >= most*m.Whole && part < all-short
		}
	}
	return claims.List{{
		Name:     "few directions are enough (Fig. 2a)",
		Paper:    "the first 25 of 512 directions of fc1 are nearly as good as all",
		Measured: few + "; within one point from k = " + strings.Join(enough, ", "),
		Holds:    nearly,
	}, {
		Name:     "directions before neurons (Fig. 2a)",
		Paper:    "random neurons and those of largest mean activation are worse at equal numbers",
		Measured: fmt.Sprintf("mean accuracy for k up to %d of directions, random, active neurons: %s", papers, strings.Join(beside, "; ")),
		Holds:    better,
	}, {
		Name:     "directions are spread over many neurons (Fig. 2b)",
		Paper:    "20 directions of fc1 put onto 100 of 512 neurons fall short of these directions",
		Measured: fmt.Sprintf("%d directions, whole %.1f%%: %s", spread, 100*m.Whole, strings.Join(onto, "; ")),
		Holds:    spreads,
	}}
}

// String is a table by layer.
func (m *measured) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-6s %8s %11s %7s   %s\n", "layer", "neurons", "directions", "SVCCA", "within one point: directions, random, active neurons")
	for _, l := range m.Layers {
		fmt.Fprintf(&text, "%-6s %8d %11d %7.3f   %10d %7d %7d\n", l.Layer, l.Neurons, l.M, l.Mean, l.Enough, l.EnoughRandom, l.EnoughActive)
		if l.Saturated {
			fmt.Fprintf(&text, "       too few images for so many directions: part of that is chance; more --record, or --keep 'variance(0.99)'\n")
		}
	}
	return text.String()
}
