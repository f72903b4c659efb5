package activation

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// safetensors writes tensors whose element k is value(k), in blocks of three rows.
func safetensors(t *testing.T, metadata map[string]string, tensors ...Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewSafetensorsWriter(&b, metadata, tensors...)
	require.NoError(t, err)
	for _, tensor := range tensors {
		rows, d := tensor.Shape[0], rowSize(tensor.Shape)
		for row := 0; row < rows; row += 3 {
			require.NoError(t, w.Write(rowsOf(row, min(3, rows-row), d)))
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "a second time")
	return b.Bytes()
}

var someTensors = []Tensor{
	{"layer <1> & \"2\"", "float64", []int{7, 5}},
	{"none", "float64", []int{0, 3}},
	{"flat", "float64", []int{3, 0}},
	{"wide", "float64", []int{2, 9000}},
	{"λ", "float32", []int{5}},
	{"maps", "float32", []int{4, 2, 3, 2, 1}},
}

// TestSafetensorsWriter reads by the format's description alone.
func TestSafetensorsWriter(t *testing.T) {
	b := safetensors(t, map[string]string{"made": `{"by":"<test>"}`}, someTensors...)
	length := binary.LittleEndian.Uint64(b)
	assert.Zero(t, length%8, "values are aligned")
	var header map[string]struct {
		Dtype   string
		Shape   []int
		Offsets [2]int `json:"data_offsets"`
		Made    string
	}
	require.NoError(t, json.Unmarshal(b[8:8+length], &header))
	assert.Equal(t, `{"by":"<test>"}`, header["__metadata__"].Made)
	assert.Len(t, header, 1+len(someTensors))
	data, at := b[8+length:], 0
	for _, tensor := range someTensors {
		h := header[tensor.Name]
		assert.Equal(t, tensor.Shape, h.Shape)
		require.Equal(t, at, h.Offsets[0], "no gaps")
		at = h.Offsets[1]
		count := array{shape: tensor.Shape}.size()
		size := map[string]int{"float64": 8, "float32": 4}[tensor.Storage]
		require.Equal(t, count*size, h.Offsets[1]-h.Offsets[0])
		assert.Equal(t, fmt.Sprint("F", 8*size), h.Dtype)
		for k := range count {
			if p := data[h.Offsets[0]+k*size:]; size == 8 {
				require.Equal(t, value(k), math.Float64frombits(binary.LittleEndian.Uint64(p)))
			} else {
				require.Equal(t, float32(value(k)), math.Float32frombits(binary.LittleEndian.Uint32(p)))
			}
		}
	}
	assert.Len(t, data, at)
	assert.Equal(t, b, safetensors(t, map[string]string{"made": `{"by":"<test>"}`}, someTensors...), "the same bytes again")
	assert.NotContains(t, string(safetensors(t, nil, someTensors...)[:length]), metadataKey)
}

func TestSafetensorsWriterErrors(t *testing.T) {
	one := Tensor{"x", "float64", []int{2, 3}}
	begin := func(w *bytes.Buffer, tensors ...Tensor) *SafetensorsWriter {
		s, err := NewSafetensorsWriter(w, nil, tensors...)
		require.NoError(t, err)
		return s
	}
	s := begin(&bytes.Buffer{}, one)
	assert.ErrorContains(t, s.Write(rowsOf(0, 3, 3)), "writing x of 2 × 3: at least 3 datapoints came")
	assert.ErrorContains(t, s.Write(rowsOf(0, 1, 3)), "at least 3", "the first error stays")
	assert.ErrorContains(t, s.Close(), "at least 3")

	s = begin(&bytes.Buffer{}, one)
	require.NoError(t, s.Write(rowsOf(0, 1, 3)))
	assert.ErrorContains(t, s.Close(), "x of 2 × 3: only 1 datapoints came")
	assert.ErrorContains(t, s.Write(rowsOf(0, 1, 3)), "after Close")

	s = begin(&bytes.Buffer{}, one)
	require.NoError(t, s.Write(rowsOf(0, 2, 3)))
	require.NoError(t, s.Write(rowsOf(0, 0, 3)))
	assert.ErrorContains(t, s.Write(rowsOf(0, 1, 3)), "after the last tensor")

	huge := lapack.New[float64](1, 2)
	huge.Set(0, 1, 1e39)
	s = begin(&bytes.Buffer{}, Tensor{"x", "float32", []int{1, 2}})
	assert.ErrorContains(t, s.Write(huge), "writing x: value 1 of datapoint 0 is 1e+39, beyond float32")
	huge.Set(0, 1, math.Inf(-1))
	s = begin(&bytes.Buffer{}, Tensor{"x", "float32", []int{1, 2}})
	assert.NoError(t, s.Write(huge), "infinite before")

	for _, tensors := range [][]Tensor{
		{{"", "float64", []int{1}}}, {{"__metadata__", "float64", []int{1}}}, {one, one}, {{"x", "float16", []int{1}}},
		{{"x", "float64", nil}}, {{"x", "float64", []int{-1}}}, {{"x", "float64", []int{math.MaxInt, 3}}},
		{{"x", "float64", []int{math.MaxInt / 8}}, {"y", "float64", []int{math.MaxInt / 8}}},
	} {
		assert.Panics(t, func() { begin(&bytes.Buffer{}, tensors...) }, "%v", tensors)
	}
	assert.Panics(t, func() { _ = begin(&bytes.Buffer{}, one).Write(rowsOf(0, 1, 2)) }, "of another width")
}

// TestSafetensorsWriterFails: wherever the writer underneath ends, that is an error.
func TestSafetensorsWriterFails(t *testing.T) {
	full := errors.New("full")
	whole := len(safetensors(t, nil, someTensors...))
	for _, room := range []int{0, 7, 200, writerBytes, whole - 1, whole} {
		w, err := NewSafetensorsWriter(&limited{room, full}, nil, someTensors...)
		for _, tensor := range someTensors {
			if err == nil {
				err = w.Write(rowsOf(0, tensor.Shape[0], rowSize(tensor.Shape)))
			}
		}
		if err == nil {
			err = w.Close()
		}
		if room == whole {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, full, "%d bytes", room)
		}
	}
}

// limited takes so many bytes and no more.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.room)
	if l.room -= n; n < len(p) {
		return n, l.err
	}
	return n, nil
}

// TestSafetensorsRoundTrip: Open finds what was written.
func TestSafetensorsRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, os.WriteFile(path, safetensors(t, map[string]string{"format": "test"}, someTensors...), 0o600))
	members, err := Members(path)
	require.NoError(t, err)
	assert.Len(t, members, len(someTensors))
	for _, tensor := range someTensors {
		f, err := Open(path + ":" + tensor.Name)
		require.NoError(t, err)
		assert.Equal(t, tensor.Shape, f.Shape())
		assert.Equal(t, tensor.Storage, f.Storage())
		n, d := f.Dims()
		require.Empty(t, differs(f, 0, 0, n, d, 0, func(row, col int) float64 { return value(row*d + col) }), tensor.Name)
		require.NoError(t, f.Close())
	}
}

// TestSafetensorsPython: a reader written from the format's description, in another
// language, finds the values bit for bit.
func TestSafetensorsPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, os.WriteFile(path, safetensors(t, map[string]string{"format": "test"}, someTensors...), 0o600))
	out := python(t, `
import json, struct, sys
import numpy as np
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
assert header.pop("__metadata__") == {"format": "test"}
for name, t in header.items():
    begin, end = t["data_offsets"]
    x = np.frombuffer(data[8 + length:][begin:end], {"F64": "<f8", "F32": "<f4"}[t["dtype"]]).reshape(t["shape"])
    k = np.arange(x.size).reshape(x.shape)
    assert np.array_equal(x, k * 37 % 4093 - 2046), name
print(len(header))
`, path)
	assert.Equal(t, fmt.Sprintln(len(someTensors)), out)
}

// TestWriteTexts: numpy reads the texts, and writes the same bytes.
func TestWriteTexts(t *testing.T) {
	dir := t.TempDir()
	for i, texts := range [][]string{{"a", "", "λ/layer10.npy", "𝔸b"}, {}, {""}} {
		var b bytes.Buffer
		require.NoError(t, WriteTexts(&b, texts))
		path := filepath.Join(dir, fmt.Sprint(i, ".npy"))
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		want, err := json.Marshal(texts)
		require.NoError(t, err)
		python(t, `
import io, json, sys
import numpy as np
texts = json.loads(sys.argv[2])
x = np.load(sys.argv[1])
assert x.tolist() == texts and x.dtype.kind == "U", x
b = io.BytesIO()
np.save(b, np.array(texts, dtype=np.str_))
assert b.getvalue() == open(sys.argv[1], "rb").read()
`, path, string(want))
	}
	var b bytes.Buffer
	require.NoError(t, WriteTexts(&b, []string{"a\xffb"}))
	assert.Equal(t, []byte("a\x00\x00\x00\xfd\xff\x00\x00b\x00\x00\x00"), b.Bytes()[b.Len()-12:])
	full := errors.New("full")
	assert.ErrorIs(t, WriteTexts(&limited{10, full}, []string{"a"}), full)
}

// TestWriteIndices: numpy reads the integers, and writes the same bytes.
func TestWriteIndices(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteIndices(&b, []int{3, 0, -1, 1 << 40}))
	path := filepath.Join(t.TempDir(), "i.npy")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	read, err := OpenIndices(path)
	require.NoError(t, err)
	assert.Equal(t, []int{3, 0, -1, 1 << 40}, read)
	full := errors.New("full")
	assert.ErrorIs(t, WriteIndices(&limited{10, full}, []int{1}), full)
	python(t, `
import io, sys
import numpy as np
b = io.BytesIO()
np.save(b, np.array([3, 0, -1, 1 << 40]))
assert b.getvalue() == open(sys.argv[1], "rb").read()
`, path)
}
