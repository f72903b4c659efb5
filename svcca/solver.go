package svcca

import (
	"fmt"
	"strings"
)

// Solver is how the singular values and vectors of a layer are found.
type Solver int

const (
	// Automatic is Exact for layers of up to 16384 neurons or, where there are
	// fewer of them, datapoints, and Krylov above.
	Automatic Solver = iota
	// Exact takes the eigen-solve of a matrix of order min(datapoints, neurons) at
	// 5·8·order² bytes and 9·order³ flops. Above 32766 it is refused.
	Exact
	// Krylov finds the leading directions alone, approximately, in a random subspace
	// that is improved from pass to pass over the rows (DEFINITIONS §2). The result
	// says so and how near it is. Keep must be Variance, below 1, or Count.
	Krylov
)

// automaticOrder is the order up to which Automatic is Exact: 10 GiB, and a quarter
// of an hour on two cores. A variable for tests, which lower it.
var automaticOrder = 16384

// exactOrder is that up to which the work space of SYEVD, 1 + 6n + 2n² values, is
// counted in LAPACK's integers of 32 bits.
const exactOrder = 32766

// krylov reports whether the leading directions alone of an n × d layer are found.
func (o Options) krylov(n, d int) bool {
	return o.Solver == Krylov || o.Solver == Automatic && min(n, d) > automaticOrder
}

// solvable returns an error where the layer has no solver under these options.
func (o Options) solvable(l described) error {
	order := min(l.n, l.d)
	if !o.krylov(l.n, l.d) {
		if order > exactOrder {
			return fmt.Errorf("svcca: layer %q, %d × %d: an exact solve is of order %d, which takes %v and is beyond the %d that LAPACK can count: the Krylov solver is approximate: %w",
				l.name, l.n, l.d, order, exactBytes(order), exactOrder, ErrOptions)
		}
		return nil
	}
	switch o.Keep.rule {
	case keepCount:
		return nil
	case keepVariance:
		if o.Keep.share < 1 {
			return nil
		}
	}
	return fmt.Errorf("svcca: layer %q: keep %v asks for all %d singular values, of which the Krylov solver finds the largest: keep variance(share) below 1 or count(number), or take the exact solver, %v: %w",
		l.name, o.Keep, order, exactBytes(order), ErrOptions)
}

// exactBytes is what an eigen-solve of the order takes: the matrix, its copy and
// work space, and vectors.
func exactBytes(order int) Bytes { return Bytes(5 * 8 * int64(order) * int64(order)) }

// String returns "auto", "exact" or "krylov".
func (s Solver) String() string {
	switch s {
	case Exact:
		return "exact"
	case Krylov:
		return "krylov"
	}
	return "auto"
}

// ParseSolver reads "auto", "exact" or "krylov". The error wraps ErrOptions.
func ParseSolver(text string) (Solver, error) {
	for _, s := range []Solver{Automatic, Exact, Krylov} {
		if strings.TrimSpace(text) == s.String() {
			return s, nil
		}
	}
	return 0, fmt.Errorf("svcca: solver %q is none of auto, exact, krylov: %w", text, ErrOptions)
}

// MarshalText returns String.
func (s Solver) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSolver.
func (s *Solver) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSolver(string(text))
	return err
}
