package lapack

import (
	"math"

	"gonum.org/v1/gonum/blas"
	gonumblas "gonum.org/v1/gonum/blas/gonum"
)

// This file holds Householder reflections for the portable backend, written
// once for float64 and complex128. gonum has none for complex matrices, and the
// real ones of gonum 0.17 lose digits without a word: its Dlarft, with which
// Dgelqf, Dorglq, Dgesvd, Dormqr and others apply reflections in blocks, is
// wrong where the second reflection of a block ends in zeros and the first does
// not. It loses sight of how long the first is. Matrices with zeros do that
// (TestStructured): Q was off by 0.5 and nothing said so.
//
// A reflection is H = I − τvvᴴ with v = (0 … 0, 1, v_{i+1} …). Reflections are
// kept as rows: row i of a matrix has v_{i+1} … right of its diagonal, where the
// 1 is implied. Vectors that reflections apply to are rows as well, so that
// every inner loop runs along a row. For real elements conjugates are the
// numbers themselves.

// double are the types in which the portable backend computes.
type double interface{ float64 | complex128 }

// arithmetic holds the products of F.
type arithmetic[F double] struct {
	gemm func(tA, tB blas.Transpose, m, n, k int, alpha F, a []F, lda int, b []F, ldb int, beta F, c []F, ldc int)
	dot  func(n int, x []F, incX int, y []F, incY int) F // Σ x̄ᵢyᵢ
	axpy func(n int, alpha F, x []F, incX int, y []F, incY int)
	hemv func(ul blas.Uplo, n int, alpha F, a []F, lda int, x []F, incX int, beta F, y []F, incY int)
	her2 func(ul blas.Uplo, n int, alpha F, x []F, incX int, y []F, incY int, a []F, lda int)
}

func realArithmetic() arithmetic[float64] {
	b := gonumblas.Implementation{}
	return arithmetic[float64]{b.Dgemm, b.Ddot, b.Daxpy, b.Dsymv, b.Dsyr2}
}

func complexArithmetic() arithmetic[complex128] {
	b := gonumblas.Implementation{}
	return arithmetic[complex128]{zgemm(), b.Zdotc, b.Zaxpy, b.Zhemv, b.Zher2}
}

// blockReflections is how many reflections are applied at once, by products.
const blockReflections = 32

// reflection replaces x by (β, v₁, v₂ …) such that Hᴴx = (β, 0, 0 …), and
// returns the real β and τ. H is the identity, τ = 0, where x is that already.
func (f arithmetic[F]) reflection(x []F) (beta float64, tau F) {
	if largestPart(x[1:]) == 0 && fromReal[F](realPart(x[0])) == x[0] {
		return realPart(x[0]), 0
	}
	// By a power of two to near 1, so that squares neither overflow nor lose
	// what counts; 2^1000 is far enough for what is denormal.
	_, exponent := math.Frexp(largestPart(x))
	exponent = max(exponent, -1000)
	factor := fromReal[F](math.Ldexp(1, -exponent))
	for i := range x {
		x[i] *= factor
	}
	alpha := x[0]
	beta = -math.Copysign(math.Sqrt(realPart(f.dot(len(x), x, 1, x, 1))), realPart(alpha))
	b := fromReal[F](beta)
	tau = (b - alpha) / b
	inverse := 1 / (alpha - b)
	for i := range x[1:] {
		x[i+1] *= inverse
	}
	beta = math.Ldexp(beta, exponent)
	x[0] = fromReal[F](beta)
	return beta, tau
}

// block copies reflections first … first+count of rows to dst with their
// diagonal of ones, from column first on, and returns it with the triangular
// factor T of their product H_first … = I − V T Vᴴ, V = dstᵀ.
func (f arithmetic[F]) block(rows Matrix[F], tau []F, first, count int, vectors, factor []F) (v, t Matrix[F]) {
	length := rows.Cols - first
	v, t = Of(count, length, vectors[:count*length]), Of(count, count, factor[:count*count])
	t.Zero()
	for i := range count {
		row := v.Row(i)
		clear(row[:i])
		row[i] = 1
		copy(row[i+1:], rows.Row(first + i)[first+i+1:])
		// The next column of T is −τ T Vᴴv.
		column := -tau[first+i]
		for j := range i {
			t.Set(j, i, column*f.dot(length-i, v.Row(j)[i:], 1, row[i:], 1))
		}
		for j := range i {
			sum := F(0)
			for k := j; k < i; k++ {
				sum += t.At(j, k) * t.At(k, i)
			}
			t.Set(j, i, sum)
		}
		t.Set(i, i, tau[first+i])
	}
	return v, t
}

// reflect applies a block to the rows of x: each becomes (I − V T Vᴴ)x, or
// (I − V Tᴴ Vᴴ)x where inverse is set. That is X − (X V̄) Tᵀ Vᵀ for all at once.
func (f arithmetic[F]) reflect(v, t Matrix[F], inverse bool, x Matrix[F], memory []F) {
	if x.IsEmpty() {
		return
	}
	k := v.Rows
	xv, xvt := memory[:x.Rows*k], memory[x.Rows*k:2*x.Rows*k]
	f.gemm(blas.NoTrans, blas.ConjTrans, x.Rows, k, x.Cols, 1, x.Data, x.Stride, v.Data, v.Stride, 0, xv, k)
	trans := blas.Trans
	if inverse {
		trans = blas.NoTrans
		for i := range k {
			conjugate(t.Row(i)) // (Tᴴ)ᵀ; nobody needs T again
		}
	}
	f.gemm(blas.NoTrans, trans, x.Rows, k, k, 1, xv, k, t.Data, t.Stride, 0, xvt, k)
	f.gemm(blas.NoTrans, blas.NoTrans, x.Rows, x.Cols, k, -1, xvt, k, v.Data, v.Stride, 1, x.Data, x.Stride)
}

// memoryFor returns the memory of block and reflect for vectors of the length
// and so many rows.
func memoryFor[F double](memory *[]F, length, rows int) (vectors, factor, products []F) {
	const b = blockReflections
	m := grow(memory, b*length+b*b+2*b*rows)
	return m[:b*length], m[b*length : b*length+b*b], m[b*length+b*b:]
}

// factor replaces the rows of at, which are the columns of A, by reflections
// and the columns of R: A = QR, Q = H₀H₁….
func (f arithmetic[F]) factor(at Matrix[F], tau []F, memory *[]F) {
	vectors, triangular, products := memoryFor(memory, at.Cols, at.Rows)
	for first := 0; first < len(tau); first += blockReflections {
		count := min(blockReflections, len(tau)-first)
		end := first + count
		for i := first; i < end; i++ {
			x := at.Row(i)[i:]
			_, tau[i] = f.reflection(x)
			pivot := x[0]
			x[0] = 1
			for j := i + 1; j < end; j++ {
				y := at.Row(j)[i:]
				// Hᴴy = y − τ̄ (vᴴy) v
				f.axpy(len(x), -conjugateOf(tau[i])*f.dot(len(x), x, 1, y, 1), x, 1, y, 1)
			}
			x[0] = pivot
		}
		if end < at.Rows {
			v, t := f.block(at, tau, first, count, vectors, triangular)
			f.reflect(v, t, true, at.View(end, first, at.Rows-end, at.Cols-first), products)
		}
	}
}

// apply replaces the rows x of X by Qx, Q = H₀H₁… with the reflections in rows.
func (f arithmetic[F]) apply(rows Matrix[F], tau []F, x Matrix[F], memory *[]F) {
	vectors, triangular, products := memoryFor(memory, rows.Cols, x.Rows)
	for first := lastBlock(len(tau)); first >= 0; first -= blockReflections {
		v, t := f.block(rows, tau, first, min(blockReflections, len(tau)-first), vectors, triangular)
		f.reflect(v, t, false, x.View(0, first, x.Rows, x.Cols-first), products)
	}
}

// generate replaces reflections, one a row of at, by the columns of Q = H₀H₁….
func (f arithmetic[F]) generate(at Matrix[F], tau []F, memory *[]F) {
	vectors, triangular, products := memoryFor(memory, at.Cols, at.Rows)
	for first := lastBlock(len(tau)); first >= 0; first -= blockReflections {
		count := min(blockReflections, len(tau)-first)
		v, t := f.block(at, tau, first, count, vectors, triangular)
		// Later columns begin behind these reflections, earlier ones come later.
		for i := first; i < first+count; i++ {
			clear(at.Row(i))
			at.Set(i, i, 1)
		}
		f.reflect(v, t, false, at.View(first, first, at.Rows-first, at.Cols-first), products)
	}
}

// bidiagonal reduces the square c to C = Q B Pᴴ with B real: d is its diagonal,
// e the one above. The reflections of Q go to the rows of left, those of P, of
// which row i begins in column i+1, to right. It destroys c.
func (f arithmetic[F]) bidiagonal(c Matrix[F], d, e []float64, left, right Matrix[F], tauLeft, tauRight []F) {
	n := c.Rows
	sums, conjugated := make([]F, n), make([]F, n)
	for i := range n {
		u := left.Row(i)[i:]
		for j := range u {
			u[j] = c.Data[(i+j)*c.Stride+i]
		}
		d[i], tauLeft[i] = f.reflection(u)
		u[0] = 1
		if i == n-1 {
			break
		}
		w := sums[:n-i-1] // uᴴC
		clear(w)
		if tauLeft[i] != 0 {
			for j, x := range u {
				f.axpy(len(w), conjugateOf(x), c.Row(i + j)[i+1:], 1, w, 1)
			}
		}
		v, first := right.Row(i)[i+1:], c.Row(i)[i+1:]
		f.axpy(len(w), -conjugateOf(tauLeft[i]), w, 1, first, 1)
		copy(v, first)
		conjugate(v)
		e[i], tauRight[i] = f.reflection(v)
		v[0] = 1
		vbar := conjugated[:len(v)]
		copy(vbar, v)
		conjugate(vbar)
		for j, x := range u[1:] {
			row := c.Row(i + 1 + j)[i+1:]
			f.axpy(len(w), -conjugateOf(tauLeft[i])*x, w, 1, row, 1)
			f.axpy(len(w), -tauRight[i]*f.dot(len(w), vbar, 1, row, 1), vbar, 1, row, 1)
		}
	}
}

// tridiagonal reduces the symmetric or Hermitian a, of which the upper triangle
// is read, to A = Q B Qᴴ with B real: d is its diagonal, e[:n−1] the one beside
// it. Row i of a keeps the reflection that begins in column i+1.
func (f arithmetic[F]) tridiagonal(a Matrix[F], d, e []float64, tau []F) {
	n := a.Rows
	memory := make([]F, n)
	for i := range n {
		d[i] = realPart(a.At(i, i))
		x := a.Row(i)[i+1:]
		if len(x) == 0 {
			break
		}
		conjugate(x) // column i
		e[i], tau[i] = f.reflection(x)
		if tau[i] == 0 {
			continue
		}
		pivot := x[0]
		x[0] = 1
		// HᴴAH = A − xwᴴ − wxᴴ with w = p − ½τ(pᴴx)x, p = τAx.
		rest, w := a.View(i+1, i+1, len(x), len(x)), memory[:len(x)]
		f.hemv(blas.Upper, len(x), tau[i], rest.Data, rest.Stride, x, 1, 0, w, 1)
		f.axpy(len(x), -tau[i]*f.dot(len(x), w, 1, x, 1)/2, x, 1, w, 1)
		f.her2(blas.Upper, len(x), -1, x, 1, w, 1, rest.Data, rest.Stride)
		x[0] = pivot
	}
}

// lastBlock returns where the last block of n reflections begins, −1 for none.
func lastBlock(n int) int {
	if n == 0 {
		return -1
	}
	return (n - 1) / blockReflections * blockReflections
}

func conjugateOf[F double](v F) F {
	if v, ok := any(&v).(*complex128); ok {
		*v = complex(real(*v), -imag(*v))
	}
	return v
}
