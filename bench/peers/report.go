package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// table is rows of cells, the first of them the head. It prints as Markdown,
// aligned so that it reads well as it is.
type table [][]string

func (t *table) row(cells ...string) { *t = append(*t, cells) }

func (t table) print(out io.Writer) error {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for i, row := range t {
		for j, cell := range row {
			if space := strings.Repeat(" ", width[j]-utf8.RuneCountInString(cell)); j == 0 {
				text.WriteString("| " + cell + space + " |")
			} else {
				text.WriteString(" " + space + cell + " |")
			}
		}
		text.WriteString("\n")
		if i > 0 {
			continue
		}
		for j := range row {
			if dashes := strings.Repeat("-", width[j]+1); j == 0 {
				text.WriteString("|" + dashes + "-|")
			} else {
				text.WriteString(dashes + ":|")
			}
		}
		text.WriteString("\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// describe prints what contestants compute with, those of a kind together.
func describe(out io.Writer, contestants []*contestant) {
	names := map[string][]string{}
	for _, c := range contestants {
		names[c.about] = append(names[c.about], c.name)
	}
	for _, c := range contestants {
		if of := names[c.about]; of[0] == c.name {
			fmt.Fprintf(out, "- %s: %s\n", strings.Join(of, "; "), c.about)
		}
	}
	fmt.Fprintln(out)
}

// finish prints the table of contestants, and what their last results note.
func finish(out io.Writer, t table, contestants []*contestant) error {
	if err := t.print(out); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, c := range contestants {
		count := map[string]int{}
		for _, note := range c.last().Notes {
			count[note]++
		}
		for _, note := range slices.Sorted(maps.Keys(count)) {
			fmt.Fprintf(out, "- %s: %s (%d)\n\n", c.name, note, count[note])
		}
	}
	return nil
}

// seconds returns the time of each run of c.
func (c *contestant) seconds() []float64 {
	v := make([]float64, len(c.results))
	for i, r := range c.results {
		v[i] = r.Seconds
	}
	return v
}

// last returns the last result of c.
func (c *contestant) last() result { return c.results[len(c.results)-1] }

// timeHead heads the cells of times.
var timeHead = []string{"min s", "median s", "max s"}

// times returns the range of seconds as cells.
func times(seconds []float64) []string {
	r := newRange(seconds)
	return []string{fmt.Sprintf("%.3f", r.min), fmt.Sprintf("%.3f", r.median), fmt.Sprintf("%.3f", r.max)}
}

// mib returns resident memory as a cell.
func (c *contestant) mib() string { return fmt.Sprintf("%.0f", c.peak) }

// ratio returns the range of a over b, each of one round.
func ratio(a, b []float64) valueRange {
	q := make([]float64, len(a))
	for round := range a {
		q[round] = a[round] / b[round]
	}
	return newRange(q)
}

// furthest says how far the ρ of a and b lie apart, or their means, where either has
// no more.
func furthest(a, b result) string {
	if a.K == b.K && (a.Rho == nil || b.Rho == nil) {
		return fmt.Sprintf("%.1e", math.Abs(a.Mean-b.Mean))
	}
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

// String returns "median (min–max)", to three digits.
func (r valueRange) String() string {
	digits := 0
	if r.median > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(r.median))), 0), 4)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, r.median, digits, r.min, digits, r.max)
}

// percent returns the range in hundredths.
func (r valueRange) percent() string {
	return fmt.Sprintf("%.0f%% (%.0f–%.0f)", 100*r.median, 100*r.min, 100*r.max)
}
