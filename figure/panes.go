package figure

import (
	"fmt"
	"io"
	"slices"
)

// Panes are several panes of the same layers, side by side on one scale: a
// network at successive steps of its training against its end, say. They break
// into lines where they would be too narrow.
type Panes struct {
	Title string
	// Panes have the same Rows, Columns, their titles, Score and Distances; their
	// own titles stand above them ("step 1000").
	Panes []Pane
}

// Render writes the panes, whole or not at all. The error is as Pane's.
func (p Panes) Render(w io.Writer, format Format, page Page) error {
	return render(&p, w, format, page)
}

func (p *Panes) width() float64 { return 540 }

func (p *Panes) check() error {
	if len(p.Panes) == 0 {
		return fmt.Errorf("%w: no panes", ErrShape)
	}
	if err := checkText("Title", p.Title); err != nil {
		return err
	}
	first := &p.Panes[0]
	for i := range p.Panes {
		pane := &p.Panes[i]
		if err := pane.check(); err != nil {
			return fmt.Errorf("Panes[%d]: %w", i, err)
		}
		for _, f := range []struct {
			field string
			same  bool
		}{
			{"Rows", slices.Equal(pane.Rows, first.Rows)},
			{"Columns", slices.Equal(pane.Columns, first.Columns)},
			{"RowTitle", pane.RowTitle == first.RowTitle},
			{"ColumnTitle", pane.ColumnTitle == first.ColumnTitle},
			{"Score", pane.Score == first.Score},
			{"Distances", pane.Distances == first.Distances},
		} {
			if !f.same {
				return fmt.Errorf("%w: Panes[%d].%s is not that of Panes[0]: panes side by side share names and scale", ErrShape, i, f.field)
			}
		}
	}
	return nil
}

const (
	margin = 6.
	tick   = 3. // length of tick marks
	// leastCell is the least side of a cell: thinner ones are no longer seen.
	leastCell = 0.25
)

// sheetPlan is where everything of Panes stands. Lengths in points.
type sheetPlan struct {
	title               []string
	perLine, lines      int
	rows, columns       labels
	across              bool    // names of columns are written across, not upwards
	left, right         float64 // where the first pane of a line begins; the page's margin
	pane                box     // its size, from (0, 0)
	above, below, apart float64 // beside each pane: its title, its columns' names, its neighbour
	scale               scale
}

func (p *Panes) layout(page Page, look *look) (plan, error) {
	first := &p.Panes[0]
	n, m := len(first.Rows), len(first.Columns)
	l := sheetPlan{title: wrap(p.Title, titleSize, page.Width-2*margin), apart: 10, right: page.Width - margin}
	for i := range p.Panes {
		s := p.Panes[i].scale()
		s.below, s.above, s.withUndefined = s.below || l.scale.below, s.above || l.scale.above, s.withUndefined || l.scale.withUndefined
		l.scale = s
	}

	// Rows' names take what room they need, at most; cells get the rest.
	room := min(widest(first.Rows, nameSize), 0.28*page.Width)
	left := margin + tick + 2
	if first.RowTitle != "" {
		left += nameSize*leading + 3
	}
	available := l.right - left - room
	wanted := max(80, min(150, float64(m)*(leastSize*leading+0.5)))
	l.perLine = min(len(p.Panes), max(1, int((available+l.apart)/(wanted+l.apart))))
	l.lines = (len(p.Panes) + l.perLine - 1) / l.perLine
	l.perLine = (len(p.Panes) + l.lines - 1) / l.lines
	paneWidth := func(available float64) float64 {
		const mostCell = 54
		w := (available - float64(l.perLine-1)*l.apart) / float64(l.perLine)
		return min(w, mostCell*float64(m))
	}
	w := paneWidth(available)

	if p.titled() {
		l.above = nameSize*leading + 3
	}
	if l.columns, l.across = fitAcross(first.Columns, w/float64(m)); l.across {
		l.below = tick + 2 + l.columns.size*leading
	} else {
		l.columns = fitNames(first.Columns, w/float64(m), min(120, max(40, 0.3*page.Width)), nameSize)
		l.below = tick + 2 + l.columns.extent
	}
	if first.ColumnTitle != "" {
		l.below += 3 + nameSize*leading
	}
	head := margin
	if len(l.title) > 0 {
		head += float64(len(l.title))*titleSize*leading + 5
	}
	const foot = 10 + legendHeight + margin
	around := head + float64(l.lines)*(l.above+l.below) + float64(l.lines-1)*l.apart + foot

	// Cells are square, unless the pane were too flat for its names or too tall.
	h := max(w/float64(m)*float64(n), min(float64(n)*nameSize*1.25, 0.75*w))
	h = min(h, 1.3*page.Width)
	if page.Height > 0 {
		h = (page.Height - around) / float64(l.lines)
	}
	if w < leastCell*float64(m) || h < leastCell*float64(n) || w < 24 || h < min(12, float64(n)*6) {
		return plan{}, fmt.Errorf("%w: %d × %d cells would be %.3g by %.3g points on a page of %g by %g: make it larger",
			ErrPage, n, m, w/float64(m), h/float64(n), page.Width, max(page.Height, around+h))
	}
	l.rows = fitNames(first.Rows, h/float64(n), room, l.columns.size)
	// What the names left of their room makes cells wider; names fit all the more.
	l.left = left + l.rows.extent
	l.pane = box{0, 0, paneWidth(l.right - l.left), h}
	height := around + float64(l.lines)*h
	return plan{height, func(s *sheet) { p.draw(s, l, height) }}, nil
}

// titled: any pane has a title of its own.
func (p *Panes) titled() bool {
	return slices.ContainsFunc(p.Panes, func(pane Pane) bool { return pane.Title != "" })
}

func (p *Panes) draw(s *sheet, l sheetPlan, height float64) {
	top := drawTitle(s, l.title, height)
	for i := range p.Panes {
		line, column := i/l.perLine, i%l.perLine
		left := l.left + float64(column)*(l.pane.right+l.apart)
		upper := top - l.above - float64(line)*(l.above+l.pane.top+l.below+l.apart)
		b := box{left, upper - l.pane.top, left + l.pane.right, upper}
		p.Panes[i].draw(s, l, b, column == 0)
	}
	left := min(l.left, max(margin, l.right-220))
	l.scale.draw(s, box{left, margin, l.right, margin + legendHeight})
}

// drawTitle writes the lines of a figure's title at its top and returns what is
// left of the height.
func drawTitle(s *sheet, title []string, height float64) float64 {
	y := height - margin
	for _, line := range title {
		s.text(s.look.ink, line, titleSize, margin, y-titleSize*leading/2, 0)
		y -= titleSize * leading
	}
	if len(title) > 0 {
		y -= 5
	}
	return y
}

// draw draws a pane with its cells within b and names around; those of rows only
// where it is the first of its line.
func (p *Pane) draw(s *sheet, l sheetPlan, b box, first bool) {
	ink := s.look.ink
	n, m := float64(len(p.Rows)), float64(len(p.Columns))
	p.cells(s, b)
	s.frame(b)
	if p.Title != "" {
		s.text(ink, elide(p.Title, nameSize, b.width(), 0.5), nameSize, (b.left+b.right)/2, b.top+3+nameSize*leading/2, 0.5)
	}
	if first {
		for i, name := range l.rows.text {
			if y := b.top - (float64(i)+0.5)*b.height()/n; name != "" {
				s.line(ink, 0.5, nil, point(b.left-0.5, y), point(b.left-tick, y))
				s.text(ink, name, l.rows.size, b.left-tick-2, y, 1)
			}
		}
		if p.RowTitle != "" {
			s.textUp(ink, elide(p.RowTitle, nameSize, b.height(), 0.5), nameSize, margin+nameSize*leading/2, (b.bottom+b.top)/2, 0.5)
		}
	}
	y := b.bottom - tick - 2
	for j, name := range l.columns.text {
		if name == "" {
			continue
		}
		x := b.left + (float64(j)+0.5)*b.width()/m
		s.line(ink, 0.5, nil, point(x, b.bottom-0.5), point(x, b.bottom-tick))
		if l.across {
			s.text(ink, name, l.columns.size, x, y-l.columns.size*leading/2, 0.5)
		} else {
			s.textUp(ink, name, l.columns.size, x, y, 1)
		}
	}
	if p.ColumnTitle != "" {
		y := b.bottom - l.below + nameSize*leading/2
		if textWidth(p.ColumnTitle, nameSize) > b.width() && l.perLine == 1 {
			s.text(ink, elide(p.ColumnTitle, nameSize, l.right-b.left, 0.5), nameSize, b.left, y, 0)
		} else {
			s.text(ink, elide(p.ColumnTitle, nameSize, b.width(), 0.5), nameSize, (b.left+b.right)/2, y, 0.5)
		}
	}
}
