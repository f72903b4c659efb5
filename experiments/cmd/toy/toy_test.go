package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run returns what the command says, and its exit status.
func run(ctx context.Context, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = program.Run(ctx, "toy", toy, args, &out, &errs)
	return out.String(), errs.String(), status
}

// sizes of the command, smaller in short tests.
func sizes() []string {
	if testing.Short() {
		return []string{"--width", "100", "--points", "200", "--steps", "600"}
	}
	return nil
}

// TestToy: the claims hold, and none does where one network's rows are shuffled.
func TestToy(t *testing.T) {
	for _, broken := range []bool{false, true} {
		out := filepath.Join(t.TempDir(), "out")
		args := append(sizes(), "-o", out)
		if broken {
			args = append(args, "--shuffle")
		}
		stdout, stderr, status := run(context.Background(), args...)
		require.Equal(t, program.Done, status, stderr)
		assert.Empty(t, stderr)
		t.Log(stdout)

		text, err := os.ReadFile(filepath.Join(out, "result.json"))
		require.NoError(t, err)
		var r result
		require.NoError(t, json.Unmarshal(text, &r))
		require.Len(t, r.Claims, 2)
		if broken {
			assert.Len(t, r.Claims.Failed(), 2, stdout)
		} else {
			assert.Empty(t, r.Claims.Failed(), stdout)
		}
		assert.Len(t, r.Without, 4)
		for _, name := range []string{"neurons", "svd", "svcca", "outputs2", "outputs30"} {
			assert.FileExists(t, filepath.Join(out, name+".svg"))
			assert.FileExists(t, filepath.Join(out, name+".png"))
		}
	}
}

func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"-o DIR is needed":                     {},
		"--width 59: 60 or more is expected":   {"-o", dir, "--width", "59"},
		"--points 399: 400 or more is expecte": {"-o", dir, "--points", "399"},
		"--steps 0: 1 or more is expected":     {"-o", dir, "--steps", "0"},
		"--rate NaN: a number between 0 and 1": {"-o", dir, "--rate", "NaN"},
	} {
		_, stderr, status := run(context.Background(), args...)
		assert.Equal(t, program.Misused, status, says)
		assert.Contains(t, stderr, says)
	}
	_, stderr, status := run(context.Background(), "-o", dir)
	assert.Equal(t, program.Failed, status)
	assert.Contains(t, stderr, "exists: a new directory is expected")
}

func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, status := run(ctx, "-o", filepath.Join(dir, "out"))
	assert.Equal(t, program.Interrupted, status)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
