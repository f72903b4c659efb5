package svcca

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gosvcca/gosvcca/lapack"
)

// side is a layer while its rows are read: what is subtracted from its values
// and the power of two that they are divided by before anything is squared.
// A value x of neuron j enters every sum as (x·2^−exponent − shift[j])·√w.
type side struct {
	described
	weights   *weights
	centering Centering

	// exponent brings the largest value near 1, where no square overflows and
	// none that matters underflows. It is known once a value is not zero.
	exponent int
	scaled   bool

	shift []float64
	rest  []float64 // mean − shift, once moments are summed; nil where not centred

	// Known once all rows are read, in the same units (survey):
	mean   []float64
	rms    []float64 // a_j of DEFINITIONS §2: root-mean-square as stored
	active []int     // neurons that vary above their rounding
}

// maxScaled is how far values may outgrow the exponent chosen from the first
// ones: squares, and sums of 2⁴⁰ of them, stay far inside float64.
const maxScaled = 0x1p300

// weights are row weights, divided by a power of four so that the largest is
// near 1 and square roots stay exact in the exponent.
type weights struct {
	root     []float64 // √w_i; nil for weights of 1
	total    float64   // Σ w_i
	exponent int       // √w_i was divided by 2^exponent
}

func newWeights(w []float64, n int) (*weights, error) {
	if w == nil {
		return &weights{total: float64(n)}, nil
	}
	if len(w) != n {
		return nil, fmt.Errorf("svcca: %d weights for %d datapoints: %w", len(w), n, ErrMismatch)
	}
	_, e := math.Frexp(slices.Max(w))
	r := &weights{root: make([]float64, n), exponent: (e + 1) >> 1}
	for i, v := range w {
		v = math.Ldexp(v, -2*r.exponent)
		r.root[i] = math.Sqrt(v)
		r.total += v
	}
	return r, nil
}

// root returns √w of a datapoint.
func (s *side) root(i int) float64 {
	if s.weights.root == nil {
		return 1
	}
	return s.weights.root[i]
}

// scale returns the exponent of two that divides the layer's singular values.
func (s *side) scale() int { return s.exponent + s.weights.exponent }

// choose sets the exponent for values up to largest.
func (s *side) choose(largest float64) {
	_, e := math.Frexp(largest)
	// 2^−exponent must itself be a normal number.
	s.exponent = min(max(e, -1000), 1000)
	s.scaled = true
}

// chunkRows is how many rows are read and centred while they are in the cache.
const chunkRows = 32

// panel reads blocks of rows of one or two layers side by side.
type panel struct {
	ctx   context.Context
	sides []*side
}

// columns returns the number of columns of a block.
func (p *panel) columns() int { return p.begin(len(p.sides)) }

// begin returns the first column of side i.
func (p *panel) begin(i int) (at int) {
	for _, s := range p.sides[:i] {
		at += s.d
	}
	return at
}

// read fills dst, whose columns are those of the layers in order, with the
// shifted, scaled and weighted rows from first on. It returns the largest
// magnitude before weighting, which no NaN counts in.
func (p *panel) read(dst lapack.Matrix[float64], first int) (largest float64, err error) {
	chunks := (dst.Rows + chunkRows - 1) / chunkRows
	peaks := make([]float64, chunks)
	err = parallel(p.ctx, chunks, func(c int) error {
		lo, hi := c*chunkRows, min((c+1)*chunkRows, dst.Rows)
		at := 0
		for _, s := range p.sides {
			part := dst.View(lo, at, hi-lo, s.d)
			if err := s.Read(part, first+lo, 0); err != nil {
				return s.wrap(err)
			}
			peaks[c] = max(peaks[c], s.transform(part, first+lo))
			at += s.d
		}
		return nil
	})
	return slices.Max(peaks), err
}

// transform shifts, scales and weights rows of the layer, of which the first is
// row first, in place.
func (s *side) transform(rows lapack.Matrix[float64], first int) (largest float64) {
	factor := math.Ldexp(1, -s.exponent)
	for i := range rows.Rows {
		row, root := rows.Row(i), s.root(first+i)
		shift := s.shift[:len(row)]
		for j, x := range row {
			v := x*factor - shift[j]
			if a := math.Abs(v); a > largest {
				largest = a
			}
			row[j] = v * root
		}
	}
	return largest
}

// inspect reads the given rows of every layer as they are and returns the
// largest magnitude of each. A NaN or infinity is an error that names the first
// one of the layer.
func (p *panel) inspect(scratch lapack.Matrix[float64], first, rows int) ([]float64, error) {
	largest := make([]float64, len(p.sides))
	for i, s := range p.sides {
		for r := 0; r < rows; r += chunkRows {
			block := scratch.View(0, 0, min(chunkRows, rows-r), s.d)
			if err := s.Read(block, first+r, 0); err != nil {
				return nil, s.wrap(err)
			}
			peak, err := magnitude(s.name, block, first+r, 0)
			if err != nil {
				return nil, err
			}
			largest[i] = max(largest[i], peak)
		}
	}
	return largest, nil
}

// magnitude returns the largest |value| of block, whose first element is that
// of datapoint row and neuron col, or a NotFiniteError for the first by rows.
func magnitude(name string, block lapack.Matrix[float64], row, col int) (largest float64, err error) {
	for i := range block.Rows {
		for j, v := range block.Row(i) {
			a := math.Abs(v)
			if !(a <= math.MaxFloat64) {
				return 0, &NotFiniteError{Layer: name, Datapoint: row + i, Neuron: col + j, Value: v}
			}
			largest = max(largest, a)
		}
	}
	return largest, nil
}

// parallel calls work for 0 … count−1 on as many goroutines as may run at once,
// and returns the error of the least index, or the context's. Each takes the next
// that is left: a thread of the BLAS may still hold one of the processors.
func parallel(ctx context.Context, count int, work func(i int) error) error {
	errs := make([]error, count)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), count) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = work(i)
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
