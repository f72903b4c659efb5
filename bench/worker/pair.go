package main

import (
	"fmt"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/svcca"
)

// loadPair is W1.
func loadPair(args []string, o svcca.Options) (runner, error) {
	layers, _, err := load(args, 0)
	if err != nil {
		return nil, err
	}
	return between(layers, o)
}

// openFiles is W4. The files stay open until the process ends.
func openFiles(args []string, o svcca.Options) (runner, error) {
	var layers []svcca.Layer
	for _, path := range args {
		file, err := activation.Open(path)
		if err != nil {
			return nil, err
		}
		layers = append(layers, file)
	}
	return between(layers, o)
}

// between times all ρ and directions of a pair.
func between(layers []svcca.Layer, o svcca.Options) (runner, error) {
	if len(layers) != 2 {
		return nil, fmt.Errorf("%d layers, expected 2", len(layers))
	}
	return func() (bench.Result, error) {
		start := time.Now()
		c, err := svcca.Between(layers[0], layers[1], o)
		took := time.Since(start)
		if err != nil {
			return bench.Result{}, err
		}
		if got := c.X.Directions.Map.Cols; got != len(c.Rho) {
			return bench.Result{}, fmt.Errorf("%d directions for %d ρ", got, len(c.Rho))
		}
		return resultOf(took, c), nil
	}, nil
}

func resultOf(took time.Duration, c *svcca.Comparison) bench.Result {
	notes := codes(c.Warnings)
	if c.Method != svcca.MethodMoments {
		notes = append(notes, "method "+string(c.Method))
	}
	return bench.Result{Seconds: took.Seconds(), K: [2]int{c.X.K, c.Y.K}, Mean: c.Mean, Rho: c.Rho, Notes: notes}
}

func codes(warnings []svcca.Warning) (notes []string) {
	for _, w := range warnings {
		notes = append(notes, "warning "+w.Code)
	}
	return notes
}
