package svcca

import (
	"slices"

	"github.com/gosvcca/gosvcca/internal/convert"
	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
)

// crossing sums products LᵀR over rows, L and R being what sources make of the
// rows of many layers, side by side: every M = U_xᵀU_y of a pane from one product
// of stacked bases.
type crossing struct {
	crew.Crew
	*workspace
	precision   Precision
	left, right []source
	// symmetric: right is left, and only the upper triangle is summed.
	symmetric bool
	blockRows int
	// progress is told the rows that are done.
	progress func(rows int)
}

// source is what fills blocks with width columns of what is to be multiplied.
type source interface {
	width() int
	reads(p *panel, to block, first int) crew.Tasks
	layer() *side
}

func widths(sources []source) (total int) {
	for _, s := range sources {
		total += s.width()
	}
	return total
}

// crossTile is the side of the tiles where many layers are crossed: tens of
// milliseconds each. It does not depend on the number of workers, on which no bit
// of a pane may.
const crossTile = 512

// run adds the products over n rows to sum, of widths(left) × widths(right).
func (x *crossing) run(n int, sum lapack.Matrix[float64]) error {
	stacked := x.left
	var tiles []tile
	offset := 0
	if x.symmetric {
		tiles = tilesOf(sum.Rows, x.Tile)
	} else {
		tiles = rectangle(sum.Rows, sum.Cols, x.Tile)
		offset = sum.Rows
		stacked = append(append([]source{}, x.left...), x.right...)
	}
	most := min(x.blockRows, n)
	blocks := [2]block{x.block(x.precision, 0, most, widths(stacked)), x.block(x.precision, 1, most, widths(stacked))}
	panels := make([]panel, len(stacked))
	for i, s := range stacked {
		panels[i] = newPanel(x.Crew, x.workspace, x.precision, s.layer())
	}
	var products crew.Tasks
	for first := 0; products.Count > 0 || first < n; {
		rows := min(most, n-first)
		next := blocks[0].head(rows)
		var reads crew.Tasks
		if rows > 0 {
			reads = x.reads(stacked, panels, next, first)
		}
		if err := x.Both(products, reads); err != nil {
			return err
		}
		products = crew.Tasks{}
		if rows > 0 {
			products = crew.Tasks{Count: len(tiles), Do: func(i, worker int) error {
				tiles[i].add(&x.parts32[worker], next, offset, sum)
				return nil
			}}
		}
		if x.progress != nil {
			x.progress(first)
		}
		first += rows
		blocks[0], blocks[1] = blocks[1], blocks[0]
	}
	return nil
}

// reads returns the tasks of all sources, one after another.
func (x *crossing) reads(stacked []source, panels []panel, to block, first int) crew.Tasks {
	var all []crew.Tasks
	var begins []int
	at, count := 0, 0
	for i, s := range stacked {
		t := s.reads(&panels[i], to.view(0, at, to.rows(), s.width()), first)
		all, begins = append(all, t), append(begins, count)
		at, count = at+s.width(), count+t.Count
	}
	return crew.Tasks{Count: count, Do: func(i, worker int) error {
		of, found := slices.BinarySearch(begins, i)
		for found && of+1 < len(begins) && begins[of+1] == i {
			of++
		}
		if !found {
			of--
		}
		return all[of].Do(i-begins[of], worker)
	}}
}

// rectangle cuts rows × cols into tiles of at most about width.
func rectangle(rows, cols, width int) (tiles []tile) {
	for _, r := range strips(rows, width) {
		for _, c := range strips(cols, width) {
			tiles = append(tiles, tile{r[0], c[0], r[1] - r[0], c[1] - c[0]})
		}
	}
	return tiles
}

// centredRows are the layer's own rows, where its neurons are to be multiplied
// themselves: with coordinates of another layer, which sum to nothing, what
// provisional means are off does not count.
type centredRows struct{ *side }

func (r centredRows) width() int   { return r.d }
func (r centredRows) layer() *side { return r.side }

func (r centredRows) reads(p *panel, to block, first int) crew.Tasks {
	return crew.Tasks{Count: chunks(to.rows()), Do: func(c, worker int) error {
		part := to.view(c*chunkRows, 0, min(chunkRows, to.rows()-c*chunkRows), r.d)
		rows := part.f64
		if part.f32.Data != nil {
			rows = take(&p.chunks[worker], part.f32.Rows, r.d)
		}
		if err := r.Read(rows, first+c*chunkRows, 0); err != nil {
			return r.wrap(err)
		}
		r.transform(rows, first+c*chunkRows)
		for i := range part.f32.Rows {
			convert.To(part.f32.Row(i), rows.Row(i))
		}
		return nil
	}}
}
