package activation

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writeSafetensors is a writer of the format from its description, for numpy
// arrays by name.
const writeSafetensors = `
import json, struct
import numpy as np
def write_safetensors(path, arrays, metadata=None, pad=0):
    names = {"float64": "F64", "float32": "F32", "float16": "F16", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
             "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL"}
    head, data = {}, b""
    if metadata is not None:
        head["__metadata__"] = metadata
    for name, x in arrays.items():
        dtype, x = x if isinstance(x, tuple) else (names[x.dtype.name], x)
        raw = np.ascontiguousarray(x).tobytes()
        head[name] = {"dtype": dtype, "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(head).encode() + b" " * pad
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + data)
def values(shape):
    return (np.arange(np.prod(shape, dtype=int)) * 37 % 4093 - 2046).reshape(shape)
`

// TestReadArchivesOfNumpy reads members of both kinds of .npz that numpy writes,
// and of a .safetensors: element k of each, in C order, is value(k).
func TestReadArchivesOfNumpy(t *testing.T) {
	dir := t.TempDir()
	python(t, writeSafetensors+`
import sys
arrays = {}
for descr in "<f2", ">f2", "<f4", ">f4", "<f8", ">f8":
    for order in "CF":
        for shape in (70,), (33, 21), (0, 5), (7, 2, 3), (7, 2, 3, 5), (3, 2, 3, 5, 2), (900, 50):
            name = "-".join([descr[1:], {"<": "l", ">": "b"}[descr[0]], order] + [str(s) for s in shape])
            arrays[name] = np.array(values(shape).astype(descr), order=order)
np.savez(sys.argv[1] + "/stored", **arrays)
np.savez_compressed(sys.argv[1] + "/deflated", **arrays)
write_safetensors(sys.argv[1] + "/x.safetensors", {k: x.astype(x.dtype.newbyteorder("=")) for k, x in arrays.items()}, {"format": "pt"}, 5)
`, dir)
	for _, file := range []string{"stored.npz", "deflated.npz", "x.safetensors"} {
		path := filepath.Join(dir, file)
		names, err := Members(path)
		require.NoError(t, err)
		require.Len(t, names, 6*2*7)
		for _, name := range names {
			f, err := Open(path + ":" + name)
			require.NoError(t, err)
			assert.Equal(t, path+":"+name, f.Name())
			part := strings.SplitN(name, "-", 4)
			assert.Equal(t, part[3], strings.Trim(strings.ReplaceAll(fmt.Sprint(f.Shape()), " ", "-"), "[]"))
			assert.Equal(t, map[string]string{"f2": "float16", "f4": "float32", "f8": "float64"}[part[0]], f.Storage())
			n, d := f.Dims()
			want := func(row, col int) float64 { return value(row*d + col) }
			require.Empty(t, differs(f, n/2, d/3, n-n/2, d/2, 0, want), name)
			require.Empty(t, differs(f, 0, 0, n, d, 1, want), name)
			require.NoError(t, f.Close())
		}
	}
}

// TestIntegersAndTexts reads what numpy stores of every other type.
func TestIntegersAndTexts(t *testing.T) {
	dir := t.TempDir()
	python(t, writeSafetensors+`
import sys
arrays = {"texts": np.array([["a", "äöü"], ["", "\U0001F600x"]]), "bytes": np.array([b"ab", b"", b"abc"]), "one": np.array(7)}
for code in "b1 i1 i2 i4 i8 u1 u2 u4 u8".split():
    for end in "<>":
        for order in "CF":
            arrays[code + {"<": "l", ">": "b"}[end] + order] = np.array((values((5, 7)) % 100).astype(end + code), order=order)
arrays["huge"] = np.array([1, 2**63, 2**63 + 5], dtype="u8")
np.savez(sys.argv[1] + "/x", **arrays)
np.savez_compressed(sys.argv[1] + "/y", **arrays)
del arrays["texts"], arrays["bytes"]
write_safetensors(sys.argv[1] + "/z", {k: x.astype(x.dtype.newbyteorder("=")) for k, x in arrays.items()})
`, dir)
	for _, file := range []string{"x.npz", "y.npz", "z"} {
		a, err := openArchive(filepath.Join(dir, file))
		require.NoError(t, err)
		for _, name := range a.names() {
			f, err := a.array(name)
			require.NoError(t, err)
			switch name {
			case "texts":
				got, err := f.texts(1, 3)
				require.NoError(t, err)
				assert.Equal(t, []string{"äöü", "", "\U0001F600x"}, got)
				_, err = f.ints(0, 4)
				assert.ErrorContains(t, err, "elements are U3: integers or booleans expected")
			case "bytes":
				got, err := f.texts(0, 3)
				require.NoError(t, err)
				assert.Equal(t, []string{"ab", "", "abc"}, got)
			case "one":
				got, err := f.ints(0, 1)
				require.NoError(t, err)
				assert.Equal(t, []int64{7}, got)
			case "huge":
				_, err := f.ints(0, 3)
				assert.ErrorContains(t, err, "element 1 is 9223372036854775808, more than 9223372036854775807")
			default:
				got, err := f.ints(3, 30)
				require.NoError(t, err)
				for i, v := range got {
					want := (int64(value(3+i))%100 + 100) % 100
					if name[0] == 'b' {
						want = min(want, 1)
					}
					require.Equal(t, want, v, name)
				}
				_, err = f.texts(0, 1)
				assert.ErrorIs(t, err, ErrFormat)
			}
			require.NoError(t, f.Close())
		}
		require.NoError(t, a.Close())
	}
}
