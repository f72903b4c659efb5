//go:build cgo && !purego && !nofftw

package fftw

/*
#cgo LDFLAGS: -lfftw3 -lfftw3f
#include <fftw3.h>
*/
import "C"

import (
	"strings"
	"unsafe"
)

// This file is the package's C side: one call a function, no logic.

// handle is a plan of FFTW's.
type handle unsafe.Pointer

// fftw_version is an array whose length cgo does not know: its address is all
// there is to take.
func describe() string {
	version := C.GoString((*C.char)(unsafe.Pointer(&C.fftw_version)))
	return "FFTW " + strings.TrimPrefix(version, "fftw-")
}

func address[E any](s []E) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

func dims(axes []Axis) *C.fftw_iodim64 {
	d := make([]C.fftw_iodim64, len(axes))
	for k, a := range axes {
		d[k].n, d[k].is, d[k].os = C.ptrdiff_t(a.Length), C.ptrdiff_t(a.In), C.ptrdiff_t(a.Out)
	}
	return unsafe.SliceData(d)
}

// placeholders stand for the arrays of a plan while it is made. With
// FFTW_ESTIMATE the planner looks at addresses alone: whether the two are the
// same, and how they are aligned. These are as SIMD kernels want them.
func placeholders() (in, out unsafe.Pointer, free func()) {
	const room = 64
	p := C.fftw_malloc(2 * room)
	return p, unsafe.Add(p, room), func() { C.fftw_free(p) }
}

func flags(unaligned bool) C.uint {
	if unaligned {
		return C.FFTW_ESTIMATE | C.FFTW_UNALIGNED
	}
	return C.FFTW_ESTIMATE
}

var single = &library[float32, complex64]{
	r2c: func(axes, batch []Axis, unaligned bool) handle {
		in, out, free := placeholders()
		defer free()
		return handle(C.fftwf_plan_guru64_dft_r2c(C.int(len(axes)), dims(axes), C.int(len(batch)), dims(batch),
			(*C.float)(in), (*C.fftwf_complex)(out), flags(unaligned)|C.FFTW_PRESERVE_INPUT))
	},
	c2r: func(axes, batch []Axis, unaligned bool) handle {
		in, out, free := placeholders()
		defer free()
		return handle(C.fftwf_plan_guru64_dft_c2r(C.int(len(axes)), dims(axes), C.int(len(batch)), dims(batch),
			(*C.fftwf_complex)(in), (*C.float)(out), flags(unaligned)|C.FFTW_DESTROY_INPUT))
	},
	executeR2C: func(h handle, dst []complex64, src []float32) {
		C.fftwf_execute_dft_r2c(C.fftwf_plan(h), (*C.float)(address(src)), (*C.fftwf_complex)(address(dst)))
	},
	executeC2R: func(h handle, dst []float32, src []complex64) {
		C.fftwf_execute_dft_c2r(C.fftwf_plan(h), (*C.fftwf_complex)(address(src)), (*C.float)(address(dst)))
	},
	destroy:        func(h handle) { C.fftwf_destroy_plan(C.fftwf_plan(h)) },
	alignedReal:    func(s []float32) bool { return C.fftwf_alignment_of((*C.float)(address(s))) == 0 },
	alignedComplex: func(s []complex64) bool { return C.fftwf_alignment_of((*C.float)(address(s))) == 0 },
	onePass:        onePass,
	tileBytes:      tileBytes,
}

var double = &library[float64, complex128]{
	r2c: func(axes, batch []Axis, unaligned bool) handle {
		in, out, free := placeholders()
		defer free()
		return handle(C.fftw_plan_guru64_dft_r2c(C.int(len(axes)), dims(axes), C.int(len(batch)), dims(batch),
			(*C.double)(in), (*C.fftw_complex)(out), flags(unaligned)|C.FFTW_PRESERVE_INPUT))
	},
	c2r: func(axes, batch []Axis, unaligned bool) handle {
		in, out, free := placeholders()
		defer free()
		return handle(C.fftw_plan_guru64_dft_c2r(C.int(len(axes)), dims(axes), C.int(len(batch)), dims(batch),
			(*C.fftw_complex)(in), (*C.double)(out), flags(unaligned)|C.FFTW_DESTROY_INPUT))
	},
	executeR2C: func(h handle, dst []complex128, src []float64) {
		C.fftw_execute_dft_r2c(C.fftw_plan(h), (*C.double)(address(src)), (*C.fftw_complex)(address(dst)))
	},
	executeC2R: func(h handle, dst []float64, src []complex128) {
		C.fftw_execute_dft_c2r(C.fftw_plan(h), (*C.fftw_complex)(address(src)), (*C.double)(address(dst)))
	},
	destroy:        func(h handle) { C.fftw_destroy_plan(C.fftw_plan(h)) },
	alignedReal:    func(s []float64) bool { return C.fftw_alignment_of((*C.double)(address(s))) == 0 },
	alignedComplex: func(s []complex128) bool { return C.fftw_alignment_of((*C.double)(address(s))) == 0 },
	onePass:        onePass,
	tileBytes:      tileBytes,
}
