package measure

import (
	"cmp"
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// ClassCurve says how much each layer of a network has in common with one class: with
// the one column of its logits (Raghu et al. 2017, Fig. 6).
type ClassCurve struct {
	// Class is the column of the logits, counted from 0.
	Class  int          `json:"class"`
	Points []ClassPoint `json:"points"`
}

// ClassPoint is one layer of a curve.
type ClassPoint struct {
	Layer string  `json:"layer"`
	Depth float64 `json:"depth"` // 0 for the first layer given, 1 for the last
	// Pair has the layer as X and the logit as Y: one ρ, which is its mean.
	*Pair
}

// AgainstLogits compares each layer of a network with each single logit, or with those of
// some classes where there are any: a curve for each class. Maps are compared under
// translations, which do not move a logit. Depths of 0 to 1 let networks of different
// depth share a figure; OfClasses gives the datapoints of chosen classes.
//
// Cost: one reduction of each layer (of maps, one for each class). The error names the
// layer and the class, and wraps what Pane's may, or svcca.ErrOptions.
func AgainstLogits(ctx context.Context, layers []conv.Maps, logits svcca.Layer, o conv.Options, classes ...int) ([]ClassCurve, error) {
	_, count := logits.Dims()
	if len(classes) == 0 {
		for c := range count {
			classes = append(classes, c)
		}
	}
	single := make([]*Layer, len(classes))
	for i, c := range classes {
		if c < 0 || c >= count {
			return nil, fmt.Errorf("measure: class %d of logits with columns 0 to %d: %w", c, count-1, svcca.ErrOptions)
		}
		var err error
		if single[i], err = Prepare(ctx, conv.Vector(columnOf(logits, c)), o); err != nil {
			return nil, fmt.Errorf("class %d: %w", c, err)
		}
	}
	pairs, err := Pane(ctx, layers, single, nil)
	if err != nil {
		return nil, err
	}
	curves := make([]ClassCurve, len(classes))
	for i, c := range classes {
		curves[i] = ClassCurve{Class: c, Points: make([]ClassPoint, len(layers))}
		for l, m := range layers {
			curves[i].Points[l] = ClassPoint{Layer: m.Name(), Depth: Depth(l, len(layers)), Pair: pairs[l][i]}
		}
	}
	return curves, nil
}

// OfClasses returns the datapoints of a layer whose labels are among classes, in their
// order. Nothing is copied. The error wraps svcca.ErrMismatch where labels and datapoints
// differ in number, or svcca.ErrShape where no label is among classes.
func OfClasses(layer svcca.Layer, labels []int, classes ...int) (svcca.Layer, error) {
	v := viewOf(layer)
	n, _ := layer.Dims()
	if len(labels) != n {
		return nil, fmt.Errorf("measure: layer %q: %d labels for %d datapoints: %w", v.name, len(labels), n, svcca.ErrMismatch)
	}
	wanted := map[int]bool{}
	for _, c := range classes {
		wanted[c] = true
	}
	for i, label := range labels {
		if wanted[label] {
			v.rows = append(v.rows, i)
		}
	}
	if len(v.rows) == 0 {
		return nil, fmt.Errorf("measure: layer %q: no datapoint of classes %v: %w", v.name, classes, svcca.ErrShape)
	}
	v.n = len(v.rows)
	return v, nil
}

// columnOf returns one neuron as a layer.
func columnOf(layer svcca.Layer, column int) svcca.Layer {
	v := viewOf(layer)
	v.name = fmt.Sprintf("%s[:, %d]", cmp.Or(v.name, "logits"), column)
	v.column, v.d = column, 1
	return v
}

// view is some rows, or all, of the d columns of a layer from one on.
type view struct {
	layer        svcca.Layer
	name         string
	rows         []int // nil: all
	column, n, d int
}

func viewOf(layer svcca.Layer) view {
	v := view{layer: layer, name: conv.Vector(layer).Name()}
	v.n, v.d = layer.Dims()
	return v
}

func (v view) Name() string     { return v.name }
func (v view) Dims() (n, d int) { return v.n, v.d }

func (v view) Storage() string {
	if s, ok := v.layer.(interface{ Storage() string }); ok {
		return s.Storage()
	}
	return string(svcca.Float64)
}

func (v view) Steps() []float64 {
	if s, ok := v.layer.(interface{ Steps() []float64 }); ok {
		if steps := s.Steps(); len(steps) >= v.column+v.d {
			return steps[v.column:][:v.d]
		}
	}
	return nil
}

// Shape is that of the layer, for so many datapoints: of maps they stay maps.
func (v view) Shape() []int {
	if s, ok := v.layer.(interface{ Shape() []int }); ok && v.rows != nil && len(s.Shape()) > 0 {
		return append([]int{v.n}, s.Shape()[1:]...)
	}
	return []int{v.n, v.d}
}

// Read reads runs of neighbouring rows at once.
func (v view) Read(dst lapack.Matrix[float64], row, col int) error {
	if v.rows == nil {
		return v.layer.Read(dst, row, v.column+col)
	}
	rows := v.rows[row:][:dst.Rows]
	for i := 0; i < len(rows); {
		run := 1
		for i+run < len(rows) && rows[i+run] == rows[i]+run {
			run++
		}
		if err := v.layer.Read(dst.View(i, 0, run, dst.Cols), rows[i], v.column+col); err != nil {
			return err
		}
		i += run
	}
	return nil
}
