package conv

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/gosvcca/gosvcca/internal/merging"
	"github.com/gosvcca/gosvcca/svcca"
)

// canonical returns the values of an image, positions × channels, whatever the layout.
func (m Maps) canonical(image []float64) []float64 {
	if m.vector || m.layout == NHWC {
		return slices.Clone(image)
	}
	row, column, channel := m.strides()
	values := make([]float64, 0, len(image))
	for p := range m.height {
		for q := range m.width {
			for k := range m.channels {
				values = append(values, image[p*row+q*column+k*channel])
			}
		}
	}
	return values
}

// transformed returns, by block, the columns of an image in canonical order.
func (l *summed) transformed(image []float64, blocks int) ([][]complex128, error) {
	m := Maps{images: 1, height: l.maps[0], width: l.maps[1], channels: l.maps[2], vector: l.vector}
	return (&side{Maps: m, grid: l.grid, name: l.name}).means(image, blocks)
}

// Merge adds the images of b, which it may spoil. With δ the distance of the means
// (Chan, Golub, LeVeque 1983), G = G_z + G_b + w_z·w_b/(w_z + w_b)·δᴴδ in every block.
func (z *sums) Merge(b *sums) error {
	if err := z.matches(b); err != nil {
		return err
	}
	// Distances of shifts are taken before they are transformed, which rounds: far from 0
	// nothing would be left of small ones.
	var shifts [][][]complex128
	for i := range z.layers {
		p, q := &z.layers[i], &b.layers[i]
		e := p.exponent
		if q.scaled && (!p.scaled || q.exponent > e) {
			e = q.exponent
		}
		z.rescale(i, e)
		b.rescale(i, e)
		p.scaled = p.scaled || q.scaled
		for at, a := range q.apart {
			p.apart[at] += a
		}
		for at, e := range q.errors {
			p.errors[at] += e
			p.traces[at] += q.traces[at]
		}
		distance := make([]float64, len(p.shift))
		for j := range distance {
			distance[j] = q.shift[j] - p.shift[j]
		}
		shift, err := p.transformed(distance, len(z.gram))
		if err != nil {
			return err
		}
		shifts = append(shifts, shift)
	}
	share := b.total / (z.total + b.total)
	for at, g := range z.gram {
		delta := make([]complex128, 0, g.Rows)
		for i := range shifts {
			delta = append(delta, shifts[i][at]...)
		}
		for j := range delta {
			delta[j] += b.rest[at][j] - z.rest[at][j]
			z.rest[at][j] += complex(share, 0) * delta[j]
		}
		for i, d := range delta {
			row, other := g.Row(i), b.gram[at].Row(i)
			d = cmplx.Conj(d) * complex(z.total*share, 0)
			for j := i; j < len(row); j++ {
				row[j] += other[j] + d*delta[j]
			}
		}
	}
	z.n, z.total = z.n+b.n, z.total+b.total
	return nil
}

// setMeans sets the means to those that shift and rest say.
func (z *sums) setMeans() error {
	z.mean = make([][]complex128, len(z.gram))
	for i := range z.layers {
		shift, err := z.layers[i].transformed(z.layers[i].shift, len(z.gram))
		if err != nil {
			return err
		}
		for at := range z.mean {
			z.mean[at] = append(z.mean[at], shift[at]...)
		}
	}
	for at, mean := range z.mean {
		for j, rest := range z.rest[at] {
			mean[j] += rest
		}
	}
	return nil
}

// matches returns an error where b sums other layers than z.
func (z *sums) matches(b *sums) error {
	if z.shape.height != b.shape.height || z.shape.width != b.shape.width || z.shape.lowPass != b.shape.lowPass || len(z.layers) != len(b.layers) {
		return fmt.Errorf("conv: sums under %d × %d and %d × %d translations: %w", z.shape.height, z.shape.width, b.shape.height, b.shape.width, svcca.ErrMismatch)
	}
	for i := range z.layers {
		l, o := &z.layers[i], &b.layers[i]
		if l.maps != o.maps || l.vector != o.vector || l.storage != o.storage || l.mixed != o.mixed {
			return fmt.Errorf("conv: layer %q has %s, and %q, to be added, %s: %w", l.name, l.describe(), o.name, o.describe(), svcca.ErrMismatch)
		} else if !slices.Equal(l.steps, o.steps) {
			return fmt.Errorf("conv: layer %q, and %q, to be added, are stored in int8 of different steps: %w", l.name, o.name, svcca.ErrMismatch)
		}
	}
	return nil
}

// describe says what sums are of.
func (l *summed) describe() string {
	precision := svcca.Double
	if l.mixed {
		precision = svcca.Mixed
	}
	if l.vector {
		return fmt.Sprintf("vectors of %d neurons in %s, products in %v", l.maps[2], l.storage, precision)
	}
	return fmt.Sprintf("maps of %d × %d × %d in %s, products in %v", l.maps[0], l.maps[1], l.maps[2], l.storage, precision)
}

// rescale changes the units of layer i.
func (z *sums) rescale(i, exponent int) {
	l := &z.layers[i]
	by := l.exponent - exponent
	l.exponent = exponent
	if by == 0 || !l.scaled { // zeros have no units
		return
	}
	factor := math.Ldexp(1, by)
	l.scaleErrors(factor * factor)
	for j := range l.shift {
		l.shift[j] *= factor
	}
	for at, g := range z.gram {
		begin, width := z.begin(i, at), l.in(at)
		merging.ScaleBlock(g, begin, width, complex(factor, 0))
		for j := begin; j < begin+width; j++ {
			z.rest[at][j] *= complex(factor, 0)
		}
	}
}

// scaleErrors multiplies what is in units of squares.
func (l *summed) scaleErrors(factor float64) {
	for at := range l.apart {
		l.apart[at] *= factor
	}
	for at := range l.errors {
		l.errors[at] *= factor
		l.traces[at] *= factor
	}
}

// Clone returns a copy that shares nothing with z, without means.
func (z *sums) Clone() *sums {
	c := *z
	c.layers, c.gram, c.rest, c.mean = slices.Clone(z.layers), nil, nil, nil
	for i := range c.layers {
		l := &c.layers[i]
		l.shift, l.apart, l.errors, l.traces = slices.Clone(l.shift), slices.Clone(l.apart), slices.Clone(l.errors), slices.Clone(l.traces)
	}
	for at := range z.gram {
		c.gram, c.rest = append(c.gram, z.gram[at].Clone()), append(c.rest, slices.Clone(z.rest[at]))
	}
	return &c
}
