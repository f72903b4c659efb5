package measure

import (
	"context"
	"fmt"
	"sync"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

// Layers returns what comparisons take: of a layer whose Shape has four dimensions its
// feature maps, in a layout; of datapoints × neurons a vector. The error wraps
// svcca.ErrShape.
func Layers(layout conv.Layout, layers ...svcca.Layer) ([]conv.Maps, error) {
	all := make([]conv.Maps, len(layers))
	for i, l := range layers {
		shape := []int(nil)
		if shaped, ok := l.(interface{ Shape() []int }); ok {
			shape = shaped.Shape()
		}
		switch len(shape) {
		case 0, 2:
			all[i] = conv.Vector(l)
		case 4:
			var err error
			if all[i], err = conv.Of(l, layout); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("measure: layer %d of %d%s has shape %v: want 2 dimensions, or 4 of feature maps: %w", i+1, len(layers), quoted(conv.Vector(l)), shape, svcca.ErrShape)
		}
	}
	return all, nil
}

// Layer is a layer that is ready for comparisons, each of which reads as little of it as
// there is room for. It may be used from several goroutines.
type Layer struct {
	maps    conv.Maps
	dense   *svcca.Reduced // of a vector, for other vectors
	options conv.Options

	mu   sync.Mutex
	held map[[2]int]*conv.Reduced // by translations, for maps and with maps
	room *room
}

// Prepare makes a layer ready: a vector is reduced now, for all other vectors, and feature
// maps, and vectors for these, once for each size of maps that they are compared with, as
// the blocks they fall into depend on it (conv.Reduce). Maps must stay readable, and so
// must vectors where there are maps. Of the options OffBlock is not looked at.
//
// Cost and memory of a vector: that of svcca.Reduce, and datapoints × k values. Of maps, as
// many for each size, of which K are kept over all blocks: see Hold.
// The error names the layer and wraps what svcca.Reduce's may; maps are not looked at
// before they are compared.
func Prepare(ctx context.Context, m conv.Maps, o conv.Options) (*Layer, error) {
	o.OffBlock = -1
	l := &Layer{maps: m, options: o, held: map[[2]int]*conv.Reduced{}, room: &room{left: DefaultHold}}
	if !m.IsVector() {
		return l, nil
	}
	dense := o.Options
	if dense.Centering == svcca.CenterTranslated {
		dense.Centering = svcca.CenterNeurons // a vector has block (0, 0) alone
	}
	var err error
	l.dense, err = svcca.ReduceContext(ctx, m.Flatten(), dense)
	return l, err
}

// PrepareAll prepares layers, which share one Hold. The error says which of them it is
// about.
func PrepareAll(ctx context.Context, layers []conv.Maps, o conv.Options) ([]*Layer, error) {
	all := make([]*Layer, len(layers))
	for i, m := range layers {
		var err error
		if all[i], err = Prepare(ctx, m, o); err != nil {
			return nil, place(i, layers, err)
		}
	}
	Hold(DefaultHold, all...)
	return all, nil
}

// DefaultHold is how many bytes of reduced maps layers hold: 1 GiB.
const DefaultHold = 1 << 30

// Hold sets how many bytes of reduced maps the layers hold together at most, in place of
// DefaultHold of each that was prepared alone. What finds no room is reduced again for
// each comparison. It is for layers that were not compared yet.
func Hold(bytes int64, layers ...*Layer) {
	shared := &room{left: bytes}
	for _, l := range layers {
		l.room = shared
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

// Reduced returns the layer reduced under translations, as conv.Compare takes it: held from
// the last time, where there was room, or made now. The error is conv.Reduce's.
func (l *Layer) Reduced(ctx context.Context, translations [2]int) (*conv.Reduced, error) {
	if l.maps.IsVector() {
		translations = [2]int{} // which do not move it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.held[translations]; r != nil {
		return r, nil
	}
	r, err := conv.Reduce(ctx, l.maps, translations, l.options)
	if err == nil && l.room.take(r.Memory()) {
		l.held[translations] = r
	}
	return r, err
}

// Pair is what one layer has in common with another.
type Pair struct {
	svcca.PairScores
	// KX and KY are how many directions of either layer are kept; of maps they depend on
	// the other layer.
	KX int `json:"k_x"`
	KY int `json:"k_y"`
}

// Compare compares two layers prepared under the same options: vectors by svcca.Compare,
// maps, and maps with vectors, by conv.Compare under the translations that move both. The
// error says which of the two is at fault and wraps what those may.
func (l *Layer) Compare(ctx context.Context, other *Layer) (*Pair, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.dense != nil && other.dense != nil {
		c, err := svcca.Compare(l.dense, other.dense)
		if err != nil {
			return nil, err
		}
		return pairOf(c), nil
	}
	translations := l.options.Translations(l.maps, other.maps)
	var sides [2]*conv.Reduced
	for i, of := range []*Layer{l, other} {
		var err error
		if sides[i], err = of.Reduced(ctx, translations); err != nil {
			return nil, fmt.Errorf("of the two layers the %s: %w", [...]string{"first", "second"}[i], err)
		}
	}
	r, err := conv.Compare(ctx, sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	return pairOf(&r.Comparison), nil
}

func pairOf(c *svcca.Comparison) *Pair {
	return &Pair{PairScores: c.Scores(), KX: c.X.K, KY: c.Y.K}
}

// place returns err with which layer it is about.
func place(i int, layers []conv.Maps, err error) error {
	return fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
}

// quoted returns a layer's name for a message, behind a space.
func quoted(m conv.Maps) string {
	if m.Name() == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", m.Name())
}
