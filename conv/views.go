package conv

import (
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Flatten returns the layer of images × all values of a map: every position of a
// channel is a neuron of its own. Nothing is copied; of a vector it is the layer that
// Vector was given.
func (m Maps) Flatten() svcca.Layer {
	if m.vector {
		return m.layer
	}
	if m.memory != nil {
		return m.memory(m.images, m.size())
	}
	return flat{m}
}

// flat hides the four dimensions of a layer.
type flat struct{ maps Maps }

func (f flat) Name() string     { return f.maps.Name() }
func (f flat) Storage() string  { return string(f.maps.storage()) }
func (f flat) Steps() []float64 { return spectrum.StepsOf(f.maps.layer, f.maps.size()) }
func (f flat) Dims() (n, d int) { return f.maps.images, f.maps.size() }

func (f flat) Read(dst lapack.Matrix[float64], row, col int) error {
	return f.maps.layer.Read(dst, row, col)
}

// Pixels returns the layer of positions × channels: every position of every image
// is a datapoint, image by image and row by row. Of values in memory in NHWC
// nothing is copied.
func (m Maps) Pixels() svcca.Layer {
	if m.memory != nil && m.layout == NHWC {
		return m.memory(m.images*m.height*m.width, m.channels)
	}
	return pixels{m}
}

type pixels struct{ maps Maps }

func (p pixels) Name() string     { return p.maps.Name() }
func (p pixels) Storage() string  { return string(p.maps.storage()) }
func (p pixels) Steps() []float64 { return p.maps.steps() }

func (p pixels) Dims() (n, d int) {
	return p.maps.images * p.maps.height * p.maps.width, p.maps.channels
}

// Read reads, of each image, the run of values that the datapoints asked for span:
// one run in NHWC, one for each channel in NCHW.
func (p pixels) Read(dst lapack.Matrix[float64], row, col int) error {
	m := p.maps
	positions := m.height * m.width
	for done := 0; done < dst.Rows; {
		image, position := (row+done)/positions, (row+done)%positions
		count := min(dst.Rows-done, positions-position)
		part := dst.View(done, 0, count, dst.Cols)
		var err error
		if m.layout == NHWC {
			err = p.readPositions(part, image, position*m.channels, col)
		} else {
			err = p.readChannels(part, image, position, col)
		}
		if err != nil {
			return err
		}
		done += count
	}
	return nil
}

func (p pixels) readPositions(dst lapack.Matrix[float64], image, first, col int) error {
	c := p.maps.channels
	if dst.Stride == c && dst.Cols == c {
		return p.maps.layer.Read(lapack.Of(1, dst.Rows*c, dst.Data[:dst.Rows*c]), image, first)
	}
	run := lapack.New[float64](1, dst.Rows*c)
	if err := p.maps.layer.Read(run, image, first); err != nil {
		return err
	}
	for i := range dst.Rows {
		copy(dst.Row(i), run.Row(0)[i*c+col:])
	}
	return nil
}

func (p pixels) readChannels(dst lapack.Matrix[float64], image, position, col int) error {
	run := lapack.New[float64](1, dst.Rows)
	for j := range dst.Cols {
		if err := p.maps.layer.Read(run, image, (col+j)*p.maps.height*p.maps.width+position); err != nil {
			return err
		}
		for i, v := range run.Row(0) {
			dst.Set(i, j, v)
		}
	}
	return nil
}
