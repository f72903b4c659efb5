package measure

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/conv"
)

// Pane compares each layer with each of against, which fixes the options: pairs[i][j] has
// layer i as X and against[j] as Y. Layers are prepared one at a time. Progress, if there
// is one, is called after each pair.
//
// The error names the layer and wraps what Prepare's and Compare's may.
func Pane(ctx context.Context, layers []conv.Maps, against []*Layer, progress func(done, of int)) ([][]*Pair, error) {
	return pane(ctx, layers, against, progress, func(i, j int) bool { return true })
}

// Diagonal is Pane for pairs[i][i] alone; the others are nil. There are as many layers as
// against.
func Diagonal(ctx context.Context, layers []conv.Maps, against []*Layer, progress func(done, of int)) ([][]*Pair, error) {
	return pane(ctx, layers, against, progress, func(i, j int) bool { return i == j })
}

func pane(ctx context.Context, layers []conv.Maps, against []*Layer, progress func(done, of int), wanted func(i, j int) bool) ([][]*Pair, error) {
	of := 0
	for i := range layers {
		for j := range against {
			if wanted(i, j) {
				of++
			}
		}
	}
	done, pairs := 0, make([][]*Pair, len(layers))
	for i, m := range layers {
		pairs[i] = make([]*Pair, len(against))
		var x *Layer
		for j, y := range against {
			if !wanted(i, j) {
				continue
			}
			var err error
			if x == nil {
				if x, err = Prepare(ctx, m, y.options); err != nil {
					return nil, place(i, layers, err)
				}
			}
			if pairs[i][j], err = x.Compare(ctx, y); err != nil {
				return nil, place(i, layers, fmt.Errorf("with layer %d of %d: %w", j+1, len(against), err))
			}
			if done++; progress != nil {
				progress(done, of)
			}
		}
	}
	return pairs, nil
}

// Adjacent compares each layer with the one before it, at one step of training:
// pairs[i] has layer i as X and layer i+1 as Y. Raghu et al. find that batch normalisation
// is nearly the layer before it, by the order of a network's layers. A layer alone has no pairs.
func Adjacent(ctx context.Context, layers []conv.Maps, o conv.Options) ([]*Pair, error) {
	var pairs []*Pair
	var before *Layer
	for i, m := range layers {
		l, err := Prepare(ctx, m, o)
		if err != nil {
			return nil, place(i, layers, err)
		}
		if before != nil {
			p, err := before.Compare(ctx, l)
			if err != nil {
				return nil, place(i-1, layers, fmt.Errorf("with the next: %w", err))
			}
			pairs = append(pairs, p)
		}
		before = l
	}
	return pairs, nil
}

// Scores returns one score of each pair.
func Scores(pairs [][]*Pair, score Score) ([][]float64, error) {
	all := make([][]float64, len(pairs))
	for i, row := range pairs {
		all[i] = make([]float64, len(row))
		for j, p := range row {
			var err error
			if p == nil {
				return nil, fmt.Errorf("measure: layers %d and %d were not compared", i+1, j+1)
			}
			if all[i][j], err = score.Of(p.PairScores); err != nil {
				return nil, fmt.Errorf("layers %d and %d: %w", i+1, j+1, err)
			}
		}
	}
	return all, nil
}
