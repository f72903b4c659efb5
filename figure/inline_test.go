package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var variable = regexp.MustCompile(`var\(--svcca-(\d+)\)`)

// An inline figure with the colours of Style in place is the light figure, or the dark one.
func TestInline(t *testing.T) {
	style := Style()
	for name, f := range all() {
		file := rendered(t, f, SVG, Page{Inline: true, Name: "a <pane>", Description: `of "layers" & steps`})
		assert.True(t, bytes.HasPrefix(file, []byte(`<svg class="svcca" role="img" `)), name)
		assert.NotContains(t, string(file), " id=", "ids would clash")
		assert.NotRegexp(t, `#FF00[0-9A-F]{2}`, string(file), "a role in place of a colour")
		assert.Equal(t, 1, bytes.Count(file, []byte("<title>a &lt;pane&gt;</title>\n<desc>of &#34;layers&#34; &amp; steps</desc>")), name)
		for i, k := range []*look{&light, &dark} {
			part := strings.Split(style, "@media")[i]
			coloured := variable.ReplaceAllStringFunc(string(file), func(v string) string {
				m := regexp.MustCompile("--svcca-" + variable.FindStringSubmatch(v)[1] + ":(#[0-9A-F]{6});").FindStringSubmatch(part)
				require.NotNil(t, m, "%s has no %s", part, v)
				return m[1]
			})
			want := drawn(t, f, Page{Dark: k == &dark, Transparent: true})
			got := readSVG(t, []byte(strings.Replace(coloured, "<svg ", `<svg xmlns:xlink="" `, 1)))
			assert.Equal(t, want.texts, got.texts, name)
			for i, f := range want.fills {
				if !f.opaque && i < len(got.fills) { // vgsvg rounds its colour, which Style has exactly
					for _, c := range [][2]uint8{{f.colour.R, got.fills[i].colour.R}, {f.colour.G, got.fills[i].colour.G}, {f.colour.B, got.fills[i].colour.B}} {
						assert.InDelta(t, c[0], c[1], 1, name)
					}
					want.fills[i].colour = got.fills[i].colour
				}
			}
			assert.Equal(t, want.fills, got.fills, name)
			assert.Equal(t, want.lines, got.lines, name)
		}
	}
	assert.Contains(t, style, "@media screen and (prefers-color-scheme:dark)", "paper is light")
	for _, format := range []Format{PNG, PDF} {
		assert.ErrorIs(t, sample(2, 2).Render(&bytes.Buffer{}, format, Page{Inline: true}), ErrPage)
	}
	assert.ErrorIs(t, sample(2, 2).Render(&bytes.Buffer{}, SVG, Page{Description: "\x00"}), ErrText)
}

// A file of SVG says what it shows, too, once and at its beginning.
func TestDescription(t *testing.T) {
	file := rendered(t, sample(2, 2), SVG, Page{Name: "x", Description: "</desc><script>"})
	type element struct {
		Title []string `xml:"title"`
		Desc  []string `xml:"desc"`
	}
	var e element
	require.NoError(t, xml.Unmarshal(file, &e))
	assert.Equal(t, element{[]string{"x"}, []string{"</desc><script>"}}, e)
	assert.NotContains(t, string(rendered(t, sample(2, 2), SVG, Page{})), "<desc>")
}

// Roles are told apart, opaque and a quarter so.
func TestRoles(t *testing.T) {
	for i, c := range roles.all() {
		for _, c := range []any{c, (&sheet{format: SVG}).quarter(c)} {
			r, g, b, a := c.(interface{ RGBA() (r, g, b, a uint32) }).RGBA()
			scale := 255 / float64(a) // as vgsvg does
			got, is := roleOf(rgb(uint32(float64(r)*scale)<<16 | uint32(float64(g)*scale)<<8 | uint32(float64(b)*scale)))
			assert.True(t, is)
			assert.Equal(t, i, got)
		}
	}
	assert.Len(t, light.all(), len(roles.all()))
	assert.Len(t, dark.all(), len(roles.all()))
	for i := range 1001 {
		_, is := roleOf(scoreColour(float64(i) / 1000))
		assert.False(t, is)
	}
	for _, c := range []uint32{0, 0xFFFFFF} {
		_, is := roleOf(rgb(c))
		assert.False(t, is, "numbers on scores stay what they are")
	}
}

// Many cells are an image, a fraction as long; those without a score show through.
func TestManyCells(t *testing.T) {
	p := sample(200, 200)
	p.Undefined = make([][]bool, 200)
	for i := range p.Undefined {
		p.Undefined[i] = make([]bool, 200)
		p.Undefined[i][i] = true
	}
	file := rendered(t, p, SVG, Page{})
	assert.Less(t, len(file), 400_000)
	assert.Equal(t, 1, bytes.Count(file, []byte("<image ")))
	d := readSVG(t, file)
	requireCells(t, d, d.frames[0], p)
	flat := sample(90, 400) // cells that are not square
	d = drawn(t, flat, Page{})
	requireCells(t, d, d.frames[0], flat)
	few := rendered(t, sample(30, 30), SVG, Page{})
	assert.NotContains(t, string(few), "<image ")
	t.Logf("200 × 200 cells: %d bytes; 30 × 30: %d", len(file), len(few))
}

// A line breaks where a point has no value, of which nothing is looked at.
func TestGaps(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5, 6}
	whole := Series{Name: "a", X: x, Y: []float64{1, 2, 3, 4, 5, 6}, Low: make([]float64, 6), High: []float64{9, 9, 9, 9, 9, 9}}
	lines := func(c Curves) (count int) {
		d := drawn(t, &c, Page{})
		for _, l := range d.lines {
			if overlap(l, d.frames[0]) && l.width() > 5 && l.height() > 5 {
				count++
			}
		}
		return count
	}
	bands := func(c Curves) (count int) {
		for _, f := range drawn(t, &c, Page{}).fills {
			if !f.opaque {
				count++
			}
		}
		return count
	}
	c := Curves{Series: []Series{whole}}
	require.Equal(t, 1, lines(c))
	require.Equal(t, 1, bands(c))
	gap := whole
	gap.Y = []float64{1, 2, math.NaN(), 4, 5, 6}
	gap.Low, gap.High = []float64{0, 0, math.NaN(), 0, 0, 0}, []float64{9, 9, -9, 9, 9, 9}
	gap.Undefined = []bool{false, false, true, false, false, false}
	c = Curves{Series: []Series{gap}}
	assert.Equal(t, 2, lines(c))
	assert.Equal(t, 2, bands(c))
	// Points alone keep their markers.
	glyphs := func(undefined ...bool) int {
		file := rendered(t, &Curves{Series: []Series{{X: x, Y: x, Undefined: undefined}}}, SVG, Page{})
		return bytes.Count(file, []byte("A2.6,2.6"))
	}
	assert.Equal(t, glyphs(false, false, false, false, false, false)/2, glyphs(false, true, false, true, false, true))
	assert.Zero(t, glyphs(true, true, true, true, true, true))

	gap.Undefined = gap.Undefined[:5]
	assert.ErrorIs(t, Curves{Series: []Series{gap}}.Render(&bytes.Buffer{}, SVG, Page{}), ErrShape)
	gap.Undefined = make([]bool, 6)
	err := Curves{Series: []Series{gap}}.Render(&bytes.Buffer{}, SVG, Page{})
	assert.ErrorIs(t, err, ErrNotFinite)
	assert.ErrorContains(t, err, fmt.Sprintf("Y[%d]", 2))
}
