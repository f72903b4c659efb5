package activation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Unchanged checks that the file behind f is still what it was when opened. Whoever
// reads a file twice meets the same values only then: call it after the last Read.
//
// It compares identity, size and time of modification, of the open file and of
// what Open's path leads to now. Where one differs, or the path leads nowhere,
// the error wraps ErrChanged and says which; others are those of the file system,
// among them os.ErrClosed after Close. It costs two system calls and reads no
// value: a write that puts the time back, or that falls into the same tick of the
// file system's clock (milliseconds) as the last before Open, goes unseen. Digest
// sees these.
//
// Of a file made by NewFile it compares the open *os.File alone; any other reader
// has nothing to compare, and the error is nil. Views share the answer.
func (f *File) Unchanged() error {
	if f.source.file == nil {
		return nil
	}
	if err := f.source.unchanged(); err != nil {
		return fmt.Errorf("activation: %s: %w", f.name, err)
	}
	return nil
}

func (s *source) unchanged() error {
	now, err := s.file.Stat()
	if err == nil {
		err = compare(s.seen, now)
	}
	if err != nil || s.path == "" {
		return err
	}
	now, err = os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: it was removed or renamed", ErrChanged)
	case err != nil:
		return err
	}
	return compare(s.seen, now)
}

// compare returns an error that wraps ErrChanged where now is not what was seen.
func compare(seen, now os.FileInfo) error {
	switch {
	case !os.SameFile(seen, now):
		return fmt.Errorf("%w: another file has taken its place", ErrChanged)
	case now.Size() != seen.Size():
		return fmt.Errorf("%w: it had %d bytes and has %d", ErrChanged, seen.Size(), now.Size())
	case !now.ModTime().Equal(seen.ModTime()):
		return fmt.Errorf("%w: it was last written at %s, now at %s", ErrChanged, stamp(seen), stamp(now))
	}
	return nil
}

func stamp(info os.FileInfo) string { return info.ModTime().UTC().Format(time.RFC3339Nano) }
