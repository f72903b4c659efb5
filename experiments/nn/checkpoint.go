package nn

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// memories is the directory of a checkpoint for what the optimiser remembers.
const memories = "optimiser"

// Save writes a checkpoint, a new directory: NAME.npy of every parameter, and in optimiser/
// NAME.0.npy, … of what the optimiser remembers of it. The directory is whole or not there.
func (n *Network[T]) Save(dir string) error {
	var names []string
	var tensors []*Tensor[T]
	for _, p := range n.params {
		names, tensors = append(names, p.Name), append(tensors, p.Value)
		for i, m := range p.Memory {
			names, tensors = append(names, p.memory(i)), append(tensors, &Tensor[T]{Shape: p.Value.Shape, Data: m})
		}
	}
	return SaveAll(dir, names, tensors)
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
			err := t.load(filepath.Join(dir, p.memory(i)+".npy"))
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

// memory returns the name of piece i of what the optimiser remembers of p.
func (p *Param[T]) memory(i int) string { return fmt.Sprintf("%s/%s.%d", memories, p.Name, i) }
