package svcca

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Directions are the aligned directions of one layer, as maps from and to its
// neurons (DEFINITIONS §3). They apply to the rows they came from and to any
// other rows of the same neurons.
type Directions struct {
	// Mean holds what is subtracted from each neuron first.
	Mean []float64
	// Map is W, neurons × m: X̃ = (X − μ)W.
	Map lapack.Matrix[float64]
	// Decoder is D, m × neurons: the loadings, D = X̃ᵀ(X − μ).
	Decoder lapack.Matrix[float64]
}

// Align returns the coordinates of a layer's datapoints along the first k
// directions, (X − μ)W[:, :k], n × k. On the rows that the comparison was given
// these are the aligned directions over datapoints: orthonormal columns, of
// which the i-th correlates with the other layer's i-th by ρ_i. (With weights
// they are orthonormal under the weights.)
// Cost: 2ndk flops. The error names the layer and wraps ErrShape, ErrMismatch,
// ErrNotFinite, or what Read returned. It panics where k is not in 0 … m.
func (d *Directions) Align(layer Layer, k int) (lapack.Matrix[float64], error) {
	described, err := describe(layer, "layer")
	if err != nil {
		return lapack.Matrix[float64]{}, err
	}
	aligned := lapack.New[float64](described.n, k)
	return aligned, d.each(described, k, func(first int, block lapack.Matrix[float64]) error {
		aligned.View(first, 0, block.Rows, k).CopyFrom(block)
		return nil
	}, nil)
}

// Project calls write with successive blocks of a layer's datapoints projected
// onto the first k directions, μ + (X − μ)W[:, :k]D[:k, :], each rows × neurons:
// what is left of the layer when everything else in it is erased. A block is
// write's until it returns. Cost: 4ndk flops. Errors as Align's, or write's.
func (d *Directions) Project(layer Layer, k int, write func(block lapack.Matrix[float64]) error) error {
	described, err := describe(layer, "layer")
	if err != nil {
		return err
	}
	return d.each(described, k, nil, write)
}

// each maps blocks of rows to k coordinates for aligned and, where there is
// write, back to neurons.
func (d *Directions) each(l described, k int, aligned func(first int, block lapack.Matrix[float64]) error, write func(block lapack.Matrix[float64]) error) error {
	if l.d != len(d.Mean) {
		return fmt.Errorf("svcca: layer %q: %d neurons, the directions are of %d: %w", l.name, l.d, len(d.Mean), ErrMismatch)
	}
	forward := d.Map.View(0, 0, l.d, k)
	rows := lapack.New[float64](min(panelRows(l.d), l.n), l.d)
	coordinates := lapack.New[float64](rows.Rows, k)
	for first := 0; first < l.n; first += rows.Rows {
		block := rows.View(0, 0, min(rows.Rows, l.n-first), l.d)
		if err := l.Read(block, first, 0); err != nil {
			return l.wrap(err)
		}
		if _, err := magnitude(l.name, block, first, 0); err != nil {
			return err
		}
		d.shift(block, -1)
		part := coordinates.View(0, 0, block.Rows, k)
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, block, forward, 0, part)
		if aligned != nil {
			if err := aligned(first, part); err != nil {
				return err
			}
			continue
		}
		lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, part, d.Decoder.View(0, 0, k, l.d), 0, block)
		d.shift(block, 1)
		if err := write(block); err != nil {
			return err
		}
	}
	return nil
}

// shift adds sign·μ to every row.
func (d *Directions) shift(block lapack.Matrix[float64], sign float64) {
	for i := range block.Rows {
		row := block.Row(i)
		for j, mean := range d.Mean {
			row[j] += sign * mean
		}
	}
}

// directions returns W = V S⁻¹ P and D = Pᵀ S Vᵀ, with P = op(p); memory is
// scratch.
func (b *basis) directions(memory *[]float64, p lapack.Matrix[float64], t blas.Transpose) (*Directions, error) {
	m := min(p.Rows, p.Cols)
	d := &Directions{
		Mean:    b.means(),
		Map:     lapack.New[float64](b.d, m),
		Decoder: lapack.New[float64](m, b.d),
	}
	scaled := b.scaledVectors(memory, func(s float64) float64 { return 1 / s })
	lapack.Gemm(blas.NoTrans, t, 1, scaled, p, 0, d.Map)
	for _, v := range d.Map.Data {
		if !(math.Abs(v) <= math.MaxFloat64) { // of directions that a tolerance of 0 keeps
			return nil, fmt.Errorf("svcca: layer %q: a map from neurons above %g: %w", b.name, math.MaxFloat64, ErrRange)
		}
	}
	b.decode(memory, p, t, d.Decoder)
	return d, nil
}

// decode sets decoder to D = Pᵀ S Vᵀ.
func (b *basis) decode(memory *[]float64, p lapack.Matrix[float64], t blas.Transpose, decoder lapack.Matrix[float64]) {
	back := blas.Transpose(blas.Trans)
	if t == blas.Trans {
		back = blas.NoTrans
	}
	scaled := b.scaledVectors(memory, func(s float64) float64 { return s })
	lapack.Gemm(back, blas.Trans, 1, p, scaled, 0, decoder)
}

// scaledVectors returns V with each column multiplied by factor of its singular
// value, in the layer's own units.
func (b *basis) scaledVectors(memory *[]float64, factor func(s float64) float64) lapack.Matrix[float64] {
	scaled, factors := take(memory, b.d, b.K), make([]float64, b.K)
	for i := range factors {
		factors[i] = factor(math.Ldexp(b.S[i], b.scale()))
	}
	for j := range scaled.Rows {
		row := scaled.Row(j)
		for i, v := range b.v.Row(j) {
			row[i] = v * factors[i]
		}
	}
	return scaled
}

// signs returns, for each column of W, the sign of the entry that is largest in
// magnitude, the first at a tie (DEFINITIONS §3).
func (d *Directions) signs() []float64 {
	largest := make([]float64, d.Map.Cols)
	for j := range d.Map.Rows {
		for i, v := range d.Map.Row(j) {
			if math.Abs(v) > math.Abs(largest[i]) {
				largest[i] = v
			}
		}
	}
	for i, v := range largest {
		largest[i] = math.Copysign(1, v)
	}
	return largest
}

// turn multiplies each direction by its sign.
func (d *Directions) turn(signs []float64) {
	for j := range d.Map.Rows {
		row := d.Map.Row(j)
		for i, sign := range signs {
			row[i] *= sign
		}
	}
	for i, sign := range signs {
		if sign > 0 {
			continue
		}
		row := d.Decoder.Row(i)
		for j := range row {
			row[j] = -row[j]
		}
	}
}
