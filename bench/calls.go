package bench

import (
	"time"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Calls are the BLAS and LAPACK calls that W1 cannot do without, on matrices of
// the same sizes and spectra, and the time that they took in all.
type Calls struct {
	Products time.Duration // [X Y] with itself, in panels
	Eigen    time.Duration // of both layers
	Maps     time.Duration // the products for M, maps and decoders
	SVD      time.Duration // of M

	panel, gram, cross, vectors, m, mapped lapack.Matrix[float64]
}

// NewCalls prepares the calls for layers of W1's size with k directions kept.
func NewCalls(x, y []float32, k int) *Calls {
	d := W1Neurons
	c := &Calls{
		panel:   lapack.New[float64](PanelRows, 2*d),
		gram:    lapack.New[float64](2*d, 2*d),
		cross:   lapack.New[float64](k, d),
		vectors: lapack.New[float64](d, k),
		m:       lapack.New[float64](k, k),
		mapped:  lapack.New[float64](d, k),
	}
	for i := range PanelRows {
		row := c.panel.Row(i)
		for j := range d {
			row[j], row[d+j] = float64(x[i*d+j]), float64(y[i*d+j])
		}
	}
	return c
}

// Run makes every call once.
func (c *Calls) Run() error {
	d, k := W1Neurons, c.m.Rows
	start := time.Now()
	c.gram.Zero()
	for first := 0; first < W1Datapoints; first += PanelRows {
		lapack.Syrk(blas.Trans, 1, c.panel.View(0, 0, min(PanelRows, W1Datapoints-first), 2*d), 1, c.gram)
	}
	c.Products += time.Since(start)

	start = time.Now()
	for i := range 2 {
		var eigen lapack.Eigen[float64]
		if err := eigen.Factorize(c.gram.View(i*d, i*d, d, d), true); err != nil {
			return err
		}
		eigen.VectorsTo(c.vectors, k)
	}
	c.Eigen += time.Since(start)

	start = time.Now()
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, c.vectors, c.gram.View(0, d, d, d), 0, c.cross)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, c.cross, c.vectors, 0, c.m)
	for range 4 {
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, c.vectors, c.m, 0, c.mapped)
	}
	c.Maps += time.Since(start)

	start = time.Now()
	var svd lapack.SVD[float64]
	err := svd.Factorize(c.m, true)
	c.SVD += time.Since(start)
	return err
}

// Total returns the time of all calls.
func (c *Calls) Total() time.Duration { return c.Products + c.Eigen + c.Maps + c.SVD }
