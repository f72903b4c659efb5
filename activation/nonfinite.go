package activation

import (
	"context"
	"math"

	"github.com/gosvcca/gosvcca/lapack"
)

// finiteValues are looked at between two looks at the context.
const finiteValues = 1 << 17

// NotFinite returns the datapoints of l that have a NaN or an infinity, in
// ascending order, and how many such values there are in all; of feature maps a
// datapoint is an image. It reads l once, in blocks of 1 MiB or one datapoint. It
// returns ctx's error where ctx ends first; other errors are those of Read.
func NotFinite(ctx context.Context, l Layer) (datapoints []int, count int, err error) {
	n, d := l.Dims()
	if n == 0 || d == 0 {
		return nil, 0, ctx.Err()
	}
	buffer := lapack.New[float64](min(n, max(1, finiteValues/d)), d)
	for first := 0; first < n; first += buffer.Rows {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		block := buffer.View(0, 0, min(buffer.Rows, n-first), d)
		if err := l.Read(block, first, 0); err != nil {
			return nil, 0, err
		}
		for i := range block.Rows {
			before := count
			for _, v := range block.Row(i) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					count++
				}
			}
			if count > before {
				datapoints = append(datapoints, first+i)
			}
		}
	}
	return datapoints, count, nil
}
