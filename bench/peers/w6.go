package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/bench"
	"github.com/james-bowman/sparse"
)

// w6 times sparse layers against scipy.sparse: the centred Gram matrix of one of many
// features, its leading directions, and a whole pair of fewer features.
func w6(ctx context.Context, s *setting, out io.Writer) error {
	fmt.Fprintf(out, "\nW6: sparse layers, %d datapoints, %g%% not zero, from values in memory\n", s.n6, 100*s.density)
	fmt.Fprintf(out, "gram: to the centred Gram matrix of %d features, dense; product: scipy's alone, before it is dense and centred\n", s.d6)
	fmt.Fprintf(out, "leading: to the first %d singular values and directions of it, by ours to 1e-6; svds: of scipy, in float64's own accuracy; Δ is of s/s_1\n", bench.W6Leading)
	fmt.Fprintf(out, "pair: two layers of %d features, to all ρ and directions, 99%% of variance\n\n", s.e6)
	large, _ := bench.Features(s.n6, s.d6, s.density, s.seed)
	x, y := bench.Features(s.n6, s.e6, s.density, s.seed)
	for name, m := range map[string]*sparse.CSR{"large.npz": large, "sparse-x.npz": x, "sparse-y.npz": y} {
		if err := s.saveSparse(name, m); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d values, %d and %d in the pair\n\n", large.NNZ(), x.NNZ(), y.NNZ())
	for _, step := range []struct {
		name  string
		files []string
		peers []string
	}{
		{bench.SparseGram, []string{"large.npz"}, []string{"sparse_product", "sparse_gram"}},
		{bench.SparsePair, []string{"sparse-x.npz", "sparse-y.npz"}, []string{"sparse_pair"}},
		{bench.SparseLeading, []string{"large.npz"}, []string{"svds"}},
	} {
		data := []string{bench.W6, step.name}
		for _, file := range step.files {
			data = append(data, s.path(file))
		}
		contestants := slices.DeleteFunc(s.native(data), func(c *contestant) bool { return c.name == "native, mixed" })
		if step.name == bench.SparseLeading {
			contestants = contestants[:1] // it takes long
		}
		if s.purego && step.name == bench.SparseGram {
			contestants = append(contestants, s.portable(data))
		}
		for _, method := range step.peers {
			contestants = append(contestants, s.numpy(method, data))
		}
		if err := race(ctx, s.rounds, contestants); err != nil {
			return err
		}
		describe(out, contestants)
		report := reportPair
		if step.name == bench.SparseGram {
			report = reportTimes
		}
		if err := report(out, "W6 "+step.name, contestants); err != nil {
			return err
		}
	}
	return nil
}

// reportTimes prints how long contestants take and how much memory, where they give
// nothing that can be compared.
func reportTimes(out io.Writer, title string, contestants []*contestant) error {
	ours := contestants[0]
	var t table
	t.row(slices.Concat([]string{title}, timeHead, []string{"it / " + ours.name, "peak MiB"})...)
	for _, c := range contestants {
		t.row(slices.Concat([]string{c.name}, times(c.seconds()), []string{ratio(c.seconds(), ours.seconds()).String(), c.mib()})...)
	}
	return finish(out, t, contestants)
}

func (s *setting) saveSparse(name string, m *sparse.CSR) error {
	f, err := os.Create(s.path(name))
	if err != nil {
		return err
	}
	return cmp.Or(activation.WriteSparse(f, m), f.Close())
}
