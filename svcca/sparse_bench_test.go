package svcca_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/james-bowman/sparse"
	"github.com/stretchr/testify/require"
)

// BenchmarkSparseSums: what sums of a layer take with and without its zeros. Where the
// two meet is sparseShare.
func BenchmarkSparseSums(b *testing.B) {
	for _, shape := range [][2]int{{20000, 512}, {10000, 2048}} {
		n, d := shape[0], shape[1]
		for _, density := range []float64{0.02, 0.05, 0.1, 0.15} {
			layer := svcca.FromSparse("x", thinned(rand.New(rand.NewPCG(1, 1)), n, d, density))
			for _, way := range []struct {
				name  string
				share float64
			}{{"sparse", 1}, {"dense", 0}} {
				b.Run(fmt.Sprintf("n=%d/d=%d/density=%g/%s", n, d, density, way.name), func(b *testing.B) {
					defer svcca.SparseShare(way.share)()
					for b.Loop() {
						var m svcca.Moments
						require.NoError(b, m.Add(context.Background(), layer, nil))
					}
				})
			}
		}
	}
}

// thinned returns n × d values of which a share is not zero, positive.
func thinned(rng *rand.Rand, n, d int, density float64) *sparse.CSR {
	begin, index, values := make([]int, n+1), []int{}, []float64{}
	next := func() int { return int(rng.ExpFloat64()/density) + 1 }
	at := next() - 1
	for i := range n {
		for ; at < (i+1)*d; at += next() {
			index, values = append(index, at-i*d), append(values, 0.1+rng.ExpFloat64())
		}
		begin[i+1] = len(index)
	}
	return sparse.NewCSR(n, d, begin, index, values)
}
