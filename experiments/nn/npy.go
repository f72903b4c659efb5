package nn

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

// Write writes t as .npy of version 1.0, little-endian, in the precision it has.
func (t *Tensor[T]) Write(w io.Writer) error {
	sizes := strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ", "), "[]")
	if len(t.Shape) == 1 {
		sizes += ","
	}
	header := fmt.Sprintf("{'descr': '<f%d', 'fortran_order': False, 'shape': (%s), }", binary.Size(T(0)), sizes)
	const prefix, align = 10, 64 // of magic, version and length; of where values begin
	header += strings.Repeat(" ", align-1-(prefix+len(header))%align) + "\n"
	b := bufio.NewWriter(w)
	b.WriteString("\x93NUMPY\x01\x00")
	binary.Write(b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	if err := binary.Write(b, binary.LittleEndian, t.Data); err != nil {
		return err
	}
	return b.Flush() // with the first error there was
}

// SaveAll writes a new directory with NAME.npy of each tensor; a name may have directories
// before it. The directory is whole or not there.
func SaveAll[T lapack.Real](dir string, names []string, tensors []*Tensor[T]) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists: a new directory is expected", dir)
	}
	part := filepath.Join(filepath.Dir(dir), fmt.Sprintf(".%s%d", filepath.Base(dir), rand.Uint64()))
	if err := os.Mkdir(part, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(part) // which has another name by then, or has failed
	for i, t := range tensors {
		path := filepath.Join(part, names[i]+".npy")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := t.save(path); err != nil {
			return err
		}
	}
	return os.Rename(part, dir)
}

// save writes t to a new file.
func (t *Tensor[T]) save(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return t.Write(f)
}

// load reads t, of its shape, from a file.
func (t *Tensor[T]) load(path string) error {
	f, err := activation.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if shape := f.Shape(); !slices.Equal(shape, t.Shape) {
		return fmt.Errorf("%s is of shape %v, the network's is %v", path, shape, t.Shape)
	}
	n, d := f.Dims()
	values := lapack.New[float64](n, d)
	if err := f.Read(values, 0, 0); err != nil {
		return err
	}
	for i, v := range values.Data {
		t.Data[i] = T(v)
	}
	return nil
}
