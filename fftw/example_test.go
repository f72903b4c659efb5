package fftw_test

import (
	"fmt"
	"log"
	"math/cmplx"

	"github.com/gosvcca/gosvcca/fftw"
)

// Two images of 2 × 4 with three channels, channels last, go to one 2 × 3 matrix
// (image × channel) for each of 2 × 3 frequencies.
func ExampleNewForward() {
	const n, h, w, c = 2, 2, 4, 3
	const k = w/2 + 1
	images := make([]float64, n*h*w*c)
	for i := range images {
		images[i] = float64(i)
	}
	plan, err := fftw.NewForward[float64, complex128](
		fftw.Axis{Length: h, In: w * c, Out: k * n * c},
		fftw.Axis{Length: w, In: c, Out: n * c},
		fftw.Axis{Length: n, In: h * w * c, Out: c},
		fftw.Axis{Length: c, In: 1, Out: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer plan.Close()

	spectra := make([]complex128, h*k*n*c)
	plan.Execute(spectra, images)
	for u := range h {
		for v := range k {
			fmt.Printf("(%d, %d):", u, v)
			for _, z := range spectra[(u*k+v)*n*c:][:c] { // of the first image
				fmt.Printf(" %.3f", cmplx.Abs(z))
			}
			fmt.Println()
		}
	}
	// Output:
	// (0, 0): 84.000 92.000 100.000
	// (0, 1): 16.971 16.971 16.971
	// (0, 2): 12.000 12.000 12.000
	// (1, 0): 48.000 48.000 48.000
	// (1, 1): 0.000 0.000 0.000
	// (1, 2): 0.000 0.000 0.000
}

// A transform and its inverse multiply by the number of elements.
func ExampleNewInverse() {
	image := []float32{1, 2, 3, 4, 5, 6}
	there, err := fftw.NewForward[float32, complex64](fftw.Axis{Length: 2, In: 3, Out: 2}, fftw.Axis{Length: 3, In: 1, Out: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer there.Close()
	back, err := fftw.NewInverse[float32, complex64](fftw.Axis{Length: 2, In: 2, Out: 3}, fftw.Axis{Length: 3, In: 1, Out: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer back.Close()

	spectrum := make([]complex64, 2*2)
	there.Execute(spectrum, image)
	back.Execute(image, spectrum)
	fmt.Printf("%.3f\n", image)
	// Output: [6.000 12.000 18.000 24.000 30.000 36.000]
}
