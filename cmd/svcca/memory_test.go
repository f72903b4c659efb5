package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemoryFlag(t *testing.T) {
	for text, want := range map[string]memory{
		"4096": 4096, "1B": 1, "8GiB": 8 << 30, "1.5 MiB": 3 << 19, "2kib": 2048, "500MB": 500e6, "3kB": 3e3, "2TiB": 2 << 40, "1gb": 1e9, " 7TB ": 7e12,
	} {
		var m memory
		require.NoError(t, m.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, m, text)
		again, err := m.MarshalText()
		require.NoError(t, err)
		var back memory
		require.NoError(t, back.UnmarshalText(again))
		assert.Equal(t, m, back)
	}
	for _, text := range []string{"", "GiB", "0", "-1", "-1GiB", "NaN", "Inf", "8 gigabytes", "1e30", "0.5", "8GiBB", "0x", "1TiB1"} {
		var m memory
		assert.ErrorContains(t, m.UnmarshalText([]byte(text)), "8GiB", text)
		assert.Zero(t, m)
	}
	none, err := memory(0).MarshalText()
	require.NoError(t, err)
	assert.Empty(t, none, "no default in the help but that of its text")
}

// TestRoundUp: what an error advises is accepted and is enough.
func TestRoundUp(t *testing.T) {
	for _, need := range []int64{1, 1023, 1024, 1025, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1 << 30, 3<<30 + 5} {
		var m memory
		require.NoError(t, m.UnmarshalText([]byte(roundUp(need))))
		assert.GreaterOrEqual(t, int64(m), need)
		assert.NoError(t, m.allow("this", need, ""))
	}
	err := memory(1<<20).allow("summing", 3<<20, "think smaller")
	assert.ErrorIs(t, err, svcca.ErrMemory)
	assert.EqualError(t, err, "summing needs about 3 MiB of memory, and there are 1 MiB by --memory: think smaller, or try all the same with --memory 3MiB")
}

func TestAvailableMemory(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	meminfo := file("MemTotal:       2000 kB\nMemFree:  5 kB\nMemAvailable:   1000 kB\n")
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  int64 // 0: not known
	}{
		{"nothing", fstest.MapFS{}, 0},
		{"machine", fstest.MapFS{"proc/meminfo": meminfo}, 1000 << 10},
		{"garbage", fstest.MapFS{"proc/meminfo": file("MemAvailable:\n"), "proc/self/cgroup": file("x\n0::\n")}, 0},
		{"no limit", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/job\n"),
			"sys/fs/cgroup/job/memory.max": file("max\n"), "sys/fs/cgroup/job/memory.current": file("5\n"),
		}, 1000 << 10},
		{"group", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/job\n"),
			"sys/fs/cgroup/job/memory.max": file("9000\n"), "sys/fs/cgroup/job/memory.current": file("5000\n"),
			"sys/fs/cgroup/job/memory.stat": file("anon 2\ninactive_file 2000\nactive_file 500\n"),
		}, 6500},
		{"group above", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/slurm/job/step\n"),
			"sys/fs/cgroup/slurm/job/step/memory.max": file("max\n"), "sys/fs/cgroup/slurm/job/step/memory.current": file("1\n"),
			"sys/fs/cgroup/slurm/job/memory.max": file("9000\n"), "sys/fs/cgroup/slurm/job/memory.current": file("8000\n"),
		}, 1000},
		{"full", fstest.MapFS{
			"proc/self/cgroup":             file("0::/job\n"),
			"sys/fs/cgroup/job/memory.max": file("9000\n"), "sys/fs/cgroup/job/memory.current": file("9001\n"),
		}, -1},
		{"version 1, in a container", fstest.MapFS{
			"proc/meminfo": meminfo, "proc/self/cgroup": file("12:cpu,cpuacct:/docker/1\n11:memory:/docker/1\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("4096\n"), "sys/fs/cgroup/memory/memory.usage_in_bytes": file("2048\n"),
			"sys/fs/cgroup/memory/memory.stat": file("total_inactive_file 48\n"),
		}, 2096},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes, known := availableMemory(c.files)
			assert.Equal(t, c.want != 0, known)
			if known {
				assert.Equal(t, max(0, c.want), bytes)
			}
		})
	}
}

// TestTooLittleMemory: the work is refused before it begins, and says what is
// needed, what there is, and what to do.
func TestTooLittleMemory(t *testing.T) {
	dir, x, y := pair(t)
	out := filepath.Join(dir, "xy.sums")
	require.Equal(t, exitDone, first(call(t, "moments", x, y, "-o", out)))
	before := listing(t, dir)
	for _, args := range [][]string{
		{"compare", x, y, "--directions", filepath.Join(dir, "d.npz")},
		{"compare", out},
		{"moments", x, y, "-o", filepath.Join(dir, "2.sums")},
		{"moments", x, "-o", filepath.Join(dir, "2.sums"), "--triangle", "--resume"},
		{"moments", "--merge", out, "-o", filepath.Join(dir, "2.sums")},
		{"moments", out},
	} {
		status, stdout, stderr := call(t, append(args, "--memory", "1KiB")...)
		assert.Equal(t, exitFailed, status, args)
		assert.Empty(t, stdout)
		for _, say := range []string{"needs about ", "and there are 1 KiB by --memory", "or try all the same with --memory "} {
			assert.Contains(t, stderr, say, args)
		}
		assert.Equal(t, before, listing(t, dir))
		_, advised, _ := strings.Cut(strings.TrimSpace(stderr), "--memory ")
		if args[0] == "compare" && len(args) == 2 {
			continue // two estimates, one after the other
		}
		status, _, stderr = call(t, append(args[:len(args):len(args)], "--memory", advised)...)
		assert.Equal(t, exitDone, status, stderr)
		for _, name := range listing(t, dir) {
			if name == "2.sums" || name == "d.npz" {
				remove(t, filepath.Join(dir, name))
			}
		}
	}
}

// TestSummingMemoryOfAnyHeader: a header that claims any number of neurons is no
// overflow.
func TestSummingMemoryOfAnyHeader(t *testing.T) {
	for _, d := range []int{1, 1 << 20, 1 << 40, math.MaxInt} {
		for _, held := range []bool{false, true} {
			need := summingMemory(d, blockRows(d, held, held), held, held, svcca.Mixed)
			assert.Positive(t, need)
			assert.GreaterOrEqual(t, float64(need), math.Min(math.MaxInt64/2, 40*float64(d)*float64(d)))
		}
	}
}

// FuzzFlags: what a flag takes it also writes, in words that mean the same.
func FuzzFlags(f *testing.F) {
	for _, text := range []string{"8GiB", "1.5 mb", "4096", "5:", ":7", "0:9", "0,5,7:9", "3,3", "@x.npy", "1e3KiB", "0x1p4B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var m, back memory
		if m.UnmarshalText([]byte(text)) == nil {
			require.Positive(t, m)
			words, err := m.MarshalText()
			require.NoError(t, err)
			require.NoError(t, back.UnmarshalText(words))
			require.Equal(t, m, back)
		}
		var x, again indices
		if x.UnmarshalText([]byte(text)) == nil {
			words, err := x.MarshalText()
			require.NoError(t, err)
			require.NoError(t, again.UnmarshalText(words))
			require.Equal(t, x, again)
			if x.file != "" {
				return
			}
			if all, err := x.of(10, "datapoints", "datapoint", "x"); err == nil {
				require.NotEmpty(t, all)
				seen := map[int]bool{}
				for _, i := range all {
					require.True(t, 0 <= i && i < 10 && !seen[i])
					seen[i] = true
				}
			}
		}
	})
}
