package activation

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// quantized is an array of int8 whose element k, in C order, is k·29 modulo 251
// less 125.
type quantized struct {
	fortran bool
	shape   []int
}

func (q quantized) value(k int) float64 { return float64(k*29%251 - 125) }

func (q quantized) file() []byte {
	b := withHeader(1, array{descr: "|i1", fortran: q.fortran, shape: q.shape}.dict()+"\n")
	count := array{shape: q.shape}.size()
	for at := range count {
		k := at
		if q.fortran { // at = Σ iₐ·(product of the sizes before a)
			rest, pitch := at, count
			k = 0
			for _, size := range q.shape {
				pitch /= size
				k += rest % size * pitch
				rest /= size
			}
		}
		b = append(b, byte(int8(q.value(k))))
	}
	return b
}

// of returns a .npy in float64 of what value says.
func of(value func(k int) float64, shape ...int) []byte {
	a := array{descr: "<f8", shape: shape}
	b := withHeader(1, a.dict()+"\n")
	for k := range a.size() {
		b = a.append(b, value(k))
	}
	return b
}

// TestInt8: q is (q − zero)·scale, wherever the two lie and of however many numbers.
func TestInt8(t *testing.T) {
	scale := func(k int) float64 { return 0.5 + float64(k%7)/8 }
	zero := func(k int) float64 { return float64(k%5 - 2) }
	only := func(v float64) func(int) float64 { return func(int) float64 { return v } }
	for _, shape := range [][]int{{70}, {13, 11}, {1, 5}, {6, 3, 4}, {3, 2, 3, 2}, {2, 3, 1, 2, 2}} {
		for _, fortran := range []bool{false, true} {
			q := quantized{fortran, shape}
			d := array{shape: shape[1:]}.size()
			for _, c := range []struct {
				name         string
				scales, zero int // how many; -1: none
			}{{"one", 1, 1}, {"one without zero", 1, -1}, {"each", d, d}, {"each, one zero", d, 1}, {"one, each zero", 1, d}} {
				s, z := scale, zero
				if c.scales == 1 {
					s = only(0.25)
				}
				if c.zero == 1 {
					z = only(3)
				} else if c.zero < 0 {
					z = only(0)
				}
				members := []npyMember{{"q", q.file()}, {"q_scale", of(s, 1, c.scales)}}
				if c.zero > 0 {
					members = append(members, npyMember{"q.zero_point", of(z, c.zero)})
				}
				dir := t.TempDir()
				for _, m := range members {
					name := map[string]string{"q": "q.npy", "q_scale": "q.scale.npy", "q.zero_point": "q.zero_point.npy"}[m.name]
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), m.data, 0o600))
				}
				want := func(row, col int) float64 { return (q.value(row*d+col) - z(col)) * s(col) }
				digests := map[[32]byte]bool{}
				for _, path := range []string{savedNPZ(t, zip.Store, members...), savedNPZ(t, zip.Deflate, members...) + ":q", filepath.Join(dir, "q.npy")} {
					f := opened(t, path)
					assert.Equal(t, "int8", f.Storage())
					require.Empty(t, differs(f, 0, 0, shape[0], d, 1, want))
					require.Empty(t, differs(f, shape[0]/2, d/2, shape[0]-shape[0]/2, d-d/2, 0, want))
					steps := f.Steps()
					require.Len(t, steps, d)
					for j, step := range steps {
						assert.Equal(t, s(j), step)
					}
					digests[digest(t, f)] = true
				}
				assert.Len(t, digests, 1, "%s %v", c.name, shape)
			}
		}
	}
}

// TestInt8Transposed: the scale is that of the view's neurons.
func TestInt8Transposed(t *testing.T) {
	q := quantized{shape: []int{4, 6}}
	scale := func(k int) float64 { return float64(k + 1) }
	ofRows := opened(t, savedNPZ(t, zip.Store, npyMember{"q", q.file()}, npyMember{"q_scale", of(scale, 4)}))
	err := ofRows.Read(lapack.New[float64](4, 6), 0, 0)
	assert.ErrorIs(t, err, ErrFormat)
	assert.ErrorContains(t, err, "4 numbers, one for each datapoint: one expected, or one for each of the 6 neurons; transpose")
	assert.Nil(t, ofRows.Steps())
	turned, err := ofRows.T()
	require.NoError(t, err)
	checkRead(t, turned, func(row, col int) float64 { return q.value(col*6+row) * scale(col) })
	assert.Equal(t, []float64{1, 2, 3, 4}, turned.Steps())
	_, err = turned.T()
	assert.ErrorIs(t, err, ErrFormat)

	ofColumns := opened(t, savedNPZ(t, zip.Store, npyMember{"q", q.file()}, npyMember{"q_scale", of(scale, 6)}))
	_, err = ofColumns.T()
	assert.ErrorContains(t, err, "the scale or zero point has 6 numbers, one for each datapoint")
}

// TestInt8Digest: the scale and the zero point are part of the values.
func TestInt8Digest(t *testing.T) {
	q := quantized{shape: []int{4, 6}}
	seen := map[[32]byte]bool{}
	for _, c := range [][2]float64{{1, 0}, {2, 0}, {1, 1}, {0.5, 1}, {1, 2}} {
		value := func(v float64) []byte { return of(func(int) float64 { return v }, 1) }
		seen[digest(t, opened(t, savedNPZ(t, zip.Store, npyMember{"q", q.file()}, npyMember{"q_scale", value(c[0])}, npyMember{"q_zero_point", value(c[1])})))] = true
	}
	assert.Len(t, seen, 5)
}

// TestInt8Companions: scales and zero points of any numbers, and the errors of all
// else.
func TestInt8Companions(t *testing.T) {
	q := quantized{shape: []int{3, 2}}.file()
	number := func(descr string, raw ...byte) []byte {
		return append(withHeader(1, dict("'"+descr+"'", "False", "()")), raw...)
	}
	for descr, raw := range map[string][]byte{
		"<f2": {0, 0x40}, "<f4": {0, 0, 0, 0x40}, ">f4": {0x40, 0, 0, 0}, "bfloat16": {0, 0x40}, "|i1": {2}, "|u1": {2}, ">i2": {0, 2}, "<u8": {2, 0, 0, 0, 0, 0, 0, 0},
	} {
		f := opened(t, savedNPZ(t, zip.Store, npyMember{"q", q}, npyMember{"q.scale", number(descr, raw...)}, npyMember{"q_zero_point", number(descr, raw...)}))
		checkRead(t, f, func(row, col int) float64 { return (float64((row*2+col)*29%251-125) - 2) * 2 })
	}

	one := number("<f4", 0, 0, 0x80, 0x3f)
	for _, c := range []struct {
		members []npyMember
		says    string
	}{
		{nil, "q: elements are int8 without a scale: float16, bfloat16, float32, float64 or int8 with a scale expected: save the scale as q_scale or q.scale, one number, or one for each neuron"},
		{[]npyMember{{"q_scale", one}, {"q.scale", one}}, `q: both "q_scale" and "q.scale" are there: which is the scale?`},
		{[]npyMember{{"q_scale", one}, {"q_zero_point", one}, {"q.zero_point", one}}, "which is the zero_point?"},
		{[]npyMember{{"q_scale", number("|i1", 0)}}, "q: the scale holds 0: positive, finite numbers expected"},
		{[]npyMember{{"q_scale", number("<f4", 0, 0, 0x80, 0x7f)}}, "the scale holds +Inf"},
		{[]npyMember{{"q_scale", number("|S1", '1')}}, "q_scale: elements are S1: numbers expected, the scale of "},
		{[]npyMember{{"q_scale", one}, {"q_zero_point", number("<f4", 0, 0, 0xc0, 0x7f)}}, "q: the zero point holds NaN: finite numbers expected"},
		{[]npyMember{{"q_scale", of(func(int) float64 { return 1 }, 5)}}, "q_scale: 5 numbers: one expected, or one for each of the 2 neurons of "},
		{[]npyMember{{"q_scale", of(func(int) float64 { return 1 }, 0)}}, "q_scale: 0 numbers: one expected"},
		{[]npyMember{{"q_scale", []byte("hello")}}, "q_scale: not a .npy file"},
	} {
		_, err := Open(savedNPZ(t, zip.Store, append([]npyMember{{"q", q}}, c.members...)...) + ":q")
		assert.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, c.says)
	}

	path := filepath.Join(t.TempDir(), "layer3.npy")
	require.NoError(t, os.WriteFile(path, q, 0o600))
	_, err := Open(path)
	assert.ErrorIs(t, err, ErrNotLayer)
	assert.ErrorContains(t, err, "save the scale as "+filepath.Join(filepath.Dir(path), "layer3.scale.npy"))
	_, err = NewFile("x", bytes.NewReader(q), int64(len(q)))
	assert.ErrorContains(t, err, "Open looks for one beside the file")

	// Nothing to tell steps of, however many neurons.
	f := opened(t, savedNPZ(t, zip.Store, npyMember{"q", withHeader(1, dict("'|i1'", "False", "(0, 4611686018427387904)"))}, npyMember{"q_scale", one}))
	assert.Nil(t, f.Steps())
}

// TestInt8Shards: every shard has a scale of its own; the steps are the largest.
func TestInt8Shards(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	scales := [][]float64{{1, 4}, {2, 3}}
	for i, scale := range scales {
		name := filepath.Join(dir, fmt.Sprint("part-", i))
		require.NoError(t, os.WriteFile(name+".npy", quantized{shape: []int{3, 2}}.file(), 0o600))
		require.NoError(t, os.WriteFile(name+".scale.npy", of(func(k int) float64 { return scale[k] }, 2), 0o600))
		paths = append(paths, name+".npy")
	}
	s, err := OpenShards("layer", paths)
	require.NoError(t, err)
	defer s.Close()
	assert.Empty(t, differs(s, 0, 0, 6, 2, 0, func(row, col int) float64 {
		return quantized{}.value(row%3*2+col) * scales[row/3][col]
	}))
	assert.Equal(t, []float64{2, 4}, s.Steps())
}
