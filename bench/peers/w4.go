package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w4 times one pair of .npy files, beside the rate at which the machine multiplies
// a panel in memory with itself.
func w4(ctx context.Context, s *setting, out io.Writer) error {
	d := 2 * s.d4
	fmt.Fprintf(out, "\nW4: two .npy files, %d × %d float32 each, to all ρ and directions, 99%% of variance; the files are in the system's cache\n", s.n4, s.d4)
	fmt.Fprintf(out, "GFLOP/s count n(d+e)² flops of a pair, and of dsyrk, panels of %d × %d float64, d²n each; share: of dsyrk in the same round, run before each of the others and at the end\n",
		bench.PanelRows, d)
	fmt.Fprintf(out, "peak: of the whole process; the joint Gram matrix, (d+e)² float64, is %.0f MiB of it; blocks counts mapped pages of its files\n\n", float64(d*d)*8/(1<<20))
	x, y := s.path("x.npy"), s.path("y.npy")
	if err := s.saveFiles(x, y); err != nil {
		return err
	}
	data := []string{bench.W4, x, y}
	contestants := s.native(data)[:2]
	if s.purego {
		contestants = append(contestants, s.portable(data))
	}
	contestants = append(contestants, s.numpy("blocks", data))
	panels := &contestant{name: bench.DSYRK, threads: s.threads,
		command: []string{s.path("native"), "-blas-threads", bench.DSYRK, strconv.Itoa(bench.PanelRows), strconv.Itoa(d), s.dsyrk.String()}}
	turns := []*contestant{panels}
	for _, c := range contestants {
		turns = append(turns, c, panels)
	}
	if err := race(ctx, s.rounds, turns); err != nil {
		return err
	}
	describe(out, append(contestants, panels))
	return reportFiles(out, "W4 "+bench.W4Spectrum.String(), contestants, panels, float64(s.n4)*float64(d)*float64(d))
}

// saveFiles writes the two layers, at once and row by row.
func (s *setting) saveFiles(x, y string) error {
	fx, err := os.Create(x)
	if err != nil {
		return err
	}
	defer fx.Close()
	fy, err := os.Create(y)
	if err != nil {
		return err
	}
	defer fy.Close()
	fmt.Fprintf(os.Stderr, "peers: writing %d rows of two files\n", s.n4)
	return cmp.Or(bench.WritePair(fx, fy, bench.W4Spectrum, s.n4, s.d4, s.seed), fx.Close(), fy.Close())
}

// reportFiles prints the rate of contestants, each run of which makes flops, and
// that of panels.
func reportFiles(out io.Writer, title string, contestants []*contestant, panels *contestant, flops float64) error {
	ours, limit := contestants[0], rates(panels, len(contestants[0].results))
	var t table
	t.row(slices.Concat([]string{title, "k", "mean ρ"}, timeHead,
		[]string{"GFLOP/s", "share of dsyrk", ours.name + " / it", "peak MiB", "max Δρ"})...)
	for _, c := range contestants {
		rate := make([]float64, len(c.results))
		for i, r := range c.results {
			rate[i] = flops / r.Seconds / 1e9
		}
		r := c.last()
		t.row(slices.Concat([]string{c.name, fmt.Sprintf("%d, %d", r.K[0], r.K[1]), fmt.Sprintf("%.6f", r.Mean)}, times(c.seconds()),
			[]string{newRange(rate).String(), ratio(rate, limit).percent(), ratio(ours.seconds(), c.seconds()).String(), c.mib(), furthest(r, ours.last())})...)
	}
	t.row(panels.name, "", "", "", "", "", newRange(limit).String(), "", "", panels.mib(), "")
	return finish(out, t, contestants)
}

// rates returns the rate of c in each of the rounds, in GFLOP/s, over all of its
// runs of the round.
func rates(c *contestant, rounds int) []float64 {
	v := make([]float64, 0, rounds)
	for runs := range slices.Chunk(c.results, len(c.results)/rounds) {
		var flops, seconds float64
		for _, r := range runs {
			flops, seconds = flops+r.Flops, seconds+r.Seconds
		}
		v = append(v, flops/seconds/1e9)
	}
	return v
}
