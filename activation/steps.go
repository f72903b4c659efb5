package activation

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// steps say what stored values of int8 mean: q is (q − zero)·scale.
type steps struct {
	scale []float64 // one for each neuron, or one for all
	zero  []float64 // likewise
}

const (
	scaleName     = "scale"
	zeroPointName = "zero_point"
)

// companionOf returns the name of the array of which the member called name would
// be the scale or the zero point.
func companionOf(name string) (of string, is bool) {
	for _, what := range []string{scaleName, zeroPointName} {
		for _, separator := range []string{"_", "."} {
			if of, is := strings.CutSuffix(name, separator+what); is {
				return of, true
			}
		}
	}
	return "", false
}

// companions are where the scale or the zero point of the array is looked for.
func (f *File) companions(what string) []string {
	switch s := f.source; {
	case s.archive != nil:
		return []string{s.member + "_" + what, s.member + "." + what}
	case s.path != "":
		return []string{strings.TrimSuffix(s.path, npySuffix) + "." + what + npySuffix}
	}
	return nil
}

// companion opens the scale or the zero point of the array, or returns nil where
// there is none.
func (f *File) companion(what string) (*File, error) {
	var found *File
	for _, name := range f.companions(what) {
		var c *File
		var err error
		switch a := f.source.archive; {
		case a == nil:
			if c, err = openArray(name); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		case !a.holds.has(name):
			continue
		case found != nil:
			found.Close()
			return nil, f.fault("both %s and %s are there: which is the %s?", clip(found.source.member), clip(name), what)
		default:
			c, err = a.array(name)
		}
		if err != nil {
			return nil, err
		}
		found = c
	}
	return found, nil
}

func (f *File) fault(format string, args ...any) error {
	return newFormatError(f.name, fmt.Errorf(format, args...))
}

// readSteps reads the scale and the zero point of int8.
func (f *File) readSteps() (err error) {
	if f.steps.scale, err = f.readStep(scaleName); err != nil {
		return err
	}
	if f.steps.scale == nil {
		where := "Open looks for one beside the file"
		if names := f.companions(scaleName); names != nil {
			where = "save the scale as " + strings.Join(names, " or ")
		}
		return newFormatError(f.name, notLayer("int8 without a scale", where+", one number, or one for each neuron"))
	}
	for _, v := range f.steps.scale {
		if !(v > 0) || math.IsInf(v, 1) {
			return f.fault("the scale holds %v: positive, finite numbers expected", v)
		}
	}
	if f.steps.zero, err = f.readStep(zeroPointName); err != nil {
		return err
	}
	if f.steps.zero == nil {
		f.steps.zero = []float64{0}
	}
	for _, v := range f.steps.zero {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return f.fault("the zero point holds %v: finite numbers expected", v)
		}
	}
	return nil
}

// maxSteps bounds the numbers of a scale beyond those that the file's own size
// justifies: a compressed one may claim far more.
const maxSteps = 1 << 20

// readStep reads the scale or the zero point: one number, or one for each neuron,
// or each datapoint, which T makes neurons. Without any it is nil.
func (f *File) readStep(what string) ([]float64, error) {
	c, err := f.companion(what)
	if c == nil || err != nil {
		return nil, err
	}
	defer c.Close()
	count := c.count()
	switch {
	case c.header.element.kind > boolKind:
		return nil, c.fault("elements are %v: numbers expected, the %s of %s", c.header.element, what, f.name)
	case count != 1 && count != f.neurons && (count != f.datapoints || len(f.header.shape) != 2):
		return nil, c.fault("%d numbers: one expected, or one for each of the %d neurons of %s", count, f.neurons, f.name)
	case count > maxSteps && c.source.archive != nil && int64(count) > c.source.archive.size:
		return nil, c.fault("%d numbers, more than are read from a file of %d bytes", count, c.source.archive.size)
	}
	return c.floats(0, count)
}

// checkSteps returns an error where the scale is of datapoints, not neurons.
func (f *File) checkSteps() error {
	for _, s := range [][]float64{f.steps.scale, f.steps.zero} {
		if len(s) > 1 && len(s) != f.neurons {
			return f.fault("the scale or zero point has %d numbers, one for each datapoint: one expected, or one for each of the %d neurons; transpose the file if it holds neurons × datapoints", len(s), f.neurons)
		}
	}
	return nil
}

// apply makes values of the stored ones in dst, of which the first column is
// neuron col.
func (s steps) apply(dst lapack.Matrix[float64], col int) {
	for i := range dst.Rows {
		row := dst.Row(i)
		for j := range row {
			row[j] = (row[j] - s.zero[(col+j)%len(s.zero)]) * s.scale[(col+j)%len(s.scale)]
		}
	}
}

// Steps returns how far apart neighbouring values of each neuron are where they are
// stored as int8: its scale. It is nil for other types, and where there is no
// datapoint.
func (f *File) Steps() []float64 {
	if f.steps.scale == nil || f.datapoints == 0 || f.checkSteps() != nil {
		return nil
	}
	all := make([]float64, f.neurons)
	for j := range all {
		all[j] = f.steps.scale[j%len(f.steps.scale)]
	}
	return all
}

// Steps returns the largest of the shards' steps of each neuron.
func (s *Shards) Steps() (all []float64) {
	for _, f := range s.files {
		steps := f.Steps()
		if all == nil {
			all = steps
			continue
		}
		for j, step := range steps { // none, of a shard without datapoints
			all[j] = max(all[j], step)
		}
	}
	return all
}

// Steps returns the steps of the neurons that are taken.
func (t *taken) Steps() []float64 {
	steps := spectrum.Steps(t.Layer)
	if steps == nil || t.axis == 0 {
		return steps
	}
	some := make([]float64, len(t.places))
	for j, at := range t.places {
		some[j] = steps[at]
	}
	return some
}

// Steps returns the largest of the tokens' steps of each neuron.
func (e *tokenLayer) Steps() []float64 {
	steps := spectrum.Steps(e.Layer)
	if steps == nil {
		return nil
	}
	all := make([]float64, e.neurons)
	for j := range all {
		for t := range e.length {
			all[j] = max(all[j], steps[e.place(t, j)])
		}
	}
	return all
}
