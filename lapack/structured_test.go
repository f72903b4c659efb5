package lapack

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
)

// A structured matrix has reflections that end in zeros, each at another place:
// what blocks of reflections may not mistake for a common end (householder.go).
type structured[W wide] struct {
	name string
	make func(r *rand.Rand, m, n int) Matrix[W]
}

const shortSecond = "short second"

// masked fills a matrix with normals where keep says so, zeros elsewhere.
func masked[W wide](keep func(r *rand.Rand, i, j, m, n int) bool) func(r *rand.Rand, m, n int) Matrix[W] {
	return func(r *rand.Rand, m, n int) Matrix[W] {
		return build(m, n, func(i, j int) W {
			v := normal[W](r)
			if !keep(r, i, j, m, n) {
				return 0
			}
			return v
		})
	}
}

func structures[W wide]() []structured[W] {
	return []structured[W]{
		{"one-hot", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return i%n == j })},
		{"banded", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return i-j < 5 && j-i < 3 })},
		{"blocks", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return i/20 == j/20 })},
		{"falling ends", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return i < m-3*j || i <= j })},
		{shortSecond, masked[W](func(r *rand.Rand, i, j, m, n int) bool {
			switch j % 32 {
			case 0:
				return i == j || i > j+4
			case 1:
				return i == j || i == j+1
			}
			return true
		})},
		{"short second, transposed", masked[W](func(r *rand.Rand, j, i, m, n int) bool {
			switch j % 32 {
			case 0:
				return i == j || i > j+4
			case 1:
				return i == j || i == j+1
			}
			return true
		})},
		{"sparse columns", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return j%3 == 0 || r.IntN(100) == 0 })},
		{"arrow", masked[W](func(r *rand.Rand, i, j, m, n int) bool { return i == j || i == 0 || j == 0 })},
		{"dense first, then short", masked[W](func(r *rand.Rand, i, j, m, n int) bool {
			return (j == 0 && (i < 1 || i > 40)) || (j > 0 && j < 20 && i > 0 && i <= 40) || j >= 20
		})},
	}
}

// TestStructured failed by ten orders of magnitude, QR and SVD, while the portable
// backend was gonum's LAPACK.
func TestStructured(t *testing.T) {
	onAll(t, testStructured[float32, float64], testStructured[float64, float64],
		testStructured[complex64, complex128], testStructured[complex128, complex128])
}

func testStructured[T Scalar, W wide](t *testing.T, b *backend[T]) {
	parallel(t)
	r, ratios := newRand(t), newRatios(t, threshold)
	shapes, order := []shape{{70, 70}, {100, 66}, {66, 100}}, 70
	if testing.Short() || sanitizer.On {
		shapes, order = []shape{{40, 35}, {35, 40}}, 35 // more than a block of 32
	}
	for _, k := range structures[W]() {
		for _, s := range shapes {
			where := fmt.Sprintf("%s %d × %d", k.name, s.rows, s.cols)
			a := guard[T](k.make(r, s.rows, s.cols), 1)
			qr := QR[T]{backend: b}
			require.NoError(t, qr.Factorize(a.Matrix))
			checkQR[W](t, ratios, where, a.Matrix, &qr)
			if k.name == shortSecond { // as meant
				last := qr.at.Cols - 1
				require.NotZero(t, qr.at.At(0, last), where)
				require.Zero(t, qr.at.At(1, last), where)
				require.NotZero(t, qr.at.At(2, last), where)
			}
			svd := SVD[T]{backend: b}
			require.NoError(t, svd.Factorize(a.Matrix, true))
			checkSVD[W](t, ratios, where, a.Matrix, &svd)
		}
		where := k.name + " Hermitian"
		h := upperGuard[T](hermitian(k.make(r, order, order)), 1)
		e := Eigen[T]{backend: b}
		require.NoError(t, e.Factorize(h.Matrix, true))
		checkEigen[W](t, ratios, where, h.Matrix, &e)
	}
}
