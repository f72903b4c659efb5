package activation

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/maruel/natural"
)

// archive is an open file of several arrays. It stays open until it is closed and
// every File of it too.
type archive struct {
	path  string
	size  int64
	holds container
	users atomic.Int32
	close sync.Once

	file *os.File // nil where the archive is in memory
	seen os.FileInfo
}

// container is what the formats of archives have in common.
type container interface {
	// list returns the arrays' names in natural order.
	list() []string
	has(member string) bool
	// open returns where the array lies, which must be one of them, and what
	// closes it where anything has to. Errors are *FormatErrors in name, or those
	// of reading.
	open(member, name string) (h header, r io.ReaderAt, shut func() error, err error)
}

// openArchive opens the .npz or .safetensors at path. The caller closes it.
func openArchive(path string) (*archive, error) {
	r, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	a, err := archiveIn(r, info, path)
	if a == nil {
		r.Close()
		if err == nil {
			err = &FormatError{Name: path, Problem: "an archive expected, a .npz or .safetensors, found a .npy"}
		}
		return nil, err
	}
	return a, nil
}

// archiveIn returns the archive in the file r, which it owns then, or nil where r
// is none.
func archiveIn(r *os.File, info os.FileInfo, path string) (*archive, error) {
	a, err := newArchive(path, r, info.Size())
	if a != nil {
		a.file, a.seen = r, info
	}
	return a, err
}

// newArchive returns the archive of size bytes in r, or nil where r begins as none.
func newArchive(path string, r io.ReaderAt, size int64) (*archive, error) {
	head := make([]byte, min(size, sniffBytes))
	if _, err := readFull(r, head, 0); err != nil {
		return nil, fmt.Errorf("activation: %s: reading the header: %w", path, err)
	}
	a := &archive{path: path, size: size}
	var err error
	switch {
	case looksLikeZip(head):
		a.holds, err = readZip(path, r, size)
	case looksLikeTensors(head):
		a.holds, err = readTensors(path, r, size)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.users.Store(1)
	return a, nil
}

// names returns the names of all arrays, in natural order.
func (a *archive) names() []string { return a.holds.list() }

// array opens the array that is called member.
func (a *archive) array(member string) (*File, error) {
	return a.arrayAs(member, inArchive(a.path, member))
}

func (a *archive) arrayAs(member, name string) (*File, error) {
	if !a.holds.has(member) {
		return nil, &FormatError{Name: a.path, Problem: fmt.Sprintf("no member %s; %s", clip(member), a.choices())}
	}
	h, r, shut, err := a.holds.open(member, name)
	if err != nil {
		return nil, err
	}
	a.users.Add(1)
	s := newSource(r, func() error {
		var err error
		if shut != nil {
			err = shut()
		}
		return errors.Join(err, a.release())
	})
	s.file, s.seen, s.path = a.file, a.seen, a.path
	s.archive, s.member = a, member
	return newFile(name, s, h), nil
}

// only opens the member, or the only one where none is named, and leaves the
// archive to it.
func (a *archive) only(path, member string) (*File, error) {
	if path == a.path {
		members, err := a.layers()
		switch {
		case err != nil:
			return nil, err
		case len(members) != 1:
			return nil, &FormatError{Name: path, Problem: a.choices()}
		}
		member = members[0]
	}
	f, err := a.arrayAs(member, path)
	if err != nil {
		return nil, err
	}
	a.Close()
	return f, nil
}

// choices says which members there are, for a message.
func (a *archive) choices() string {
	const shown = 5
	names, err := a.layers()
	if err != nil || len(names) == 0 {
		return "the archive holds no array"
	}
	var list []string
	for _, name := range names[:min(len(names), shown)] {
		list = append(list, clip(name))
	}
	if more := len(names) - shown; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	arrays := fmt.Sprintf("%d arrays", len(names))
	if len(names) == 1 {
		arrays = "one array"
	}
	return fmt.Sprintf("the archive holds %s, %s: name one after a colon, as in %s",
		arrays, strings.Join(list, ", "), inArchive(a.path, names[0]))
}

// layers returns the names of all arrays that are not scales or zero points of
// others.
func (a *archive) layers() ([]string, error) {
	names := a.names()
	layers := []string{} // of a .npy they are nil
	for _, name := range names {
		if of, is := companionOf(name); is && a.holds.has(of) {
			h, _, shut, err := a.holds.open(of, inArchive(a.path, of))
			if shut != nil {
				shut()
			}
			if err == nil && h.element == int8Element {
				continue
			}
		}
		layers = append(layers, name)
	}
	return layers, nil
}

// Close closes the archive. Files that were opened of it stay open.
func (a *archive) Close() (err error) {
	a.close.Do(func() { err = a.release() })
	return err
}

func (a *archive) release() error {
	if a.users.Add(-1) == 0 && a.file != nil {
		return a.file.Close()
	}
	return nil
}

// naturally sorts names in natural order, those that it takes for equal, such as
// 01 and 1, by their bytes.
func naturally(names []string) []string {
	slices.SortFunc(names, func(a, b string) int {
		if c := natural.Compare(a, b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return names
}
