package nn

import (
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/lapack"
)

// Loss returns how far a network's outputs are from what they should be, a mean over
// datapoints, and its gradient with respect to them.
type Loss[T lapack.Real] func(y *Tensor[T]) (loss float64, dy *Tensor[T])

// CrossEntropy returns the loss of logits, datapoints × classes, against the class of each
// datapoint: the mean of −log softmax(y)[label].
func CrossEntropy[T lapack.Real](labels []int) Loss[T] {
	return func(y *Tensor[T]) (loss float64, dy *Tensor[T]) {
		m := y.Matrix()
		if m.Rows != len(labels) {
			panic("nn: as many labels as datapoints are needed")
		}
		dy = NewTensor[T](y.Shape...)
		n := float64(m.Rows)
		p := make([]float64, m.Cols)
		for i, label := range labels {
			most := float64(slices.Max(m.Row(i)))
			sum := 0.0
			for j, v := range m.Row(i) {
				p[j] = math.Exp(float64(v) - most)
				sum += p[j]
			}
			loss += most + math.Log(sum) - float64(m.At(i, label))
			d := dy.Matrix().Row(i)
			for j := range d {
				d[j] = T(p[j] / sum / n)
			}
			d[label] -= T(1 / n)
		}
		return loss / n, dy
	}
}

// SquaredError returns the loss of outputs against targets of the same shape: the mean over
// datapoints of ½ Σ (y − target)², over outputs.
func SquaredError[T lapack.Real](targets *Tensor[T]) Loss[T] {
	return func(y *Tensor[T]) (loss float64, dy *Tensor[T]) {
		if !slices.Equal(y.Shape, targets.Shape) {
			panic("nn: targets of the outputs' shape are needed")
		}
		dy = NewTensor[T](y.Shape...)
		n := float64(y.Shape[0])
		for i, v := range y.Data {
			e := float64(v) - float64(targets.Data[i])
			loss += e * e / 2
			dy.Data[i] = T(e / n)
		}
		return loss / n, dy
	}
}

// Right returns how many datapoints have their largest logit at their label.
func Right[T lapack.Real](logits *Tensor[T], labels []int) (count int) {
	m := logits.Matrix()
	for i, label := range labels {
		row := m.Row(i)
		if slices.Index(row, slices.Max(row)) == label {
			count++
		}
	}
	return count
}
