package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// The error of a cut after k Ritz pairs (DEFINITIONS §2). Q spans the Krylov space, and
// F is G on all that is orthogonal to it.

// krylovRounding is what products lose of a trace near 1.
const krylovRounding = 64 * spectrum.Epsilon

// ritzRounding bounds the error of Q·T in units of ε·θ_1, as eigenError does that of a
// Gram matrix's eigenvalues. Tests saw 6.
const ritzRounding = 16

// missedChance is the chance that each estimate of ‖F‖ is too small.
const missedChance = 1e-10

// above returns ν, an upper bound of the (k+1)-th eigenvalue of G where ‖F‖ ≤ f, or
// no less than θ_k where none is below that. The eigenvalue is at most the largest of
//
//	[ Θ  Cᵀ ]
//	[ C  F  ],
//
// G on what is orthogonal to k Ritz vectors, Θ being the other Ritz values and C their
// residuals. That is at most μ > max(θ_{k+1}, f) where C(μ−Θ)⁻¹Cᵀ ≤ μ − f, whose
// left side falls as μ grows.
func (r ritz) above(k int, f float64) (float64, error) {
	low, high := f, r.theta[k-1]
	if k < len(r.theta) {
		low = max(low, r.theta[k])
	}
	if low >= high || r.c.Rows == 0 || k == len(r.theta) {
		return low, nil
	}
	// A value that is too high by a hundredth of the gap does no harm.
	const halvings = 7
	middle, holds, err := low, false, error(nil)
	if holds, err = r.below(k, f, high); !holds || err != nil {
		return high, err
	}
	for range halvings {
		middle = (low + high) / 2
		if holds, err = r.below(k, f, middle); err != nil {
			return high, err
		}
		if holds {
			high = middle
		} else {
			low = middle
		}
	}
	return high, nil
}

// below reports whether the largest eigenvalue above is at most μ.
func (r ritz) below(k int, f, mu float64) (bool, error) {
	c := lapack.New[float64](r.c.Rows, len(r.theta)-k)
	for i := range c.Rows {
		row := c.Row(i)
		for j, v := range r.c.Row(i)[k:] {
			row[j] = v / math.Sqrt(mu-r.theta[k+j])
		}
	}
	largest, err := largestEigenvalue(c, blas.NoTrans)
	return largest <= mu-f, err
}

// largestEigenvalue returns that of m·mᵀ, or of mᵀm where transposed.
func largestEigenvalue(m lapack.Matrix[float64], t blas.Transpose) (float64, error) {
	order := m.Rows
	if t == blas.Trans {
		order = m.Cols
	}
	gram := lapack.New[float64](order, order)
	lapack.Syrk(t, 1, m, 0, gram)
	var eigen lapack.Eigen[float64]
	if err := eigen.FactorizeInPlace(gram, false); err != nil {
		return 0, err
	}
	return eigen.Values()[0], nil
}

// residual returns ‖G·v − θ·v‖ of the i-th Ritz pair.
func (r ritz) residual(i int) float64 {
	square := 0.0
	for j := range r.c.Rows {
		square += r.c.At(j, i) * r.c.At(j, i)
	}
	return math.Sqrt(square)
}

// cutErrors are what is wrong with the first k Ritz pairs.
type cutErrors struct {
	// turn bounds the sine of the angle between what they and what k eigenvectors span.
	// As Davis and Kahan have it, the i-th column of that sine is at most
	// ‖r_i‖/(θ_i − ν).
	turn float64
	// rounding is what of turn no further step takes away.
	rounding float64
	// sum bounds by how much Σθ_i, i ≤ k, is below the sum of eigenvalues, and so each
	// θ_i: with R the residuals those are at most the eigenvalues of Θ + RᵀR/(θ_k − ν).
	sum float64
}

// errors returns those of k Ritz pairs where ‖F‖ ≤ f.
func (r ritz) errors(k int, f float64) (e cutErrors, err error) {
	nu, err := r.above(k, f)
	if err != nil {
		return e, err
	}
	gap := r.theta[k-1] - nu
	if !(gap > 0) {
		return cutErrors{turn: 1, sum: math.Inf(1)}, nil
	}
	var turn, squares float64
	for i := range k {
		residual := r.residual(i)
		turn += residual / (r.theta[i] - nu) * residual / (r.theta[i] - nu)
		squares += residual * residual
	}
	e.rounding = ritzRounding * spectrum.SquaredLoss(math.Sqrt(r.theta[0]), 0).Turn / gap
	e.sum = squares/gap + float64(k)*krylovRounding*r.theta[0]
	// The second says that every s_i, too, is relatively as near.
	e.turn = min(1, max(math.Sqrt(turn)+e.rounding, e.sum/(2*r.theta[k-1])))
	return e, nil
}

// outside estimates ‖F‖ from above by p random vectors ω that know nothing of Q, each
// power of F a pass over the rows. The matrix Ωᵀ F²ʲ Ω is at least ‖F‖²ʲ·ggᵀ, g being
// Ω along the first eigenvector of F: p independent normal numbers. So
//
//	‖F‖ ≤ (λ_max(Ωᵀ F²ʲ Ω) / x)^(1/2j)
//
// but for the chance that their squares sum to less than x: (4.3) of Halko, Martinsson
// and Tropp (2011) for a block, and for powers, which take out what is small. It ends
// with the power at which enough is content.
func (z *krylovSpace) outside(p, powers int, known float64, enough func(f float64) (bool, error)) (f float64, err error) {
	f = known
	p = min(p, z.gram.free()-z.order())
	if p < 1 || f <= 0 {
		return f, nil
	}
	least := leastChiSquare(p, missedChance)
	omega := z.random(z.next.Rows, p)
	z.gram.mask(omega)
	if _, err := z.remove(omega); err != nil {
		return f, err
	}
	for j := 1; j <= powers; j++ {
		if omega, err = z.apply(omega); err != nil {
			return f, err
		}
		if _, err := z.remove(omega); err != nil {
			return f, err
		}
		scaleAll(omega, 1/known) // F/known is near 1 at most, and so are its powers
		largest, err := largestEigenvalue(omega, blas.Trans)
		if err != nil {
			return f, z.wrap(err)
		}
		f = min(f, known*math.Pow(largest/least, 1/float64(2*j))+krylovRounding)
		if done, err := enough(f); done || err != nil {
			return f, err
		}
	}
	return f, nil
}

// leastChiSquare returns x such that the squares of p independent normal numbers sum
// to less with no more than the given chance: P(χ² ≤ p·t) ≤ (t·e^(1−t))^(p/2), t < 1
// (Chernoff).
func leastChiSquare(p int, chance float64) float64 {
	wanted := 2 / float64(p) * math.Log(chance)
	low, high := 0.0, 1.0
	for range 60 {
		if t := (low + high) / 2; math.Log(t)+1-t <= wanted {
			low = t
		} else {
			high = t
		}
	}
	return float64(p) * low
}
