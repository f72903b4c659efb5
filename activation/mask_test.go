package activation

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saved writes a .npy of elements that are given as bytes, and returns its path.
func saved(t testing.TB, descr string, fortran bool, shape []int, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npy")
	b := append(withHeader(1, array{descr: descr, fortran: fortran, shape: shape}.dict()+"\n"), data...)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestMask(t *testing.T) {
	for _, shape := range [][]int{{1}, {6}, {2, 3}, {1, 2, 3}, {0}, {0, 3}, {3, 0}} {
		n := 1
		for _, s := range shape {
			n *= s
		}
		for descr, one := range map[string][]byte{"|b1": {1}, "|u1": {1}, "|i1": {1}, "<i8": {1, 0, 0, 0, 0, 0, 0, 0}, ">u2": {0, 1}, "<f4": {0, 0, 0x80, 0x3f}, ">f8": {0x3f, 0xf0, 0, 0, 0, 0, 0, 0}} {
			for _, fortran := range []bool{false, true} {
				var data []byte
				want := make([]bool, n)
				kept := []int{}
				for k := range n { // on disk
					at := k
					if fortran && len(shape) > 1 {
						// The first axis runs fastest.
						left, place, step := k, 0, n
						for _, size := range shape {
							step /= size
							place += left % size * step
							left /= size
						}
						at = place
					}
					want[at] = k%3 != 1
					if want[at] {
						data = append(data, one...)
					} else {
						data = append(data, make([]byte, len(one))...)
					}
				}
				for at, keep := range want {
					if keep {
						kept = append(kept, at)
					}
				}
				m, err := OpenMask(saved(t, descr, fortran, shape, data))
				require.NoError(t, err)
				assert.Equal(t, shape, m.Shape())
				assert.Equal(t, kept, m.Kept(), fmt.Sprint(shape, descr, fortran))
			}
		}
	}
}

func TestMaskTake(t *testing.T) {
	path := saved(t, "|b1", false, []int{3, 2}, []byte{1, 0, 0, 0, 1, 1})
	m, err := OpenMask(path)
	require.NoError(t, err)
	assert.Equal(t, path, m.Name())
	some := m.Take([]int{2, 0, 2})
	assert.Equal(t, []int{3, 2}, some.Shape())
	assert.Equal(t, []int{0, 1, 2, 4, 5}, some.Kept())
	assert.Equal(t, path, some.Name())
	assert.PanicsWithValue(t, panicBadIndex, func() { m.Take([]int{3}) })
}

func TestMaskRefused(t *testing.T) {
	for _, c := range []struct {
		descr   string
		shape   []int
		data    []byte
		problem string
	}{
		{"|u1", []int{2, 3}, []byte{0, 1, 1, 0, 1, 2}, "[1, 2] is 2: a mask is of booleans, or of 0 and 1"},
		{"<f4", []int{1}, []byte{0, 0, 0xc0, 0x7f}, "[0] is NaN"},
		{"|i1", []int{1}, []byte{0xff}, "[0] is -1"},
		{"|S1", []int{1}, []byte{'1'}, "elements are S1"},
		{"|b1", []int{}, []byte{1}, "this has 0 dimensions"},
		{"|b1", []int{1, 1, 1, 1}, []byte{1}, "this has 4 dimensions: 1 × 1 × 1 × 1"},
		{"|b1", []int{2}, []byte{1}, "truncated"},
	} {
		path := saved(t, c.descr, false, c.shape, c.data)
		_, err := OpenMask(path)
		requireProblem(t, err, path, c.problem)
	}
	_, err := OpenMask(filepath.Join(t.TempDir(), "none.npy"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzMask: a file is refused, or keeps what its bytes say, and costs no more memory
// than it has bytes.
func FuzzMask(f *testing.F) {
	for _, c := range []struct {
		descr string
		shape []int
		data  []byte
	}{{"|b1", []int{2, 3}, []byte{0, 1, 1, 0, 1, 0}}, {"<i2", []int{2}, []byte{1, 0, 0, 0}}, {"<f4", []int{1}, []byte{0, 0, 0x80, 0x3f}}, {"|b1", []int{1 << 40, 0}, nil}, {"|u1", []int{1}, []byte{2}}} {
		f.Add(append(withHeader(1, array{descr: c.descr, shape: c.shape}.dict()+"\n"), c.data...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newSource(bytes.NewReader(b), func() error { return nil })
		h, err := readHeader("x", r, int64(len(b)))
		if err != nil {
			return
		}
		m, err := readMask(newFile("x", r, h))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, len(err.Error()), 500)
			return
		}
		require.LessOrEqual(t, len(m.keep), len(b))
		kept := m.Kept()
		if m.shape[0] > len(b) || len(m.keep) == 0 {
			return // of no values there may be any number of rows
		}
		require.Equal(t, kept, m.Take(upTo(m.shape[0])).Kept())
	})
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
