package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// newPending returns a file in path's directory that has no name until it is
// complete, so that of a process that is killed nothing is left. Where the kernel
// or the file system knows no such files (NFS, FUSE, overlays of old) it has one
// from the beginning.
func newPending(path string) (pending, error) {
	fd, err := unix.Open(filepath.Dir(path), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return newNamed(path)
	}
	p := &unnamed{os.NewFile(uintptr(fd), path), path}
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
		if err := p.Chmod(info.Mode().Perm()); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// unnamed is a pending file without a name.
type unnamed struct {
	*os.File
	path string
}

// descriptors is where an open file may be linked from: open(2), O_TMPFILE. Tests
// take it away.
var descriptors = "/proc/self/fd"

// place names the file. What is to be replaced takes two names, as no system call
// links over a file: whoever is killed between the two calls leaves a file with a
// hidden name, which is whole.
func (p *unnamed) place(replace bool) error {
	if err := p.Sync(); err != nil {
		return err
	}
	err := p.link(p.path)
	if err == nil || errors.Is(err, fs.ErrExist) && !replace {
		return err
	}
	if errors.Is(err, fs.ErrExist) {
		for errors.Is(err, fs.ErrExist) {
			name := filepath.Join(filepath.Dir(p.path), fmt.Sprintf(".%s%d", filepath.Base(p.path), rand.Uint64()))
			if err = p.link(name); err == nil {
				if err = os.Rename(name, p.path); err != nil {
					os.Remove(name)
				}
				return err
			}
		}
	}
	return p.copy(replace)
}

func (p *unnamed) link(name string) error {
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("%s/%d", descriptors, p.Fd()), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}

// copy writes the file anew with a name, where it cannot be given one: without
// /proc, or where a file system has no links.
func (p *unnamed) copy(replace bool) error {
	named, err := newNamed(p.path)
	if err != nil {
		return err
	}
	defer named.cleanup()
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(named, p.File); err != nil {
		return err
	}
	return named.place(replace)
}

func (p *unnamed) cleanup() { p.Close() }
