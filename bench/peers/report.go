package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/gosvcca/gosvcca/bench"
)

// report prints one spectrum's table.
func report(out io.Writer, spectrum bench.Spectrum, contestants []*contestant) error {
	ours, cross := contestants[0], find(contestants, "cross")
	fmt.Fprintf(out, "\n%s\n", spectrum)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\tk\tmean ρ\tmin s\tmedian s\tmax s\ttime / %s\tmin–max\tpeak MiB\tmax |Δρ| to %s\t\n", ours.name, cross.name)
	for _, c := range contestants {
		var seconds, ratios []float64
		for round, r := range c.results {
			seconds = append(seconds, r.Seconds)
			ratios = append(ratios, r.Seconds/ours.results[round].Seconds)
		}
		s, q, last := newRange(seconds), newRange(ratios), c.results[len(c.results)-1]
		fmt.Fprintf(table, "%s\t%d, %d\t%.6f\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f–%.2f\t%.0f\t%s\t\n", c.name, last.K[0], last.K[1],
			last.Mean, s.min, s.median, s.max, q.median, q.min, q.max, c.peak,
			difference(last, cross.results[len(cross.results)-1]))
	}
	return table.Flush()
}

func find(contestants []*contestant, name string) *contestant {
	return contestants[slices.IndexFunc(contestants, func(c *contestant) bool { return c.name == name })]
}

// difference says how far the ρ of a and b lie apart.
func difference(a, b bench.Result) string {
	if a.K != b.K || len(a.Rho) != len(b.Rho) {
		return "k differs"
	}
	var most float64
	for i := range a.Rho {
		most = max(most, math.Abs(a.Rho[i]-b.Rho[i]))
	}
	return fmt.Sprintf("%.1e", most)
}

// valueRange is what the rounds gave.
type valueRange struct{ min, median, max float64 }

// newRange returns the range of at least one value.
func newRange(values []float64) valueRange {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return valueRange{v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]}
}
