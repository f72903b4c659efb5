package svcca

import (
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// probes measure what products in float32 lose. Rounding is not all random: after
// one large row the squares of others vanish beside its own, and values of few
// levels round the same way again and again. So, while rows are still in float64,
// they are multiplied by a few vectors r of random signs: E = G − XᵀX is known by
// E·r. As E[r rᵀ] = I, the mean of ‖E·r‖² is ‖E‖_F², and that of (E·r · E·r')² for
// two of them the fourth power of the Schatten 4-norm, which lies between ‖E‖₂ and
// ‖E‖_F: near the first where E is like noise, and both where it has rank 1.
type probes struct {
	signs lapack.Matrix[float64] // d × probeCount
	// sums are Xᵀ[√w X·signs] by place of 32 rows in a block, and products those rows'
	// own: which goroutine reads them decides no bit.
	sums, products []lapack.Matrix[float64]
}

const (
	probeCount = 4
	// probeSafety is for what few vectors may miss.
	probeSafety = 2
)

// newProbes returns probes of d neurons in the memory given.
func newProbes(memory *[]float64, d, places int) *probes {
	const columns = 1 + probeCount
	all := take(memory, d+places*(d+chunkRows), columns)
	all.Zero()
	next := func(rows int) (m lapack.Matrix[float64]) {
		m = all.View(0, 0, rows, columns)
		all = all.View(rows, 0, all.Rows-rows, columns)
		return m
	}
	p := &probes{signs: next(d).View(0, 0, d, probeCount)}
	rng := rand.New(rand.NewPCG(uint64(d), probeCount))
	for i := range d {
		row := p.signs.Row(i)
		for q := range row {
			row[q] = float64(2*rng.IntN(2) - 1)
		}
	}
	for range places {
		p.sums, p.products = append(p.sums, next(d)), append(p.products, next(chunkRows))
	}
	return p
}

// add takes up rows at a place of a block, with their √w.
func (p *probes) add(place int, rows lapack.Matrix[float64], root func(i int) float64) {
	y := p.products[place].View(0, 0, rows.Rows, 1+probeCount)
	for i := range rows.Rows {
		y.Set(i, 0, root(i))
	}
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, rows, p.signs, 0, y.View(0, 1, rows.Rows, probeCount))
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, rows, y, 1, p.sums[place])
}

// total adds up the places. Column 0 is then Σ √w·v, in float64.
func (p *probes) total() lapack.Matrix[float64] {
	for _, s := range p.sums[1:] {
		addTo(p.sums[0], s)
	}
	return p.sums[0]
}

// errors estimate the norms of E for a Gram matrix of rows less rest, of which the
// upper triangle is there: sums are those of the rows before.
func (p *probes) errors(gram, sums lapack.Matrix[float64], weight float64, rest []float64) (spectral, frobenius float64) {
	d := gram.Rows
	e := make([][probeCount]float64, d) // E·r of each, by neurons
	for i := range d {
		to, signs := &e[i], (*[probeCount]float64)(p.signs.Row(i))
		for j, v := range gram.Row(i)[i:] {
			from, other := (*[probeCount]float64)(p.signs.Row(i+j)), &e[i+j]
			for q, sign := range from {
				to[q] += v * sign
			}
			if j > 0 {
				for q, sign := range signs {
					other[q] += v * sign
				}
			}
		}
	}
	for q := range probeCount {
		along := 0.0
		for j, r := range rest {
			along += r * p.signs.At(j, q)
		}
		for i := range e {
			e[i][q] += weight*rest[i]*along - sums.At(i, 1+q)
		}
	}
	var fourth float64
	for q := range probeCount {
		for r := range q + 1 {
			dot := 0.0
			for i := range e {
				dot += e[i][q] * e[i][r]
			}
			if r == q {
				frobenius += dot / probeCount
			} else {
				fourth += dot * dot / (probeCount * (probeCount - 1) / 2)
			}
		}
	}
	frobenius = math.Sqrt(frobenius)
	return probeSafety * min(frobenius, math.Sqrt(math.Sqrt(fourth))), probeSafety * frobenius
}
