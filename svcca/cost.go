package svcca

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
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
		return need + panelBytes + 8*int64(n)*int64(chunkRows)
	}
	return need + 2*8*rows*columns
}

// BetweenMemory bounds the memory, in bytes, that Between needs beside the layers:
// of n datapoints, d and e neurons. Where a layer asks for the triangle it is
// twice that.
func BetweenMemory(n, d, e int, o Options) int64 { return BetweenCost(n, d, e, o).Memory }

// Cost is what work takes, before any of it is done.
type Cost struct {
	// Products are the flops of products over datapoints, Factors those of
	// eigen-solves and SVDs, which run at a lower rate.
	Products float64
	Factors  float64
	// Values are read, centred and multiplied: 4 bytes each where stored as float32.
	Values float64
	// Memory bounds what is needed beside the layers, in bytes.
	Memory int64
}

// Flops of factorisations, by the cubes of their orders.
const (
	eigenFlops  = 9       // with vectors
	svdFlops    = 22      // with vectors
	valuesFlops = 8.0 / 3 // without
)

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

func cube(v float64) float64 { return v * v * v }

// reductionCost is what sums and eigen-solve of a layer take.
func reductionCost(n, d int, o Options) Cost {
	if o.krylov(n, d) {
		return krylovCost(n, d, o.Keep)
	}
	side := float64(min(n, d))
	return Cost{
		Products: float64(n) * float64(d) * side, Factors: eigenFlops * cube(side),
		Values: float64(n) * float64(d), Memory: reductionBytes(n, d, o),
	}
}

// BetweenCost is what Between takes for n datapoints, d and e neurons, where a
// quarter of the neurons is kept if o.Keep says no number, and no layer asks for
// the triangle.
func BetweenCost(n, d, e int, o Options) Cost {
	x, y := reductionCost(n, d, o), reductionCost(n, e, o)
	c := Cost{Products: x.Products + y.Products, Factors: x.Factors + y.Factors, Values: x.Values + y.Values, Memory: x.Memory + y.Memory}
	p, q := o.guessK(n, d), o.guessK(n, e)
	c.Factors += svdFlops * cube(min(p, q))
	if n < max(d, e) || o.krylov(n, d) || o.krylov(n, e) {
		c.Values += float64(n) * float64(d+e) // once more for V, or U
		c.Products += 2 * float64(n) * (float64(d)*p + float64(e)*q + p*q)
		c.Memory += 8 * int64(n) * int64(o.mostKept(n, d)+o.mostKept(n, e))
		return c
	}
	joint := int64(d + e + 1)
	c.Products += 2 * float64(n) * float64(d) * float64(e)
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
	for _, d := range all {
		r := reductionCost(n, d, o.Options)
		k := o.guessK(n, d)
		c.Products += r.Products + 2*float64(n)*float64(d)*k
		c.Factors += r.Factors
		c.Values += r.Values + float64(n)*float64(d)
		c.Memory += int64(8 * float64(d) * k)
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
		}
	}
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
		c.Factors = svdFlops * cube(min(p, q))
		c.Products = 2 * p * q * neurons
	case RhoScores:
		c.Factors = valuesFlops * cube(min(p, q))
	}
	return c
}

// Rates is how fast a machine does what a Cost counts.
type Rates struct {
	Products float64 // flops a second, all workers together
	Factors  float64
	Values   float64 // a second, from memory
}

// Time predicts how long work takes, within a factor of two on a machine that does
// nothing else, from memory or the system's cache: disks are not known here.
func (c Cost) Time(r Rates) time.Duration {
	return time.Duration((c.Products/r.Products + c.Factors/r.Factors + c.Values/r.Values) * float64(time.Second))
}

// MeasureRates measures the machine for about a quarter of a second, with the
// workers and the BLAS threads that a call would have now.
func MeasureRates(ctx context.Context, precision Precision) (r Rates, err error) {
	const order, rows, rounds = 256, 1024, 8
	c, w := crew.New(ctx), borrow()
	defer w.back()
	values := make([]float32, rows*order)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	d, err := describe(FromSlice("", values, rows, order), "x")
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
	// timed returns the time of a call after one that warms up.
	timed := func(work func() error) (seconds float64) {
		for range 2 {
			start := time.Now()
			if err == nil {
				err = work()
			}
			seconds = time.Since(start).Seconds()
		}
		return seconds
	}
	b := w.block(precision, 0, rows, 1+order)
	count := rounds * c.Workers
	r.Values = float64(rounds*rows*order) / timed(func() error {
		for range rounds {
			reads := p.reads(b, 0)
			if err := c.Run(reads.Count, reads.Do); err != nil {
				return err
			}
		}
		return nil
	})
	part := tile{row: 1, col: 1, rows: order, cols: order}
	sums := make([]lapack.Matrix[float64], count)
	for i := range sums {
		sums[i] = lapack.New[float64](1+order, 1+order)
	}
	r.Products = float64(count*rows*order*order) / timed(func() error {
		return c.Multiply(count, func(i, worker int) error {
			part.add(&w.parts32[worker], b, 0, sums[i])
			return nil
		})
	})
	r.Factors = eigenFlops * float64(order*order*order) * float64(c.Workers) / timed(func() error {
		return c.Multiply(c.Workers, func(i, _ int) error {
			var eigen lapack.Eigen[float64]
			return eigen.Factorize(sums[i].View(1, 1, order, order), true)
		})
	})
	return r, err
}

// paneCost is what the parts of a pane cost, by which its progress is measured:
// flops of products, those of factorisations counting twice.
type paneCost struct {
	reductions []float64 // by layer
	crossing   float64
	done       float64
}

func (c Cost) weight() float64 { return c.Products + 2*c.Factors }

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
			if side == 0 || !w.symmetric {
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
