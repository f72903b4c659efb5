package lapack

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"pgregory.net/rapid"
)

// onAllRapid runs a property for every element type and backend.
func onAllRapid(
	t *testing.T,
	single func(*rapid.T, *backend[float32]), double func(*rapid.T, *backend[float64]),
	singleComplex func(*rapid.T, *backend[complex64]), doubleComplex func(*rapid.T, *backend[complex128]),
) {
	onAll(t,
		func(t *testing.T, b *backend[float32]) { rapid.Check(t, func(r *rapid.T) { single(r, b) }) },
		func(t *testing.T, b *backend[float64]) { rapid.Check(t, func(r *rapid.T) { double(r, b) }) },
		func(t *testing.T, b *backend[complex64]) { rapid.Check(t, func(r *rapid.T) { singleComplex(r, b) }) },
		func(t *testing.T, b *backend[complex128]) { rapid.Check(t, func(r *rapid.T) { doubleComplex(r, b) }) })
}

var drawOrder = rapid.IntRange(1, 40)

// draw returns an m × n matrix of numbers, or parts, in [−1, 1] with padding.
func draw[T Scalar](r *rapid.T, label string, m, n int) Matrix[T] {
	if !isComplex[T]() {
		numbers := rapid.SliceOfN(rapid.Float64Range(-1, 1), m*n, m*n).Draw(r, label)
		return guard[T](Of(m, n, numbers), 1).Matrix
	}
	numbers := rapid.SliceOfN(rapid.Float64Range(-1, 1), 2*m*n, 2*m*n).Draw(r, label)
	return guard[T](build(m, n, func(i, j int) complex128 {
		return complex(numbers[2*(i*n+j)], numbers[2*(i*n+j)+1])
	}), 1).Matrix
}

// below fails unless error ≤ bound.
func below(r *rapid.T, what string, err, bound float64) {
	if !(err <= bound) {
		r.Fatalf("%s: %g, bound %g", what, err, bound)
	}
}

// TestSingularValuesProperties: transposition keeps them; their squares sum to
// ‖A‖_F²; adding E moves none by more than ‖E‖_F (Weyl).
func TestSingularValuesProperties(t *testing.T) {
	onAllRapid(t, singularValues[float32, float64], singularValues[float64, float64], singularValues[complex64, complex128], singularValues[complex128, complex128])
}

func singularValues[T Scalar, W wide](r *rapid.T, b *backend[T]) {
	m, n := drawOrder.Draw(r, "m"), drawOrder.Draw(r, "n")
	a, e := draw[T](r, "A", m, n), draw[T](r, "E", m, n)
	moved := New[T](m, n)
	for i := range m {
		for j := range n {
			e.Set(i, j, e.At(i, j)/8)
			moved.Set(i, j, a.At(i, j)+e.At(i, j))
		}
	}
	at := New[T](n, m)
	at.TransposeFrom(a)
	of := func(a Matrix[T]) []float64 {
		f := SVD[T]{backend: b}
		require.NoError(r, f.Factorize(a, false))
		return slices.Clone(f.Values())
	}
	s, sT, sMoved := of(a), of(at), of(moved)
	unit := threshold * float64(max(m, n)) * ulp[T]() * math.Max(s[0], sMoved[0])
	below(r, "of the transpose", largestGap(s, sT), unit)
	// Each of k values is off by unit at most, and the 2-norm of s by √k times that.
	below(r, "Frobenius", math.Abs(frobenius(Of(1, len(s), s))-frobenius(toWide[W](a))), unit*math.Sqrt(float64(len(s))))
	// moved is rounded: by ulp/2 of each element, which is below √(mn)·ulp·2 in all.
	below(r, "Weyl", largestGap(s, sMoved), frobenius(toWide[W](e))+2*unit+2*math.Sqrt(float64(m*n))*ulp[T]())
}

func frobenius[W wide](a Matrix[W]) (norm float64) {
	for i := range a.Rows {
		for _, v := range a.Row(i) {
			norm = math.Hypot(norm, modulus(v))
		}
	}
	return norm
}

// TestEigenProperties: eigenvalues sum to the trace, and those of −A are those
// of A reversed.
func TestEigenProperties(t *testing.T) {
	onAllRapid(t, eigenvalues[float32, float64], eigenvalues[float64, float64],
		eigenvalues[complex64, complex128], eigenvalues[complex128, complex128])
}

func eigenvalues[T Scalar, W wide](r *rapid.T, b *backend[T]) {
	n := drawOrder.Draw(r, "n")
	a := draw[T](r, "A", n, n)
	minus, trace := New[T](n, n), 0.0
	for i := range n {
		trace += realPart(a.At(i, i))
		for j := range n {
			minus.Set(i, j, -a.At(i, j))
		}
	}
	of := func(a Matrix[T]) []float64 {
		f := Eigen[T]{backend: b}
		require.NoError(r, f.Factorize(a, false))
		return slices.Clone(f.Values())
	}
	values, negative := of(a), of(minus)
	slices.Reverse(negative)
	unit := threshold * float64(n) * ulp[T]() * norm1(hermitian(toWide[W](a)))
	below(r, "of −A", largestGap(values, scaled(negative, -1)), unit)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	below(r, "trace", math.Abs(sum-trace), float64(n)*unit)
}

// TestGemmAssociates: (AB)C and A(BC) differ by the rounding of four products,
// each ≤ terms·ulp/2 of |A||B||C| (products_test.go).
func TestGemmAssociates(t *testing.T) {
	onAllRapid(t, associates[float32, float64], associates[float64, float64],
		associates[complex64, complex128], associates[complex128, complex128])
}

func associates[T Scalar, W wide](r *rapid.T, b *backend[T]) {
	var o [4]int
	for i := range o {
		o[i] = drawOrder.Draw(r, "order")
	}
	x, y, z := draw[T](r, "A", o[0], o[1]), draw[T](r, "B", o[1], o[2]), draw[T](r, "C", o[2], o[3])
	times := func(a, c Matrix[T]) Matrix[T] {
		p := newGuarded[T](a.Rows, c.Cols)
		gemm(b, blas.NoTrans, blas.NoTrans, 1, a, c, 0, p.Matrix)
		return p.Matrix
	}
	left, right := toWide[W](times(times(x, y), z)), toWide[W](times(x, times(y, z)))
	size := product(absolute(toWide[W](x)), product(absolute(toWide[W](y)), absolute(toWide[W](z))))
	for i, v := range left.Data {
		terms := terms[T](o[1]) + terms[T](o[2])
		below(r, "element", modulus(v-right.Data[i]), exactBound*terms*ulp[T]()*size.Data[i]+terms*float64(o[1]+o[2])*denormal[T]())
	}
}

// TestViewProperties: transposing twice and viewing a view change no bit.
func TestViewProperties(t *testing.T) { rapid.Check(t, views[float64]) }

func views[T Real](r *rapid.T) {
	order := rapid.IntRange(0, 70)
	m, n := order.Draw(r, "m"), order.Draw(r, "n")
	a := guard[T](build(m, n, func(i, j int) float64 { return float64(i*n + j) }), 1)
	once, twice := newGuarded[T](n, m), newGuarded[T](m, n)
	once.TransposeFrom(a.Matrix)
	twice.TransposeFrom(once.Matrix)
	assert.True(r, sameBits(a.Matrix, twice.Matrix), "transposed twice")

	part := func(label string, rows, cols int) (i, j, m, n int) {
		i, j = rapid.IntRange(0, rows).Draw(r, label), rapid.IntRange(0, cols).Draw(r, label)
		return i, j, rapid.IntRange(0, rows-i).Draw(r, label), rapid.IntRange(0, cols-j).Draw(r, label)
	}
	i, j, rows, cols := part("view", m, n)
	i2, j2, rows2, cols2 := part("view of the view", rows, cols)
	of := a.View(i, j, rows, cols).View(i2, j2, rows2, cols2)
	assert.True(r, sameBits(of, a.View(i+i2, j+j2, rows2, cols2)), "view of a view")
	for k := range rows2 {
		for l := range cols2 {
			assert.Equal(r, a.At(i+i2+k, j+j2+l), of.At(k, l))
		}
	}
}
