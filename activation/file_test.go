package activation

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, os.WriteFile(path, array{descr: "<f4", shape: []int{3, 2}}.file(), 0o600))
	f, err := Open(path)
	require.NoError(t, err)
	assert.Equal(t, path, f.Name())
	f.Shape()[0] = 99
	assert.Equal(t, []int{3, 2}, f.Shape(), "a copy")

	view, err := f.T()
	require.NoError(t, err)
	require.NoError(t, view.Close())
	assert.NoError(t, f.Close(), "a second time")
	for _, f := range []*File{f, view} {
		err = f.Read(lapack.New[float64](1, 1), 1, 0)
		assert.ErrorIs(t, err, os.ErrClosed)
		assert.ErrorContains(t, err, path+": reading datapoint 1")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "missing.npy"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "missing.npy")

	bad := filepath.Join(dir, "bad.npy")
	require.NoError(t, os.WriteFile(bad, []byte("0.5 1.5\n"), 0o600))
	for path, problem := range map[string]string{
		dir:        "found a directory",
		os.DevNull: "found a device",
		bad:        "this looks like text",
	} {
		_, err := Open(path)
		var fault *FormatError
		require.ErrorAs(t, err, &fault)
		assert.ErrorIs(t, err, ErrFormat)
		assert.Equal(t, path, fault.Name)
		assert.Contains(t, fault.Problem, problem)
	}
}

// closer counts how often it is closed.
type closer struct {
	bytes.Reader
	closed int
	err    error
}

func (c *closer) Close() error {
	c.closed++
	return c.err
}

func TestCloseOwnsReader(t *testing.T) {
	b := array{descr: "<f4", shape: []int{3}}.file()
	c := &closer{Reader: *bytes.NewReader(b), err: errors.New("no such luck")}
	f, err := NewFile("x.npy", c, int64(len(b)))
	require.NoError(t, err)
	assert.Equal(t, c.err, f.Close())
	assert.Equal(t, c.err, f.Close())
	assert.Equal(t, 1, c.closed)

	f = openBytes(t, b)
	assert.NoError(t, f.Close(), "a bytes.Reader has no Close")
	assert.ErrorIs(t, f.Read(lapack.New[float64](3, 1), 0, 0), os.ErrClosed)

	failed := &closer{Reader: *bytes.NewReader(b)}
	_, err = NewFile("x.npy", failed, int64(len(b)-1))
	require.Error(t, err)
	assert.Zero(t, failed.closed, "a file that was not opened owns nothing")
}
