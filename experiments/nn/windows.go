package nn

import "github.com/gosvcca/gosvcca/lapack"

// windows are the squares of size × size positions of a map that a convolution looks at,
// each stride from the last, around every position or every stride-th. What lies beyond the
// edges is 0.
type windows struct {
	size, stride            int
	height, width, channels int // of the map
}

// count returns the numbers of windows from top to bottom and from left to right.
func (w windows) count() (down, across int) {
	return (w.height + w.stride - 1) / w.stride, (w.width + w.stride - 1) / w.stride
}

// values returns how many values there are in a window.
func (w windows) values() int { return w.size * w.size * w.channels }

// runs calls with for every row of every window: inside is where in the map values lie that
// follow each other, and at where among the windows the first of them belongs. Rows that lie
// beyond the edges, and parts of them, are left out.
func (w windows) runs(with func(at, inside, length int)) {
	down, across := w.count()
	edge := (w.size - 1) / 2
	at := 0
	for i := range down {
		for j := range across {
			left := j*w.stride - edge
			skip, end := max(0, -left), min(w.size, w.width-left)
			for k := range w.size {
				if row := i*w.stride + k - edge; row >= 0 && row < w.height {
					with(at+skip*w.channels, (row*w.width+left+skip)*w.channels, (end-skip)*w.channels)
				}
				at += w.size * w.channels
			}
		}
	}
}

// gather sets to, windows × values, to the windows of a map.
func gather[T lapack.Real](to, from []T, w windows) {
	clear(to)
	w.runs(func(at, inside, length int) { copy(to[at:at+length], from[inside:inside+length]) })
}

// scatter adds windows × values to the map they were gathered from.
func scatter[T lapack.Real](to, from []T, w windows) {
	w.runs(func(at, inside, length int) { add(to[inside:inside+length], from[at:at+length]) })
}
