package figure

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strconv"
	"strings"
)

// What vgsvg writes. What a label holds cannot match: its quotes and angles are escaped.
var (
	svgText  = regexp.MustCompile(`(<text x="[^"]*" y="[^"]*")( transform="[^"]*"\s+style=")font-family:Liberation Sans;([^"]*)font-size:([0-9.]+)px([^"]*">)([^<]*)</text>`)
	svgHead  = regexp.MustCompile(`^(?s)(.*?)<svg ([^>]*)>`)
	svgImage = regexp.MustCompile(`<image ([^>]*)xlink:href="data:image/jpg;`)
	svgInk   = regexp.MustCompile(`(fill|stroke):#([0-9A-F]{6})`)
	svgStyle = regexp.MustCompile(`style="[^"]*"`)
)

// family are fonts as wide as Liberation Sans.
const family = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif"

// finish makes of what vgsvg writes what the page asks for.
func (p Page) finish(svg []byte, height float64) []byte {
	svg = fixImages(fixText(svg, p.Inline))
	told := ""
	for _, t := range [][2]string{{"title", p.Name}, {"desc", p.Description}} {
		if t[1] != "" {
			told += "<" + t[0] + ">" + html.EscapeString(t[1]) + "</" + t[0] + ">\n"
		}
	}
	m := svgHead.FindSubmatchIndex(svg)
	rest := svg[m[1]:]
	if !p.Inline {
		return append(append(bytes.Clone(svg[:m[1]]), "\n"+told...), bytes.TrimPrefix(rest, []byte("\n"))...)
	}
	pixels := float64(p.DPI) / 72
	head := fmt.Sprintf(`<svg class="svcca" role="img" width="%.5g" height="%.5g" viewBox="0 0 %.5g %.5g">`, pixels*p.Width, pixels*height, p.Width, height)
	return append([]byte(head+told), inRoles(rest)...)
}

// fixText makes the texts of an SVG as wide as they were laid out, whatever
// letters the viewer has: it adds fonts as wide as Liberation Sans, and the
// width, which viewers without any of these stretch or squeeze the text to. Inline
// the fonts are in Style.
func fixText(svg []byte, inline bool) []byte {
	var fixed bytes.Buffer
	done := 0
	for _, m := range svgText.FindAllSubmatchIndex(svg, -1) {
		part := func(i int) []byte { return svg[m[2*i]:m[2*i+1]] }
		size, err := strconv.ParseFloat(string(part(4)), 64)
		if err != nil {
			continue
		}
		font := family + ";" + string(part(3))
		if inline {
			font = ""
		}
		fixed.Write(svg[done:m[0]])
		fmt.Fprintf(&fixed, `%s textLength="%.5g" lengthAdjust="spacingAndGlyphs"%s%sfont-size:%spx%s%s</text>`,
			part(1), textWidth(html.UnescapeString(string(part(6))), size), part(2), font, part(4), part(5), part(6))
		done = m[1]
	}
	fixed.Write(svg[done:])
	return fixed.Bytes()
}

// fixImages calls images what they are and keeps their pixels apart.
func fixImages(svg []byte) []byte {
	return svgImage.ReplaceAll(svg, []byte(`<image preserveAspectRatio="none" style="image-rendering:pixelated" ${1}xlink:href="data:image/png;`))
}

// inRoles names colours by their roles.
func inRoles(svg []byte) []byte {
	return svgStyle.ReplaceAllFunc(svg, func(style []byte) []byte {
		return svgInk.ReplaceAllFunc(style, func(ink []byte) []byte {
			m := svgInk.FindSubmatch(ink)
			v, _ := strconv.ParseUint(string(m[2]), 16, 32) // six digits
			if i, is := roleOf(rgb(uint32(v))); is {
				return fmt.Appendf(nil, "%s:var(--svcca-%d)", m[1], i)
			}
			return ink
		})
	})
}

// Style returns the CSS of inline figures, once for all of a page: they are no wider
// than there is room, and dark where the reader's screen is; on paper they are light.
func Style() string {
	var css strings.Builder
	colours := func(k *look) {
		for i, c := range k.all() {
			fmt.Fprintf(&css, "--svcca-%d:%s;", i, hexOf(c))
		}
	}
	css.WriteString("svg.svcca{max-width:100%;height:auto;" + family + ";")
	colours(&light)
	css.WriteString("}\n@media screen and (prefers-color-scheme:dark){svg.svcca{")
	colours(&dark)
	css.WriteString("}}\n")
	return css.String()
}

func hexOf(c color.RGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
