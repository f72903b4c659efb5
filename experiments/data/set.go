// Package data has the images that experiments train on: handwritten digits, which are in the
// program, and CIFAR-10, from a directory of the user's.
//
//	train, test, err := data.Open("digits", "")
//	if err != nil {
//		return err
//	}
//	x, labels := data.Batch[float32](train, train.Order(seed, epoch)[:64])
package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
)

// Set is images with labels. Pixels are bytes, images × height × width × channels; Batch
// makes numbers of them.
type Set struct {
	Height, Width, Channels int
	Pixels                  []byte
	Labels                  []int    // one for each image, an index of Classes
	Classes                 []string // names
	// Mean and Deviation are those of each channel over the images to train on: Batch takes
	// the one away and divides by the other.
	Mean, Deviation []float64
}

// Shape returns the sizes of one image: height, width, channels.
func (s *Set) Shape() []int { return []int{s.Height, s.Width, s.Channels} }

// Batch returns images by their indices, × height × width × channels, of which channels have
// mean 0 and variance 1 over the images to train on; and their labels.
func Batch[T lapack.Real](s *Set, indices []int) (x *nn.Tensor[T], labels []int) {
	x, labels = nn.NewTensor[T](append([]int{len(indices)}, s.Shape()...)...), make([]int, len(indices))
	var value [256][]T // by byte and channel
	for b := range value {
		for c := range s.Channels {
			value[b] = append(value[b], T((float64(b)-s.Mean[c])/s.Deviation[c]))
		}
	}
	each := s.Height * s.Width * s.Channels
	for i, index := range indices {
		labels[i] = s.Labels[index]
		to := x.Data[i*each : (i+1)*each]
		for j, b := range s.Pixels[index*each : (index+1)*each] {
			to[j] = value[b][j%s.Channels]
		}
	}
	return x, labels
}

// All returns all images, or the first most of them, as Batch does.
func All[T lapack.Real](s *Set, most int) (x *nn.Tensor[T], labels []int) {
	indices := make([]int, min(most, len(s.Labels)))
	for i := range indices {
		indices[i] = i
	}
	return Batch[T](s, indices)
}

// Order returns all images in the order in which an epoch takes them: another one for each
// seed and epoch, so that training may be taken up anywhere.
func (s *Set) Order(seed uint64, epoch int) []int {
	return rand.New(rand.NewPCG(seed, uint64(epoch))).Perm(len(s.Labels))
}

// standardise sets Mean and Deviation to those of the images to train on, in both sets. A
// channel that is constant there has deviation 1.
func standardise(train, test *Set) {
	sums, squares := make([]float64, train.Channels), make([]float64, train.Channels)
	for i, b := range train.Pixels {
		sums[i%train.Channels] += float64(b)
		squares[i%train.Channels] += float64(b) * float64(b)
	}
	n := float64(len(train.Pixels) / train.Channels)
	train.Mean, train.Deviation = make([]float64, train.Channels), make([]float64, train.Channels)
	for c := range sums {
		train.Mean[c] = sums[c] / n
		// Sums of bytes and of their squares are exact, and so is n·Σb² − (Σb)² nearly.
		if train.Deviation[c] = math.Sqrt(squares[c]/n - train.Mean[c]*train.Mean[c]); !(train.Deviation[c] > 0) {
			train.Deviation[c] = 1
		}
	}
	test.Mean, test.Deviation = train.Mean, train.Deviation
}

// Open returns the images of a data set by its name, "digits" or "cifar10", to train on and
// to test with. dir is where the files of CIFAR-10 are.
func Open(name, dir string) (train, test *Set, err error) {
	switch name {
	case "digits":
		train, test = Digits()
		return train, test, nil
	case "cifar10":
		return CIFAR10(dir)
	}
	return nil, nil, fmt.Errorf("no data set is called %q: there are digits, cifar10", name)
}
