package lapack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/blas"
)

// The bounds of this file are componentwise. A sum of k products in any order,
// with or without fused operations, errs by at most k·ulp/2·Σ|a||b| (Higham,
// section 3.1), and the plain loops of the test by as much again; factors alpha
// and beta and the last sum count as two more terms. So the ratio of the
// difference to (k+2)·ulp·Σ|a||b| is below 1, but for terms in ulp².
const exactBound = 1.0001

var (
	transposes = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}
	alphas     = []float64{1, -0.5, 0}
	betas      = []float64{0, 1, -2}
)

// op returns op(a).
func op(t blas.Transpose, a Matrix[float64]) Matrix[float64] {
	if t == blas.NoTrans {
		return a
	}
	return transpose(a)
}

// operandFor returns a guarded random matrix of which op is m × n.
func operandFor[T Scalar](r *rand.Rand, t blas.Transpose, m, n int, scale float64) *guarded[T] {
	if t != blas.NoTrans {
		m, n = n, m
	}
	return guard[T](randomMatrix(r, m, n), scale)
}

// target returns a guarded m × n matrix to be updated: NaN where beta is 0 and
// so nothing of it may count; and what it counts for.
func target[T Scalar](r *rand.Rand, m, n int, beta, scale float64) (c *guarded[T], before Matrix[float64]) {
	c = newGuarded[T](m, n)
	if beta == 0 {
		return c, New[float64](m, n)
	}
	c = guard[T](randomMatrix(r, m, n), scale)
	return c, toFloat64(c.Matrix)
}

// forFactors runs f over alpha, beta and a scale, which changes from call to call.
func forFactors[T Scalar](f func(alpha, beta, scale float64)) {
	for i, alpha := range alphas {
		for j, beta := range betas {
			f(alpha, beta, scales[T]()[(i+j)%3])
		}
	}
}

func TestGemm(t *testing.T) { onAll(t, testGemm[float32], testGemm[float64]) }

func testGemm[T Scalar](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	orders := [][3]int{{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {1, 65, 33}, {65, 1, 64}, {33, 32, 1}, {2, 3, 300},
		{31, 32, 33}, {63, 64, 65}, {65, 63, 64}, {130, 140, 150}}
	for _, o := range shortened(r, orders, func(o [3]int) int { return o[0] * o[1] * o[2] / (33 * 33) }) {
		m, n, k := o[0], o[1], o[2]
		for _, tA := range transposes {
			for _, tB := range transposes {
				forFactors[T](func(alpha, beta, scale float64) {
					where := fmt.Sprintf("%c%c %d × %d × %d, alpha %g, beta %g, scale %g", tA, tB, m, n, k, alpha, beta, scale)
					x, y := operandFor[T](r, tA, m, k, scale), operandFor[T](r, tB, k, n, scale)
					c, before := target[T](r, m, n, beta, scale*scale)
					gemm(b, tA, tB, T(alpha), x.Matrix, y.Matrix, T(beta), c.Matrix)
					x.mustKeep(t, where, nowhere)
					y.mustKeep(t, where, nowhere)
					c.mustKeep(t, where, everywhere)
					left, right := op(tA, toFloat64(x.Matrix)), op(tB, toFloat64(y.Matrix))
					want := combine(alpha, product(left, right), beta, before)
					size := combine(math.Abs(alpha), product(absolute(left), absolute(right)), math.Abs(beta), absolute(before))
					ratios.addEach("C", where, toFloat64(c.Matrix), want, size, float64(k+2)*ulp[T](), float64(k+2)*denormal[T](), everywhere)
				})
			}
		}
	}
}

func TestSyrk(t *testing.T) { onAll(t, testSyrk[float32], testSyrk[float64]) }

func testSyrk[T Scalar](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	for _, n := range squareSizes(r) {
		for _, k := range []int{0, 1, 33, 64, 200} {
			for _, tA := range transposes {
				forFactors[T](func(alpha, beta, scale float64) {
					where := fmt.Sprintf("%c n %d, k %d, alpha %g, beta %g, scale %g", tA, n, k, alpha, beta, scale)
					a := operandFor[T](r, tA, n, k, scale)
					c, before := target[T](r, n, n, beta, scale*scale)
					syrk(b, tA, T(alpha), a.Matrix, T(beta), c.Matrix)
					a.mustKeep(t, where, nowhere)
					c.mustKeep(t, where, upper)
					x := op(tA, toFloat64(a.Matrix))
					want := combine(alpha, product(x, transpose(x)), beta, before)
					size := combine(math.Abs(alpha), product(absolute(x), transpose(absolute(x))), math.Abs(beta), absolute(before))
					ratios.addEach("C", where, toFloat64(c.Matrix), want, size, float64(k+2)*ulp[T](), float64(k+2)*denormal[T](), upper)
				})
			}
		}
	}
}

func TestTrmm(t *testing.T) {
	onAll(t,
		func(t *testing.T, b *backend[float32]) { testTriangular(t, b.trmm, multiplied[float32]) },
		func(t *testing.T, b *backend[float64]) { testTriangular(t, b.trmm, multiplied[float64]) })
}

func TestTrsm(t *testing.T) {
	onAll(t,
		func(t *testing.T, b *backend[float32]) { testTriangular(t, b.trsm, solved[float32]) },
		func(t *testing.T, b *backend[float64]) { testTriangular(t, b.trsm, solved[float64]) })
}

// outcome adds the ratios of a triangular product or solution with op(A) = a,
// of order n, and alpha: B became x from before.
type outcome func(ratios *ratios, where string, alpha float64, apply func(a, b Matrix[float64]) Matrix[float64], a, before, x Matrix[float64])

func multiplied[T Scalar](ratios *ratios, where string, alpha float64, apply func(a, b Matrix[float64]) Matrix[float64], a, before, x Matrix[float64]) {
	n := float64(a.Rows)
	want, size := apply(a, before), apply(absolute(a), absolute(before))
	zero := New[float64](x.Rows, x.Cols)
	ratios.addEach("B", where, x, combine(alpha, want, 0, zero), combine(math.Abs(alpha), size, 0, zero),
		(n+2)*ulp[T](), (n+2)*denormal[T](), everywhere)
}

// solved bounds the residual: substitution solves a system whose every element
// is off by at most n·ulp/2 of itself (Higham, theorem 8.5), one more where
// a diagonal element is inverted first, one for alpha.
func solved[T Scalar](ratios *ratios, where string, alpha float64, apply func(a, b Matrix[float64]) Matrix[float64], a, before, x Matrix[float64]) {
	n := float64(a.Rows)
	size := combine(1, apply(absolute(a), absolute(x)), math.Abs(alpha), absolute(before))
	ratios.addEach("residual", where, apply(a, x), combine(alpha, before, 0, before), size,
		(n+3)*ulp[T](), (n+3)*denormal[T](), everywhere)
}

func testTriangular[T Scalar](
	t *testing.T,
	routine func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int),
	check outcome,
) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	for _, n := range squareSizes(r) {
		for _, k := range []int{0, 1, 33, 70} {
			for _, side := range []blas.Side{blas.Left, blas.Right} {
				for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
					for i, tA := range transposes {
						alpha, scale := alphas[(i+k)%3], scales[T]()[(n+i)%3]
						where := fmt.Sprintf("%c%c%c n %d, k %d, alpha %g, scale %g", side, ul, tA, n, k, alpha, scale)
						a := triangularGuard[T](r, n, ul == blas.Upper, scale)
						rows, cols := n, k
						apply := product
						if side == blas.Right {
							rows, cols = k, n
							apply = func(a, b Matrix[float64]) Matrix[float64] { return product(b, a) }
						}
						b := guard[T](randomMatrix(r, rows, cols), 1)
						before := toFloat64(b.Matrix)
						triangular(routine, side, ul, tA, T(alpha), a.Matrix, b.Matrix)
						a.mustKeep(t, where, nowhere)
						b.mustKeep(t, where, everywhere)
						whole := op(tA, triangle(toFloat64(a.Matrix), ul == blas.Upper))
						check(ratios, where, alpha, apply, whole, before, toFloat64(b.Matrix))
					}
				}
			}
		}
	}
}

// triangularGuard returns a triangular matrix of order n, NaN in the other
// triangle, whose solutions do not grow with n: each row's off-diagonal
// elements sum to about the diagonal.
func triangularGuard[T Scalar](r *rand.Rand, n int, isUpper bool, scale float64) *guarded[T] {
	g := newGuarded[T](n, n)
	g.fill(func(i, j int) float64 {
		switch {
		case i == j:
			return scale * (1 + r.Float64())
		case (i < j) == isUpper:
			return scale * r.NormFloat64() / float64(n)
		}
		return math.NaN()
	})
	return g
}

func TestMirror(t *testing.T) {
	for _, n := range sizes {
		a := newGuarded[float64](n, n)
		a.fill(func(i, j int) float64 { return float64(i*n + j) })
		Mirror(a.Matrix)
		a.mustKeep(t, "mirror", func(i, j int) bool { return !upper(i, j) })
		assert.Equal(t, symmetric(toFloat64(a.Matrix)), toFloat64(a.Matrix))
	}
}

// TestExportedProducts ties the exported functions, with the backend in use, to
// the tested ones: small integers, so that every result is exact.
func TestExportedProducts(t *testing.T) {
	a, b := Of(2, 2, []float32{1, 2, 0, 4}), Of(2, 2, []float32{5, 6, 7, 8})
	c := New[float32](2, 2)
	Gemm(blas.NoTrans, blas.Trans, 1, a, b, 0, c)
	assert.Equal(t, []float32{17, 23, 24, 32}, c.Data)
	Gemm(blas.NoTrans, blas.Trans, 2, a, b, -2, c)
	assert.Equal(t, []float32{0, 0, 0, 0}, c.Data)
	Syrk(blas.Trans, 1, b, 0, c)
	assert.Equal(t, []float32{74, 86, 0, 100}, c.Data)
	Trmm(blas.Left, blas.Upper, blas.NoTrans, 1, a, b)
	assert.Equal(t, []float32{19, 22, 28, 32}, b.Data)
	Trsm(blas.Left, blas.Upper, blas.NoTrans, 1, a, b)
	assert.Equal(t, []float32{5, 6, 7, 8}, b.Data)
	d := Of(2, 2, []float32{4, 6, 0, 10})
	assert.NoError(t, CholeskyInPlace(d))
	assert.Equal(t, []float32{2, 3, 0, 1}, d.Data)
}
