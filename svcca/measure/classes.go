package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// ClassCurve says how much each layer of a network has in common with one class: with
// the one column of its logits (Raghu et al. 2017, Fig. 6).
type ClassCurve struct {
	// Class is the column of the logits, counted from 0.
	Class int `json:"class"`
	// Constant: the logit is the same for all datapoints, within the rounding of its
	// storage. It has nothing in common with any layer, and no points.
	Constant bool         `json:"constant"`
	Points   []ClassPoint `json:"points"`
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
// depth share a figure; OfClasses gives the datapoints of chosen classes. Progress, if
// there is one, is called after each pair.
//
// Cost: one reduction of each layer. Memory: the logits of the classes, and one layer
// reduced. The error names the layer and the class, and wraps what Pane's may, or
// svcca.ErrOptions.
func AgainstLogits(ctx context.Context, layers []conv.Maps, logits svcca.Layer, o conv.Options, progress func(done, of int), classes ...int) ([]ClassCurve, error) {
	_, count := logits.Dims()
	if len(classes) == 0 {
		for c := range count {
			classes = append(classes, c)
		}
	}
	for _, c := range classes {
		if c < 0 || c >= count {
			return nil, fmt.Errorf("measure: class %d of logits with columns 0 to %d: %w", c, count-1, svcca.ErrOptions)
		}
	}
	columns, err := columnsOf(ctx, logits, classes)
	if err != nil {
		return nil, err
	}
	curves := make([]ClassCurve, len(classes))
	var single []*Layer
	var of []int // the curve of each
	for i, c := range classes {
		curves[i] = ClassCurve{Class: c, Points: []ClassPoint{}}
		l, err := Prepare(ctx, conv.Vector(columns[i]), o)
		switch {
		case err == nil:
			single, of = append(single, l), append(of, i)
		case errors.Is(err, svcca.ErrConstant):
			curves[i].Constant = true
		default:
			return nil, fmt.Errorf("class %d: %w", c, err)
		}
	}
	pairs, err := Pane(ctx, layers, single, progress)
	if err != nil {
		return nil, err
	}
	for l, m := range layers {
		for s, i := range of {
			curves[i].Points = append(curves[i].Points, ClassPoint{Layer: m.Name(), Depth: Depth(l, len(layers)), Pair: pairs[l][s]})
		}
	}
	return curves, nil
}

// OfClasses returns the datapoints of a layer whose labels are among classes, in their
// order. Nothing is copied. The error wraps svcca.ErrMismatch where labels and datapoints
// differ in number, or svcca.ErrShape where no label is among classes.
func OfClasses(layer svcca.Layer, labels []int, classes ...int) (svcca.Layer, error) {
	v := view{layer: layer}
	n, _ := layer.Dims()
	if len(labels) != n {
		return nil, fmt.Errorf("measure: layer %q: %d labels for %d datapoints: %w", v.Name(), len(labels), n, svcca.ErrMismatch)
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
		return nil, fmt.Errorf("measure: layer %q: no datapoint of classes %v: %w", v.Name(), classes, svcca.ErrShape)
	}
	return v, nil
}

// columnsOf returns some neurons, each as a layer of its own, read in one pass over the rows.
func columnsOf(ctx context.Context, layer svcca.Layer, columns []int) ([]svcca.Layer, error) {
	name := cmp.Or(conv.Vector(layer).Name(), "logits")
	n, d := layer.Dims()
	all := make([]svcca.Layer, len(columns))
	read := make([]column, len(columns))
	for i, c := range columns {
		read[i] = column{name: fmt.Sprintf("%s[:, %d]", name, c), values: make([]float64, n), storage: storageOf(layer)}
		if steps := stepsOf(layer); len(steps) == d {
			read[i].steps = steps[c : c+1]
		}
		all[i] = read[i]
	}
	block := lapack.New[float64](min(n, max(1, blockValues/max(d, 1))), d)
	for first := 0; first < n; first += block.Rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := block.View(0, 0, min(block.Rows, n-first), d)
		if err := layer.Read(rows, first, 0); err != nil {
			return nil, fmt.Errorf("measure: layer %q: %w", name, err)
		}
		for i, c := range columns {
			for r := range rows.Rows {
				read[i].values[first+r] = rows.At(r, c)
			}
		}
	}
	return all, nil
}

// blockValues is how many values of a layer are read at once: 8 MiB.
const blockValues = 1 << 20

// column is one neuron of a layer, in memory.
type column struct {
	name, storage string
	steps         []float64
	values        []float64
}

func (c column) Name() string     { return c.name }
func (c column) Dims() (n, d int) { return len(c.values), 1 }
func (c column) Storage() string  { return c.storage }
func (c column) Steps() []float64 { return c.steps }

func (c column) Read(dst lapack.Matrix[float64], row, _ int) error {
	for i := range dst.Rows {
		copy(dst.Row(i), c.values[row+i:])
	}
	return nil
}

func storageOf(layer svcca.Layer) string {
	if s, ok := layer.(interface{ Storage() string }); ok {
		return s.Storage()
	}
	return string(svcca.Float64)
}

func stepsOf(layer svcca.Layer) []float64 {
	if s, ok := layer.(interface{ Steps() []float64 }); ok {
		return s.Steps()
	}
	return nil
}

// view is some rows of a layer.
type view struct {
	layer svcca.Layer
	rows  []int
}

func (v view) Name() string     { return conv.Vector(v.layer).Name() }
func (v view) Storage() string  { return storageOf(v.layer) }
func (v view) Steps() []float64 { return stepsOf(v.layer) }

func (v view) Dims() (n, d int) {
	_, d = v.layer.Dims()
	return len(v.rows), d
}

// Shape is that of the layer, for so many datapoints: maps stay maps.
func (v view) Shape() []int {
	if s, ok := v.layer.(interface{ Shape() []int }); ok && len(s.Shape()) > 0 {
		return append([]int{len(v.rows)}, s.Shape()[1:]...)
	}
	n, d := v.Dims()
	return []int{n, d}
}

// Read reads runs of neighbouring rows at once.
func (v view) Read(dst lapack.Matrix[float64], row, col int) error {
	rows := v.rows[row:][:dst.Rows]
	for i := 0; i < len(rows); {
		run := 1
		for i+run < len(rows) && rows[i+run] == rows[i]+run {
			run++
		}
		if err := v.layer.Read(dst.View(i, 0, run, dst.Cols), rows[i], col); err != nil {
			return err
		}
		i += run
	}
	return nil
}
