package svcca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/internal/container"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
)

// Cache keeps what Pairwise found from one call to the next: reduced layers, by
// the contents of the layer, and scores, by those of both, each with the options
// that matter. Layers take part that have the method
//
//	Digest(ctx context.Context) ([32]byte, error)
//
// equal for equal contents alone (activation.File has it). What a cache returns
// that is damaged is found again and put anew. Several goroutines call it.
type Cache interface {
	// Get returns what was put under key, or nil where nothing was.
	Get(key string) ([]byte, error)
	// Put keeps data under key, whole or not at all. Keys are of 64 hexadecimal
	// digits; a second Put replaces the first.
	Put(key string, data []byte) error
}

const (
	reducedSchema = "svcca.reduced/1"
	scoresSchema  = "svcca.scores/1"
)

// digest sets the key of layer i: its contents, and all that a reduction depends on.
func (p *pane) digest(i int) error {
	l, ok := p.layers[i].Layer.(interface {
		Digest(context.Context) ([32]byte, error)
	})
	if !ok || p.Cache == nil {
		return nil
	}
	digest, err := l.Digest(p.Ctx)
	if err != nil {
		return p.layers[i].wrap(err)
	}
	options, err := json.Marshal(p.Options)
	if err != nil {
		return fmt.Errorf("svcca: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%x\n%s\n%s\n%v\n", reducedSchema, digest, options, p.layers[i].stored, p.Accuracy)
	for _, w := range p.Weights {
		fmt.Fprintf(h, "%x\n", math.Float64bits(w))
	}
	p.digests[i] = hex.EncodeToString(h.Sum(nil))
	return nil
}

// reducedHeader is the header of a reduced layer's container. The arrays are s,
// shift, rest, V row by row and, where they were found first, U and what is beside it,
// in units of 2^exponent.
type reducedHeader struct {
	Schema     string    `json:"schema"`
	Neurons    int       `json:"neurons"`
	Datapoints int       `json:"datapoints"`
	Exponent   int       `json:"exponent"`
	Constant   int       `json:"constant_neurons"`
	Left       int       `json:"left"`   // columns of U
	Beside     int       `json:"beside"` // and of what is beside it
	Rank       int       `json:"rank"`
	K          int       `json:"k"`
	Grew       bool      `json:"k_grew"`
	Tied       bool      `json:"tied"`
	RankSure   bool      `json:"rank_sure"`
	KSure      bool      `json:"k_sure"`
	Method     Method    `json:"method"`
	Precision  Precision `json:"precision"`
	Fallback   bool      `json:"fallback"`
	Bound      float64   `json:"error_bound"`
	Squared    bool      `json:"squared"`
	Turn       float64   `json:"turn"`
	Each       float64   `json:"each"`
	Square     float64   `json:"square"`
	// Rest is Σs² of what is not in s, where s holds the K kept.
	Rest float64 `json:"rest,omitempty"`
}

// keepBasis puts the reduced layer i where there is a cache.
func (p *pane) keepBasis(i int, b *basis) error {
	if p.digests[i] == "" {
		return nil
	}
	arrays := [][]float64{b.S, b.shift, b.rest}
	for _, vectors := range []lapack.Matrix[float64]{b.v, b.u, b.beside} {
		for j := range vectors.Rows {
			arrays = append(arrays, vectors.Row(j))
		}
	}
	data, err := container.Encode(reducedHeader{
		Schema: reducedSchema, Neurons: b.d, Datapoints: b.n, Exponent: b.exponent, Constant: b.d - len(b.active), Left: b.u.Cols, Beside: b.beside.Cols,
		Rank: b.Rank, K: b.K, Grew: b.Grew, Tied: b.Tied, RankSure: b.RankSure, KSure: b.KSure,
		Method: b.method, Precision: b.precision, Fallback: b.fallback, Bound: b.Bound, Squared: b.Squared, Turn: b.Loss.Turn, Each: b.Loss.Each, Square: b.Loss.Square, Rest: b.Rest,
	}, arrays...)
	if err != nil {
		return b.wrap(err)
	}
	return p.put(p.digests[i], data)
}

func (p *pane) put(key string, data []byte) error {
	if err := p.Cache.Put(key, data); err != nil {
		return fmt.Errorf("svcca: cache: %w", err)
	}
	return nil
}

// get returns the container of the schema under key; not ok where there is none,
// or what there is is damaged.
func (p *pane) get(key, schema string) (c container.Container, ok bool, err error) {
	data, err := p.Cache.Get(key)
	if err != nil {
		return c, false, fmt.Errorf("svcca: cache: %w", err)
	}
	if data == nil {
		return c, false, nil
	}
	c, damaged := container.Open(data)
	return c, damaged == nil && c.Schema == schema, nil
}

// cachedBasis returns the reduced layer i if the cache has it, else nil.
func (p *pane) cachedBasis(i int, s *side) (*basis, error) {
	if p.digests[i] == "" {
		return nil, nil
	}
	c, ok, err := p.get(p.digests[i], reducedSchema)
	if err != nil || !ok {
		return nil, err
	}
	b, err := decodeBasis(&c, s)
	if err != nil {
		return nil, nil // damaged in a way that its checksum does not show: an older form
	}
	return b, nil
}

func decodeBasis(c *container.Container, s *side) (*basis, error) {
	var h reducedHeader
	if err := c.Decode(&h); err != nil {
		return nil, err
	}
	count := min(s.n, s.d)
	if h.Neurons != s.d || h.Datapoints != s.n || h.K < 1 || h.K > h.Rank || h.Rank > count || h.Constant < 0 || h.Constant > s.d || h.Left != 0 && h.Left != h.K || h.Beside != 0 && h.Beside != s.n-h.K {
		return nil, fmt.Errorf("svcca: %d × %d, k %d of %d: %w", h.Datapoints, h.Neurons, h.K, h.Rank, ErrDamaged)
	}
	b := &basis{side: s, method: h.Method, precision: h.Precision, fallback: h.Fallback}
	b.Cut = spectrum.Cut{Rank: h.Rank, K: h.K, Grew: h.Grew, Tied: h.Tied, RankSure: h.RankSure, KSure: h.KSure, Bound: h.Bound}
	if b.Rest = h.Rest; h.Method == MethodKrylov {
		count = h.K
	}
	b.Squared, b.Loss = h.Squared, spectrum.Loss{Turn: h.Turn, Each: h.Each, Square: h.Square}
	s.exponent, s.scaled = h.Exponent, true
	s.active = make([]int, s.d-h.Constant) // their number is all that scores need
	var shift []float64
	var err error
	for _, a := range []struct {
		to    *[]float64
		count int
	}{{&b.S, count}, {&shift, s.d}, {&s.rest, s.d}} {
		if *a.to, err = c.Next(a.count); err != nil {
			return nil, err
		}
	}
	s.setShift(shift)
	values, err := c.Next(s.d * h.K)
	if err != nil {
		return nil, err
	}
	b.v = lapack.Of(s.d, h.K, values)
	if h.Left > 0 {
		if values, err = c.Next(s.n * h.K); err != nil {
			return nil, err
		}
		b.u = lapack.Of(s.n, h.K, values)
	}
	if h.Beside > 0 {
		if values, err = c.Next(s.n * (s.n - h.K)); err != nil {
			return nil, err
		}
		b.beside = lapack.Of(s.n, s.n-h.K, values)
	}
	return b, c.End()
}

// scoresHeader is the header of a container of scores, which has no arrays: those
// of one layer, as X, with others, by the key of Y.
type scoresHeader struct {
	Schema string                `json:"schema"`
	Scores Scores                `json:"scores"`
	Pairs  map[string]PairScores `json:"pairs"`
}

// scoresKey returns the key of the scores of the layer of a key.
func scoresKey(layer string, scores Scores) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", scoresSchema, scores, layer))
	return hex.EncodeToString(sum[:])
}

// lookUp sets the scores that the cache has.
func (p *pane) lookUp() error {
	if p.Cache == nil {
		return nil
	}
	known := make([]map[string]PairScores, len(p.layers))
	for i := range p.layers {
		var err error
		if known[i], err = p.scoresOf(i); err != nil {
			return err
		}
	}
	for i, x := range p.rows {
		for j, y := range p.columns {
			if p.bases[x] == nil || p.bases[y] == nil || p.symmetric && j < i {
				continue
			}
			if s, ok := known[x][p.digests[y]]; ok {
				p.set(i, j, s, 0)
			} else if s, ok := known[y][p.digests[x]]; ok {
				p.set(i, j, s.Exchanged(), 0)
			}
		}
	}
	return nil
}

// scoresOf returns the scores of a layer with others, by their keys.
func (p *pane) scoresOf(layer int) (map[string]PairScores, error) {
	if p.digests[layer] == "" {
		return nil, nil
	}
	c, ok, err := p.get(scoresKey(p.digests[layer], p.Scores), scoresSchema)
	if err != nil || !ok {
		return nil, err
	}
	var h scoresHeader
	if err := c.Decode(&h); err != nil || h.Scores != p.Scores {
		return nil, nil // of another form: found again
	}
	return h.Pairs, nil
}

// keepScores puts the scores of a window's rows.
func (p *pane) keepScores(w window) error {
	if p.Cache == nil {
		return nil
	}
	for _, i := range w.rows {
		at := p.rows[i]
		if p.digests[at] == "" {
			continue
		}
		known, err := p.scoresOf(at)
		if err != nil {
			return err
		}
		if known == nil {
			known = map[string]PairScores{}
		}
		for _, j := range w.columns {
			if key := p.digests[p.columns[j]]; key != "" && p.scored[i][j] != nil {
				known[key] = *p.scored[i][j]
			}
		}
		data, err := container.Encode(scoresHeader{scoresSchema, p.Scores, known})
		if err != nil {
			return err
		}
		if err := p.put(scoresKey(p.digests[at], p.Scores), data); err != nil {
			return err
		}
	}
	return nil
}
