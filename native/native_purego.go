//go:build !cgo || purego

package native

import (
	"runtime"
	"runtime/debug"

	"gonum.org/v1/gonum/blas/gonum"
)

var implementation BLAS = gonum.Implementation{}

func describe() Info {
	version := gonumVersion()
	return Info{
		Name:    "purego",
		BLAS:    version,
		LAPACK:  version,
		FFT:     "none",
		Threads: threads(),
	}
}

func gonumVersion() string {
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

func threads() int { return runtime.GOMAXPROCS(0) }

func setThreads(int) {}
