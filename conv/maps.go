package conv

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Maps is a layer of feature maps, images × height × width × channels, or a layer
// of vectors, images × neurons, that is compared with one. It is a view: values
// stay where they are.
type Maps struct {
	layer                           svcca.Layer // images × values of one
	images, height, width, channels int
	layout                          Layout
	vector                          bool
	// Where values are in memory: a layer of the same values, and an image's less shift,
	// (v·unit − shift)·factor.
	memory func(datapoints, neurons int) svcca.Layer
	direct func(dst []float64, image int, unit, factor float64, shift []float64)
}

// Of returns the maps in a layer that has a shape of four dimensions: a file with
// images × height × width × channels for NHWC, images × channels × height × width
// for NCHW. The error wraps svcca.ErrShape.
func Of(layer svcca.Layer, layout Layout) (Maps, error) {
	shaped, ok := layer.(interface{ Shape() []int })
	if !ok || len(shaped.Shape()) != 4 {
		return Maps{}, fmt.Errorf("conv: layer %q has no four dimensions: %w", nameOf(layer, "maps"), svcca.ErrShape)
	}
	s := shaped.Shape()
	m := Maps{layer: layer, layout: layout, images: s[0], height: s[1], width: s[2], channels: s[3]}
	if layout == NCHW {
		m.channels, m.height, m.width = s[1], s[2], s[3]
	}
	return m, m.check()
}

// FromSlice returns maps that view values: images one after another, each in the
// order of layout. float32 values stay float32 in memory. It panics where the length
// is not the product of the sizes.
func FromSlice[T float32 | float64](name string, values []T, images, height, width, channels int, layout Layout) Maps {
	return Maps{
		layer:  svcca.FromSlice(name, values, images, height*width*channels),
		images: images, height: height, width: width, channels: channels, layout: layout,
		memory: func(n, d int) svcca.Layer { return svcca.FromSlice(name, values, n, d) },
		direct: func(dst []float64, image int, unit, factor float64, shift []float64) {
			shiftTo(dst, values[image*len(dst):][:len(dst)], unit, factor, shift)
		},
	}
}

// shiftTo sets dst to (values·unit − shift)·factor. By one value at a time a conversion
// would wait for the last.
func shiftTo[T float32 | float64](dst []float64, values []T, unit, factor float64, shift []float64) {
	for len(dst) >= 4 && len(values) >= 4 && len(shift) >= 4 {
		to, from, by := (*[4]float64)(dst), (*[4]T)(values), (*[4]float64)(shift)
		a, b, c, d := float64(from[0]), float64(from[1]), float64(from[2]), float64(from[3])
		to[0], to[1], to[2], to[3] = (a*unit-by[0])*factor, (b*unit-by[1])*factor, (c*unit-by[2])*factor, (d*unit-by[3])*factor
		dst, values, shift = dst[4:], values[4:], shift[4:]
	}
	for j, v := range values {
		dst[j] = (float64(v)*unit - shift[j]) * factor
	}
}

// Vector returns a layer of images × neurons, such as class logits, which no
// translation moves.
func Vector(layer svcca.Layer) Maps {
	n, d := layer.Dims()
	return Maps{layer: layer, images: n, height: 1, width: 1, channels: d, vector: true}
}

// Dims returns the number of images and the sizes of a map: 1 × 1 × neurons of a
// vector.
func (m Maps) Dims() (images, height, width, channels int) {
	return m.images, m.height, m.width, m.channels
}

// Layout returns the order of an image's values; NHWC of a vector.
func (m Maps) Layout() Layout { return m.layout }

// IsVector reports whether m was made by Vector.
func (m Maps) IsVector() bool { return m.vector }

// Name returns the layer's name, or nothing.
func (m Maps) Name() string { return nameOf(m.layer, "") }

func nameOf(layer svcca.Layer, fallback string) string {
	if named, ok := layer.(interface{ Name() string }); ok && named.Name() != "" {
		return named.Name()
	}
	return fallback
}

// size returns how many values an image has.
func (m Maps) size() int { return m.height * m.width * m.channels }

// storage returns the type of the stored values.
func (m Maps) storage() svcca.ValueType {
	if s, ok := m.layer.(interface{ Storage() string }); ok {
		return svcca.ValueType(s.Storage())
	}
	return svcca.Float64
}

// steps returns, of values stored in int8, the root-mean-square step of each channel
// over its positions, nil of other values.
func (m Maps) steps() []float64 {
	if m.storage() != svcca.Int8 {
		return nil
	}
	all := spectrum.StepsOf(m.layer, m.size())
	if all == nil {
		return nil // which check refuses
	}
	row, column, channel := m.strides()
	steps := make([]float64, m.channels)
	for c := range steps {
		for i := range m.height {
			for j := range m.width {
				steps[c] = math.Hypot(steps[c], all[i*row+j*column+c*channel])
			}
		}
		steps[c] /= math.Sqrt(float64(m.height * m.width))
	}
	return steps
}

// sample returns n of the images, evenly spaced.
func (m Maps) sample(n int) Maps {
	if n < m.images {
		m.layer = sampled{m.Flatten(), m.images, n}
		m.images, m.memory, m.direct = n, nil, nil
	}
	return m
}

// sampled is a layer of some rows of another.
type sampled struct {
	svcca.Layer
	from, rows int
}

func (s sampled) Dims() (n, d int) {
	_, d = s.Layer.Dims()
	return s.rows, d
}

func (s sampled) Read(dst lapack.Matrix[float64], row, col int) error {
	for i := range dst.Rows {
		at := (row + i) * (s.from - 1) / max(s.rows-1, 1)
		if err := s.Layer.Read(dst.View(i, 0, 1, dst.Cols), at, col); err != nil {
			return err
		}
	}
	return nil
}

func (m Maps) check() error {
	name := nameOf(m.layer, "maps")
	if m.images < 1 || m.height < 1 || m.width < 1 || m.channels < 1 {
		return fmt.Errorf("conv: layer %q has %d images of %d × %d × %d: %w", name, m.images, m.height, m.width, m.channels, svcca.ErrShape)
	}
	if n, d := m.layer.Dims(); n != m.images || d != m.size() {
		return fmt.Errorf("conv: layer %q: %d × %d values for %d images of %d × %d × %d: %w", name, n, d, m.images, m.height, m.width, m.channels, svcca.ErrShape)
	}
	if _, known := m.storage().Noise(); !known {
		return fmt.Errorf("conv: layer %q is stored as %q: %w", name, m.storage(), svcca.ErrStorage)
	}
	if m.storage() == svcca.Int8 && m.steps() == nil {
		return fmt.Errorf("conv: layer %q is stored as int8, without a positive step for each of %d values of an image: %w", name, m.size(), svcca.ErrStorage)
	}
	return nil
}

// strides returns how far apart neighbours are among the values of an image.
func (m Maps) strides() (row, column, channel int) {
	if m.layout == NCHW {
		return m.width, 1, m.height * m.width
	}
	return m.width * m.channels, m.channels, 1
}
