package measure

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/svcca"
)

// Depth returns how deep layer i of so many, counted from 0, lies in its network: 0 for
// the first, 1 for the last, and 0 for one alone.
func Depth(i, layers int) float64 {
	if layers < 2 {
		return 0
	}
	return float64(i) / float64(layers-1)
}

// Match is where a layer has its like in another network.
type Match struct {
	// Layer is the layer of the other network that scores highest, counted from 0; the
	// first where several do.
	Layer int     `json:"layer"`
	Depth float64 `json:"depth"` // of that layer
	Score float64 `json:"score"`
}

// Alignment says how the depths of two networks correspond.
type Alignment struct {
	Rows    []Match `json:"rows"`    // for each row of the pane, its best column
	Columns []Match `json:"columns"` // for each column, its best row
	// TauRows and TauColumns are Kendall's rank correlation of a layer's depth with that
	// of its match: 1 where layers correspond in order. Nil where it is not defined.
	TauRows    *float64 `json:"tau_rows"`
	TauColumns *float64 `json:"tau_columns"`
}

// Align finds, for each layer of two networks, where the other has its like: in a pane of
// scores, the layers of one network by those of the other, in order of depth. Mean is over
// the smaller number of directions, so that layers that keep few (the last ones) score
// high with most: look at the pane beside the matches. The error wraps svcca.ErrShape or
// svcca.ErrNotFinite.
func Align(scores [][]float64) (*Alignment, error) {
	rows, columns, err := sizes(scores)
	if err != nil {
		return nil, err
	}
	a := &Alignment{}
	a.Rows, a.TauRows = matches(rows, columns, func(i, j int) float64 { return scores[i][j] })
	a.Columns, a.TauColumns = matches(columns, rows, func(i, j int) float64 { return scores[j][i] })
	return a, nil
}

func matches(layers, others int, score func(i, j int) float64) ([]Match, *float64) {
	all := make([]Match, layers)
	own, found := make([]float64, layers), make([]float64, layers)
	for i := range all {
		best := 0
		for j := 1; j < others; j++ {
			if score(i, j) > score(i, best) {
				best = j
			}
		}
		all[i] = Match{Layer: best, Depth: Depth(best, others), Score: score(i, best)}
		own[i], found[i] = float64(i), float64(best)
	}
	return all, Kendall(own, found)
}

// Stripes measures how a pane of scores alternates: the mean, over layers i and j that are
// two or more apart, of
//
//	(−1)^(i−j) · (S[i, j] − (S[i, j−1] + S[i, j+1])/2)
//
// where j has neighbours on both sides. Scores that fall evenly with distance give 0; it is
// positive where every second layer is more alike than those between, as Raghu et al. see
// in residual networks, whose blocks read from and add to one stream (DEFINITIONS §8). The
// error wraps svcca.ErrShape, also for fewer than 4 layers, which leave nothing to measure.
func Stripes(scores [][]float64) (float64, error) {
	rows, columns, err := sizes(scores)
	if err != nil {
		return 0, err
	}
	if rows < 4 || rows != columns {
		return 0, fmt.Errorf("measure: stripes of a pane of %d × %d: want as many rows as columns, 4 or more: %w", rows, columns, svcca.ErrShape)
	}
	sum, count := 0.0, 0
	for i, row := range scores {
		for j := 1; j < columns-1; j++ {
			apart := max(i-j, j-i)
			if apart < 2 {
				continue
			}
			bend := row[j] - (row[j-1]+row[j+1])/2
			if apart%2 == 1 {
				bend = -bend
			}
			sum, count = sum+bend, count+1
		}
	}
	return sum / float64(count), nil
}

func sizes(scores [][]float64) (rows, columns int, err error) {
	if len(scores) == 0 || len(scores[0]) == 0 {
		return 0, 0, fmt.Errorf("measure: a pane without layers: %w", svcca.ErrShape)
	}
	columns = len(scores[0])
	for i, row := range scores {
		if len(row) != columns {
			return 0, 0, fmt.Errorf("measure: row %d of the pane has %d scores, the first %d: %w", i+1, len(row), columns, svcca.ErrShape)
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, 0, fmt.Errorf("measure: the score of layers %d and %d is %v: %w", i+1, j+1, v, svcca.ErrNotFinite)
			}
		}
	}
	return len(scores), columns, nil
}
