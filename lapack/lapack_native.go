//go:build cgo && !purego

package lapack

/*
#cgo LDFLAGS: -llapacke -lopenblas
#include <lapacke.h>
*/
import "C"

import "unsafe"

// This file is the package's C side: one call a function, no logic.

func integers(s []int32) *C.lapack_int { return (*C.lapack_int)(unsafe.SliceData(s)) }

func floats(s []float32) *C.float { return (*C.float)(unsafe.SliceData(s)) }

var lapacke32 = lapacke[float32]{
	letter: "S",
	potrf: func(uplo byte, n int32, a []float32, lda int32) int32 {
		return int32(C.LAPACKE_spotrf_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), floats(a), C.lapack_int(lda)))
	},
	geqrf: func(m, n int32, a []float32, lda int32, tau, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_sgeqrf_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(tau), floats(work), C.lapack_int(lwork)))
	},
	orgqr: func(m, n, k int32, a []float32, lda int32, tau, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_sorgqr_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), C.lapack_int(k), floats(a), C.lapack_int(lda),
			floats(tau), floats(work), C.lapack_int(lwork)))
	},
	gesdd: func(job byte, m, n int32, a []float32, lda int32, s, u []float32, ldu int32, vt []float32, ldvt int32, work []float32, lwork int32, iwork []int32) int32 {
		return int32(C.LAPACKE_sgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(s), floats(u), C.lapack_int(ldu), floats(vt), C.lapack_int(ldvt), floats(work), C.lapack_int(lwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []float32, lda int32, s, u []float32, ldu int32, vt []float32, ldvt int32, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_sgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(s), floats(u), C.lapack_int(ldu), floats(vt), C.lapack_int(ldvt), floats(work), C.lapack_int(lwork)))
	},
	syevd: func(job, uplo byte, n int32, a []float32, lda int32, values, work []float32, lwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_ssyevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(values), floats(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
}

func doubles(s []float64) *C.double { return (*C.double)(unsafe.SliceData(s)) }

var lapacke64 = lapacke[float64]{
	letter: "D",
	potrf: func(uplo byte, n int32, a []float64, lda int32) int32 {
		return int32(C.LAPACKE_dpotrf_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), doubles(a), C.lapack_int(lda)))
	},
	geqrf: func(m, n int32, a []float64, lda int32, tau, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dgeqrf_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(tau), doubles(work), C.lapack_int(lwork)))
	},
	orgqr: func(m, n, k int32, a []float64, lda int32, tau, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dorgqr_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), C.lapack_int(k), doubles(a), C.lapack_int(lda),
			doubles(tau), doubles(work), C.lapack_int(lwork)))
	},
	gesdd: func(job byte, m, n int32, a []float64, lda int32, s, u []float64, ldu int32, vt []float64, ldvt int32, work []float64, lwork int32, iwork []int32) int32 {
		return int32(C.LAPACKE_dgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(s), doubles(u), C.lapack_int(ldu), doubles(vt), C.lapack_int(ldvt), doubles(work), C.lapack_int(lwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []float64, lda int32, s, u []float64, ldu int32, vt []float64, ldvt int32, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(s), doubles(u), C.lapack_int(ldu), doubles(vt), C.lapack_int(ldvt), doubles(work), C.lapack_int(lwork)))
	},
	syevd: func(job, uplo byte, n int32, a []float64, lda int32, values, work []float64, lwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_dsyevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(values), doubles(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
}
