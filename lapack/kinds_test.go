package lapack

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
)

// kind is one type of test matrix, after DLATMS and DDRVBD and the data that
// SVCCA meets. It has a known spectrum or is filled in.
type kind[W wide] struct {
	name     string
	spectrum func(k int, ulp float64) []float64
	fill     func(r *rand.Rand, m Matrix[W])
}

func kinds[W wide]() []kind[W] {
	return []kind[W]{
		{name: "zero", spectrum: spectrum(func(float64, float64) float64 { return 0 })},
		{name: "orthogonal", spectrum: spectrum(func(float64, float64) float64 { return 1 })},
		{name: "arithmetic", spectrum: spectrum(func(x, ulp float64) float64 { return 1 - x*(1-ulp) })},
		{name: "geometric", spectrum: spectrum(func(x, ulp float64) float64 { return math.Pow(ulp, x) })},
		{name: "one large", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x == 0, 1, ulp) })},
		{name: "one small", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x == 1, ulp, 1) })},
		{name: "clustered", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x < 0.5, 1, 0.5) * (1 - 100*x*ulp) })},
		{name: "tied", spectrum: spectrum(func(x, _ float64) float64 { return 3 - math.Floor(3*x) })}, // 3, 2, 1 and one 0
		{name: "identity", fill: func(_ *rand.Rand, m Matrix[W]) {
			for i := range min(m.Rows, m.Cols) {
				m.Set(i, i, 1)
			}
		}},
		{name: "random", fill: fillRandom[W]},
		{name: "offset 1e6", fill: func(r *rand.Rand, m Matrix[W]) {
			fillRandom(r, m)
			for i := range m.Data {
				m.Data[i] += 1e6
			}
		}},
		{name: "constant column", fill: func(r *rand.Rand, m Matrix[W]) {
			fillRandom(r, m)
			for i := range m.Rows {
				m.Set(i, m.Cols/2, 1)
			}
		}},
		{name: "dead and duplicate columns", fill: func(r *rand.Rand, m Matrix[W]) {
			fillRandom(r, m)
			for i := range m.Rows {
				m.Set(i, m.Cols-1, m.At(i, 0))
				m.Set(i, m.Cols/2, 0)
			}
		}},
		{name: "equal rows", fill: func(r *rand.Rand, m Matrix[W]) {
			fillRandom(r, m)
			for i := range m.Rows {
				copy(m.Row(i), m.Row(0))
			}
		}},
	}
}

// kindsFor returns the kinds for matrices of order n: all, or where n is large
// every third, which one by n.
func kindsFor[W wide](n int) (some []kind[W]) {
	for i, k := range kinds[W]() {
		if n <= 33 || (i+n)%3 == 0 {
			some = append(some, k)
		}
	}
	return some
}

// spectrum makes k values of f at the places x = 0 … 1.
func spectrum(f func(x, ulp float64) float64) func(int, float64) []float64 {
	return func(k int, ulp float64) []float64 {
		d := make([]float64, k)
		for i := range d {
			d[i] = f(float64(i)/float64(max(1, k-1)), ulp)
		}
		return d
	}
}

func pick(yes bool, a, b float64) float64 {
	if yes {
		return a
	}
	return b
}

func fillRandom[W wide](r *rand.Rand, m Matrix[W]) {
	for i := range m.Data {
		m.Data[i] = normal[W](r)
	}
}

// normal returns a normal number, or one with two normal parts.
func normal[W wide](r *rand.Rand) (v W) {
	switch v := any(&v).(type) {
	case *float64:
		*v = r.NormFloat64()
	case *complex128:
		*v = complex(r.NormFloat64(), r.NormFloat64())
	}
	return v
}

func randomMatrix[W wide](r *rand.Rand, rows, cols int) Matrix[W] {
	m := New[W](rows, cols)
	fillRandom(r, m)
	return m
}

// general returns an m × n matrix of the kind, and its singular values if known.
func (k kind[W]) general(r *rand.Rand, m, n int, ulp float64) (a Matrix[W], s []float64) {
	if k.spectrum == nil || m == 0 || n == 0 {
		a = New[W](m, n)
		if m > 0 && n > 0 {
			k.fill(r, a)
		}
		return a, nil
	}
	s = k.spectrum(min(m, n), ulp)
	u, v := orthogonal[W](r, m, len(s)), orthogonal[W](r, n, len(s))
	return product(scaleColumns(u, s), adjoint(v)), s
}

// hermitian returns a Hermitian matrix of the kind, and its eigenvalues,
// decreasing, if known: those of a spectrum with every other sign changed.
func (k kind[W]) hermitian(r *rand.Rand, n int, ulp float64) (a Matrix[W], values []float64) {
	if k.spectrum == nil || n == 0 {
		g, _ := k.general(r, n, n, ulp)
		return combine(1, g, 1, adjoint(g)), nil
	}
	values = k.spectrum(n, ulp)
	for i := range values {
		if i%2 == 1 {
			values[i] = -values[i]
		}
	}
	a = congruent[W](r, values)
	slices.Sort(values)
	slices.Reverse(values)
	return a, values
}

// congruent returns Q diag(d) Qᴴ with a random unitary Q.
func congruent[W wide](r *rand.Rand, d []float64) Matrix[W] {
	q := orthogonal[W](r, len(d), len(d))
	return hermitian(product(scaleColumns(q, d), adjoint(q)))
}

// orthogonal returns the first k columns of a random unitary matrix of order
// n ≥ k: a product of k Householder reflections with random normals.
func orthogonal[W wide](r *rand.Rand, n, k int) Matrix[W] {
	q := New[W](n, k)
	for i := range k {
		q.Set(i, i, 1)
	}
	v, sums := make([]W, n), make([]W, k)
	for range k {
		square := 0.0
		for i := range v {
			v[i] = normal[W](r)
			re, im := parts(v[i])
			square += re*re + im*im
		}
		clear(sums)
		for i, x := range v {
			for j, y := range q.Row(i) {
				sums[j] += conjugated(x) * y
			}
		}
		for i, x := range v {
			factor := fromReal[W](2/square) * x
			for j, y := range sums {
				q.Data[i*k+j] -= factor * y
			}
		}
	}
	return q
}

func conjugated[T Scalar](v T) T {
	s := [1]T{v}
	conjugate(s[:])
	return s[0]
}

type shape struct{ rows, cols int }

// sizes holds the orders of square matrices: the smallest, and the neighbours
// of the block sizes in use.
var sizes = []int{0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 100}

// generalShapes returns squares, n = d ± 1, rows, columns, tall and wide ones,
// in a random order, so that a reused object grows and shrinks.
func generalShapes(r *rand.Rand) (s []shape) {
	for _, n := range sizes {
		s = append(s, shape{n, n})
	}
	for _, n := range []int{1, 2, 32, 64} {
		s = append(s, shape{n + 1, n}, shape{n, n + 1})
	}
	s = append(s, shape{65, 1}, shape{1, 65}, shape{3, 0}, shape{0, 3}, shape{300, 40}, shape{40, 300})
	return shortened(r, s, func(s shape) int { return max(s.rows, s.cols) })
}

func squareSizes(r *rand.Rand) []int {
	return shortened(r, slices.Clone(sizes), func(n int) int { return n })
}

// shortened shuffles s and leaves out what is too large for -short, or for
// instrumented code, which TestConcurrent gives larger matrices.
func shortened[S any](r *rand.Rand, s []S, size func(S) int) []S {
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	most := math.MaxInt
	if testing.Short() {
		most = 40
	}
	if sanitizer.On {
		most = 31
	}
	s = slices.DeleteFunc(s, func(e S) bool { return size(e) > most })
	return s
}

// scalesFor returns the scales for a matrix of order n of kind k, and those near
// the ends of T's range where nothing in the matrix is above 3. Larger matrices
// meet 1 and one of the others.
func scalesFor[T Scalar, W wide](k kind[W], n int) []float64 {
	s := scales[T]()
	switch {
	case n > 33:
		s = []float64{s[0], s[1+len(k.name)%2]}
	case k.spectrum == nil:
	case isSingle[T]():
		s = append(s, 1e-36, 1e36)
	default:
		s = append(s, 1e-306, 1e306)
	}
	return s
}

// scales returns the factors for every test matrix: far from 1, with squares
// beyond the range of T.
func scales[T Scalar]() []float64 {
	if isSingle[T]() {
		return []float64{1, 1e-15, 1e15}
	}
	return []float64{1, 1e-150, 1e150}
}
