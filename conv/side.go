package conv

import (
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// side is a layer while its images are read: a value x, in its place in an image,
// enters every sum as (x·2^−exponent − shift)·√w / √|T|, transformed.
type side struct {
	Maps
	grid
	name     string
	noise    float64 // c·ε of DEFINITIONS §2
	roots    []float64
	exponent int
	scaled   bool
	shift    []float64 // of every value of an image, in units of 2^exponent
}

func newSide(m Maps, g grid, fallback string, roots []float64) *side {
	noise, _ := m.storage().Noise()
	return &side{Maps: m, grid: g, name: nameOf(m.layer, fallback), noise: noise, roots: roots}
}

// wrap returns err with the layer's name before it.
func (s *side) wrap(err error) error { return fmt.Errorf("conv: layer %q: %w", s.name, err) }

// root returns √w of an image.
func (s *side) root(image int) float64 {
	if s.roots == nil {
		return 1
	}
	return s.roots[image]
}

// read sets values to those of an image, shifted, scaled and weighted.
func (s *side) read(values []float64, image int) error {
	unit, factor := math.Ldexp(1, -s.exponent), s.root(image)/math.Sqrt(float64(s.lengthH*s.lengthW))
	if s.direct != nil {
		s.direct(values, image, unit, factor, s.shift)
		return nil
	}
	if err := s.layer.Read(lapack.Of(1, len(values), values), image, 0); err != nil {
		return s.wrap(err)
	}
	for j, shift := range s.shift {
		values[j] = (values[j]*unit - shift) * factor
	}
	return nil
}

// inspect returns the largest magnitude of some images, or a NotFiniteError for the
// first value that is none.
func (s *side) inspect(first, count int) (largest float64, err error) {
	values := make([]float64, s.size())
	for i := first; i < first+count; i++ {
		if err := s.layer.Read(lapack.Of(1, len(values), values), i, 0); err != nil {
			return 0, s.wrap(err)
		}
		for j, v := range values {
			a := math.Abs(v)
			if !(a <= math.MaxFloat64) {
				return 0, &svcca.NotFiniteError{Layer: s.name, Datapoint: i, Neuron: j, Value: v}
			}
			largest = max(largest, a)
		}
	}
	return largest, nil
}

// inspectAll is inspect by a crew.
func (s *side) inspectAll(c crew.Crew, first, count int) (largest float64, err error) {
	const chunk = 4
	peaks := make([]float64, (count+chunk-1)/chunk)
	err = c.Run(len(peaks), func(i, _ int) (err error) {
		peaks[i], err = s.inspect(first+i*chunk, min(chunk, count-i*chunk))
		return err
	})
	return slices.Max(peaks), err
}

// choose sets the exponent for values up to largest, unless it is for larger ones.
func (s *side) choose(largest float64) {
	if largest == 0 {
		return
	}
	_, e := math.Frexp(largest)
	e = min(max(e, -1000), 1000) // 2^−e must itself be a normal number
	if !s.scaled || e > s.exponent {
		s.exponent, s.scaled = e, true
	}
}

// shiftImages is how many images, spread over all, give provisional means.
const shiftImages = 32

// provide sets the shift to the mean of some images. Any values near the data would
// do, as centring corrects exactly: only cancellation depends on them. What is not
// finite is met again, in order.
func (s *side) provide() error {
	s.shift = make([]float64, s.size())
	values, count := make([]float64, s.size()), min(shiftImages, s.images)
	unit := math.Ldexp(1, -s.exponent)
	for i := range count {
		if err := s.layer.Read(lapack.Of(1, len(values), values), i*(s.images-1)/max(count-1, 1), 0); err != nil {
			return s.wrap(err)
		}
		for j, v := range values {
			if v *= unit; math.Abs(v) <= 0x1p30 {
				s.shift[j] += v / float64(count)
			}
		}
	}
	return nil
}
