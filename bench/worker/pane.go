package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/svcca"
)

// loadPane is W2.
func loadPane(args []string, o svcca.Options) (runner, error) {
	layers, numbers, err := load(args, 1)
	if err != nil {
		return nil, err
	}
	rows := numbers[0]
	if rows < 1 || rows >= len(layers) {
		return nil, fmt.Errorf("%d rows of %d layers", rows, len(layers))
	}
	options := svcca.PaneOptions{Options: o, Scores: svcca.NormScores}
	return func() (bench.Result, error) {
		start := time.Now()
		pane, err := svcca.Pairwise(context.Background(), layers[:rows], layers[rows:], options)
		seconds := time.Since(start).Seconds()
		if err != nil {
			return bench.Result{}, err
		}
		result := bench.Result{Seconds: seconds, K: [2]int{math.MaxInt, 0}, Notes: codes(pane.Warnings)}
		for _, layer := range slices.Concat(pane.Rows, pane.Columns) {
			result.K = [2]int{min(result.K[0], layer.K), max(result.K[1], layer.K)}
		}
		for i, row := range pane.Pairs {
			for j, pair := range row {
				result.Pairs = append(result.Pairs, bench.Scored{Row: i, Column: j, Weighted: pair.Weighted})
			}
		}
		return result, nil
	}, nil
}

// loadWide is W5: a pane of one pair, which has the mean of ρ, not each. That leaves
// out all that directions would cost.
func loadWide(args []string, o svcca.Options) (runner, error) {
	layers, _, err := load(args, 0)
	if err != nil {
		return nil, err
	}
	if len(layers) != 2 {
		return nil, fmt.Errorf("%d layers, expected 2", len(layers))
	}
	options := svcca.PaneOptions{Options: o, Scores: svcca.RhoScores}
	return func() (bench.Result, error) {
		start := time.Now()
		pane, err := svcca.Pairwise(context.Background(), layers[:1], layers[1:], options)
		seconds := time.Since(start).Seconds()
		if err != nil {
			return bench.Result{}, err
		}
		return bench.Result{Seconds: seconds, K: [2]int{pane.Rows[0].K, pane.Columns[0].K},
			Mean: *pane.Pairs[0][0].Mean, Notes: codes(pane.Warnings)}, nil
	}, nil
}
