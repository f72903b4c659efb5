package figure

import (
	"image/color"
	"math"
	"sync"

	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
)

// look holds the colours of a page.
type look struct {
	ink, faint, paper color.RGBA
	// undefined cells are filled with blank, hatched with hatch.
	blank, hatch color.RGBA
	// series are the colours of Okabe and Ito but for those too near the paper;
	// the faintest come last.
	series []color.RGBA
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

var light = look{
	ink: rgb(0x202020), faint: rgb(0xD9D9D9), paper: rgb(0xFFFFFF),
	blank: rgb(0xE4E4E4), hatch: rgb(0x8A8A8A),
	series: []color.RGBA{rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0x000000), rgb(0xCC79A7), rgb(0x56B4E9), rgb(0xE69F00)},
}

var dark = look{
	ink: rgb(0xE6E6E6), faint: rgb(0x3C3F44), paper: rgb(0x16181C),
	blank: rgb(0x3A3A3A), hatch: rgb(0x8A8A8A),
	series: []color.RGBA{rgb(0x56B4E9), rgb(0xE69F00), rgb(0x009E73), rgb(0xFFFFFF), rgb(0xCC79A7), rgb(0xF0E442), rgb(0xD55E00)},
}

// roles are colours that say no more than which of a look is meant: vivid ones, as
// neither scores nor numbers on them have. The page's style puts others in their place.
var roles = look{
	ink: role(0), faint: role(1), paper: role(2), blank: role(3), hatch: role(4),
	series: []color.RGBA{role(5), role(6), role(7), role(8), role(9), role(10), role(11)},
}

// role is the i-th of these: apart from each other by more than the rounding of what is
// not opaque.
func role(i int) color.RGBA { return color.RGBA{0xFF, 0, uint8(16*i + 8), 255} }

// roleOf returns which role a colour is, or false.
func roleOf(c color.RGBA) (i int, is bool) { return int(c.B / 16), c.R >= 0xF8 && c.G < 8 }

// all are the colours of a look in the order of their roles.
func (k *look) all() []color.RGBA {
	return append([]color.RGBA{k.ink, k.faint, k.paper, k.blank, k.hatch}, k.series...)
}

// scoreColours interpolates in CIELAB; where a colour lies between 0 and 1 is
// its lightness.
var scoreColours = sync.OnceValue(func() palette.ColorMap {
	var past []color.Color
	for _, hex := range []uint32{0x440154, 0x482878, 0x3E4989, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6ECE58, 0xB5DE2B, 0xFDE725} {
		past = append(past, rgb(hex))
	}
	m, err := moreland.NewLuminance(past)
	if err != nil {
		panic(err) // the colours above grow in lightness
	}
	m.SetMin(0)
	m.SetMax(1)
	return m
})

// scoreColour is the colour of a score; beyond 0 and 1 that of the nearer one.
func scoreColour(score float64) color.RGBA {
	c, err := scoreColours().At(max(0, min(1, score)))
	if err != nil {
		panic(err) // within 0 and 1
	}
	r, g, b, _ := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// inkOn is black or white, whichever stands out more: at least √21 = 4.58 to 1
// on any colour, as the two contrasts have the product 21.
func inkOn(c color.RGBA) color.RGBA {
	if black := rgb(0); contrast(c, black) >= contrast(c, light.paper) {
		return black
	}
	return light.paper
}

// contrast is that of WCAG 2.1, from 1 to 21.
func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
