package main

import (
	"errors"
	"os"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
)

// isMember reports whether an argument names a member of an archive.
func isMember(arg string) bool { return fileOf(arg) != arg }

// fileOf returns the file in which a layer is: that before the colon of a member.
func fileOf(path string) string {
	file, _ := activation.SplitMember(path)
	return file
}

// membersOf returns the layers in the file at path: those of an archive of several
// arrays, and what in it is none; or path. What is wrong with a file is found out
// when it is opened.
func membersOf(path string) (layers []string, left []leftOut) {
	if isMember(path) || opens(path) == nil {
		return []string{path}, nil
	}
	members, err := activation.Members(path)
	if err != nil {
		return []string{path}, nil
	}
	for _, member := range members {
		name := path + ":" + member
		if err := opens(name); errors.Is(err, activation.ErrNotLayer) {
			left = append(left, leftOut{name, message(err)})
			continue
		}
		layers = append(layers, name)
	}
	if len(layers) == 0 {
		return []string{path}, nil
	}
	return layers, left
}

// opens returns why there is no layer at path.
func opens(path string) error {
	l, err := activation.OpenLayer(path)
	if err == nil {
		l.Close()
	}
	return err
}

// companionSuffixes are those of the files, beside a .npy of int8, of its scale and its
// zero point: beside layer3.npy, layer3.scale.npy and layer3.zero_point.npy.
var companionSuffixes = []string{".scale.npy", ".zero_point.npy"}

// quantized reports whether the layer at path is of int8. Of one that cannot be opened,
// perhaps for its scale, that is taken for granted.
func quantized(path string) bool {
	l, err := activation.OpenLayer(path)
	if err != nil {
		return true
	}
	defer l.Close()
	return l.Storage() == "int8"
}

// companionsOf returns the files of the scale and the zero point of the layer at path.
func companionsOf(path string) (files []string) {
	if isMember(path) {
		return nil
	}
	for _, suffix := range companionSuffixes {
		file := strings.TrimSuffix(path, ".npy") + suffix
		if _, err := os.Stat(file); err == nil && quantized(path) {
			files = append(files, file)
		}
	}
	return files
}

// withoutCompanions returns paths without those of the scales and zero points of
// other files among them.
func withoutCompanions(paths []string) (layers []string) {
	there := map[string]bool{}
	for _, path := range paths {
		there[path] = true
	}
	for _, path := range paths {
		of := path
		for _, what := range companionSuffixes {
			if stem, is := strings.CutSuffix(path, what); is {
				of = stem + ".npy"
			}
		}
		if of == path || !there[of] || !quantized(of) {
			layers = append(layers, path)
		}
	}
	return layers
}

// holdsArrays reports whether path is a file of arrays, or a member of one, whole or
// not.
func holdsArrays(path string) bool {
	file := fileOf(path)
	if beginsWith(file, npyMagic) || beginsWith(file, zipMagic) {
		return true
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return false
	}
	_, err := activation.Members(file)
	return err == nil
}
