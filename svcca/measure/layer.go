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

// Layer is a layer that is ready for comparisons: a vector is reduced once, for as many
// as there will be, and no longer read. Maps are read again by each, as the blocks they
// fall into depend on the other layer's size.
type Layer struct {
	maps    conv.Maps
	reduced *svcca.Reduced // of a vector
	options conv.Options
}

// Prepare makes a layer ready. Of the options OffBlock is not looked at.
//
// Cost of a vector: that of svcca.Reduce, and datapoints × k values in memory.
// The error names the layer and wraps what svcca.Reduce's may; maps are not looked at
// before they are compared.
func Prepare(ctx context.Context, m conv.Maps, o conv.Options) (*Layer, error) {
	o.OffBlock = -1
	l := &Layer{maps: m, options: o}
	if !m.IsVector() {
		return l, nil
	}
	dense := o.Options
	if dense.Centering == svcca.CenterTranslated {
		dense.Centering = svcca.CenterNeurons // a vector has block (0, 0) alone
	}
	var err error
	l.reduced, err = svcca.ReduceContext(ctx, m.Flatten(), dense)
	return l, err
}

// PrepareAll prepares layers. The error says which of them it is about.
func PrepareAll(ctx context.Context, layers []conv.Maps, o conv.Options) ([]*Layer, error) {
	all := make([]*Layer, len(layers))
	for i, m := range layers {
		var err error
		if all[i], err = Prepare(ctx, m, o); err != nil {
			return nil, place(i, layers, err)
		}
	}
	return all, nil
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
// maps, and maps with vectors, by conv.Between. The error says which of the two is at
// fault and wraps what those may.
func (l *Layer) Compare(ctx context.Context, other *Layer) (*Pair, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l.reduced != nil && other.reduced != nil {
		c, err := svcca.Compare(l.reduced, other.reduced)
		if err != nil {
			return nil, err
		}
		return pairOf(c), nil
	}
	r, err := conv.Between(ctx, l.maps, other.maps, l.options)
	if err != nil {
		return nil, l.blame(ctx, other, err)
	}
	return pairOf(&r.Comparison), nil
}

// blame returns err with which of two layers cannot even be compared with itself.
func (l *Layer) blame(ctx context.Context, other *Layer, err error) error {
	for i, of := range []*Layer{l, other} {
		if ctx.Err() != nil {
			return err
		}
		if _, own := conv.Between(ctx, of.maps, of.maps, l.options); own != nil {
			return fmt.Errorf("of the two layers the %s: %w", [...]string{"first", "second"}[i], own)
		}
	}
	return err
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
