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
	sytrd: func(uplo byte, n int32, a []float32, lda int32, d, e, tau, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_ssytrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(d), floats(e), floats(tau), floats(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e, z []float32, ldz int32, work []float32, lwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_sstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			floats(z), C.lapack_int(ldz), floats(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e, z []float32, ldz int32, work []float32) int32 {
		return int32(C.LAPACKE_ssteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			floats(z), C.lapack_int(ldz), floats(work)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []float32, lda int32, tau, c []float32, ldc int32, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_sormtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			floats(a), C.lapack_int(lda), floats(tau), floats(c), C.lapack_int(ldc), floats(work), C.lapack_int(lwork)))
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
	sytrd: func(uplo byte, n int32, a []float64, lda int32, d, e, tau, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dsytrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(d), doubles(e), doubles(tau), doubles(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e, z []float64, ldz int32, work []float64, lwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_dstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubles(z), C.lapack_int(ldz), doubles(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e, z []float64, ldz int32, work []float64) int32 {
		return int32(C.LAPACKE_dsteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubles(z), C.lapack_int(ldz), doubles(work)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []float64, lda int32, tau, c []float64, ldc int32, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dormtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			doubles(a), C.lapack_int(lda), doubles(tau), doubles(c), C.lapack_int(ldc), doubles(work), C.lapack_int(lwork)))
	},
}
