// Package merging is what sums of rows share, real and complex: goroutines that add to
// them, and units that change.
package merging

import (
	"sync"

	"github.com/gosvcca/gosvcca/lapack"
)

// Sums merge with others of the same kind, which that may spoil.
type Sums[S any] interface {
	Merge(other S) error
	Clone() S
}

// Shared are sums that many goroutines add to. The zero Shared holds none.
type Shared[S Sums[S]] struct {
	mutex sync.Mutex
	sums  S
	some  bool
}

// Merge adds z, which it may keep.
func (s *Shared[S]) Merge(z S) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.some {
		s.sums, s.some = z, true
		return nil
	}
	return s.sums.Merge(z)
}

// MergeShared adds what other holds, which is left as it is.
func (s *Shared[S]) MergeShared(other *Shared[S]) error {
	z, some := other.Snapshot()
	if !some {
		return nil
	}
	return s.Merge(z)
}

// Snapshot returns a copy of the sums so far, and whether there are any.
func (s *Shared[S]) Snapshot() (z S, some bool) {
	s.Look(func(sums S) { z, some = sums.Clone(), true })
	return z, some
}

// Set replaces the sums.
func (s *Shared[S]) Set(z S) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.sums, s.some = z, true
}

// Look calls see with the sums, if there are any, while nobody adds to them.
func (s *Shared[S]) Look(see func(z S)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.some {
		see(s.sums)
	}
}

// ScaleBlock multiplies d rows and columns from the at-th on of a symmetric or Hermitian
// matrix, of which the upper triangle is there, by a real factor.
func ScaleBlock[T lapack.Scalar](gram lapack.Matrix[T], at, d int, factor T) {
	for r := range at + d {
		row := gram.Row(r)
		if r >= at {
			for c := r; c < len(row); c++ {
				row[c] *= factor
			}
		}
		for c := max(r, at); c < at+d; c++ {
			row[c] *= factor
		}
	}
}
