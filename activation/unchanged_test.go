package activation

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// long ago no clock's tick is the present one.
var longAgo = time.Date(2017, 12, 4, 0, 0, 0, 0, time.UTC)

// writeOld writes a file that was last written longAgo.
func writeOld(t *testing.T, path string, b []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, b, 0o600))
	require.NoError(t, os.Chtimes(path, longAgo, longAgo))
}

func TestUnchanged(t *testing.T) {
	b := cut("<f4", 0, 3, 4).file()
	other := cut("<f4", 9, 3, 4).file()
	overwrite := func(t *testing.T, path string, at int64, b []byte) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteAt(b, at)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
		what   string // "" where nothing changed
		byPath bool   // seen by the path alone: the open file is as it was
	}{
		{"nothing", func(t *testing.T, path string) {}, "", false},
		{"read by another", func(t *testing.T, path string) {
			_, err := os.ReadFile(path)
			require.NoError(t, err)
		}, "", false},
		{"shrunk", func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, 20))
			require.NoError(t, os.Chtimes(path, longAgo, longAgo))
		}, "bytes and has 20", false},
		{"grown", func(t *testing.T, path string) {
			overwrite(t, path, int64(len(b)), []byte{0})
			require.NoError(t, os.Chtimes(path, longAgo, longAgo))
		}, "it had ", false},
		{"rewritten in place", func(t *testing.T, path string) { overwrite(t, path, 0, other) }, "it was last written at 2017-12-04T00:00:00Z, now at ", false},
		{"removed", func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }, "it was removed or renamed", true},
		{"renamed", func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+"~")) }, "it was removed or renamed", true},
		{"replaced by its like", func(t *testing.T, path string) {
			writeOld(t, path+"~", b)
			require.NoError(t, os.Rename(path+"~", path))
		}, "another file has taken its place", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.byPath && runtime.GOOS == "windows" {
				t.Skip("an open file keeps its name there")
			}
			path := filepath.Join(t.TempDir(), "x.npy")
			writeOld(t, path, b)
			f, err := Open(path)
			require.NoError(t, err)
			defer f.Close()
			view, err := f.T()
			require.NoError(t, err)
			r, err := os.Open(path)
			require.NoError(t, err)
			unnamed, err := NewFile("layer3", r, int64(len(b)))
			require.NoError(t, err)
			defer unnamed.Close()
			shards, err := OpenShards("layer3", []string{path})
			require.NoError(t, err)
			defer shards.Close()
			require.NoError(t, f.Unchanged())

			c.change(t, path)
			for _, err := range []error{f.Unchanged(), view.Unchanged(), shards.Unchanged()} {
				if c.what == "" {
					assert.NoError(t, err)
					continue
				}
				assert.ErrorIs(t, err, ErrChanged)
				assert.ErrorContains(t, err, "activation: "+path+": file changed while it was read: ")
				assert.ErrorContains(t, err, c.what)
			}
			if c.what == "" || c.byPath {
				assert.NoError(t, unnamed.Unchanged())
			} else {
				assert.ErrorIs(t, unnamed.Unchanged(), ErrChanged)
				assert.ErrorContains(t, unnamed.Unchanged(), "activation: layer3: ")
			}
		})
	}
}

// TestUnchangedUnknown: what cannot be looked at is no change.
func TestUnchangedUnknown(t *testing.T) {
	b := cut("<f4", 0, 3, 4).file()
	inMemory := openBytes(t, b)
	require.NoError(t, inMemory.Close())
	assert.NoError(t, inMemory.Unchanged())

	path := filepath.Join(t.TempDir(), "x.npy")
	writeOld(t, path, b)
	f, err := Open(path)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	err = f.Unchanged()
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.NotErrorIs(t, err, ErrChanged)

	f, err = Open(path)
	require.NoError(t, err)
	defer f.Close()
	f.source.path += "\x00" // no name of a file: as an error of the file system
	err = f.Unchanged()
	require.Error(t, err)
	assert.ErrorContains(t, err, "activation: "+path+": ")
	assert.NotErrorIs(t, err, ErrChanged)

	r, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = NewFile("layer3", r, int64(len(b)))
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.ErrorContains(t, err, "activation: layer3: ")
}
