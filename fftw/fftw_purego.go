//go:build !cgo || purego || nofftw

package fftw

import "github.com/gosvcca/gosvcca/native"

func describe() string { return native.Gonum() }

func chosenSingle() *backend[float32, complex64]  { return portable[float32, complex64]() }
func chosenDouble() *backend[float64, complex128] { return portable[float64, complex128]() }
