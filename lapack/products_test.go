package lapack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
)

// The bounds of this file are componentwise. A sum of k products in any order,
// with or without fused operations, errs by at most k·ulp/2·Σ|a||b| (Higham,
// section 3.1), and the plain loops of the test by as much again; factors alpha
// and beta and the last sum count as two more terms. So the ratio of the
// difference to (k+2)·ulp·Σ|a||b| is below 1, but for terms in ulp².
const exactBound = 1.0001

// terms returns how many half ulps of Σ|a||b| a sum of k products may err by,
// with factors. Each part of a complex one is a sum of 2k real products, of
// which |a||b| bounds each two, and a complex product with a factor errs by
// √2·2 half ulps (Higham, lemma 3.5).
func terms[T Scalar](k int) float64 {
	if isComplex[T]() {
		return float64(2*k + 6)
	}
	return float64(k + 2)
}

// underflow returns what the results of as many operations may err by in all
// where they are denormal: each of the four products of a complex one.
func underflow[T Scalar](operations float64) float64 {
	if isComplex[T]() {
		operations *= 4
	}
	return operations * denormal[T]()
}

var transposes = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}

// alphas returns factors for a product, betas for what it is added to.
func alphas[W wide]() []W { return []W{1, complexOr[W](-0.5, 0.25), 0} }
func betas[W wide]() []W  { return []W{0, 1, complexOr[W](-2, 1)} }

// complexOr returns re + i·im as a W, or re where that is real.
func complexOr[W wide](re, im float64) W {
	v := fromReal[W](re)
	if p, ok := any(&v).(*complex128); ok {
		*p = complex(re, im)
	}
	return v
}

// op returns op(a).
func op[W wide](t blas.Transpose, a Matrix[W]) Matrix[W] {
	switch t {
	case blas.NoTrans:
		return a
	case blas.Trans:
		return transpose(a)
	}
	return adjoint(a)
}

// operandFor returns a guarded random matrix of which op is m × n.
func operandFor[T Scalar, W wide](r *rand.Rand, t blas.Transpose, m, n int, scale float64) *guarded[T] {
	if t != blas.NoTrans {
		m, n = n, m
	}
	return guard[T](randomMatrix[W](r, m, n), scale)
}

// target returns a guarded m × n matrix to be updated: NaN where beta is 0 and
// so nothing of it may count; and what it counts for.
func target[T Scalar, W wide](r *rand.Rand, m, n int, beta W, scale float64) (c *guarded[T], before Matrix[W]) {
	c = newGuarded[T](m, n)
	if beta == 0 {
		return c, New[W](m, n)
	}
	c = guard[T](randomMatrix[W](r, m, n), scale)
	return c, toWide[W](c.Matrix)
}

// forFactors runs f over alpha, beta and a scale, which changes from call to
// call; over one in nine of them, another for every turn, where a product takes
// many flops.
func forFactors[T Scalar, W wide](turn, flops int, alphas, betas []W, f func(alpha, beta W, scale float64)) {
	const many = 1 << 16
	for i, alpha := range alphas {
		for j, beta := range betas {
			if flops <= many || (turn+3*i+j)%9 == 0 {
				f(alpha, beta, scales[T]()[(i+j)%3])
			}
		}
	}
}

func TestGemm(t *testing.T) {
	onAll(t, testGemm[float32, float64], testGemm[float64, float64],
		testGemm[complex64, complex128], testGemm[complex128, complex128])
}

func testGemm[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	orders := [][3]int{{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {1, 65, 33}, {65, 1, 64}, {33, 32, 1}, {2, 3, 300},
		{31, 32, 33}, {63, 64, 65}, {65, 63, 64}, {130, 140, 150}}
	turn := 0
	for _, o := range shortened(r, orders, func(o [3]int) int { return o[0] * o[1] * o[2] / (33 * 33) }) {
		m, n, k := o[0], o[1], o[2]
		for _, tA := range transposes {
			for _, tB := range transposes {
				turn++
				forFactors[T](turn, m*n*k, alphas[W](), betas[W](), func(alpha, beta W, scale float64) {
					where := fmt.Sprintf("%c%c %d × %d × %d, alpha %g, beta %g, scale %g", tA, tB, m, n, k, alpha, beta, scale)
					x, y := operandFor[T, W](r, tA, m, k, scale), operandFor[T, W](r, tB, k, n, scale)
					c, before := target[T](r, m, n, beta, scale*scale)
					gemm(b, tA, tB, rounded[T](alpha), x.Matrix, y.Matrix, rounded[T](beta), c.Matrix)
					x.mustKeep(t, where, nowhere)
					y.mustKeep(t, where, nowhere)
					c.mustKeep(t, where, everywhere)
					left, right := op(tA, toWide[W](x.Matrix)), op(tB, toWide[W](y.Matrix))
					want := combine(alpha, product(left, right), beta, before)
					size := combine(modulus(alpha), product(absolute(left), absolute(right)), modulus(beta), absolute(before))
					addEach(ratios, "C", where, toWide[W](c.Matrix), want, size, terms[T](k)*ulp[T](), underflow[T](terms[T](k)), everywhere)
				})
			}
		}
	}
}

func TestHerk(t *testing.T) {
	onAll(t, testHerk[float32, float64], testHerk[float64, float64],
		testHerk[complex64, complex128], testHerk[complex128, complex128])
}

func testHerk[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	turn := 0
	for _, n := range squareSizes(r) {
		for _, k := range []int{0, 1, 33, 64, 200} {
			for _, tA := range transposes {
				if tA == blas.Trans && isComplex[T]() {
					continue
				}
				turn++
				forFactors[T](turn, n*n*k, []float64{1, -0.5, 0}, []float64{0, 1, -2}, func(alpha, beta, scale float64) {
					where := fmt.Sprintf("%c n %d, k %d, alpha %g, beta %g, scale %g", tA, n, k, alpha, beta, scale)
					a := operandFor[T, W](r, tA, n, k, scale)
					c, before := target[T](r, n, n, fromReal[W](beta), scale*scale)
					herk(b, tA, alpha, a.Matrix, beta, c.Matrix)
					a.mustKeep(t, where, nowhere)
					c.mustKeep(t, where, upper)
					x := op(tA, toWide[W](a.Matrix))
					want := combine(fromReal[W](alpha), product(x, adjoint(x)), fromReal[W](beta), before)
					size := combine(math.Abs(alpha), product(absolute(x), transpose(absolute(x))), math.Abs(beta), absolute(before))
					dropImaginary(want)
					if alpha != 0 || beta != 1 { // else C stays as it is
						for i := range n {
							_, im := parts(c.At(i, i))
							require.Zero(t, im, where)
						}
					} else {
						dropImaginary(c.Matrix)
					}
					addEach(ratios, "C", where, toWide[W](c.Matrix), want, size, terms[T](k)*ulp[T](), underflow[T](terms[T](k)), upper)
				})
			}
		}
	}
}

func TestTrmm(t *testing.T) {
	onAll(t, testTrmm[float32, float64], testTrmm[float64, float64],
		testTrmm[complex64, complex128], testTrmm[complex128, complex128])
}

func testTrmm[T Scalar, W wide](t *testing.T, b *backend[T]) {
	testTriangular(t, b.trmm, multiplied[T, W])
}

func TestTrsm(t *testing.T) {
	onAll(t, testTrsm[float32, float64], testTrsm[float64, float64],
		testTrsm[complex64, complex128], testTrsm[complex128, complex128])
}

func testTrsm[T Scalar, W wide](t *testing.T, b *backend[T]) {
	testTriangular(t, b.trsm, solved[T, W])
}

// outcome adds the ratios of a triangular product or solution with op(A) = a,
// of order n, and alpha: B became x from before.
type outcome[W wide] func(ratios *ratios, where string, alpha W, side blas.Side, a, before, x Matrix[W])

func multiplied[T Scalar, W wide](ratios *ratios, where string, alpha W, side blas.Side, a, before, x Matrix[W]) {
	want, size := apply(side, a, before), apply(side, absolute(a), absolute(before))
	addEach(ratios, "B", where, x, combine(alpha, want, 0, x), combine(modulus(alpha), size, 0, size),
		terms[T](a.Rows)*ulp[T](), underflow[T](terms[T](a.Rows)), everywhere)
}

// solved bounds the residual: substitution solves a system whose every element
// is off by at most n·ulp/2 of itself (Higham, theorem 8.5), one more where
// a diagonal element is inverted first, one for alpha. A complex quotient errs
// by up to 4√2 ulps by Smith's rule (Higham, section 3.6) and once more where it
// is a product with the inverse.
func solved[T Scalar, W wide](ratios *ratios, where string, alpha W, side blas.Side, a, before, x Matrix[W]) {
	operations := terms[T](a.Rows) + 1
	if isComplex[T]() {
		operations += 12
	}
	size := combine(1, apply(side, absolute(a), absolute(x)), modulus(alpha), absolute(before))
	addEach(ratios, "residual", where, apply(side, a, x), combine(alpha, before, 0, before), size,
		operations*ulp[T](), underflow[T](operations), everywhere)
}

// apply returns ab, or ba where a is on the right.
func apply[W wide](side blas.Side, a, b Matrix[W]) Matrix[W] {
	if side == blas.Right {
		return product(b, a)
	}
	return product(a, b)
}

func testTriangular[T Scalar, W wide](
	t *testing.T,
	routine func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int),
	check outcome[W],
) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, exactBound)
	for _, n := range squareSizes(r) {
		for _, k := range []int{0, 1, 33, 70} {
			for _, side := range []blas.Side{blas.Left, blas.Right} {
				for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
					for i, tA := range transposes {
						alpha, scale := alphas[W]()[(i+k)%3], scales[T]()[(n+i)%3]
						where := fmt.Sprintf("%c%c%c n %d, k %d, alpha %g, scale %g", side, ul, tA, n, k, alpha, scale)
						a := triangularGuard[T, W](r, n, ul == blas.Upper, scale)
						rows, cols := n, k
						if side == blas.Right {
							rows, cols = k, n
						}
						b := guard[T](randomMatrix[W](r, rows, cols), 1)
						before := toWide[W](b.Matrix)
						triangular(routine, side, ul, tA, rounded[T](alpha), a.Matrix, b.Matrix)
						a.mustKeep(t, where, nowhere)
						b.mustKeep(t, where, everywhere)
						whole := op(tA, triangle(toWide[W](a.Matrix), ul == blas.Upper))
						check(ratios, where, alpha, side, whole, before, toWide[W](b.Matrix))
					}
				}
			}
		}
	}
}

// triangularGuard returns a triangular matrix of order n, NaN in the other
// triangle, whose solutions do not grow with n: each row's off-diagonal
// elements sum to about the diagonal.
func triangularGuard[T Scalar, W wide](r *rand.Rand, n int, isUpper bool, scale float64) *guarded[T] {
	g := newGuarded[T](n, n)
	fill(g, func(i, j int) W {
		switch {
		case i == j:
			return fromReal[W](scale*(1+r.Float64())) * complexOr[W](1, 0.5)
		case (i < j) == isUpper:
			return normal[W](r) * fromReal[W](scale/float64(n))
		}
		return notFinite[W](math.NaN())
	})
	return g
}

func TestMirror(t *testing.T) {
	for _, n := range sizes {
		a := newGuarded[complex128](n, n)
		fill(a, func(i, j int) complex128 { return complex(float64(i*n+j), float64(i-j)) })
		Mirror(a.Matrix)
		a.mustKeep(t, "mirror", func(i, j int) bool { return !upper(i, j) })
		assert.Equal(t, adjoint(a.Matrix), a.Clone())
	}
	b := Of(2, 2, []float32{1, 2, 0, 4})
	Mirror(b)
	assert.Equal(t, []float32{1, 2, 2, 4}, b.Data)
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

	x, y := Of(2, 1, []complex64{1i, 2}), New[complex64](2, 2)
	Gemm(blas.NoTrans, blas.ConjTrans, 1i, x, x, 0, y)
	assert.Equal(t, []complex64{1i, -2, 2, 4i}, y.Data)
	Herk(blas.NoTrans, 1, x, 0, y)
	assert.Equal(t, []complex64{1, 2i, 2, 4}, y.Data)
	Herk(blas.Trans, 1, b, 0, c)
	assert.Equal(t, []float32{74, 86, 0, 100}, c.Data)
	e := Of(2, 2, []complex128{4, 6i, 0, 10})
	assert.NoError(t, CholeskyInPlace(e))
	assert.Equal(t, []complex128{2, 3i, 0, 1}, e.Data)
}
