package bench

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

func TestWritePair(t *testing.T) {
	const n, d = 30, 20
	var files [2]bytes.Buffer
	require.NoError(t, WritePair(&files[0], &files[1], Steep, n, d, 1))
	x, y := Pair(Steep, n, d, 1)
	for i, layer := range [][]float32{x, y} {
		file, err := activation.NewFile("layer", bytes.NewReader(files[i].Bytes()), int64(files[i].Len()))
		require.NoError(t, err)
		assert.Equal(t, []int{n, d}, file.Shape())
		assert.Equal(t, "float32", file.Storage())
		assert.Zero(t, (files[i].Len()-4*n*d)%64, "alignment of the values")
		values := lapack.New[float64](n, d)
		require.NoError(t, file.Read(values, 0, 0))
		for j, v := range layer {
			require.Equal(t, float64(v), values.Data[j])
		}
	}
}

func TestWritePairFails(t *testing.T) {
	var file bytes.Buffer
	assert.ErrorIs(t, WritePair(&file, broken{}, Steep, 3, 2, 1), errBroken)
	assert.ErrorIs(t, WritePair(broken{}, &file, Steep, 3, 2, 1), errBroken)
	assert.ErrorIs(t, WritePair(&file, broken{}, Steep, 1000, 500, 1), errBroken, "more than a buffer")
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
