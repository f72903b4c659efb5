package lapack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
)

func TestLeadingEigen(t *testing.T) {
	onAll(t, testLeading[float32, float64], testLeading[float64, float64],
		testLeading[complex64, complex128], testLeading[complex128, complex128])
}

// testLeading takes each routine of a backend alone: also the one that is there
// only for when the first does not converge.
func testLeading[T Scalar, W wide](t *testing.T, b *backend[T]) {
	for _, routine := range b.tridiagonal {
		t.Run(routine.name, func(t *testing.T) {
			parallel(t)
			testLeadingRoutine[T, W](t, withTridiagonal(b, routine))
		})
	}
}

// withTridiagonal returns b with other routines for a tridiagonal matrix.
func withTridiagonal[T Scalar](b *backend[T], routines ...tridiagonalRoutine[T]) *backend[T] {
	c := *b
	c.tridiagonal = routines
	return &c
}

func testLeadingRoutine[T Scalar, W wide](t *testing.T, b *backend[T]) {
	r, ratios := newRand(t), newRatios(t, threshold)
	f, alone := &LeadingEigen[T]{backend: b}, &Eigen[T]{backend: b} // reused throughout
	for _, n := range squareSizes(r) {
		for _, k := range kindsFor[W](n) {
			base, known := k.hermitian(r, n, ulp[T]())
			for _, scale := range scalesFor[T](k, n) {
				where := fmt.Sprintf("%s of order %d · %g", k.name, n, scale)
				a := upperGuard[T](base, scale)
				checkLeading[W](t, ratios, where, a, f, alone, 0, 1, n/4, n/2, n-1)
				if known != nil && n > 0 {
					// As for Eigen: A differs from Q diag(known) Qᵀ by its rounding.
					d := scaled(known, scale)
					ratios.add("known values", where, largestGap(f.Values(), d), largestModulus(d)*float64(n)*ulp[T]())
				}
			}
		}
	}
}

// checkLeading factorizes a copy of a in its place and adds the ratios of the
// values, of all vectors, and of each count of them.
func checkLeading[W wide, T Scalar](t *testing.T, ratios *ratios, where string, a *guarded[T], f *LeadingEigen[T], alone *Eigen[T], counts ...int) {
	n := a.Rows
	memory := newGuarded[T](n, n)
	memory.CopyFrom(a.Matrix)
	poison(f.values, f.d, f.e, f.destroyed)
	poison(f.tau, f.memory)
	poisonWork(&f.work)
	require.NoError(t, f.FactorizeInPlace(memory.Matrix), where)
	memory.mustKeep(t, where, everywhere)
	values := f.Values()
	require.Len(t, values, n, where)
	require.True(t, isDescending(values), "%s: values %v", where, values)

	whole := hermitian(toWide[W](a.Matrix))
	norm := norm1(whole)
	if norm == 0 {
		assert.Zero(t, largestModulus(values), where)
	}
	require.NoError(t, alone.Factorize(a.Matrix, false), where)
	if n > 0 {
		ratios.add("values of Eigen", where, largestGap(values, alone.Values()), largestModulus(values)*float64(n)*ulp[T]())
	}
	if n == 0 {
		counts = []int{0}
	}
	all := newGuarded[T](n, n)
	for _, k := range append([]int{n}, counts...) {
		if k < 0 || k > n {
			continue
		}
		where := fmt.Sprintf("%s, %d vectors", where, k)
		dst := newGuarded[T](n, k)
		if k == n {
			dst = all
		}
		poisonWork(&f.work)
		z, err := f.VectorsTo(dst.Matrix, k)
		require.NoError(t, err, where)
		dst.mustKeep(t, where, everywhere)
		memory.mustKeep(t, where, everywhere)
		require.Equal(t, []int{n, k}, []int{z.Rows, z.Cols}, where)
		if n == 0 || k == 0 {
			continue
		}
		require.Same(t, &dst.Data[0], &z.Data[0], where)
		vectors := toWide[W](z)
		if k < n { // the same, but for the order of sums
			gap := norm1(difference(toWide[W](all.View(0, 0, n, k)), vectors))
			ratios.add("of all vectors", where, gap, float64(n)*ulp[T]())
			continue
		}
		residual := difference(product(whole, vectors), scaleColumns(vectors, values[:k]))
		ratios.add("‖AV − VΛ‖", where, norm1(residual), norm*float64(n)*ulp[T]())
		ratios.add("‖I − VᴴV‖", where, departure(vectors), float64(n)*ulp[T]())
	}
}

// A hardMatrix is one on which methods for a part of a spectrum fail, and what
// SVCCA meets: the Gram matrix of a layer.
type hardMatrix[W wide] struct {
	name  string
	order int
	make  func(r *rand.Rand, n int) Matrix[W]
}

func hard[W wide]() []hardMatrix[W] {
	return []hardMatrix[W]{
		{"falling Gram", 200, fallingGram[W]},
		{"Gram of n/3 rows", 200, func(r *rand.Rand, n int) Matrix[W] { // the rank: all else is 0
			x := randomMatrix[W](r, (n+2)/3, n)
			return product(adjoint(x), x)
		}},
		{"glued Wilkinson", 8 * 21, func(_ *rand.Rand, n int) Matrix[W] { // each eigenvalue n/21 times, to √ε
			return wilkinson[W](n)
		}},
		{"glued Wilkinson, turned", 8 * 21, func(r *rand.Rand, n int) Matrix[W] {
			q := orthogonal[W](r, n, n)
			return hermitian(product(q, product(wilkinson[W](n), adjoint(q))))
		}},
		{"equal blocks", 160, func(r *rand.Rand, n int) Matrix[W] { // each eigenvalue four times
			side := (n + 3) / 4
			block := hermitian(randomMatrix[W](r, side, side))
			return build(n, n, func(i, j int) W {
				if i/side != j/side {
					return 0
				}
				return block.At(i%side, j%side)
			})
		}},
	}
}

// wilkinson returns matrices W₂₁⁺, tridiagonal with a diagonal 10, 9, … 0, … 10,
// along the diagonal, glued by off-diagonal elements of 1e-8.
func wilkinson[W wide](n int) Matrix[W] {
	return build(n, n, func(i, j int) W {
		switch {
		case i == j:
			return fromReal[W](math.Abs(float64(i%21 - 10)))
		case min(i, j)+1 != max(i, j):
			return 0
		case max(i, j)%21 == 0:
			return 1e-8
		}
		return 1
	})
}

// fallingGram returns a matrix with eigenvalues that fall as those of many
// layers, to 3e-9 of the first: exp(−i/52)², i = 0 … 511, at n = 512.
func fallingGram[W wide](r *rand.Rand, n int) Matrix[W] {
	d := make([]float64, n)
	for i := range d {
		d[i] = math.Exp(-2 * float64(i) / 52 * 512 / float64(n))
	}
	return congruent[W](r, d)
}

func TestLeadingEigenHard(t *testing.T) {
	onAll(t, testLeadingHard[float32, float64], testLeadingHard[float64, float64],
		testLeadingHard[complex64, complex128], testLeadingHard[complex128, complex128])
}

func testLeadingHard[T Scalar, W wide](t *testing.T, b *backend[T]) {
	for _, routine := range b.tridiagonal {
		t.Run(routine.name, func(t *testing.T) {
			parallel(t)
			r, ratios := newRand(t), newRatios(t, threshold)
			f, alone := &LeadingEigen[T]{backend: withTridiagonal(b, routine)}, &Eigen[T]{backend: b}
			for _, h := range hard[W]() {
				n := h.order
				if testing.Short() || sanitizer.On {
					n = min(n, 31)
				}
				where := fmt.Sprintf("%s of order %d", h.name, n)
				// n/4 is below the rank of the second, n/2 above.
				checkLeading[W](t, ratios, where, upperGuard[T](h.make(r, n), 1), f, alone, n/8, n/4, n/2)
			}
		})
	}
}

// TestLeadingEigenRange: without normalizeUpper this reduction overflows. Its
// first reflection is (0, 1, 1)ᵀ, as exactly as T has it, and the product with
// λqqᵀ, q = (cos 22.5°, sin 22.5°), has an element 1.2λ, beyond T; λ is not.
func TestLeadingEigenRange(t *testing.T) {
	onAll(t, testLeadingRange[float32, float64], testLeadingRange[float64, float64], testLeadingRange[complex64, complex128], testLeadingRange[complex128, complex128])
}

func testLeadingRange[T Scalar, W wide](t *testing.T, b *backend[T]) {
	largest := math.MaxFloat64
	if isSingle[T]() {
		largest = math.MaxFloat32
	}
	lambda, sin, cos := 0.95*largest, math.Sin(math.Pi/8), math.Cos(math.Pi/8)
	a := Of(3, 3, []T{
		0, 0, 1,
		0, fromReal[T](lambda * cos * cos), fromReal[T](lambda * cos * sin),
		0, 0, fromReal[T](lambda * sin * sin),
	})
	f := &LeadingEigen[T]{backend: b}
	require.NoError(t, f.FactorizeInPlace(a))
	assert.InEpsilon(t, lambda, f.Values()[0], 3*threshold*ulp[T]())
	z, err := f.VectorsTo(Matrix[T]{}, 1)
	require.NoError(t, err)
	// The other eigenvalues are 0 and below 1: no direction is near another.
	assert.InDelta(t, cos*sin, realPart(z.At(1, 0)*conjugated(z.At(2, 0))), 3*threshold*ulp[T]())

	// All denormal, with eigenvalues 24 and 8 times the least number: too small
	// for one power of two to bring them near 1.
	least := denormal[T]()
	require.NoError(t, f.FactorizeInPlace(Of(2, 2, []T{fromReal[T](16 * least), fromReal[T](8 * least), 0, fromReal[T](16 * least)})))
	assert.InDeltaSlice(t, []float64{24 * least, 8 * least}, f.Values(), 24*least*2*threshold*ulp[T]())
	z, err = f.VectorsTo(z.View(0, 0, 2, 1), 1)
	require.NoError(t, err)
	assert.InDelta(t, 0.5, realPart(z.At(0, 0)*conjugated(z.At(1, 0))), 2*threshold*ulp[T]())
}

// TestReflections: Q is orthogonal where reflections end in zeros, which blocks
// of them may not mistake for a common end (see portableOrmtr).
func TestReflections(t *testing.T) {
	onAll(t, testReflections[float32, float64], testReflections[float64, float64],
		testReflections[complex64, complex128], testReflections[complex128, complex128])
}

func testReflections[T Scalar, W wide](t *testing.T, b *backend[T]) {
	const n = 100
	r, ratios := newRand(t), newRatios(t, threshold)
	for ends := range 4 { // this reflection has two elements, the others have all
		// Backends store the reflections in one triangle or the other.
		a, tau, q := New[T](n, n), make([]T, n), New[T](n, n)
		for i := range n {
			q.Set(i, i, 1)
			square := 1.0
			for j := i + 2; j < n; j++ {
				if i == ends && j > i+2 {
					break
				}
				v := rounded[T](normal[W](r))
				a.Set(i, j, v)
				a.Set(j, i, v)
				re, im := parts(v)
				square += re*re + im*im
			}
			tau[i] = fromReal[T](2 / square)
		}
		b.ormtr(a, tau, q, new(workspace[T]))
		ratios.add("‖I − QᴴQ‖", fmt.Sprintf("reflection %d short", ends), departure(toWide[W](q)), n*ulp[T]())
	}
}

// BenchmarkLeading finds the leading k eigenvectors with one BLAS thread, beside
// Eigen, which finds all. Either restores its matrix by a copy.
func BenchmarkLeading(b *testing.B) {
	defer native.LimitThreads(1)()
	const d = 512
	benchmarkInputs(b, d, benchmarkLeading[float32, float64], benchmarkLeading[float64, float64])
	benchmarkInputs(b, d, benchmarkLeading[complex64, complex128], benchmarkLeading[complex128, complex128])
}

func benchmarkInputs[W wide](b *testing.B, d int, benchmarks ...func(b *testing.B, name string, a Matrix[W])) {
	r := rand.New(rand.NewPCG(seed, 0))
	x := randomMatrix[W](r, d, d)
	for _, input := range []struct {
		name string
		a    Matrix[W]
	}{
		{"falling", fallingGram[W](r, d)},
		{"random", product(adjoint(x), x)},
	} {
		for _, benchmark := range benchmarks {
			benchmark(b, input.name, input.a)
		}
	}
}

func benchmarkLeading[T Scalar, W wide](b *testing.B, name string, a Matrix[W]) {
	d := a.Rows
	source, memory := guard[T](a, 1).Matrix, New[T](d, d)
	name = fmt.Sprintf("spectrum=%s/d=%d/type=%T", name, d, *new(T))
	b.Run(name+"/of=Eigen", func(b *testing.B) {
		b.ReportAllocs()
		var f Eigen[T]
		for b.Loop() {
			memory.CopyFrom(source)
			if err := f.FactorizeInPlace(memory, true); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, k := range []int{64, 128, 256, 460, 512} {
		b.Run(fmt.Sprintf("%s/of=LeadingEigen/k=%d", name, k), func(b *testing.B) {
			b.ReportAllocs()
			var f LeadingEigen[T]
			z := New[T](d, k)
			for b.Loop() {
				memory.CopyFrom(source)
				if err := f.FactorizeInPlace(memory); err != nil {
					b.Fatal(err)
				}
				if _, err := f.VectorsTo(z, k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
