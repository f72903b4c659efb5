package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w1 times one pair of layers in memory: all ρ and directions.
func w1(ctx context.Context, s *setting, out io.Writer) error {
	fmt.Fprintf(out, "\nW1: one pair, %d × %d float32 each, from memory to all ρ and directions, 99%% of variance\n\n", s.n1, s.d)
	data := []string{bench.W1, strconv.Itoa(s.n1), strconv.Itoa(s.d), s.path("x.f32"), s.path("y.f32")}
	contestants := append(s.native(data), s.portable(data), s.numpy("cross", data), s.numpy("cross32", data))
	if recipe := s.recipe(data); recipe != nil {
		contestants = append(contestants, recipe)
	}
	for i, spectrum := range bench.W1Spectra {
		x, y := bench.Pair(spectrum, s.n1, s.d, s.seed)
		if _, err := s.save("x.f32", x); err != nil {
			return err
		}
		if _, err := s.save("y.f32", y); err != nil {
			return err
		}
		if err := race(ctx, s.rounds, contestants); err != nil {
			return err
		}
		if i == 0 {
			describe(out, contestants)
		}
		if err := reportPair(out, "W1 "+spectrum.String(), contestants); err != nil {
			return err
		}
	}
	return nil
}

// reportPair prints how long each contestant takes beside the first, and how many
// times as fast as each numpy it is. Errors of ρ are differences from the first.
func reportPair(out io.Writer, title string, contestants []*contestant) error {
	ours := contestants[0]
	var against []*contestant
	for _, c := range contestants {
		if slices.Contains([]string{"cross", "cross32", "recipe", "half", "half32", "dft_ccas", "gram", "svd", "sparse_product", "sparse_gram", "svds", "sparse_pair"}, c.name) {
			against = append(against, c)
		}
	}
	var t table
	head := slices.Concat([]string{title, "k", "mean ρ"}, timeHead, []string{"it / " + ours.name})
	for _, peer := range against {
		head = append(head, peer.name+" / it")
	}
	difference := "max Δρ"
	if ours.last().Rho == nil {
		difference = "Δ mean ρ"
	}
	t.row(append(head, "peak MiB", difference)...)
	for _, c := range contestants {
		r := c.last()
		cells := slices.Concat([]string{c.name, fmt.Sprintf("%d, %d", r.K[0], r.K[1]), fmt.Sprintf("%.6f", r.Mean)}, times(c.seconds()),
			[]string{ratio(c.seconds(), ours.seconds()).String()})
		for _, peer := range against {
			cells = append(cells, ratio(peer.seconds(), c.seconds()).String())
		}
		t.row(append(cells, c.mib(), furthest(r, ours.last()))...)
	}
	return finish(out, t, contestants)
}
