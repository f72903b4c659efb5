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

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
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

// run kills the command at moments that are spread over the time that it takes,
// each a random one of its part.
func (k killing) run(t *testing.T) {
	t.Helper()
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	var took []time.Duration
	for range 3 {
		k.begin(0)
		o := launch(t, k.dir, k.args...)
		require.Equal(t, exitDone, o.status, o.stderr)
		took = append(took, o.took)
	}
	whole := min(max(took[0], took[1]), max(took[1], took[2]), max(took[0], took[2]))
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		random := rand.New(rand.NewPCG(8, uint64(sig)))
		phases, unfinished := map[string]int{}, 0
		for round := range rounds {
			after := (float64(round) + random.Float64()) / float64(rounds)
			k.begin(round)
			c, wait := prepare(t, k.dir, 0, k.args...)
			// It may have ended: then there is nothing to kill.
			timer := time.AfterFunc(time.Duration(after*float64(whole)), func() { _ = c.Process.Signal(sig) })
			o := wait()
			timer.Stop()
			switch {
			case o.status == exitDone:
				require.Empty(t, strings.ReplaceAll(o.stderr, "svcca: wrote", ""), "what else is said")
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
	dir := memoryDir(t)
	t.Chdir(dir)
	require.NoError(t, os.Mkdir("in", 0o700))
	for i := range 12 {
		save(t, fmt.Sprintf("in/layer%d.npy", i), gaussian(uint64(i), 3000, 64))
	}
	args := []string{"matrix", "in", "-o", "out/m.json", "-o", "out/m.csv", "--force", "--cache", "cache", "--keep", "count(32)", "--quiet", "--json", "--score", "pwcca_x"}
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
	require.Len(t, out, 2)
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
				require.Contains(t, []string{string(out["out/m.json"]), string(out["out/m.csv"])}, string(data))
				require.NoError(t, os.Remove(name))
			default:
				require.Fail(t, "half-written", name)
			}
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

var _ = activation.ErrChanged
var _ = lapack.New[float64]
