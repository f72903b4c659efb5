package fftw

import (
	"math"
	"math/big"
	"math/cmplx"
)

// This file holds the transforms by their definition: in 160 bits, rounded once,
// and in float64 for many small images.

const bitsOfSums = 160

func number() *big.Float { return new(big.Float).SetPrec(bitsOfSums) }

// tau is 2π, from the 60 decimals of π that every table has.
var tau = func() *big.Float {
	pi, _, err := big.ParseFloat("3.141592653589793238462643383279502884197169399375105820974945", 10, bitsOfSums, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return pi.Mul(pi, number().SetInt64(2))
}()

type bigComplex struct{ re, im *big.Float }

func fromComplex(z complex128) bigComplex {
	return bigComplex{number().SetFloat64(real(z)), number().SetFloat64(imag(z))}
}

// addProduct adds a·b to z.
func (z bigComplex) addProduct(a, b bigComplex) {
	p := number()
	z.re.Add(z.re, p.Mul(a.re, b.re))
	z.re.Sub(z.re, p.Mul(a.im, b.im))
	z.im.Add(z.im, p.Mul(a.re, b.im))
	z.im.Add(z.im, p.Mul(a.im, b.re))
}

// roots returns exp(sign·2πi k/n) for 0 ≤ k < n, by the power series: 60 terms
// leave (2π)⁶⁰/60! < 2⁻¹¹¹.
func roots(sign, n int) []bigComplex {
	table := make([]bigComplex, n)
	for k := range table {
		angle := number().Mul(tau, number().Quo(number().SetInt64(int64(sign*k)), number().SetInt64(int64(n))))
		term, sums := number().SetInt64(1), [4]*big.Float{number(), number(), number(), number()}
		for m := range 60 {
			sums[m%4].Add(sums[m%4], term)
			term.Mul(term, angle).Quo(term, number().SetInt64(int64(m+1)))
		}
		table[k] = bigComplex{sums[0].Sub(sums[0], sums[2]), sums[1].Sub(sums[1], sums[3])}
	}
	return table
}

// exactSums returns y[q] = Σ_p x[p·step] root[pq mod n] for q < count, where x has
// n terms.
func exactSums(x []bigComplex, step int, root []bigComplex, count int) []bigComplex {
	y := make([]bigComplex, count)
	for q := range y {
		y[q] = fromComplex(0)
		for p := range root {
			y[q].addProduct(x[p*step], root[p*q%len(root)])
		}
	}
	return y
}

func exactForward(h, w int, x []float64) []complex128 {
	wide := make([]bigComplex, len(x))
	for i, v := range x {
		wide[i] = fromComplex(complex(v, 0))
	}
	k := half(w)
	alongRows := make([]bigComplex, 0, h*k)
	root := roots(-1, w)
	for i := range h {
		alongRows = append(alongRows, exactSums(wide[i*w:], 1, root, k)...)
	}
	z := make([]complex128, h*k)
	root = roots(-1, h)
	for v := range k {
		for u, s := range exactSums(alongRows[v:], k, root, h) {
			re, _ := s.re.Float64()
			im, _ := s.im.Float64()
			z[u*k+v] = complex(re, im)
		}
	}
	return z
}

func exactInverse(h, w int, z []complex128) []float64 {
	k := half(w)
	wide := make([]bigComplex, h*w) // columns from k on stay 0
	root := roots(1, h)
	for v := range w {
		column := make([]bigComplex, h)
		for u := range column {
			column[u] = fromComplex(0)
			if v < k {
				column[u] = fromComplex(z[u*k+v] * complex(multiplicity(v, w), 0))
			}
		}
		for i, s := range exactSums(column, 1, root, h) {
			wide[i*w+v] = s
		}
	}
	x := make([]float64, 0, h*w)
	root = roots(1, w)
	for i := range h {
		for _, s := range exactSums(wide[i*w:], 1, root, w) {
			re, _ := s.re.Float64()
			x = append(x, re)
		}
	}
	return x
}

// multiplicity is m_v of the package's documentation.
func multiplicity(v, w int) float64 {
	if v == 0 || 2*v == w {
		return 1
	}
	return 2
}

// plainForward and plainInverse are the definition in float64.
func plainForward(h, w int, x []float64) []complex128 {
	z := make([]complex128, h*half(w))
	for u := range h {
		for v := range half(w) {
			for i := range h {
				for j := range w {
					z[u*half(w)+v] += complex(x[i*w+j], 0) * cis(-1, u*i, h) * cis(-1, v*j, w)
				}
			}
		}
	}
	return z
}

func plainInverse(h, w int, z []complex128) []float64 {
	x := make([]float64, h*w)
	for i := range h {
		for j := range w {
			for u := range h {
				for v := range half(w) {
					x[i*w+j] += multiplicity(v, w) * real(z[u*half(w)+v]*cis(1, u*i, h)*cis(1, v*j, w))
				}
			}
		}
	}
	return x
}

func cis(sign, k, n int) complex128 {
	return cmplx.Rect(1, float64(sign)*2*math.Pi*float64(k%n)/float64(n))
}
