// Command peers times SVCCA of this module, native and in pure Go, against numpy
// and google/svcca's recipe: the same data, machine and threads, one run of each
// in turn, so that what disturbs one disturbs all.
//
//	git clone https://github.com/google/svcca ../svcca
//	go run ./bench/peers -svcca ../svcca -rounds 7              # everything
//	go run ./bench/peers -svcca ../svcca -work w1               # one pair in memory
//	go run ./bench/peers -svcca ../svcca -work w2 -pairs 3      # a pane of pairs
//	go run ./bench/peers -svcca ../svcca -work w3,w5            # a pair of maps, by their DFT and flattened
//	go run ./bench/peers -work w4 -rounds 3 -dir /var/tmp       # a pair of files, 4 GB
//	go run ./bench/peers -work w6 -rounds 3                     # sparse layers, against scipy
//	go run ./bench/peers -work w7 -rounds 3 -dir /var/tmp       # a file of 2 GB, cached and not
//	go run ./bench/peers -work growth                           # the DFT against explicit translations
//	go run ./bench/peers -rounds 1 -n1 2000 -n2 2000 -rows 4 -n4 20000   # a trial
//
// The recipe and dft_ccas need a checkout of github.com/google/svcca, and every peer a
// Python with numpy, those of w3 with scipy too. Nothing is written outside a temporary directory, which is made in
// -dir. W2 takes 660 MB there, and again in each process that holds the pane.
//
// Contestants of this module:
//
//	native                   as it is recommended: native.LimitThreads(1), so one
//	                         BLAS thread for each of -threads goroutines
//	native, mixed            the same with Precision: Mixed
//	native, BLAS's threads   as an importing program that sets nothing
//	native, 1 thread         native in one thread, for scaling
//	purego                   the portable backend; but in w1 with -purego, as it
//	                         takes long
//
// What to read are the ratios, each of two runs of one round, as "median
// (min–max)" over rounds; seconds are there to judge them by. A column "cross /
// it" says how many times as fast as cross the row's contestant is. "max Δρ" is how
// far ρ lie from those of native. Below a table stand warnings of ours, with how
// often they came: float64 says that Mixed did the work again in float64. Run it
// on a machine that does nothing else: where the range of the ratios is wide, it did.
// Not timed are start-up, reading data that a workload has in memory, and a first
// run.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/bench"
)

// options are the flags.
type options struct {
	work               string
	svcca, python, dir string
	purego             bool
	rounds, threads    int
	n1, n2, n3, n4     int
	d, d4              int
	n6, d6, e6         int
	density            float64
	size, channels     int
	sizes              int
	rows, pairs        int
	dsyrk              time.Duration
	seed               uint64
}

// workloads by the names that -work takes.
var workloads = map[string]func(context.Context, *setting, io.Writer) error{
	bench.W1: w1, bench.W2: w2, bench.W3: w3, bench.W4: w4, bench.W5: w5, bench.W6: w6, bench.W7: w7, bench.Growth: growth,
}

func main() {
	var o options
	flag.StringVar(&o.work, "work", "w1,w2,w3,w4,w5", "workloads, separated by commas: these, w6, w7 and growth")
	flag.StringVar(&o.svcca, "svcca", "", "checkout of github.com/google/svcca (default: run without it)")
	flag.StringVar(&o.python, "python", "/usr/bin/python3", "Python with numpy")
	flag.StringVar(&o.dir, "dir", "", "where a directory for data is made, and removed (default: the system's for temporary files)")
	flag.BoolVar(&o.purego, "purego", false, "let the portable backend take part in w2 to w5 too")
	flag.IntVar(&o.rounds, "rounds", 5, "timed runs of each")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of each")
	flag.IntVar(&o.n1, "n1", bench.W1Datapoints, "datapoints of w1")
	flag.IntVar(&o.n2, "n2", bench.W2Datapoints, "datapoints of w2")
	flag.IntVar(&o.n3, "n3", bench.W3Images, "images of w3 and w5")
	flag.IntVar(&o.n4, "n4", bench.W4Datapoints, "datapoints of w4 and w7")
	flag.IntVar(&o.n6, "n6", bench.W6Datapoints, "datapoints of w6")
	flag.IntVar(&o.d6, "d6", bench.W6Neurons, "features of the large layer of w6")
	flag.IntVar(&o.e6, "e6", bench.W6Pair, "features of either layer of the pair of w6")
	flag.Float64Var(&o.density, "density", bench.W6Density, "share of the values of w6 that are not zero")
	flag.IntVar(&o.d, "d", bench.W1Neurons, "neurons of each layer of w1 and w2")
	flag.IntVar(&o.d4, "d4", bench.W4Neurons, "neurons of a layer of w4 and w7")
	flag.IntVar(&o.size, "size", bench.W3Size, "positions along either axis of w3 and w5")
	flag.IntVar(&o.channels, "channels", bench.W3Channels, "channels of w3 and w5")
	flag.IntVar(&o.sizes, "sizes", len(bench.GrowthSizes), "how many sizes growth goes through, from the least")
	flag.IntVar(&o.rows, "rows", bench.W2Rows, "rows, and columns, of w2")
	flag.IntVar(&o.pairs, "pairs", 3, "pairs of w2 that the recipe computes in a round")
	flag.DurationVar(&o.dsyrk, "dsyrk", 2*time.Second, "time of each run of dsyrk in w4 and w7")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the data")
	flag.Parse()
	if err := o.check(flag.NArg()); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		if ctx.Err() != nil {
			os.Exit(130) // interrupted: the workers' last words tell nothing
		}
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func (o options) check(arguments int) error {
	if arguments > 0 {
		return fmt.Errorf("%d arguments, expected none", arguments)
	}
	for name := range strings.SplitSeq(o.work, ",") {
		if workloads[name] == nil {
			return fmt.Errorf("workload %q is none of w1, w2, w3, w4, w5, w6, w7, growth", name)
		}
	}
	if min(o.rounds, o.threads, o.d, o.d4, o.size, o.channels, o.rows, o.pairs) < 1 {
		return fmt.Errorf("rounds, threads, d, d4, size, channels, rows and pairs must be at least 1")
	}
	if !(o.density > 0 && o.density <= 1) || min(o.d6, o.e6) < 1 {
		return fmt.Errorf("density must be above 0 and at most 1, d6 and e6 at least 1")
	}
	if min(o.n1, o.n2) <= o.d || o.n3 <= o.channels || o.n4 <= o.d4 || o.n6 <= max(o.d6, o.e6) {
		return fmt.Errorf("there must be more datapoints than neurons, and images than channels")
	}
	return nil
}

func run(ctx context.Context, o options, out io.Writer) error {
	s, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	fmt.Fprintf(out, "machine: %s, %d cores; %d threads each; %d rounds; seed %d\n", processor(), runtime.NumCPU(), o.threads, o.rounds, o.seed)
	if blas := openblasEnv(); len(blas) > 0 {
		fmt.Fprintln(out, "environment:", strings.Join(blas, " "))
	}
	for name := range strings.SplitSeq(o.work, ",") {
		if err := workloads[name](ctx, s, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
