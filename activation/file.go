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
	steps               steps // of int8

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

	// Where the array is a member of an archive.
	archive *archive
	member  string
}

// newSource returns the source that reads from r, and that shut closes.
func newSource(r io.ReaderAt, shut func() error) *source {
	s := &source{ReaderAt: r}
	s.close = sync.OnceValue(func() error {
		s.closed.Store(true)
		return shut()
	})
	return s
}

// Open opens the layer at path, reads its header and checks it against the file's
// size. The values are left for Read. The caller closes the file.
//
// A path is that of a .npy, or of a member of an archive after a colon: "x.npz:fc1",
// "x.safetensors:fc1". An archive that holds one array may go without; Members
// tells the names. A file that is called by the whole path comes first. What a file
// is, its contents say, not its name.
//
// A file that holds no layer gives a *FormatError, which wraps ErrFormat; so
// does whatever is no regular file, such as a directory, a device or a named
// pipe, without waiting for its other end. Where the array is whole but of a type
// or shape that no layer has, it wraps ErrNotLayer too. Errors of the file system
// are wrapped.
func Open(path string) (*File, error) {
	f, err := openArray(path)
	if err != nil {
		return nil, err
	}
	if err := f.checkLayer(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OpenLayer opens whatever kind of layer the path leads to: a *Sparse where it is a
// file of scipy.sparse.save_npz, else a *File.
func OpenLayer(path string) (Layer, error) {
	if file, member := SplitMember(path); member == "" {
		if a, err := openArchive(file); err == nil && a.isSparse() {
			s, err := a.sparse()
			if err != nil {
				return nil, err
			}
			return s, nil
		} else if err == nil {
			a.Close()
		}
	}
	f, err := Open(path)
	if err != nil {
		return nil, err // and no Layer of a nil *File
	}
	return f, nil
}

// checkLayer returns an error where the array is no layer, and reads the scale of
// one of int8.
func (f *File) checkLayer() error {
	if err := f.header.checkLayer(); err != nil {
		return newFormatError(f.name, err)
	}
	if f.header.element == int8Element {
		return f.readSteps()
	}
	return nil
}

// NewFile returns the layer in the .npy of size bytes behind r: a bytes.Reader,
// an embedded file, a section of an archive. r must bear concurrent calls, as
// io.ReaderAt demands. Errors are those of Open and of r, and name the layer name.
// With success the File owns r, and Close closes it where it is an io.Closer.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	if size < 0 {
		panic(panicNegativeSize)
	}
	shut := func() error { return nil }
	if c, ok := r.(io.Closer); ok {
		shut = c.Close
	}
	s := newSource(r, shut)
	if file, ok := r.(*os.File); ok {
		info, err := file.Stat()
		if err != nil {
			return nil, fmt.Errorf("activation: %s: %w", name, err)
		}
		s.file, s.seen = file, info
	}
	h, err := readHeader(name, s, size)
	if err != nil {
		return nil, err
	}
	f := newFile(name, s, h)
	if err := f.checkLayer(); err != nil {
		return nil, err
	}
	return f, nil
}

func newFile(name string, s *source, h header) *File {
	f := &File{name: name, header: h, source: s, tuning: defaultTuning}
	f.datapoints, f.neurons = h.dims()
	// One neuron is one column, stored whole.
	f.byColumns = h.fortran || len(h.shape) == 1
	return f
}

// Close closes what the file reads from, for the file and all its views. Reads
// after it fail with os.ErrClosed. A second Close does nothing and returns what
// the first did.
func (f *File) Close() error { return f.source.close() }

// Name returns the path or name by which the file was opened.
func (f *File) Name() string { return f.name }

// Dims returns the numbers of datapoints and neurons, either of which may be 0.
func (f *File) Dims() (datapoints, neurons int) { return f.datapoints, f.neurons }

// Shape returns the array's 1 to 5 sizes as stored, also from a view: a copy.
func (f *File) Shape() []int { return slices.Clone(f.header.shape) }

// Storage returns the type of the stored values: "float16", "bfloat16", "float32",
// "float64" or "int8".
func (f *File) Storage() string { return f.header.element.String() }

// T returns a view of a file that holds neurons × datapoints: the same values
// with datapoints and neurons exchanged. It reads from the same source, and
// closing either closes both. A file of another than two dimensions gives a
// *FormatError, and so does one of int8 whose scale is one number for each datapoint then.
func (f *File) T() (*File, error) {
	if len(f.header.shape) != 2 {
		return nil, &FormatError{Name: f.name, Problem: fmt.Sprintf(
			"only an array of 2 dimensions (neurons × datapoints) can be transposed, this has %d: %s",
			len(f.header.shape), formatShape(f.header.shape))}
	}
	t := *f
	t.datapoints, t.neurons = f.neurons, f.datapoints
	t.byColumns = !f.byColumns
	if err := t.checkSteps(); err != nil {
		return nil, err
	}
	return &t, nil
}
