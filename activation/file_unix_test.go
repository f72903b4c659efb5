//go:build unix

package activation

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOpenPipe would hang if Open opened a pipe that nobody writes to.
func TestOpenPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := Open(path)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "found a named pipe")
}

func TestOpenSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer l.Close()
	_, err = Open(path)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "found a socket")
}
