package conv_test

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// columnsAt returns, for each image, the columns of frequency (u, v) under gh × gw
// translations, (phase, channel): Σ over steps of the values, by the definition.
func columnsAt(m maps, gh, gw, u, v int) (rows [][]complex128) {
	h, w, c := m.sizes()
	sh, sw := h/gh, w/gw
	for _, image := range m {
		row := make([]complex128, sh*sw*c)
		for q := range gh {
			for r := range gw {
				angle := -2 * math.Pi * (float64(u*q%gh)/float64(gh) + float64(v*r%gw)/float64(gw))
				e := cmplx.Rect(1/math.Sqrt(float64(gh*gw)), angle)
				for j := range row {
					phase := j / c
					row[j] += e * complex(image[q*sh+phase/sw][r*sw+phase%sw][j%c], 0)
				}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// coordinates returns √w(z − μ)·Map, images × directions, and √w(z − μ).
func coordinates(rows [][]complex128, b conv.BlockDirections, weights []float64) (along, centred [][]complex128) {
	for i, row := range rows {
		root := complex128(1)
		if weights != nil {
			root = complex(math.Sqrt(weights[i]), 0)
		}
		z, x := make([]complex128, len(row)), make([]complex128, len(b.Rho))
		for j, v := range row {
			z[j] = root * (v - b.Mean[j])
			for k := range x {
				x[k] += z[j] * b.Map.At(j, k)
			}
		}
		along, centred = append(along, x), append(centred, z)
	}
	return along, centred
}

// product returns Σ over images of x̄_i·y_j.
func product(x, y [][]complex128, i, j int) (sum complex128) {
	for row := range x {
		sum += cmplx.Conj(x[row][i]) * y[row][j]
	}
	return sum
}

// directionsTolerance bounds the error of inner products of coordinates: those of s_k, by
// products, are right to the square of s_1/s_k, and sums of n.
func directionsTolerance(n int, sides ...svcca.Side) float64 {
	condition := 1.0
	for _, s := range sides {
		condition = max(condition, s.SingularValues[0]/s.SingularValues[s.K-1])
	}
	return 30 * float64(n) * ulp * condition * condition
}

type directionsCase struct {
	x, y      [3]int
	n         int
	centering svcca.Centering
	weighted  bool
	keep      svcca.Keep
}

func directionsCases() (cases []directionsCase) {
	for _, s := range [][2][3]int{{{4, 4, 3}, {4, 4, 2}}, {{5, 3, 2}, {5, 3, 2}}, {{8, 4, 1}, {4, 4, 2}}, {{6, 6, 2}, {4, 3, 3}}, {{2, 6, 2}, {3, 4, 2}}} {
		for _, n := range []int{5, 40} {
			for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterTranslated, svcca.CenterNone} {
				for _, weighted := range []bool{false, true} {
					cases = append(cases, directionsCase{s[0], s[1], n, centering, weighted, svcca.Variance(0.9)})
				}
			}
		}
	}
	return cases
}

// run compares maps of the case, x in one layout and y in the other.
func (c directionsCase) run(t *testing.T, layout conv.Layout) (r *conv.Result, x, y maps, weights []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(c.x[0]), uint64(c.n)))
	x, y = randomMaps(rng, c.n, c.x[0], c.x[1], c.x[2]), randomMaps(rng, c.n, c.y[0], c.y[1], c.y[2])
	y.share(x, 0.8)
	if c.weighted {
		for range c.n {
			weights = append(weights, 0.5+rng.Float64())
		}
	}
	r, err := conv.Between(context.Background(), x.slice("x", layout, false), y.slice("y", 1-layout, false),
		conv.Options{Options: svcca.Options{Keep: c.keep, Centering: c.centering, Weights: weights}})
	require.NoError(t, err)
	return r, x, y, weights
}

// TestDirections: in every block the coordinates of a layer are orthonormal over images,
// correlate with the other layer's by ρ and with no other of theirs, and their products with
// the columns are the decoder; the largest entry of a map from columns is positive.
func TestDirections(t *testing.T) {
	worst := 0.0
	for _, c := range directionsCases() {
		for _, layout := range []conv.Layout{conv.NHWC, conv.NCHW} {
			name := fmt.Sprintf("%v %v", c, layout)
			r, x, y, weights := c.run(t, layout)
			gh, gw := r.Translations[0], r.Translations[1]
			tolerance := directionsTolerance(c.n, r.X, r.Y)
			near := func(wanted, got complex128, scale float64, what string, b conv.Block) {
				t.Helper()
				e := cmplx.Abs(wanted-got) / scale
				worst = max(worst, e/tolerance)
				assert.LessOrEqual(t, e, tolerance, "%s: (%d, %d): %s", name, b.U, b.V, what)
			}
			require.Equal(t, [2]int{c.x[0] / gh, c.x[1] / gw}, r.DirectionsX.Steps, name)
			require.Equal(t, [2]int{c.y[0] / gh, c.y[1] / gw}, r.DirectionsY.Steps, name)
			require.Equal(t, [2]int{c.x[2], c.y[2]}, [2]int{r.DirectionsX.Channels, r.DirectionsY.Channels}, name)
			rhos := 0
			for at, b := range r.DirectionsX.Blocks {
				other := r.DirectionsY.Blocks[at]
				require.Equal(t, b.Block, other.Block, name)
				require.Equal(t, r.Blocks[at], b.Block, name)
				require.Equal(t, b.Rho, other.Rho, name)
				require.Len(t, b.Rho, min(b.KX, b.KY), name)
				rhos += b.Multiplicity * len(b.Rho)
				if len(b.Rho) == 0 {
					continue
				}
				ax, zx := coordinates(columnsAt(x, gh, gw, b.U, b.V), b, weights)
				ay, zy := coordinates(columnsAt(y, gh, gw, b.U, b.V), other, weights)
				for i := range b.Rho {
					for j := range b.Rho {
						one, rho := complex128(0), complex128(0)
						if i == j {
							one, rho = 1, complex(b.Rho[i], 0)
						}
						near(one, product(ax, ax, i, j), 1, "X̃ᴴX̃", b.Block)
						near(one, product(ay, ay, i, j), 1, "ỸᴴỸ", b.Block)
						near(rho, product(ax, ay, i, j), 1, "X̃ᴴỸ", b.Block)
					}
					for j := range b.Decoder.Cols {
						near(product(ax, zx, i, j), b.Decoder.At(i, j), r.X.SingularValues[0], "decoder of x", b.Block)
					}
					for j := range other.Decoder.Cols {
						near(product(ay, zy, i, j), other.Decoder.At(i, j), r.Y.SingularValues[0], "decoder of y", b.Block)
					}
					largest := complex128(0)
					for j := range b.Map.Rows {
						if v := b.Map.At(j, i); cmplx.Abs(v) > cmplx.Abs(largest)*(1+8*ulp) {
							largest = v
						}
					}
					assert.Greater(t, real(largest), 0.0, "%s: sign", name)
					assert.LessOrEqual(t, math.Abs(imag(largest)), 8*ulp*real(largest), "%s: sign", name)
				}
			}
			assert.LessOrEqual(t, rhos, len(r.Rho), name) // zeros fill up
		}
	}
	t.Logf("worst share of the tolerance %.1e", worst)
}

// TestDirectionsLayout: columns are (phase, channel) whatever the layout.
func TestDirectionsLayout(t *testing.T) {
	c := directionsCase{[3]int{8, 4, 2}, [3]int{4, 4, 3}, 30, svcca.CenterNeurons, false, svcca.Variance(0.9)}
	first, _, _, _ := c.run(t, conv.NHWC)
	second, _, _, _ := c.run(t, conv.NCHW)
	// Single maps are no more right than the gaps of ρ allow: compare W·D, where all that is
	// kept is aligned.
	compared := 0
	for side, all := range [][2]*conv.Directions{{first.DirectionsX, second.DirectionsX}, {first.DirectionsY, second.DirectionsY}} {
		for at, b := range all[0].Blocks {
			other := all[1].Blocks[at]
			if len(b.Rho) == 0 || len(b.Rho) < []int{b.KX, b.KY}[side] {
				continue
			}
			compared++
			require.Equal(t, b.Block, other.Block)
			of := []svcca.Side{first.X, first.Y}[side]
			tolerance := directionsTolerance(c.n, of) * of.SingularValues[0] / of.SingularValues[of.K-1]
			for i := range b.Map.Rows {
				for j := range b.Map.Rows {
					var p, q complex128
					for k := range b.Rho {
						p += b.Map.At(i, k) * b.Decoder.At(k, j)
						q += other.Map.At(i, k) * other.Decoder.At(k, j)
					}
					assert.LessOrEqual(t, cmplx.Abs(p-q), tolerance, "side %d: (%d, %d)", side, b.U, b.V)
				}
			}
		}
	}
	assert.Greater(t, compared, 8)
}

// TestFilter: circular correlation of a map, less the mean map, with the i-th filter is a
// map whose unitary transform holds, at every frequency, the image's coordinate along the
// i-th direction there, and 0 where there is none.
func TestFilter(t *testing.T) {
	worst, filters := 0.0, 0
	for _, c := range directionsCases() {
		name := fmt.Sprint(c)
		r, x, y, weights := c.run(t, conv.NHWC)
		if c.centering != svcca.CenterNeurons {
			continue // a mean that is taken out in some blocks only is no map to subtract
		}
		gh, gw := r.Translations[0], r.Translations[1]
		for side, m := range []maps{x, y} {
			d := []*conv.Directions{r.DirectionsX, r.DirectionsY}[side]
			centred := withoutMeans(m, weights)
			most := 0
			for _, b := range d.Blocks {
				most = max(most, len(b.Rho))
			}
			_, err := d.Filter(most)
			require.ErrorIs(t, err, svcca.ErrOptions, name)
			_, err = d.Filter(-1)
			require.ErrorIs(t, err, svcca.ErrOptions, name)
			for i := range most {
				filter, err := d.Filter(i)
				require.NoError(t, err, name)
				filters++
				// Coordinates of single images are up to 1, of columns up to s_1 by maps of 1/s_k.
				tolerance := directionsTolerance(c.n, []svcca.Side{r.X, r.Y}[side])
				for image := range min(c.n, 4) {
					out := correlate(centred[image], filter, d.Steps)
					for _, b := range d.Blocks {
						var transform complex128
						for q := range gh {
							for s := range gw {
								angle := -2 * math.Pi * (float64(b.U*q%gh)/float64(gh) + float64(b.V*s%gw)/float64(gw))
								transform += cmplx.Rect(1/math.Sqrt(float64(gh*gw)), angle) * complex(out[q][s], 0)
							}
						}
						wanted := complex128(0)
						if i < len(b.Rho) {
							along, _ := coordinates(columnsAt(m[image:image+1], gh, gw, b.U, b.V), b, nil)
							wanted = along[0][i]
						}
						e := cmplx.Abs(transform - wanted)
						worst = max(worst, e/tolerance)
						assert.LessOrEqual(t, e, tolerance, "%s: side %d: filter %d: image %d: (%d, %d)", name, side, i, image, b.U, b.V)
					}
				}
			}
		}
	}
	require.Greater(t, filters, 40)
	t.Logf("%d filters, worst share of the tolerance %.1e", filters, worst)
}

// correlate returns Σ over translations and columns of the values there times the filter's,
// from each translation on, cyclically.
func correlate(image [][][]float64, filter [][][]float64, steps [2]int) (out [][]float64) {
	h, w := len(filter), len(filter[0])
	c := len(image[0][0])
	for p := range h {
		out = append(out, make([]float64, w))
		for s := range w {
			for q := range h {
				for r := range w {
					for j, f := range filter[q][r] {
						phase := j / c
						a, b := (p+q)%h*steps[0]+phase/steps[1], (s+r)%w*steps[1]+phase%steps[1]
						out[p][s] += f * image[a][b][j%c]
					}
				}
			}
		}
	}
	return out
}

// TestFilterLowPass: a low pass has none.
func TestFilterLowPass(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	x, y := randomMaps(rng, 30, 6, 6, 1), randomMaps(rng, 30, 4, 4, 1)
	r, err := conv.Between(context.Background(), x.slice("x", conv.NHWC, false), y.slice("y", conv.NHWC, false), conv.Options{LowPass: true})
	require.NoError(t, err)
	_, err = r.DirectionsX.Filter(0)
	assert.ErrorIs(t, err, svcca.ErrOptions)
}

// TestDirectionsVector: a vector has directions in block (0, 0) alone, where a map's are of
// its means over positions, and its filter is the same everywhere.
func TestDirectionsVector(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	const n = 50
	x, v := randomMaps(rng, n, 3, 4, 2), randomMaps(rng, n, 1, 1, 3)
	v.share(x, 0.8)
	var values []float64
	for _, row := range rowsOf(v) {
		values = append(values, row...)
	}
	r, err := conv.Between(context.Background(), x.slice("x", conv.NHWC, false), conv.Vector(svcca.FromSlice("v", values, n, 3)), conv.Options{})
	require.NoError(t, err)
	tolerance := directionsTolerance(n, r.X, r.Y)
	for at, b := range r.DirectionsX.Blocks {
		if at > 0 {
			assert.Empty(t, b.Rho)
			continue
		}
		require.NotEmpty(t, b.Rho)
		ax, _ := coordinates(columnsAt(x, 3, 4, 0, 0), b, nil)
		ay, _ := coordinates(columnsAt(v, 1, 1, 0, 0), r.DirectionsY.Blocks[0], nil)
		for i, rho := range b.Rho {
			assert.InDelta(t, rho, real(product(ax, ay, i, i)), tolerance)
			assert.InDelta(t, 1, real(product(ay, ay, i, i)), tolerance)
		}
	}
	filter, err := r.DirectionsX.Filter(0)
	require.NoError(t, err)
	for q := range filter {
		for s := range filter[q] {
			assert.Equal(t, filter[0][0], filter[q][s])
		}
	}
}
