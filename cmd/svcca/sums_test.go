package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// first returns the status of a call.
func first(status int, _, _ string) int { return status }

func remove(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

// TestDamagedSums: of a file of sums, no beginning and no file that differs in one
// bit is taken for one.
func TestDamagedSums(t *testing.T) {
	dir := t.TempDir()
	x := save(t, filepath.Join(dir, "x.npy"), gaussian(1, 9, 2))
	y := save(t, filepath.Join(dir, "y.npy"), gaussian(2, 9, 1))
	for _, args := range [][]string{{x}, {x, y}, {x, "--triangle"}, {x, y, "--triangle"}} {
		out := filepath.Join(dir, "s.sums")
		status, _, stderr := call(t, append([]string{"moments", "-o", out, "--force"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		data := read(t, out)
		_, head, err := decodeSums(data)
		require.NoError(t, err)
		assert.Equal(t, 9, head.Datapoints)
		for n := range data {
			_, _, err := decodeSums(data[:n])
			require.ErrorIs(t, err, svcca.ErrDamaged, "cut to %d bytes", n)
		}
		_, _, err = decodeSums(append(bytes.Clone(data), 0))
		require.ErrorIs(t, err, svcca.ErrDamaged)
		for bit := range 8 * len(data) {
			data[bit/8] ^= 1 << (bit % 8)
			_, _, err := decodeSums(data)
			require.ErrorIs(t, err, svcca.ErrDamaged, "bit %d", bit)
			data[bit/8] ^= 1 << (bit % 8)
		}
		data[len(data)/2] ^= 4
		require.NoError(t, os.WriteFile(out, data, 0o600))
		before := listing(t, dir)
		for _, args := range [][]string{{"compare", out}, {"moments", out}, {"moments", "--merge", out, "-o", filepath.Join(dir, "all.sums")}} {
			status, stdout, stderr := call(t, args...)
			assert.Equal(t, exitFailed, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "s.sums: ")
			assert.Contains(t, stderr, svcca.ErrDamaged.Error())
			assert.Equal(t, before, listing(t, dir))
		}
	}
}

// TestSumsOfDifferentLayers do not merge, and the first file is left as it is.
func TestSumsOfDifferentLayers(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	sum := func(name string, args ...string) string {
		status, _, stderr := call(t, append([]string{"moments", "-o", in(name)}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		return in(name)
	}
	narrow := save(t, in("narrow.npy"), gaussian(5, 60, 5))
	single := saveSingle(t, in("single.npy"), gaussian(5, 60, 6))
	pairSums := sum("pair", x, y)
	for name, other := range map[string]struct{ path, says string }{
		"one layer": {sum("x", x), "sums of one layer here, sums of a pair of layers before"},
		"narrow":    {sum("narrow", x, narrow), "6 neurons"},
		"storage":   {sum("single", x, single), "float32"},
		"precision": {sum("mixed", x, y, "--precision", "mixed"), "mixed"},
		"method":    {sum("triangle", x, y, "--triangle"), "triangle"},
	} {
		t.Run(name, func(t *testing.T) {
			before := listing(t, dir)
			status, stdout, stderr := call(t, "moments", "--merge", pairSums, other.path, "-o", in("all"))
			assert.Equal(t, exitFailed, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, shown(other.path)+" does not fit "+shown(pairSums))
			assert.Contains(t, stderr, other.says)
			assert.Equal(t, before, listing(t, dir))
		})
	}
	// The same rows twice are an accident, under whatever name.
	twin := in("twin")
	require.NoError(t, os.WriteFile(twin, read(t, pairSums), 0o600))
	for _, second := range []string{pairSums, twin} {
		status, _, stderr := call(t, "moments", "--merge", pairSums, second, "-o", in("all"))
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "rows count once")
	}
	// Sums of one layer each are no pair.
	status, _, stderr := call(t, "compare", in("x"))
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "holds sums of one layer: those of a pair are needed")
	status, _, stderr = call(t, "compare", in("x"), in("x"))
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "do not tell what two have in common")
}

// saveSingle is save in float32, of which it rounds the values.
func saveSingle(t *testing.T, path string, m lapack.Matrix[float64]) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, npySingle(m), 0o600))
	return path
}

// FuzzSums reads files of which the checksums hold, whatever they hold: work that
// was left, with sums in it, that say and hold anything. Both are damaged, or of
// use: a comparison of them is an error or finite.
func FuzzSums(f *testing.F) {
	ctx := f.Context()
	x, y := svcca.FromSlice("x", gaussian(1, 9, 2).Data, 9, 2), svcca.FromSlice("y", gaussian(2, 9, 1).Data, 9, 1)
	for _, layers := range [][]svcca.Layer{{x}, {x, y}} {
		for _, triangle := range []bool{false, true} {
			s := newSums(len(layers), triangle, svcca.Double)
			require.NoError(f, s.add(ctx, layers, nil))
			data, err := s.of.MarshalBinary()
			require.NoError(f, err)
			begin := len(sumsMagic) + 8
			arrays := begin + int(binary.LittleEndian.Uint64(data[len(sumsMagic):]))
			f.Add([]byte(`{"schema":"svcca.partial/1","done":9}`), data[begin:arrays], data[arrays:len(data)-sha256.Size])
		}
	}
	f.Fuzz(func(t *testing.T, line, head, arrays []byte) {
		data := binary.LittleEndian.AppendUint64([]byte(sumsMagic), uint64(len(head)))
		data = sealed(append(append(data, head...), arrays...))
		s, of, err := decodeSums(data)
		_, _, ok := decodePartial(sealed(append(append(line, '\n'), data...)))
		if err != nil {
			require.ErrorIs(t, err, svcca.ErrDamaged)
			require.False(t, ok)
			return
		}
		p := newPage(style{})
		p.sumsTold("s", of)
		checkWidth(t, p.b.String())
		pair, is := s.of.(*svcca.Pair)
		if !is || of.Layers[0].Neurons+of.Layers[1].Neurons > 100 {
			return
		}
		c, err := pair.Compare(svcca.Options{})
		if err != nil {
			return
		}
		_, err = json.Marshal(c)
		require.NoError(t, err)
		require.NoError(t, writeReport(io.Discard, style{}, &result{Comparison: c}))
	})
}

// sealed returns data with their SHA-256.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}
