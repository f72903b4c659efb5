package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// target is a file to write, whole or not at all.
type target struct {
	path  string
	force bool
}

// newTarget checks, before any work is done, that path can be written: that its
// directory exists, that nothing is there or force is given, and that what is
// there is a plain file and none of the inputs.
func newTarget(path string, force bool, inputs ...string) (*target, error) {
	t := &target{path: path, force: force}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: there is no directory %s to write it to", shown(path), shown(filepath.Dir(path)))
	}
	if err := t.vacant(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file, and is not replaced", shown(path))
	}
	for _, input := range inputs {
		if other, err := os.Stat(fileOf(input)); err == nil && os.SameFile(info, other) {
			return nil, fmt.Errorf("%s is read by this command: give another name for what it writes", shown(path))
		}
	}
	// A rename would replace a link, not the file that it leads to.
	t.path, err = filepath.EvalSymlinks(path)
	return t, err
}

// vacant returns an error where something is in the way.
func (t *target) vacant() error {
	if t.force {
		return nil
	}
	if _, err := os.Lstat(t.path); err == nil {
		return t.exists()
	}
	return nil
}

func (t *target) exists() error {
	return fmt.Errorf("%s exists: give another name, or --force to overwrite it", shown(t.path))
}

// pending is a file that is being written, in the directory where it will be.
type pending interface {
	io.Writer
	// place puts the file, all of it on disk, in its place. Where it may not replace
	// what is there the error is fs.ErrExist, as far as the system can tell.
	place(replace bool) error
	// cleanup removes the file if it is not in its place.
	cleanup()
}

// write makes the file of what fill writes. Where either fails nothing is left.
func (t *target) write(fill func(io.Writer) error) error {
	f, err := newPending(t.path)
	if err != nil {
		return t.failed(err)
	}
	defer f.cleanup()
	buffer := bufio.NewWriterSize(targetWriter{f, t}, 1<<16)
	if err := fill(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if err := t.vacant(); err != nil { // somebody may have been faster
		return err
	}
	switch err := f.place(t.force); {
	case errors.Is(err, fs.ErrExist) && !t.force:
		return t.exists()
	case err != nil:
		return t.failed(err)
	}
	return nil
}

// failed returns err by the name of the target, not by one beside it.
func (t *target) failed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &fs.PathError{Op: "write", Path: t.path, Err: err}
}

// targetWriter is a target's pending file, its errors by the target's name.
type targetWriter struct {
	pending
	of *target
}

func (w targetWriter) Write(p []byte) (int, error) {
	n, err := w.pending.Write(p)
	if err != nil {
		err = w.of.failed(err)
	}
	return n, err
}
