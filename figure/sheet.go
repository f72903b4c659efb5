package figure

import (
	"image/color"
	"math"
	"sync"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// sheet is a canvas and its colours; lengths are points, y grows upwards.
type sheet struct {
	vg.Canvas
	look *look
	// format: in PDF text outside ASCII is drawn as outlines of its letters, as vgpdf
	// takes no other text, and colours are not multiplied by their opacity. In SVG
	// many cells are an image.
	format Format
}

type box struct{ left, bottom, right, top float64 }

func (b box) width() float64  { return b.right - b.left }
func (b box) height() float64 { return b.top - b.bottom }

func (b box) rectangle() vg.Rectangle {
	return vg.Rectangle{Min: point(b.left, b.bottom), Max: point(b.right, b.top)}
}

func point(x, y float64) vg.Point { return vg.Point{X: vg.Length(x), Y: vg.Length(y)} }

func (s *sheet) fill(c color.Color, b box) {
	s.polygon(c, point(b.left, b.bottom), point(b.right, b.bottom), point(b.right, b.top), point(b.left, b.top))
}

// quarter is c a quarter opaque.
func (s *sheet) quarter(c color.RGBA) color.Color {
	const opacity = 64
	if s.format == PDF {
		return straight{c, opacity}
	}
	return color.NRGBA{c.R, c.G, c.B, opacity}
}

// straight is a colour that vgpdf takes as it should: it reads what RGBA returns
// as if it were not multiplied by the opacity.
type straight struct {
	colour  color.RGBA
	opacity uint8
}

func (c straight) RGBA() (r, g, b, a uint32) {
	r, g, b, _ = c.colour.RGBA()
	return r, g, b, uint32(c.opacity) * 0x101
}

func (s *sheet) polygon(c color.Color, corners ...vg.Point) {
	if len(corners) == 0 {
		return
	}
	var p vg.Path
	p.Move(corners[0])
	for _, at := range corners[1:] {
		p.Line(at)
	}
	p.Close()
	s.SetColor(c)
	s.Fill(p)
}

// line strokes a line through points; dashes nil: solid.
func (s *sheet) line(c color.Color, width float64, dashes []vg.Length, through ...vg.Point) {
	if len(through) < 2 {
		return
	}
	var p vg.Path
	p.Move(through[0])
	for _, at := range through[1:] {
		p.Line(at)
	}
	s.SetColor(c)
	s.SetLineWidth(vg.Length(width))
	s.SetLineDash(dashes, 0)
	s.Stroke(p)
}

// Sizes of type, in points.
const (
	titleSize = 10.
	nameSize  = 8.
	tickSize  = 7.
	leastSize = 6.
)

// Shares of the size of type: how far it reaches over and under its line, and
// the least distance of two lines.
const (
	ascent  = 0.906
	descent = 0.213
	leading = 1.15
)

var face = sync.OnceValue(func() font.Face {
	for _, f := range liberation.Collection() {
		if f.Font.Name() == "LiberationSans-Regular" {
			return f
		}
	}
	panic("figure: gonum.org/v1/plot has no Liberation Sans")
})

// textWidth of one line.
func textWidth(text string, size float64) float64 {
	f := face()
	f.Font.Size = vg.Length(size)
	return float64(f.Width(text))
}

// text draws one line with its point (x, y) at the given share of its width:
// 0 is its start, ½ its middle, 1 its end; y is the middle between the heights
// it may reach.
func (s *sheet) text(c color.Color, text string, size, x, y, share float64) {
	s.write(c, text, size, x-share*textWidth(text, size), y-(ascent-descent)/2*size)
}

// textUp is text that runs upwards.
func (s *sheet) textUp(c color.Color, text string, size, x, y, share float64) {
	s.Push()
	s.Rotate(math.Pi / 2)
	s.text(c, text, size, y, -x, share) // (x, y) in turned coordinates
	s.Pop()
}

func (s *sheet) write(c color.Color, text string, size, x, y float64) {
	f := face()
	f.Font.Size = vg.Length(size)
	s.SetColor(c)
	if s.format == PDF && !ascii(text) {
		s.letters(f, text, size, x, y)
		return
	}
	s.FillString(f, point(x, y), text)
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// letters fills the outlines of text.
func (s *sheet) letters(f font.Face, text string, size, x, y float64) {
	var (
		buf   sfnt.Buffer
		perEm = fixed.Int26_6(f.Face.UnitsPerEm())
		at    = func(x0 float64, p fixed.Point26_6) vg.Point {
			return point(x0+float64(p.X)*size/float64(perEm), y-float64(p.Y)*size/float64(perEm))
		}
		letters = []rune(text)
	)
	for i, r := range letters {
		glyph, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		segments, err := f.Face.LoadGlyph(&buf, glyph, perEm, nil)
		if err != nil {
			continue
		}
		x0 := x + textWidth(string(letters[:i+1]), size) - textWidth(string(r), size)
		var p vg.Path
		for _, g := range segments {
			switch g.Op {
			case sfnt.SegmentOpMoveTo:
				if len(p) > 0 {
					p.Close()
				}
				p.Move(at(x0, g.Args[0]))
			case sfnt.SegmentOpLineTo:
				p.Line(at(x0, g.Args[0]))
			case sfnt.SegmentOpQuadTo:
				p.QuadTo(at(x0, g.Args[0]), at(x0, g.Args[1]))
			case sfnt.SegmentOpCubeTo:
				p.CubeTo(at(x0, g.Args[0]), at(x0, g.Args[1]), at(x0, g.Args[2]))
			}
		}
		if len(p) > 0 {
			p.Close()
			s.Fill(p)
		}
	}
}
