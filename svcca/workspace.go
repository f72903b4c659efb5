package svcca

import (
	"sync"

	"github.com/gosvcca/gosvcca/lapack"
)

// workspace is the memory of a call that its result does not keep. Calls of
// equal shapes, one after another, find theirs ready.
type workspace struct {
	gram, left, m []float64
	blocks        [2][]float64
	scaled        [2][]float64
	scaled32      []float32
	active        [2][]float64
	vectors       [2][]float64
	expanded      [2][]float64
	signs         [2][]float64
	blocks32      [2][]float32
	chunks        [][]float64 // by worker
	chunks32      [][]float32
	parts32       [][]float32
	wide          [][]float64
	eigen         [2]lapack.LeadingEigen[float64]
	svd           lapack.SVD[float64]
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

func borrow() *workspace   { return workspaces.Get().(*workspace) }
func (w *workspace) back() { workspaces.Put(w) }

// take returns a rows × cols matrix in *memory, which it replaces where too
// short; its elements are whatever was there. Rows do not lie a power of two
// apart, where they would compete for the same lines of a cache: products gain 5%.
func take[T lapack.Real](memory *[]T, rows, cols int) lapack.Matrix[T] {
	stride := (cols+15)&^15 | 8
	if cap(*memory) < rows*stride {
		*memory = make([]T, rows*stride)
	}
	m := lapack.Matrix[T]{Rows: rows, Cols: stride, Stride: stride, Data: (*memory)[:rows*stride]}
	return m.View(0, 0, rows, cols)
}

// workers prepares memory for so many.
func (w *workspace) workers(count int) {
	for len(w.chunks) < count {
		w.chunks, w.chunks32, w.parts32 = append(w.chunks, nil), append(w.chunks32, nil), append(w.parts32, nil)
		w.wide = append(w.wide, nil)
	}
}

// block returns one of two blocks of rows × cols, in the precision of products.
func (w *workspace) block(precision Precision, i, rows, cols int) (b block) {
	if precision == Mixed {
		b.f32 = take(&w.blocks32[i], rows, cols)
	} else {
		b.f64 = take(&w.blocks[i], rows, cols)
	}
	return b
}
