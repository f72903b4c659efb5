package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// newPanels is dsyrk: the machine's rate of products of a matrix with itself,
// with nothing read. Precision is float64 whatever the options.
func newPanels(args []string, _ svcca.Options) (runner, error) {
	if len(args) != 3 {
		return nil, fmt.Errorf("%d arguments, expected N D TIME", len(args))
	}
	size, err := integers(args[:2])
	if err != nil {
		return nil, err
	}
	atLeast, err := time.ParseDuration(args[2])
	if err != nil {
		return nil, err
	}
	n, d := size[0], size[1]
	panel, sum := lapack.New[float64](n, d), lapack.New[float64](d, d)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range panel.Data {
		panel.Data[i] = rng.NormFloat64()
	}
	return func() (result bench.Result, _ error) {
		for start := time.Now(); result.Seconds < atLeast.Seconds(); result.Seconds = time.Since(start).Seconds() {
			lapack.Syrk(blas.Trans, 1, panel, 1, sum)
			result.Flops += float64(n) * float64(d) * float64(d)
		}
		return result, nil
	}, nil
}
