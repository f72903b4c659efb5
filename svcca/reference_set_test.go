package svcca_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	referencePart  = "testdata/reference"       // committed
	referenceWhole = "../../shared/activations" // beside the checkout, where it is
)

// referenceRules are the rules that every pair has values for.
var referenceRules = []string{"variance(0.99)", "variance(0.9)", "sum(0.99)", "count(20)", "rank"}

// referenceSet is a reference.json with its arrays.
type referenceSet struct {
	root    string
	Layers  map[string]referenceLayer
	Pairs   []referencePair
	opened  map[string]svcca.Layer
	closing func(func()) // Cleanup of the test that loaded the set, not of a subtest
}

type referenceLayer struct {
	N, D           int
	Type           string
	Constant       int
	RankStorage    int            `json:"rank_storage"`
	RankMachine    int            `json:"rank_machine"`
	RankSafe       bool           `json:"rank_safe"`
	Kept           float64        `json:"s_over_tau_kept"`
	Next           float64        `json:"s_over_tau_next"` // 0 where there is no next
	K              map[string]int `json:"k"`
	SingularValues []float64      `json:"singular_values"`
}

type referencePair struct {
	X, Y  string
	Rules map[string]referenceEntry
}

type referenceEntry struct {
	KX, KY         int
	KGrew          [2]bool `json:"k_grew"` // left out where false
	Mean           float64
	MeanSquare     float64 `json:"mean_square"`
	WeightedX      float64 `json:"weighted_x"`
	WeightedY      float64 `json:"weighted_y"`
	Weighted       float64
	WeightedUnique bool    `json:"weighted_unique"`
	PWCCAX         float64 `json:"pwcca_x"`
	PWCCAY         float64 `json:"pwcca_y"`
	PWCCAUnique    bool    `json:"pwcca_unique"`
	Chance         float64
	Adjusted       *float64
	ForcedOnes     int `json:"forced_ones"`
	Rho            []float64
}

// exchanged returns the entry of the pair (y, x).
func (e referenceEntry) exchanged() referenceEntry {
	e.KX, e.KY = e.KY, e.KX
	e.KGrew[0], e.KGrew[1] = e.KGrew[1], e.KGrew[0]
	e.WeightedX, e.WeightedY = e.WeightedY, e.WeightedX
	e.PWCCAX, e.PWCCAY = e.PWCCAY, e.PWCCAX
	return e
}

func loadReference(t *testing.T, root string) *referenceSet {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "reference.json"))
	require.NoError(t, err)
	set := &referenceSet{root: root, opened: map[string]svcca.Layer{}, closing: t.Cleanup}
	require.NoError(t, json.Unmarshal(text, set))
	require.NotEmpty(t, set.Layers)
	for _, pair := range set.Pairs {
		require.Len(t, pair.Rules, len(referenceRules))
		for rule, e := range pair.Rules {
			require.Contains(t, referenceRules, rule)
			require.Len(t, e.Rho, min(e.KX, e.KY))
		}
		require.Contains(t, set.Layers, pair.X)
		require.Contains(t, set.Layers, pair.Y)
	}
	return set
}

// layer returns the layer of a name: "digits/a/fc2" (a file), "digits/a/fc2[0:40]"
// (its rows) or "digits/a/logits[:,3]" (its column).
func (s *referenceSet) layer(t *testing.T, name string) svcca.Layer {
	t.Helper()
	if layer, ok := s.opened[name]; ok {
		return layer
	}
	path, part, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	l := layerPart{name: name}
	var lo, hi int
	rows, _ := fmt.Sscanf(part, "%d:%d", &lo, &hi)
	column, _ := fmt.Sscanf(part, ":,%d", &l.col)
	require.True(t, part == "" || rows == 2 || column == 1, "what part is %q?", name)

	file, err := activation.Open(filepath.Join(s.root, path+".npy"))
	if errors.Is(err, fs.ErrNotExist) && rows == 2 {
		file, err = activation.Open(filepath.Join(s.root, fmt.Sprintf("%s_rows_%d_%d.npy", path, lo, hi)))
		if err == nil {
			lo, hi = 0, hi-lo
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		file, err = digits.Open(strings.TrimPrefix(path, "digits/"))
	}
	require.NoError(t, err, name)
	s.closing(func() { assert.NoError(t, file.Close()) })

	l.file = file
	l.n, l.d = file.Dims()
	if rows == 2 {
		l.row, l.n = lo, hi-lo
	}
	if column == 1 {
		l.d = 1
	}
	expected := s.Layers[name]
	require.Equal(t, []any{expected.N, expected.D, expected.Type}, []any{l.n, l.d, l.Storage()}, name)
	s.opened[name] = l
	return l
}

// layerPart is n datapoints × d neurons of a file, from row and col on.
type layerPart struct {
	name           string
	file           *activation.File
	row, col, n, d int
}

func (l layerPart) Name() string     { return l.name }
func (l layerPart) Dims() (n, d int) { return l.n, l.d }
func (l layerPart) Storage() string  { return l.file.Storage() }
func (l layerPart) Read(dst lapack.Matrix[float64], row, col int) error {
	return l.file.Read(dst, l.row+row, l.col+col)
}

// sameAsWhole checks that what is committed is what the whole set has: files byte
// for byte, cut files by value, and every number of the JSON.
func sameAsWhole(t *testing.T, part, whole *referenceSet) {
	for name, layer := range part.Layers {
		assert.Equal(t, whole.Layers[name], layer, name)
	}
	pairs := map[[2]string]referencePair{}
	for _, pair := range whole.Pairs {
		pairs[[2]string{pair.X, pair.Y}] = pair
	}
	for _, pair := range part.Pairs {
		assert.Equal(t, pairs[[2]string{pair.X, pair.Y}], pair)
	}
	files := 0
	compare := func(root, under string) {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".npy" {
				return err
			}
			files++
			name, err := filepath.Rel(root, path)
			require.NoError(t, err)
			if stem, span, cut := strings.Cut(strings.TrimSuffix(name, ".npy"), "_rows_"); cut {
				layer := under + stem + "[" + strings.ReplaceAll(span, "_", ":") + "]"
				assert.Equal(t, values(t, whole.layer(t, layer)), values(t, part.layer(t, layer)), path)
				return nil
			}
			here, err := os.ReadFile(path)
			require.NoError(t, err)
			there, err := os.ReadFile(filepath.Join(whole.root, under, name))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(here, there), "%s differs from the whole set's", path)
			return nil
		})
		require.NoError(t, err)
	}
	compare(part.root, "")
	compare("../internal/digits", "digits/")
	assert.Positive(t, files)
}

func values(t *testing.T, layer svcca.Layer) []float64 {
	m := lapack.New[float64](layer.Dims())
	require.NoError(t, layer.Read(m, 0, 0))
	return m.Data
}
