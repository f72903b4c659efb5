package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filesBelowDir returns the content of files in a directory, hidden ones too.
func filesBelowDir(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range listing(t, dir) {
		all[name] = string(read(t, filepath.Join(dir, name)))
	}
	return all
}

// TestDirectoryWhole: whenever the command is stopped, the directory is what it was
// before, absent or another, or is whole; and nothing else is left.
func TestDirectoryWhole(t *testing.T) {
	defer native.LimitThreads(1)()
	compressible(t)
	t.Setenv("LC_ALL", "C.UTF-8")
	before := listing(t, ".")
	args := strings.Fields("compress w --inputs x.npy --layers fc2 --quiet -o small --force")
	require.Equal(t, exitDone, first(call(t, args...)))
	want := filesBelowDir(t, "small")
	require.NoError(t, os.RemoveAll("small"))
	for _, old := range []string{"", "--layers out"} {
		stops := 0
		for look := int64(0); ; look++ {
			require.NoError(t, os.RemoveAll("small"))
			var was map[string]string
			if old != "" {
				require.Equal(t, exitDone, first(call(t, append(strings.Fields("compress w --inputs x.npy --quiet -o small"), strings.Fields(old)...)...)))
				was = filesBelowDir(t, "small")
				require.NotEqual(t, want, was)
			}
			ctx := &countdown{Context: t.Context()}
			ctx.left.Store(look)
			var stdout, stderr bytes.Buffer
			status := run(ctx, args, &stdout, &stderr)
			if status == exitDone {
				assert.Equal(t, want, filesBelowDir(t, "small"), "the same bytes, and nothing of what was there")
				break
			}
			require.Equal(t, exitInterrupted, status, stderr.String())
			if stops++; old == "" {
				require.Equal(t, before, listing(t, "."))
			} else {
				require.Equal(t, was, filesBelowDir(t, "small"))
			}
		}
		require.Equal(t, append(append([]string{}, before[:2]...), append([]string{"small"}, before[2:]...)...), listing(t, "."))
		assert.Greater(t, stops, 10)
	}
}

// TestDirectoryForce: by force a directory is replaced that was written so, and none that
// would be lost.
func TestDirectoryForce(t *testing.T) {
	compressible(t)
	args := strings.Fields("compress w --inputs x.npy --layers fc2 --quiet -o small")
	require.Equal(t, exitDone, first(call(t, args...)))
	status, _, stderr := call(t, args...)
	assert.Equal(t, exitFailed, status)
	assert.Equal(t, "svcca: small exists: give another name, or --force to overwrite it\n", stderr)
	args = append(args, "--force")
	require.Equal(t, exitDone, first(call(t, args...)))
	require.NoError(t, os.WriteFile("small/notes.txt", []byte("mine"), 0o600))
	was := filesBelowDir(t, "small")
	status, _, stderr = call(t, args...)
	assert.Equal(t, exitFailed, status)
	assert.Equal(t, "svcca: small holds notes.txt, which was not written with it: --force does not remove that, give another name\n", stderr)
	assert.Equal(t, was, filesBelowDir(t, "small"))
	require.NoError(t, os.RemoveAll("small"))
	require.NoError(t, os.WriteFile("small", []byte("mine"), 0o600))
	status, _, stderr = call(t, args...)
	assert.Equal(t, exitFailed, status)
	assert.Equal(t, "svcca: small is no directory, and is not replaced by one\n", stderr)
	assert.Equal(t, "mine", string(read(t, "small")))
}

// TestDirectoryRace: who is faster keeps what they wrote.
func TestDirectoryRace(t *testing.T) {
	compressible(t)
	t.Setenv("LC_ALL", "C.UTF-8")
	lost := 0
	for look := int64(1); ; look += 5 {
		require.NoError(t, os.RemoveAll("small"))
		sprung := false
		ctx := &trap{Context: t.Context(), do: func() {
			if _, err := os.Lstat("small"); err != nil {
				sprung = true
				save(t, filepath.Join(mkdir(t, "small"), "mine.npy"), gaussian(1, 2, 2))
			}
		}}
		ctx.left.Store(look)
		var stdout, stderr bytes.Buffer
		status := run(ctx, strings.Fields("compress w --inputs x.npy --layers fc2 --quiet -o small"), &stdout, &stderr)
		if !sprung {
			require.Equal(t, exitDone, status)
			break
		}
		lost++
		require.Equal(t, exitFailed, status)
		require.Contains(t, stderr.String(), "small exists")
		require.Equal(t, []string{"mine.npy"}, listing(t, "small"))
	}
	assert.Greater(t, lost, 5)
}
