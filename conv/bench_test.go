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

// BenchmarkBetween times W3 (package bench) within one process.
func BenchmarkBetween(b *testing.B) {
	const n, h, w, c = 1000, 16, 16, 64
	x, y := bench.Maps(n, h, w, c, 1)
	layers := [2]conv.Maps{conv.FromSlice("x", x, n, h, w, c, conv.NHWC), conv.FromSlice("y", y, n, h, w, c, conv.NHWC)}
	for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
		for _, images := range []int{-1, n} {
			b.Run(fmt.Sprintf("n=%d/size=%dx%dx%d/precision=%v/off_block=%d", n, h, w, c, precision, images), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := conv.Between(context.Background(), layers[0], layers[1], conv.Options{Options: svcca.Options{Precision: precision}, OffBlock: images})
					require.NoError(b, err)
				}
			})
		}
	}
}
