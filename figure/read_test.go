package figure

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
)

// drawing is what an SVG shows, read back from its bytes; y grows downwards.
type drawing struct {
	width, height float64
	texts         []shownText
	// fills are filled polygons in the order they were painted.
	fills []shownFill
	// frames are the boxes of closed lines, lines those of open ones.
	frames, lines []box
}

type shownText struct {
	text string
	box
	ink color.RGBA
	up  bool // runs upwards
}

type shownFill struct {
	box
	colour  color.RGBA
	opaque  bool
	corners int
}

// matrix is an affine map, (x, y) ↦ (ax + cy + e, bx + dy + f).
type matrix struct{ a, b, c, d, e, f float64 }

func (m matrix) times(n matrix) matrix {
	return matrix{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

var call = regexp.MustCompile(`(\w+)\(([^)]*)\)`)

func parseTransform(t require.TestingT, text string) matrix {
	m := matrix{a: 1, d: 1}
	for _, c := range call.FindAllStringSubmatch(text, -1) {
		var v []float64
		for _, s := range strings.Split(c[2], ",") {
			v = append(v, parseNumber(t, strings.TrimSpace(s)))
		}
		switch c[1] {
		case "scale":
			m = m.times(matrix{a: v[0], d: v[1]})
		case "translate":
			m = m.times(matrix{a: 1, d: 1, e: v[0], f: v[1]})
		case "rotate":
			sin, cos := math.Sincos(v[0] * math.Pi / 180)
			m = m.times(matrix{cos, sin, -sin, cos, 0, 0})
		default:
			require.Fail(t, "unknown transform", text)
		}
	}
	return m
}

func (m matrix) bounds(points [][2]float64) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range points {
		x, y := m.a*p[0]+m.c*p[1]+m.e, m.b*p[0]+m.d*p[1]+m.f
		b = box{min(b.left, x), min(b.bottom, y), max(b.right, x), max(b.top, y)}
	}
	return b
}

func hexColour(t require.TestingT, text string) color.RGBA {
	if text == "" {
		text = "#000000"
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	require.NoError(t, err)
	return rgb(uint32(v))
}

func parseNumber(t require.TestingT, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		require.Fail(t, "no number", text)
	}
	return v
}

// readSVG parses a file and fails where it is not XML to its end.
func readSVG(t require.TestingT, file []byte) drawing {
	var d drawing
	stack := []matrix{{a: 1, d: 1}}
	decoder := xml.NewDecoder(bytes.NewReader(file))
	var open *shownText
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.StartElement:
			a := map[string]string{}
			for _, at := range e.Attr {
				a[at.Name.Local] = at.Value
			}
			style := map[string]string{}
			for _, p := range strings.Split(a["style"], ";") {
				name, value, _ := strings.Cut(p, ":")
				style[name] = value
			}
			m := stack[len(stack)-1].times(parseTransform(t, a["transform"]))
			stack = append(stack, m)
			switch e.Name.Local {
			case "svg":
				_, err := fmt.Sscanf(a["viewBox"], "0 0 %g %g", &d.width, &d.height)
				require.NoError(t, err)
			case "text":
				open = &shownText{ink: hexColour(t, style["fill"])}
				x, y, length := parseNumber(t, a["x"]), parseNumber(t, a["y"]), parseNumber(t, a["textLength"])
				size := parseNumber(t, strings.TrimSuffix(style["font-size"], "px"))
				f := face()
				f.Font.Size = vg.Length(size)
				ext := f.Extents()
				up, down := float64(ext.Ascent), float64(ext.Descent)
				open.box = m.bounds([][2]float64{{x, y - up}, {x + length, y + down}})
				open.up = math.Abs(m.b) > 0.5
			case "image":
				require.Equal(t, "none", a["preserveAspectRatio"])
				data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a["href"], "data:image/png;base64,"))
				require.NoError(t, err)
				img, err := png.Decode(bytes.NewReader(data))
				require.NoError(t, err)
				x, y, w, h := parseNumber(t, a["x"]), parseNumber(t, a["y"]), parseNumber(t, a["width"]), parseNumber(t, a["height"])
				require.Greater(t, m.d, 0., "upright")
				size := img.Bounds().Size()
				for i := range size.Y {
					for j := range size.X {
						left, upper := x+w*float64(j)/float64(size.X), y+h*float64(i)/float64(size.Y)
						b := m.bounds([][2]float64{{left, upper}, {left + w/float64(size.X), upper + h/float64(size.Y)}})
						if c := color.RGBAModel.Convert(img.At(j, i)).(color.RGBA); c.A > 0 {
							d.fills = append(d.fills, shownFill{b, c, true, 4})
						}
					}
				}
			case "path":
				var points [][2]float64
				for _, p := range strings.FieldsFunc(a["d"], func(r rune) bool { return strings.ContainsRune("MLZ", r) }) {
					p, _, _ = strings.Cut(p, "A") // arcs: markers, known by where they begin
					x, y, _ := strings.Cut(p, ",")
					points = append(points, [2]float64{parseNumber(t, x), parseNumber(t, y)})
				}
				b := m.bounds(points)
				switch {
				case style["fill"] != "none":
					d.fills = append(d.fills, shownFill{b, hexColour(t, style["fill"]), style["fill-opacity"] == "", len(points)})
				case strings.HasSuffix(a["d"], "Z") && len(points) == 4 && b.width() > 20: // less is a marker
					d.frames = append(d.frames, b)
				default:
					d.lines = append(d.lines, b)
				}
			}
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			if e.Name.Local == "text" {
				d.texts = append(d.texts, *open)
				open = nil
			}
		case xml.CharData:
			if open != nil {
				open.text += string(e)
			}
		}
	}
}

// colourAt is the colour painted last over a point by an opaque rectangle.
func (d drawing) colourAt(x, y float64) color.RGBA {
	for i := len(d.fills) - 1; i >= 0; i-- {
		f := d.fills[i]
		if f.opaque && f.corners == 4 && f.left <= x && x <= f.right && f.bottom <= y && y <= f.top {
			return f.colour
		}
	}
	return color.RGBA{}
}

func (d drawing) count(text string) (n int) {
	for _, t := range d.texts {
		if t.text == text {
			n++
		}
	}
	return n
}

// rounding is that of five digits in the hundreds, on either side.
const rounding = 0.02

func overlap(a, b box) bool {
	return a.left < b.right-rounding && b.left < a.right-rounding && a.bottom < b.top-rounding && b.bottom < a.top-rounding
}

// requireTidy: texts lie on the page and apart from each other.
func (d drawing) requireTidy(t require.TestingT) {
	for i, a := range d.texts {
		if !(a.left > -rounding && a.bottom > -rounding && a.right < d.width+rounding && a.top < d.height+rounding) {
			require.Failf(t, "text leaves the page", "%q at %+v, page %g × %g", a.text, a.box, d.width, d.height)
		}
		for _, b := range d.texts[:i] {
			if overlap(a.box, b.box) {
				require.Failf(t, "texts overlap", "%q at %+v and %q at %+v", a.text, a.box, b.text, b.box)
			}
		}
	}
}

func rendered(t require.TestingT, f figure, format Format, page Page) []byte {
	var file bytes.Buffer
	require.NoError(t, render(f, &file, format, page))
	return file.Bytes()
}

func drawn(t require.TestingT, f figure, page Page) drawing {
	return readSVG(t, rendered(t, f, SVG, page))
}

// The reader of these tests puts known marks where they are.
func TestReadSVG(t *testing.T) {
	d := readSVG(t, []byte(`<svg viewBox="0 0 200 100"><g transform="scale(1, -1) translate(0, -100)">
<path d="M10,20L30,20L30,50L10,50Z" style="fill:#102030"/>
<g transform="rotate(90)"><text x="5" y="40" textLength="20" transform="scale(1, -1)" style="font-size:10px">a&amp;b</text></g></g></svg>`))
	require.Equal(t, shownFill{box{10, 50, 30, 80}, rgb(0x102030), true, 4}, d.fills[0])
	require.Equal(t, "a&b", d.texts[0].text)
	require.True(t, d.texts[0].up)
	// Turned by 90° the text begins 5 above the bottom and its line is x = 40.
	require.InDelta(t, 100-25, d.texts[0].bottom, 1e-9)
	require.InDelta(t, 100-5, d.texts[0].top, 1e-9)
}
