package figure

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strconv"
)

// svgText matches a text as vgsvg writes it. What a label holds cannot match: its
// quotes and angles are escaped.
var svgText = regexp.MustCompile(`(<text x="[^"]*" y="[^"]*")( transform="[^"]*"\s+style="font-family:)Liberation Sans(;[^"]*font-size:)([0-9.]+)px([^"]*">)([^<]*)</text>`)

// fixText makes the texts of an SVG as wide as they were laid out, whatever
// letters the viewer has: it adds fonts as wide as Liberation Sans, and the
// width, which viewers without any of these stretch or squeeze the text to.
func fixText(svg []byte) []byte {
	var fixed bytes.Buffer
	done := 0
	for _, m := range svgText.FindAllSubmatchIndex(svg, -1) {
		part := func(i int) []byte { return svg[m[2*i]:m[2*i+1]] }
		size, err := strconv.ParseFloat(string(part(4)), 64)
		if err != nil {
			continue
		}
		fixed.Write(svg[done:m[0]])
		fmt.Fprintf(&fixed, `%s textLength="%.5g" lengthAdjust="spacingAndGlyphs"%s'Liberation Sans',Arial,Helvetica,sans-serif%s%spx%s%s</text>`,
			part(1), textWidth(html.UnescapeString(string(part(6))), size), part(2), part(3), part(4), part(5), part(6))
		done = m[1]
	}
	fixed.Write(svg[done:])
	return fixed.Bytes()
}
