package activation

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// headBytes of an inflated member, at most, are held in memory: small arrays
	// whole, such as scales, and the headers of large ones.
	headBytes = 1 << 12
	// headStep is how much is inflated at once for a header.
	headStep = 512
)

// inflated is a compressed member of a zip archive, read at any offset. Deflate is
// read from its beginning only, so what is inflated is kept in a temporary file, up
// to the last byte asked for and no further. Its methods may be called from several
// goroutines.
type inflated struct {
	member *zip.File
	size   int64        // as the directory says
	kept   atomic.Int64 // bytes in disk: what lies before needs no lock

	mu      sync.Mutex    // for what follows
	stream  io.ReadCloser // nil before it is needed, and after its end
	head    []byte        // the member's beginning, as long as that suffices
	disk    *os.File      // then
	unnamed bool          // disk is removed already
	err     error         // the first; nothing is inflated after it
}

func newInflated(f *zip.File) *inflated {
	return &inflated{member: f, size: int64(f.UncompressedSize64)}
}

// ReadAt fills p from byte offset of the member, and inflates it as far as that
// takes. The end is reached with a check of the sum over all bytes.
func (z *inflated) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= z.size {
		return 0, io.EOF
	}
	part := p[:min(int64(len(p)), z.size-offset)]
	n, err := z.read(part, offset)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (z *inflated) read(p []byte, offset int64) (int, error) {
	end := offset + int64(len(p))
	if end > z.kept.Load() {
		z.mu.Lock()
		defer z.mu.Unlock()
		if err := z.reach(end); err != nil {
			return 0, err
		}
		if z.disk == nil {
			return copy(p, z.head[offset:]), nil
		}
	}
	return z.disk.ReadAt(p, offset)
}

// reach inflates up to byte end of the member.
func (z *inflated) reach(end int64) error {
	if z.err == nil && z.stream == nil && z.done() == 0 {
		z.stream, z.err = z.member.Open()
	}
	if z.err == nil && end <= headBytes && z.disk == nil {
		z.err = z.lengthen(min(z.size, (end+headStep-1)/headStep*headStep))
	} else if z.err == nil {
		z.err = z.keep(end)
	}
	return z.err
}

// done returns how many bytes are inflated.
func (z *inflated) done() int64 { return max(z.kept.Load(), int64(len(z.head))) }

// lengthen makes the head size bytes long.
func (z *inflated) lengthen(size int64) error {
	begin := len(z.head)
	if int64(begin) >= size {
		return nil
	}
	head := make([]byte, size)
	copy(head, z.head)
	if err := z.next(head[begin:]); err != nil {
		return err
	}
	z.head = head
	return nil
}

// keep inflates to the temporary file, up to byte end at least.
func (z *inflated) keep(end int64) error {
	if z.disk == nil {
		f, err := os.CreateTemp("", "gosvcca-*")
		if err != nil {
			return noRoom(err)
		}
		z.disk = f
		z.unnamed = os.Remove(f.Name()) == nil // where open files may be removed
		if err := z.put(z.head); err != nil {
			return err
		}
		z.head = nil
	}
	buffer := scratchPool.Get().(*[scratchBytes]byte)
	defer scratchPool.Put(buffer)
	for z.kept.Load() < end {
		p := buffer[:min(scratchBytes, z.size-z.kept.Load())]
		if err := z.next(p); err != nil {
			return err
		}
		if err := z.put(p); err != nil {
			return err
		}
	}
	return nil
}

// put writes p to the temporary file.
func (z *inflated) put(p []byte) error {
	if _, err := z.disk.WriteAt(p, z.kept.Load()); err != nil {
		return noRoom(err)
	}
	z.kept.Add(int64(len(p)))
	return nil
}

// noRoom is an error of the temporary file, by its directory: it has no name itself.
func noRoom(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("inflating to a temporary file in %s: %w", os.TempDir(), err)
}

// next fills p with the next bytes of the member. With the last of them it makes
// sure that there are no more and that their sum is right.
func (z *inflated) next(p []byte) error {
	_, err := io.ReadFull(z.stream, p)
	if err == nil && z.done()+int64(len(p)) == z.size {
		if _, err = z.stream.Read(make([]byte, 1)); err == io.EOF {
			err = nil
			z.stream.Close()
			z.stream = nil
		} else if err == nil {
			err = zip.ErrFormat
		}
	}
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, zip.ErrChecksum):
		return damaged("the values are not those that were saved: their checksum differs")
	case errors.Is(err, zip.ErrFormat):
		return damaged("more is compressed than the %d bytes that the directory says", z.size)
	case errors.As(err, &corrupt):
		return damaged("the compressed bytes cannot be inflated: %v", err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		// Or the archive has become shorter.
		return &damagedError{fmt.Sprintf("less is compressed than the %d bytes that the directory says", z.size), []error{ErrFormat, io.ErrUnexpectedEOF}}
	}
	return err
}

// Close removes the temporary file. A second Close does nothing.
func (z *inflated) Close() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.stream != nil {
		z.stream.Close()
		z.stream = nil
	}
	z.err = os.ErrClosed
	if z.disk == nil {
		return nil
	}
	err := z.disk.Close()
	if !z.unnamed {
		err = errors.Join(err, os.Remove(z.disk.Name()))
	}
	return err
}
