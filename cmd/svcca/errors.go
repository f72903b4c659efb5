package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/svcca"
)

// failure is an error of the work: exit status 1.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

// misuse is an error of the command line: exit status 2.
type misuse struct{ error }

func (m *misuse) Unwrap() error { return m.error }

func misusef(format string, values ...any) error {
	return &misuse{fmt.Errorf(format, values...)}
}

// message returns what err says to somebody at a terminal: the file first, then
// what is wrong with it, then the next step.
func message(err error) string {
	var (
		format *activation.FormatError
		value  *svcca.NotFiniteError
		path   *fs.PathError
	)
	switch {
	case errors.As(err, &format):
		return shown(format.Name) + ": " + shown(format.Problem) // which may name members
	case errors.As(err, &value):
		return fmt.Sprintf("%s: datapoint %d, neuron %d (counted from 0) is %v: correct it, or leave that datapoint out of every file",
			shown(value.Layer), value.Datapoint, value.Neuron, value.Value)
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return shown(path.Path) + ": no such file" + suggestFile(path.Path)
	case errors.As(err, &path):
		return shown(path.Path) + ": " + path.Err.Error()
	}
	text := err.Error()
	for _, prefix := range []string{"svcca: ", "activation: "} {
		text = strings.ReplaceAll(text, prefix, "")
	}
	for _, of := range []string{"compress: ", "conv: ", "dynamics: ", "freeze: ", "measure: "} { // not of --conv:
		text = strings.TrimPrefix(strings.ReplaceAll(text, ": "+of, ": "), of)
	}
	lines := strings.Split(strings.TrimSuffix(text, ": "+svcca.ErrOptions.Error()), "\n")
	for i, line := range lines {
		lines[i] = shown(line)
	}
	return strings.Join(lines, "\n")
}

// suggestFile returns a hint where a file of a similar name lies beside path, or
// beside the archive that it names with a member.
func suggestFile(path string) string {
	if near := nearFile(path); near != "" {
		return ": did you mean " + shown(near) + "?"
	}
	if at := strings.LastIndexByte(path, ':'); at > 0 {
		if near := nearFile(path[:at]); near != "" {
			return ": did you mean " + shown(near+path[at:]) + "?"
		}
	}
	return ""
}

// nearFile returns the path of the file beside path that has the most similar name.
func nearFile(path string) string {
	entries, _ := os.ReadDir(filepath.Dir(path)) // no directory: no suggestion
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := nearest(filepath.Base(path), names); near != "" {
		return filepath.Join(filepath.Dir(path), near)
	}
	return ""
}

// nearest returns the name that differs from word by the fewest letters, if by
// no more than two and less than half of them, or "".
func nearest(word string, names []string) string {
	best, least := "", min(2, (len(word)-1)/2)+1
	for _, name := range names {
		if d := editDistance(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance returns how many letters have to be put in, taken out or
// exchanged to make b from a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// goWithout is err, and what to do where that says that a layer is constant.
func goWithout(err error) error {
	if !errors.Is(err, svcca.ErrConstant) {
		return err
	}
	return fmt.Errorf("%w: --layers A,B,… to go without it", err)
}
