package svcca

import (
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/floats"
)

// side is a layer while its rows are read: what is subtracted from its values
// and the power of two that they are divided by before anything is squared.
// A value x of neuron j enters every sum as (x·2^−exponent − shift[j])·√w.
type side struct {
	described
	weights   *weights
	centering Centering
	// byType: noise is that of another type than the one stored in.
	byType bool
	// leftAlone: where left singular vectors are found first, nobody asks for V.
	leftAlone bool

	// exponent brings the largest value near 1, where no square overflows and
	// none that matters underflows. It is known once a value is not zero.
	exponent int
	scaled   bool

	shift []float64
	minus []float64 // −shift
	rest  []float64 // mean − shift, once rows are summed

	// Known once all rows are read, in the same units (survey):
	mean   []float64
	rms    []float64 // a_j of DEFINITIONS §2: root-mean-square as stored, or the step
	active []int     // neurons that vary above their rounding
}

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
	return newWeightsIn(w, (e+1)>>1), nil
}

// newWeightsIn is newWeights in given units.
func newWeightsIn(w []float64, exponent int) *weights {
	r := &weights{root: make([]float64, len(w)), exponent: exponent}
	for i, v := range w {
		v = math.Ldexp(v, -2*exponent)
		r.root[i] = math.Sqrt(v)
		r.total += v
	}
	return r
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

// choose sets the exponent for values up to largest, unless it is for larger ones.
func (s *side) choose(largest float64) {
	_, e := math.Frexp(largest)
	// 2^−exponent must itself be a normal number.
	e = min(max(e, -1000), 1000)
	if !s.scaled || e > s.exponent {
		s.exponent, s.scaled = e, true
	}
}

// chunkRows is how many rows are read and centred while they are in the cache.
const chunkRows = 32

// panel reads blocks of rows of one or two layers side by side.
type panel struct {
	crew.Crew
	*workspace
	sides     []*side
	precision Precision
	probes    []*probes // by side, where products are Mixed and their errors asked for
}

func newPanel(c crew.Crew, w *workspace, precision Precision, sides ...*side) panel {
	w.workers(c.Workers)
	return panel{Crew: c, workspace: w, sides: sides, precision: precision}
}

// columns returns the number of columns of a block: √w, then those of the layers.
func (p *panel) columns() int { return p.begin(len(p.sides)) }

// begin returns the first column of side i.
func (p *panel) begin(i int) int {
	at := 1
	for _, s := range p.sides[:i] {
		at += s.d
	}
	return at
}

// sparse reports whether every layer is.
func (p *panel) sparse() bool {
	for _, s := range p.sides {
		if s.sparse == nil {
			return false
		}
	}
	return true
}

// block is rows of all layers behind a column of √w: in float64, or in float32
// where products are Mixed.
type block struct {
	f64 lapack.Matrix[float64]
	f32 lapack.Matrix[float32]
}

// view returns rows × cols of b, of which the first is (i, j).
func (b block) view(i, j, rows, cols int) block {
	if b.f32.Data != nil {
		return block{f32: b.f32.View(i, j, rows, cols)}
	}
	return block{f64: b.f64.View(i, j, rows, cols)}
}

// head returns the first rows of b.
func (b block) head(rows int) block { return b.view(0, 0, rows, max(b.f32.Cols, b.f64.Cols)) }

// rows returns how many b has.
func (b block) rows() int { return max(b.f32.Rows, b.f64.Rows) }

// reads returns the tasks that fill b with the shifted, scaled and weighted rows
// from first on.
func (p *panel) reads(b block, first int) crew.Tasks {
	return crew.Tasks{Count: chunks(b.rows()), Do: func(c, worker int) error {
		lo := c * chunkRows
		return p.fill(b.view(lo, 0, min(chunkRows, b.rows()-lo), p.columns()), c, first+lo, worker)
	}}
}

// fill fills b, at most chunkRows rows where it is of float32, at a place in a
// larger block.
func (p *panel) fill(b block, place, first, worker int) error {
	rows := b.f64
	if b.f32.Data != nil {
		rows = take(&p.chunks[worker], b.f32.Rows, b.f32.Cols)
	}
	at := 1
	for k, s := range p.sides {
		part := rows.View(0, at, rows.Rows, s.d)
		if err := s.Read(part, first, 0); err != nil {
			return s.wrap(err)
		}
		s.transform(part, first)
		if p.probes != nil {
			p.probes[k].add(place, part, func(i int) float64 { return s.root(first + i) })
		}
		at += s.d
	}
	for i := range rows.Rows {
		rows.Set(i, 0, p.sides[0].root(first+i))
		if b.f32.Data != nil {
			convert.To(b.f32.Row(i), rows.Row(i))
		}
	}
	return nil
}

// chunks returns how many tasks read so many rows.
func chunks(rows int) int { return (rows + chunkRows - 1) / chunkRows }

// transform shifts, scales and weights rows of the layer, of which the first is
// row first, in place.
func (s *side) transform(rows lapack.Matrix[float64], first int) {
	factor := math.Ldexp(1, -s.exponent)
	for i := range rows.Rows {
		row := rows.Row(i)
		floats.AddScaledTo(row, s.minus, factor, row)
		if s.weights.root != nil {
			floats.Scale(s.root(first+i), row)
		}
	}
}

// setShift sets the shift, in units of 2^exponent.
func (s *side) setShift(shift []float64) {
	s.shift, s.minus = shift, make([]float64, len(shift))
	for j, v := range shift {
		s.minus[j] = -v
	}
}

// inspect reads the given rows of every layer as they are and returns the
// largest magnitude of each. A NaN or infinity is an error that names the first
// one of the layer.
func (p *panel) inspect(first, rows int) ([]float64, error) {
	largest := make([]float64, len(p.sides))
	for i, s := range p.sides {
		for r := 0; r < rows; r += chunkRows {
			if err := p.Ctx.Err(); err != nil {
				return nil, err
			}
			peak, err := s.inspect(take(&p.chunks[0], min(chunkRows, rows-r), s.d), first+r)
			if err != nil {
				return nil, err
			}
			largest[i] = max(largest[i], peak)
		}
	}
	return largest, nil
}

// inspect reads rows from first on to scratch and returns their largest magnitude.
func (s *side) inspect(scratch lapack.Matrix[float64], first int) (float64, error) {
	if err := s.Read(scratch, first, 0); err != nil {
		return 0, s.wrap(err)
	}
	return magnitude(s.name, scratch, first, 0)
}

// magnitude returns the largest |value| of block, whose first element is that
// of datapoint row and neuron col, or a NotFiniteError for the first by rows.
func magnitude(name string, block lapack.Matrix[float64], row, col int) (float64, error) {
	// The bits of what is not negative are in the order of the values, with infinity
	// and NaN above them. Four at a time wait for each other less.
	const sign = 1 << 63
	var most [4]uint64
	for i := range block.Rows {
		values := block.Row(i)
		for len(values) >= 4 {
			v := (*[4]float64)(values)
			most[0] = max(most[0], math.Float64bits(v[0])&^sign)
			most[1] = max(most[1], math.Float64bits(v[1])&^sign)
			most[2] = max(most[2], math.Float64bits(v[2])&^sign)
			most[3] = max(most[3], math.Float64bits(v[3])&^sign)
			values = values[4:]
		}
		for _, v := range values {
			most[0] = max(most[0], math.Float64bits(v)&^sign)
		}
	}
	largest := math.Float64frombits(max(most[0], most[1], most[2], most[3]))
	if largest <= math.MaxFloat64 {
		return largest, nil
	}
	for i := range block.Rows {
		for j, v := range block.Row(i) {
			if !(math.Abs(v) <= math.MaxFloat64) {
				return 0, &NotFiniteError{Layer: name, Datapoint: row + i, Neuron: col + j, Value: v}
			}
		}
	}
	return largest, nil // of values that change
}
