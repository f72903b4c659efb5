//go:build !linux

package main

import (
	"fmt"
	"runtime"
)

// evict drops a file from the system's cache, where that can be asked for.
func evict(string) error { return fmt.Errorf("no file is dropped from the cache of %s", runtime.GOOS) }
