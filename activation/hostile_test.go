package activation

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
)

const hostileDir = "testdata/hostile"

// hostileFiles returns the names of the corpus that testdata/hostile/make.py writes.
func hostileFiles(t testing.TB) (names []string) {
	entries, err := os.ReadDir(hostileDir)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != "make.py" {
			names = append(names, e.Name())
		}
	}
	return names
}

// readAll opens the array, or every member of an archive, and reads its first, middle
// and last values: every byte of a compressed one. It returns the first error.
func readAll(open func(member string) (*File, error), members []string) (err error) {
	if len(members) == 0 {
		members = []string{""}
	}
	for _, member := range members {
		f, e := open(member)
		if e == nil {
			e = readEnds(f)
			e = errors.Join(e, f.Close())
		}
		if err == nil {
			err = e
		}
	}
	return err
}

func readEnds(f *File) error {
	n, d := f.Dims()
	if n == 0 || d == 0 {
		return nil
	}
	block := lapack.New[float64](min(n, 8), min(d, 8))
	for _, at := range [][2]int{{0, 0}, {(n - block.Rows) / 2, (d - block.Cols) / 2}, {n - block.Rows, d - block.Cols}} {
		if err := f.Read(block, at[0], at[1]); err != nil {
			return err
		}
	}
	return nil
}

// requireTyped fails where err is none of the errors that files give, or says more than
// a screen beside the name of a member that was asked for.
func requireTyped(t testing.TB, err error, members ...string) {
	t.Helper()
	most := 1000
	for _, name := range members {
		most = max(most, 1000+len(name))
	}
	if err != nil {
		require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
		require.Less(t, len(err.Error()), most, "a message is no dump")
	}
}

// fileMemory bounds what opening, listing and reading all of a file of so many bytes
// allocates: a directory of a zip archive takes 10 times its bytes, the header of a
// .safetensors 30 times; a constant for buffers. Instrumented builds throw away what
// calls share, at random.
func fileMemory(size int) uint64 {
	if sanitizer.On {
		return math.MaxUint64
	}
	return uint64(64*size) + 1<<20
}

// TestHostileFiles opens, lists and reads every file of the corpus.
func TestHostileFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range hostileFiles(t) {
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(hostileDir, name)
			info, err := os.Stat(path)
			require.NoError(t, err)
			var listed, opened error
			most := allocated(func() {
				var members []string
				if members, listed = Members(path); listed == nil {
					opened = readAll(func(member string) (*File, error) {
						if members == nil {
							return Open(path)
						}
						return Open(inArchive(path, member))
					}, members)
				}
			})
			require.Less(t, most, fileMemory(int(info.Size())))
			requireTyped(t, listed)
			requireTyped(t, opened)
			if strconv.IntSize < 64 {
				return // sizes need ints of 64 bits to be told apart
			}
			want, known := hostileMessages[name]
			require.True(t, known, "what is said of it? %v", errors.Join(listed, opened))
			err = errors.Join(listed, opened)
			if want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, want)
			}
		})
	}
	for name := range hostileMessages {
		assert.True(t, seen[name], name)
	}
}

// hostileMessages are what is said of each file of the corpus; "" where it is read.
var hostileMessages = map[string]string{
	"before.npz":                       `not a .npy file: it begins with "#!/bin/s"`,
	"beyond-all.npz":                   `damaged: member "fc1.npy" of 9223372036854775813 bytes at byte 37, the file holds 218`,
	"beyond.npz":                       `damaged: member "fc1.npy" of 100000 bytes at byte 37, the file holds 198`,
	"bomb-nested.npz":                  "not a .npy file: this is a .npz archive: only a path opens one of its arrays, as in x.npz:fc1",
	"bomb-of-a-scale.npz":              "1600000 numbers, more than are read from a file of 8166 bytes",
	"bomb-that-lies.npz":               "damaged: 10000070 bytes compressed to 73, more than 1032 to one, which deflate cannot",
	"bomb.npz":                         "",
	"bool-of-2.npy":                    "elements are bool",
	"case.safetensors":                 `header of a .safetensors: damaged: "fc1": dtype, shape and data_offsets expected`,
	"comment.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"count.npz":                        "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"crc-at-the-end.npz":               "reading datapoint 146: damaged: the values are not those that were saved: their checksum differs",
	"crc.npz":                          "damaged: the values are not those that were saved: their checksum differs",
	"cut-123.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-143.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-177.safetensors":              "header of a .safetensors: truncated: the tensors take 48 bytes, the file holds 0 after the header",
	"cut-20.npz":                       "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-224.safetensors":              "header of a .safetensors: truncated: the tensors take 48 bytes, the file holds 47 after the header",
	"cut-254.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-284.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-3.npy":                        `not a .npy file: it begins with "\x93NU"`,
	"cut-33.npz":                       "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-360.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-381.npz":                      "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-4.npz":                        "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-40.npy":                       "truncated: the header claims 60 bytes, the file holds 30 after it began",
	"cut-40.safetensors":               "truncated: the header claims 169 bytes, the file holds 32 after it began",
	"cut-5.safetensors":                `not a .npy file: it begins with "\xa9\x00\x00\x00\x00"`,
	"cut-50.npz":                       "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"cut-7.npy":                        "truncated: the file ends inside the header",
	"cut-8.safetensors":                `not a .npy file: it begins with "\xa9\x00\x00\x00\x00\x00\x00\x00"`,
	"cut-9.npy":                        "truncated: the file ends inside the header",
	"cut-9.safetensors":                "truncated: the header claims 169 bytes, the file holds 1 after it began",
	"cut-93.npy":                       "truncated: header promises 3 × 2 float32 = 24 bytes, file holds 23",
	"deep-metadata.safetensors":        `header of a .safetensors: damaged: "__metadata__": "a": a string expected`,
	"deep.npy":                         "header: elements are records with fields (a structured dtype): save each field as an array of its own, as float32",
	"deep.safetensors":                 "header of a .safetensors: damaged: it is no JSON, or one of very deep nesting",
	"deflate-broken.npz":               "reading datapoint 96: damaged: more is compressed than the 8073 bytes that the directory says",
	"deflate-cut.npz":                  "reading datapoint 96: damaged: less is compressed than the 8073 bytes that the directory says",
	"directory-4-GB.npz":               "damaged or cut off: it begins as a zip archive, such as a .npz, but its directory, at its end, is not whole",
	"directory-beyond.npz":             `damaged: member "fc1.npy" is not where the directory says`,
	"dtype-empty.safetensors":          `header of a .safetensors: damaged: "fc1": dtype, shape and data_offsets expected`,
	"dtype.safetensors":                `header of a .safetensors: damaged: "fc1": the dtype "F33" is unknown`,
	"empty-tensors.safetensors":        "",
	"empty.npz":                        "this is an empty .zip or .npz archive",
	"encrypted.npz":                    "this member is encrypted: save it without a password",
	"entry-list.safetensors":           `header of a .safetensors: damaged: "fc1": "{" expected`,
	"float4-odd.safetensors":           `header of a .safetensors: damaged: tensor "fc1" of F4 3 × 1 lies at bytes 0 to 2, which are not as many as that takes`,
	"float4.safetensors":               "elements are F4",
	"float8.safetensors":               "elements are F8_E4M3",
	"good.npy":                         "",
	"good.npz":                         "",
	"good.safetensors":                 "",
	"header-4-GB.npy":                  "damaged: the header claims 4294967295 bytes, more than the 1048576",
	"header-broken.npz":                "damaged: the compressed bytes cannot be inflated: flate: corrupt input before offset 1",
	"hole.safetensors":                 `header of a .safetensors: damaged: tensor "fc2" begins at byte 28, the one before it ends at 24: no tensor holds what lies between`,
	"huge-beside-0.npy":                "header: the shape has the size 9223372036854775808, which no array has",
	"huge.npy":                         "damaged: shape 4611686018427387904 × 4611686018427387904 is larger than any file",
	"in-another.npz":                   `damaged: member "fc2.npy" is not where the directory says`,
	"int8-negative.npz":                "the scale holds -1: positive, finite numbers expected",
	"int8-of-0.npy":                    "the scale holds 0: positive, finite numbers expected",
	"int8-of-0.scale.npy":              "",
	"int8-of-3.npy":                    "the scale or zero point has 3 numbers, one for each datapoint: one expected, or one for each of the 5 neurons; transpose the file if it holds neurons × datapoints",
	"int8-of-3.scale.npy":              "",
	"int8-of-4.npy":                    "int8-of-4.scale.npy: 4 numbers: one expected, or one for each of the 5 neurons of testdata/hostile/int8-of-4.npy",
	"int8-of-4.scale.npy":              "",
	"int8-of-itself.npz":               "",
	"int8-of-nan.npy":                  "the scale holds NaN: positive, finite numbers expected",
	"int8-of-nan.scale.npy":            "",
	"int8-of-texts.npz":                "elements are U1: numbers expected, the scale of testdata/hostile/int8-of-texts.npz:q",
	"int8-two-scales.npz":              `both "q_scale" and "q.scale" are there: which is the scale?`,
	"int8-zero-inf.npz":                "the zero point holds +Inf: finite numbers expected",
	"int8.npy":                         "elements are int8 without a scale",
	"int8.npz":                         "elements are int8 without a scale",
	"int8.safetensors":                 "elements are int8 without a scale",
	"integers.npy":                     "elements are int64",
	"integers.safetensors":             "elements are int64",
	"large.npy":                        "truncated: header promises 1099511627776 × 1024 float32 = 4503599627370496 bytes, file holds 24",
	"latin1.safetensors":               "header of a .safetensors: damaged: it is no text in UTF-8",
	"left-over.safetensors":            "header of a .safetensors: bytes left over: the tensors take 48 bytes, the file holds 49 after the header",
	"legacy.pt":                        "not a .npy file: this is a pickle, perhaps of PyTorch: convert it by python3 -c 'import sys",
	"length-0.safetensors":             "header of a .safetensors: damaged: it does not begin with '{'",
	"length-1.safetensors":             "header of a .safetensors: damaged: it is no JSON, or one of very deep nesting",
	"length-4-GB.safetensors":          "damaged: the header claims 4294967295 bytes, more than the 100000000 that a .safetensors may have",
	"length-all.safetensors":           `not a .npy file: it begins with "\xff\xff\xff\xff\xff\xff\xff\xff"`,
	"length-of-file.safetensors":       "truncated: the header claims 1000 bytes, the file holds 91 after it began",
	"list.safetensors":                 `not a .npy file: it begins with "\x06\x00\x00\x00\x00\x00\x00\x00"`,
	"many.npz":                         "",
	"metadata-list.safetensors":        `header of a .safetensors: damaged: "__metadata__": "{" expected`,
	"metadata-number.safetensors":      `header of a .safetensors: damaged: "__metadata__": "a": a string expected`,
	"metadata-only.safetensors":        "the archive holds no array",
	"method-12.npz":                    "compressed by method 12 of zip,",
	"method-99.npz":                    "compressed by method 99 of zip,",
	"name-absolute.npz":                "",
	"name-colon.npz":                   "",
	"name-empty.npz":                   "",
	"name-empty.safetensors":           "",
	"name-latin1.npz":                  `damaged: the name of member "fc\xff.npy" is no text in UTF-8`,
	"name-long.npz":                    "",
	"name-nul.npz":                     `damaged: the name of member "fc\x00x.npy" is no text in UTF-8`,
	"name-nul.safetensors":             "",
	"name-surrogates.safetensors":      `header of a .safetensors: damaged: the key "�" is there twice`,
	"name-up.npz":                      "",
	"name-up.safetensors":              "",
	"negative.npy":                     "header: the shape has the negative size -3",
	"no-arrays.npz":                    "this is a zip archive of no .npy: save each array with numpy.save",
	"no-json.safetensors":              "header of a .safetensors: damaged: it is no JSON, or one of very deep nesting",
	"no-npy.npz":                       "not a .npy file: this looks like text: save the array with numpy.save, not numpy.savetxt",
	"no-texts.npy":                     "elements are U1",
	"none-left-over.safetensors":       "header of a .safetensors: bytes left over: the tensors take 0 bytes, the file holds 24 after the header",
	"none.safetensors":                 "the archive holds no array",
	"nowhere.npz":                      `damaged: member "fc2.npy" is not where the directory says`,
	"null-data_offsets.safetensors":    `header of a .safetensors: damaged: "fc1": "data_offsets": "[" expected`,
	"null-dtype.safetensors":           `header of a .safetensors: damaged: "fc1": "dtype": a string expected`,
	"null-shape.safetensors":           `header of a .safetensors: damaged: "fc1": "shape": "[" expected`,
	"number.safetensors":               "a single number: an array of datapoints × neurons expected",
	"objects.npy":                      `elements are "|O"`,
	"objects.npz":                      `elements are "|O"`,
	"offsets-beyond.safetensors":       `header of a .safetensors: damaged: tensor "fc1" of F32 3 × 2 lies at bytes 0 to 240, which are not as many as that takes`,
	"offsets-float.safetensors":        `header of a .safetensors: damaged: "fc1": "data_offsets": "0.0" is no size`,
	"offsets-huge.safetensors":         `header of a .safetensors: damaged: tensor "fc1" of F32 3 × 2 lies at bytes 0 to 9223372036854775807, which are not as many as that takes`,
	"offsets-late.safetensors":         `header of a .safetensors: damaged: tensor "fc1" begins at byte 4, the one before it ends at 0: no tensor holds what lies between`,
	"offsets-negative.safetensors":     `header of a .safetensors: damaged: "fc1": "data_offsets": "-24" is no size`,
	"offsets-one.safetensors":          `header of a .safetensors: damaged: "fc1": "data_offsets": 2 offsets expected`,
	"offsets-reversed.safetensors":     `header of a .safetensors: damaged: tensor "fc1" begins at byte 24, the one before it ends at 0: no tensor holds what lies between`,
	"offsets-short.safetensors":        `header of a .safetensors: damaged: tensor "fc1" of F32 3 × 2 lies at bytes 0 to 20, which are not as many as that takes`,
	"offsets-three.safetensors":        `header of a .safetensors: damaged: "fc1": "data_offsets": more than 2 numbers`,
	"offsets-very-huge.safetensors":    `header of a .safetensors: damaged: "fc1": "data_offsets": "18446744073709551616" is no size`,
	"one.npz":                          "",
	"one.safetensors":                  "",
	"other-order.safetensors":          "",
	"overlap-100.npz":                  `damaged: members "a.npy" and "a0.npy" share bytes of the file`,
	"overlap-inside.npz":               `damaged: members "fc1.npy" and "fc2.npy" share bytes of the file`,
	"overlap-same.npz":                 `damaged: members "fc1.npy" and "fc2.npy" share bytes of the file`,
	"overlap-same.safetensors":         `header of a .safetensors: damaged: tensor "fc2", from byte 0, shares bytes with the one before it, up to 24`,
	"overlap.safetensors":              `header of a .safetensors: damaged: tensor "fc2", from byte 20, shares bytes with the one before it, up to 24`,
	"padded.safetensors":               "",
	"ratio-zip64.npz":                  "damaged: 4611686018427387904 bytes compressed to 86, more than 1032 to one, which deflate cannot",
	"ratio.npz":                        "damaged: 1000000000000 bytes compressed to 86, more than 1032 to one, which deflate cannot",
	"same-key.safetensors":             `header of a .safetensors: damaged: "fc1": the key "dtype" is there twice`,
	"same-metadata.safetensors":        `header of a .safetensors: damaged: "__metadata__": the key "a" is there twice`,
	"same-name-escaped.safetensors":    `header of a .safetensors: damaged: the key "fc1" is there twice`,
	"same-name.npz":                    `two members are called "fc1.npy": which is meant is not to be told`,
	"same-name.safetensors":            `header of a .safetensors: damaged: the key "fc1" is there twice`,
	"shape-exponent.safetensors":       `header of a .safetensors: damaged: "fc1": "shape": "3e0" is no size`,
	"shape-fraction.safetensors":       `header of a .safetensors: damaged: "fc1": "shape": "3.0" is no size`,
	"shape-huge-beside-0.safetensors":  `header of a .safetensors: damaged: tensor "fc1" of F32 4611686018427387904 × 8 × 0 lies at bytes 0 to 0, which are not as many as that takes`,
	"shape-huge.safetensors":           `header of a .safetensors: damaged: tensor "fc1" of F32 4611686018427387904 × 8 lies at bytes 0 to 24, which are not as many as that takes`,
	"shape-negative.safetensors":       `header of a .safetensors: damaged: "fc1": "shape": "-3" is no size`,
	"shape-nested.safetensors":         `header of a .safetensors: damaged: "fc1": "shape": whole numbers expected`,
	"shape-null.safetensors":           `header of a .safetensors: damaged: "fc1": "shape": whole numbers expected`,
	"shape-number.safetensors":         `header of a .safetensors: damaged: "fc1": "shape": "[" expected`,
	"shape-of-6.safetensors":           "shape 1 × 1 × 1 × 1 × 3 × 2 has 6 dimensions: 1 to 5 expected, datapoints first",
	"shape-of-65.safetensors":          `header of a .safetensors: damaged: "fc1": "shape": more than 64 numbers`,
	"shape-other.safetensors":          `header of a .safetensors: damaged: tensor "fc1" of F32 3 × 3 lies at bytes 0 to 24, which are not as many as that takes`,
	"shape-text.safetensors":           `header of a .safetensors: damaged: "fc1": "shape": whole numbers expected`,
	"shape-true.safetensors":           `header of a .safetensors: damaged: "fc1": "shape": whole numbers expected`,
	"shape-very-huge.safetensors":      `header of a .safetensors: damaged: "fc1": "shape": "9999999999999999999999999999999999999999"… is no size`,
	"six-dimensions.npy":               "shape 1 × 1 × 1 × 1 × 3 × 2 has 6 dimensions: 1 to 5 expected, datapoints first",
	"size-and-header-less.npz":         "damaged: more is compressed than the 94 bytes that the directory says",
	"size-and-header-more.npz":         "damaged: less is compressed than the 872 bytes that the directory says",
	"size-less.npz":                    "damaged: more is compressed than the 90 bytes that the directory says",
	"size-more.npz":                    "damaged: less is compressed than the 98 bytes that the directory says",
	"space-first.safetensors":          `not a .npy file: it begins with "D\x00\x00\x00\x00\x00\x00\x00"`,
	"stored-of-two-sizes.npz":          "damaged: stored in 94 bytes, which the directory says to be 1000",
	"texts.npy":                        "elements are U3",
	"torch.pt":                         "this is a PyTorch file: convert it by python3 -c 'import sys",
	"two-objects.safetensors":          "header of a .safetensors: damaged: it is no JSON, or one of very deep nesting",
	"unknown-key.safetensors":          "",
	"wide-texts.npy":                   `elements are "<U999999999999": texts of 1 to 4096 bytes expected`,
	"without-data_offsets.safetensors": `header of a .safetensors: damaged: "fc1": dtype, shape and data_offsets expected`,
	"without-dtype.safetensors":        `header of a .safetensors: damaged: "fc1": dtype, shape and data_offsets expected`,
	"without-shape.safetensors":        `header of a .safetensors: damaged: "fc1": dtype, shape and data_offsets expected`,
}

// TestHostilePaths: what a link leads to counts, not its name.
func TestHostilePaths(t *testing.T) {
	dir := t.TempDir()
	link := func(to, name string) string {
		path := filepath.Join(dir, name)
		if err := os.Symlink(to, path); err != nil {
			t.Skipf("no links here: %v", err)
		}
		return path
	}
	good, err := filepath.Abs(filepath.Join(hostileDir, "one.npz"))
	require.NoError(t, err)
	for path, problem := range map[string]string{
		link(os.DevNull, "device.npz"):          "found a device",
		link(dir, "directory.safetensors"):      "found a directory",
		link("loop.npz", "loop.npz"):            "loop.npz",
		link("nothing.npz", "dangling.npz"):     "no such file",
		link(good, "link"):                      "",
		link(good, "a:b.npz"):                   "",
		filepath.Join(dir, "device.npz") + ":x": "found a device",
		filepath.Join(dir, "link") + ":fc1":     "",
		filepath.Join(dir, "a:b.npz") + ":fc1":  "",
		filepath.Join(dir, "a") + ":b":          "no such file",
	} {
		f, err := Open(path)
		if problem != "" {
			assert.ErrorContains(t, err, problem, path)
			continue
		}
		require.NoError(t, err, path)
		assert.Equal(t, path, f.Name())
		require.NoError(t, f.Close())
	}
}

// TestWholeNameFirst: a file of the whole name comes before a member, and of the
// ways to cut a name the one with the longest file.
func TestWholeNameFirst(t *testing.T) {
	dir := t.TempDir()
	archive, err := os.ReadFile(savedNPZ(t, zip.Store, npyMember{"a", array{descr: "<f4", shape: []int{1}}.file()},
		npyMember{"b:a", array{descr: "<f4", shape: []int{2}}.file()}))
	require.NoError(t, err)
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path+":b", array{descr: "<f4", shape: []int{3}}.file(), 0o600); err != nil {
		t.Skipf("no colons in names here: %v", err)
	}
	require.NoError(t, os.WriteFile(path, archive, 0o600))
	for name, datapoints := range map[string]int{path + ":a": 1, path + ":b": 3} {
		n, _ := opened(t, name).Dims()
		assert.Equal(t, datapoints, n, name)
	}
	_, err = Open(path + ":b:a")
	assert.ErrorContains(t, err, "x:b is one array, without members")
	require.NoError(t, os.Remove(path+":b"))
	n, _ := opened(t, path+":b:a").Dims()
	assert.Equal(t, 2, n)
	file, member := SplitMember(path + ":b:a")
	assert.Equal(t, []string{path, "b:a"}, []string{file, member})
	file, member = SplitMember(filepath.Join(dir, "y:b"))
	assert.Equal(t, []string{filepath.Join(dir, "y:b"), ""}, []string{file, member})
	file, member = SplitMember(dir + ":b")
	assert.Equal(t, []string{dir + ":b", ""}, []string{file, member}, "a directory has no members")
}

// TestShrinkingArchives: files that become shorter between opening and reading, and
// compressed ones in between.
func TestShrinkingArchives(t *testing.T) {
	for _, name := range []string{"good.npz", "good.safetensors", "bomb.npz"} {
		b, err := os.ReadFile(filepath.Join(hostileDir, name))
		require.NoError(t, err)
		for _, left := range []int{0, 20, len(b) / 2} {
			path := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(path, b, 0o600))
			var files []*File
			members, err := Members(path)
			require.NoError(t, err)
			for _, member := range members {
				f, err := Open(inArchive(path, member))
				require.NoError(t, err)
				defer f.Close()
				files = append(files, f)
			}
			require.NoError(t, os.Truncate(path, int64(left)))
			for _, f := range files {
				err := readEnds(f)
				if err == nil { // it was small enough to be held in memory
					assert.Equal(t, "good.npz:fc1", filepath.Base(f.Name()))
				} else {
					assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
				}
				assert.ErrorIs(t, f.Unchanged(), ErrChanged)
			}
		}
	}
}

// FuzzZip: whatever begins as a zip archive is refused, or read in bounded memory.
func FuzzZip(f *testing.F) { fuzzArchive(f, ".npz", ".pt") }

// FuzzSafetensors: likewise.
func FuzzSafetensors(f *testing.F) { fuzzArchive(f, ".safetensors") }

// FuzzDeflated: likewise where only the compressed bytes and their size are strange.
// A sum of 0 is not checked.
func FuzzDeflated(f *testing.F) {
	for _, a := range []array{{descr: "<f4", shape: []int{3, 2}}, {descr: ">f8", fortran: true, shape: []int{7, 5, 3}}, {descr: "<f2", shape: []int{300, 50}}} {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestCompression)
		require.NoError(f, err)
		_, err = w.Write(a.file())
		require.NoError(f, err)
		require.NoError(f, w.Close())
		f.Add(b.Bytes(), uint32(len(a.file())))
		f.Add(b.Bytes(), uint32(len(a.file())-1))
		f.Add(b.Bytes()[:b.Len()/2], uint32(len(a.file())))
	}
	f.Fuzz(func(t *testing.T, deflated []byte, size uint32) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.CreateRaw(&zip.FileHeader{Name: "a.npy", Method: zip.Deflate, CompressedSize64: uint64(len(deflated)), UncompressedSize64: uint64(size)})
		require.NoError(t, err)
		_, err = w.Write(deflated)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		requireBounded(t, b.Bytes())
	})
}

func fuzzArchive(f *testing.F, suffixes ...string) {
	for _, name := range hostileFiles(f) {
		for _, suffix := range suffixes {
			if filepath.Ext(name) == suffix {
				b, err := os.ReadFile(filepath.Join(hostileDir, name))
				require.NoError(f, err)
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { requireBounded(t, b) })
}

// requireBounded opens, lists and reads what may be an archive.
func requireBounded(t *testing.T, b []byte) {
	var opened, listed error
	var members []string
	most := allocated(func() {
		var a *archive
		if a, listed = newArchive("x", bytes.NewReader(b), int64(len(b))); a == nil {
			return
		}
		if members, listed = a.layers(); listed == nil && len(members) > 0 {
			opened = readAll(func(member string) (*File, error) {
				f, err := a.array(member)
				if err == nil {
					if err = f.checkLayer(); err != nil {
						f.Close()
					}
				}
				return f, err
			}, members)
		}
		a.Close()
	})
	require.Less(t, most, fileMemory(len(b)))
	requireTyped(t, listed)
	requireTyped(t, opened, members...)
}
