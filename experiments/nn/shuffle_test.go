package nn_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/stretchr/testify/assert"
)

// TestShuffled: every datapoint is there once, whole, and few are where they were.
func TestShuffled(t *testing.T) {
	const n = 200
	x := nn.NewTensor[float32](n, 2, 1, 1)
	for i := range n {
		x.Data[2*i], x.Data[2*i+1] = float32(i), float32(-i)
	}
	y := nn.Shuffled(x, rand.New(rand.NewPCG(1, 2)))
	assert.Equal(t, x.Shape, y.Shape)
	stay, seen := 0, map[float32]bool{}
	for i := range n {
		v := y.Data[2*i]
		assert.Equal(t, -v, y.Data[2*i+1])
		seen[v] = true
		if v == float32(i) {
			stay++
		}
	}
	assert.Len(t, seen, n)
	assert.Less(t, stay, 10)
	assert.Equal(t, float32(1), x.Data[2], "x itself stays as it is")
}
