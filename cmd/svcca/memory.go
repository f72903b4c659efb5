package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/gosvcca/gosvcca/svcca"
)

// memory is a flag, --memory: the most bytes that a command may use. Zero is what
// the machine has to give.
type memory svcca.Bytes

// memoryHelp is the flag's text.
const memoryHelp = "`SIZE` at most, such as 8GiB (default: all available)"

// memoryUnits are what sizes end with, the longer first where one ends another.
var memoryUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// MarshalText returns the size as UnmarshalText takes it.
func (m memory) MarshalText() ([]byte, error) {
	if m == 0 {
		return nil, nil
	}
	return strconv.AppendInt(nil, int64(m), 10), nil
}

// UnmarshalText reads "8GiB", "1.5GB", "4096": a number > 0 and a unit of bytes,
// of either case.
func (m *memory) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, unit := range memoryUnits {
		at := len(s) - len(unit.name)
		if at < 0 || !strings.EqualFold(s[at:], unit.name) {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(s[:at]), 64)
		if v *= unit.bytes; err != nil || !(v >= 1) || v > math.MaxInt64/2 {
			break
		}
		*m = memory(v)
		return nil
	}
	return fmt.Errorf("a number of bytes expected, such as 8GiB, 500MB or 4096")
}

// room returns how many bytes there are, and by whose word. Where nobody tells,
// known is false.
func (m memory) room() (bytes int64, source string, known bool) {
	if m > 0 {
		return int64(m), "by --memory", true
	}
	bytes, known = availableMemory(os.DirFS("/"))
	return bytes, "available", known
}

// allow returns an error that wraps svcca.ErrMemory where work needs more bytes
// than there are. advice says how to need less.
func (m memory) allow(work string, need int64, advice string) error {
	room, source, known := m.room()
	if !known || need <= room {
		return nil
	}
	return &memoryError{fmt.Sprintf("%s needs about %v of memory, and there are %v %s: %s, or try all the same with --memory %v",
		work, svcca.Bytes(need), svcca.Bytes(room), source, advice, roundUp(need))}
}

// memoryError is svcca.ErrMemory in the words of the command.
type memoryError struct{ text string }

func (e *memoryError) Error() string { return e.text }

func (e *memoryError) Unwrap() error { return svcca.ErrMemory }

// roundUp returns a size that is no less, as the flag takes it.
func roundUp(bytes int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}} {
		if bytes >= unit.size {
			return strconv.FormatInt((bytes-1)/unit.size+1, 10) + unit.name
		}
	}
	return strconv.FormatInt((bytes-1)>>10+1, 10) + "KiB"
}

// availableMemory returns how many bytes may be had without swapping: what the
// kernel says of the machine, or less where a control group of this process or one
// above it has a limit. Where nobody tells, as on another system than Linux, known
// is false.
func availableMemory(root fs.FS) (bytes int64, known bool) {
	bytes = math.MaxInt64
	if kib, err := field(root, "proc/meminfo", "MemAvailable:"); err == nil {
		bytes, known = kib<<10, true
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // none: no limit
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path, of version 2 with 0 and no controllers.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		v := cgroup{root: root, top: "sys/fs/cgroup", limit: "memory.max", usage: "memory.current", cache: []string{"inactive_file", "active_file"}}
		if parts[1] != "" {
			v = cgroup{root: root, top: "sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", cache: []string{"total_inactive_file", "total_active_file"}}
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
		}
		// In a container the path may be the host's: then only the top is there.
		for of := path.Join("/", parts[2]); ; of = path.Dir(of) {
			if left, err := v.left(of); err == nil {
				bytes, known = min(bytes, left), true
			}
			if of == "/" {
				break
			}
		}
	}
	return bytes, known
}

// cgroup is where a version of control groups tells what.
type cgroup struct {
	root              fs.FS
	top, limit, usage string
	cache             []string // of files: given back when memory is asked for
}

// left returns how many bytes a group may still take.
func (c cgroup) left(of string) (int64, error) {
	dir := path.Join(c.top, of)
	limit, err := field(c.root, path.Join(dir, c.limit), "")
	if err != nil {
		return 0, err
	}
	used, err := field(c.root, path.Join(dir, c.usage), "")
	if err != nil {
		return 0, err
	}
	for _, name := range c.cache {
		if v, err := field(c.root, path.Join(dir, "memory.stat"), name); err == nil {
			used -= v
		}
	}
	return max(0, limit-max(0, used)), nil
}

// field returns the number behind name on its line of a file, or, where name is
// empty, the file's only one.
func field(root fs.FS, file, name string) (int64, error) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if name != "" {
			if len(words) == 0 || words[0] != name {
				continue
			}
			words = words[1:]
		}
		if len(words) == 0 {
			break
		}
		return strconv.ParseInt(words[0], 10, 64)
	}
	return 0, errors.New("no number")
}
