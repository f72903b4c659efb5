// Command worker times this module's SVCCA for bench/peers, which starts it:
//
//	worker [-precision mixed] [-blas-threads] WORKLOAD DATA…
//
// Package bench describes what it reads and prints. One product uses one thread,
// so that goroutines share the work, as many as GOMAXPROCS; with -blas-threads
// the BLAS keeps the threads that it starts with, as in a program that imports
// the library and sets nothing.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

func main() {
	precision := svcca.Double
	flag.TextVar(&precision, "precision", precision, "of products: float64 or mixed")
	blasThreads := flag.Bool("blas-threads", false, "let the BLAS keep its threads")
	flag.Parse()
	if !*blasThreads {
		defer native.LimitThreads(1)()
	}
	if err := serve(flag.Args(), svcca.Options{Precision: precision}); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// runner computes once and times it.
type runner func() (bench.Result, error)

// workloads load data from their arguments.
var workloads = map[string]func(args []string, o svcca.Options) (runner, error){
	bench.W1:    loadPair,
	bench.W2:    loadPane,
	bench.W3:    loadMaps,
	bench.W4:    openFiles,
	bench.W5:    loadWide,
	bench.W6:    openSparse,
	bench.W7:    reduceFile,
	bench.DSYRK: newPanels,

	bench.Translated: loadTranslated,
}

func serve(args []string, o svcca.Options) error {
	if len(args) == 0 || workloads[args[0]] == nil {
		return fmt.Errorf("arguments %q: expected a workload and its data", args)
	}
	run, err := workloads[args[0]](args[1:], o)
	if err != nil {
		return err
	}
	if _, err := run(); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	about := fmt.Sprintf("%s; GOMAXPROCS %d", native.Describe(), runtime.GOMAXPROCS(0))
	if err := out.Encode(bench.About{About: about}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		result, err := run()
		if err != nil {
			return err
		}
		runtime.GC() // before the answer, so that none runs in another's turn
		if err := out.Encode(result); err != nil {
			return err
		}
	}
	return in.Err()
}
