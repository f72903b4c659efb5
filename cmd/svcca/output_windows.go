package main

import (
	"os"
	"path/filepath"
)

// pending is renameio.PendingFile, which does not exist here, as far as needed.
// A rename on Windows replaces a file, though not atomically.
type pending struct {
	*os.File
	path string
	done bool
}

func newPending(path string) (*pending, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	return &pending{File: f, path: path}, err
}

// CloseAtomicallyReplace puts the file in its place.
func (p *pending) CloseAtomicallyReplace() error {
	if err := p.Close(); err != nil {
		return err
	}
	err := os.Rename(p.Name(), p.path)
	p.done = err == nil
	return err
}

// Cleanup removes the file unless it is in its place.
func (p *pending) Cleanup() error {
	if p.done {
		return nil
	}
	p.Close()
	return os.Remove(p.Name())
}
