package lapack

import "gonum.org/v1/gonum/blas"

// backend is one implementation of the routines for one element type.
// Its functions take checked arguments, finite matrices of at least one
// element, and never keep a slice. Real numbers that belong to a matrix, its
// singular values say, are float64 whatever the elements are.
//
// Routines bear the names that they have for real matrices. Of complex ones,
// read Hermitian for symmetric, unitary for orthogonal, Aᴴ for Aᵀ where the
// transpose comes of symmetry, as in A = UᵀU.
type backend[T Scalar] struct {
	name string

	// Products, in gonum's row-major BLAS interface; herk is SYRK for real T,
	// and takes ConjTrans, not Trans, for complex T.
	gemm func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	herk func(ul blas.Uplo, t blas.Transpose, n, k int, alpha float64, a []T, lda int, beta float64, c []T, ldc int)
	trsm func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)
	trmm func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int)

	// potrf replaces a's upper triangle by U, A = UᵀU; ok is false where A is
	// not positive definite.
	potrf func(a Matrix[T]) (ok bool)

	// geqrf factors A = QR, m × n, given as its transpose: row j of at is column
	// j of A, the order in which every implementation is fastest when A is tall.
	// R ends in at's lower triangle, as Rᵀ, not conjugated.
	geqrf func(at Matrix[T], tau []T, w *workspace[T])
	// orgqr replaces the first k rows of what geqrf left, k = at.Rows ≤ at.Cols,
	// by the first k columns of Q.
	orgqr func(at Matrix[T], tau []T, w *workspace[T])

	// svd holds the routines for A = U S Vᵀ in the order in which they are tried.
	svd []svdRoutine[T]

	// syevd replaces the symmetric a, of which the upper triangle is read, by
	// eigenvectors in its rows and sets values, both ascending. Without vectors
	// a is destroyed.
	syevd func(a Matrix[T], values []float64, vectors bool, w *workspace[T]) (info int)

	// sytrd reduces the symmetric a, of which the upper triangle is read, to
	// A = Q B Qᵀ with B real and tridiagonal: d is its diagonal, e[:n−1] the one
	// beside it. What stays in a and tau, each of n elements, is Q as ormtr wants it.
	sytrd func(a Matrix[T], d, e []float64, tau []T, w *workspace[T])
	// tridiagonal holds the routines for B = Z Λ Zᵀ in the order in which they
	// are tried.
	tridiagonal []tridiagonalRoutine[T]
	// ormtr replaces c by Q c, with Q as sytrd left it.
	ormtr func(a Matrix[T], tau []T, c Matrix[T], w *workspace[T])
}

// svdRoutine sets s, decreasing, and, unless they are empty, u (m × min(m, n))
// and vt (min(m, n) × n), which is Vᴴ for complex T. It destroys a.
type svdRoutine[T Scalar] struct {
	name    string
	compute func(a Matrix[T], s []float64, u, vt Matrix[T], w *workspace[T]) (info int)
}

// tridiagonalRoutine replaces d by the eigenvalues, ascending, and sets the rows
// of z to the eigenvectors, which are real. It destroys e.
type tridiagonalRoutine[T Scalar] struct {
	name    string
	compute func(d, e []float64, z Matrix[T], w *workspace[T]) (info int)
}

// workspace is what a factorisation type keeps between calls for its routine.
type workspace[T Scalar] struct {
	scalars  []T
	results  reals
	reals    reals
	integers []int32
}

// reals is memory for real numbers of T's precision.
type reals struct {
	single []float32
	double []float64
}

// growReals is grow for one of the two.
func growReals[R Real](r *reals, n int) []R {
	if s, ok := any(&r.single).(*[]R); ok {
		return grow(s, n)
	}
	return grow(any(&r.double).(*[]R), n)
}

// grow returns the first n elements of *s, which it replaces where too short.
func grow[E any](s *[]E, n int) []E {
	if cap(*s) < n {
		*s = make([]E, n)
	}
	*s = (*s)[:n]
	return *s
}

// backends holds the two backends of a build for each element type; they are
// one and the same under purego.
var (
	float32Backends    = [2]*backend[float32]{chosen32(), portable32()}
	float64Backends    = [2]*backend[float64]{chosen64(), portable64()}
	complex64Backends  = [2]*backend[complex64]{chosenComplex64(), portableComplex64()}
	complex128Backends = [2]*backend[complex128]{chosenComplex128(), portableComplex128()}
)

// backendsOf returns the backends for T: the one in use, then the portable one.
func backendsOf[T Scalar]() (b [2]*backend[T]) {
	switch p := any(&b).(type) {
	case *[2]*backend[float32]:
		*p = float32Backends
	case *[2]*backend[float64]:
		*p = float64Backends
	case *[2]*backend[complex64]:
		*p = complex64Backends
	case *[2]*backend[complex128]:
		*p = complex128Backends
	}
	return b
}

// inUse returns b, or where it is nil the backend in use for T. Factorisation
// types hold a nil backend except in tests.
func inUse[T Scalar](b *backend[T]) *backend[T] {
	if b == nil {
		return backendsOf[T]()[0]
	}
	return b
}

func products32(name string, b blas.Float32) *backend[float32] {
	syrk := func(ul blas.Uplo, t blas.Transpose, n, k int, alpha float64, a []float32, lda int, beta float64, c []float32, ldc int) {
		b.Ssyrk(ul, t, n, k, float32(alpha), a, lda, float32(beta), c, ldc)
	}
	return &backend[float32]{name: name, gemm: b.Sgemm, herk: syrk, trsm: b.Strsm, trmm: b.Strmm}
}

func products64(name string, b blas.Float64) *backend[float64] {
	return &backend[float64]{name: name, gemm: b.Dgemm, herk: b.Dsyrk, trsm: b.Dtrsm, trmm: b.Dtrmm}
}

func productsComplex64(name string, b blas.Complex64) *backend[complex64] {
	herk := func(ul blas.Uplo, t blas.Transpose, n, k int, alpha float64, a []complex64, lda int, beta float64, c []complex64, ldc int) {
		b.Cherk(ul, t, n, k, float32(alpha), a, lda, float32(beta), c, ldc)
	}
	return &backend[complex64]{name: name, gemm: b.Cgemm, herk: herk, trsm: b.Ctrsm, trmm: b.Ctrmm}
}

func productsComplex128(name string, b blas.Complex128) *backend[complex128] {
	return &backend[complex128]{name: name, gemm: b.Zgemm, herk: b.Zherk, trsm: b.Ztrsm, trmm: b.Ztrmm}
}

// convert sets dst to the first elements of src.
func convert[A, B Real](dst []A, src []B) {
	for i := range dst {
		dst[i] = A(src[i])
	}
}
