package svcca

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
)

// PaneOptions say what Pairwise computes, and with how much.
type PaneOptions struct {
	Options
	// Scores says how far the work on each pair goes. Zero: AllScores.
	Scores Scores
	// Workers is how many goroutines work. Zero: as many as may run at once.
	Workers int
	// Memory bounds, in bytes, what is needed beside the layers and their reduced
	// bases: the window. Zero: 1 GiB. Where one layer alone needs more, that is an
	// ErrMemory.
	Memory int64
	// Progress is called, from one goroutine at a time, as work proceeds.
	Progress func(Progress)
	// Skip is asked whether a layer that cannot be reduced is left out (true) or
	// ends the work. Nil: it ends the work.
	Skip func(layer string, err error) bool
	// Cache keeps reduced layers and scores from call to call. Nil: none.
	Cache Cache
}

const defaultWindow = 1 << 30

// Progress is how far Pairwise has come.
type Progress struct {
	LayersReduced, Layers int
	PairsScored, Pairs    int
	// Share of the work that is done, 0 to 1, by its cost.
	Share float64
}

// Pairwise compares each layer with each of against or, where against is nil, all
// layers with each other: SVCCA as Between has it, to the stated bounds, at the
// cost of one reduction for each layer and one product for each pair.
//
// A first pass reduces every layer once. Further passes make blocks of rows into
// coordinates of all layers, stacked, and sum their products: no more of a layer
// is ever held than its reduced basis, neurons × k values, and a block of rows. Of
// layers with fewer datapoints than neurons the coordinates are held, datapoints × k
// values, and the basis for PWCCA alone.
// Where the products of all pairs exceed Memory, groups of layers take turns, and
// a layer's rows are read once for each group of those it is compared with.
//
// The work is shared among Workers goroutines with one BLAS thread each: for as
// long as it runs Pairwise holds native.LimitThreads(1), which counts for the whole
// process. The bits of the result do not depend on Workers.
//
// When ctx ends Pairwise returns within a tenth of a second, or as soon as the
// eigen-solves in progress end (a twentieth of a second for 512 neurons, and with
// the third power of their number). The error names the layer and wraps what
// Reduce's may, or ErrMismatch, ErrMemory.
func Pairwise(ctx context.Context, layers, against []Layer, o PaneOptions) (*Pane, error) {
	p, err := newPane(ctx, layers, against, o)
	if err != nil {
		return nil, err
	}
	defer native.LimitThreads(1)()
	if err := p.reduce(); err != nil {
		return nil, err
	}
	if err := p.cross(); err != nil {
		return nil, err
	}
	return p.result(), nil
}

// pane is a call of Pairwise.
type pane struct {
	PaneOptions
	crew.Crew
	weights       *weights
	layers        []described // distinct
	bases         []*basis    // of those; nil where skipped
	digests       []string    // keys of the cache; "" where there is none
	rows, columns []int       // indices of layers
	symmetric     bool
	scored        [][]*PairScores // by rows and columns

	mu       sync.Mutex
	progress Progress
	cost     paneCost
}

func newPane(ctx context.Context, layers, against []Layer, o PaneOptions) (*pane, error) {
	var err error
	if o.Options, err = o.Options.check(); err != nil {
		return nil, err
	}
	if o.Memory == 0 {
		o.Memory = defaultWindow
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Memory < 0 || o.Workers < 0 || o.Scores < AllScores || o.Scores > NormScores {
		return nil, fmt.Errorf("svcca: %d bytes, %d workers, scores %d: %w", o.Memory, o.Workers, o.Scores, ErrOptions)
	}
	p := &pane{PaneOptions: o, Crew: crew.Crew{Ctx: ctx, Workers: o.Workers, Tile: crossTile}, symmetric: against == nil}
	known := map[any]int{}
	add := func(layers []Layer, name string) (indices []int, err error) {
		for i, l := range layers {
			id := identity(l)
			at, found := known[id]
			if !found {
				d, err := describe(l, fmt.Sprintf("%s%d", name, i))
				if err != nil {
					return nil, err
				}
				if len(p.layers) > 0 && d.n != p.layers[0].n {
					return nil, mismatch(p.layers[0], d)
				}
				at = len(p.layers)
				known[id] = at
				p.layers = append(p.layers, d)
			}
			indices = append(indices, at)
		}
		return indices, nil
	}
	if p.rows, err = add(layers, "x"); err != nil {
		return nil, err
	}
	if p.columns = p.rows; !p.symmetric {
		if p.columns, err = add(against, "y"); err != nil {
			return nil, err
		}
	}
	if len(p.rows) == 0 || len(p.columns) == 0 {
		return nil, fmt.Errorf("svcca: %d layers against %d: %w", len(p.rows), len(p.columns), ErrShape)
	}
	if p.weights, err = newWeights(o.Weights, p.layers[0].n); err != nil {
		return nil, err
	}
	p.bases, p.digests = make([]*basis, len(p.layers)), make([]string, len(p.layers))
	p.scored = make([][]*PairScores, len(p.rows))
	for i := range p.scored {
		p.scored[i] = make([]*PairScores, len(p.columns))
	}
	p.progress.Layers, p.progress.Pairs = len(p.layers), p.pairs()
	return p, nil
}

// pairs returns how many pairs are scored: of symmetric ones, one of two.
func (p *pane) pairs() int {
	if p.symmetric {
		return len(p.rows) * (len(p.rows) + 1) / 2
	}
	return len(p.rows) * len(p.columns)
}

// identity returns what tells layers apart: the same memory is the same layer.
func identity(l Layer) any {
	if m, ok := l.(interface{ identity() any }); ok {
		return m.identity()
	}
	if reflect.ValueOf(l).Comparable() {
		return l
	}
	return new(byte)
}

// reduce reduces each layer, as many at a time as the window has room for.
func (p *pane) reduce() error {
	room := int64(1)
	for _, l := range p.layers {
		need := l.reductionBytes(p.Options)
		if need > p.Memory {
			return fmt.Errorf("svcca: layer %q: reducing %d × %d needs %s, %s are allowed: %w", l.name, l.n, l.d, Bytes(need), Bytes(p.Memory), ErrMemory)
		}
		room = max(room, need)
		p.cost.reductions = append(p.cost.reductions, reductionCost(l.n, l.d, p.Options).weight())
	}
	p.guessCrossing()
	c := p.Crew
	c.Workers = int(min(int64(c.Workers), max(1, p.Memory/room)))
	return c.Run(len(p.layers), func(i, _ int) error {
		b, err := p.reduceLayer(i)
		if err != nil {
			if p.Ctx.Err() != nil || p.Skip == nil || !p.Skip(p.layers[i].name, err) {
				return err
			}
		}
		p.bases[i] = b
		p.advance(func(g *Progress) { g.LayersReduced++ }, p.cost.reductions[i])
		return nil
	})
}

// guessCrossing sets the cost of what comes after the reductions, of which k is
// not known yet.
func (p *pane) guessCrossing() {
	widths := func(layers []int) (d []int) {
		for _, i := range layers {
			d = append(d, p.layers[i].d)
		}
		return d
	}
	rows, columns := widths(p.rows), []int(nil)
	if !p.symmetric {
		columns = widths(p.columns)
	}
	p.cost.crossing = max(0, PaneCost(p.layers[0].n, rows, columns, p.PaneOptions).weight()-p.cost.total())
}

// reduceLayer finds the basis of a layer, in the cache or by reading it.
func (p *pane) reduceLayer(i int) (*basis, error) {
	l := p.layers[i]
	if err := p.digest(i); err != nil {
		return nil, err
	}
	if b, err := p.cachedBasis(i, newSide(l, p.weights, p.Options)); b != nil || err != nil {
		return b, err
	}
	w := borrow()
	defer w.back()
	s := newSide(l, p.weights, p.Options)
	s.leftAlone = p.leftAlone(l.n, l.d) && p.digests[i] == "" // a cache is for other scores too
	b, u, err := reduceSide(crew.Alone(p.Ctx), w, s, p.Options)
	if err != nil {
		return nil, err
	}
	if l.n < l.d {
		b.u = u
	}
	if b.v.Data != nil {
		b.v = b.v.Clone()
	}
	return b, p.keepBasis(i, b)
}

// leftAlone reports whether left singular vectors, which are found first where neurons
// outnumber datapoints, are all that scores need of a layer.
func (o PaneOptions) leftAlone(n, d int) bool { return n < d && o.Scores != AllScores }

// advance tells Progress.
func (p *pane) advance(change func(*Progress), cost float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.progress)
	p.cost.done += cost
	// What is known of the cost grows as layers are reduced; the share never falls.
	p.progress.Share = max(p.progress.Share, min(1, p.cost.done/p.cost.total()))
	if p.Progress != nil {
		p.Progress(p.progress)
	}
}

// set sets the scores of the pair at (i, j) and, where symmetric, at (j, i).
func (p *pane) set(i, j int, s PairScores, cost float64) {
	p.scored[i][j] = &s
	if p.symmetric && i != j {
		t := s.Exchanged()
		p.scored[j][i] = &t
	}
	p.advance(func(g *Progress) { g.PairsScored++ }, cost)
}

// result returns the pane without the layers that were skipped.
func (p *pane) result() *Pane {
	r := &Pane{
		Rows: []Side{}, Columns: []Side{}, Pairs: [][]PairScores{}, Warnings: []Warning{},
		Symmetric: p.symmetric, Options: p.Options,
	}
	for _, j := range p.columns {
		if p.bases[j] != nil {
			r.Columns = append(r.Columns, p.bases[j].summary())
		}
	}
	for i, at := range p.rows {
		if p.bases[at] == nil {
			continue
		}
		r.Rows = append(r.Rows, p.bases[at].summary())
		row := []PairScores{}
		for j, other := range p.columns {
			if p.bases[other] != nil {
				row = append(row, *p.scored[i][j])
			}
		}
		r.Pairs = append(r.Pairs, row)
	}
	for _, b := range p.bases {
		if b != nil {
			r.Warnings = append(r.Warnings, b.warnings()...)
		}
	}
	return r
}

// coordinates returns what makes the layer's rows into coordinates. Where
// V S⁻¹ is far from making them orthonormal, all of U is found, as Reduce does.
func (p *pane) coordinates(i int) (*coordinates, error) {
	b := p.bases[i]
	if b.u.Data != nil {
		return &coordinates{basis: b, held: b.u}, nil
	}
	z := newCoordinates(b, p.Precision, new([]float64), new([]float32))
	if b.precision == Double && b.Bound > looseBound {
		w := borrow()
		defer w.back()
		var err error
		z.held, err = b.left(crew.Alone(p.Ctx), w)
		return z, err
	}
	return z, nil
}

// looseBound is the bound above which coordinates may be so far from orthonormal
// that products of them are no correlations.
const looseBound = 1e-3

// cross scores every pair that is not known yet, window by window.
func (p *pane) cross() error {
	if err := p.lookUp(); err != nil {
		return err
	}
	windows := p.windows()
	p.cost.crossing = 0 // until now a guess
	for _, w := range windows {
		p.cost.crossing += p.windowCost(w)
		p.eachUnknown(w, func(i, j int) {
			p.cost.crossing += p.pairCost(p.bases[p.rows[i]], p.bases[p.columns[j]])
		})
	}
	for _, w := range windows {
		if err := p.crossWindow(w); err != nil {
			return err
		}
	}
	// Also those of skipped layers, and what the cache had.
	p.advance(func(g *Progress) { g.PairsScored = g.Pairs }, p.cost.total())
	return nil
}

// window is the positions of rows and columns that are crossed in one pass.
type window struct {
	rows, columns []int
	symmetric     bool
}

// windows cuts the pane into windows that fit the memory, without the rows and
// columns of which every score is known.
func (p *pane) windows() (all []window) {
	// The products take half, blocks and coordinates the rest.
	limit := 1
	for limit*limit*8 < int(p.Memory/2) {
		limit *= 2
	}
	limit /= 2
	rows, columns := p.groups(p.rows, limit), p.groups(p.columns, limit)
	for a, r := range rows {
		for b, c := range columns {
			if p.symmetric && b < a {
				continue
			}
			w := window{symmetric: p.symmetric && a == b}
			for _, i := range r {
				if p.anyUnknown([]int{i}, c) {
					w.rows = append(w.rows, i)
				}
			}
			for _, j := range c {
				if p.anyUnknown(r, []int{j}) {
					w.columns = append(w.columns, j)
				}
			}
			if len(w.rows) == 0 {
				continue
			}
			// One new layer is a column against all rows, not all against all.
			w.symmetric = w.symmetric && slices.Equal(w.rows, w.columns)
			all = append(all, w)
		}
	}
	return all
}

// groups cuts positions of layers into groups with Σk up to limit.
func (p *pane) groups(layers []int, limit int) (groups [][]int) {
	room := 0
	for at, i := range layers {
		b := p.bases[i]
		if b == nil {
			continue
		}
		if len(groups) == 0 || room < b.K {
			groups, room = append(groups, nil), limit
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], at)
		room -= b.K
	}
	return groups
}

// eachUnknown calls visit with each pair of a window that is still to be scored.
func (p *pane) eachUnknown(w window, visit func(i, j int)) {
	for _, i := range w.rows {
		for _, j := range w.columns {
			if !(p.symmetric && j < i) && p.scored[i][j] == nil {
				visit(i, j)
			}
		}
	}
}

func (p *pane) anyUnknown(rows, columns []int) (any bool) {
	p.eachUnknown(window{rows: rows, columns: columns}, func(int, int) { any = true })
	return any
}

// crossWindow sums the products of a window and scores its pairs.
func (p *pane) crossWindow(win window) error {
	w := borrow()
	defer w.back()
	left, err := p.sources(p.rows, win.rows)
	if err != nil {
		return err
	}
	pass := &crossing{Crew: p.Crew, workspace: w, precision: p.Precision, left: left, symmetric: win.symmetric}
	right := left
	if !win.symmetric {
		if right, err = p.sources(p.columns, win.columns); err != nil {
			return err
		}
		pass.right = right
	}
	n, cost, done := p.layers[0].n, p.windowCost(win), 0
	total := widths(left) + widths(right)
	// Two blocks of rows take a quarter of the window.
	pass.blockRows = int(min(max(p.Memory/4/int64(16*total), 64), 1024))
	pass.progress = func(rows int) {
		p.advance(func(*Progress) {}, cost*float64(rows-done)/float64(n))
		done = rows
	}
	sum := lapack.New[float64](widths(left), widths(right))
	if err := pass.run(n, sum); err != nil {
		return err
	}
	return p.scoreWindow(win, left, right, sum)
}

func (p *pane) sources(layers, positions []int) ([]source, error) {
	sources := make([]source, len(positions))
	return sources, p.Run(len(positions), func(i, _ int) (err error) {
		sources[i], err = p.coordinates(layers[positions[i]])
		return err
	})
}

// scoreWindow scores each pair of a window from its block of sum.
func (p *pane) scoreWindow(win window, left, right []source, sum lapack.Matrix[float64]) error {
	var pairs [][2]int
	p.eachUnknown(win, func(i, j int) { pairs = append(pairs, [2]int{i, j}) })
	begins := func(positions []int, sources []source) map[int]int {
		at, begin := 0, map[int]int{}
		for i, position := range positions {
			begin[position] = at
			at += sources[i].width()
		}
		return begin
	}
	row, col := begins(win.rows, left), begins(win.columns, right)
	spaces := make([]*workspace, p.Crew.Workers)
	for i := range spaces {
		spaces[i] = borrow()
		defer spaces[i].back()
	}
	err := p.Run(len(pairs), func(at, worker int) error {
		i, j, w := pairs[at][0], pairs[at][1], spaces[worker]
		x, y := p.bases[p.rows[i]], p.bases[p.columns[j]]
		M := take(&w.m, x.K, y.K)
		copyProduct(M, sum, row[i], col[j], win.symmetric)
		s, err := pairScores(w, x, y, M, p.Options, p.Scores)
		if err != nil {
			return err
		}
		p.set(i, j, s, p.pairCost(x, y))
		return nil
	})
	if err != nil {
		return err
	}
	return p.keepScores(win)
}
