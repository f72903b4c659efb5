package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/svcca"
)

// openSparse is W6: the sums of a layer, its leading directions, or a whole pair.
func openSparse(args []string, o svcca.Options) (runner, error) {
	if len(args) < 2 {
		return nil, fmt.Errorf("%d arguments, expected a step and files", len(args))
	}
	var layers []svcca.Layer
	for _, path := range args[1:] {
		l, err := activation.OpenSparse(path)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	switch args[0] {
	case bench.SparseGram:
		return func() (bench.Result, error) {
			start := time.Now()
			var m svcca.Moments
			err := m.Add(context.Background(), layers[0], nil)
			return bench.Result{Seconds: time.Since(start).Seconds()}, err
		}, nil
	case bench.SparseLeading:
		return func() (bench.Result, error) {
			start := time.Now()
			r, err := svcca.Reduce(layers[0], svcca.Options{Keep: svcca.Count(bench.W6Leading), Solver: svcca.Krylov})
			if err != nil {
				return bench.Result{}, err
			}
			result := bench.Result{Seconds: time.Since(start).Seconds(), K: [2]int{r.K, r.K}}
			for _, s := range r.SingularValues {
				result.Rho = append(result.Rho, s/r.SingularValues[0])
				result.Mean += s / r.SingularValues[0] / float64(r.K)
			}
			return result, nil
		}, nil
	}
	return between(layers, o)
}
