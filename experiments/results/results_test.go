package results

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/figure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var curves = figure.Curves{Series: []figure.Series{{X: []float64{1, 2}, Y: []float64{0, 1}}}}

func names(t *testing.T, dir string) (all []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	d, err := New(filepath.Join(dir, "out"))
	require.NoError(t, err)
	require.NoError(t, d.Write(map[string]int{"k": 3}, Figure{Name: "curve", Of: curves}))
	assert.Equal(t, []string{"out"}, names(t, dir), "nothing else is left")
	assert.Equal(t, []string{"curve.png", "curve.svg", "result.json"}, names(t, filepath.Join(dir, "out")))
	text, err := os.ReadFile(filepath.Join(dir, "out", "result.json"))
	require.NoError(t, err)
	assert.Equal(t, "{\n  \"k\": 3\n}\n", string(text))

	assert.ErrorContains(t, d.Write(1), "has come into being meanwhile")
	_, err = New(filepath.Join(dir, "out"))
	assert.ErrorContains(t, err, "exists: a new directory is expected")
	_, err = New(filepath.Join(dir, "no", "out"))
	assert.ErrorContains(t, err, "there is no directory")
}

// TestWhole: a figure that cannot be drawn leaves nothing.
func TestWhole(t *testing.T) {
	dir := t.TempDir()
	d, err := New(filepath.Join(dir, "out"))
	require.NoError(t, err)
	assert.ErrorContains(t, d.Write(1, Figure{Name: "good", Of: curves}, Figure{Name: "bad", Of: figure.Curves{}}), "figure bad: ")
	assert.Empty(t, names(t, dir))
}
