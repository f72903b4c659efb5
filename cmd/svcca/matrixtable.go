package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// writeMatrix writes a pane for people, in lines of a width.
func writeMatrix(w io.Writer, s style, width int, of score, pane *scored) error {
	t := &matrixTable{page: newPage(s), width: width, pane: pane, kind: of.kind()}
	t.rows, t.rowsIn = shortNames(pane.Rows)
	t.columns, t.columnsIn = shortNames(pane.Columns)
	t.title()
	t.line("")
	t.layOut()
	t.line("")
	t.alignment()
	t.foot()
	return t.writeTo(w)
}

// matrixTable is a table of scores in the making.
type matrixTable struct {
	*page
	width             int
	pane              *scored
	kind              scoreKind
	rows, columns     []string // names
	rowsIn, columnsIn string   // the directories that these have in common
	marks             string   // which were used
}

// shortNames returns names without the directories, or the archive, that all have in
// common, nor the ends of files' names, as far as they stay different; and those
// directories.
func shortNames(sides []svcca.Side) (names []string, dir string) {
	for i, s := range sides {
		names = append(names, shown(s.Name))
		if i == 0 {
			dir = names[0][:strings.LastIndexAny(names[0], nameEnds)+1]
		}
		for !strings.HasPrefix(names[i], dir) {
			dir = dir[:strings.LastIndexAny(dir[:len(dir)-1], nameEnds)+1]
		}
	}
	seen := map[string]bool{}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, dir)
		seen[names[i]] = true
	}
	for i, name := range names {
		if bare := strings.TrimSuffix(name, filepath.Ext(name)); isLayerFile(name) && bare != "" && !seen[bare] {
			names[i] = bare
			seen[bare] = true
		}
	}
	return names, strings.TrimSuffix(dir, ":")
}

// nameEnds are what stands behind a directory and behind an archive.
const nameEnds = "/:" + string(filepath.Separator)

func (t *matrixTable) title() {
	of := func(names []string, dir string) string {
		if dir != "" {
			return plural(len(names), "layer") + " of " + dir
		}
		return plural(len(names), "layer")
	}
	what := of(t.rows, t.rowsIn) + " with each other"
	switch {
	case len(t.rows) == 1 && t.pane.Symmetric:
		what = of(t.rows, t.rowsIn) + " with itself"
	case !t.pane.Symmetric:
		what = of(t.rows, t.rowsIn) + " (rows) against " + of(t.columns, t.columnsIn) + " (columns)"
	}
	t.lines(fmt.Sprintf("%s: %s, over %s", t.kind.title, what, t.pane.over()))
	t.weighted()
	for _, step := range t.pane.selection.words() {
		t.lines(step)
	}
}

// weighted says what weights amount to.
func (t *matrixTable) weighted() {
	if w := t.pane.Options.Weights; w != nil {
		t.lines(fmt.Sprintf("Weighted: they count as much as %.4g %ss of equal weight.", effective(w), t.pane.unit()))
	}
}

// lines adds text in lines of the table's width, but none wider than is read with
// ease.
func (t *matrixTable) lines(text string) {
	for _, l := range wrap(t.text(text), min(t.width, maxColumns)) {
		t.line(l)
	}
}

const (
	mostDigits  = 4
	shortHeader = 8 // columns that a name may take above scores
)

// form is a way to write scores: with so many digits, so far apart.
type form struct{ digits, gap int }

// forms are ever narrower.
var forms = []form{{mostDigits, 2}, {3, 2}, {3, 1}, {2, 1}}

// layOut writes the table in the best way that the width has room for: in the
// widest form, with columns under their names or under numbers; and where all are
// too wide, as many columns as fit.
func (t *matrixTable) layOut() {
	named := true
	for _, name := range t.columns {
		named = named && columns(name) <= shortHeader
	}
	for _, f := range forms {
		for _, byName := range []bool{true, false} {
			if byName && !named {
				continue
			}
			if lines := t.render(f, byName, len(t.columns)); columns(lines[0]) <= t.width {
				t.put(lines, byName, len(t.columns))
				return
			}
		}
	}
	narrow := form{3, 1} // nothing is gained by less
	for count := len(t.columns) - 1; ; count-- {
		if lines := t.render(narrow, false, count); count <= 1 || columns(lines[0]) <= t.width {
			t.put(lines, false, count)
			t.lines(fmt.Sprintf("Columns %d to %d do not fit here: -o FILE.csv writes all.", count+1, len(t.columns)))
			return
		}
	}
}

// put adds a table that was rendered, and where its columns bear numbers and the
// rows other layers, what these stand for.
func (t *matrixTable) put(lines []string, named bool, count int) {
	for _, l := range lines {
		t.line(l)
	}
	if named || t.pane.Symmetric {
		return
	}
	t.line("")
	line := "Columns:"
	for j, name := range t.columns[:count] {
		entry := fmt.Sprintf(" %d %s", j+1, t.shorten(name, 40))
		if j+1 < count {
			entry += ","
		}
		if columns(line+entry) > min(t.width, maxColumns) && line != "" {
			t.line(line)
			line = ""
		}
		line += entry
	}
	t.line(line)
}

// render returns the lines of a table of the first count columns, all as wide.
func (t *matrixTable) render(f form, named bool, count int) []string {
	numbered := !named && t.pane.Symmetric
	nameRoom := max(12, t.width/3)
	t.marks = ""
	grid := [][]string{{""}}
	for i, name := range t.rows {
		name = t.shorten(name, nameRoom)
		if numbered {
			name = alignRight(strconv.Itoa(i+1), len(strconv.Itoa(len(t.rows)))) + "  " + name
		}
		row := []string{name}
		for j := range count {
			if mark := t.mark(i, j); !strings.Contains(t.marks, mark) {
				t.marks += mark
			}
			row = append(row, "")
		}
		grid = append(grid, row)
	}
	for j := range count {
		title := strconv.Itoa(j + 1)
		if named {
			title = t.columns[j]
		}
		if t.marks != "" {
			title += " " // as below it
		}
		grid[0] = append(grid[0], title)
	}
	for i := range t.rows {
		for j := range count {
			grid[i+1][j+1] = t.cell(i, j, f.digits)
		}
	}
	return aligned(grid, f.gap)
}

// aligned returns a line for each row of cells: the first cells aligned left, the
// others right, with a gap between them.
func aligned(grid [][]string, gap int) []string {
	lines := make([]string, len(grid))
	for j := range grid[0] {
		width := 0
		for _, row := range grid {
			width = max(width, columns(row[j]))
		}
		for i, row := range grid {
			if j == 0 {
				lines[i] = alignLeft(row[j], width)
			} else {
				lines[i] += strings.Repeat(" ", gap) + alignRight(row[j], width)
			}
		}
	}
	return lines
}

// The marks of scores, the gravest first.
const (
	markSaturated = "!"
	markChance    = "~"
	markTies      = "*"
)

// mark returns the mark of a pair, or "".
func (t *matrixTable) mark(i, j int) string {
	p := &t.pane.Pairs[i][j]
	switch {
	case p.Saturated:
		return markSaturated
	case t.undefined(i, j):
		return ""
	case t.pane.Options.Weights == nil && t.pane.atChance(i, j):
		return markChance
	case !t.kind.unique(p):
		return markTies
	}
	return ""
}

func (t *matrixTable) undefined(i, j int) bool {
	v, _ := t.kind.of(&t.pane.Pairs[i][j])
	return v == nil
}

// cell returns a score in at most so many digits, fewer where the error bound
// leaves no more, and its mark, or where there are marks room for one.
func (t *matrixTable) cell(i, j, digits int) string {
	text := "none"
	v, bound := t.kind.of(&t.pane.Pairs[i][j])
	if v != nil {
		text = decimal(*v, max(bound, 0.4*math.Pow10(-digits)))
	}
	cell := strings.TrimRight(text, " ")
	mark := t.mark(i, j)
	if mark == "" && t.marks != "" {
		mark = " "
	}
	// Decimals below each other: as much behind the point as with all digits.
	behind := len(cell) - 1 - strings.IndexByte(cell, '.')
	if v == nil {
		behind = digits
	}
	return cell + mark + strings.Repeat(" ", max(0, digits-behind))
}

// foot says what the marks mean, what unrelated layers would give, and what the
// numbers are right to.
func (t *matrixTable) foot() {
	t.legend()
	t.lines(t.chance())
	t.lines(t.rightTo())
	t.lines(t.pane.optionWords(t.pane.Options))
}

// legend says what the marks mean.
func (t *matrixTable) legend() {
	for _, text := range t.legends() {
		t.line(text)
	}
}

// legends say what the marks that were used mean, a line each.
func (t *matrixTable) legends() (lines []string) {
	for _, m := range []struct{ mark, text string }{
		{markSaturated, "so few " + t.pane.unit() + "s that the scores are high whatever the layers hold"},
		{markChance, "at chance: nothing here shows that the two share anything"},
		{markTies, "one choice of many, as values tie"},
	} {
		if strings.Contains(t.marks, m.mark) {
			lines = append(lines, m.mark+" "+m.text)
		}
	}
	return lines
}

// rightTo says what the numbers are right to.
func (t *matrixTable) rightTo() string {
	bound := 0.0
	for i := range t.pane.Pairs {
		for j := range t.pane.Pairs[i] {
			if _, b := t.kind.of(&t.pane.Pairs[i][j]); t.kind.unique(&t.pane.Pairs[i][j]) {
				bound = max(bound, b)
			}
		}
	}
	return "Right to " + upward(bound) + "."
}

// chance says what unrelated layers of these sizes would give.
func (t *matrixTable) chance() string {
	if t.kind.name == "adjusted" && t.pane.way != byPixels {
		return "On average, unrelated layers would give 0; equal ones give 1."
	}
	weighed := strings.HasPrefix(string(t.kind.name), "weighted") || strings.HasPrefix(string(t.kind.name), "pwcca")
	least, most := math.Inf(1), 0.0
	for i, x := range t.pane.Rows {
		for j, y := range t.pane.Columns {
			if x.Name != y.Name || len(t.rows)*len(t.columns) == 1 {
				of := t.pane.Pairs[i][j].Chance
				if weighed && t.pane.pairs != nil {
					of = t.pane.pairs[i][j].most
				}
				least, most = min(least, of), max(most, of)
			}
		}
	}
	between := func(a, b string) string {
		if a == b {
			return a
		}
		return a + " to " + b + ", depending on the pair"
	}
	switch {
	case t.pane.way == byPixels:
		return "Unrelated layers would give a mean square of at least " + between(level(least), level(most)) + ", as positions of one image are correlated; in smooth maps up to " +
			between(level(t.pane.ofImages(least)), level(t.pane.ofImages(most))) + "."
	case t.kind.name == "mean_square":
		return "On average, unrelated layers would give " + between(level(least), level(most)) + "."
	}
	return "On average, unrelated layers would give no more than " + between(level(min(1, math.Sqrt(least))), level(min(1, math.Sqrt(most)))) + "."
}
