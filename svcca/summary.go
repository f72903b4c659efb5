package svcca

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/merging"
	"github.com/gosvcca/gosvcca/internal/tsqr"
	"github.com/gosvcca/gosvcca/lapack"
)

// summary is what is known of rows that are gone, of one layer or of two side by
// side: their centred products, or the triangle of their QR factorisation. Every
// block is summed near its own means, then merged by formulas in which nothing
// cancels, so that neither order nor size of blocks matters beyond rounding.
type summary struct {
	method    Method
	precision Precision
	layers    []summarised
	n         int
	total     float64 // Σ w·4^−weightExponent
	// √w was divided by 2^weightExponent.
	weightExponent int
	// gram is, for moments, the upper triangle of the centred products, D × D.
	gram lapack.Matrix[float64]
	// r is, for a triangle, R behind a column of √w, of rows less shift.
	r lapack.Matrix[float64]
}

// summarised is a layer in a summary, in units of 2^exponent.
type summarised struct {
	name     string
	storage  ValueType
	d        int
	scaled   bool // exponent has been chosen: not all values are zero
	exponent int
	steps    []float64 // as described has them
	// The mean is shift + rest; rest is in R for a triangle.
	shift, rest []float64
	// As in moments.
	apart, spectral, frobenius float64
}

// summarise reads the rows of layers, side by side.
func summarise(c crew.Crew, method Method, precision Precision, layers []Layer, weights []float64) (*summary, error) {
	sides, err := sidesOf(layers, weights)
	if err != nil {
		return nil, err
	}
	w := borrow()
	defer w.back()
	n := sides[0].n
	z := &summary{method: method, precision: precision, n: n, total: sides[0].weights.total, weightExponent: sides[0].weights.exponent}
	var apart, spectral, frobenius [2]float64
	if method == MethodTriangle {
		t, err := triangleOf(newPanel(c, w, Double, sides...), n)
		if err != nil {
			return nil, err
		}
		z.r, apart = t.r, t.apart
	} else {
		m, err := newMoments(newPanel(c, w, precision, sides...), n)
		if err != nil {
			return nil, err
		}
		d := m.columns() - 1
		z.gram, apart, spectral, frobenius = m.gram.View(1, 1, d, d), m.apart, m.spectral, m.frobenius
		w.gram = nil // it is the summary's now: a copy would take as much again
	}
	for i, s := range sides {
		z.layers = append(z.layers, summarised{
			name: s.name, storage: s.stored, d: s.d, scaled: s.scaled, exponent: s.exponent, steps: s.steps,
			shift: s.shift, rest: s.rest, apart: apart[i], spectral: spectral[i], frobenius: frobenius[i],
		})
	}
	return z, nil
}

// triangleOf is newTriangle with means near the true ones taken from some rows, and
// exponents from all of them.
func triangleOf(p panel, n int) (*triangle, error) {
	if err := (&moments{panel: p, n: n}).start(0, n); err != nil {
		return nil, err
	}
	for _, s := range p.sides {
		s.mean = s.shift
	}
	return newTriangle(p, n)
}

// sidesOf describes layers of the same datapoints.
func sidesOf(layers []Layer, weights []float64) ([]*side, error) {
	if err := checkWeights(weights); err != nil {
		return nil, err
	}
	var sides []*side
	for i, l := range layers {
		d, err := describe(l, string(rune('x'+i)))
		if err != nil {
			return nil, err
		}
		if i > 0 && d.n != sides[0].n {
			return nil, mismatch(sides[0].described, d)
		}
		w, err := newWeights(weights, d.n)
		if err != nil {
			return nil, err
		}
		sides = append(sides, newSide(d, w, Options{}))
	}
	return sides, nil
}

// matches returns an error where b summarises other layers than z.
func (z *summary) matches(b *summary) error {
	if z.method != b.method || z.precision != b.precision || len(z.layers) != len(b.layers) {
		return fmt.Errorf("svcca: sums of different kinds (%s in %v, %s in %v): %w", z.method, z.precision, b.method, b.precision, ErrMismatch)
	}
	for i, l := range z.layers {
		if o := b.layers[i]; l.d != o.d || l.storage != o.storage {
			return fmt.Errorf("svcca: layer %q has %d neurons in %s, and %q, to be added, %d in %s: %w", l.name, l.d, l.storage, o.name, o.d, o.storage, ErrMismatch)
		} else if !slices.Equal(l.steps, o.steps) {
			return fmt.Errorf("svcca: layer %q, and %q, to be added, are stored in int8 of different steps: %w", l.name, o.name, ErrMismatch)
		}
	}
	return nil
}

// Merge adds the rows of b, which it may spoil.
func (z *summary) Merge(b *summary) error {
	if err := z.matches(b); err != nil {
		return err
	}
	weight := max(z.weightExponent, b.weightExponent)
	z.reweigh(weight)
	b.reweigh(weight)
	at := 0
	for i := range z.layers {
		p, q := &z.layers[i], &b.layers[i]
		e := p.exponent
		if q.scaled && (!p.scaled || q.exponent > e) {
			e = q.exponent
		}
		z.rescale(i, at, e)
		b.rescale(i, at, e)
		p.scaled = p.scaled || q.scaled
		at += p.d
	}
	if z.method == MethodTriangle {
		if err := z.stack(b); err != nil {
			return err
		}
	} else {
		z.add(b)
	}
	for i := range z.layers {
		z.layers[i].apart += b.layers[i].apart
		z.layers[i].spectral += b.layers[i].spectral
		z.layers[i].frobenius += b.layers[i].frobenius
	}
	z.n += b.n
	z.total += b.total
	return nil
}

// reweigh changes the units of √w.
func (z *summary) reweigh(exponent int) {
	by := z.weightExponent - exponent
	if by == 0 {
		return
	}
	z.weightExponent = exponent
	z.total = math.Ldexp(z.total, 2*by)
	scaleAll(z.gram, math.Ldexp(1, 2*by))
	scaleAll(z.r, math.Ldexp(1, by))
	for i := range z.layers {
		z.layers[i].scaleErrors(math.Ldexp(1, 2*by))
	}
}

// rescale changes the units of layer i, whose neurons begin with the at-th.
func (z *summary) rescale(i, at, exponent int) {
	l := &z.layers[i]
	by := l.exponent - exponent
	l.exponent = exponent
	if by == 0 || !l.scaled { // zeros have no units
		return
	}
	factor := math.Ldexp(1, by)
	for j := range l.d {
		l.shift[j] *= factor
		l.rest[j] *= factor
	}
	l.scaleErrors(factor * factor)
	if z.method == MethodTriangle {
		scaleAll(z.r.View(0, 1+at, z.r.Rows, l.d), factor)
	} else {
		merging.ScaleBlock(z.gram, at, l.d, factor)
	}
}

// scaleErrors multiplies what is in units of squares.
func (l *summarised) scaleErrors(factor float64) {
	l.apart *= factor
	l.spectral *= factor
	l.frobenius *= factor
}

func scaleAll(m lapack.Matrix[float64], factor float64) {
	for i := range m.Rows {
		row := m.Row(i)
		for j := range row {
			row[j] *= factor
		}
	}
}

// add merges moments. With δ the distance of the means (Chan, Golub, LeVeque 1983),
//
//	G = G_z + G_b + w_z·w_b/(w_z + w_b)·δδᵀ.
func (z *summary) add(b *summary) {
	var distance []float64
	share := b.total / (z.total + b.total)
	for i := range z.layers {
		p, q := &z.layers[i], &b.layers[i]
		for j := range p.d {
			delta := (q.shift[j] - p.shift[j]) + (q.rest[j] - p.rest[j])
			distance = append(distance, delta)
			p.rest[j] += share * delta
		}
	}
	for i, delta := range distance {
		row, other := z.gram.Row(i), b.gram.Row(i)
		delta *= z.total * share
		for j := i; j < len(row); j++ {
			row[j] += other[j] + delta*distance[j]
		}
	}
}

// stack merges triangles: that of b is brought to the shift of z, which changes
// its first row alone, and both are factored one above the other.
func (z *summary) stack(b *summary) error {
	at := 1
	for i := range z.layers {
		p, q := &z.layers[i], &b.layers[i]
		row := b.r.Row(0)
		for j := range p.d {
			row[at+j] += row[0] * (q.shift[j] - p.shift[j])
		}
		at += p.d
	}
	s := tsqr.New(take(new([]float64), z.r.Rows+b.r.Rows, z.r.Cols))
	for _, r := range []lapack.Matrix[float64]{z.r, b.r} {
		err := s.Add(r.Rows, func(to lapack.Matrix[float64], first int) error {
			to.CopyFrom(r.View(first, 0, to.Rows, r.Cols))
			return nil
		})
		if err != nil {
			return err
		}
	}
	r, err := s.Triangle()
	z.r = r.Clone()
	return err
}

// Clone returns a copy that shares nothing with z.
func (z *summary) Clone() *summary {
	c := *z
	c.gram, c.r = z.gram.Clone(), z.r.Clone()
	c.layers = nil
	for _, l := range z.layers {
		l.shift = append([]float64(nil), l.shift...)
		l.rest = append([]float64(nil), l.rest...)
		c.layers = append(c.layers, l)
	}
	return &c
}

// sides returns the layers as if their rows had just been read.
func (z *summary) sides(o Options) (sides []*side) {
	for _, l := range z.layers {
		noise, _ := l.storage.Noise()
		s := &side{
			described: described{name: l.name, n: z.n, d: l.d, stored: l.storage, noise: noise, steps: l.steps},
			weights:   &weights{total: z.total, exponent: z.weightExponent},
			centering: o.Centering, byType: o.RankTol.rule == rankType, exponent: l.exponent, scaled: l.scaled,
			rest: make([]float64, l.d), mean: make([]float64, l.d),
		}
		shift := make([]float64, l.d)
		if o.Centering == CenterNeurons {
			copy(shift, l.shift)
			copy(s.rest, l.rest)
			for j := range s.mean {
				s.mean[j] = l.shift[j] + l.rest[j]
			}
		}
		s.setShift(shift)
		sides = append(sides, s)
	}
	return sides
}

// moments returns the sums as newMoments would have left them.
func (z *summary) moments(c crew.Crew, w *workspace, o Options) *moments {
	m := &moments{panel: newPanel(c, w, z.precision, z.sides(o)...), n: z.n}
	d := z.gram.Rows
	m.gram = take(&w.gram, 1+d, 1+d)
	centred := m.gram.View(1, 1, d, d)
	centred.CopyFrom(z.gram)
	for i, l := range z.layers {
		m.spectral[i], m.frobenius[i] = l.spectral, l.frobenius
	}
	if o.Centering == CenterNeurons {
		for i, l := range z.layers {
			m.apart[i] = l.apart
		}
	} else {
		var mean []float64
		for _, l := range z.layers {
			for j := range l.d {
				mean = append(mean, l.shift[j]+l.rest[j])
			}
		}
		for i := range mean {
			row := centred.Row(i)
			for j := i; j < d; j++ {
				row[j] += z.total * mean[i] * mean[j]
			}
		}
	}
	m.survey()
	return m
}

// triangle returns the triangle as newTriangle would have left it.
func (z *summary) triangle(c crew.Crew, w *workspace, o Options) *triangle {
	t := &triangle{panel: newPanel(c, w, Double, z.sides(o)...), r: z.r.Clone()}
	if o.Centering == CenterNone {
		at, row := 1, t.r.Row(0)
		for _, l := range z.layers {
			for j := range l.d {
				row[at+j] += row[0] * l.shift[j]
			}
			at += l.d
		}
	}
	t.finish()
	for i, l := range z.layers {
		t.apart[i] = max(t.apart[i], l.apart)
	}
	return t
}

// shared is a summary that many goroutines add to.
type shared struct{ merging.Shared[*summary] }

// add summarises rows and merges them: of a block with an error, nothing.
func (s *shared) add(ctx context.Context, method Method, precision Precision, layers []Layer, weights []float64) error {
	z, err := summarise(crew.New(ctx), method, precision, layers, weights)
	if err != nil {
		return err
	}
	return s.Merge(z)
}

// current returns a copy of the sums, or an error where there are none.
func (s *shared) current() (*summary, error) {
	if z, some := s.Snapshot(); some {
		return z, nil
	}
	return nil, fmt.Errorf("svcca: no rows were added: %w", ErrShape)
}

// dims returns the datapoints added and the neurons of layer i.
func (s *shared) dims(i int) (datapoints, neurons int) {
	s.Look(func(z *summary) { datapoints, neurons = z.n, z.layers[i].d })
	return datapoints, neurons
}
