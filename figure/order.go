package figure

import (
	"fmt"
	"math"
	"slices"
)

// Clustered returns the pane with rows and columns, which must be the same
// layers, in the order that hierarchical clustering puts them, like ones side by
// side, and that order: order[i] is the former place of row i.
//
// The distance of two layers is 1 − value, averaged over (i, j) and (j, i); that
// of two clusters the average over their pairs of layers. The two closest
// clusters merge; among equal ones those that hold the lowest numbers. On
// merging, either half is turned end to end if that brings closer the two layers
// that touch, and in the end the whole if its last number is below its first.
// Undefined cells are left out of averages; clusters without a defined pair merge
// last. Cost: n³ for n layers.
//
// The error is as Render's, or ErrShape where rows are not the columns.
func (p Pane) Clustered() (pane Pane, order []int, err error) {
	if err := p.check(); err != nil {
		return Pane{}, nil, err
	}
	if !slices.Equal(p.Rows, p.Columns) {
		return Pane{}, nil, fmt.Errorf("%w: clustering needs the same layers as rows and as columns", ErrShape)
	}
	order = p.distances().cluster()
	pane = p
	pane.Rows = permute(p.Rows, order)
	pane.Columns = pane.Rows
	pane.Values = permuteBoth(p.Values, order)
	if p.Undefined != nil {
		pane.Undefined = permuteBoth(p.Undefined, order)
	}
	return pane, order, nil
}

func permute[T any](from []T, order []int) []T {
	to := make([]T, len(from))
	for i, o := range order {
		to[i] = from[o]
	}
	return to
}

func permuteBoth[T any](from [][]T, order []int) [][]T {
	to := permute(from, order)
	for i := range to {
		to[i] = permute(to[i], order)
	}
	return to
}

// linkage holds sums of distances between clusters and the number of defined
// pairs in each, so that both add when clusters merge.
type linkage struct {
	sum   [][]float64
	count [][]int
}

func (p *Pane) distances() linkage {
	n := len(p.Rows)
	l := linkage{make([][]float64, n), make([][]int, n)}
	for i := range n {
		l.sum[i], l.count[i] = make([]float64, n), make([]int, n)
	}
	for i := range n {
		for j := range n {
			// Both orders of adding give the same bits.
			if !p.undefined(i, j) {
				l.sum[i][j] += 1 - p.Values[i][j]
				l.count[i][j]++
			}
			if !p.undefined(j, i) {
				l.sum[i][j] += 1 - p.Values[j][i]
				l.count[i][j]++
			}
		}
	}
	return l
}

func (l linkage) distance(i, j int) float64 {
	if l.count[i][j] == 0 {
		return math.Inf(1)
	}
	return l.sum[i][j] / float64(l.count[i][j])
}

// cluster returns the layers in order. It overwrites l.
func (l linkage) cluster() []int {
	n := len(l.sum)
	single := linkage{make([][]float64, n), make([][]int, n)}
	members := make([][]int, n) // of a cluster, under its lowest number; nil: merged
	for i := range n {
		single.sum[i], single.count[i] = slices.Clone(l.sum[i]), slices.Clone(l.count[i])
		members[i] = []int{i}
	}
	for range n - 1 {
		a, b := -1, -1
		for i := range n {
			for j := i + 1; j < n; j++ {
				if members[i] != nil && members[j] != nil && (a < 0 || l.distance(i, j) < l.distance(a, b)) {
					a, b = i, j
				}
			}
		}
		members[a], members[b] = single.join(members[a], members[b]), nil
		for c := range n {
			l.sum[a][c] += l.sum[b][c]
			l.count[a][c] += l.count[b][c]
			l.sum[c][a], l.count[c][a] = l.sum[a][c], l.count[a][c]
		}
	}
	order := members[0]
	if order[n-1] < order[0] {
		slices.Reverse(order)
	}
	return order
}

// join puts b behind a, each turned if that brings the ends that touch closer.
func (l linkage) join(a, b []int) []int {
	turnA, turnB, best := false, false, math.Inf(1)
	for _, turn := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		last, first := a[len(a)-1], b[0]
		if turn[0] {
			last = a[0]
		}
		if turn[1] {
			first = b[len(b)-1]
		}
		if d := l.distance(last, first); d < best {
			turnA, turnB, best = turn[0], turn[1], d
		}
	}
	if turnA {
		slices.Reverse(a)
	}
	if turnB {
		slices.Reverse(b)
	}
	return append(a, b...)
}
