package lapack

// QR is the factorisation A = QR of an m × n matrix, by Householder
// reflections. The zero QR is ready for Factorize and keeps its memory from
// call to call. It may not be used from several goroutines at once.
type QR[T Scalar] struct {
	backend *backend[T]
	at      Matrix[T] // n × m: A, then R and the reflections, by columns
	tau     []T
	storage []T // behind at
	q       []T // behind Qᵀ, in QTo
	work    workspace[T]
	ok      bool
}

// Factorize factors a, m × n, which it leaves as it is.
// Cost: 2mn² − 2n³/3 flops for m ≥ n, four times that for complex T, and a copy
// of a. Backward error: O(mn·ε·‖A‖).
// The error wraps ErrNotFinite.
func (f *QR[T]) Factorize(a Matrix[T]) error {
	a.check()
	f.ok = false
	if err := checkFinite("GEQRF", "", a); err != nil {
		return err
	}
	f.at = Of(a.Cols, a.Rows, grow(&f.storage, a.Rows*a.Cols))
	f.at.TransposeFrom(a)
	f.factorize()
	return nil
}

func (f *QR[T]) factorize() {
	tau := grow(&f.tau, min(f.at.Rows, f.at.Cols))
	if len(tau) > 0 {
		inUse(f.backend).geqrf(f.at, tau, &f.work)
	}
	f.ok = true
}

// RTo returns R, min(m, n) × n upper trapezoidal, in dst where that has memory.
func (f *QR[T]) RTo(dst Matrix[T]) Matrix[T] {
	f.mustBeFactorized()
	k := len(f.tau)
	dst = destination(dst, k, f.at.Rows)
	for i := range k {
		row := dst.Row(i)
		clear(row[:i])
		for j := i; j < f.at.Rows; j++ {
			row[j] = f.at.Data[j*f.at.Stride+i]
		}
	}
	return dst
}

// QTo returns the first min(m, n) columns of Q, m × min(m, n), in dst where
// that has memory. Cost: as Factorize's.
func (f *QR[T]) QTo(dst Matrix[T]) Matrix[T] {
	f.mustBeFactorized()
	k, m := len(f.tau), f.at.Cols
	dst = destination(dst, m, k)
	if k == 0 || m == 0 {
		return dst
	}
	qt := Of(k, m, grow(&f.q, k*m))
	qt.CopyFrom(f.at.View(0, 0, k, m))
	inUse(f.backend).orgqr(qt, f.tau, &f.work)
	dst.TransposeFrom(qt)
	return dst
}

func (f *QR[T]) mustBeFactorized() {
	if !f.ok {
		panic(errUnfactorized)
	}
}
