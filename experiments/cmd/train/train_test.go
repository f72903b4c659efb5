package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/experiments/program"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run returns what the command says, and its exit status.
func run(ctx context.Context, args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = program.Run(ctx, "train", train, args, &out, &errs)
	return out.String(), errs.String(), status
}

// contents returns the files in a directory, with their bytes.
func contents(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all[rel] = string(text)
		return err
	}))
	return all
}

// after is done once it has been asked so many times whether it is: an interrupt between two
// steps, without a clock.
type after struct {
	context.Context
	asked, times int
	cancel       context.CancelFunc
}

func (a *after) Err() error {
	if a.asked++; a.asked > a.times {
		a.cancel()
	}
	return a.Context.Err()
}

// TestTrain: a run that is interrupted and taken up again writes the same bytes as one that
// is not, and svcca reads them.
func TestTrain(t *testing.T) {
	for _, net := range []string{"mlp", "resnet", "convnet"} {
		dir := t.TempDir()
		whole, parts := filepath.Join(dir, "whole"), filepath.Join(dir, "parts")
		args := []string{"--net", net, "--width", "2", "--steps", "12", "--batch", "16", "--at", "0,4,12", "--record", "20", "-o"}
		stdout, stderr, status := run(context.Background(), append(args, whole)...)
		require.Equal(t, program.Done, status, stderr)
		assert.Contains(t, stdout, net+" after 12 steps: right on ")
		assert.Contains(t, stdout, "at steps 0, 4, 12\n")
		assert.Empty(t, stderr)

		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stdout, stderr, status = run(&after{Context: ctx, times: 7, cancel: cancel}, append(args, parts)...)
		require.Equal(t, program.Interrupted, status)
		assert.Equal(t, "train: interrupted: after step 7 of 12, the same command goes on from there\n", stderr)
		assert.Empty(t, stdout)
		_, stderr, status = run(context.Background(), append(args, parts)...)
		require.Equal(t, program.Done, status, stderr)
		assert.Equal(t, "train: goes on from step 7\n", stderr)
		want, got := contents(t, whole), contents(t, parts)
		for name := range got {
			if strings.HasPrefix(name, filepath.Join("weights", "step00007")) {
				delete(got, name) // of the interrupt
			}
		}
		assert.Equal(t, want, got)

		f, err := activation.Open(filepath.Join(whole, "activations", "step00004", "logits.npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{20, 10}, f.Shape())
		f.Close()

		again, _, status := run(context.Background(), append(args, whole)...)
		assert.Equal(t, program.Done, status)
		assert.Contains(t, again, "after 12 steps")
		assert.Equal(t, want, contents(t, whole), "nothing is left to do")
	}
}

func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	for says, args := range map[string][]string{
		"-o DIR is needed":                         {},
		"--steps 0: 1 or more is expected":         {"-o", dir, "--steps", "0"},
		"--net vgg: there are convnet, resnet":     {"-o", dir, "--net", "vgg"},
		"--at: steps from 0 to 500 (--steps)":      {"-o", dir, "--at", "600"},
		"--rate NaN: a number above 0 is expected": {"-o", dir, "--rate", "NaN"},
		"--layers fc9: mlp has fc1, fc2":           {"-o", filepath.Join(dir, "a"), "--net", "mlp", "--layers", "fc1,fc9"},
		`"more" is not a flag`:                     {"-o", dir, "more"},
		"unknown flag: --epochs":                   {"--epochs", "3"},
	} {
		stdout, stderr, status := run(context.Background(), args...)
		assert.Equal(t, program.Misused, status, says)
		assert.Contains(t, stderr, "train: "+says)
		assert.Contains(t, stderr, "see train --help")
		assert.Empty(t, stdout)
	}
	assert.Empty(t, contents(t, dir))
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	quick := []string{"--net", "mlp", "--steps", "2", "--record", "5", "-o"}
	_, stderr, status := run(context.Background(), "-o", filepath.Join(dir, "a"), "--data", filepath.Join(dir, "none"))
	assert.Equal(t, program.Failed, status)
	assert.Contains(t, stderr, "cs.toronto.edu")

	run1 := filepath.Join(dir, "run1")
	_, _, status = run(context.Background(), append(quick, run1)...)
	require.Equal(t, program.Done, status)
	before := contents(t, run1)
	_, stderr, status = run(context.Background(), append(quick, run1, "--seed", "2")...)
	assert.Equal(t, program.Failed, status)
	assert.Contains(t, stderr, "is of a run with other settings")
	assert.Equal(t, before, contents(t, run1))

	other := filepath.Join(dir, "other")
	require.NoError(t, os.Mkdir(other, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(other, "thesis.tex"), nil, 0o666))
	_, stderr, status = run(context.Background(), append(quick, other)...)
	assert.Equal(t, program.Failed, status)
	assert.Contains(t, stderr, "holds other files")
}

func TestHelp(t *testing.T) {
	stdout, stderr, status := run(context.Background(), "--help")
	assert.Equal(t, program.Done, status)
	assert.Empty(t, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	assert.LessOrEqual(t, len(lines), 24)
	for _, line := range lines {
		assert.LessOrEqual(t, len([]rune(line)), 80, line)
	}
}
