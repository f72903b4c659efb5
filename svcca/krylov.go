package svcca

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

const (
	// krylovAccuracy is the error at which the space is not enlarged any more.
	krylovAccuracy = 1e-6
	// probePowers is how many passes an estimate of what was missed may take.
	probePowers = 3
)

// Variables for tests, which lower them.
var (
	// krylovBlock is the number of columns of a block. With fewer, reading outweighs
	// products; with more, the space is larger for the same error.
	krylovBlock = 64
	// krylovMost is how many directions the space may have: 256 MiB at an order of
	// 16384.
	krylovMost = 2048
)

// krylovSizes returns the columns of a block and of the whole space, for a Gram matrix
// of the order.
func krylovSizes(order int, keep Keep) (block, most int) {
	block, most = krylovBlock, krylovMost
	if keep.rule == keepCount {
		count := min(keep.count, order)
		block = max(block, min(count/4, 4*krylovBlock))
		most = max(most, 2*count)
	}
	return min(block, order), min(most, order)
}

// krylov finds the leading singular directions of a layer whose smaller Gram matrix G
// is too large to be solved: randomized block Krylov (Halko, Martinsson and Tropp
// 2011, whom Raghu et al. name; Musco and Musco 2015), as far as the rule asks for.
type krylov struct {
	krylovSpace
	o           Options
	block, most int
	exponent    int     // G is 2^exponent times what the space is of
	trace, lost float64 // of that, and what rounding may have done to it
	unseen      float64 // bounds ‖F‖, F being G on what is orthogonal to Q
	probed      int     // order of the space when that was last estimated
	ritz        ritz
	basis       *basis
	unclear     [2]int // directions of which Along may decide the rank
	errors      cutErrors
}

// reduceKrylov finds a basis and, of a layer with n < d, the left singular vectors.
func reduceKrylov(c crew.Crew, w *workspace, s *side, o Options) (*basis, lapack.Matrix[float64], error) {
	var gram gramOperator
	switch {
	case s.n < s.d:
		gram = wideGram{newRows(c, w, s)}
	case s.sparse != nil:
		x := newSparseRows(c, s)
		x.silence()
		gram = sparseGram{x}
	default:
		gram = &tallGram{panel: newPanel(c, w, Double, s), side: s}
	}
	z := &krylov{o: o, krylovSpace: krylovSpace{
		Crew: c, side: s, gram: gram, rng: rand.New(rand.NewPCG(uint64(s.n), uint64(s.d))),
	}}
	z.block, z.most = krylovSizes(min(s.n, s.d), o.Keep)
	if err := z.start(); err != nil {
		return nil, lapack.Matrix[float64]{}, err
	}
	for {
		if done, err := z.step(); err != nil {
			return nil, lapack.Matrix[float64]{}, err
		} else if done {
			return z.finish()
		}
	}
}

// start surveys the layer, and finds the first block in the same pass.
func (z *krylov) start() error {
	order := min(z.n, z.d)
	omega, y := z.random(order, z.block), lapack.New[float64](order, z.block)
	var err error
	if z.trace, z.lost, err = z.gram.survey(omega, y); err != nil {
		return err
	}
	if !(z.trace > 0) {
		none := &basis{side: z.side}
		return none.usable()
	}
	_, z.exponent = math.Frexp(z.trace)
	z.exponent += z.exponent & 1 // roots are exact
	z.unit = math.Ldexp(1, -z.exponent)
	z.trace, z.lost = z.trace*z.unit, z.lost*z.unit
	z.unseen = z.trace
	scaleAll(y, z.unit)
	return z.follow(y, z.block)
}

// step enlarges the space by a block and reports whether it serves.
func (z *krylov) step() (done bool, err error) {
	if err := z.extend(); err != nil {
		return false, err
	}
	found := 0.0
	for i := range z.order() {
		found += z.t.At(i, i)
	}
	last := z.next.Cols == 0 || z.order() >= z.most
	z.unseen = min(z.unseen, max(0, z.trace-found)+z.lost)
	if z.next.Cols == 0 {
		z.unseen = 0 // there is nothing else
	}
	if !z.reached(found) {
		if last {
			return false, fmt.Errorf("svcca: layer %q: %d directions, as many as the Krylov solver looks for, hold %.3g%% of the variance, and keep %v asks for more: keep less, or take the exact solver, %v: %w",
				z.name, z.order(), 100*found/z.trace, z.o.Keep, exactBytes(min(z.n, z.d)), ErrOptions)
		}
		return false, nil
	}
	if z.ritz, err = z.krylovSpace.ritz(); err != nil {
		return false, err
	}
	z.cut()
	if z.basis.K == 0 {
		return true, nil
	}
	if done, err = z.serves(z.unseen); done || err != nil {
		return done, err
	}
	// Only what was not seen may stand in the way: look for it, unless the space has
	// hardly grown since that did not help.
	hopeful, err := z.serves(0)
	if err == nil && z.next.Cols > 0 && (last || hopeful && 4*z.order() >= 5*z.probed) {
		z.probed = z.order()
		z.unseen, err = z.outside(z.block, probePowers, z.unseen, z.serves)
	}
	if err != nil {
		return false, err
	}
	done, err = z.serves(z.unseen)
	return done || last, err
}

// reached reports whether the space, whose Ritz values sum to found, may hold what is
// to be kept.
func (z *krylov) reached(found float64) bool {
	if z.o.Keep.rule == keepCount {
		return z.order() > z.o.Keep.count || z.next.Cols == 0 || z.unseen <= 2*z.lost
	}
	return found >= z.o.Keep.share*z.trace
}

// cut cuts the Ritz values by the rule, of which Σs_i² is all that hangs on values not
// found. A direction that may be noise counts until all are known.
func (z *krylov) cut() {
	b := &basis{side: z.side, method: MethodKrylov, fallback: z.o.Precision != Double}
	b.S, b.Squared = squaredValues(z.ritz.theta, len(z.ritz.theta)), true
	kept := 0.0
	for i, theta := range z.ritz.theta {
		b.S[i] = math.Ldexp(b.S[i], z.exponent/2)
		kept += max(0, theta)
	}
	b.Rest = math.Ldexp(max(0, z.trace-kept), z.exponent)
	b.Loss = spectrum.SquaredLoss(b.S[0], 0)
	low, high := b.boundAlong(z.o.RankTol)
	for i := low; i < high; i++ {
		b.Along[i] = b.leastAlong()
	}
	z.unclear = [2]int{low, high}
	z.basis = b
	b.cut(z.o)
}

// serves sets the errors of the cut where ‖F‖ ≤ f, and reports whether they are small
// enough, or rounding. Errors of sums, by which k hangs on them, are then smaller still.
func (z *krylov) serves(f float64) (bool, error) {
	e, err := z.ritz.errors(z.basis.K, f)
	if err != nil {
		return false, z.wrap(err)
	}
	z.errors = e
	z.basis.KSure = z.sure(e.sum)
	return e.turn <= max(krylovAccuracy, 2*e.rounding), nil
}

// sure reports whether k is that of the exact values where sums of the first may be
// higher by missing.
func (z *krylov) sure(missing float64) bool {
	b, keep := z.basis, z.o.Keep
	if keep.rule == keepCount {
		return b.K >= keep.count || b.RankSure
	}
	wanted, sum := keep.share*z.trace, 0.0
	for i, theta := range z.ritz.theta {
		before := sum
		if sum += theta; sum >= wanted {
			if b.K <= i {
				break // the rank was less
			}
			return sum >= wanted+z.lost && before+missing < wanted-z.lost
		}
	}
	return b.RankSure
}
