// Package tsqr factors rows that come block by block: the triangle R of their QR
// factorisation, on which further rows are stacked and folded in (Demmel et al. 2012).
package tsqr

import "github.com/gosvcca/gosvcca/lapack"

// Stack holds a triangle and below it rows that are to be folded in.
type Stack[T lapack.Scalar] struct {
	rows   lapack.Matrix[T]
	height int  // in use
	folded bool // they are a triangle
	qr     lapack.QR[T]
}

// New returns a stack in the memory of rows, which has more rows than columns where it is
// to be folded before the last. With twice as many, folding costs twice what it would with
// no triangle on top.
func New[T lapack.Scalar](rows lapack.Matrix[T]) *Stack[T] { return &Stack[T]{rows: rows} }

// Add takes in count rows, as many at a time as there is room for: set sets them, of which
// the first is given.
func (s *Stack[T]) Add(count int, set func(to lapack.Matrix[T], first int) error) error {
	for first := 0; first < count; {
		if s.height == s.rows.Rows {
			if _, err := s.Triangle(); err != nil {
				return err
			}
		}
		to := s.rows.View(s.height, 0, min(s.rows.Rows-s.height, count-first), s.rows.Cols)
		if err := set(to, first); err != nil {
			return err
		}
		s.height += to.Rows
		s.folded = false
		first += to.Rows
	}
	return nil
}

// Triangle returns the factor R of all rows so far, a view.
func (s *Stack[T]) Triangle() (lapack.Matrix[T], error) {
	if !s.folded {
		if err := s.qr.Factorize(s.rows.View(0, 0, s.height, s.rows.Cols)); err != nil {
			return lapack.Matrix[T]{}, err
		}
		s.height, s.folded = min(s.height, s.rows.Cols), true
		s.qr.RTo(s.rows.View(0, 0, s.height, s.rows.Cols))
	}
	return s.rows.View(0, 0, s.height, s.rows.Cols), nil
}
