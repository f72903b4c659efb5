package svcca

import (
	"math"

	"github.com/gosvcca/gosvcca/lapack"
)

// finish makes a basis of what was found, and U of a layer with n < d.
func (z *krylov) finish() (*basis, lapack.Matrix[float64], error) {
	none, b := lapack.Matrix[float64]{}, z.basis
	if err := b.usable(); err != nil {
		return nil, none, err
	}
	vectors := lapack.New[float64](min(z.n, z.d), b.K)
	if err := z.combine(1, z.ritz.y.View(0, 0, z.order(), b.K), vectors); err != nil {
		return nil, none, err
	}
	if err := z.cutAgain(vectors); err != nil {
		return nil, none, err
	}
	if err := b.usable(); err != nil {
		return nil, none, err
	}
	b.Bound = z.errors.turn
	b.Loss.Turn += math.Ldexp(min(z.errors.sum, 1), z.exponent)
	b.Rest = math.Ldexp(z.trace, z.exponent)
	for _, s := range b.S[:b.K] {
		b.Rest -= s * s
	}
	b.Rest = max(0, b.Rest)
	b.RankSure = b.RankSure || b.K < b.Rank
	b.S, b.Along, b.Rank = b.S[:b.K], b.Along[:b.K], b.K
	vectors = vectors.View(0, 0, vectors.Rows, b.K)
	wide, is := z.gram.(wideGram)
	if !is {
		b.v = vectors
		return b, none, nil
	}
	z.setShift(z.shift)
	var err error
	b.v, err = wide.right(vectors, b.S)
	return b, vectors, err
}

// cutAgain cuts b once more where the rank hangs on ‖diag(a) v_i‖ of directions that
// were kept.
func (z *krylov) cutAgain(vectors lapack.Matrix[float64]) error {
	b, k := z.basis, z.basis.K
	low, high := z.unclear[0], min(z.unclear[1], k)
	if low >= high {
		return nil
	}
	some := vectors.View(0, low, vectors.Rows, high-low)
	if wide, is := z.gram.(wideGram); is {
		if err := wide.measureAlong(b.Along[low:high], some); err != nil {
			return err
		}
	} else {
		v := make([]float64, len(z.active))
		for i := range some.Cols {
			for r, j := range z.active {
				v[r] = some.At(j, i)
			}
			b.Along[low+i] = z.rmsAlong(v)
		}
	}
	b.cut(z.o)
	if b.K == k || b.K == 0 {
		return nil
	}
	_, err := z.serves(z.unseen)
	return err
}
