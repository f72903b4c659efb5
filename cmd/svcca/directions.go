package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// directionArrays are the directions of both layers: for x and for y the map W
// (neurons × m), the means (neurons) and the decoder D (m × neurons), and the m
// correlations rho.
func directionArrays(c *svcca.Comparison) []namedArray {
	vector := func(name string, v []float64) namedArray { return valuesOf(name, lapack.Of(len(v), 1, v), len(v)) }
	side := func(name string, d *svcca.Directions) []namedArray {
		return []namedArray{
			valuesOf(name+"_map", d.Map, d.Map.Rows, d.Map.Cols),
			vector(name+"_mean", d.Mean),
			valuesOf(name+"_decoder", d.Decoder, d.Decoder.Rows, d.Decoder.Cols),
		}
	}
	return append(append(side("x", c.X.Directions), side("y", c.Y.Directions)...), vector("rho", c.Rho))
}

// savedSide is one side of a file of directions, of which the headers are read
// and agree with each other.
type savedSide struct {
	neurons, count         int // d and m
	mean, mapping, decoder savedArray
	close                  func() error
}

// savedArray is an array of a file of directions, of which the header is read.
type savedArray interface {
	Dims() (rows, columns int)
	// load reads the values, which are finite.
	load() (lapack.Matrix[float64], error)
}

// arrays are those of a side by the ends of their names.
func (s *savedSide) arrays() []struct {
	name string
	to   *savedArray
} {
	return []struct {
		name string
		to   *savedArray
	}{{"map", &s.mapping}, {"mean", &s.mean}, {"decoder", &s.decoder}}
}

var errFilters = errors.New("filters of feature maps, which compare --conv dft wrote: project takes directions of neurons, as of --conv flatten or pixels")

// openDirections opens one side, "x" or "y", of the file of directions at path.
func openDirections(path, side string) (*savedSide, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file: a .npz that compare --directions wrote expected", shown(path))
	}
	if strings.EqualFold(filepath.Ext(path), safetensorsSuffix) {
		return openTensors(path, side)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := newSavedSide(f, info.Size(), side)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", shown(path), err)
	}
	s.close = f.Close
	return s, nil
}

// newSavedSide reads the headers of a side of the .npz of size bytes behind r.
func newSavedSide(r io.ReaderAt, size int64, side string) (*savedSide, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("a .npz that compare --directions wrote expected: %w", err)
	}
	s := &savedSide{close: func() error { return nil }}
	for _, f := range archive.File {
		if f.Name == side+"_filters.npy" {
			return nil, errFilters
		}
	}
	for _, of := range s.arrays() {
		m, err := openMember(archive, side+"_"+of.name, size)
		if err != nil {
			return nil, err
		}
		*of.to = m
	}
	return s, s.check(side)
}

// openTensors opens a side of the .safetensors at path.
func openTensors(path, side string) (*savedSide, error) {
	names, err := activation.Members(path)
	if err != nil {
		return nil, err
	}
	if slices.Contains(names, side+"_filters") {
		return nil, fmt.Errorf("%s: %w", shown(path), errFilters)
	}
	s := &savedSide{}
	var files []*activation.File
	s.close = func() error {
		var errs []error
		for _, f := range files {
			errs = append(errs, f.Close())
		}
		return errors.Join(errs...)
	}
	for _, of := range s.arrays() {
		name := side + "_" + of.name
		f, err := activation.Open(path + ":" + name)
		if err != nil {
			s.close()
			return nil, err
		}
		files = append(files, f)
		*of.to = savedTensor{f, name}
	}
	if err := s.check(side); err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", shown(path), err)
	}
	return s, nil
}

// savedTensor is an array of a .safetensors.
type savedTensor struct {
	*activation.File
	name string
}

func (t savedTensor) load() (lapack.Matrix[float64], error) { return finiteValues(t.File, t.name) }

// check compares the sizes of the arrays with each other.
func (s *savedSide) check(side string) error {
	s.neurons, s.count = s.mapping.Dims()
	n, columns := s.mean.Dims()
	m, d := s.decoder.Dims()
	switch {
	case n != s.neurons || columns != 1 || m != s.count || d != s.neurons:
		return fmt.Errorf("%s_map is %d × %d, so %s_mean must be %d × 1 and is %d × %d, and %s_decoder must be %d × %d and is %d × %d",
			side, s.neurons, s.count, side, s.neurons, n, columns, side, s.count, s.neurons, m, d)
	case s.count < 1 || s.count > s.neurons:
		return fmt.Errorf("%s_map is %d × %d: 1 to %d directions expected", side, s.neurons, s.count, s.neurons)
	}
	return nil
}

// load reads the values.
func (s *savedSide) load() (*svcca.Directions, error) {
	d := &svcca.Directions{}
	mean, err := s.mean.load()
	if err != nil {
		return nil, err
	}
	d.Mean = mean.Data
	if d.Map, err = s.mapping.load(); err != nil {
		return nil, err
	}
	d.Decoder, err = s.decoder.load()
	return d, err
}

// member is an array in a .npz. Of a compressed one only the beginning is held
// until load.
type member struct {
	name string
	zip  *zip.File
	size int64
	file *activation.File // good for its shape; for values, see load
}

const (
	headerBytes = 1 << 16 // of which numpy writes 128
	// Deflate makes up to 1032 bytes of one. Values of directions hardly shrink,
	// but for rows of zeros, which are of constant neurons.
	largestRatio = 100
	smallMember  = 1 << 20
)

// openMember reads the header of an array of an archive of size bytes. What it,
// and load, allocate is bounded by the archive's size, whatever it claims.
func openMember(archive *zip.Reader, name string, size int64) (*member, error) {
	m := &member{name: name}
	for _, f := range archive.File {
		if f.Name != name+".npy" {
			continue
		}
		if m.zip != nil {
			return nil, fmt.Errorf("damaged: two arrays are called %s", name)
		}
		m.zip = f
	}
	if m.zip == nil {
		return nil, fmt.Errorf("no array %s in it: a .npz that compare --directions wrote expected", name)
	}
	packed, unpacked := m.zip.CompressedSize64, m.zip.UncompressedSize64
	if packed > uint64(size) || m.zip.Method == zip.Store && packed != unpacked {
		return nil, fmt.Errorf("damaged: %s claims more bytes than the file has", name)
	}
	if unpacked > smallMember+largestRatio*packed {
		return nil, fmt.Errorf("%s claims to unpack from %d bytes to %d: no directions shrink like that", name, packed, unpacked)
	}
	m.size = int64(unpacked)
	begin, err := m.read(min(m.size, headerBytes))
	if err != nil {
		return nil, err
	}
	m.file, err = m.array(begin)
	return m, err
}

// read returns the first n bytes, and checks the sum of all where n is the size.
func (m *member) read(n int64) ([]byte, error) {
	r, err := m.zip.Open()
	if err != nil {
		return nil, m.wrap(err)
	}
	defer r.Close()
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, m.wrap(err)
	}
	if n == m.size {
		if _, err := r.Read(make([]byte, 1)); err != io.EOF {
			return nil, m.wrap(errors.Join(err, errors.New("damaged")))
		}
	}
	return data, nil
}

// array returns the array that begins with data.
func (m *member) array(data []byte) (*activation.File, error) {
	return activation.NewFile(m.name, bytes.NewReader(data), m.size)
}

func (m *member) Dims() (rows, columns int) { return m.file.Dims() }

func (m *member) load() (values lapack.Matrix[float64], err error) {
	data, err := m.read(m.size)
	if err != nil {
		return values, err
	}
	f, err := m.array(data)
	if err != nil {
		return values, err
	}
	return finiteValues(f, m.name)
}

// finiteValues returns the values of an array, which are finite.
func finiteValues(f *activation.File, name string) (values lapack.Matrix[float64], err error) {
	rows, columns := f.Dims()
	values = lapack.New[float64](rows, columns)
	if err := f.Read(values, 0, 0); err != nil {
		return values, err
	}
	for i, v := range values.Data {
		if math.Abs(v) <= maxFinite {
			continue
		}
		return values, fmt.Errorf("%s[%d, %d] is %v: directions are finite", name, i/columns, i%columns, v)
	}
	return values, nil
}

func (m *member) wrap(err error) error { return fmt.Errorf("%s: %w", m.name, err) }
