package figure

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// Correlations are the ρ of one comparison as bars, the first at the left, from
// 0 to 1, beside what layers that share nothing would give.
type Correlations struct {
	Title string
	// Rho holds values from 0 to 1.
	Rho []float64
	// Chance is the mean square of ρ by chance (svcca.Comparison.Chance), from 0
	// to 1. A line stands at its root, where equal ρ would have that mean square.
	// Zero: no line.
	Chance float64
}

// Render writes the bars, whole or not at all. The error wraps ErrShape,
// ErrNotFinite, ErrRange, ErrText, ErrPage, or is w's.
func (c Correlations) Render(w io.Writer, format Format, page Page) error {
	return render(&c, w, format, page)
}

func (c *Correlations) width() float64 { return 360 }

func (c *Correlations) check() error {
	if err := checkText("Title", c.Title); err != nil {
		return err
	}
	if len(c.Rho) == 0 {
		return fmt.Errorf("%w: Rho is empty", ErrShape)
	}
	for i, v := range c.Rho {
		if err := checkShare(fmt.Sprintf("Rho[%d]", i), v); err != nil {
			return err
		}
	}
	return checkShare("Chance", c.Chance)
}

func checkShare(what string, v float64) error {
	if !finite(v) {
		return fmt.Errorf("%w: %s is %v", ErrNotFinite, what, v)
	}
	if v < 0 || v > 1 {
		return fmt.Errorf("%w: %s is %g: it must be from 0 to 1", ErrRange, what, v)
	}
	return nil
}

func (c *Correlations) layout(page Page, look *look) (plan, error) {
	chance := style{colour: look.series[1], dashes: []vg.Length{5, 2}}
	level := math.Sqrt(c.Chance)
	var legend []entry
	if c.Chance > 0 {
		legend = []entry{{"by chance: √" + strconv.FormatFloat(c.Chance, 'f', 3, 64) + " = " + strconv.FormatFloat(level, 'f', 3, 64),
			func(s *sheet, x, y float64) {
				s.line(chance.colour, 1.2, chance.dashes, point(x-sampleWidth/2, y), point(x+sampleWidth/2, y))
			}}}
	}
	m := float64(len(c.Rho))
	return (&chart{
		title: c.Title, xLabel: "aligned direction", yLabel: "ρ",
		x: axis{low: 0.5, high: m + 0.5}, y: axis{low: 0, high: 1}, counted: true, legend: legend,
		content: func(s *sheet, on area) {
			// Bars stand apart where that leaves 2 points of each.
			half := 0.5
			if 0.8*on.width()/m >= 2 {
				half = 0.4
			}
			for i, rho := range c.Rho {
				x := float64(i + 1)
				a, b := on.point(x-half, 0), on.point(x+half, rho)
				s.fill(look.series[0], box{float64(a.X), float64(a.Y), float64(b.X), float64(b.Y)})
			}
			if c.Chance > 0 {
				s.line(chance.colour, 1.2, chance.dashes, on.point(0.5, level), on.point(m+0.5, level))
			}
		},
	}).layout(page, look)
}
