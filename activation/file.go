package activation

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// File is a layer on disk. It reads only what a block needs, when asked. Its
// methods may be called from several goroutines.
type File struct {
	name                string
	source              *source
	header              header
	datapoints, neurons int

	// A shard is a part of layer, in which before datapoints precede it.
	layer  string
	before int

	// byColumns: neighbours on disk are values of one neuron, not of one datapoint.
	byColumns bool
	tuning    tuning
}

// source is what a file and its views share.
type source struct {
	io.ReaderAt
	closed atomic.Bool
	close  func() error // does its work once

	// What Unchanged compares with: nothing where the reader is no *os.File, no
	// path where Open did not find it.
	file *os.File
	seen os.FileInfo
	path string
}

// Open opens the .npy file at path, reads its header and checks it against the
// file's size. The values are left for Read. The caller closes the file.
//
// A file that holds no layer gives a *FormatError, which wraps ErrFormat; so
// does whatever is no regular file, such as a directory, a device or a named
// pipe, without waiting for its other end. Errors of the file system are wrapped.
func Open(path string) (*File, error) {
	// Opening is not harmless: a pipe blocks until somebody writes, a device may
	// act. So look before, and again after, as the name may have moved meanwhile.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if err := checkRegular(path, info); err != nil {
		return nil, err
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	f, err := openRegular(path, r)
	if err != nil {
		r.Close()
		return nil, err
	}
	return f, nil
}

func openRegular(path string, r *os.File) (*File, error) {
	info, err := r.Stat()
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if err := checkRegular(path, info); err != nil {
		return nil, err
	}
	return newFile(path, &source{ReaderAt: r, file: r, seen: info, path: path}, info.Size())
}

func checkRegular(path string, info os.FileInfo) error {
	kind := "device"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "directory"
	case mode&os.ModeNamedPipe != 0:
		kind = "named pipe"
	case mode&os.ModeSocket != 0:
		kind = "socket"
	}
	return &FormatError{Name: path, Problem: "a regular .npy file expected, found a " + kind}
}

// NewFile returns the layer in the .npy of size bytes behind r: a bytes.Reader,
// an embedded file, a section of an archive. r must bear concurrent calls, as
// io.ReaderAt demands. Errors are those of Open and of r, and name the layer name.
// With success the File owns r, and Close closes it where it is an io.Closer.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	if size < 0 {
		panic(panicNegativeSize)
	}
	s := &source{ReaderAt: r}
	if file, ok := r.(*os.File); ok {
		info, err := file.Stat()
		if err != nil {
			return nil, fmt.Errorf("activation: %s: %w", name, err)
		}
		s.file, s.seen = file, info
	}
	return newFile(name, s, size)
}

func newFile(name string, s *source, size int64) (*File, error) {
	h, err := readHeader(name, s, size)
	if err != nil {
		return nil, err
	}
	f := &File{name: name, header: h, source: s, tuning: defaultTuning}
	f.datapoints, f.neurons = h.dims()
	// One neuron is one column, stored whole.
	f.byColumns = h.fortran || len(h.shape) == 1
	c, ok := s.ReaderAt.(io.Closer)
	s.close = sync.OnceValue(func() error {
		s.closed.Store(true)
		if ok {
			return c.Close()
		}
		return nil
	})
	return f, nil
}

// Close closes what the file reads from, for the file and all its views. Reads
// after it fail with os.ErrClosed. A second Close does nothing and returns what
// the first did.
func (f *File) Close() error { return f.source.close() }

// Name returns the path or name by which the file was opened.
func (f *File) Name() string { return f.name }

// Dims returns the numbers of datapoints and neurons, either of which may be 0.
func (f *File) Dims() (datapoints, neurons int) { return f.datapoints, f.neurons }

// Shape returns the array's 1, 2 or 4 sizes as stored, also from a view: a copy.
func (f *File) Shape() []int { return slices.Clone(f.header.shape) }

// Storage returns the type of the stored values: "float16", "float32" or
// "float64".
func (f *File) Storage() string { return f.header.element.String() }

// T returns a view of a file that holds neurons × datapoints: the same values
// with datapoints and neurons exchanged. It reads from the same source, and
// closing either closes both. A file of another than two dimensions gives a
// *FormatError.
func (f *File) T() (*File, error) {
	if len(f.header.shape) != 2 {
		return nil, &FormatError{Name: f.name, Problem: fmt.Sprintf(
			"only an array of 2 dimensions (neurons × datapoints) can be transposed, this has %d: %s",
			len(f.header.shape), formatShape(f.header.shape))}
	}
	t := *f
	t.datapoints, t.neurons = f.neurons, f.datapoints
	t.byColumns = !f.byColumns
	return &t, nil
}
