package conv

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/merging"
	"github.com/gosvcca/gosvcca/svcca"
)

// Pair are the sums of two layers of maps, or of maps and vectors, of the same images:
// the products of their columns at each frequency. A Result can be had of them at any
// time: for batches while a network trains, for shards, for files on different machines
// (MarshalBinary). The order of images, their blocks and shards change nothing beyond
// rounding, 1e-12 in norm, and neither does the layout of a block.
//
// The zero Pair holds no images; the first block sets sizes, names and storage. It may be
// used from many goroutines and must not be copied. Memory: T/2 blocks of (d + e)² complex
// values, for T translations and d and e columns, also where there are fewer images.
type Pair struct {
	// Precision is that of products of the blocks to come, and of all that were added.
	// Zero: Double.
	Precision svcca.Precision
	shared    shared
}

// Add adds images of both layers, the same in the same order, with a weight > 0 for each,
// or nil for weights of 1. Of a block with an error nothing is added. Cost: that of
// Between, and T/2·(d + e)² for each block: blocks of d + e images or more run at full
// speed. Goroutines sum their blocks side by side, each in memory as large as the Pair's.
// The error names the layer, counts images from the block's first, and wraps what
// Between's may, or ErrMismatch for other layers than were added before.
func (p *Pair) Add(ctx context.Context, x, y Maps, weights []float64) error {
	return p.shared.add(ctx, p.Precision, weights, []Maps{x, y}, func() (shape, [2]grid, error) {
		sh, grids := Options{}.shape(x, y)
		return sh, grids, nil
	})
}

// Merge adds the images of other, which is left as it is.
func (p *Pair) Merge(other *Pair) error { return p.shared.MergeShared(&other.shared.Shared) }

// Dims returns how many images were added, and height, width and channels of either
// layer: 1, 1 and neurons of vectors.
func (p *Pair) Dims() (images int, x, y [3]int) {
	images, x = p.shared.dims(0)
	_, y = p.shared.dims(1)
	return images, x, y
}

// Compare compares the layers over the images added so far: what Between would say of
// them, with a bound that may exceed Options.Accuracy, as there are no images to fall back
// on; a warning then tells, and where rank or k hang on rounding. Options.Weights must be
// nil, as weights came with the images, and LowPass false, as what it throws away is known
// only while they are read. OffBlock is not looked at.
func (p *Pair) Compare(o Options) (*Result, error) {
	z, o, err := p.shared.current(o)
	if err != nil {
		return nil, err
	}
	c := crew.New(context.Background())
	pair, err := z.pair(c, o)
	if err != nil {
		return nil, err
	}
	if err := pair.usable(); err != nil {
		return nil, err
	}
	return pair.result(c, o)
}

// Moments are the sums that reduce one layer of maps under translations, as Pair's are
// those of two.
type Moments struct {
	// Translations is the group, as Result has it; it must divide the maps' height and
	// width. Zero: the whole height, the whole width.
	Translations [2]int
	// Precision is that of products, as Pair's.
	Precision svcca.Precision
	shared    shared
}

// Add adds images as Pair.Add does. The error also wraps ErrShape for translations that do
// not divide the maps.
func (m *Moments) Add(ctx context.Context, images Maps, weights []float64) error {
	return m.shared.add(ctx, m.Precision, weights, []Maps{images}, func() (sh shape, grids [2]grid, err error) {
		like, err := images.movedBy(m.Translations)
		if err == nil {
			sh.height, sh.width, sh.blocks, grids = exactGrids(images, like)
		}
		return sh, grids, err
	})
}

// Merge adds the images of other, which is left as it is.
func (m *Moments) Merge(other *Moments) error { return m.shared.MergeShared(&other.shared.Shared) }

// Dims returns how many images were added, and their sizes.
func (m *Moments) Dims() (images, height, width, channels int) {
	images, maps := m.shared.dims(0)
	return images, maps[0], maps[1], maps[2]
}

// Reduce takes the SV step on the images added so far. Of the options those that Compare
// refuses are refused, and Accuracy is not looked at.
func (m *Moments) Reduce(o Options) (*Reduced, error) {
	z, o, err := m.shared.current(o)
	if err != nil {
		return nil, err
	}
	r, err := z.reduce(crew.New(context.Background()), 0, o)
	if err != nil {
		return nil, err
	}
	if err := r.usable(); err != nil {
		return nil, err
	}
	return r.result(z.shape, o), nil
}

// shared are sums that many goroutines add to.
type shared struct{ merging.Shared[*sums] }

// add sums images and merges them: of a block with an error, nothing.
func (s *shared) add(ctx context.Context, precision svcca.Precision, weights []float64, layers []Maps, under func() (shape, [2]grid, error)) error {
	if _, err := (Options{Options: svcca.Options{Precision: precision, Weights: weights}}).check(); err != nil {
		return err
	}
	for _, m := range layers {
		if err := m.check(); err != nil {
			return err
		}
		if m.images != layers[0].images {
			return fmt.Errorf("conv: layers %q and %q: %d and %d images: %w", nameOf(layers[0].layer, "x"), nameOf(m.layer, "y"), layers[0].images, m.images, svcca.ErrMismatch)
		}
	}
	w, err := roots(weights, layers[0].images)
	if err != nil {
		return err
	}
	sh, grids, err := under()
	if err != nil {
		return err
	}
	var sides []*side
	for i, m := range layers {
		sides = append(sides, newSide(m, grids[i], string(rune('x'+i)), w))
	}
	z, err := sum(crew.New(ctx), sh, precision, sides...)
	if err != nil {
		return err
	}
	return s.Merge(z)
}

// held returns a copy of the sums, or an error where there are none.
func (s *shared) held() (*sums, error) {
	if z, some := s.Snapshot(); some {
		return z, nil
	}
	return nil, fmt.Errorf("conv: no images were added: %w", svcca.ErrShape)
}

// current returns a copy of the sums, with means, and the options for them.
func (s *shared) current(o Options) (*sums, Options, error) {
	if o.Weights != nil {
		return nil, o, fmt.Errorf("conv: weights come with the images that are added: %w", svcca.ErrOptions)
	}
	if o.LowPass {
		return nil, o, fmt.Errorf("conv: sums have no low pass: what it throws away is known while images are read: %w", svcca.ErrOptions)
	}
	o, err := o.check()
	if err != nil {
		return nil, o, err
	}
	z, err := s.held()
	if err != nil {
		return nil, o, err
	}
	o.Precision = z.precision()
	return z, o, z.setMeans()
}

// precision returns that of the products.
func (z *sums) precision() svcca.Precision {
	if z.layers[0].mixed {
		return svcca.Mixed
	}
	return svcca.Double
}

// dims returns the images added and the sizes of layer i.
func (s *shared) dims(i int) (images int, maps [3]int) {
	s.Look(func(z *sums) { images, maps = z.n, z.layers[i].maps })
	return images, maps
}
