//go:build cgo && !purego

package native

/*
#cgo LDFLAGS: -llapacke -lopenblas
#include <cblas.h>
#include <lapacke.h>
*/
import "C"

import (
	"fmt"
	"strings"

	"gonum.org/v1/netlib/blas/netlib"
)

// netlib carries no linker flags: those above serve it too, so only this
// package imports it (a test binary of another would not link).
var implementation BLAS = netlib.Implementation{}

func describe() Info {
	var major, minor, patch C.lapack_int
	C.LAPACKE_ilaver(&major, &minor, &patch)
	return Info{
		Name: "native",
		BLAS: fmt.Sprintf("%s, core %s", strings.TrimSpace(C.GoString(C.openblas_get_config())),
			C.GoString(C.openblas_get_corename())),
		LAPACK:  fmt.Sprintf("LAPACKE %d.%d.%d", major, minor, patch),
		Threads: threads(),
	}
}

func threads() int { return int(C.openblas_get_num_threads()) }

func setThreads(n int) { C.openblas_set_num_threads(C.int(n)) }
