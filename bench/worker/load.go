package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"github.com/gosvcca/gosvcca/svcca"
)

// load returns the layers in the files that args end with, after their size N, D
// and further numbers, of which it returns the values. It needs one file or more.
func load(args []string, further int) (layers []svcca.Layer, numbers []int, err error) {
	if len(args) <= 2+further {
		return nil, nil, fmt.Errorf("%d arguments, expected more than %d", len(args), 2+further)
	}
	numbers, err = integers(args[:2+further])
	if err != nil {
		return nil, nil, err
	}
	n, d := numbers[0], numbers[1]
	for _, path := range args[2+further:] {
		data, err := read(path, n*d)
		if err != nil {
			return nil, nil, err
		}
		layers = append(layers, svcca.FromSlice(path, data, n, d))
	}
	return layers, numbers[2:], nil
}

func integers(args []string) ([]int, error) {
	numbers := make([]int, len(args))
	for i, text := range args {
		var err error
		if numbers[i], err = strconv.Atoi(text); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

func read(path string, count int) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]float32, count)
	if err := binary.Read(file, binary.LittleEndian, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}
