package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/spf13/pflag"
)

// measureName is what outputs of a changed network are judged by.
type measureName string

const (
	// byAccuracy is the share of datapoints whose largest output is that of the label, the
	// first where several are.
	byAccuracy measureName = "accuracy"
	// byTargets is the root of the mean square of outputs − targets.
	byTargets measureName = "rms_error"
	// byLoss is ‖outputs − those of the unchanged network‖_F relative to
	// ‖these − their column means‖_F.
	byLoss measureName = "lost"
)

// title names the measure.
func (m measureName) title() string {
	switch m {
	case byAccuracy:
		return "Accuracy"
	case byTargets:
		return "Root-mean-square error"
	}
	return "Relative change of the outputs"
}

// lower is the title within a sentence.
func (m measureName) lower() string { return strings.ToLower(m.title()) }

// mostErrorDigits are decimals of an error; accuracy has mostDigits.
const mostErrorDigits = 6

// form returns how values of the measure are written below each other: with so many
// decimals that the least of them has two digits, within reason; with an exponent where some
// are so large that nobody counts their digits.
func (m measureName) form(values ...float64) func(v float64) string {
	digits := mostDigits
	for _, v := range values {
		if v >= 1e7 {
			return func(v float64) string { return strconv.FormatFloat(v, 'g', mostErrorDigits, 64) }
		}
		if m != byAccuracy && v > 0 {
			digits = max(digits, min(mostErrorDigits, levelDigits(v)))
		}
	}
	return func(v float64) string { return strconv.FormatFloat(v, 'f', digits, 64) }
}

// answerFlags say what outputs should be.
type answerFlags struct {
	labels  *string // the flag of what selects datapoints: a class is an output
	targets string
}

// register adds the flags to those of s, of whose labels there is another use.
func (f *answerFlags) register(flags *pflag.FlagSet, s *selectFlags) {
	f.labels = &s.labels
	flags.StringVar(&f.targets, "targets", "", "`FILE`.npy of right values, for rms error (default: no)")
}

func (f *answerFlags) check() error {
	if *f.labels != "" && f.targets != "" {
		return misusef("--labels and --targets: outputs are judged by one of the two")
	}
	return nil
}

func (f *answerFlags) given() bool { return *f.labels != "" || f.targets != "" }

func (f *answerFlags) files() (files []string) {
	for _, file := range []string{*f.labels, f.targets} {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}

// answers are what outputs of datapoints should be.
type answers struct {
	measure measureName
	labels  []int
	targets lapack.Matrix[float64]
}

// read reads the answers for all datapoints of the file of that name, which are n, of a
// network with so many outputs.
func (f *answerFlags) read(ctx context.Context, d *describer, name string, n, outputs int) (*answers, error) {
	switch {
	case *f.labels != "":
		labels, err := activation.OpenIndices(*f.labels)
		if err != nil {
			return nil, err
		}
		if len(labels) != n {
			return nil, fmt.Errorf("%s holds %s, %s %s: one each, in the same order, is expected", shown(*f.labels), plural(len(labels), "label"), shown(name), plural(n, "datapoint"))
		}
		for i, label := range labels {
			if label < 0 || label >= outputs {
				return nil, fmt.Errorf("%s: the label of datapoint %d (counted from 0) is %d: the network has outputs 0 to %d", shown(*f.labels), i, label, outputs-1)
			}
		}
		return &answers{measure: byAccuracy, labels: labels}, nil // describeSelection tells of the file
	case f.targets != "":
		l, err := openLayer(f.targets, opening{})
		if err != nil {
			return nil, err
		}
		defer l.Close()
		rows, columns := l.Dims()
		if rows != n || columns != outputs {
			return nil, fmt.Errorf("%s is %d × %d: %d × %d are expected, for the datapoints of %s and the network's outputs", shown(f.targets), rows, columns, n, outputs, shown(name))
		}
		targets := lapack.New[float64](rows, columns)
		if err := l.Read(targets, 0, 0); err != nil {
			return nil, err
		}
		for i, v := range targets.Data {
			if !(math.Abs(v) <= maxFinite) {
				return nil, fmt.Errorf("%s: datapoint %d, output %d (counted from 0) is %v: targets are finite", shown(f.targets), i/columns, i%columns, v)
			}
		}
		if err := d.beside(ctx, "targets", []string{f.targets}, l); err != nil {
			return nil, err
		}
		return &answers{measure: byTargets, targets: targets}, l.Unchanged()
	}
	return &answers{measure: byLoss}, nil
}

// take returns the answers of rows, nil for all.
func (a *answers) take(rows []int) *answers {
	if rows == nil || a.measure == byLoss {
		return a
	}
	some := &answers{measure: a.measure}
	if a.measure == byTargets {
		some.targets = lapack.New[float64](len(rows), a.targets.Cols)
	}
	for i, row := range rows {
		if a.measure == byAccuracy {
			some.labels = append(some.labels, a.labels[row])
		} else {
			copy(some.targets.Row(i), a.targets.Row(row))
		}
	}
	return some
}

// tally is what was seen of one network's outputs, block by block.
type tally struct {
	datapoints int
	right      int
	distance   norm
}

// norm is that of values which are added one by one, largest·√squares: their own squares may
// be beyond float64's range, or below it.
type norm struct{ largest, squares float64 }

func (n *norm) add(v float64) {
	v = math.Abs(v)
	switch {
	case v == 0:
	case v > n.largest:
		n.squares = 1 + n.squares*(n.largest/v)*(n.largest/v)
		n.largest = v
	default:
		n.squares += (v / n.largest) * (v / n.largest)
	}
}

// addDistance adds a − b.
func (n *norm) addDistance(a, b []float64) {
	for j, v := range a {
		n.add(v - b[j])
	}
}

// add adds outputs of datapoints from first on; full are those of the unchanged network.
func (a *answers) add(t *tally, outputs, full lapack.Matrix[float64], first int) {
	for i := range outputs.Rows {
		row := outputs.Row(i)
		switch a.measure {
		case byAccuracy:
			best := 0
			for j, v := range row {
				if v > row[best] {
					best = j
				}
			}
			if best == a.labels[first+i] {
				t.right++
			}
		case byTargets:
			t.distance.addDistance(row, a.targets.Row(first+i))
		case byLoss:
			t.distance.addDistance(row, full.Row(i))
		}
	}
	t.datapoints += outputs.Rows
}

// value returns the measure of what was seen; spread is that of the unchanged network's
// outputs. The error says that outputs do not vary, or leave float64's range.
func (a *answers) value(t tally, s spread) (v float64, err error) {
	switch a.measure {
	case byAccuracy:
		return float64(t.right) / float64(t.datapoints), nil
	case byTargets:
		v = t.distance.largest * math.Sqrt(t.distance.squares/float64(t.datapoints)/float64(len(s.mean)))
	default:
		if s.all.largest == 0 {
			return 0, fmt.Errorf("the network's outputs do not vary over %s: there is no change to measure", plural(t.datapoints, "datapoint"))
		}
		v = t.distance.largest / s.all.largest * math.Sqrt(t.distance.squares/s.all.squares)
	}
	if !(v <= maxFinite) {
		return 0, fmt.Errorf("the distance of outputs from what they should be leaves float64's range")
	}
	return v, nil
}

// spread is how far outputs are from their means, by columns.
type spread struct {
	count int
	mean  []float64
	all   norm
}

// add adds outputs: a value that moves the mean of the first count by off/count has moved
// their sum of squares from it by off²(count − 1)/count (Welford 1962).
func (s *spread) add(outputs lapack.Matrix[float64]) {
	if s.mean == nil {
		s.mean = make([]float64, outputs.Cols)
	}
	for i := range outputs.Rows {
		s.count++
		count := float64(s.count)
		for j, v := range outputs.Row(i) {
			off := v - s.mean[j]
			s.mean[j] += off / count
			s.all.add(off * math.Sqrt((count-1)/count))
		}
	}
}
