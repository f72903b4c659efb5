//go:build cgo && !purego && !nofftw

package fftw

import "sync"

// dense is room for the spectra of one tile at a time, [row][column][image]
// without gaps.
type dense[C Complex] struct {
	tiles
	cols int
	row  int // stride of rows; that of columns is length
	pool sync.Pool
}

// newDense lets tiles of up to so many bytes, but of one image at least, go along
// the axis of least stride.
func newDense[C Complex](l layout, stride func(Axis) int, bytes int) *dense[C] {
	const size = 16 // of the larger C: half as many of the smaller fit as might
	cols := half(l.cols.Length)
	d := &dense[C]{cols: cols, tiles: newTiles(l, stride, max(1, bytes/size/(l.rows.Length*cols)))}
	d.row = cols * d.length
	d.pool.New = func() any {
		s := make([]C, l.rows.Length*d.row)
		return &s
	}
	return d
}

// store writes the spectra of a tile to their place in dst.
func (d *dense[C]) store(dst, room []C, l layout, t tile) {
	for u := range l.rows.Length {
		for v := range d.cols {
			from, to := room[u*d.row+v*d.length:][:t.Length], dst[t.out+u*l.rows.Out+v*l.cols.Out:]
			if t.Out == 1 {
				copy(to, from)
				continue
			}
			for k, z := range from {
				to[k*t.Out] = z
			}
		}
	}
}

// load reads the spectra of a tile from their place in src.
func (d *dense[C]) load(room, src []C, l layout, t tile) {
	for u := range l.rows.Length {
		for v := range d.cols {
			from, to := src[t.in+u*l.rows.In+v*l.cols.In:], room[u*d.row+v*d.length:][:t.Length]
			if t.In == 1 {
				copy(to, from)
				continue
			}
			for k := range to {
				to[k] = from[k*t.In]
			}
		}
	}
}
