package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/svcca"
)

// reduceFile is W7: from opening a file to the singular values and directions of its
// layer, by sums. Where it is cold none of it is in the system's cache.
func reduceFile(args []string, o svcca.Options) (runner, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%d arguments, expected warm or cold, and a file", len(args))
	}
	cold, path := args[0] == "cold", args[1]
	return func() (bench.Result, error) {
		if cold {
			if err := evict(path); err != nil {
				return bench.Result{}, err
			}
		}
		start := time.Now()
		file, err := activation.Open(path)
		if err != nil {
			return bench.Result{}, err
		}
		defer file.Close()
		m := svcca.Moments{Precision: o.Precision}
		if err := m.Add(context.Background(), file, nil); err != nil {
			return bench.Result{}, err
		}
		r, err := m.Reduce(svcca.Options{})
		if err != nil {
			return bench.Result{}, err
		}
		took := time.Since(start)
		result := bench.Result{Seconds: took.Seconds(), K: [2]int{r.K, r.K}}
		for _, s := range r.SingularValues[:r.K] {
			result.Rho = append(result.Rho, s/r.SingularValues[0])
			result.Mean += result.Rho[len(result.Rho)-1] / float64(r.K)
		}
		return result, nil
	}, nil
}
