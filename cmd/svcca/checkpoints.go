package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/maruel/natural"
)

// checkpoint is a network at one step of its training.
type checkpoint struct {
	step   int
	layers []input // in order of depth
}

// checkpointFlags are the flags of where a training run's layers are.
type checkpointFlags struct {
	pattern string
	layers  []string
}

// found is a layer at a step.
type found struct {
	step         int
	layer, where string
	in           input
}

// checkpoints returns those in a directory, by their steps, and the names of their
// layers, in order of depth: as --layers says, or in natural order. left counts layers
// that are of no checkpoint.
func (f *checkpointFlags) checkpoints(dir string) (run []checkpoint, layers []string, left int, err error) {
	inputs, none, err := expandLayers([]string{dir})
	if err != nil {
		return nil, nil, 0, err
	}
	left = len(none)
	sort := sortByDirectory
	if f.pattern != "" {
		sort = f.sortByPattern
	}
	all, err := sort(dir, inputs)
	if err != nil {
		return nil, nil, 0, err
	}
	left += len(inputs) - len(all)
	if layers, err = f.order(all); err != nil {
		return nil, nil, 0, err
	}
	run, err = gather(all, layers)
	return run, layers, left, err
}

// within returns a layer's name within a directory, with slashes.
func within(dir, name string) string {
	rest, err := filepath.Rel(dir, name)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rest)
}

// sortByDirectory takes layers in directories, or archives, that are called alike but
// for one number, the step.
func sortByDirectory(dir string, inputs []input) (all []found, err error) {
	const hint = `--pattern says where steps and layers are, as in --pattern '{step}_{layer}.npy'`
	first, differ := "", -1 // the number of a checkpoint's name in which they differ
	for _, in := range inputs {
		name := within(dir, in.name)
		if !strings.ContainsAny(name, "/:") {
			name += loneMember(in.name)
		}
		end := strings.IndexAny(name, "/:")
		if end < 0 || !numbers.MatchString(name[:end]) {
			continue
		}
		where := name[:end]
		if first == "" {
			first = where
		}
		if withoutNumbers(first) != withoutNumbers(where) {
			return nil, fmt.Errorf("%s holds %s and %s, and checkpoints are called alike but for one number: %s", shown(dir), shown(first), shown(where), hint)
		}
		a, b := numbers.FindAllString(first, -1), numbers.FindAllString(where, -1)
		for i := range a {
			if withoutZeros(a[i]) == withoutZeros(b[i]) {
				continue
			}
			if differ >= 0 && differ != i {
				return nil, fmt.Errorf("%s holds %s and %s, which differ in more than one number: %s", shown(dir), shown(first), shown(where), hint)
			}
			differ = i
		}
		all = append(all, found{layer: name[end+1:], where: where, in: in})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no directory or archive of layers that is called after a step, as step00010: %s", shown(dir), hint)
	}
	for i := range all {
		digits := numbers.FindAllString(all[i].where, -1)
		at := differ
		if at < 0 {
			at = len(digits) - 1
		}
		if all[i].step, err = stepOf(digits[at], all[i].in.name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// loneMember returns ":" and the name of an archive's array, if there is just one, which
// the archive stands for.
func loneMember(path string) string {
	if isMember(path) {
		return ""
	}
	if members, err := activation.Members(path); err == nil && len(members) == 1 {
		return ":" + members[0]
	}
	return ""
}

// sortByPattern takes layers whose names match the pattern.
func (f *checkpointFlags) sortByPattern(dir string, inputs []input) (all []found, err error) {
	pattern, err := patternOf(f.pattern)
	if err != nil {
		return nil, err
	}
	for _, in := range inputs {
		name := within(dir, in.name)
		m := pattern.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		step, layer := m[pattern.SubexpIndex("step")], m[pattern.SubexpIndex("layer")]
		of := found{layer: layer, where: name, in: in}
		if of.step, err = stepOf(step, in.name); err != nil {
			return nil, err
		}
		all = append(all, of)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--pattern %s matches none of the %s in %s, such as %s", shown(f.pattern), plural(len(inputs), "layer"), shown(dir), shown(within(dir, inputs[0].name)))
	}
	return all, nil
}

// patternOf returns what --pattern matches: {step} a number, {layer} a name, * and ?
// any letters but slashes.
func patternOf(text string) (*regexp.Regexp, error) {
	if strings.Count(text, "{step}") != 1 || strings.Count(text, "{layer}") != 1 {
		return nil, misusef("--pattern %s: {step} and {layer} expected, each once, as in '{step}_{layer}.npy'", shown(text))
	}
	quoted := regexp.QuoteMeta(text)
	for _, r := range [][2]string{{`\{step\}`, `(?P<step>\d+)`}, {`\{layer\}`, `(?P<layer>[^/]+)`}, {`\*`, `[^/]*`}, {`\?`, `[^/]`}} {
		quoted = strings.ReplaceAll(quoted, r[0], r[1])
	}
	pattern, err := regexp.Compile("^" + quoted + "$")
	if err != nil {
		return nil, misusef("--pattern %s: %v", shown(text), err)
	}
	return pattern, nil
}

func stepOf(digits, name string) (int, error) {
	step, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("%s: step %s is beyond what is counted", shown(name), digits)
	}
	return step, nil
}

// order names the layers of the checkpoints, in order of depth, without the ends of
// their files' names.
func (f *checkpointFlags) order(all []found) (layers []string, err error) {
	for i := range all {
		if name := all[i].layer; isLayerFile(name) {
			if bare := strings.TrimSuffix(name, filepath.Ext(name)); bare != "" {
				all[i].layer = bare
			}
		}
		layers = append(layers, all[i].layer)
	}
	slices.SortFunc(layers, func(a, b string) int {
		if c := natural.Compare(a, b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	layers = slices.Compact(layers)
	for i, name := range f.layers {
		switch {
		case slices.Contains(f.layers[:i], name):
			return nil, misusef("--layers names %s twice", shown(name))
		case !slices.Contains(layers, name):
			near := "there are " + strings.Join(layers, ", ")
			if n := nearest(name, layers); n != "" {
				near = "did you mean " + n + "?"
			}
			return nil, misusef("--layers %s: no checkpoint has a layer of that name: %s", shown(name), near)
		}
	}
	if len(f.layers) > 0 {
		return f.layers, nil
	}
	return layers, nil
}

// gather returns the checkpoints, each with all the layers.
func gather(all []found, layers []string) (run []checkpoint, err error) {
	at := map[int]map[string]found{}
	for _, l := range all {
		if at[l.step] == nil {
			at[l.step] = map[string]found{}
		}
		if other, twice := at[l.step][l.layer]; twice {
			return nil, fmt.Errorf("step %d has layer %s twice: %s and %s", l.step, shown(l.layer), shown(other.in.name), shown(l.in.name))
		}
		at[l.step][l.layer] = l
	}
	for step := range at {
		run = append(run, checkpoint{step: step})
	}
	slices.SortFunc(run, func(a, b checkpoint) int { return a.step - b.step })
	for i := range run {
		for _, layer := range layers {
			l, is := at[run[i].step][layer]
			if !is {
				return nil, fmt.Errorf("step %d has no layer %s, as other steps have: all checkpoints need the same layers, or --layers to name those that all have", run[i].step, shown(layer))
			}
			run[i].layers = append(run[i].layers, l.in)
		}
	}
	return run, nil
}
