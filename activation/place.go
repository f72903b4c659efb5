package activation

import (
	"fmt"
	"os"
	"path/filepath"
)

// SplitMember returns the file and the member of it that path names, as Open
// understands it: the member is "" where path is that of a file, or leads to none.
// Of several ways to cut "a:b:c" it takes the one with the longest name of a file.
func SplitMember(path string) (file, member string) {
	if _, err := os.Stat(path); err == nil {
		return path, ""
	}
	volume := len(filepath.VolumeName(path)) // the colon of C: cuts nothing
	for at := len(path) - 1; at > volume; at-- {
		if path[at] != ':' {
			continue
		}
		if info, err := os.Stat(path[:at]); err == nil && !info.IsDir() {
			return path[:at], path[at+1:]
		}
	}
	return path, ""
}

// openArray is Open for elements of any type that is read, and 0 to 5 dimensions.
func openArray(path string) (*File, error) {
	file, member := SplitMember(path)
	r, info, err := openRegular(file)
	if err != nil {
		return nil, err
	}
	f, err := openArrayIn(r, info, path, file, member)
	if err != nil {
		r.Close()
		return nil, err
	}
	return f, nil
}

// openArrayIn opens the array in r, which it owns with success.
func openArrayIn(r *os.File, info os.FileInfo, path, file, member string) (*File, error) {
	a, err := archiveIn(r, info, file)
	switch {
	case err != nil:
		return nil, err
	case a != nil:
		return a.only(path, member)
	case member != "" || path != file:
		return nil, &FormatError{Name: path, Problem: fmt.Sprintf("%s is one array, without members: open it as %s", file, file)}
	}
	s := newSource(r, r.Close)
	s.file, s.seen, s.path = r, info, file
	h, err := readHeader(path, s, info.Size())
	if err != nil {
		return nil, err
	}
	return newFile(path, s, h), nil
}

// openRegular opens the regular file at path.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	// Opening is not harmless: a pipe blocks until somebody writes, a device may
	// act. So look before, and again after, as the name may have moved meanwhile.
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("activation: %w", err)
	}
	if err := checkRegular(path, info); err != nil {
		return nil, nil, err
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("activation: %w", err)
	}
	if info, err = r.Stat(); err != nil {
		err = fmt.Errorf("activation: %w", err)
	} else {
		err = checkRegular(path, info)
	}
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return r, info, nil
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
	return &FormatError{Name: path, Problem: "a regular file of an array or of several expected, found a " + kind}
}

// Members returns the names of the arrays in the archive at path, a .npz or a
// .safetensors, in natural order (fc2 before fc10), of whatever type; but not of
// those that are the scale or the zero point of another. Open takes any of them
// after a colon. Of a .npy they are nil. Errors are those of Open.
func Members(path string) ([]string, error) {
	r, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	a, err := archiveIn(r, info, path)
	if a == nil {
		defer r.Close()
	}
	if err != nil {
		return nil, err
	}
	if a == nil {
		s := newSource(r, nil)
		_, err := readHeader(path, s, info.Size())
		return nil, err
	}
	defer a.Close()
	return a.layers()
}

// inArchive is the path of a member.
func inArchive(path, member string) string { return path + ":" + member }
