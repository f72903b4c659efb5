package figure

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Errors that a figure's data can cause, for errors.Is. The error around one
// names the figure's field, what was expected and what was found.
var (
	// ErrShape: names and values do not match in number, or there are none.
	ErrShape = errors.New("sizes do not match")
	// ErrNotFinite: a value is NaN or infinite.
	ErrNotFinite = errors.New("value is not finite")
	// ErrRange: a value that the figure's axis cannot show.
	ErrRange = errors.New("out of range")
	// ErrText: a name or title is not printable text.
	ErrText = errors.New("not printable text")
	// ErrPage: a format that is not known, or a page too small or too large.
	ErrPage = errors.New("bad page")
)

// Format is a kind of file.
type Format string

// SVG and PDF are drawings, PNG is an image.
const (
	SVG Format = "svg"
	PNG Format = "png"
	PDF Format = "pdf"
)

// FormatOf returns the format that a file's name ends in: .svg, .png or .pdf.
// The error wraps ErrPage.
func FormatOf(path string) (Format, error) {
	suffix := filepath.Ext(path)
	switch f := Format(strings.ToLower(strings.TrimPrefix(suffix, "."))); f {
	case SVG, PNG, PDF:
		return f, nil
	}
	return "", fmt.Errorf("%w: %s: end the name in .svg, .png or .pdf, not %q", ErrPage, path, suffix)
}

// Centimetre is one in points, the unit of Page.
const Centimetre = 72 / 2.54

// Page is what a figure is drawn on. Lengths are in points, 1/72 inch; type is
// 6 to 10 points high at any width.
type Page struct {
	// Width. Zero: 360, a column of text; 540 for Panes.
	Width float64
	// Height. Zero: what the figure needs at that width.
	Height float64
	// DPI is the number of pixels to the inch: of PNG, zero meaning 144, two to the
	// point; and inline of the page, whose inches have 96.
	DPI int
	// Dark: light ink on a dark page.
	Dark bool
	// Transparent: no paper, for a page that has the colour of Dark or of its
	// contrary already.
	Transparent bool
	// Inline: an SVG element within a page of HTML that has Style, whose colours it
	// takes, of light or dark; no wider than there is room. Without paper.
	Inline bool
	// Name and Description tell readers who do not see it what the figure is and
	// what is in it: the title and desc of SVG. Empty: none.
	Name, Description string
}

const (
	leastWidth, leastHeight = 120., 72.
	// mostSide is that of a page of PDF: 200 inches.
	mostSide = 14400.
	// mostPixels of a PNG: an image of 256 MiB in memory.
	mostPixels = 1 << 26
)

// figure is what every exported figure can do: check itself, and lay itself out
// on a page, which tells its height and how to draw it.
type figure interface {
	check() error
	layout(p Page, look *look) (plan, error)
	width() float64
}

// plan is a figure laid out: drawn upwards from the lower left corner (0, 0).
type plan struct {
	height float64
	draw   func(*sheet)
}

// render draws f in memory and writes it in one piece.
func render(f figure, w io.Writer, format Format, p Page) error {
	switch format {
	case SVG, PNG, PDF:
	default:
		return fmt.Errorf("%w: format %q: it is svg, png or pdf", ErrPage, format)
	}
	if p.Width == 0 {
		p.Width = f.width()
	}
	if p.DPI == 0 {
		p.DPI = 144
		if p.Inline {
			p.DPI = 96
		}
	}
	if !(p.Width >= leastWidth && p.Width <= mostSide) {
		return fmt.Errorf("%w: width %g: it must be from %g to %g points", ErrPage, p.Width, leastWidth, mostSide)
	}
	if p.Height != 0 && !(p.Height >= leastHeight && p.Height <= mostSide) {
		return fmt.Errorf("%w: height %g: it must be from %g to %g points, or 0 for what the figure needs", ErrPage, p.Height, leastHeight, mostSide)
	}
	if p.DPI < 1 || p.DPI > 2400 {
		return fmt.Errorf("%w: %d DPI: it must be from 1 to 2400", ErrPage, p.DPI)
	}
	if p.Inline && format != SVG {
		return fmt.Errorf("%w: format %q: inline it is svg", ErrPage, format)
	}
	for _, t := range []struct{ what, text string }{{"Name", p.Name}, {"Description", p.Description}} {
		if err := checkText(t.what, t.text); err != nil {
			return err
		}
	}
	if err := f.check(); err != nil {
		return err
	}
	look := &light
	switch {
	case p.Inline:
		look, p.Transparent = &roles, true
	case p.Dark:
		look = &dark
	}
	plan, err := f.layout(p, look)
	if err != nil {
		return err
	}
	if plan.height > mostSide {
		return fmt.Errorf("%w: the figure is %.0f points high, more than %g: give a narrower page, or a height", ErrPage, plan.height, mostSide)
	}
	file, err := p.paint(plan, look, format)
	if err != nil {
		return err
	}
	_, err = w.Write(file)
	return err
}

// paint returns the bytes of the file.
func (p Page) paint(plan plan, look *look, format Format) (file []byte, err error) {
	w, h := vg.Length(p.Width), vg.Length(plan.height)
	var canvas vg.CanvasWriterTo
	switch format {
	case SVG:
		canvas = vgsvg.New(w, h)
	case PNG:
		scale := float64(p.DPI) / 72
		if math.Ceil(p.Width*scale)*math.Ceil(plan.height*scale) > mostPixels {
			return nil, fmt.Errorf("%w: %.0f by %.0f points at %d DPI are more than %d pixels: give fewer DPI", ErrPage, p.Width, plan.height, p.DPI, mostPixels)
		}
		// The last pixels may lie on the page in part only.
		paper := color.Color(look.paper)
		if p.Transparent {
			paper = color.Transparent
		}
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(p.DPI), vgimg.UseBackgroundColor(paper))}
	case PDF:
		// Fonts go through temporary files; where these fail vgpdf panics.
		defer func() {
			if r := recover(); r != nil {
				file, err = nil, fmt.Errorf("figure: PDF: %v", r)
			}
		}()
		canvas = vgpdf.New(w, h)
	}
	s := &sheet{Canvas: canvas, look: look, format: format}
	if !p.Transparent {
		s.fill(look.paper, box{0, 0, p.Width, plan.height})
	}
	plan.draw(s)
	var drawn bytes.Buffer
	if _, err := canvas.WriteTo(&drawn); err != nil {
		return nil, err
	}
	if format == SVG {
		return p.finish(drawn.Bytes(), plan.height), nil
	}
	return drawn.Bytes(), nil
}
