// Package native says what runs underneath: which BLAS and LAPACK answer, on
// which kernels and how many threads, and hands the BLAS to package lapack.
//
//	fmt.Println(native.Describe())
//	release := native.LimitThreads(1)
//	defer release()
//
// A build with cgo links OpenBLAS and LAPACKE, which scripts/install-deps.sh
// installs. With the tag purego, or without cgo, gonum's own routines take
// their place: the same answers, slower.
//
// Importing this package changes nothing in a program: gonum's blas64 and
// blas32 keep the implementation they had. Register changes that, on request.
package native

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
)

// BLAS are the products, in gonum's interfaces, for the element types in use.
type BLAS interface {
	blas.Float32
	blas.Float64
	blas.Complex64
	blas.Complex128
}

// Info says what computes. It marshals to the "backend" of the command's JSON.
type Info struct {
	Name    string `json:"name"`    // "native" or "purego"
	BLAS    string `json:"blas"`    // library, version and the kernels it chose for this processor
	LAPACK  string `json:"lapack"`  // library and version
	FFT     string `json:"fft"`     // library and version; "none" unless the program imports package fftw
	Threads int    `json:"threads"` // that one product may use, as the process stands now
}

// String returns i in one line.
func (i Info) String() string {
	return fmt.Sprintf("%s: BLAS %s; LAPACK %s; FFT %s; %d threads", i.Name, i.BLAS, i.LAPACK, i.FFT, i.Threads)
}

// Describe returns what computes in this process. It may be called at any time.
func Describe() Info {
	info := describe()
	info.FFT = "none"
	if name := fft.Load(); name != nil {
		info.FFT = *name
	}
	return info
}

// fft is what RegisterFFT was told.
var fft atomic.Pointer[string]

// RegisterFFT sets the name under which Describe reports what transforms. Package
// fftw calls it as a program starts. To import that one from here would link
// FFTW, and its licence, to programs that transform nothing.
func RegisterFFT(name string) { fft.Store(&name) }

// Gonum returns "gonum" and the version in this program, such as "gonum v0.17.0";
// the name alone where the program was built without a record of its modules.
func Gonum() string {
	const module = "gonum.org/v1/gonum"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return "gonum " + m.Version
			}
		}
	}
	return "gonum"
}

// Threads returns how many threads one product may use, as the process stands
// now: Describe's, without the rest.
func Threads() int { return threads() }

// Implementation returns the BLAS that package lapack computes with: OpenBLAS,
// or gonum's under purego. It may be called, and its methods used, from many
// goroutines.
func Implementation() BLAS { return implementation }

// Register makes gonum's blas64 and blas32 use Implementation in the whole
// process, so that mat and everything else on gonum is faster too. It changes
// globals that gonum does not guard: call it before other goroutines compute.
func Register() {
	blas64.Use(implementation)
	blas32.Use(implementation)
}

// limits holds the thread limits in force. OpenBLAS has one count for the
// whole process, so the least limit asked for holds until it is released, and
// the count from before the first comes back with the last.
var limits struct {
	sync.Mutex
	before int
	counts map[int]int // by limit, how many holders ask for it
}

// LimitThreads lets one product use at most n ≥ 1 threads until release is
// called; a second call of release does nothing. Limits from several callers
// nest in any order: the least one in force holds.
//
// The count belongs to the process, and the last bits of a product depend on
// it: limit before work begins, not while others compute. The pure-Go BLAS has
// no threads of its own, its goroutines run on GOMAXPROCS threads: there a
// limit changes nothing and Describe goes on reporting GOMAXPROCS.
func LimitThreads(n int) (release func()) {
	if n < 1 {
		panic("native: thread limit below 1")
	}
	limits.Lock()
	defer limits.Unlock()
	if len(limits.counts) == 0 {
		limits.before = threads()
		limits.counts = map[int]int{}
	}
	limits.counts[n]++
	applyLimits()
	return sync.OnceFunc(func() {
		limits.Lock()
		defer limits.Unlock()
		if limits.counts[n]--; limits.counts[n] == 0 {
			delete(limits.counts, n)
		}
		applyLimits()
	})
}

// applyLimits sets the thread count to the least in force; limits is locked.
func applyLimits() {
	count := limits.before
	for n := range limits.counts {
		count = min(count, n)
	}
	setThreads(count)
}
