package svcca_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The oracle is SVCCA from DEFINITIONS §2–4 on the exact values of a layer, in
// floating point of 320 bits whose exponent has no bound. It shares no code with
// what it judges: the SVD is Jacobi's, one-sided.

const oracleBits = 320

// column is a column vector, columns a matrix by columns.
type (
	column  []*big.Float
	columns []column
)

func number(x float64) *big.Float      { return new(big.Float).SetPrec(oracleBits).SetFloat64(x) }
func plus(a, b *big.Float) *big.Float  { return number(0).Add(a, b) }
func minus(a, b *big.Float) *big.Float { return number(0).Sub(a, b) }
func times(a, b *big.Float) *big.Float { return number(0).Mul(a, b) }
func over(a, b *big.Float) *big.Float  { return number(0).Quo(a, b) }
func root(a *big.Float) *big.Float     { return number(0).Sqrt(a) }
func absolute(a *big.Float) *big.Float { return number(0).Abs(a) }
func less(a, b *big.Float) bool        { return a.Cmp(b) < 0 }

// powerOfTwo returns a·2^e.
func powerOfTwo(a *big.Float, e int) *big.Float { return number(0).SetMantExp(a, e) }

func dot(a, b column) *big.Float {
	sum := number(0)
	for i := range a {
		sum = plus(sum, times(a[i], b[i]))
	}
	return sum
}

func total(a column) *big.Float {
	sum := number(0)
	for _, v := range a {
		sum = plus(sum, v)
	}
	return sum
}

func scaled(a column, by *big.Float) column {
	b := make(column, len(a))
	for i := range a {
		b[i] = times(a[i], by)
	}
	return b
}

// rotate replaces a by c·a − s·b and b by s·a + c·b.
func rotate(a, b column, c, s *big.Float) {
	for i := range a {
		a[i], b[i] = minus(times(c, a[i]), times(s, b[i])), plus(times(s, a[i]), times(c, b[i]))
	}
}

// jacobi returns a = Σ u_i s_i v_iᵀ, s decreasing, as many as a has columns;
// u_i is zero where s_i is. It rotates columns in pairs until all are orthogonal
// to 2^−280 of their norms. What is below 2^−250 of the whole is zero: no value
// made of float64 numbers of the tests is so small but for rounding.
func jacobi(a columns) (u columns, s column, v columns) {
	u, whole := make(columns, len(a)), number(0)
	v = make(columns, len(a))
	for j := range a {
		u[j] = slices.Clone(a[j])
		whole = plus(whole, dot(a[j], a[j]))
		v[j] = make(column, len(a))
		for i := range a {
			v[j][i] = number(0)
		}
		v[j][j] = number(1)
	}
	zero := powerOfTwo(whole, -500)
	for rotated := true; rotated; {
		rotated = false
		for q := range u {
			for p := range q {
				alpha, beta, gamma := dot(u[p], u[p]), dot(u[q], u[q]), dot(u[p], u[q])
				if !less(zero, alpha) || !less(zero, beta) || !less(powerOfTwo(times(alpha, beta), -560), times(gamma, gamma)) {
					continue
				}
				rotated = true
				zeta := over(minus(beta, alpha), powerOfTwo(gamma, 1))
				t := over(number(1), plus(absolute(zeta), root(plus(number(1), times(zeta, zeta)))))
				if zeta.Sign() < 0 {
					t.Neg(t)
				}
				c := over(number(1), root(plus(number(1), times(t, t))))
				rotate(u[p], u[q], c, times(c, t))
				rotate(v[p], v[q], c, times(c, t))
			}
		}
	}
	order := make([]int, len(u))
	square := make(column, len(u))
	for j := range u {
		order[j], square[j] = j, dot(u[j], u[j])
	}
	slices.SortStableFunc(order, func(i, j int) int { return square[j].Cmp(square[i]) })
	s = make(column, len(u))
	su, sv := make(columns, len(u)), make(columns, len(u))
	for to, from := range order {
		s[to], su[to], sv[to] = number(0), scaled(u[from], number(0)), v[from]
		if less(zero, square[from]) {
			s[to] = root(square[from])
			su[to] = scaled(u[from], over(number(1), s[to]))
		}
	}
	return su, s, sv
}

// setting is what of svcca.Options the oracle knows.
type setting struct {
	keep    string // as ParseKeep takes it
	tol     string // as ParseRankTol takes it
	none    bool   // centring none
	weights []float64
}

func (s setting) options(t testing.TB, accuracy float64) svcca.Options {
	keep, err := svcca.ParseKeep(s.keep)
	require.NoError(t, err)
	tol, err := svcca.ParseRankTol(s.tol)
	require.NoError(t, err)
	o := svcca.Options{Keep: keep, RankTol: tol, Weights: s.weights, Accuracy: accuracy}
	if s.none {
		o.Centering = svcca.CenterNone
	}
	return o
}

// data is a layer in memory, n × d.
type data struct {
	name    string
	n, d    int
	values  []float64
	float32 bool // the values are float32 numbers and are given as such
}

func (l data) at(i, j int) float64 { return l.values[i*l.d+j] }

func (l data) layer() svcca.Layer {
	if !l.float32 {
		return svcca.FromSlice(l.name, l.values, l.n, l.d)
	}
	narrow := make([]float32, len(l.values))
	for i, v := range l.values {
		narrow[i] = float32(v)
	}
	return svcca.FromSlice(l.name, narrow, l.n, l.d)
}

// oracleSide is a layer after the SV step: DEFINITIONS §2.
type oracleSide struct {
	s        column // all min(n, d)
	u, v     columns
	rank, k  int
	grew     bool
	constant int
}

func reduceByOracle(l data, o setting) oracleSide {
	n, d := float64(l.n), float64(l.d)
	weight := make(column, l.n)
	for i := range weight {
		weight[i] = number(1)
		if o.weights != nil {
			weight[i] = number(o.weights[i])
		}
	}
	allWeight := total(weight)
	noise := 10 * 0x1p-52
	if l.float32 {
		noise = 10 * 0x1p-23
	}
	r := oracleSide{}
	x, a := make(columns, l.d), make(column, l.d)
	for j := range x {
		stored := make(column, l.n)
		for i := range stored {
			stored[i] = number(l.at(i, j))
		}
		// a_j is a root of means of w·x², the mean Σw·x / Σw.
		a[j] = root(over(dot(stored, times2(stored, weight)), allWeight))
		mean := over(dot(stored, weight), allWeight)
		if o.none {
			mean = number(0)
		}
		x[j] = make(column, l.n)
		for i := range stored {
			x[j][i] = times(root(weight[i]), minus(stored[i], mean))
		}
		norm := root(dot(x[j], x[j]))
		if !less(times(number(noise), times(a[j], root(allWeight))), norm) {
			x[j] = scaled(x[j], number(0))
			r.constant++
		}
	}
	r.u, r.s, r.v = jacobi(x)
	r.s = r.s[:min(l.n, l.d)]

	if r.s[0].Sign() == 0 {
		return r
	}
	machine := times(number(max(n, d)*0x1p-52), r.s[0])
	perRow := root(over(allWeight, number(n))) // 1 without weights
	for i := range r.s {
		tau := machine
		var share float64
		switch {
		case o.tol == "storage" || o.tol == "float32":
			c := noise
			if o.tol == "float32" {
				c = 10 * 0x1p-23
			}
			along := times2(a, r.v[i])
			storage := times(times(number(c), plus(root(number(n)), root(number(d)))), times(perRow, root(dot(along, along))))
			if less(tau, storage) {
				tau = storage
			}
		case o.tol == "machine":
		case scan(o.tol, "%g", &share):
			tau = times(number(share), r.s[0])
		default:
			panic("oracle: rank tolerance " + o.tol)
		}
		if !less(tau, r.s[i]) {
			break
		}
		r.rank++
	}

	var share float64
	var count int
	counted := r.s
	switch {
	case o.keep == "rank":
		count = r.rank
	case scan(o.keep, "count(%d)", &count):
		count = min(count, r.rank)
	case scan(o.keep, "variance(%g)", &share), scan(o.keep, "sum(%g)", &share):
		if strings.HasPrefix(o.keep, "variance") {
			counted = times2(r.s, r.s)
		}
		wanted := times(number(share), total(counted))
		for count = 1; count < r.rank && less(total(counted[:count]), wanted); count++ {
		}
	default:
		panic("oracle: keep " + o.keep)
	}
	r.k = count
	for r.k > 0 && r.k < r.rank && !less(r.s[r.k], times(r.s[count-1], number(1-1e-8))) {
		r.k++
	}
	r.grew = r.k > count
	return r
}

// times2 returns the products of a's and b's elements.
func times2(a, b column) column {
	c := make(column, len(a))
	for i := range a {
		c[i] = times(a[i], b[i])
	}
	return c
}

func scan(text, format string, value any) bool {
	read, err := fmt.Sscanf(text, format, value)
	return read == 1 && err == nil
}

// oracleResult is a comparison: DEFINITIONS §3, 4.
type oracleResult struct {
	x, y                           oracleSide
	rho                            column
	mean, meanSquare               *big.Float
	weightedX, weightedY, weighted *big.Float
	pwccaX, pwccaY                 *big.Float
	chance                         float64
}

func compareByOracle(xData, yData data, o setting) oracleResult {
	return crossByOracle(reduceByOracle(xData, o), reduceByOracle(yData, o), xData.n, o)
}

func crossByOracle(x, y oracleSide, n int, o setting) oracleResult {
	r := oracleResult{x: x, y: y}
	m := min(x.k, y.k)
	M := make(columns, y.k) // M = U_xᵀ U_y
	for j := range M {
		M[j] = make(column, x.k)
		for i := range M[j] {
			M[j][i] = dot(x.u[i], y.u[j])
		}
	}
	p, rho, q := jacobi(M)
	r.rho = rho[:m]

	r.mean = over(total(r.rho), number(float64(m)))
	r.meanSquare = over(dot(r.rho, r.rho), number(float64(m)))
	rowNorm, columnNorm := make(column, x.k), make(column, y.k)
	for i := range rowNorm {
		rowNorm[i] = number(0)
		for j := range M {
			rowNorm[i] = plus(rowNorm[i], times(M[j][i], M[j][i]))
		}
		rowNorm[i] = root(rowNorm[i])
	}
	for j := range M {
		columnNorm[j] = root(dot(M[j], M[j]))
	}
	r.weightedX = over(dot(x.s[:x.k], rowNorm), total(x.s[:x.k]))
	r.weightedY = over(dot(y.s[:y.k], columnNorm), total(y.s[:y.k]))
	r.weighted = over(plus(r.weightedX, r.weightedY), number(2))
	r.pwccaX = projectionWeighted(r.rho, x, p)
	r.pwccaY = projectionWeighted(r.rho, y, q)

	space := float64(n - 1)
	if o.none {
		space = float64(n)
	}
	r.chance = float64(x.k) * float64(y.k) / (space * float64(m))
	return r
}

// projectionWeighted returns Σα_iρ_i/Σα_i, α_i = Σ_j |D[i, j]| with D = PᵀSVᵀ.
func projectionWeighted(rho column, l oracleSide, p columns) *big.Float {
	alpha := make(column, len(rho))
	for i := range rho {
		alpha[i] = number(0)
		for j := range l.v[0] {
			entry := number(0)
			for h := range l.k {
				entry = plus(entry, times(p[i][h], times(l.s[h], l.v[h][j])))
			}
			alpha[i] = plus(alpha[i], absolute(entry))
		}
	}
	return over(dot(alpha, rho), total(alpha))
}

// off returns |got − wanted|, rounded once, at the end.
func off(got float64, wanted *big.Float) float64 {
	f, _ := absolute(minus(number(got), wanted)).Float64()
	return f
}

func rounded(x *big.Float) float64 {
	f, _ := x.Float64()
	return f
}

// TestOracle checks the oracle by what is known without it: a Hadamard matrix's
// columns are orthogonal and its entries exact, so that s and ρ are too.
func TestOracle(t *testing.T) {
	x, y, rho := pythagorean("x", "y", []float64{4, 3, 2, 1}, []float64{8, 2, 2, 1})
	r := compareByOracle(x, y, setting{keep: "rank", tol: "storage"})
	tolerance := math.Ldexp(1, -250)
	slices.SortFunc(rho, func(a, b *big.Float) int { return b.Cmp(a) })
	require.Len(t, r.rho, len(rho))
	for i := range rho {
		assert.LessOrEqual(t, rounded(absolute(minus(r.rho[i], rho[i]))), tolerance, "ρ_%d is %v", i, r.rho[i])
	}
	sum := number(0)
	for i, s := range []float64{4, 3, 2, 1} {
		exact := times(number(s), number(exactNorm))
		assert.LessOrEqual(t, rounded(absolute(minus(r.x.s[i], exact))), tolerance*exactNorm, "s_%d is %v", i, r.x.s[i])
		sum = plus(sum, times(exact, exact))
	}
	// Reassemble a matrix of no structure from its parts.
	a := columns{{number(1), number(2), number(-3)}, {number(1e-30), number(5), number(0.1)}, {number(2), number(1e9), number(7)}, {number(3), number(4), number(4)}}
	u, s, v := jacobi(a)
	for j := range a {
		for i := range a[j] {
			entry := minus(number(0), a[j][i])
			for h := range s {
				entry = plus(entry, times(u[h][i], times(s[h], v[h][j])))
			}
			assert.LessOrEqual(t, rounded(absolute(entry)), tolerance*rounded(s[0]))
		}
	}
	assert.Zero(t, s[3].Sign(), "four columns of three rows")
}
