package activation

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dict returns a header's text of the given Python literals.
func dict(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
}

// file1 is a version 1 file of 6 float32 behind text.
func file1(text string) []byte { return append(withHeader(1, text), make([]byte, 24)...) }

func zipHead(member string) []byte {
	b := append([]byte("PK\x03\x04"), make([]byte, 26)...)
	binary.LittleEndian.PutUint16(b[26:], uint16(len(member)))
	return append(append(b, member...), make([]byte, 100)...)
}

// hostile files and what their errors say.
var hostile = []struct {
	name    string
	file    []byte
	message string
}{
	{"empty", nil, "not a .npy file: the file is empty"},
	{"short magic", []byte("\x93NUM"), "not a .npy file"},
	{"bytes", []byte("\x00\x01\x02\x03"), `begins with "\x00\x01\x02\x03"`},
	{"npz", zipHead("arr_0.npy"), "this is a .npz archive"},
	{"PyTorch", zipHead("archive/data.pkl"), "this is a PyTorch file"},
	{"other zip", zipHead("a.txt"), "this is a zip archive"},
	{"cut zip", []byte("PK\x03\x04"), "this is a zip archive"},
	{"lying zip", zipHead("arr_0.npy")[:34], "this is a zip archive"},
	{"empty zip", []byte("PK\x05\x06"), "an empty .zip or .npz"},
	{"HDF5", []byte("\x89HDF\r\n\x1a\n\x00\x00"), "this is an HDF5 file"},
	{"gzip", []byte("\x1f\x8b\x08\x00"), "compressed by gzip"},
	{"zstd", []byte("\x28\xb5\x2f\xfd\x00"), "compressed by zstd"},
	{"xz", []byte("\xfd7zXZ\x00\x00"), "compressed by xz"},
	{"MATLAB", []byte("MATLAB 5.0 MAT-file, Platform"), "a MATLAB file"},
	{"pickle", []byte("\x80\x04\x95\x00\x00"), "this is a pickle"},
	{"safetensors", append([]byte{80, 0, 0, 0, 0, 0, 0, 0}, `{"a":{"dtype":"F32"}}`...), ".safetensors"},
	{"LFS", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
	{"text", []byte("1.0, 2.0\n3.0, 4.0\n"), "looks like text"},
	{"long text", []byte(strings.Repeat("é", 200)), "looks like text"},
	{"cut text", []byte("a" + strings.Repeat("é", 200)), "looks like text"},

	{"magic only", []byte(magic), "truncated: the file ends inside the header"},
	{"version 2 cut", []byte(magic + "\x02\x00\x76\x00\x00"), "truncated: the file ends inside the header"},
	{"version 0", []byte(magic + "\x00\x00\x76\x00"), "version is 0.0: 1.0, 2.0 or 3.0 expected"},
	{"version 4", []byte(magic + "\x04\x00\x76\x00\x00\x00"), "version is 4.0"},
	{"version 1.1", []byte(magic + "\x01\x01\x76\x00"), "version is 1.1"},
	{"header beyond the file", []byte(magic + "\x01\x00\x76\x00{'descr'"), "truncated: the header claims 118 bytes, the file holds 8"},
	{"header of 4 GB", []byte(magic + "\x02\x00\xff\xff\xff\xff{"), "claims 4294967295 bytes, more than the 1048576"},
	{"header of 1 MB", []byte(magic + "\x03\x00\x00\x00\x10\x00{"), "truncated: the header claims 1048576 bytes"},
	{"header too long", withHeader(2, strings.Repeat(" ", maxHeader+1)), "more than the 1048576"},

	{"no dict", file1("hello"), "header: '{' expected at byte 0"},
	{"no text", file1(""), "header: '{' expected, found the end"},
	{"spaces", withHeader(2, strings.Repeat(" ", maxHeader)), "'{' expected, found the end"},
	{"empty dict", file1("{}"), `the key "descr" is missing`},
	{"open dict", file1("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)"), "'}' expected, found the end"},
	{"no shape", file1("{'descr': '<f4', 'fortran_order': False}"), `the key "shape" is missing`},
	{"no order", file1("{'descr': '<f4', 'shape': (2, 3)}"), `the key "fortran_order" is missing`},
	{"key twice", file1("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}"), `the key "descr" is there twice`},
	{"unknown key", file1("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}"), `the key "x" is unknown`},
	{"long key", file1("{'" + strings.Repeat("x", 1000) + "': 1}"), strings.Repeat("x", 40) + `"… is unknown`},
	{"key without end", file1("{'descr"), "a string has no end"},
	{"key with an escape", file1(`{'\x64escr': '<f4'}`), "holds an escape"},
	{"no colon", file1("{'descr' '<f4'}"), "':' expected at byte 9"},
	{"no comma", file1("{'descr': '<f4' 'shape': (6,)}"), "'}' expected at byte 16"},
	{"only a comma", file1("{,}"), "a string expected at byte 1"},
	{"after the dict", file1(dict("'<f4'", "False", "(2, 3)") + "x"), "the end expected"},
	{"zeros after the dict", file1(dict("'<f4'", "False", "(2, 3)") + "\x00"), "the end expected"},
	{"order 0", file1(dict("'<f4'", "0", "(2, 3)")), "True or False expected"},
	{"order Falsehood", file1(dict("'<f4'", "Falsehood", "(2, 3)")), "'}' expected"},

	{"no tuple", file1(dict("'<f4'", "False", "6")), "'(' expected"},
	{"list", file1(dict("'<f4'", "False", "[2, 3]")), "'(' expected"},
	{"parentheses", file1(dict("'<f4'", "False", "(6)")), "',' expected"},
	{"two commas", file1(dict("'<f4'", "False", "(2,,3)")), "a size expected"},
	{"no comma in the shape", file1(dict("'<f4'", "False", "(2, 3 4)")), "',' or ')' expected"},
	{"open shape", file1("{'shape': (2, 3"), "',' or ')' expected, found the end"},
	{"shape of floats", file1(dict("'<f4'", "False", "(2.0, 3)")), "',' expected"},
	{"negative", file1(dict("'<f4'", "False", "(-2, 3)")), "negative size -2"},
	{"huge", file1(dict("'<f4'", "False", "(99999999999999999999, 3)")), "the size 99999999999999999999, which no array has"},
	{"very huge", file1(dict("'<f4'", "False", "("+strings.Repeat("9", 5000)+", 3)")), "which no array has"},
	{"overflow", file1(dict("'<f4'", "False", "(4294967296, 4294967296)")), "damaged: shape 4294967296 × 4294967296"},
	{"overflow to 24 bytes", file1(dict("'<f4'", "False", "(4611686018427387904, 6)")), "damaged: shape"},
	{"overflow of bytes", file1(dict("'<f4'", "False", "(4611686018427387904, 1)")), "damaged: shape"},
	{"overflow beside 0", file1(dict("'<f4'", "False", "(0, 9223372036854775807, 9223372036854775807, 2)")), "damaged: shape"},
	{"a single number", append(withHeader(1, dict("'<f4'", "False", "()")), make([]byte, 4)...), "a single number"},
	{"6-D", file1(dict("'<f4'", "False", "(1, 2, 3, 1, 1, 1)")), "shape 1 × 2 × 3 × 1 × 1 × 1 has 6 dimensions: 1 to 5 expected, datapoints first"},
	{"a million dimensions", withHeader(2, "{'shape': ("+strings.Repeat("1,", 400000)+")}"), "more than 64 dimensions"},

	{"truncated", append(withHeader(1, dict("'<f4'", "False", "(1797, 128)")), make([]byte, 1000)...),
		"truncated: header promises 1797 × 128 float32 = 920064 bytes, file holds 1000"},
	{"large", file1(dict("'<f4'", "False", "(1099511627776, 1024)")), "truncated: header promises"},
	{"left over", file1(dict("'<f4'", "False", "(5,)")), "bytes left over after the array (several arrays saved into one file?): header promises 5 float32 = 20 bytes, file holds 24"},
	{"left over after nothing", file1(dict("'<f4'", "False", "(0, 5)")), "bytes left over"},

	{"objects", file1(dict("'|O'", "False", "(6,)")), "pickled Python objects"},
	{"complex", file1(dict("'<c8'", "False", "(3,)")), "complex numbers"},
	{"integers", file1(dict("'<i4'", "False", "(6,)")), "these are integers; save x.astype(np.float32)"},
	{"bytes as integers", file1(dict("'|u1'", "False", "(24,)")), "these are integers"},
	{"booleans", file1(dict("'|b1'", "False", "(24,)")), "these are booleans"},
	{"strings", file1(dict("'<U1'", "False", "(6,)")), "these are strings"},
	{"bfloat16", file1(dict("'|V2'", "False", "(12,)")), "this may be bfloat16, which .npy cannot express; save x.astype(np.float32)"},
	{"void", file1(dict("'|V4'", "False", "(6,)")), "raw bytes"},
	{"long double", file1(dict("'<f16'", "False", "(1,)")), "long double; save x.astype(np.float64)"},
	{"records", file1(dict("[('x', '<f4'), ('y', '<f4')]", "False", "(3,)")), "structured dtype"},
	{"a date", file1(dict("'<M8[s]'", "False", "(3,)")), `elements are "<M8[s]": float16, bfloat16, float32, float64 or int8 with a scale expected`},
	{"no type", file1(dict("''", "False", "(3,)")), `elements are ""`},
	{"order alone", file1(dict("'<'", "False", "(3,)")), `elements are "<"`},
	{"two orders", file1(dict("'<>f4'", "False", "(6,)")), `elements are "<>f4"`},
	{"long type", file1(dict("'"+strings.Repeat("x", 1000)+"'", "False", "(6,)")), strings.Repeat("x", 40) + `"…`},
}

func TestHostileHeaders(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			if strconv.IntSize < 64 && (c.name == "large" || strings.HasPrefix(c.name, "overflow")) {
				t.Skip("the sizes need ints of 64 bits to be told apart")
			}
			var before, after runtime.MemStats
			r := bytes.NewReader(c.file)
			runtime.ReadMemStats(&before)
			_, err := NewFile("x.npy", r, int64(len(c.file)))
			runtime.ReadMemStats(&after)

			var fault *FormatError
			require.ErrorAs(t, err, &fault)
			assert.ErrorIs(t, err, ErrFormat)
			assert.Equal(t, "x.npy", fault.Name)
			assert.ErrorContains(t, err, "activation: x.npy: ")
			assert.ErrorContains(t, err, c.message)
			assert.Less(t, len(err.Error()), 500, "a message is no dump")
			// The header's bytes and a string of them; the rest is messages.
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*len(c.file)+1<<16))
		})
	}
}

func TestHeaderForms(t *testing.T) {
	for _, text := range []string{
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }          \n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
		`{"descr": "<f4", "fortran_order": False, "shape": (2, 3)}`,
		"{'shape': (2L, 3L), 'fortran_order': False, 'descr': '<f4'}\n",
		" \t{ 'shape' :( 2 ,3 , ) ,'descr':'<f4','fortran_order':False}",
	} {
		for version := byte(1); version <= 3; version++ {
			b := append(withHeader(version, text), make([]byte, 24)...)
			f, err := NewFile("x.npy", bytes.NewReader(b), int64(len(b)))
			require.NoError(t, err, text)
			assert.Equal(t, []int{2, 3}, f.Shape())
			assert.Equal(t, int64(len(b)-24), f.header.begin)
		}
	}
	one := openBytes(t, file1(dict("'<f4'", "True", "(6L,)")))
	n, d := one.Dims()
	assert.Equal(t, []int{6, 1}, []int{n, d})
	long := openBytes(t, append(withHeader(2, dict("'<f4'", "False", "(6,)")+strings.Repeat(" ", 100000)), make([]byte, 24)...))
	assert.Equal(t, []int{6}, long.Shape())
}
