package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w3 times one pair of maps in memory by their DFT: all ρ and directions.
func w3(ctx context.Context, s *setting, out io.Writer) error {
	fmt.Fprintf(out, "\nW3: one pair of maps, %d × %d × %d × %d float32 each, from memory to all ρ and directions by their DFT, 99%% of variance\n",
		s.n3, s.size, s.size, s.channels)
	data, err := s.saveMaps(bench.W3, s.n3, s.size, s.channels)
	if err != nil {
		return err
	}
	contestants := s.native(data)
	if s.purego {
		contestants = append(contestants, s.portable(data))
	}
	contestants = append(contestants, s.numpy("half", data), s.numpy("half32", data))
	if s.svcca != "" {
		fmt.Fprintln(out, "dft_ccas is google/svcca's loop, repaired: all frequencies, no SV step, ρ without directions")
		contestants = append(contestants, s.numpy("dft_ccas", data, "--svcca", s.svcca))
	}
	fmt.Fprintln(out)
	if err := race(ctx, s.rounds, contestants); err != nil {
		return err
	}
	describe(out, contestants)
	return reportPair(out, "W3", contestants)
}

// saveMaps writes a pair of square maps and returns the arguments of a workload on them.
func (s *setting) saveMaps(workload string, n, size, channels int) ([]string, error) {
	layers := [2][]float32{}
	layers[0], layers[1] = bench.Maps(n, size, size, channels, s.seed)
	data := []string{workload, strconv.Itoa(n), strconv.Itoa(size), strconv.Itoa(size), strconv.Itoa(channels)}
	for i, name := range []string{"x.f32", "y.f32"} {
		path, err := s.save(name, layers[i])
		if err != nil {
			return nil, err
		}
		data = append(data, path)
	}
	return data, nil
}
