// Command peers times SVCCA of this module, native and in pure Go, against
// numpy's cross form and google/svcca's recipe: the same data, machine and
// threads, one run of each in turn, so that what disturbs one disturbs all.
//
//	git clone https://github.com/google/svcca ../svcca
//	go run ./bench/peers -svcca ../svcca -rounds 5 -threads 2
//
// The recipe needs a checkout of github.com/google/svcca, and both need a Python
// with numpy. Nothing is written outside a temporary directory.
//
// What to read are the ratios, each of two runs of one round; seconds are there
// to judge them by. Run it on a machine that does nothing else: where the range
// of the ratios is wide, it did. Timed is the way from float32 arrays in memory to
// all ρ and directions, in float64, not start-up, reading files or a first run.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/bench"
)

//go:embed worker.py
var workerPy []byte

// options are the flags.
type options struct {
	svcca, python         string
	rounds, threads, n, d int
	seed                  uint64
}

func main() {
	var o options
	flag.StringVar(&o.svcca, "svcca", "", "checkout of github.com/google/svcca (default: run without it)")
	flag.StringVar(&o.python, "python", "/usr/bin/python3", "Python with numpy")
	flag.IntVar(&o.rounds, "rounds", 5, "timed runs of each")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of each")
	flag.IntVar(&o.n, "n", 20000, "datapoints")
	flag.IntVar(&o.d, "d", 512, "neurons of either layer")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the data")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.threads < 1 || o.d < 1 || o.n <= o.d {
		fmt.Fprintln(os.Stderr, "peers: expected no arguments, rounds, threads, d ≥ 1 and n > d")
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

func run(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	fmt.Fprintf(out, "one pair, %d × %d float32 each, seed %d, 99%% of variance, all ρ and directions, float64\n", o.n, o.d, o.seed)
	fmt.Fprintf(out, "machine: %s, %d cores; %d threads each; %d rounds\n", processor(), runtime.NumCPU(), o.threads, o.rounds)
	if o.svcca == "" {
		fmt.Fprintln(out, "google/svcca's recipe is left out: no -svcca CHECKOUT given")
	}
	if blas := openblasEnv(); len(blas) > 0 {
		fmt.Fprintln(out, "environment:", strings.Join(blas, " "))
	}
	contestants, err := prepare(ctx, o, dir)
	if err != nil {
		return err
	}
	for i, spectrum := range bench.Spectra {
		data, err := generate(spectrum, o, dir)
		if err != nil {
			return err
		}
		if err := race(ctx, o, contestants, data); err != nil {
			return err
		}
		if i == 0 {
			for _, c := range contestants {
				fmt.Fprintf(out, "%s: %s\n", c.name, c.about)
			}
		}
		if err := report(out, spectrum, contestants); err != nil {
			return err
		}
	}
	return nil
}

// contestant is one way to compute; the first of a list is what the others are
// measured by.
type contestant struct {
	name    string
	command []string // to be followed by the data's arguments
	after   []string // to follow them

	about   string
	results []bench.Result // by round
	peak    float64        // resident memory, MiB
}

// prepare builds and names the contestants.
func prepare(ctx context.Context, o options, dir string) ([]*contestant, error) {
	script := filepath.Join(dir, "worker.py")
	if err := os.WriteFile(script, workerPy, 0o600); err != nil {
		return nil, err
	}
	var contestants []*contestant
	for _, c := range []struct{ name, tags string }{{"native", ""}, {"purego", "purego"}} {
		binary := filepath.Join(dir, c.name)
		build := exec.CommandContext(ctx, "go", "build", "-tags", c.tags, "-o", binary, "github.com/gosvcca/gosvcca/bench/worker")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("building %s: %w", c.name, err)
		}
		contestants = append(contestants, &contestant{name: c.name, command: []string{binary}})
	}
	contestants = append(contestants, &contestant{name: "cross", command: []string{o.python, script, "cross"}})
	if o.svcca != "" {
		if _, err := os.Stat(filepath.Join(o.svcca, "cca_core.py")); err != nil {
			return nil, fmt.Errorf("no checkout of google/svcca: %w", err)
		}
		contestants = append(contestants, &contestant{name: "recipe",
			command: []string{o.python, script, "recipe"}, after: []string{o.svcca}})
	}
	return contestants, nil
}

// generate writes the two layers and returns the workers' arguments.
func generate(spectrum bench.Spectrum, o options, dir string) ([]string, error) {
	x, y := bench.Pair(spectrum, o.n, o.d, o.seed)
	args := []string{filepath.Join(dir, "x.f32"), filepath.Join(dir, "y.f32"), strconv.Itoa(o.n), strconv.Itoa(o.d)}
	for i, layer := range [][]float32{x, y} {
		file, err := os.Create(args[i])
		if err != nil {
			return nil, err
		}
		if err := cmp.Or(binary.Write(file, binary.LittleEndian, layer), file.Close()); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// race starts a worker for each contestant and lets them run in turn.
func race(ctx context.Context, o options, contestants []*contestant, data []string) error {
	var workers []*worker
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	for _, c := range contestants {
		w, err := start(ctx, c, data, o.threads)
		if err != nil {
			return err
		}
		workers = append(workers, w)
		c.about, c.results = w.about, nil
	}
	for round := range o.rounds {
		for i, c := range contestants {
			result, err := workers[i].run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.results = append(c.results, result)
			fmt.Fprintf(os.Stderr, "peers: round %d of %d, %s: %.3f s\n", round+1, o.rounds, c.name, result.Seconds)
		}
	}
	for i, c := range contestants {
		c.peak = workers[i].peak()
	}
	return nil
}
