package lapack

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQR(t *testing.T) {
	onAll(t, testQR[float32, float64], testQR[float64, float64],
		testQR[complex64, complex128], testQR[complex128, complex128])
}

func testQR[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, threshold)
	f := &QR[T]{backend: b} // reused throughout
	for _, sh := range generalShapes(r) {
		for _, k := range kindsFor[W](max(sh.rows, sh.cols)) {
			base, _ := k.general(r, sh.rows, sh.cols, ulp[T]())
			for _, scale := range scalesFor[T](k, max(sh.rows, sh.cols)) {
				where := fmt.Sprintf("%s %d × %d · %g", k.name, sh.rows, sh.cols, scale)
				a := guard[T](base, scale)
				poison(f.tau, f.storage)
				poisonWork(&f.work)
				require.NoError(t, f.Factorize(a.Matrix), where)
				a.mustKeep(t, where, nowhere)
				checkQR[W](t, ratios, where, a.Matrix, f)
			}
		}
	}
}

// checkQR adds the ratios of a factorisation. Q has no more columns than A has
// rows or columns, so that R = QᴴA does not imply A = QR: both are checked.
func checkQR[W wide, T Scalar](t *testing.T, ratios *ratios, where string, a Matrix[T], f *QR[T]) {
	m, n := a.Rows, a.Cols
	k := min(m, n)
	rGuard, qGuard := newGuarded[T](k, n), newGuarded[T](m, k)
	poison(f.q)
	poisonWork(&f.work)
	q, r := f.QTo(qGuard.Matrix), f.RTo(rGuard.Matrix)
	rGuard.mustKeep(t, where, everywhere)
	qGuard.mustKeep(t, where, everywhere)
	if k == 0 {
		return
	}
	require.Same(t, &qGuard.Data[0], &q.Data[0], where)
	require.Same(t, &rGuard.Data[0], &r.Data[0], where)
	whole, left, right := toWide[W](a), toWide[W](q), toWide[W](r)
	require.True(t, sameBits(triangle(right, true), right), "%s: R below the diagonal", where)
	unit := norm1(whole) * float64(m) * ulp[T]()
	ratios.add("‖R − QᴴA‖", where, norm1(difference(right, product(adjoint(left), whole))), unit)
	ratios.add("‖A − QR‖", where, norm1(difference(whole, product(left, right))), unit)
	ratios.add("‖I − QᴴQ‖", where, departure(left), float64(m)*ulp[T]())
}
