package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	sketchColumns = 60
	sketchRows    = 4
	levels        = 8 // of one letter
)

// blocks are the heights of a bar within a row, from none to full.
var (
	blocks      = []rune(" ▁▂▃▄▅▆▇█")
	asciiBlocks = []rune(" ...::###")
)

// sketch draws ρ as bars from 0 to 1. Few bars are wide, and where there are
// more ρ than columns a bar is the mean of its neighbours.
func (p *page) sketch(rho []float64) {
	bars, title := sketchBars(rho)
	cell := min(sketchColumns/len(bars), 4)
	gap := ""
	if cell > 1 {
		cell, gap = cell-1, " "
	}
	letters, corner, axis, tick, side := blocks, "└", "─", "┤", "│"
	if p.ascii {
		letters, corner, axis, tick, side = asciiBlocks, "+", "-", "+", "|"
	}
	p.paragraph("", "", title)
	for row := range sketchRows {
		floor := sketchRows - 1 - row
		label, mark := "     ", side
		if row%2 == 0 {
			label, mark = fmt.Sprintf(" %.1f ", float64(floor+1)/sketchRows), tick
		}
		line := label + mark
		for _, bar := range bars {
			level := max(0, min(height(bar)-floor*levels, levels))
			line += strings.Repeat(string(letters[level]), cell) + gap
		}
		p.line(line)
	}
	width := len(bars) * (cell + len(gap))
	p.line(" 0.0 " + corner + strings.Repeat(axis, width))
	last := ""
	if len(rho) > 1 {
		last = alignRight(strconv.Itoa(len(rho)), max(width-len(gap)-1, 2))
	}
	p.line("      1" + last)
}

// height returns a bar's height in eighths of a row; only 0 leaves nothing.
func height(rho float64) int {
	full := float64(sketchRows * levels)
	h := int(math.Round(rho * full))
	if h == 0 && rho > 0 {
		return 1
	}
	return h
}

// sketchBars returns the bars of a sketch and its title.
func sketchBars(rho []float64) (bars []float64, title string) {
	m := len(rho)
	title = "ρ of the aligned pairs of directions, closest first"
	if m <= sketchColumns {
		return rho, title
	}
	for i := range sketchColumns {
		from, to := i*m/sketchColumns, (i+1)*m/sketchColumns
		sum := 0.0
		for _, r := range rho[from:to] {
			sum += r
		}
		bars = append(bars, sum/float64(to-from))
	}
	least, most := m/sketchColumns, (m+sketchColumns-1)/sketchColumns
	group := strconv.Itoa(least)
	if most > least {
		group += " or " + strconv.Itoa(most)
	}
	return bars, title + "; a bar averages " + group
}
