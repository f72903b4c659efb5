package lapack

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/native"
)

// threshold is the ratio that no residual may reach, after LAPACK's own tests
// (STYLE §4). It stands for the modest constant in bounds like c·n·ulp·‖A‖.
const threshold = 30

// seed starts every random sequence here; -rapid.seed changes that of rapid.
const seed = 20170619

func TestMain(m *testing.M) {
	flag.Set("rapid.seed", fmt.Sprint(seed)) // else rapid takes it from the clock
	goleak.VerifyTestMain(m)
}

func newRand(t *testing.T) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// wide are the types in which tests compute residuals: W of a test on elements
// of T is float64 for real T, complex128 for complex T.
type wide interface{ float64 | complex128 }

// onAll runs test as a subtest for every element type and backend.
func onAll(
	t *testing.T,
	single func(*testing.T, *backend[float32]), double func(*testing.T, *backend[float64]),
	singleComplex func(*testing.T, *backend[complex64]), doubleComplex func(*testing.T, *backend[complex128]),
) {
	onBackends(t, single)
	onBackends(t, double)
	onBackends(t, singleComplex)
	onBackends(t, doubleComplex)
}

// onBackends leaves out the portable backend beside another where code is
// instrumented, which takes many times as long: there it is C that is watched.
func onBackends[T Scalar](t *testing.T, test func(*testing.T, *backend[T])) {
	backends := distinctBackends[T]()
	if sanitizer.On {
		backends = backends[:1]
	}
	for _, b := range backends {
		t.Run(fmt.Sprintf("%T/%s", *new(T), b.name), func(t *testing.T) { test(t, b) })
	}
}

// parallel lets t run beside its siblings, each with one BLAS thread.
func parallel(t *testing.T) {
	t.Parallel()
	t.Cleanup(native.LimitThreads(1))
}

// distinctBackends returns the backends of the build, each once.
func distinctBackends[T Scalar]() []*backend[T] {
	all := backendsOf[T]()
	if all[0].name == all[1].name {
		return all[:1]
	}
	return all[:]
}

// isSingle reports whether T's parts are float32.
func isSingle[T Scalar]() bool {
	one := fromReal[T](1)
	return one+fromReal[T](0x1p-30) == one
}

// ulp returns the distance from 1 to the next T.
func ulp[T Scalar]() float64 {
	if isSingle[T]() {
		return 0x1p-23
	}
	return 0x1p-52
}

// denormal returns the least positive T: an operation that underflows errs by less.
func denormal[T Scalar]() float64 {
	if isSingle[T]() {
		return math.SmallestNonzeroFloat32
	}
	return math.SmallestNonzeroFloat64
}

// ratios collects ratios by what they measure, fails where one reaches the
// limit, and logs the worst of each when the test ends.
type ratios struct {
	sync.Mutex
	t     *testing.T
	limit float64
	worst map[string]float64
	at    map[string]string
}

func newRatios(t *testing.T, limit float64) *ratios {
	r := &ratios{t: t, limit: limit, worst: map[string]float64{}, at: map[string]string{}}
	t.Cleanup(func() {
		for _, what := range slices.Sorted(maps.Keys(r.worst)) {
			t.Logf("%s: worst ratio %.3f of %g, %s, at %s", t.Name(), r.worst[what], limit, what, r.at[what])
		}
	})
	return r
}

// add takes error / bound as the ratio; where the bound is 0 the error must be 0.
func (r *ratios) add(what, where string, err, bound float64) {
	ratio := err / bound
	if bound == 0 && err == 0 {
		ratio = 0
	}
	r.Lock()
	defer r.Unlock()
	if !(ratio < r.limit) { // also NaN
		r.t.Errorf("%s, %s: ratio %g, limit %g (error %g, unit %g)", what, where, ratio, r.limit, err, bound)
	}
	if old, ok := r.worst[what]; !ok || !(ratio <= old) {
		r.worst[what], r.at[what] = ratio, where
	}
}

// addEach compares got with want element by element over a region, in units of
// relative·magnitude + absolute.
func addEach[W wide](r *ratios, what, where string, got, want Matrix[W], magnitude Matrix[float64], relative, absolute float64, region func(i, j int) bool) {
	worst := 0.0
	for i := range want.Rows {
		for j := range want.Cols {
			if region(i, j) {
				worst = larger(worst, modulus(got.At(i, j)-want.At(i, j))/(relative*magnitude.At(i, j)+absolute))
			}
		}
	}
	r.add(what, where, worst, 1)
}

// guarded is a matrix with NaN between its rows, before and behind it.
type guarded[T Scalar] struct {
	Matrix[T]
	whole []T
	bits  [][2]uint64 // of whole, when it was made
}

const guardHead, guardPadding = 5, 3

// newGuarded returns a matrix of which every element is NaN too.
func newGuarded[T Scalar](rows, cols int) *guarded[T] {
	stride := cols + guardPadding
	g := &guarded[T]{whole: make([]T, guardHead+(rows+1)*stride)}
	poison(g.whole)
	data := g.whole[guardHead:guardHead]
	if rows > 0 && cols > 0 {
		data = g.whole[guardHead : guardHead+(rows-1)*stride+cols]
	}
	g.Matrix = Matrix[T]{Rows: rows, Cols: cols, Stride: stride, Data: data}
	g.snapshot()
	return g
}

// guard returns src times scale, rounded to T, within guards.
func guard[T Scalar, W wide](src Matrix[W], scale float64) *guarded[T] {
	g, factor := newGuarded[T](src.Rows, src.Cols), fromReal[W](scale)
	fill(g, func(i, j int) W { return src.At(i, j) * factor })
	return g
}

// fill sets every element, rounded to T, and takes the snapshot anew.
func fill[T Scalar, W wide](g *guarded[T], f func(i, j int) W) {
	for i := range g.Rows {
		for j := range g.Cols {
			g.Set(i, j, rounded[T](f(i, j)))
		}
	}
	g.snapshot()
}

// rounded returns the T nearest to v.
func rounded[T Scalar, W wide](v W) (x T) {
	switch x := any(&x).(type) {
	case *complex64:
		*x = complex64(any(v).(complex128))
	case *complex128:
		*x = any(v).(complex128)
	default:
		return fromReal[T](any(v).(float64))
	}
	return x
}

func (g *guarded[T]) snapshot() {
	g.bits = g.bits[:0]
	for _, v := range g.whole {
		g.bits = append(g.bits, bitsOf(v))
	}
}

// mustKeep fails the test unless every element that mine does not claim has
// the bits it had; elements outside the matrix must keep theirs in any case.
func (g *guarded[T]) mustKeep(t *testing.T, where string, mine func(i, j int) bool) {
	t.Helper()
	for at, v := range g.whole {
		i, j := (at-guardHead)/g.Stride, (at-guardHead)%g.Stride
		inside := at >= guardHead && i < g.Rows && j < g.Cols
		if bitsOf(v) != g.bits[at] && !(inside && mine(i, j)) {
			t.Fatalf("%s: element (%d, %d) of a %d × %d matrix was written", where, i, j, g.Rows, g.Cols)
		}
	}
}

func everywhere(int, int) bool { return true }
func nowhere(int, int) bool    { return false }
func upper(i, j int) bool      { return i <= j }

// bitsOf tells apart what == does not: zeros by sign, NaN by payload. The
// conversion of a float32 loses neither.
func bitsOf[T Scalar](v T) [2]uint64 {
	re, im := parts(v)
	return [2]uint64{math.Float64bits(re), math.Float64bits(im)}
}

// parts returns the real and the imaginary part of v.
func parts[T Scalar](v T) (re, im float64) {
	switch v := any(v).(type) {
	case float32:
		return float64(v), 0
	case float64:
		return v, 0
	case complex64:
		return float64(real(v)), float64(imag(v))
	case complex128:
		return real(v), imag(v)
	}
	panic("unreachable")
}

// notFinite returns x, which is NaN or Inf, as a T; of complex T as both parts.
func notFinite[T Scalar](x float64) T {
	v := fromReal[T](x)
	switch p := any(&v).(type) {
	case *complex64:
		*p = complex64(complex(x, x))
	case *complex128:
		*p = complex(x, x)
	}
	return v
}

// poison fills slices with NaN up to their capacity.
func poison[T Scalar](slices ...[]T) {
	nan := notFinite[T](math.NaN())
	for _, s := range slices {
		s = s[:cap(s)]
		for i := range s {
			s[i] = nan
		}
	}
}

// poisonWork spoils what a workspace kept from the last call.
func poisonWork[T Scalar](w *workspace[T]) {
	poison(w.scalars)
	poison(w.results.single, w.reals.single)
	poison(w.results.double, w.reals.double)
	s := w.integers[:cap(w.integers)]
	for i := range s {
		s[i] = math.MinInt32
	}
}

// What follows computes in W by plain loops, for residuals. Where T is real,
// conjugates are the numbers themselves, Hermitian is symmetric and so on.

func toWide[W wide, T Scalar](a Matrix[T]) Matrix[W] {
	m := New[W](a.Rows, a.Cols)
	for i := range a.Rows {
		switch dst := any(m.Row(i)).(type) {
		case []float64:
			for j, v := range a.Row(i) {
				dst[j] = realPart(v)
			}
		case []complex128:
			for j, v := range a.Row(i) {
				dst[j] = complex(parts(v))
			}
		}
	}
	return m
}

func build[W wide](rows, cols int, f func(i, j int) W) Matrix[W] {
	m := New[W](rows, cols)
	for i := range rows {
		for j := range cols {
			m.Data[i*cols+j] = f(i, j)
		}
	}
	return m
}

func modulus[W wide](v W) float64 {
	re, im := parts(v)
	if im == 0 {
		return math.Abs(re)
	}
	return math.Hypot(re, im)
}

func transpose[W wide](a Matrix[W]) Matrix[W] {
	return build(a.Cols, a.Rows, func(i, j int) W { return a.At(j, i) })
}

// adjoint returns the conjugate transpose.
func adjoint[W wide](a Matrix[W]) Matrix[W] {
	b := transpose(a)
	conjugate(b.Data)
	return b
}

func absolute[W wide](a Matrix[W]) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return modulus(a.At(i, j)) })
}

// triangle returns the upper or lower triangle of a, zeros elsewhere.
func triangle[W wide](a Matrix[W], isUpper bool) Matrix[W] {
	return build(a.Rows, a.Cols, func(i, j int) W {
		if i != j && (i < j) != isUpper {
			return 0
		}
		return a.At(i, j)
	})
}

// hermitian returns the Hermitian matrix whose upper triangle is a's, but for
// imaginary parts of the diagonal.
func hermitian[W wide](a Matrix[W]) Matrix[W] {
	h := a.Clone()
	Mirror(h)
	dropImaginary(h)
	return h
}

// combine returns x·a + y·b.
func combine[W wide](x W, a Matrix[W], y W, b Matrix[W]) Matrix[W] {
	c := New[W](a.Rows, a.Cols)
	for i := range c.Rows {
		first, second := a.Row(i), b.Row(i)
		for j := range first {
			c.Data[i*c.Stride+j] = x*first[j] + y*second[j]
		}
	}
	return c
}

func product[W wide](a, b Matrix[W]) Matrix[W] {
	if a.Cols != b.Rows {
		panic("product of matrices that do not fit")
	}
	c := New[W](a.Rows, b.Cols)
	for i := range a.Rows {
		row := c.Row(i)
		for k, x := range a.Row(i) {
			for j, y := range b.Row(k) {
				row[j] += x * y
			}
		}
	}
	return c
}

// scaleColumns returns a diag(d).
func scaleColumns[W wide](a Matrix[W], d []float64) Matrix[W] {
	factors := make([]W, len(d))
	for i, v := range d {
		factors[i] = fromReal[W](v)
	}
	return build(a.Rows, a.Cols, func(i, j int) W { return a.At(i, j) * factors[j] })
}

func difference[W wide](a, b Matrix[W]) Matrix[W] {
	return combine(1, a, -1, b)
}

func scaled(s []float64, factor float64) []float64 {
	d := make([]float64, len(s))
	for i, v := range s {
		d[i] = v * factor
	}
	return d
}

// norm1 returns the largest sum of a column's moduli.
func norm1[W wide](a Matrix[W]) (norm float64) {
	sums := make([]float64, a.Cols)
	for i := range a.Rows {
		for j, v := range a.Row(i) {
			sums[j] += modulus(v)
		}
	}
	for _, s := range sums {
		norm = larger(norm, s)
	}
	return norm
}

// larger is max, but for NaN, which it hands on from either side.
func larger(a, b float64) float64 {
	if b > a || math.IsNaN(b) {
		return b
	}
	return a
}

// departure returns ‖I − QᴴQ‖, Q's columns being the vectors.
func departure[W wide](q Matrix[W]) float64 {
	g := product(adjoint(q), q)
	for i := range g.Rows {
		g.Data[i*g.Stride+i]--
	}
	return norm1(g)
}

// largestGap returns max |a[i] − b[i]|.
func largestGap(a, b []float64) (gap float64) {
	if len(a) != len(b) {
		return math.NaN()
	}
	for i := range a {
		gap = larger(gap, math.Abs(a[i]-b[i]))
	}
	return gap
}

func isDescending(s []float64) bool {
	return slices.IsSortedFunc(s, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}
