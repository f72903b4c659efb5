package activation

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"os"
)

// digestBytes are read and hashed between two looks at the context: a few
// milliseconds of either.
const digestBytes = 1 << 20

// Digest returns the SHA-256 of the layer: of its numbers of datapoints and
// neurons, the shape, type and order in which they are stored, the scale and zero
// point of int8, and all bytes of the array, inflated where they are compressed. Files of equal digest hold equal values, bit for bit, in equal
// places. Not conversely: the same values in another type, byte order or order of
// axes have another digest, and so have the two sides of T. What precedes the
// array, its header's version and spaces, does not count.
//
// It reads the whole array once, in blocks of 1 MiB, and may run beside Read. It
// returns ctx's error where ctx ends first; other errors are those of Read.
func (f *File) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	h := sha256.New()
	fmt.Fprintf(h, "gosvcca activation.File 1: %d %d %v %v %t %t\n",
		f.datapoints, f.neurons, f.header.shape, f.header.element, f.header.bigEndian, f.byColumns)
	if f.steps.scale != nil {
		fmt.Fprintf(h, "scale %x zero %x\n", f.steps.scale, f.steps.zero)
	}
	buffer := make([]byte, min(f.header.bytes, digestBytes))
	for offset := int64(0); ; offset += digestBytes {
		if err := ctx.Err(); err != nil {
			return [sha256.Size]byte{}, err
		}
		if f.source.closed.Load() {
			return [sha256.Size]byte{}, fmt.Errorf("activation: %s: reading for the digest: %w", f.name, os.ErrClosed)
		}
		if offset >= f.header.bytes {
			return sum(h), nil
		}
		p := buffer[:min(f.header.bytes-offset, digestBytes)]
		if err := f.readAt(p, offset); err != nil {
			return [sha256.Size]byte{}, err
		}
		h.Write(p)
	}
}

// Digest returns the SHA-256 of the list of the shards' digests, in order. Layers
// of equal digest hold equal values in equal places. Not conversely: the same
// values cut elsewhere have another digest, and so has one file of them all.
// Errors are those of File.Digest.
func (s *Shards) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	h := sha256.New()
	fmt.Fprintf(h, "gosvcca activation.Shards 1: %d\n", len(s.files))
	for _, f := range s.files {
		d, err := f.Digest(ctx)
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		h.Write(d[:])
	}
	return sum(h), nil
}

func sum(h hash.Hash) (d [sha256.Size]byte) {
	h.Sum(d[:0])
	return d
}
