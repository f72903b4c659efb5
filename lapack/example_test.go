package lapack_test

import (
	"fmt"
	"log"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"

	"github.com/gosvcca/gosvcca/lapack"
)

func print(m lapack.Matrix[float64]) {
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			fmt.Printf("%8.4f", v)
		}
		fmt.Println()
	}
}

// Three datapoints, two neurons: the covariance needs AᵀA.
func ExampleGemm() {
	a := lapack.Of(3, 2, []float64{
		1, 2,
		3, 4,
		5, 6,
	})
	c := lapack.New[float64](2, 2)
	lapack.Gemm(blas.Trans, blas.NoTrans, 1, a, a, 0, c)
	print(c)
	// Output:
	//  35.0000 44.0000
	//  44.0000 56.0000
}

func ExampleSyrk() {
	a := lapack.Of(3, 2, []float64{1, 2, 3, 4, 5, 6})
	c := lapack.New[float64](2, 2)
	lapack.Syrk(blas.Trans, 1, a, 0, c) // the upper triangle, at half of Gemm's cost
	lapack.Mirror(c)
	print(c)
	// Output:
	//  35.0000 44.0000
	//  44.0000 56.0000
}

func ExampleSVD() {
	a := lapack.Of(3, 2, []float64{
		3, 0,
		0, 2,
		4, 0,
	})
	var svd lapack.SVD[float64]
	if err := svd.Factorize(a, true); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", svd.Values())

	// U S Vᵀ is A again. Vectors have no sign of their own: never print them.
	us := svd.U().Clone()
	for i := range us.Rows {
		for j, s := range svd.Values() {
			us.Set(i, j, us.At(i, j)*s)
		}
	}
	back := lapack.New[float64](3, 2)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, us, svd.VT(), 0, back)
	fmt.Printf("%.4f %.4f\n", back.At(2, 0), back.At(1, 1))
	// Output:
	// [5.0000 2.0000]
	// 4.0000 2.0000
}

func ExampleEigen() {
	a := lapack.Of(2, 2, []float64{
		2, 1,
		0, 2, // below the diagonal nothing is read
	})
	var eigen lapack.Eigen[float64]
	if err := eigen.Factorize(a, true); err != nil {
		log.Fatal(err)
	}
	v := eigen.VectorsTo(lapack.Matrix[float64]{}, 1) // of the largest eigenvalue
	fmt.Printf("%.4f\n", eigen.Values())
	fmt.Printf("%.4f\n", v.At(0, 0)*v.At(1, 0))
	// Output:
	// [3.0000 1.0000]
	// 0.5000
}

// How many eigenvectors are wanted is decided by the eigenvalues.
func ExampleLeadingEigen() {
	a := lapack.Of(3, 3, []float64{
		2, 1, 0,
		0, 2, 0, // below the diagonal nothing is read
		0, 0, 0.1,
	})
	var eigen lapack.LeadingEigen[float64]
	if err := eigen.FactorizeInPlace(a); err != nil {
		log.Fatal(err)
	}
	k, sum := 0, 0.0
	for sum < 0.95*(2+2+0.1) { // of the trace
		sum += eigen.Values()[k]
		k++
	}
	v, err := eigen.VectorsTo(lapack.Matrix[float64]{}, k)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", eigen.Values())
	fmt.Println(v.Rows, v.Cols)
	// Output:
	// [3.0000 1.0000 0.1000]
	// 3 2
}

func ExampleQR() {
	a := lapack.Of(3, 2, []float64{
		3, 1,
		0, 2,
		4, 3,
	})
	var qr lapack.QR[float64]
	if err := qr.Factorize(a); err != nil {
		log.Fatal(err)
	}
	q, r := qr.QTo(lapack.Matrix[float64]{}), qr.RTo(lapack.Matrix[float64]{})
	a2 := lapack.New[float64](3, 2)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, q, r, 0, a2)
	fmt.Println(q.Rows, q.Cols, r.Rows, r.Cols)
	fmt.Printf("%.4f %.4f\n", a2.At(2, 0), a2.At(2, 1))
	// Output:
	// 3 2 2 2
	// 4.0000 3.0000
}

func ExampleCholeskyInPlace() {
	a := lapack.Of(2, 2, []float64{
		4, 6,
		0, 10,
	})
	if err := lapack.CholeskyInPlace(a); err != nil {
		log.Fatal(err)
	}
	print(a)
	// Output:
	//   2.0000  3.0000
	//   0.0000  1.0000
}

// A gonum matrix and a Matrix share their elements: no copy either way.
func ExampleFromDense() {
	d := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	m := lapack.FromDense(d)
	m.Set(1, 2, 60)
	fmt.Println(d.At(1, 2))

	last := lapack.ToDense(m.View(0, 1, 2, 2))
	last.Set(0, 0, 20)
	fmt.Println(mat.Formatted(d))
	// Output:
	// 60
	// ⎡ 1  20   3⎤
	// ⎣ 4   5  60⎦
}

// A Hermitian matrix: eigenvalues are real, vectors complex.
func ExampleEigen_complex() {
	a := lapack.Of(2, 2, []complex128{
		2, 1i,
		0, 2, // below the diagonal nothing is read; it would be −i
	})
	var eigen lapack.Eigen[complex128]
	if err := eigen.Factorize(a, true); err != nil {
		log.Fatal(err)
	}
	v := eigen.Vector(0)
	fmt.Printf("%.4f\n", eigen.Values())
	fmt.Printf("%.4f\n", imag(v[1]/v[0])) // any multiple of (1, −i)
	// Output:
	// [3.0000 1.0000]
	// -1.0000
}

// Singular values are real; U S Vᴴ is A again.
func ExampleSVD_complex() {
	a := lapack.Of(2, 1, []complex128{3, 4i})
	var svd lapack.SVD[complex128]
	if err := svd.Factorize(a, true); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", svd.Values())
	fmt.Printf("%.4f\n", imag(svd.U().At(1, 0)*svd.VT().At(0, 0))*svd.Values()[0])
	// Output:
	// [5.0000]
	// 4.0000
}

// The covariance of complex rows needs AᴴA.
func ExampleHerk() {
	a := lapack.Of(2, 2, []complex128{1, 1i, 0, 2})
	c := lapack.New[complex128](2, 2)
	lapack.Herk(blas.ConjTrans, 1, a, 0, c) // the upper triangle
	lapack.Mirror(c)                        // conjugated
	fmt.Println(c.Row(0))
	fmt.Println(c.Row(1))
	// Output:
	// [(1+0i) (0+1i)]
	// [(0-1i) (5+0i)]
}
