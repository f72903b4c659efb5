package activation

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gosvcca/gosvcca/lapack"
)

// BenchmarkRead reads a file of 16384 × 1024 from the page cache in blocks of
// rows, whole or in halves.
func BenchmarkRead(b *testing.B) {
	const n, d = 16384, 1024
	for _, c := range []struct {
		descr string
		order string
		cols  int
		rows  int
	}{
		{"<f4", "C", d, 1024}, {">f4", "C", d, 1024}, {"<f8", "C", d, 1024}, {"<f2", "C", d, 1024},
		{"<f4", "C", d / 2, 1024}, {"<f4", "C", 16, 1024},
		{"<f4", "F", d, 1024}, {"<f8", "F", d, 1024}, {"<f4", "F", d, 256}, {"<f4", "F", 8, n},
	} {
		name := fmt.Sprintf("type=%s/order=%s/rows=%d/cols=%d", c.descr, c.order, c.rows, c.cols)
		b.Run(name, func(b *testing.B) {
			a := array{descr: c.descr, fortran: c.order == "F", shape: []int{n, d}}
			path := filepath.Join(b.TempDir(), "x.npy")
			require.NoError(b, os.WriteFile(path, a.file(), 0o600))
			f, err := Open(path)
			require.NoError(b, err)
			defer f.Close()
			dst := lapack.New[float64](c.rows, c.cols)
			row := 0
			require.NoError(b, f.Read(dst, row, 0))
			b.SetBytes(int64(c.rows * c.cols * f.header.element.size))
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Read(dst, row, 0); err != nil {
					b.Fatal(err)
				}
				row = (row + c.rows) % n
			}
			b.ReportMetric(float64(c.rows*c.cols)*float64(b.N)/1e6/b.Elapsed().Seconds(), "M/s")
		})
	}
}

// BenchmarkStream reads one array of 2²⁴ values after another in blocks of rows,
// side by side or padded.
func BenchmarkStream(b *testing.B) {
	for _, c := range []struct{ d, pad int }{{1024, 0}, {1024, 8}, {4, 0}, {4, 4}} {
		b.Run(fmt.Sprintf("type=<f4/cols=%d/pad=%d", c.d, c.pad), func(b *testing.B) {
			file := array{descr: "<f4", shape: []int{1 << 24 / c.d, c.d}}.file()
			dst := padded(1<<20/c.d, c.d, c.pad)
			s := NewStream("layer3", &endless{b: file})
			b.SetBytes(4 << 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Read(dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless brings b again and again.
type endless struct {
	b  []byte
	at int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.b[e.at:])
	e.at = (e.at + n) % len(e.b)
	return n, nil
}

func BenchmarkWrite(b *testing.B) {
	m := lapack.New[float64](1024, 1024)
	b.SetBytes(int64(8 * len(m.Data)))
	for b.Loop() {
		w, err := NewWriter(io.Discard, m.Rows, m.Cols)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Write(m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode converts one buffer without reading it.
func BenchmarkDecode(b *testing.B) {
	for _, e := range []element{float16Element, float32Element, float64Element} {
		b.Run("type="+e.String(), func(b *testing.B) {
			raw := bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, 1<<15)
			dst := make([]float64, len(raw)/e.size)
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				e.decode(dst, raw)
			}
		})
	}
}
