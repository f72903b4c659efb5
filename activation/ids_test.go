package activation

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpenIDs(t *testing.T) {
	dir := t.TempDir()
	text := func(s string) string {
		path := filepath.Join(dir, fmt.Sprint(len(listing(t, dir)), ".txt"))
		require.NoError(t, os.WriteFile(path, []byte(s), 0o600))
		return path
	}
	wide := func(s string) (b []byte) {
		for _, r := range s {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
		return b
	}
	for path, want := range map[string][]string{
		text("a\nb\n"):     {"a", "b"},
		text("a\nb"):       {"a", "b"},
		text("a\r\nb\r\n"): {"a", "b"},
		text("é\t1\n 層 "):  {"é\t1", " 層 "},
		text("7\n07\n-1"):  {"7", "07", "-1"},
		saved(t, "<i8", false, []int{2}, append(binary.LittleEndian.AppendUint64(nil, 1<<62), binary.LittleEndian.AppendUint64(nil, ^uint64(4))...)): {"4611686018427387904", "-5"},
		saved(t, "|u1", false, []int{3, 1}, []byte{3, 255, 0}):                 {"3", "255", "0"},
		saved(t, "|S3", false, []int{2}, []byte("ab\x00abc")):                  {"ab", "abc"},
		saved(t, "<U2", false, []int{2}, append(wide("é層"), wide("a\x00")...)): {"é層", "a"},
	} {
		x, err := OpenIDs(path)
		require.NoError(t, err)
		assert.Equal(t, want, x.ids)
		assert.Equal(t, path, x.Name())
		assert.Equal(t, len(want), x.Len())
	}
	for path, problem := range map[string]string{
		text(""):             "the file is empty",
		text("\n"):           "line 1 is empty",
		text("a\n\nb"):       "line 2 is empty",
		text("a\nb\n\n"):     "line 3 is empty",
		text("a\r\n\r\n"):    "line 2 is empty",
		text("b\na\nc\na\n"): `the id "a" is there twice, in rows 1 and 3`,
		text(strings.Repeat("a", 300) + "\n\xff"):                           "line 2 is not in UTF-8",
		saved(t, "|u1", false, []int{3}, []byte{3, 4, 3}):                   `the id "3" is there twice, in rows 0 and 2`,
		saved(t, "|u1", false, []int{0}, nil):                               "there are no ids",
		saved(t, "|u1", false, []int{1, 2}, []byte{3, 4}):                   "an array of one id per datapoint expected, this is of 1 × 2",
		saved(t, "|u1", false, []int{}, []byte{3}):                          "an array of one id per datapoint expected",
		saved(t, "<f4", false, []int{1}, []byte{0, 0, 0, 0}):                "elements are float32: ids are integers or strings",
		saved(t, "<u8", false, []int{1}, []byte(strings.Repeat("\xff", 8))): "",
		dir: "found a directory",
	} {
		_, err := OpenIDs(path)
		requireProblem(t, err, path, problem)
	}
	_, err := OpenIDs(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func listing(t *testing.T, dir string) []os.DirEntry {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return entries
}

func idsOf(t *testing.T, name string, ids ...string) IDs {
	t.Helper()
	x, err := NewIDs(name, ids)
	require.NoError(t, err)
	return x
}

func TestJoin(t *testing.T) {
	rows, err := Join(idsOf(t, "x", "d", "a", "c", "b"), idsOf(t, "y", "b", "e", "d", "a"))
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 1, 3}, {2, 3, 0}}, rows)
	rows, err = Join(idsOf(t, "x", "d", "a"))
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, 1}}, rows)

	_, err = Join(idsOf(t, "x", "img_1", "img_2"), idsOf(t, "y", "img_2"), idsOf(t, "z", "1.png"))
	require.ErrorIs(t, err, ErrNoMatch)
	assert.EqualError(t, err, `activation: x and z: no id in common: they begin with "img_1" and "1.png"`)

	// Every row joined has the same id in all, and none is left out that has.
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		var layers []IDs
		for i := range 3 {
			var ids []string
			for _, id := range random.Perm(30)[:10+random.IntN(20)] {
				ids = append(ids, fmt.Sprint(id))
			}
			layers = append(layers, idsOf(t, fmt.Sprint(i), ids...))
		}
		rows, err := Join(layers...)
		if err != nil {
			continue
		}
		shared := 0
		for _, a := range layers[0].ids {
			in := 0
			for _, other := range layers[1:] {
				for _, b := range other.ids {
					if a == b {
						in++
					}
				}
			}
			if in == 2 {
				require.Equal(t, a, layers[0].ids[rows[0][shared]])
				require.Equal(t, a, layers[1].ids[rows[1][shared]])
				require.Equal(t, a, layers[2].ids[rows[2][shared]])
				shared++
			}
		}
		require.Len(t, rows[0], shared)
	}
}

func TestOpenIndices(t *testing.T) {
	indices, err := OpenIndices(saved(t, "<i2", false, []int{3}, []byte{5, 0, 0, 1, 0xff, 0xff}))
	require.NoError(t, err)
	assert.Equal(t, []int{5, 256, -1}, indices)
	for path, problem := range map[string]string{
		saved(t, "<f4", false, []int{1}, make([]byte, 4)): "an array of integers expected, this is float32 of 1",
		saved(t, "|b1", false, []int{2}, []byte{0, 1}):    "an array of integers expected, this is bool of 2",
		saved(t, "|u1", false, []int{1, 2}, []byte{0, 1}): "an array of integers expected, this is uint8 of 1 × 2",
	} {
		_, err := OpenIndices(path)
		requireProblem(t, err, path, problem)
	}
	text := filepath.Join(t.TempDir(), "labels.txt")
	for content, want := range map[string][]int{"3\n-1\r\n12": {3, -1, 12}, "7\n": {7}, "3\n3": {3, 3}} {
		require.NoError(t, os.WriteFile(text, []byte(content), 0o600))
		indices, err := OpenIndices(text)
		require.NoError(t, err)
		assert.Equal(t, want, indices)
	}
	for content, problem := range map[string]string{
		"3\n\n4":                     "line 2 is empty: one integer a line expected",
		"3\ncat":                     `line 2 is "cat": one integer a line expected`,
		"3.0":                        `line 1 is "3.0": one integer a line expected`,
		"3 4":                        `line 1 is "3 4": one integer a line expected`,
		"1\n99999999999999999999999": `line 2 is "99999999999999999999999": one integer a line expected`,
	} {
		require.NoError(t, os.WriteFile(text, []byte(content), 0o600))
		_, err := OpenIndices(text)
		requireProblem(t, err, text, problem)
	}
}

// FuzzIndices: a text is refused, or its integers written anew are read again.
func FuzzIndices(f *testing.F) {
	for _, s := range []string{"", "1\n2\n", "-1\r\n+2", "\n", "1\n\n", "0x1", "1e3", "\xff", "99999999999999999999"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		indices, err := parseIndices("x", text)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, len(err.Error()), 500)
			return
		}
		require.NotEmpty(t, indices)
		var lines []string
		for _, v := range indices {
			lines = append(lines, strconv.Itoa(v))
		}
		again, err := parseIndices("x", []byte(strings.Join(lines, "\n")))
		require.NoError(t, err)
		require.Equal(t, indices, again)
	})
}

// FuzzIDs: a text is refused, or its ids written anew are it, but for line ends.
func FuzzIDs(f *testing.F) {
	for _, s := range []string{"", "a\nb\n", "a\r\nb", "\n", "a\n\n", "a\na", "\xff", "a\r", "é\n層"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := parseIDs("x", text)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			require.Less(t, len(err.Error()), 500)
			return
		}
		require.NotZero(t, x.Len())
		again, err := parseIDs("x", []byte(strings.Join(x.ids, "\n")+"\n"))
		if strings.Contains(strings.Join(x.ids, "\n"), "\r\n") || strings.HasSuffix(x.ids[x.Len()-1], "\r") {
			return // of two carriage returns one is the line's end
		}
		require.NoError(t, err)
		require.Equal(t, x.ids, again.ids)
		rows, err := Join(x, again)
		require.NoError(t, err)
		require.Equal(t, rows[0], rows[1])
		require.Len(t, rows[0], x.Len())
	})
}
