package svcca

import (
	"math"
	"slices"

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
	if largest := largestOf(z.value); largest > 0 {
		s.choose(largest)
	}
	shift := make([]float64, s.d)
	s.setShift(shift)
	if s.centering != CenterNeurons {
		return
	}
	counts := make([]int, s.d)
	for _, j := range z.index {
		counts[j]++
	}
	factor := math.Ldexp(1, -s.exponent)
	for i := range s.n {
		share := s.root(i) * s.root(i) / s.weights.total
		for t := z.begin[i]; t < z.begin[i+1]; t++ {
			if j := z.index[t]; 2*counts[j] > s.n {
				shift[j] += share * factor * z.value[t]
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
		if len(full) > 2*len(z.value)/z.rows {
			return z, false
		}
		z = z.with(full)
	} else {
		z.value = slices.Clone(z.value)
	}
	factor := math.Ldexp(1, -s.exponent)
	for i := range z.rows {
		root := s.root(i)
		for t := z.begin[i]; t < z.begin[i+1]; t++ {
			z.value[t] = (z.value[t]*factor - s.shift[z.index[t]]) * root
		}
	}
	return z, true
}

// with returns a copy of z that holds zeros, too, in the columns of full, which
// increase.
func (z nonzeros) with(full []int) nonzeros {
	w := nonzeros{rows: z.rows, cols: z.cols, begin: make([]int, z.rows+1)}
	room := len(z.value) + len(full)*z.rows
	w.index, w.value = make([]int, 0, room), make([]float64, 0, room)
	for i := range z.rows {
		t, end := z.begin[i], z.begin[i+1]
		for _, j := range append(full, z.cols) {
			for ; t < end && z.index[t] < j; t++ {
				w.index, w.value = append(w.index, z.index[t]), append(w.value, z.value[t])
			}
			if j < z.cols && (t == end || z.index[t] > j) {
				w.index, w.value = append(w.index, j), append(w.value, 0)
			}
		}
		w.begin[i+1] = len(w.index)
	}
	return w
}

// and returns z with the columns of other after its own.
func (z nonzeros) and(other nonzeros) nonzeros {
	b := nonzeros{rows: z.rows, cols: z.cols + other.cols, begin: make([]int, z.rows+1)}
	for i := range z.rows {
		for t := z.begin[i]; t < z.begin[i+1]; t++ {
			b.index, b.value = append(b.index, z.index[t]), append(b.value, z.value[t])
		}
		for t := other.begin[i]; t < other.begin[i+1]; t++ {
			b.index, b.value = append(b.index, z.cols+other.index[t]), append(b.value, other.value[t])
		}
		b.begin[i+1] = len(b.index)
	}
	return b
}

// sparseRows is a sparse layer's matrix of centred, scaled and weighted rows, which
// multiplies without being formed.
type sparseRows struct {
	crew.Crew
	*side
	values  nonzeros
	columns columns
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
	x.columns = x.values.columns()
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
	begin, end := x.columns.begin[j], x.columns.begin[j+1]
	values = make([]float64, end-begin)
	for p, t := range x.columns.at[begin:end] {
		values[p] = x.values.value[t]
	}
	return x.columns.row[begin:end], values
}

// silence sets to zero the neurons that are constant.
func (x *sparseRows) silence() {
	varies := make([]bool, x.d)
	x.offset = make([]float64, x.d)
	for _, j := range x.active {
		varies[j], x.offset[j] = true, x.rest[j]
	}
	for t, j := range x.values.index {
		if !varies[j] {
			x.values.value[t] = 0
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
		for t := z.begin[first+i]; t < z.begin[first+i+1]; t++ {
			floats.AddScaled(row, z.value[t], q.Row(z.index[t]))
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
			for p := x.columns.begin[j]; p < x.columns.begin[j+1]; p++ {
				floats.AddScaled(row, x.values.value[x.columns.at[p]], z.Row(x.columns.row[p]))
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
	values := x.values.transposed()
	where := values.columns()
	h, square := make([]float64, x.n), 0.0
	for i := range h {
		for t := x.values.begin[i]; t < x.values.begin[i+1]; t++ {
			h[i] += x.values.value[t] * x.offset[x.values.index[t]]
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
