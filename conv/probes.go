package conv

import (
	"math"
	"math/cmplx"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/fftw"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// probes measure what transforms and products in float32 lose. While an image is still in
// float64 its columns are added up under a few random signs r, which leaves a map of one
// channel for each; its transform at a frequency is Z·r, in float64, for next to nothing.
// For two of them, E|rᵀEr'|² = ‖E‖_F² with E the error of a block's products.
type probes struct {
	*side
	signs []float64 // columns × probeCount
	plan  *fftw.Forward[float64, complex128]
	rows  int
	// values are, by block and image of a batch, √w and Z·r; sums their products.
	values []complex128
	sums   []lapack.Matrix[complex128]
	maps   [][]float64 // by worker, as are spectra
	places [][]complex128
}

const (
	probeCount = 4
	// probeSafety is for what few of them may miss.
	probeSafety = 2
)

// newProbes prepares for so many images at once of s.
func newProbes(c crew.Crew, s *side, rows, blocks int) (*probes, error) {
	p := &probes{side: s, rows: rows, signs: make([]float64, s.columns*probeCount)}
	rng := rand.New(rand.NewPCG(uint64(s.columns), probeCount))
	for j := range p.signs {
		p.signs[j] = float64(2*rng.IntN(2) - 1)
	}
	var err error
	p.plan, err = fftw.NewForward[float64, complex128](
		fftw.Axis{Length: s.lengthH, In: s.lengthW * probeCount, Out: (s.lengthW/2 + 1) * probeCount},
		fftw.Axis{Length: s.lengthW, In: probeCount, Out: probeCount},
		fftw.Axis{Length: probeCount, In: 1, Out: 1},
	)
	if err != nil {
		return nil, s.wrap(err)
	}
	p.values = make([]complex128, rows*blocks*(1+probeCount))
	for range blocks {
		p.sums = append(p.sums, lapack.New[complex128](1+probeCount, 1+probeCount))
	}
	for range c.Workers {
		p.maps = append(p.maps, make([]float64, s.lengthH*s.lengthW*probeCount))
		p.places = append(p.places, make([]complex128, s.spectrum()*probeCount))
	}
	return p, nil
}

// of returns the first rows of a block.
func (p *probes) of(block, rows int) lapack.Matrix[complex128] {
	at := block * p.rows * (1 + probeCount)
	return lapack.Of(rows, 1+probeCount, p.values[at:at+rows*(1+probeCount)])
}

// fill takes up the i-th image of a batch.
func (p *probes) fill(i, worker int, image []float64, root float64) {
	sums, spectrum := p.maps[worker], p.places[worker]
	p.under(sums, image)
	p.plan.Execute(spectrum, sums)
	for at := range p.sums {
		if p.in(at) == 0 {
			continue
		}
		to := p.values[(at*p.rows+i)*(1+probeCount):][:1+probeCount]
		to[0] = complex(root, 0)
		copy(to[1:], spectrum[p.place(at)/p.columns*probeCount:][:probeCount])
	}
}

// under sets sums to the columns of an image, added up under each vector of signs.
func (p *probes) under(sums, image []float64) {
	signs, to := lapack.Of(p.columns, probeCount, p.signs), lapack.Of(p.lengthH*p.lengthW, probeCount, sums)
	if p.stepH*p.stepW == 1 {
		if p.layout == NHWC {
			lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, lapack.Of(to.Rows, p.channels, image), signs, 0, to)
		} else {
			lapack.Gemm(blas.Trans, blas.NoTrans, 1, lapack.Of(p.channels, to.Rows, image), signs, 0, to)
		}
		return
	}
	clear(sums)
	row, column, channel := p.strides()
	for a := range p.height {
		for b := range p.Maps.width {
			phase := (a%p.stepH*p.stepW + b%p.stepW) * p.channels
			to := to.Row(a/p.stepH*p.lengthW + b/p.stepW)
			for k := range p.channels {
				v := image[a*row+b*column+k*channel]
				for q, sign := range signs.Row(phase + k) {
					to[q] += v * sign
				}
			}
		}
	}
}

// add adds the products of a batch.
func (p *probes) add(at, rows int) {
	if p.in(at) > 0 {
		lapack.Herk(blas.ConjTrans, 1, p.of(at, rows), 1, p.sums[at])
	}
}

// errors estimates the Frobenius norm and the trace of the error of a block's centred
// products. The trace is what sums of one sign lose, time and again in one direction.
func (p *probes) errors(at int, gram lapack.Matrix[complex128]) (norm, trace float64) {
	exact := p.sums[at]
	total := exact.At(0, 0)
	signs := lapack.Of(p.columns, probeCount, p.signs)
	mapped := make([][probeCount]complex128, gram.Rows) // G·r of each
	for i := range gram.Rows {
		to, own := &mapped[i], (*[probeCount]float64)(signs.Row(i))
		for j, v := range gram.Row(i)[i:] {
			re, im := real(v), imag(v)
			for q, sign := range (*[probeCount]float64)(signs.Row(i + j)) {
				to[q] += complex(re*sign, im*sign)
			}
			if j > 0 {
				other := &mapped[i+j]
				for q, sign := range own {
					other[q] += complex(re*sign, -im*sign)
				}
			}
		}
	}
	var squares float64
	for q := range probeCount {
		for r := q; r < probeCount; r++ {
			e := cmplx.Conj(exact.At(0, 1+q))*exact.At(0, 1+r)/total - exact.At(1+q, 1+r)
			for i := range mapped {
				e += complex(signs.At(i, q), 0) * mapped[i][r]
			}
			if r == q {
				trace += real(e) / probeCount
			} else {
				squares += squared(e)
			}
		}
	}
	return probeSafety * math.Sqrt(squares/(probeCount*(probeCount-1)/2)), math.Abs(trace)
}
