package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/gosvcca/gosvcca/bench"
)

// growth times the DFT and SVCCA of all translations, explicitly, on maps of growing
// size, and fits time ∝ (H·W)^p.
func growth(ctx context.Context, s *setting, out io.Writer) error {
	sizes := bench.GrowthSizes[:max(2, min(s.sizes, len(bench.GrowthSizes)))]
	fmt.Fprintf(out, "\nGrowth: %d images × H × W × %d float32 each, all ρ and directions by the DFT, and of the data set of all translations\n\n", bench.GrowthImages, bench.GrowthChannels)
	ways := []string{"dft", bench.Translated}
	seconds := map[string][][]float64{} // by size and round
	var t table
	t.row("growth", "rows", "neurons", "k", "dft s", "translated s", "translated / dft", "max Δρ")
	for i, size := range sizes {
		data, err := s.saveMaps(bench.W3, bench.GrowthImages, size, bench.GrowthChannels)
		if err != nil {
			return err
		}
		contestants := s.native(data)[:1]
		contestants = append(contestants, s.native(append([]string{bench.Translated}, data[1:]...))[0])
		for j, c := range contestants {
			c.name = ways[j]
		}
		if err := race(ctx, s.rounds, contestants); err != nil {
			return err
		}
		if i == 0 {
			describe(out, contestants)
		}
		for j, c := range contestants {
			seconds[ways[j]] = append(seconds[ways[j]], c.seconds())
		}
		dft, all := contestants[0], contestants[1]
		t.row(fmt.Sprintf("%d × %d", size, size), fmt.Sprint(bench.GrowthImages*size*size), fmt.Sprint(size*size*bench.GrowthChannels),
			fmt.Sprintf("%d, %d", dft.last().K[0], dft.last().K[1]), newRange(dft.seconds()).String(), newRange(all.seconds()).String(),
			ratio(all.seconds(), dft.seconds()).String(), furthest(all.last(), dft.last()))
	}
	if err := t.print(out); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return reportExponents(out, sizes, ways, seconds)
}

// exponentModels are what is expected of p: by Raghu et al., whose SVD of order m costs
// m^2.5, n² of k channels k^2.5·n² and kn·log n against (kn²)^2.5, and by flops.
var exponentModels = map[string][2]string{"dft": {"1", "1"}, bench.Translated: {"2.5", "3"}}

// reportExponents prints fits of the seconds of each way, by size and round, over all
// sizes and over the larger half.
func reportExponents(out io.Writer, sizes []int, ways []string, seconds map[string][][]float64) error {
	half := sizes[len(sizes)/2:]
	if len(half) < 2 {
		half = sizes[len(sizes)-2:]
	}
	var t table
	t.row("time ∝ (H·W)^p", "p", "p of "+strings.Trim(fmt.Sprint(half), "[]"), "paper's model", "flops")
	for _, way := range ways {
		model := exponentModels[way]
		t.row(way, exponents(sizes, seconds[way]).String(), exponents(half, seconds[way][len(sizes)-len(half):]).String(), model[0], model[1])
	}
	if err := t.print(out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// exponents returns p of every round, from the seconds by size and round.
func exponents(sizes []int, seconds [][]float64) valueRange {
	x := make([]float64, len(sizes))
	for i, size := range sizes {
		x[i] = math.Log(float64(size * size))
	}
	var all []float64
	for round := range seconds[0] {
		y := make([]float64, len(sizes))
		for i := range y {
			y[i] = math.Log(seconds[i][round])
		}
		_, p := stat.LinearRegression(x, y, nil, false)
		all = append(all, p)
	}
	return newRange(all)
}
