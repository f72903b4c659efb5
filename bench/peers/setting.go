package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

//go:embed worker.py
var workerPy []byte

// setting is what workloads share: flags, and a directory with the workers.
type setting struct {
	options
	dir string
}

// prepare builds the workers.
func prepare(ctx context.Context, o options) (*setting, error) {
	if o.svcca != "" {
		if _, err := os.Stat(filepath.Join(o.svcca, "cca_core.py")); err != nil {
			return nil, fmt.Errorf("no checkout of google/svcca: %w", err)
		}
	}
	dir, err := os.MkdirTemp(o.dir, "peers")
	if err != nil {
		return nil, err
	}
	s := &setting{o, dir}
	err = os.WriteFile(s.path("worker.py"), workerPy, 0o600)
	for _, b := range []struct{ name, tags string }{{"native", ""}, {"purego", "purego"}} {
		if err == nil {
			build := exec.CommandContext(ctx, "go", "build", "-tags", b.tags, "-o", s.path(b.name), "github.com/gosvcca/gosvcca/bench/worker")
			build.Stderr = os.Stderr
			if err = build.Run(); err != nil {
				err = fmt.Errorf("building %s: %w", b.name, err)
			}
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *setting) path(name string) string { return filepath.Join(s.dir, name) }

// contestant is one way to compute, and what it gave.
type contestant struct {
	name    string
	command []string
	threads int

	about   string
	results []result // as many in each round, by round
	peak    float64  // resident memory, MiB
}

// native returns the contestants that compute with OpenBLAS, on data. The first
// is what the others are measured by.
func (s *setting) native(data []string) []*contestant {
	one := func(name string, threads int, flags ...string) *contestant {
		return &contestant{name: name, threads: threads, command: slices.Concat([]string{s.path("native")}, flags, data)}
	}
	all := []*contestant{one("native", s.threads), one("native, mixed", s.threads, "-precision", "mixed")}
	if s.threads > 1 {
		all = append(all, one("native, BLAS's threads", s.threads, "-blas-threads"), one("native, 1 thread", 1))
	}
	return all
}

// portable returns the contestant of the portable backend.
func (s *setting) portable(data []string) *contestant {
	return &contestant{name: "purego", threads: s.threads, command: slices.Concat([]string{s.path("purego")}, data)}
}

// numpy returns the contestant of a method of worker.py.
func (s *setting) numpy(method string, data []string, flags ...string) *contestant {
	return &contestant{name: method, threads: s.threads,
		command: slices.Concat([]string{s.python, s.path("worker.py")}, flags, []string{method}, data)}
}

// recipe returns the contestant of google/svcca's recipe, or nil without a
// checkout.
func (s *setting) recipe(data []string) *contestant {
	if s.svcca == "" {
		return nil
	}
	return s.numpy("recipe", data, "--svcca", s.svcca, "--pairs", fmt.Sprint(s.pairs))
}

// save writes a layer and returns its path.
func (s *setting) save(name string, layer []float32) (string, error) {
	path := s.path(name)
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	return path, cmp.Or(binary.Write(file, binary.LittleEndian, layer), file.Close())
}
