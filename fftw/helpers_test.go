package fftw

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// threshold is the ratio that no error may reach, in units of ulp·log₂ L for a
// transform of L elements (STYLE §4).
const threshold = 30

// seed starts every random sequence here; -rapid.seed changes that of rapid.
const seed = 20170619

func TestMain(m *testing.M) {
	flag.Set("rapid.seed", fmt.Sprint(seed)) // else rapid takes it from the clock
	goleak.VerifyTestMain(m)
}

func newRand(t testing.TB) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// onAll runs test as a subtest for both precisions and every backend.
func onAll(t *testing.T, single func(*testing.T, *backend[float32, complex64]), double func(*testing.T, *backend[float64, complex128])) {
	onBackends(t, single)
	onBackends(t, double)
}

func onBackends[R Real, C Complex](t *testing.T, test func(*testing.T, *backend[R, C])) {
	for _, b := range distinctBackends[R, C]() {
		t.Run(fmt.Sprintf("%T/%s", R(0), b.name), func(t *testing.T) { test(t, b) })
	}
}

// distinctBackends returns the backends of the build, each once, and those that
// take other branches.
func distinctBackends[R Real, C Complex]() []*backend[R, C] {
	all := backendsOf[R, C]()
	if all[0].name == all[1].name {
		return all[:1]
	}
	return append(all[:], variants[R, C]()...)
}

// ulp returns the distance from 1 to the next R.
func ulp[R Real]() float64 {
	if one := R(1); one+0x1p-30 == one {
		return 0x1p-23
	}
	return 0x1p-52
}

// unit is what errors of a transform of h × w are measured in, relative to the
// 2-norm. One element is transformed without error, two by one sum each.
func unit[R Real](h, w int) float64 {
	if h*w == 1 {
		return 0
	}
	return ulp[R]() * math.Log2(float64(h*w))
}

// ratios collects ratios by what they measure, fails where one reaches the
// limit, and logs the worst of each when the test ends.
type ratios struct {
	sync.Mutex
	t     *testing.T
	worst map[string]float64
	at    map[string]string
}

func newRatios(t *testing.T) *ratios {
	r := &ratios{t: t, worst: map[string]float64{}, at: map[string]string{}}
	t.Cleanup(func() {
		for _, what := range slices.Sorted(maps.Keys(r.worst)) {
			t.Logf("%s: worst ratio %.3f of %d, %s, at %s", t.Name(), r.worst[what], threshold, what, r.at[what])
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
	if !(ratio < threshold) { // also NaN
		r.t.Errorf("%s, %s: ratio %g, limit %d (error %g, unit %g)", what, where, ratio, threshold, err, bound)
	}
	if old, ok := r.worst[what]; !ok || !(ratio <= old) {
		r.worst[what], r.at[what] = ratio, where
	}
}

// random returns n numbers in [−scale, scale] that an R holds exactly.
func random[R Real](r *rand.Rand, n int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(R((2*r.Float64() - 1) * scale))
	}
	return x
}

// randomSpectrum is random for spectra; nothing in it is Hermitian.
func randomSpectrum[R Real](r *rand.Rand, n int, scale float64) []complex128 {
	x, y := random[R](r, n, scale), random[R](r, n, scale)
	z := make([]complex128, n)
	for i := range z {
		z[i] = complex(x[i], y[i])
	}
	return z
}

func norm(x []float64) (s float64) {
	for _, v := range x {
		s = math.Hypot(s, v)
	}
	return s
}

func norms(z []complex128) (s float64) {
	for _, v := range z {
		s = math.Hypot(s, math.Hypot(real(v), imag(v)))
	}
	return s
}

func distance(x, y []float64) float64 {
	d := make([]float64, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	return norm(d)
}

func distances(x, y []complex128) float64 {
	d := make([]complex128, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	return norms(d)
}

// rowMajor returns the axes of one h × w image and its spectrum, without gaps;
// of the inverse, the other way round.
func rowMajor(h, w int) (rows, cols Axis) { return Axis{h, w, half(w)}, Axis{w, 1, 1} }

// must is require without a testing.T at hand.
func must[P any](p P, err error) P {
	if err != nil {
		panic(err)
	}
	return p
}

// forward transforms one image of elements that an R holds exactly.
func forward[R Real, C Complex](b *backend[R, C], h, w int, x []float64) []complex128 {
	rows, cols := rowMajor(h, w)
	p := must(newForward(b, rows, cols, nil))
	defer p.Close()
	dst := make([]C, h*half(w))
	p.Execute(dst, convert[R](x))
	z := make([]complex128, len(dst))
	for i := range z {
		z[i] = complex128(dst[i])
	}
	return z
}

// inverse transforms one spectrum of elements that a C holds exactly.
func inverse[R Real, C Complex](b *backend[R, C], h, w int, z []complex128) []float64 {
	rows, cols := rowMajor(h, w)
	rows.In, rows.Out = rows.Out, rows.In
	p := must(newInverse(b, rows, cols, nil))
	defer p.Close()
	src, dst := make([]C, len(z)), make([]R, h*w)
	for i := range src {
		src[i] = C(z[i])
	}
	p.Execute(dst, src)
	return convert[float64](dst)
}

func convert[To, From Real](x []From) []To {
	y := make([]To, len(x))
	for i := range y {
		y[i] = To(x[i])
	}
	return y
}

// mustPanic requires the text, from a fresh call.
func mustPanic(t *testing.T, text string, f func()) {
	t.Helper()
	require.PanicsWithValue(t, text, f)
}

func newRapidRand(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "numbers"), 0))
}
