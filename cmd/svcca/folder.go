package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// folder is a directory to make, whole or not at all.
type folder struct{ path string }

// newFolder checks, before any work is done, that a directory can be made: that its
// parent exists, and nothing of its name.
func newFolder(path string) (*folder, error) {
	f := &folder{filepath.Clean(path)}
	parent := filepath.Dir(f.path)
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: there is no directory %s to make it in", shown(path), shown(parent))
	}
	return f, f.vacant()
}

func (f *folder) vacant() error {
	if _, err := os.Lstat(f.path); err == nil {
		return fmt.Errorf("%s exists: give the name of a directory that does not, which is then made", shown(f.path))
	}
	return nil
}

// write makes the directory of what fill puts in a new one beside it. Where either fails
// nothing is left.
func (f *folder) write(fill func(dir string) error) error {
	dir := filepath.Join(filepath.Dir(f.path), fmt.Sprintf(".%s%d", filepath.Base(f.path), rand.Uint64()))
	if err := os.Mkdir(dir, 0o777); err != nil {
		return f.failed(err)
	}
	defer os.RemoveAll(dir) // nothing is there once it has its name
	if err := fill(dir); err != nil {
		return err
	}
	if err := f.vacant(); err != nil { // somebody may have been faster
		return err
	}
	return f.failed(os.Rename(dir, f.path))
}

// failed returns err by the name of the directory, not by one beside it.
func (f *folder) failed(err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	return &fs.PathError{Op: "make", Path: f.path, Err: err}
}
