package lapack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNotFinite(t *testing.T) {
	onAll(t, testNotFinite[float32, float64], testNotFinite[float64, float64],
		testNotFinite[complex64, complex128], testNotFinite[complex128, complex128])
}

// testNotFinite sets one element to NaN or ±Inf: every factorisation refuses
// and names it, and one that reads a triangle cares for no other.
func testNotFinite[T Scalar, W wide](t *testing.T, b *backend[T]) {
	const n = 4
	good := definite(rand.New(rand.NewPCG(seed, 0)), lastKind[W](), n, ulp[T](), false)
	factorizations := []struct {
		name     string
		triangle bool
		do       func(a Matrix[T]) error
	}{
		{"SVD", false, func(a Matrix[T]) error { return (&SVD[T]{backend: b}).Factorize(a, true) }},
		{"GEQRF", false, func(a Matrix[T]) error { return (&QR[T]{backend: b}).Factorize(a) }},
		{named[T]("SYEVD", "HEEVD"), true, func(a Matrix[T]) error { return (&Eigen[T]{backend: b}).Factorize(a, true) }},
		{named[T]("SYTRD", "HETRD"), true, func(a Matrix[T]) error { return (&LeadingEigen[T]{backend: b}).FactorizeInPlace(a) }},
		{"POTRF", true, func(a Matrix[T]) error { return cholesky(b, a) }},
	}
	for _, f := range factorizations {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			value := notFinite[T](bad)
			for i := range n {
				for j := range n {
					a := guard[T](good, 1)
					a.Set(i, j, value)
					err := f.do(a.Matrix)
					if f.triangle && i > j {
						assert.NoError(t, err)
						continue
					}
					assert.ErrorIs(t, err, ErrNotFinite)
					assert.ErrorContains(t, err, fmt.Sprintf("lapack: %s of a 4 × 4 matrix: element (%d, %d) is %v", f.name, i, j, value))
				}
			}
		}
	}
}

func TestSVDFailures(t *testing.T) {
	onAll(t, testSVDFailures[float32, float64], testSVDFailures[float64, float64],
		testSVDFailures[complex64, complex128], testSVDFailures[complex128, complex128])
}

func testSVDFailures[T Scalar, W wide](t *testing.T, b *backend[T]) {
	r := newRand(t)
	a := guard[T](randomMatrix[W](r, 9, 7), 1)
	// fails gives up, leaving nothing but NaN in all that it may write.
	fails := func(name string, info int) svdRoutine[T] {
		return svdRoutine[T]{name, func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) int {
			poison(s)
			poison(a.Data, u.Data, vt.Data)
			return info
		}}
	}
	last := b.svd[len(b.svd)-1]
	require.Regexp(t, "GESVD$|^DBDSQR$", last.name)

	t.Run("second routine", func(t *testing.T) {
		called := 0
		counted := svdRoutine[T]{last.name, func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) int {
			called++
			return last.compute(a, s, u, vt, w)
		}}
		f := &SVD[T]{backend: withSVD(b, fails("FIRST", 3), counted)}
		require.NoError(t, f.Factorize(a.Matrix, true))
		assert.Equal(t, 1, called)
		checkSVD[W](t, newRatios(t, threshold), "second routine", a.Matrix, f)
		a.mustKeep(t, "second routine", nowhere)
	})
	t.Run("none left", func(t *testing.T) {
		f := &SVD[T]{backend: b}
		require.NoError(t, f.Factorize(a.Matrix, true))
		var failing []svdRoutine[T]
		for i, routine := range b.svd {
			failing = append(failing, fails(routine.name, i+3))
		}
		f.backend = withSVD(b, failing...)
		err := f.Factorize(a.Matrix, true)
		assert.ErrorIs(t, err, ErrNoConvergence)
		assert.NotErrorIs(t, err, ErrNotFinite)
		for i, routine := range b.svd {
			assert.ErrorContains(t, err, fmt.Sprintf("lapack: %s of a 9 × 7 matrix, info %d", routine.name, i+3))
		}
		assert.PanicsWithValue(t, errUnfactorized, func() { f.Values() }, "results of the last success are gone")
		assert.PanicsWithValue(t, errUnfactorized, func() { f.U() })
	})
	for part, where := range []string{"singular values: element (0, 6)", "left singular vectors: element (8, 6)", "right singular vectors: element (6, 6)"} {
		t.Run(where, func(t *testing.T) {
			lies := svdRoutine[T]{last.name, func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) int {
				info := last.compute(a, s, u, vt, w)
				if part == 0 {
					s[len(s)-1] = math.NaN()
				} else {
					result := [][]T{u.Data, vt.Data}[part-1]
					result[len(result)-1] = notFinite[T](math.NaN())
				}
				return info
			}}
			f := &SVD[T]{backend: withSVD(b, lies)}
			err := f.Factorize(a.Matrix, true)
			assert.ErrorIs(t, err, ErrNotFinite)
			assert.ErrorContains(t, err, last.name)
			assert.ErrorContains(t, err, strings.Split(where, ":")[0])
			assert.ErrorContains(t, err, strings.Split(where, ": ")[1])
			assert.PanicsWithValue(t, errUnfactorized, func() { f.Values() })
		})
	}
}

func TestEigenFailures(t *testing.T) {
	onAll(t, testEigenFailures[float32, float64], testEigenFailures[float64, float64], testEigenFailures[complex64, complex128], testEigenFailures[complex128, complex128])
}

func testEigenFailures[T Scalar, W wide](t *testing.T, b *backend[T]) {
	const n = 5
	name := named[T]("SYEVD", "HEEVD")
	a := guard[T](congruent[W](newRand(t), []float64{1, 2, 3, 4, 5}), 1)
	cases := []struct {
		name  string
		is    error
		says  string
		spoil func(z Matrix[T], values []float64) (info int)
	}{
		{"gives up", ErrNoConvergence, "lapack: " + name + " of order 5, info 2", func(Matrix[T], []float64) int { return 2 }},
		{"NaN value", ErrNotFinite, name + ", eigenvalues", func(_ Matrix[T], values []float64) int { values[1] = math.NaN(); return 0 }},
		{"Inf vector", ErrNotFinite, name + ", eigenvectors", func(z Matrix[T], _ []float64) int { z.Set(n-1, n-1, notFinite[T](math.Inf(1))); return 0 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &Eigen[T]{backend: b}
			require.NoError(t, f.Factorize(a.Matrix, true))
			spoiled := *b
			spoiled.syevd = func(z Matrix[T], values []float64, vectors bool, w *workspace[T]) int {
				b.syevd(z, values, vectors, w)
				return c.spoil(z, values)
			}
			f.backend = &spoiled
			err := f.Factorize(a.Matrix, true)
			assert.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
			assert.PanicsWithValue(t, errUnfactorized, func() { f.Values() })
			f.backend = b
			require.NoError(t, f.Factorize(a.Matrix, true), "usable again")
			assert.Len(t, f.Values(), n)
		})
	}
}

func TestLeadingEigenFailures(t *testing.T) {
	onAll(t, testLeadingFailures[float32, float64], testLeadingFailures[float64, float64], testLeadingFailures[complex64, complex128], testLeadingFailures[complex128, complex128])
}

func testLeadingFailures[T Scalar, W wide](t *testing.T, b *backend[T]) {
	const n = 40 // more than STEDC leaves to STEQR
	a := upperGuard[T](congruent[W](newRand(t), spectrum(func(x, _ float64) float64 { return 1 + x })(n, 0)), 1)
	// fails gives up, leaving nothing but NaN in all that it may write.
	fails := func(name string, info int) tridiagonalRoutine[T] {
		return tridiagonalRoutine[T]{name, func(d, e []float64, z Matrix[T], w *workspace[T]) int {
			poison(d, e)
			poison(z.Data)
			return info
		}}
	}
	last := b.tridiagonal[len(b.tridiagonal)-1]
	require.True(t, strings.HasSuffix(last.name, "STEQR"))
	alone := &Eigen[T]{backend: b}

	t.Run("second routine", func(t *testing.T) {
		called := 0
		counted := tridiagonalRoutine[T]{last.name, func(d, e []float64, z Matrix[T], w *workspace[T]) int {
			called++
			return last.compute(d, e, z, w)
		}}
		f := &LeadingEigen[T]{backend: withTridiagonal(b, fails("FIRST", 3), counted)}
		checkLeading[W](t, newRatios(t, threshold), "second routine", a, f, alone, 1, n/4)
		assert.Equal(t, 1, called)
	})
	t.Run("none left", func(t *testing.T) {
		f := &LeadingEigen[T]{backend: b}
		require.NoError(t, f.FactorizeInPlace(a.Clone()))
		var failing []tridiagonalRoutine[T]
		for i, routine := range b.tridiagonal {
			failing = append(failing, fails(routine.name, i+3))
		}
		f.backend = withTridiagonal(b, failing...)
		err := f.FactorizeInPlace(a.Clone())
		assert.ErrorIs(t, err, ErrNoConvergence)
		assert.NotErrorIs(t, err, ErrNotFinite)
		for i, routine := range b.tridiagonal {
			assert.ErrorContains(t, err, fmt.Sprintf("lapack: %s of order 40, info %d", routine.name, i+3))
		}
		assert.PanicsWithValue(t, errUnfactorized, func() { f.Values() }, "results of the last success are gone")
		assert.PanicsWithValue(t, errUnfactorized, func() { f.VectorsTo(Matrix[T]{}, 1) })
		f.backend = b
		checkLeading[W](t, newRatios(t, threshold), "usable again", a, f, alone)
	})
	t.Run("NaN value", func(t *testing.T) {
		f := &LeadingEigen[T]{backend: withTridiagonal(b, tridiagonalRoutine[T]{last.name, func(d, e []float64, z Matrix[T], w *workspace[T]) int {
			info := last.compute(d, e, z, w)
			d[1] = math.NaN()
			return info
		}})}
		err := f.FactorizeInPlace(a.Clone())
		assert.ErrorIs(t, err, ErrNotFinite)
		assert.ErrorContains(t, err, last.name+", eigenvalues of a 1 × 40 matrix: element (0, 38)")
		assert.PanicsWithValue(t, errUnfactorized, func() { f.Values() })
	})
	t.Run("Inf vector", func(t *testing.T) {
		f := &LeadingEigen[T]{backend: b}
		require.NoError(t, f.FactorizeInPlace(a.Clone()))
		spoiled := *b
		spoiled.ormtr = func(a Matrix[T], tau []T, c Matrix[T], w *workspace[T]) {
			b.ormtr(a, tau, c, w)
			c.Set(n-1, 2, notFinite[T](math.Inf(1)))
		}
		f.backend = &spoiled
		_, err := f.VectorsTo(Matrix[T]{}, 3)
		assert.ErrorIs(t, err, ErrNotFinite)
		assert.ErrorContains(t, err, named[T]("ORMTR", "UNMTR")+", eigenvectors of a 40 × 3 matrix: element (39, 2)")
		assert.Len(t, f.Values(), n, "as good as before")
	})
}
