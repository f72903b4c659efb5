package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/gosvcca/gosvcca/bench"
)

// w7 times the reduction of one .npy file, in the system's cache and not, beside the
// rate at which the machine multiplies a panel in memory with itself.
func w7(ctx context.Context, s *setting, out io.Writer) error {
	fmt.Fprintf(out, "\nW7: one .npy file, %d × %d float32, from opening it to singular values and directions, 99%% of variance\n", s.n4, s.d4)
	fmt.Fprintf(out, "GFLOP/s count nd² flops, and of dsyrk, panels of %d × %d float64, d²n each; share: of dsyrk in the same round\n", bench.PanelRows, s.d4)
	fmt.Fprintf(out, "max Δ: of s/s_1; map: the whole array from a memory map in one product, in float64 or, 32, in float32; map, blocks: in blocks of rows\n\n")
	x := s.path("x.npy")
	if err := s.saveFile(x); err != nil {
		return err
	}
	for _, state := range []string{"warm", "cold"} {
		data := []string{bench.W7, state, x}
		contestants := s.native(data)[:2]
		if s.purego {
			contestants = append(contestants, s.portable(data))
		}
		for _, method := range []string{"map_blocks", "map_whole", "map_whole32"} {
			contestants = append(contestants, s.numpy(method, data))
		}
		panels := &contestant{name: bench.DSYRK, threads: s.threads,
			command: []string{s.path("native"), "-blas-threads", bench.DSYRK, strconv.Itoa(bench.PanelRows), strconv.Itoa(s.d4), s.dsyrk.String()}}
		if err := race(ctx, s.rounds, append([]*contestant{panels}, contestants...)); err != nil {
			return err
		}
		describe(out, append(contestants, panels))
		if err := reportFiles(out, "W7 "+state, contestants, panels, float64(s.n4)*float64(s.d4)*float64(s.d4)); err != nil {
			return err
		}
	}
	return nil
}

// saveFile writes one layer of the pair of w4.
func (s *setting) saveFile(x string) error {
	f, err := os.Create(x)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(os.Stderr, "peers: writing %d rows of a file\n", s.n4)
	return cmp.Or(bench.WritePair(f, io.Discard, bench.W4Spectrum, s.n4, s.d4, s.seed), f.Close())
}
