package digits

import "github.com/gosvcca/gosvcca/lapack"

// Images is how many images there are; Pixels are in each, 8 rows of 8.
const (
	Images = 1797
	Pixels = 64
)

// Inputs returns all images × Pixels, from 0 to 1.
func Inputs() lapack.Matrix[float64] {
	x := lapack.New[float64](Images, Pixels)
	for i, v := range data("images.u8") {
		x.Data[i] = float64(v) / 16
	}
	return x
}

// Labels returns which digit each image shows.
func Labels() []int { return integers("labels.u8") }

// Train and Test return the images that networks were trained on, and those they were
// not, by number.
func Train() []int { return imagesOf(0) }
func Test() []int  { return imagesOf(1) }

func imagesOf(set int) (images []int) {
	for i, of := range integers("test.u8") {
		if of == set {
			images = append(images, i)
		}
	}
	return images
}

func integers(name string) []int {
	var values []int
	for _, v := range data(name) {
		values = append(values, int(v))
	}
	return values
}
