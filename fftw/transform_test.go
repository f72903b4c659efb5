package fftw

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
)

// shapes are 1, even, odd, prime, products of small primes, and rectangles of
// each. 37 and 61 are beyond FFTW's own codelets for primes.
var shapes = [][2]int{
	{1, 1}, {1, 2}, {2, 1}, {1, 3}, {3, 1}, {2, 2}, {1, 5}, {5, 1}, {3, 4}, {4, 3}, {4, 4}, {5, 5}, {1, 16}, {16, 1},
	{6, 10}, {7, 7}, {8, 8}, {9, 15}, {12, 5}, {13, 11}, {14, 14}, {16, 16}, {2, 31}, {31, 2}, {17, 19}, {24, 8}, {28, 28},
	{1, 61}, {61, 1}, {37, 3}, {3, 37}, {32, 32}, {64, 48},
}

func TestExactSum(t *testing.T) {
	single := exactCases[float32](t, 1e-15, 1, 1e15)
	double := exactCases[float64](t, 1e-150, 1, 1e150)
	onAll(t,
		func(t *testing.T, b *backend[float32, complex64]) { testExactSum(t, b, single) },
		func(t *testing.T, b *backend[float64, complex128]) { testExactSum(t, b, double) })
}

// exactCase is an image with its spectrum and a spectrum with its image.
type exactCase struct {
	where           string
	h, w            int
	image, imageOf  []float64
	spectrum, given []complex128
}

// exactCases are the same for every backend: the sums take far longer than any
// transform, and longest in instrumented builds, which leave large ones out.
func exactCases[R Real](t *testing.T, scales ...float64) (all []exactCase) {
	r, limit := newRand(t), 1024
	if sanitizer.On || testing.Short() {
		limit = 150
	}
	for _, s := range shapes {
		h, w := s[0], s[1]
		for _, scale := range scales {
			if h*w > limit || h*w > 400 && scale != 1 {
				continue
			}
			c := exactCase{where: fmt.Sprintf("%d × %d, scale %g", h, w, scale), h: h, w: w}
			c.image, c.given = random[R](r, h*w, scale), randomSpectrum[R](r, h*half(w), scale)
			c.spectrum, c.imageOf = exactForward(h, w, c.image), exactInverse(h, w, c.given)
			all = append(all, c)
		}
	}
	return all
}

func testExactSum[R Real, C Complex](t *testing.T, b *backend[R, C], cases []exactCase) {
	ratios := newRatios(t)
	for _, c := range cases {
		ratios.add("forward", c.where, distances(forward(b, c.h, c.w, c.image), c.spectrum), unit[R](c.h, c.w)*norms(c.spectrum))
		ratios.add("inverse", c.where, distance(inverse(b, c.h, c.w, c.given), c.imageOf), unit[R](c.h, c.w)*norm(c.imageOf))
	}
}

func TestTheorems(t *testing.T) {
	onAll(t, testTheorems[float32, complex64], testTheorems[float64, complex128])
}

// testTheorems holds transforms against each other. Results are in R, so what is
// put back into a transform is exact.
func testTheorems[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	r, ratios := newRand(t), newRatios(t)
	for _, s := range shapes {
		h, w := s[0], s[1]
		size, where := float64(h*w), fmt.Sprintf("%d × %d", h, w)
		unit := max(unit[R](h, w), ulp[R]()) // sums and products here round, too
		x, y := random[R](r, h*w, 1), random[R](r, h*w, 1)
		fx, fy := forward(b, h, w, x), forward(b, h, w, y)

		// Parseval. The relative error of a square is twice that of the norm.
		energy := 0.0
		for i, z := range fx {
			energy += multiplicity(i%half(w), w) * (real(z)*real(z) + imag(z)*imag(z))
		}
		ratios.add("Parseval", where, math.Abs(energy-size*norm(x)*norm(x)), 2*unit*energy)

		// There and back is gh·gw times the same; two transforms err.
		back := inverse(b, h, w, fx)
		scaled := make([]float64, len(x))
		for i := range x {
			scaled[i] = size * x[i]
		}
		ratios.add("round trip", where, distance(back, scaled), 2*unit*norm(scaled))

		// Linearity, with factors that keep sums exact in R.
		sum, want := make([]float64, len(x)), make([]complex128, len(fx))
		for i := range sum {
			sum[i] = float64(R(2*x[i] - 0.5*y[i]))
		}
		for i := range want {
			want[i] = 2*fx[i] - 0.5*fy[i]
		}
		ratios.add("linearity", where, distances(forward(b, h, w, sum), want), 3*unit*(2*norms(fx)+0.5*norms(fy)))

		// A cyclic shift by (p, q) turns X[u, v] by exp(−2πi(up/h + vq/w)).
		p, q := h/3+1, w/2+1
		shifted := make([]float64, len(x))
		for i := range h {
			for j := range w {
				shifted[(i+p)%h*w+(j+q)%w] = x[i*w+j]
			}
		}
		for u := range h {
			for v := range half(w) {
				want[u*half(w)+v] = fx[u*half(w)+v] * cis(-1, u*p, h) * cis(-1, v*q, w)
			}
		}
		ratios.add("shift", where, distances(forward(b, h, w, shifted), want), 2*unit*norms(fx))

		// Frequencies that are their own conjugates are real.
		for _, u := range []int{0, h / 2} {
			for _, v := range []int{0, w / 2} {
				if 2*u%h == 0 && 2*v%w == 0 {
					ratios.add("imaginary part of a real frequency", where, math.Abs(imag(fx[u*half(w)+v])), unit*norms(fx))
				}
			}
		}
	}
}

// TestConstant: whole numbers this small are summed without error by any order
// of additions, and the others cancel.
func TestConstant(t *testing.T) {
	onAll(t, testConstant[float32, complex64], testConstant[float64, complex128])
}

func testConstant[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	for _, s := range [][2]int{{1, 1}, {2, 2}, {4, 8}, {16, 16}} {
		h, w := s[0], s[1]
		x := make([]float64, h*w)
		for i := range x {
			x[i] = 3
		}
		want := make([]complex128, h*half(w))
		want[0] = complex(3*float64(h*w), 0)
		assert.Equal(t, want, forward(b, h, w, x))
		assert.Equal(t, x, inverse(b, h, w, append([]complex128{3}, make([]complex128, h*half(w)-1)...)))
	}
}
