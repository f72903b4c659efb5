package conv

import (
	"context"
	"fmt"
	"sync"
)

// Prepared is a layer for comparisons with layers of any sizes: it is reduced once for each
// group of translations under which they are compared, as far as there is room to hold
// that (Hold), and read again where not. It may be used from several goroutines.
type Prepared struct {
	maps Maps
	o    Options

	mu   sync.Mutex
	held map[[2]int]*Reduced // by translations
	room *room
}

// Prepare makes a layer ready, of which nothing is read before it is compared. It must stay
// readable and as it is.
func Prepare(m Maps, o Options) *Prepared {
	return &Prepared{maps: m, o: o, held: map[[2]int]*Reduced{}, room: &room{left: DefaultHold}}
}

// DefaultHold is how many bytes of reductions a layer holds: 1 GiB.
const DefaultHold = 1 << 30

// Hold sets how many bytes of reductions the layers hold together at most, in place of
// DefaultHold of each. It is for layers that were not compared yet.
func Hold(bytes int64, layers ...*Prepared) {
	shared := &room{left: bytes}
	for _, p := range layers {
		p.room = shared
	}
}

// room is memory that is left to layers.
type room struct {
	mu   sync.Mutex
	left int64
}

// take reports whether so many bytes are left, and takes them.
func (r *room) take(bytes int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes > r.left {
		return false
	}
	r.left -= bytes
	return true
}

// Fault is an error that comes from one of two layers, which cannot be compared with itself
// either.
type Fault struct {
	Layer int // 0 for the first, 1 for the second
	err   error
}

func (f *Fault) Error() string {
	return fmt.Sprintf("of the two layers the %s: %v", [...]string{"first", "second"}[f.Layer], f.err)
}

// Unwrap returns what is wrong with the layer.
func (f *Fault) Unwrap() error { return f.err }

// Compare compares two layers under the translations that move both: what Between says of
// them under p's options, within the two bounds. Whether there is room changes no bit. The
// error is a *Fault where one of the two is at fault, and wraps what Between's may.
func (p *Prepared) Compare(ctx context.Context, other *Prepared) (*Result, error) {
	if !Held(p.maps, other.maps, p.o) {
		r, err := Between(ctx, p.maps, other.maps, p.o)
		if err != nil {
			return nil, p.blame(ctx, other, err)
		}
		r.DirectionsX, r.DirectionsY = nil, nil
		return r, nil
	}
	var sides [2]*Reduced
	for i, of := range []*Prepared{p, other} {
		var err error
		if sides[i], err = of.reduced(ctx, p.o.Translations(p.maps, other.maps)); err != nil {
			if ctx.Err() == nil {
				err = &Fault{i, err}
			}
			return nil, err
		}
	}
	return sides[0].compare(ctx, sides[1], true)
}

// blame returns err with which of two layers cannot even be compared with itself.
func (p *Prepared) blame(ctx context.Context, other *Prepared, err error) error {
	for i, of := range []*Prepared{p, other} {
		if ctx.Err() != nil {
			return err
		}
		if _, own := Between(ctx, of.maps, of.maps, p.o); own != nil {
			return &Fault{i, own}
		}
	}
	return err
}

// reduced returns the layer reduced under translations: held from the last time, where
// there was room, or made now.
func (p *Prepared) reduced(ctx context.Context, translations [2]int) (*Reduced, error) {
	if p.maps.vector {
		translations = [2]int{} // which do not move it
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.held[translations]; r != nil {
		return r, nil
	}
	r, err := Reduce(ctx, p.maps, translations, p.o)
	if err == nil && p.room.take(r.Memory()) {
		p.held[translations] = r
	}
	return r, err
}

// mostHeld is how many bytes the coordinates of a layer may take, if all directions are
// kept: Between takes next to no memory for any number of images. A variable for tests.
var mostHeld int64 = 1 << 29

// Held reports whether Prepared compares two layers by reductions. Where either might take
// more than 512 MiB, it calls Between for each pair. That depends on sizes alone, so that
// results do not depend on the machine.
func Held(x, y Maps, o Options) bool {
	t := o.Translations(x, y)
	return x.coordinates(t) <= mostHeld && y.coordinates(t) <= mostHeld
}

// coordinates returns how many bytes those of a layer under translations are at most.
func (m Maps) coordinates(translations [2]int) int64 {
	if m.vector {
		translations = [2]int{1, 1}
	}
	return 8 * int64(m.images) * min(int64(m.images)*int64(translations[0]*translations[1]), int64(m.size()))
}
