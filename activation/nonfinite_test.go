package activation

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNotFinite(t *testing.T) {
	for _, shape := range [][]int{{6}, {6, 1}, {6, 70000}, {300000, 2}, {6, 2, 3}, {4, 2, 3, 5}} {
		a := array{descr: "<f8", shape: shape}
		file := a.file()
		d := a.size() / shape[0]
		bad := map[int]bool{}
		for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			at := []int{0, a.size() - 1, a.size() - d}[i] // the last may hold two
			bad[at] = true
			binary.LittleEndian.PutUint64(file[len(file)-8*(a.size()-at):], math.Float64bits(v))
		}
		rows, count, err := NotFinite(t.Context(), openBytes(t, file))
		require.NoError(t, err)
		assert.Equal(t, []int{0, shape[0] - 1}, rows)
		assert.Equal(t, len(bad), count)

		rows, count, err = NotFinite(t.Context(), openBytes(t, a.file()))
		require.NoError(t, err)
		assert.Empty(t, rows)
		assert.Zero(t, count)
	}
	for _, shape := range [][]int{{0, 3}, {3, 0}} {
		rows, count, err := NotFinite(t.Context(), openBytes(t, array{descr: "<f8", shape: shape}.file()))
		require.NoError(t, err)
		assert.Empty(t, rows)
		assert.Zero(t, count)
	}
	f := openBytes(t, array{descr: "<f8", shape: []int{3, 3}}.file())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := NotFinite(ctx, f)
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, f.Close())
	_, _, err = NotFinite(t.Context(), f)
	assert.ErrorIs(t, err, os.ErrClosed)
}
