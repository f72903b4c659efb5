package conv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
)

func benchmarkMaps() (x, y conv.Maps) {
	const n, h, w, c = 1000, 16, 16, 64
	a, b := bench.Maps(n, h, w, c, 1)
	return conv.FromSlice("x", a, n, h, w, c, conv.NHWC), conv.FromSlice("y", b, n, h, w, c, conv.NHWC)
}

// BenchmarkBetween times W3 (package bench) within one process.
func BenchmarkBetween(b *testing.B) {
	x, y := benchmarkMaps()
	n, h, w, c := x.Dims()
	for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
		for _, images := range []int{-1, n} {
			b.Run(fmt.Sprintf("n=%d/size=%dx%dx%d/precision=%v/off_block=%d", n, h, w, c, precision, images), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := conv.Between(context.Background(), x, y, conv.Options{Options: svcca.Options{Precision: precision}, OffBlock: images})
					require.NoError(b, err)
				}
			})
		}
	}
}
