package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w5 times the maps of w3 flattened: ρ alone, of layers with more neurons than
// datapoints.
func w5(ctx context.Context, s *setting, out io.Writer) error {
	d := s.size * s.size * s.channels
	fmt.Fprintf(out, "\nW5: one pair, %d × %d float32 each, from memory to ρ alone, 99%% of variance; ours by a pane, which gives their mean; with directions by Between\n\n", s.n3, d)
	saved, err := s.saveMaps(bench.W5, s.n3, s.size, s.channels)
	if err != nil {
		return err
	}
	files := saved[len(saved)-2:]
	data := append([]string{bench.W5, strconv.Itoa(s.n3), strconv.Itoa(d)}, files...)
	contestants := s.native(data)
	if s.purego {
		contestants = append(contestants, s.portable(data))
	}
	whole := s.native(append([]string{bench.W1}, data[1:]...))[0]
	whole.name = "native, directions"
	contestants = append(contestants, whole, s.numpy("gram", data), s.numpy("svd", data))
	if err := race(ctx, s.rounds, contestants); err != nil {
		return err
	}
	describe(out, contestants)
	return reportPair(out, "W5", contestants)
}
