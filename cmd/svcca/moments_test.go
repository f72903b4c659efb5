package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lower makes blocks small, so that small layers have many.
func lower(t *testing.T, rows int, every time.Duration) {
	before := summing
	t.Cleanup(func() { summing = before })
	summing.rows, summing.flops, summing.every = rows, 0, every
}

// standardInput makes data the command's standard input.
func standardInput(t *testing.T, data []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	replaceStdin(t, f)
}

func replaceStdin(t *testing.T, f *os.File) {
	before := os.Stdin
	os.Stdin = f
	t.Cleanup(func() {
		os.Stdin = before
		f.Close()
	})
}

// npySingle returns a .npy of m in float32.
func npySingle(m lapack.Matrix[float64]) []byte {
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", m.Rows, m.Cols)
	head += strings.Repeat(" ", 63-(len(head)+10)%64) + "\n"
	data := append([]byte(npyMagic+"\x01\x00"), byte(len(head)), byte(len(head)>>8))
	data = append(data, head...)
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
		}
	}
	return data
}

// npy returns a .npy of m in float64.
func npy(t *testing.T, m lapack.Matrix[float64]) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := activation.NewWriter(&b, m.Rows, m.Cols)
	require.NoError(t, err)
	require.NoError(t, w.Write(m))
	require.NoError(t, w.Close())
	return b.Bytes()
}

// comparisonOf is the JSON of compare.
type comparisonOf struct {
	X, Y struct {
		Name                         string
		Datapoints, Neurons, Rank, K int
		SingularValues               []float64 `json:"singular_values"`
	}
	Options            map[string]any
	Rho                []float64
	Mean               float64
	MeanSquare         float64 `json:"mean_square"`
	WeightedX          float64 `json:"weighted_x"`
	WeightedY          float64 `json:"weighted_y"`
	PWCCAX             float64 `json:"pwcca_x"`
	PWCCAY             float64 `json:"pwcca_y"`
	Chance             float64
	Method             string
	ErrorBound         float64 `json:"error_bound"`
	WeightedErrorBound float64 `json:"weighted_error_bound"`
	PWCCAErrorBound    float64 `json:"pwcca_error_bound"`
	Warnings           []svcca.Warning

	keys map[string]any
}

func compareJSON(t *testing.T, args ...string) (c comparisonOf) {
	t.Helper()
	status, stdout, stderr := call(t, append([]string{"compare", "--json"}, args...)...)
	require.Equal(t, exitDone, status, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &c))
	require.NoError(t, json.Unmarshal([]byte(stdout), &c.keys))
	return c
}

// checkSame checks that two comparisons of the same layers agree within the bounds
// that they state, and exactly in all that is no rounded number.
func checkSame(t *testing.T, want, got comparisonOf) {
	t.Helper()
	for _, of := range []comparisonOf{want, got} { // only one of them comes from sums, or weights
		delete(of.keys, "parts")
		delete(of.keys, "with")
	}
	assert.Equal(t, keysOf(want.keys), keysOf(got.keys))
	assert.Equal(t, want.Options, got.Options)
	assert.Equal(t, want.Chance, got.Chance)
	assert.Equal(t, want.X.Datapoints, got.X.Datapoints)
	require.Equal(t, [4]int{want.X.Rank, want.Y.Rank, want.X.K, want.Y.K}, [4]int{got.X.Rank, got.Y.Rank, got.X.K, got.Y.K})
	bound := want.ErrorBound + got.ErrorBound
	for i := range want.Rho {
		assert.InDelta(t, want.Rho[i], got.Rho[i], bound)
	}
	assert.InDelta(t, want.Mean, got.Mean, bound)
	assert.InDelta(t, want.MeanSquare, got.MeanSquare, bound)
	weighted := want.WeightedErrorBound + got.WeightedErrorBound
	assert.InDelta(t, want.WeightedX, got.WeightedX, weighted)
	assert.InDelta(t, want.WeightedY, got.WeightedY, weighted)
	pwcca := want.PWCCAErrorBound + got.PWCCAErrorBound
	assert.InDelta(t, want.PWCCAX, got.PWCCAX, pwcca)
	assert.InDelta(t, want.PWCCAY, got.PWCCAY, pwcca)
}

// keysOf returns the keys of an object and of those in it.
func keysOf(of map[string]any) map[string]any {
	keys := map[string]any{}
	for k, v := range of {
		keys[k] = nil
		if inner, is := v.(map[string]any); is {
			keys[k] = keysOf(inner)
		}
	}
	return keys
}

// TestMergedSums: sums of any partition of the rows, merged in any order, give the
// comparison that the files give.
func TestMergedSums(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	weights := lapack.New[float64](60, 1)
	for i := range weights.Data {
		weights.Data[i] = 1 + float64(i%5)
	}
	w := save(t, in("w.npy"), weights)
	lower(t, 7, time.Hour)
	for _, c := range []struct {
		name           string
		moments, files []string
		method         string
	}{
		{"moments", nil, nil, "moments"},
		{"triangle", []string{"--triangle"}, nil, "triangle"},
		{"weights", []string{"--weights", w}, []string{"--weights", w}, "moments"},
		{"triangle of weights", []string{"--triangle", "--weights", w}, []string{"--weights", w}, "triangle"},
		{"mixed", []string{"--precision", "mixed"}, []string{"--precision", "mixed"}, "moments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := compareJSON(t, append([]string{x, y}, c.files...)...)
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 1))
				var files []string
				for from := 0; from < 60; {
					to := min(60, from+1+r.IntN(40))
					part := in(fmt.Sprintf("%d-%d-%d.sums", seed, from, to))
					status, _, stderr := call(t, append([]string{"moments", x, y, "-o", part, "--force", "--datapoints", fmt.Sprintf("%d:%d", from, to)}, c.moments...)...)
					require.Equal(t, exitDone, status, stderr)
					files = append(files, part)
					from = to
				}
				// Two at a time, any two, until one is left.
				for i := 0; len(files) > 1; i++ {
					r.Shuffle(len(files), func(a, b int) { files[a], files[b] = files[b], files[a] })
					both := in(fmt.Sprintf("%d.merged%d.sums", seed, i))
					status, _, stderr := call(t, "moments", "--merge", files[0], files[1], "-o", both, "--force", "--quiet")
					require.Equal(t, exitDone, status, stderr)
					assert.Empty(t, stderr)
					files = append(files[2:], both)
				}
				got := compareJSON(t, files[0])
				assert.Equal(t, c.method, got.Method)
				assert.Equal(t, []string{x, y}, []string{got.X.Name, got.Y.Name})
				checkSame(t, want, got)
			}
			for _, options := range [][]string{{"--keep", "count(2)"}, {"--centering", "none"}, {"--rank-tol", "machine", "--keep", "rank"}} {
				all := in("all.sums")
				status, _, stderr := call(t, append([]string{"moments", x, y, "-o", all, "--force"}, c.moments...)...)
				require.Equal(t, exitDone, status, stderr)
				checkSame(t, compareJSON(t, append(append([]string{x, y}, c.files...), options...)...), compareJSON(t, append([]string{all}, options...)...))
			}
		})
	}
	// The report of weighted sums says so.
	_, stdout, _ := call(t, "compare", in("all.sums"))
	assert.Contains(t, stdout, "(moments, mixed precision)")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "--weights", w, "-o", in("all.sums"), "--force")))
	_, stdout, _ = call(t, "compare", in("all.sums"))
	assert.Contains(t, stdout, "\nWeighted, as the sums are")
	_, stdout, _ = call(t, "moments", in("all.sums"))
	assert.Contains(t, stdout, "the weights add up to 180.")
}

// TestDirectionsFromSums: what project needs comes from sums as it does from rows.
func TestDirectionsFromSums(t *testing.T) {
	dir, x, y := pair(t)
	all, fromFiles, fromSums := filepath.Join(dir, "all.sums"), filepath.Join(dir, "f.npz"), filepath.Join(dir, "s.npz")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", all)))
	require.Equal(t, exitDone, first(call(t, "compare", x, y, "--directions", fromFiles)))
	require.Equal(t, exitDone, first(call(t, "compare", all, "--directions", fromSums)))
	bound := compareJSON(t, all).ErrorBound
	for _, side := range []string{"x", "y"} {
		var maps [2]lapack.Matrix[float64]
		for i, path := range []string{fromFiles, fromSums} {
			s, err := openDirections(path, side)
			require.NoError(t, err)
			defer s.close()
			d, err := s.load()
			require.NoError(t, err)
			maps[i] = d.Map
		}
		// ρ of these layers lie far apart: 0.01 and more.
		for i, v := range maps[0].Data {
			assert.InDelta(t, v, maps[1].Data[i], 100*60*bound)
		}
	}
}

// TestStream: rows from standard input, in arrays of any size, give the sums that
// the file gives, but for names and rounding.
func TestStream(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	lower(t, 7, time.Hour)
	joint := lapack.New[float64](60, 12)
	joint.View(0, 0, 60, 6).CopyFrom(gaussian(1, 60, 6))
	joint.View(0, 6, 60, 6).CopyFrom(mixed(60, 6))
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", in("files"))))
	want := compareJSON(t, in("files"))
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 2))
		var stream []byte
		for from := 0; from < 60; {
			to := min(60, from+r.IntN(30)) // none, too
			stream = append(stream, npy(t, joint.View(from, 0, to-from, 12))...)
			from = to
		}
		standardInput(t, stream)
		status, stdout, stderr := call(t, "moments", "-", "--split", "6", "-o", in("stream"), "--force")
		require.Equal(t, exitDone, status, stderr)
		assert.Empty(t, stdout)
		got := compareJSON(t, in("stream"))
		assert.Equal(t, "-[:, :6]", got.X.Name)
		assert.Equal(t, "-[:, 6:]", got.Y.Name)
		checkSame(t, want, got)
	}
	assert.Equal(t, headOf(t, in("files")).Layers[0].Storage, headOf(t, in("stream")).Layers[0].Storage)

	// One layer, in the type that came, to standard output.
	standardInput(t, append(npySingle(gaussian(1, 9, 2)), npySingle(gaussian(2, 4, 2))...))
	status, stdout, stderr := call(t, "moments", "-", "-o", "-", "--triangle")
	require.Equal(t, exitDone, status, stderr)
	assert.Empty(t, stderr, "no notice of a file")
	s, head, err := decodeSums([]byte(stdout))
	require.NoError(t, err)
	assert.IsType(t, &svcca.Triangle{}, s.of)
	assert.Equal(t, []summedLayer{{"-", "float32", 2}}, head.Layers)
	assert.Equal(t, 13, head.Datapoints)
}

func headOf(t *testing.T, path string) sumsHead {
	t.Helper()
	_, head, err := decodeSums(read(t, path))
	require.NoError(t, err)
	return head
}

// TestBadStreams: what is no layer, or breaks off, leaves nothing.
func TestBadStreams(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "s.sums")
	holed := gaussian(4, 20, 3)
	holed.Set(17, 2, math.NaN())
	whole := npy(t, gaussian(1, 20, 3))
	claim := []byte(strings.Replace(string(npySingle(lapack.New[float64](0, 100000000))), "(0,", "(1,", 1))
	w := save(t, filepath.Join(dir, "w.npy"), lapack.Of(3, 1, []float64{1, 1, 1}))
	lower(t, 8, time.Hour)
	before := listing(t, dir)
	for _, c := range []struct {
		name  string
		bytes []byte
		flags []string
		says  string
	}{
		{"empty", nil, nil, "-: the stream is empty"},
		{"text", []byte("1 2 3\n4 5 6\n"), nil, "text"},
		{"cut", whole[:len(whole)-5], nil, "datapoint 19 of array 0: unexpected EOF"},
		{"cut header", whole[:20], nil, "unexpected EOF"},
		{"another width", append(bytes.Clone(whole), npy(t, gaussian(1, 2, 4))...), nil, "4 neurons, array 0 has 3"},
		{"NaN", append(bytes.Clone(whole), npy(t, holed)...), nil, "-: datapoint 37, neuron 2 (counted from 0) is NaN"},
		{"NaN of y", append(bytes.Clone(whole), npy(t, holed)...), []string{"--split", "1"}, "-[:, 1:]: datapoint 37, neuron 1 (counted from 0) is NaN"},
		{"no rows", npy(t, lapack.New[float64](0, 3)), nil, "no datapoints"},
		{"a claim", claim, nil, "needs about"},
		{"few weights", whole, []string{"--weights", w}, "w.npy holds 3 weights, and there are more datapoints"},
		{"many weights", npy(t, gaussian(1, 2, 3)), []string{"--weights", w}, "one weight for each of 2 datapoints"},
	} {
		t.Run(c.name, func(t *testing.T) {
			standardInput(t, c.bytes)
			status, stdout, stderr := call(t, append([]string{"moments", "-", "-o", out, "--memory", "1GiB"}, c.flags...)...)
			assert.Equal(t, exitFailed, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, c.says)
			assert.Equal(t, before, listing(t, dir))
		})
	}
}

// TestStreamThatWaits: an interrupt ends the command though nothing comes.
func TestStreamThatWaits(t *testing.T) {
	for _, header := range []bool{false, true} {
		dir := t.TempDir()
		r, w, err := os.Pipe()
		require.NoError(t, err)
		replaceStdin(t, r)
		if header {
			data := npy(t, gaussian(1, 20, 3))
			_, err := w.Write(data[:len(data)-1])
			require.NoError(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var stderr bytes.Buffer
		var status int
		var done sync.WaitGroup
		done.Go(func() {
			status = run(ctx, []string{"moments", "-", "-o", filepath.Join(dir, "s.sums")}, &bytes.Buffer{}, &stderr)
		})
		cancel()
		done.Wait()
		assert.Equal(t, exitInterrupted, status)
		assert.Equal(t, "svcca: interrupted\n", stderr.String())
		assert.Empty(t, listing(t, dir))
		require.NoError(t, w.Close()) // and with it ends who waited
	}
}

// shards saves a layer in parts and returns the pattern.
func shards(t *testing.T, dir string, m lapack.Matrix[float64], ends ...int) string {
	t.Helper()
	require.NoError(t, os.Mkdir(dir, 0o700))
	from := 0
	for i, to := range append(ends, m.Rows) {
		save(t, filepath.Join(dir, fmt.Sprintf("part-%d.npy", i+8)), m.View(from, 0, to-from, m.Cols).Clone()) // 8, 9, 10: natural order
		from = to
	}
	return filepath.Join(dir, "part-*.npy")
}

// TestShards: a layer in shards is the layer.
func TestShards(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	xs, ys := shards(t, in("x"), gaussian(1, 60, 6), 20, 20, 47), shards(t, in("y"), mixed(60, 6), 11)
	lower(t, 7, time.Hour)
	want := compareJSON(t, x, y)
	for _, args := range [][]string{{xs, ys}, {x, ys}, {xs, y}, {in("x"), y}} {
		got := compareJSON(t, args...)
		checkSame(t, want, got)
		assert.Equal(t, args[0], got.X.Name)
		require.Equal(t, exitDone, first(call(t, append([]string{"moments", "-o", in("s.sums"), "--force"}, args...)...)))
		checkSame(t, want, compareJSON(t, in("s.sums")))
	}
	require.Equal(t, exitDone, first(call(t, "moments", "-o", in("a.sums"), "--datapoints", ":33", xs, ys)))
	require.Equal(t, exitDone, first(call(t, "moments", "-o", in("b.sums"), "--datapoints", "33:", xs, ys)))
	require.Equal(t, exitDone, first(call(t, "moments", "-o", in("s.sums"), "--force", "--merge", in("b.sums"), in("a.sums"))))
	checkSame(t, want, compareJSON(t, in("s.sums")))

	// A value that is none is named by its shard and its row there.
	holed := gaussian(1, 60, 6)
	holed.Set(50, 4, math.Inf(-1))
	bad := shards(t, in("bad"), holed, 20, 40)
	for _, args := range [][]string{
		{"compare", bad, y}, {"compare", y, bad}, {"moments", bad, y, "-o", in("bad.sums")},
		{"moments", bad, "-o", in("bad.sums"), "--datapoints", "15:", "--triangle"},
	} {
		status, _, stderr := call(t, args...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, stderr, filepath.Join("bad", "part-10.npy")+": datapoint 10, neuron 4 (counted from 0) is -Inf", args)
		assert.NoFileExists(t, in("bad.sums"))
	}
}

// TestMomentsStatus: what is misused, what fails, and that nothing is left then.
func TestMomentsStatus(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	short := save(t, in("short.npy"), gaussian(3, 59, 6))
	empty := save(t, in("empty.npy"), lapack.New[float64](0, 6))
	w := save(t, in("w.npy"), lapack.New[float64](60, 1))
	good := in("good.sums")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", good)))
	out := in("out.sums")
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"no argument", nil, exitMisused, []string{"one layer or two"}},
		{"three", []string{x, y, x, "-o", out}, exitMisused, []string{"3 given"}},
		{"no output", []string{x, y}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"no output for one", []string{x}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"no output for a stream", []string{"-"}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"rows", []string{x, short, "-o", out}, exitFailed, []string{"60 datapoints", "59"}},
		{"no rows", []string{empty, "-o", out}, exitFailed, []string{"no datapoints"}},
		{"range", []string{x, "-o", out, "--datapoints", "50:61"}, exitFailed, []string{"x.npy has 60 datapoints", "--datapoints 50:61"}},
		{"range beyond", []string{x, "-o", out, "--datapoints", "60:"}, exitFailed, []string{"--datapoints 60:"}},
		{"no range", []string{x, "-o", out, "--datapoints", "5-9"}, exitMisused, []string{"A:B expected"}},
		{"range backwards", []string{x, "-o", out, "--datapoints", "5:5"}, exitMisused, []string{"A:B expected"}},
		{"weights of zero", []string{x, "-o", out, "--weights", w}, exitFailed, []string{"weight of datapoint 0"}},
		{"few weights", []string{short, "-o", out, "--weights", w}, exitFailed, []string{"59 datapoints"}},
		{"over an input", []string{x, "-o", x, "--force"}, exitFailed, []string{"is read by this command"}},
		{"over the weights", []string{x, "-o", w, "--force", "--weights", w}, exitFailed, []string{"is read by this command"}},
		{"over another", []string{x, "-o", good}, exitFailed, []string{"--force"}},
		{"fine and coarse", []string{x, "-o", out, "--triangle", "--precision", "mixed"}, exitMisused, []string{"choose one"}},
		{"split of files", []string{x, "-o", out, "--split", "3"}, exitMisused, []string{"standard input"}},
		{"two streams", []string{"-", y, "-o", out}, exitMisused, []string{"--split D"}},
		{"part of a stream", []string{"-", "-o", out, "--datapoints", "1:2"}, exitMisused, []string{"--datapoints does not go with standard input"}},
		{"stream again", []string{"-", "-o", out, "--resume"}, exitMisused, []string{"read once"}},
		{"stream in JSON", []string{"-", "-o", out, "--json"}, exitMisused, []string{"--json does not go with -o"}},
		{"resume to nowhere", []string{x, "-o", "-", "--resume"}, exitMisused, []string{"--resume needs -o"}},
		{"merge nothing", []string{"--merge", "-o", out}, exitMisused, []string{"files of sums are needed"}},
		{"merge to nowhere", []string{"--merge", good}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"merge layers", []string{"--merge", x, "-o", out}, exitFailed, []string{"x.npy", "svcca moments wrote"}},
		{"merge onto itself", []string{"--merge", good, "-o", good, "--force"}, exitFailed, []string{"is read by this command"}},
		{"merge weighted", []string{"--merge", good, "-o", out, "--weights", w}, exitMisused, []string{"--weights does not go with --merge"}},
		{"tell no file", []string{in("god.sums")}, exitFailed, []string{"no such file: did you mean"}},
		{"no output for shards", []string{in("x*.npy")}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"no output for a directory", []string{dir}, exitMisused, []string{"-o OUT.sums is needed"}},
		{"tell in parts", []string{good, "--datapoints", "1:2"}, exitMisused, []string{"--datapoints does not go with"}},
		{"sum in JSON", []string{x, "-o", out, "--json"}, exitMisused, []string{"--json does not go with -o"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := listing(t, dir)
			status, stdout, stderr := call(t, append([]string{"moments"}, c.args...)...)
			assert.Equal(t, c.status, status, stderr)
			assert.Empty(t, stdout)
			for _, s := range c.says {
				assert.Contains(t, stderr, s)
			}
			for line := range strings.Lines(stderr) {
				assert.True(t, strings.HasPrefix(line, "svcca: "), line)
			}
			assert.Equal(t, before, listing(t, dir))
		})
	}
	for _, args := range [][]string{{good, "--weights", w}, {good, "--transpose"}, {good, "--precision", "mixed"}} {
		status, _, stderr := call(t, append([]string{"compare"}, args...)...)
		assert.Equal(t, exitMisused, status)
		assert.Contains(t, stderr, "does not go with sums")
	}
}

// TestMomentsTells: what a file of sums holds.
func TestMomentsTells(t *testing.T) {
	dir, x, _ := pair(t)
	y := saveSingle(t, filepath.Join(dir, strings.Repeat("long", 30)+".npy"), gaussian(3, 60, 11))
	out := filepath.Join(dir, "s.sums")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", out, "--precision", "mixed")))
	status, stdout, stderr := call(t, "moments", out)
	require.Equal(t, exitDone, status)
	assert.Empty(t, stderr)
	checkWidth(t, stdout)
	for _, say := range []string{"two layers over 60 datapoints", "x.npy", "6  float64", "11  float32", "in mixed precision", "next: svcca compare"} {
		assert.Contains(t, stdout, say)
	}
	assert.NotContains(t, stdout, "Weighted")
	_, stdout, _ = call(t, "moments", out, "--json")
	var got sumsJSON
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	weight := 60.0
	var p madeOf
	require.NoError(t, json.Unmarshal(got.Provenance, &p))
	assert.Equal(t, []string{"svcca", "moments", x, y, "-o", out, "--precision", "mixed"}, p.Command)
	got.Provenance = nil
	assert.Equal(t, sumsJSON{"svcca.sums/1", version(), []summedLayer{{x, "float64", 6}, {y, "float32", 11}}, 60, &weight, svcca.MethodMoments, svcca.Mixed, nil}, got)

	require.Equal(t, exitDone, first(call(t, "moments", y, "-o", out, "--force", "--triangle", "--transpose")))
	_, stdout, _ = call(t, "moments", out)
	for _, say := range []string{"one layer over 11 datapoints", "60  float32", "QR factorisation"} {
		assert.Contains(t, stdout, say)
	}
}

// trap is a context that calls do at its n-th look.
type trap struct {
	context.Context
	countdown
	do func()
}

func (c *trap) Err() error {
	if c.left.Add(-1) == 0 {
		c.do()
	}
	return nil
}

// TestFileThatChanges: whatever was made of a file that changed meanwhile is not
// written, wherever the change fell.
func TestFileThatChanges(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	ys := shards(t, in("y"), mixed(60, 6), 30)
	w := save(t, in("w.npy"), lapack.Of(60, 1, bytesOfOnes(60)))
	t.Setenv("LC_ALL", "C.UTF-8")
	lower(t, 7, time.Hour)
	net, d := in("net"), in("d.npz")
	saveNet(t, net, tailNet()...)
	require.Equal(t, exitDone, first(call(t, "compare", x, y, "--directions", d)))
	for _, c := range []struct {
		changes string
		args    []string
	}{
		{x, []string{"project", d, x, "--side", "x", "--head", net, "--hashes", "-o", in("out.json")}},
		{filepath.Join(net, "fc2_w.npy"), []string{"project", d, x, "--side", "x", "--head", net, "--hashes", "-o", in("out.json")}},
		{x, []string{"compress", net, "--inputs", x, "--layers", "fc2,out", "--hashes", "-o", in("out.npz")}},
		{filepath.Join(net, "fc2_b.npy"), []string{"compress", net, "--inputs", x, "--layers", "fc2,out", "--hashes", "-o", in("out.npz")}},
		{y, []string{"compare", x, y, "--directions", in("out")}},
		{in("y/part-9.npy"), []string{"compare", x, ys, "--directions", in("out")}},
		{x, []string{"moments", x, y, "-o", in("out")}},
		{in("y/part-8.npy"), []string{"moments", ys, "-o", in("out")}},
		{w, []string{"moments", x, "-o", in("out"), "--weights", w}},
	} {
		before := listing(t, dir)
		data := read(t, c.changes)
		require.Equal(t, exitDone, first(call(t, c.args...)))
		out := in("out")
		for _, arg := range c.args {
			if strings.HasPrefix(arg, out) {
				out = arg
			}
		}
		want := read(t, out)
		remove(t, out)
		caught := 0
		from := int64(2) // before, the file may not be open
		if filepath.Dir(c.changes) == net {
			from = 3
		}
		for look := from; ; look += 3 {
			sprung := false
			ctx := &trap{Context: t.Context(), do: func() {
				sprung = true
				require.NoError(t, os.WriteFile(c.changes, append(bytes.Clone(data), 0), 0o600))
			}}
			ctx.left.Store(look)
			var stdout, stderr bytes.Buffer
			status := run(ctx, c.args, &stdout, &stderr)
			require.NoError(t, os.WriteFile(c.changes, data, 0o600))
			if status == exitDone {
				// It fell after the last look at the files, or never.
				require.Equal(t, want, read(t, out))
				remove(t, out)
				if !sprung {
					break
				}
				continue
			}
			caught++
			require.Equal(t, exitFailed, status)
			require.Contains(t, stderr.String(), "file changed while it was read")
			require.Contains(t, stderr.String(), c.changes)
			require.Empty(t, stdout.String())
			require.Equal(t, before, listing(t, dir))
		}
		assert.Positive(t, caught, c.args)
	}
}

func bytesOfOnes(n int) []float64 {
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	return ones
}

// TestMomentsInterrupted stops the work at every place where it looks. Without
// --resume nothing is left; with it, OUT.partial or nothing, and the next run
// writes the same bytes as one that nobody stopped.
func TestMomentsInterrupted(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	w := save(t, in("w.npy"), lapack.Of(60, 1, bytesOfOnes(60)))
	t.Setenv("LC_ALL", "C.UTF-8")
	out, partial := in("out"), in("out.partial")
	for _, every := range []time.Duration{0, time.Hour} {
		lower(t, 7, every)
		for _, args := range [][]string{
			{"moments", x, y, "-o", out},
			{"moments", x, "-o", out, "--triangle", "--weights", w, "--datapoints", "3:58"},
		} {
			require.Equal(t, exitDone, first(call(t, args...)))
			want := sumsValues(read(t, out))
			remove(t, out)
			before := listing(t, dir)
			again := append(args, "--resume", "--quiet")
			stops, partials := 0, 0
			for look := int64(0); ; look++ {
				ctx := &countdown{Context: t.Context()}
				ctx.left.Store(look)
				var stdout, stderr bytes.Buffer
				status := run(ctx, args, &stdout, &stderr)
				if status == exitDone {
					remove(t, out)
					break
				}
				stops++
				require.Equal(t, exitInterrupted, status, stderr.String())
				require.Equal(t, "svcca: interrupted\n", stderr.String())
				require.Equal(t, before, listing(t, dir))

				ctx.left.Store(look)
				stderr.Reset()
				require.Equal(t, exitInterrupted, run(ctx, again, &stdout, &stderr))
				require.Equal(t, "svcca: interrupted\n", stderr.String())
				if _, err := os.Stat(partial); err == nil {
					partials++
				} else {
					require.Equal(t, before, listing(t, dir))
				}
				require.Equal(t, exitDone, run(t.Context(), again, &stdout, &stderr), stderr.String())
				require.Equal(t, want, sumsValues(read(t, out)))
				remove(t, out)
				require.Equal(t, before, listing(t, dir))
			}
			t.Logf("stopped at %d places", stops)
			assert.Greater(t, stops, 8)
			assert.Greater(t, partials, 6)

			// Stopped again and again, each time a little later.
			for runs := int64(0); ; runs++ {
				require.Less(t, runs, int64(100))
				ctx := &countdown{Context: t.Context()}
				ctx.left.Store(int64(stops)/2 - 1)
				var stdout, stderr bytes.Buffer
				if run(ctx, again, &stdout, &stderr) == exitDone {
					assert.Greater(t, runs, int64(1))
					break
				}
			}
			require.Equal(t, want, sumsValues(read(t, out)))
			remove(t, out)
		}
	}
	entries := listing(t, dir)
	assert.NotContains(t, entries, "out.partial")
}

// TestPartial: what an earlier run has left is used for the same work alone.
func TestPartial(t *testing.T) {
	dir, x, y := pair(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	out, partial := in("out"), in("out.partial")
	t.Setenv("LC_ALL", "C.UTF-8")
	lower(t, 7, time.Hour)
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(20)
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitInterrupted, run(ctx, []string{"moments", x, y, "-o", out, "--resume"}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "of 60 datapoints in "+partial+": the same command goes on from there")
	left := read(t, partial)

	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{x, y, "--triangle"}, "begun with"},
		{[]string{x, y, "--precision", "mixed"}, "begun with"},
		{[]string{x, y, "--datapoints", "0:59"}, "--datapoints 0:59"},
		{[]string{y, x}, "x.npy as x"},
		{[]string{x}, "it reads 2 files, this 1"},
		{[]string{x, x}, "as y"},
	} {
		status, _, says := call(t, append(append([]string{"moments"}, c.args...), "-o", out, "--resume")...)
		assert.Equal(t, exitFailed, status)
		assert.Contains(t, says, "out.partial was left by other work: ")
		assert.Contains(t, says, c.says)
		assert.Contains(t, says, "delete it to begin anew")
		assert.Equal(t, left, read(t, partial))
		assert.NoFileExists(t, out)
	}
	info, err := os.Stat(x)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(x, time.Time{}, info.ModTime().Add(time.Second)))
	status, _, says := call(t, "moments", x, y, "-o", out, "--resume")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, says, "x.npy was written since")
	require.NoError(t, os.Chtimes(x, time.Time{}, info.ModTime()))

	// Damaged anywhere, it is not used.
	for bit := range 8 * len(left) {
		left[bit/8] ^= 1 << (bit % 8)
		_, _, ok := decodePartial(left)
		require.False(t, ok, "bit %d", bit)
		left[bit/8] ^= 1 << (bit % 8)
	}
	for n := range left {
		_, _, ok := decodePartial(left[:n])
		require.False(t, ok, "cut to %d bytes", n)
	}
	require.NoError(t, os.WriteFile(partial, left[:len(left)-1], 0o600))
	status, _, says = call(t, "moments", x, y, "-o", out, "--resume")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, says, "out.partial is damaged: delete it to begin anew")

	// Who does not ask for it is told that it is there.
	require.NoError(t, os.WriteFile(partial, left, 0o600))
	status, _, says = call(t, "moments", x, y, "-o", in("out"))
	assert.Equal(t, exitDone, status)
	assert.Contains(t, says, "--resume would go on from it")
	want := sumsValues(read(t, out))
	remove(t, out)
	status, _, says = call(t, "moments", x, y, "-o", out, "--resume")
	assert.Equal(t, exitDone, status)
	assert.Contains(t, says, "going on from "+partial)
	assert.Equal(t, want, sumsValues(read(t, out)))
	assert.NoFileExists(t, partial)
}

// TestPartialOfFilesThatChange: rows that were read after a change are never kept,
// even if the file becomes what it was, down to its time.
func TestPartialOfFilesThatChange(t *testing.T) {
	dir, x, _ := pair(t)
	out := filepath.Join(dir, "out")
	t.Setenv("LC_ALL", "C.UTF-8")
	require.Equal(t, exitDone, first(call(t, "moments", x, "-o", out)))
	lower(t, 7, 0)
	require.Equal(t, exitDone, first(call(t, "moments", x, "-o", out, "--force")))
	want := sumsValues(read(t, out))
	remove(t, out)
	data := read(t, x)
	info, err := os.Stat(x)
	require.NoError(t, err)
	other := save(t, filepath.Join(dir, "other.npy"), gaussian(9, 60, 6))
	args := []string{"moments", x, "-o", out, "--resume", "--quiet"}
	caught := 0
	for look := int64(2); ; look++ {
		ctx := &trap{Context: t.Context(), do: func() { require.NoError(t, os.WriteFile(x, read(t, other), 0o600)) }}
		ctx.left.Store(look)
		var stdout, stderr bytes.Buffer
		status := run(ctx, args, &stdout, &stderr)
		require.NoError(t, os.WriteFile(x, data, 0o600))
		require.NoError(t, os.Chtimes(x, time.Time{}, info.ModTime()))
		if status != exitDone {
			caught++
			require.Contains(t, stderr.String(), "file changed while it was read")
			require.Equal(t, exitDone, first(call(t, args...)))
		}
		require.Equal(t, want, sumsValues(read(t, out)))
		remove(t, out)
		if ctx.left.Load() > 0 {
			break
		}
	}
	assert.Greater(t, caught, 5)
}

// TestRowsText: what is shown while rows are summed.
func TestRowsText(t *testing.T) {
	assert.Equal(t, "svcca: 5 datapoints", rowsText(5, 5, 0, 0))
	assert.Equal(t, "svcca: 5000 datapoints, 2500/s", rowsText(5000, 5000, 0, 2*time.Second))
	assert.Equal(t, "svcca: 6000 of 16000 datapoints, 2500/s, 4s left", rowsText(5000, 6000, 16000, 2*time.Second))
}

// TestBlockRows: blocks are no shorter than merging them asks for, and of streams
// no longer.
func TestBlockRows(t *testing.T) {
	for _, d := range []int{1, 100, 1024, 5000, 50000} {
		for _, triangle := range []bool{false, true} {
			file, stream := blockRows(d, triangle, false), blockRows(d, triangle, true)
			assert.GreaterOrEqual(t, file, stream)
			assert.GreaterOrEqual(t, stream, d)
			assert.LessOrEqual(t, stream, max(summing.rows, 4*d))
			assert.LessOrEqual(t, file, max(summing.maximum, 4*d))
		}
	}
}
