package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saveSparse saves the values of m that are not zero as scipy does.
func saveSparse(t *testing.T, path string, m lapack.Matrix[float64]) string {
	t.Helper()
	dok := sparse.NewDOK(m.Rows, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if v != 0 {
				dok.Set(i, j, v)
			}
		}
	}
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, activation.WriteSparse(f, dok.ToCSR()))
	require.NoError(t, f.Close())
	return path
}

// TestSparse: every command takes the files of scipy.sparse.save_npz, and says of them
// what it says of the same values in .npy.
func TestSparse(t *testing.T) {
	dir := t.TempDir()
	var dense, thin, turned []string
	for k, name := range []string{"a", "b"} {
		m := gaussian(uint64(k), 300, 30)
		for i := range m.Rows {
			for j, v := range m.Row(i) {
				if m.Set(i, j, max(0, v-1.5)); k > 0 && j < 8 && i%2 == 0 {
					m.Set(i, j, float64((i*j)%7)/float64(9+j)) // some in common
				}
			}
		}
		other := lapack.New[float64](m.Cols, m.Rows)
		other.TransposeFrom(m)
		dense = append(dense, save(t, filepath.Join(dir, name+".npy"), m))
		thin = append(thin, saveSparse(t, filepath.Join(dir, name+".npz"), m))
		turned = append(turned, saveSparse(t, filepath.Join(dir, name+"-turned.npz"), other))
	}
	rho := func(args ...string) (values []float64) {
		t.Helper()
		status, stdout, stderr := call(t, append(append([]string{"compare"}, args...), "--json", "--quiet")...)
		require.Equal(t, exitDone, status, stderr)
		var r struct{ Rho []float64 }
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		return r.Rho
	}
	want := rho(dense...)
	for _, args := range [][]string{thin, {thin[0], dense[1]}, append(turned, "--transpose")} {
		require.InDeltaSlice(t, want, rho(args...), 1e-10, "%v", args)
	}
	sums := filepath.Join(dir, "ab.sums")
	status, _, stderr := call(t, "moments", thin[0], thin[1], "-o", sums, "--quiet")
	require.Equal(t, exitDone, status, stderr)
	require.InDeltaSlice(t, want, rho(sums), 1e-10)

	status, stdout, stderr := call(t, "matrix", thin[0], thin[1], "--quiet")
	require.Equal(t, exitDone, status, stderr)
	_, same, _ := call(t, "matrix", dense[0], dense[1], "--quiet")
	assert.NotEmpty(t, stdout)
	assert.Len(t, stdout, len(same))
	cache := filepath.Join(dir, "cache")
	for range 2 { // found, and looked up
		status, again, stderr := call(t, "matrix", thin[0], thin[1], "--quiet", "--cache", cache)
		require.Equal(t, exitDone, status, stderr)
		assert.Equal(t, stdout, again)
	}

	directions, out := filepath.Join(dir, "d.npz"), filepath.Join(dir, "p.npy")
	status, _, stderr = call(t, "compare", thin[0], thin[1], "--directions", directions, "--quiet")
	require.Equal(t, exitDone, status, stderr)
	status, _, stderr = call(t, "project", directions, thin[0], "--side", "x", "-k", "2", "-o", out, "--quiet")
	require.Equal(t, exitDone, status, stderr)
}
