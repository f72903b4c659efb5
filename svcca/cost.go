package svcca

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Bytes is a number of bytes that prints in the units of people.
type Bytes int64

// String returns b in bytes, KiB, MiB, GiB or TiB.
func (b Bytes) String() string {
	v, units := float64(b), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// reductionBytes bounds the memory that reducing a layer takes.
func reductionBytes(n, d int, o Options) int64 {
	if o.krylov(n, d) {
		return krylovCost(n, d, o.Keep).Memory
	}
	side := int64(min(n, d))
	columns := int64(d + 1)
	// Gram matrix, the eigen-solve's copy and work space (2 of its kind), V.
	need := 5 * 8 * side * side
	if o.Precision == Mixed {
		need += 4 * side * side
	}
	rows := int64(min(panelRows(d), n))
	if n < d {
		if o.Precision == Mixed {
			need += panelBytes / 2
		}
		return need + panelBytes + 8*int64(n)*int64(chunkRows)
	}
	return need + 2*8*rows*columns
}

// sparseBytes bounds what sums of a sparse layer take for each value that is not zero:
// as it enters products, with those that provisional means bring, by datapoints and by
// neurons.
const sparseBytes = 128

// reductionBytes is that of a layer, of which is known whether it is sparse.
func (l described) reductionBytes(o Options) int64 {
	need := reductionBytes(l.n, l.d, o)
	if l.sparse != nil {
		need += sparseBytes * int64(len(l.sparse.Value))
	}
	return need
}

// BetweenMemory bounds the memory, in bytes, that Between needs beside the layers:
// of n datapoints, d and e neurons. Where a layer asks for the triangle it is
// twice that. A sparse layer takes 128 bytes more for each value that is not zero.
func BetweenMemory(n, d, e int, o Options) int64 { return BetweenCost(n, d, e, o).Memory }

// Cost is what work takes, before any of it is done. Sparse layers are counted as any
// of their size: they take no more time. For their memory see BetweenMemory.
type Cost struct {
	// Products are the flops of matrix products.
	Products float64
	// Factors are those of eigen-solves and SVDs, in flops of large ones: a small
	// one counts for more than it has, as it takes longer. Serial is the part of
	// them that no more than one worker can do, each waiting for the one before.
	Factors float64
	Serial  float64
	// Values are read, centred and multiplied: 4 bytes each where stored as float32.
	Values float64
	// Memory bounds what is needed beside the layers, in bytes.
	Memory int64
}

// What factorisations of order n take, in flops of a large SVD: fitted to times of
// LAPACK, which they meet within a factor of 1.7 for n from 16 to 2048
// (docs/performance.md). What goes by the square is what small orders lose.

// eigenFlops is for k vectors of n.
func eigenFlops(n, k float64) float64 { return n * n * (5*n + 4*k + 4000) }

// svdFlops is with vectors.
func svdFlops(n float64) float64 { return n * n * (22*n + 8000) }

// valuesFlops is for an SVD without vectors.
func valuesFlops(n float64) float64 { return n * n * (10*n + 3500) }

// guessedShare is the share of a layer's neurons that is taken to be kept, where
// Keep does not say.
const guessedShare = 0.25

// guessK returns how many directions of a layer will be kept, as far as can be known.
func (o Options) guessK(n, d int) float64 {
	most := float64(min(n, d))
	switch o.Keep.rule {
	case keepCount:
		return min(float64(o.Keep.count), most)
	case keepRank:
		return most
	}
	if o.krylov(n, d) {
		return min(krylovGuess, most)
	}
	return guessedShare * most
}

// reductionCost is what sums and eigen-solve of a layer take.
func reductionCost(n, d int, o Options) Cost {
	if o.krylov(n, d) {
		return krylovCost(n, d, o.Keep)
	}
	side := float64(min(n, d))
	eigen := eigenFlops(side, o.guessK(n, d))
	return Cost{
		Products: float64(n) * float64(d) * side, Factors: eigen, Serial: eigen,
		Values: float64(n) * float64(d), Memory: reductionBytes(n, d, o),
	}
}

// BetweenCost is what Between takes for n datapoints, d and e neurons, where a
// quarter of the neurons is kept if o.Keep says no number, and no layer asks for
// the triangle.
func BetweenCost(n, d, e int, o Options) Cost {
	x, y := reductionCost(n, d, o), reductionCost(n, e, o)
	p, q := o.guessK(n, d), o.guessK(n, e)
	m := min(p, q)
	c := Cost{
		Products: x.Products + y.Products + 4*m*(float64(d)*p+float64(e)*q), // and directions
		Factors:  x.Factors + y.Factors + svdFlops(m), Serial: max(x.Serial, y.Serial) + svdFlops(m),
		Values: x.Values + y.Values, Memory: x.Memory + y.Memory,
	}
	if n < max(d, e) || o.krylov(n, d) || o.krylov(n, e) {
		c.Values += float64(n) * float64(d+e) // once more for V, or U
		c.Products += 2 * float64(n) * (float64(d)*p + float64(e)*q + p*q)
		c.Memory += 8 * int64(n) * int64(o.mostKept(n, d)+o.mostKept(n, e))
		return c
	}
	joint := int64(d + e + 1)
	c.Products += 2*float64(n)*float64(d)*float64(e) + 2*p*float64(e)*(float64(d)+q)
	c.Memory += 8*joint*joint + 4*8*int64(max(d, e))*int64(min(d, e)) // maps and decoders
	return c
}

// PaneCost is what Pairwise takes for n datapoints and layers of so many neurons;
// columns nil: all rows with each other. Assumptions are those of BetweenCost.
// Memory is that of the reduced bases and the window.
func PaneCost(n int, rows, columns []int, o PaneOptions) (c Cost) {
	symmetric := columns == nil
	all := append(append([]int{}, rows...), columns...)
	var reduction, kept int64
	var eigen, svd float64 // the largest
	for _, d := range all {
		r := reductionCost(n, d, o.Options)
		k := o.guessK(n, d)
		c.Products += r.Products
		c.Factors += r.Factors
		eigen = max(eigen, r.Serial)
		c.Values += r.Values
		if n < d { // U
			c.Memory += int64(8 * float64(n) * k)
		}
		if !o.leftAlone(n, d) { // V, or coordinates by it
			c.Products += 2 * float64(n) * float64(d) * k
			c.Values += r.Values
			c.Memory += int64(8 * float64(d) * k)
		}
		reduction, kept = max(reduction, r.Memory), kept+int64(k)
	}
	if symmetric {
		columns = rows
	}
	for i, d := range rows {
		for j, e := range columns {
			if symmetric && j < i {
				continue
			}
			p, q := o.guessK(n, d), o.guessK(n, e)
			pair := o.Scores.cost(p, q, float64(d+e))
			c.Products += 2*float64(n)*p*q + pair.Products
			c.Factors += pair.Factors
			svd = max(svd, pair.Factors)
		}
	}
	c.Serial = eigen + svd
	window := o.Memory
	if window == 0 {
		window = defaultWindow
	}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// Layers being reduced, then products and blocks of rows of all coordinates.
	c.Memory += min(window, max(int64(workers)*reduction, 8*kept*(kept+2*1024)))
	return c
}

// cost is what scoring a pair takes once M is there.
func (s Scores) cost(p, q, neurons float64) (c Cost) {
	switch s {
	case AllScores:
		c.Factors = svdFlops(min(p, q))
		c.Products = 2 * p * q * neurons
	case RhoScores:
		c.Factors = valuesFlops(min(p, q))
	}
	return c
}

// Rates is how fast a machine does what a Cost counts.
type Rates struct {
	Products float64 // flops a second, all workers together
	Factors  float64
	Serial   float64 // one worker alone; 0: as Factors
	Values   float64 // a second, from memory
}

// Time predicts how long work takes, within a factor of two on a machine that does
// nothing else, from memory or the system's cache: disks are not known here.
func (c Cost) Time(r Rates) time.Duration {
	factors := c.Factors / r.Factors
	if r.Serial > 0 {
		factors = max(factors, c.Serial/r.Serial)
	}
	return time.Duration((c.Products/r.Products + factors + c.Values/r.Values) * float64(time.Second))
}

// MeasureRates measures the machine for about a quarter of a second (half a second
// in pure Go), with the workers and the BLAS threads that a call would have now.
func MeasureRates(ctx context.Context, precision Precision) (r Rates, err error) {
	const neurons, rows = 1023, 1024 // a block as of real layers, which no cache of a core holds
	c, w := crew.New(ctx), borrow()
	defer w.back()
	values := make([]float32, rows*neurons)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	d, err := describe(FromSlice("", values, rows, neurons), "x")
	if err != nil {
		return r, err
	}
	weights, err := newWeights(nil, rows)
	if err != nil {
		return r, err
	}
	s := newSide(d, weights, Options{})
	p := newPanel(c, w, precision, s)
	if err := (&moments{panel: p, n: rows}).start(0, chunkRows); err != nil {
		return r, err
	}
	// timed returns the least time of a few calls: what else the machine does, and
	// warming up, only adds to it.
	timed := func(work func() error) float64 {
		least, begun := math.Inf(1), time.Now()
		for i := 0; i < 2 || i < 5 && time.Since(begun) < time.Second/10; i++ {
			start := time.Now()
			if err == nil {
				err = work()
			}
			least = min(least, time.Since(start).Seconds())
		}
		return least
	}
	if precision == Mixed {
		p.probes = []*probes{newProbes(&w.signs[0], neurons, chunks(rows))}
	}
	b := w.block(precision, 0, rows, p.columns())
	reads := p.reads(b, 0)
	r.Values = float64(rows*neurons) / timed(func() error { return c.Run(reads.Count, reads.Do) })
	sum, tiles := lapack.New[float64](p.columns(), p.columns()), tilesOf(p.columns(), c.Tile)
	r.Products = float64(rows*sum.Rows*sum.Cols) / timed(func() error {
		return c.Multiply(len(tiles), func(i, worker int) error {
			tiles[i].add(&w.parts32[worker], b, 0, sum)
			return nil
		})
	})
	// Of large orders, but none that takes long.
	for order := 64; order <= 512 && err == nil; order *= 2 {
		f := newFactors(order, rng)
		seconds := timed(func() error {
			return c.Multiply(c.Workers, func(int, int) error { return f.run() })
		})
		r.Factors = f.flops() * float64(c.Workers) / seconds
		if seconds > 0.02 {
			break
		}
	}
	r.Serial = r.Factors
	if !c.Threaded {
		r.Serial /= float64(c.Workers)
	}
	return r, err
}

// factors are what the rate of factorisations is measured by: an eigen-solve for a
// number of neurons, and an SVD of half that order.
type factors struct{ gram, half lapack.Matrix[float64] }

func newFactors(order int, rng *rand.Rand) factors {
	rows, gram := lapack.New[float64](2*order, order), lapack.New[float64](order, order)
	for i := range rows.Data {
		rows.Data[i] = rng.NormFloat64()
	}
	lapack.Syrk(blas.Trans, 1, rows, 0, gram)
	return factors{gram, rows.View(0, 0, order/2, order/2)}
}

func (f factors) flops() float64 {
	order := float64(f.gram.Rows)
	return eigenFlops(order, guessedShare*order) + svdFlops(order/2)
}

func (f factors) run() error {
	var eigen lapack.LeadingEigen[float64]
	if err := eigen.FactorizeInPlace(f.gram.Clone()); err != nil {
		return err
	}
	if _, err := eigen.VectorsTo(lapack.Matrix[float64]{}, int(guessedShare*float64(f.gram.Rows))); err != nil {
		return err
	}
	var svd lapack.SVD[float64]
	return svd.Factorize(f.half, true)
}

// paneCost is what the parts of a pane cost, by which its progress is measured, in
// flops.
type paneCost struct {
	reductions []float64 // by layer
	crossing   float64
	done       float64
}

func (c Cost) weight() float64 { return c.Products + c.Factors }

func (c *paneCost) total() float64 {
	sum := c.crossing
	for _, r := range c.reductions {
		sum += r
	}
	return sum
}

// pairCost returns what scoring a pair costs once the products are summed.
func (p *pane) pairCost(x, y *basis) float64 {
	return p.Scores.cost(float64(x.K), float64(y.K), float64(x.d+y.d)).weight()
}

// windowCost returns what a window costs but for its scores: coordinates and their
// products.
func (p *pane) windowCost(w window) (flops float64) {
	n := float64(p.layers[0].n)
	var kept [2]float64
	for side, positions := range [][]int{w.rows, w.columns} {
		layers := [][]int{p.rows, p.columns}[side]
		for _, i := range positions {
			b := p.bases[layers[i]]
			kept[side] += float64(b.K)
			if b.u.Data == nil && (side == 0 || !w.symmetric) {
				flops += 2 * n * float64(b.d) * float64(b.K)
			}
		}
	}
	products := 2 * n * kept[0] * kept[1]
	if w.symmetric {
		products /= 2
	}
	return flops + products
}
