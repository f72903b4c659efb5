package lapack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCholesky(t *testing.T) {
	onAll(t, testCholesky[float32, float64], testCholesky[float64, float64],
		testCholesky[complex64, complex128], testCholesky[complex128, complex128])
}

func testCholesky[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, threshold)
	for _, n := range squareSizes(r) {
		for _, k := range kindsFor[W](n) {
			for _, graded := range []bool{false, true} {
				base := definite(r, k, n, ulp[T](), graded)
				scales := scalesFor[T](kind[W]{name: k.name}, n)
				if graded {
					scales = scales[:1]
				}
				for _, scale := range scales {
					where := fmt.Sprintf("%s of order %d · %g, graded %t", k.name, n, scale, graded)
					a := upperGuard[T](base, scale)
					whole := hermitian(toWide[W](a.Matrix))
					require.NoError(t, cholesky(b, a.Matrix), where)
					a.mustKeep(t, where, upper)
					if n == 0 {
						continue
					}
					u := triangle(toWide[W](a.Matrix), true)
					for i := range n {
						re, im := parts(u.At(i, i))
						require.True(t, re > 0 && im == 0, where)
					}
					residual := difference(whole, product(adjoint(u), u))
					ratios.add("‖A − UᴴU‖", where, norm1(residual), norm1(whole)*float64(n)*ulp[T]())
				}
			}
		}
	}
}

// definite returns a positive definite matrix: GGᴴ/‖GGᴴ‖ + I/50 where G is of
// the kind. That suffices for a factorisation of any order n here: it cannot
// fail while the least eigenvalue is above n(n+1)·ulp/2 times the diagonal
// (Higham, Accuracy and Stability, theorem 10.7), which is 6e-4 at most.
// Scaling by a diagonal of powers of two from both sides changes no rounding.
func definite[W wide](r *rand.Rand, k kind[W], n int, ulp float64, graded bool) Matrix[W] {
	g, _ := k.general(r, n, n, ulp)
	a := product(g, adjoint(g))
	norm := norm1(a)
	if norm == 0 {
		norm = 1
	}
	d := make([]float64, n)
	for i := range d {
		d[i] = 1
		if graded {
			d[i] = math.Ldexp(1, r.IntN(21)-10)
		}
	}
	return build(n, n, func(i, j int) W {
		v := a.At(i, j) * fromReal[W](1/norm)
		if i == j {
			v += 0.02
		}
		return v * fromReal[W](d[i]*d[j])
	})
}

func TestCholeskyNotPositiveDefinite(t *testing.T) {
	onAll(t, testNotPositiveDefinite[float32, float64], testNotPositiveDefinite[float64, float64], testNotPositiveDefinite[complex64, complex128], testNotPositiveDefinite[complex128, complex128])
}

func testNotPositiveDefinite[T Scalar, W wide](t *testing.T, b *backend[T]) {
	r := newRand(t)
	for _, n := range squareSizes(r) {
		if n == 0 {
			continue
		}
		for _, bad := range []int{0, n / 2, n - 1} { // the first pivot that is not positive
			for _, value := range []float64{0, -1} {
				base := definite(r, lastKind[W](), n, ulp[T](), false)
				base.Set(bad, bad, fromReal[W](value))
				a := upperGuard[T](base, 1)
				err := cholesky(b, a.Matrix)
				assert.ErrorIs(t, err, ErrNotPositiveDefinite)
				assert.ErrorContains(t, err, fmt.Sprintf("order %d", n))
				a.mustKeep(t, "not positive definite", upper)
			}
		}
	}
	// Semidefinite with every operation exact: the second pivot is 0.
	assert.ErrorIs(t, cholesky(b, Of(2, 2, []T{1, 2, 2, 4})), ErrNotPositiveDefinite)
}

func lastKind[W wide]() kind[W] {
	all := kinds[W]()
	return all[len(all)-1]
}
