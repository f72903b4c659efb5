package main

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// sections are the findings, in the order in which they are read.
func (r *reporting) sections(p *reportPage, j *reportJSON) error {
	for _, make := range []func(*reportJSON) (*reportSection, error){
		r.convergence, r.panes, r.among, r.freezes, r.dimensions, r.classCurves, r.alignment,
	} {
		s, err := make(j)
		if err != nil {
			return err
		}
		if s != nil {
			p.Sections = append(p.Sections, *s)
		}
	}
	return nil
}

// lead says what the page is of.
func (r *reporting) lead(j *reportJSON) string {
	text := plural(len(j.Layers), "layer") + " over " + j.Pane.of.over()
	if j.Dynamics != nil {
		text = fmt.Sprintf("A training run of %s: %s", plural(len(j.Dynamics.Steps), "step"), text)
	}
	if j.Against != nil {
		text += ", also against those of " + shown(j.Against.Of)
		if r.other.training {
			text += fmt.Sprintf(" at step %d", r.other.run[len(r.other.run)-1].step)
		}
	}
	text += ". Score: " + r.score.kind().title + "."
	for _, step := range j.Selection.words() {
		text += " " + step + "."
	}
	if w := j.Pane.of.Options.Weights; w != nil {
		text += fmt.Sprintf(" Weighted: they count as much as %.4g %ss of equal weight.", effective(w), j.Pane.of.unit())
	}
	return text
}

// table is a pane as a table of scores.
func (r *reporting) table(pane *scored, rows, columns []string, caption string) reportTable {
	t := &matrixTable{page: newPage(style{}), width: maxColumns, pane: pane, kind: r.score.kind(), rows: shownAll(rows), columns: shownAll(columns)}
	table := reportTable{Caption: caption, Head: append([]string{""}, t.columns...)}
	for i, name := range t.rows {
		row := cells(name)
		for j := range t.columns {
			mark := t.mark(i, j)
			if mark != "" && !strings.Contains(t.marks, mark) {
				t.marks += mark
			}
			text := strings.TrimSpace(t.cell(i, j, mostDigits))
			row = append(row, reportCell{strings.TrimSuffix(text, mark), mark})
		}
		table.Rows = append(table.Rows, row)
	}
	table.Marked = t.marks != ""
	table.Notes = append(t.legends(), t.chance(), t.rightTo())
	return table
}

// mostTable is how many columns a table has at most that is to be read.
const mostTable = 32

// drawnPane is a pane as a picture.
func (r *reporting) drawnPane(p *reportPane, rowsOf, columnsOf string) figure.Pane {
	kind := r.score.kind()
	drawn := figure.Pane{Rows: shownAll(p.Rows), Columns: shownAll(p.Columns), RowTitle: rowsOf, ColumnTitle: columnsOf}
	if kind.name != "mean" {
		drawn.Score = kind.title
	}
	for i := range p.Pairs {
		values, undefined := kind.onScale(len(p.Columns), func(j int) *svcca.PairScores { return &p.Pairs[i][j] })
		drawn.Values, drawn.Undefined = append(drawn.Values, values), append(drawn.Undefined, undefined)
	}
	return drawn
}

// paneWidth is how wide a picture of a pane with so many columns is read with ease.
func paneWidth(columns int) float64 {
	const around, cell = 90, 36 // points
	return min(wideFigure, max(middleFigure, around+float64(cell*columns)))
}

// brief is a name in a sentence.
func brief(name string) string { return style{}.shorten(shown(name), maxColumns/2) }

// scoreText is a score in four digits, or as many as are certain.
func scoreText(v, bound float64) string { return strings.TrimSpace(decimal(v, bound)) }

// few is the sentence on panes of which most scores are high whatever the layers hold.
func few(pane *reportPane, unit string) string {
	saturated, all := 0, 0
	for i := range pane.Pairs {
		for j := range pane.Pairs[i] {
			if all++; pane.Pairs[i][j].Saturated {
				saturated++
			}
		}
	}
	if 2*saturated <= all {
		return ""
	}
	return "With so few " + unit + "s the scores are high whatever the layers hold: they say little."
}

// among is of the layers with each other.
func (r *reporting) among(j *reportJSON) (*reportSection, error) {
	if len(j.Layers) < 2 {
		return nil, nil
	}
	s := &reportSection{ID: "layers", Topic: "Layers with each other"}
	kind := r.score.kind()
	type pairing struct {
		i, j     int
		v, bound float64
	}
	var pairs []pairing
	for i := range j.Pane.Pairs {
		for k := i + 1; k < len(j.Layers); k++ {
			if v, bound := kind.of(&j.Pane.Pairs[i][k]); v != nil {
				pairs = append(pairs, pairing{i, k, *v, bound})
			}
		}
	}
	name := func(i int) string { return brief(j.Layers[i]) }
	words := func(p pairing) string {
		return fmt.Sprintf("%s and %s, %s", name(p.i), name(p.j), scoreText(p.v, p.bound))
	}
	byScore := func(a, b pairing) int {
		switch {
		case a.v < b.v:
			return -1
		case a.v > b.v:
			return 1
		}
		return 0
	}
	switch sentence := few(j.Pane, j.Pane.of.unit()); {
	case sentence != "":
		s.Headline = sentence
	case len(pairs) == 0:
		s.Headline = "The scores of all layers are undefined: chance takes all."
	case len(pairs) == 1:
		s.Headline = "The two layers have in common: " + words(pairs[0]) + "."
	default:
		s.Headline = fmt.Sprintf("Most alike are %s; least alike %s.", words(slices.MaxFunc(pairs, byScore)), words(slices.MinFunc(pairs, byScore)))
	}
	var near []string
	closest := pairing{v: math.Inf(-1)}
	for _, p := range pairs {
		if p.j != p.i+1 {
			continue
		}
		if p.v > closest.v {
			closest = p
		}
		if p.v >= nearlySame {
			near = append(near, fmt.Sprintf("%s (%s)", name(p.j), scoreText(p.v, p.bound)))
		}
	}
	switch {
	case len(near) > 0:
		s.Text = append(s.Text, fmt.Sprintf("Nearly the layer before, at %v or more, as Raghu et al. find of batch normalisation: %s.", nearlySame, strings.Join(near, ", ")))
	case closest.j > 0:
		s.Text = append(s.Text, fmt.Sprintf("No layer is nearly the one before (%v or more); the nearest is %s, %s.", nearlySame, name(closest.j), scoreText(closest.v, closest.bound)))
	}
	if scores, all := j.Pane.scores(r.score); all && len(scores) >= 4 {
		stripes, err := measure.Stripes(scores)
		if err != nil {
			return nil, err
		}
		s.Text = append(s.Text, fmt.Sprintf("Stripes: %s, positive where every second layer is alike, as in residual networks.", scoreText(stripes, 0)))
	}
	caption := kind.title + ": each layer with each"
	if j.Dynamics != nil {
		caption += fmt.Sprintf(", at step %d", j.Dynamics.Steps[len(j.Dynamics.Steps)-1])
	}
	if err := s.illustrate(r.drawnPane(j.Pane, "", ""), paneWidth(len(j.Layers)), caption, s.Headline); err != nil {
		return nil, err
	}
	s.Tables = r.tableOf(j.Pane, caption)
	if len(s.Tables) == 0 {
		s.Text = append(s.Text, noRoom)
	}
	return s, nil
}

// nearlySame is the score from which on a layer is nearly the one before.
const nearlySame = 0.95

const noRoom = "There are more layers than a table has room for: a .json has all numbers."

// tableOf is a pane's table, if there is room for one.
func (r *reporting) tableOf(p *reportPane, caption string) []reportTable {
	if len(p.Columns) > mostTable {
		return nil
	}
	return []reportTable{r.table(p.of, p.Rows, p.Columns, caption+", in numbers")}
}

// dimensions is of how many directions the layers use.
func (r *reporting) dimensions(j *reportJSON) (*reportSection, error) {
	if len(j.Dimensions) == 0 {
		return nil, nil
	}
	s := &reportSection{ID: "dimensions", Topic: "Dimensionality"}
	k := func(d *measure.Dimensions) int { return d.Kept[cut].Variance }
	byK := func(a, b *measure.Dimensions) int { return k(a) - k(b) }
	least, most := slices.MinFunc(j.Dimensions, byK), slices.MaxFunc(j.Dimensions, byK)
	switch {
	case len(j.Dimensions) == 1:
		s.Headline = fmt.Sprintf("%s holds 99%% of its variance in %s of %d.", brief(least.Name), plural(k(least), "direction"), least.Neurons)
	case k(least) == k(most):
		s.Headline = fmt.Sprintf("Every layer holds 99%% of its variance in %s.", plural(k(least), "direction"))
	default:
		s.Headline = fmt.Sprintf("99%% of variance lies in %d (%s) to %d directions (%s).", k(least), brief(least.Name), k(most), brief(most.Name))
	}
	var picture figure.Spectra
	for _, i := range evenly(len(j.Dimensions), mostSpectra) {
		d := j.Dimensions[i]
		picture.Spectra = append(picture.Spectra, figure.Spectrum{Name: shown(d.Name), SingularValues: d.SingularValues[:d.Rank], K: k(d)})
	}
	caption := "Singular values of layers, each cut where 99% of variance is reached"
	if len(picture.Spectra) < len(j.Dimensions) {
		caption += fmt.Sprintf(" (%d of %d layers)", len(picture.Spectra), len(j.Dimensions))
	}
	if err := s.illustrate(picture, wideFigure, caption, s.Headline); err != nil {
		return nil, err
	}
	t := reportTable{Caption: "How many directions hold so much", Head: []string{"", "neurons"}}
	constant := slices.ContainsFunc(j.Pane.of.Rows, func(s svcca.Side) bool { return s.Constant > 0 })
	if constant {
		t.Head = append(t.Head, "constant")
	}
	t.Head = append(t.Head, "rank")
	t.Groups = []reportGroup{{len(t.Head), ""}, {len(least.Kept), "of variance"}, {len(least.Kept), "of the sum"}, {1, ""}}
	for range 2 {
		for _, k := range least.Kept {
			t.Head = append(t.Head, shareText(k.Share)+"%")
		}
	}
	t.Head = append(t.Head, "PR")
	for _, d := range j.Dimensions {
		line := []string{shown(d.Name), strconv.Itoa(d.Neurons)}
		if constant {
			line = append(line, strconv.Itoa(j.Pane.of.Rows[slices.Index(j.Layers, d.Name)].Constant))
		}
		line = append(line, strconv.Itoa(d.Rank))
		for _, k := range d.Kept {
			line = append(line, strconv.Itoa(k.Variance))
		}
		for _, k := range d.Kept {
			line = append(line, strconv.Itoa(k.Sum))
		}
		t.Rows = append(t.Rows, cells(append(line, strconv.FormatFloat(d.ParticipationRatio, 'f', 1, 64))...))
	}
	t.Notes = []string{"rank: directions above rounding noise; 90% …: the fewest that hold as much of the variance, or of the sum of singular values; PR: participation ratio, how many equal directions would spread the variance as much."}
	s.Tables = []reportTable{t}
	return s, nil
}

// classCurves is of the layers with single classes.
func (r *reporting) classCurves(j *reportJSON) (*reportSection, error) {
	c := j.Classes
	if c == nil || len(j.Layers) < 2 {
		return nil, nil
	}
	s := &reportSection{ID: "classes", Topic: "Classes"}
	curves := figure.Curves{XLabel: "depth", YLabel: "ρ with one logit", To: 1}
	t := reportTable{Caption: "ρ of each layer with the logit of each class", Head: append([]string{"class"}, shownAll(j.Layers)...)}
	mean, chance, constant := make([]float64, len(j.Layers)), 0.0, []string{}
	for _, curve := range c.Curves {
		if curve.Constant {
			constant = append(constant, strconv.Itoa(curve.Class))
			continue
		}
		series := figure.Series{Name: fmt.Sprintf("class %d", curve.Class)}
		row := cells(strconv.Itoa(curve.Class))
		for l, p := range curve.Points {
			series.X, series.Y = append(series.X, p.Depth), append(series.Y, onScale(*p.Mean, p.ErrorBound))
			row = append(row, reportCell{Text: scoreText(*p.Mean, p.ErrorBound)})
			mean[l] += *p.Mean / float64(len(c.Curves))
			if j.Layers[l] != c.Logits {
				chance = max(chance, p.Chance)
			}
		}
		curves.Series, t.Rows = append(curves.Series, series), append(t.Rows, row)
	}
	if len(constant) > 0 {
		s.Text = append(s.Text, fmt.Sprintf("The logits of classes %s are constant, and have nothing in common with any layer.", strings.Join(constant, ", ")))
	}
	if len(curves.Series) == 0 {
		s.Headline = "All logits are constant: no layer has anything in common with a class."
		return s, nil
	}
	for l := range mean {
		mean[l] *= float64(len(c.Curves)) / float64(len(curves.Series))
	}
	var own []int // layers but the logits
	for l, name := range j.Layers {
		if name != c.Logits {
			own = append(own, l)
		}
	}
	first, last := own[0], own[len(own)-1]
	at := func(l int) string { return fmt.Sprintf("%s (%s)", scoreText(mean[l], 0), brief(j.Layers[l])) }
	switch {
	case len(own) == 1:
		s.Headline = fmt.Sprintf("%s holds single classes by a ρ of %s on average.", brief(j.Layers[first]), scoreText(mean[first], 0))
	case mean[last] > mean[first]:
		s.Headline = fmt.Sprintf("Deeper layers hold more of single classes: ρ grows from %s to %s, on average.", at(first), at(last))
	default:
		s.Headline = fmt.Sprintf("Deeper layers hold no more of single classes: ρ goes from %s to %s, on average.", at(first), at(last))
	}
	if len(c.Curves) < c.Count {
		s.Text = append(s.Text, fmt.Sprintf("%d of %d classes; --class names others.", len(c.Curves), c.Count))
	}
	curves.From = least(curves.Series)
	t.Notes = []string{fmt.Sprintf("On average, unrelated layers would give no more than %s.", level(math.Sqrt(min(1, chance))))}
	if err := s.illustrate(curves, wideFigure, "Layers, from the first (0) to the last (1), with the logit of each class", s.Headline); err != nil {
		return nil, err
	}
	if len(t.Head) <= mostTable {
		s.Tables = []reportTable{t}
	} else {
		s.Text = append(s.Text, noRoom)
	}
	return s, nil
}

// least is where an axis of scores begins: at 0, or closer to scores that are all near 1.
func least(of []figure.Series) float64 {
	least := 1.0
	for _, s := range of {
		least = min(least, slices.Min(s.Y))
	}
	if least < 0.8 {
		return min(0, least)
	}
	return min(0.9, math.Floor(least*10)/10)
}

// alignment is of the layers with those of another network.
func (r *reporting) alignment(j *reportJSON) (*reportSection, error) {
	if j.Against == nil {
		return nil, nil
	}
	s := &reportSection{ID: "against", Topic: "With another network"}
	of, other := brief(j.Of), brief(j.Against.Of)
	a := j.Against.Alignment
	switch sentence := few(j.Against.Pane, j.Pane.of.unit()); {
	case sentence != "":
		s.Headline = sentence
	case a == nil && min(len(j.Layers), len(j.Against.Pane.Columns)) < 2:
		s.Headline = "One layer alone has no depth to match."
	case a == nil:
		s.Headline = "Some scores are undefined, as chance takes all: no layer is matched."
	case a.TauRows == nil:
		s.Headline = fmt.Sprintf("All layers of %s have their like at one depth of %s.", of, other)
	case *a.TauRows == 1:
		s.Headline = fmt.Sprintf("Layers of %s have their like in %s in order of depth: Kendall's τ is 1.", of, other)
	case *a.TauRows > 0:
		s.Headline = fmt.Sprintf("Deeper layers of %s tend to have their like deeper in %s: Kendall's τ of depths is %s.", of, other, scoreText(*a.TauRows, 0))
	case *a.TauRows == 0:
		s.Headline = fmt.Sprintf("The depth of a layer of %s does not tell where %s has its like: Kendall's τ of depths is 0.", of, other)
	default:
		s.Headline = fmt.Sprintf("Deeper layers of %s tend to have their like nearer to the input in %s: Kendall's τ of depths is %s.", of, other, scoreText(*a.TauRows, 0))
	}
	caption := fmt.Sprintf("%s: layers of %s (rows) against those of %s (columns)", r.score.kind().title, of, other)
	if err := s.illustrate(r.drawnPane(j.Against.Pane, of, other), paneWidth(len(j.Against.Pane.Columns)), caption, s.Headline); err != nil {
		return nil, err
	}
	if s.Tables = r.tableOf(j.Against.Pane, caption); len(s.Tables) == 0 {
		s.Text = append(s.Text, noRoom)
	}
	if a == nil {
		return s, nil
	}
	match := func(of, other string, names, others []string, matches []measure.Match) reportTable {
		t := reportTable{Caption: fmt.Sprintf("Where layers of %s have their like in %s", of, other), Head: []string{"layer", "depth", "most like", "its depth", "score"}}
		for i, m := range matches {
			t.Rows = append(t.Rows, cells(shown(names[i]), depthText(measure.Depth(i, len(names))), shown(others[m.Layer]), depthText(m.Depth), scoreText(m.Score, 0)))
		}
		return t
	}
	p := j.Against.Pane
	rows, columns := match(of, other, p.Rows, p.Columns, a.Rows), match(other, of, p.Columns, p.Rows, a.Columns)
	tau := func(v *float64) string {
		if v == nil {
			return "Kendall's τ of depths is not defined: all are alike in one layer."
		}
		return "Kendall's τ of depths: " + scoreText(*v, 0) + "."
	}
	rows.Notes, columns.Notes = []string{tau(a.TauRows)}, []string{tau(a.TauColumns)}
	s.Tables = append(s.Tables, rows, columns)
	if r.score != "weighted" {
		s.Text = append(s.Text, "Layers that keep few directions score high with most: --score weighted counts those of both.")
	}
	return s, nil
}

// madeWords says how the page came about.
func (r *reporting) madeWords(j *reportJSON) reportMade {
	var m reportMade
	for _, arg := range j.Command {
		m.Command = append(m.Command, shown(shellQuoted(arg)))
	}
	for _, fact := range [][2]string{
		{"Options", strings.TrimPrefix(j.Pane.of.optionWords(j.Pane.of.Options), "Options: ")},
		{"Score", string(j.Score)},
		{"Version", j.Version + ", " + j.Go},
		{"Backend", fmt.Sprintf("%s: BLAS %s, LAPACK %s, FFT %s, %s", j.Backend.Name, j.Backend.BLAS, j.Backend.LAPACK, j.Backend.FFT, plural(j.Backend.Threads, "thread"))},
	} {
		m.Facts = append(m.Facts, reportFact{fact[0], strings.Fields(fact[1])})
	}
	m.Inputs = reportTable{Caption: "Files read", Head: []string{"", "shape", "type", "bytes"}, Left: true}
	if r.hashes {
		m.Inputs.Head = append(m.Inputs.Head, "SHA-256")
	}
	add := func(name string, in inputJSON) {
		var bytes, hashes []string
		for i := range in.Paths {
			bytes = append(bytes, strconv.FormatInt(in.Bytes[i], 10))
			if r.hashes {
				hashes = append(hashes, in.SHA256[i])
			}
		}
		row := cells(shown(filepath.ToSlash(name)), shapeText(in.Shape), in.Storage, strings.Join(bytes, " "))
		if r.hashes {
			row = append(row, reportCell{Text: strings.Join(hashes, " ")})
		}
		m.Inputs.Rows = append(m.Inputs.Rows, row)
	}
	for _, in := range j.Inputs {
		add(in.Name, in)
		for _, beside := range in.Beside {
			add(beside.Name, beside)
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(j.With)) {
		add("--"+flag+" "+j.With[flag].Name, j.With[flag])
	}
	return m
}
