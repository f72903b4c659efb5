package conv_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// binaryKinds are all that a container may hold.
func binaryKinds() []sumsKind {
	return []sumsKind{
		{name: "pair"}, {name: "pair, mixed", precision: svcca.Mixed},
		{name: "moments", translations: [2]int{2, 2}}, {name: "moments, mixed", translations: [2]int{2, 1}, precision: svcca.Mixed},
	}
}

// TestSumsBinary: bytes bring back every bit, also of what is merged then, and say what
// they are.
func TestSumsBinary(t *testing.T) {
	const n = 30
	x, y := ordinary(n, [3]int{2, 2, 2}, [3]int{4, 2, 1})
	x = x.plus(1e3)
	vectors := sumsOf{randomMaps(rand.New(rand.NewPCG(3, 3)), n, 1, 1, 3), true}
	half := [2][]int{upTo(n)[:11], upTo(n)[11:]}
	for _, k := range binaryKinds() {
		for _, y := range []sumsOf{y.times(1e-300), vectors} {
			what := fmt.Sprint(k.name, y.vector)
			var first, second [2]sums // originals, and copies by way of bytes
			for i, to := range []*[2]sums{&first, &second} {
				to[0] = k.feed(t, "in turn", x, y, nil, [][]int{half[i]})
				data := marshalled(t, to[0])
				back := k.empty()
				if p, ok := back.(*conv.Pair); ok {
					p.Precision = svcca.Double // set by what is read
				}
				require.NoError(t, back.UnmarshalBinary(data), what)
				require.True(t, bytes.Equal(data, marshalled(t, back)), "%s: not the same bytes", what)
				assert.Equal(t, dimsOf(to[0]), dimsOf(back))
				assert.Equal(t, conv.OfSumsForTest(to[0]), conv.OfSumsForTest(back))
				switch back := back.(type) {
				case *conv.Pair:
					assert.Equal(t, k.precision, back.Precision)
				case *conv.Moments:
					assert.Equal(t, k.precision, back.Precision)
					assert.Equal(t, k.translations, back.Translations)
				}
				to[1] = back
				clear(data) // it must not be looked at again
			}
			for i := range 2 {
				require.NoError(t, k.merge(first[i], second[i]))
			}
			require.True(t, bytes.Equal(marshalled(t, first[0]), marshalled(t, first[1])), "%s: merged, not the same bits", what)
			// Images go on as if nothing had happened.
			for i := range 2 {
				require.NoError(t, k.add(context.Background(), first[i], x.all("x"), y.all("y"), nil))
			}
			data := marshalled(t, first[0])
			require.True(t, bytes.Equal(data, marshalled(t, first[1])), "%s: added to, not the same bits", what)
			// Of another kind.
			for _, o := range []sums{&conv.Moments{}, &conv.Pair{}} {
				if fmt.Sprintf("%T", o) != fmt.Sprintf("%T", first[0]) {
					empty := dimsOf(o)
					require.ErrorIs(t, o.UnmarshalBinary(data), svcca.ErrDamaged, what)
					assert.Equal(t, empty, dimsOf(o))
				}
			}
			_, err := svcca.UnmarshalSums(data)
			require.ErrorIs(t, err, svcca.ErrDamaged, what)
		}
	}
}

// smallSums returns containers of about a kilobyte.
func smallSums(t require.TestingT) (all [][]byte) {
	x, y := ordinary(9, [3]int{2, 2, 1}, [3]int{2, 2, 1})
	for _, k := range binaryKinds() {
		s := k.empty()
		require.NoError(t, k.add(context.Background(), s, x.all("x"), y.all("y"), nil))
		all = append(all, marshalled(t, s))
	}
	return all
}

// unmarshalled reads data as the kind that they say they are.
func unmarshalled(data []byte) (sums, error) {
	var s sums = &conv.Pair{}
	if bytes.Contains(data, []byte("svcca.conv.moments/1")) {
		s = &conv.Moments{}
	}
	return s, s.UnmarshalBinary(data)
}

// TestSumsDamaged: one bit that flipped, or bytes that are gone, are ErrDamaged, and what
// was there before stays.
func TestSumsDamaged(t *testing.T) {
	for _, data := range smallSums(t) {
		damaged := func(data []byte, what string, at int) {
			_, err := unmarshalled(data)
			require.ErrorIs(t, err, svcca.ErrDamaged, "%s %d", what, at)
		}
		for bit := range 8 * len(data) {
			data[bit/8] ^= 1 << (bit % 8)
			damaged(data, "bit", bit)
			data[bit/8] ^= 1 << (bit % 8)
		}
		for at := range data {
			damaged(data[:at], "cut to", at)
			damaged(data[at+1:], "cut from", at)
		}
		damaged(append(slices.Clone(data), 0), "one more after", len(data))
		back, err := unmarshalled(data)
		require.NoError(t, err)
		require.ErrorIs(t, back.UnmarshalBinary(data[:len(data)-1]), svcca.ErrDamaged)
		assert.Equal(t, data, marshalled(t, back), "sums that were there")
	}
}

// sealed returns a container of a header and arrays, with a true checksum.
func sealed(header, arrays []byte) []byte {
	data := append([]byte("\x93SVCCA1\n"), binary.LittleEndian.AppendUint64(nil, uint64(len(header)))...)
	data = append(append(data, header...), arrays...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// unsealed returns the parts of a container.
func unsealed(data []byte) (header, arrays []byte) {
	end := 16 + int(binary.LittleEndian.Uint64(data[8:]))
	return data[16:end], data[end : len(data)-sha256.Size]
}

// TestSumsHostile: a checksum says nothing of who made it. Sizes are checked before
// anything is allocated for them.
func TestSumsHostile(t *testing.T) {
	type change = func(h map[string]any, layer map[string]any)
	set := func(key string, value any) change {
		return func(h, _ map[string]any) { h[key] = value }
	}
	setLayer := func(key string, value any) change {
		return func(_, l map[string]any) { l[key] = value }
	}
	changes := map[string]change{
		"as it was":            nil,
		"other schema":         set("schema", "svcca.conv.moments/2"),
		"no schema":            set("schema", ""),
		"dense moments":        set("schema", "svcca.moments/1"),
		"schema of a number":   set("schema", 7),
		"precision":            set("precision", "float16"),
		"no images":            set("images", 0),
		"negative images":      set("images", -9),
		"half an image":        set("images", 9.5),
		"2⁶² images":           set("images", 1<<62),
		"weight 0":             set("weight", 0),
		"negative weight":      set("weight", -9),
		"infinite weight":      set("weight", json.Number("1e999")),
		"weight in words":      set("weight", "NaN"),
		"no translations":      set("translations", []int{0, 0}),
		"fewer translations":   set("translations", []int{1, 1}),
		"negative ones":        set("translations", []int{-2, 2}),
		"three by three":       set("translations", []int{3, 3}),
		"2⁴⁰ translations":     set("translations", []int{1 << 40, 1 << 40}),
		"translations null":    set("translations", nil),
		"no layers":            set("layers", []any{}),
		"layers null":          set("layers", nil),
		"three layers":         func(h, l map[string]any) { h["layers"] = []any{l, l, l} },
		"channels":             setLayer("channels", 3),
		"no channels":          setLayer("channels", 0),
		"negative channels":    setLayer("channels", -1),
		"2⁴⁰ channels":         setLayer("channels", 1<<40),
		"2³² channels":         setLayer("channels", 1<<32),
		"2⁶² channels":         setLayer("channels", 1<<62),
		"all channels":         setLayer("channels", math.MaxInt),
		"taller":               setLayer("height", 4),
		"flat":                 setLayer("height", 0),
		"2³³ × 2³³":            func(_, l map[string]any) { l["height"], l["width"] = 1<<33, 1<<33 },
		"−1 × −1":              func(_, l map[string]any) { l["height"], l["width"] = -1, -1 },
		"all wide":             setLayer("width", math.MaxInt),
		"a vector of 2 × 2":    setLayer("vector", true),
		"storage":              setLayer("storage", "int8"),
		"exponent":             setLayer("exponent", 1001),
		"least exponent":       setLayer("exponent", math.MinInt),
		"vector in words":      setLayer("vector", "yes"),
		"a vector of 1 × 1":    func(_, l map[string]any) { l["height"], l["width"], l["vector"] = 1, 1, true },
		"a vector of 1 × 1 ×4": func(_, l map[string]any) { l["height"], l["width"], l["channels"], l["vector"] = 1, 1, 4, true },
	}
	for _, data := range smallSums(t) {
		header, arrays := unsealed(data)
		refuse := func(what string, data []byte) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := unmarshalled(data)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, svcca.ErrDamaged, "%s: %s", header, what)
			// JSON, errors and arrays: some multiples of a container of 1 kB.
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "%s: bytes allocated", what)
		}
		for name, change := range changes {
			var h map[string]any
			require.NoError(t, json.Unmarshal(header, &h))
			if change == nil {
				text, err := json.Marshal(h)
				require.NoError(t, err)
				_, err = unmarshalled(sealed(text, arrays))
				require.NoError(t, err, "the test's own containers are right")
				continue
			}
			change(h, h["layers"].([]any)[0].(map[string]any))
			text, err := json.Marshal(h)
			require.NoError(t, err)
			if bytes.Contains(header, []byte(`"translations":[2,1]`)) && name == "taller" {
				continue // by chance as many values, in other steps
			}
			refuse(name, sealed(text, arrays))
		}
		for at := 0; at < len(arrays); at += 8 {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				changed := slices.Clone(arrays)
				binary.LittleEndian.PutUint64(changed[at:], math.Float64bits(bad))
				refuse(fmt.Sprintf("value %d is %v", at/8, bad), sealed(header, changed))
			}
		}
		changed := slices.Clone(arrays)
		binary.LittleEndian.PutUint64(changed[4*8:], math.Float64bits(-1)) // behind a shift of 2 × 2
		refuse("a negative sum of squares", sealed(header, changed))
		for _, cut := range []int{1, 7, 8, 16, len(arrays)} {
			refuse("arrays cut", sealed(header, arrays[:len(arrays)-cut]))
		}
		for _, more := range []int{1, 8, 80} {
			refuse("arrays with more", sealed(header, append(slices.Clone(arrays), make([]byte, more)...)))
		}
		for _, text := range []string{"", "null", "[]", "{", "7", strings.Repeat("[", 100000), string(header[:len(header)-1])} {
			refuse("header", sealed([]byte(text), arrays))
		}
		for _, length := range []uint64{1 << 62, math.MaxUint64, math.MaxUint64 - 15, uint64(len(header) + len(arrays) + 1)} {
			changed := slices.Clone(data[:len(data)-sha256.Size])
			binary.LittleEndian.PutUint64(changed[8:], length)
			sum := sha256.Sum256(changed)
			refuse("length of the header", append(changed, sum[:]...))
		}
	}
}
