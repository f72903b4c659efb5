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

func doubles(s []float64) *C.double { return (*C.double)(unsafe.SliceData(s)) }

func complexes(s []complex64) *C.lapack_complex_float {
	return (*C.lapack_complex_float)(unsafe.SliceData(s))
}

func doubleComplexes(s []complex128) *C.lapack_complex_double {
	return (*C.lapack_complex_double)(unsafe.SliceData(s))
}

var lapacke32 = lapacke[float32, float32]{
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
	gesdd: func(job byte, m, n int32, a []float32, lda int32, s, u []float32, ldu int32, vt []float32, ldvt int32, work []float32, lwork int32, _ []float32, iwork []int32) int32 {
		return int32(C.LAPACKE_sgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(s), floats(u), C.lapack_int(ldu), floats(vt), C.lapack_int(ldvt), floats(work), C.lapack_int(lwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []float32, lda int32, s, u []float32, ldu int32, vt []float32, ldvt int32, work []float32, lwork int32, _ []float32) int32 {
		return int32(C.LAPACKE_sgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(s), floats(u), C.lapack_int(ldu), floats(vt), C.lapack_int(ldvt), floats(work), C.lapack_int(lwork)))
	},
	syevd: func(job, uplo byte, n int32, a []float32, lda int32, values, work []float32, lwork int32, _ []float32, _ int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_ssyevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(values), floats(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	sytrd: func(uplo byte, n int32, a []float32, lda int32, d, e, tau, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_ssytrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), floats(a), C.lapack_int(lda),
			floats(d), floats(e), floats(tau), floats(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e, z []float32, ldz int32, work []float32, lwork int32, _ []float32, _ int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_sstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			floats(z), C.lapack_int(ldz), floats(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e, z []float32, ldz int32, rwork []float32) int32 {
		return int32(C.LAPACKE_ssteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			floats(z), C.lapack_int(ldz), floats(rwork)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []float32, lda int32, tau, c []float32, ldc int32, work []float32, lwork int32) int32 {
		return int32(C.LAPACKE_sormtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			floats(a), C.lapack_int(lda), floats(tau), floats(c), C.lapack_int(ldc), floats(work), C.lapack_int(lwork)))
	},
}

var lapacke64 = lapacke[float64, float64]{
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
	gesdd: func(job byte, m, n int32, a []float64, lda int32, s, u []float64, ldu int32, vt []float64, ldvt int32, work []float64, lwork int32, _ []float64, iwork []int32) int32 {
		return int32(C.LAPACKE_dgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(s), doubles(u), C.lapack_int(ldu), doubles(vt), C.lapack_int(ldvt), doubles(work), C.lapack_int(lwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []float64, lda int32, s, u []float64, ldu int32, vt []float64, ldvt int32, work []float64, lwork int32, _ []float64) int32 {
		return int32(C.LAPACKE_dgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(s), doubles(u), C.lapack_int(ldu), doubles(vt), C.lapack_int(ldvt), doubles(work), C.lapack_int(lwork)))
	},
	syevd: func(job, uplo byte, n int32, a []float64, lda int32, values, work []float64, lwork int32, _ []float64, _ int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_dsyevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(values), doubles(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	sytrd: func(uplo byte, n int32, a []float64, lda int32, d, e, tau, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dsytrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), doubles(a), C.lapack_int(lda),
			doubles(d), doubles(e), doubles(tau), doubles(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e, z []float64, ldz int32, work []float64, lwork int32, _ []float64, _ int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_dstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubles(z), C.lapack_int(ldz), doubles(work), C.lapack_int(lwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e, z []float64, ldz int32, rwork []float64) int32 {
		return int32(C.LAPACKE_dsteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubles(z), C.lapack_int(ldz), doubles(rwork)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []float64, lda int32, tau, c []float64, ldc int32, work []float64, lwork int32) int32 {
		return int32(C.LAPACKE_dormtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			doubles(a), C.lapack_int(lda), doubles(tau), doubles(c), C.lapack_int(ldc), doubles(work), C.lapack_int(lwork)))
	},
}

var lapackeComplex64 = lapacke[complex64, float32]{
	letter: "C",
	potrf: func(uplo byte, n int32, a []complex64, lda int32) int32 {
		return int32(C.LAPACKE_cpotrf_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), complexes(a), C.lapack_int(lda)))
	},
	geqrf: func(m, n int32, a []complex64, lda int32, tau, work []complex64, lwork int32) int32 {
		return int32(C.LAPACKE_cgeqrf_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), complexes(a), C.lapack_int(lda),
			complexes(tau), complexes(work), C.lapack_int(lwork)))
	},
	orgqr: func(m, n, k int32, a []complex64, lda int32, tau, work []complex64, lwork int32) int32 {
		return int32(C.LAPACKE_cungqr_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), C.lapack_int(k), complexes(a), C.lapack_int(lda),
			complexes(tau), complexes(work), C.lapack_int(lwork)))
	},
	gesdd: func(job byte, m, n int32, a []complex64, lda int32, s []float32, u []complex64, ldu int32, vt []complex64, ldvt int32, work []complex64, lwork int32, rwork []float32, iwork []int32) int32 {
		return int32(C.LAPACKE_cgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), complexes(a), C.lapack_int(lda),
			floats(s), complexes(u), C.lapack_int(ldu), complexes(vt), C.lapack_int(ldvt), complexes(work), C.lapack_int(lwork), floats(rwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []complex64, lda int32, s []float32, u []complex64, ldu int32, vt []complex64, ldvt int32, work []complex64, lwork int32, rwork []float32) int32 {
		return int32(C.LAPACKE_cgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), complexes(a), C.lapack_int(lda),
			floats(s), complexes(u), C.lapack_int(ldu), complexes(vt), C.lapack_int(ldvt), complexes(work), C.lapack_int(lwork), floats(rwork)))
	},
	syevd: func(job, uplo byte, n int32, a []complex64, lda int32, values []float32, work []complex64, lwork int32, rwork []float32, lrwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_cheevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), complexes(a), C.lapack_int(lda),
			floats(values), complexes(work), C.lapack_int(lwork), floats(rwork), C.lapack_int(lrwork), integers(iwork), C.lapack_int(liwork)))
	},
	sytrd: func(uplo byte, n int32, a []complex64, lda int32, d, e []float32, tau, work []complex64, lwork int32) int32 {
		return int32(C.LAPACKE_chetrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), complexes(a), C.lapack_int(lda),
			floats(d), floats(e), complexes(tau), complexes(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e []float32, z []complex64, ldz int32, work []complex64, lwork int32, rwork []float32, lrwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_cstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			complexes(z), C.lapack_int(ldz), complexes(work), C.lapack_int(lwork), floats(rwork), C.lapack_int(lrwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e []float32, z []complex64, ldz int32, rwork []float32) int32 {
		return int32(C.LAPACKE_csteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), floats(d), floats(e),
			complexes(z), C.lapack_int(ldz), floats(rwork)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []complex64, lda int32, tau, c []complex64, ldc int32, work []complex64, lwork int32) int32 {
		return int32(C.LAPACKE_cunmtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			complexes(a), C.lapack_int(lda), complexes(tau), complexes(c), C.lapack_int(ldc), complexes(work), C.lapack_int(lwork)))
	},
}

var lapackeComplex128 = lapacke[complex128, float64]{
	letter: "Z",
	potrf: func(uplo byte, n int32, a []complex128, lda int32) int32 {
		return int32(C.LAPACKE_zpotrf_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda)))
	},
	geqrf: func(m, n int32, a []complex128, lda int32, tau, work []complex128, lwork int32) int32 {
		return int32(C.LAPACKE_zgeqrf_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda),
			doubleComplexes(tau), doubleComplexes(work), C.lapack_int(lwork)))
	},
	orgqr: func(m, n, k int32, a []complex128, lda int32, tau, work []complex128, lwork int32) int32 {
		return int32(C.LAPACKE_zungqr_work(C.LAPACK_COL_MAJOR, C.lapack_int(m), C.lapack_int(n), C.lapack_int(k), doubleComplexes(a), C.lapack_int(lda),
			doubleComplexes(tau), doubleComplexes(work), C.lapack_int(lwork)))
	},
	gesdd: func(job byte, m, n int32, a []complex128, lda int32, s []float64, u []complex128, ldu int32, vt []complex128, ldvt int32, work []complex128, lwork int32, rwork []float64, iwork []int32) int32 {
		return int32(C.LAPACKE_zgesdd_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(m), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda),
			doubles(s), doubleComplexes(u), C.lapack_int(ldu), doubleComplexes(vt), C.lapack_int(ldvt), doubleComplexes(work), C.lapack_int(lwork), doubles(rwork), integers(iwork)))
	},
	gesvd: func(jobU, jobVT byte, m, n int32, a []complex128, lda int32, s []float64, u []complex128, ldu int32, vt []complex128, ldvt int32, work []complex128, lwork int32, rwork []float64) int32 {
		return int32(C.LAPACKE_zgesvd_work(C.LAPACK_COL_MAJOR, C.char(jobU), C.char(jobVT), C.lapack_int(m), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda),
			doubles(s), doubleComplexes(u), C.lapack_int(ldu), doubleComplexes(vt), C.lapack_int(ldvt), doubleComplexes(work), C.lapack_int(lwork), doubles(rwork)))
	},
	syevd: func(job, uplo byte, n int32, a []complex128, lda int32, values []float64, work []complex128, lwork int32, rwork []float64, lrwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_zheevd_work(C.LAPACK_COL_MAJOR, C.char(job), C.char(uplo), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda),
			doubles(values), doubleComplexes(work), C.lapack_int(lwork), doubles(rwork), C.lapack_int(lrwork), integers(iwork), C.lapack_int(liwork)))
	},
	sytrd: func(uplo byte, n int32, a []complex128, lda int32, d, e []float64, tau, work []complex128, lwork int32) int32 {
		return int32(C.LAPACKE_zhetrd_work(C.LAPACK_COL_MAJOR, C.char(uplo), C.lapack_int(n), doubleComplexes(a), C.lapack_int(lda),
			doubles(d), doubles(e), doubleComplexes(tau), doubleComplexes(work), C.lapack_int(lwork)))
	},
	stedc: func(job byte, n int32, d, e []float64, z []complex128, ldz int32, work []complex128, lwork int32, rwork []float64, lrwork int32, iwork []int32, liwork int32) int32 {
		return int32(C.LAPACKE_zstedc_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubleComplexes(z), C.lapack_int(ldz), doubleComplexes(work), C.lapack_int(lwork), doubles(rwork), C.lapack_int(lrwork), integers(iwork), C.lapack_int(liwork)))
	},
	steqr: func(job byte, n int32, d, e []float64, z []complex128, ldz int32, rwork []float64) int32 {
		return int32(C.LAPACKE_zsteqr_work(C.LAPACK_COL_MAJOR, C.char(job), C.lapack_int(n), doubles(d), doubles(e),
			doubleComplexes(z), C.lapack_int(ldz), doubles(rwork)))
	},
	ormtr: func(side, uplo, trans byte, m, n int32, a []complex128, lda int32, tau, c []complex128, ldc int32, work []complex128, lwork int32) int32 {
		return int32(C.LAPACKE_zunmtr_work(C.LAPACK_COL_MAJOR, C.char(side), C.char(uplo), C.char(trans), C.lapack_int(m), C.lapack_int(n),
			doubleComplexes(a), C.lapack_int(lda), doubleComplexes(tau), doubleComplexes(c), C.lapack_int(ldc), doubleComplexes(work), C.lapack_int(lwork)))
	},
}
