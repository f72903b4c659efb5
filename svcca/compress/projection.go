package compress

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// Projection erases part of a layer: all but some directions, all but some neurons, or
// first the one and then the other. Directions and means come from the rows of a
// comparison; it applies to these and to any others.
type Projection struct {
	// Directions are those of a comparison; K of them, the first, are kept. Nil: rows are
	// not projected.
	Directions *svcca.Directions
	K          int
	// Neurons lists the neurons that keep their values, each once; the others are set to
	// Mean. Nil: all keep them.
	Neurons []int
	// Mean is that of each neuron. Nil: that of Directions.
	Mean []float64
}

// Apply calls write with successive blocks of a layer's rows, each datapoints × neurons,
// with the rest erased. A block is write's until it returns. Cost: 4ndk flops.
//
// The error names the layer and wraps svcca.ErrShape, ErrMismatch (of neurons),
// ErrNotFinite, ErrOptions (K beyond the directions there are, a neuron that is not there or
// listed twice), or what the layer's Read or write returned.
func (p *Projection) Apply(layer svcca.Layer, write func(rows lapack.Matrix[float64]) error) error {
	name := conv.Vector(layer).Name()
	n, neurons := layer.Dims()
	if n < 1 || neurons < 1 {
		return fmt.Errorf("compress: layer %q has %d datapoints and %d neurons: %w", name, n, neurons, svcca.ErrShape)
	}
	mean, erased, err := p.check(name, neurons)
	if err != nil {
		return err
	}
	erase := func(rows lapack.Matrix[float64]) error {
		for i := range rows.Rows {
			row := rows.Row(i)
			for _, j := range erased {
				row[j] = mean[j]
			}
		}
		return write(rows)
	}
	if p.Directions != nil {
		return p.Directions.Project(layer, p.K, erase)
	}
	return eachBlock(layer, erase)
}

// check returns the means, and the neurons that are set to them.
func (p *Projection) check(layer string, neurons int) (mean []float64, erased []int, err error) {
	mean = p.Mean
	if d := p.Directions; d != nil {
		if mean == nil {
			mean = d.Mean
		}
		if p.K < 0 || p.K > d.Map.Cols {
			return nil, nil, fmt.Errorf("compress: %d of %d directions: %w", p.K, d.Map.Cols, svcca.ErrOptions)
		}
		if len(d.Mean) != neurons {
			return nil, nil, fmt.Errorf("compress: layer %q has %d neurons, the directions are of %d: %w", layer, neurons, len(d.Mean), svcca.ErrMismatch)
		}
	}
	if p.Neurons == nil {
		return mean, nil, nil
	}
	if len(mean) != neurons {
		return nil, nil, fmt.Errorf("compress: layer %q has %d neurons, there are means of %d: %w", layer, neurons, len(mean), svcca.ErrMismatch)
	}
	kept := make([]bool, neurons)
	for _, j := range p.Neurons {
		if j < 0 || j >= neurons || kept[j] {
			return nil, nil, fmt.Errorf("compress: neuron %d of a layer of %d, counted from 0, each once: %w", j, neurons, svcca.ErrOptions)
		}
		kept[j] = true
	}
	for j, keeps := range kept {
		if !keeps {
			erased = append(erased, j)
		}
	}
	return mean, erased, nil
}

// blockValues is how many values of a layer are read at once: 8 MiB.
const blockValues = 1 << 20

// eachBlock calls do with successive blocks of a layer's rows.
func eachBlock(layer svcca.Layer, do func(rows lapack.Matrix[float64]) error) error {
	name := conv.Vector(layer).Name()
	n, d := layer.Dims()
	block := lapack.New[float64](min(n, max(1, blockValues/max(d, 1))), d)
	for first := 0; first < n; first += block.Rows {
		rows := block.View(0, 0, min(block.Rows, n-first), d)
		if err := layer.Read(rows, first, 0); err != nil {
			return fmt.Errorf("compress: layer %q: %w", name, err)
		}
		if i, j, finite := allFinite(rows); !finite {
			return &svcca.NotFiniteError{Layer: name, Datapoint: first + i, Neuron: j, Value: rows.At(i, j)}
		}
		if err := do(rows); err != nil {
			return err
		}
	}
	return nil
}

// allFinite reports whether a matrix holds no NaN or infinity, and else where the first is.
func allFinite(m lapack.Matrix[float64]) (i, j int, finite bool) {
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return i, j, false
			}
		}
	}
	return 0, 0, true
}
