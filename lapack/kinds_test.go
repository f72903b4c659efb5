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
type kind struct {
	name     string
	spectrum func(k int, ulp float64) []float64
	fill     func(r *rand.Rand, m Matrix[float64])
}

var kinds = []kind{
	{name: "zero", spectrum: spectrum(func(float64, float64) float64 { return 0 })},
	{name: "orthogonal", spectrum: spectrum(func(float64, float64) float64 { return 1 })},
	{name: "arithmetic", spectrum: spectrum(func(x, ulp float64) float64 { return 1 - x*(1-ulp) })},
	{name: "geometric", spectrum: spectrum(func(x, ulp float64) float64 { return math.Pow(ulp, x) })},
	{name: "one large", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x == 0, 1, ulp) })},
	{name: "one small", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x == 1, ulp, 1) })},
	{name: "clustered", spectrum: spectrum(func(x, ulp float64) float64 { return pick(x < 0.5, 1, 0.5) * (1 - 100*x*ulp) })},
	{name: "tied", spectrum: spectrum(func(x, _ float64) float64 { return 3 - math.Floor(3*x) })}, // 3, 2, 1 and one 0
	{name: "identity", fill: func(_ *rand.Rand, m Matrix[float64]) {
		for i := range min(m.Rows, m.Cols) {
			m.Set(i, i, 1)
		}
	}},
	{name: "random", fill: fillRandom},
	{name: "offset 1e6", fill: func(r *rand.Rand, m Matrix[float64]) {
		fillRandom(r, m)
		for i := range m.Data {
			m.Data[i] += 1e6
		}
	}},
	{name: "constant column", fill: func(r *rand.Rand, m Matrix[float64]) {
		fillRandom(r, m)
		for i := range m.Rows {
			m.Set(i, m.Cols/2, 1)
		}
	}},
	{name: "dead and duplicate columns", fill: func(r *rand.Rand, m Matrix[float64]) {
		fillRandom(r, m)
		for i := range m.Rows {
			m.Set(i, m.Cols-1, m.At(i, 0))
			m.Set(i, m.Cols/2, 0)
		}
	}},
	{name: "equal rows", fill: func(r *rand.Rand, m Matrix[float64]) {
		fillRandom(r, m)
		for i := range m.Rows {
			copy(m.Row(i), m.Row(0))
		}
	}},
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

func fillRandom(r *rand.Rand, m Matrix[float64]) {
	for i := range m.Data {
		m.Data[i] = r.NormFloat64()
	}
}

func randomMatrix(r *rand.Rand, rows, cols int) Matrix[float64] {
	m := New[float64](rows, cols)
	fillRandom(r, m)
	return m
}

// general returns an m × n matrix of the kind, and its singular values if known.
func (k kind) general(r *rand.Rand, m, n int, ulp float64) (a Matrix[float64], s []float64) {
	if k.spectrum == nil || m == 0 || n == 0 {
		a = New[float64](m, n)
		if m > 0 && n > 0 {
			k.fill(r, a)
		}
		return a, nil
	}
	s = k.spectrum(min(m, n), ulp)
	u, v := orthogonal(r, m, len(s)), orthogonal(r, n, len(s))
	return product(scaleColumns(u, s), transpose(v)), s
}

// symmetric returns a symmetric matrix of the kind, and its eigenvalues,
// decreasing, if known: those of a spectrum with every other sign changed.
func (k kind) symmetric(r *rand.Rand, n int, ulp float64) (a Matrix[float64], values []float64) {
	if k.spectrum == nil || n == 0 {
		g, _ := k.general(r, n, n, ulp)
		return build(n, n, func(i, j int) float64 { return g.At(i, j) + g.At(j, i) }), nil
	}
	values = k.spectrum(n, ulp)
	for i := range values {
		if i%2 == 1 {
			values[i] = -values[i]
		}
	}
	a = congruent(r, values)
	slices.Sort(values)
	slices.Reverse(values)
	return a, values
}

// congruent returns Q diag(d) Qᵀ with a random orthogonal Q.
func congruent(r *rand.Rand, d []float64) Matrix[float64] {
	q := orthogonal(r, len(d), len(d))
	return symmetric(product(scaleColumns(q, d), transpose(q)))
}

// orthogonal returns the first k columns of a random orthogonal matrix of
// order n ≥ k: a product of k Householder reflections with random normals.
func orthogonal(r *rand.Rand, n, k int) Matrix[float64] {
	q := New[float64](n, k)
	for i := range k {
		q.Set(i, i, 1)
	}
	v, sums := make([]float64, n), make([]float64, k)
	for range k {
		square := 0.0
		for i := range v {
			v[i] = r.NormFloat64()
			square += v[i] * v[i]
		}
		clear(sums)
		for i, x := range v {
			for j, y := range q.Row(i) {
				sums[j] += x * y
			}
		}
		for i, x := range v {
			for j, y := range sums {
				q.Data[i*k+j] -= 2 / square * x * y
			}
		}
	}
	return q
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
// the ends of T's range where nothing in the matrix is above 3.
func scalesFor[T Scalar](k kind, n int) []float64 {
	s := scales[T]()
	switch {
	case k.spectrum == nil || n > 33:
	case ulp[T]() == 0x1p-23:
		s = append(s, 1e-36, 1e36)
	default:
		s = append(s, 1e-306, 1e306)
	}
	return s
}

// scales returns the factors for every test matrix: far from 1, with squares
// beyond the range of T.
func scales[T Scalar]() []float64 {
	if ulp[T]() == 0x1p-23 {
		return []float64{1, 1e-15, 1e15}
	}
	return []float64{1, 1e-150, 1e150}
}
