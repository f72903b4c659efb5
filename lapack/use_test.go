package lapack

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
)

// TestConcurrent has one BLAS thread for many goroutines, and all of them for
// few: OpenBLAS's threads wait for each other by spinning, and 16 goroutines
// with two threads each took a hundred times as long as with one.
func TestConcurrent(t *testing.T) {
	t.Run("one thread", func(t *testing.T) {
		defer native.LimitThreads(1)()
		onAll(t,
			func(t *testing.T, b *backend[float32]) { testConcurrent[float32, float64](t, b, 16) },
			func(t *testing.T, b *backend[float64]) { testConcurrent[float64, float64](t, b, 16) },
			func(t *testing.T, b *backend[complex64]) { testConcurrent[complex64, complex128](t, b, 16) },
			func(t *testing.T, b *backend[complex128]) { testConcurrent[complex128, complex128](t, b, 16) })
	})
	t.Run("all threads", func(t *testing.T) {
		onAll(t,
			func(t *testing.T, b *backend[float32]) { testConcurrent[float32, float64](t, b, 2) },
			func(t *testing.T, b *backend[float64]) { testConcurrent[float64, float64](t, b, 2) },
			func(t *testing.T, b *backend[complex64]) { testConcurrent[complex64, complex128](t, b, 2) },
			func(t *testing.T, b *backend[complex128]) { testConcurrent[complex128, complex128](t, b, 2) })
	})
}

// testConcurrent factorizes in several goroutines at once, each with objects
// and a shape of its own, and one matrix that all of them read.
func testConcurrent[T Scalar, W wide](t *testing.T, b *backend[T], goroutines int) {
	const rounds = 3
	r, ratios := newRand(t), newRatios(t, threshold)
	shared := guard[T](congruent[W](r, spectrum(func(x, _ float64) float64 { return 1 + x })(40, 0)), 1)
	type job struct {
		a   *guarded[T]
		svd SVD[T]
		qr  QR[T]
		eig Eigen[T]
		led LeadingEigen[T]
		err error
	}
	jobs := make([]job, goroutines)
	var group sync.WaitGroup
	for g := range jobs {
		j := &jobs[g]
		j.a = guard[T](randomMatrix[W](r, 30+3*g, 48), 1)
		j.svd.backend, j.qr.backend, j.eig.backend, j.led.backend = b, b, b, b
		group.Go(func() {
			for range rounds {
				for _, f := range []func() error{
					func() error { return j.svd.Factorize(j.a.Matrix, true) },
					func() error { return j.qr.Factorize(j.a.Matrix) },
					func() error { return j.eig.Factorize(shared.Matrix, true) },
					func() error { return j.led.FactorizeInPlace(shared.Clone()) },
				} {
					if j.err == nil {
						j.err = f()
					}
				}
			}
		})
	}
	group.Wait()
	shared.mustKeep(t, "shared", nowhere)
	for g := range jobs {
		j, where := &jobs[g], fmt.Sprintf("goroutine %d", g)
		require.NoError(t, j.err)
		j.a.mustKeep(t, where, nowhere)
		checkSVD[W](t, ratios, "SVD, "+where, j.a.Matrix, &j.svd)
		checkQR[W](t, ratios, "QR, "+where, j.a.Matrix, &j.qr)
		checkEigen[W](t, ratios, "Eigen, "+where, shared.Matrix, &j.eig)
		ratios.add("LeadingEigen", where, largestGap(j.led.Values(), j.eig.Values()), 2*40*ulp[T]()) // from 1 to 2
	}
}

func TestAllocations(t *testing.T) {
	onAll(t, testAllocations[float32, float64], testAllocations[float64, float64],
		testAllocations[complex64, complex128], testAllocations[complex128, complex128])
}

// testAllocations: an object that has seen a shape takes it again without
// allocating on OpenBLAS, but for the factors of complex products, of which
// netlib takes the address. The portable backend makes no promise.
func testAllocations[T Scalar, W wide](t *testing.T, b *backend[T]) {
	if sanitizer.On {
		t.Skip("instrumentation by -race or -asan allocates")
	}
	r, most := newRand(t), 0.0
	if b.name != "openblas" {
		most = math.Inf(1)
	}
	a := guard[T](congruent[W](r, spectrum(func(x, _ float64) float64 { return 1 + x })(48, 0)), 1).Matrix
	tall := guard[T](randomMatrix[W](r, 90, 48), 1).Matrix
	svd, qr, eigen := SVD[T]{backend: b}, QR[T]{backend: b}, Eigen[T]{backend: b}
	leading, memory, first := LeadingEigen[T]{backend: b}, New[T](48, 48), New[T](48, 12)
	q, upper, z := New[T](90, 48), New[T](48, 48), New[T](48, 48)
	c, definite, factor := New[T](48, 48), a.Clone(), New[T](48, 48)
	calls := []struct {
		name string
		call func() error
	}{
		{"SVD, vectors", func() error { return svd.Factorize(tall, true) }},
		{"SVD, values", func() error { return svd.Factorize(tall, false) }},
		{"Eigen, vectors", func() error { err := eigen.Factorize(a, true); eigen.VectorsTo(z, 48); return err }},
		{"Eigen, values", func() error { return eigen.Factorize(a, false) }},
		{"LeadingEigen", func() error { memory.CopyFrom(a); return leading.FactorizeInPlace(memory) }},
		{"LeadingEigen, vectors", func() error { _, err := leading.VectorsTo(first, 12); return err }},
		{"QR", func() error { err := qr.Factorize(tall); qr.RTo(upper); return err }},
		{"QR, Q", func() error { qr.QTo(q); return nil }},
		{"Cholesky", func() error { factor.CopyFrom(definite); return cholesky(b, factor) }},
		{"Gemm", func() error { gemm(b, 'C', 'N', 1, tall, tall, 0, c); return nil }},
		{"Herk", func() error { herk(b, 'C', 1, tall, 0, c); return nil }},
		{"Trsm", func() error { triangular(b.trsm, 'L', 'U', 'N', 1, a, c); return nil }},
	}
	for _, c := range calls {
		most := most
		if isComplex[T]() && (c.name == "Gemm" || c.name == "Trsm") {
			most = max(most, 2)
		}
		require.NoError(t, c.call())
		got := testing.AllocsPerRun(20, func() {
			if err := c.call(); err != nil {
				panic(err)
			}
		})
		t.Logf("%s: %g allocations", c.name, got)
		assert.LessOrEqual(t, got, most, c.name)
	}
}
