package figure

import (
	"fmt"
	"image"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// Pane is a heat map of scores: a row of cells for each layer of Rows, a column
// for each of Columns (Raghu et al., Fig. 4). The scale is 0 to 1 whatever the
// scores; where some lie beyond, as adjusted ones may, they take the colour of
// the nearer end, and the scale says "≤ 0" or "≥ 1" there. Cells with room
// for it hold their number.
type Pane struct {
	Title string
	// Rows and Columns name the layers, first at the top and at the left.
	Rows, Columns []string
	// RowTitle and ColumnTitle say what the layers are of.
	RowTitle, ColumnTitle string
	// Values holds len(Rows) rows of len(Columns) scores. They must be finite.
	Values [][]float64
	// Undefined marks cells without a score, which are hatched, and whose values
	// are not looked at. Nil: none.
	Undefined [][]bool
	// Score names the numbers, beside the scale. Empty: "SVCCA similarity".
	Score string
	// Distances shows 1 − value in place of the value.
	Distances bool
}

// Render writes the pane, whole or not at all. The error wraps ErrShape,
// ErrNotFinite, ErrText, ErrPage, or is w's.
func (p Pane) Render(w io.Writer, format Format, page Page) error {
	return render(&p, w, format, page)
}

func (p *Pane) width() float64 { return 360 }

func (p *Pane) check() error {
	if len(p.Rows) == 0 || len(p.Columns) == 0 {
		return fmt.Errorf("%w: pane of %d rows and %d columns: it needs a layer of each", ErrShape, len(p.Rows), len(p.Columns))
	}
	if err := checkRows("Values", p.Values, len(p.Rows), len(p.Columns)); err != nil {
		return err
	}
	if p.Undefined != nil {
		if err := checkRows("Undefined", p.Undefined, len(p.Rows), len(p.Columns)); err != nil {
			return err
		}
	}
	for i, row := range p.Values {
		for j, v := range row {
			if !finite(v) && !p.undefined(i, j) {
				return fmt.Errorf("%w: Values[%d][%d], %s against %s, is %v: mark it in Undefined if it has no score", ErrNotFinite, i, j, p.Rows[i], p.Columns[j], v)
			}
		}
	}
	if err := checkNames("row", p.Rows); err != nil {
		return err
	}
	if err := checkNames("column", p.Columns); err != nil {
		return err
	}
	for _, t := range []struct{ what, text string }{
		{"Title", p.Title}, {"RowTitle", p.RowTitle}, {"ColumnTitle", p.ColumnTitle}, {"Score", p.Score},
	} {
		if err := checkText(t.what, t.text); err != nil {
			return err
		}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkRows[T any](field string, rows [][]T, n, m int) error {
	if len(rows) != n {
		return fmt.Errorf("%w: %s has %d rows for %d names", ErrShape, field, len(rows), n)
	}
	for i, row := range rows {
		if len(row) != m {
			return fmt.Errorf("%w: %s[%d] has %d columns for %d names", ErrShape, field, i, len(row), m)
		}
	}
	return nil
}

func (p *Pane) undefined(i, j int) bool { return p.Undefined != nil && p.Undefined[i][j] }

// shown is the number that cell (i, j) shows.
func (p *Pane) shown(i, j int) float64 {
	if p.Distances {
		return 1 - p.Values[i][j]
	}
	return p.Values[i][j]
}

// scale is what the legend of one or more panes has to say.
type scale struct {
	label         string
	below, above  bool // scores lie beyond the scale
	withUndefined bool
}

func (p *Pane) scale() scale {
	s := scale{label: p.Score}
	switch {
	case p.Score == "" && p.Distances:
		s.label = "SVCCA distance"
	case p.Score == "":
		s.label = "SVCCA similarity"
	case p.Distances:
		s.label = "1 − " + p.Score
	}
	for i := range p.Rows {
		for j := range p.Columns {
			if p.undefined(i, j) {
				s.withUndefined = true
				continue
			}
			s.below = s.below || p.shown(i, j) < 0
			s.above = s.above || p.shown(i, j) > 1
		}
	}
	return s
}

func (p *Pane) layout(page Page, look *look) (plan, error) {
	alone := *p
	alone.Title = ""
	return (&Panes{Title: p.Title, Panes: []Pane{alone}}).layout(page, look)
}

// cells draws the pane's cells within b.
func (p *Pane) cells(s *sheet, b box) {
	n, m := len(p.Rows), len(p.Columns)
	w, h := b.width()/float64(m), b.height()/float64(n)
	// Cells reach under their right and lower neighbours, which come later: no
	// viewer's smoothing of edges then lets the paper shine through.
	const under = 0.4
	var blank []box
	image := s.format == SVG && n*m > mostCells
	if image {
		s.DrawImage(b.rectangle(), p.image())
	}
	for i := range n {
		for j := range m {
			cell := box{b.left + float64(j)*w, b.top - float64(i+1)*h, b.left + float64(j+1)*w, b.top - float64(i)*h}
			over := box{cell.left, max(b.bottom, cell.bottom-under), min(b.right, cell.right+under), cell.top}
			if p.undefined(i, j) {
				s.fill(s.look.blank, over)
				blank = append(blank, cell)
				continue
			}
			if !image {
				s.fill(scoreColour(p.shown(i, j)), over)
			}
		}
	}
	for _, cell := range blank {
		s.hatch(cell)
	}
	size := numberSize(p.numbers(), w, h)
	if size == 0 {
		return
	}
	for i := range n {
		for j := range m {
			if !p.undefined(i, j) {
				v := p.shown(i, j)
				s.text(inkOn(scoreColour(v)), number(v), size, b.left+(float64(j)+0.5)*w, b.top-(float64(i)+0.5)*h, 0.5)
			}
		}
	}
}

// mostCells are drawn each by itself in SVG. More are an image, a tenth as long and soon
// shown.
const mostCells = 900

// image has a pixel for each cell, clear for those without a score.
func (p *Pane) image() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, len(p.Columns), len(p.Rows)))
	for i := range p.Rows {
		for j := range p.Columns {
			if !p.undefined(i, j) {
				img.Set(j, i, scoreColour(p.shown(i, j)))
			}
		}
	}
	return img
}

// numbers are the different texts of the cells.
func (p *Pane) numbers() []string {
	var all []string
	for i := range p.Rows {
		for j := range p.Columns {
			if !p.undefined(i, j) {
				all = append(all, number(p.shown(i, j)))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 2, 64)
	if text == "-0.00" {
		return "0.00"
	}
	if text[0] == '-' {
		return "−" + text[1:]
	}
	return text
}

// numberSize is the size of type for numbers in cells of w × h, 0 where they do
// not fit.
func numberSize(numbers []string, w, h float64) float64 {
	for size := nameSize; size >= leastSize; size -= 0.5 {
		if widest(numbers, size)+0.5*size <= w && 1.3*size <= h {
			return size
		}
	}
	return 0
}

// hatch draws the lines x + y = a multiple of 4 points within b, so that they go
// on from cell to cell.
func (s *sheet) hatch(b box) {
	const apart = 4
	for sum := math.Ceil((b.left+b.bottom)/apart) * apart; sum < b.right+b.top; sum += apart {
		left, right := max(b.left, sum-b.top), min(b.right, sum-b.bottom)
		if left < right {
			s.line(s.look.hatch, 0.6, nil, point(left, sum-left), point(right, sum-right))
		}
	}
}

const legendHeight = 8 + 3 + tickSize*leading + 3 + nameSize*leading

// draw draws the legend of a scale into b, legendHeight high: a bar from 0 to 1,
// ticks, its label, and a hatched swatch.
func (c scale) draw(s *sheet, b box) {
	const swatch, gap = 12., 14.
	right := b.right
	if c.withUndefined {
		right -= gap + swatch + 4 + textWidth("undefined", tickSize)
	}
	bar := box{b.left, b.top - 8, min(right, b.left+220), b.top}
	const steps = 128
	for i := range steps {
		left := bar.left + bar.width()*float64(i)/steps
		s.fill(scoreColour(float64(i)/(steps-1)), box{left, bar.bottom, min(bar.right, left+bar.width()/steps+0.4), bar.top})
	}
	texts := []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}
	if c.below {
		texts[0] = "≤ 0"
	}
	if c.above {
		texts[5] = "≥ 1"
	}
	every := 1
	if 1.6*widest(texts, tickSize) > bar.width()/5 {
		every = 5
	}
	y := bar.bottom - 3 - tickSize*leading/2
	for i := 0; i < len(texts); i += every {
		x := bar.left + bar.width()*float64(i)/5
		s.line(s.look.ink, 0.5, nil, point(x, bar.bottom), point(x, bar.bottom-2))
		s.text(s.look.ink, texts[i], tickSize, x, y, 0.5)
	}
	y -= tickSize*leading/2 + 3 + nameSize*leading/2
	s.text(s.look.ink, elide(c.label, nameSize, b.width(), 0.5), nameSize, b.left, y, 0)
	if c.withUndefined {
		at := box{bar.right + gap, bar.bottom, bar.right + gap + swatch, bar.top}
		s.fill(s.look.blank, at)
		s.hatch(at)
		s.text(s.look.ink, "undefined", tickSize, at.right+4, (at.top+at.bottom)/2, 0)
	}
}

// frame draws a thin border just outside b.
func (s *sheet) frame(b box) {
	const half = 0.25
	l, r, lo, hi := b.left-half, b.right+half, b.bottom-half, b.top+half
	var p vg.Path
	p.Move(point(l, lo))
	for _, at := range []vg.Point{point(r, lo), point(r, hi), point(l, hi)} {
		p.Line(at)
	}
	p.Close()
	s.SetColor(s.look.ink)
	s.SetLineWidth(0.5)
	s.SetLineDash(nil, 0)
	s.Stroke(p)
}
