//go:build !linux

package main

// newPending returns a file beside path that takes its place when complete.
func newPending(path string) (pending, error) { return newNamed(path) }
