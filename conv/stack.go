package conv

import "github.com/gosvcca/gosvcca/lapack"

// stack holds the triangle R of the QR factorisation of rows, and below it rows that
// are to be folded in.
type stack struct {
	rows   lapack.Matrix[complex128]
	height int // in use
	folded bool
	qr     lapack.QR[complex128]
}

// newStack returns a stack for rows of so many columns. It is folded when there are as
// many new rows as the triangle has: that costs twice what it would with no triangle.
func newStack(columns int) *stack {
	return &stack{rows: lapack.New[complex128](2*columns, columns)}
}

// add takes in count rows, which set sets, some at a time.
func (s *stack) add(count int, set func(rows lapack.Matrix[complex128])) error {
	if free := s.rows.Rows - s.height; count > free {
		if _, err := s.triangle(); err != nil {
			return err
		}
		if free = s.rows.Rows - s.height; count > free {
			rows := lapack.New[complex128](s.height+count, s.rows.Cols)
			rows.View(0, 0, s.height, s.rows.Cols).CopyFrom(s.rows.View(0, 0, s.height, s.rows.Cols))
			s.rows = rows
		}
	}
	set(s.rows.View(s.height, 0, count, s.rows.Cols))
	s.height += count
	s.folded = false
	return nil
}

// triangle returns the factor R of all rows so far, a view.
func (s *stack) triangle() (lapack.Matrix[complex128], error) {
	if !s.folded {
		if err := s.qr.Factorize(s.rows.View(0, 0, s.height, s.rows.Cols)); err != nil {
			return lapack.Matrix[complex128]{}, err
		}
		s.height, s.folded = min(s.height, s.rows.Cols), true
		s.qr.RTo(s.rows.View(0, 0, s.height, s.rows.Cols))
	}
	return s.rows.View(0, 0, s.height, s.rows.Cols), nil
}
