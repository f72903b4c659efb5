package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// call runs the command in this process, in a locale of UTF-8.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("LC_ALL", "C.UTF-8")
	var out, err bytes.Buffer
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// save writes a .npy and returns its path.
func save(t *testing.T, path string, m lapack.Matrix[float64], shape ...int) string {
	t.Helper()
	if shape == nil {
		shape = []int{m.Rows, m.Cols}
	}
	f, err := os.Create(path)
	require.NoError(t, err)
	w, err := activation.NewWriter(f, shape...)
	require.NoError(t, err)
	require.NoError(t, w.Write(m))
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	return path
}

func gaussian(seed uint64, rows, columns int) lapack.Matrix[float64] {
	r := rand.New(rand.NewPCG(seed, 0))
	m := lapack.New[float64](rows, columns)
	for i := range m.Data {
		m.Data[i] = r.NormFloat64()
	}
	return m
}

// mixed returns a layer that shares half its variance with gaussian(1, …).
func mixed(rows, columns int) lapack.Matrix[float64] {
	m, x := gaussian(2, rows, columns), gaussian(1, rows, columns)
	for i := range m.Data {
		m.Data[i] += x.Data[i]
	}
	return m
}

// pair saves two layers of 60 datapoints that have something in common.
func pair(t *testing.T) (dir, x, y string) {
	dir = t.TempDir()
	return dir, save(t, filepath.Join(dir, "x.npy"), gaussian(1, 60, 6)), save(t, filepath.Join(dir, "y.npy"), mixed(60, 6))
}

// listing returns the names in dir, hidden ones too.
func listing(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return names
}

func TestStatus(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	short := save(t, in("short.npy"), gaussian(3, 59, 6))
	maps := save(t, in("maps.npy"), gaussian(3, 60, 12), 60, 2, 2, 3)
	constant := save(t, in("constant.npy"), lapack.New[float64](60, 2))
	holed := gaussian(4, 60, 6)
	holed.Set(7, 3, math.NaN())
	hole := save(t, in("hole.npy"), holed)
	none := save(t, in("none.npy"), lapack.New[float64](60, 1))
	empty := save(t, in("empty.npy"), lapack.New[float64](60, 0))
	few := save(t, in("few.npy"), gaussian(3, 5, 1))
	text := in("text.npy")
	require.NoError(t, os.WriteFile(text, []byte("1 2 3\n"), 0o600))
	integers := in("integers.npy")
	require.NoError(t, os.WriteFile(integers, []byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }          \n12345678"), 0o600))

	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"done", []string{"compare", x, y}, exitDone, nil},
		{"no neurons", []string{"compare", x, empty}, exitFailed, []string{"empty.npy", "60 datapoints and 0 neurons: not a layer"}},
		{"no neurons, by krylov", []string{"compare", x, empty, "--solver", "krylov"}, exitFailed, []string{"0 neurons: not a layer"}},
		{"missing", []string{"compare", in("xx.npy"), y}, exitFailed, []string{"no such file", "did you mean " + x}},
		{"rows", []string{"compare", x, short}, exitFailed, []string{"x.npy has 60 datapoints", "short.npy 59", "same order", "--transpose"}},
		{"rows of columns", []string{"compare", x, save(t, in("wide.npy"), gaussian(1, 60, 7)), "--transpose"}, exitFailed, []string{"leave out --transpose"}},
		{"maps", []string{"compare", x, maps}, exitFailed, []string{"60 × 2 × 2 × 3", "dft", "lowpass", "pixels", "flatten", "svcca compare " + x + " " + maps + " --conv dft"}},
		{"maps, summed", []string{"moments", x, maps, "-o", in("m.sums")}, exitFailed, []string{"60 × 2 × 2 × 3", "with --conv", "reshape(len(x), -1)", "reshape(-1, x.shape[-1])"}},
		{"maps, turned", []string{"compare", x, maps, "--transpose"}, exitFailed, []string{"60 × 2 × 2 × 3"}},
		{"constant", []string{"compare", x, constant}, exitFailed, []string{"constant"}},
		{"not finite", []string{"compare", x, hole}, exitFailed, []string{"hole.npy: datapoint 7, neuron 3", "NaN"}},
		{"integers", []string{"compare", x, integers}, exitFailed, []string{"integers.npy", "x.astype(np.float32)"}},
		{"text", []string{"compare", x, text}, exitFailed, []string{"text.npy", "looks like text"}},
		{"directory", []string{"compare", x, dir}, exitFailed, []string{"directory"}},
		{"pipe", []string{"compare", "-", x}, exitFailed, []string{"save it to a file"}},
		{"weights of zero", []string{"compare", x, y, "--weights", none}, exitFailed, []string{"none.npy", "datapoint 0", "positive"}},
		{"few weights", []string{"compare", x, y, "--weights", few}, exitFailed, []string{"few.npy holds 5 × 1", "60 datapoints"}},
		{"no directory", []string{"compare", x, y, "--directions", in("no/d.npz")}, exitFailed, []string{"no directory"}},
		{"no command", nil, exitMisused, []string{"a command is needed"}},
		{"command", []string{"comapre", x, y}, exitMisused, []string{`unknown command "comapre"`, "did you mean compare?"}},
		{"help of a command", []string{"help", "projetc"}, exitMisused, []string{"did you mean project?"}},
		{"flag", []string{"compare", x, y, "--centring", "none"}, exitMisused, []string{"--centring", "did you mean --centering?"}},
		{"one file", []string{"compare", x}, exitMisused, []string{"two files are needed, 1 given"}},
		{"keep", []string{"compare", x, y, "--keep", "most"}, exitMisused, []string{"variance(0.99)", "count(20)", "rank"}},
		{"share", []string{"compare", x, y, "--keep", "variance(1.5)"}, exitMisused, []string{"at most 1"}},
		{"tolerance", []string{"compare", x, y, "--rank-tol", "float8"}, exitMisused, []string{"bfloat16"}},
		{"centring", []string{"compare", x, y, "--centering", "layers"}, exitMisused, []string{"none of neurons, none, translated"}},
		{"argument", []string{"version", "more"}, exitMisused, []string{"more"}},
		{"info of nothing", []string{"info", "more.npy"}, exitFailed, []string{"more.npy: no such file"}},
		{"no side", []string{"project", "d.npz", x, "-o", in("p.npy")}, exitMisused, []string{"--side x or --side y"}},
		{"no output", []string{"project", "d.npz", x, "--side", "x"}, exitMisused, []string{"-o OUT.npy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := listing(t, dir)
			status, stdout, stderr := call(t, c.args...)
			assert.Equal(t, c.status, status, stderr)
			for _, s := range c.says {
				assert.Contains(t, stderr, s)
			}
			for line := range strings.Lines(stderr) {
				if c.name != "no command" || strings.HasPrefix(line, "svcca:") {
					assert.True(t, strings.HasPrefix(line, "svcca: "), line)
				}
			}
			if status != exitDone {
				assert.Empty(t, stdout)
			}
			assert.Equal(t, before, listing(t, dir))
		})
	}
}

// TestHostileNames: a name must not reach the terminal as more than a name.
func TestHostileNames(t *testing.T) {
	dir := t.TempDir()
	name := "\x1b[31m\nred\xff.npy"
	x := save(t, filepath.Join(dir, name), gaussian(1, 60, 6))
	for _, args := range [][]string{{"compare", x, x}, {"compare", x, x + "x"}, {"compare", x, x, "--directions", x}, {"project", x, x, "--side", "x", "-o", x}} {
		_, stdout, stderr := call(t, args...)
		assert.NotContains(t, stdout+stderr, "\x1b")
		assert.NotContains(t, stdout+stderr, "\nred")
		assert.Contains(t, stdout+stderr, `\x1b`)
	}
}

// failing is a standard output that takes nothing.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestOutputThatFails(t *testing.T) {
	dir, x, y := pair(t)
	d := filepath.Join(dir, "d.npz")
	status, _, _ := call(t, "compare", x, y, "--directions", d)
	require.Equal(t, exitDone, status)
	for _, args := range [][]string{
		{"compare", x, y}, {"compare", x, y, "--json"}, {"compare", "--help"}, {"info"}, {"info", "--json"}, {"version"}, {"--version"},
		{"project", d, x, "--side", "x", "-o", "-"},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, exitFailed, run(t.Context(), args, failing{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}}, &stderr), args)
		assert.Contains(t, stderr.String(), "no space left", args)
		stderr.Reset()
		assert.Equal(t, exitDone, run(t.Context(), args, failing{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}}, &stderr), args)
		assert.Empty(t, stderr.String(), args)
	}
}

// countdown is a context that ends at its n-th look.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestInterruptedLeavesNoneOut: that work is stopped is the fault of no layer.
func TestInterruptedLeavesNoneOut(t *testing.T) {
	_, x, y := pair(t)
	for look := int64(0); ; look++ {
		require.Less(t, look, int64(1000))
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(look)
		var stdout, stderr bytes.Buffer
		if run(ctx, []string{"matrix", x, y, "--nonfinite", "drop", "--skip-bad"}, &stdout, &stderr) == exitDone {
			break
		}
		require.NotContains(t, stderr.String(), "warning", look)
		require.Contains(t, stderr.String(), "svcca: interrupted\n", look)
	}
}

// TestInterrupted stops each command at every place where it looks, demo, which
// looks often, at ever fewer, and compress at every fifth.
func TestInterrupted(t *testing.T) {
	dir, x, y := pair(t)
	d, p := filepath.Join(dir, "d.npz"), filepath.Join(dir, "p.npy")
	maps := save(t, filepath.Join(dir, "maps.npy"), someMaps(1, 20, 2, 2, 2), 20, 2, 2, 2)
	save(t, filepath.Join(dir, "1-l.npy"), gaussian(1, 20, 3))
	save(t, filepath.Join(dir, "2-l.npy"), gaussian(2, 20, 3))
	classes, net := filepath.Join(dir, "classes"), filepath.Join(dir, "net")
	require.NoError(t, os.Mkdir(classes, 0o700))
	save(t, filepath.Join(classes, "l.npy"), someMaps(1, 20, 2, 2, 2), 20, 2, 2, 2)
	save(t, filepath.Join(classes, "logits.npy"), gaussian(2, 20, 3))
	saveNet(t, net, tailNet()...)
	plain := t.TempDir()
	save(t, filepath.Join(plain, "fc.npy"), gaussian(3, 20, 3))
	save(t, filepath.Join(plain, "logits.npy"), gaussian(4, 20, 2))
	t.Setenv("LC_ALL", "C.UTF-8")
	for _, args := range [][]string{
		{"compare", maps, maps, "--conv", "dft", "--quiet", "--directions", filepath.Join(dir, "f.npz")},
		{"compare", maps, maps, "--conv", "flatten", "--quiet"},
		{"matrix", maps, "--conv", "dft", "--quiet"},
		{"compare", x, y, "--directions", d},
		{"compare", x, y, "--hashes", "--directions", filepath.Join(dir, "d.safetensors")},
		{"project", d, x, "--side", "x", "--hashes", "-o", p},
		{"dynamics", dir, "--pattern", "{step}-{layer}.npy", "--quiet", "-o", filepath.Join(dir, "c.svg")},
		{"classes", classes, "--conv", "dft", "--quiet", "--hashes", "--nonfinite", "drop", "-o", filepath.Join(dir, "k.svg")},
		{"freeze", dir, "--pattern", "{step}-{layer}.npy", "--quiet", "--ago", "1", "--threshold", "0.5", "-o", filepath.Join(dir, "s.json")},
		{"project", d, x, "--side", "x", "--head", net, "--hashes", "--quiet", "-o", filepath.Join(dir, "h.csv")},
		{"compress", net, "--inputs", x, "--layers", "fc2,out", "--hashes", "--quiet", "-o", filepath.Join(dir, "s.npz")},
		{"compress", net, "--inputs", x, "--layers", "fc2,out", "--size", "neurons(0.4,0.5)", "--quiet", "-o", filepath.Join(dir, "s.svg")},
		{"compress", net, "--inputs", x, "--layers", "fc2,out", "--hashes", "--quiet", "-o", filepath.Join(dir, "small")},
		{"report", dir, "--pattern", "{step}-{layer}.npy", "--quiet", "-o", filepath.Join(dir, "r.html")},
		{"report", plain, "--quiet", "--hashes", "--against", plain, "-o", filepath.Join(dir, "n.html")},
		{"demo"},
	} {
		before := listing(t, dir)
		stops := 0
		for look := 0; ; stops++ {
			require.Less(t, stops, 1000)
			ctx := &countdown{Context: t.Context()}
			ctx.left.Store(int64(look))
			look++
			switch args[0] {
			case "demo":
				look += look
			case "compress": // which looks once a block and file
				look += 4
			}
			var stdout, stderr bytes.Buffer
			status := run(ctx, args, &stdout, &stderr)
			if status == exitDone {
				break
			}
			require.Equal(t, exitInterrupted, status, stderr.String())
			require.Equal(t, "svcca: interrupted\n", stderr.String())
			require.Empty(t, stdout.String())
			require.Equal(t, before, listing(t, dir))
		}
		assert.Positive(t, stops, args)
		t.Logf("%s: stopped at %d places", args[0], stops)
	}
}

func TestCompareJSON(t *testing.T) {
	_, x, y := pair(t)
	status, stdout, stderr := call(t, "compare", x, y, "--json")
	require.Equal(t, exitDone, status, stderr)
	assert.Empty(t, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"), "one object, one line")

	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "svcca.compare/1", got["schema"])
	for _, key := range []string{
		"schema", "version", "x", "y", "options", "rho", "mean", "mean_square",
		"weighted_x", "weighted_y", "weighted", "weighted_unique", "pwcca_x", "pwcca_y", "pwcca_unique",
		"chance", "adjusted", "forced_ones", "saturated", "method", "error_bound", "warnings", "backend",
	} {
		assert.Contains(t, got, key)
	}
	for _, side := range []string{"x", "y"} {
		for _, key := range []string{"name", "datapoints", "neurons", "rank", "k", "singular_values"} {
			assert.Contains(t, got[side], key)
		}
	}
	for _, key := range []string{"keep", "rank_tol", "centering", "precision", "conv"} {
		assert.Contains(t, got["options"], key)
	}
	for _, key := range []string{"name", "blas", "lapack", "fft", "threads"} {
		assert.Contains(t, got["backend"], key)
	}
	assert.Equal(t, x, got["x"].(map[string]any)["name"])
	assert.Equal(t, []any{}, got["warnings"], "empty, not null")
}

// TestCompareJSONSaturated: adjusted is null, and warnings reach standard error
// unless that is to be quiet.
func TestCompareJSONSaturated(t *testing.T) {
	x := save(t, filepath.Join(t.TempDir(), "x.npy"), gaussian(1, 5, 20))
	status, stdout, stderr := call(t, "compare", x, x, "--json")
	require.Equal(t, exitDone, status)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Contains(t, got, "adjusted")
	assert.Nil(t, got["adjusted"])
	assert.Equal(t, "saturated", got["warnings"].([]any)[0].(map[string]any)["code"])
	assert.Contains(t, stderr, "svcca: warning: 5 datapoints are few")
	_, again, stderr := call(t, "compare", x, x, "--json", "--quiet")
	assert.Empty(t, stderr)
	assert.Equal(t, stdout, strings.Replace(again, `"--json","--quiet"]`, `"--json"]`, 1))
}

func TestTranspose(t *testing.T) {
	dir, x, y := pair(t)
	turned := func(name string, m lapack.Matrix[float64]) string {
		mt := lapack.New[float64](m.Cols, m.Rows)
		mt.TransposeFrom(m)
		return save(t, filepath.Join(dir, name), mt)
	}
	_, want, _ := call(t, "compare", x, y)
	_, got, _ := call(t, "compare", turned("xt.npy", gaussian(1, 60, 6)), turned("yt.npy", mixed(60, 6)), "--transpose")
	assert.Equal(t, strings.Split(want, "\n")[6:16], strings.Split(got, "\n")[6:16], "the scores")
}

// TestWeights: weights of all 1 change nothing, and datapoints of weight 2 are
// as good as two of them.
func TestWeights(t *testing.T) {
	dir, x, y := pair(t)
	scores := func(args ...string) map[string]any {
		status, stdout, stderr := call(t, append([]string{"compare", "--json"}, args...)...)
		require.Equal(t, exitDone, status, stderr)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		return got
	}
	ones := lapack.New[float64](60, 1)
	for i := range ones.Data {
		ones.Data[i] = 1
	}
	plain := scores(x, y)
	for _, shape := range [][]int{{60}, {60, 1}} {
		w := save(t, filepath.Join(dir, "w.npy"), ones, shape...)
		weighted := scores(x, y, "--weights", w)
		bound := plain["error_bound"].(float64) + weighted["error_bound"].(float64)
		assert.InDelta(t, plain["mean"], weighted["mean"], bound)
	}
	twice := gaussian(1, 60, 6)
	doubled := lapack.New[float64](61, 6)
	doubled.View(0, 0, 60, 6).CopyFrom(twice)
	copy(doubled.Row(60), twice.Row(0))
	my := lapack.New[float64](61, 6)
	my.View(0, 0, 60, 6).CopyFrom(mixed(60, 6))
	copy(my.Row(60), my.Row(0))
	repeated := scores(save(t, filepath.Join(dir, "x2.npy"), doubled), save(t, filepath.Join(dir, "y2.npy"), my))
	ones.Data[0] = 2
	weighted := scores(x, y, "--weights", save(t, filepath.Join(dir, "w.npy"), ones))
	assert.InDelta(t, repeated["mean"], weighted["mean"], repeated["error_bound"].(float64)+weighted["error_bound"].(float64))
}

func TestHelp(t *testing.T) {
	calls := [][]string{{"--help"}, {"help"}, {"project", "-h"}, {"help", "project"}}
	names := []string{}
	for _, c := range newRoot().Commands() {
		if c.Name() != "help" {
			names = append(names, c.Name())
			calls = append(calls, []string{c.Name(), "--help"})
		}
	}
	for _, args := range calls {
		status, stdout, stderr := call(t, args...)
		assert.Equal(t, exitDone, status)
		assert.Empty(t, stderr)
		lines := strings.Split(stdout, "\n")
		assert.LessOrEqual(t, len(lines), 35, args)
		require.Greater(t, len(lines), 3)
		assert.Equal(t, "Examples:", lines[0])
		assert.Contains(t, lines[1], "  svcca ")
		assert.Contains(t, lines[2], "  svcca ")
		checkWidth(t, stdout)
	}
	// Every flag but help says what holds without it.
	for _, name := range names {
		_, stdout, _ := call(t, name, "--help")
		_, flags, found := strings.Cut(stdout, "Flags:")
		require.True(t, found)
		assert.Equal(t, strings.Count(flags, " --"), strings.Count(flags, "(default")+strings.Count(flags, "(required)")+1, name)
	}
}

func TestInfo(t *testing.T) {
	status, stdout, _ := call(t, "info")
	assert.Equal(t, exitDone, status)
	for _, word := range []string{"svcca", "backend", "BLAS", "LAPACK", "threads", "go1."} {
		assert.Contains(t, stdout, word)
	}
	checkWidth(t, stdout)
	_, stdout, _ = call(t, "info", "--json")
	var got infoJSON
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "svcca.info/1", got.Schema)
	assert.Positive(t, got.Backend.Threads)
	_, stdout, _ = call(t, "version")
	assert.Equal(t, got.Version+"\n", stdout)
}

func TestMessageNamesTheFile(t *testing.T) {
	err := &fs.PathError{Op: "open", Path: "x.npy", Err: syscall.EACCES}
	assert.Equal(t, "x.npy: permission denied", message(err))
	assert.Equal(t, "plain", message(errors.New("svcca: plain")))
}

func TestNearest(t *testing.T) {
	names := []string{"compare", "weights", "force", "json"}
	assert.Equal(t, "compare", nearest("comapre", names))
	assert.Equal(t, "weights", nearest("weight", names))
	assert.Equal(t, "json", nearest("jsn", names))
	assert.Empty(t, nearest("k", names))
	assert.Empty(t, nearest("something", names))
	assert.Equal(t, 3, editDistance("kitten", "sitting"))
	assert.Equal(t, 4, editDistance("", "four"))
}
