package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/maruel/natural"
)

// classNetwork is a network whose layers are compared with its logits.
type classNetwork struct {
	path   string
	layers []int    // indices of inputs, in order of depth
	names  []string // of layers, within the network
	logits int      // index of inputs
}

// find finds the networks' layers and logits.
func (c *classes) find(args []string) error {
	if n := len(c.of.logits); n != 1 && n != len(args) {
		return misusef("--logits is given %s, and there are %s: one for all, or one each in their order", plural(n, "time"), plural(len(args), "network"))
	}
	if n := len(c.of.orders); n > 1 && n != len(args) {
		return misusef("--layers is given %s, and there are %s: one for all, or one each in their order", plural(n, "time"), plural(len(args), "network"))
	}
	byName := false
	for i, arg := range args {
		path := filepath.Clean(arg)
		if slices.ContainsFunc(c.networks, func(n *classNetwork) bool { return n.path == path }) {
			return misusef("%s is named twice", shown(arg))
		}
		inputs, names, err := c.network(path)
		if err != nil {
			return err
		}
		n := &classNetwork{path: path}
		logits, own, err := c.findLogits(path, c.of.logits[min(i, len(c.of.logits)-1)], inputs, names)
		if err != nil {
			return err
		}
		order := ""
		if len(c.of.orders) > 0 {
			order = c.of.orders[min(i, len(c.of.orders)-1)]
		}
		if n.names, err = depthOrder(path, order, names, own); err != nil {
			return err
		}
		byName = byName || order == "" && len(n.names) > 1
		for _, name := range n.names {
			n.layers = append(n.layers, c.input(inputs[slices.Index(names, name)]))
		}
		n.logits = c.input(logits)
		c.whole = append(c.whole, n.logits)
		c.networks = append(c.networks, n)
	}
	for i := range c.inputs {
		c.rows = append(c.rows, i)
	}
	if byName {
		c.notice("note: layers are in the order of their names, the logits last; --layers says which are nearer to the input")
	}
	return nil
}

// network returns the layers of a directory or archive, and their names in it, in natural
// order.
func (c *classes) network(path string) (inputs []input, names []string, err error) {
	inputs, names, left, err := c.layersOf("classes", path)
	for _, l := range left {
		c.notice("left out: " + l.Reason)
	}
	return inputs, names, err
}

// layersOf returns the layers of a directory or archive that a command takes for a network,
// and their names in it, in natural order; and what in it is none.
func (f *selectFlags) layersOf(command, path string) (inputs []input, names []string, left []leftOut, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, nil, err
	}
	if members, failed := activation.Members(path); !info.IsDir() && (failed != nil || len(members) == 0) {
		return nil, nil, nil, misusef("%s is no network, which is a directory or an archive (.npz, .safetensors) of layers: svcca %s %s", shown(path), command, shellQuoted(filepath.Dir(path)))
	}
	all, left, err := expandLayers([]string{path})
	if err != nil {
		return nil, nil, nil, err
	}
	inputs = f.withoutIDs(all)
	for _, in := range inputs {
		name := strings.TrimPrefix(in.name+loneMember(in.name), path+":")
		if info.IsDir() {
			name = within(path, in.name)
		}
		if bare := strings.TrimSuffix(name, filepath.Ext(name)); isLayerFile(name) && bare != "" {
			name = bare
		}
		if at := slices.Index(names, name); at >= 0 {
			return nil, nil, nil, fmt.Errorf("%s has layer %s twice: %s and %s", shown(path), shown(name), shown(inputs[at].name), shown(in.name))
		}
		names = append(names, name)
	}
	return inputs, names, left, nil
}

// input returns the index of a layer among those of all networks.
func (c *classes) input(in input) int {
	key := filepath.Clean(strings.Join(in.paths, "\x00"))
	at, known := c.known[key]
	if !known {
		at = len(c.inputs)
		c.known[key] = at
		c.inputs = append(c.inputs, in)
	}
	return at
}

// findLogits finds a network's logits by a name, that of a layer or of a file; own is the
// layer's name, or "".
func (c *classes) findLogits(path, name string, inputs []input, names []string) (logits input, own string, err error) {
	if at := slices.Index(names, name); at >= 0 {
		return inputs[at], name, nil
	}
	if _, err := os.Stat(fileOf(name)); err == nil {
		if len(c.of.logits) < len(c.networks)+1 {
			return input{}, "", misusef("--logits %s is a file, of one network: name one for each, in their order", shown(name))
		}
		logits, err := oneLayer(name)
		if at := slices.IndexFunc(inputs, func(l input) bool { return l.name == logits.name }); at >= 0 {
			own = names[at]
		}
		return logits, own, err
	}
	near := "there are " + strings.Join(shownAll(names), ", ")
	if other := nearest(name, names); other != "" {
		near = "did you mean " + shown(other) + "?"
	}
	return input{}, "", misusef("%s has no layer %s: --logits NAME says which one holds the logits: %s", shown(path), shown(name), near)
}

// depthOrder returns the names of a network's layers in order of depth: as a list, A,B,…,
// says, or in natural order, with the logits last.
func depthOrder(path, list string, names []string, logits string) ([]string, error) {
	if list == "" {
		order := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == logits })
		if len(order) == 0 {
			return nil, fmt.Errorf("%s holds no layer beside the logits", shown(path))
		}
		slices.SortFunc(order, func(a, b string) int {
			return cmp.Or(natural.Compare(a, b), strings.Compare(a, b))
		})
		if logits != "" {
			order = append(order, logits)
		}
		return order, nil
	}
	order := strings.Split(list, ",")
	for i, name := range order {
		switch {
		case slices.Contains(order[:i], name):
			return nil, misusef("--layers names %s twice", shown(name))
		case !slices.Contains(names, name):
			near := "there are " + strings.Join(shownAll(names), ", ")
			if n := nearest(name, names); n != "" {
				near = "did you mean " + shown(n) + "?"
			}
			return nil, misusef("--layers %s: %s has no layer of that name: %s", shown(name), shown(path), near)
		}
	}
	return order, nil
}
