package measure

import (
	"context"
	"fmt"

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

// Layer is a layer that is ready for comparisons. It may be used from several goroutines.
type Layer struct {
	dense   *svcca.Reduced // of a vector, for other vectors
	moved   *conv.Prepared // for maps, and of maps
	options conv.Options
}

// Prepare makes a layer ready. A vector is reduced now, for all other vectors. Feature maps,
// and vectors for them, are reduced once for each size that they are compared with, when
// they first are, as the blocks they fall into depend on it (conv.Prepare): maps must stay
// readable, and so must vectors where there are maps. Of the options OffBlock is not looked
// at.
//
// Cost and memory of a vector: that of svcca.Reduce, and datapoints × k values. Of maps as
// many, k being that of all blocks, for each size, as far as Hold has room.
// The error names the layer and wraps what svcca.Reduce's may.
func Prepare(ctx context.Context, m conv.Maps, o conv.Options) (*Layer, error) {
	o.OffBlock = -1
	l := &Layer{options: o, moved: conv.Prepare(m, o)}
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

// PrepareAll prepares layers, which share conv.DefaultHold. The error says which of them it
// is about.
func PrepareAll(ctx context.Context, layers []conv.Maps, o conv.Options) ([]*Layer, error) {
	all := make([]*Layer, len(layers))
	for i, m := range layers {
		var err error
		if all[i], err = Prepare(ctx, m, o); err != nil {
			return nil, place(i, layers, err)
		}
	}
	Hold(conv.DefaultHold, all...)
	return all, nil
}

// Hold is conv.Hold: how many bytes of reduced maps the layers hold together at most.
func Hold(bytes int64, layers ...*Layer) {
	moved := make([]*conv.Prepared, len(layers))
	for i, l := range layers {
		moved[i] = l.moved
	}
	conv.Hold(bytes, moved...)
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
// maps, and maps with vectors, as conv.Between does under the translations that move both.
// The error says which of the two is at fault and wraps what those may.
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
	r, err := l.moved.Compare(ctx, other.moved)
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
