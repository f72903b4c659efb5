package lapack

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSVD(t *testing.T) {
	onAll(t, testSVD[float32, float64], testSVD[float64, float64],
		testSVD[complex64, complex128], testSVD[complex128, complex128])
}

// testSVD takes each routine of a backend alone: also the ones that are there
// only for when the first does not converge.
func testSVD[T Scalar, W wide](t *testing.T, b *backend[T]) {
	for _, routine := range b.svd {
		t.Run(routine.name, func(t *testing.T) {
			parallel(t)
			testSVDRoutine[T, W](t, withSVD(b, routine))
		})
	}
}

// withSVD returns b with other routines for the SVD.
func withSVD[T Scalar](b *backend[T], routines ...svdRoutine[T]) *backend[T] {
	c := *b
	c.svd = routines
	return &c
}

func testSVDRoutine[T Scalar, W wide](t *testing.T, b *backend[T]) {
	r, ratios := newRand(t), newRatios(t, threshold)
	whole, values := &SVD[T]{backend: b}, &SVD[T]{backend: b} // reused throughout
	for _, sh := range generalShapes(r) {
		for _, k := range kindsFor[W](max(sh.rows, sh.cols)) {
			base, known := k.general(r, sh.rows, sh.cols, ulp[T]())
			for _, scale := range scalesFor[T](k, max(sh.rows, sh.cols)) {
				where := fmt.Sprintf("%s %d × %d · %g", k.name, sh.rows, sh.cols, scale)
				a := guard[T](base, scale)
				poisonSVD(whole)
				require.NoError(t, whole.Factorize(a.Matrix, true), where)
				checkSVD[W](t, ratios, where, a.Matrix, whole)
				s := whole.Values()
				if known != nil && len(s) > 0 {
					// A differs from U diag(known) Vᴴ by its rounding, ulp/2·‖A‖_F ≤ ulp/2·√k·s₁.
					d := scaled(known, scale)
					ratios.add("known values", where, largestGap(s, d), d[0]*float64(max(sh.rows, sh.cols))*ulp[T]())
				}

				poisonSVD(values)
				require.NoError(t, values.Factorize(a.Matrix, false), where)
				a.mustKeep(t, where, nowhere)
				if len(s) > 0 {
					require.True(t, isDescending(values.Values()), where)
					ratios.add("values alone", where, largestGap(s, values.Values()), s[0]*float64(len(s))*ulp[T]())
				}
			}
		}
	}
}

func poisonSVD[T Scalar](f *SVD[T]) {
	poison(f.s)
	poison(f.memory[0], f.memory[1], f.memory[2])
	poisonWork(&f.work)
}

// checkSVD adds the ratios of a decomposition with vectors.
func checkSVD[W wide, T Scalar](t *testing.T, ratios *ratios, where string, a Matrix[T], f *SVD[T]) {
	s, u, vt := f.Values(), f.U(), f.VT()
	m, n := a.Rows, a.Cols
	k := min(m, n)
	require.Equal(t, []int{k, m, k, k, n}, []int{len(s), u.Rows, u.Cols, vt.Rows, vt.Cols}, where)
	if k == 0 {
		return
	}
	require.True(t, isDescending(s) && s[k-1] >= 0, "%s: values %v", where, s)
	left, right, whole := toWide[W](u), toWide[W](vt), toWide[W](a)
	if norm1(whole) == 0 {
		assert.Equal(t, make([]float64, k), s, where)
	}
	residual := difference(whole, product(scaleColumns(left, s), right))
	ratios.add("‖A − USVᴴ‖", where, norm1(residual), norm1(whole)*float64(max(m, n))*ulp[T]())
	ratios.add("‖I − UᴴU‖", where, departure(left), float64(m)*ulp[T]())
	ratios.add("‖I − VᴴV‖", where, departure(adjoint(right)), float64(n)*ulp[T]())
}
