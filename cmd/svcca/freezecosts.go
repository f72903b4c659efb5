package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gosvcca/gosvcca/svcca/freeze"
)

// layerCost is a layer in a file of costs.
type layerCost struct {
	Name  string `json:"name"`
	Block string `json:"block"` // that of its neighbours, with which it is frozen; "": its own
	freeze.Cost
}

// readCosts reads a file of costs: a list, in order of depth.
func readCosts(path string) ([]layerCost, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	costs, err := decodeCosts(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(path), err)
	}
	return costs, nil
}

func decodeCosts(r io.Reader) (costs []layerCost, err error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&costs); err != nil {
		return nil, fmt.Errorf(`a list of layers in JSON expected, [{"name": "conv1", "forward": 1, "weights": 1, "inputs": 1, "update": 1}, …], and "block" for layers frozen as one: %s`, costsFault(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("one list in JSON expected, and there is more behind it")
	}
	if len(costs) == 0 {
		return nil, fmt.Errorf("a list of layers expected: there are none")
	}
	seen, blocks := map[string]bool{}, map[string]bool{}
	for i, c := range costs {
		switch {
		case c.Name == "":
			return nil, fmt.Errorf(`layer %d of %d: a "name" expected`, i+1, len(costs))
		case seen[c.Name]:
			return nil, fmt.Errorf("layer %d of %d: there is another %s before it", i+1, len(costs), shown(c.Name))
		case c.Block != "" && blocks[c.Block] && costs[i-1].Block != c.Block:
			return nil, fmt.Errorf("layer %d of %d: other layers lie between it and the rest of block %s", i+1, len(costs), shown(c.Block))
		}
		seen[c.Name], blocks[c.Block] = true, true
	}
	return costs, nil
}

// costsFault says what is wrong in a file of costs, without the names of Go's types.
func costsFault(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return "this is " + article(kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf("%q is %s", kind.Field[strings.LastIndex(kind.Field, ".")+1:], article(kind.Value))
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// article returns what JSON calls a value with the article.
func article(value string) string {
	if strings.ContainsRune("aeiou", rune(value[0])) {
		return "an " + value
	}
	return "a " + value
}

// blocksOf are the names of layers that are frozen as one.
func blocksOf(costs []layerCost) (blocks [][]string) {
	for i, c := range costs {
		if i > 0 && c.Block != "" && c.Block == costs[i-1].Block {
			last := len(blocks) - 1
			blocks[last] = append(blocks[last], c.Name)
			continue
		}
		blocks = append(blocks, []string{c.Name})
	}
	return blocks
}

// fitting returns an error, before any work, where costs are not those of the layers.
func fitting(names []string, costs []layerCost, path string) error {
	s := freeze.Schedule{Steps: 1}
	for _, name := range names {
		s.Layers = append(s.Layers, freeze.Layer{Name: name})
	}
	of, err := costsOf(s.Layers, costs, path)
	if err == nil {
		_, err = s.Work(of)
	}
	return err
}

// costsOf returns what each layer of a schedule costs: all 1 where there is no file.
func costsOf(layers []freeze.Layer, costs []layerCost, path string) (of []freeze.Cost, err error) {
	known := map[string]freeze.Cost{}
	for _, c := range costs {
		known[c.Name] = c.Cost
	}
	for _, l := range layers {
		c, is := known[l.Name]
		switch {
		case costs == nil:
			c = freeze.Cost{Forward: 1, Weights: 1, Inputs: 1, Update: 1}
		case !is:
			return nil, fmt.Errorf("%s has no costs of layer %s", shown(path), shown(l.Name))
		}
		of = append(of, c)
	}
	return of, nil
}
