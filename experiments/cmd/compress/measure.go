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
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"gonum.org/v1/gonum/stat"
)

// layers are compressed in turn: App. 5 of the paper, whose p2 is pool2. Where a product
// comes next, of the block in next, it is that which gets cheaper.
var (
	layers = []string{"pool2", "fc1", "bn3", "fc2", "bn4"}
	next   = map[string]string{"pool2": "fc1", "bn3": "fc2", "bn4": "logits"}
)

// shares of a layer's neurons are how many directions it keeps; the paper's are 0.22, 0.35
// (against logits), 0.45, 0.63 (two networks).
var shares = []float64{0.05, 0.1, 0.15, 0.22, 0.35, 0.45, 0.63, 0.8}

const paperShare, networksShare = 0.35, 0.63

// measured is what came out.
type measured struct {
	Images     int       `json:"images"` // that accuracies are of, none of them learnt
	Accuracies []float64 `json:"accuracies"`
	Whole      float64   `json:"accuracy"` // the mean
	Against    []*way    `json:"against"`
}

// way is what directions are shared with.
type way struct {
	With   string        `json:"with"`
	Shares []*compressed `json:"shares"`
}

// compressed is a network whose layers keep a share of their directions; or several, with the
// means of their accuracies, and the most that any keeps of a layer.
type compressed struct {
	Share float64 `json:"share"`
	// K and Accuracy are by layer: with that one and all before it compressed.
	Layers   []string  `json:"layers"`
	Neurons  []int     `json:"neurons"`
	K        []int     `json:"k"`
	Accuracy []float64 `json:"accuracy"`
	// Before and After are what the products of fc1, fc2 and logits take.
	Before compress.Cost `json:"before"`
	After  compress.Cost `json:"after"`
}

// right is the accuracy with all layers compressed.
func (c *compressed) right() float64 { return c.Accuracy[len(c.Accuracy)-1] }

// at is the network of one of shares.
func (w *way) at(share float64) *compressed {
	for _, c := range w.Shares {
		if c.Share >= share {
			return c
		}
	}
	return w.Shares[len(w.Shares)-1]
}

// measure compresses every network, by the next one's layers and by its own logits.
func measure(ctx context.Context, s settings, nets []*nn.Network[float32], train, test *data.Set, each func(done int)) (*measured, error) {
	m := &measured{Images: len(test.Labels), Against: []*way{{With: "another network"}, {With: "the logits"}}}
	learnt, _ := data.All[float32](train, s.Record)
	x, labels := data.All[float32](test, len(test.Labels))
	done := 0
	for i, net := range nets {
		m.Accuracies = append(m.Accuracies, training.Accuracy(net, test, len(test.Labels)))
		other, err := nets[(i+1)%len(nets)].Activations(learnt, layers...)
		if err != nil {
			return nil, err
		}
		logits := net.Outputs(learnt)
		if s.Shuffle {
			for j, y := range other {
				other[j] = nn.Shuffled(y, rand.New(rand.NewPCG(s.Seed, 2)))
			}
			logits = nn.Shuffled(logits, rand.New(rand.NewPCG(s.Seed, 2)))
		}
		c := compressor{net: net, keep: s.Keep, learnt: learnt, x: x, labels: labels}
		for j, against := range []func(layer int) *nn.Tensor[float32]{
			func(layer int) *nn.Tensor[float32] { return other[layer] },
			func(int) *nn.Tensor[float32] { return logits },
		} {
			w := m.Against[j]
			c.first = nil
			for at, share := range shares {
				each(done)
				done++
				small, err := c.compress(ctx, share, against)
				if err != nil {
					return nil, err
				}
				if i == 0 {
					w.Shares = append(w.Shares, small)
				} else {
					w.Shares[at].add(small, i)
				}
			}
		}
	}
	m.Whole = stat.Mean(m.Accuracies, nil)
	return m, nil
}

// add takes another network in, beside so many before.
func (c *compressed) add(other *compressed, before int) {
	for i, a := range other.Accuracy {
		c.Accuracy[i] += (a - c.Accuracy[i]) / float64(before+1)
		c.K[i] = max(c.K[i], other.K[i])
	}
	c.After.Parameters = max(c.After.Parameters, other.After.Parameters)
	c.After.MultiplyAdds = max(c.After.MultiplyAdds, other.After.MultiplyAdds)
}

// compressor compresses a network by directions of images that it learnt, and looks at how
// often it is right on others.
type compressor struct {
	net       *nn.Network[float32]
	keep      svcca.Keep
	learnt, x *nn.Tensor[float32]
	labels    []int
	// first is the comparison of the first layer, which no share changes.
	first *svcca.Comparison
}

// compress leaves each layer, as the compressed ones before make it, with a share of its
// directions.
func (c *compressor) compress(ctx context.Context, share float64, against func(layer int) *nn.Tensor[float32]) (*compressed, error) {
	small := &compressed{Share: share, Layers: layers}
	first, err := c.net.Activations(c.learnt, layers[0])
	if err != nil {
		return nil, err
	}
	second, err := c.net.Activations(c.x, layers[0])
	if err != nil {
		return nil, err
	}
	y, z := first[0], second[0] // of images that were learnt, and others
	for i, name := range layers {
		if i > 0 {
			if y, err = c.net.Through(layers[i-1], y, name); err != nil {
				return nil, err
			}
			if z, err = c.net.Through(layers[i-1], z, name); err != nil {
				return nil, err
			}
		}
		pair := c.first
		if i > 0 || pair == nil {
			pair, err = svcca.BetweenContext(ctx, y.Layer(name), against(i).Layer("against "+name), svcca.Options{Keep: c.keep})
			if err != nil {
				return nil, err
			}
		}
		if i == 0 {
			c.first = pair
		}
		k, err := c.size(small, name, pair, share)
		if err != nil {
			return nil, err
		}
		p := &compress.Projection{Directions: pair.X.Directions, K: k}
		if y, err = behind.Left(name, y, p); err != nil {
			return nil, err
		}
		if z, err = behind.Left(name, z, p); err != nil {
			return nil, err
		}
		outputs, err := c.net.Behind(name, z)
		if err != nil {
			return nil, err
		}
		small.Neurons, small.K = append(small.Neurons, pair.X.Neurons), append(small.K, k)
		small.Accuracy = append(small.Accuracy, float64(nn.Right(outputs, c.labels))/float64(len(c.labels)))
	}
	return small, nil
}

// size returns how many directions a layer keeps, and adds what the product behind it takes,
// if there is one, to the costs.
func (c *compressor) size(small *compressed, name string, pair *svcca.Comparison, share float64) (k int, err error) {
	// A product of one output shows the number where no product comes next.
	layer := compress.Affine{Weights: lapack.New[float64](pair.X.Neurons, 1), Bias: make([]float64, 1), Name: name}
	product, is := next[name]
	if is {
		if layer, err = c.affine(product); err != nil {
			return 0, err
		}
	}
	of, err := compress.Of(pair, layer, compress.Neurons(share))
	if err != nil {
		return 0, err
	}
	if is {
		small.Before.Parameters += of.Before.Parameters
		small.Before.MultiplyAdds += of.Before.MultiplyAdds
		small.After.Parameters += of.After.Parameters
		small.After.MultiplyAdds += of.After.MultiplyAdds
	}
	return of.K, nil
}

// affine returns a block's product.
func (c *compressor) affine(name string) (compress.Affine, error) {
	w, err := c.net.Param(name + "_w")
	if err != nil {
		return compress.Affine{}, err
	}
	b, err := c.net.Param(name + "_b")
	if err != nil {
		return compress.Affine{}, err
	}
	a := compress.Affine{Weights: lapack.New[float64](w.Value.Shape[0], w.Value.Shape[1]), Name: name}
	for i, v := range w.Value.Data {
		a.Weights.Data[i] = float64(v)
	}
	for _, v := range b.Value.Data {
		a.Bias = append(a.Bias, float64(v))
	}
	return a, nil
}

// claims puts it beside the paper.
func (m *measured) claims() claims.List {
	networks, logits := m.Against[0], m.Against[1]
	var means [2]float64
	n := 0
	for i, share := range shares {
		if share <= paperShare {
			means[0] += networks.Shares[i].right()
			means[1] += logits.Shares[i].right()
			n++
		}
	}
	means[0] /= float64(n)
	means[1] /= float64(n)
	small, two := logits.at(paperShare), networks.at(networksShare)
	return claims.List{{
		Name:     "five layers at 0.35 of their size, by the logits",
		Paper:    "down to 35% in all five layers hardly hurts (App. 5)",
		Measured: fmt.Sprintf("right on %.1f%%, whole %.1f%%; %d of %d parameters of fc1, fc2, logits", 100*small.right(), 100*m.Whole, small.After.Parameters, small.Before.Parameters),
		Holds:    small.right() >= m.Whole-0.02,
	}, {
		Name:     "by another network, at 0.63",
		Paper:    "two networks' directions allow compression to 63% and less",
		Measured: fmt.Sprintf("right on %.1f%%, whole %.1f%%", 100*two.right(), 100*m.Whole),
		Holds:    two.right() >= m.Whole-0.02,
	}, {
		Name:     "the logits choose better",
		Paper:    "directions shared with logits keep more than those shared with another network",
		Measured: fmt.Sprintf("mean over shares up to %v: logits %.1f%%, network %.1f%%", paperShare, 100*means[1], 100*means[0]),
		// Where nothing is kept, neither keeps more.
		Holds: means[1] > means[0] && small.right() >= m.Whole-0.02,
	}}
}

// String is a table by share.
func (m *measured) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-16s %6s  %-20s %-12s %s\n", "directions by", "share", "k by layer", "parameters", "accuracy after each layer, %")
	for _, w := range m.Against {
		for _, c := range w.Shares {
			var k, right []string
			for i := range c.K {
				k, right = append(k, fmt.Sprint(c.K[i])), append(right, fmt.Sprintf("%5.1f", 100*c.Accuracy[i]))
			}
			fmt.Fprintf(&text, "%-16s %6.2f  %-20s %-12d %s\n", w.With, c.Share, strings.Join(k, " "), c.After.Parameters, strings.Join(right, " "))
		}
	}
	return text.String()
}
