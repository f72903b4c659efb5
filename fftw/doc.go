// Package fftw transforms batches of small real images to their half spectra
// and back, from any layout in memory to any other, on FFTW where it is linked
// and on gonum everywhere else, with the same results within rounding.
//
// A plan is made once for a shape and its strides, and then used from any
// number of goroutines. This one reads n images × 16 × 16 × c, channels last,
// and writes one n × c matrix for each frequency:
//
//	plan, err := fftw.NewForward[float32, complex64](
//		fftw.Axis{Length: 16, In: 16 * c, Out: 9 * n * c}, // rows
//		fftw.Axis{Length: 16, In: c, Out: n * c},          // columns, 16/2 + 1 in the spectrum
//		fftw.Axis{Length: n, In: 16 * 16 * c, Out: c},     // images
//		fftw.Axis{Length: c, In: 1, Out: 1})               // channels
//	if err != nil {
//		return err
//	}
//	defer plan.Close()
//	plan.Execute(spectra, images)
//
// # The transform
//
// Of x, gh × gw real, the spectrum for 0 ≤ u < gh and 0 ≤ v ≤ gw/2 is
//
//	X[u, v] = Σ_i Σ_j x[i, j] exp(−2πi (ui/gh + vj/gw)),
//
// the other half being X[u, v] = conj X[−u, −v]. [Inverse] computes
//
//	x[i, j] = Re Σ_u Σ_v m_v X[u, v] exp(+2πi (ui/gh + vj/gw)),  0 ≤ v ≤ gw/2,
//
// with m_v = 1 for v = 0 and v = gw/2, which are their own conjugates, and
// m_v = 2 for the others. Neither scales: Inverse of Forward is gh·gw times
// what went in, and 1/√(gh·gw) makes either unitary. Relative 2-norm errors are
// a few ulp·log₂(gh·gw), more where a length has a large prime factor.
//
// NaN and Inf spread over their own transform and no further; nothing looks
// for them.
//
// # What runs
//
//	here      FFTW, in the precision of the data        gonum dsp/fourier, in float64
//	Forward   fftw(f)_plan_guru64_dft_r2c               FFT on rows, CmplxFFT on columns
//	Inverse   fftw(f)_plan_guru64_dft_c2r               CmplxFFT on columns, FFT on rows
//
// Plans are FFTW_ESTIMATE: planning takes a fraction of a millisecond, touches
// no data and chooses alike in every run on one kind of processor. FFTW's SIMD
// kernels want slices that begin at multiples of 16 bytes; for others a second
// plan is at hand, which takes up to twice as long. Slices that make returned
// begin there, and parts of them do from an even complex64, or from a
// float32 whose index is a multiple of 4.
//
// Batches may be of any size, cut anywhere along the images: throughput is that
// of one plan for everything. What is slow is a batch whose innermost axis, of
// stride 1, is none of the plan's, as a plan for the images of one channel.
//
// The last bits of a transform depend on the plan's extents and strides and on
// that alignment, on nothing else: not on the goroutine, nor on what runs beside
// it. Work that is cut into batches of one size at such multiples gives the same
// bits whoever does which.
//
// [Describe] says which library transforms; importing this package tells package
// native its name, so that native.Describe says it too.
//
// # Licence
//
// FFTW is under the GNU GPL, version 2 or later, and a program that links it can
// be passed on only under the GPL. The build tag nofftw leaves it out, and
// OpenBLAS in; so do purego and builds without cgo.
//
// # Contracts
//
// What only a wrong program can cause is a panic with a constant text: lengths
// and strides below 1, slices too short, outputs that land on each other, use
// after Close. A plan that the library refuses is [ErrNoPlan]. Elements between
// those that strides name belong to somebody else and are not touched.
package fftw
