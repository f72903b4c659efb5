package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var _ svcca.Cache = &dirCache{}

func TestDirCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var warned []string
	c, err := openCache(dir, func(text string) { warned = append(warned, text) })
	require.NoError(t, err)
	const key = "0123456789abcdef"
	data, err := c.Get(key)
	assert.NoError(t, err)
	assert.Nil(t, data)
	for _, text := range []string{"one", "another"} {
		require.NoError(t, c.Put(key, []byte(text)))
		data, err = c.Get(key)
		assert.NoError(t, err)
		assert.Equal(t, text, string(data))
	}
	assert.Equal(t, []string{"01"}, listing(t, dir))
	assert.Equal(t, []string{key[2:]}, listing(t, filepath.Join(dir, "01")))
	for _, bad := range []string{"", "abc", "../../etc/passwd", "0123/../../x"} {
		_, err := c.Get(bad)
		assert.ErrorContains(t, err, "hexadecimal")
		assert.Error(t, c.Put(bad, nil))
	}

	// A read that fails is no miss.
	require.NoError(t, os.Mkdir(filepath.Join(dir, "01", "fe"), 0o700))
	_, err = c.Get("01fe")
	assert.ErrorContains(t, err, filepath.Join(dir, "01", "fe"))

	// What nobody can keep is said once, and is no error.
	require.NoError(t, os.RemoveAll(dir))
	assert.Empty(t, warned)
	assert.NoError(t, c.Put(key, []byte("one")))
	assert.NoError(t, c.Put("ff"+key, []byte("one")))
	require.Len(t, warned, 1)
	assert.Contains(t, warned[0], dir)
	assert.Contains(t, warned[0], "The results do not depend on it.")
}

// TestCacheSwept: what a process that was killed has left goes after a day, and
// nothing else does.
func TestCacheSwept(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-25 * time.Hour)
	for name, age := range map[string]time.Time{
		"ab/.old123": old, "ab/.new123": time.Now(), "ab/kept": old, ".hidden": old, "git/.old": old, "xy/.old": old,
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, age, age))
	}
	_, err := openCache(dir, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{".new123", "kept"}, listing(t, filepath.Join(dir, "ab")))
	assert.Equal(t, []string{".hidden", "ab", "git", "xy"}, listing(t, dir))
	assert.Equal(t, []string{".old"}, listing(t, filepath.Join(dir, "git")))
	assert.Equal(t, []string{".old"}, listing(t, filepath.Join(dir, "xy")))
}

// entries returns the files of a cache.
func entries(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	found := map[string]os.FileInfo{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found[path], err = d.Info()
		}
		return err
	}))
	return found
}

// sameScores checks that scores are the same, within the bounds of both.
func sameScores(t *testing.T, want, got matrixJSON) {
	t.Helper()
	require.Equal(t, sideNames(want.Rows), sideNames(got.Rows))
	require.Equal(t, sideNames(want.Columns), sideNames(got.Columns))
	for i := range want.Pairs {
		for j := range want.Pairs[i] {
			w, g := want.Pairs[i][j], got.Pairs[i][j]
			assert.InDelta(t, *w.Mean, *g.Mean, w.ErrorBound+g.ErrorBound)
			assert.InDelta(t, *w.PWCCAX, *g.PWCCAX, *w.PWCCAErrorBound+*g.PWCCAErrorBound)
			assert.InDelta(t, w.WeightedX, g.WeightedX, w.WeightedErrorBound+g.WeightedErrorBound)
			assert.Equal(t, w.Chance, g.Chance)
		}
	}
}

// TestMatrixCache: a second run puts nothing and says the same, one more layer
// adds its own, and damage is mended.
func TestMatrixCache(t *testing.T) {
	layers := nets(t)
	cached := func(args ...string) matrixJSON {
		t.Helper()
		m, stderr := matrixOf(t, append(args, "--cache", "cache", "--score", "pwcca_x")...)
		assert.Empty(t, stderr)
		return m
	}
	without, _ := matrixOf(t, "a", "b", "--score", "pwcca_x")
	want := cached("a", "b")
	assert.Equal(t, without.Pairs, want.Pairs, "bit for bit")
	kept := entries(t, "cache")
	require.NotEmpty(t, kept)
	nothingPut := func(before map[string]os.FileInfo) {
		t.Helper()
		after := entries(t, "cache")
		assert.Len(t, after, len(before))
		for path, info := range after {
			if b, known := before[path]; assert.True(t, known, path) {
				assert.True(t, os.SameFile(b, info), "%s was put again", path)
			}
		}
	}
	assert.Equal(t, want.Pane, cached("a", "b").Pane)
	nothingPut(kept)
	// Contents count, not names.
	require.NoError(t, os.Rename("b", "c"))
	assert.Equal(t, want.Pairs, cached("a", "c").Pairs)
	nothingPut(kept)
	require.NoError(t, os.Rename("c", "b"))

	for path := range kept {
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		flipped := append([]byte{}, good...)
		flipped[len(good)*2/3] ^= 4
		for name, damaged := range map[string][]byte{"cut": good[:len(good)/2], "empty": nil, "flipped": flipped} {
			require.NoError(t, os.WriteFile(path, damaged, 0o600), name)
			sameScores(t, want, cached("a", "b"))
			mended := entries(t, "cache")
			sameScores(t, want, cached("a", "b"))
			nothingPut(mended)
		}
	}

	before := entries(t, "cache")
	save(t, "b/layer3.npy", layers[0])
	more := cached("a", "b")
	added := 0
	for path := range entries(t, "cache") {
		if _, known := before[path]; !known {
			added++
		}
	}
	// The new layer is a copy of another: all but pairs of the two are known.
	assert.LessOrEqual(t, added, 2)
	require.NoError(t, os.RemoveAll("cache"))
	sameScores(t, more, cached("a", "b"))

	// Options count.
	kept = entries(t, "cache")
	matrixOf(t, "a", "b", "--cache", "cache", "--keep", "count(2)")
	assert.Greater(t, len(entries(t, "cache")), len(kept))
}

// TestMatrixCacheOverlaps: pairs that other runs left unknown are found.
func TestMatrixCacheOverlaps(t *testing.T) {
	nets(t)
	x, y, z := netNames[0], netNames[1], netNames[3]
	want, _ := matrixOf(t, x, y, z, "--score", "pwcca_x")
	for _, args := range [][]string{{x, y}, {y, z}, {x, "--against", z}, {z, "--against", x, y}, {x, y, z}} {
		matrixOf(t, append(args, "--score", "pwcca_x", "--cache", "cache")...)
		got, _ := matrixOf(t, x, y, z, "--score", "pwcca_x", "--cache", "cache")
		sameScores(t, want, got)
		require.NoError(t, os.RemoveAll("cache"))
	}
	matrixOf(t, x, y, "--score", "pwcca_x", "--cache", "cache")
	matrixOf(t, y, z, "--score", "pwcca_x", "--cache", "cache")
	got, _ := matrixOf(t, x, y, z, "--score", "pwcca_x", "--cache", "cache")
	sameScores(t, want, got) // only x against z was left
}

// TestMatrixCacheFails: where the cache cannot be read the run fails, by its name
// and not by that of a layer.
func TestMatrixCacheFails(t *testing.T) {
	nets(t)
	matrixOf(t, "a", "--cache", "cache")
	for path := range entries(t, "cache") {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700))
	}
	status, stdout, stderr := call(t, "matrix", "a", "--cache", "cache", "--skip-bad")
	assert.Equal(t, exitFailed, status)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "svcca: cache")
	assert.NotContains(t, stderr, "left out")
}
