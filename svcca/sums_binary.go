package svcca

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/container"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// The kinds of sums in a container.
const (
	momentsSchema  = "svcca.moments/1"
	triangleSchema = "svcca.triangle/1"
	pairSchema     = "svcca.pair/1"
)

// sumsHeader is the header of a summary's container. The arrays are, for each
// layer, shift and rest, and of int8 the steps; then the upper triangle of the products row by row, or R,
// whole.
type sumsHeader struct {
	Schema         string      `json:"schema"`
	Method         Method      `json:"method"`
	Precision      Precision   `json:"precision"`
	Datapoints     int         `json:"datapoints"`
	Weight         float64     `json:"weight"` // Σw·4^−weight_exponent
	WeightExponent int         `json:"weight_exponent"`
	TriangleRows   int         `json:"triangle_rows"`
	Layers         []sumsLayer `json:"layers"`
}

// sumsLayer describes a layer. Values of it are in units of 2^exponent.
type sumsLayer struct {
	Name     string    `json:"name"`
	Storage  ValueType `json:"storage"`
	Neurons  int       `json:"neurons"`
	Scaled   bool      `json:"scaled"`
	Exponent int       `json:"exponent"`
	Apart    float64   `json:"apart"` // Σw‖shift − mean‖², block by block
	// Norms of the errors of products in mixed precision.
	Spectral  float64 `json:"spectral_error"`
	Frobenius float64 `json:"frobenius_error"`
}

// marshal returns the sums; those of no rows are an error.
func (s *shared) marshal(schema string) ([]byte, error) {
	z, err := s.current()
	if err != nil {
		return nil, err
	}
	h := sumsHeader{
		Schema: schema, Method: z.method, Precision: z.precision, Datapoints: z.n,
		Weight: z.total, WeightExponent: z.weightExponent, TriangleRows: z.r.Rows,
	}
	var arrays [][]float64
	for _, l := range z.layers {
		h.Layers = append(h.Layers, sumsLayer{l.name, l.storage, l.d, l.scaled, l.exponent, l.apart, l.spectral, l.frobenius})
		arrays = append(arrays, l.shift, l.rest, l.steps)
	}
	for i := range z.gram.Rows {
		arrays = append(arrays, z.gram.Row(i)[i:])
	}
	for i := range z.r.Rows {
		arrays = append(arrays, z.r.Row(i))
	}
	return container.Encode(h, arrays...)
}

// unmarshal replaces the sums by those of data.
func (s *shared) unmarshal(schema string, data []byte) (h sumsHeader, err error) {
	c, err := container.Open(data)
	if err != nil {
		return h, err
	}
	if c.Schema != schema {
		return h, fmt.Errorf("svcca: %q expected, found %q: %w", schema, c.Schema, ErrDamaged)
	}
	if err := c.Decode(&h); err != nil {
		return h, err
	}
	z, err := h.summary(&c)
	if err != nil {
		return h, err
	}
	s.Set(z)
	return h, nil
}

// summary reads the arrays that the header describes.
func (h *sumsHeader) summary(c *container.Container) (*summary, error) {
	z := &summary{
		method: h.Method, precision: h.Precision, n: h.Datapoints, total: h.Weight, weightExponent: h.WeightExponent,
	}
	count := 2
	if h.Schema != pairSchema {
		count = 1
	}
	switch {
	case len(h.Layers) != count,
		h.Method != MethodMoments && h.Method != MethodTriangle, (h.Schema == momentsSchema) && h.Method != MethodMoments,
		(h.Schema == triangleSchema) && h.Method != MethodTriangle,
		h.Datapoints < 1, !(h.Weight > 0), math.Abs(float64(h.WeightExponent)) > 600:
		return nil, fmt.Errorf("svcca: %d layers, %s, %d datapoints, weight %g·4^%d: %w", len(h.Layers), h.Method, h.Datapoints, h.Weight, h.WeightExponent, ErrDamaged)
	}
	d := 0
	for _, l := range h.Layers {
		_, known := l.Storage.Noise()
		if !known || l.Neurons < 1 || l.Neurons > c.Left()/2 || math.Abs(float64(l.Exponent)) > 1000 || !(l.Apart >= 0 && l.Spectral >= 0 && l.Frobenius >= 0) {
			return nil, fmt.Errorf("svcca: layer %q of %d neurons in %s, exponent %d: %w", l.Name, l.Neurons, l.Storage, l.Exponent, ErrDamaged)
		}
		d += l.Neurons
		of := summarised{name: l.Name, storage: l.Storage, d: l.Neurons, scaled: l.Scaled, exponent: l.Exponent, apart: l.Apart, spectral: l.Spectral, frobenius: l.Frobenius}
		var err error
		if of.shift, err = c.Next(l.Neurons); err != nil {
			return nil, err
		}
		if of.rest, err = c.Next(l.Neurons); err != nil {
			return nil, err
		}
		if l.Storage == Int8 {
			if of.steps, err = c.Next(l.Neurons); err != nil {
				return nil, err
			}
			if !spectrum.Positive(of.steps) {
				return nil, fmt.Errorf("svcca: layer %q: a step of int8 that is not positive: %w", l.Name, ErrDamaged)
			}
		}
		z.layers = append(z.layers, of)
	}
	if z.method == MethodTriangle {
		if err := h.triangle(c, z, d); err != nil {
			return nil, err
		}
		return z, c.End()
	}
	if d > math.MaxInt32 || c.Left() != d*(d+1)/2 {
		return nil, fmt.Errorf("svcca: %d values for the products of %d neurons: %w", c.Left(), d, ErrDamaged)
	}
	z.gram = lapack.New[float64](d, d)
	for i := range d {
		values, err := c.Next(d - i)
		if err != nil {
			return nil, err
		}
		copy(z.gram.Row(i)[i:], values)
	}
	return z, c.End()
}

func (h *sumsHeader) triangle(c *container.Container, z *summary, d int) error {
	rows := h.TriangleRows
	if rows != min(h.Datapoints, 1+d) || rows > c.Left()/(1+d) {
		return fmt.Errorf("svcca: a triangle of %d rows for %d neurons: %w", rows, d, ErrDamaged)
	}
	values, err := c.Next(rows * (1 + d))
	if err != nil {
		return err
	}
	z.r = lapack.Of(rows, 1+d, values)
	if z.r.At(0, 0) == 0 {
		return fmt.Errorf("svcca: a triangle without weight: %w", ErrDamaged)
	}
	return nil
}

// MarshalBinary returns the sums in a form that says what it is and whether it is
// whole: a header in JSON (schema "svcca.moments/1"), values in float64
// little-endian, a SHA-256. Moments without rows are an error.
func (m *Moments) MarshalBinary() ([]byte, error) { return m.shared.marshal(momentsSchema) }

// UnmarshalBinary replaces m by what MarshalBinary returned. The error wraps
// ErrDamaged, also where one bit differs.
func (m *Moments) UnmarshalBinary(data []byte) error {
	h, err := m.shared.unmarshal(momentsSchema, data)
	if err == nil {
		m.Precision = h.Precision
	}
	return err
}

// MarshalBinary is that of Moments, with schema "svcca.triangle/1".
func (t *Triangle) MarshalBinary() ([]byte, error) { return t.shared.marshal(triangleSchema) }

// UnmarshalBinary is that of Moments.
func (t *Triangle) UnmarshalBinary(data []byte) error {
	_, err := t.shared.unmarshal(triangleSchema, data)
	return err
}

// MarshalBinary is that of Moments, with schema "svcca.pair/1".
func (p *Pair) MarshalBinary() ([]byte, error) { return p.shared.marshal(pairSchema) }

// UnmarshalBinary is that of Moments.
func (p *Pair) UnmarshalBinary(data []byte) error {
	h, err := p.shared.unmarshal(pairSchema, data)
	if err == nil {
		p.Method, p.Precision = h.Method, h.Precision
	}
	return err
}

// UnmarshalSums returns the *Moments, *Triangle or *Pair that data hold. The error
// wraps ErrDamaged.
func UnmarshalSums(data []byte) (any, error) {
	c, err := container.Open(data)
	if err != nil {
		return nil, err
	}
	switch c.Schema {
	case momentsSchema:
		m := &Moments{}
		return m, m.UnmarshalBinary(data)
	case triangleSchema:
		t := &Triangle{}
		return t, t.UnmarshalBinary(data)
	case pairSchema:
		p := &Pair{}
		return p, p.UnmarshalBinary(data)
	}
	return nil, fmt.Errorf("svcca: schema %q is of no sums known here: %w", c.Schema, ErrDamaged)
}
