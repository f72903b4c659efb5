package activation

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// python runs a script with numpy, or skips the test where there is none.
func python(t *testing.T, script string, args ...string) string {
	t.Helper()
	const interpreter = "/usr/bin/python3"
	if err := exec.Command(interpreter, "-c", "import numpy").Run(); err != nil {
		t.Skipf("%s with numpy is not installed: %v", interpreter, err)
	}
	out, err := exec.Command(interpreter, append([]string{"-c", script}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// TestReadNumpy reads what numpy writes: element k of each array, in C order, is
// value(k), computed there and here.
func TestReadNumpy(t *testing.T) {
	dir := t.TempDir()
	list := python(t, `
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")  # version 3 warns of older readers
for version in (1, 2, 3):
    for descr in "<f2", ">f2", "<f4", ">f4", "<f8", ">f8":
        for order in "CF":
            for shape in (70,), (33, 21), (1, 9), (9, 1), (0, 5), (7, 2, 3, 5):
                k = np.arange(np.prod(shape, dtype=int))
                x = (k * 37 % 4093 - 2046).astype(descr).reshape(shape)
                x = np.asfortranarray(x) if order == "F" else x
                name = "-".join([str(version), descr, order] + [str(s) for s in shape]) + ".npy"
                with open(sys.argv[1] + "/" + name, "wb") as f:
                    np.lib.format.write_array(f, x, version=(version, 0))
                print(name)
`, dir)
	names := strings.Fields(list)
	require.Len(t, names, 3*6*2*6)
	fortran := 0
	for _, name := range names {
		f, err := Open(filepath.Join(dir, name))
		require.NoError(t, err)
		part := strings.Split(strings.TrimSuffix(name, ".npy"), "-")
		var shape []int
		for _, s := range part[3:] {
			size, err := strconv.Atoi(s)
			require.NoError(t, err)
			shape = append(shape, size)
		}
		require.Equal(t, shape, f.Shape())
		require.Equal(t, part[1][2:], fmt.Sprint(f.header.element.size))
		if f.header.fortran {
			fortran++
		}
		n, d := f.Dims()
		want := func(row, col int) float64 { return value(row*d + col) }
		require.Empty(t, differs(f, 0, 0, n, d, 1, want), name)
		require.Empty(t, differs(f, n/2, d/3, n-n/2, d/2, 0, want), name)
		require.NoError(t, f.Close())
	}
	assert.Equal(t, 3*6*2, fortran, "of 33 × 21 and 7 × 2 × 3 × 5; the others are in both orders, and numpy says C")
}

// TestWriterAsNumpy: what Writer writes is what numpy.save does, byte for byte.
func TestWriterAsNumpy(t *testing.T) {
	dir := t.TempDir()
	python(t, `
import sys
import numpy as np
for shape in (7,), (1797, 12), (10, 2, 3, 4), (0, 3):
    k = np.arange(np.prod(shape, dtype=int))
    name = "-".join(str(s) for s in shape) + ".npy"
    np.save(sys.argv[1] + "/" + name, (k * 37 % 4093 - 2046).astype("<f8").reshape(shape))
`, dir)
	for _, shape := range [][]int{{7}, {1797, 12}, {10, 2, 3, 4}, {0, 3}} {
		name := strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "-") + ".npy"
		want, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, write(t, shape...), name)
	}
}

// TestStreamNumpy reads from a pipe what numpy writes to one.
func TestStreamNumpy(t *testing.T) {
	out := python(t, `
import sys
import numpy as np
first = 0
for rows in 3, 0, 70, 1:
    k = first * 21 + np.arange(rows * 21)
    np.save(sys.stdout.buffer, (k * 37 % 4093 - 2046).astype("<f4").reshape(rows, 21))
    first += rows
`)
	s := NewStream("layer3", strings.NewReader(out))
	m := padded(75, 21, 1)
	rows, err := s.Read(m)
	require.NoError(t, err)
	assert.Equal(t, 74, rows)
	requireRows(t, m, 0, rows)
	_, err = s.Read(m)
	assert.Equal(t, io.EOF, err)
}
