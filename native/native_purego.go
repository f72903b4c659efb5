//go:build !cgo || purego

package native

import (
	"runtime"

	"gonum.org/v1/gonum/blas/gonum"
)

var implementation BLAS = gonum.Implementation{}

func describe() Info {
	version := Gonum()
	return Info{
		Name:    "purego",
		BLAS:    version,
		LAPACK:  version,
		Threads: threads(),
	}
}

func threads() int { return runtime.GOMAXPROCS(0) }

func setThreads(int) {}
