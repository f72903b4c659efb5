package lapack

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSVD(t *testing.T) { onAll(t, testSVD[float32], testSVD[float64]) }

// testSVD takes each routine of a backend alone: also the ones that are there
// only for when the first does not converge.
func testSVD[T Scalar](t *testing.T, b *backend[T]) {
	for _, routine := range b.svd {
		t.Run(routine.name, func(t *testing.T) {
			parallel(t)
			testSVDRoutine(t, withSVD(b, routine))
		})
	}
}

// withSVD returns b with other routines for the SVD.
func withSVD[T Scalar](b *backend[T], routines ...svdRoutine[T]) *backend[T] {
	c := *b
	c.svd = routines
	return &c
}

func testSVDRoutine[T Scalar](t *testing.T, b *backend[T]) {
	r, ratios := newRand(t), newRatios(t, threshold)
	whole, values := &SVD[T]{backend: b}, &SVD[T]{backend: b} // reused throughout
	for _, sh := range generalShapes(r) {
		for _, k := range kinds {
			base, known := k.general(r, sh.rows, sh.cols, ulp[T]())
			for _, scale := range scalesFor[T](k, max(sh.rows, sh.cols)) {
				where := fmt.Sprintf("%s %d × %d · %g", k.name, sh.rows, sh.cols, scale)
				a := guard[T](base, scale)
				poisonSVD(whole)
				require.NoError(t, whole.Factorize(a.Matrix, true), where)
				checkSVD(t, ratios, where, a.Matrix, whole)
				s := whole.Values()
				if known != nil && len(s) > 0 {
					// A differs from U diag(known) Vᵀ by its rounding, ulp/2·‖A‖_F ≤ ulp/2·√k·s₁.
					d := scaled(known, scale)
					ratios.add("known values", where, largestGap(s, d), d[0]*float64(max(sh.rows, sh.cols))*ulp[T]())
				}

				poisonSVD(values)
				require.NoError(t, values.Factorize(a.Matrix, false), where)
				a.mustKeep(t, where, nowhere)
				if len(s) > 0 {
					require.True(t, isDescending(values.Values()), where)
					ratios.add("values alone", where, largestGap(s, values.Values()), float64(s[0])*float64(len(s))*ulp[T]())
				}
			}
		}
	}
}

func poisonSVD[T Scalar](f *SVD[T]) {
	poison(f.s, f.memory[0], f.memory[1], f.memory[2])
	poisonWork(&f.work)
}

// checkSVD adds the ratios of a decomposition with vectors.
func checkSVD[T Scalar](t *testing.T, ratios *ratios, where string, a Matrix[T], f *SVD[T]) {
	s, u, vt := f.Values(), f.U(), f.VT()
	m, n := a.Rows, a.Cols
	k := min(m, n)
	require.Equal(t, []int{k, m, k, k, n}, []int{len(s), u.Rows, u.Cols, vt.Rows, vt.Cols}, where)
	if k == 0 {
		return
	}
	require.True(t, isDescending(s) && s[k-1] >= 0, "%s: values %v", where, s)
	left, right, whole := toFloat64(u), toFloat64(vt), toFloat64(a)
	if norm1(whole) == 0 {
		assert.Equal(t, make([]T, k), s, where)
	}
	residual := difference(whole, product(scaleColumns(left, s), right))
	ratios.add("‖A − USVᵀ‖", where, norm1(residual), norm1(whole)*float64(max(m, n))*ulp[T]())
	ratios.add("‖I − UᵀU‖", where, departure(left), float64(m)*ulp[T]())
	ratios.add("‖I − VᵀV‖", where, departure(transpose(right)), float64(n)*ulp[T]())
}
