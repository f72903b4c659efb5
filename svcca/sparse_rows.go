package svcca

import (
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/compressed"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/floats"
)

// A sparse layer is centred implicitly: its zeros stay where they are, and what the
// means take from sums and products is subtracted from these. That loses
// ε·n‖mean‖², which for a neuron that is zero for half of the datapoints or more is no
// more than its own squares. Neurons that are not so have provisional means, which
// their values are less, zeros too.

// provideSparse sets the exponent and the provisional means of a sparse layer.
func (s *side) provideSparse() {
	z := s.sparse
	if largest := largestOf(z.Value); largest > 0 {
		s.choose(largest)
	}
	shift := make([]float64, s.d)
	s.setShift(shift)
	if s.centering != CenterNeurons {
		return
	}
	counts := make([]int, s.d)
	for _, j := range z.Index {
		counts[j]++
	}
	factor := math.Ldexp(1, -s.exponent)
	for i := range s.n {
		share := s.root(i) * s.root(i) / s.weights.total
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			if j := z.Index[t]; 2*counts[j] > s.n {
				shift[j] += share * factor * z.Value[t]
			}
		}
	}
	s.setShift(shift)
}

func largestOf(values []float64) (largest float64) {
	for _, v := range values {
		largest = max(largest, math.Abs(v))
	}
	return largest
}

// shifted returns the values of the layer as they enter sums. It returns false where
// provisional means would take the place of so many zeros that the layer is sparse no
// more: they are another method's.
func (s *side) shifted() (z nonzeros, ok bool) {
	z = *s.sparse
	var full []int
	for j, v := range s.shift {
		if v != 0 {
			full = append(full, j)
		}
	}
	if len(full) > 0 {
		if len(full) > 2*len(z.Value)/z.Rows {
			return z, false
		}
		z = z.with(full)
	} else {
		z.Value = slices.Clone(z.Value)
	}
	factor := math.Ldexp(1, -s.exponent)
	for i := range z.Rows {
		root := s.root(i)
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			z.Value[t] = (z.Value[t]*factor - s.shift[z.Index[t]]) * root
		}
	}
	return z, true
}

// with returns a copy of z that holds zeros, too, in the columns of full, which
// increase.
func (z nonzeros) with(full []int) nonzeros {
	w := compressed.Matrix{Rows: z.Rows, Cols: z.Cols, Begin: make([]int, z.Rows+1)}
	full = append(full, z.Cols) // what follows the last
	for i := range z.Rows {
		t, end := z.Begin[i], z.Begin[i+1]
		for _, j := range full {
			for ; t < end && z.Index[t] < j; t++ {
				w.Index, w.Value = append(w.Index, z.Index[t]), append(w.Value, z.Value[t])
			}
			if j < z.Cols && (t == end || z.Index[t] > j) {
				w.Index, w.Value = append(w.Index, j), append(w.Value, 0)
			}
		}
		w.Begin[i+1] = len(w.Index)
	}
	return nonzeros{w}
}

// and returns z with the columns of other after its own.
func (z nonzeros) and(other nonzeros) nonzeros {
	b := compressed.Matrix{Rows: z.Rows, Cols: z.Cols + other.Cols, Begin: make([]int, z.Rows+1)}
	for i := range z.Rows {
		for t := z.Begin[i]; t < z.Begin[i+1]; t++ {
			b.Index, b.Value = append(b.Index, z.Index[t]), append(b.Value, z.Value[t])
		}
		for t := other.Begin[i]; t < other.Begin[i+1]; t++ {
			b.Index, b.Value = append(b.Index, z.Cols+other.Index[t]), append(b.Value, other.Value[t])
		}
		b.Begin[i+1] = len(b.Index)
	}
	return nonzeros{b}
}

// sparseRows is a sparse layer's matrix of centred, scaled and weighted rows, which
// multiplies without being formed.
type sparseRows struct {
	crew.Crew
	*side
	values  nonzeros
	columns compressed.Columns
	offset  []float64 // mean − shift, of neurons that are not silenced
	squares []float64 // centred, by neuron
	apart   float64   // as in moments
}

// newSparseRows surveys the layer: means and centred squares of each neuron alone, in
// which nothing is lost.
func newSparseRows(c crew.Crew, s *side) *sparseRows {
	s.provideSparse()
	x := &sparseRows{Crew: c, side: s, squares: make([]float64, s.d)}
	x.values, _ = s.shifted() // fewer than twice as many, as provisional means are given
	x.columns = x.values.Columns()
	total := s.weights.total
	s.mean, s.rest = make([]float64, s.d), make([]float64, s.d)
	for j := range s.d {
		rows, values := x.column(j)
		if s.centering == CenterNeurons {
			for p, v := range values {
				s.rest[j] += s.root(rows[p]) * v / total
			}
		}
		s.mean[j] = s.shift[j] + s.rest[j]
		absent := total
		for p, v := range values {
			root := s.root(rows[p])
			v -= root * s.rest[j]
			x.squares[j] += v * v
			absent -= root * root
		}
		if len(rows) < s.n {
			x.squares[j] += max(0, absent) * s.rest[j] * s.rest[j]
		}
		x.apart += total * s.rest[j] * s.rest[j]
	}
	x.offset = s.rest
	s.survey(0, x.squares)
	return x
}

// column returns the datapoints and values of a neuron.
func (x *sparseRows) column(j int) (rows []int, values []float64) {
	begin, end := x.columns.Begin[j], x.columns.Begin[j+1]
	values = make([]float64, end-begin)
	for p, t := range x.columns.At[begin:end] {
		values[p] = x.values.Value[t]
	}
	return x.columns.Row[begin:end], values
}

// silence sets to zero the neurons that are constant.
func (x *sparseRows) silence() {
	varies := make([]bool, x.d)
	x.offset = make([]float64, x.d)
	for _, j := range x.active {
		varies[j], x.offset[j] = true, x.rest[j]
	}
	for t, j := range x.values.Index {
		if !varies[j] {
			x.values.Value[t] = 0
		}
	}
}

// sparseChunk is how many rows of a product with few columns a task makes.
const sparseChunk = 256

// times sets z, n × k, to the product with q, d × k.
func (x *sparseRows) times(q, z lapack.Matrix[float64]) error {
	along := weighted(q, func(j int) float64 { return x.offset[j] })
	return x.Run((x.n+sparseChunk-1)/sparseChunk, func(c, _ int) error {
		first := c * sparseChunk
		x.values.multiply(q, z.View(first, 0, min(sparseChunk, x.n-first), z.Cols), first, along, x.root)
		return nil
	})
}

// multiply sets to to the product of the rows from first on with q, less √w·offset.
func (z nonzeros) multiply(q, to lapack.Matrix[float64], first int, offset []float64, root func(i int) float64) {
	for i := range to.Rows {
		row, r := to.Row(i), root(first+i)
		for j, o := range offset {
			row[j] = -r * o
		}
		for t := z.Begin[first+i]; t < z.Begin[first+i+1]; t++ {
			floats.AddScaled(row, z.Value[t], q.Row(z.Index[t]))
		}
	}
}

// transposedTimes sets y to the product of the transpose with z, n × k: as many of its
// rows as y has, from neuron first on.
func (x *sparseRows) transposedTimes(z, y lapack.Matrix[float64], first int) error {
	total := weighted(z, x.root)
	return x.Run((y.Rows+sparseChunk-1)/sparseChunk, func(c, _ int) error {
		for j := first + c*sparseChunk; j < first+min((c+1)*sparseChunk, y.Rows); j++ {
			row := y.Row(j - first)
			for i, v := range total {
				row[i] = -x.offset[j] * v
			}
			for p := x.columns.Begin[j]; p < x.columns.Begin[j+1]; p++ {
				floats.AddScaled(row, x.values.Value[x.columns.At[p]], z.Row(x.columns.Row[p]))
			}
		}
		return nil
	})
}

// weighted returns the sum of m's rows, each times its weight.
func weighted(m lapack.Matrix[float64], weight func(i int) float64) []float64 {
	sum := make([]float64, m.Cols)
	for i := range m.Rows {
		floats.AddScaled(sum, weight(i), m.Row(i))
	}
	return sum
}

// squareRows sets gram, n × n, to the product with the transpose, its upper triangle,
// and returns what of it was subtracted for the means: with h = X·rest and √w = r,
// XcXcᵀ = XXᵀ − hrᵀ − rhᵀ + ‖rest‖²·rrᵀ, whose terms are at most ‖Xc‖·√apart + apart.
func (x *sparseRows) squareRows(gram lapack.Matrix[float64]) (apart float64, err error) {
	values := nonzeros{x.values.Transposed()}
	where := values.Columns()
	h, square := make([]float64, x.n), 0.0
	for i := range h {
		for t := x.values.Begin[i]; t < x.values.Begin[i+1]; t++ {
			h[i] += x.values.Value[t] * x.offset[x.values.Index[t]]
		}
	}
	for _, v := range x.offset {
		square += v * v
	}
	strips := (x.n + sparseStrip - 1) / sparseStrip
	return x.weights.total * square, x.Run(strips, func(s, _ int) error {
		for i := s * sparseStrip; i < min((s+1)*sparseStrip, x.n); i++ {
			row := gram.Row(i)
			values.square(where, i, row)
			root := x.root(i)
			for k := i; k < x.n; k++ {
				row[k] -= h[i]*x.root(k) + root*(h[k]-square*x.root(k))
			}
		}
		return nil
	})
}
