package data

import (
	"strconv"

	"github.com/gosvcca/gosvcca/internal/digits"
)

// Digits returns handwritten digits of 8 × 8 grey pixels, of the optical recognition set of
// the UCI repository: 1257 to train on and 540 to test with.
func Digits() (train, test *Set) {
	images, labels := digits.Inputs(), digits.Labels()
	take := func(indices []int) *Set {
		s := &Set{Height: 8, Width: 8, Channels: 1}
		for digit := range 10 {
			s.Classes = append(s.Classes, strconv.Itoa(digit))
		}
		for _, i := range indices {
			for _, v := range images.Row(i) {
				s.Pixels = append(s.Pixels, byte(v*16)) // of 0, 1/16, … 1
			}
			s.Labels = append(s.Labels, labels[i])
		}
		return s
	}
	train, test = take(digits.Train()), take(digits.Test())
	standardise(train, test)
	return train, test
}
