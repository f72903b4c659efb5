package activation

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"

	"github.com/gosvcca/gosvcca/lapack"
)

// Shards is one layer in several files, the datapoints of each after those of the
// one before. Its methods may be called from several goroutines.
type Shards struct {
	name  string
	files []*File // at least one
	ends  []int   // datapoints up to the end of each file
}

// OpenShards opens the files at paths, as Open takes them, in that order as the layer
// name. Each is an array of 2 to 5 dimensions, all of the same sizes but for the first,
// the number of datapoints, and of the same type; a shard may have no datapoint, and
// byte orders, C or Fortran order and scales of int8 may differ. Every shard stays open,
// so there are at most as many as the process may open files. The caller closes the
// layer.
//
// Errors are those of Open, and *FormatErrors for a shard that does not fit the
// first or for no paths at all; all but the last name the shard. After an error
// nothing is left open.
func OpenShards(name string, paths []string) (*Shards, error) {
	if len(paths) == 0 {
		return nil, &FormatError{Name: name, Problem: "a layer of no files: at least one shard expected"}
	}
	s := &Shards{name: name}
	for _, path := range paths {
		if err := s.open(path); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// open appends the file at path, to be closed also where it does not fit.
func (s *Shards) open(path string) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	first := s.files[0]
	fault := func(format string, args ...any) error {
		return &FormatError{Name: path, Problem: fmt.Sprintf(format, args...)}
	}
	switch shape, want := f.header.shape, first.header.shape; {
	case len(shape) < 2:
		return fault("a shard of 2 dimensions (datapoints × neurons) or more expected, this has 1: %s", formatShape(shape))
	case len(shape) != len(want):
		return fault("a shard of %d dimensions expected, as %s has, this has %d: %s", len(want), first.name, len(shape), formatShape(shape))
	case len(shape) > 2 && !slices.Equal(shape[1:], want[1:]):
		return fault("each datapoint of this shard is %s, of %s %s", formatShape(shape[1:]), first.name, formatShape(want[1:]))
	}
	switch {
	case f.neurons != first.neurons:
		return fault("this shard has %d neurons, %s %d", f.neurons, first.name, first.neurons)
	case f.header.element != first.header.element:
		return fault("this shard is %v, %s %v: save all with the same dtype", f.header.element, first.name, first.header.element)
	}
	f.layer = s.name
	if n := len(s.ends); n > 0 {
		f.before = s.ends[n-1]
	}
	// Only shards of 0 neurons, which cost no bytes, can be so many.
	if f.datapoints > math.MaxInt-f.before {
		return fault("%d datapoints here and %d before it are more than can be counted", f.datapoints, f.before)
	}
	s.ends = append(s.ends, f.before+f.datapoints)
	return nil
}

// Name returns the layer's name, as given to OpenShards.
func (s *Shards) Name() string { return s.name }

// Dims returns the number of datapoints in all shards and that of neurons in each.
func (s *Shards) Dims() (datapoints, neurons int) {
	return s.ends[len(s.ends)-1], s.files[0].neurons
}

// Shape returns the sizes of the array that the shards make together.
func (s *Shards) Shape() []int {
	shape := s.files[0].Shape()
	shape[0], _ = s.Dims()
	return shape
}

// Storage returns the type of the stored values in every shard, as File.Storage.
func (s *Shards) Storage() string { return s.files[0].Storage() }

// Close closes all shards. Reads after it fail with os.ErrClosed. A second Close
// does nothing and returns what the first did. Errors are joined.
func (s *Shards) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Read is File.Read for a block of the layer, which may lie across shards. An
// error names the shard's file, and the datapoint at which reading stopped as
// counted in it and in the layer.
func (s *Shards) Read(dst lapack.Matrix[float64], row, col int) error {
	n, d := s.Dims()
	checkBlock(dst, row, col, n, d)
	if s.files[0].source.closed.Load() {
		return fmt.Errorf("activation: %s: reading datapoint %d: %w", s.name, row, os.ErrClosed)
	}
	for done := 0; done < dst.Rows; {
		i := sort.SearchInts(s.ends, row+done+1) // the first that ends after it
		f := s.files[i]
		part := dst.View(done, 0, min(dst.Rows-done, s.ends[i]-row-done), dst.Cols)
		if err := f.Read(part, row+done-f.before, col); err != nil {
			return err
		}
		done += part.Rows
	}
	return nil
}

// Unchanged is File.Unchanged of every shard: the error of the first that has one.
func (s *Shards) Unchanged() error {
	for _, f := range s.files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}
