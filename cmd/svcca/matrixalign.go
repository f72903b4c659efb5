package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// align tells how the depths of two networks correspond, rows and columns being in order of
// depth. It is nil where they do not: of layers with themselves, of one layer, and where a
// score is undefined.
func (s *scored) align(of score) (*measure.Alignment, error) {
	if s.Symmetric || len(s.Rows) < 2 || len(s.Columns) < 2 {
		return nil, nil
	}
	kind := of.kind()
	scores := make([][]float64, len(s.Pairs))
	for i := range s.Pairs {
		for j := range s.Pairs[i] {
			v, _ := kind.of(&s.Pairs[i][j])
			if v == nil {
				return nil, nil
			}
			scores[i] = append(scores[i], *v)
		}
	}
	return measure.Align(scores)
}

// alignment says which layers of two networks are most alike. Where a side has layers of
// one name in several places, as checkpoints have, its order is no depth.
func (t *matrixTable) alignment() {
	a := t.pane.alignment
	if a == nil || severalPlaces(t.pane.Rows) || severalPlaces(t.pane.Columns) {
		return
	}
	rows, unlikeRows := t.matchMarks(a.Rows, t.mark)
	columns, unlikeColumns := t.matchMarks(a.Columns, func(j, i int) string { return t.mark(i, j) })
	switch unlike := unlikeRows + unlikeColumns; {
	case unlike == len(rows)+len(columns):
		t.lines("No layer is more like one of the other network than by chance, or than so few " + t.pane.unit() + "s can tell.")
		return
	case unlike == 0 && inPlace(a.Rows, len(a.Columns)) && inPlace(a.Columns, len(a.Rows)):
		t.lines("Each layer is most like the one at its own depth in the other network (in the order of the table).")
		return
	}
	room := max(12, t.width/4)
	ofRows, ofColumns := t.shortened(t.rows, room), t.shortened(t.columns, room)
	t.lines(matchWords("Most like each row, and its depth (0 for the first, 1 for the last): ", a.Rows, rows, a.TauRows, ofRows, ofColumns))
	t.lines(matchWords("Most like each column: ", a.Columns, columns, a.TauColumns, ofColumns, ofRows))
	words := "Depth is by the order of the table, which is as given, or of a directory or archive by name."
	if t.kind.name != "weighted" {
		words += " Layers that keep few directions score high with most; --score weighted counts those of both."
	}
	t.lines(words)
}

// matchMarks returns the mark of each match whose score says nothing, or "", and how many
// are marked; mark is that of the pair of a layer and its match.
func (t *matrixTable) matchMarks(matches []measure.Match, mark func(layer, match int) string) (marks []string, unlike int) {
	marks = make([]string, len(matches))
	for i, m := range matches {
		if mark := mark(i, m.Layer); mark == markSaturated || mark == markChance {
			marks[i] = mark
			unlike++
			if !strings.Contains(t.marks, mark) {
				t.marks += mark // of a column that does not fit
			}
		}
	}
	return marks, unlike
}

func (t *matrixTable) shortened(names []string, limit int) (short []string) {
	for _, name := range names {
		short = append(short, t.shorten(name, limit))
	}
	return short
}

// inPlace reports whether each layer has its like in its own place, among as many others.
func inPlace(matches []measure.Match, others int) bool {
	for i, m := range matches {
		if m.Layer != i {
			return false
		}
	}
	return len(matches) == others
}

// mostMatches are told of a side in words.
const mostMatches = 12

// matchWords say where the layers of a side have their likes, and Kendall's τ where no
// match is marked, behind a title.
func matchWords(title string, matches []measure.Match, marks []string, tau *float64, names, others []string) string {
	var text []string
	for i, m := range matches {
		text = append(text, fmt.Sprintf("%s – %s %s%s", names[i], others[m.Layer], depthText(m.Depth), marks[i]))
		if marks[i] != "" {
			tau = nil
		}
	}
	if len(text) > mostMatches {
		text = []string{"--json has them all"}
	}
	words := title + strings.Join(text, ", ")
	if tau != nil {
		words += "; Kendall's τ with its own " + strings.TrimSpace(decimal(*tau, 0.005))
	}
	return words + "."
}

// depthText is a relative depth in two decimals at most.
func depthText(depth float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(depth, 'f', 2, 64), "0"), ".")
}

// severalPlaces reports whether two layers bear one name but for where they are.
func severalPlaces(sides []svcca.Side) bool {
	seen := map[string]bool{}
	for _, s := range sides {
		name := s.Name[strings.LastIndexAny(s.Name, nameEnds)+1:]
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}
