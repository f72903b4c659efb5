package figure

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func sampleCurves(n int) *Curves {
	c := &Curves{Title: "Convergence", XLabel: "step", YLabel: "mean ρ"}
	for i := range n {
		s := Series{Name: fmt.Sprintf("conv%d", i)}
		for j := range 10 {
			y := 1 - math.Exp(-float64(j+1)/float64(i+2))
			s.X, s.Y = append(s.X, float64(100*j+1)), append(s.Y, y)
			s.Low, s.High = append(s.Low, y-0.03), append(s.High, y+0.03)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// requireLegendApart: texts and what is filled lie within the frame or apart from
// it, and no text within.
func requireLegendApart(t require.TestingT, d drawing) box {
	require.Len(t, d.frames, 1)
	frame := d.frames[0]
	for _, s := range d.texts {
		require.False(t, overlap(s.box, frame), "%q lies over the data", s.text)
	}
	return frame
}

func TestCurvesTidy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Curves{
			Title:  rapid.StringMatching(`[a-z &<ρ]{0,80}`).Draw(t, "title"),
			XLabel: rapid.StringMatching(`[a-z]{0,80}`).Draw(t, "x"),
			YLabel: rapid.StringMatching(`[a-z]{0,80}`).Draw(t, "y"),
			LogX:   rapid.Bool().Draw(t, "log"),
		}
		scale := math.Pow10(rapid.IntRange(-20, 20).Draw(t, "scale"))
		for i := range rapid.IntRange(1, mostSeries).Draw(t, "series") {
			s := Series{Name: fmt.Sprintf("%s%d", rapid.StringMatching(`[a-z./"<]{0,30}`).Draw(t, "name"), i)}
			s.X = rapid.SliceOfNDistinct(rapid.Float64Range(1e-3, 1e6), 1, 20, rapid.ID[float64]).Draw(t, "xs")
			slices.Sort(s.X)
			for range s.X {
				s.Y = append(s.Y, scale*rapid.Float64Range(-1, 1).Draw(t, "y"))
			}
			c.Series = append(c.Series, s)
		}
		d := drawn(t, c, Page{Width: rapid.Float64Range(180, 700).Draw(t, "width")})
		d.requireTidy(t)
		frame := requireLegendApart(t, d)
		for _, l := range d.lines {
			inside := l.left > frame.left-5 && l.right < frame.right+5 && l.bottom > frame.bottom-5 && l.top < frame.top+5
			require.True(t, inside || !overlap(l, frame), "a line at %+v crosses the frame %+v", l, frame)
		}
	})
}

func TestCurvesTexts(t *testing.T) {
	d := drawn(t, sampleCurves(5), Page{})
	for _, text := range []string{"Convergence", "step", "mean ρ", "conv0", "conv4", "200", "0.2"} {
		assert.Equal(t, 1, d.count(text), text)
	}
	bands := 0
	for _, f := range d.fills {
		if !f.opaque {
			bands++
			assert.Equal(t, 20, f.corners)
		}
	}
	assert.Equal(t, 5, bands)
	one := sampleCurves(1)
	one.Series[0].Name = ""
	assert.Less(t, drawn(t, one, Page{}).height, d.height, "one series without a name needs no legend")
}

// Points stand where the axes say, by value or by logarithm.
func TestCurvesPlaces(t *testing.T) {
	for _, log := range []bool{false, true} {
		c := Curves{LogX: log, From: 0, To: 1, Series: []Series{{X: []float64{1, 10, 1000}, Y: []float64{0.25, 0.5, 0.75}}}}
		d := drawn(t, &c, Page{})
		frame := d.frames[0]
		place := map[string]float64{}
		for _, s := range d.texts {
			if s.bottom > frame.top {
				place[s.text] = (s.left + s.right) / 2
			}
		}
		want, ten := place["1000"], "10"
		if !log {
			ten = "0"
		}
		line := d.lines[slices.IndexFunc(d.lines, func(b box) bool { return b.width() > 50 && b.height() > 50 })]
		assert.InDelta(t, want, line.right, 2*rounding)
		assert.InDelta(t, frame.bottom+0.25*frame.height(), line.bottom, 0.3)
		assert.InDelta(t, frame.bottom+0.75*frame.height(), line.top, 0.3)
		if log {
			assert.InDelta(t, (want-place["1"])/3, place[ten]-place["1"], 0.05)
		} else {
			assert.InDelta(t, (want-place[ten])/1000, line.left-place[ten], 0.05)
		}
	}
}

// Of points that crowd only some have markers.
func TestCurvesMarkers(t *testing.T) {
	s := Series{}
	for i := range 1000 {
		s.X, s.Y = append(s.X, float64(i)), append(s.Y, float64(i))
	}
	d := drawn(t, &Curves{Series: []Series{s}}, Page{})
	markers := 0
	for _, f := range d.fills {
		if f.colour == light.series[0] {
			markers++
		}
	}
	assert.Greater(t, markers, 10)
	assert.Less(t, markers, 360/14)
}

// Series that belong together share a colour or a dash; a faint one is grey, has no
// markers and is not counted.
func TestCurvesStyles(t *testing.T) {
	k := &light
	like := Series{Colour: 3, Dash: 2}
	st := like.style(k, 20)
	assert.Equal(t, k.series[2], st.colour)
	assert.Equal(t, glyphs[2], st.glyph)
	assert.Equal(t, dashes[1], st.dashes)
	assert.Equal(t, k.style(20), (&Series{}).style(k, 20), "by its place")
	dashed := (&Series{Dash: 1}).style(k, 5)
	assert.Equal(t, k.style(5).colour, dashed.colour)
	assert.Nil(t, dashed.dashes)

	c := sampleCurves(mostSeries)
	for _, name := range []string{"chance", "other"} {
		s := c.Series[0]
		s.Name, s.Faint, s.Low, s.High = name, true, nil, nil
		c.Series = append(c.Series, s)
	}
	var b bytes.Buffer
	require.NoError(t, c.Render(&b, SVG, Page{}))
	faint := drawn(t, &Curves{Series: c.Series[mostSeries:]}, Page{})
	assert.Equal(t, 1, faint.count("chance"))
	for _, f := range faint.fills[1:] {
		assert.Fail(t, "a marker", f)
	}
	c.Series[mostSeries].Faint = false
	assert.ErrorIs(t, c.Render(&b, SVG, Page{}), ErrShape)

	for _, s := range []Series{{Colour: 8}, {Colour: -1}, {Dash: 5}, {Dash: -1}} {
		s.X, s.Y = []float64{1}, []float64{1}
		err := (Curves{Series: []Series{s}}).Render(&b, SVG, Page{})
		assert.ErrorIs(t, err, ErrRange)
		assert.ErrorContains(t, err, "there are 7 and 4")
	}
}

// What lies beyond a given axis is cut off at the frame.
func TestCurvesCut(t *testing.T) {
	c := sampleCurves(3)
	c.From, c.To = 0.5, 0.6
	d := drawn(t, c, Page{})
	frame := requireLegendApart(t, d)
	for _, b := range d.lines {
		assert.True(t, b.bottom > frame.bottom-1 || b.top < frame.bottom)
	}
	for _, f := range d.fills[1:] {
		assert.True(t, f.bottom > frame.bottom-5, "%+v leaves %+v", f, frame)
	}
}

func TestCurvesRefuse(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*Curves)
		want   error
		says   string
	}{
		{"none", func(c *Curves) { c.Series = nil }, ErrShape, "0 series"},
		{"many", func(c *Curves) { *c = *sampleCurves(29) }, ErrShape, "from 1 to 28"},
		{"no points", func(c *Curves) { c.Series[1] = Series{Name: "a"} }, ErrShape, "Series[1] (a) has 0 x and 0 y"},
		{"lengths", func(c *Curves) { c.Series[0].Y = c.Series[0].Y[1:] }, ErrShape, "10 x and 9 y"},
		{"band", func(c *Curves) { c.Series[0].High = nil }, ErrShape, "10 low and 0 high"},
		{"band upside down", func(c *Curves) { c.Series[0].Low[3] = 2 }, ErrRange, "Low[3] = 2 is above High[3]"},
		{"NaN", func(c *Curves) { c.Series[0].Y[3] = math.NaN() }, ErrNotFinite, "Y[3] is NaN"},
		{"infinite x", func(c *Curves) { c.Series[0].X[9] = math.Inf(1) }, ErrNotFinite, "X[9] is +Inf"},
		{"infinite band", func(c *Curves) { c.Series[0].High[9] = math.Inf(1) }, ErrNotFinite, "High[9]"},
		{"huge", func(c *Curves) { c.Series[0].Y[0] = 1e301 }, ErrRange, "Y[0] is 1e+301"},
		{"order", func(c *Curves) { c.Series[1].X[2] = 0 }, ErrRange, "x must grow"},
		{"log of 0", func(c *Curves) { c.LogX, c.Series[0].X[0] = true, 0 }, ErrRange, "X[0] is 0: a logarithmic axis begins above 0"},
		{"axis", func(c *Curves) { c.From, c.To = 1, 1 }, ErrRange, "from 1 to 1"},
		{"axis NaN", func(c *Curves) { c.To = math.NaN() }, ErrNotFinite, "To"},
		{"name", func(c *Curves) { c.Series[2].Name = "" }, ErrText, "series 3 of 3 is empty"},
		{"label", func(c *Curves) { c.XLabel = "\t" }, ErrText, "XLabel"},
	} {
		curves := sampleCurves(3)
		c.change(curves)
		var file bytes.Buffer
		err := curves.Render(&file, SVG, Page{})
		assert.ErrorIs(t, err, c.want, c.what)
		assert.ErrorContains(t, err, c.says, c.what)
		assert.Zero(t, file.Len(), c.what)
	}
}

// Bars are as high as their ρ; the line of chance stands at its root.
func TestCorrelations(t *testing.T) {
	for _, m := range []int{1, 2, 7, 300} {
		c := &Correlations{Title: "fc2", Chance: 0.09}
		for i := range m {
			c.Rho = append(c.Rho, 1-float64(i)/float64(m))
		}
		d := drawn(t, c, Page{})
		d.requireTidy(t)
		frame := requireLegendApart(t, d)
		i := 0
		for _, f := range d.fills {
			if f.colour == light.series[0] {
				assert.InDelta(t, c.Rho[i], f.height()/frame.height(), 0.004)
				assert.InDelta(t, (float64(i)+0.5)/float64(m), ((f.left+f.right)/2-frame.left)/frame.width(), 0.004)
				i++
			}
		}
		assert.Equal(t, m, i)
		assert.Equal(t, 1, d.count("by chance: √0.090 = 0.300"))
		assert.True(t, slices.ContainsFunc(d.lines, func(b box) bool {
			return b.width() > 0.99*frame.width()-1 && math.Abs((frame.top-b.top)/frame.height()-0.3) < 0.004
		}))
		for _, s := range d.texts {
			if s.bottom > frame.top && s.text != "aligned direction" && s.left > frame.left && s.top < frame.top+15 {
				assert.Equal(t, math.Trunc(parsed(t, s.text)), parsed(t, s.text), "directions are counted")
			}
		}
	}
	plain := drawn(t, &Correlations{Rho: []float64{1}}, Page{})
	assert.Zero(t, plain.count("by chance: √0.000 = 0.000"))
	for _, c := range []struct {
		c    Correlations
		want error
	}{
		{Correlations{}, ErrShape}, {Correlations{Rho: []float64{1, 1.01}}, ErrRange}, {Correlations{Rho: []float64{-0.1}}, ErrRange},
		{Correlations{Rho: []float64{math.NaN()}}, ErrNotFinite}, {Correlations{Rho: []float64{1}, Chance: 2}, ErrRange},
		{Correlations{Rho: []float64{1}, Title: "\x00"}, ErrText},
	} {
		assert.ErrorIs(t, c.c.Render(&bytes.Buffer{}, SVG, Page{}), c.want, "%+v", c.c)
	}
}

// The cut falls from the k-th value to the axis.
func TestSpectra(t *testing.T) {
	c := &Spectra{Spectra: []Spectrum{{Name: "fc1", K: 3}, {Name: "fc2", K: 0, SingularValues: []float64{2, 1, 0, 0}}}}
	for i := range 9 {
		c.Spectra[0].SingularValues = append(c.Spectra[0].SingularValues, math.Pow10(4-i))
	}
	d := drawn(t, c, Page{})
	d.requireTidy(t)
	frame := requireLegendApart(t, d)
	for _, text := range []string{"fc1, k = 3", "fc2, k = 0", "kept, up to k", "direction", "singular value", "100"} {
		assert.Equal(t, 1, d.count(text), text)
	}
	places := map[string]box{}
	for _, s := range d.texts {
		places[s.text] = s.box
	}
	cuts := 0
	for _, b := range d.lines {
		if b.width() == 0 && math.Abs(b.top-frame.top) < 0.4 && b.bottom > frame.bottom+1 && b.top > b.bottom {
			cuts++
			assert.InDelta(t, (places["100"].bottom+places["100"].top)/2, b.bottom, 0.05, "the third value is 100")
			assert.InDelta(t, (places["2"].left+places["4"].right)/2, b.left, 0.05)
		}
	}
	assert.Equal(t, 1, cuts)
	long := Spectrum{Name: "a", K: 1}
	for i := range 100 {
		long.SingularValues = append(long.SingularValues, 1/float64(i+1))
	}
	d = drawn(t, &Spectra{Spectra: []Spectrum{long}}, Page{})
	assert.Zero(t, d.count("0"), "directions are counted from 1")
	assert.Equal(t, 1, d.count("20"))
	for _, c := range []struct {
		s    Spectrum
		want error
		says string
	}{
		{Spectrum{Name: "a"}, ErrRange, "no singular value above 0"},
		{Spectrum{Name: "a", SingularValues: []float64{0, 0}}, ErrRange, "no singular value above 0"},
		{Spectrum{Name: "a", SingularValues: []float64{1, 2}}, ErrRange, "must decrease"},
		{Spectrum{Name: "a", SingularValues: []float64{1, 0, 1}}, ErrRange, "must decrease"},
		{Spectrum{Name: "a", SingularValues: []float64{1, -1}}, ErrRange, "SingularValues[1] is -1"},
		{Spectrum{Name: "a", SingularValues: []float64{math.Inf(1), 1}}, ErrNotFinite, "SingularValues[0]"},
		{Spectrum{Name: "a", SingularValues: []float64{1, math.NaN()}}, ErrNotFinite, "SingularValues[1]"},
		{Spectrum{Name: "a", SingularValues: []float64{2, 1, 0}, K: 3}, ErrRange, "K is 3, of 2"},
		{Spectrum{Name: "a", SingularValues: []float64{2, 1, 0}, K: -1}, ErrRange, "K is -1"},
		{Spectrum{SingularValues: []float64{2, 1, 0}}, ErrText, "spectrum 1 of 1 is empty"},
	} {
		err := Spectra{Spectra: []Spectrum{c.s}}.Render(&bytes.Buffer{}, SVG, Page{})
		assert.ErrorIs(t, err, c.want, "%+v", c.s)
		assert.ErrorContains(t, err, c.says)
	}
	assert.ErrorIs(t, Spectra{}.Render(&bytes.Buffer{}, SVG, Page{}), ErrShape)
}
