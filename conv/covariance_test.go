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
	"gonum.org/v1/gonum/mat"
)

// realBasis returns the columns of cosines and sines that Covariance documents, for maps
// of h × w × c under gh × gw translations, written from their formulas.
func realBasis(h, w, c, gh, gw int) *mat.Dense {
	type wave func(angle float64) float64
	plain := func(angle float64) float64 { return math.Cos(angle) / math.Sqrt(float64(gh*gw)) }
	cosine := func(angle float64) float64 { return math.Sqrt(2/float64(gh*gw)) * math.Cos(angle) }
	sine := func(angle float64) float64 { return math.Sqrt(2/float64(gh*gw)) * math.Sin(angle) }
	sh, sw := h/gh, w/gw
	var columns [][]float64
	for u := range gh {
		for v := range gw {
			cu, cv := (gh-u)%gh, (gw-v)%gw
			waves := []wave{cosine, sine}
			switch {
			case cu == u && cv == v:
				waves = []wave{plain}
			case cv < v || cv == v && cu < u:
				continue // its conjugate stands for it
			}
			for _, f := range waves {
				for phase := range sh * sw {
					for k := range c {
						column := make([]float64, h*w*c)
						for q := range gh {
							for r := range gw {
								a, b := q*sh+phase/sw, r*sw+phase%sw
								column[(a*w+b)*c+k] = f(2 * math.Pi * (float64(u*q)/float64(gh) + float64(v*r)/float64(gw)))
							}
						}
						columns = append(columns, column)
					}
				}
			}
		}
	}
	q := mat.NewDense(h*w*c, len(columns), nil)
	for j, column := range columns {
		q.SetCol(j, column)
	}
	return q
}

// TestCovariance holds Covariance beside QᵀΣQ, with Σ of rows that are the translations
// themselves and Q by formula: sizes even and odd, strides, centring, weights.
func TestCovariance(t *testing.T) {
	worst := 0.0
	for at, s := range []struct{ h, w, c, gh, gw int }{
		{4, 6, 1, 0, 0}, {4, 6, 1, 4, 6}, {5, 3, 3, 0, 0}, {4, 4, 2, 2, 4}, {6, 6, 2, 2, 3}, {3, 3, 2, 1, 1}, {1, 7, 2, 0, 0}, {1, 1, 3, 0, 0}, {2, 2, 2, 1, 0},
	} {
		for _, centering := range []svcca.Centering{svcca.CenterNeurons, svcca.CenterTranslated, svcca.CenterNone} {
			for _, weighted := range []bool{false, true} {
				for _, n := range []int{3, 20} {
					name := fmt.Sprintf("%v %v weights=%v n=%d", s, centering, weighted, n)
					rng := rand.New(rand.NewPCG(uint64(at), uint64(n)))
					x := randomMaps(rng, n, s.h, s.w, s.c)
					var weights []float64
					if weighted {
						for range n {
							weights = append(weights, 0.5+rng.Float64())
						}
					}
					gh, gw := s.gh, s.gw
					if gh == 0 {
						gh = s.h
					}
					if gw == 0 {
						gw = s.w
					}
					work := x
					if centering == svcca.CenterNeurons {
						work = withoutMeans(x, weights)
					}
					rows := rowsOf(translated(work, gh, gw))
					sigma := covarianceOf(rows, rows, weights, centering != svcca.CenterNone)
					var wanted mat.Dense
					q := realBasis(s.h, s.w, s.c, gh, gw)
					wanted.Mul(q.T(), sigma)
					wanted.Mul(&wanted, q)

					got, err := conv.Covariance(context.Background(), x.slice("x", conv.Layout(at%2), false), [2]int{s.gh, s.gw},
						conv.Options{Options: svcca.Options{Centering: centering, Weights: weights}})
					require.NoError(t, err, name)
					// Of sums of n products of values of mean square p, and of their transforms.
					size := meanSquares(rows)
					tolerance := float64(2*len(rows)+4*s.h*s.w) * ulp * size
					d, _ := wanted.Dims()
					rowsGot, columnsGot := got.Dims()
					require.Equal(t, [2]int{d, d}, [2]int{rowsGot, columnsGot}, name)
					for i := range d {
						for j := range d {
							e := math.Abs(got.At(i, j) - wanted.At(i, j))
							worst = max(worst, e/tolerance)
							require.LessOrEqual(t, e, tolerance, "%s: (%d, %d)", name, i, j)
						}
					}
					// What is stored is the blocks, but for the diagonals of B.
					stored, width := 0, s.h/gh*(s.w/gw)*s.c
					for u := range gh {
						for v := range gw {
							stored += width * width // of complex values, each a quarter of four
							if 2*u%gh != 0 || 2*v%gw != 0 {
								stored += width*width - width
							}
						}
					}
					assert.Equal(t, stored, got.NNZ(), name)
					// Q is orthonormal.
					assert.InDelta(t, mat.Trace(sigma), mat.Trace(got), float64(d)*tolerance, name)
					assert.InDelta(t, mat.Norm(sigma, 2), mat.Norm(got, 2), float64(d)*tolerance, name)
					// It serves gonum as any other matrix.
					var product, dense mat.Dense
					product.Mul(got, q.T())
					dense.Mul(&wanted, q.T())
					for i := range d {
						for j := range d {
							assert.InDelta(t, dense.At(i, j), product.At(i, j), 2*float64(d)*tolerance, name)
						}
					}
				}
			}
		}
	}
	t.Logf("worst share of the tolerance %.3f", worst)
}

// TestCovarianceUnits: units are the layer's, whatever its scale; what float64 cannot hold
// is an error.
func TestCovarianceUnits(t *testing.T) {
	x := randomMaps(rand.New(rand.NewPCG(1, 1)), 8, 4, 4, 2)
	run := func(scale float64) (mat.Matrix, error) {
		y := x.slice("x", conv.NHWC, false)
		if scale != 1 {
			z := randomMaps(rand.New(rand.NewPCG(1, 1)), 8, 4, 4, 2)
			z.each(func(v *float64) { *v *= scale })
			y = z.slice("x", conv.NHWC, false)
		}
		return conv.Covariance(context.Background(), y, [2]int{}, conv.Options{})
	}
	plain, err := run(1)
	require.NoError(t, err)
	for _, exponent := range []int{-300, 300} {
		scaled, err := run(math.Ldexp(1, exponent))
		require.NoError(t, err)
		d, _ := plain.Dims()
		for i := range d {
			for j := range d {
				assert.Equal(t, math.Ldexp(plain.At(i, j), 2*exponent), scaled.At(i, j)) // powers of two change no bits
			}
		}
	}
	for _, exponent := range []int{-600, 600} {
		_, err := run(math.Ldexp(1, exponent))
		assert.ErrorIs(t, err, svcca.ErrRange)
	}
	zero, err := conv.Covariance(context.Background(), conv.FromSlice("zero", make([]float32, 32), 4, 2, 2, 2, conv.NHWC), [2]int{}, conv.Options{})
	require.NoError(t, err)
	assert.Zero(t, mat.Norm(zero, 2))
}

// TestCovarianceVector: a vector has block (0, 0) alone, its covariance.
func TestCovarianceVector(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	x := randomMaps(rng, 9, 1, 1, 4)
	rows := rowsOf(x)
	var values []float64
	for _, row := range rows {
		values = append(values, row...)
	}
	got, err := conv.Covariance(context.Background(), conv.Vector(svcca.FromSlice("v", values, 9, 4)), [2]int{}, conv.Options{})
	require.NoError(t, err)
	wanted := covarianceOf(rows, rows, nil, true)
	for i := range 4 {
		for j := range 4 {
			assert.InDelta(t, wanted.At(i, j), got.At(i, j), 2*9*ulp*meanSquares(rows))
		}
	}
	assert.Equal(t, 16, got.NNZ())
}

func TestCovarianceErrors(t *testing.T) {
	x := randomMaps(rand.New(rand.NewPCG(3, 3)), 4, 4, 6, 1).slice("x", conv.NHWC, false)
	for _, translations := range [][2]int{{3, 0}, {0, 4}, {8, 6}, {-2, 6}} {
		_, err := conv.Covariance(context.Background(), x, translations, conv.Options{})
		assert.ErrorIs(t, err, svcca.ErrShape, translations)
	}
	_, err := conv.Covariance(context.Background(), x, [2]int{}, conv.Options{Options: svcca.Options{Weights: []float64{1}}})
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = conv.Covariance(ctx, x, [2]int{}, conv.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}
