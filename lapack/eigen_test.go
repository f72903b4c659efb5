package lapack

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEigen(t *testing.T) {
	onAll(t, testEigen[float32, float64], testEigen[float64, float64],
		testEigen[complex64, complex128], testEigen[complex128, complex128])
}

func testEigen[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, threshold)
	whole, alone := &Eigen[T]{backend: b}, &Eigen[T]{backend: b} // reused throughout
	for _, n := range squareSizes(r) {
		for _, k := range kindsFor[W](n) {
			base, known := k.hermitian(r, n, ulp[T]())
			for _, scale := range scalesFor[T](k, n) {
				where := fmt.Sprintf("%s of order %d · %g", k.name, n, scale)
				a := upperGuard[T](base, scale)
				poisonEigen(whole)
				require.NoError(t, whole.Factorize(a.Matrix, true), where)
				checkEigen[W](t, ratios, where, a.Matrix, whole)

				poisonEigen(alone)
				require.NoError(t, alone.Factorize(a.Matrix, false), where)
				a.mustKeep(t, where, nowhere)
				values := whole.Values()
				if n == 0 {
					continue
				}
				unit := largestModulus(values) * float64(n) * ulp[T]()
				require.True(t, isDescending(alone.Values()), where)
				ratios.add("values alone", where, largestGap(values, alone.Values()), unit)
				if known != nil {
					// A differs from Q diag(known) Qᴴ by its rounding, ulp/2·‖A‖_F ≤ ulp/2·√n·max|λ|.
					d := scaled(known, scale)
					ratios.add("known values", where, largestGap(values, d), largestModulus(d)*float64(n)*ulp[T]())
				}
			}
		}
	}
}

// upperGuard returns the upper triangle of src within guards; NaN stands below
// the diagonal, where a routine has no business.
func upperGuard[T Scalar, W wide](src Matrix[W], scale float64) *guarded[T] {
	g, factor := newGuarded[T](src.Rows, src.Cols), fromReal[W](scale)
	fill(g, func(i, j int) W {
		if i > j {
			return notFinite[W](math.NaN())
		}
		return src.At(i, j) * factor
	})
	return g
}

func poisonEigen[T Scalar](f *Eigen[T]) {
	poison(f.values)
	poison(f.memory)
	poisonWork(&f.work)
}

func largestModulus(s []float64) (largest float64) {
	for _, v := range s {
		largest = larger(largest, math.Abs(v))
	}
	return largest
}

// checkEigen adds the ratios of a decomposition with vectors, of which it also
// asks for a part.
func checkEigen[W wide, T Scalar](t *testing.T, ratios *ratios, where string, a Matrix[T], f *Eigen[T]) {
	n, values := a.Rows, f.Values()
	require.Len(t, values, n, where)
	dst := newGuarded[T](n, n)
	z := f.VectorsTo(dst.Matrix, n)
	dst.mustKeep(t, where, everywhere)
	if n == 0 {
		return
	}
	require.Same(t, &dst.Data[0], &z.Data[0], where)
	require.True(t, isDescending(values), "%s: values %v", where, values)
	whole, vectors := hermitian(toWide[W](a)), toWide[W](z)
	if norm1(whole) == 0 {
		assert.Zero(t, largestModulus(values), where)
	}
	residual := difference(whole, product(scaleColumns(vectors, values), adjoint(vectors)))
	ratios.add("‖A − ZΛZᴴ‖", where, norm1(residual), norm1(whole)*float64(n)*ulp[T]())
	ratios.add("‖I − ZᴴZ‖", where, departure(vectors), float64(n)*ulp[T]())

	part := newGuarded[T](n, n/2)
	f.VectorsTo(part.Matrix, n/2)
	part.mustKeep(t, where, everywhere)
	require.True(t, sameBits(z.View(0, 0, n, n/2), part.Matrix), where)
}

func sameBits[T Scalar](a, b Matrix[T]) bool {
	if a.Rows != b.Rows || a.Cols != b.Cols {
		return false
	}
	for i := range a.Rows {
		for j := range a.Cols {
			if bitsOf(a.At(i, j)) != bitsOf(b.At(i, j)) {
				return false
			}
		}
	}
	return true
}
