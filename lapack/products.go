package lapack

import "gonum.org/v1/gonum/blas"

// Gemm computes C = alpha·op(A)·op(B) + beta·C, where op is the transpose for
// blas.Trans and the conjugate transpose for blas.ConjTrans, which for real T
// are one. C may not overlap A or B. With beta = 0 C is not read.
// Cost: 2mnk flops for C m × n and op(A) m × k, four times that for complex T.
func Gemm[T Scalar](tA, tB blas.Transpose, alpha T, a, b Matrix[T], beta T, c Matrix[T]) {
	gemm(inUse[T](nil), tA, tB, alpha, a, b, beta, c)
}

// Herk computes the upper triangle of C = alpha·A·Aᴴ + beta·C, or of
// alpha·Aᴴ·A + beta·C for blas.ConjTrans. The strict lower triangle is not
// touched, the diagonal becomes real. For real T, where blas.Trans will do as
// well, it is Syrk.
// Cost: n²k flops for C n × n, four times that for complex T.
func Herk[T Scalar](t blas.Transpose, alpha float64, a Matrix[T], beta float64, c Matrix[T]) {
	herk(inUse[T](nil), t, alpha, a, beta, c)
}

// Syrk computes the upper triangle of C = alpha·A·Aᵀ + beta·C, or of
// alpha·Aᵀ·A + beta·C for blas.Trans. The strict lower triangle is not touched.
// Cost: n²k flops for C n × n.
func Syrk[T Real](t blas.Transpose, alpha T, a Matrix[T], beta T, c Matrix[T]) {
	herk(inUse[T](nil), t, float64(alpha), a, float64(beta), c)
}

// Trsm solves op(A)·X = alpha·B (blas.Left) or X·op(A) = alpha·B (blas.Right)
// for X, which replaces B, with op as in Gemm. A is triangular; its other
// triangle is not read.
// Cost: n²k flops for A n × n and k right-hand sides, four times that for complex T.
func Trsm[T Scalar](s blas.Side, ul blas.Uplo, tA blas.Transpose, alpha T, a, b Matrix[T]) {
	triangular(inUse[T](nil).trsm, s, ul, tA, alpha, a, b)
}

// Trmm replaces B by alpha·op(A)·B (blas.Left) or alpha·B·op(A) (blas.Right).
// A is triangular; its other triangle is not read. Cost as Trsm's.
func Trmm[T Scalar](s blas.Side, ul blas.Uplo, tA blas.Transpose, alpha T, a, b Matrix[T]) {
	triangular(inUse[T](nil).trmm, s, ul, tA, alpha, a, b)
}

// Mirror copies the strict upper triangle of the square matrix a to the lower,
// conjugated, so that a becomes symmetric or Hermitian.
func Mirror[T Scalar](a Matrix[T]) {
	a.check()
	if a.Rows != a.Cols {
		panic(errBadShape)
	}
	for i := range a.Rows {
		for j := range i {
			a.Data[i*a.Stride+j] = a.Data[j*a.Stride+i]
		}
		conjugate(a.Row(i)[:i])
	}
}

func gemm[T Scalar](b *backend[T], tA, tB blas.Transpose, alpha T, x, y Matrix[T], beta T, c Matrix[T]) {
	m, k := operand(x, tA)
	k2, n := operand(y, tB)
	c.check()
	if k != k2 || c.Rows != m || c.Cols != n {
		panic(errBadShape)
	}
	if overlaps(c, x) || overlaps(c, y) {
		panic(errOverlap)
	}
	if c.IsEmpty() {
		return
	}
	if k == 0 {
		scale(beta, c)
		return
	}
	b.gemm(tA, tB, m, n, k, alpha, x.Data, x.Stride, y.Data, y.Stride, beta, c.Data, c.Stride)
}

func herk[T Scalar](b *backend[T], t blas.Transpose, alpha float64, a Matrix[T], beta float64, c Matrix[T]) {
	if t == blas.Trans && isComplex[T]() {
		panic(errTransposed)
	}
	n, k := operand(a, t)
	c.check()
	if c.Rows != n || c.Cols != n {
		panic(errBadShape)
	}
	if overlaps(c, a) {
		panic(errOverlap)
	}
	if n == 0 {
		return
	}
	if k == 0 {
		for i := range n {
			scale(fromReal[T](beta), c.View(i, i, 1, n-i))
		}
		dropImaginary(c)
		return
	}
	b.herk(blas.Upper, t, n, k, alpha, a.Data, a.Stride, beta, c.Data, c.Stride)
}

func triangular[T Scalar](
	routine func(s blas.Side, ul blas.Uplo, tA blas.Transpose, d blas.Diag, m, n int, alpha T, a []T, lda int, b []T, ldb int),
	s blas.Side, ul blas.Uplo, tA blas.Transpose, alpha T, a, b Matrix[T],
) {
	a.check()
	b.check()
	side := b.Rows
	if s == blas.Right {
		side = b.Cols
	}
	if a.Rows != a.Cols || a.Rows != side {
		panic(errBadShape)
	}
	if overlaps(b, a) {
		panic(errOverlap)
	}
	if b.IsEmpty() {
		return
	}
	routine(s, ul, tA, blas.NonUnit, b.Rows, b.Cols, alpha, a.Data, a.Stride, b.Data, b.Stride)
}

// operand checks a and returns the shape of op(a).
func operand[T Scalar](a Matrix[T], t blas.Transpose) (rows, cols int) {
	a.check()
	if t == blas.NoTrans {
		return a.Rows, a.Cols
	}
	return a.Cols, a.Rows
}

// scale multiplies c by beta; 0 overwrites, whatever was there.
func scale[T Scalar](beta T, c Matrix[T]) {
	if beta == 0 {
		c.Zero()
		return
	}
	for i := range c.Rows {
		row := c.Row(i)
		for j := range row {
			row[j] *= beta
		}
	}
}
