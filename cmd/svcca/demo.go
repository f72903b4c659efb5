package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	var save string
	c := command(&cobra.Command{
		Use:   "demo",
		Short: "Compares layers of two small networks, which are built in",
		Long: `Compares layers of two small networks that tell handwritten digits apart. Their
activations are built in. With --save DIR the networks, two convolutional ones
and one in training are run on the images, and DIR is made of what their layers
give: files for the other commands.`,
		Example: `  svcca demo
  svcca demo --save demo && svcca matrix demo/a --against demo/b`,
		Args: cobra.NoArgs,
	}, func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("save") {
			return saveDemo(cmd.Context(), save, cmd.OutOrStdout())
		}
		return demo(cmd.Context(), cmd.OutOrStdout(), localStyle())
	})
	c.Flags().StringVar(&save, "save", "", "make `DIR` of activations and weights, 26 MB (default: no)")
	return c
}

// demoPairs are compared after the first; shuffled ones in a wrong order.
var demoPairs = []struct {
	x, y     string
	shuffled bool
}{
	{"a/fc3", "b/fc3", false},
	{"a/fc3", "a/fc3", false},
	{"a/logits", "b/logits", false},
	{"a/fc3", "a/logits", false},
	{"a/fc3", "b/fc3", true},
}

func demo(ctx context.Context, w io.Writer, s style) error {
	p := newPage(s)
	p.paragraph("", "", "a and b: networks of one architecture, trained from different random starts to tell handwritten digits apart. fc3: the last hidden layer; logits: the output.")
	p.line("")
	table := []string{}
	for i, pair := range demoPairs {
		x, err := openDigits(pair.x, false)
		if err != nil {
			return err
		}
		y, err := openDigits(pair.y, pair.shuffled)
		if err != nil {
			return err
		}
		c, err := svcca.BetweenContext(ctx, x, y, svcca.Options{})
		if err != nil {
			return err
		}
		if i == 0 {
			p.report(&result{Comparison: c})
		}
		name := pair.y
		switch {
		case pair.x == pair.y:
			name = "itself"
		case pair.shuffled:
			name += ", images shuffled"
		}
		table = append(table, fmt.Sprintf("  %-9s %-25s  %s   %s    %s", pair.x, name, decimal(c.Mean, c.ErrorBound), decimal(c.MeanSquare, c.ErrorBound), level(c.Chance)))
		if i == len(demoPairs)-1 {
			p.line("")
			p.line(fmt.Sprintf("  %-9s %-25s  %s   %s   %s", "layer", "against", "mean ρ", p.text("mean ρ²"), "chance"))
			for _, line := range table {
				p.line(line)
			}
			p.line("")
			p.paragraph("", "", lesson(c))
		}
	}
	p.line("")
	p.line("next: svcca compare YOUR_A.npy YOUR_B.npy")
	return p.writeTo(w)
}

// lesson says what a comparison against shuffled images teaches.
func lesson(c *svcca.Comparison) string {
	if (&result{Comparison: c}).byChance() {
		return "Shuffling the images of one layer leaves both layers as they are but for what they have in common: the mean square falls to chance. Whatever lies above chance in the other lines is about the images, not about the shape of the data."
	}
	return "Shuffling the images of one layer breaks what the two have in common: judge the other lines by how far they lie above this one, and above chance."
}

// demoLayer is one of the layers that are built in, maybe with its images in
// another order.
type demoLayer struct {
	*activation.File
	name  string
	order []int // nil for their own
}

func openDigits(name string, shuffle bool) (svcca.Layer, error) {
	f, err := digits.Open(name)
	if err != nil {
		return nil, err
	}
	l := demoLayer{File: f, name: name}
	if shuffle {
		n, _ := f.Dims()
		l.order = rand.New(rand.NewPCG(1, 2)).Perm(n)
	}
	return l, nil
}

func (l demoLayer) Name() string { return l.name }

func (l demoLayer) Read(dst lapack.Matrix[float64], row, col int) error {
	if l.order == nil {
		return l.File.Read(dst, row, col)
	}
	for i := range dst.Rows {
		if err := l.File.Read(dst.View(i, 0, 1, dst.Cols), l.order[row+i], col); err != nil {
			return err
		}
	}
	return nil
}
