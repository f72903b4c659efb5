package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w2 times a pane: Weighted of every row layer with every column layer.
func w2(ctx context.Context, s *setting, out io.Writer) error {
	pairs := s.rows * s.rows
	fmt.Fprintf(out, "\nW2: a pane of %d × %d layers, %d × %d float32 each, from memory to Weighted of all %d pairs, reductions included, 99%% of variance\n",
		s.rows, s.rows, s.n2, s.d, pairs)
	data := []string{bench.W2, strconv.Itoa(s.n2), strconv.Itoa(s.d), strconv.Itoa(s.rows)}
	for i := range 2 * s.rows {
		data = append(data, s.path(layerFile(i)))
	}
	contestants := s.native(data)
	if s.purego {
		contestants = append(contestants, s.portable(data))
	}
	if recipe := s.recipe(data); recipe != nil {
		contestants = append(contestants, recipe)
		fmt.Fprintf(out, "the recipe computes a sample of %d pairs a round, other ones each time; its seconds are scaled to %d pairs\n", min(s.pairs, pairs), pairs)
	}
	fmt.Fprintln(out)
	for i, spectrum := range bench.Spectra {
		for j := range 2 * s.rows {
			if _, err := s.save(layerFile(j), bench.PaneLayer(spectrum, s.n2, s.d, j, 2*s.rows, s.seed)); err != nil {
				return err
			}
		}
		if err := race(ctx, s.rounds, contestants); err != nil {
			return err
		}
		if i == 0 {
			describe(out, contestants)
		}
		if err := reportPane(out, "W2 "+spectrum.String(), contestants, pairs); err != nil {
			return err
		}
	}
	return nil
}

func layerFile(i int) string { return fmt.Sprintf("layer%d.f32", i) }

// reportPane prints the time that each contestant takes, or would take, for a
// pane of that many pairs.
func reportPane(out io.Writer, title string, contestants []*contestant, pairs int) error {
	ours, recipe := contestants[0], contestants[len(contestants)-1]
	if recipe.name != "recipe" {
		recipe = nil
	}
	var t table
	head := slices.Concat([]string{title, "k"}, timeHead, []string{"ms a pair", "it / " + ours.name})
	if recipe != nil {
		head = append(head, "recipe / it")
	}
	t.row(append(head, "peak MiB", "pairs", "mean Weighted", "max ΔWeighted")...)
	for _, c := range contestants {
		whole := c.ofPane(pairs)
		k := c.kept()
		cells := slices.Concat([]string{c.name, fmt.Sprintf("%d–%d", k[0], k[1])}, times(whole),
			[]string{fmt.Sprintf("%.3g", 1e3*newRange(whole).median/float64(pairs)), ratio(whole, ours.ofPane(pairs)).String()})
		if recipe != nil {
			cells = append(cells, ratio(recipe.ofPane(pairs), whole).String())
		}
		scores := c.scores()
		mean, most := agreement(scores, ours.scores())
		t.row(append(cells, c.mib(), strconv.Itoa(len(scores)), fmt.Sprintf("%.4f", mean), fmt.Sprintf("%.1e", most))...)
	}
	return finish(out, t, contestants)
}

// ofPane returns the seconds of each round, scaled to a pane of that many pairs.
func (c *contestant) ofPane(pairs int) []float64 {
	v := make([]float64, len(c.results))
	for i, r := range c.results {
		v[i] = r.Seconds * float64(pairs) / float64(len(r.Pairs))
	}
	return v
}

// kept returns the range of k over the rounds.
func (c *contestant) kept() [2]int {
	k := c.results[0].K
	for _, r := range c.results {
		k = [2]int{min(k[0], r.K[0]), max(k[1], r.K[1])}
	}
	return k
}

// scores returns Weighted of the pairs that c computed in any round.
func (c *contestant) scores() map[[2]int]float64 {
	scores := map[[2]int]float64{}
	for _, r := range c.results {
		for _, p := range r.Pairs {
			scores[[2]int{p.Row, p.Column}] = p.Weighted
		}
	}
	return scores
}

// agreement returns the mean of scores and how far they lie from those of all
// pairs, at most.
func agreement(scores, all map[[2]int]float64) (mean, most float64) {
	for pair, score := range scores {
		mean += score / float64(len(scores))
		most = max(most, math.Abs(score-all[pair]))
	}
	return mean, most
}
