package svcca

import (
	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// coordinates make of a layer's rows those of its left singular vectors,
// Z = Xc V S⁻¹, block by block. V S⁻¹ grows roundings of rows by s_1/s_k: they are
// float32 only where the basis comes from such rows itself.
type coordinates struct {
	*basis
	forward block     // V S⁻¹, d × k
	offset  []float64 // what rows read with provisional means are off, in coordinates
	// values are those of a sparse layer, as they enter products, without zeros.
	values *nonzeros
	// held are all rows of U, where V S⁻¹ is too far from making them orthonormal.
	held lapack.Matrix[float64]
}

// panelStrip is how many rows a task projects: below, products that narrow lose
// their speed to the copying of V.
const panelStrip = 256

// newCoordinates puts V S⁻¹ into the memory given.
func newCoordinates(b *basis, precision Precision, memory *[]float64, memory32 *[]float32) *coordinates {
	z := &coordinates{basis: b, offset: make([]float64, b.K)}
	forward := take(memory, b.d, b.K)
	for j := range b.d {
		to := forward.Row(j)
		for i, v := range b.v.Row(j) {
			to[i] = v / b.S[i]
			z.offset[i] += b.rest[j] * to[i]
		}
	}
	if b.sparse != nil {
		if values, ok := b.shifted(); ok {
			z.values = &values
		}
	}
	if precision == Mixed && b.precision == Mixed && z.values == nil {
		z.forward.f32 = take(memory32, b.d, b.K)
		for j := range b.d {
			convert.To(z.forward.f32.Row(j), forward.Row(j))
		}
	} else {
		z.forward.f64 = forward
	}
	return z
}

func (z *coordinates) width() int   { return z.K }
func (z *coordinates) layer() *side { return z.side }

// reads returns the tasks that set the rows of to, k columns, to those of Z from
// first on. p is of this layer alone.
func (z *coordinates) reads(p *panel, to block, first int) crew.Tasks {
	count := to.rows()
	return crew.Tasks{Count: (count + panelStrip - 1) / panelStrip, Do: func(i, worker int) error {
		at := i * panelStrip
		if z.held.Data != nil {
			rows := min(panelStrip, count-at)
			to.view(at, 0, rows, z.K).copyFrom(z.held.View(first+at, 0, rows, z.K))
			return nil
		}
		return z.read(p, to.view(at, 0, min(panelStrip, count-at), z.K), first+at, worker)
	}}
}

func (z *coordinates) read(p *panel, to block, first, worker int) error {
	if z.values != nil {
		if to.f32.Data == nil {
			z.values.multiply(z.forward.f64, to.f64, first, z.offset, z.root)
			return nil
		}
		wide := take(&p.wide[worker], to.rows(), z.K)
		z.values.multiply(z.forward.f64, wide, first, z.offset, z.root)
		to.copyFrom(wide)
		return nil
	}
	rows := block{}
	if z.forward.f32.Data != nil {
		rows.f32 = take(&p.chunks32[worker], to.rows(), 1+z.d)
	} else {
		rows.f64 = take(&p.chunks[worker], to.rows(), 1+z.d)
	}
	for at := 0; at < to.rows(); at += chunkRows {
		part := rows.view(at, 0, min(chunkRows, to.rows()-at), 1+z.d)
		if err := p.fill(part, 0, first+at, worker); err != nil {
			return err
		}
	}
	switch {
	case z.forward.f32.Data != nil:
		apply(to.f32, rows.f32, z.forward.f32, z.offset)
	case to.f32.Data == nil:
		apply(to.f64, rows.f64, z.forward.f64, z.offset)
	default:
		wide := take(&p.wide[worker], to.rows(), z.K)
		apply(wide, rows.f64, z.forward.f64, z.offset)
		to.copyFrom(wide)
	}
	return nil
}

// copyFrom sets b to rows, rounded where b is of float32.
func (b block) copyFrom(rows lapack.Matrix[float64]) {
	if b.f32.Data == nil {
		b.f64.CopyFrom(rows)
		return
	}
	for i := range rows.Rows {
		convert.To(b.f32.Row(i), rows.Row(i))
	}
}

// apply sets z to x·v − √w·offset, with √w before the columns of x.
func apply[T lapack.Real](z, x, v lapack.Matrix[T], offset []float64) {
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, x.View(0, 1, x.Rows, x.Cols-1), v, 0, z)
	for i := range z.Rows {
		root, row := float64(x.At(i, 0)), z.Row(i)
		for j, o := range offset {
			row[j] -= T(root * o)
		}
	}
}
