package svcca

import (
	"github.com/gosvcca/gosvcca/lapack"
)

// sparseGram is XcᵀXc of a sparse layer with n ≥ d, which was surveyed before.
type sparseGram struct{ *sparseRows }

func (g sparseGram) survey(q, y lapack.Matrix[float64]) (trace, lost float64, err error) {
	return g.surveyed(g.apply(q, y))
}

func (g sparseGram) apply(q, y lapack.Matrix[float64]) error {
	z := lapack.New[float64](g.n, q.Cols)
	if err := g.times(q, z); err != nil {
		return err
	}
	return g.transposedTimes(z, y, 0)
}

// surveyed returns ‖Xc‖_F² and what rounding does to the Gram matrix, but for err.
func (x *sparseRows) surveyed(err error) (trace, lost float64, _ error) {
	for _, j := range x.active {
		trace += x.squares[j]
	}
	return trace, krylovRounding * (trace + x.apart), err
}
