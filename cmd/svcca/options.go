package main

import (
	"context"
	"runtime"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/spf13/pflag"
)

// optionFlags are the flags of what is computed, in the words that all commands
// share.
type optionFlags struct {
	describer
	options   svcca.Options
	weights   string
	transpose bool
}

func (f *optionFlags) register(flags *pflag.FlagSet) {
	flags.TextVar(&f.options.Keep, "keep", svcca.Variance(0.99),
		"`RULE`: sum(f), count(m), rank")
	f.registerNoise(flags)
	flags.TextVar(&f.options.Precision, "precision", svcca.Double,
		"`P`: float64, or mixed with float32")
	flags.TextVar(&f.options.Solver, "solver", svcca.Automatic,
		"`S`: auto, exact, krylov (if huge)")
	f.registerRows(flags)
}

// registerNoise registers the flags of what a layer is beside noise.
func (f *optionFlags) registerNoise(flags *pflag.FlagSet) {
	flags.TextVar(&f.options.RankTol, "rank-tol", svcca.StorageTol(),
		"noise of `TOL`: storage, float16, …")
	flags.TextVar(&f.options.Centering, "centering", svcca.CenterNeurons,
		"`WHAT`: neurons, translated, none")
}

// registerRows registers the flags of the files' rows, and of telling what they are.
func (f *optionFlags) registerRows(flags *pflag.FlagSet) {
	flags.StringVar(&f.weights, "weights", "", "`FILE`.npy, a weight > 0 per datapoint (default: all 1)")
	flags.BoolVar(&f.transpose, "transpose", false, "files hold neurons × datapoints (default: no)")
	f.describer.register(flags)
}

// workers lets so many goroutines share the work, 0 for as many as there are processors,
// each with one BLAS thread, which is faster than threads of the BLAS, until it is undone.
func workers(threads int) (undo func()) {
	limit := native.LimitThreads(1)
	if threads == 0 {
		return limit
	}
	before := runtime.GOMAXPROCS(min(threads, runtime.GOMAXPROCS(0)))
	return func() {
		runtime.GOMAXPROCS(before)
		limit()
	}
}

// readWeights reads the weights of the rows that are given of n datapoints, nil for all,
// if there are any, and describes their file.
func (f *optionFlags) readWeights(ctx context.Context, n int, rows []int) error {
	if f.weights == "" {
		return nil
	}
	w, err := openWeights(f.weights)
	if err != nil {
		return err
	}
	file := w.file
	defer file.Close()
	if err := w.checkCount(n); err != nil {
		return err
	}
	w.take(rows)
	some, _ := w.file.Dims()
	if f.options.Weights, err = w.next(some); err != nil {
		return err
	}
	if err := f.beside(ctx, "weights", []string{f.weights}, file); err != nil {
		return err
	}
	return file.Unchanged()
}
