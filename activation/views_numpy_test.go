package activation

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestViewsNumpy: views of what numpy wrote hold what numpy makes of the same.
func TestViewsNumpy(t *testing.T) {
	dir := t.TempDir()
	python(t, `
import sys
import numpy as np

def save(name, x): np.save(sys.argv[1] + "/" + name + ".npy", x)
r = np.random.default_rng(1)
x = r.integers(-99, 99, (9, 6, 5)).astype(np.float32)
mask = r.random((9, 6)) < 0.6
mask[:, 2] = True
for order in "CF":
    save("x" + order, np.asarray(x, order=order))
    save("xt" + order, np.asarray(x.transpose(0, 2, 1), order=order))
    save("mask" + order, np.asarray(mask, order=order))
rows, columns = np.array([7, 0, 3, 3]), np.array([4, 1])
save("rows", rows)
save("took", x.astype(float)[rows][:, :, columns].reshape(len(rows), -1))
save("each", x.astype(float)[mask])
save("mean", np.array([x[i, mask[i]].astype(float).sum(0) / mask[i].sum() for i in range(9)]))
save("last", np.array([x[i, np.flatnonzero(mask[i])[-1]] for i in range(9)], float))
names = np.array(["é%d" % i for i in range(9)])
save("names", names)
save("bytes", np.array([s.encode() for s in names]))
np.savetxt(sys.argv[1] + "/names.txt", names[::-1], fmt="%s", encoding="utf-8")
save("numbers", np.arange(9, dtype=np.uint16) * 7)
`, dir)
	path := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) ([]float64, int) {
		f, err := Open(path(name + ".npy"))
		require.NoError(t, err)
		defer f.Close()
		all := matrixOf(f.Dims())
		require.NoError(t, f.Read(all, 0, 0))
		return all.Data, all.Rows
	}
	for _, order := range []string{"C", "F"} {
		mask, err := OpenMask(path("mask" + order + ".npy"))
		require.NoError(t, err)
		for layout, name := range map[TokenLayout]string{NTD: "x", NCT: "xt"} {
			x, err := Open(path(name + order + ".npy"))
			require.NoError(t, err)
			defer x.Close()
			for _, rule := range []TokenRule{Each, Mean, Last} {
				l, err := Tokens(x, TokenOptions{Layout: layout, Rule: rule, Mask: mask})
				require.NoError(t, err)
				values, n := read(rule.String())
				checkLayer(t, l, values, n, name, order, rule)
			}
			if layout == NTD {
				rows, err := OpenIndices(path("rows.npy"))
				require.NoError(t, err)
				values, n := read("took")
				checkLayer(t, Take(Take(x, 0, rows), 2, []int{4, 1}), values, n)
			}
		}
	}
	text, err := OpenIDs(path("names.txt"))
	require.NoError(t, err)
	for _, name := range []string{"names.npy", "bytes.npy"} {
		ids, err := OpenIDs(path(name))
		require.NoError(t, err)
		rows, err := Join(text, ids)
		require.NoError(t, err)
		assert.Equal(t, [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1, 0}}, rows)
	}
	numbers, err := OpenIDs(path("numbers.npy"))
	require.NoError(t, err)
	assert.Equal(t, []string{"0", "7", "14", "21", "28", "35", "42", "49", "56"}, numbers.ids)
}
