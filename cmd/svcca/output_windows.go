package main

import (
	"os"
	"path/filepath"
)

// named is renameio.PendingFile, which does not exist here, as far as needed.
// A rename on Windows replaces a file, though not atomically.
type named struct {
	*os.File
	path string
	done bool
}

func newNamed(path string) (pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return &named{File: f, path: path}, nil
}

func (f *named) place(bool) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	err := os.Rename(f.Name(), f.path)
	f.done = err == nil
	return err
}

func (f *named) cleanup() {
	if !f.done {
		f.Close()
		os.Remove(f.Name())
	}
}
