package lapack

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"

	"github.com/gosvcca/gosvcca/native"
)

// onComplex runs test for both complex types and every backend.
func onComplex(t *testing.T, single func(*testing.T, *backend[complex64]), double func(*testing.T, *backend[complex128])) {
	onBackends(t, single)
	onBackends(t, double)
}

// TestConjugates: eigenvectors and the parts of factorisations are those of A,
// not of its conjugate, which LAPACK sees where it reads rows as columns. Small
// enough to check by eye; the conjugates of these vectors belong to the other
// eigenvalue.
func TestConjugates(t *testing.T) {
	onComplex(t, testConjugates[complex64], testConjugates[complex128])
}

func testConjugates[T Complex](t *testing.T, b *backend[T]) {
	near := func(want complex128, got T) {
		t.Helper()
		re, im := parts(got)
		assert.LessOrEqual(t, cmplx.Abs(want-complex(re, im)), 4*threshold*ulp[T]())
	}
	a := Of(2, 2, []T{2, 1i, 0, 2}) // below is −i; A(1, −i)ᵀ = 3(1, −i)ᵀ, A(1, i)ᵀ = (1, i)ᵀ
	eigen := Eigen[T]{backend: b}
	require.NoError(t, eigen.Factorize(a, true))
	assert.InDeltaSlice(t, []float64{3, 1}, eigen.Values(), 4*threshold*ulp[T]())
	for i, want := range []complex128{-1i, 1i} {
		v := eigen.Vector(i)
		near(want, v[1]/v[0])
	}
	z := eigen.VectorsTo(Matrix[T]{}, 1)
	near(-1i, z.At(1, 0)/z.At(0, 0))

	leading := LeadingEigen[T]{backend: b}
	require.NoError(t, leading.FactorizeInPlace(a.Clone()))
	z, err := leading.VectorsTo(Matrix[T]{}, 1)
	require.NoError(t, err)
	near(-1i, z.At(1, 0)/z.At(0, 0))

	u := a.Clone()
	require.NoError(t, cholesky(b, u))
	near(complex(0, 1/math.Sqrt2), u.At(0, 1)) // a₀₁/√a₀₀

	// A row (3, 4i) is 5 · 1 · (0.6, 0.8i), and Vᴴ is that row.
	svd := SVD[T]{backend: b}
	require.NoError(t, svd.Factorize(Of(1, 2, []T{3, 4i}), true))
	near(4i/3., svd.VT().At(0, 1)/svd.VT().At(0, 0))
	require.NoError(t, svd.Factorize(Of(2, 1, []T{3, 4i}), true))
	near(4i/3., svd.U().At(1, 0)/svd.U().At(0, 0))
	qr := QR[T]{backend: b}
	require.NoError(t, qr.Factorize(Of(2, 1, []T{3, 4i})))
	q := qr.QTo(Matrix[T]{})
	near(4i/3., q.At(1, 0)/q.At(0, 0))
}

// TestImaginaryDiagonal: that of a Hermitian matrix is 0, and what stands there
// instead changes no bit of a result.
func TestImaginaryDiagonal(t *testing.T) {
	onComplex(t, testImaginaryDiagonal[complex64], testImaginaryDiagonal[complex128])
}

func testImaginaryDiagonal[T Complex](t *testing.T, b *backend[T]) {
	const n = 20
	clean := guard[T](congruent[complex128](newRand(t), spectrum(func(x, _ float64) float64 { return 1 + x })(n, 0)), 1).Clone()
	dirty := clean.Clone()
	for i := range n {
		dirty.Set(i, i, dirty.At(i, i)+7i)
	}
	var eigens [2]Eigen[T]
	var leadings [2]LeadingEigen[T]
	var vectors, factors [2]Matrix[T]
	for i, a := range []Matrix[T]{clean, dirty} {
		eigens[i].backend, leadings[i].backend = b, b
		require.NoError(t, eigens[i].Factorize(a, true))
		require.NoError(t, leadings[i].FactorizeInPlace(a.Clone()))
		var err error
		vectors[i], err = leadings[i].VectorsTo(Matrix[T]{}, n)
		require.NoError(t, err)
		factors[i] = a.Clone()
		require.NoError(t, cholesky(b, factors[i]))
	}
	assert.Equal(t, eigens[0].Values(), eigens[1].Values())
	assert.True(t, sameBits(eigens[0].rows, eigens[1].rows))
	assert.Equal(t, leadings[0].Values(), leadings[1].Values())
	assert.True(t, sameBits(vectors[0], vectors[1]))
	assert.True(t, sameBits(factors[0], factors[1]))
}

// TestRealInComplex: a matrix without imaginary parts gives what the real type
// gives, vectors up to sign.
func TestRealInComplex(t *testing.T) {
	onComplex(t, testRealInComplex[complex64, float32], testRealInComplex[complex128, float64])
}

func testRealInComplex[T Complex, R Real](t *testing.T, b *backend[T]) {
	var real *backend[R]
	for _, other := range distinctBackends[R]() {
		if other.name == b.name {
			real = other
		}
	}
	r, ratios := newRand(t), newRatios(t, threshold)
	const m, n = 60, 40
	source := randomMatrix[float64](r, m, n)
	a := guard[R](source, 1)
	wide := New[complex128](m, n)
	for i := range m {
		for j := range n {
			wide.Set(i, j, complex(realPart(a.At(i, j)), 0))
		}
	}
	c := guard[T](wide, 1)
	// Vectors of a value differ by the residual over the gap to its neighbours.
	gap := func(s []float64) float64 {
		least := math.Inf(1)
		for i := range s[1:] {
			least = min(least, s[i]-s[i+1])
		}
		return s[0] / least
	}
	parallelTo := func(what string, x Matrix[R], y Matrix[T], unit float64) {
		worst := 0.0
		for j := range x.Cols {
			re, im := 0.0, 0.0
			for i := range x.Rows {
				yRe, yIm := parts(y.At(i, j))
				re += realPart(x.At(i, j)) * yRe
				im += realPart(x.At(i, j)) * yIm
			}
			worst = larger(worst, math.Abs(1-math.Hypot(re, im)))
		}
		ratios.add(what, "real in complex", worst, unit)
	}

	svdR, svd := SVD[R]{backend: real}, SVD[T]{backend: b}
	require.NoError(t, svdR.Factorize(a.Matrix, true))
	require.NoError(t, svd.Factorize(c.Matrix, true))
	s := svdR.Values()
	unit := m * ulp[T]()
	ratios.add("singular values", "", largestGap(s, svd.Values()), s[0]*unit)
	parallelTo("U", svdR.U(), svd.U(), unit*gap(s))

	gramR, gram := New[R](n, n), New[T](n, n)
	herk(real, blas.ConjTrans, 1, a.Matrix, 0, gramR)
	herk(b, blas.ConjTrans, 1, c.Matrix, 0, gram)
	worst := 0.0
	for i := range n {
		for j := i; j < n; j++ {
			re, im := parts(gram.At(i, j))
			worst = larger(worst, math.Hypot(re-realPart(gramR.At(i, j)), im))
		}
	}
	ratios.add("AᴴA", "", worst, s[0]*s[0]*unit)
	eigenR, eigen := Eigen[R]{backend: real}, Eigen[T]{backend: b}
	require.NoError(t, eigenR.Factorize(gramR, true))
	require.NoError(t, eigen.Factorize(gram, true))
	values := eigenR.Values()
	ratios.add("eigenvalues", "", largestGap(values, eigen.Values()), values[0]*unit)
	parallelTo("eigenvectors", eigenR.VectorsTo(Matrix[R]{}, n), eigen.VectorsTo(Matrix[T]{}, n), unit*gap(values))

	qrR, qr := QR[R]{backend: real}, QR[T]{backend: b}
	require.NoError(t, qrR.Factorize(a.Matrix))
	require.NoError(t, qr.Factorize(c.Matrix))
	rR, rC := qrR.RTo(Matrix[R]{}), qr.RTo(Matrix[T]{})
	worst = 0
	for i := range n {
		for j := range n {
			re, im := parts(rC.At(i, j))
			worst = larger(worst, math.Abs(math.Hypot(re, im)-math.Abs(realPart(rR.At(i, j)))))
		}
	}
	// R is as sensitive as the condition of A makes it.
	ratios.add("R", "", worst, s[0]*unit*s[0]/s[n-1])
}

// BenchmarkComplex takes the steps for one frequency of a convolutional layer of
// n channels and 1000 images, with one BLAS thread.
func BenchmarkComplex(b *testing.B) {
	defer native.LimitThreads(1)()
	benchmarkComplex[complex64](b)
	benchmarkComplex[complex128](b)
}

func benchmarkComplex[T Complex](b *testing.B) {
	r := rand.New(rand.NewPCG(seed, 0))
	for _, n := range []int{32, 64, 128, 256, 512} {
		a := guard[T](randomMatrix[complex128](r, 1000, n), 1).Matrix
		gram, memory := New[T](n, n), New[T](n, n)
		Herk(blas.ConjTrans, 1, a, 0, gram)
		square := gram.Clone()
		Mirror(square)
		var eigen Eigen[T]
		var leading LeadingEigen[T]
		var svd SVD[T]
		z := New[T](n, n/4)
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"Herk", func() error { Herk(blas.ConjTrans, 1, a, 0, memory); return nil }},
			{"Eigen", func() error { return eigen.Factorize(gram, true) }},
			{"LeadingEigen-quarter", func() error {
				memory.CopyFrom(gram)
				if err := leading.FactorizeInPlace(memory); err != nil {
					return err
				}
				_, err := leading.VectorsTo(z, n/4)
				return err
			}},
			{"SVD", func() error { return svd.Factorize(square, true) }},
		} {
			b.Run(fmt.Sprintf("of=%s/n=%d/type=%T", step.name, n, *new(T)), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := step.do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
