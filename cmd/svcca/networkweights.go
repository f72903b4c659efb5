package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca/compress"
)

// denseLayer is a fully connected layer on disk.
type denseLayer struct {
	name    string
	weights string // path; in × out, or of PyTorch's out × in
	bias    string // path; "" where there is none
	torch   bool
	compress.Affine
}

// denseNaming is how files, or members of an archive, of weights are called.
type denseNaming struct {
	weights, bias, between string // ends of names, and what joins parts of them
	torch                  bool   // out × in
}

// denseNamings are numpy's habit and PyTorch's.
var denseNamings = []denseNaming{{"_w", "_b", "_", false}, {".weight", ".bias", ".", true}}

// Ends of the names of the two layers that stand for a compressed one.
const (
	downName = "down"
	upName   = "up"
)

// findDense returns the fully connected layers in a directory or an archive, without their
// values: those of order, from the input on, or all by their names. naming is theirs.
func findDense(where string, order []string) (layers []denseLayer, naming denseNaming, err error) {
	paths, err := arraysIn(where)
	if err != nil {
		return nil, naming, err
	}
	found := map[string]denseLayer{}
	var names []string
	for name, path := range paths {
		for _, n := range denseNamings {
			if stem, is := strings.CutSuffix(name, n.weights); is && stem != "" {
				if other, twice := found[stem]; twice {
					return nil, naming, fmt.Errorf("%s and %s are weights of one layer: in × out is called NAME_w, PyTorch's out × in NAME.weight", shown(min(other.weights, path)), shown(max(other.weights, path)))
				}
				found[stem] = denseLayer{name: stem, weights: path, bias: paths[stem+n.bias], torch: n.torch}
				names = append(names, stem)
			}
		}
	}
	names = naturally(names)
	if len(names) == 0 {
		return nil, naming, fmt.Errorf("%s holds no weights: NAME_w, in × out, and NAME_b are expected, or PyTorch's NAME.weight, out × in, and NAME.bias; in a directory .npy", shown(where))
	}
	if order == nil {
		order = names
	}
	for i, name := range order {
		l, is := found[name]
		switch {
		case slices.Contains(order[:i], name):
			return nil, naming, misusef("--order names %s twice", shown(name))
		case !is:
			near := "there are " + strings.Join(names, ", ")
			if n := nearest(name, names); n != "" {
				near = "did you mean " + n + "?"
			}
			return nil, naming, misusef("--order %s: %s holds no weights of that name: %s", shown(name), shown(where), near)
		case i > 0 && l.torch != layers[0].torch:
			return nil, naming, fmt.Errorf("%s and %s: one of the two ways to call weights is expected for all layers", shown(layers[0].weights), shown(l.weights))
		}
		layers = append(layers, l)
	}
	naming = denseNamings[0]
	if layers[0].torch {
		naming = denseNamings[1]
	}
	for _, l := range layers {
		if stem, is := strings.CutSuffix(l.name, naming.between+downName); is && found[stem+naming.between+upName].weights != "" {
			return nil, naming, fmt.Errorf("%s holds %s as svcca compress writes it, two layers without max(0, ·) between them: the network that it was made of is expected", shown(where), shown(stem))
		}
	}
	return layers, naming, nil
}

// arraysIn returns the paths of the arrays in a directory or an archive by their names.
func arraysIn(where string) (map[string]string, error) {
	paths := map[string]string{}
	info, err := os.Stat(where)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		members, err := activation.Members(where)
		if err != nil {
			return nil, err
		}
		if members == nil {
			return nil, fmt.Errorf("%s is one array: a directory of weights is expected, or an archive of them, .npz or .safetensors", shown(where))
		}
		for _, name := range members {
			paths[name] = where + ":" + name
		}
		return paths, nil
	}
	entries, err := os.ReadDir(where)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".npy"); is && name != "" {
			paths[name] = filepath.Join(where, e.Name())
		}
	}
	return paths, nil
}

// denseFiles are the paths of the layers.
func denseFiles(layers []denseLayer) (paths []string) {
	for _, l := range layers {
		paths = append(paths, l.weights)
		if l.bias != "" {
			paths = append(paths, l.bias)
		}
	}
	return paths
}

// loadDense reads the values of layers, of which each takes what the one before gives, and
// the first width neurons of from, and describes their files for the flag that named them.
func loadDense(ctx context.Context, d *describer, flag string, layers []denseLayer, width int, from string) error {
	var files []*activation.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	read := func(path string, dimensions int) (lapack.Matrix[float64], error) {
		f, err := activation.Open(path)
		if err != nil {
			return lapack.Matrix[float64]{}, err
		}
		files = append(files, f)
		return denseValues(f, dimensions)
	}
	for i := range layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &layers[i]
		w, err := read(l.weights, 2)
		if err != nil {
			return err
		}
		if l.torch {
			w = transposed(w)
		}
		if w.Rows != width {
			return fmt.Errorf("%s takes %s, and %s gives %d: --order says which layers follow each other, from the input on", shown(l.weights), plural(w.Rows, "neuron"), shown(from), width)
		}
		l.Affine = compress.Affine{Weights: w, Bias: make([]float64, w.Cols), Name: l.name}
		if l.bias != "" {
			b, err := read(l.bias, 1)
			if err != nil {
				return err
			}
			if len(b.Data) != w.Cols {
				return fmt.Errorf("%s holds %s, %s gives %d neurons: one for each is expected", shown(l.bias), plural(len(b.Data), "value"), shown(l.weights), w.Cols)
			}
			l.Bias = b.Data
		}
		width, from = w.Cols, l.name
	}
	if err := d.beside(ctx, flag, denseFiles(layers), nil); err != nil {
		return err
	}
	for _, f := range files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}

func transposed(m lapack.Matrix[float64]) lapack.Matrix[float64] {
	t := lapack.New[float64](m.Cols, m.Rows)
	t.TransposeFrom(m)
	return t
}

// denseValues reads an array of weights of that many dimensions, whose values are finite.
func denseValues(f *activation.File, dimensions int) (values lapack.Matrix[float64], err error) {
	if shape := f.Shape(); len(shape) != dimensions {
		advice := "--order names the fully connected layers, which have two"
		if dimensions == 1 {
			advice = "a bias has one"
		}
		return values, fmt.Errorf("%s has %s, %s: %s", shown(f.Name()), plural(len(shape), "dimension"), shapeText(shape), advice)
	}
	rows, columns := f.Dims()
	if rows < 1 || columns < 1 {
		return values, fmt.Errorf("%s is of %s: there is nothing in it", shown(f.Name()), shapeText(f.Shape()))
	}
	values = lapack.New[float64](rows, columns)
	if err := f.Read(values, 0, 0); err != nil {
		return values, err
	}
	for i, v := range values.Data {
		if !(math.Abs(v) <= maxFinite) {
			place := fmt.Sprintf("[%d, %d]", i/columns, i%columns)
			if dimensions == 1 {
				place = fmt.Sprintf("[%d]", i)
			}
			return values, fmt.Errorf("%s: %s (counted from 0) is %v: weights are finite", shown(f.Name()), place, v)
		}
	}
	return values, nil
}

// assumedDense says what was assumed of the layers: how their weights lie, and that there is
// no bias where none was found.
func assumedDense(layers []denseLayer, named bool) (notes []string) {
	names, bare := []string{}, []string{}
	for _, l := range layers {
		names = append(names, l.name)
		if l.bias == "" {
			bare = append(bare, l.name)
		}
	}
	text := "network: " + strings.Join(names, " → ")
	if !named && len(names) > 1 {
		text += ", in the order of their names (--order says another)"
	}
	if layers[0].torch {
		text += "; weights are out × in, as PyTorch has them"
	}
	if len(names) > 1 {
		text += "; max(0, ·) after each but the last"
	}
	notes = append(notes, text)
	if len(bare) > 0 {
		notes = append(notes, "no bias of "+strings.Join(bare, ", ")+" was found: none is added")
	}
	return notes
}
