package conv

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/container"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// The kinds of sums in a container.
const (
	momentsSchema = "svcca.conv.moments/1"
	pairSchema    = "svcca.conv.pair/1"
)

// sumsHeader is the header of a container of sums. The arrays are, for each layer, shift
// (positions × channels), of int8 the steps by channel, then by block apart, Σw‖shift − mean‖², and, where products are
// mixed, errors and traces; then for each block rest, and the upper triangle of the
// products row by row, complex values as real and imaginary part.
type sumsHeader struct {
	Schema       string          `json:"schema"`
	Precision    svcca.Precision `json:"precision"`
	Images       int             `json:"images"`
	Weight       float64         `json:"weight"` // Σw
	Translations [2]int          `json:"translations"`
	Layers       []sumsLayer     `json:"layers"`
}

// sumsLayer describes a layer. Values of it are in units of 2^exponent.
type sumsLayer struct {
	Name     string          `json:"name"`
	Storage  svcca.ValueType `json:"storage"`
	Vector   bool            `json:"vector"`
	Height   int             `json:"height"` // 1 × 1 × neurons of a vector
	Width    int             `json:"width"`
	Channels int             `json:"channels"`
	Scaled   bool            `json:"scaled"`
	Exponent int             `json:"exponent"`
}

// marshal returns the sums; those of no images are an error.
func (s *shared) marshal(schema string) ([]byte, error) {
	z, err := s.held()
	if err != nil {
		return nil, err
	}
	h := sumsHeader{Schema: schema, Precision: z.precision(), Images: z.n, Weight: z.total, Translations: [2]int{z.shape.height, z.shape.width}}
	var arrays [][]float64
	for _, l := range z.layers {
		h.Layers = append(h.Layers, sumsLayer{l.name, l.storage, l.vector, l.maps[0], l.maps[1], l.maps[2], l.scaled, l.exponent})
		arrays = append(arrays, l.shift, l.steps, l.apart)
		if l.mixed {
			arrays = append(arrays, l.errors, l.traces)
		}
	}
	for at, g := range z.gram {
		arrays = append(arrays, parts(z.rest[at]))
		for i := range g.Rows {
			arrays = append(arrays, parts(g.Row(i)[i:]))
		}
	}
	return container.Encode(h, arrays...)
}

// parts returns real and imaginary parts.
func parts(values []complex128) []float64 {
	all := make([]float64, 0, 2*len(values))
	for _, v := range values {
		all = append(all, real(v), imag(v))
	}
	return all
}

// unmarshal replaces the sums by those of data.
func (s *shared) unmarshal(schema string, data []byte) (h sumsHeader, err error) {
	c, err := container.Open(data)
	if err != nil {
		return h, err
	}
	if c.Schema != schema {
		return h, fmt.Errorf("conv: %q expected, found %q: %w", schema, c.Schema, svcca.ErrDamaged)
	}
	if err := c.Decode(&h); err != nil {
		return h, err
	}
	z, err := h.sums(&c)
	if err != nil {
		return h, err
	}
	s.Set(z)
	return h, nil
}

// sums reads the arrays that the header describes.
func (h *sumsHeader) sums(c *container.Container) (*sums, error) {
	z := &sums{n: h.Images, total: h.Weight}
	grids, err := h.shape(c.Left(), &z.shape)
	if err != nil {
		return nil, err
	}
	for i, l := range h.Layers {
		of := summed{
			grid: grids[i], name: l.Name, maps: [3]int{l.Height, l.Width, l.Channels}, vector: l.Vector, storage: l.Storage,
			exponent: l.Exponent, scaled: l.Scaled, mixed: h.Precision == svcca.Mixed,
		}
		if of.shift, err = c.Next(l.Height * l.Width * l.Channels); err != nil {
			return nil, err
		}
		if l.Storage == svcca.Int8 {
			if of.steps, err = c.Next(l.Channels); err != nil {
				return nil, err
			}
			if !spectrum.Positive(of.steps) {
				return nil, fmt.Errorf("conv: layer %q: a step of int8 that is not positive: %w", l.Name, svcca.ErrDamaged)
			}
		}
		squares := []*[]float64{&of.apart}
		if of.mixed {
			squares = append(squares, &of.errors, &of.traces)
		}
		for _, to := range squares {
			if *to, err = c.Next(len(z.shape.blocks)); err != nil {
				return nil, err
			}
			for _, v := range *to {
				if v < 0 {
					return nil, fmt.Errorf("conv: layer %q: a sum of squares, or an error, of %g: %w", l.Name, v, svcca.ErrDamaged)
				}
			}
		}
		z.layers = append(z.layers, of)
	}
	for at := range z.shape.blocks {
		if err := z.read(c, z.begin(len(z.layers), at)); err != nil {
			return nil, err
		}
	}
	return z, c.End()
}

// shape checks the header against the number of values in the arrays, before anything is
// made of a size it tells, and sets the blocks.
func (h *sumsHeader) shape(values int, sh *shape) (grids [2]grid, err error) {
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("conv: "+format+": %w", append(args, svcca.ErrDamaged)...)
	}
	count := 2
	if h.Schema == momentsSchema {
		count = 1
	}
	if len(h.Layers) != count || h.Images < 1 || h.Images > 1<<53 || !(h.Weight > 0) {
		return grids, damaged("%d layers, %d images, weight %g", len(h.Layers), h.Images, h.Weight)
	}
	maps := [2]Maps{}
	for i, l := range h.Layers {
		_, known := l.Storage.Noise()
		// Every value of an image is in the arrays, as its shift.
		sized := l.Height >= 1 && l.Width >= 1 && l.Channels >= 1 && l.Height <= values && l.Width <= values/l.Height && l.Channels <= values/(l.Height*l.Width)
		if !known || !sized || l.Vector && l.Height*l.Width > 1 || math.Abs(float64(l.Exponent)) > 1000 {
			return grids, damaged("layer %q of %d × %d × %d in %s, exponent %d", l.Name, l.Height, l.Width, l.Channels, l.Storage, l.Exponent)
		}
		maps[i] = Maps{images: 1, height: l.Height, width: l.Width, channels: l.Channels, vector: l.Vector}
	}
	if count == 1 {
		if h.Translations[0] < 1 || h.Translations[1] < 1 {
			return grids, damaged("%d × %d translations", h.Translations[0], h.Translations[1])
		}
		if maps[1], err = maps[0].movedBy(h.Translations); err != nil {
			return grids, damaged("%w", err)
		}
	}
	sh.height, sh.width, sh.blocks, grids = exactGrids(maps[0], maps[1])
	if h.Translations != [2]int{sh.height, sh.width} {
		return grids, damaged("%d × %d translations, not %d × %d", h.Translations[0], h.Translations[1], sh.height, sh.width)
	}
	return grids, nil
}

// read reads rest and products of a block of d columns.
func (z *sums) read(c *container.Container, d int) error {
	if d > math.MaxInt32 || d*(d+3)/2 > c.Left()/2 {
		return fmt.Errorf("conv: %d values for the products of %d columns: %w", c.Left(), d, svcca.ErrDamaged)
	}
	next := func(to []complex128) error {
		values, err := c.Next(2 * len(to))
		for i := range values {
			if i%2 == 0 {
				to[i/2] = complex(values[i], values[i+1])
			}
		}
		return err
	}
	rest, gram := make([]complex128, d), lapack.New[complex128](d, d)
	if err := next(rest); err != nil {
		return err
	}
	for i := range d {
		if err := next(gram.Row(i)[i:]); err != nil {
			return err
		}
	}
	z.rest, z.gram = append(z.rest, rest), append(z.gram, gram)
	return nil
}

// MarshalBinary returns the sums in a form that says what it is and whether it is whole: a
// header in JSON (schema "svcca.conv.moments/1"), values in float64 little-endian, a
// SHA-256. Moments without images are an error.
func (m *Moments) MarshalBinary() ([]byte, error) { return m.shared.marshal(momentsSchema) }

// UnmarshalBinary replaces m by what MarshalBinary returned. The error wraps
// svcca.ErrDamaged, also where one bit differs.
func (m *Moments) UnmarshalBinary(data []byte) error {
	h, err := m.shared.unmarshal(momentsSchema, data)
	if err == nil {
		m.Translations, m.Precision = h.Translations, h.Precision
	}
	return err
}

// MarshalBinary is that of Moments, with schema "svcca.conv.pair/1".
func (p *Pair) MarshalBinary() ([]byte, error) { return p.shared.marshal(pairSchema) }

// UnmarshalBinary is that of Moments.
func (p *Pair) UnmarshalBinary(data []byte) error {
	h, err := p.shared.unmarshal(pairSchema, data)
	if err == nil {
		p.Precision = h.Precision
	}
	return err
}
