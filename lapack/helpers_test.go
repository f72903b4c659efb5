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

// onAll runs test as a subtest for both element types and every backend.
func onAll(t *testing.T, single func(*testing.T, *backend[float32]), double func(*testing.T, *backend[float64])) {
	onBackends(t, single)
	onBackends(t, double)
}

func onBackends[T Scalar](t *testing.T, test func(*testing.T, *backend[T])) {
	for _, b := range distinctBackends[T]() {
		t.Run(fmt.Sprintf("%T/%s", T(0), b.name), func(t *testing.T) { test(t, b) })
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

// ulp returns the distance from 1 to the next T.
func ulp[T Scalar]() float64 {
	if one := T(1); one+0x1p-30 == one {
		return 0x1p-23
	}
	return 0x1p-52
}

// denormal returns the least positive T: an operation that underflows errs by less.
func denormal[T Scalar]() float64 {
	if ulp[T]() == 0x1p-23 {
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
func (r *ratios) addEach(what, where string, got, want, magnitude Matrix[float64], relative, absolute float64, region func(i, j int) bool) {
	worst := 0.0
	for i := range want.Rows {
		for j := range want.Cols {
			if region(i, j) {
				worst = larger(worst, math.Abs(got.At(i, j)-want.At(i, j))/(relative*magnitude.At(i, j)+absolute))
			}
		}
	}
	r.add(what, where, worst, 1)
}

// guarded is a matrix with NaN between its rows, before and behind it.
type guarded[T Scalar] struct {
	Matrix[T]
	whole []T
	bits  []uint64 // of whole, when it was made
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
func guard[T Scalar](src Matrix[float64], scale float64) *guarded[T] {
	g := newGuarded[T](src.Rows, src.Cols)
	g.fill(func(i, j int) float64 { return src.At(i, j) * scale })
	return g
}

// fill sets every element and takes the snapshot anew.
func (g *guarded[T]) fill(f func(i, j int) float64) {
	for i := range g.Rows {
		for j := range g.Cols {
			g.Set(i, j, T(f(i, j)))
		}
	}
	g.snapshot()
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
func bitsOf[T Scalar](v T) uint64 { return math.Float64bits(float64(v)) }

// poison fills slices with NaN up to their capacity.
func poison[T Scalar](slices ...[]T) {
	for _, s := range slices {
		s = s[:cap(s)]
		for i := range s {
			s[i] = T(math.NaN())
		}
	}
}

// poisonWork spoils what a workspace kept from the last call.
func poisonWork[T Scalar](w *workspace[T]) {
	poison(w.scalars)
	s := w.integers[:cap(w.integers)]
	for i := range s {
		s[i] = math.MinInt32
	}
}

// What follows computes in float64 by plain loops, for residuals.

func toFloat64[T Scalar](a Matrix[T]) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return float64(a.At(i, j)) })
}

func build(rows, cols int, f func(i, j int) float64) Matrix[float64] {
	m := New[float64](rows, cols)
	for i := range rows {
		for j := range cols {
			m.Data[i*cols+j] = f(i, j)
		}
	}
	return m
}

func transpose(a Matrix[float64]) Matrix[float64] {
	return build(a.Cols, a.Rows, func(i, j int) float64 { return a.At(j, i) })
}

func absolute(a Matrix[float64]) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return math.Abs(a.At(i, j)) })
}

// triangle returns the upper or lower triangle of a, zeros elsewhere.
func triangle(a Matrix[float64], isUpper bool) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 {
		if i != j && (i < j) != isUpper {
			return 0
		}
		return a.At(i, j)
	})
}

// symmetric returns the symmetric matrix whose upper triangle is a's.
func symmetric(a Matrix[float64]) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return a.At(min(i, j), max(i, j)) })
}

// combine returns x·a + y·b.
func combine(x float64, a Matrix[float64], y float64, b Matrix[float64]) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return x*a.At(i, j) + y*b.At(i, j) })
}

func product(a, b Matrix[float64]) Matrix[float64] {
	if a.Cols != b.Rows {
		panic("product of matrices that do not fit")
	}
	c := New[float64](a.Rows, b.Cols)
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
func scaleColumns[T Scalar](a Matrix[float64], d []T) Matrix[float64] {
	return build(a.Rows, a.Cols, func(i, j int) float64 { return a.At(i, j) * float64(d[j]) })
}

func difference(a, b Matrix[float64]) Matrix[float64] {
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
func norm1(a Matrix[float64]) (norm float64) {
	sums := make([]float64, a.Cols)
	for i := range a.Rows {
		for j, v := range a.Row(i) {
			sums[j] += math.Abs(v)
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

// departure returns ‖I − QᵀQ‖, Q's columns being the vectors.
func departure(q Matrix[float64]) float64 {
	g := product(transpose(q), q)
	for i := range g.Rows {
		g.Data[i*g.Stride+i]--
	}
	return norm1(g)
}

// largestGap returns max |a[i] − b[i]|.
func largestGap[A, B Scalar](a []A, b []B) (gap float64) {
	if len(a) != len(b) {
		return math.NaN()
	}
	for i := range a {
		gap = larger(gap, math.Abs(float64(a[i])-float64(b[i])))
	}
	return gap
}

func isDescending[T Scalar](s []T) bool {
	return slices.IsSortedFunc(s, func(a, b T) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
}
