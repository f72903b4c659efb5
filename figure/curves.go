package figure

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// Curves are series over one axis: scores of layers over the steps of training,
// of a class over the layers of a network, accuracy over directions kept.
type Curves struct {
	Title, XLabel, YLabel string
	// Series are told apart by colour, dash and marker; there may be 28 that are not faint.
	Series []Series
	// LogX: x, which must be positive, is spaced by its logarithm.
	LogX bool
	// From and To are the ends of the y axis; what lies beyond is cut off. Both
	// zero: what the data reach over. Scores are well shown from 0 to 1.
	From, To float64
}

// Series is one of Curves.
type Series struct {
	// Name stands in the legend. It may be empty where there is one series.
	Name string
	// X grows from point to point.
	X, Y []float64
	// Low and High bound a band around Y. Nil: none.
	Low, High []float64
	// Undefined marks points without a value, whose Y, Low and High are not looked
	// at, and where the line breaks. Nil: none.
	Undefined []bool
	// Colour, 1 to 7, chooses a colour and its marker, Dash, 1 to 4, how the line is
	// broken: series that belong together may look so. Zero: by the place among Series.
	Colour, Dash int
	// Faint: a thin grey line without markers, for what others are seen against.
	Faint bool
}

// Render writes the curves, whole or not at all. The error wraps ErrShape,
// ErrNotFinite, ErrRange, ErrText, ErrPage, or is w's.
func (c Curves) Render(w io.Writer, format Format, page Page) error {
	return render(&c, w, format, page)
}

func (c *Curves) width() float64 { return 360 }

func (c *Curves) check() error {
	for _, t := range []struct{ what, text string }{{"Title", c.Title}, {"XLabel", c.XLabel}, {"YLabel", c.YLabel}} {
		if err := checkText(t.what, t.text); err != nil {
			return err
		}
	}
	names := make([]string, len(c.Series))
	count := 0
	for _, r := range c.Series {
		if !r.Faint {
			count++
		}
	}
	if len(c.Series) == 0 || count > mostSeries {
		return fmt.Errorf("%w: %d series: from 1 to %d can be told apart", ErrShape, count, mostSeries)
	}
	for i := range c.Series {
		names[i] = c.Series[i].Name
		if err := c.Series[i].check(fmt.Sprintf("Series[%d] (%s)", i, names[i]), c.LogX); err != nil {
			return err
		}
	}
	if err := checkAxis("From", c.From, false); err != nil {
		return err
	}
	if err := checkAxis("To", c.To, false); err != nil {
		return err
	}
	if c.From != 0 || c.To != 0 {
		if c.To-c.From < leastSpan*max(math.Abs(c.From), math.Abs(c.To)) {
			return fmt.Errorf("%w: the y axis is to run from %g to %g: To must be above From by a thousandth of either", ErrRange, c.From, c.To)
		}
	}
	if len(names) == 1 && names[0] == "" {
		return nil
	}
	return checkNames("series", names)
}

func (r *Series) check(what string, log bool) error {
	if len(r.X) == 0 || len(r.Y) != len(r.X) {
		return fmt.Errorf("%w: %s has %d x and %d y: it needs as many, one at least", ErrShape, what, len(r.X), len(r.Y))
	}
	if (r.Low != nil || r.High != nil) && (len(r.Low) != len(r.X) || len(r.High) != len(r.X)) {
		return fmt.Errorf("%w: %s has %d x, but a band of %d low and %d high", ErrShape, what, len(r.X), len(r.Low), len(r.High))
	}
	if r.Colour < 0 || r.Colour > len(glyphs) || r.Dash < 0 || r.Dash > len(dashes) {
		return fmt.Errorf("%w: %s has Colour %d and Dash %d: there are %d and %d", ErrRange, what, r.Colour, r.Dash, len(glyphs), len(dashes))
	}
	if r.Undefined != nil && len(r.Undefined) != len(r.X) {
		return fmt.Errorf("%w: %s has %d x, but marks %d as undefined or not", ErrShape, what, len(r.X), len(r.Undefined))
	}
	for i := range r.X {
		if err := checkAxis(fmt.Sprintf("%s: X[%d]", what, i), r.X[i], log); err != nil {
			return err
		}
		if i > 0 && !(r.X[i] > r.X[i-1]) {
			return fmt.Errorf("%w: %s: X[%d] = %g follows %g: x must grow", ErrRange, what, i, r.X[i], r.X[i-1])
		}
		if r.undefined(i) {
			continue
		}
		if err := checkAxis(fmt.Sprintf("%s: Y[%d]", what, i), r.Y[i], false); err != nil {
			return err
		}
		if r.Low == nil {
			continue
		}
		if err := checkAxis(fmt.Sprintf("%s: Low[%d]", what, i), r.Low[i], false); err != nil {
			return err
		}
		if err := checkAxis(fmt.Sprintf("%s: High[%d]", what, i), r.High[i], false); err != nil {
			return err
		}
		if r.Low[i] > r.High[i] {
			return fmt.Errorf("%w: %s: Low[%d] = %g is above High[%d] = %g", ErrRange, what, i, r.Low[i], i, r.High[i])
		}
	}
	return nil
}

func (r *Series) undefined(i int) bool { return r.Undefined != nil && r.Undefined[i] }

// runs are the parts of the series between points without a value.
func (r *Series) runs() (runs []Series) {
	for i := 0; i < len(r.X); i++ {
		first := i
		for i < len(r.X) && !r.undefined(i) {
			i++
		}
		if i == first {
			continue
		}
		run := Series{X: r.X[first:i], Y: r.Y[first:i]}
		if r.Low != nil {
			run.Low, run.High = r.Low[first:i], r.High[first:i]
		}
		runs = append(runs, run)
	}
	return runs
}

func (c *Curves) layout(page Page, look *look) (plan, error) {
	var xs, ys []float64
	for _, r := range c.Series {
		xs = append(xs, r.X...)
		for _, run := range r.runs() {
			ys = slices.Concat(ys, run.Y, run.Low, run.High)
		}
	}
	if len(ys) == 0 { // an axis like any other, with nothing to show
		ys = []float64{0, 1}
	}
	y := newAxis(ys, false)
	if c.From != 0 || c.To != 0 {
		y = axis{low: c.From, high: c.To}
	}
	var legend []entry
	if c.Series[0].Name != "" {
		for i, r := range c.Series {
			legend = append(legend, entry{r.Name, r.style(look, i).sample})
		}
	}
	return (&chart{
		title: c.Title, xLabel: c.XLabel, yLabel: c.YLabel,
		x: newAxis(xs, c.LogX), y: y, legend: legend,
		content: func(s *sheet, on area) {
			for i, r := range c.Series {
				for _, run := range r.runs() {
					run.band(s, on, r.style(look, i).colour)
				}
			}
			for i, r := range c.Series {
				for _, run := range r.runs() {
					s.curve(on, r.style(look, i), places(on, run.X, run.Y))
				}
			}
		},
	}).layout(page, look)
}

// style is how the series is drawn, the i-th of its figure.
func (r *Series) style(look *look, i int) style {
	st := look.style(i)
	if r.Colour > 0 {
		of := look.style(r.Colour - 1)
		st.colour, st.glyph = of.colour, of.glyph
	}
	if r.Dash > 0 {
		st.dashes = dashes[r.Dash-1]
	}
	if r.Faint {
		st.colour, st.glyph, st.width = look.hatch, nil, faintWidth
	}
	return st
}

func places(on area, x, y []float64) []vg.Point {
	at := make([]vg.Point, len(x))
	for i := range x {
		at[i] = on.point(x[i], y[i])
	}
	return at
}

// band fills between Low and High, a quarter opaque.
func (r *Series) band(s *sheet, on area, c color.RGBA) {
	if len(r.Low) < 2 {
		return
	}
	around := places(on, r.X, r.High)
	slices.Reverse(around)
	around = append(places(on, r.X, r.Low), around...)
	s.polygon(s.quarter(c), on.canvas(s).ClipPolygonXY(around)...)
}
