package figure

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/recorder"
)

// all figures, each of some size.
func all() map[string]figure {
	return map[string]figure{
		"pane": sample(7, 9), "panes": &Panes{Panes: []Pane{*sample(4, 3), *sample(4, 3)}}, "curves": sampleCurves(4),
		"correlations": &Correlations{Rho: []float64{1, 0.5}, Chance: 0.1},
		"spectra":      &Spectra{Spectra: []Spectrum{{Name: "fc1", SingularValues: []float64{3, 2, 1}, K: 2}}},
	}
}

// The same bytes every time, from however many goroutines.
func TestSameBytes(t *testing.T) {
	for name, f := range all() {
		for _, format := range []Format{SVG, PNG} {
			want := rendered(t, f, format, Page{})
			var group sync.WaitGroup
			got := make([][]byte, 3)
			for i := range got {
				group.Go(func() {
					var file bytes.Buffer
					if render(f, &file, format, Page{}) == nil {
						got[i] = file.Bytes()
					}
				})
			}
			group.Wait()
			for _, g := range got {
				assert.True(t, bytes.Equal(want, g), "%s in %s", name, format)
			}
			assert.NotRegexp(t, regexp.MustCompile(`20[2-9][0-9]-|tIME`), string(want), "a date")
		}
	}
}

func TestPDF(t *testing.T) {
	for name, f := range all() {
		file := rendered(t, f, PDF, Page{Width: 300})
		assert.True(t, bytes.HasPrefix(file, []byte("%PDF-")), name)
		assert.True(t, bytes.HasSuffix(bytes.TrimSpace(file), []byte("%%EOF")), name)
		d := drawn(t, f, Page{Width: 300})
		var w, h float64
		m := regexp.MustCompile(`/MediaBox \[0 0 [0-9.]+ [0-9.]+\]`).Find(file)
		_, err := fmt.Sscanf(string(m), "/MediaBox [0 0 %g %g]", &w, &h)
		require.NoError(t, err, "%s", m)
		assert.Equal(t, 300., w)
		assert.InDelta(t, d.height, h, rounding)
	}
}

var stream = regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`)

// pageOf returns the drawing instructions of a PDF, its first stream.
func pageOf(t *testing.T, file []byte) string {
	m := stream.FindSubmatch(file)
	require.NotNil(t, m)
	r, err := zlib.NewReader(bytes.NewReader(m[1]))
	require.NoError(t, err)
	page, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(page)
}

// Text in PDF can be selected where it is ASCII; else it is drawn. Bands keep the
// colour of their series.
func TestPDFPage(t *testing.T) {
	c := sampleCurves(1)
	c.Title, c.XLabel, c.YLabel = "plain title", "step", "mean ρ"
	page := pageOf(t, rendered(t, c, PDF, Page{}))
	assert.Contains(t, page, "(plain title)")
	assert.Contains(t, page, "(step)")
	assert.NotContains(t, page, "(mean")
	blue := light.series[0]
	fills := regexp.MustCompile(`(?m)([0-9.]+) ([0-9.]+) ([0-9.]+) rg`).FindAllStringSubmatch(page, -1)
	want := fmt.Sprintf("%.3f %.3f %.3f", float64(blue.R)/255, float64(blue.G)/255, float64(blue.B)/255)
	require.NotEmpty(t, fills)
	for _, f := range fills {
		if f[1] != f[2] || f[2] != f[3] { // not grey, as ink and paper are
			assert.Equal(t, want, f[1]+" "+f[2]+" "+f[3])
		}
	}
}

// Outlines of letters stand where the text would.
func TestLetters(t *testing.T) {
	var canvas recorder.Canvas
	s := &sheet{Canvas: &canvas, look: &light, format: PDF}
	const text, size = "Åρ–ü", 8.
	s.text(light.ink, text, size, 100, 50, 0.5)
	left, right, low, high := 1e9, 0., 1e9, 0.
	fills := 0
	for _, a := range canvas.Actions {
		f, ok := a.(*recorder.Fill)
		if !ok {
			continue
		}
		fills++
		for _, c := range f.Path {
			if c.Type != vg.CloseComp {
				left, right = min(left, float64(c.Pos.X)), max(right, float64(c.Pos.X))
				low, high = min(low, float64(c.Pos.Y)), max(high, float64(c.Pos.Y))
			}
		}
	}
	assert.Equal(t, 4, fills)
	half := textWidth(text, size) / 2
	assert.InDelta(t, 100-half, left, 0.1*size)
	assert.InDelta(t, 100+half, right, 0.1*size)
	middle := (ascent + descent) / 2 * size
	assert.True(t, low >= 50-middle && high <= 50+middle && high-low > 0.8*size, "%g to %g", low, high)
}

// A failure within the library of PDF comes back as an error.
func TestPDFWithoutTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", "/nonexistent")
	plan := plan{100, func(s *sheet) { s.text(light.ink, "a font of a size that is new", 9.125, 0, 50, 0) }}
	file, err := Page{Width: 200}.paint(plan, &light, PDF)
	assert.ErrorContains(t, err, "figure: PDF")
	assert.Empty(t, file)
}

func TestPages(t *testing.T) {
	for name, f := range all() {
		d := drawn(t, f, Page{Width: 10 * Centimetre, Height: 300})
		assert.InDelta(t, 283.46, d.width, rounding, name)
		assert.InDelta(t, 300, d.height, rounding, name)
		d.requireTidy(t)
		assert.Equal(t, light.paper, d.colourAt(1, 1), name)
		assert.Equal(t, dark.paper, drawn(t, f, Page{Dark: true}).colourAt(1, 1), name)
		clear := drawn(t, f, Page{Dark: true, Transparent: true})
		assert.Zero(t, clear.colourAt(1, 1), name)
		assert.Equal(t, dark.ink, clear.texts[len(clear.texts)-1].ink, name)
	}
	for _, c := range []struct {
		format Format
		page   Page
		says   string
	}{
		{"jpg", Page{}, `format "jpg"`},
		{"", Page{}, `format ""`},
		{SVG, Page{Width: -1}, "width -1"},
		{SVG, Page{Width: 100}, "from 120 to 14400"},
		{SVG, Page{Width: 1e9}, "width 1e+09"},
		{SVG, Page{Height: 10}, "height 10"},
		{SVG, Page{Height: -300}, "height -300"},
		{PNG, Page{DPI: -1}, "-1 DPI"},
		{PNG, Page{DPI: 2401}, "2401 DPI"},
		{PNG, Page{Width: 14400, DPI: 600}, "give fewer DPI"},
	} {
		var file bytes.Buffer
		err := sample(3, 3).Render(&file, c.format, c.page)
		assert.ErrorIs(t, err, ErrPage)
		assert.ErrorContains(t, err, c.says)
		assert.Zero(t, file.Len())
	}
	for _, f := range []figure{sample(90, 90), sampleCurves(28)} {
		assert.ErrorIs(t, render(f, &bytes.Buffer{}, SVG, Page{Height: 72}), ErrPage, "nothing is left for the data")
	}
	assert.ErrorIs(t, sample(1, 2000).Render(&bytes.Buffer{}, SVG, Page{}), ErrPage, "cells too thin to be seen")
}

// Texts of any length, on the narrowest page that has room for the data.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("how long this is ", 30)
	word := strings.Repeat("x", 300)
	p := sample(3, 2)
	p.Title, p.RowTitle, p.ColumnTitle, p.Score = long, long, long, long
	p.Rows[1], p.Columns[1] = word, long
	p.Undefined = [][]bool{{false, true}, {false, false}, {false, false}}
	p.Values[0][0], p.Values[1][1] = -0.1, 1.1
	q := *sample(3, 2)
	q.Title = word
	c := sampleCurves(3)
	c.Title, c.XLabel, c.YLabel, c.Series[1].Name = long, long, long, long
	for _, f := range []figure{
		p, &Panes{Title: word, Panes: []Pane{q, q, q}}, c, &Correlations{Title: word, Rho: []float64{1, 0.5}, Chance: 0.2},
		&Spectra{Title: long, Spectra: []Spectrum{{word, []float64{2, 1}, 1}}},
	} {
		for _, width := range []float64{leastWidth, 150, 400} {
			d := drawn(t, f, Page{Width: width})
			d.requireTidy(t)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]Format{"a.svg": SVG, "b/c.PNG": PNG, "x.y.pdf": PDF} {
		f, err := FormatOf(path)
		require.NoError(t, err)
		assert.Equal(t, want, f)
	}
	for _, path := range []string{"", "svg", "a.jpg", "a.svg.gz", "a.svg/b"} {
		_, err := FormatOf(path)
		assert.ErrorIs(t, err, ErrPage, path)
	}
}

type counting struct {
	calls int
	err   error
}

func (c *counting) Write(p []byte) (int, error) {
	c.calls++
	return len(p), c.err
}

// A file comes in one piece; what the writer says is passed on.
func TestOneWrite(t *testing.T) {
	full := errors.New("disk full")
	for _, format := range []Format{SVG, PNG, PDF} {
		w := &counting{}
		require.NoError(t, sample(3, 3).Render(w, format, Page{}))
		assert.Equal(t, 1, w.calls)
		assert.ErrorIs(t, sample(3, 3).Render(&counting{err: full}, format, Page{}), full)
	}
}

// A label that looks like the SVG around it stays a label.
func TestLabelLikeSVG(t *testing.T) {
	p := sample(1, 1)
	evil := `<text x="1" y="2" transform="scale(1, -1)" style="font-family:Liberation Sans;font-size:7px">`
	p.Title = evil
	p.Rows[0] = `"><script>`
	d := drawn(t, p, Page{Width: 700})
	assert.Equal(t, 1, d.count(evil))
	assert.Equal(t, 1, d.count(p.Rows[0]))
}
