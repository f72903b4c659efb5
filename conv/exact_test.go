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

// exactTolerance is what dft and brute force may differ by: both are right to a few
// hundred roundings over the gap at the cut.
const exactTolerance = 1e-10

// randomMaps returns maps of mixed channels of falling size, on a fixed pattern.
func randomMaps(rng *rand.Rand, n, h, w, c int) maps {
	mix := make([]float64, c*c)
	for i := range mix {
		mix[i] = rng.NormFloat64() / math.Sqrt(float64(c)) * math.Exp(-0.4*float64(i%c))
	}
	pattern := make([]float64, h*w*c)
	for i := range pattern {
		pattern[i] = 0.7*rng.NormFloat64() + 1.3
	}
	m := make(maps, n)
	for i := range m {
		m[i] = make([][][]float64, h)
		for a := range h {
			m[i][a] = make([][]float64, w)
			for b := range w {
				m[i][a][b] = make([]float64, c)
				for l := range c {
					v := rng.NormFloat64()
					for k := range c {
						m[i][a][b][k] += v * mix[l*c+k]
					}
				}
				for k := range c {
					m[i][a][b][k] += pattern[(a*w+b)*c+k]
				}
			}
		}
	}
	return m
}

// share adds to y what x has in the same places.
func (m maps) share(x maps, amount float64) {
	h, w, c := m.sizes()
	hx, wx, cx := x.sizes()
	for i := range m {
		for a := range min(h, hx) {
			for b := range min(w, wx) {
				for k := range min(c, cx) {
					m[i][a][b][k] += amount * x[i][a][b][k]
				}
			}
		}
	}
}

// round takes values through float32.
func (m maps) round() {
	for _, image := range m {
		for _, row := range image {
			for _, position := range row {
				for k, v := range position {
					position[k] = float64(float32(v))
				}
			}
		}
	}
}

// slice returns m as package conv wants it.
func (m maps) slice(name string, layout conv.Layout, float32s bool) conv.Maps {
	h, w, c := m.sizes()
	values := make([]float64, 0, len(m)*h*w*c)
	for _, image := range m {
		for at := range h * w * c {
			if layout == conv.NHWC {
				values = append(values, image[at/(w*c)][at/c%w][at%c])
			} else {
				values = append(values, image[at/w%h][at%w][at/(h*w)])
			}
		}
	}
	if !float32s {
		return conv.FromSlice(name, values, len(m), h, w, c, layout)
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return conv.FromSlice(name, narrow, len(m), h, w, c, layout)
}

// TestExact compares dft with SVCCA of the data set of all translations: sizes even, odd,
// rectangular and unequal, strides that divide, few images and many, each centring and
// rule, both types of values and both layouts.
func TestExact(t *testing.T) {
	type size struct{ h, w, c int }
	sizes := [][2]size{
		{{4, 4, 3}, {4, 4, 2}}, {{5, 5, 2}, {5, 5, 2}}, {{4, 6, 2}, {4, 6, 3}}, {{3, 5, 2}, {3, 5, 2}},
		{{8, 8, 1}, {4, 4, 2}}, {{6, 6, 1}, {2, 2, 3}}, {{6, 6, 1}, {4, 4, 2}}, {{2, 6, 2}, {3, 4, 2}}, {{9, 3, 1}, {3, 3, 3}},
		{{2, 2, 3}, {2, 2, 4}}, {{1, 1, 5}, {4, 4, 2}}, {{7, 1, 2}, {7, 1, 3}},
	}
	rules := []bruteRule{{"variance", 0.9}, {"variance", 0.99}, {"sum", 0.8}, {"rank", 0}, {"count", 7}}
	images := []int{2, 4, 7, 13, 30}
	if testing.Short() {
		images = []int{4, 30}
	}
	worst := map[string]float64{}
	count := 0
	for at, s := range sizes {
		for _, n := range images {
			rng := rand.New(rand.NewPCG(uint64(at), uint64(n)))
			for r, rule := range rules {
				for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterTranslated, svcca.CenterNone} {
					count++
					float32s, layout := count%2 == 0, conv.Layout(count/2%2)
					x, y := randomMaps(rng, n, s[0].h, s[0].w, s[0].c), randomMaps(rng, n, s[1].h, s[1].w, s[1].c)
					y.share(x, 0.8)
					if float32s {
						x.round()
						y.round()
					}
					var weights []float64
					if (at+r)%3 == 0 {
						for range n {
							weights = append(weights, 0.5+rng.Float64())
						}
					}
					name := fmt.Sprintf("%v %v n=%d %v %v float32=%v %v weights=%v", s[0], s[1], n, rule, centering, float32s, layout, weights != nil)
					b := bruteForce(t, x, y, weights, float32s, centering, rule)
					keep := map[string]svcca.Keep{"variance": svcca.Variance(rule.value), "sum": svcca.Sum(rule.value), "rank": svcca.FullRank(), "count": svcca.Count(int(rule.value))}[rule.keep]
					o := conv.Options{Options: svcca.Options{Keep: keep, Centering: centering, Weights: weights}}
					a, c := x.slice("x", layout, float32s), y.slice("y", layout, float32s)
					got, err := conv.Between(context.Background(), a, c, o)
					require.NoError(t, err, name)
					alike(t, name, got, compared(t, a, c, o))
					require.Equal(t, [4]int{b.rankX, b.rankY, b.kx, b.ky}, [4]int{got.X.Rank, got.Y.Rank, got.X.K, got.Y.K}, name)
					require.Len(t, got.Rho, len(b.rho), name)
					differ := map[string]float64{
						"mean square": got.MeanSquare - b.meanSquare, "weighted x": got.WeightedX - b.weightedX, "weighted y": got.WeightedY - b.weightedY,
					}
					for i := range b.rho {
						differ["ρ"] = max(differ["ρ"], math.Abs(got.Rho[i]-b.rho[i]))
					}
					for i := range got.X.SingularValues[:got.X.Rank] {
						differ["s"] = max(differ["s"], math.Abs(got.X.SingularValues[i]-b.s[i])/b.s[0])
					}
					for what, d := range differ {
						worst[what] = max(worst[what], math.Abs(d))
						assert.LessOrEqual(t, math.Abs(d), exactTolerance, "%s: %s (%s, bound %.1e)", name, what, got.Method, got.ErrorBound)
					}
					assert.LessOrEqual(t, differ["ρ"], got.ErrorBound+b.error, name)
					assert.GreaterOrEqual(t, b.ones, got.ForcedOnes, name)
				}
			}
		}
	}
	t.Logf("%d cases, worst differences %v", count, worst)
}
