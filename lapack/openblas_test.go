//go:build cgo && !purego

package lapack

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWorkLength: LAPACK reports the length it wants as a T, and 2²⁴+1, say,
// becomes 2²⁴ as a float32. The length given must not be below the one wanted.
func TestWorkLength(t *testing.T) {
	var w workspace[float32]
	for _, wanted := range []int{1, 100, 1<<24 - 1, 1<<24 + 1} {
		calls := 0
		info := lapacke32.withWork("TEST", &w, func(work []float32, lwork int32) int32 {
			calls++
			if lwork == -1 {
				work[0] = float32(wanted)
				return 0
			}
			assert.GreaterOrEqual(t, int(lwork), wanted)
			assert.Len(t, work, int(lwork))
			return 7
		})
		assert.Equal(t, 7, info, "what an iteration says is passed on")
		assert.Equal(t, 2, calls)
	}
	assert.PanicsWithValue(t, "lapack: STEST refused argument 3", func() { lapacke32.checked("TEST", -3) })
	assert.PanicsWithValue(t, "lapack: size beyond LAPACK's 32-bit integers", func() { integer(1 << 31) })
}
