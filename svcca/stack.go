package svcca

import "github.com/gosvcca/gosvcca/lapack"

// stack holds a triangle and below it rows that are to be folded in.
type stack struct {
	rows   lapack.Matrix[float64]
	height int  // in use
	folded bool // they are a triangle
	qr     lapack.QR[float64]
}

// newStack returns a stack of so many rows, more than cols where it is to be
// folded before the last.
func newStack(rows, cols int) *stack {
	var memory []float64
	return &stack{rows: take(&memory, rows, cols)}
}

// free returns the place of at most count further rows.
func (s *stack) free(count int) lapack.Matrix[float64] {
	return s.rows.View(s.height, 0, min(s.rows.Rows-s.height, count), s.rows.Cols)
}

// fold takes in so many rows, which were put where free said.
func (s *stack) fold(count int) error {
	s.height += count
	s.folded = false
	if s.height <= s.rows.Cols {
		return nil
	}
	_, err := s.triangle()
	return err
}

// triangle returns the factor R of all rows so far, a view.
func (s *stack) triangle() (lapack.Matrix[float64], error) {
	if !s.folded {
		if err := s.qr.Factorize(s.rows.View(0, 0, s.height, s.rows.Cols)); err != nil {
			return lapack.Matrix[float64]{}, err
		}
		s.height, s.folded = min(s.height, s.rows.Cols), true
		s.qr.RTo(s.rows.View(0, 0, s.height, s.rows.Cols))
	}
	return s.rows.View(0, 0, s.height, s.rows.Cols), nil
}
