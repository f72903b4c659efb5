package main

import (
	"fmt"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// enoughDatapoints are how many datapoints a direction needs before a pair at
// chance is strange.
const enoughDatapoints = 10

// orderHint returns a question where layers are at chance with all others although
// there are many datapoints: layers of networks that saw the same inputs hardly
// ever are, but those whose rows are in another order always. Layers that are not
// at chance with each other make a group; the hint names those outside the largest.
func orderHint(pane *scored) string {
	if pane.Options.Weights != nil || pane.way == byPixels {
		return "" // AtChance counts datapoints
	}
	groups := groupsOf(pane)
	if len(groups) < 2 {
		return ""
	}
	largest, layers := 0, 0
	for i, g := range groups {
		layers += len(g)
		if len(g) > len(groups[largest]) {
			largest = i
		}
	}
	var names []string
	for i, g := range groups {
		if i != largest {
			for _, name := range g {
				names = append(names, shown(name))
			}
		}
	}
	const question = ": same rows in the same order?"
	switch {
	case layers == 2:
		return fmt.Sprintf("%s and %s are at chance%s", shown(groups[0][0]), shown(groups[1][0]), question)
	case len(groups) == layers:
		return "every pair of layers is at chance" + question
	case len(names) == 1:
		return names[0] + " is at chance with every other layer" + question
	case len(names) > 3:
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	last := len(names) - 1
	return fmt.Sprintf("%s and %s are at chance with all of the other %d layers%s", strings.Join(names[:last], ", "), names[last], len(groups[largest]), question)
}

// groupsOf returns the names of layers in groups of which no two have a pair above
// chance, or none where for a pair of two groups that is no wonder.
func groupsOf(pane *scored) (groups [][]string) {
	group := map[string]int{}
	var order []string
	for _, s := range append(append([]svcca.Side{}, pane.Rows...), pane.Columns...) {
		if _, known := group[s.Name]; !known {
			group[s.Name] = len(order)
			order = append(order, s.Name)
		}
	}
	join := func(a, b int) {
		for name, g := range group {
			if g == b {
				group[name] = a
			}
		}
	}
	for i, x := range pane.Rows {
		for j, y := range pane.Columns {
			if a, b := group[x.Name], group[y.Name]; a != b {
				few := x.Datapoints < enoughDatapoints*max(x.K, y.K)
				if pane.pairs != nil {
					few = pane.pairs[i][j].most*enoughDatapoints > 1
				}
				if few || !pane.atChance(i, j) {
					join(a, b)
				}
			}
		}
	}
	at := map[int]int{}
	for _, name := range order {
		g := group[name]
		if _, known := at[g]; !known {
			at[g] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[g]] = append(groups[at[g]], name)
	}
	return groups
}
