package main

import (
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOutputNames: a file has no name before it is whole, where it can be given one
// afterwards; and where it cannot it is there in the end all the same.
func TestOutputNames(t *testing.T) {
	t.Cleanup(func() { descriptors = "/proc/self/fd" })
	for _, descriptors = range []string{"/proc/self/fd", "/absent"} {
		t.Chdir(t.TempDir())
		fill := func(text string) func(io.Writer) error {
			return func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return err
			}
		}
		f, err := newPending("out")
		require.NoError(t, err)
		if _, is := f.(*unnamed); !is {
			t.Skip("this file system has no files without names")
		}
		f.cleanup()
		out := &target{path: "out"}
		require.NoError(t, out.write(func(w io.Writer) error {
			_, err := w.Write(make([]byte, 1<<18)) // more than the buffer
			assert.Empty(t, listing(t, "."))
			return err
		}))
		assert.Len(t, read(t, "out"), 1<<18)
		assert.ErrorContains(t, out.write(fill("again")), "out exists")
		require.NoError(t, os.Chmod("out", 0o604))
		out.force = true
		require.NoError(t, out.write(fill("again")))
		assert.Equal(t, "again", string(read(t, "out")))
		info, err := os.Stat("out")
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o604), info.Mode(), "as before")
		failed := errors.New("failed")
		assert.ErrorIs(t, out.write(func(w io.Writer) error {
			_, _ = w.Write(make([]byte, 1<<18))
			return failed
		}), failed)
		assert.Equal(t, "again", string(read(t, "out")))
		assert.Equal(t, []string{"out"}, listing(t, "."))

		// Somebody is faster, after the last look.
		if descriptors == "/proc/self/fd" {
			f, err = newPending("fast")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile("fast", nil, 0o600))
			assert.ErrorIs(t, f.place(false), os.ErrExist)
			f.cleanup()
			assert.Empty(t, read(t, "fast"))
		}

		absent := &target{path: "absent/out"}
		assert.Contains(t, message(absent.write(fill(""))), "absent/out: no such file")
	}
}
