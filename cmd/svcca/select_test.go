package main

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saveArray writes a .npy of elements that are given as bytes.
func saveArray(t *testing.T, path, descr string, data []byte, shape ...int) string {
	t.Helper()
	sizes := strings.ReplaceAll(shapeText(shape), " × ", ", ") + ","
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, sizes)
	b := append([]byte(npyMagic+"\x01\x00"), byte(len(head)), byte(len(head)>>8))
	require.NoError(t, os.WriteFile(path, append(append(b, head...), data...), 0o600))
	return path
}

// saveShape writes a .npy of float64 of any shape.
func saveShape(t *testing.T, path string, values []float64, shape ...int) string {
	t.Helper()
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return saveArray(t, path, "<f8", data, shape...)
}

// saveMask writes a mask that keeps what keep says, and returns the places kept.
func saveMask(t *testing.T, path string, keep func(i int) bool, shape ...int) (kept []int) {
	t.Helper()
	n := 1
	for _, s := range shape {
		n *= s
	}
	data := make([]byte, n)
	for i := range data {
		if keep(i) {
			data[i] = 1
			kept = append(kept, i)
		}
	}
	saveArray(t, path, "|b1", data, shape...)
	return kept
}

func saveIndices(t *testing.T, path string, indices []int) string {
	t.Helper()
	var data []byte
	for _, i := range indices {
		data = binary.LittleEndian.AppendUint64(data, uint64(i))
	}
	return saveArray(t, path, "<i8", data, len(indices))
}

func saveText(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// rowsOf returns those rows and columns, all columns for nil.
func rowsOf(m lapack.Matrix[float64], rows, columns []int) lapack.Matrix[float64] {
	if columns == nil {
		columns = interval(0, m.Cols)
	}
	some := lapack.New[float64](len(rows), len(columns))
	for i, row := range rows {
		for j, column := range columns {
			some.Set(i, j, m.At(row, column))
		}
	}
	return some
}

// jsonOf runs a command for JSON.
func jsonOf(t *testing.T, args ...string) (fields map[string]any, stderr string) {
	t.Helper()
	status, stdout, stderr := call(t, append(args, "--json")...)
	require.Equal(t, exitDone, status, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &fields))
	return fields, stderr
}

// numbersIn leaves of a comparison in JSON what does not name its files or flags.
func numbersIn(fields map[string]any) map[string]any {
	for _, key := range []string{"options", "selection", "warnings", "inputs", "command", "with"} {
		delete(fields, key)
	}
	for _, side := range []string{"x", "y"} {
		if of, is := fields[side].(map[string]any); is {
			delete(of, "name")
		}
	}
	return fields
}

// checkSelected checks that compare with flags finds of x.npy and y.npy, bit for
// bit, what it finds of x and y, from which the test has selected itself.
func checkSelected(t *testing.T, flags string, x, y lapack.Matrix[float64], more ...string) (selection map[string]any, stderr string) {
	t.Helper()
	want, _ := jsonOf(t, append([]string{"compare", save(t, "want_x.npy", x), save(t, "want_y.npy", y)}, more...)...)
	got, stderr := jsonOf(t, append([]string{"compare", "x.npy", "y.npy"}, strings.Fields(flags)...)...)
	selection, _ = got["selection"].(map[string]any)
	require.Equal(t, numbersIn(want), numbersIn(got), flags)
	return selection, stderr
}

func TestSelectDatapoints(t *testing.T) {
	t.Chdir(t.TempDir())
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	save(t, "x.npy", x)
	save(t, "y.npy", y)
	list := append(append([]int{0, 5}, interval(7, 20)...), interval(30, 60)...)
	backwards := interval(0, 40)
	slices.Reverse(backwards)
	saveIndices(t, "rows.npy", backwards)
	kept := saveMask(t, "mask.npy", func(i int) bool { return i%4 != 1 }, 60)
	odd := []int{}
	for _, i := range interval(10, 60) {
		if i%4 != 1 {
			odd = append(odd, i)
		}
	}
	drawn := sample(60, 30, 7)
	var drawnOfList []int
	for _, i := range sample(len(list), 20, 3) {
		drawnOfList = append(drawnOfList, list[i])
	}
	for flags, rows := range map[string][]int{
		"--datapoints 0:40":                              interval(0, 40),
		"--datapoints :40":                               interval(0, 40),
		"--datapoints 20:":                               interval(20, 60),
		"--datapoints 0,5,7:20,30:":                      list,
		"--datapoints @rows.npy":                         backwards,
		"--mask mask.npy":                                kept,
		"--datapoints 10: --mask mask.npy":               odd,
		"--sample 30 --seed 7":                           drawn,
		"--datapoints 0,5,7:20,30: --sample 20 --seed 3": drawnOfList,
	} {
		selection, _ := checkSelected(t, flags, rowsOf(x, rows, nil), rowsOf(y, rows, nil))
		steps := selection["steps"].([]any)
		assert.Len(t, steps, strings.Count(" "+flags, " --")-strings.Count(flags, "--seed"))
		assert.EqualValues(t, len(rows), steps[len(steps)-1].(map[string]any)["kept"])
	}
	selection, _ := checkSelected(t, "--neurons 0,2:4 --datapoints 5:50", rowsOf(x, interval(5, 50), []int{0, 2, 3}), rowsOf(y, interval(5, 50), []int{0, 2, 3}))
	assert.Equal(t, map[string]any{"steps": []any{
		map[string]any{"flag": "datapoints", "value": "5:50", "unit": "datapoint", "of": []any{60.0}, "kept": 45.0},
		map[string]any{"flag": "neurons", "value": "0,2:4", "unit": "neuron", "of": []any{6.0, 5.0}, "kept": 3.0},
	}}, selection)
	selection, stderr := checkSelected(t, "", x, y)
	assert.Nil(t, selection)
	assert.Empty(t, stderr)

	// Weights follow.
	weights := lapack.New[float64](60, 1)
	for i := range 60 {
		weights.Data[i] = 1 + float64(i%7)
	}
	save(t, "w.npy", weights)
	for flags, rows := range map[string][]int{"--datapoints @rows.npy": backwards, "--mask mask.npy": kept, "--sample 30 --seed 7": drawn} {
		save(t, "want_w.npy", rowsOf(weights, rows, nil))
		checkSelected(t, flags+" --weights w.npy", rowsOf(x, rows, nil), rowsOf(y, rows, nil), "--weights", "want_w.npy")
	}

	status, stdout, stderr := call(t, "compare", "x.npy", "y.npy", "--mask", "mask.npy", "--sample", "50", "--seed", "1", "--neurons", ":3")
	require.Equal(t, exitDone, status)
	assert.Contains(t, stdout, "\n  --sample 50 --seed 1: 50 of 60 datapoints\n  --mask mask.npy: ")
	assert.Contains(t, stdout, "\n  --neurons :3: 3 of 6 and 5 neurons\n")
	assert.Contains(t, stderr, "svcca: --mask mask.npy: ")
	checkWidth(t, stdout)
	_, _, stderr = call(t, "compare", "x.npy", "y.npy", "--mask", "mask.npy", "--quiet")
	assert.Empty(t, stderr)
}

// TestSample: draws are in order, none twice, the same for a seed, and every one as
// likely.
// TestSelectLabels: datapoints of classes are chosen by the labels of the first file's rows,
// from those that ids and --datapoints have left, before a sample.
func TestSelectLabels(t *testing.T) {
	t.Chdir(t.TempDir())
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	save(t, "x.npy", x)
	save(t, "y.npy", y)
	label := func(row int) int { return row * row % 7 } // 0, 1, 2 or 4
	var labels []int
	var text strings.Builder
	for row := range 60 {
		labels = append(labels, label(row))
		fmt.Fprintln(&text, label(row))
	}
	saveIndices(t, "labels.npy", labels)
	saveText(t, "labels.txt", text.String())
	of := func(rows []int, classes ...int) (some []int) {
		for _, row := range rows {
			if slices.Contains(classes, label(row)) {
				some = append(some, row)
			}
		}
		return some
	}
	all := interval(0, 60)
	for flags, rows := range map[string][]int{
		"--labels labels.npy --labelled 1,4":                      of(all, 1, 4),
		"--labels labels.txt --labelled 1,4":                      of(all, 1, 4),
		"--labels labels.npy --labelled 2:":                       of(all, 2, 4),
		"--labels labels.npy --labelled :2":                       of(all, 0, 1),
		"--labels labels.npy --labelled 0:3 --datapoints 50:,0:9": of(append(interval(50, 60), interval(0, 9)...), 0, 1, 2),
	} {
		selection, _ := checkSelected(t, flags, rowsOf(x, rows, nil), rowsOf(y, rows, nil))
		steps := selection["steps"].([]any)
		assert.EqualValues(t, len(rows), steps[len(steps)-1].(map[string]any)["kept"])
	}
	left := of(all, 1, 2)
	sampled := picked(left, sample(len(left), 15, 3))
	checkSelected(t, "--labels labels.npy --labelled 1:3 --sample 15 --seed 3", rowsOf(x, sampled, nil), rowsOf(y, sampled, nil))
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%3)
	}
	save(t, "w.npy", weights)
	save(t, "want_w.npy", rowsOf(weights, left, nil))
	want, _ := jsonOf(t, "compare", save(t, "want_x.npy", rowsOf(x, left, nil)), save(t, "want_y.npy", rowsOf(y, left, nil)), "--weights", "want_w.npy")
	got, _ := jsonOf(t, "compare", "x.npy", "y.npy", "--labels", "labels.npy", "--labelled", "1:3", "--weights", "w.npy")
	assert.Equal(t, numbersIn(want), numbersIn(got))

	// By ids y has other rows; the labels are of x's.
	var ids [2]strings.Builder
	for row := range 60 {
		fmt.Fprintf(&ids[0], "id%d\n", row)
		fmt.Fprintf(&ids[1], "id%d\n", (row+20)%80) // 40 of x's, 20 of none
	}
	saveText(t, "x.txt", ids[0].String())
	saveText(t, "y.txt", ids[1].String())
	left = of(interval(0, 60), 4)
	var mine, others []int
	for _, row := range left {
		if at := (row + 60) % 80; at < 60 {
			mine, others = append(mine, row), append(others, at)
		}
	}
	require.NotEqual(t, mine, left)
	checkSelected(t, "--ids *.txt --labels labels.npy --labelled 4", rowsOf(x, mine, nil), rowsOf(y, others, nil))

	m, _ := matrixOf(t, "x.npy", "y.npy", "--labels", "labels.npy", "--labelled", "1", "--quiet")
	assert.Equal(t, len(of(all, 1)), m.Rows[0].Datapoints)
	status, _, stderr := call(t, "moments", "x.npy", "y.npy", "--labels", "labels.npy", "--labelled", "1,2", "-o", "a.sums")
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, len(of(all, 1, 2)), compareJSON(t, "a.sums").X.Datapoints)
	status, _, stderr = call(t, "matrix", "x.npy", "y.npy", "--labels", "labels.npy", "--labelled", "1", "-o", "labels.npy", "--force")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "labels.npy is read by this command")
}

func TestSample(t *testing.T) {
	assert.Equal(t, []int{}, sample(5, 0, 1))
	assert.Equal(t, []int{0, 1, 2, 3, 4}, sample(5, 5, 1))
	const n, count, rounds = 12, 5, 6000
	var times [n]int
	var both int // 0 and 11 together
	for seed := range uint64(rounds) {
		drawn := sample(n, count, seed)
		require.Len(t, drawn, count)
		require.True(t, slices.IsSorted(drawn))
		require.Len(t, slices.Compact(slices.Clone(drawn)), count)
		require.Equal(t, drawn, sample(n, count, seed))
		for _, i := range drawn {
			times[i]++
		}
		if drawn[0] == 0 && drawn[count-1] == n-1 {
			both++
		}
	}
	check := func(got int, share float64) {
		assert.InDelta(t, rounds*share, got, 5*math.Sqrt(rounds*share*(1-share)), "five standard deviations")
	}
	for _, got := range times {
		check(got, float64(count)/n)
	}
	check(both, float64(count)*(count-1)/(n*(n-1)))
	// What PCG-DXSM specifies does not change: the first numbers of seed 1, as
	// math/rand/v2 has them, choose these.
	random := rand.NewPCG(1, 0)
	var byHand []int
	for i := range 8 {
		u := random.Uint64()
		// The high half of u·(8 − i) is below 8 − i.
		if high := uint64(float64(u) / (1 << 64) * float64(8-i)); high < uint64(3-len(byHand)) {
			byHand = append(byHand, i)
		}
	}
	assert.Equal(t, byHand, sample(8, 3, 1))
}

func TestSelectIDs(t *testing.T) {
	t.Chdir(t.TempDir())
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	// x lacks ids 0 to 4, y those of 50 and more, and is in another order.
	rowsX := interval(5, 60)
	rowsY := rand.New(rand.NewPCG(3, 3)).Perm(50)
	save(t, "x.npy", rowsOf(x, rowsX, nil))
	save(t, "y.npy", rowsOf(y, rowsY, nil))
	var text strings.Builder
	for _, id := range rowsX {
		fmt.Fprintf(&text, "%d\r\n", id)
	}
	saveText(t, "x.txt", text.String())
	saveIndices(t, "y.txt", rowsY)
	shared := interval(5, 50)
	selection, stderr := checkSelected(t, "--ids x.txt --ids y.txt", rowsOf(x, shared, nil), rowsOf(y, shared, nil))
	assert.Equal(t, []any{map[string]any{"flag": "ids", "files": []any{"x.txt", "y.txt"}, "unit": "datapoint", "of": []any{55.0, 50.0}, "kept": 45.0}}, selection["steps"])
	assert.Equal(t, "svcca: ids: 45 of 55 and 50 datapoints match\n", stderr)
	checkSelected(t, "--ids *.txt --datapoints 3:40", rowsOf(x, shared[3:40], nil), rowsOf(y, shared[3:40], nil))

	// Mask and weights are of the first layer's rows.
	weights := lapack.New[float64](55, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%3)
	}
	save(t, "w.npy", weights)
	kept := saveMask(t, "mask.npy", func(i int) bool { return i%5 != 0 && i < 45 }, 55)
	save(t, "want_w.npy", rowsOf(weights, kept, nil))
	of := make([]int, len(kept))
	for i, row := range kept {
		of[i] = rowsX[row]
	}
	checkSelected(t, "--ids *.txt --mask mask.npy --weights w.npy", rowsOf(x, of, nil), rowsOf(y, of, nil), "--weights", "want_w.npy")

	saveText(t, "short.txt", "a\nb\n")
	saveText(t, "twice.txt", "a\nb\na\n")
	saveText(t, "other.txt", "img"+strings.Join(strings.Fields(strings.Repeat("x ", 50)), "\nimg"))
	var other strings.Builder
	for i := range 50 {
		fmt.Fprintf(&other, "img_%d\n", i)
	}
	saveText(t, "other.txt", other.String())
	for _, c := range []struct {
		flags  string
		status int
		says   string
	}{
		{"--ids x.txt", exitMisused, "--ids is given 1 time, and there are 2 layers"},
		{"--ids x.txt --ids short.txt", exitFailed, "short.txt holds 2 ids, y.npy has 50 datapoints"},
		{"--ids twice.txt --ids y.txt", exitFailed, `twice.txt: the id "a" is there twice, in rows 0 and 2`},
		{"--ids x.txt --ids other.txt", exitFailed, `x.txt and other.txt: no id in common: they begin with "5" and "img_0"`},
		{"--ids *.ids", exitFailed, "x.ids: no such file"},
		{"", exitFailed, "x.npy has 55 datapoints, y.npy 50"},
	} {
		status, stdout, stderr := call(t, append([]string{"compare", "x.npy", "y.npy"}, strings.Fields(c.flags)...)...)
		assert.Equal(t, c.status, status, stderr)
		assert.Contains(t, stderr, c.says)
		assert.Empty(t, stdout)
	}
}

// tokenFiles saves x.npy and y.npy of 12 examples of 7 tokens of 5 and 4 neurons,
// and xc.npy and yc.npy in NCT, and returns the tokens as rows.
func tokenFiles(t *testing.T) (x, y lapack.Matrix[float64]) {
	t.Chdir(t.TempDir())
	x, y = gaussian(1, 84, 5), gaussian(2, 84, 4)
	for i := range y.Rows {
		for j := range y.Cols {
			y.Set(i, j, y.At(i, j)+x.At(i, j))
		}
	}
	for name, m := range map[string]lapack.Matrix[float64]{"x": x, "y": y} {
		saveShape(t, name+".npy", m.Data, 12, 7, m.Cols)
		turned := make([]float64, len(m.Data))
		for i := range 12 {
			for j := range 7 {
				for k := range m.Cols {
					turned[(i*m.Cols+k)*7+j] = m.At(i*7+j, k)
				}
			}
		}
		saveShape(t, name+"c.npy", turned, 12, m.Cols, 7)
	}
	return x, y
}

// meansOf returns the mean of the kept among seven tokens of each example.
func meansOf(m lapack.Matrix[float64], keep func(token int) bool) lapack.Matrix[float64] {
	means := lapack.New[float64](m.Rows/7, m.Cols)
	for i := range means.Rows {
		for k := range m.Cols {
			sum, count := 0.0, 0
			for j := range 7 {
				if keep(i*7 + j) {
					sum += m.At(i*7+j, k)
					count++
				}
			}
			means.Set(i, k, sum/float64(count))
		}
	}
	return means
}

func TestSelectTokens(t *testing.T) {
	x, y := tokenFiles(t)
	kept := saveMask(t, "mask.npy", func(i int) bool { return i%7 <= i/7%4+1 }, 12, 7)
	keeps := func(i int) bool { return slices.Contains(kept, i) }
	var last, lastKept []int
	for i := range 12 {
		last, lastKept = append(last, i*7+6), append(lastKept, i*7+i%4+1)
	}
	all := func(int) bool { return true }
	first := interval(0, 56)
	for _, c := range []struct {
		flags string
		x, y  lapack.Matrix[float64]
	}{
		{"", x, y},
		{"--tokens each", x, y},
		{"--tokens last", rowsOf(x, last, nil), rowsOf(y, last, nil)},
		{"--tokens mean", meansOf(x, all), meansOf(y, all)},
		{"--mask mask.npy", rowsOf(x, kept, nil), rowsOf(y, kept, nil)},
		{"--mask mask.npy --tokens mean", meansOf(x, keeps), meansOf(y, keeps)},
		{"--mask mask.npy --tokens last", rowsOf(x, lastKept, nil), rowsOf(y, lastKept, nil)},
		{"--datapoints :8", rowsOf(x, first, nil), rowsOf(y, first, nil)},
		{"--neurons 1:4", rowsOf(x, interval(0, 84), []int{1, 2, 3}), rowsOf(y, interval(0, 84), []int{1, 2, 3})},
	} {
		checkSelected(t, c.flags, c.x, c.y)
		want, _ := jsonOf(t, append([]string{"compare", "x.npy", "y.npy"}, strings.Fields(c.flags)...)...)
		assert.Equal(t, "ntd", want["options"].(map[string]any)["layout"])
		got, _ := jsonOf(t, append([]string{"compare", "xc.npy", "yc.npy", "--layout", "nct"}, strings.Fields(c.flags)...)...)
		assert.Equal(t, "nct", got["options"].(map[string]any)["layout"])
		assert.Equal(t, numbersIn(want), numbersIn(got), c.flags)
	}
	// Weights are of examples, and of each of its tokens.
	weights, spread := lapack.New[float64](12, 1), lapack.New[float64](84, 1)
	for i := range spread.Data {
		weights.Data[i/7] = 1 + float64(i/7%3)
		spread.Data[i] = weights.Data[i/7]
	}
	save(t, "w.npy", weights)
	save(t, "want_w.npy", rowsOf(spread, kept, nil))
	checkSelected(t, "--mask mask.npy --weights w.npy", rowsOf(x, kept, nil), rowsOf(y, kept, nil), "--weights", "want_w.npy")
	save(t, "want_w.npy", spread)
	checkSelected(t, "--weights w.npy", x, y, "--weights", "want_w.npy")
	checkSelected(t, "--weights w.npy --tokens last", rowsOf(x, last, nil), rowsOf(y, last, nil), "--weights", "w.npy")
}

func TestTokensTold(t *testing.T) {
	tokenFiles(t)
	status, stdout, stderr := call(t, "compare", "x.npy", "y.npy")
	require.Equal(t, exitDone, status)
	assert.Equal(t, `svcca: "x.npy": 12 examples of 7 tokens × 5 neurons (ntd), each token is a datapoint
svcca: assumed; else --layout nct if these are 7 channels × 5 times, --tokens mean or last for a datapoint an example
svcca: "y.npy": 12 examples of 7 tokens × 4 neurons (ntd), each token is a datapoint
svcca: assumed; else --layout nct if these are 7 channels × 4 times, --tokens mean or last for a datapoint an example
`, stderr)
	assert.Contains(t, stdout, "SVCCA of two layers over 84 tokens\n")
	assert.Contains(t, stdout, "Options: --tokens each --layout ntd --keep")
	checkWidth(t, stdout)
	_, _, stderr = call(t, "compare", "xc.npy", "xc.npy", "--layout", "nct", "--tokens", "last", "--datapoints", "2:")
	assert.Equal(t, "svcca: \"xc.npy\": 12 examples of 7 tokens × 5 neurons (nct), its last token is a datapoint\n", stderr)
	status, _, stderr = call(t, "compare", "x.npy", "y.npy", "--quiet")
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
}

func TestSelectMaps(t *testing.T) {
	mapFiles(t)
	x, y := someMaps(1, 40, 4, 4, 3), someMaps(2, 40, 4, 4, 2)
	rows := interval(3, 35)
	save(t, "want_x.npy", rowsOf(x, rows, nil), 32, 4, 4, 3)
	save(t, "want_y.npy", rowsOf(y, rows, nil), 32, 4, 4, 2)
	for _, way := range []string{"dft", "flatten", "pixels", "lowpass"} {
		want, _ := jsonOf(t, "compare", "want_x.npy", "want_y.npy", "--conv", way)
		got, _ := jsonOf(t, "compare", "x.npy", "y.npy", "--conv", way, "--datapoints", "3:35")
		assert.NotNil(t, got["selection"])
		assert.Equal(t, numbersIn(want), numbersIn(got), way)
	}
	// Channels, in either layout.
	var channels []int
	for p := range 16 {
		channels = append(channels, 3*p+2, 3*p)
	}
	save(t, "want_x.npy", rowsOf(x, interval(0, 40), channels), 40, 4, 4, 2)
	want, _ := jsonOf(t, "compare", "want_x.npy", "want_x.npy", "--conv", "dft")
	got, _ := jsonOf(t, "compare", "x.npy", "x.npy", "--conv", "dft", "--neurons", "2,0")
	nchw, _ := jsonOf(t, "compare", "nchw.npy", "nchw.npy", "--conv", "dft", "--neurons", "2,0", "--layout", "nchw")
	assert.Equal(t, numbersIn(want), numbersIn(got))
	assert.Equal(t, numbersIn(want)["rho"], numbersIn(nchw)["rho"])

	// Pixels that a mask keeps, of some images.
	var positions []int
	saveMask(t, "mask.npy", func(i int) bool { return i%3 != 1 }, 40, 4, 4)
	for i := 5 * 16; i < 40*16; i++ {
		if i%3 != 1 {
			positions = append(positions, i)
		}
	}
	save(t, "want_x.npy", rowsOf(lapack.Of(640, 3, x.Data), positions, nil))
	save(t, "want_y.npy", rowsOf(lapack.Of(640, 2, y.Data), positions, nil))
	want, _ = jsonOf(t, "compare", "want_x.npy", "want_y.npy")
	got, _ = jsonOf(t, "compare", "x.npy", "y.npy", "--conv", "pixels", "--mask", "mask.npy", "--datapoints", "5:")
	assert.Equal(t, numbersIn(want), numbersIn(got))
	weights := lapack.New[float64](40, 1)
	spread := lapack.New[float64](640, 1)
	for i := range spread.Data {
		weights.Data[i/16] = 1 + float64(i/16%4)
		spread.Data[i] = weights.Data[i/16]
	}
	save(t, "w.npy", weights)
	save(t, "want_w.npy", rowsOf(spread, positions, nil))
	want, _ = jsonOf(t, "compare", "want_x.npy", "want_y.npy", "--weights", "want_w.npy")
	got, _ = jsonOf(t, "compare", "x.npy", "y.npy", "--conv", "pixels", "--mask", "mask.npy", "--datapoints", "5:", "--weights", "w.npy")
	assert.Equal(t, numbersIn(want), numbersIn(got))
}

// TestInfoOfTokens: what other commands take is no error.
func TestInfoOfTokens(t *testing.T) {
	tokenFiles(t)
	status, stdout, stderr := call(t, "info", "x.npy")
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, `x.npy: 12 × 7 × 5, float64
  tokens: 12 examples of 7 tokens × 5 neurons (ntd)
      or: 12 examples of 5 tokens × 7 neurons (nct)
`, stdout)
}

func TestTokensOfManyLayers(t *testing.T) {
	tokenFiles(t)
	args := []string{"matrix"}
	for i := range mostNotices + 1 {
		name := fmt.Sprintf("layer%d.npy", i)
		require.NoError(t, os.Link("x.npy", name))
		args = append(args, name)
	}
	status, _, stderr := call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stderr, "svcca: and 1 more layer of three dimensions\n")
}

// TestTokensOfOtherExamples: a file of other rows is not to be transposed.
func TestTokensOfOtherExamples(t *testing.T) {
	tokenFiles(t)
	save(t, "rows.npy", gaussian(1, 84, 5))
	status, _, stderr := call(t, "compare", "x.npy", "rows.npy")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "x.npy has 12 examples or datapoints, rows.npy 84: they must be the same in the same order; a file of tokens, of three dimensions, goes")
	assert.NotContains(t, stderr, "--transpose")
}

// TestTokensAsMaps: with --conv three dimensions are maps of height 1.
func TestTokensAsMaps(t *testing.T) {
	x, y := tokenFiles(t)
	save(t, "want_x.npy", lapack.Of(12, 35, x.Data), 12, 1, 7, 5)
	save(t, "want_y.npy", lapack.Of(12, 28, y.Data), 12, 1, 7, 4)
	saveMask(t, "mask.npy", func(i int) bool { return i%5 != 1 }, 12, 7)
	for _, way := range []string{"dft", "flatten", "pixels", "pixels --mask mask.npy", "dft --neurons 1:3"} {
		flags := strings.Fields("--conv " + way)
		want, _ := jsonOf(t, append([]string{"compare", "want_x.npy", "want_y.npy"}, flags...)...)
		got, _ := jsonOf(t, append([]string{"compare", "x.npy", "y.npy"}, flags...)...)
		nct, _ := jsonOf(t, append([]string{"compare", "xc.npy", "yc.npy", "--layout", "nct"}, flags...)...)
		assert.Equal(t, numbersIn(want), numbersIn(got), way)
		for i, rho := range got["rho"].([]any) {
			assert.InDelta(t, rho, nct["rho"].([]any)[i], got["error_bound"].(float64)+nct["error_bound"].(float64), way)
		}
	}
}

// holed returns m with values that are not finite.
func holed(m lapack.Matrix[float64], values map[[2]int]float64) lapack.Matrix[float64] {
	m = m.Clone()
	for at, v := range values {
		m.Set(at[0], at[1], v)
	}
	return m
}

func TestNonFiniteDropped(t *testing.T) {
	t.Chdir(t.TempDir())
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	save(t, "x.npy", holed(x, map[[2]int]float64{{3, 0}: math.NaN(), {3, 5}: math.Inf(1), {40, 1}: math.Inf(-1)}))
	save(t, "y.npy", holed(y, map[[2]int]float64{{40, 0}: math.NaN(), {59, 4}: math.NaN()}))
	left := func(without ...int) []int {
		return slices.DeleteFunc(interval(0, 60), func(i int) bool { return slices.Contains(without, i) })
	}
	selection, stderr := checkSelected(t, "--nonfinite drop", rowsOf(x, left(3, 40, 59), nil), rowsOf(y, left(3, 40, 59), nil))
	assert.Equal(t, []any{map[string]any{"flag": "nonfinite", "value": "drop", "unit": "datapoint", "of": []any{60.0}, "kept": 57.0}}, selection["steps"])
	assert.Equal(t, "svcca: --nonfinite drop: left out 3 datapoints of 60\n", stderr)
	// What is left out otherwise is not looked at.
	checkSelected(t, "--nonfinite drop --neurons 1:4", rowsOf(x, left(40), []int{1, 2, 3}), rowsOf(y, left(40), []int{1, 2, 3}))
	selection, stderr = checkSelected(t, "--nonfinite drop --datapoints 4:40", rowsOf(x, interval(4, 40), nil), rowsOf(y, interval(4, 40), nil))
	assert.Len(t, selection["steps"], 2)
	assert.Contains(t, stderr, "left out 0 datapoints of 36")
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%7)
	}
	save(t, "w.npy", weights)
	save(t, "want_w.npy", rowsOf(weights, left(3, 40, 59), nil))
	checkSelected(t, "--nonfinite drop --weights w.npy", rowsOf(x, left(3, 40, 59), nil), rowsOf(y, left(3, 40, 59), nil), "--weights", "want_w.npy")

	for _, c := range []struct{ args, says string }{
		{"compare x.npy y.npy", "x.npy: datapoint 3, neuron 0 (counted from 0) is NaN: 3 values in 2 datapoints are not finite: correct them"},
		{"compare x.npy y.npy --datapoints 10:", "x.npy: datapoint 40, neuron 1 (counted from 0) is -Inf: correct it, or leave that datapoint out of every file, as --nonfinite drop does"},
		{"compare x.npy y.npy --datapoints 41: --neurons 4,3", "y.npy: datapoint 59, neuron 4 (counted from 0) is NaN"},
		{"matrix x.npy y.npy --datapoints 10:40,50:", "y.npy: datapoint 59, neuron 4 (counted from 0) is NaN"},
		{"moments x.npy y.npy -o s.sums --datapoints 5:", "x.npy: datapoint 40, neuron 1 (counted from 0) is -Inf"},
		{"moments x.npy -o s.sums", "x.npy: datapoint 3, neuron 0 (counted from 0) is NaN: 3 values in 2 datapoints are not finite"},
	} {
		status, stdout, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, c.says)
		assert.Empty(t, stdout)
	}
	save(t, "nan.npy", holed(lapack.New[float64](2, 1), map[[2]int]float64{{0, 0}: math.NaN(), {1, 0}: math.NaN()}))
	status, _, stderr := call(t, "compare", "nan.npy", "nan.npy", "--nonfinite", "drop")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "--nonfinite drop leaves none of 2 datapoints: nothing to compare")
}

func TestNonFiniteOfTokensAndMaps(t *testing.T) {
	x, y := tokenFiles(t)
	bad := holed(x, map[[2]int]float64{{10, 3}: math.NaN()}) // example 1, token 3
	saveShape(t, "x.npy", bad.Data, 12, 7, 5)
	without := func(n, row int) []int { return append(interval(0, row), interval(row+1, n)...) }
	_, stderr := checkSelected(t, "--nonfinite drop", rowsOf(x, without(84, 10), nil), rowsOf(y, without(84, 10), nil))
	assert.Contains(t, stderr, "left out 1 token of 84")
	all := func(int) bool { return true }
	checkSelected(t, "--nonfinite drop --tokens mean", rowsOf(meansOf(x, all), without(12, 1), nil), rowsOf(meansOf(y, all), without(12, 1), nil))
	// A mask that leaves it out leaves nothing to drop.
	keep := func(i int) bool { return i%7 != 3 }
	saveMask(t, "mask.npy", keep, 12, 7)
	checkSelected(t, "--tokens mean --mask mask.npy", meansOf(x, keep), meansOf(y, keep))
	for flags, says := range map[string]string{
		"":                             "x.npy: example 1, token 3, neuron 3 (counted from 0) is NaN",
		"--tokens mean":                "x.npy: the mean over tokens of example 1, neuron 3 (counted from 0) is NaN",
		"--datapoints 1:":              "x.npy: example 1, token 3, neuron 3 (counted from 0) is NaN",
		"--conv dft":                   "x.npy: example 1, token 3, neuron 3 (counted from 0) is NaN",
		"--conv pixels":                "x.npy: example 1, token 3, neuron 3 (counted from 0) is NaN",
		"--conv flatten --neurons 3:4": "x.npy: example 1, token 3, neuron 3 (counted from 0) is NaN",
	} {
		status, _, stderr := call(t, append([]string{"compare", "x.npy", "y.npy"}, strings.Fields(flags)...)...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, says, flags)
	}

	m := someMaps(1, 40, 4, 4, 3)
	save(t, "m.npy", m, 40, 4, 4, 3)
	save(t, "hole.npy", holed(m, map[[2]int]float64{{5, (1*4+2)*3 + 1}: math.NaN()}), 40, 4, 4, 3)
	save(t, "want.npy", rowsOf(m, without(40, 5), nil), 39, 4, 4, 3)
	for _, way := range []string{"dft", "flatten"} {
		want, _ := jsonOf(t, "compare", "want.npy", "want.npy", "--conv", way)
		got, stderr := jsonOf(t, "compare", "hole.npy", "m.npy", "--conv", way, "--nonfinite", "drop")
		assert.Contains(t, stderr, "left out 1 image of 40")
		assert.Equal(t, numbersIn(want), numbersIn(got), way)
	}
	save(t, "want.npy", rowsOf(lapack.Of(640, 3, m.Data), without(640, 5*16+6), nil))
	want, _ := jsonOf(t, "compare", "want.npy", "want.npy")
	got, stderr := jsonOf(t, "compare", "hole.npy", "m.npy", "--conv", "pixels", "--nonfinite", "drop")
	assert.Contains(t, stderr, "left out 1 position of 640")
	assert.Equal(t, numbersIn(want), numbersIn(got))
}

func TestSelectMatrix(t *testing.T) {
	layers := nets(t)
	rows := rand.New(rand.NewPCG(5, 5)).Perm(300)[:200]
	saveIndices(t, "rows.npy", rows)
	for i, name := range netNames {
		require.NoError(t, os.MkdirAll("want/"+name[:1], 0o700))
		save(t, "want/"+name, rowsOf(layers[i], rows, []int{0, 3, 4}))
	}
	want, _ := matrixOf(t, "want/a", "--against", "want/b")
	got, _ := matrixOf(t, "a", "--against", "b", "--datapoints", "@rows.npy", "--neurons", "0,3:5")
	assert.Equal(t, want.Pairs, got.Pairs)
	assert.Nil(t, want.Selection)
	require.Len(t, got.Selection.Steps, 2)
	assert.Equal(t, []int{8, 7, 5, 9, 6}, got.Selection.Steps[1].Of)

	// The cache tells selections apart, and knows them again.
	for _, flags := range []string{"", "--datapoints :100", "--datapoints 100:200", "--neurons 0:3", "--datapoints 100:200 --neurons 0:3", "--sample 100", "--sample 100 --seed 1", "--datapoints :100"} {
		args := append([]string{"a", "b"}, strings.Fields(flags)...)
		plain, _ := matrixOf(t, args...)
		cached, _ := matrixOf(t, append(args, "--cache", "cache")...)
		again, _ := matrixOf(t, append(args, "--cache", "cache")...)
		assert.Equal(t, plain.Pairs, cached.Pairs, flags)
		assert.Equal(t, plain.Pairs, again.Pairs, flags)
	}
}

func TestSelectMatrixByIDs(t *testing.T) {
	layers := nets(t)
	require.NoError(t, os.Mkdir("ids", 0o700))
	require.NoError(t, os.Mkdir("want", 0o700))
	for i, name := range netNames[:3] {
		rows := rand.New(rand.NewPCG(uint64(i), 5)).Perm(300)[i*10:]
		save(t, name, rowsOf(layers[i], rows, nil))
		saveIndices(t, strings.TrimSuffix(name, ".npy")+".ids", rows)
	}
	// Of the first's rows those that all have, in its order.
	var shared []int
	in := func(i, row int) bool {
		return slices.Contains(rand.New(rand.NewPCG(uint64(i), 5)).Perm(300)[i*10:], row)
	}
	for _, row := range rand.New(rand.NewPCG(0, 5)).Perm(300) {
		if in(1, row) && in(2, row) {
			shared = append(shared, row)
		}
	}
	for i, name := range []string{"want/layer1.npy", "want/layer2.npy", "want/layer10.npy"} {
		save(t, name, rowsOf(layers[i], shared, nil))
	}
	want, _ := matrixOf(t, "want")
	got, stderr := matrixOf(t, "a", "--ids", "*.ids")
	assert.Equal(t, want.Pairs, got.Pairs)
	assert.Contains(t, stderr, fmt.Sprintf("svcca: ids: %d of 300, 290 and 280 datapoints match", len(shared)))
	got, _ = matrixOf(t, "a", "--ids", "a/layer1.ids", "--ids", "a/layer2.ids", "--ids", "a/layer10.ids")
	assert.Equal(t, want.Pairs, got.Pairs)

	// Without one of them.
	remove(t, "a/layer2.ids")
	status, _, stderr := call(t, "matrix", "a", "--ids", "*.ids")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "a/layer2.ids: no such file")
	assert.Contains(t, stderr, "--skip-bad leaves out")
	got, _ = matrixOf(t, "a", "--ids", "*.ids", "--skip-bad")
	require.Len(t, got.Skipped, 1)
	assert.Equal(t, "a/layer2.npy", got.Skipped[0].Name)
	assert.Len(t, got.Rows, 2)
	status, _, stderr = call(t, "matrix", "a", "--ids", "x.ids")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "--ids is given 1 time, and there are 3 layers")
}

func TestSelectMatrixOfTokensAndMaps(t *testing.T) {
	x, y := tokenFiles(t)
	saveMask(t, "mask.npy", func(i int) bool { return i%7 < 4 }, 12, 7)
	keep := func(i int) bool { return i%7 < 4 }
	require.NoError(t, os.Mkdir("want", 0o700))
	save(t, "want/x.npy", meansOf(x, keep))
	save(t, "want/y.npy", meansOf(y, keep))
	want, _ := matrixOf(t, "want")
	got, stderr := matrixOf(t, "x.npy", "y.npy", "--tokens", "mean", "--mask", "mask.npy")
	assert.Equal(t, want.Pairs, got.Pairs)
	assert.Contains(t, stderr, `"x.npy": 12 examples of 7 tokens × 5 neurons (ntd), the mean of its tokens is a datapoint`)
	assert.Contains(t, stderr, "--mask mask.npy: 48 of 84 tokens")

	// A vector of an example goes with a mean of its tokens, not with each of them.
	save(t, "vector.npy", meansOf(x, keep))
	got, _ = matrixOf(t, "x.npy", "vector.npy", "--tokens", "mean", "--mask", "mask.npy")
	assert.InDelta(t, 1, got.Pairs[0][1].MeanSquare, 2*got.Pairs[0][1].ErrorBound)
	status, _, stderr := call(t, "matrix", "x.npy", "vector.npy")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "x.npy has 84 tokens, vector.npy 12 datapoints: the same tokens of the same examples are needed")
	got, _ = matrixOf(t, "x.npy", "vector.npy", "--skip-bad")
	assert.Len(t, got.Skipped, 1)

	for _, way := range []string{"dft", "pixels", "flatten"} {
		save(t, "want/x.npy", lapack.Of(12, 35, x.Data), 12, 1, 7, 5)
		save(t, "want/y.npy", lapack.Of(12, 28, y.Data), 12, 1, 7, 4)
		want, _ := matrixOf(t, "want", "--conv", way, "--datapoints", "2:")
		save(t, "want/x.npy", lapack.Of(10, 35, x.Data[2*35:]), 10, 1, 7, 5)
		save(t, "want/y.npy", lapack.Of(10, 28, y.Data[2*28:]), 10, 1, 7, 4)
		cut, _ := matrixOf(t, "want", "--conv", way)
		got, _ := matrixOf(t, "x.npy", "y.npy", "--conv", way, "--datapoints", "2:")
		assert.Equal(t, cut.Pairs, want.Pairs, way)
		assert.Equal(t, cut.Pairs, got.Pairs, way)
	}
}

func TestSelectMoments(t *testing.T) {
	t.Chdir(t.TempDir())
	lower(t, 10, 0)
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	rows := rand.New(rand.NewPCG(5, 5)).Perm(60)[:47]
	saveIndices(t, "rows.npy", rows)
	save(t, "x.npy", holed(x, map[[2]int]float64{{rows[8], 2}: math.NaN()}))
	save(t, "y.npy", y)
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%3)
	}
	save(t, "w.npy", weights)
	left := slices.Delete(slices.Clone(rows), 8, 9)
	save(t, "want_x.npy", rowsOf(x, left, []int{1, 2, 0}))
	save(t, "want_y.npy", rowsOf(y, left, []int{1, 2, 0}))
	save(t, "want_w.npy", rowsOf(weights, left, nil))
	sums := func(args ...string) comparisonOf {
		t.Helper()
		status, _, stderr := call(t, append([]string{"moments", "-o", "a.sums", "--force"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		return compareJSON(t, "a.sums")
	}
	selected := strings.Fields("x.npy y.npy --datapoints @rows.npy --neurons 1:3,0 --nonfinite drop --weights w.npy")
	want := sums("want_x.npy", "want_y.npy", "--weights", "want_w.npy")
	got := sums(selected...)
	assert.Equal(t, want.Rho, got.Rho)
	assert.Equal(t, 46, got.X.Datapoints)

	// Resumed, and not what is left of another selection.
	args := append([]string{"moments", "-o", "b.sums", "--resume", "--quiet"}, selected...)
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(9)
	require.Equal(t, exitInterrupted, run(ctx, args, io.Discard, io.Discard))
	require.Contains(t, listing(t, "."), "b.sums.partial")
	for _, other := range []string{"--datapoints 0:47 --neurons 1:3,0 --nonfinite drop --weights w.npy", "--datapoints @rows.npy --neurons 0:3 --nonfinite drop --weights w.npy"} {
		status, _, stderr := call(t, append([]string{"moments", "x.npy", "y.npy", "-o", "b.sums", "--resume"}, strings.Fields(other)...)...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "was left by other work")
	}
	status, _, stderr := call(t, args...)
	require.Equal(t, exitDone, status, stderr)
	assert.Equal(t, want.Rho, compareJSON(t, "b.sums").Rho)

	tx, ty := tokenFiles(t)
	save(t, "want_x.npy", tx)
	save(t, "want_y.npy", ty)
	assert.Equal(t, sums("want_x.npy", "want_y.npy").Rho, sums("x.npy", "y.npy").Rho)
	assert.InDelta(t, sums("want_x.npy", "want_y.npy").Mean, sums("xc.npy", "yc.npy", "--layout", "nct").Mean, 1e-12)
}

// TestProjectShards: a layer in shards is one, and none of them is written over.
func TestProjectShards(t *testing.T) {
	t.Chdir(t.TempDir())
	x := gaussian(1, 60, 6)
	save(t, "x.npy", x)
	save(t, "y.npy", mixed(60, 5))
	pattern := shards(t, "a", x, 25, 60)
	require.Equal(t, exitDone, first(call(t, "compare", "x.npy", "y.npy", "--directions", "d.npz")))
	require.Equal(t, exitDone, first(call(t, "project", "d.npz", "x.npy", "--side", "x", "-o", "want.npy")))
	for _, data := range []string{"a", pattern} {
		status, _, stderr := call(t, "project", "d.npz", data, "--side", "x", "-o", "got.npy", "--force")
		require.Equal(t, exitDone, status, stderr)
		assert.Equal(t, read(t, "want.npy"), read(t, "got.npy"))
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		status, _, stderr = call(t, "project", "d.npz", data, "--side", "x", "-o", paths[1], "--force")
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, paths[1]+" is read by this command")
	}
}

func TestSelectProject(t *testing.T) {
	t.Chdir(t.TempDir())
	x, y := gaussian(1, 60, 6), mixed(60, 5)
	save(t, "x.npy", holed(x, map[[2]int]float64{{9, 1}: math.NaN()}))
	save(t, "y.npy", y)
	status, _, stderr := call(t, "compare", "x.npy", "y.npy", "--neurons", "1:4", "--nonfinite", "drop", "--directions", "d.npz")
	require.Equal(t, exitDone, status, stderr)
	before := alignBytes
	t.Cleanup(func() { alignBytes = before })
	alignBytes = 8 * 3 * 4 // four rows
	rows := slices.DeleteFunc(interval(5, 40), func(i int) bool { return i == 9 })
	save(t, "want_x.npy", rowsOf(x, rows, []int{1, 2, 3}))
	for _, how := range []string{"", "--coordinates"} {
		project := func(data, out string, more ...string) {
			t.Helper()
			status, _, stderr := call(t, append(append([]string{"project", "d.npz", data, "--side", "x", "-o", out, "--force"}, strings.Fields(how)...), more...)...)
			require.Equal(t, exitDone, status, stderr)
		}
		project("want_x.npy", "want.npy")
		project("x.npy", "got.npy", "--neurons", "1:4", "--datapoints", "5:40", "--nonfinite", "drop")
		assert.Equal(t, read(t, "want.npy"), read(t, "got.npy"))
		args := append([]string{"project", "d.npz", "x.npy", "--side", "x", "-o", "bad.npy", "--neurons", "1:4", "--datapoints", "2:"}, strings.Fields(how)...)
		status, _, stderr := call(t, args...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, "x.npy: datapoint 9, neuron 1 (counted from 0) is NaN")
		assert.NotContains(t, listing(t, "."), "bad.npy")
	}
}

func TestSelectMisused(t *testing.T) {
	x, _ := tokenFiles(t)
	save(t, "flat.npy", x)
	save(t, "maps.npy", lapack.Of(12, 35, x.Data), 12, 1, 7, 5)
	saveMask(t, "rows.npy", func(int) bool { return true }, 84)
	saveMask(t, "none.npy", func(int) bool { return false }, 84)
	saveMask(t, "tokens.npy", func(i int) bool { return i > 6 }, 12, 7)
	saveMask(t, "pixels.npy", func(int) bool { return true }, 12, 2, 7)
	saveArray(t, "halves.npy", "|u1", []byte{1, 2, 0}, 3)
	saveIndices(t, "beyond.npy", []int{1, 84})
	saveShape(t, "empty.npy", nil, 1<<40, 3, 0)
	saveShape(t, "none3.npy", nil, 1<<40, 0)
	saveShape(t, "five.npy", x.Data, 12, 7, 5, 1, 1)
	status, _, stderr := call(t, "moments", "flat.npy", "flat.npy", "-o", "pair.sums")
	require.Equal(t, exitDone, status, stderr)
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"compare flat.npy flat.npy --datapoints 3:1", exitMisused, "A:B expected"},
		{"compare flat.npy flat.npy --datapoints 1,,2", exitMisused, "A:B expected"},
		{"compare flat.npy flat.npy --datapoints -1", exitMisused, "A:B expected"},
		{"compare flat.npy flat.npy --datapoints 80:85", exitFailed, "flat.npy has 84 datapoints: --datapoints 80:85 reaches beyond them"},
		{"compare flat.npy flat.npy --datapoints @beyond.npy", exitFailed, "--datapoints @beyond.npy reaches beyond them"},
		{"compare flat.npy flat.npy --datapoints @x.npy", exitFailed, "x.npy: an array of integers expected"},
		{"compare flat.npy flat.npy --datapoints 3:9,5", exitFailed, "--datapoints 3:9,5 names 5 twice"},
		{"compare flat.npy flat.npy --neurons 5", exitFailed, "flat.npy has 5 neurons: --neurons 5 reaches beyond them"},
		{"compare flat.npy flat.npy --neurons 0,0", exitFailed, "--neurons 0,0 names 0 twice"},
		{"compare maps.npy maps.npy --conv dft --neurons 5", exitFailed, "maps.npy has 5 channels: --neurons 5 reaches beyond them"},
		{"compare flat.npy flat.npy --sample 85", exitFailed, "--sample 85: there are only 84 datapoints to draw from"},
		{"compare flat.npy flat.npy --sample 0", exitMisused, "--sample 0: 1 or more expected"},
		{"compare flat.npy flat.npy --seed 1", exitMisused, "--seed is of --sample"},
		{"compare flat.npy flat.npy --labelled 3", exitMisused, "--labelled 3 is of --labels FILE"},
		{"compare flat.npy flat.npy --labels beyond.npy", exitMisused, "--labels is for --labelled"},
		{"compare flat.npy flat.npy --labels beyond.npy --labelled x", exitMisused, "A:B expected"},
		{"compare flat.npy flat.npy --labels beyond.npy --labelled @beyond.npy", exitMisused, "classes are listed, as in 3,7"},
		{"compare flat.npy flat.npy --labels beyond.npy --labelled 1", exitFailed, "beyond.npy holds 2 labels, flat.npy has 84 datapoints"},
		{"compare flat.npy flat.npy --labels flat.npy --labelled 1", exitFailed, "flat.npy: an array of integers expected"},
		{"compare pair.sums --labels beyond.npy --labelled 3", exitMisused, "--labels does not go with sums"},
		{"compare flat.npy flat.npy --mask none.npy", exitFailed, "--mask none.npy leaves none of 84 datapoints"},
		{"compare flat.npy flat.npy --mask halves.npy", exitFailed, "halves.npy: [1] is 2"},
		{"compare flat.npy flat.npy --mask tokens.npy", exitFailed, "tokens.npy is a mask of 12 datapoints, flat.npy has 84"},
		{"compare x.npy y.npy --mask rows.npy", exitFailed, "rows.npy is a mask of 84 datapoints, x.npy has 12"},
		{"compare x.npy y.npy --mask tokens.npy --tokens mean", exitFailed, "tokens.npy: example 0 (counted from 0) has no token left"},
		{"compare x.npy y.npy --mask pixels.npy", exitFailed, "pixels.npy: a mask of 12 × 7 (examples × tokens) expected"},
		{"compare x.npy y.npy --conv dft --mask tokens.npy", exitMisused, "tokens.npy is a mask of 12 × 7: of maps, --conv pixels leaves out positions"},
		{"compare x.npy y.npy --conv pixels --mask pixels.npy", exitFailed, "pixels.npy is a mask of 2 × 7 an image, the maps of x.npy are of 1 × 7"},
		{"compare x.npy y.npy --conv dft --tokens each", exitMisused, "--tokens does not go with --conv"},
		{"compare x.npy flat.npy", exitFailed, "x.npy has 12 examples or datapoints, flat.npy 84"},
		{"compare x.npy y.npy --transpose", exitFailed, "only an array of 2 dimensions"},
		{"compare flat.npy flat.npy --tokens last", exitMisused, "--tokens is for files of three dimensions"},
		{"compare flat.npy flat.npy --layout nct", exitMisused, "--layout is for feature maps and tokens"},
		{"compare flat.npy flat.npy --nonfinite skip", exitMisused, "error or drop expected"},
		{"compare x.npy y.npy --tokens sum", exitMisused, "one of each, mean, last expected"},
		{"compare five.npy five.npy", exitFailed, "five.npy has 5 dimensions, 12 × 7 × 5 × 1 × 1"},
		{"compare empty.npy empty.npy", exitFailed, "empty.npy is of 1099511627776 × 3 × 0: there is nothing to select from"},
		{"compare none3.npy none3.npy --datapoints 1:", exitFailed, "none3.npy is of 1099511627776 × 0: there is nothing to select from"},
		{"compare pair.sums --sample 3", exitMisused, "--sample does not go with sums"},
		{"moments pair.sums --neurons 3", exitMisused, "--neurons does not go with a file of sums"},
		{"moments --merge pair.sums -o b.sums --mask rows.npy", exitMisused, "--mask does not go with --merge"},
		{"moments - -o b.sums --tokens mean", exitMisused, "--tokens does not go with standard input"},
		{"matrix flat.npy --nonfinite drop --mask none.npy", exitFailed, "--mask none.npy leaves none"},
		{"matrix flat.npy --weights rows.npy --mask rows.npy -o rows.npy --force", exitFailed, "rows.npy"},
	} {
		before := listing(t, ".")
		status, stdout, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, c.status, status, c.args+": "+stderr)
		assert.Contains(t, stderr, c.says, c.args)
		assert.Empty(t, stdout)
		assert.Equal(t, before, listing(t, "."))
	}
}

func TestIDsBesideLayers(t *testing.T) {
	layers := nets(t)
	for i, name := range netNames[:3] {
		save(t, name, layers[i])
		saveIndices(t, strings.TrimSuffix(name, ".npy")+".ids.npy", interval(0, 300))
	}
	got, _ := matrixOf(t, "a", "--ids", "*.ids.npy")
	assert.Len(t, got.Rows, 3)
	status, stdout, stderr := call(t, "matrix", "a", "--ids", "*.ids.npy", "--datapoints", ":200")
	require.Equal(t, exitDone, status, stderr)
	assert.Contains(t, stdout, "\nids: 300 of 300 datapoints match\n--datapoints :200: 200 of 300 datapoints\n")
}

// TestIDsInOrder: what a shell sorted the matrix has in natural order, so that ids in the
// order of arguments would be another layer's.
func TestIDsInOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	m := gaussian(1, 60, 6)
	backwards := interval(0, 60)
	slices.Reverse(backwards)
	save(t, "b2.npy", m)
	saveIndices(t, "b2.ids", interval(0, 60))
	save(t, "b10.npy", rowsOf(m, backwards, nil))
	saveIndices(t, "b10.ids", backwards)
	got, _ := matrixOf(t, "b2.npy", "b10.npy", "--ids", "b2.ids", "--ids", "b10.ids")
	assert.InDelta(t, 1, *got.Pairs[0][1].Mean, 1e-9)
	got, _ = matrixOf(t, "b10.npy", "--against", "b2.npy", "--ids", "b10.ids", "--ids", "b2.ids")
	assert.InDelta(t, 1, *got.Pairs[0][0].Mean, 1e-9)
	status, _, stderr := call(t, "matrix", "b10.npy", "b2.npy", "--ids", "b10.ids", "--ids", "b2.ids")
	assert.Equal(t, exitMisused, status)
	assert.Contains(t, stderr, "layers are in natural order: name b2.npy before b10.npy and the ids likewise")
}

// TestIDsOfNamesWithDots: layers are called after modules, as in encoder.2, whose
// number is no suffix; a member has the ids of its archive.
func TestIDsOfNamesWithDots(t *testing.T) {
	t.Chdir(t.TempDir())
	m := gaussian(1, 60, 6)
	require.NoError(t, os.Mkdir("encoder.2", 0o700))
	save(t, "encoder.2/part-0.npy", m.View(0, 0, 20, 6))
	save(t, "encoder.2/part-1.npy", m.View(20, 0, 40, 6))
	saveNPZ(t, "x.npz", zip.Deflate, arrayOf{"encoder.2", npy(t, m)}, arrayOf{"fc", npy(t, m)})
	save(t, "want.npy", m)
	for _, name := range []string{"encoder.2", "x", "want"} {
		saveIndices(t, name+".ids", interval(0, 60))
	}
	for _, layer := range []string{"encoder.2", "x.npz:encoder.2", "x.npz:fc"} {
		status, _, stderr := call(t, "compare", layer, "want.npy", "--ids", "*.ids")
		assert.Equal(t, exitDone, status, "%s: %s", layer, stderr)
		assert.Contains(t, stderr, "ids: 60 of 60 datapoints match", layer)
	}
}

// TestSelectWithoutTheFirst: mask and weights are of the first layer that is there.
func TestSelectWithoutTheFirst(t *testing.T) {
	layers := nets(t)
	for i, name := range netNames[:3] {
		rows := interval(20*i, 300)
		save(t, name, rowsOf(layers[i], rows, nil))
		saveIndices(t, strings.TrimSuffix(name, ".npy")+".ids", rows)
	}
	remove(t, "a/layer1.ids")
	kept := saveMask(t, "mask.npy", func(i int) bool { return i%3 > 0 && i >= 20 }, 280)
	for i := range kept {
		kept[i] += 20 // rows of all
	}
	require.NoError(t, os.Mkdir("want", 0o700))
	save(t, "want/layer2.npy", rowsOf(layers[1], kept, nil))
	save(t, "want/layer10.npy", rowsOf(layers[2], kept, nil))
	want, _ := matrixOf(t, "want")
	got, _ := matrixOf(t, "a", "--ids", "*.ids", "--skip-bad", "--mask", "mask.npy")
	assert.Equal(t, want.Pairs, got.Pairs)
}
