package lapack

import (
	"fmt"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	gonumblas "gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"

	"github.com/gosvcca/gosvcca/native"
)

// TestBackends: a native build must test two backends, a portable one has one,
// and gonum's LAPACK, which computes through blas64, must do so with gonum's
// own BLAS: only then are the two independent.
func TestBackends(t *testing.T) {
	want := map[string]int{"native": 2, "purego": 1}[native.Describe().Name]
	assert.Len(t, distinctBackends[float32](), want)
	assert.Len(t, distinctBackends[float64](), want)
	assert.Len(t, distinctBackends[complex64](), want)
	assert.Len(t, distinctBackends[complex128](), want)
	assert.IsType(t, gonumblas.Implementation{}, blas64.Implementation())
	assert.IsType(t, gonumblas.Implementation{}, blas32.Implementation())
}

func TestViews(t *testing.T) {
	a := newGuarded[float32](5, 4)
	fill(a, func(i, j int) float64 { return float64(10*i + j) })
	v := a.View(1, 2, 3, 2)
	assert.Equal(t, []float32{22, 23}, v.Row(1))
	assert.Equal(t, float32(33), v.At(2, 1))
	v.Set(2, 1, 7)
	assert.Equal(t, float32(7), a.At(3, 3))
	assert.Equal(t, Matrix[float32]{Rows: 3, Cols: 2, Stride: 2, Data: []float32{12, 13, 22, 23, 32, 7}}, v.Clone())

	// Parts of a matrix are written, the rest keeps its bits.
	a.snapshot()
	inside := func(i, j int) bool { return i >= 1 && i < 4 && j >= 2 }
	v.Zero()
	a.mustKeep(t, "Zero", inside)
	assert.Equal(t, make([]float32, 6), v.Clone().Data)
	source := Of(3, 2, []float32{1, 2, 3, 4, 5, 6})
	v.CopyFrom(source)
	a.mustKeep(t, "CopyFrom", inside)
	assert.Equal(t, source, v.Clone())
	v.TransposeFrom(Of(2, 3, []float32{1, 2, 3, 4, 5, 6}))
	a.mustKeep(t, "TransposeFrom", inside)
	assert.Equal(t, []float32{1, 4, 2, 5, 3, 6}, v.Clone().Data)
}

// TestEmptyViews: a view without elements has no memory, but may have rows.
func TestEmptyViews(t *testing.T) {
	a := New[float64](4, 3)
	for _, v := range []Matrix[float64]{
		a.View(0, 0, 4, 0), a.View(0, 3, 4, 0), a.View(4, 0, 0, 3), a.View(4, 3, 0, 0), {}, New[float64](0, 7), New[float64](7, 0),
	} {
		t.Run(fmt.Sprintf("%d × %d", v.Rows, v.Cols), func(t *testing.T) {
			for i := range v.Rows {
				assert.Empty(t, v.Row(i))
			}
			v.Zero()
			c := v.Clone()
			assert.Equal(t, []int{v.Rows, v.Cols}, []int{c.Rows, c.Cols})
			New[float64](v.Cols, v.Rows).TransposeFrom(v)
			assert.True(t, ToDense(v).IsEmpty())

			var svd SVD[float64]
			require.NoError(t, svd.Factorize(v, true))
			assert.Empty(t, svd.Values())
			assert.Equal(t, []int{v.Rows, 0, 0, v.Cols}, []int{svd.U().Rows, svd.U().Cols, svd.VT().Rows, svd.VT().Cols})
			var qr QR[float64]
			require.NoError(t, qr.Factorize(v))
			assert.Equal(t, New[float64](v.Rows, 0), qr.QTo(Matrix[float64]{}))
			assert.Equal(t, New[float64](0, v.Cols), qr.RTo(Matrix[float64]{}))
			// A sum of no terms is beta times C.
			c = Of(2, 2, []float64{1, 2, 3, 4})
			Gemm(blas.NoTrans, blas.NoTrans, 1, New[float64](2, 0), a.View(0, 0, 0, 2), 2, c)
			assert.Equal(t, []float64{2, 4, 6, 8}, c.Data)
		})
	}
}

func TestDense(t *testing.T) {
	whole := mat.NewDense(4, 5, nil)
	part := whole.Slice(1, 3, 2, 5).(*mat.Dense)
	m := FromDense(part)
	assert.Equal(t, []int{2, 3, 5}, []int{m.Rows, m.Cols, m.Stride})
	m.Set(1, 2, 7)
	assert.Equal(t, 7.0, whole.At(2, 4), "a view")
	back := ToDense(m.View(1, 1, 1, 2))
	back.Set(0, 0, 8)
	assert.Equal(t, 8.0, whole.At(2, 3), "a view of a view")
	assert.Equal(t, Matrix[float64]{}, FromDense(&mat.Dense{}))
}

// TestOverlaps compares overlaps with the elements themselves, for all pairs of
// views of one array.
func TestOverlaps(t *testing.T) {
	const length = 15
	array := make([]float64, length)
	type view struct {
		m    Matrix[float64]
		mask uint // of the elements of array
	}
	var views []view
	for stride := 1; stride <= 5; stride++ {
		for rows := 1; rows <= 4; rows++ {
			for cols := 1; cols <= stride; cols++ {
				for at := 0; at+(rows-1)*stride+cols <= length; at++ {
					v := view{m: Matrix[float64]{Rows: rows, Cols: cols, Stride: stride, Data: array[at : at+(rows-1)*stride+cols]}}
					for i := range rows {
						for j := range cols {
							v.mask |= 1 << (at + i*stride + j)
						}
					}
					views = append(views, v)
				}
			}
		}
	}
	shared, conservative := 0, 0
	for _, a := range views {
		for _, b := range views {
			truth, got := a.mask&b.mask != 0, overlaps(a.m, b.m)
			if truth {
				shared++
			}
			// The intervals from the first to the last element.
			meet := bits.TrailingZeros(a.mask) < bits.Len(b.mask) && bits.TrailingZeros(b.mask) < bits.Len(a.mask)
			switch {
			case a.m.Stride == b.m.Stride && got != truth:
				t.Fatalf("strides alike: %b and %b, overlaps says %t", a.mask, b.mask, got)
			case truth && !got:
				t.Fatalf("%b and %b share an element, overlaps says false", a.mask, b.mask)
			case got && !meet:
				t.Fatalf("%b and %b are apart, overlaps says true", a.mask, b.mask)
			case got && !truth:
				conservative++ // different strides, interleaved: held to overlap
			}
		}
	}
	t.Logf("%d views, %d pairs overlap, %d more are held to", len(views), shared, conservative)
	other := Matrix[float64]{Rows: 1, Cols: length, Stride: length, Data: make([]float64, length)}
	assert.False(t, overlaps(views[0].m, other))
	assert.False(t, overlaps(views[0].m, Matrix[float64]{}))
}

func TestMisuse(t *testing.T) {
	onAll(t, testMisuse[float32], testMisuse[float64], testMisuse[complex64], testMisuse[complex128])
}

func testMisuse[T Scalar](t *testing.T, b *backend[T]) {
	square, wide, tall := New[T](3, 3), New[T](2, 4), New[T](4, 2)
	narrow := Matrix[T]{Rows: 2, Cols: 3, Stride: 2, Data: make([]T, 9)}
	short := Matrix[T]{Rows: 3, Cols: 3, Stride: 3, Data: make([]T, 8)}
	negative := Matrix[T]{Rows: -1, Cols: 3, Stride: 3}
	big := New[T](8, 8)
	view := big.View(1, 1, 3, 3)
	type use struct {
		name, want string
		f          func()
	}
	var svd, values SVD[T]
	var eigen, eigenvalues Eigen[T]
	var qr QR[T]
	require.NoError(t, values.Factorize(square, false))
	require.NoError(t, eigenvalues.Factorize(square, false))
	var done Eigen[T]
	require.NoError(t, done.Factorize(square, true))
	var leading, found LeadingEigen[T]
	require.NoError(t, found.FactorizeInPlace(view))
	var factored QR[T]
	require.NoError(t, factored.Factorize(tall))
	uses := []use{
		{"New", errNegativeSize, func() { New[T](-1, 1) }},
		{"New", errNegativeSize, func() { New[T](1, -1) }},
		{"Of", errNegativeSize, func() { Of(-1, -1, []T{1}) }},
		{"Of", "lapack: 3 elements for a 2 × 2 matrix", func() { Of(2, 2, make([]T, 3)) }},
		{"At", errOutOfRange, func() { square.At(0, 3) }},
		{"At", errOutOfRange, func() { square.At(-1, 0) }},
		{"Set", errOutOfRange, func() { square.Set(3, 0, 1) }},
		{"Set", errOutOfRange, func() { square.Set(0, -1, 1) }},
		{"Row", errOutOfRange, func() { square.Row(3) }},
		{"View", errOutOfRange, func() { square.View(1, 0, 3, 1) }},
		{"View", errOutOfRange, func() { square.View(0, 1, 1, 3) }},
		{"View", errOutOfRange, func() { square.View(0, 0, -1, 1) }},
		{"View", errOutOfRange, func() { square.View(4, 0, 0, 0) }},
		{"CopyFrom", errBadShape, func() { wide.CopyFrom(tall) }},
		{"TransposeFrom", errBadShape, func() { wide.TransposeFrom(wide) }},
		{"TransposeFrom itself", errOverlap, func() { square.TransposeFrom(square) }},
		{"TransposeFrom a part", errOverlap, func() { view.TransposeFrom(big.View(3, 3, 3, 3)) }},
		{"Mirror", errBadShape, func() { Mirror(wide) }},

		{"gemm: inner", errBadShape, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, wide, wide, 0, New[T](2, 4)) }},
		{"gemm: rows", errBadShape, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, wide, tall, 0, New[T](3, 2)) }},
		{"gemm: columns", errBadShape, func() { gemm(b, blas.Trans, blas.Trans, 1, wide, tall, 0, New[T](4, 3)) }},
		{"gemm: stride", errBadStride, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, narrow, square, 0, New[T](2, 3)) }},
		{"gemm: data", errShortData, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, square, short, 0, New[T](3, 3)) }},
		{"gemm: data of C", errShortData, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, square, square, 0, short) }},
		{"gemm: negative", errNegativeSize, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, negative, square, 0, square) }},
		{"gemm: C is A", errOverlap, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, square, New[T](3, 3), 0, square) }},
		{"gemm: C meets B", errOverlap, func() { gemm(b, blas.NoTrans, blas.NoTrans, 1, New[T](3, 3), view, 0, big.View(3, 3, 3, 3)) }},
		{"herk: shape", errBadShape, func() { herk(b, blas.NoTrans, 1, wide, 0, New[T](4, 4)) }},
		{"herk: C is A", errOverlap, func() { herk(b, blas.ConjTrans, 1, square, 0, square) }},
		{"trsm: not square", errBadShape, func() { triangular(b.trsm, blas.Left, blas.Upper, blas.NoTrans, 1, wide, tall) }},
		{"trsm: left", errBadShape, func() { triangular(b.trsm, blas.Left, blas.Upper, blas.NoTrans, 1, square, tall) }},
		{"trmm: right", errBadShape, func() { triangular(b.trmm, blas.Right, blas.Upper, blas.NoTrans, 1, square, wide) }},
		{"trmm: B is A", errOverlap, func() { triangular(b.trmm, blas.Right, blas.Upper, blas.NoTrans, 1, square, square) }},

		{"cholesky: shape", errBadShape, func() { cholesky(b, wide) }},
		{"cholesky: data", errShortData, func() { cholesky(b, short) }},
		{"Eigen: shape", errBadShape, func() { eigen.Factorize(tall, true) }},
		{"Eigen: stride", errBadStride, func() { eigen.Factorize(Matrix[T]{Rows: 2, Cols: 2, Stride: 1, Data: make([]T, 4)}, true) }},
		{"SVD: data", errShortData, func() { svd.Factorize(short, true) }},
		{"QR: data", errShortData, func() { qr.Factorize(short) }},

		{"SVD before", errUnfactorized, func() { svd.Values() }},
		{"SVD before", errUnfactorized, func() { svd.U() }},
		{"SVD without vectors", errUnfactorized, func() { values.U() }},
		{"SVD without vectors", errUnfactorized, func() { values.VT() }},
		{"Eigen before", errUnfactorized, func() { eigen.Values() }},
		{"Eigen without vectors", errUnfactorized, func() { eigenvalues.VectorsTo(Matrix[T]{}, 1) }},
		{"Eigen: count", errOutOfRange, func() { done.VectorsTo(Matrix[T]{}, 4) }},
		{"Eigen: count", errOutOfRange, func() { done.VectorsTo(Matrix[T]{}, -1) }},
		{"Eigen: destination", errBadShape, func() { done.VectorsTo(New[T](3, 3), 2) }},
		{"LeadingEigen: shape", errBadShape, func() { leading.FactorizeInPlace(tall) }},
		{"LeadingEigen: data", errShortData, func() { leading.FactorizeInPlace(short) }},
		{"LeadingEigen before", errUnfactorized, func() { leading.Values() }},
		{"LeadingEigen before", errUnfactorized, func() { leading.VectorsTo(Matrix[T]{}, 0) }},
		{"LeadingEigen: count", errOutOfRange, func() { found.VectorsTo(Matrix[T]{}, 4) }},
		{"LeadingEigen: count", errOutOfRange, func() { found.VectorsTo(Matrix[T]{}, -1) }},
		{"LeadingEigen: destination", errBadShape, func() { found.VectorsTo(New[T](3, 3), 2) }},
		{"LeadingEigen: into its memory", errOverlap, func() { found.VectorsTo(big.View(3, 3, 3, 2), 2) }},
		{"QR before", errUnfactorized, func() { qr.QTo(Matrix[T]{}) }},
		{"QR before", errUnfactorized, func() { qr.RTo(Matrix[T]{}) }},
		{"QR: destination", errBadShape, func() { factored.QTo(New[T](4, 4)) }},
		{"QR: destination", errShortData, func() { factored.RTo(Matrix[T]{Rows: 2, Cols: 2, Stride: 2, Data: make([]T, 3)}) }},
	}
	if isComplex[T]() {
		uses = append(uses, use{"herk: transposed", errTransposed, func() { herk(b, blas.Trans, 1, tall, 0, New[T](2, 2)) }})
	}
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) { assert.PanicsWithValue(t, u.want, u.f) })
	}
}
