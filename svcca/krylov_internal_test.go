package svcca

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
)

// diagonalGram is a Gram matrix that is diagonal, to which nothing is lost: for
// random blocks all directions are alike.
type diagonalGram []float64

func (g diagonalGram) free() int                   { return len(g) }
func (g diagonalGram) mask(lapack.Matrix[float64]) {}
func (g diagonalGram) apply(q, y lapack.Matrix[float64]) error {
	for i, v := range g {
		to := y.Row(i)
		for j, x := range q.Row(i) {
			to[j] = v * x
		}
	}
	return nil
}

func (g diagonalGram) survey(q, y lapack.Matrix[float64]) (trace, lost float64, err error) {
	for _, v := range g {
		trace += v
	}
	return trace, 0, g.apply(q, y)
}

// spaceOf returns a space of so many blocks for eigenvalues.
func spaceOf(t *testing.T, values []float64, block, blocks int, seed uint64) *krylovSpace {
	s := newSide(described{name: "x", n: len(values), d: len(values)}, &weights{total: 1}, Options{})
	z := &krylovSpace{Crew: crew.New(context.Background()), side: s, gram: diagonalGram(values), unit: 1, rng: rand.New(rand.NewPCG(seed, 13))}
	y, err := z.apply(z.random(len(values), block))
	require.NoError(t, err)
	require.NoError(t, z.follow(y, block))
	for range blocks {
		require.NoError(t, z.extend())
	}
	return z
}

// fallen returns values that fall by a power, in n groups of equal ones.
func fallen(n, group int, power float64) []float64 {
	values, sum := make([]float64, n), 0.0
	for i := range values {
		values[i] = math.Pow(float64(1+i/group), power)
		sum += values[i]
	}
	for i := range values {
		values[i] /= sum // a trace near 1 is what spaces are of
	}
	return values
}

// columns returns all of Q.
func (z *krylovSpace) columns() lapack.Matrix[float64] {
	q := lapack.New[float64](z.blocks[0].Rows, z.order())
	at := 0
	for _, b := range z.blocks {
		q.View(0, at, q.Rows, b.Cols).CopyFrom(b)
		at += b.Cols
	}
	return q
}

// TestKrylovSpace: Q is orthonormal to rounding however many blocks there are, also
// once it is invariant, and residuals are what the recurrence says.
func TestKrylovSpace(t *testing.T) {
	for _, values := range [][]float64{fallen(60, 1, -2), fallen(60, 20, -3), fallen(60, 1, -40), fallen(60, 60, 0)} {
		for blocks := 1; blocks <= 12; blocks++ {
			z := spaceOf(t, values, 5, blocks, 1)
			q := z.columns()
			require.Equal(t, 5*blocks, q.Cols)
			gram := lapack.New[float64](q.Cols, q.Cols)
			lapack.Gemm(blas.Trans, blas.NoTrans, 1, q, q, 0, gram)
			for i := range gram.Rows {
				for j, v := range gram.Row(i) {
					if i == j {
						v--
					}
					require.LessOrEqual(t, math.Abs(v), 30*60*spectrum.Epsilon, "%v, %d blocks", values[:3], blocks)
				}
			}
			r, err := z.ritz()
			require.NoError(t, err)
			v := lapack.New[float64](q.Rows, q.Cols)
			require.NoError(t, z.combine(1, r.y, v))
			gv, err := z.apply(v)
			require.NoError(t, err)
			for i := range q.Cols {
				square := 0.0
				for j := range q.Rows {
					d := gv.At(j, i) - r.theta[i]*v.At(j, i)
					square += d * d
				}
				assert.InDelta(t, math.Sqrt(square), r.residual(i), krylovRounding, "%v, %d blocks, pair %d", values[:3], blocks, i)
			}
		}
	}
}

// TestKrylovAbove: ν is no less than the (k+1)-th eigenvalue, nor than the largest of
// G on what is orthogonal to k Ritz vectors; and near that where ‖F‖ is known.
func TestKrylovAbove(t *testing.T) {
	for seed := range uint64(20) {
		values := fallen(50, 1, -1-0.2*float64(seed%5))
		z := spaceOf(t, values, 4, 5, seed)
		r, err := z.ritz()
		require.NoError(t, err)
		f := norm(t, z, z.columns())
		for _, k := range []int{1, 3, 6} {
			v := lapack.New[float64](50, k)
			require.NoError(t, z.combine(1, r.y.View(0, 0, z.order(), k), v))
			exact := norm(t, z, v)
			nu, err := r.above(k, f)
			require.NoError(t, err)
			if exact >= r.theta[k-1] {
				assert.GreaterOrEqual(t, nu, r.theta[k-1]*(1-1e-12))
				continue
			}
			assert.GreaterOrEqual(t, nu, exact*(1-1e-12), "seed %d, k %d", seed, k)
			assert.GreaterOrEqual(t, nu, values[k]*(1-1e-12))
			// The bound knows C and F by their norms alone.
			assert.LessOrEqual(t, nu, exact+0.5*(r.theta[k-1]-exact), "seed %d, k %d", seed, k)
		}
	}
}

// norm returns the norm of G on what is orthogonal to q.
func norm(t *testing.T, z *krylovSpace, q lapack.Matrix[float64]) float64 {
	n := q.Rows
	p := lapack.New[float64](n, n)
	for i := range n {
		p.Set(i, i, 1)
	}
	lapack.Gemm(blas.NoTrans, blas.Trans, -1, q, q, 1, p)
	gp, err := z.apply(p)
	require.NoError(t, err)
	f := lapack.New[float64](n, n)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, p, gp, 0, f)
	var eigen lapack.Eigen[float64]
	require.NoError(t, eigen.Factorize(f, false))
	return eigen.Values()[0]
}

// TestKrylovOutside: what is estimated of ‖F‖ is above it, for every power, and not
// by much for the last; also where a group of equal values is wider than a block, of
// which the Krylov space alone has seen a part and its residuals say nothing.
func TestKrylovOutside(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	for _, values := range [][]float64{fallen(60, 1, -2), fallen(60, 1, -1), fallen(60, 12, -3), fallen(60, 60, 0), fallen(60, 1, -8)} {
		worst := math.Inf(1)
		for seed := range seeds {
			z := spaceOf(t, values, 6, 3, seed)
			exact := norm(t, z, z.columns())
			powers := 0
			_, err := z.outside(6, probePowers, 1, func(f float64) (bool, error) {
				powers++
				worst = min(worst, f/exact)
				assert.GreaterOrEqual(t, f, exact, "seed %d, power %d", seed, powers)
				return false, nil
			})
			require.NoError(t, err)
			require.Equal(t, probePowers, powers)
		}
		t.Logf("%.2g …: least estimate of ‖F‖ %.3g times it", values[:2], worst)
	}
}

// TestLeastChiSquare: for two numbers the chance is 1 − e^(−x/2), for large counts x
// comes near the count.
func TestLeastChiSquare(t *testing.T) {
	x := leastChiSquare(2, missedChance)
	assert.Positive(t, x)
	assert.LessOrEqual(t, -math.Expm1(-x/2), missedChance)
	for p := 2; p < 100; p++ {
		assert.Greater(t, leastChiSquare(p, missedChance), leastChiSquare(p-1, missedChance))
	}
	assert.Greater(t, leastChiSquare(1e6, missedChance), 0.98e6)
	// By the normal approximation of Wilson and Hilferty 64 numbers fall to 15.4.
	assert.InDelta(t, 15, leastChiSquare(64, missedChance), 1)
}
