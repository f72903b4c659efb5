package main

import (
	"testing"
)

// madeOf is provenance as a reader may take it, by the names of its fields alone.
type madeOf struct {
	Schema, Version, Module, Go string
	Command                     []string
	Inputs                      []describedInput
	With                        map[string]describedInput
	Parts                       []*madeOf
	Options                     map[string]any
	Backend                     map[string]any
	Score                       string
	Rows, Columns               []string
	File                        *struct {
		Name, SHA256 string
		Bytes        int64
	}
}

type describedInput struct {
	Name, Storage string
	Paths, SHA256 []string
	Shape         []int
	Bytes         []int64
}

var _ = (*testing.T)(nil)
