// Package bench makes the data that the benchmarks and the comparison with
// peers (bench/peers) run on, and holds what their processes tell each other.
package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Spectrum is the shape of a layer's singular values s_0 > s_1 > …, up to a
// common factor. The number kept, k, is that at 99% of the variance.
type Spectrum int

const (
	// Steep falls as exp(−i/52): k is 120 of 512 neurons at
	// 20000 datapoints (119 at 4000).
	Steep Spectrum = iota
	// Flat runs linearly from 1 to flatEnd: k is 459 of 512 neurons at
	// 20000 datapoints (454 at 4000).
	Flat
	// Middle falls as exp(−i/109): k is 249 of 512 neurons at
	// 10000 datapoints (247 at 4000).
	Middle
)

// flatEnd is where Flat ends. An end of 0.55 would keep k = 502.
const flatEnd = 0.15

// Spectra are all of them, in the order that tables list them.
var Spectra = []Spectrum{Steep, Middle, Flat}

// String returns the spectrum's name as benchmarks and tables print it.
func (s Spectrum) String() string {
	switch s {
	case Steep:
		return "steep"
	case Flat:
		return "flat"
	case Middle:
		return "middle"
	}
	return fmt.Sprintf("Spectrum(%d)", int(s))
}

// value returns s_i of d.
func (s Spectrum) value(i, d int) float64 {
	switch s {
	case Flat:
		return 1 - (1-flatEnd)*float64(i)/float64(max(d-1, 1))
	case Middle:
		return math.Exp(-float64(i) / 109)
	}
	return math.Exp(-float64(i) / 52)
}

// scales returns the d values of s, and the root mean square of a neuron whose
// layer has them.
func (s Spectrum) scales(d int) (values []float64, sigma float64) {
	values = make([]float64, d)
	var variance float64
	for i := range values {
		values[i] = s.value(i, d)
		variance += values[i] * values[i] / float64(d)
	}
	return values, math.Sqrt(variance)
}

// Pair returns two layers of n datapoints × d neurons, row by row: the data of
// workload W1 at n = 20000, d = 512. Equal arguments give equal bits.
//
// A row of x is z·diag(s)·Vᵀ plus the neurons' means, where z is Gaussian and V
// orthogonal, so the singular values are √n·s_i up to the sampling of z. y has
// the same spectrum, a rotation and means of its own, and z_i·cos θ_i + w_i·sin θ_i
// in place of z_i, with w independent of z. The angles fill (0, π/2) evenly
// whichever k leading directions are kept, so ρ runs from nearly 1 down to what
// n datapoints show by chance. Means are 0.5 to 2 standard deviations above
// zero, as behind a rectifier.
//
// Cost O(n·d·log d), under a second for W1.
func Pair(spectrum Spectrum, n, d int, seed uint64) (x, y []float32) {
	x, y = make([]float32, 0, n*d), make([]float32, 0, n*d)
	rows := newPairRows(spectrum, d, seed)
	for range n {
		x, y = rows.appendNext(x, y)
	}
	return x, y
}

// pairRows makes the rows of a pair, one after the other.
type pairRows struct {
	rng          *rand.Rand
	scale        []float64
	cosine, sine []float64
	vx, vy       rotation
	meanX, meanY []float64
	rowX, rowY   []float64
}

func newPairRows(spectrum Spectrum, d int, seed uint64) *pairRows {
	p := &pairRows{
		rng:    rand.New(rand.NewPCG(seed, uint64(spectrum))),
		cosine: make([]float64, d), sine: make([]float64, d),
		rowX: make([]float64, d), rowY: make([]float64, d),
	}
	var sigma float64
	p.scale, sigma = spectrum.scales(d)
	for i := range d {
		p.sine[i], p.cosine[i] = angle(i, 0)
	}
	p.vx, p.vy = newRotation(d, p.rng), newRotation(d, p.rng)
	p.meanX, p.meanY = means(d, sigma, p.rng), means(d, sigma, p.rng)
	return p
}

// appendNext appends the next row of x and of y.
func (p *pairRows) appendNext(x, y []float32) (_, _ []float32) {
	for i, scale := range p.scale {
		z, w := p.rng.NormFloat64(), p.rng.NormFloat64()
		p.rowX[i] = scale * z
		p.rowY[i] = scale * (p.cosine[i]*z + p.sine[i]*w)
	}
	p.vx.apply(p.rowX)
	p.vy.apply(p.rowY)
	for j := range p.scale {
		x = append(x, float32(p.rowX[j]+p.meanX[j]))
		y = append(y, float32(p.rowY[j]+p.meanY[j]))
	}
	return x, y
}

// angle returns sine and cosine of the angle of direction i, an angle in
// (0, π/2). Those of every prefix are evenly spread. A shift in [0, 1) turns all
// of them by that share of the range, round its end.
func angle(i int, shift float64) (sine, cosine float64) {
	_, fraction := math.Modf(float64(i+1)*math.Phi + shift)
	return math.Sincos(fraction * math.Pi / 2)
}

// means returns d means between 0.5 and 2 times sigma.
func means(d int, sigma float64, rng *rand.Rand) []float64 {
	m := make([]float64, d)
	for j := range m {
		m[j] = sigma * (0.5 + 1.5*rng.Float64())
	}
	return m
}

// rotation is an orthogonal map as a network of plane rotations: one stage for
// each power of two below d turns the coordinates j and j + power, so that after
// the last every output depends on every input. Unlike a product with a dense
// matrix it is cheap, and its bits depend on no BLAS.
type rotation []plane

// plane is a rotation of coordinates i and j.
type plane struct {
	i, j         int
	cosine, sine float64
}

func newRotation(d int, rng *rand.Rand) rotation {
	var r rotation
	for step := 1; step < d; step *= 2 {
		for i := range d {
			if j := i ^ step; i < j && j < d {
				// An eighth to three eighths of π: no plane leaves its coordinates nearly alone.
				sine, cosine := math.Sincos(math.Pi / 8 * (1 + 2*rng.Float64()))
				r = append(r, plane{i, j, cosine, sine})
			}
		}
	}
	return r
}

// apply replaces row by its image.
func (r rotation) apply(row []float64) {
	for _, p := range r {
		a, b := row[p.i], row[p.j]
		row[p.i] = p.cosine*a - p.sine*b
		row[p.j] = p.sine*a + p.cosine*b
	}
}
