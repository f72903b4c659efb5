package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
)

// scored is a pane, with what there is to tell of feature maps.
type scored struct {
	*svcca.Pane
	mapFlags
	images    int
	pairs     [][]translatedPair // by dft and lowpass: as Pairs
	selection *selection         // nil: everything
	alignment *measure.Alignment // of two networks, or nil
}

// translatedPair is what a pair has under translations beside its scores.
type translatedPair struct {
	Translations [2]int     `json:"translations"`
	Blocks       int        `json:"blocks"`
	Approximate  bool       `json:"approximate"`
	Thrown       [2]float64 `json:"thrown_away"`
	RankX        int        `json:"rank_x"`
	RankY        int        `json:"rank_y"`
	KX           int        `json:"k_x"`
	KY           int        `json:"k_y"`

	deviation, most float64 // of the mean square by chance
}

func (p translatedPair) exchanged() translatedPair {
	p.Thrown[0], p.Thrown[1] = p.Thrown[1], p.Thrown[0]
	p.RankX, p.RankY, p.KX, p.KY = p.RankY, p.RankX, p.KY, p.KX
	return p
}

// atChance is svcca.PairScores.AtChance, under translations too.
func (s *scored) atChance(i, j int) bool {
	p := s.Pairs[i][j]
	if s.pairs == nil {
		return p.AtChance(s.Rows[i], s.Columns[j], s.Options.Centering)
	}
	return p.MeanSquare <= p.Chance+3*s.pairs[i][j].deviation
}

// over says over what layers are compared.
func (s *scored) over() string {
	images := plural(s.images, "image")
	switch s.way {
	case byPixels:
		return fmt.Sprintf("%s of %s (pixels)", plural(s.Rows[0].Datapoints, "position"), images)
	case byFlatten:
		return images + ", maps flattened"
	case byDFT:
		return images + " in all translations (dft)"
	case byLowPass:
		return images + ", low frequencies where sizes differ (lowpass)"
	}
	return plural(s.Rows[0].Datapoints, s.unit())
}

// ofImages is chanceOfImages.
func (s *scored) ofImages(chance float64) float64 {
	return chanceOfImages(chance, s.Rows[0].Datapoints, s.images, s.Options.Centering)
}

// checkMaps makes sure that --conv goes with the layers, says how it takes them, and
// makes of them what is compared.
func (m *matrix) checkMaps() error {
	m.views = slices.Clone(m.files)
	if m.way == "" {
		return nil
	}
	sizes := map[[2]int]int{}
	var usual activation.Layer // the first with the most usual size
	for _, f := range m.files {
		if f != nil && isMaps(f) {
			s := sizeOf(f.Shape(), m.layout)
			at := [2]int{s.height, s.width}
			if sizes[at]++; usual == nil {
				usual = f
			} else if u := sizeOf(usual.Shape(), m.layout); sizes[at] > sizes[[2]int{u.height, u.width}] {
				usual = f
			}
		}
	}
	if usual == nil {
		return misusef("no layer holds feature maps, which have 4 dimensions: leave out --conv %s", m.way)
	}
	told := 0
	for i, f := range m.files {
		if f == nil {
			continue
		}
		var err error
		if !m.way.translates() {
			m.views[i], err = m.view(f)
		}
		if err == nil && m.way == byPixels {
			err = m.samePositions(f, usual)
		}
		switch {
		case err == nil:
		case m.skipBad:
			m.leave(i, message(err))
			m.views[i] = nil
			continue
		case len(m.inputs) > 1:
			return m.skipHint(err)
		default:
			return err
		}
		if isMaps(f) && !slices.Contains(m.told, i) {
			if told++; told <= mostNotices {
				m.notice(m.assumed(f))
			}
		}
	}
	if told > mostNotices {
		m.notice(fmt.Sprintf("and %d more layers of feature maps (%v)", told-mostNotices, m.layout))
	}
	return nil
}

const mostNotices = 5

// translation is a matrix under translations in the making.
type translation struct {
	*matrix
	options conv.Options
	maps    []conv.Maps      // by inputs
	ready   []*conv.Prepared // of those
	found   map[[2]int]*foundPair
	sides   []svcca.Side // by inputs: under the most translations of any pair
	most    []int        // how many these are

	warnings []svcca.Warning
	said     map[string]bool
	trivial  int // pairs that nothing moves
	lowPass  int // pairs that a low pass cut
	thrown   float64
}

// foundPair is what is kept of a pair.
type foundPair struct {
	svcca.PairScores
	translatedPair
}

func (m *matrix) newTranslation() (*translation, error) {
	t := &translation{
		matrix: m, options: conv.Options{Options: m.options, LowPass: m.way == byLowPass, OffBlock: -1},
		maps: make([]conv.Maps, len(m.files)), ready: make([]*conv.Prepared, len(m.files)), sides: make([]svcca.Side, len(m.files)), most: make([]int, len(m.files)),
		found: map[[2]int]*foundPair{}, warnings: []svcca.Warning{}, said: map[string]bool{},
	}
	for i, f := range m.views {
		if f != nil {
			var err error
			if t.maps[i], err = m.mapFlags.maps(f); err != nil {
				return nil, err
			}
			t.ready[i] = conv.Prepare(t.maps[i], t.options)
		}
	}
	return t, nil
}

// work returns the pairs to compare, each once, in either order; first those of a
// layer with itself, which find out the bad ones.
func (t *translation) work() (pairs [][2]int) {
	rows, columns := t.present(t.rows), t.present(t.columns)
	if t.columns == nil {
		columns = rows
	}
	known := map[[2]int]bool{}
	for _, own := range []bool{true, false} {
		for _, i := range rows {
			for _, j := range columns {
				if (i == j) == own && !known[[2]int{j, i}] && !known[[2]int{i, j}] {
					known[[2]int{i, j}] = true
					pairs = append(pairs, [2]int{i, j})
				}
			}
		}
	}
	return pairs
}

// reduction is a layer, by inputs, under translations.
type reduction struct {
	layer        int
	translations [2]int
}

// costOf returns what a pair takes, less what was reduced before, which it adds to.
func (t *translation) costOf(pair [2]int, before map[reduction]bool) svcca.Cost {
	x, y := t.maps[pair[0]], t.maps[pair[1]]
	if !conv.Held(x, y, t.options) {
		return convCost(x, y, t.options)
	}
	b := blockedBy(x, y, t.options)
	c := b.comparing(t.options)
	for side, at := range pair {
		of := reduction{at, [2]int{b.height, b.width}}
		if t.maps[at].IsVector() {
			of.translations = [2]int{}
		}
		if before[of] {
			continue
		}
		before[of] = true
		one := b.reducing(side, t.options)
		c.Products, c.Factors, c.Values = c.Products+one.Products, c.Factors+one.Factors, c.Values+one.Values
	}
	c.Memory = convCost(x, y, t.options).Memory + b.coordinates(t.options)
	return c
}

// cost returns what the pairs take together, but the memory of the one that takes most,
// and which that is.
func (t *translation) cost(pairs [][2]int) (c svcca.Cost, largest [2]int) {
	before := map[reduction]bool{}
	for _, p := range pairs {
		of := t.costOf(p, before)
		c.Products, c.Factors, c.Values = c.Products+of.Products, c.Factors+of.Factors, c.Values+of.Values
		if of.Memory > c.Memory {
			c.Memory, largest = of.Memory, p
		}
	}
	return c, largest
}

// translate scores the pairs under translations, one after the other: each is shared
// among goroutines.
func (m *matrix) translate(ctx context.Context) (*scored, error) {
	t, err := m.newTranslation()
	if err != nil {
		return nil, err
	}
	pairs := t.work()
	cost, largest := t.cost(pairs)
	what := fmt.Sprintf("comparing maps of %v with %v by %s", mapText(t.maps[largest[0]]), mapText(t.maps[largest[1]]), m.way)
	if err := m.memory.allow(what, cost.Memory, smallerMaps); err != nil {
		return nil, err
	}
	if room := m.window(); room > 0 {
		var ready []*conv.Prepared
		for i, of := range t.ready {
			if m.files[i] != nil {
				ready = append(ready, of)
			}
		}
		conv.Hold(room-cost.Memory, ready...)
	}
	defer workers(m.threads)()
	done, all, before := 0.0, cost.Products+2*cost.Factors, map[reduction]bool{}
	for i, p := range pairs {
		if m.files[p[0]] != nil && m.files[p[1]] != nil {
			if err := t.compare(ctx, p[0], p[1]); err != nil {
				return nil, err
			}
		}
		of := t.costOf(p, before)
		done += of.Products + 2*of.Factors
		m.bar.show(svcca.Progress{PairsScored: i + 1, Pairs: len(pairs), Share: done / all})
	}
	return t.result(), nil
}

// compare compares a pair. A layer that cannot be compared is left out where that is
// wanted.
func (t *translation) compare(ctx context.Context, i, j int) error {
	r, err := t.ready[i].Compare(ctx, t.ready[j])
	if err == nil {
		t.keep(i, j, r)
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	at := -1
	if fault := (*conv.Fault)(nil); errors.As(err, &fault) {
		at, err = [2]int{i, j}[fault.Layer], fault.Unwrap()
	}
	err = t.placed(ctx, err, t.views, t.inputs)
	switch {
	case at >= 0 && t.skipBad:
		t.leave(at, message(err))
		return ctx.Err()
	case at >= 0 && len(t.inputs) > 1:
		return t.skipHint(err)
	}
	return err
}

// keep takes from a result what is kept of it.
func (t *translation) keep(i, j int, r *conv.Result) {
	count := r.Translations[0] * r.Translations[1]
	for at, side := range map[int]svcca.Side{i: r.X, j: r.Y} {
		if count > t.most[at] {
			t.most[at], t.sides[at] = count, side
		}
	}
	t.found[[2]int{i, j}] = &foundPair{
		r.Scores(),
		translatedPair{
			Translations: r.Translations, Blocks: len(r.Blocks), Approximate: r.Approximate, Thrown: r.Thrown,
			RankX: r.X.Rank, RankY: r.Y.Rank, KX: r.X.K, KY: r.Y.K, deviation: convDeviation(r), most: convMost(r),
		},
	}
	for _, w := range r.Warnings {
		switch w.Code {
		case conv.WarnTrivial:
			if !t.maps[i].IsVector() {
				t.trivial++
			}
		case conv.WarnLowPass:
			t.lowPass++
			t.thrown = math.Max(t.thrown, math.Max(r.Thrown[0], r.Thrown[1]))
		case svcca.WarnUncertainK, svcca.WarnUncertainRank, svcca.WarnDouble, svcca.WarnKGrew, conv.WarnFewImages:
			if !t.said[w.Text] { // it is of a layer
				t.said[w.Text] = true
				t.warnings = append(t.warnings, w)
			}
		}
	}
}

// result returns the pane without the layers that were left out.
func (t *translation) result() *scored {
	pane := &svcca.Pane{
		Rows: []svcca.Side{}, Columns: []svcca.Side{}, Pairs: [][]svcca.PairScores{},
		Symmetric: t.columns == nil, Options: t.options.Options, Warnings: t.warnings,
	}
	s := &scored{Pane: pane, mapFlags: t.mapFlags, images: t.datapoints(), pairs: [][]translatedPair{}}
	rows, columns := t.present(t.rows), t.present(t.columns)
	if t.columns == nil {
		columns = rows
	}
	for _, j := range columns {
		pane.Columns = append(pane.Columns, t.sides[j])
	}
	for _, i := range rows {
		pane.Rows = append(pane.Rows, t.sides[i])
		scores, pairs := []svcca.PairScores{}, []translatedPair{}
		for _, j := range columns {
			p, found := t.found[[2]int{i, j}]
			if !found {
				other := t.found[[2]int{j, i}]
				p = &foundPair{other.Exchanged(), other.exchanged()}
			}
			scores, pairs = append(scores, p.PairScores), append(pairs, p.translatedPair)
		}
		pane.Pairs, s.pairs = append(pane.Pairs, scores), append(s.pairs, pairs)
	}
	add := func(code, format string, values ...any) {
		pane.Warnings = append(pane.Warnings, svcca.Warning{Code: code, Text: fmt.Sprintf(format, values...)})
	}
	if t.lowPass > 0 {
		add(conv.WarnLowPass, "%s of maps of different sizes: a low pass threw away up to %.1f%% of a layer; --conv dft compares them exactly", plural(t.lowPass, "pair"), 100*t.thrown)
	}
	if t.trivial > 0 {
		add(conv.WarnTrivial, "%s that no translation moves by whole positions: dft is flatten there", plural(t.trivial, "pair"))
	}
	return s
}

// datapoints returns how many datapoints, or images, are compared.
func (m *matrix) datapoints() int {
	i := slices.IndexFunc(m.files, func(l activation.Layer) bool { return l != nil })
	n, _ := m.views[i].Dims()
	if m.way == byPixels {
		n, _ = m.files[i].Dims()
	}
	return n
}

// estimateMaps says what the work under translations would take.
func (m *matrix) estimateMaps(ctx context.Context, w io.Writer) error {
	t, err := m.newTranslation()
	if err != nil {
		return err
	}
	e := newEstimate()
	e.within = "three"
	layers := 0
	for i, f := range m.files {
		if f != nil {
			layers++
			e.add(f, m.inputs[i])
		}
	}
	pairs := t.work()
	cost, largest := t.cost(pairs)
	e.line(fmt.Sprintf("%s of %s, %v on disk", plural(layers, "layer"), plural(m.datapoints(), "image"), svcca.Bytes(e.bytes)))
	e.line(plural(len(pairs), "pair"))
	e.line(fmt.Sprintf("the largest: %s with %s, %s", mapText(t.maps[largest[0]]), mapText(t.maps[largest[1]]),
		blockText(blockedBy(t.maps[largest[0]], t.maps[largest[1]], t.options))))
	if err := e.cost(ctx, cost, m.options.Precision, m.threads); err != nil {
		return err
	}
	return e.writeTo(w)
}
