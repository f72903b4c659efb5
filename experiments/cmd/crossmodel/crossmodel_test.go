package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/gosvcca/gosvcca/experiments/study/studytest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run runs the command into a new directory and returns what it says and its numbers.
func run(t *testing.T, args ...string) (stdout string, n *numbers, dir string) {
	t.Helper()
	return studytest.Run[numbers](t, "crossmodel", work, args...)
}

// TestQuick: two starts are alike at the ends, and not where their datapoints do not
// correspond. Whether depths correspond on digits depends on the start and on the rounding of
// the BLAS: Kendall's τ is near two deviations, and is not asserted but where it must fail.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three networks: not with -short")
	}
	weights := t.TempDir()
	stdout, n, _ := run(t, "--nets", weights)
	assert.NotContains(t, n.Claims.Failed(), "two starts", stdout)
	stdout, n, _ = run(t, "--nets", weights, "--shuffle")
	assert.Subset(t, n.Claims.Failed(), []string{"two starts", "depths correspond"}, stdout)
}

// TestSmall: figures and numbers are there, of networks that hardly train.
func TestSmall(t *testing.T) {
	stdout, n, dir := run(t, "--steps", "20", "--width", "2", "--record", "60")
	assert.Contains(t, stdout, "% (from another start), ")
	assert.Contains(t, stdout, dir+": panes, matches and result.json\n")
	for _, name := range []string{"starts", "models", "matches"} {
		assert.FileExists(t, filepath.Join(dir, name+".svg"))
		assert.FileExists(t, filepath.Join(dir, name+".png"))
	}
	assert.Len(t, n.Accuracy, 3)
	assert.Equal(t, n.Starts.Rows, n.Starts.Columns)
	assert.Contains(t, n.Models.Columns, "block3.conv1")
	for _, p := range []*pane{n.Starts, n.Models} {
		require.Len(t, p.Similarity, len(p.Rows))
		for i, m := range p.Alignment.Rows {
			assert.Len(t, p.Similarity[i], len(p.Columns))
			assert.Equal(t, p.Similarity[i][m.Layer], m.Score)
		}
	}
}

// TestClaims: each fails as soon as what it asks for is not there.
func TestClaims(t *testing.T) {
	align := func(similarity ...[]float64) *pane {
		p := &pane{Similarity: similarity}
		for i := range similarity {
			p.Rows = append(p.Rows, string(rune('a'+i)))
		}
		require.NoError(t, p.align())
		return p
	}
	// diagonal is of layers that are like one each, and like no other.
	diagonal := func(values ...float64) *pane {
		var all [][]float64
		for i, v := range values {
			row := make([]float64, len(values))
			row[i] = v
			all = append(all, row)
		}
		return align(all...)
	}
	good := diagonal(0.9, 0.8, 0.6, 0.6, 0.5, 0.5, 0.9)
	assert.True(t, good.starts().Holds)
	assert.True(t, good.order().Holds)
	assert.True(t, good.low().Holds)
	assert.False(t, diagonal(0.6, 0.8, 0.6, 0.6, 0.5, 0.5, 0.9).starts().Holds, "of the first")
	assert.False(t, diagonal(0.9, 0.8, 0.6, 0.6, 0.5, 0.5, 0.6).starts().Holds, "of the last")
	assert.False(t, diagonal(0.6, 0.6, 0.6, 0.6, 0.5, 0.6, 0.9).low().Holds)
	assert.True(t, diagonal(0.7, 0.7, 0.6, 0.6, 0.5, 0.6, 0.9).low().Holds, "the last is left out")
	reversed := diagonal(0.9, 0.8, 0.6, 0.6, 0.5, 0.5, 0.9)
	for i, j := 0, 6; i < j; i, j = i+1, j-1 {
		reversed.Similarity[i], reversed.Similarity[j] = reversed.Similarity[j], reversed.Similarity[i]
	}
	require.NoError(t, reversed.align())
	assert.False(t, reversed.order().Holds)
	assert.False(t, align([]float64{1, 0}, []float64{1, 0}).order().Holds, "undefined")
}

// TestNothing: an interrupt, or a directory that is there, leaves nothing behind.
func TestNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, program.Interrupted, program.Run(ctx, "crossmodel", work, []string{"-o", filepath.Join(dir, "out")}, &out, &errs))
	assert.Contains(t, errs.String(), "crossmodel: interrupted: convnet")
	errs.Reset()
	assert.Equal(t, program.Failed, program.Run(context.Background(), "crossmodel", work, []string{"-o", dir}, &out, &errs))
	assert.Contains(t, errs.String(), dir+" exists: a new directory is expected")
	assert.Empty(t, out.String())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, program.Done, program.Run(context.Background(), "crossmodel", work, []string{"--help"}, &out, &errs))
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	assert.LessOrEqual(t, len(lines), 24)
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}
