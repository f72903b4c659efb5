package fftw

// tile is a run of images along one axis, and the offsets of the first.
type tile struct {
	Axis
	in, out int
}

// tiles are the images of a layout, cut into runs of one length, but for the
// last along the axis.
type tiles struct {
	inner  Axis
	outer  []Axis
	length int
	runs   int // along inner
	count  int // in all
}

// newTiles lets runs of up to length images go along the batch axis of least
// stride.
func newTiles(l layout, stride func(Axis) int, length int) tiles {
	t := tiles{inner: Axis{1, 1, 1}}
	for _, a := range l.batch {
		switch {
		case t.inner.Length == 1:
			t.inner = a
		case stride(a) < stride(t.inner):
			t.outer = append(t.outer, t.inner)
			t.inner = a
		default:
			t.outer = append(t.outer, a)
		}
	}
	t.runs = (t.inner.Length + length - 1) / length
	t.length = (t.inner.Length + t.runs - 1) / t.runs // no run is much shorter than others
	t.count = t.runs
	for _, a := range t.outer {
		t.count *= a.Length
	}
	return t
}

// at returns tile i of count.
func (t tiles) at(i int) tile {
	first := i % t.runs * t.length
	r := tile{
		Axis: Axis{min(t.length, t.inner.Length-first), t.inner.In, t.inner.Out},
		in:   first * t.inner.In,
		out:  first * t.inner.Out,
	}
	i /= t.runs
	for _, a := range t.outer {
		r.in += i % a.Length * a.In
		r.out += i % a.Length * a.Out
		i /= a.Length
	}
	return r
}

// rest returns the length of the last run along the axis.
func (t tiles) rest() int { return t.inner.Length - (t.runs-1)*t.length }
