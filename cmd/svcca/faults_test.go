//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asCommand in the environment makes the test binary the command, which then keeps
// what it has summed after every block of a few rows. Its value is the most bytes
// that a file may have, as of ulimit -f; 0: no limit.
const asCommand = "SVCCA_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if limit, err := strconv.ParseUint(os.Getenv(asCommand), 10, 63); err == nil {
		if limit > 0 {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
				panic(err)
			}
		}
		summing.rows, summing.flops, summing.every = 100, 0, 0
		main()
	}
	os.Exit(m.Run())
}

// outcome is how a process ended.
type outcome struct {
	status         int
	signal         syscall.Signal // that ended it, or 0
	stdout, stderr string
	took           time.Duration
}

// prepare returns a process of the command.
func prepare(t *testing.T, dir string, limit int, args ...string) (*exec.Cmd, func() outcome) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", asCommand, limit), "LC_ALL=C.UTF-8")
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	begun := time.Now()
	require.NoError(t, c.Start())
	return c, func() outcome {
		err := c.Wait()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			require.NoError(t, err)
		}
		o := outcome{status: c.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begun)}
		if w := c.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
			o.signal = w.Signal()
		}
		return o
	}
}

// launch runs the command in a process of its own.
func launch(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	_, wait := prepare(t, dir, 0, args...)
	return wait()
}

// memoryDir returns a directory in memory where there is one, as fsync may take
// long where other processes write too.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "svcca")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// killing is a command that is killed again and again.
type killing struct {
	dir   string
	args  []string
	begin func(round int) // makes what is there before
	// left checks what is there after, and says how far the process had come.
	left func(round int, o outcome) (phase string)
}

// run kills the command at moments that are spread over the time that it takes, or
// half as much again, as others want the processor too; each is a random one of its
// part.
func (k killing) run(t *testing.T) {
	t.Helper()
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	whole := time.Hour // the least of some: others may have the processor
	for range 5 {
		k.begin(0)
		o := launch(t, k.dir, k.args...)
		require.Equal(t, exitDone, o.status, o.stderr)
		whole = min(whole, o.took)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		random := rand.New(rand.NewPCG(8, uint64(sig)))
		phases, unfinished := map[string]int{}, 0
		for round := range rounds {
			after := (float64(round) + random.Float64()) / float64(rounds)
			k.begin(round)
			c, wait := prepare(t, k.dir, 0, k.args...)
			// It may have ended: then there is nothing to kill.
			timer := time.AfterFunc(time.Duration(1.5*after*float64(whole)), func() { _ = c.Process.Signal(sig) })
			o := wait()
			timer.Stop()
			switch {
			case o.status == exitDone:
				require.Empty(t, o.stderr)
			case o.signal == syscall.SIGKILL, o.signal == syscall.SIGINT: // before the command listens
				require.Equal(t, sig, o.signal)
				unfinished++
			default:
				require.Equal(t, syscall.SIGINT, sig)
				require.Equal(t, exitInterrupted, o.status, o.stderr)
				require.True(t, strings.HasSuffix(o.stderr, "svcca: interrupted\n"), o.stderr)
				require.Empty(t, o.stdout)
				unfinished++
			}
			phases[k.left(round, o)]++
		}
		t.Logf("%v within %v: %d of %d before the end: %v", sig, whole.Round(time.Millisecond), unfinished, rounds, phases)
		assert.Positive(t, unfinished)
	}
}

// files returns the contents of the files below dir by their paths, hidden ones too.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return found
	}
	for path := range entries(t, dir) {
		found[path] = read(t, path)
	}
	return found
}

// TestMatrixKilled: whenever matrix is killed, every output and every entry of the
// cache is whole or not there, and the same command goes on to the right answer.
func TestMatrixKilled(t *testing.T) {
	if sanitizer.On {
		t.Skip("the same in instrumented processes, which are slow to start")
	}
	dir := memoryDir(t)
	t.Chdir(dir)
	require.NoError(t, os.Mkdir("in", 0o700))
	for i := range 12 {
		save(t, fmt.Sprintf("in/layer%d.npy", i), gaussian(uint64(i), 2000, 48))
	}
	args := []string{"matrix", "in", "-o", "out/m.json", "-o", "out/m.csv", "--force", "--cache", "cache", "--keep", "count(24)", "--quiet", "--json", "--score", "pwcca_x"}
	fresh := func() {
		for _, name := range []string{"out", "cache"} {
			require.NoError(t, os.RemoveAll(name))
		}
		require.NoError(t, os.Mkdir("out", 0o700))
	}
	fresh()
	require.Equal(t, exitDone, launch(t, dir, args...).status)
	out, cache := files(t, "out"), files(t, "cache")
	reduced := 0
	for _, data := range cache {
		if bytes.Contains(data[:200], []byte("svcca.reduced/")) {
			reduced++
		}
	}
	require.Equal(t, 12, reduced)
	require.Len(t, cache, 24, "and scores")
	require.Len(t, out, 3, "with what made m.csv")
	old := []byte("old")
	killing{dir, args, func(round int) {
		fresh()
		if round%2 == 1 { // to be replaced
			for name := range out {
				require.NoError(t, os.WriteFile(name, old, 0o600))
			}
		}
	}, func(round int, o outcome) (phase string) {
		kept, bases := files(t, "cache"), 0
		for name, data := range kept {
			require.Equal(t, cache[name], data, name)
			if bytes.Contains(data[:200], []byte("svcca.reduced/")) {
				bases++
			}
		}
		written := 0
		there := files(t, "out")
		for name, data := range there {
			switch {
			case bytes.Equal(data, out[name]):
				written++
			case round%2 == 1 && bytes.Equal(data, old):
			case round%2 == 1 && strings.HasPrefix(filepath.Base(name), "."):
				// In the window that place tells of.
				t.Logf("%s was left", name)
				require.Contains(t, []string{string(out["out/m.json"]), string(out["out/m.csv"]), string(out["out/m.csv.json"])}, string(data))
				require.NoError(t, os.Remove(name))
			default:
				require.Fail(t, "half-written", name)
			}
		}
		if _, written := there["out/m.csv"]; written {
			require.Contains(t, there, "out/m.csv.json", "what made a file has its name first")
		}
		again := launch(t, dir, args...)
		require.Equal(t, exitDone, again.status, again.stderr)
		require.Empty(t, again.stderr)
		now := files(t, "out")
		require.Len(t, now, len(out))
		if len(kept) == 0 || len(kept) == len(cache) {
			require.Equal(t, out, now, "bit for bit")
		}
		sameScores(t, decodeMatrix(t, out["out/m.json"]), decodeMatrix(t, now["out/m.json"]))
		switch {
		case o.status == exitDone:
			return "finished"
		case written > 0:
			return "writing"
		case len(kept) == len(cache):
			return "all kept"
		case len(kept) > bases:
			return "keeping scores"
		case bases == reduced:
			return "crossing"
		case bases > 0:
			return "reducing"
		}
		return "beginning"
	}}.run(t)
}

// TestMomentsKilled: whenever moments is killed, OUT and OUT.partial are whole or
// not there, and the same command goes on to the same bytes.
func TestMomentsKilled(t *testing.T) {
	if sanitizer.On {
		t.Skip("the same in instrumented processes, which are slow to start")
	}
	dir := memoryDir(t)
	t.Chdir(dir)
	x, y := gaussian(1, 6000, 40), gaussian(2, 6000, 24)
	shards(t, "x", x, 700, 1400, 1400, 3333, 5999)
	save(t, "y.npy", y)
	args := []string{"moments", "x", "y.npy", "-o", "out/s.sums", "--resume", "--quiet"}
	begin := func(int) {
		require.NoError(t, os.RemoveAll("out"))
		require.NoError(t, os.Mkdir("out", 0o700))
	}
	begin(0)
	require.Equal(t, exitDone, launch(t, dir, args...).status)
	want := files(t, "out")
	require.Len(t, want, 1)
	killing{dir, args, begin, func(_ int, o outcome) (phase string) {
		phase = "beginning"
		for name, data := range files(t, "out") {
			base := filepath.Base(name)
			switch {
			case base == "s.sums":
				require.Equal(t, want[name], data)
			case strings.HasPrefix(base, ".s.sums.partial"):
				t.Logf("%s was left", name) // in the window that place tells of
				require.NoError(t, os.Remove(name))
				fallthrough
			default:
				require.Contains(t, name, "s.sums.partial")
				head, _, whole := decodePartial(data)
				require.True(t, whole, name)
				phase = fmt.Sprintf("past %d %%", 25*(4*head.Done/x.Rows))
			}
		}
		if _, err := os.Stat("out/s.sums"); err == nil {
			if o.status != exitDone {
				return "written"
			}
			require.Equal(t, []string{"s.sums"}, listing(t, "out"))
			return "finished"
		}
		again := launch(t, dir, args...)
		require.Equal(t, exitDone, again.status, again.stderr)
		require.Empty(t, again.stderr)
		require.Equal(t, want, files(t, "out"))
		return phase
	}}.run(t)
}

// smallDisk makes dir a disk of so many bytes.
func smallDisk(t *testing.T, dir string, size int) {
	t.Helper()
	if says, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "svcca", dir).CombinedOutput(); err != nil {
		t.Skipf("no disk can be mounted here: %v: %s", err, says)
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", dir).Run()) })
}

// TestFullDisk: what has no room is an error with the name of the file, and nothing
// is left; but a cache that has no room costs no more than a warning.
func TestFullDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, name := range []string{"a1", "a2", "a3"} {
		save(t, name+".npy", gaussian(uint64(i), 200, 60))
	}
	require.NoError(t, os.Mkdir("many", 0o700)) // so many that what made a file takes more room than its values
	for i := range 60 {
		save(t, fmt.Sprintf("many/layer%d.npy", i), gaussian(uint64(i), 200, 3))
	}
	require.Equal(t, exitDone, launch(t, ".", "compare", "a1.npy", "a2.npy", "--directions", "d.npz").status)
	saveNet(t, "net", fully{"fc1", gaussian(1, 60, 40), nil}, fully{"fc2", gaussian(2, 40, 3), nil})
	const room = 8 << 10
	want := launch(t, ".", "matrix", "a1.npy", "a2.npy", "a3.npy", "--json")
	require.Equal(t, exitDone, want.status, want.stderr)
	for _, disk := range []struct {
		name  string
		limit int
		says  string
	}{{"limit", room, "file too large"}, {"disk", 0, "no space left on device"}} {
		t.Run(disk.name, func(t *testing.T) {
			require.NoError(t, os.Mkdir(disk.name, 0o700))
			if disk.limit == 0 {
				smallDisk(t, disk.name, room)
			}
			in := func(name string) string { return filepath.Join(disk.name, name) }
			start := func(args ...string) outcome {
				_, wait := prepare(t, ".", disk.limit, args...)
				return wait()
			}
			for _, c := range []struct{ args, file, full string }{
				{"matrix a1.npy a2.npy a3.npy --keep rank -o", "m.json", "m.json"},
				{"matrix many --against a1.npy --quiet -o", "m.csv", "m.csv.json"},
				{"matrix many --against a1.npy --quiet -o", "m.npy", "m.npy.json"},
				{"matrix many --quiet -o", "m.npy", "m.npy"},
				{"matrix many --quiet -o", "m.npz", "m.npz"},
				{"matrix many --quiet -o", "m.safetensors", "m.safetensors"},
				{"moments a1.npy -o", "s.sums", "s.sums"},
				{"moments a1.npy a2.npy -o", "s.sums", "s.sums"},
				{"compare a1.npy a2.npy --directions", "d.npz", "d.npz"},
				{"compare a1.npy a2.npy --directions", "d.safetensors", "d.safetensors"},
				{"project d.npz a1.npy --side x -o", "p.npy", "p.npy"},
				{"compress net --inputs a1.npy --layers fc2 --quiet -o", "small", "small/fc1_w.npy"},
				{"compress net --inputs a1.npy --layers fc2 --quiet -o", "small.npz", "small.npz"},
			} {
				o := start(append(strings.Fields(c.args), in(c.file))...)
				assert.Equal(t, exitFailed, o.status, o.stderr)
				assert.Equal(t, "svcca: "+in(c.full)+": "+disk.says+"\n", o.stderr)
				assert.Empty(t, o.stdout)
				assert.Empty(t, listing(t, disk.name), c.args)
			}
			o := start("moments", "a1.npy", "-o", in("s.sums"), "--resume")
			assert.Equal(t, exitFailed, o.status)
			assert.Equal(t, "svcca: "+in("s.sums.partial")+": "+disk.says+"\n", o.stderr)
			assert.Empty(t, listing(t, disk.name))

			for range 2 { // the second finds what the first could keep
				o = start("matrix", "a1.npy", "a2.npy", "a3.npy", "--json", "--cache", in("cache"))
				assert.Equal(t, exitDone, o.status)
				assert.Contains(t, o.stderr, "svcca: warning: the cache keeps nothing more: "+in("cache"))
				assert.Contains(t, o.stderr, disk.says+". The results do not depend on it.\n")
				wanted, got := decodeMatrix(t, []byte(want.stdout)), decodeMatrix(t, []byte(o.stdout))
				for i := range wanted.Pairs {
					for j, w := range wanted.Pairs[i] {
						assert.InDelta(t, *w.Mean, *got.Pairs[i][j].Mean, w.ErrorBound+got.Pairs[i][j].ErrorBound)
					}
				}
			}
		})
	}
}

// TestReadOnlyDirectory: where nothing can be written, that is said of the file that was
// asked for.
func TestReadOnlyDirectory(t *testing.T) {
	outputDir(t)
	smallDisk(t, "out", 1<<20)
	if says, err := exec.Command("mount", "-o", "remount,ro", "out").CombinedOutput(); err != nil {
		t.Skipf("no disk can be made read-only here: %v: %s", err, says)
	}
	for _, c := range outputsOf {
		status, stdout, stderr := call(t, strings.Fields(c.args)...)
		assert.Equal(t, exitFailed, status, c.args)
		assert.Empty(t, stdout)
		assert.Equal(t, "svcca: "+filepath.Join("out", c.files[0])+": read-only file system\n", stderr)
		assert.Empty(t, listing(t, "out"))
	}
}

// TestShardFaults: shards that do not make a layer are named.
func TestShardFaults(t *testing.T) {
	t.Chdir(t.TempDir())
	x := gaussian(1, 60, 6)
	save(t, "y.npy", mixed(60, 6))
	for _, c := range []struct {
		name   string
		damage func(path string)
		says   string
	}{
		{"cut", func(path string) { require.NoError(t, os.Truncate(path, 700)) }, "truncated: header promises 20 × 6 float64"},
		{"without values", func(path string) { require.NoError(t, os.Truncate(path, 9)) }, "truncated"},
		{"wider", func(path string) { save(t, path, gaussian(2, 20, 7)) }, "this shard has 7 neurons, x/part-8.npy 6"},
		{"longer", func(path string) { save(t, path, gaussian(2, 21, 6)) }, "61"},
		{"of another type", func(path string) { saveSingle(t, path, gaussian(2, 20, 6)) }, "this shard is float32, x/part-8.npy float64"},
	} {
		require.NoError(t, os.RemoveAll("x"))
		pattern := shards(t, "x", x, 20, 40)
		c.damage("x/part-9.npy")
		for _, args := range [][]string{
			{"matrix", "x", "y.npy", "-o", "m.json"}, {"compare", pattern, "y.npy", "--directions", "d.npz"}, {"moments", pattern, "y.npy", "-o", "s.sums"},
		} {
			status, stdout, stderr := call(t, args...)
			assert.Equal(t, exitFailed, status, c.name)
			assert.Contains(t, stderr, c.says, args)
			if c.name == "longer" {
				assert.Contains(t, stderr, "rows must be the same inputs", args)
			} else {
				assert.Contains(t, stderr, "svcca: x/part-9.npy", args)
			}
			assert.Empty(t, stdout)
			assert.Equal(t, []string{"x", "y.npy"}, listing(t, "."))
		}
	}
}

// TestMatrixFileThatChanges: a shard that grows, or loses its end, while it is read
// makes no result, wherever the change falls.
func TestMatrixFileThatChanges(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("LC_ALL", "C.UTF-8")
	shards(t, "x", gaussian(1, 60, 6), 30)
	save(t, "y.npy", mixed(60, 6))
	const changed = "x/part-9.npy"
	args := []string{"matrix", "x", "y.npy", "--threads", "1", "-o", "m.json"}
	data := read(t, changed)
	require.Equal(t, exitDone, first(call(t, args...)))
	want := read(t, "m.json")
	remove(t, "m.json")
	for _, change := range []func() error{
		func() error { return os.WriteFile(changed, append(bytes.Clone(data), 0), 0o600) },
		func() error { return os.Truncate(changed, int64(len(data)-100)) },
	} {
		caught := 0
		for look := int64(3); ; look++ { // files are open from the third on
			sprung := false
			ctx := &trap{Context: t.Context(), do: func() {
				sprung = true
				require.NoError(t, change())
			}}
			ctx.left.Store(look)
			var stdout, stderr bytes.Buffer
			status := run(ctx, args, &stdout, &stderr)
			require.NoError(t, os.WriteFile(changed, data, 0o600))
			if status == exitDone { // it fell after the last look at the files, or never
				require.Equal(t, want, read(t, "m.json"))
				remove(t, "m.json")
				if !sprung {
					break
				}
				continue
			}
			caught++
			require.Equal(t, exitFailed, status)
			require.Contains(t, stderr.String(), "svcca: "+changed+": file changed while it was read")
			require.Empty(t, stdout.String())
			require.Equal(t, []string{"x", "y.npy"}, listing(t, "."))
		}
		assert.Positive(t, caught)
	}
}
