package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// located is what a directory, an archive or a pattern holds: a training run, or a
// network, which is one of a single step.
type located struct {
	dir      string
	training bool
	run      []checkpoint
	names    []string // of layers, in order of depth
	byName   bool     // that is the order of their names
	left     int      // layers that are of no step
	at       []int    // the matrix's inputs that the last step's layers are
}

// last are the layers of the network, at the last step.
func (l *located) last() []input { return l.run[len(l.run)-1].layers }

// locate finds the layers that the report is of.
func (r *reporting) locate(dir string) (err error) {
	if r.own, err = r.find(filepath.Clean(dir), 0, r.as, r.pattern); err != nil {
		return err
	}
	if r.own.training {
		switch {
		case len(r.ids) > 0:
			return misusef("--ids is for one network: all steps of a training run, as in %s, hold the same datapoints in the same order", shown(dir))
		case bool(r.nonFinite):
			return misusef("--nonfinite drop is for one network: the last step of %s may lack other datapoints than all steps do", shown(dir))
		case r.skipBad:
			return misusef("%s is a training run, of which each step needs all layers: --layers names those to take in place of --skip-bad", shown(dir))
		}
	}
	if err := r.checkLogits(); err != nil || r.against == "" {
		return err
	}
	kind, pattern := networkKind(""), r.matching(r.against)
	if pattern == "" && r.as == asNetwork {
		kind = asNetwork
	}
	r.other, err = r.find(filepath.Clean(r.against), 1, kind, pattern)
	return err
}

// matching is --pattern, if a directory has layers that match it.
func (r *reporting) matching(dir string) string {
	inputs, _, err := expandLayers([]string{dir})
	if err != nil || r.pattern == "" {
		return ""
	}
	of := checkpointFlags{pattern: r.pattern}
	if _, err := of.sortByPattern(dir, inputs); err != nil {
		return ""
	}
	return r.pattern
}

// logitsName is the layer that holds a column for each class, if there is one.
func (f *reportFlags) logitsName() string { return cmp.Or(f.logits, "logits") }

// logitsAsked reports whether there has to be one.
func (f *reportFlags) logitsAsked() bool { return f.logits != "" || f.classes.given() }

// checkLogits returns an error where a layer of a column per class is asked for and there
// is none.
func (r *reporting) checkLogits() error {
	switch {
	case !r.logitsAsked():
		return nil
	case r.way == byPixels:
		return misusef("--logits and --class do not go with --conv pixels, which compares positions, and logits have none")
	case !slices.Contains(r.own.names, r.logitsName()):
		near := "there are " + strings.Join(r.own.names, ", ")
		if n := nearest(r.logitsName(), r.own.names); n != "" {
			near = "did you mean " + n + "?"
		}
		return misusef("no layer is called %s, to have a column per class: --logits names it: %s", shown(r.logitsName()), shown(near))
	}
	return nil
}

// find returns the layers in a directory, the first or second that --layers is of, as what
// they are taken for: what kind says, or what they look like.
func (r *reporting) find(dir string, nth int, kind networkKind, pattern string) (*located, error) {
	if kind == "" && (pattern != "" || looksTrained(dir)) {
		kind = asTraining
	}
	order := ""
	if len(r.orders) > 0 {
		order = r.orders[min(nth, len(r.orders)-1)]
	}
	l := &located{dir: dir, training: kind == asTraining, byName: order == ""}
	if l.training {
		of := checkpointFlags{pattern: pattern}
		if order != "" {
			of.layers = strings.Split(order, ",")
		}
		var err error
		l.run, l.names, l.left, err = of.checkpoints(dir)
		if err != nil && pattern == "" && r.as == "" && !errors.As(err, new(*misuse)) {
			err = fmt.Errorf("%s\n%s looks like the steps of a training run: --as network if it is one network", message(err), shown(dir))
		}
		return l, err
	}
	inputs, names, none, err := r.layersOf("report", dir)
	if err != nil {
		return nil, err
	}
	logits := ""
	if len(names) > 1 && slices.Contains(names, r.logitsName()) {
		logits = r.logitsName()
	}
	if l.names, err = depthOrder(dir, order, names, logits); err != nil {
		return nil, err
	}
	l.run = []checkpoint{{}}
	for _, name := range l.names {
		l.run[0].layers = append(l.run[0].layers, inputs[slices.Index(names, name)])
	}
	for _, left := range none {
		r.notice("left out: " + left.Reason)
	}
	return l, nil
}

// notice says something on standard error.
func (r *reporting) notice(text string) {
	if !r.quiet {
		complain(r.stderr, text)
	}
}

// looksTrained reports whether a directory has two steps of training or more.
func looksTrained(dir string) bool {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	inputs, _, err := expandLayers([]string{dir})
	if err != nil {
		return false
	}
	all, err := sortByDirectory(dir, inputs)
	return err == nil && slices.ContainsFunc(all, func(l found) bool { return l.step != all[0].step })
}

// arguments are those without which there is no report.
func (r *reporting) arguments() []string { return []string{r.own.dir, "-o", r.outputs[0]} }

// use puts together the matrix of the network, at its last step, with itself and with
// the other.
func (r *reporting) use() {
	f := r.matrixFlags
	r.m = &matrix{matrixFlags: &f, stderr: r.stderr, known: map[string]int{}, left: []leftOut{}, command: "report", named: r.arguments()}
	r.own.at = r.m.use(r.own.last())
	r.m.rows = r.own.at
	if r.own.training { // dynamics has said so
		r.m.told = r.own.at
	}
	for _, i := range r.logitsOf(r.own) {
		r.m.whole = append(r.m.whole, r.own.at[i])
	}
	if r.other == nil {
		return
	}
	r.other.at = r.m.use(r.other.last())
	for _, i := range r.logitsOf(r.other) {
		r.m.whole = append(r.m.whole, r.other.at[i])
	}
	r.m.columns = slices.Clone(r.own.at)
	for _, at := range r.other.at {
		if !slices.Contains(r.own.at, at) {
			r.m.columns = append(r.m.columns, at)
		}
	}
}

// logitsOf returns which of a network's layers holds the logits, of which --neurons takes
// all columns, as they are classes; none where there are no logits.
func (r *reporting) logitsOf(l *located) []int {
	if i := slices.Index(l.names, r.logitsName()); i >= 0 {
		return []int{i}
	}
	return nil
}

// present returns the layers of a network that are not left out, by their inputs, and
// their names.
func (r *reporting) present(l *located) (at []int, names []string) {
	at = r.m.present(l.at)
	for _, i := range at {
		names = append(names, l.names[slices.Index(l.at, i)])
	}
	return at, names
}
