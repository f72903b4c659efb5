package fftw

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// BenchmarkForward takes n images × h × w × c, channels last, to one n × c matrix
// for each frequency, in one goroutine:
//
//	whole      one plan of everything
//	swapped    the same with the batch axes exchanged; should make no difference
//	image      one plan of an image's channels, used for each image
//	channel    one plan of a channel's images, used for each channel
//	unaligned  whole, from and to slices that begin off 16 bytes
//	copied     image, to memory that stays in cache, and from there to its place
//	part=8     plans of 8 images, from and to their place in the whole
//
// Bytes are those of input and output together, also for copy alone, which is
// the copying of copied from memory that is not in cache.
func BenchmarkForward(b *testing.B) {
	for _, s := range []benchmarkShape{{128, 16, 16, 64}, {128, 8, 8, 256}, {64, 28, 28, 64}, {128, 14, 14, 128}} {
		b.Run(s.String()+"/type=float32", func(b *testing.B) { benchmarkLayouts[float32, complex64](b, s) })
		b.Run(s.String()+"/type=float64", func(b *testing.B) { benchmarkLayouts[float64, complex128](b, s) })
	}
}

type benchmarkShape struct{ n, h, w, c int }

func (s benchmarkShape) String() string { return fmt.Sprintf("n=%d/map=%dx%dx%d", s.n, s.h, s.w, s.c) }

func (s benchmarkShape) image() int       { return s.h * s.w * s.c }
func (s benchmarkShape) frequencies() int { return s.h * half(s.w) }

// frequencyMajor returns the axes of the transform to blocks of rows × c.
func (s benchmarkShape) frequencyMajor(rows int) (r, c, images, channels Axis) {
	block := rows * s.c
	return Axis{s.h, s.w * s.c, half(s.w) * block}, Axis{s.w, s.c, block}, Axis{s.n, s.image(), s.c}, Axis{s.c, 1, 1}
}

func benchmarkLayouts[R Real, C Complex](b *testing.B, s benchmarkShape) {
	src := convert[R](random[R](newRand(b), s.n*s.image()+1, 1))
	dst := make([]C, s.frequencies()*s.n*s.c+1)
	rows, cols, images, channels := s.frequencyMajor(s.n)
	run := func(name string, backend *backend[R, C], rows, cols Axis, batch []Axis, f func(p *Forward[R, C])) {
		b.Run(name+"/impl="+backend.name, func(b *testing.B) {
			p := must(newForward(backend, rows, cols, batch))
			defer p.Close()
			b.SetBytes(int64(width[R]() * (s.n*s.image() + 2*s.frequencies()*s.n*s.c)))
			b.ReportAllocs()
			for b.Loop() {
				f(p)
			}
		})
	}
	all := backendsOf[R, C]()
	whole := func(p *Forward[R, C]) { p.Execute(dst, src) }
	run("whole", all[0], rows, cols, []Axis{images, channels}, whole)
	run("swapped", all[0], rows, cols, []Axis{channels, images}, whole)
	run("image", all[0], rows, cols, []Axis{channels}, func(p *Forward[R, C]) {
		for i := range s.n {
			p.Execute(dst[i*s.c:], src[i*s.image():])
		}
	})
	run("channel", all[0], rows, cols, []Axis{images}, func(p *Forward[R, C]) {
		for k := range s.c {
			p.Execute(dst[k:], src[k:])
		}
	})
	run("unaligned", all[0], rows, cols, []Axis{images, channels}, func(p *Forward[R, C]) { p.Execute(dst[1:], src[1:]) })

	local, block := make([]C, s.frequencies()*s.c), s.n*s.c
	localRows, localCols, _, _ := s.frequencyMajor(1)
	run("copied", all[0], localRows, localCols, []Axis{channels}, func(p *Forward[R, C]) {
		for i := range s.n {
			p.Execute(local, src[i*s.image():])
			for q := range s.frequencies() {
				copy(dst[q*block+i*s.c:][:s.c], local[q*s.c:])
			}
		}
	})
	const part = 8
	some := images
	some.Length = part
	run("part=8", all[0], rows, cols, []Axis{some, channels}, func(p *Forward[R, C]) {
		for i := 0; i < s.n; i += part {
			p.Execute(dst[i*s.c:], src[i*s.image():])
		}
	})
	b.Run(fmt.Sprintf("part=8/goroutines=%d/impl=%s", runtime.GOMAXPROCS(0), all[0].name), func(b *testing.B) {
		p := must(newForward(all[0], rows, cols, []Axis{some, channels}))
		defer p.Close()
		b.SetBytes(int64(width[R]() * (s.n*s.image() + 2*s.frequencies()*s.n*s.c)))
		for b.Loop() {
			var group sync.WaitGroup
			for g := range runtime.GOMAXPROCS(0) {
				group.Go(func() {
					for i := g * part; i < s.n; i += part * runtime.GOMAXPROCS(0) {
						p.Execute(dst[i*s.c:], src[i*s.image():])
					}
				})
			}
			group.Wait()
		}
	})
	if all[1].name != all[0].name {
		run("whole", all[1], rows, cols, []Axis{images, channels}, whole)
	}
	b.Run("copy alone", func(b *testing.B) {
		from := make([]C, len(dst))
		b.SetBytes(int64(width[R]() * (s.n*s.image() + 2*s.frequencies()*s.n*s.c)))
		for b.Loop() {
			for i := range s.n {
				for q := range s.frequencies() {
					copy(dst[q*block+i*s.c:][:s.c], from[(i*s.frequencies()+q)*s.c:])
				}
			}
		}
	})
}

// width returns the bytes of an R.
func width[R Real]() int {
	if ulp[R]() == 0x1p-23 {
		return 4
	}
	return 8
}

// BenchmarkNewForward is what a plan costs: two of FFTW's, for slices at either
// alignment.
func BenchmarkNewForward(b *testing.B) {
	for _, s := range []benchmarkShape{{128, 16, 16, 64}, {64, 28, 28, 64}, {64, 37, 61, 64}} {
		b.Run(s.String(), func(b *testing.B) {
			rows, cols, images, channels := s.frequencyMajor(s.n)
			for b.Loop() {
				p := must(NewForward[float32, complex64](rows, cols, images, channels))
				p.Close()
			}
		})
	}
}

// BenchmarkInverse is BenchmarkForward's way back, whole.
func BenchmarkInverse(b *testing.B) {
	s := benchmarkShape{128, 16, 16, 64}
	src, dst := make([]complex64, s.frequencies()*s.n*s.c), make([]float32, s.n*s.image())
	flip := func(a Axis) Axis { return Axis{a.Length, a.Out, a.In} }
	rows, cols, images, channels := s.frequencyMajor(s.n)
	for _, backend := range distinctBackends[float32, complex64]() {
		b.Run(s.String()+"/type=float32/impl="+backend.name, func(b *testing.B) {
			p := must(newInverse(backend, flip(rows), flip(cols), []Axis{flip(images), flip(channels)}))
			defer p.Close()
			b.SetBytes(int64(4*len(dst) + 8*len(src)))
			for b.Loop() {
				p.Execute(dst, src)
			}
		})
	}
}
