package activation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrNoMatch is what Join wraps where no id is in all of them.
var ErrNoMatch = errors.New("no id in common")

// IDs name the datapoints of a layer, each another: the i-th that of row i.
type IDs struct {
	name string
	ids  []string // at least one
}

// OpenIDs reads the ids in the file at path: an array of n integers or strings, or
// a text with an id on each line, in UTF-8, whose lines end with LF or CRLF.
// Integers are ids by their decimal digits, so that they match those of a text.
//
// The whole file is held. A file that holds no ids, or an id twice, gives a
// *FormatError that names the id and its rows, counted from 0; others are those
// of Open.
func OpenIDs(path string) (IDs, error) {
	text, is, err := readIfText(path)
	switch {
	case err != nil:
		return IDs{}, fmt.Errorf("activation: %w", err)
	case is:
		return parseIDs(path, text)
	}
	f, err := openArray(path)
	if err != nil {
		return IDs{}, err
	}
	defer f.Close()
	n, d := f.Dims()
	if len(f.Shape()) == 0 || d != 1 {
		return IDs{}, &FormatError{Name: path, Problem: fmt.Sprintf("an array of one id per datapoint expected, this is of %s", formatShape(f.Shape()))}
	}
	var ids []string
	switch f.header.element.kind {
	case intKind, uintKind:
		numbers, err := f.ints(0, n)
		if err != nil {
			return IDs{}, err
		}
		for _, v := range numbers {
			ids = append(ids, strconv.FormatInt(v, 10))
		}
	case bytesKind, textKind:
		if ids, err = f.texts(0, n); err != nil {
			return IDs{}, err
		}
	default:
		return IDs{}, &FormatError{Name: path, Problem: fmt.Sprintf("elements are %v: ids are integers or strings", f.header.element)}
	}
	return NewIDs(path, ids)
}

// readIfText returns what the file at path holds, if it is a text. Of a path that
// may be that of an archive's member nothing is known here.
func readIfText(path string) (text []byte, is bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	head := make([]byte, min(info.Size(), sniffBytes))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, false, err
	}
	if !isText(head) {
		return nil, false, nil
	}
	rest, err := io.ReadAll(r)
	return append(head, rest...), true, err
}

// parseIDs reads a text of one id a line.
func parseIDs(name string, text []byte) (IDs, error) {
	ids, err := linesOf(name, text, "id")
	if err != nil {
		return IDs{}, err
	}
	return NewIDs(name, ids)
}

// linesOf returns the lines of a text that has one of what on each.
func linesOf(name string, text []byte, what string) ([]string, error) {
	fault := func(format string, args ...any) ([]string, error) {
		return nil, &FormatError{Name: name, Problem: fmt.Sprintf(format, args...)}
	}
	if len(text) == 0 {
		return fault("the file is empty: one %s a line expected", what)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	lines := make([]string, 0, bytes.Count(text, []byte("\n"))+1)
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch row := len(lines); {
		case line == "":
			return fault("line %d is empty: one %s a line expected", row+1, what)
		case !utf8.ValidString(line):
			return fault("line %d is not in UTF-8: %s", row+1, clip(line))
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// NewIDs returns ids from memory, as OpenIDs those of the file name. No ids, and an
// id twice, give a *FormatError.
func NewIDs(name string, ids []string) (IDs, error) {
	if len(ids) == 0 {
		return IDs{}, &FormatError{Name: name, Problem: "there are no ids"}
	}
	seen := make(map[string]int, len(ids))
	for row, id := range ids {
		if before, twice := seen[id]; twice {
			return IDs{}, &FormatError{Name: name, Problem: fmt.Sprintf("the id %s is there twice, in rows %d and %d (counted from 0): ids name one datapoint each", clip(id), before, row)}
		}
		seen[id] = row
	}
	return IDs{name, slices.Clone(ids)}, nil
}

// Name returns the path or name of the ids.
func (x IDs) Name() string { return x.name }

// Len returns how many there are, which is at least 1.
func (x IDs) Len() int { return len(x.ids) }

// Join returns for each of several layers' ids the rows whose id all of them have,
// in the order of the first: row rows[0][i] of the first layer is the same input as
// rows[1][i] of the second. Where there is none, the error wraps ErrNoMatch and
// shows an id of either of two files.
func Join(layers ...IDs) (rows [][]int, err error) {
	rows = make([][]int, len(layers))
	if len(layers) == 0 {
		return rows, nil
	}
	at := make([]map[string]int, len(layers))
	for i, x := range layers[1:] {
		at[i+1] = make(map[string]int, len(x.ids))
		for row, id := range x.ids {
			at[i+1][id] = row
		}
	}
	left := make([]int, 0, len(layers[0].ids)) // rows of the first that all so far have
	for row := range layers[0].ids {
		left = append(left, row)
	}
	for i, x := range layers[1:] {
		left = slices.DeleteFunc(left, func(row int) bool {
			_, has := at[i+1][layers[0].ids[row]]
			return !has
		})
		if len(left) == 0 {
			return nil, fmt.Errorf("activation: %s and %s: %w: they begin with %s and %s", layers[0].name, x.name, ErrNoMatch, clip(layers[0].ids[0]), clip(x.ids[0]))
		}
	}
	for _, row := range left {
		rows[0] = append(rows[0], row)
		for i := range layers[1:] {
			rows[i+1] = append(rows[i+1], at[i+1][layers[0].ids[row]])
		}
	}
	return rows, nil
}

// OpenIndices reads integers, such as numbers of datapoints or of neurons, or the labels
// of datapoints: an array of n, or a text with one on each line. A file that holds none
// gives a *FormatError; other errors are those of Open.
func OpenIndices(path string) ([]int, error) {
	text, is, err := readIfText(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("activation: %w", err)
	case is:
		return parseIndices(path, text)
	}
	f, err := openArray(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, d := f.Dims()
	if kind := f.header.element.kind; len(f.Shape()) == 0 || d != 1 || kind != intKind && kind != uintKind {
		return nil, &FormatError{Name: path, Problem: fmt.Sprintf("an array of integers expected, this is %v of %s", f.header.element, formatShape(f.Shape()))}
	}
	values, err := f.ints(0, n)
	if err != nil {
		return nil, err
	}
	indices := make([]int, n)
	for i, v := range values {
		if int64(int(v)) != v {
			return nil, &FormatError{Name: path, Problem: fmt.Sprintf("[%d] is %d, more than can be counted", i, v)}
		}
		indices[i] = int(v)
	}
	return indices, nil
}

// parseIndices reads a text of one integer a line.
func parseIndices(name string, text []byte) ([]int, error) {
	lines, err := linesOf(name, text, "integer")
	if err != nil {
		return nil, err
	}
	indices := make([]int, len(lines))
	for i, line := range lines {
		if indices[i], err = strconv.Atoi(line); err != nil {
			return nil, &FormatError{Name: name, Problem: fmt.Sprintf("line %d is %s: one integer a line expected", i+1, clip(line))}
		}
	}
	return indices, nil
}
