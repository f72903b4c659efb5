package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart is what Curves, Correlations and Spectra draw: two axes, what lies
// between them, and a legend below, where it covers nothing.
type chart struct {
	title, xLabel, yLabel string
	x, y                  axis
	// counted: x counts from 1, with ticks at whole numbers only.
	counted bool
	content func(s *sheet, on area)
	legend  []entry
}

// entry is a line of the legend: a sample, drawn around (x, y), sampleWidth wide,
// and its name.
type entry struct {
	name   string
	sample func(s *sheet, x, y float64)
}

const sampleWidth = 26.

// area is a box between two axes.
type area struct {
	box
	x, y axis
}

func (a area) point(x, y float64) vg.Point {
	return point(a.left+a.x.at(x)*a.width(), a.bottom+a.y.at(y)*a.height())
}

func (a area) canvas(s *sheet) *draw.Canvas {
	return &draw.Canvas{Canvas: s.Canvas, Rectangle: a.rectangle()}
}

// along tells whether texts at marks along an axis of the given length keep apart.
func (a axis) along(length float64, extent func(text string) float64) func([]mark) bool {
	return func(marks []mark) bool {
		end := math.Inf(-1)
		for _, m := range marks {
			middle, half := a.at(m.value)*length, extent(m.text)/2
			if middle-half < end {
				return false
			}
			end = middle + half
		}
		return true
	}
}

func (c *chart) layout(page Page, look *look) (plan, error) {
	title := wrap(c.title, titleSize, page.Width-2*margin)
	head := margin
	if len(title) > 0 {
		head += float64(len(title))*titleSize*leading + 5
	}
	foot := margin + tick + 2 + tickSize*leading
	if c.xLabel != "" {
		foot += 3 + nameSize*leading
	}
	rows := c.flow(page.Width - 2*margin)
	if len(rows) > 0 {
		foot += 6 + float64(len(rows))*nameSize*1.4
	}
	height := page.Height
	if height == 0 {
		height = head + foot + 0.55*page.Width
	}
	left := margin
	if c.yLabel != "" {
		left += nameSize*leading + 3
	}
	h := height - head - foot
	yMarks := c.y.marks(c.y.along(h, func(string) float64 { return tickSize * 1.6 }))
	wide := 0.
	for _, m := range yMarks {
		wide = max(wide, textWidth(m.text, tickSize))
	}
	left += wide + 2 + tick
	right := page.Width - margin - 12
	w := right - left
	if w < 40 || h < 30 {
		return plan{}, fmt.Errorf("%w: on a page of %g by %.4g points the axes would be %.3g by %.3g: make it larger", ErrPage, page.Width, height, w, h)
	}
	xAxis := c.x
	xMarks := xAxis.marks(func(marks []mark) bool {
		if c.counted && slices.ContainsFunc(marks, func(m mark) bool { return m.value != math.Trunc(m.value) }) {
			return false
		}
		return xAxis.along(w, func(text string) float64 { return textWidth(text, tickSize) + 8 })(marks)
	})
	if c.counted {
		xMarks = slices.DeleteFunc(xMarks, func(m mark) bool { return m.value < 1 })
	}
	return plan{height, func(s *sheet) {
		drawTitle(s, title, height)
		on := area{box{left, foot, right, foot + h}, c.x, c.y}
		c.axes(s, on, xMarks, yMarks)
		c.content(s, on)
		s.frame(on.box)
		if c.yLabel != "" {
			s.textUp(s.look.ink, elide(c.yLabel, nameSize, h, 0.5), nameSize, margin+nameSize*leading/2, foot+h/2, 0.5)
		}
		y := foot - tick - 2 - tickSize*leading
		if c.xLabel != "" {
			s.text(s.look.ink, elide(c.xLabel, nameSize, w, 0.5), nameSize, left+w/2, y-3-nameSize*leading/2, 0.5)
			y -= 3 + nameSize*leading
		}
		y -= 6
		for _, row := range rows {
			x := margin
			for _, e := range row {
				e.sample(s, x+sampleWidth/2, y-nameSize*0.7)
				s.text(s.look.ink, e.name, nameSize, x+sampleWidth+4, y-nameSize*0.7, 0)
				x += e.extent()
			}
			y -= nameSize * 1.4
		}
	}}, nil
}

func (e entry) extent() float64 {
	return sampleWidth + 4 + textWidth(e.name, nameSize) + 12
}

// flow breaks the legend into rows no wider than room. Names too long for a row
// are shortened so that different ones still differ.
func (c *chart) flow(room float64) [][]entry {
	names := make([]string, len(c.legend))
	for i, e := range c.legend {
		names[i] = e.name
	}
	var rows [][]entry
	used := math.Inf(1)
	for i, name := range shorten(names, nameSize, room-sampleWidth-4) {
		e := entry{name, c.legend[i].sample}
		if used+e.extent()-12 > room {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += e.extent()
	}
	return rows
}

// axes draws grid lines and ticks, with their texts.
func (c *chart) axes(s *sheet, on area, xMarks, yMarks []mark) {
	for _, m := range xMarks {
		x := on.left + on.x.at(m.value)*on.width()
		s.tickX(x, on, m.text)
	}
	for _, m := range yMarks {
		y := on.bottom + on.y.at(m.value)*on.height()
		s.tickY(y, on, m.text)
	}
}

func (s *sheet) tickX(x float64, on area, text string) {
	length := tick
	if text == "" {
		length = tick / 2
	} else {
		s.line(s.look.faint, 0.5, nil, point(x, on.bottom), point(x, on.top))
		s.text(s.look.ink, text, tickSize, x, on.bottom-tick-2-tickSize*leading/2, 0.5)
	}
	s.line(s.look.ink, 0.5, nil, point(x, on.bottom), point(x, on.bottom-length))
}

func (s *sheet) tickY(y float64, on area, text string) {
	length := tick
	if text == "" {
		length = tick / 2
	} else {
		s.line(s.look.faint, 0.5, nil, point(on.left, y), point(on.right, y))
		s.text(s.look.ink, text, tickSize, on.left-tick-2, y, 1)
	}
	s.line(s.look.ink, 0.5, nil, point(on.left, y), point(on.left-length, y))
}

// style is how one of several series is drawn. Markers and dashes repeat after
// numbers of turns without a common divisor, so mostSeries of them differ
// without colour.
type style struct {
	colour color.RGBA
	dashes []vg.Length
	glyph  draw.GlyphDrawer // nil: none
	width  float64
}

const curveWidth, faintWidth = 1.2, 0.8

var (
	dashes = [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 1.5, 1.5, 1.5}}
	glyphs = []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
	}
)

// mostSeries is the number of styles: 4 dashes × 7 markers.
const mostSeries = 28

func (k *look) style(i int) style {
	return style{k.series[i%len(k.series)], dashes[i%len(dashes)], glyphs[i%len(glyphs)], curveWidth}
}

// curve draws a line within on, and markers on its points, no closer than 14
// points to one another.
func (s *sheet) curve(on area, st style, points []vg.Point) {
	c := on.canvas(s)
	for _, part := range c.ClipLinesXY(points) {
		s.line(st.colour, st.width, st.dashes, part...)
	}
	s.SetLineDash(nil, 0)
	last := math.Inf(-1)
	for _, at := range points {
		if c.Contains(at) && math.Abs(float64(at.X)-last) >= 14 {
			s.glyph(st, at)
			last = float64(at.X)
		}
	}
}

func (s *sheet) glyph(st style, at vg.Point) {
	if st.glyph == nil {
		return
	}
	s.SetLineDash(nil, 0)
	c := &draw.Canvas{Canvas: s.Canvas}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: st.colour, Radius: 2.6, Shape: st.glyph}, at)
}

// sample of a curve in the legend.
func (st style) sample(s *sheet, x, y float64) {
	s.line(st.colour, st.width, st.dashes, point(x-sampleWidth/2, y), point(x+sampleWidth/2, y))
	s.glyph(st, point(x, y))
}
