package activation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// digester is a File or Shards.
type digester interface {
	Digest(ctx context.Context) ([32]byte, error)
}

func digest(t require.TestingT, d digester) [32]byte {
	sum, err := d.Digest(context.Background())
	require.NoError(t, err)
	return sum
}

// TestDigestTells: layers that are stored otherwise have other digests, the same
// array behind another header has the same.
func TestDigestTells(t *testing.T) {
	seen := map[[32]byte]string{}
	add := func(name string, d digester) {
		sum := digest(t, d)
		assert.Empty(t, seen[sum], "and %s have one digest", name)
		seen[sum] = name
	}
	for _, descr := range []string{"<f2", "<f4", ">f4", "<f8"} {
		for _, shape := range [][]int{{36}, {36, 1}, {6, 6}, {4, 9}, {9, 2, 1, 2}, {9, 1, 2, 2}, {0}, {0, 5}, {5, 0}} {
			for _, fortran := range []bool{false, true} {
				if fortran && len(shape) == 1 {
					continue // has no other order
				}
				a := array{descr: descr, fortran: fortran, shape: shape}
				f := openBytes(t, a.file())
				name := fmt.Sprintf("%s %v fortran=%v", descr, shape, fortran)
				add(name, f)
				a.version = 2
				padded := append(withHeader(2, a.dict()+strings.Repeat(" ", 100)), a.file()[openBytes(t, a.file()).header.begin:]...)
				assert.Equal(t, digest(t, f), digest(t, openBytes(t, padded)), "the header's form does not count")
				if len(shape) != 2 {
					continue
				}
				view, err := f.T()
				require.NoError(t, err)
				add(name+" turned", view)
				back, err := view.T()
				require.NoError(t, err)
				assert.Equal(t, digest(t, f), digest(t, back))
			}
		}
	}
}

// TestDigestSeesEveryByte: of each block, the first and the last.
func TestDigestSeesEveryByte(t *testing.T) {
	const length = 2*digestBytes + 12
	b := append(withHeader(1, array{descr: "<f4", shape: []int{length / 4}}.dict()), make([]byte, length)...)
	begin := len(b) - length
	seen := map[[32]byte]bool{digest(t, openBytes(t, b)): true}
	for _, at := range []int{0, 1, digestBytes - 1, digestBytes, 2*digestBytes - 1, 2 * digestBytes, length - 1} {
		b[begin+at] ^= 1
		seen[digest(t, openBytes(t, b))] = true
		b[begin+at] ^= 1
	}
	assert.Len(t, seen, 8)

	r := &largestRead{ReaderAt: bytes.NewReader(b)}
	f, err := NewFile("x.npy", r, int64(len(b)))
	require.NoError(t, err)
	digest(t, f)
	assert.Equal(t, digestBytes, r.most)
}

// TestDigestProperty: of all small layers, built twice, those of equal digest hold
// equal values in equal places.
func TestDigestProperty(t *testing.T) {
	type layer interface {
		digester
		blockReader
		Shape() []int
	}
	var layers []layer
	for _, descr := range []string{"<f4", ">f4", "<f4"} {
		for _, shape := range [][]int{{2, 1}, {1, 2}, {2, 2}} {
			for _, fortran := range []bool{false, true} {
				for first := range 2 {
					a := array{descr: descr, fortran: fortran, shape: shape, first: first}
					f := openBytes(t, a.file())
					s := &Shards{name: "layer3", files: []*File{f}, ends: shape[:1]}
					layers = append(layers, f, s)
				}
			}
		}
	}
	values := map[[32]byte]lapack.Matrix[float64]{}
	for _, l := range layers {
		m := lapack.New[float64](l.Shape()[0], l.Shape()[1])
		require.NoError(t, l.Read(m, 0, 0))
		sum := digest(t, l)
		if before, ok := values[sum]; ok {
			require.Equal(t, before, m)
		}
		values[sum] = m
	}
	assert.Len(t, values, len(layers)*2/3, "the third type is the first again")
}

// TestShardsDigest: shards are told apart by their order and by where they are cut.
func TestShardsDigest(t *testing.T) {
	assert.Equal(t, digest(t, openShards(t, 3, 4, 2)), digest(t, openShards(t, 3, 4, 2)))
	dir := t.TempDir()
	paths := writeFiles(t, dir, cut("<f4", 0, 4, 3).file(), cut("<f4", 4, 2, 3).file())
	slices.Reverse(paths)
	turned, err := OpenShards("layer3", paths)
	require.NoError(t, err)
	defer turned.Close()
	single := openShards(t, 3, 6)
	seen := map[[32]byte]bool{}
	for _, d := range []digester{single, single.files[0], openShards(t, 3, 4, 2), openShards(t, 3, 2, 4), openShards(t, 3, 4, 2, 0), openShards(t, 3, 4, 0, 2), turned} {
		seen[digest(t, d)] = true
	}
	assert.Len(t, seen, 7)
}

// cancellingReader cancels a context where it is asked for values.
type cancellingReader struct {
	io.ReaderAt
	cancel context.CancelFunc
	reads  int
}

func (r *cancellingReader) ReadAt(p []byte, offset int64) (int, error) {
	r.reads++
	r.cancel()
	return r.ReaderAt.ReadAt(p, offset)
}

func TestDigestFails(t *testing.T) {
	b := append(withHeader(1, array{descr: "<f4", shape: []int{digestBytes}}.dict()), make([]byte, 4*digestBytes)...)
	f := openBytes(t, b)
	ctx, cancel := context.WithCancel(context.Background())
	r := &cancellingReader{ReaderAt: f.source.ReaderAt, cancel: cancel}
	f.source.ReaderAt = r
	_, err := f.Digest(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, r.reads, "no block after it")
	_, err = openShards(t, 3, 0).Digest(ctx)
	assert.ErrorIs(t, err, context.Canceled, "also where there is nothing to read")

	f.source.ReaderAt = brokenReader{bytes.NewReader(b), f.header.begin + digestBytes + 40, nil}
	_, err = f.Digest(context.Background())
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.ErrorContains(t, err, fmt.Sprintf("activation: x.npy: reading datapoint %d: ", digestBytes/4+10))

	require.NoError(t, f.Close())
	_, err = f.Digest(context.Background())
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.ErrorContains(t, err, "activation: x.npy: ")
}

// TestDigestSeesSigns: values that compare equal may differ in their bits.
func TestDigestSeesSigns(t *testing.T) {
	file := func(v float64) *File {
		a := array{descr: "<f8", shape: []int{1, 1}}
		return openBytes(t, a.append(withHeader(1, a.dict()), v))
	}
	assert.NotEqual(t, digest(t, file(0)), digest(t, file(math.Copysign(0, -1))))
	assert.Equal(t, digest(t, file(math.NaN())), digest(t, file(math.NaN())))
}
