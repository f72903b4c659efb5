package figure

import (
	"fmt"
	"io"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// Spectra are the singular values of layers by a logarithm, each cut at its k.
type Spectra struct {
	Title string
	// Spectra are told apart by colour, dash and marker; there may be 28.
	Spectra []Spectrum
}

// Spectrum holds the singular values of a layer.
type Spectrum struct {
	Name string
	// SingularValues decrease; those that are 0 have no place on the axis and are
	// left out.
	SingularValues []float64
	// K is how many directions were kept: a line falls from the K-th value.
	K int
}

// Render writes the spectra, whole or not at all. The error wraps ErrShape,
// ErrNotFinite, ErrRange, ErrText, ErrPage, or is w's.
func (c Spectra) Render(w io.Writer, format Format, page Page) error {
	return render(&c, w, format, page)
}

func (c *Spectra) width() float64 { return 360 }

func (c *Spectra) check() error {
	if err := checkText("Title", c.Title); err != nil {
		return err
	}
	if len(c.Spectra) == 0 || len(c.Spectra) > mostSeries {
		return fmt.Errorf("%w: %d spectra: from 1 to %d can be told apart", ErrShape, len(c.Spectra), mostSeries)
	}
	names := make([]string, len(c.Spectra))
	for i, s := range c.Spectra {
		names[i] = s.Name
		if err := s.check(fmt.Sprintf("Spectra[%d] (%s)", i, s.Name)); err != nil {
			return err
		}
	}
	return checkNames("spectrum", names)
}

func (r Spectrum) check(what string) error {
	positive := r.positive()
	if len(positive) == 0 {
		return fmt.Errorf("%w: %s has no singular value above 0", ErrRange, what)
	}
	for i, v := range r.SingularValues {
		if i < len(positive) {
			if err := checkAxis(fmt.Sprintf("%s: SingularValues[%d]", what, i), v, true); err != nil {
				return err
			}
		}
		if i > 0 && v > r.SingularValues[i-1] || v < 0 {
			return fmt.Errorf("%w: %s: SingularValues[%d] is %g: they must decrease, to 0 at least", ErrRange, what, i, v)
		}
	}
	if r.K < 0 || r.K > len(positive) {
		return fmt.Errorf("%w: %s: K is %d, of %d singular values above 0", ErrRange, what, r.K, len(positive))
	}
	return nil
}

// positive are the values before the first 0.
func (r Spectrum) positive() []float64 {
	for i, v := range r.SingularValues {
		if v == 0 {
			return r.SingularValues[:i]
		}
	}
	return r.SingularValues
}

func (c *Spectra) layout(page Page, look *look) (plan, error) {
	var ys []float64
	m := 1
	var legend []entry
	for i, r := range c.Spectra {
		ys = append(ys, r.positive()...)
		m = max(m, len(r.positive()))
		legend = append(legend, entry{r.Name + ", k = " + strconv.Itoa(r.K), look.style(i).sample})
	}
	legend = append(legend, entry{"kept, up to k", func(s *sheet, x, y float64) { s.cut(style{colour: look.ink}, point(x, y+2), y-4) }})
	x := axis{low: 1, high: float64(m)}
	beside := max(0.5, 0.02*float64(m))
	x.low, x.high = x.low-beside, x.high+beside
	return (&chart{
		title: c.Title, xLabel: "direction", yLabel: "singular value",
		x: x, y: newAxis(ys, true), counted: true, legend: legend,
		content: func(s *sheet, on area) {
			for i, r := range c.Spectra {
				values := r.positive()
				at := make([]vg.Point, len(values))
				for j, v := range values {
					at[j] = on.point(float64(j+1), v)
				}
				s.curve(on, look.style(i), at)
			}
			for i, r := range c.Spectra {
				if r.K > 0 {
					s.cut(look.style(i), on.point(float64(r.K), r.SingularValues[r.K-1]), on.bottom)
				}
			}
		},
	}).layout(page, look)
}

// cut marks the last value kept, by a diamond and a line down to the axis.
func (s *sheet) cut(st style, at vg.Point, bottom float64) {
	s.line(st.colour, 0.8, nil, at, vg.Point{X: at.X, Y: vg.Length(bottom)})
	const r = 4
	s.polygon(st.colour, vg.Point{X: at.X - r, Y: at.Y}, vg.Point{X: at.X, Y: at.Y - r}, vg.Point{X: at.X + r, Y: at.Y}, vg.Point{X: at.X, Y: at.Y + r})
}
