package svcca_test

import (
	"math"
	"math/big"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// newRand returns the tests' source of random numbers: same seed, same data.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 13)) }

// normal returns n × k independent normal numbers.
func normal(rng *rand.Rand, n, k int) *mat.Dense {
	m := mat.NewDense(n, k, nil)
	for i := range n {
		for j := range k {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

// orthonormalised returns an orthonormal basis of m's columns, their means taken
// away first where centred: Gram and Schmidt, twice.
func orthonormalised(m *mat.Dense, centred bool) *mat.Dense {
	n, k := m.Dims()
	q := mat.NewDense(k, n, nil) // by rows, which are slices
	for j := range k {
		v := q.RawRowView(j)
		mat.Col(v, j, m)
		for range 2 {
			if centred {
				mean := 0.0
				for _, x := range v {
					mean += x / float64(n)
				}
				for i := range v {
					v[i] -= mean
				}
			}
			for h := range j {
				floats.AddScaled(v, -floats.Dot(v, q.RawRowView(h)), q.RawRowView(h))
			}
			floats.Scale(1/floats.Norm(v, 2), v)
		}
	}
	return mat.DenseCopyOf(q.T())
}

func rotation(rng *rand.Rand, d int) *mat.Dense { return orthonormalised(normal(rng, d, d), false) }

// compose returns U diag(s) Vᵀ as values row by row, U n × len(s) and V
// d × len(s).
func compose(u *mat.Dense, s []float64, v mat.Matrix) []float64 {
	var m mat.Dense
	us := mat.DenseCopyOf(u)
	us.Apply(func(_, j int, x float64) float64 { return x * s[j] }, us)
	m.Mul(us, v.T())
	return m.RawMatrix().Data
}

// related returns two layers of n datapoints with given singular values, √n
// times them, as many as there are neurons or as n allows, and subspaces at
// random angles.
func related(rng *rand.Rand, n int, sx, sy []float64, dx, dy int) (x, y data) {
	sx, sy = sx[:min(len(sx), n-1)], sy[:min(len(sy), n-1)]
	u := orthonormalised(normal(rng, n, len(sx)), true)
	near := normal(rng, n, len(sy))
	for i := range n {
		for j := range len(sy) {
			noise := 0.05 + 0.6*float64(j)/float64(len(sy))
			value := near.At(i, j) * noise / math.Sqrt(float64(n))
			if j < len(sx) {
				value += u.At(i, len(sx)-1-j)
				value += 0.5 * u.At(i, j)
			}
			near.Set(i, j, value)
		}
	}
	w := orthonormalised(near, true)
	times := func(s []float64) []float64 {
		t := make([]float64, len(s))
		for i := range s {
			t[i] = s[i] * math.Sqrt(float64(n))
		}
		return t
	}
	x = data{name: "x", n: n, d: dx, values: compose(u, times(sx), rotation(rng, dx).Slice(0, dx, 0, len(sx)))}
	y = data{name: "y", n: n, d: dy, values: compose(w, times(sy), rotation(rng, dy).Slice(0, dy, 0, len(sy)))}
	return x, y
}

// graded returns k values from 1 down to last, evenly in logarithms.
func graded(k int, last float64) []float64 {
	s := make([]float64, k)
	for i := range s {
		s[i] = math.Pow(last, float64(i)/float64(max(1, k-1)))
	}
	return s
}

// mapped returns l with every value replaced.
func (l data) mapped(f func(i, j int, v float64) float64) data {
	values := make([]float64, len(l.values))
	for i := range l.n {
		for j := range l.d {
			values[i*l.d+j] = f(i, j, l.at(i, j))
		}
	}
	l.values = values
	return l
}

func (l data) plus(offset float64) data {
	return l.mapped(func(_, _ int, v float64) float64 { return v + offset })
}

func (l data) times(factor float64) data {
	return l.mapped(func(_, _ int, v float64) float64 { return v * factor })
}

// narrowed rounds to float32 and is stored as such.
func (l data) narrowed() data {
	l = l.mapped(func(_, _ int, v float64) float64 { return float64(float32(v)) })
	l.float32 = true
	return l
}

// hadamard returns Sylvester's matrix of order n, a power of two: entries ±1,
// orthogonal columns, all but the first of mean 0.
func hadamard(n int) [][]float64 {
	h := [][]float64{{1}}
	for len(h) < n {
		next := make([][]float64, 0, 2*len(h))
		for _, sign := range []float64{1, -1} {
			for _, row := range h {
				wide := append([]float64{}, row...)
				for _, v := range row {
					wide = append(wide, sign*v)
				}
				next = append(next, wide)
			}
		}
		h = next
	}
	return h
}

// triples are of Pythagoras: c = √(a² + b²), a/c distinct; lcm is a multiple of
// every c.
var triples = [][3]float64{{3, 4, 5}, {5, 12, 13}, {15, 8, 17}, {7, 24, 25}}

const (
	triplesMultiple = 5 * 5 * 13 * 17
	exactNorm       = triplesMultiple * 4 * 2 // of Hadamard columns, 16 rows, after a rotation times 2
)

// pythagorean returns two layers of 16 datapoints × 4 neurons in integers, whose
// singular values are exactly exactNorm times sx and sy (decreasing integers, or
// with few bits) and whose correlations are exactly a/c of the triples, the
// neurons turned by a Hadamard matrix of order 4.
func pythagorean(nameX, nameY string, sx, sy []float64) (x, y data, rho column) {
	const n, d = 16, 4
	h, turn := hadamard(n), hadamard(d)
	ux, uy := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	for j, t := range triples {
		for i := range n {
			a, b := h[i][1+j], h[i][1+d+j]
			ux.Set(i, j, triplesMultiple*a)
			uy.Set(i, j, triplesMultiple/t[2]*(t[0]*a+t[1]*b))
		}
		rho = append(rho, new(big.Float).SetPrec(oracleBits).Quo(number(t[0]), number(t[2])))
	}
	v := mat.NewDense(d, d, nil)
	v.Apply(func(i, j int, _ float64) float64 { return turn[i][j] }, v)
	x = data{name: nameX, n: n, d: d, values: compose(ux, sx, v)}
	y = data{name: nameY, n: n, d: d, values: compose(uy, sy, v)}
	return x, y, rho
}
