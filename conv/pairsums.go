package conv

import (
	"math"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/floats"
)

// pairSums are, for the Gram matrix K of centred rows z and each image i, sums over
// j ≠ i: a of (Re K_ij)², b of (Im K_ij)², w of Re K_ij·g_j, with g_i = K_ii. Of the rows
// as they are, x, size is ‖x_i‖² and along Σ_j Re⟨x_i, x_j⟩.
type pairSums struct{ a, b, w, g, size, along []float64 }

func newPairSums(n int) *pairSums {
	all := make([]float64, 6*n)
	return &pairSums{all[:n], all[n : 2*n], all[2*n : 3*n], all[3*n : 4*n], all[4*n : 5*n], all[5*n:]}
}

// take sets the sums of K from its upper triangle.
func (s *pairSums) take(K lapack.Matrix[complex128]) {
	for i := range K.Rows {
		s.g[i] = real(K.At(i, i))
	}
	for i := range K.Rows {
		for at, v := range K.Row(i)[i+1:] {
			j := i + 1 + at
			re, im := real(v)*real(v), imag(v)*imag(v)
			s.a[i], s.b[i], s.w[i] = s.a[i]+re, s.b[i]+im, s.w[i]+real(v)*s.g[j]
			s.a[j], s.b[j], s.w[j] = s.a[j]+re, s.b[j]+im, s.w[j]+real(v)*s.g[i]
		}
	}
}

// squaredNorm returns U of DEFINITIONS §5, the unbiased estimate of ‖covariance‖² from n
// images, from sums over them.
func squaredNorm(n, a, squares, sum, b float64) float64 {
	return (a-2*squares/(n-2)+sum*sum/((n-1)*(n-2)))/(n*(n-3)) + b/((n-1)*(n-2))
}

// norms returns U of all images, and of all but each. Rows are not centred any more
// without one: their sums off the diagonal are then −g_j − K_ij.
func (s *pairSums) norms() (all float64, without []float64) {
	n := float64(len(s.g))
	a, b, squares, sum := floats.Sum(s.a), floats.Sum(s.b), floats.Dot(s.g, s.g), floats.Sum(s.g)
	without = make([]float64, len(s.g))
	for i, g := range s.g {
		without[i] = squaredNorm(n-1, a-2*s.a[i], squares-g*g+2*s.w[i]+s.a[i], sum-2*g, b-2*s.b[i]-2*s.b[i]/(n-1))
	}
	return squaredNorm(n, a, squares, sum, b), without
}

// jackknife returns the standard error from estimates without each image.
func jackknife(without []float64) float64 {
	n := float64(len(without))
	mean, squares := floats.Sum(without)/n, 0.0
	for _, v := range without {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt((n - 1) / n * squares)
}
