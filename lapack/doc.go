// Package lapack gives the dense linear algebra of SVCCA on row-major
// matrices: products, Cholesky, QR, thin SVD and symmetric eigen-solve, for
// float32 and float64, on OpenBLAS and LAPACKE where they are linked and on
// gonum everywhere else, with the same results within the stated errors.
//
// A factorisation is a value that keeps its memory: with OpenBLAS a second
// matrix of the same shape costs no allocation, and layer after layer can go
// through one.
//
//	a := lapack.Of(3, 2, []float64{3, 0, 0, 2, 4, 0})
//	var svd lapack.SVD[float64]
//	if err := svd.Factorize(a, true); err != nil {
//		return err // NaN in a, or no routine converged
//	}
//	fmt.Println(svd.Values()) // [5 2]; svd.U(), svd.VT() are views
//
// [FromDense] and [ToDense] go to gonum's mat.Dense and back without a copy,
// [Matrix.View] to a part of a matrix.
//
// # What runs
//
//	here             OpenBLAS, LAPACKE                 gonum, in float64 from Cholesky on
//	Gemm             sgemm, dgemm                      Sgemm, Dgemm
//	Syrk             ssyrk, dsyrk                      Ssyrk, Dsyrk
//	Trsm             strsm, dtrsm                      Strsm, Dtrsm
//	Trmm             strmm, dtrmm                      Strmm, Dtrmm
//	CholeskyInPlace  spotrf, dpotrf                    Dpotrf
//	QR.Factorize     sgeqrf, dgeqrf                    Dgelqf of the transpose
//	QR.QTo           sorgqr, dorgqr                    Dorglq of the transpose
//	SVD.Factorize    sgesdd, dgesdd; where that does   Dgesvd
//	                 not converge, sgesvd, dgesvd
//	Eigen.Factorize  ssyevd, dsyevd                    Dsyev; without vectors
//	                                                   Dsytrd and Dsteqr
//	LeadingEigen     ssytrd, dsytrd; sstedc, dstedc;   Dsytrd and Dsteqr
//	                 where that does not converge,
//	                 ssteqr, dsteqr
//	  .VectorsTo     sormtr, dormtr                    Dorm2r
//
// Every routine of a line is tested alone, on both backends, against residuals
// of LAPACK's own test suite. native.Describe says which backend a program has.
//
// # Contracts
//
// What data can cause is an error: [ErrNotFinite] for NaN and Inf, which no
// LAPACK routine reports reliably, [ErrNoConvergence], [ErrNotPositiveDefinite].
// What only a wrong program can cause is a panic with a constant text: shapes
// that do not fit, a stride below the columns, a destination that overlaps an
// input, a result asked for before a successful Factorize. Overlap is seen
// between views of one array, unless a slice's capacity was cut short; views of
// different strides that interleave without sharing an element count as
// overlapping.
//
// Inputs are read, never written, unless a name says InPlace or a doc comment
// says otherwise. Elements between rows belong to somebody else and are not
// touched. Singular vectors and eigenvectors have no sign of their own, and
// none at all beyond their subspace where values tie.
//
// Different objects may work in different goroutines at once. With OpenBLAS do
// that with one BLAS thread, native.LimitThreads(1): its threads wait by
// spinning, and several goroutines that each use several are slower by far.
package lapack
