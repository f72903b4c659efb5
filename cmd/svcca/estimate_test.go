package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompareEstimate(t *testing.T) {
	dir, x, y := pair(t)
	out, s := filepath.Join(dir, "d.npz"), filepath.Join(dir, "s.sums")
	before := listing(t, dir)
	status, stdout, stderr := call(t, "compare", x, y, "--dry-run", "--directions", out)
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	for _, says := range []string{"60 datapoints × 6 and 6 neurons", "720 values to read, 5.88 KiB", "flop in eigen-solves", "of memory", "on this machine"} {
		assert.Contains(t, stdout, says)
	}
	checkWidth(t, stdout)
	assert.Equal(t, before, listing(t, dir))
	empty := save(t, filepath.Join(dir, "empty.npy"), lapack.New[float64](0, 6))
	status, stdout, stderr = call(t, "compare", empty, empty, "--dry-run")
	assert.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "about 1ms on this machine")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", s)))
	status, _, stderr = call(t, "compare", s, "--dry-run")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "--dry-run does not go with sums")
}

func TestMetric(t *testing.T) {
	for v, text := range map[float64]string{0: "0 ", 999: "999 ", 999.7: "1 k", 12345: "12.3 k", 6.9e12: "6.9 T", 1e21: "1e+03 E"} {
		assert.Equal(t, text, metric(v))
	}
}

func TestRoughly(t *testing.T) {
	for d, text := range map[time.Duration]string{
		0: "1ms", 3456 * time.Microsecond: "3ms", 234 * time.Millisecond: "230ms", 12345 * time.Millisecond: "12s", 5000 * time.Second: "1h23m20s",
	} {
		assert.Equal(t, text, roughly(d))
	}
}
