package bench

import (
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFeatures: the data of W6 are as dense as they say, not negative, the same again,
// and have causes in common.
func TestFeatures(t *testing.T) {
	const n, d, density = 2000, 300, 0.02
	x, y := Features(n, d, density, 1)
	again, _ := Features(n, d, density, 1)
	require.Equal(t, x.RawMatrix(), again.RawMatrix())
	rows, cols := y.Dims()
	require.Equal(t, [2]int{n, d}, [2]int{rows, cols})
	require.NotEqual(t, x.RawMatrix().Ind, y.RawMatrix().Ind)
	for _, m := range []interface{ NNZ() int }{x, y} {
		assert.InDelta(t, density, float64(m.NNZ())/(n*d), 0.3*density)
	}
	for _, v := range x.RawMatrix().Data {
		require.Positive(t, v)
	}
	c, err := svcca.Between(svcca.FromSparse("x", x), svcca.FromSparse("y", y), svcca.Options{})
	require.NoError(t, err)
	assert.Greater(t, c.Rho[5], 0.5)
	assert.Greater(t, c.MeanSquare, c.Chance)
}
