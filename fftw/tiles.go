package fftw

// tileLength is how many images are read and written together, so that cache
// lines of neighbouring channels are used whole.
const tileLength = 8

// tile is a run of images along one axis, and the offsets of the first.
type tile struct {
	Axis
	in, out int
}

// tiles are the images of a layout, cut into runs of up to tileLength.
type tiles struct {
	inner Axis
	outer []Axis
	runs  int // along inner
	count int // in all
}

// newTiles lets runs go along the batch axis of least stride.
func newTiles(l layout, stride func(Axis) int) tiles {
	t := tiles{inner: Axis{Length: 1}}
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
	t.runs = (t.inner.Length + tileLength - 1) / tileLength
	t.count = t.runs
	for _, a := range t.outer {
		t.count *= a.Length
	}
	return t
}

// at returns tile i of count.
func (t tiles) at(i int) tile {
	first := i % t.runs * tileLength
	r := tile{
		Axis: Axis{min(tileLength, t.inner.Length-first), t.inner.In, t.inner.Out},
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
