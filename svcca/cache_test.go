package svcca_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// memoryCache is a Cache in a map that counts and, where it is told, fails.
type memoryCache struct {
	mu         sync.Mutex
	entries    map[string][]byte
	gets, puts int
	failGet    int // this call fails, counted from 1
	failPut    int
}

var errCache = errors.New("the disk is full")

var cacheKey = regexp.MustCompile("^[0-9a-f]{64}$")

func newCache() *memoryCache { return &memoryCache{entries: map[string][]byte{}} }

func (c *memoryCache) Get(key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gets++; c.gets == c.failGet {
		return nil, errCache
	}
	data, found := c.entries[key]
	if !found {
		return nil, nil
	}
	return append([]byte{}, data...), nil
}

func (c *memoryCache) Put(key string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !cacheKey.MatchString(key) {
		return fmt.Errorf("key %q", key)
	}
	if c.puts++; c.puts == c.failPut {
		return errCache
	}
	c.entries[key] = slices.Clone(data)
	return nil
}

func (c *memoryCache) copied() *memoryCache {
	return &memoryCache{entries: maps.Clone(c.entries)}
}

// hashed is a counted layer that has a Digest.
type hashed struct {
	*counted
	digests atomic.Int64
	failed  error
}

func hash(l data) *hashed { return &hashed{counted: count(l)} }

func hashAll(all []data) (hashes []*hashed) {
	for _, l := range all {
		hashes = append(hashes, hash(l))
	}
	return hashes
}

func hashLayers(hashes []*hashed) (layers []svcca.Layer) {
	for _, h := range hashes {
		layers = append(layers, h)
	}
	return layers
}

func (h *hashed) Digest(ctx context.Context) (digest [32]byte, err error) {
	h.digests.Add(1)
	if h.failed != nil {
		return digest, h.failed
	}
	text := fmt.Appendf(nil, "%d %d %v", h.n, h.d, h.float32)
	for _, v := range h.data.values {
		text = binary.LittleEndian.AppendUint64(text, math.Float64bits(v))
	}
	return sha256.Sum256(text), ctx.Err()
}

// read returns how many values were read of layers in all.
func read(hashes []*hashed) (values int64) {
	for _, h := range hashes {
		values += h.values.Load()
	}
	return values
}

// cachedPane compares layers, fresh ones of the same contents, by way of a cache.
func cachedPane(t testing.TB, cache svcca.Cache, all, against []data, o svcca.PaneOptions) (pane *svcca.Pane, hashes []*hashed) {
	t.Helper()
	hashes = hashAll(all)
	o.Cache = cache
	if against == nil {
		return pairwise(t, hashLayers(hashes), nil, o), hashes
	}
	others := hashAll(against)
	return pairwise(t, hashLayers(hashes), hashLayers(others), o), append(hashes, others...)
}

// TestCache: a second call reads nothing but digests and has the same bits, which
// are those without a cache.
func TestCache(t *testing.T) {
	all := append(gallery(120, 60), family(121, 4, 60)...)
	share := svcca.ShareTol(1e-6)
	for _, o := range []svcca.PaneOptions{
		{Options: svcca.Options{RankTol: share}},
		{Options: svcca.Options{RankTol: share, Keep: svcca.FullRank(), Centering: svcca.CenterNone}, Scores: svcca.RhoScores},
		{Options: svcca.Options{RankTol: svcca.ShareTol(1e-3), Precision: svcca.Mixed}, Scores: svcca.NormScores},
		{Options: svcca.Options{RankTol: share, Weights: slices.Repeat([]float64{1, 2, 3}, 20)}, Workers: 1},
	} {
		for _, against := range []int{0, 3} {
			left, right := all, []data(nil)
			if against > 0 {
				left, right = all[:against], all[against-1:]
			}
			what := fmt.Sprintf("%+v against %d", o.Options, against)
			plain := pairwise(t, hashLayers(hashAll(left)), nil, o)
			if right != nil {
				plain = pairwise(t, hashLayers(hashAll(left)), hashLayers(hashAll(right)), o)
			}
			cache := newCache()
			first, hashes := cachedPane(t, cache, left, right, o)
			require.True(t, bytes.Equal(paneBits(t, plain), paneBits(t, first)), "%s: a cache changed bits", what)
			require.Positive(t, read(hashes))
			puts := cache.puts
			var last svcca.Progress
			o := o
			o.Progress = func(p svcca.Progress) { last = p }
			second, hashes := cachedPane(t, cache, left, right, o)
			require.True(t, bytes.Equal(paneBits(t, first), paneBits(t, second)), "%s: other bits from the cache", what)
			for _, h := range hashes {
				assert.Zero(t, h.reads.Load(), "%s: reads of %s", what, h.name)
				assert.EqualValues(t, 1, h.digests.Load(), "%s: digests of %s", what, h.name)
			}
			assert.Equal(t, puts, cache.puts, "%s: nothing is new", what)
			assert.Equal(t, [2]int{last.Layers, last.Pairs}, [2]int{last.LayersReduced, last.PairsScored})
			assert.InDelta(t, 1, last.Share, float64(len(all))*ulp)
		}
	}
}

// TestCacheWindows is TestCache where memory is short, and after a call that was
// stopped.
func TestCacheWindows(t *testing.T) {
	all := family(122, 12, 60)
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}, Memory: 8 << 10, Workers: 2}
	plain := pairwise(t, hashLayers(hashAll(all)), nil, o)
	whole := newCache()
	first, _ := cachedPane(t, whole, all, nil, o)
	require.True(t, bytes.Equal(paneBits(t, plain), paneBits(t, first)))
	_, hashes := cachedPane(t, whole, all, nil, o)
	assert.Zero(t, read(hashes))
	for _, stop := range []int{2, 8, 20, 60} {
		cache := newCache()
		ctx, cancel := context.WithCancel(context.Background())
		stopped := o
		stopped.Cache = cache
		calls := 0
		stopped.Progress = func(svcca.Progress) {
			if calls++; calls == stop {
				cancel()
			}
		}
		_, err := svcca.Pairwise(ctx, hashLayers(hashAll(all)), nil, stopped)
		require.ErrorIs(t, err, context.Canceled)
		pane, hashes := cachedPane(t, cache, all, nil, o)
		checkPane(t, fmt.Sprint("stopped at ", stop), pane, all, all, o.Options, svcca.AllScores)
		known := 0
		for _, h := range hashes { // a reduction reads the first rows twice at least
			if h.passes() <= 0 || int(h.values.Load())%(h.n*h.d) == 0 {
				known++
			}
		}
		assert.GreaterOrEqual(t, known, min(stop, len(all))-3, "layers that were reduced before the stop")
	}
}

// TestCacheOneMore: a new layer, in whatever place, costs its reduction and a pass
// over the others, and its pairs alone are scored anew.
func TestCacheOneMore(t *testing.T) {
	const n = 80
	all := family(123, 7, n)
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}}
	for count := 1; count < len(all); count++ {
		old, fresh := all[:count], all[len(all)-1]
		cache := newCache()
		before, _ := cachedPane(t, cache, old, nil, o)
		for place := range count + 1 {
			what := fmt.Sprintf("%d layers and one at %d", count, place)
			with := slices.Insert(slices.Clone(old), place, fresh)
			pane, hashes := cachedPane(t, cache.copied(), with, nil, o)
			checkPane(t, what, pane, with, with, o.Options, svcca.AllScores)
			for i, h := range hashes {
				if i == place {
					assert.LessOrEqual(t, h.passes(), 3.0, "%s: reduced, and on both sides of products", what)
					continue
				}
				assert.LessOrEqual(t, h.values.Load(), int64(h.n*h.d), "%s: an old layer is read once", what)
			}
			for i := range old {
				for j := range old {
					a, b := i, j
					if i >= place {
						a++
					}
					if j >= place {
						b++
					}
					require.Equal(t, before.Pairs[i][j], pane.Pairs[a][b], "%s: old scores", what)
				}
			}
		}
	}
	// Two new ones among others, and pairs that are known beside pairs that are not.
	cache := newCache()
	cachedPane(t, cache, all[:2], nil, o)
	cachedPane(t, cache, all[2:4], nil, o)
	cachedPane(t, cache, []data{all[5]}, all[:2], o)
	pane, _ := cachedPane(t, cache, all, nil, o)
	checkPane(t, "patches", pane, all, all, o.Options, svcca.AllScores)
}

// TestCacheOrder: scores of a pair serve whichever layer is X.
func TestCacheOrder(t *testing.T) {
	all := family(124, 4, 60)
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}}
	cache := newCache()
	first, _ := cachedPane(t, cache, all, nil, o)
	order := []int{3, 1, 0, 2}
	var other []data
	for _, i := range order {
		other = append(other, all[i])
	}
	pane, hashes := cachedPane(t, cache, other, nil, o)
	assert.Zero(t, read(hashes), "another order")
	exchanged := func(x, y int) svcca.PairScores {
		if x == y {
			return first.Pairs[x][y]
		}
		return first.Pairs[x][y]
	}
	differ := 0
	for i, x := range order {
		for j, y := range order {
			require.Equal(t, exchanged(x, y), pane.Pairs[i][j], "%d, %d", x, y)
			if pane.Pairs[i][j].WeightedX != pane.Pairs[i][j].WeightedY {
				differ++
			}
		}
	}
	assert.Greater(t, differ, 6, "exchanging shows")
	// Rows and columns out of a square, and back.
	pane, hashes = cachedPane(t, cache, all[2:], all[:2], o)
	assert.Zero(t, read(hashes), "a part of it")
	require.Equal(t, first.Pairs[3][1], pane.Pairs[1][1])
	cache = newCache()
	cachedPane(t, cache, all[2:], all[:2], o)
	pane, hashes = cachedPane(t, cache, all[:2], all[2:], o)
	assert.Zero(t, read(hashes), "transposed")
	checkPane(t, "transposed", pane, all[:2], all[2:], o.Options, svcca.AllScores)
	// Contents make a layer, not its name or place in memory.
	renamed := slices.Clone(all)
	renamed[1].name = "another name"
	cache = newCache()
	first, _ = cachedPane(t, cache, all, nil, o)
	pane, hashes = cachedPane(t, cache, append(renamed, all[1]), nil, o)
	assert.Zero(t, read(hashes), "another name")
	require.Equal(t, "another name", pane.Rows[1].Name)
	require.Equal(t, first.Pairs[1][1], pane.Pairs[1][4], "equal contents")
}

// TestCacheMiss: other options and other contents find nothing that is not theirs.
func TestCacheMiss(t *testing.T) {
	const n = 60
	all := family(125, 3, n)
	weights := slices.Repeat([]float64{1, 2}, n/2)
	o := svcca.PaneOptions{Options: svcca.Options{RankTol: svcca.ShareTol(1e-3), Weights: weights}}
	whole := newCache()
	cachedPane(t, whole, all, nil, o)
	changed := func(change func(o *svcca.PaneOptions)) svcca.PaneOptions {
		o := o
		change(&o)
		return o
	}
	heavier := slices.Clone(weights)
	heavier[7] = 3
	for name, o := range map[string]svcca.PaneOptions{
		"keep":      changed(func(o *svcca.PaneOptions) { o.Keep = svcca.FullRank() }),
		"rank":      changed(func(o *svcca.PaneOptions) { o.RankTol = svcca.ShareTol(1e-4) }),
		"centring":  changed(func(o *svcca.PaneOptions) { o.Centering = svcca.CenterNone }),
		"precision": changed(func(o *svcca.PaneOptions) { o.Precision = svcca.Mixed }),
		"accuracy":  changed(func(o *svcca.PaneOptions) { o.Accuracy = accuracyTriangle }),
		"weight":    changed(func(o *svcca.PaneOptions) { o.Weights = heavier }),
		"weights":   changed(func(o *svcca.PaneOptions) { o.Weights = nil }),
		"scores":    changed(func(o *svcca.PaneOptions) { o.Scores = svcca.NormScores }),
	} {
		cache := whole.copied()
		pane, hashes := cachedPane(t, cache, all, nil, o)
		plain := pairwise(t, hashLayers(hashAll(all)), nil, o)
		require.True(t, bytes.Equal(paneBits(t, plain), paneBits(t, pane)), name)
		for _, h := range hashes {
			if name == "scores" { // a reduced layer is the same for any
				assert.Equal(t, int64(h.n*h.d), h.values.Load(), "a second pass")
			} else {
				assert.Greater(t, h.values.Load(), int64(2*h.n*h.d), "%s: two passes", name)
			}
		}
		// And what was there is there still.
		_, hashes = cachedPane(t, cache, all, nil, changed(func(*svcca.PaneOptions) {}))
		assert.Zero(t, read(hashes), name)
	}
	altered := slices.Clone(all)
	altered[1] = all[1].mapped(func(i, j int, v float64) float64 {
		if i == 9 && j == 1 {
			return math.Nextafter(v, 2)
		}
		return v
	})
	_, hashes := cachedPane(t, whole.copied(), altered, nil, o)
	assert.Greater(t, hashes[1].values.Load(), int64(2*n*all[1].d), "one bit of one value is another layer")
	assert.LessOrEqual(t, hashes[0].values.Load(), int64(n*all[0].d))
	// Layers without a digest are read, beside others that are not.
	cache := newCache()
	layers := func() []svcca.Layer { return []svcca.Layer{hash(all[0]), count(all[1]), hash(all[2])} }
	o.Cache = cache
	first := layers()
	before := pairwise(t, first, nil, o)
	second := layers()
	after := pairwise(t, second, nil, o)
	assert.LessOrEqual(t, second[0].(*hashed).values.Load(), int64(n*all[0].d))
	assert.Greater(t, second[1].(*counted).values.Load(), int64(2*n*all[1].d))
	require.Equal(t, before.Pairs[0][2], after.Pairs[0][2])
	checkPane(t, "one without", after, all, all, o.Options, svcca.AllScores)
}

// TestCacheDamaged: what is damaged is found again, is the same, and is replaced.
func TestCacheDamaged(t *testing.T) {
	all := family(126, 3, 60)
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}}
	whole := newCache()
	first, _ := cachedPane(t, whole, all, nil, o)
	schema := func(data []byte) string {
		header, _ := unsealed(data)
		var h struct{ Schema string }
		require.NoError(t, json.Unmarshal(header, &h))
		return h.Schema
	}
	var ofKind = map[string][]byte{}
	for _, data := range whole.entries {
		ofKind[schema(data)] = data
	}
	require.Len(t, ofKind, 2)
	flipped := func(at int) func([]byte) []byte {
		return func(data []byte) []byte {
			data = slices.Clone(data)
			data[(at+len(data))%len(data)] ^= 4
			return data
		}
	}
	resealed := func(change func(header string, arrays []byte) (string, []byte)) func([]byte) []byte {
		return func(data []byte) []byte {
			header, arrays := unsealed(data)
			text, arrays := change(string(header), slices.Clone(arrays))
			return sealed([]byte(text), arrays)
		}
	}
	exponent := regexp.MustCompile(`"exponent":-?[0-9]+`)
	for name, damage := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return []byte{} },
		"one byte":  func(data []byte) []byte { return data[:1] },
		"cut":       func(data []byte) []byte { return data[:len(data)/2] },
		"cut short": func(data []byte) []byte { return data[:len(data)-1] },
		"longer":    func(data []byte) []byte { return append(slices.Clone(data), 0) },
		"first bit": flipped(0),
		"header":    flipped(40),
		"last bit":  flipped(-1),
		"values":    flipped(-40),
		"of zeros":  func(data []byte) []byte { return make([]byte, len(data)) },
		"other kind": func(data []byte) []byte {
			return ofKind[map[string]string{"svcca.reduced/1": "svcca.scores/1", "svcca.scores/1": "svcca.reduced/1"}[schema(data)]]
		},
		"of sums": func([]byte) []byte { return smallSums(t)[0] },
		"later form": resealed(func(h string, a []byte) (string, []byte) {
			return string(bytes.Replace([]byte(h), []byte("/1"), []byte("/2"), 1)), a
		}),
		"older form": resealed(func(h string, a []byte) (string, []byte) {
			return exponent.ReplaceAllString(h, `"exponent":900`), append(a, 1, 2, 3, 4, 5, 6, 7, 8)
		}),
		"no fields":   resealed(func(string, []byte) (string, []byte) { return `{"schema":"svcca.reduced/1"}`, nil }),
		"other types": resealed(func(h string, a []byte) (string, []byte) { return h[:len(h)-1] + `,"k":"four","pairs":7}`, a }),
		"more rows": resealed(func(h string, a []byte) (string, []byte) {
			return string(bytes.Replace([]byte(h), []byte(`"datapoints":60`), []byte(`"datapoints":61`), 1)), a
		}),
	} {
		for key, data := range whole.entries {
			kind := schema(data)
			damaged := damage(data)
			if bytes.Equal(damaged, data) || name == "older form" && kind == "svcca.scores/1" {
				continue
			}
			cache := whole.copied()
			cache.entries[key] = damaged
			what := name + " " + kind
			pane, hashes := cachedPane(t, cache, all, nil, o)
			if kind == "svcca.reduced/1" {
				require.True(t, bytes.Equal(paneBits(t, first), paneBits(t, pane)), "%s: other bits", what)
			} else { // scored again in a window of its own, which rounds by itself
				checkPane(t, what, pane, all, all, o.Options, svcca.AllScores)
			}
			assert.Positive(t, read(hashes), "%s: found again", what)
			_, hashes = cachedPane(t, cache, all, nil, o)
			assert.Zero(t, read(hashes), "%s: was not replaced", what)
			require.Equal(t, kind, schema(cache.entries[key]), what)
			if kind == "svcca.reduced/1" {
				require.True(t, bytes.Equal(data, cache.entries[key]), "%s: replaced by something else", what)
			}
		}
	}
}

// TestCacheFails: a cache that fails is an error that says so, whenever it does.
func TestCacheFails(t *testing.T) {
	all := family(127, 3, 60)
	o := svcca.PaneOptions{Workers: 1}
	counts := newCache()
	cachedPane(t, counts, all, nil, o)
	run := func(cache *memoryCache) error {
		o := o
		o.Cache = cache
		_, err := svcca.Pairwise(context.Background(), hashLayers(hashAll(all)), nil, o)
		return err
	}
	for _, workers := range []int{1, 3} {
		o.Workers = workers
		for at := 1; at <= counts.gets; at++ {
			cache := newCache()
			cache.failGet = at
			err := run(cache)
			require.ErrorIs(t, err, errCache, "get %d of %d", at, counts.gets)
			assert.Contains(t, err.Error(), "cache")
			cache.failGet = 0
			require.NoError(t, run(cache), "what a failed call left serves the next")
		}
		for at := 1; at <= counts.puts; at++ {
			cache := newCache()
			cache.failPut = at
			err := run(cache)
			require.ErrorIs(t, err, errCache, "put %d of %d", at, counts.puts)
			assert.Contains(t, err.Error(), "cache")
		}
	}
	failed := hash(all[1])
	failed.failed = errors.New("changed while it was read")
	_, err := svcca.Pairwise(context.Background(), []svcca.Layer{hash(all[0]), failed}, nil, svcca.PaneOptions{Cache: newCache()})
	require.ErrorIs(t, err, failed.failed)
	assert.Contains(t, err.Error(), `"layer1"`)
	// Without a cache nobody asks for a digest.
	_, err = svcca.Pairwise(context.Background(), []svcca.Layer{hash(all[0]), failed}, nil, svcca.PaneOptions{})
	require.NoError(t, err)
}

// TestCacheConcurrent: calls at the same time, of layers in part the same, share a
// cache. The race detector looks on.
func TestCacheConcurrent(t *testing.T) {
	all := family(128, 8, 60)
	cache := newCache()
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}, Workers: 2, Cache: cache}
	panes, errs := make([]*svcca.Pane, 6), make([]error, 6)
	var group sync.WaitGroup
	for g := range panes {
		group.Go(func() {
			panes[g], errs[g] = svcca.Pairwise(context.Background(), hashLayers(hashAll(all[g%3:])), nil, o)
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	for g, pane := range panes {
		checkPane(t, "concurrent", pane, all[g%3:], all[g%3:], o.Options, svcca.AllScores)
	}
	pane, _ := cachedPane(t, cache, all, nil, o)
	checkPane(t, "afterwards", pane, all, all, o.Options, svcca.AllScores)
}
