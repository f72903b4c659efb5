package fftw

import (
	"sync"

	"gonum.org/v1/gonum/dsp/fourier"
)

// This file makes the portable backend from gonum's one-dimensional transforms,
// which compute in float64 whatever the precision of the data.

func portable[R Real, C Complex]() *backend[R, C] {
	return &backend[R, C]{
		name: "gonum",
		forward: func(l layout) (work[C, R], error) {
			tiles := newTiles(l, Axis.in, tileLength)
			pool := sync.Pool{New: func() any { return newImages(l) }}
			return work[C, R]{execute: func(dst []C, src []R) {
				m := pool.Get().(*images)
				defer pool.Put(m)
				for i := range tiles.count {
					t := tiles.at(i)
					readReal(m, l, t, src)
					for k := range t.Length {
						m.forward(k)
					}
					writeHalf(m, l, t, dst)
				}
			}}, nil
		},
		inverse: func(l layout) (work[R, C], error) {
			tiles := newTiles(l, Axis.out, tileLength)
			pool := sync.Pool{New: func() any { return newImages(l) }}
			return work[R, C]{execute: func(dst []R, src []C) {
				m := pool.Get().(*images)
				defer pool.Put(m)
				for i := range tiles.count {
					t := tiles.at(i)
					readHalf(m, l, t, src)
					for k := range t.Length {
						m.inverse(k)
					}
					writeReal(m, l, t, dst)
				}
			}}, nil
		},
	}
}

// tileLength is how many images are read and written together, so that cache
// lines of neighbouring channels are used whole.
const tileLength = 8

// images holds up to tileLength images and their spectra while they are
// transformed. gonum's transforms have workspace: one goroutine at a time.
type images struct {
	gh, gw, gv int // gv = gw/2 + 1
	rows       *fourier.FFT
	cols       *fourier.CmplxFFT
	real       []float64    // image, row, column
	half       []complex128 // image, column, row: columns are what is transformed in place
	line       []complex128 // the spectrum of one row
}

func newImages(l layout) *images {
	gh, gw, gv := l.rows.Length, l.cols.Length, half(l.cols.Length)
	return &images{
		gh: gh, gw: gw, gv: gv,
		rows: fourier.NewFFT(gw),
		cols: fourier.NewCmplxFFT(gh),
		real: make([]float64, tileLength*gh*gw),
		half: make([]complex128, tileLength*gh*gv),
		line: make([]complex128, gv),
	}
}

// forward transforms image k from m.real to m.half.
func (m *images) forward(k int) {
	image, spectrum := m.image(k)
	for i := range m.gh {
		m.rows.Coefficients(m.line, image[i*m.gw:][:m.gw])
		for v, c := range m.line {
			spectrum[v*m.gh+i] = c
		}
	}
	for v := range m.gv {
		column := spectrum[v*m.gh:][:m.gh]
		m.cols.Coefficients(column, column)
	}
}

// inverse transforms image k from m.half, which it destroys, to m.real.
func (m *images) inverse(k int) {
	image, spectrum := m.image(k)
	for v := range m.gv {
		column := spectrum[v*m.gh:][:m.gh]
		m.cols.Sequence(column, column)
	}
	for i := range m.gh {
		for v := range m.line {
			m.line[v] = spectrum[v*m.gh+i]
		}
		m.rows.Sequence(image[i*m.gw:][:m.gw], m.line)
	}
}

func (m *images) image(k int) (image []float64, spectrum []complex128) {
	return m.real[k*m.gh*m.gw:][:m.gh*m.gw], m.half[k*m.gh*m.gv:][:m.gh*m.gv]
}

func readReal[R Real](m *images, l layout, t tile, src []R) {
	for i := range m.gh {
		for j := range m.gw {
			from, to := t.in+i*l.rows.In+j*l.cols.In, i*m.gw+j
			for k := range t.Length {
				m.real[to+k*m.gh*m.gw] = float64(src[from+k*t.In])
			}
		}
	}
}

func writeReal[R Real](m *images, l layout, t tile, dst []R) {
	for i := range m.gh {
		for j := range m.gw {
			from, to := i*m.gw+j, t.out+i*l.rows.Out+j*l.cols.Out
			for k := range t.Length {
				dst[to+k*t.Out] = R(m.real[from+k*m.gh*m.gw])
			}
		}
	}
}

func readHalf[C Complex](m *images, l layout, t tile, src []C) {
	for i := range m.gh {
		for v := range m.gv {
			from, to := t.in+i*l.rows.In+v*l.cols.In, v*m.gh+i
			for k := range t.Length {
				m.half[to+k*m.gh*m.gv] = complex128(src[from+k*t.In])
			}
		}
	}
}

func writeHalf[C Complex](m *images, l layout, t tile, dst []C) {
	for i := range m.gh {
		for v := range m.gv {
			from, to := v*m.gh+i, t.out+i*l.rows.Out+v*l.cols.Out
			for k := range t.Length {
				dst[to+k*t.Out] = C(m.half[from+k*m.gh*m.gv])
			}
		}
	}
}
