package data

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// records returns records of labels, whose pixels differ.
func records(labels ...byte) (all []byte) {
	for i, label := range labels {
		all = append(all, label)
		for p := range 3 * cifarPlane {
			all = append(all, byte(p*7+p/cifarPlane*13+i*31))
		}
	}
	return all
}

func write(t *testing.T, dir, name string, content []byte) {
	require.NoError(t, os.MkdirAll(dir, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o666))
}

func TestDigits(t *testing.T) {
	train, test := Digits()
	assert.Len(t, train.Labels, 1257)
	assert.Len(t, test.Labels, 540)
	for _, s := range []*Set{train, test} {
		assert.Len(t, s.Pixels, len(s.Labels)*64)
		assert.EqualValues(t, 16, slices.Max(s.Pixels))
		for digit := range 10 {
			assert.True(t, slices.Contains(s.Labels, digit))
		}
	}
	x, labels := All[float64](train, math.MaxInt)
	assert.Equal(t, train.Labels, labels)
	assert.Equal(t, []int{1257, 8, 8, 1}, x.Shape)
	var sum, squares float64
	for _, v := range x.Data {
		sum, squares = sum+v, squares+v*v
	}
	n := float64(len(x.Data))
	assert.InDelta(t, 0, sum/n, 1e-12)
	assert.InDelta(t, 1, squares/n, 1e-12)
}

// TestCIFAR10 reads official names, in the directory that the archive makes or above it, and
// train.bin.
func TestCIFAR10(t *testing.T) {
	dir := t.TempDir()
	official := filepath.Join(dir, "official", "cifar-10-batches-bin")
	for i, name := range cifarFiles[0][0] {
		write(t, official, name, records(byte(i), 9))
	}
	write(t, official, "test_batch.bin", records(7))
	write(t, filepath.Join(dir, "few"), "train.bin", records(0, 9, 1, 9, 2, 9, 3, 9, 4, 9))
	write(t, filepath.Join(dir, "few"), "test.bin", records(7))
	for _, in := range []string{filepath.Join(dir, "official"), official, filepath.Join(dir, "few")} {
		train, test, err := Open("cifar10", in)
		require.NoError(t, err)
		assert.Equal(t, []int{0, 9, 1, 9, 2, 9, 3, 9, 4, 9}, train.Labels)
		assert.Equal(t, []int{7}, test.Labels)
		assert.Equal(t, "truck", train.Classes[9])
		// Position (row 2, column 5) of image 0 by channel, from the planes.
		at := 2*cifarSide + 5
		for c := range 3 {
			assert.Equal(t, records(0)[1+c*cifarPlane+at], test.Pixels[3*at+c])
		}
		x, labels := Batch[float64](test, []int{0, 0})
		assert.Equal(t, []int{2, 32, 32, 3}, x.Shape)
		assert.Equal(t, []int{7, 7}, labels)
		for c := range 3 {
			var sum float64
			n := len(train.Pixels) / 3
			for i := range n {
				sum += float64(train.Pixels[3*i+c])
			}
			mean := sum / float64(n)
			sum = 0
			for i := range n {
				d := float64(train.Pixels[3*i+c]) - mean
				sum += d * d
			}
			want := (float64(test.Pixels[3*at+c]) - mean) / math.Sqrt(sum/float64(n))
			assert.InDelta(t, want, x.Part(1, 2).Data[3*at+c], 1e-12, "channel %d", c)
		}
	}
}

func TestCIFAR10Faults(t *testing.T) {
	dir := t.TempDir()
	lone := filepath.Join(dir, "lone")
	write(t, lone, "data_batch_1.bin", records(1))
	short := filepath.Join(dir, "short")
	write(t, short, "train.bin", records(1, 2)[:cifarRecord+100])
	write(t, short, "test.bin", records(1))
	empty := filepath.Join(dir, "empty")
	write(t, empty, "train.bin", nil)
	hundred := filepath.Join(dir, "hundred")
	write(t, hundred, "train.bin", records(3, 10))
	for in, says := range map[string]string{
		"":                         "CIFAR-10 is not in the program: give the directory",
		filepath.Join(dir, "none"): "the directory of CIFAR-10 is expected, unpacked from " + cifarAddress,
		dir:                        dir + " holds neither data_batch_1.bin nor train.bin",
		lone:                       "data_batch_2.bin: no such file or directory: CIFAR-10 is not whole",
		short:                      "train.bin: 3173 bytes are no whole number of records of 3073",
		empty:                      "train.bin: 0 bytes are no whole number of records",
		hundred:                    "train.bin: record 1 (counted from 0) has label 10: 0 to 9 are expected",
	} {
		_, _, err := CIFAR10(in)
		assert.ErrorContains(t, err, says)
		assert.ErrorContains(t, err, "CIFAR-10", "or the address")
	}
	_, _, err := Open("mnist", "")
	assert.EqualError(t, err, `no data set is called "mnist": there are digits, cifar10`)
}

func TestOrder(t *testing.T) {
	s := &Set{Labels: make([]int, 100)}
	a := s.Order(1, 0)
	assert.Equal(t, a, s.Order(1, 0))
	assert.NotEqual(t, a, s.Order(1, 1))
	assert.NotEqual(t, a, s.Order(2, 0))
	slices.Sort(a)
	for i, v := range a {
		assert.Equal(t, i, v)
	}
}

// A file is refused, or is images with labels of the classes, as many as it has records.
func FuzzCIFAR10(f *testing.F) {
	f.Add(records(3, 9))
	f.Add(records(3, 10))
	f.Add(records(3)[:cifarRecord-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &Set{Height: cifarSide, Width: cifarSide, Channels: 3, Classes: cifarClasses}
		if s.addCIFAR(content) != nil {
			return
		}
		require.Equal(t, len(content), len(s.Labels)*cifarRecord)
		require.Len(t, s.Pixels, len(s.Labels)*3*cifarPlane)
		standardise(s, s)
		x, labels := All[float32](s, 3)
		for _, label := range labels {
			require.Less(t, label, 10)
		}
		for _, v := range x.Data {
			require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0))
		}
	})
}
