// Command worker times this module's SVCCA for bench/peers, which starts it:
// worker X.f32 Y.f32 N D, layers of N datapoints × D neurons, float32, row by
// row, little endian. Package bench describes what it reads and prints.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%d arguments, expected X.f32 Y.f32 N D", len(args))
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	d, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	var layers [2]svcca.Layer
	for i, path := range args[:2] {
		data, err := load(path, n*d)
		if err != nil {
			return err
		}
		layers[i] = svcca.FromSlice(path, data, n, d)
	}

	if _, err := run(layers); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(bench.About{About: native.Describe().String()}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		result, err := run(layers)
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

func run(layers [2]svcca.Layer) (bench.Result, error) {
	start := time.Now()
	c, err := svcca.Between(layers[0], layers[1], svcca.Options{})
	seconds := time.Since(start).Seconds()
	if err != nil {
		return bench.Result{}, err
	}
	if got := c.X.Directions.Map.Cols; got != len(c.Rho) {
		return bench.Result{}, fmt.Errorf("%d directions for %d ρ", got, len(c.Rho))
	}
	return bench.Result{Seconds: seconds, K: [2]int{c.X.K, c.Y.K}, Mean: c.Mean, Rho: c.Rho}, nil
}

func load(path string, count int) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]float32, count)
	if err := binary.Read(file, binary.LittleEndian, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}
