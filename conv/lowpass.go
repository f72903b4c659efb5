package conv

import (
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/floats"
)

// dropped sets what a low pass throws away of a layer: the power of the frequencies in
// no block.
func (s *side) dropped(c crew.Crew, l *summed, o Options) error {
	l.dropped = make([]float64, s.columns)
	if len(s.others) == 0 {
		return nil
	}
	rest := *s
	rest.at = s.others
	b, err := newBatch[float64, complex128](c, len(rest.at), &rest)
	if err != nil {
		return err
	}
	defer b.close()
	sums, squares, total := make([][]complex128, len(rest.at)), make([][]float64, len(rest.at)), 0.0
	for at := range sums {
		sums[at], squares[at] = make([]complex128, s.columns), make([]float64, s.columns)
	}
	err = b.each(func(at, _, _ int, z lapack.Matrix[complex128]) error {
		for i := range z.Rows {
			root := z.Row(i)[0]
			for j, v := range z.Row(i)[1:] {
				sums[at][j] += root * v
				squares[at][j] += squared(v)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range s.Maps.images {
		total += s.root(i) * s.root(i)
	}
	shift, err := rest.means(s.shift, len(rest.at))
	if err != nil {
		return err
	}
	for at, count := range s.counts {
		for j, square := range squares[at] {
			rest := sums[at][j] / complex(total, 0)
			centred := max(0, square-total*squared(rest))
			stored := centred + total*squared(shift[at][j]+rest)
			l.dropped[j] += float64(count) * stored
			if o.Centering == svcca.CenterNeurons { // every block is centred
				l.droppedPower += float64(count) * centred
			} else {
				l.droppedPower += float64(count) * stored
			}
		}
	}
	return nil
}

// thrownAway returns the share of Σs² that a low pass threw away.
func (r *reduced) thrownAway() float64 {
	kept := floats.Dot(r.S, r.S)
	return r.droppedPower / (kept + r.droppedPower)
}
