package lapack

import (
	"gonum.org/v1/gonum/blas"
	gonumblas "gonum.org/v1/gonum/blas/gonum"
)

// gonum's products of complex matrices run along rows of whole matrices, those
// of real ones in blocks that stay in a cache, on every processor. So a complex
// product of some size is four real ones of parts.

func cgemm() func(tA, tB blas.Transpose, m, n, k int, alpha complex64, a []complex64, lda int, b []complex64, ldb int, beta complex64, c []complex64, ldc int) {
	return gemmByParts(gonumblas.Implementation{}.Cgemm, gonumblas.Implementation{}.Sgemm)
}

func zgemm() func(tA, tB blas.Transpose, m, n, k int, alpha complex128, a []complex128, lda int, b []complex128, ldb int, beta complex128, c []complex128, ldc int) {
	return gemmByParts(gonumblas.Implementation{}.Zgemm, gonumblas.Implementation{}.Dgemm)
}

const (
	// partsFrom is the mnk from which parts pay.
	partsFrom = 16 * 16 * 16
	// partsBlock rows of op(A), and as many columns, are split at a time, so that
	// memory is that of some rows of C and of op(B).
	partsBlock = 256
)

func gemmByParts[C Complex, R Real](
	whole func(tA, tB blas.Transpose, m, n, k int, alpha C, a []C, lda int, b []C, ldb int, beta C, c []C, ldc int),
	part func(tA, tB blas.Transpose, m, n, k int, alpha R, a []R, lda int, b []R, ldb int, beta R, c []R, ldc int),
) func(tA, tB blas.Transpose, m, n, k int, alpha C, a []C, lda int, b []C, ldb int, beta C, c []C, ldc int) {
	return func(tA, tB blas.Transpose, m, n, k int, alpha C, a []C, lda int, b []C, ldb int, beta C, c []C, ldc int) {
		if m*n*k < partsFrom {
			whole(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
			return
		}
		// i is negated where op conjugates.
		iA, iB := R(1), R(1)
		if tA == blas.ConjTrans {
			iA = -1
		}
		if tB == blas.ConjTrans {
			iB = -1
		}
		var memory [3][]R
		for i := 0; i < m; i += partsBlock {
			rows := min(partsBlock, m-i)
			re, im := planes(&memory[0], rows, n)
			for j := 0; j < k; j += partsBlock {
				terms := min(partsBlock, k-j)
				aRe, aIm := split(&memory[1], tA, a, lda, i, j, rows, terms)
				bRe, bIm := split(&memory[2], tB, b, ldb, j, 0, terms, n)
				add := func(alpha R, a, b Matrix[R], beta R, c Matrix[R]) {
					part(tA, tB, rows, n, terms, alpha, a.Data, a.Stride, b.Data, b.Stride, beta, c.Data, c.Stride)
				}
				keep := R(1)
				if j == 0 {
					keep = 0
				}
				add(1, aRe, bRe, keep, re)
				add(-iA*iB, aIm, bIm, 1, re)
				add(iB, aRe, bIm, keep, im)
				add(iA, aIm, bRe, 1, im)
			}
			for row := range rows {
				at := (i + row) * ldc
				join(c[at:at+n], alpha, re.Row(row), im.Row(row), beta)
			}
		}
	}
}

// planes returns two rows × cols matrices in *memory.
func planes[R Real](memory *[]R, rows, cols int) (re, im Matrix[R]) {
	m := grow(memory, 2*rows*cols)
	return Of(rows, cols, m[:rows*cols]), Of(rows, cols, m[rows*cols:])
}

// split returns the parts of those elements of a which are rows i … i+rows and
// columns j … j+cols of op(a), in the order in which a has them.
func split[C Complex, R Real](memory *[]R, t blas.Transpose, a []C, lda, i, j, rows, cols int) (re, im Matrix[R]) {
	if t != blas.NoTrans {
		i, j, rows, cols = j, i, cols, rows
	}
	re, im = planes(memory, rows, cols)
	for row := range rows {
		at := (i+row)*lda + j
		switch src := any(a[at : at+cols]).(type) {
		case []complex64:
			re, im := any(re.Row(row)).([]float32), any(im.Row(row)).([]float32)
			for k, v := range src {
				re[k], im[k] = real(v), imag(v)
			}
		case []complex128:
			re, im := any(re.Row(row)).([]float64), any(im.Row(row)).([]float64)
			for k, v := range src {
				re[k], im[k] = real(v), imag(v)
			}
		}
	}
	return re, im
}

// join sets c to alpha·(re + i·im) + beta·c; with beta = 0 it does not read c.
func join[C Complex, R Real](c []C, alpha C, re, im []R, beta C) {
	if beta == 0 {
		clear(c)
	}
	switch c := any(c).(type) {
	case []complex64:
		re, im := any(re).([]float32), any(im).([]float32)
		alpha, beta := any(alpha).(complex64), any(beta).(complex64)
		for k, v := range c {
			c[k] = alpha*complex(re[k], im[k]) + beta*v
		}
	case []complex128:
		re, im := any(re).([]float64), any(im).([]float64)
		alpha, beta := any(alpha).(complex128), any(beta).(complex128)
		for k, v := range c {
			c[k] = alpha*complex(re[k], im[k]) + beta*v
		}
	}
}
