package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMatrixAligns: layer i of a is, but for noise, layer likes[i] of b, which is found,
// and how far the two orders agree.
func TestMatrixAligns(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("a", 0o700))
	require.NoError(t, os.Mkdir("b", 0o700))
	likes := []int{1, 0, 3, 2}
	var against []string
	for i, like := range likes {
		m, noise := gaussian(uint64(i+1), 200, 5), gaussian(uint64(i+11), 200, 5)
		save(t, fmt.Sprintf("a/l%d.npy", i), m)
		for k := range m.Data {
			m.Data[k] += noise.Data[k] / 2
		}
		save(t, fmt.Sprintf("b/l%d.npy", like), m)
		against = append(against, fmt.Sprintf("b/l%d.npy", like))
	}
	m, _ := matrixOf(t, "a", "--against", "b")
	require.NotNil(t, m.Alignment)
	for i, like := range likes {
		best := 0
		for j := range likes {
			if *m.Pairs[i][j].Mean > *m.Pairs[i][best].Mean {
				best = j
			}
		}
		require.Equal(t, like, best)
		match := m.Alignment.Rows[i]
		assert.Equal(t, like, match.Layer)
		assert.Equal(t, float64(like)/3, match.Depth)
		assert.Equal(t, *m.Pairs[i][like].Mean, match.Score)
		assert.Equal(t, i, m.Alignment.Columns[like].Layer)
	}
	// Of 6 pairs of layers 4 are in one order in both networks, 2 in another.
	assert.InDelta(t, 2./6, *m.Alignment.TauRows, 1e-15)
	assert.InDelta(t, 2./6, *m.Alignment.TauColumns, 1e-15)

	status, stdout, stderr := call(t, "matrix", "a", "--against", "b")
	require.Equal(t, exitDone, status, stderr)
	checkWidth(t, stdout)
	words := strings.Join(strings.Fields(stdout), " ")
	for _, says := range []string{
		"Most like each row, and its depth (0 for the first, 1 for the last): l0 – l1 0.33, l1 – l0 0, l2 – l3 1, l3 – l2 0.67; Kendall's τ with its own 0.33.",
		"Most like each column: l0 – l1 0.33,", "--score weighted counts those of both.",
	} {
		assert.Contains(t, words, says)
	}
	_, stdout, _ = call(t, "matrix", "a", "--against", "b", "--score", "weighted")
	assert.NotContains(t, stdout, "--score weighted counts")

	// In another order of depth the two correspond, or but for one layer that is not there.
	m, _ = matrixOf(t, append([]string{"a", "--against"}, against...)...)
	assert.Equal(t, 1., *m.Alignment.TauRows)
	_, stdout, _ = call(t, append([]string{"matrix", "a", "--against"}, against...)...)
	assert.Contains(t, stdout, "Each layer is most like the one at its own depth")
	assert.NotContains(t, stdout, "Most like")
	_, stdout, _ = call(t, append([]string{"matrix", "a", "--against"}, against[:3]...)...)
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "1 for the last): l0 – l1 0, l1 – l0 0.5, l2 – l3 1, l3 –")
}

// TestMatrixAlignsByChance: what is at chance, or saturated, is not taken for a likeness, and
// makes no order. Names that are long are shortened.
func TestMatrixAlignsByChance(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("a", 0o700))
	require.NoError(t, os.MkdirAll("b", 0o700))
	long := strings.Repeat("x", 100)
	same := gaussian(1, 200, 4)
	save(t, "a/"+long+".npy", same)
	save(t, "b/"+long+".npy", gaussian(2, 200, 4))
	save(t, "a/z.npy", gaussian(3, 200, 4))
	save(t, "b/z.npy", gaussian(4, 200, 4))
	_, stdout, _ := call(t, "matrix", "a", "--against", "b")
	assert.Contains(t, stdout, "No layer is more like one of the other network than by chance")
	assert.NotContains(t, stdout, "τ")
	_, stdout, _ = call(t, "matrix", "a", "--against", "b", "--datapoints", "0:8")
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "or than so few datapoints can tell.")

	save(t, "b/z.npy", same)
	_, stdout, _ = call(t, "matrix", "a", "--against", "b")
	checkWidth(t, stdout)
	assert.Regexp(t, `last\):\s+x+…x+ – z 1,\s+z – [xz…]+ [01]~\.\n`, stdout)
	assert.NotContains(t, stdout, "τ", "of one likeness")
}

// TestMatrixAlignsWhatCan: a pane that is not of two networks has no alignment.
func TestMatrixAlignsWhatCan(t *testing.T) {
	nets(t)
	for _, args := range [][]string{{"a"}, {"a", "--against", "b/layer1.npy"}, {"b/layer1.npy", "--against", "a"}} {
		m, _ := matrixOf(t, args...)
		assert.Nil(t, m.Alignment, args)
		_, stdout, _ := call(t, append([]string{"matrix"}, args...)...)
		assert.NotContains(t, stdout, "ost like", args)
	}
	// Of checkpoints there are numbers, but no words.
	m, _ := matrixOf(t, "a", "b", "--against", "a/layer1.npy", "a/layer2.npy")
	assert.NotNil(t, m.Alignment)
	_, stdout, _ := call(t, "matrix", "a", "b", "--against", "a/layer1.npy", "a/layer2.npy")
	assert.NotContains(t, stdout, "ost like")
	// A score that is undefined has no best.
	t.Chdir(t.TempDir())
	for i := range 4 {
		save(t, fmt.Sprintf("%d.npy", i), gaussian(uint64(i), 7, 6+i%2))
	}
	m, _ = matrixOf(t, "0.npy", "1.npy", "--against", "2.npy", "3.npy", "--score", "adjusted", "--keep", "rank")
	require.Nil(t, m.Pairs[0][0].Adjusted)
	assert.Nil(t, m.Alignment)

	s := &scored{Pane: &svcca.Pane{Rows: make([]svcca.Side, 2), Columns: make([]svcca.Side, 2), Pairs: [][]svcca.PairScores{{{MeanSquare: 0.5}, {MeanSquare: math.NaN()}}, {{}, {}}}}}
	_, err := s.align("mean_square")
	assert.ErrorIs(t, err, svcca.ErrNotFinite)
}

func TestMatchWords(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("a", 0o700))
	require.NoError(t, os.MkdirAll("b", 0o700))
	for i := range mostMatches + 1 {
		save(t, filepath.Join("a", fmt.Sprintf("l%d.npy", i)), gaussian(uint64(i), 30, 2))
		if i < 2 {
			save(t, filepath.Join("b", fmt.Sprintf("l%d.npy", i)), gaussian(uint64(i), 30, 2))
		}
	}
	status, stdout, stderr := call(t, "matrix", "a", "--against", "b")
	require.Equal(t, exitDone, status, stderr)
	words := strings.Join(strings.Fields(stdout), " ")
	assert.Contains(t, words, "for the last): --json has them all. Most like each column", "too many to tell of, some at chance")
	assert.Contains(t, words, "Most like each column: l0 – l0 0, l1 – l1 0.08; Kendall's τ with its own 1.00.")
	both := []measure.Match{{Layer: 1, Depth: 1}, {Layer: 1, Depth: 1}}
	assert.Equal(t, "rows: x – z 1, y – z 1.", matchWords("rows: ", both, []string{"", ""}, nil, []string{"x", "y"}, []string{"u", "z"}), "τ is not defined")
	assert.Equal(t, "1", depthText(1))
	assert.Equal(t, "0", depthText(0))
	assert.Equal(t, "0.5", depthText(0.5))
	assert.Equal(t, "0.67", depthText(2./3))
}
