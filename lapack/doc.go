// Package lapack gives the dense linear algebra of SVCCA on row-major
// matrices: products, Cholesky, QR, thin SVD and symmetric or Hermitian
// eigen-solve, for float32, float64, complex64 and complex128, on OpenBLAS and
// LAPACKE where they are linked and in Go on gonum everywhere else, with the
// same results within the stated errors.
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
// Singular values and eigenvalues are float64 whatever the elements are, and
// hold what their precision gives. Aᴴ is the conjugate transpose, for real
// elements the transpose.
//
// [FromDense] and [ToDense] go to gonum's mat.Dense and back without a copy,
// [Matrix.View] to a part of a matrix.
//
// # What runs
//
// For x read s, d, c or z, the letter of the element type:
//
//	here             OpenBLAS, LAPACKE                   portable, in double from Cholesky on
//	Gemm             xgemm                               gonum's Sgemm, Dgemm; complex: four of those
//	Herk, Syrk       ssyrk, dsyrk, cherk, zherk          Ssyrk, Dsyrk, Cherk, Zherk
//	Trsm             xtrsm                               Strsm, Dtrsm, Ctrsm, Ztrsm
//	Trmm             xtrmm                               Strmm, Dtrmm, Ctrmm, Ztrmm
//	CholeskyInPlace  xpotrf                              Dpotrf; complex: by rows
//	QR.Factorize     xgeqrf                              reflections
//	QR.QTo           sorgqr, dorgqr, cungqr, zungqr      reflections
//	SVD.Factorize    xgesdd; where that does not         QR, reflections, Dbdsqr
//	                 converge, xgesvd
//	Eigen.Factorize  ssyevd, dsyevd, cheevd, zheevd      reflections, Dsteqr
//	LeadingEigen     ssytrd, dsytrd, chetrd, zhetrd;     reflections, Dsteqr
//	                 xstedc; where that does not
//	                 converge, xsteqr
//	  .VectorsTo     sormtr, dormtr, cunmtr, zunmtr      reflections
//
// The reflections of the portable backend are its own: gonum has none for
// complex matrices, and its real ones, in blocks, go wrong without a word on
// some matrices with zeros (householder.go).
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
