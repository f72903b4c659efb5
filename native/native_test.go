package native

import (
	"encoding/json"
	"flag"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

const seed = "20170619"

// What gonum had registered when every package of this binary was initialised.
var (
	double blas.Float64
	single blas.Float32
)

func TestMain(m *testing.M) {
	flag.Set("rapid.seed", seed) // else rapid takes it from the clock
	double, single = blas64.Implementation(), blas32.Implementation()
	goleak.VerifyTestMain(m)
}

func isNative() bool { return Describe().Name == "native" }

func TestDescribe(t *testing.T) {
	i := Describe()
	t.Log(i)
	require.Contains(t, []string{"native", "purego"}, i.Name)
	assert.Equal(t, builtNative, isNative(), "the name is that of the build")
	if isNative() {
		assert.Regexp(t, `^OpenBLAS \d+\.\d+.*, core \S+$`, i.BLAS)
		assert.Regexp(t, `^LAPACKE \d+\.\d+\.\d+$`, i.LAPACK)
		assert.NotEqual(t, gonum.Implementation{}, Implementation())
	} else {
		assert.Regexp(t, `^gonum( v\d.*)?$`, i.BLAS)
		assert.Equal(t, i.BLAS, i.LAPACK)
		assert.Equal(t, runtime.GOMAXPROCS(0), i.Threads)
		assert.Equal(t, gonum.Implementation{}, Implementation())
	}
	assert.Equal(t, "none", i.FFT, "nothing here transforms")
	assert.Positive(t, i.Threads)

	encoded, err := json.Marshal(i)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(encoded, &fields))
	assert.Equal(t, map[string]any{"name": i.Name, "blas": i.BLAS, "lapack": i.LAPACK, "fft": i.FFT, "threads": float64(i.Threads)}, fields)
	for _, part := range []string{i.Name, i.BLAS, i.LAPACK, i.FFT, strconv.Itoa(i.Threads) + " threads"} {
		assert.Contains(t, i.String(), part)
	}
}

// TestRegisterFFT: package fftw's own tests look at the name that it gives.
func TestRegisterFFT(t *testing.T) {
	t.Cleanup(func() { fft.Store(nil) })
	before := Describe()
	RegisterFFT("a transform 1.0")
	after := Describe()
	assert.Equal(t, "a transform 1.0", after.FFT)
	after.FFT = before.FFT
	assert.Equal(t, before, after, "nothing else changes")
	assert.Regexp(t, `^gonum( v\d.*)?$`, Gonum())
}

// TestImplementation: a product of small integers is exact on any BLAS.
func TestImplementation(t *testing.T) {
	c, c32 := make([]float64, 4), make([]float32, 4)
	Implementation().Dgemm(blas.NoTrans, blas.Trans, 2, 2, 2, 1, []float64{1, 2, 3, 4}, 2, []float64{5, 6, 7, 8}, 2, 0, c, 2)
	Implementation().Sgemm(blas.NoTrans, blas.Trans, 2, 2, 2, 1, []float32{1, 2, 3, 4}, 2, []float32{5, 6, 7, 8}, 2, 0, c32, 2)
	assert.Equal(t, []float64{17, 23, 39, 53}, c)
	assert.Equal(t, []float32{17, 23, 39, 53}, c32)
}

// another stands for a BLAS that the program chose for itself. In a portable
// build gonum's is native's too, and only another can show a change.
type another struct{ gonum.Implementation }

func TestRegister(t *testing.T) {
	assert.IsType(t, gonum.Implementation{}, double, "importing changes nothing")
	assert.IsType(t, gonum.Implementation{}, single, "importing changes nothing")
	t.Cleanup(func() {
		blas64.Use(gonum.Implementation{})
		blas32.Use(gonum.Implementation{})
	})
	blas64.Use(another{})
	blas32.Use(another{})
	Describe()
	Implementation()
	LimitThreads(1)()
	assert.IsType(t, another{}, blas64.Implementation(), "nothing but Register registers")
	assert.IsType(t, another{}, blas32.Implementation(), "nothing but Register registers")

	Register()
	assert.IsType(t, Implementation(), blas64.Implementation())
	assert.IsType(t, Implementation(), blas32.Implementation())
	var product mat.Dense
	product.Mul(mat.NewDense(2, 2, []float64{1, 2, 3, 4}), mat.NewDense(2, 2, []float64{5, 7, 6, 8}))
	assert.Equal(t, []float64{17, 23, 39, 53}, product.RawMatrix().Data)
}

// effective returns the thread count that Describe must report when the limits
// are in force and before was the count without any.
func effective(before int, limits []int) int {
	if !isNative() {
		return before
	}
	return slices.Min(append([]int{before}, limits...))
}

func TestLimitThreads(t *testing.T) {
	before := Describe().Threads
	release := LimitThreads(1)
	assert.Equal(t, effective(before, []int{1}), Describe().Threads)
	wider := LimitThreads(before + 5)
	assert.Equal(t, effective(before, []int{1}), Describe().Threads, "the least holds")
	release()
	assert.Equal(t, before, Describe().Threads, "a limit never raises the count")
	release() // nothing
	again := LimitThreads(1)
	release() // still nothing: it is not its turn
	assert.Equal(t, effective(before, []int{1}), Describe().Threads)
	again()
	wider()
	assert.Equal(t, before, Describe().Threads)

	for _, n := range []int{0, -1} {
		assert.PanicsWithValue(t, "native: thread limit below 1", func() { LimitThreads(n) })
	}
	LimitThreads(1)() // the panics left no lock behind
	assert.Equal(t, before, Describe().Threads)
}

// TestLimitThreadsInAnyOrder takes and releases limits at random beside a list
// of those in force.
func TestLimitThreadsInAnyOrder(t *testing.T) {
	raise(t, 6)
	before := Describe().Threads
	rapid.Check(t, func(r *rapid.T) {
		type holder struct {
			n       int
			release func()
		}
		var holders []holder
		inForce := func() (n []int) {
			for _, h := range holders {
				n = append(n, h.n)
			}
			return n
		}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			if len(holders) == 0 || rapid.Bool().Draw(r, "take") {
				n := rapid.IntRange(1, 8).Draw(r, "limit")
				holders = append(holders, holder{n, LimitThreads(n)})
			} else {
				i := rapid.IntRange(0, len(holders)-1).Draw(r, "holder")
				release := holders[i].release
				holders = slices.Delete(holders, i, i+1)
				release()
				if rapid.Bool().Draw(r, "twice") {
					release()
				}
			}
			assert.Equal(r, effective(before, inForce()), Describe().Threads, "limits %v", inForce())
		}
		for _, h := range holders {
			h.release()
		}
		assert.Equal(r, before, Describe().Threads)
	})
}

// raise lets BLAS have n threads during the test, so that limits above 1 can be
// told apart on any machine.
func raise(t *testing.T, n int) {
	old := threads()
	setThreads(n)
	t.Cleanup(func() { setThreads(old) })
	if isNative() {
		require.Equal(t, n, threads())
	}
}

func TestLimitThreadsConcurrently(t *testing.T) {
	before := Describe().Threads
	var group sync.WaitGroup
	for g := range 16 {
		group.Go(func() {
			for i := range 50 {
				release := LimitThreads(1 + (g+i)%4)
				Describe()
				group.Go(release)
				release()
			}
		})
	}
	group.Wait()
	assert.Equal(t, before, Describe().Threads)
	assert.Empty(t, limits.counts)
}
