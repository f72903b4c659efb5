package conv_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMixed compares mixed precision with float64: what it differs by stays within the
// bound that it states, also where one image or position drowns all others.
func TestMixed(t *testing.T) {
	kinds := map[string]func(m maps, rng *rand.Rand){
		"plain":  func(maps, *rand.Rand) {},
		"offset": func(m maps, _ *rand.Rand) { m.each(func(v *float64) { *v += 1e4 }) },
		"large image": func(m maps, rng *rand.Rand) {
			oneImage(m[rng.IntN(len(m))]).each(func(v *float64) { *v *= 300 })
		},
		"large position": func(m maps, _ *rand.Rand) {
			for i := range m {
				for k := range m[i][0][0] {
					m[i][0][0][k] *= 100
				}
			}
		},
		"few levels": func(m maps, _ *rand.Rand) { m.each(func(v *float64) { *v = math.Round(*v*3) / 3 }) },
		"tiny":       func(m maps, _ *rand.Rand) { m.each(func(v *float64) { *v *= 1e-200 }) },
	}
	worst, most := 0.0, 0.0
	for name, change := range kinds {
		for at, s := range [][2][3]int{{{8, 8, 6}, {8, 8, 5}}, {{8, 8, 4}, {4, 4, 6}}, {{5, 7, 6}, {5, 7, 6}}} {
			for seed := range uint64(4) {
				rng := rand.New(rand.NewPCG(seed, uint64(at)))
				x, y := randomMaps(rng, 300, s[0][0], s[0][1], s[0][2]), randomMaps(rng, 300, s[1][0], s[1][1], s[1][2])
				y.share(x, 0.8)
				change(x, rng)
				change(y, rng)
				label := fmt.Sprint(name, s, seed)
				a, b := x.slice("x", conv.NHWC, false), y.slice("y", conv.NCHW, false)
				o := conv.Options{OffBlock: -1}
				exact, err := conv.Between(context.Background(), a, b, o)
				require.NoError(t, err, label)
				o.Precision = svcca.Mixed
				mixed, err := conv.Between(context.Background(), a, b, o)
				require.NoError(t, err, label)
				require.Equal(t, [2]int{exact.X.K, exact.Y.K}, [2]int{mixed.X.K, mixed.Y.K}, label)
				if mixed.ErrorBound > 0 && !warned(mixed, svcca.WarnDouble) {
					for i := range exact.Rho {
						e := math.Abs(exact.Rho[i] - mixed.Rho[i])
						worst, most = max(worst, e/mixed.ErrorBound), max(most, e)
						assert.LessOrEqual(t, e, mixed.ErrorBound+exact.ErrorBound, label)
					}
				}
				assert.InDelta(t, exact.WeightedX, mixed.WeightedX, mixed.WeightedErrorBound+exact.WeightedErrorBound, label)
				assert.InDelta(t, exact.MeanSquare, mixed.MeanSquare, mixed.ErrorBound+exact.ErrorBound, label)
			}
		}
	}
	t.Logf("largest error %.1e, worst share of the bound %.2f", most, worst)
	assert.Positive(t, most, "mixed precision was not used")
}

func warned(r *conv.Result, code string) bool {
	for _, w := range r.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

// each calls change with every value.
func (m maps) each(change func(v *float64)) {
	for _, image := range m {
		oneImage(image).each(change)
	}
}

type oneImage [][][]float64

func (m oneImage) each(change func(v *float64)) {
	for _, row := range m {
		for _, position := range row {
			for k := range position {
				change(&position[k])
			}
		}
	}
}
