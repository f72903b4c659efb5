package conv

import (
	"math"

	"github.com/gosvcca/gosvcca/fftw"
	"github.com/gosvcca/gosvcca/lapack"
)

// transformer takes images of a side to frequencies. It may be used from several
// goroutines.
type transformer[R lapack.Real, C lapack.Complex] struct {
	*side
	plan *fftw.Forward[R, C] // of one phase, all channels; nil for vectors
}

// newTransformer plans the transform of s into frequencies, rows and columns of which lie
// so far apart; each has the columns of a block side by side.
func newTransformer[R lapack.Real, C lapack.Complex](s *side, rows, columns int) (t transformer[R, C], err error) {
	t.side = s
	if s.vector {
		return t, nil
	}
	row, column, channel := s.strides()
	t.plan, err = fftw.NewForward[R, C](
		fftw.Axis{Length: s.lengthH, In: s.stepH * row, Out: rows},
		fftw.Axis{Length: s.lengthW, In: s.stepW * column, Out: columns},
		fftw.Axis{Length: s.many, In: channel, Out: 1},
	)
	if err != nil {
		err = s.wrap(err)
	}
	return t, err
}

func (t transformer[R, C]) close() {
	if t.plan != nil {
		t.plan.Close()
	}
}

// to sets spectrum to the transform of image, without 1/√|T|.
func (t transformer[R, C]) to(spectrum []C, image []R) {
	if t.vector {
		for i, v := range image[t.from:][:t.many] {
			spectrum[i] = C(complex(float64(v), 0))
		}
		return
	}
	row, column, channel := t.strides()
	for p := range t.stepH {
		for q := range t.stepW {
			t.plan.Execute(spectrum[(p*t.stepW+q)*t.many:], image[p*row+q*column+t.from*channel:])
		}
	}
}

// means returns, by block, the transform of an image of means.
func (s *side) means(image []float64, blocks int) ([][]complex128, error) {
	t, err := newTransformer[float64, complex128](s, (s.lengthW/2+1)*s.columns, s.columns)
	if err != nil {
		return nil, err
	}
	defer t.close()
	spectrum := make([]complex128, s.spectrum()*s.columns)
	t.to(spectrum, image)
	unit := complex(1/math.Sqrt(float64(s.lengthH*s.lengthW)), 0)
	means := make([][]complex128, blocks)
	for b := range means {
		for _, v := range spectrum[s.place(b):][:s.in(b)] {
			means[b] = append(means[b], v*unit)
		}
	}
	return means, nil
}

// in returns how many columns s has in a block: a vector only in (0, 0).
func (s *side) in(block int) int {
	if s.vector && block > 0 {
		return 0
	}
	return s.columns
}

// place returns where a block begins in a spectrum.
func (s *side) place(block int) int {
	if s.vector {
		return 0
	}
	return s.at[block] * s.columns
}
