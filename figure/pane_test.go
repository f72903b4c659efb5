package figure

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func names(n int, prefix string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return all
}

// sample is a pane of n × m random scores.
func sample(n, m int) *Pane {
	r := rand.New(rand.NewPCG(uint64(n), uint64(m)))
	p := &Pane{Rows: names(n, "layer4.1.conv"), Columns: names(m, "b/fc")}
	for range n {
		row := make([]float64, m)
		for j := range row {
			row[j] = r.Float64()
		}
		p.Values = append(p.Values, row)
	}
	return p
}

// cell is the box of cell (i, j) of an n × m pane within its frame.
func cell(frame box, i, j, n, m int) box {
	const outside = 0.25 // of the frame
	left, top := frame.left+outside, frame.bottom+outside
	w, h := (frame.width()-2*outside)/float64(m), (frame.height()-2*outside)/float64(n)
	return box{left + float64(j)*w, top + float64(i)*h, left + float64(j+1)*w, top + float64(i+1)*h}
}

// requireCells: the middle of each cell has the colour of its score.
func requireCells(t require.TestingT, d drawing, frame box, p *Pane) {
	n, m := len(p.Rows), len(p.Columns)
	shown := make([]color.RGBA, n*m)
	first := cell(frame, 0, 0, n, m)
	for _, f := range d.fills {
		// The cells whose middles f covers, in units of cells.
		left, right := (f.left-first.left)/first.width()-0.5, (f.right-first.left)/first.width()-0.5
		upper, lower := (f.bottom-first.bottom)/first.height()-0.5, (f.top-first.bottom)/first.height()-0.5
		for i := max(0, int(math.Ceil(upper))); i < n && float64(i) <= lower; i++ {
			for j := max(0, int(math.Ceil(left))); j < m && float64(j) <= right; j++ {
				shown[i*m+j] = f.colour
			}
		}
	}
	for i := range n {
		for j := range m {
			want := light.blank
			switch {
			case p.undefined(i, j):
			case p.Distances:
				want = scoreColour(1 - p.Values[i][j])
			default:
				want = scoreColour(p.Values[i][j])
			}
			if shown[i*m+j] != want {
				require.Equal(t, want, shown[i*m+j], "cell %d, %d", i, j)
			}
		}
	}
}

// Panes of any size, with any names, keep their texts apart and on the page.
func TestPaneTidy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9./_<&" "'ρé-]{0,60}`)
		name := rapid.StringMatching(`[a-zA-Z0-9./_<&"-]{1,30}`)
		n, m := rapid.IntRange(1, 60).Draw(t, "n"), rapid.IntRange(1, 60).Draw(t, "m")
		p := sample(n, m)
		if rapid.Bool().Draw(t, "names") {
			p.Rows, p.Columns = rapid.SliceOfN(name, n, n).Draw(t, "rows"), rapid.SliceOfN(name, m, m).Draw(t, "columns")
		}
		p.Title, p.Score = text.Draw(t, "title"), text.Draw(t, "score")
		p.RowTitle, p.ColumnTitle = text.Draw(t, "rowTitle"), text.Draw(t, "columnTitle")
		p.Distances = rapid.Bool().Draw(t, "distances")
		if rapid.Bool().Draw(t, "undefined") {
			p.Undefined = make([][]bool, n)
			for i := range n {
				p.Undefined[i] = make([]bool, m)
				p.Undefined[i][rapid.IntRange(0, m-1).Draw(t, "hole")] = true
			}
		}
		page := Page{Width: rapid.Float64Range(180, 700).Draw(t, "width")}
		d := drawn(t, p, page)
		require.InDelta(t, page.Width, d.width, rounding)
		d.requireTidy(t)
		require.Len(t, d.frames, 1)
		requireCells(t, d, d.frames[0], p)
	})
}

// Where there is room every name, title and number is there.
func TestPaneTexts(t *testing.T) {
	crowded := drawn(t, sample(8, 45), Page{})
	heights := map[string]float64{}
	for _, s := range crowded.texts {
		heights[s.text] = math.Round(100 * min(s.width(), s.height()))
	}
	assert.Less(t, heights["b/fc0"], heights["SVCCA similarity"])
	assert.Equal(t, heights["b/fc0"], heights["layer4.1.conv0"], "names are set in one size")

	p := sample(8, 7)
	p.Rows[3] = "layer4.1.conv2.relu"
	p.Title, p.RowTitle, p.ColumnTitle, p.Score = "Two networks", "network a", "network b", "mean ρ"
	p.Values[2][3] = -0.25
	d := drawn(t, p, Page{})
	for _, text := range append(append([]string{p.Title, p.RowTitle, p.ColumnTitle, p.Score, "≤ 0", "0.2", "1", "−0.25"}, p.Rows...), p.Columns...) {
		assert.Equal(t, 1, d.count(text), text)
	}
	assert.Zero(t, d.count("undefined"))
	numbers := 0
	frame := d.frames[0]
	for _, s := range d.texts {
		x, y := (s.left+s.right)/2, (s.bottom+s.top)/2
		if x < frame.left || x > frame.right || y < frame.bottom || y > frame.top {
			continue
		}
		numbers++
		i, j := int((y-frame.bottom)/frame.height()*8), int((x-frame.left)/frame.width()*7)
		assert.Equal(t, number(p.Values[i][j]), s.text)
		assert.GreaterOrEqual(t, wcag(s.ink, d.colourAt(x, y)), 4.5, s.text)
		c := cell(frame, i, j, 8, 7)
		assert.True(t, c.left <= s.left && s.right <= c.right && c.bottom <= s.bottom && s.top <= c.top, "%q leaves its cell", s.text)
	}
	assert.Equal(t, 56, numbers)

	p.Distances = true
	p.Undefined = make([][]bool, 8)
	for i := range 8 {
		p.Undefined[i] = make([]bool, 7)
	}
	p.Undefined[0][0], p.Values[0][0] = true, math.NaN()
	d = drawn(t, p, Page{})
	assert.Equal(t, 1, d.count("undefined"))
	assert.Equal(t, 1, d.count("1 − mean ρ"))
	assert.Equal(t, 1, d.count("≥ 1"), "1 − (−0.25) is beyond the scale")
	assert.Equal(t, 1, d.count(number(1-p.Values[5][5])))
	assert.Greater(t, len(d.lines), 8+7+6, "ticks and hatching")
}

// A narrow pane's title reaches beyond it.
func TestPaneNarrow(t *testing.T) {
	p := sample(1, 1)
	p.ColumnTitle = "at the end of training, network b"
	d := drawn(t, p, Page{})
	d.requireTidy(t)
	assert.Equal(t, 1, d.count(p.ColumnTitle))
}

// Names that have no room are left out evenly, from the first; none overlaps.
func TestPaneOf200Layers(t *testing.T) {
	for _, up := range []bool{false, true} {
		layers := names(200, "layer4.1.conv2.relu.")
		p := sample(200, 20)
		p.Rows = layers
		if up {
			p = sample(20, 200)
			p.Columns = layers
		}
		d := drawn(t, p, Page{})
		d.requireTidy(t)
		var shown []int
		for i, name := range layers {
			for _, s := range d.texts {
				if s.text != name {
					continue
				}
				shown = append(shown, i)
				require.Equal(t, up, s.up)
				if up {
					c := cell(d.frames[0], 0, i, 20, 200)
					require.InDelta(t, (c.left+c.right)/2, (s.left+s.right)/2, 0.05)
				} else {
					c := cell(d.frames[0], i, 0, 200, 20)
					require.InDelta(t, (c.bottom+c.top)/2, (s.bottom+s.top)/2, 0.05)
				}
			}
		}
		require.Greater(t, len(shown), 30)
		step := shown[1]
		for i, layer := range shown {
			require.Equal(t, i*step, layer)
		}
		require.GreaterOrEqual(t, shown[len(shown)-1]+step, 200, "names stop before the end")
	}
}

// The scale runs over all colours, from 0 at its left to 1 at its right.
func TestScale(t *testing.T) {
	d := drawn(t, sample(2, 2), Page{})
	place := map[string]float64{}
	var below float64
	for _, s := range d.texts {
		place[s.text], below = (s.left+s.right)/2, max(below, s.top)
	}
	var bar []shownFill
	for _, f := range d.fills {
		if f.corners == 4 && f.bottom > d.frames[0].top {
			bar = append(bar, f)
		}
	}
	require.NotEmpty(t, bar)
	first, last := bar[0], bar[len(bar)-1]
	assert.Equal(t, scoreColour(0), first.colour)
	assert.Equal(t, scoreColour(1), last.colour)
	assert.InDelta(t, first.left, place["0"], rounding)
	assert.InDelta(t, last.right, place["1"], rounding)
	for i := 1; i < 5; i++ {
		v := float64(i) / 5
		x := place[fmt.Sprint(v)]
		assert.InDelta(t, first.left+v*(last.right-first.left), x, rounding)
		got, want := lab(d.colourAt(x, (first.bottom+first.top)/2)), lab(scoreColour(v))
		assert.Less(t, distance(got, want), 2., "a step of the bar is 1/128")
	}
}

func TestPanePNG(t *testing.T) {
	p := sample(5, 9)
	for _, page := range []Page{{}, {Width: 301, DPI: 100}, {Dark: true}, {Transparent: true}} {
		d := drawn(t, p, page)
		file, err := png.Decode(bytes.NewReader(rendered(t, p, PNG, page)))
		require.NoError(t, err)
		scale := 2.
		if page.DPI > 0 {
			scale = float64(page.DPI) / 72
		}
		require.Equal(t, int(math.Round(d.width*scale)), file.Bounds().Dx())
		require.InDelta(t, d.height*scale, file.Bounds().Dy(), 0.6)
		for i := range 5 {
			for j := range 9 {
				c := cell(d.frames[0], i, j, 5, 9)
				at := file.At(int((c.left+0.2*c.width())*scale), int((c.bottom+0.2*c.height())*scale))
				require.Equal(t, scoreColour(p.Values[i][j]), color.RGBAModel.Convert(at), "cell %d, %d", i, j)
			}
		}
		paper := color.RGBAModel.Convert(light.paper)
		if page.Dark {
			paper = color.RGBAModel.Convert(dark.paper)
		}
		if page.Transparent {
			paper = color.RGBA{}
		}
		for _, corner := range [][2]int{{0, 0}, {file.Bounds().Dx() - 1, file.Bounds().Dy() - 1}} {
			require.Equal(t, paper, color.RGBAModel.Convert(file.At(corner[0], corner[1])))
		}
	}
}

func TestPaneRefuses(t *testing.T) {
	mask := func(rows ...[]bool) [][]bool { return rows }
	for _, c := range []struct {
		what   string
		change func(*Pane)
		want   error
		says   string
	}{
		{"nothing", func(p *Pane) { *p = Pane{} }, ErrShape, "0 rows and 0 columns"},
		{"no columns", func(p *Pane) { p.Columns = nil }, ErrShape, "2 rows and 0 columns"},
		{"rows", func(p *Pane) { p.Rows = p.Rows[:1] }, ErrShape, "Values has 2 rows for 1 names"},
		{"ragged", func(p *Pane) { p.Values[1] = p.Values[1][:1] }, ErrShape, "Values[1] has 1 columns for 3 names"},
		{"mask", func(p *Pane) { p.Undefined = mask(nil, nil) }, ErrShape, "Undefined[0] has 0 columns"},
		{"NaN", func(p *Pane) { p.Values[1][2] = math.NaN() }, ErrNotFinite, "layer4.1.conv1 against b/fc2"},
		{"infinite", func(p *Pane) { p.Values[0][0] = math.Inf(-1) }, ErrNotFinite, "Values[0][0]"},
		{"empty name", func(p *Pane) { p.Rows[1] = " " }, ErrText, "row 2 of 2 is empty"},
		{"control", func(p *Pane) { p.Columns[1] = "a\x1b[1m" }, ErrText, "U+001B"},
		{"lines", func(p *Pane) { p.Title = "a\nb" }, ErrText, "Title"},
		{"long", func(p *Pane) { p.Rows[0] = strings.Repeat("a", 4097) }, ErrText, "4097 bytes"},
		{"UTF-8", func(p *Pane) { p.Score = "a\xff" }, ErrText, "UTF-8"},
	} {
		p := sample(2, 3)
		c.change(p)
		var file bytes.Buffer
		err := p.Render(&file, SVG, Page{})
		assert.ErrorIs(t, err, c.want, c.what)
		assert.ErrorContains(t, err, c.says, c.what)
		assert.Zero(t, file.Len(), c.what)
	}
}

// Panes share names and scale: rows are named at the left of each line only.
func TestPanesShare(t *testing.T) {
	var p Panes
	for i := range 7 {
		q := sample(6, 5)
		q.Title, q.RowTitle, q.ColumnTitle = fmt.Sprintf("step %d", 100*i), "during", "at the end"
		q.Values[i%6][i%5] = 0
		p.Panes = append(p.Panes, *q)
	}
	p.Title = "Training"
	d := drawn(t, &p, Page{})
	d.requireTidy(t)
	require.Len(t, d.frames, 7)
	lines := map[float64]int{}
	for i, frame := range d.frames {
		lines[math.Round(frame.top)]++
		requireCells(t, d, frame, &p.Panes[i])
		assert.InDelta(t, d.frames[0].width(), frame.width(), rounding)
		assert.Equal(t, 1, d.count(p.Panes[i].Title))
	}
	require.Len(t, lines, 2, "seven panes of 5 columns take two lines of 540 points")
	assert.Equal(t, 2, d.count(p.Panes[0].Rows[0]))
	assert.Equal(t, 7, d.count("at the end"))
	assert.Equal(t, 1, d.count("SVCCA similarity"))

	assert.Zero(t, d.count("undefined"))
	p.Panes[5].Undefined = make([][]bool, 6)
	for i := range 6 {
		p.Panes[5].Undefined[i] = make([]bool, 5)
	}
	p.Panes[5].Undefined[2][2], p.Panes[3].Values[1][1], p.Panes[6].Values[1][1] = true, -0.1, 1.5
	d = drawn(t, &p, Page{})
	for _, text := range []string{"undefined", "≤ 0", "≥ 1"} {
		assert.Equal(t, 1, d.count(text), "one scale for all: %s", text)
	}

	p.Panes = p.Panes[:4]
	d = drawn(t, &p, Page{})
	for _, frame := range d.frames {
		assert.InDelta(t, d.frames[0].top, frame.top, rounding, "four panes stand in a row")
	}
	for _, change := range []func(*Pane){
		func(q *Pane) { q.Rows = names(6, "x") }, func(q *Pane) { q.Columns = names(5, "x") }, func(q *Pane) { q.Distances = true },
		func(q *Pane) { q.Score = "x" }, func(q *Pane) { q.RowTitle = "x" }, func(q *Pane) { q.ColumnTitle = "x" },
	} {
		other := Panes{Panes: append([]Pane(nil), p.Panes...)}
		change(&other.Panes[2])
		err := other.Render(&bytes.Buffer{}, SVG, Page{})
		assert.ErrorIs(t, err, ErrShape)
		assert.ErrorContains(t, err, "Panes[2]")
	}
	p.Panes[1].Values[0][0] = math.NaN()
	assert.ErrorIs(t, p.Render(&bytes.Buffer{}, SVG, Page{}), ErrNotFinite)
	assert.ErrorIs(t, Panes{}.Render(&bytes.Buffer{}, SVG, Page{}), ErrShape)
}

// Names a little too wide are set smaller before anything is cut.
func TestFitNames(t *testing.T) {
	one := []string{"layer4.1.conv2.relu"}
	l := fitNames(one, 20, textWidth(one[0], 7), nameSize)
	assert.Equal(t, labels{one, 7, textWidth(one[0], 7)}, l)
	l = fitNames(one, 20, textWidth(one[0], 5), nameSize)
	assert.Equal(t, leastSize, l.size)
	assert.Contains(t, l.text[0], "…")
	assert.LessOrEqual(t, l.extent, textWidth(one[0], 5))
}

// Names too long are cut in the middle, where that keeps them different.
func TestShorten(t *testing.T) {
	long := []string{"model.features.layer3.1.conv2.relu", "model.features.layer4.1.conv2.relu", "model.features.layer4.2.conv2.relu"}
	room := textWidth(long[0], 8) * 0.6
	short := shorten(long, 8, room)
	for i, s := range short {
		assert.LessOrEqual(t, textWidth(s, 8), room)
		assert.Contains(t, s, "…")
		assert.Contains(t, long[i], strings.Trim(s, "…"))
	}
	assert.Equal(t, 3, distinct(short))
	// What all begin and end with goes first, in whole parts.
	assert.Equal(t, "…layer4.1.conv2.relu", shorten(long, 8, textWidth("…layer4.1.conv2.relu", 8))[1])
	assert.Equal(t, "…layer4.1…", shorten(long, 8, textWidth("…layer4.1…", 8))[1])
	assert.Equal(t, "…1…", shorten(long[1:], 8, textWidth("…2…", 8))[0])
	assert.Equal(t, []string{"encoder…", "decoder…"}, shorten([]string{"encoder.block.norm", "decoder.block.norm"}, 8, textWidth("encoder…", 8)))
	// What is all of a name is not taken from it.
	assert.Equal(t, 2, distinct(shorten([]string{"model.features.", "model.features.conv1"}, 8, textWidth("model.features.", 8))))
	// Names from which nothing can be taken lose their middle, to fit.
	for _, s := range shorten(long, 8, textWidth("wide", 8)/2) {
		assert.LessOrEqual(t, textWidth(s, 8), textWidth("wide", 8)/2)
	}
	assert.Equal(t, long, shorten(long, 8, textWidth(long[0], 8)+20))
	assert.Equal(t, "…", elide("wide", 8, 1, 0.5))
	// A letter more would not fit.
	s := elide("abcdefghijklmnopqrstuvwxyz", 8, 50, 1)
	assert.Greater(t, textWidth("abcdefghijklmnopqrstuvwxyz"[:len(s)-len("…")+1]+"…", 8), 50.)
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", -0.001: "0.00", 1: "1.00", 0.125: "0.12", -0.5: "−0.50", -12: "−12.00"} {
		assert.Equal(t, want, number(v))
	}
}
