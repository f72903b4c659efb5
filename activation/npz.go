package activation

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// npz is the container of numpy.savez: a zip archive of a .npy for each array.
type npz struct {
	file    io.ReaderAt
	names   []string // of arrays, in natural order
	members map[string]*zip.File
}

const (
	npySuffix = ".npy"

	// encrypted is the flag of a member that is read with a password.
	encrypted = 1

	// deflateRatio is how many bytes deflate makes at most of one: 258 of two bits.
	deflateRatio = 1032
)

func looksLikeZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// readZip reads the directory of the zip archive of size bytes in r.
func readZip(path string, r io.ReaderAt, size int64) (*npz, error) {
	fault := func(format string, args ...any) (*npz, error) {
		return nil, &FormatError{Name: path, Problem: fmt.Sprintf(format, args...)}
	}
	// Of a section, reads before its beginning are an end of the file.
	z, err := zip.NewReader(io.NewSectionReader(r, 0, size), size)
	switch {
	case errors.Is(err, zip.ErrInsecurePath): // names are keys here, never paths
	case errors.Is(err, zip.ErrFormat) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fault("damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole")
	case err != nil:
		return nil, fmt.Errorf("activation: %s: reading the directory: %w", path, err)
	}
	n := &npz{file: r, members: map[string]*zip.File{}}
	torch := false
	for _, f := range z.File {
		torch = torch || f.Name == "data.pkl" || strings.HasSuffix(f.Name, "/data.pkl")
		name, isArray := strings.CutSuffix(f.Name, npySuffix)
		switch {
		case !isArray:
			continue
		case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
			return fault("damaged: the name of member %s is no text in UTF-8", clip(f.Name))
		case n.members[name] != nil:
			return fault("two members are called %s: which is meant is not to be told; save each under a name of its own", clip(f.Name))
		}
		n.members[name] = f
		n.names = append(n.names, name)
	}
	switch {
	case len(n.names) > 0:
	case torch:
		return fault("this is a PyTorch file: %s", fromTorch(path))
	case len(z.File) == 0:
		return fault("this is an empty .zip or .npz archive")
	default:
		return fault("this is a zip archive of no .npy: save each array with numpy.save, or all with numpy.savez")
	}
	if err := checkOverlap(z.File, size); err != nil {
		if errors.Is(err, ErrFormat) {
			return nil, newFormatError(path, err)
		}
		return nil, fmt.Errorf("activation: %s: reading the directory: %w", path, err)
	}
	naturally(n.names)
	return n, nil
}

// checkOverlap returns an error where members lie beyond the archive's size, or
// share bytes of it: what a small archive can be made to hold without end.
func checkOverlap(files []*zip.File, size int64) error {
	type extent struct {
		begin, end int64
		name       string
	}
	extents := make([]extent, 0, len(files))
	for _, f := range files {
		data, err := f.DataOffset()
		switch {
		case errors.Is(err, zip.ErrFormat) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return damaged("member %s is not where the directory says", clip(f.Name))
		case err != nil:
			return err
		case f.CompressedSize64 > uint64(size) || data > size-int64(f.CompressedSize64):
			return damaged("member %s of %d bytes at byte %d, the file holds %d", clip(f.Name), f.CompressedSize64, data, size)
		}
		const fixed = 30 // bytes of a member's own header before its name
		extents = append(extents, extent{max(0, data-fixed-int64(len(f.Name))), data + int64(f.CompressedSize64), f.Name})
	}
	slices.SortFunc(extents, func(a, b extent) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	for i := 1; i < len(extents); i++ {
		if before := extents[i-1]; extents[i].begin < before.end {
			return damaged("members %s and %s share bytes of the file", clip(before.name), clip(extents[i].name))
		}
	}
	return nil
}

func (n *npz) list() []string         { return slices.Clone(n.names) }
func (n *npz) has(member string) bool { return n.members[member] != nil }

func (n *npz) open(member, name string) (header, io.ReaderAt, func() error, error) {
	f := n.members[member]
	fault := func(format string, args ...any) (header, io.ReaderAt, func() error, error) {
		return header{}, nil, nil, &FormatError{Name: name, Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case f.Flags&encrypted != 0:
		return fault("this member is encrypted: save it without a password")
	case f.Method == zip.Store && f.UncompressedSize64 != f.CompressedSize64:
		return fault("damaged: stored in %d bytes, which the directory says to be %d", f.CompressedSize64, f.UncompressedSize64)
	case f.Method == zip.Store:
		begin, err := f.DataOffset()
		if err != nil {
			return header{}, nil, nil, fmt.Errorf("activation: %s: reading the header: %w", name, err)
		}
		size := int64(f.CompressedSize64)
		r := io.NewSectionReader(n.file, begin, size)
		h, err := readHeader(name, r, size)
		return h, r, nil, err
	case f.Method != zip.Deflate:
		return fault("compressed by method %d of zip, of which 0 (numpy.savez) and 8 (numpy.savez_compressed) are read: save it with one of these", f.Method)
	case f.UncompressedSize64/deflateRatio > f.CompressedSize64:
		return fault("damaged: %d bytes compressed to %d, more than %d to one, which deflate cannot", f.UncompressedSize64, f.CompressedSize64, deflateRatio)
	}
	r := newInflated(f)
	h, err := readHeader(name, r, r.size)
	if err != nil {
		r.Close()
		return header{}, nil, nil, err
	}
	return h, r, r.Close, nil
}
