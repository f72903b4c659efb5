package nn

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// memories is the directory of a checkpoint for what the optimiser remembers.
const memories = "optimiser"

// Save writes a checkpoint, a new directory: NAME.npy of every parameter, and in optimiser/
// NAME.0.npy, … of what the optimiser remembers of it. The directory is whole or not there.
func (n *Network[T]) Save(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists: a checkpoint goes into a new directory", dir)
	}
	part := filepath.Join(filepath.Dir(dir), fmt.Sprintf(".%s%d", filepath.Base(dir), rand.Uint64()))
	if err := os.Mkdir(part, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(part) // which has another name by then, or has failed
	if err := os.Mkdir(filepath.Join(part, memories), 0o777); err != nil {
		return err
	}
	for _, p := range n.params {
		if err := p.Value.save(filepath.Join(part, p.Name+".npy")); err != nil {
			return err
		}
		for i, m := range p.Memory {
			t := &Tensor[T]{Shape: p.Value.Shape, Data: m}
			if err := t.save(p.memory(part, i)); err != nil {
				return err
			}
		}
	}
	return os.Rename(part, dir)
}

// Load reads a checkpoint that Save wrote, of a network with the same parameters. Training
// that goes on from there does as it would have done. After an error the network is of no
// use.
func (n *Network[T]) Load(dir string) error {
	for _, p := range n.params {
		if err := p.Value.load(filepath.Join(dir, p.Name+".npy")); err != nil {
			return err
		}
		p.Memory = nil
		for i := 0; ; i++ {
			t := NewTensor[T](p.Value.Shape...)
			err := t.load(p.memory(dir, i))
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return err
			}
			p.Memory = append(p.Memory, t.Data)
		}
	}
	return nil
}

// memory returns the path of piece i of what the optimiser remembers of p.
func (p *Param[T]) memory(dir string, i int) string {
	return filepath.Join(dir, memories, fmt.Sprintf("%s.%d.npy", p.Name, i))
}
