package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/freeze"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// element is one of a page, read back.
type element struct {
	name     string
	attr     map[string]string
	text     string // its own
	children []*element
}

// readPage parses a page, which is well-formed XML too, to its end.
func readPage(t *testing.T, file []byte) *element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(file))
	root := &element{}
	stack := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		top := stack[len(stack)-1]
		switch e := token.(type) {
		case xml.StartElement:
			child := &element{name: e.Name.Local, attr: map[string]string{}}
			for _, a := range e.Attr {
				require.NotContains(t, child.attr, a.Name.Local)
				child.attr[a.Name.Local] = a.Value
			}
			top.children = append(top.children, child)
			stack = append(stack, child)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(e)
		}
	}
	require.Len(t, stack, 1)
	return root
}

// each calls do with every element below.
func (e *element) each(do func(*element)) {
	for _, c := range e.children {
		do(c)
		c.each(do)
	}
}

// all are the elements of a name below.
func (e *element) all(name string) (found []*element) {
	e.each(func(c *element) {
		if c.name == name {
			found = append(found, c)
		}
	})
	return found
}

// words is all text below, without figures.
func (e *element) words() string {
	if e.name == "svg" || e.name == "style" {
		return ""
	}
	text := e.text
	for _, c := range e.children {
		text += " " + c.words()
	}
	return strings.Join(strings.Fields(text), " ")
}

// section is the one of an id, nil where there is none.
func (e *element) section(id string) *element {
	for _, s := range e.all("section") {
		if s.attr["id"] == id {
			return s
		}
	}
	return nil
}

// grid is a table's text, its head and its body, without the groups above its head.
func (e *element) grid() (grid [][]string) {
	for _, row := range e.all("tr") {
		var line []string
		for _, c := range row.children {
			line = append(line, strings.TrimSpace(c.text))
		}
		grid = append(grid, line)
	}
	if head := e.all("thead")[0]; len(head.children) > 1 {
		return grid[1:]
	}
	return grid
}

// numberIn reads a number of a table.
func numberIn(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.Replace(strings.TrimSuffix(text, "%"), "−", "-", 1), 64)
	require.NoError(t, err)
	return v
}

// rounded is how far a number of four decimals lies from its value.
const rounded = 0.5e-4 + 1e-12

// reportOf runs the command, and returns its page, its numbers and its words.
func reportOf(t *testing.T, args ...string) (page *element, j reportJSON, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	html, numbers := filepath.Join(dir, "r.html"), filepath.Join(dir, "r.json")
	status, stdout, stderr := call(t, append([]string{"report", "-o", html, "-o", numbers}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, stdout)
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(read(t, numbers), &fields))
	delete(fields, "options") // is only written
	if string(fields["dynamics"]) != "null" {
		d := decodeDynamics(t, fields["dynamics"])
		j.Dynamics = &d
	}
	delete(fields, "dynamics")
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &j))
	assert.Equal(t, "svcca.report/1", j.Schema)
	page = readPage(t, read(t, html))
	checkClosed(t, page)
	checkHeadlines(t, page, j)
	return page, j, stdout, stderr
}

// checkClosed makes sure that the page runs nothing and asks for nothing from elsewhere.
func checkClosed(t *testing.T, page *element) {
	t.Helper()
	known := strings.Fields("html head meta link title style body header nav main section h1 h2 p b a ol ul li figure figcaption div pre code dl dt dd table thead tbody tr th td span svg desc g path text image")
	ids := map[string]bool{}
	page.each(func(e *element) {
		assert.Contains(t, known, e.name)
		for name, value := range e.attr {
			assert.False(t, strings.HasPrefix(name, "on"), "%s of %s", name, e.name)
			if name == "href" || name == "src" {
				assert.Regexp(t, `^(#[a-z]+$|data:)`, value)
			}
			if name == "style" || e.name == "style" {
				assert.NotContains(t, value, "url(")
			}
		}
		if id, is := e.attr["id"]; is {
			assert.False(t, ids[id], "id %s twice", id)
			ids[id] = true
		}
	})
	for _, a := range page.all("a") {
		assert.True(t, ids[strings.TrimPrefix(a.attr["href"], "#")], a.attr["href"])
	}
	assert.NotContains(t, page.all("style")[0].text, "url(")
	assert.NotContains(t, page.all("style")[0].text, "@import")
	policy := slices.IndexFunc(page.all("meta"), func(e *element) bool { return e.attr["http-equiv"] == "Content-Security-Policy" })
	require.GreaterOrEqual(t, policy, 0)
	assert.Contains(t, page.all("meta")[policy].attr["content"], "default-src 'none'")
}

// checkHeadlines makes sure that each section says what it finds, and has a figure with a
// caption and words for who does not see it, and a table.
func checkHeadlines(t *testing.T, page *element, j reportJSON) {
	t.Helper()
	var headlines []string
	for _, s := range page.all("section") {
		if id := s.attr["id"]; id == "made" || id == "warnings" {
			continue
		}
		title := s.all("h2")[0].text
		headlines = append(headlines, title)
		assert.Regexp(t, `[.]$`, title)
		assert.Len(t, s.all("figure"), 1, title)
		for _, f := range s.all("figure") {
			assert.NotEmpty(t, f.all("figcaption")[0].text)
			require.Len(t, f.all("svg"), 2, "wide and narrow")
			for _, svg := range f.all("svg") {
				assert.Equal(t, "img", svg.attr["role"])
				assert.Equal(t, f.all("figcaption")[0].text, svg.all("title")[0].text)
				assert.Equal(t, title, svg.all("desc")[0].text)
			}
		}
	}
	assert.Equal(t, j.Findings, headlines)
	var linked []string
	for _, a := range page.all("a") {
		linked = append(linked, strings.TrimSpace(a.text))
	}
	assert.Equal(t, headlines, linked)
}

// TestReportIsTheCommands: what the page and its JSON say of networks is what matrix, dims
// and classes say.
func TestReportIsTheCommands(t *testing.T) {
	classNets(t)
	for _, flags := range [][]string{nil, {"--score", "weighted", "--keep", "variance(0.9)"}} {
		page, j, _, _ := reportOf(t, append([]string{"a", "--against", "b"}, flags...)...)
		names := []string{"l2", "l10", "logits"}
		assert.Equal(t, names, j.Layers)
		assert.Equal(t, asNetwork, j.Kind)
		var paths [2][]string
		for _, name := range names {
			paths[0], paths[1] = append(paths[0], "a/"+name+".npy"), append(paths[1], "b/"+name+".npy")
		}
		own, _ := matrixOf(t, slices.Concat(paths[0], flags)...)
		against, _ := matrixOf(t, slices.Concat(paths[0], []string{"--against"}, paths[1], flags)...)
		score := func(m matrixJSON, i, k int) (v, bound float64) {
			of, bound := m.Score.kind().of(&m.Pairs[i][k])
			return *of, bound
		}
		for _, c := range []struct {
			id   string
			want matrixJSON
			got  *reportPane
		}{{"layers", own, j.Pane}, {"against", against, j.Against.Pane}} {
			table := page.section(c.id).all("table")[0].grid()
			assert.Equal(t, append([]string{""}, names...), table[0])
			for i, row := range c.want.Pairs {
				assert.Equal(t, names[i], table[i+1][0])
				for k := range row {
					want, bound := score(c.want, i, k)
					got, _ := j.Score.kind().of(&c.got.Pairs[i][k])
					assert.InDelta(t, want, *got, 2*bound+1e-14, c.id)
					assert.InDelta(t, want, numberIn(t, table[i+1][k+1]), rounded+2*bound)
				}
			}
		}
		assert.Equal(t, against.Alignment.TauRows, j.Against.Alignment.TauRows)
		for i, m := range against.Alignment.Rows {
			assert.Equal(t, m.Layer, j.Against.Alignment.Rows[i].Layer)
			assert.Equal(t, names[m.Layer], page.section("against").all("table")[1].grid()[i+1][2])
		}
		dims, _ := dimsOf(t, slices.Concat(paths[0])...)
		table := page.section("dimensions").all("table")[0].grid()
		for i, d := range dims {
			at := slices.IndexFunc(names, func(name string) bool { return d.Name == "a/"+name+".npy" })
			got := j.Dimensions[at]
			assert.InDeltaSlice(t, d.SingularValues, got.SingularValues, 1e-12*d.SingularValues[0])
			assert.Equal(t, d.Kept, got.Kept)
			want := []string{names[at], strconv.Itoa(d.Neurons), strconv.Itoa(d.Rank)}
			for _, k := range d.Kept {
				want = append(want, strconv.Itoa(k.Variance))
			}
			for _, k := range d.Kept {
				want = append(want, strconv.Itoa(k.Sum))
			}
			assert.Equal(t, append(want, fmt.Sprintf("%.1f", d.ParticipationRatio)), table[at+1], i)
		}
		var keep []string
		if len(flags) > 0 {
			keep = flags[2:]
		}
		classes, _ := classesOf(t, append([]string{"a"}, keep...)...)
		table = page.section("classes").all("table")[0].grid()
		for c, curve := range classes.Networks[0].Curves {
			for l, p := range curve.Points {
				assert.InDelta(t, *p.Mean, *j.Classes.Curves[c].Points[l].Mean, 1e-14)
				assert.InDelta(t, *p.Mean, numberIn(t, table[c+1][l+1]), rounded)
			}
		}
	}
}

// TestReportOfTraining: what the page says of a run is what dynamics and freeze say.
func TestReportOfTraining(t *testing.T) {
	trains(t, byStep)
	order := strings.Join(runLayers, ",")
	page, j, stdout, stderr := reportOf(t, "run", "--layers", order)
	assert.Contains(t, stderr, "note: run is taken for a training run of 4 steps; --as network if it is one network")
	d := dynamicsOf(t, "run", "--layers", order, "--panes", "panes.svg")
	assert.Equal(t, asTraining, j.Kind)
	assert.Equal(t, d.Curves, j.Dynamics.Curves)
	assert.Equal(t, d.Panes, j.Dynamics.Panes)
	assert.Equal(t, d.Converged, j.Dynamics.Converged)
	assert.Equal(t, d.Steps, j.Dynamics.Steps)
	curves := page.section("convergence").all("table")[0].grid()
	assert.Equal(t, []string{"", "0", "5", "10", "100"}, curves[0])
	for l, curve := range d.Curves {
		for s, v := range curve {
			assert.InDelta(t, *v, numberIn(t, curves[l+1][s+1]), rounded)
		}
	}
	_, dynamics, _ := call(t, "dynamics", "run", "--layers", order)
	for _, row := range page.section("convergence").all("table")[1].grid()[1:] {
		assert.Contains(t, strings.Join(strings.Fields(dynamics), " "), strings.Join(strings.Fields(strings.Join(row, " ")), " "))
	}
	assert.Contains(t, strings.Join(strings.Fields(dynamics), " "), j.Findings[0])
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), j.Findings[0])

	// Means of the panes, by step.
	table := page.section("panes").all("table")[0].grid()
	for s := range d.Steps {
		var own, other float64
		for l := range runLayers {
			for m := range runLayers {
				if l == m {
					own += *d.Panes[s][l][m].Mean / 3
				} else {
					other += *d.Panes[s][l][m].Mean / 6
				}
			}
		}
		assert.InDelta(t, own, numberIn(t, table[s+1][1]), rounded)
		assert.InDelta(t, other, numberIn(t, table[s+1][2]), rounded)
	}

	// What is frozen has converged, and all below it; the work is counted step by step.
	work := func(frozenAfter func(l int) int) float64 {
		full, left := 0, 0
		for step := 1; step <= 100; step++ {
			learns := false // a layer below
			for l := range runLayers {
				full++
				if l > 0 {
					full++ // the gradient for what is below
				}
				if learns {
					left++
				}
				if step <= frozenAfter(l) {
					left++
					learns = true
				}
			}
		}
		return 1 - float64(left)/float64(full)
	}
	latest, after := 0, []int{}
	for l, c := range d.Converged {
		latest = max(latest, *c.Step)
		after = append(after, latest)
		assert.Equal(t, latest, *j.Freeze.Converged.Layers[l].FrozenAfter)
	}
	assert.InDelta(t, work(func(l int) int { return after[l] }), j.Freeze.ConvergedWork.Saved.Backward, 1e-12)
	linear := func(l int) int { return (100*(l+1) + 2) / 3 } // rounded upwards
	assert.InDelta(t, work(linear), j.Freeze.LinearWork.Saved.Backward, 1e-12)
	table = page.section("freeze").all("table")[0].grid()
	for l := range runLayers {
		assert.Equal(t, []string{runLayers[l], strconv.Itoa(after[l]), strconv.Itoa(linear(l))}, table[l+1])
	}
	assert.Nil(t, page.section("classes"))
	assert.Len(t, j.Inputs, len(runSteps)*len(runLayers), "each once")

	// The last step is a network like any other.
	last, _, _, _ := reportOf(t, "run/step100", "--layers", order)
	for _, id := range []string{"layers", "dimensions"} {
		assert.Equal(t, last.section(id).all("table")[0].grid(), page.section(id).all("table")[0].grid())
	}
	both, j, _, _ := reportOf(t, "run/step000", "--against", "run", "--layers", order)
	assert.Contains(t, both.all("header")[0].words(), "also against those of run at step 100")
	for l, row := range d.Panes[0] {
		for m := range row {
			assert.InDelta(t, *row[m].Mean, *j.Against.Pane.Pairs[l][m].Mean, 1e-12)
		}
	}
}

// TestReportSelects: of a run flags choose what they choose of its steps.
func TestReportSelects(t *testing.T) {
	trains(t, byStep)
	flags := []string{"run", "--layers", "z,b,a", "--datapoints", "0:40", "--neurons", "0:3"}
	page, j, _, _ := reportOf(t, flags...)
	d := dynamicsOf(t, append(flags, "--panes", "panes.svg")...)
	assert.Equal(t, d.Panes, j.Dynamics.Panes)
	last := len(runSteps) - 1
	for l, row := range d.Panes[last] {
		for m, p := range row {
			assert.InDelta(t, *p.Mean, *j.Pane.Pairs[l][m].Mean, 1e-12)
		}
	}
	assert.Contains(t, page.all("header")[0].words(), "3 layers over 40 datapoints")
	require.Len(t, j.Selection.Steps, 2)

	// Logits are whole at every step.
	_, j, _, _ = reportOf(t, append(flags, "--logits", "a")...)
	assert.Equal(t, 6, j.Classes.Count)
	for _, pane := range j.Dynamics.Panes {
		assert.Greater(t, pane[2][2].KX, 3)
	}
}

// TestReportUndefined: scores that chance leaves undefined are gaps, and none in tables.
func TestReportUndefined(t *testing.T) {
	trains(t, byStep)
	page, j, _, _ := reportOf(t, "run", "--layers", "z,b,a", "--score", "adjusted", "--keep", "rank", "--datapoints", "0:5")
	assert.Nil(t, j.Dynamics.Curves[0][0])
	assert.Equal(t, []string{"0", "none", "none"}, page.section("panes").all("table")[0].grid()[1])
	assert.Equal(t, "none", page.section("convergence").all("table")[0].grid()[1][1])
	assert.Contains(t, j.Findings[1], "none")
}

// TestReportNever: a layer that never converges is never frozen, nor is any above it, and
// they take no place in the figure.
func TestReportNever(t *testing.T) {
	ten, none := 10, 0
	d := &dynamicsJSON{Steps: []int{0, 10, 100}, Threshold: 0.9, Converged: []dynamics.Convergence{{Layer: "a", Step: &ten}, {Layer: "b"}, {Layer: "c", Step: &none}}}
	f, err := freezing(d)
	require.NoError(t, err)
	assert.Equal(t, []freeze.Layer{{Name: "a", FrozenAfter: &ten}, {Name: "b"}, {Name: "c"}}, f.Converged.Layers)
	s, err := new(reporting).freezes(&reportJSON{Dynamics: d, Freeze: f})
	require.NoError(t, err)
	for l, want := range []string{"10", "never frozen", "never frozen"} {
		assert.Equal(t, want, s.Tables[0].Rows[l][1].Text)
	}
	glyphs := func(s *reportSection) int { return strings.Count(string(s.Figures[0].Wide), "A2.6,2.6") }
	some := glyphs(s)
	d.Converged[1].Step = &ten
	f, err = freezing(d)
	require.NoError(t, err)
	s, err = new(reporting).freezes(&reportJSON{Dynamics: d, Freeze: f})
	require.NoError(t, err)
	assert.Greater(t, glyphs(s), some)

	d.Steps = []int{0}
	f, err = freezing(d)
	require.NoError(t, err)
	assert.Nil(t, f, "nothing was trained")
}

// TestReportOfOneLayer: there is nothing to compare it with but another network.
func TestReportOfOneLayer(t *testing.T) {
	trains(t, byStep)
	page, j, _, _ := reportOf(t, "run", "--pattern", "step{step}/{layer}.npy", "--layers", "a", "--layers", "z,b", "--against", "run/step000")
	assert.Equal(t, []string{"a"}, j.Layers)
	assert.Equal(t, []string{"z", "b"}, j.Against.Pane.Columns)
	assert.Nil(t, page.section("panes"))
	assert.Nil(t, page.section("layers"))
	assert.Nil(t, j.Against.Alignment)
	assert.Contains(t, j.Findings, "One layer alone has no depth to match.")
	assert.Regexp(t, "^a (has converged from step|never converges)", j.Findings[0])
}

// TestReportReads: what is a run and what is a network, and in which order.
func TestReportReads(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, block := range []string{"net/block1", "net/block2"} {
		require.NoError(t, os.MkdirAll(block, 0o700))
		save(t, block+"/conv.npy", gaussian(uint64(len(block)), 40, 3))
	}
	require.NoError(t, os.WriteFile("net/notes.txt", nil, 0o600))
	_, j, _, _ := reportOf(t, "net")
	assert.Equal(t, asTraining, j.Kind)
	_, j, _, stderr := reportOf(t, "net", "--as", "network")
	assert.Equal(t, asNetwork, j.Kind)
	assert.Equal(t, []string{"block1/conv", "block2/conv"}, j.Layers)
	assert.Contains(t, stderr, "--layers says which are nearer to the input")
	_, j, _, stderr = reportOf(t, "net", "--as", "network", "--layers", "block2/conv,block1/conv", "--against", "net")
	assert.Equal(t, []string{"block2/conv", "block1/conv"}, j.Layers)
	assert.Equal(t, j.Layers, j.Against.Pane.Columns, "--as is of both")
	assert.Equal(t, j.Pane.Pairs, j.Against.Pane.Pairs)
	assert.NotContains(t, stderr, "note:")
	assert.Len(t, j.Inputs, 2, "each once")
	_, j, _, stderr = reportOf(t, "net", "--as", "network", "--quiet")
	assert.Empty(t, stderr)

	// Archives are networks.
	saveNPZ(t, "net.npz", 0, arrayOf{"x", array(gaussian(1, 40, 3), 40, 3)}, arrayOf{"y", array(gaussian(2, 40, 3), 40, 3)})
	_, j, _, _ = reportOf(t, "net.npz")
	assert.Equal(t, []string{"x", "y"}, j.Layers)
}

// TestReportHostileNames: names are text, in the page and its figures.
func TestReportHostileNames(t *testing.T) {
	t.Chdir(t.TempDir())
	names := []string{`"><img src=x onerror=alert(1)>`, `<script>alert(1)<`, `'&amp;{{.CSS}}`, strings.Repeat("long", 50), "\x1b[31m\nred", `</style><b>`[2:]}
	require.NoError(t, os.Mkdir("net", 0o700))
	for i, name := range names {
		if save(t, "net/plain.npy", gaussian(uint64(i), 40, 3)); os.Rename("net/plain.npy", "net/"+name+".npy") != nil {
			t.Skip("this file system has no such names")
		}
	}
	page, _, stdout, _ := reportOf(t, "net", "--against", "net")
	words := page.words()
	for _, name := range names {
		assert.Contains(t, words, shown(name))
	}
	assert.NotContains(t, stdout, "\x1b")
	drawn := ""
	for _, e := range page.all("text") {
		drawn += e.text + "\n"
	}
	assert.Contains(t, drawn, names[1])
}

func TestReportStatus(t *testing.T) {
	classNets(t)
	path := func(step int, layer string) string { return fmt.Sprintf("run/step%03d/%s.npy", step, layer) }
	for _, step := range runSteps {
		for l, layer := range runLayers {
			name := path(step, layer)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
			save(t, name, trained(l, step))
		}
	}
	require.NoError(t, os.Mkdir("maps", 0o700))
	save(t, "maps/m.npy", gaussian(3, 60, 12), 60, 2, 2, 3)
	require.NoError(t, os.Mkdir("odd", 0o700))
	save(t, "odd/x.npy", gaussian(3, 60, 2))
	save(t, "odd/y.npy", gaussian(3, 59, 2))
	require.NoError(t, os.WriteFile("there.html", nil, 0o600))
	for _, c := range []struct {
		args   string
		status int
		says   []string
	}{
		{"-o r.html", exitMisused, []string{"one directory is needed, 0 given"}},
		{"a b -o r.html", exitMisused, []string{"one directory is needed, 2 given"}},
		{"a", exitMisused, []string{"-o OUT.html is needed"}},
		{"a -o r.json", exitMisused, []string{"-o r.json: the page to write, with .html, is needed, too"}},
		{"a -o r.html -o r.pdf", exitMisused, []string{"-o r.pdf: a name that ends with .html or .json expected"}},
		{"a -o r.html -o r.html", exitMisused, []string{"given twice"}},
		{"a -o there.html", exitFailed, []string{"there.html exists", "--force"}},
		{"a -o no/r.html", exitFailed, []string{"no directory"}},
		{"a -o r.html --threshold 2", exitMisused, []string{"--threshold 2"}},
		{"a -o r.html --as nets", exitMisused, []string{"network or training expected"}},
		{"a -o r.html --as network --pattern {step}/{layer}.npy", exitMisused, []string{"--pattern is of a training run"}},
		{"a -o r.html --layers l2 --layers l10", exitMisused, []string{"--layers is given 2 times"}},
		{"a -o r.html --layers l2,l3", exitMisused, []string{"--layers l3: a has no layer of that name: there are l2, l10, logits"}},
		{"a -o r.html --layers l2,l2", exitMisused, []string{"--layers names l2 twice"}},
		{"run -o r.html --layers z,y", exitMisused, []string{"--layers y: no checkpoint has", "a, b, z"}},
		{"a -o r.html --logits logit", exitMisused, []string{"no layer is called logit", "did you mean logits?"}},
		{"a -o r.html --layers l2 --class 1", exitMisused, []string{"no layer is called logits", "there are l2"}},
		{"a -o r.html --class @x.npy", exitMisused, []string{"classes are listed"}},
		{"a -o r.html --class 3", exitFailed, []string{"--class", "3"}},
		{"a -o r.html --conv dft", exitMisused, []string{"no layer holds feature maps"}},
		{"a -o r.html --score means", exitMisused, []string{"did you mean mean?"}},
		{"run -o r.html --ids *.txt", exitMisused, []string{"--ids is for one network"}},
		{"run -o r.html --nonfinite drop", exitMisused, []string{"--nonfinite drop is for one network"}},
		{"run -o r.html --skip-bad", exitMisused, []string{"--layers names those to take"}},
		{"a -o r.html --against c", exitFailed, []string{"c: no such file"}},
		{"a -o r.html --against odd", exitFailed, []string{"odd/"}},
		{"a/l2.npy -o r.html", exitMisused, []string{"a/l2.npy is no network", "svcca report a"}},
		{"maps -o r.html", exitFailed, []string{"maps/m.npy holds feature maps", "svcca report maps -o r.html --conv dft"}},
		{"odd -o r.html", exitFailed, []string{"odd/y.npy has 59 datapoints", "--skip-bad"}},
		{"a -o r.html --quiet --score adjusted --sample 4 --keep rank", exitDone, nil},
		{"absent -o r.html", exitFailed, []string{"absent: no such file"}},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, append([]string{"report"}, strings.Fields(c.args)...)...)
		assert.Equal(t, c.status, status, "%s: %s", c.args, stderr)
		for _, s := range c.says {
			assert.Contains(t, stderr, s, c.args)
		}
		if c.status == exitDone {
			require.NoError(t, os.Remove("r.html"))
			continue
		}
		assert.Empty(t, stdout, c.args)
		assert.Equal(t, before, listing(t, "."), c.args)
	}
}

// TestReportSaysWhatLimits: warnings stand on the page and in its words.
func TestReportSaysWhatLimits(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("few", 0o700))
	dead := gaussian(1, 6, 5)
	for i := range dead.Rows {
		dead.Set(i, 2, 3)
	}
	save(t, "few/x.npy", dead)
	save(t, "few/y.npy", gaussian(2, 6, 5))
	save(t, "few/z.npy", gaussian(3, 5, 5))
	page, j, stdout, _ := reportOf(t, "few", "--skip-bad", "--keep", "rank", "--score", "adjusted")
	for _, text := range []string{page.section("warnings").words(), strings.Join(strings.Fields(stdout), " ")} {
		assert.Contains(t, text, "constant neurons, which tell nothing: x (1 of 5)")
		assert.Contains(t, text, "left out: few/z.npy has 5 datapoints")
	}
	assert.Contains(t, page.section("layers").words(), "so few datapoints")
	assert.Contains(t, j.Findings[0], "With so few datapoints the scores are high whatever the layers hold")
	assert.Equal(t, "none", page.section("layers").all("table")[0].grid()[1][2], "undefined")
	assert.Equal(t, "constant_neurons", j.Warnings[len(j.Warnings)-1].Code)
	require.Len(t, j.Skipped, 1)

	// Rows in another order are at chance with all others.
	require.NoError(t, os.Mkdir("order", 0o700))
	x := gaussian(1, 400, 4)
	save(t, "order/a.npy", x)
	save(t, "order/b.npy", x)
	save(t, "order/c.npy", gaussian(9, 400, 4))
	page, _, _, _ = reportOf(t, "order")
	assert.Contains(t, page.section("warnings").words(), "order/c.npy is at chance with every other layer: same rows in the same order?")
	assert.Contains(t, page.section("layers").words(), "~ at chance")
	page, _, _, _ = reportOf(t, "order", "--layers", "a,b")
	assert.Nil(t, page.section("warnings"), "nothing to warn of")
}

// TestReportOfManyLayers: what has no room in a table or a legend is left out, and said so.
func TestReportOfManyLayers(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("net", 0o700))
	x := gaussian(1, 60, 3)
	for i := range 40 {
		for k := range x.Data {
			x.Data[k] += gaussian(uint64(100+i), 60, 3).Data[k] / 3
		}
		save(t, fmt.Sprintf("net/l%d.npy", i), x)
	}
	save(t, "net/logits.npy", gaussian(7, 60, 40))
	file := filepath.Join(t.TempDir(), "r.html")
	status, _, stderr := call(t, "report", "net", "-o", file)
	require.Equal(t, exitDone, status, stderr)
	page := readPage(t, read(t, file))
	assert.Empty(t, page.section("layers").all("table"))
	assert.Contains(t, page.section("layers").words(), "more layers than a table has room for")
	assert.Len(t, page.section("layers").all("image"), 2, "wide and narrow")
	assert.Contains(t, page.section("dimensions").words(), "(28 of 41 layers)")
	assert.Len(t, page.section("dimensions").all("table")[0].grid(), 1+41)
	assert.Contains(t, page.section("classes").words(), "28 of 40 classes; --class names others.")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(1<<20))
}

// TestReportMade: the page says how it was made, and the same command makes it again.
func TestReportMade(t *testing.T) {
	classNets(t)
	weights := lapack.New[float64](90, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%2)
	}
	save(t, "w.npy", weights)
	args := []string{"report", "a", "-o", "r.html", "--force", "--hashes", "--weights", "w.npy", "--datapoints", "0:80", "--precision", "mixed"}
	var files [2][]byte
	for i := range files {
		status, _, stderr := call(t, args...)
		require.Equal(t, exitDone, status, stderr)
		files[i] = read(t, "r.html")
	}
	assert.Equal(t, files[0], files[1])
	made := readPage(t, files[0]).section("made")
	assert.Equal(t, "svcca "+strings.Join(args, " "), made.all("code")[0].words())
	for _, says := range []string{"--keep 'variance(0.99)' --rank-tol storage --centering neurons --precision mixed", version(), "go1.", "BLAS", "--weights w.npy"} {
		assert.Contains(t, made.words(), says)
	}
	table := made.all("table")[0].grid()
	require.Len(t, table, 1+3+1)
	info, err := os.Stat("a/l2.npy")
	require.NoError(t, err)
	sum, err := hashFile(t.Context(), "a/l2.npy")
	require.NoError(t, err)
	assert.Equal(t, []string{"a/l2.npy", "90 × 5", "float64", strconv.FormatInt(info.Size(), 10), sum}, table[1])
	header := readPage(t, files[0]).all("header")[0].words()
	assert.Contains(t, header, "3 layers over 80 datapoints")
	assert.Contains(t, header, "--datapoints 0:80: 80 of 90 datapoints.")
	assert.Contains(t, header, "Weighted: they count as much as 72 datapoints of equal weight.")
}

// TestReportOfNeurons: of logits, which are classes, all are taken, as classes does.
func TestReportOfNeurons(t *testing.T) {
	classNets(t)
	_, j, _, _ := reportOf(t, "a", "--neurons", "1:3", "--against", "b")
	assert.Equal(t, []int{2, 2, 3}, []int{j.Dimensions[0].Neurons, j.Dimensions[1].Neurons, j.Dimensions[2].Neurons})
	assert.Equal(t, 3, j.Classes.Count)
	c, _ := classesOf(t, "a", "--neurons", "1:3")
	for i, curve := range c.Networks[0].Curves {
		for l, p := range curve.Points {
			assert.InDelta(t, *p.Mean, *j.Classes.Curves[i].Points[l].Mean, 1e-14)
		}
	}
	_, j, _, _ = reportOf(t, "a", "--class", "2,0")
	assert.Len(t, j.Classes.Curves, 2)
	_, j, _, _ = reportOf(t, "a", "--logits", "l2", "--layers", "l2,l10")
	assert.Equal(t, 5, j.Classes.Count)
}

// TestReportOfMaps: maps are compared under translations, with each other and with logits,
// as matrix and classes do.
func TestReportOfMaps(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("net", 0o700))
	save(t, "net/c1.npy", someMaps(1, 30, 4, 4, 2), 30, 4, 4, 2)
	save(t, "net/c2.npy", someMaps(2, 30, 2, 2, 3), 30, 2, 2, 3)
	save(t, "net/logits.npy", gaussian(3, 30, 2))
	page, j, _, stderr := reportOf(t, "net", "--conv", "dft", "--against", "net")
	assert.Equal(t, 1, strings.Count(stderr, "30 images of 4 × 4"), "said once")
	m, _ := matrixOf(t, "net", "--conv", "dft")
	for i, row := range m.Pairs {
		for k, p := range row {
			assert.InDelta(t, *p.Mean, *j.Pane.Pairs[i][k].Mean, p.ErrorBound+j.Pane.Pairs[i][k].ErrorBound+1e-14)
			assert.Equal(t, j.Pane.Pairs[i][k], j.Against.Pane.Pairs[i][k])
		}
	}
	c, _ := classesOf(t, "net", "--conv", "dft")
	for i, curve := range c.Networks[0].Curves {
		for l, p := range curve.Points {
			assert.InDelta(t, *p.Mean, *j.Classes.Curves[i].Points[l].Mean, 1e-12)
		}
	}
	assert.Equal(t, 32, j.Dimensions[0].Neurons)
	assert.Contains(t, page.all("header")[0].words(), "over 30 images in all translations (dft)")
	// Of a run dynamics says so, and of the network beside it the matrix.
	for _, step := range []string{"run/1", "run/2"} {
		require.NoError(t, os.MkdirAll(step, 0o700))
		save(t, step+"/c1.npy", someMaps(1, 30, 4, 4, 2), 30, 4, 4, 2)
	}
	_, _, _, stderr = reportOf(t, "run", "--conv", "dft", "--layers", "c1", "--against", "net")
	assert.Equal(t, 1, strings.Count(stderr, "run/2/c1.npy"), stderr)
	assert.Equal(t, 1, strings.Count(stderr, "net/c1.npy"), stderr)
	_, j, _, _ = reportOf(t, "net", "--conv", "pixels", "--layers", "c1")
	assert.Nil(t, j.Classes)
	assert.Equal(t, 480, j.Dimensions[0].Datapoints)
}

// TestReportOfReference: the reference networks, and what is known of them.
func TestReportOfReference(t *testing.T) {
	folder := reference.Folder(t)
	page, j, _, _ := reportOf(t, filepath.Join(folder, "digits/a"), "--layers", "fc1,fc2,fc3,logits", "--against", filepath.Join(folder, "digits/b"))
	var layers map[string]struct {
		Constant int
		Rank     int `json:"rank_storage"`
		K        map[string]int
		S        []float64 `json:"singular_values"`
	}
	reference.Expected(t, "layers", &layers)
	table := page.section("dimensions").all("table")[0].grid()
	for l, name := range j.Layers {
		want := layers["digits/a/"+name]
		assert.Equal(t, strconv.Itoa(want.Constant), table[l+1][2])
		assert.Equal(t, strconv.Itoa(want.Rank), table[l+1][3])
		assert.Equal(t, strconv.Itoa(want.K["variance(0.99)"]), table[l+1][6])
	}
	var pairs []struct {
		X, Y  string
		Rules map[string]struct{ Mean float64 }
	}
	reference.Expected(t, "pairs", &pairs)
	table, found := page.section("against").all("table")[0].grid(), 0
	for _, p := range pairs {
		i := slices.Index(j.Layers, strings.TrimPrefix(p.X, "digits/a/"))
		k := slices.Index(j.Layers, strings.TrimPrefix(p.Y, "digits/b/"))
		if i < 0 || k < 0 {
			continue
		}
		found++
		want, got := p.Rules["variance(0.99)"].Mean, j.Against.Pane.Pairs[i][k]
		assert.InDelta(t, want, *got.Mean, got.ErrorBound)
		assert.InDelta(t, want, numberIn(t, table[i+1][k+1]), rounded)
	}
	assert.Equal(t, 6, found)

	page, j, _, _ = reportOf(t, filepath.Join(folder, "dynamics"), "--layers", "lin1,bn1,lin2,bn2,lin3,bn3,logits")
	assert.Contains(t, page.section("layers").words(), "Nearly the layer before, at 0.95 or more, as Raghu et al. find of batch normalisation: bn1")
	assert.NotNil(t, j.Dynamics.Stripes)
	assert.NotNil(t, page.section("classes"))
}
