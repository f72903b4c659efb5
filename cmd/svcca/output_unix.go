//go:build !windows

package main

import (
	"path/filepath"

	"github.com/google/renameio/v2"
)

// named is a pending file that has a hidden name beside its place.
type named struct{ *renameio.PendingFile }

func newNamed(path string) (pending, error) {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
		renameio.WithPermissions(0o666), renameio.WithExistingPermissions())
	if err != nil {
		return nil, err
	}
	return named{f}, nil
}

func (f named) place(bool) error { return f.CloseAtomicallyReplace() }

func (f named) cleanup() { f.Cleanup() }
