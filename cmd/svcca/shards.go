package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// shardName is the name of a shard: part-N.npy, NAME.part-N.npy, NAME-N-of-M.npy.
var shardName = regexp.MustCompile(`^(?:part-(\d+)|(.+)\.part-(\d+)|(.+)-(\d+)-of-(\d+))\.npy$`)

// shard is a file that holds some of a layer's datapoints.
type shard struct {
	layer  string // the layer's name
	number string // without leading zeros
	of     string // how many shards there are, or ""
}

// shardOf returns what a name says of the file at path, if it is that of a shard.
// Where NAME is "part", or there is none, the layer is called after the directory.
func shardOf(path string) (s shard, is bool) {
	dir, base := filepath.Split(path)
	m := shardName.FindStringSubmatch(base)
	if m == nil {
		return s, false
	}
	name := m[2] + m[4] // one of them is empty
	if name == "part" {
		name = ""
	}
	s.number = withoutZeros(m[1] + m[3] + m[5])
	s.of = withoutZeros(m[6])
	s.layer = dir + strings.TrimSuffix(name, ".part")
	if name == "" {
		s.layer = filepath.Clean(dir)
	}
	if s.layer == "." {
		if here, err := filepath.Abs(s.layer); err == nil {
			s.layer = filepath.Base(here)
		}
	}
	return s, true
}

func withoutZeros(digits string) string {
	if trimmed := strings.TrimLeft(digits, "0"); trimmed != "" || digits == "" {
		return trimmed
	}
	return "0"
}

// gatherShards makes layers of files: one of each file, but one of all shards of a layer,
// which are put in natural order.
func gatherShards(paths []string) []input {
	var layers []input
	at := map[string]int{}
	for _, path := range paths {
		s, is := shardOf(path)
		if !is {
			layers = append(layers, input{name: path, paths: []string{path}})
			continue
		}
		i, known := at[s.layer]
		if !known {
			i = len(layers)
			at[s.layer] = i
			layers = append(layers, input{name: s.layer})
		}
		layers[i].paths = append(layers[i].paths, path)
	}
	for name, i := range at {
		layers[i].paths = naturally(layers[i].paths)
		layers[i].fault = faultOf(name, layers[i].paths)
	}
	return layers
}

// faultOf returns an error where shards are not all of a layer, as far as their
// names tell, or more than that.
func faultOf(name string, paths []string) error {
	var shards []shard
	for _, path := range paths {
		s, _ := shardOf(path)
		shards = append(shards, s)
	}
	seen := map[string]string{}
	for i, s := range shards {
		if s.of != shards[0].of {
			return fmt.Errorf("%s: shards of two kinds, %s and %s: remove those of which the other is a copy", shown(name), shown(paths[0]), shown(paths[i]))
		}
		if before, twice := seen[s.number]; twice {
			return fmt.Errorf("%s: shard %s is there twice, %s and %s: remove one", shown(name), s.number, shown(before), shown(paths[i]))
		}
		seen[s.number] = paths[i]
	}
	if shards[0].of == "" {
		return nil // how many there should be is not said
	}
	of, err := strconv.Atoi(shards[0].of)
	if err != nil || of < 1 {
		return fmt.Errorf("%s: %s counts 1 shard or more, not %s", shown(name), shown(paths[0]), shards[0].of)
	}
	// Some count from 0.
	first := 1
	if _, zero := seen["0"]; zero {
		first = 0
	}
	absent := of
	surplus := "" // the first of those beyond
	for i, s := range shards {
		if n, err := strconv.Atoi(s.number); err == nil && first <= n && n < first+of {
			absent--
		} else if surplus == "" {
			surplus = paths[i]
		}
	}
	var missing []string
	for n := first; len(missing) < min(absent, 5); n++ {
		if _, found := seen[strconv.Itoa(n)]; !found {
			missing = append(missing, strconv.Itoa(n))
		}
	}
	switch more := absent - len(missing); {
	case more > 0:
		return fmt.Errorf("%s: of %d shards, %s and %d more are missing", shown(name), of, strings.Join(missing, ", "), more)
	case absent > 0:
		return fmt.Errorf("%s: of %d shards, %s %s missing", shown(name), of, strings.Join(missing, ", "), isAre(absent))
	case surplus != "":
		return fmt.Errorf("%s: %s is more than the shards that it counts", shown(name), shown(surplus))
	}
	return nil
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

var numbers = regexp.MustCompile(`\d+`)

// withoutNumbers returns what the names of a layer's shards have in common.
func withoutNumbers(path string) string { return numbers.ReplaceAllString(path, "#") }
