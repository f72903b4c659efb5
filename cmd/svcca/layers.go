package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/gosvcca/gosvcca/activation"
	"github.com/maruel/natural"
)

// input is a layer that was asked for, not yet opened.
type input struct {
	name  string
	paths []string // of one file, or of shards in order
	fault error    // why these files are no layer
}

// open opens the layer. The caller closes it.
func (in input) open(as opening) (activation.Layer, error) {
	switch {
	case in.fault != nil:
		return nil, in.fault
	case len(in.paths) == 1 && in.paths[0] == in.name:
		return openLayer(in.name, as)
	case as.transpose:
		return nil, fmt.Errorf("%s is in shards, which hold datapoints × neurons: --transpose takes layers of one file", shown(in.name))
	}
	s, err := activation.OpenShards(in.name, in.paths)
	if err != nil {
		return nil, err
	}
	if err := as.refuses(s); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// expandLayers returns the layers that arguments name together, each once, in the order
// of expandArgs; and what is none in the archives among them.
//
// An argument is a file; a member of an archive, as in x.npz:fc1; a directory, for
// every .npy, .npz and .safetensors in it and below it; or a pattern with
// * ? [a-z] {a,b} **, for every such file, or directory, that it matches. A name that
// exists is no pattern. Hidden files, whose names begin with a dot, have to be named.
// A file that is not there is found out when it is opened. An archive stands for all
// its members that are layers.
//
// Among them files that are called part-N.npy, NAME.part-N.npy or NAME-N-of-M.npy
// are shards of one layer, which is called after the directory, after NAME in the
// directory, and likewise.
func expandLayers(args []string) (layers []input, left []leftOut, err error) {
	paths, err := expandArgs(args)
	if err != nil {
		return nil, nil, err
	}
	layers, left = layersIn(paths)
	return layers, left, nil
}

// expandArgs returns the files that arguments stand for, each once, in the order given;
// but where arguments are in the order in which a shell leaves them, layer10 before
// layer2, their files are in natural order.
func expandArgs(args []string) (paths []string, err error) {
	seen := map[string]bool{}
	var run []string
	for i, arg := range args {
		found, err := expand(arg)
		if err != nil {
			return nil, err
		}
		run = append(run, found...)
		if i+1 < len(args) && arg < args[i+1] {
			continue
		}
		for _, path := range naturally(run) {
			if name := filepath.Clean(path); !seen[name] {
				seen[name] = true
				paths = append(paths, path)
			}
		}
		run = nil
	}
	return paths, nil
}

// layersIn returns the layers in files.
func layersIn(paths []string) (layers []input, left []leftOut) {
	for _, in := range gatherShards(withoutCompanions(paths)) {
		if len(in.paths) != 1 || in.paths[0] != in.name {
			layers = append(layers, in)
			continue
		}
		members, none := membersOf(in.name)
		for _, name := range members {
			layers = append(layers, input{name: name, paths: []string{name}})
		}
		left = append(left, none...)
	}
	return layers, left
}

// oneLayer returns the layer that an argument names: a file; a member of an archive;
// a directory that holds one layer and no more; or a pattern, which names the shards
// of one layer: every file that it matches, in natural order. These may differ in
// numbers only.
func oneLayer(arg string) (input, error) {
	paths, err := expandArgs([]string{arg})
	if err != nil {
		return input{}, err
	}
	paths = withoutCompanions(paths)
	switch info, err := os.Stat(arg); {
	case err == nil && info.IsDir():
		layers, _ := layersIn(paths)
		if len(layers) != 1 {
			return input{}, fmt.Errorf("%s is a directory of %d layers, where one is needed: give one of them, such as %s, or see svcca matrix", shown(arg), len(layers), shown(layers[0].name))
		}
		return layers[0], nil
	case len(paths) == 1:
		return input{name: paths[0], paths: paths}, nil
	}
	for _, path := range paths[1:] {
		if withoutNumbers(path) != withoutNumbers(paths[0]) {
			return input{}, fmt.Errorf("%s matches %s and %s: a pattern stands for the shards of one layer here, which differ in their numbers only", shown(arg), shown(paths[0]), shown(path))
		}
	}
	in := input{name: arg, paths: paths}
	if shards := gatherShards(paths); len(shards) == 1 {
		in.fault = shards[0].fault
	}
	return in, nil
}

// expand returns the files that an argument stands for, in any order.
func expand(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		paths, err := filesBelow(arg)
		if err == nil && len(paths) == 0 {
			err = fmt.Errorf("%s: no %s file in this directory, nor below it", shown(arg), layerFiles)
		}
		return paths, err
	case err == nil || !isPattern(arg) || isMember(arg):
		return []string{arg}, nil
	}
	matches, err := doublestar.FilepathGlob(arg, doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors())
	if errors.Is(err, doublestar.ErrBadPattern) {
		return nil, fmt.Errorf("%s: no such file, and as a pattern it lacks the end of a [ or a {", shown(arg))
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, match := range matches {
		switch info, err := os.Stat(match); {
		case err == nil && info.IsDir():
			below, err := filesBelow(match)
			if err != nil {
				return nil, err
			}
			paths = append(paths, below...)
		case isLayerFile(match):
			paths = append(paths, match)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: the pattern matches no %s file%s", shown(arg), layerFiles, suggestMatch(arg))
	}
	return paths, nil
}

// layerFiles are what directories and patterns stand for.
const layerFiles = ".npy, .npz or .safetensors"

func isLayerFile(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".npy" || ext == ".npz" || ext == ".safetensors"
}

// filesBelow returns every .npy, .npz and .safetensors in a directory and below it,
// by links to files also, but not to directories.
func filesBelow(dir string) ([]string, error) {
	found, err := doublestar.Glob(os.DirFS(dir), "**/*.{npy,npz,safetensors}",
		doublestar.WithNoHidden(), doublestar.WithFilesOnly(), doublestar.WithFailOnIOErrors())
	var path *fs.PathError
	if errors.As(err, &path) {
		return nil, &fs.PathError{Op: path.Op, Path: filepath.Join(dir, path.Path), Err: path.Err}
	}
	for i, name := range found {
		found[i] = filepath.Join(dir, filepath.FromSlash(name))
	}
	return found, err
}

func isPattern(arg string) bool { return strings.ContainsAny(arg, "*?[{") }

// suggestMatch returns a hint at what lies where a pattern looked in vain: in the
// first directory that its beginning matches.
func suggestMatch(pattern string) string {
	parts := strings.Split(filepath.ToSlash(pattern), "/")
	dir := "."
	if parts[0] == "" {
		dir = "/"
	}
	for i, part := range parts {
		begin := filepath.FromSlash(strings.Join(parts[:i+1], "/"))
		if begin == "" {
			continue
		}
		matches, err := doublestar.FilepathGlob(begin, doublestar.WithNoHidden())
		if err != nil {
			return "" // {a/b,c} cut in two
		}
		if len(matches) > 0 && i < len(parts)-1 {
			dir = naturally(matches)[0]
			continue
		}
		entries, _ := os.ReadDir(dir) // no directory: no suggestion
		var names []string
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") && (e.IsDir() || isLayerFile(e.Name())) {
				names = append(names, e.Name())
			}
		}
		near := nearest(part, names)
		if near == "" && len(names) > 0 {
			near = naturally(names)[0]
		}
		if near != "" {
			return ": there is " + filepath.Join(dir, near)
		}
		break
	}
	return ""
}

// naturally sorts paths in natural order and drops those that come twice, however
// they are spelled; the first spelling stays.
func naturally(paths []string) []string {
	compare := func(a, b string) int {
		a, b = filepath.Clean(a), filepath.Clean(b)
		if c := natural.Compare(a, b); c != 0 {
			return c
		}
		return strings.Compare(a, b) // 01 and 1
	}
	slices.SortStableFunc(paths, compare)
	return slices.CompactFunc(paths, func(a, b string) bool { return compare(a, b) == 0 })
}
