package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
)

// expand finds out which layers there are to compare.
func (m *matrix) expand(args []string) (err error) {
	layers, against := m.layers.sort(args)
	for i, groups := range [][][]string{layers, against} {
		for j, group := range groups {
			if i == 1 && j == 0 {
				m.named = append(m.named, "--against")
			}
			m.named = append(m.named, group...)
		}
	}
	if len(layers) == 0 {
		if len(against) > 0 {
			return misusef("no layers for the rows: name them before --against, or with --layers")
		}
		return misusef("no layers: name files, a directory or a pattern, as in svcca matrix 'a/*.npy'")
	}
	if m.threads < 0 {
		return misusef("--threads %d: 1 or more expected", m.threads)
	}
	if m.rows, err = m.add(layers); err != nil {
		return err
	}
	m.columns, err = m.add(against)
	return err
}

// add returns the indices of the layers of groups, each once.
func (m *matrix) add(groups [][]string) (indices []int, err error) {
	var all []input
	for _, group := range groups {
		inputs, left, err := expandLayers(group)
		if err != nil {
			return nil, err
		}
		if err := m.idsInOrder(group); err != nil {
			return nil, err
		}
		for _, l := range left {
			m.left = append(m.left, l)
			m.notice("left out: " + l.Reason)
		}
		all = append(all, m.withoutIDs(inputs)...)
	}
	return m.use(all), nil
}

// use returns the indices of layers, each once, however its files are spelled.
func (m *matrix) use(inputs []input) (indices []int) {
	already := map[int]bool{}
	for _, in := range inputs {
		key := ""
		for _, path := range in.paths {
			key += filepath.Clean(path) + "\x00"
		}
		at, known := m.known[key]
		if !known {
			at = len(m.inputs)
			m.known[key] = at
			m.inputs = append(m.inputs, in)
		}
		if !already[at] {
			already[at] = true
			indices = append(indices, at)
		}
	}
	return indices
}

// idsInOrder is an error where files of ids, one for each layer, follow a group of
// arguments that are not in the order that layers have: they would be of others.
func (m *matrix) idsInOrder(group []string) error {
	if len(m.ids) < 2 {
		return nil
	}
	var paths []string
	for _, arg := range group {
		some, err := expand(arg)
		if err != nil {
			return err
		}
		paths = append(paths, naturally(some)...)
	}
	ordered, err := expandArgs(group)
	if err != nil {
		return err
	}
	for i, path := range ordered {
		if paths[i] != path {
			return misusef("--ids is one file for each layer, and layers are in natural order: name %s before %s and the ids likewise, or give one name with a * for a layer's path without its suffix",
				shown(path), shown(paths[i]))
		}
	}
	return nil
}

// open opens every file, and names the first that cannot be used.
func (m *matrix) open(ctx context.Context) error {
	m.files = make([]activation.Layer, len(m.inputs))
	for i, in := range m.inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := in.open(opening{m.transpose, m.way != "" || m.alone, true})
		if err == nil {
			if n, d := f.Dims(); n < 1 || d < 1 {
				f.Close()
				f, err = nil, fmt.Errorf("%s holds %d datapoints × %d neurons: there is nothing in it", shown(in.name), n, d)
			}
		}
		switch {
		case err == nil:
			m.files[i] = f
		case m.skipBad:
			if refused := (*mapsError)(nil); errors.As(err, &refused) {
				err = fmt.Errorf("%s holds feature maps, which need --conv", shown(refused.path))
			}
			m.leave(i, message(err))
		case errors.As(err, new(*mapsError)):
			return choices(err, cmp.Or(m.command, "matrix"), m.named...)
		case len(m.inputs) > 1:
			return m.skipHint(err)
		default:
			return err
		}
	}
	return nil
}

// choose selects from the layers, alike from all.
func (m *matrix) choose() error {
	if m.firstFile() == nil {
		return m.enough(0, 0)
	}
	if len(m.ids) == 0 {
		if err := m.sameDatapoints(); err != nil {
			return err
		}
	}
	m.chosen = &choosing{selectFlags: &m.selectFlags, maps: &m.mapFlags, inputs: m.inputs, layers: m.files, weighted: m.weights != "", say: m.notice, whole: m.whole,
		bad: func(i int, err error) error {
			switch {
			case errors.As(err, new(*misuse)):
				return err
			case m.skipBad:
				m.leave(i, message(err))
				return nil
			case len(m.inputs) > 1:
				return m.skipHint(err)
			}
			return err
		}}
	return m.chosen.choose()
}

// skipHint adds to the error of a layer how to go on without it.
func (m *matrix) skipHint(err error) error {
	return fmt.Errorf("%s\n%s leaves out files that cannot be used", message(err), cmp.Or(m.without, skipFlag))
}

// skipFlag leaves out layers that cannot be used.
const skipFlag = "--skip-bad"

func (m *matrix) close() {
	for _, f := range m.files {
		if f != nil {
			f.Close()
		}
	}
}

// leave leaves out a layer and says so. Several goroutines call it.
func (m *matrix) leave(i int, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = append(m.left, leftOut{m.inputs[i].name, reason})
	m.notice("warning: left out: " + reason)
	if m.files[i] != nil {
		m.files[i].Close()
		m.files[i] = nil
	}
}

// notice says something on standard error, where progress is not in its way.
func (m *matrix) notice(text string) {
	if !m.quiet {
		if m.bar != nil {
			m.bar.clear()
		}
		complain(m.stderr, text)
	}
}

func (m *matrix) firstFile() activation.Layer {
	for _, f := range m.files {
		if f != nil {
			return f
		}
	}
	return nil
}

// present returns those of indices that are not left out.
func (m *matrix) present(indices []int) (present []int) {
	for _, i := range indices {
		if m.files[i] != nil {
			present = append(present, i)
		}
	}
	return present
}

// sameDatapoints checks that all layers have as many datapoints as most have.
func (m *matrix) sameDatapoints() error {
	count := map[int]int{}
	usual := -1 // index of the first with the most usual number
	for i, f := range m.files {
		if f != nil {
			n, _ := f.Dims()
			count[n]++
			if usual < 0 {
				usual = i
			}
		}
	}
	for i, f := range m.files {
		if f != nil {
			n, _ := f.Dims()
			if most, _ := m.files[usual].Dims(); count[n] > count[most] {
				usual = i
			}
		}
	}
	for i, f := range m.files {
		if f == nil {
			continue
		}
		err := checkDatapoints(f, m.files[usual], m.transpose)
		switch {
		case err == nil:
		case m.skipBad:
			m.leave(i, message(err))
		default:
			return fmt.Errorf("%w, %s to go without", err, cmp.Or(m.without, skipFlag))
		}
	}
	return nil
}

// enough is an error where too few layers are left to compare.
func (m *matrix) enough(rows, columns int) error {
	switch {
	case rows == 0:
		return fmt.Errorf("no layer is left for the rows: none of %d can be used", len(m.rows))
	case columns == 0 && m.columns != nil:
		return fmt.Errorf("no layer is left for the columns: none of %d can be used", len(m.columns))
	}
	return nil
}
