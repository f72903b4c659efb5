package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// someMaps returns n maps of h × w × c in NHWC, which have in common with those of
// another seed and number of channels what moves with two channels of noise.
func someMaps(seed uint64, n, h, w, c int) lapack.Matrix[float64] {
	common, mixing := gaussian(77, n, h*w*2), gaussian(seed+100, c, 2)
	m := gaussian(seed, n, h*w*c)
	for i := range n {
		for p := range h {
			for q := range w {
				for k := range c {
					at := (p*w+q)*c + k
					near := ((p+k)%h*w + q) * 2 // each channel looks at a neighbour
					m.Set(i, at, 0.5*m.At(i, at)+mixing.At(k, 0)*common.At(i, near)+mixing.At(k, 1)*common.At(i, near+1))
				}
			}
		}
	}
	return m
}

// channelsFirst returns maps of h × w × c in NCHW.
func channelsFirst(m lapack.Matrix[float64], h, w, c int) lapack.Matrix[float64] {
	t := lapack.New[float64](m.Rows, m.Cols)
	for i := range m.Rows {
		for at := range h * w * c {
			t.Set(i, at%c*h*w+at/c, m.At(i, at))
		}
	}
	return t
}

// mapFiles saves layers of maps of 40 images: x of 4 × 4 × 3, its copy in NCHW, y of
// 4 × 4 × 2, small of 2 × 2 × 5, and logits of 6 values.
func mapFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	x := someMaps(1, 40, 4, 4, 3)
	save(t, "x.npy", x, 40, 4, 4, 3)
	save(t, "nchw.npy", channelsFirst(x, 4, 4, 3), 40, 3, 4, 4)
	save(t, "y.npy", someMaps(2, 40, 4, 4, 2), 40, 4, 4, 2)
	save(t, "small.npy", someMaps(3, 40, 2, 2, 5), 40, 2, 2, 5)
	logits := gaussian(4, 40, 6)
	for i := range logits.Rows {
		for j := range 3 { // a sum over positions, which translations keep
			for at := range 16 {
				logits.Set(i, j, logits.At(i, j)+x.At(i, at*3+j))
			}
		}
	}
	save(t, "logits.npy", logits)
}

// mapsFile opens a file as package conv takes it.
func mapsFile(t *testing.T, path string, layout conv.Layout) conv.Maps {
	f, err := activation.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	if len(f.Shape()) != 4 {
		return conv.Vector(f)
	}
	m, err := conv.Of(f, layout)
	require.NoError(t, err)
	return m
}

func TestFeatureMapsRefusedInSixLines(t *testing.T) {
	mapFiles(t)
	for _, c := range []struct {
		args []string
		last string
	}{
		{[]string{"compare", "x.npy", "y.npy"}, "svcca: svcca compare x.npy y.npy --conv dft"},
		{[]string{"compare", "logits.npy", "nchw.npy"}, "svcca: svcca compare logits.npy nchw.npy --conv dft --layout nchw"},
		{[]string{"compare", "x.npy", "a file's.npy"}, `svcca: svcca compare x.npy 'a file'\''s.npy' --conv dft`},
		{[]string{"matrix", "logits.npy", "x.npy", "--against", "y.npy"}, "svcca: svcca matrix logits.npy x.npy --against y.npy --conv dft"},
		{append([]string{"matrix", "x.npy"}, strings.Fields(strings.Repeat("y.npy ", 20))...), "svcca: svcca matrix x.npy … --conv dft"},
		{[]string{"compare", "x.npy", "y.npy", "--transpose"}, "svcca: svcca compare x.npy y.npy --conv dft"},
	} {
		status, stdout, stderr := call(t, c.args...)
		assert.Equal(t, exitFailed, status)
		assert.Empty(t, stdout)
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		require.Len(t, lines, 6, stderr)
		for _, name := range []string{"dft", "lowpass", "pixels", "flatten"} {
			assert.Contains(t, stderr, "  "+name)
		}
		assert.Equal(t, c.last, strings.TrimRight(strings.TrimSuffix(lines[5], "# or --layout nchw"), " "))
		checkWidth(t, stderr)
	}
	// Those who have no --conv say who has.
	_, _, stderr := call(t, "moments", "x.npy", "-o", "x.sums")
	assert.Equal(t, 6, strings.Count(stderr, "\n"))
	assert.Contains(t, stderr, "take maps, with --conv")
	checkWidth(t, stderr)
}

// TestConvIsBetween: what the command writes is what package conv finds.
func TestConvIsBetween(t *testing.T) {
	mapFiles(t)
	for _, c := range []struct {
		x, y   string
		layout conv.Layout
		flags  string
		o      conv.Options
	}{
		{"x.npy", "y.npy", conv.NHWC, "--conv dft", conv.Options{}},
		{"nchw.npy", "nchw.npy", conv.NCHW, "--conv dft --layout nchw", conv.Options{}},
		{"x.npy", "small.npy", conv.NHWC, "--conv dft --keep sum(0.9)", conv.Options{Options: svcca.Options{Keep: svcca.Sum(0.9)}}},
		{"x.npy", "small.npy", conv.NHWC, "--conv lowpass", conv.Options{LowPass: true}},
		{"x.npy", "logits.npy", conv.NHWC, "--conv dft --centering translated", conv.Options{Options: svcca.Options{Centering: svcca.CenterTranslated}}},
		{"x.npy", "y.npy", conv.NHWC, "--conv dft --off-block 20", conv.Options{OffBlock: 20}},
		{"x.npy", "y.npy", conv.NHWC, "--conv dft --off-block none", conv.Options{OffBlock: -1}},
	} {
		want, err := conv.Between(t.Context(), mapsFile(t, c.x, c.layout), mapsFile(t, c.y, c.layout), c.o)
		require.NoError(t, err)
		status, stdout, stderr := call(t, append([]string{"compare", c.x, c.y, "--json"}, strings.Fields(c.flags)...)...)
		require.Equal(t, exitDone, status, stderr)
		var got struct {
			Schema string
			conv.Result
			Options map[string]any `json:"options"`
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		assert.Equal(t, "svcca.compare/1", got.Schema)
		words := strings.Fields(c.flags)
		assert.Equal(t, words[1], got.Options["conv"])
		assert.Equal(t, c.layout.String(), got.Options["layout"])
		assert.Equal(t, want.X.K, got.X.K)
		assert.InDelta(t, want.Mean, got.Mean, 2*want.ErrorBound)
		assert.InDelta(t, want.Chance, got.Chance, 1e-15)
		assert.Equal(t, want.ForcedOnes, got.ForcedOnes)
		assert.Equal(t, want.Translations, got.Translations)
		assert.Equal(t, want.Blocks, got.Blocks)
		assert.Equal(t, want.Approximate, got.Approximate)
		if want.OffBlockX == nil {
			assert.Nil(t, got.OffBlockX)
		} else {
			assert.InDelta(t, want.OffBlockX.Share, got.OffBlockX.Share, 1e-12)
			assert.Equal(t, want.OffBlockX.Images, got.OffBlockX.Images)
		}
		var keys map[string]any
		require.NoError(t, json.Unmarshal([]byte(stdout), &keys))
		for _, key := range []string{"translations", "approximate", "thrown_away", "blocks", "off_block_x", "off_block_y", "backend", "warnings"} {
			assert.Contains(t, keys, key)
		}
		assert.Contains(t, stderr, fmt.Sprintf("svcca: %q: 40 images of", c.x))
	}
}

// TestConvOfReferenceSet goes from files to JSON over the reference values.
func TestConvOfReferenceSet(t *testing.T) {
	if testing.Short() {
		t.Skip("conv's own test has the same cases")
	}
	const folder = "../../../shared/activations"
	text, err := os.ReadFile(filepath.Join(folder, "reference_conv.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no " + folder)
	}
	require.NoError(t, err)
	var set struct {
		Cases []struct {
			X, Y         string
			First        int
			CropX        []int `json:"crop_x"`
			CropY        []int `json:"crop_y"`
			Translations []int
			OffBlock     map[string]struct{ Share, Error float64 } `json:"off_block"`
			Results      []struct {
				Way, Centered, Keep string
				KX                  int `json:"k_x"`
				KY                  int `json:"k_y"`
				Mean, Chance        float64
				PWCCAX              float64 `json:"pwcca_x"`
				ForcedOnes          int     `json:"forced_ones"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &set))
	const tolerance = 1e-9 // of conv's own test
	compared := map[string]int{}
	for _, c := range set.Cases {
		if c.First > 0 || c.CropX != nil || c.CropY != nil {
			continue // files hold them whole
		}
		for _, r := range c.Results {
			way := map[string]string{"low_pass": "lowpass"}[r.Way]
			if way == "" {
				way = r.Way
			}
			centering := "neurons"
			if r.Centered == "mean" && (way == "dft" || way == "lowpass") {
				centering = "translated"
			}
			got := compareJSON(t, filepath.Join(folder, "conv", c.X+".npy"), filepath.Join(folder, "conv", c.Y+".npy"),
				"--conv", way, "--keep", r.Keep, "--centering", centering, "--quiet")
			of := fmt.Sprint(c.X, " ", c.Y, " ", r.Way, " ", r.Centered, " ", r.Keep)
			assert.Equal(t, [2]int{r.KX, r.KY}, [2]int{got.X.K, got.Y.K}, of)
			assert.InDelta(t, r.Mean, got.Mean, tolerance, of)
			assert.InDelta(t, r.Chance, got.Chance, tolerance, of)
			assert.Equal(t, float64(r.ForcedOnes), got.keys["forced_ones"], of)
			if share, is := c.OffBlock["x"]; is && way == "dft" {
				o := got.keys["off_block_x"].(map[string]any)
				assert.InDelta(t, share.Share, o["share"], tolerance, of)
				assert.InDelta(t, share.Error, o["error"], tolerance, of)
			}
			compared[way]++
		}
	}
	t.Log(compared)
	assert.Len(t, compared, 4)
}

// TestViewsAreReshaped: pixels and flatten are the comparisons of arrays that numpy
// would reshape.
func TestViewsAreReshaped(t *testing.T) {
	mapFiles(t)
	x, y := someMaps(1, 40, 4, 4, 3), someMaps(2, 40, 4, 4, 2)
	rows := func(m lapack.Matrix[float64], c int) lapack.Matrix[float64] { return lapack.Of(40*16, c, m.Data) }
	save(t, "rx.npy", rows(x, 3))
	save(t, "ry.npy", rows(y, 2))
	save(t, "fx.npy", x)
	save(t, "fy.npy", y)
	weights, spread := lapack.New[float64](40, 1), lapack.New[float64](640, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%5)
		for j := range 16 {
			spread.Data[i*16+j] = weights.Data[i]
		}
	}
	save(t, "w.npy", weights)
	save(t, "spread.npy", spread)
	for _, c := range []struct{ way, x, y, weights string }{
		{"pixels", "rx.npy", "ry.npy", "spread.npy"}, {"flatten", "fx.npy", "fy.npy", "w.npy"},
	} {
		for _, weighted := range []bool{false, true} {
			dense, maps := []string{c.x, c.y}, []string{"x.npy", "y.npy", "--conv", c.way}
			if weighted {
				dense, maps = append(dense, "--weights", c.weights), append(maps, "--weights", "w.npy")
			}
			want, got := compareJSON(t, dense...), compareJSON(t, maps...)
			assert.Equal(t, want.Rho, got.Rho)
			assert.Equal(t, want.Chance, got.Chance)
			assert.Equal(t, want.X.Datapoints, got.X.Datapoints)
			assert.Equal(t, c.way, got.Options["conv"])
			codes := ""
			for _, w := range got.Warnings {
				codes += w.Code + " "
				assert.NotContains(t, w.Text, "neurons × datapoints")
			}
			assert.Equal(t, c.way == "pixels", strings.Contains(codes, warnPositions))
		}
	}
	// Channels first: the same but for the order of sums.
	want, got := compareJSON(t, "x.npy", "x.npy", "--conv", "pixels"), compareJSON(t, "nchw.npy", "nchw.npy", "--conv", "pixels", "--layout", "nchw")
	assert.Equal(t, want.Rho, got.Rho)
	flat := compareJSON(t, "x.npy", "logits.npy", "--conv", "flatten")
	assert.InDelta(t, compareJSON(t, "fx.npy", "logits.npy").Mean, flat.Mean, 2*flat.ErrorBound)
}

// TestConvReports: what the readable output says, in lines that fit.
func TestConvReports(t *testing.T) {
	mapFiles(t)
	save(t, "few.npy", someMaps(1, 9, 2, 2, 12), 9, 2, 2, 12)
	save(t, "other.npy", someMaps(2, 9, 2, 2, 12), 9, 2, 2, 12)
	save(t, "tiny.npy", someMaps(2, 40, 3, 3, 2), 40, 3, 3, 2)
	weights := lapack.New[float64](40, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%3)
	}
	save(t, "w.npy", weights)
	fixed := someMaps(1, 40, 4, 4, 3) // one row of positions alone varies
	for i := range fixed.Rows {
		for j := 12; j < fixed.Cols; j++ {
			fixed.Set(i, j, 1e-3*fixed.At(i, j)+float64(j))
		}
	}
	save(t, "fixed.npy", fixed, 40, 4, 4, 3)
	for _, c := range []struct {
		args string
		says []string
		not  []string
	}{
		{"x.npy y.npy --conv dft", []string{
			"40 images in 4 × 4 translations (dft)", "4 × 4 × 3", "over 16 frequencies, in 10 blocks of 3 and 2 columns",
			"None is 1 for want of images", "Translation invariance", "lies between frequencies, which dft cannot see", "from 40 images", "fixed pattern is taken out", "Options: --conv dft --layout nhwc",
		}, []string{"WARNING", "nothing here shows"}},
		{"x.npy y.npy --conv dft --centering translated", []string{"counts as signal"}, []string{"is taken out"}},
		{"x.npy y.npy --conv dft --off-block none", []string{"SVCCA"}, []string{"nvarian"}},
		{"x.npy y.npy --conv dft --weights w.npy", []string{"as 34.1 images of equal weight", "is not estimated with weights"}, nil},
		{"fixed.npy x.npy --conv dft", []string{"That is far from invariant"}, []string{"Warning: \"fixed.npy\" is far"}},
		{"x.npy logits.npy --conv dft", []string{"of 3 columns of x", "y does not move", "Translation invariance"}, []string{"  y  −"}},
		{"logits.npy x.npy --conv dft", []string{"of 3 columns of y", "x does not move"}, nil},
		{"x.npy small.npy --conv lowpass", []string{"1 × 1 lowest frequencies (lowpass)", "thrown away", "not estimated for a low pass", "Warning: approximate"}, nil},
		{"x.npy tiny.npy --conv dft", []string{"1 × 1 translations", "dft is the same as flatten"}, []string{"frequencies, in"}},
		{"few.npy other.npy --conv dft", []string{"few.npy\" has blocks of 12 columns and 9 images: take more images", "9 images are few", "images would bring it under 0.1", "With so few images"}, nil},
		{"x.npy y.npy --conv pixels", []string{"640 positions of 40 images (pixels)", "channels", "at least 0.", "0 or more", "correlated"}, []string{"at most"}},
		{"x.npy y.npy --conv flatten", []string{"40 images, maps flattened", "48 values an image and 40 images", "4 × 4 × 3"}, []string{"--transpose"}},
	} {
		status, stdout, stderr := call(t, append([]string{"compare"}, strings.Fields(c.args)...)...)
		require.Equal(t, exitDone, status, stderr)
		checkWidth(t, stdout)
		text := strings.Join(strings.Fields(stdout), " ")
		for _, s := range c.says {
			assert.Contains(t, text, s, c.args)
		}
		for _, s := range c.not {
			assert.NotContains(t, text, s, c.args)
		}
		assert.NotContains(t, text, "NaN")
	}
}

func TestConvMisused(t *testing.T) {
	mapFiles(t)
	save(t, "short.npy", someMaps(1, 39, 4, 4, 3), 39, 4, 4, 3)
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"compare x.npy y.npy --conv ddft", exitMisused, "did you mean dft?"},
		{"compare x.npy y.npy --conv dft --layout chwn", exitMisused, "one of nhwc, nchw, ntd, nct expected"},
		{"compare logits.npy logits.npy --layout nchw", exitMisused, "--layout is for feature maps"},
		{"compare logits.npy logits.npy --conv dft", exitMisused, "leave out --conv dft"},
		{"compare x.npy y.npy --conv dft --transpose", exitMisused, "--transpose does not go with --conv: images come first"},
		{"compare x.npy y.npy --conv dft --solver krylov", exitMisused, "every block is solved exactly"},
		{"compare x.npy y.npy --conv flatten --centering translated", exitMisused, "is for --conv dft and lowpass"},
		{"compare logits.npy logits.npy --centering translated", exitMisused, "is for --conv dft and lowpass"},
		{"compare x.npy y.npy --conv pixels --off-block 10", exitMisused, "--off-block is for --conv dft"},
		{"compare x.npy y.npy --conv dft --off-block 3", exitMisused, "at least 5"},
		{"compare x.npy small.npy --conv lowpass --directions d.npz", exitMisused, "a low pass has no filters"},
		{"compare x.npy logits.npy --conv pixels", exitFailed, "logits.npy holds no maps but 6 values an image"},
		{"compare x.npy small.npy --conv pixels", exitFailed, "x.npy has maps of 4 × 4, small.npy of 2 × 2"},
		{"compare x.npy short.npy --conv dft", exitFailed, "x.npy has 40 images or datapoints, short.npy 39"},
		{"compare x.npy y.npy --conv dft --memory 1KiB", exitFailed, "comparing maps of 4 × 4 × 3 with 4 × 4 × 2 by dft needs about"},
		{"matrix x.npy y.npy --conv dft --memory 1KiB", exitFailed, "comparing maps of 4 × 4 × 3 with 4 × 4 × 3 by dft needs about"},
		{"matrix x.npy y.npy --conv dft --cache c", exitMisused, "--cache does not go with --conv dft"},
		{"matrix logits.npy --conv flatten", exitMisused, "no layer holds feature maps"},
		{"matrix x.npy small.npy --conv pixels", exitFailed, "small.npy has maps of 2 × 2, x.npy of 4 × 4"},
		{"compare sums --conv dft", exitMisused, "--conv does not go with sums"},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, c.status, status, stderr)
		assert.Contains(t, stderr, c.says)
		assert.Empty(t, stdout)
		assert.Equal(t, before, listing(t, "."))
	}
}

// TestLayoutIsTold: how a file is read, and where that is odd that it might be otherwise.
func TestLayoutIsTold(t *testing.T) {
	mapFiles(t)
	_, _, stderr := call(t, "compare", "x.npy", "y.npy", "--conv", "dft")
	assert.Contains(t, stderr, "svcca: \"x.npy\": 40 images of 4 × 4, 3 channels (nhwc)\nsvcca: \"y.npy\": 40 images of 4 × 4, 2 channels (nhwc)\n")
	_, _, stderr = call(t, "compare", "nchw.npy", "nchw.npy", "--conv", "flatten")
	assert.Contains(t, stderr, "svcca: \"nchw.npy\": 40 images of 3 × 4, 4 channels (nhwc)\nsvcca: --layout nchw would make that 4 × 4, 3 channels\n")
	assert.Equal(t, 1, strings.Count(stderr, "40 images of"), "once")
	_, _, stderr = call(t, "compare", "nchw.npy", "nchw.npy", "--conv", "dft", "--layout", "nchw")
	assert.NotContains(t, stderr, "would")
	_, _, stderr = call(t, "compare", "x.npy", "y.npy", "--conv", "dft", "--quiet")
	assert.Empty(t, stderr)
	_, stdout, _ := call(t, "info", "logits.npy", "x.npy")
	assert.Equal(t, "logits.npy: 40 × 6, float64\n  40 datapoints × 6 neurons\nx.npy: 40 × 4 × 4 × 3, float64\n  feature maps: 40 images of 4 × 4, 3 channels (nhwc)\n            or: 40 images of 4 × 3, 4 channels (nchw)\n", stdout)
	_, stdout, _ = call(t, "info", "x.npy", "--json")
	assert.Contains(t, stdout, `"shape":[40,4,4,3],"storage":"float64"`)
}

// TestShardsOfMaps: a layer of maps in shards is the layer.
func TestShardsOfMaps(t *testing.T) {
	mapFiles(t)
	x := someMaps(1, 40, 4, 4, 3)
	require.NoError(t, os.Mkdir("x", 0o700))
	save(t, "x/part-0.npy", x.View(0, 0, 13, 48), 13, 4, 4, 3)
	save(t, "x/part-1.npy", x.View(13, 0, 27, 48), 27, 4, 4, 3)
	for _, way := range ways[:3] {
		want, got := compareJSON(t, "x.npy", "y.npy", "--conv", way), compareJSON(t, "x/part-*.npy", "y.npy", "--conv", way)
		assert.Equal(t, want.Rho, got.Rho)
	}
	status, _, stderr := call(t, "compare", "x", "y.npy")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "x holds feature maps, 40 × 4 × 4 × 3")
	m, _ := matrixOf(t, "x", "y.npy", "--conv", "dft")
	whole, _ := matrixOf(t, "x.npy", "y.npy", "--conv", "dft")
	assert.Equal(t, whole.Pairs, m.Pairs)

	holed := x.View(13, 0, 27, 48).Clone()
	holed.Set(5, (1*4+2)*3+1, math.NaN())
	save(t, "x/part-1.npy", holed, 27, 4, 4, 3)
	save(t, "hole.npy", channelsFirst(holed, 4, 4, 3), 27, 3, 4, 4)
	for _, way := range ways {
		_, _, stderr := call(t, "compare", "x/part-*.npy", "y.npy", "--conv", way)
		assert.Contains(t, stderr, "x/part-1.npy: image 5, row 1, column 2, channel 1 (counted from 0) is NaN", way)
		_, _, stderr = call(t, "compare", "hole.npy", "hole.npy", "--conv", way, "--layout", "nchw")
		assert.Contains(t, stderr, "hole.npy: image 5, row 1, column 2, channel 1 (counted from 0) is NaN", way)
		_, _, stderr = call(t, "matrix", "x", "y.npy", "--conv", way)
		assert.Contains(t, stderr, "x/part-1.npy: image 5, row 1, column 2, channel 1 (counted from 0) is NaN", way)
		assert.Contains(t, stderr, "--skip-bad")
	}
}

// npz returns the arrays of a .npz: their shapes and values.
func npz(t *testing.T, path string) (shapes map[string][]int, values map[string][]float64) {
	archive, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer archive.Close()
	shapes, values = map[string][]int{}, map[string][]float64{}
	for _, member := range archive.File {
		if member.Name == provenanceMember {
			continue
		}
		r, err := member.Open()
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		require.NoError(t, err)
		f, err := activation.NewFile(member.Name, bytes.NewReader(b.Bytes()), int64(b.Len()))
		require.NoError(t, err)
		n, d := f.Dims()
		m := lapack.New[float64](n, d)
		require.NoError(t, f.Read(m, 0, 0))
		name := strings.TrimSuffix(member.Name, ".npy")
		shapes[name], values[name] = f.Shape(), m.Data
	}
	return shapes, values
}

// TestFilters: images correlated with the filters of either layer correlate, frequency by
// frequency, as rho says.
func TestFilters(t *testing.T) {
	mapFiles(t)
	status, _, stderr := call(t, "compare", "x.npy", "y.npy", "--conv", "dft", "--directions", "d.npz")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "wrote d.npz: the aligned directions of both layers as spatial filters")
	shapes, values := npz(t, "d.npz")
	count := shapes["rho"][1]
	require.Positive(t, count)
	assert.Equal(t, []int{4, 4, 3, count}, shapes["x_filters"])
	assert.Equal(t, []int{4, 4, 2, count}, shapes["y_filters"])
	assert.Equal(t, []int{10, 3}, shapes["blocks"])

	// coordinates is the transform, at (u, v), of maps correlated with the i-th filter.
	coordinates := func(maps lapack.Matrix[float64], filters []float64, c, u, v, i int) []complex128 {
		z := make([]complex128, maps.Rows)
		for n := range z {
			for p := range 4 {
				for q := range 4 {
					sum := 0.0 // Σ map(p + a, q + b)·filter(a, b)
					for a := range 4 {
						for b := range 4 {
							for k := range c {
								sum += maps.At(n, ((p+a)%4*4+(q+b)%4)*c+k) * filters[((a*4+b)*c+k)*count+i]
							}
						}
					}
					z[n] += complex(sum, 0) * cmplx.Rect(1, -2*math.Pi*float64(u*p+v*q)/4)
				}
			}
		}
		return z
	}
	for at := range 10 {
		u, v := int(values["blocks"][at*3]), int(values["blocks"][at*3+1])
		for i := range count {
			x := coordinates(someMaps(1, 40, 4, 4, 3), values["x_filters"], 3, u, v, i)
			y := coordinates(someMaps(2, 40, 4, 4, 2), values["y_filters"], 2, u, v, i)
			if rho := values["rho"][at*count+i]; rho > 0 {
				assert.InDelta(t, rho, correlation(x, y), 1e-9, "block %d, direction %d", at, i)
				continue
			}
			for n := range x {
				assert.InDelta(t, 0, cmplx.Abs(x[n])+cmplx.Abs(y[n]), 1e-9, "nothing of what is not there")
			}
		}
	}
	status, _, stderr = call(t, "project", "d.npz", "x.npy", "--side", "x", "-o", "p.npy")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "filters of feature maps")

	for _, way := range []string{"pixels", "flatten"} { // directions of neurons, as ever
		status, _, stderr = call(t, "compare", "x.npy", "y.npy", "--conv", way, "--directions", way+".npz")
		require.Equal(t, exitDone, status, stderr)
		shapes, _ = npz(t, way+".npz")
		assert.Equal(t, map[string]int{"pixels": 3, "flatten": 48}[way], shapes["x_map"][0])
	}
}

// correlation returns the real part of that of complex numbers, means taken out.
func correlation(x, y []complex128) float64 {
	var mx, my complex128
	for i := range x {
		mx, my = mx+x[i]/complex(float64(len(x)), 0), my+y[i]/complex(float64(len(x)), 0)
	}
	var xy complex128
	var xx, yy float64
	for i := range x {
		a, b := x[i]-mx, y[i]-my
		xy += cmplx.Conj(a) * b
		xx += real(a)*real(a) + imag(a)*imag(a)
		yy += real(b)*real(b) + imag(b)*imag(b)
	}
	return real(xy) / math.Sqrt(xx*yy)
}

// TestConvChance: the mean square of independent layers has the mean and the deviation
// that are stated, and weighted scores stay below their level.
func TestConvChance(t *testing.T) {
	const n, draws = 12, 300
	var sum, squares, weighted, pwcca float64
	var r *conv.Result
	for draw := range draws {
		of := func(seed uint64, c int) conv.Maps {
			return conv.FromSlice("", gaussian(seed, n, 16*c).Data, n, 4, 4, c, conv.NHWC)
		}
		var err error
		r, err = conv.Between(t.Context(), of(uint64(1000+2*draw), 2), of(uint64(1001+2*draw), 3), conv.Options{Options: svcca.Options{Keep: svcca.FullRank()}, OffBlock: -1})
		require.NoError(t, err)
		sum += r.MeanSquare / draws
		squares += r.MeanSquare * r.MeanSquare / draws
		weighted += math.Max(r.WeightedX, r.WeightedY) / draws
		pwcca += math.Max(r.PWCCAX, r.PWCCAY) / draws
	}
	deviation := convDeviation(r)
	measured := math.Sqrt(squares - sum*sum)
	t.Logf("chance %.4f, measured %.4f; deviation %.5f, measured %.5f", r.Chance, sum, deviation, measured)
	assert.InDelta(t, r.Chance, sum, 5*deviation/math.Sqrt(draws))
	assert.InDelta(t, deviation, measured, 5*deviation/math.Sqrt(2*draws), "five standard errors")
	assert.Less(t, weighted, math.Sqrt(convMost(r)))
	assert.Less(t, pwcca, math.Sqrt(convMost(r)))

	vector, err := conv.Between(t.Context(), conv.FromSlice("", gaussian(5, n, 32).Data, n, 4, 4, 2, conv.NHWC),
		conv.Vector(svcca.FromSlice("", gaussian(6, n, 3).Data, n, 3)), conv.Options{Options: svcca.Options{Keep: svcca.FullRank()}})
	require.NoError(t, err)
	assert.InDelta(t, svcca.ChanceDeviation(svcca.Side{K: 2, Datapoints: n}, svcca.Side{K: 3, Datapoints: n}, svcca.CenterNeurons)*2/3, convDeviation(vector), 1e-15, "one real block, and a filling zero")
}

// TestMatrixConv: every pair is that of compare.
func TestMatrixConv(t *testing.T) {
	mapFiles(t)
	names := []string{"logits.npy", "small.npy", "x.npy", "y.npy"}
	for _, way := range []string{"dft", "lowpass", "flatten"} {
		m, stderr := matrixOf(t, append([]string{"--conv", way, "--score", "pwcca_x"}, names...)...)
		assert.Contains(t, stderr, "svcca: \"x.npy\": 40 images of 4 × 4, 3 channels (nhwc)\n")
		assert.True(t, m.Symmetric)
		assert.Equal(t, names, sideNames(m.Rows))
		for i, x := range names {
			for j, y := range names {
				if x == "logits.npy" && y == x {
					continue // which compare takes without --conv
				}
				c, p := compareJSON(t, x, y, "--conv", way), m.Pairs[i][j]
				bound := c.ErrorBound + p.ErrorBound
				assert.InDelta(t, c.Mean, *p.Mean, bound)
				assert.InDelta(t, c.Chance, p.Chance, 1e-15)
				assert.InDelta(t, c.WeightedX, p.WeightedX, c.WeightedErrorBound+p.WeightedErrorBound)
				assert.InDelta(t, c.PWCCAX, *p.PWCCAX, c.PWCCAErrorBound+*p.PWCCAErrorBound)
				if way != "flatten" {
					of := m.Translated[i][j]
					assert.Equal(t, [2]int{c.X.K, c.Y.K}, [2]int{of.KX, of.KY})
					assert.Equal(t, c.keys["translations"], []any{float64(of.Translations[0]), float64(of.Translations[1])})
				}
			}
		}
		if way == "dft" {
			assert.Equal(t, compareJSON(t, "x.npy", "x.npy", "--conv", way).X.K, m.Rows[2].K, "under its own translations")
		}
		// Not symmetric, with pairs in both orders.
		against, _ := matrixOf(t, "x.npy", "y.npy", "--against", "y.npy", "x.npy", "small.npy", "--conv", way)
		assert.False(t, against.Symmetric)
		x := map[string]int{}
		for j, c := range against.Columns {
			x[c.Name] = j
		}
		bound := 4 * m.Pairs[2][3].WeightedErrorBound
		assert.InDelta(t, m.Pairs[2][3].WeightedX, against.Pairs[0][x["y.npy"]].WeightedX, bound)
		assert.InDelta(t, m.Pairs[3][2].WeightedX, against.Pairs[1][x["x.npy"]].WeightedX, bound)
		assert.InDelta(t, m.Pairs[2][1].WeightedX, against.Pairs[0][x["small.npy"]].WeightedX, 4*m.Pairs[2][1].WeightedErrorBound)

		_, stdout, stderr := call(t, append([]string{"matrix", "--conv", way, "--threads", "1"}, names...)...)
		checkWidth(t, stdout)
		assert.Contains(t, stdout, "--conv "+way+" --layout nhwc")
		assert.Contains(t, strings.Join(strings.Fields(stdout), " "), "over 40 images")
		if way == "lowpass" {
			assert.Contains(t, stderr, "2 pairs of maps of different sizes: a low pass threw away up to")
		}
	}
	var options struct{ Options map[string]any }
	_, stdout, _ := call(t, "matrix", "x.npy", "y.npy", "--conv", "pixels", "--json")
	require.NoError(t, json.Unmarshal([]byte(stdout), &options))
	assert.Equal(t, "pixels", options.Options["conv"])
	assert.Contains(t, stdout, warnPositions)
	_, stdout, stderr := call(t, "matrix", "x.npy", "y.npy", "--conv", "pixels")
	assert.Contains(t, stdout, "at least 0.")
	assert.NotContains(t, stderr, "warning")
	_, stdout, _ = call(t, "matrix", "logits.npy", "--json")
	assert.NotContains(t, stdout, "translated")
	assert.Contains(t, stdout, `"conv":""`)
}

// TestMatrixConvSkips: of a pair that fails the bad one is found and left out.
func TestMatrixConvSkips(t *testing.T) {
	mapFiles(t)
	constant := lapack.New[float64](40, 48)
	save(t, "constant.npy", constant, 40, 4, 4, 3)
	constant.Set(3, 7, math.Inf(1))
	save(t, "inf.npy", constant, 40, 4, 4, 3)
	save(t, "short.npy", someMaps(1, 39, 4, 4, 3), 39, 4, 4, 3)
	for _, args := range []string{
		"matrix constant.npy inf.npy short.npy x.npy y.npy",
		"matrix x.npy y.npy --against constant.npy x.npy short.npy inf.npy y.npy",
		"matrix constant.npy x.npy short.npy y.npy --against inf.npy x.npy y.npy",
	} {
		args := append(strings.Fields(args), "--conv", "dft", "--json")
		status, _, stderr := call(t, args...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "--skip-bad")
		status, stdout, stderr := call(t, append(args, "--skip-bad")...)
		require.Equal(t, exitDone, status, stderr)
		m := decodeMatrix(t, []byte(stdout))
		assert.Equal(t, []string{"x.npy", "y.npy"}, sideNames(m.Rows))
		assert.Equal(t, []string{"x.npy", "y.npy"}, sideNames(m.Columns))
		var left []string
		for _, l := range m.Skipped {
			left = append(left, l.Name)
		}
		assert.ElementsMatch(t, []string{"constant.npy", "inf.npy", "short.npy"}, left)
		assert.Contains(t, stderr, "inf.npy: image 3, row 0, column 2, channel 1")
		assert.Contains(t, stderr, "constant.npy")
	}
	// Without --conv they are what cannot be used.
	status, stdout, stderr := call(t, "matrix", "logits.npy", "x.npy", "--skip-bad")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, stderr, "left out: x.npy holds feature maps, which need --conv\n")
	assert.Contains(t, stdout, "1 layer with itself")
}

// TestMatrixConvCache: views are cached by how they see a file.
func TestMatrixConvCache(t *testing.T) {
	mapFiles(t)
	save(t, "cube.npy", someMaps(1, 40, 3, 3, 3), 40, 3, 3, 3)
	var first []matrixJSON
	for range 2 {
		for at, flags := range []string{"pixels", "flatten", "pixels --layout nchw"} {
			m, _ := matrixOf(t, append([]string{"cube.npy", "--cache", "cache", "--conv"}, strings.Fields(flags)...)...)
			if len(first) <= at {
				first = append(first, m)
			}
			assert.Equal(t, first[at].Rows, m.Rows)
			assert.Equal(t, first[at].Pairs, m.Pairs)
		}
	}
	assert.NotEqual(t, first[0].Rows[0].SingularValues, first[2].Rows[0].SingularValues)
}

func TestConvEstimates(t *testing.T) {
	mapFiles(t)
	_, stdout, _ := call(t, "compare", "x.npy", "small.npy", "--conv", "dft", "--dry-run")
	for _, says := range []string{"40 images of 4 × 4 × 3 and 2 × 2 × 5", "2 × 2 translations, 4 blocks of 12 and 5 columns", "of memory", "on this machine"} {
		assert.Contains(t, stdout, says)
	}
	_, stdout, _ = call(t, "compare", "x.npy", "y.npy", "--conv", "pixels", "--dry-run")
	assert.Contains(t, stdout, "640 positions × 3 and 2 neurons")
	_, stdout, _ = call(t, "matrix", "x.npy", "y.npy", "logits.npy", "--conv", "dft", "--dry-run")
	for _, says := range []string{"3 layers of 40 images", "6 pairs", "the largest: "} {
		assert.Contains(t, stdout, says)
	}
	_, stdout, _ = call(t, "matrix", "x.npy", "y.npy", "logits.npy", "--conv", "flatten", "--dry-run")
	assert.Contains(t, stdout, "3 layers of 40 images × 6 to 48 neurons")
	checkWidth(t, stdout)

	// Blocks are counted as conv counts them.
	for _, c := range []struct {
		h, w  [2]int
		o     conv.Options
		large bool
	}{
		{h: [2]int{1, 1}, w: [2]int{1, 1}}, {h: [2]int{4, 6}, w: [2]int{9, 6}}, {h: [2]int{5, 5}, w: [2]int{2, 4}}, {h: [2]int{8, 4}, w: [2]int{8, 3}, o: conv.Options{LowPass: true}},
		{h: [2]int{6, 6}, w: [2]int{5, 4}, o: conv.Options{LowPass: true}}, {h: [2]int{7, 7}, w: [2]int{7, 7}},
	} {
		of := func(i int) conv.Maps {
			return conv.FromSlice("", gaussian(uint64(i), 9, c.h[i]*c.w[i]*2).Data, 9, c.h[i], c.w[i], 2, conv.NHWC)
		}
		r, err := conv.Between(t.Context(), of(0), of(1), c.o)
		require.NoError(t, err)
		b := blockedBy(of(0), of(1), c.o)
		assert.Equal(t, r.Translations, [2]int{b.height, b.width})
		assert.Equal(t, len(r.Blocks), b.blocks(), "%v", c)
		assert.Equal(t, r.DirectionsX.Steps[0]*r.DirectionsX.Steps[1]*2, b.columns[0])
		assert.Equal(t, r.Approximate, b.lowPass)
		assert.Positive(t, convCost(of(0), of(1), c.o).Memory)
	}
}
