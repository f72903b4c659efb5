package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
)

const smallerMaps = "maps of fewer channels need less, and so do a low pass and pixels"

// blocked is into what blocks two layers of maps fall (DEFINITIONS §5).
type blocked struct {
	images, height, width int
	columns               [2]int // of a block
	values                [2]int // of an image
	lowPass               bool   // frequencies are left out
}

// blockedBy returns those of x and y.
func blockedBy(x, y conv.Maps, o conv.Options) (b blocked) {
	var h, w, c [2]int
	for i, m := range []conv.Maps{x, y} {
		b.images, h[i], w[i], c[i] = m.Dims()
		b.values[i] = h[i] * w[i] * c[i]
	}
	t := o.Translations(x, y)
	b.height, b.width, b.columns = t[0], t[1], c
	b.lowPass = o.LowPass && !x.IsVector() && !y.IsVector() && (h[0] != h[1] || w[0] != w[1])
	for i, m := range []conv.Maps{x, y} {
		if !m.IsVector() && !b.lowPass {
			b.columns[i] = h[i] / b.height * (w[i] / b.width) * c[i]
		}
	}
	return b
}

// blocks returns how many blocks differ: one of each conjugate pair.
func (b blocked) blocks() int {
	own := func(n int) int { return 2 - n%2 } // frequencies that are their own conjugates
	return (b.height*b.width + own(b.height)*own(b.width)) / 2
}

const (
	complexBytes = 16
	batchBytes   = 64 << 20 // of transformed images
	leastBatch   = 16       // images of a batch at least, and at most
	mostBatch    = 128
	// Flops of complex factorisations, by the cubes of their orders: four times as many as
	// of real ones.
	complexEigenFlops = 4 * 9
	complexSVDFlops   = 4 * 22
	guessedKept       = 0.25 // of a block's columns
)

// convCost is what conv.Between takes, about, with a quarter of the columns kept; memory
// with all of them, unless a number is kept.
func convCost(x, y conv.Maps, o conv.Options) (c svcca.Cost) {
	b := blockedBy(x, y, o)
	blocks, n := float64(b.blocks()), float64(b.images)
	var columns, least, most, kept [2]float64
	for i := range columns {
		columns[i] = float64(b.columns[i])
		least[i], most[i], kept[i] = b.kept(i, o)
	}
	both := columns[0] + columns[1]
	held := complexBytes * blocks * both * 2 * math.Min(most[0], most[1])                   // maps and decoders
	held += complexBytes * blocks * (most[0]*most[1] + most[0]*most[0] + most[1]*most[1])   // M and what turns it
	images := math.Max(leastBatch, math.Floor(batchBytes/(complexBytes*(both+1)*blocks)))   // of a batch
	held += complexBytes * (both + 8) * blocks * math.Min(n, math.Min(mostBatch, images))   // every image in every block
	held += 2 * complexBytes * float64(runtime.GOMAXPROCS(0)*max(b.values[0], b.values[1])) // by worker
	if n >= columns[0] && n >= columns[1] {
		c.Products = 4 * n * blocks * both * both
		c.Values = 3 * n * float64(b.values[0]+b.values[1]) // sought through for its scale, then transformed
		held += complexBytes * blocks * ((both+1)*(both+1) + columns[0]*columns[0] + columns[1]*columns[1])
	} else {
		c.Values = 4 * n * float64(b.values[0]+b.values[1])
		for i := range columns {
			c.Products += 4*n*blocks*columns[i]*least[i] + 8*n*blocks*columns[i]*kept[i]
			held += complexBytes * blocks * (2*least[i]*least[i] + columns[i]*most[i])
		}
	}
	for i := range columns {
		c.Factors += complexEigenFlops * blocks * least[i] * least[i] * least[i]
	}
	m := math.Min(kept[0], kept[1])
	c.Factors += complexSVDFlops * blocks * m * m * m
	c.Products += 16 * blocks * (columns[0]*kept[0] + columns[1]*kept[1]) * m // maps and decoders
	if o.OffBlock >= 0 && o.Weights == nil && !b.lowPass {
		images := float64(o.OffBlock)
		if images == 0 {
			images = 1024
		}
		images = math.Min(images, n)
		for i, maps := range []conv.Maps{x, y} {
			if maps.IsVector() {
				continue
			}
			side := math.Min(columns[i], images)
			c.Products += 8 * blocks * images * columns[i] * 4 * side
			c.Values += 3 * images * float64(b.values[i])
			held += 2 * complexBytes * blocks * side * side
		}
	}
	// Garbage that is not yet collected: as much as is held of a little, less of much. By
	// this the peak of whole processes was 0.8 to 1 of the bound (200 MiB to 1 GiB).
	held += math.Min(held, held/4+batchBytes)
	c.Memory = int64(math.Min(held, math.MaxInt64/4))
	return c
}

// kept returns of a layer's block how large an eigen-solve is, how many directions may be
// kept and, about, how many are.
func (b blocked) kept(side int, o conv.Options) (least, most, kept float64) {
	least = math.Min(float64(b.columns[side]), float64(b.images))
	most, kept = least, guessedKept*least
	switch name, count := o.Keep.Rule(); name {
	case "rank":
		kept = least
	case "count":
		most = math.Min(least, count)
		kept = most
	}
	return least, most, kept
}

// reducing is what conv.Reduce takes of a layer, but its memory.
func (b blocked) reducing(side int, o conv.Options) (c svcca.Cost) {
	least, _, kept := b.kept(side, o)
	blocks, n, columns := float64(b.blocks()), float64(b.images), float64(b.columns[side])
	c.Products = 4*n*blocks*columns*least + 8*n*blocks*columns*kept
	c.Factors = complexEigenFlops * blocks * least * least * least
	c.Values = 5 * n * float64(b.values[side]) // sought through for its scale, then transformed twice
	return c
}

// comparing is what conv.Compare takes of two layers, but its memory.
func (b blocked) comparing(o conv.Options) (c svcca.Cost) {
	_, _, x := b.kept(0, o)
	_, _, y := b.kept(1, o)
	blocks, m := float64(b.blocks()), math.Min(x, y)
	c.Products = 8*float64(b.images)*blocks*x*y + 16*blocks*(float64(b.columns[0])*x+float64(b.columns[1])*y)*m
	c.Factors = complexSVDFlops * blocks * m * m * m
	return c
}

// coordinates is what two layers reduced hold at most.
func (b blocked) coordinates(o conv.Options) (bytes int64) {
	for i, columns := range b.columns {
		_, most, _ := b.kept(i, o)
		bytes += complexBytes * int64(b.blocks()) * int64(b.images+columns) * int64(most)
	}
	return bytes
}

// filterBytes bounds the memory of the filters of either layer.
func filterBytes(x, y conv.Maps, o conv.Options) int64 {
	b := blockedBy(x, y, o)
	most := float64(min(b.columns[0], b.columns[1], b.images))
	return int64(math.Min(8*float64(b.height)*float64(b.width)*float64(max(b.columns[0], b.columns[1]))*most, math.MaxInt64/4))
}

// estimateMaps says what comparing two layers under translations would take.
func (f *compareFlags) estimateMaps(ctx context.Context, w io.Writer, rows *fileRows, x, y conv.Maps, o conv.Options, cost svcca.Cost) error {
	e := newEstimate()
	e.within = "three"
	for i, l := range rows.layers {
		e.add(l, rows.inputs[i])
	}
	b := blockedBy(x, y, o)
	e.line(fmt.Sprintf("%s of %s and %s, %v on disk", plural(b.images, "image"), mapText(x), mapText(y), svcca.Bytes(e.bytes)))
	e.line(blockText(b))
	if err := e.cost(ctx, cost, o.Precision, 0); err != nil {
		return err
	}
	return e.writeTo(w)
}

// blockText says into what blocks maps fall.
func blockText(b blocked) string {
	what := "translations"
	if b.lowPass {
		what = "frequencies"
	}
	return fmt.Sprintf("%d × %d %s, %s of %d and %s", b.height, b.width, what, plural(b.blocks(), "block"), b.columns[0], plural(b.columns[1], "column"))
}
