package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/bench"
)

// worker is a process of the kind that package bench describes.
type worker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
	about   string
}

// start starts c's process and waits until it has warmed up.
func start(ctx context.Context, c *contestant) (*worker, error) {
	command := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(),
		fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", c.threads), fmt.Sprintf("GOMAXPROCS=%d", c.threads))
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	w := &worker{command: command, in: in, out: json.NewDecoder(out)}
	var about bench.About
	if err := w.out.Decode(&about); err != nil {
		w.close()
		return nil, fmt.Errorf("%s did not come up: %w", c.name, err)
	}
	w.about = about.About
	return w, nil
}

// settle is how long the machine rests between two runs. OpenBLAS's threads go
// on spinning for 2^26 cycles after their work: 30 ms at 2.4 GHz.
var settle = 200 * time.Millisecond

// run lets the worker run once.
func (w *worker) run(ctx context.Context) (result bench.Result, err error) {
	select {
	case <-ctx.Done():
		return result, ctx.Err()
	case <-time.After(settle):
	}
	if _, err := io.WriteString(w.in, "go\n"); err != nil {
		return result, err
	}
	err = w.out.Decode(&result)
	return result, err
}

// peak returns the largest memory that the process has had resident so far, in
// MiB, its inputs included, or 0 where the system does not tell.
func (w *worker) peak() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.command.Process.Pid))
	if err != nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(strings.TrimSuffix(field(string(status), "VmHWM"), " kB"), 64)
	return kib / 1024
}

// close ends the process, which leaves when its input ends.
func (w *worker) close() {
	w.in.Close()
	w.command.Wait()
}

// processor returns the processor's name as the system gives it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	return field(string(info), "model name")
}

// field returns the value of the first line "name : value" of text.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// openblasEnv returns the settings of OpenBLAS that the workers inherit.
func openblasEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(s string) bool {
		return !strings.HasPrefix(s, "OPENBLAS_") || strings.HasPrefix(s, "OPENBLAS_NUM_THREADS=")
	})
}
