package figure

import (
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// linear returns light in proportion to energy, of sRGB (IEC 61966-2-1).
func linear(c color.RGBA) (v [3]float64) {
	for i, x := range []uint8{c.R, c.G, c.B} {
		if s := float64(x) / 255; s > 0.04045 {
			v[i] = math.Pow((s+0.055)/1.055, 2.4)
		} else {
			v[i] = s / 12.92
		}
	}
	return v
}

func apply(m [3][3]float64, v [3]float64) (w [3]float64) {
	for i := range 3 {
		for j := range 3 {
			w[i] += m[i][j] * v[j]
		}
	}
	return w
}

// labOf is CIELAB, of linear sRGB.
func labOf(v [3]float64) [3]float64 {
	x := apply([3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}, v)
	f := func(r float64) float64 {
		if r > 216./24389 {
			return math.Cbrt(r)
		}
		return (24389./27*r + 16) / 116
	}
	fx, fy, fz := f(x[0]/0.95047), f(x[1]), f(x[2]/1.08883)
	return [3]float64{116*fy - 16, 500 * (fx - fy), 200 * (fy - fz)}
}

func lab(c color.RGBA) [3]float64 { return labOf(linear(c)) }

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

func wcag(a, b color.RGBA) float64 {
	y := func(c color.RGBA) float64 {
		v := linear(c)
		return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2]
	}
	return (max(y(a), y(b)) + 0.05) / (min(y(a), y(b)) + 0.05)
}

// Machado, Oliveira and Fernandes 2009, severity 1: what eyes without one kind of
// cone see, in linear sRGB.
var blindness = map[string][3][3]float64{
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

func seen(c color.RGBA, kind string) [3]float64 {
	v := apply(blindness[kind], linear(c))
	for i := range v {
		v[i] = max(0, min(1, v[i]))
	}
	return labOf(v)
}

// Lightness grows in proportion to the score, within the rounding of colours to
// 8 bits, which is worth 0.5 at most in the dark; numbers stand out everywhere.
func TestScoreColours(t *testing.T) {
	low, high := lab(scoreColour(0))[0], lab(scoreColour(1))[0]
	assert.Less(t, low, 20.)
	assert.Greater(t, high, 85.)
	for i := range 1001 {
		v := float64(i) / 1000
		c := scoreColour(v)
		assert.InDelta(t, low+v*(high-low), lab(c)[0], 0.5, "at %g", v)
		assert.GreaterOrEqual(t, wcag(c, inkOn(c)), 4.5, "at %g", v)
		assert.InDelta(t, wcag(c, inkOn(c)), contrast(c, inkOn(c)), 1e-9)
	}
	for kind := range blindness {
		for i := range 20 {
			a, b := seen(scoreColour(float64(i)/20), kind), seen(scoreColour(float64(i+1)/20), kind)
			assert.Greater(t, b[0]-a[0], 1.5, "%s: %d twentieths, a step of 3.8 to other eyes", kind, i)
		}
	}
	assert.Equal(t, scoreColour(0), scoreColour(-3))
	assert.Equal(t, scoreColour(1), scoreColour(3))
}

// Series stand out from the paper and from each other, to any eye, by colour; by
// dash and marker all of them differ.
func TestStyles(t *testing.T) {
	for _, k := range []*look{&light, &dark} {
		assert.GreaterOrEqual(t, wcag(k.ink, k.paper), 7.)
		seenStyles := map[[2]int]bool{}
		for i := range mostSeries {
			seenStyles[[2]int{i % len(dashes), i % len(glyphs)}] = true
			assert.Equal(t, dashes[i%len(dashes)], k.style(i).dashes)
			assert.Equal(t, glyphs[i%len(glyphs)], k.style(i).glyph)
		}
		assert.Len(t, seenStyles, mostSeries)
		for i, a := range k.series {
			assert.GreaterOrEqual(t, wcag(a, k.paper), 2., "%v", a)
			for _, b := range k.series[:i] {
				for kind := range blindness {
					assert.Greater(t, distance(seen(a, kind), seen(b, kind)), 10., "%s: %v and %v", kind, a, b)
				}
			}
		}
	}
}
